"""Models, in a real browser: a cell of the matrix opens its images, by mouse, by keyboard and on a phone."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from digits.data import mnist
from digits.models import catalogue
from tests.browser import actions

MODEL = "softmax"


@pytest.fixture(scope="module")
def counts(server):
    """The confusion counts, computed without a page."""
    dataset = mnist.load_test(server.settings)
    predicted = catalogue.find(MODEL, server.settings).test_probabilities(dataset).argmax(axis=1)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (dataset.test.labels, predicted), 1)
    return counts


def cell(page, true, read, count):
    return page.get_by_role("button", name=re.compile(rf"^{true} read as {read}: {count}$"))


def test_a_cell_opens_its_images_and_the_way_to_all_of_them(visitor, counts):
    """Pressing the most frequent mistake shows its images; the gallery then has the same number."""
    true, read = np.unravel_index((counts * ~np.eye(10, dtype=bool)).argmax(), counts.shape)
    count = counts[true, read]
    page = visitor()
    actions.open_page(page, f"/models?model={MODEL}")
    cell(page, true, read, count).click()
    expect(page.get_by_role("heading", name=f"{true} read as {read}: {count} images")).to_be_visible()
    opened = page.get_by_role("button", name=re.compile(rf"^{true} read as {read} \(sample \d+\)$"))
    actions.wait_until(page, lambda: opened.count() == min(20, count))
    expect(cell(page, true, read, count)).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(actions.holding(f"class={true}"))
    opened.first.click()
    expect(page.get_by_role("dialog").get_by_text(re.compile(f"^{true} read as {read} by"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(opened.first).to_be_focused()
    actions.button(page, "Close").click()
    expect(page.get_by_role("heading", name="Most confident errors")).to_be_visible()


def test_a_cell_opens_by_keyboard_and_keeps_the_focus(visitor, counts):
    """Arrow keys move between cells, Enter opens one, and the next arrow continues from there."""
    page = visitor()
    actions.open_page(page, f"/models?model={MODEL}")
    first = page.get_by_role("button", name=f"0 read correctly: {counts[0, 0]}")
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    right = page.get_by_role("button", name=f"1 read correctly: {counts[1, 1]}")
    expect(right).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"1 read correctly: {counts[1, 1]:,} images")).to_be_visible()
    expect(right).to_be_focused()


def test_a_phone_shows_the_whole_matrix(visitor, counts):
    """At 390 pixels every cell can be seen and touched, and the page does not scroll sideways."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, f"/models?model={MODEL}")
    expect(page.get_by_role("table", name=re.compile("^Confusion matrix")).get_by_role("button")).to_have_count(100)
    boxes = page.locator(".cell").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height, box.right])"
    )
    assert min(width for width, _, _ in boxes) >= 24
    assert min(height for _, height, _ in boxes) >= 24
    assert max(right for _, _, right in boxes) <= 390
    assert not actions.has_sideways_scroll(page)
    assert len({round(height, 1) for _, height, _ in boxes}) == 1
    assert page.locator(".cell").first.bounding_box()["y"] < 640


def test_a_cell_on_a_phone_opens_a_dialog(visitor, counts):
    """Its images can be enlarged and come back; when it is closed, the cell has the focus."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, f"/models?model={MODEL}")
    true, read = np.unravel_index((counts * ~np.eye(10, dtype=bool)).argmax(), counts.shape)
    pressed = cell(page, true, read, counts[true, read])
    pressed.tap()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{true} read as {read}: {counts[true, read]}")
    image = dialog.get_by_role("button", name=re.compile(rf"^{true} read as {read} \(sample")).first
    image.tap()
    expect(dialog.get_by_text(re.compile(f"^{true} read as {read} by"))).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(image).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    expect(pressed).to_be_focused()
