"""Sweep, in a real browser: three trials are searched, the page says what was found, and the best opens as a run."""

import re

from playwright.sync_api import expect

from tests.browser import actions

LONG_WAIT = 120_000
SPACE = (
    "network=softmax&learning_rate=0.5&iterations=100&batch_size=100&space=learning_rate..0.1..1&trials=3&prune=none"
)


def test_three_trials_are_searched_and_the_best_one_opens(visitor):
    """A link fills the form; the page follows the search by itself; another visitor sees the same."""
    page = visitor()
    actions.open_page(page, f"/sweep?{SPACE}")
    expect(page.get_by_text("3 trials, and the best settings once more")).to_be_visible()
    actions.button(page, "Start").click()
    expect(page.get_by_text("Searching")).to_be_visible()
    expect(page.get_by_text(re.compile("of 3 trials"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"trained again with a fresh seed it has \d\d\.\d% on test"))).to_be_visible(
        timeout=LONG_WAIT
    )
    expect(page.get_by_role("img", name=re.compile(r"^Settings and validation accuracy of 3 trials"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"^Validation accuracy over the iterations"))).to_be_visible()
    assert not actions.accessibility_faults(page)

    guest = visitor(**actions.PHONE)
    actions.open_page(guest, page.url)
    expect(guest.get_by_text("A shared sweep belongs to the person who started it.")).to_be_visible()
    expect(actions.button(guest, "Delete")).to_have_count(0)
    assert not actions.has_sideways_scroll(guest)

    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 40, "y": 54})
    expect(page.get_by_role("heading", level=1, name="Train a model")).to_be_visible()
    expect(actions.figure(page, "Test accuracy")).to_contain_text("%")
    expect(page.get_by_text(re.compile("^Your run, started"))).to_be_visible()
