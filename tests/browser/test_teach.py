"""Teaching, in a real browser: a drawing is labelled, the model learns from it, and the new model is discarded."""

import re

from playwright.sync_api import expect

from tests.browser import actions

LONG_WAIT = 150_000  # milliseconds; the trainer may still be loading TensorFlow


def test_a_model_learns_from_a_correction_and_is_discarded(visitor):
    """What is labelled is kept over a reload; the run's page shows before and after, and Discard leads back."""
    page = visitor()
    actions.open_page(page, "/")
    ask = page.get_by_role("button", name="Not right?")
    expect(ask).to_have_count(0)
    actions.write_digit(page, "7")
    ask.click()
    assert [fault for fault in actions.accessibility_faults(page) if "choice" in fault or "ask" in fault] == []
    page.get_by_role("button", name="It is 1", exact=True).click()
    expect(page.get_by_text("Kept as a 1.")).to_be_visible()
    page.get_by_role("button", name="Undo this correction").click()
    expect(page.get_by_text("Kept as a 1.")).to_have_count(0)
    ask.click()
    page.get_by_role("button", name="It is 4", exact=True).click()
    expect(page.get_by_text("Kept as a 4.")).to_be_visible()
    page.reload()

    page.get_by_role("button", name="1 correction. Learn from it").click()
    expect(page.get_by_role("img", name="Your drawing of a 4")).to_be_visible()
    assert [fault for fault in actions.accessibility_faults(page) if "stDialog" in fault] == []
    actions.button(page, "Learn from my corrections").click()

    expect(page.get_by_role("heading", level=1, name="Train")).to_be_visible()
    expect(page.get_by_text("Finished: Drawings")).to_be_visible(timeout=LONG_WAIT)
    expect(page.get_by_role("row", name=re.compile(r"^Your corrections 0\.0% 100\.0%"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Strangers' drawings"))).to_be_visible()
    actions.button(page, "Discard").click()
    expect(page.get_by_role("heading", level=1, name="Draw")).to_be_visible()
    expect(page).to_have_url(re.compile("model=drawing"))
