"""Packages, in a real browser: a model is exported as a zip, checked, and imported as the visitor's own."""

import re
import zipfile

from playwright.sync_api import expect

from tests.browser import actions


def test_a_model_goes_out_and_comes_back(visitor):
    """The zip from the Models page holds the model; imported, it is selected and listed as the visitor's run."""
    page = visitor()
    actions.open_page(page, "/models?model=softmax")
    page.get_by_role("tab", name="Export and import").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Everything as one zip").click()
    path = download.value.path()
    assert download.value.suggested_filename == "digits-softmax.zip"
    with zipfile.ZipFile(path) as package:
        assert {"model.keras", "model.tflite", "predict.py", "digits/ink/glyphs.py"} <= set(package.namelist())
    actions.button(page, "Check the package").click()
    expect(page.get_by_text(re.compile(r"^All [\d,]+ predictions match\.$"))).to_be_visible()
    upload = {"name": "back again.zip", "mimeType": "application/zip", "buffer": path.read_bytes()}
    page.locator("input[type=file]").set_input_files(upload)
    actions.button(page, "Import").click()
    expect(page.get_by_text("Your model has been imported")).to_be_visible(timeout=60_000)
    chooser = page.get_by_role("combobox", name="Model")
    expect(chooser).to_have_value(re.compile(r"^Softmax regression, 9\d\.\d%$"))  # named after its card
    expect(page).to_have_url(re.compile(r"model=[\w-]{12}"))
