"""Gallery, in a real browser: errors first, a hundred samples, an enlarged sample, on a phone, by keyboard."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from digits.data import mnist
from digits.models import catalogue
from tests.browser import actions

MODEL = "softmax"  # it makes hundreds of errors


@pytest.fixture(scope="module")
def truth(server):
    """Labels and the model's predictions, int (n,) each, computed without a page."""
    dataset = mnist.load_test(server.settings)
    return dataset.test.labels, catalogue.find(MODEL, server.settings).test_probabilities(dataset).argmax(axis=1)


def name(truth, row):
    """What a screen reader reads for a misread sample."""
    labels, predicted = truth
    return f"{labels[row]} read as {predicted[row]} (sample {row})"


def expect_large(page, row):
    expect(page.get_by_role("dialog").get_by_text(f"Sample {row:,}.")).to_be_visible()


def test_errors_come_first_and_all_samples_are_one_press_away(visitor, truth):
    """The page opens on what was misread; All shows a hundred samples with the right count."""
    labels, predicted = truth
    wrong = np.flatnonzero(labels != predicted)
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}")
    expect(actions.tiles(page)).to_have_count(min(100, len(wrong)))
    tile = page.get_by_role("button", name=name(truth, wrong[0]))
    expect(tile).to_contain_text(f"{labels[wrong[0]]} read as {predicted[wrong[0]]}")
    page.get_by_role("radio", name="All").click()
    right = int((labels[:100] == predicted[:100]).sum())
    expect(page.get_by_role("main")).to_contain_text(f"{right} of these 100 correct")
    expect(actions.tiles(page)).to_have_count(100)
    misread = page.get_by_role("button", name=re.compile(r"read as \d \(sample"))
    expect(misread).to_have_count(100 - right)


def test_a_sample_is_seen_large_and_leads_to_its_neighbours(visitor, truth):
    """Arrow keys and buttons show the next and the previous sample; the focus returns to the last one's tile."""
    labels, predicted = truth
    first, second = np.flatnonzero(labels != predicted)[:2].tolist()
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}")
    page.get_by_role("button", name=name(truth, first)).click()
    expect_large(page, first)
    expect(page.get_by_role("dialog").get_by_role("img", name=f"Probabilities: {predicted[first]} ")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect_large(page, second)
    expect(page).to_have_url(actions.holding(f"sample={second}"))
    page.get_by_role("dialog").get_by_role("button", name="Previous").click()
    expect_large(page, first)
    page.keyboard.press("ArrowRight")
    expect_large(page, second)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(actions.holding("sample"))
    expect(page.get_by_role("button", name=name(truth, second))).to_be_focused()


def test_arrow_keys_lead_beyond_the_hundred(visitor):
    """The sample after the hundredth stands on the next page, which is shown, with the focus on it, on closing."""
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}&show=all&sample=99")
    expect_large(page, 99)
    actions.settle(page)
    expect(page.get_by_role("dialog").get_by_role("img", name="Probabilities:")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect_large(page, 100)
    expect(page).to_have_url(actions.holding("hundred=2"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(actions.tiles(page).first).to_have_attribute("title", re.compile("sample 100"))
    expect(actions.tiles(page).first).to_be_focused()


def test_the_samples_are_one_tab_stop(visitor, truth):
    """Tab reaches the samples once and leaves them; arrow keys move inside, Enter opens one."""
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}&show=all")
    tiles = actions.tiles(page)
    expect(tiles).to_have_count(100)
    assert tiles.evaluate_all("all => all.filter(tile => tile.tabIndex === 0).length") == 1
    tiles.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(tiles.nth(11)).to_be_focused()
    assert actions.computed(tiles.nth(11), "outlineStyle") == "solid"
    page.keyboard.press("Tab")
    assert tiles.evaluate_all("all => all.every(tile => tile !== tile.getRootNode().activeElement)")
    page.keyboard.press("Shift+Tab")
    expect(tiles.nth(11)).to_be_focused()
    page.keyboard.press("Enter")
    expect_large(page, 11)


def test_the_next_page_is_read_from_its_top(visitor):
    """The page numbers below the samples lead to the next hundred, whose first row is then in view."""
    page = visitor()
    actions.open_page(page, "/gallery?model=softmax&show=correct")
    expect(actions.tiles(page)).to_have_count(100)
    first = actions.labels(actions.tiles(page))[0]
    page.get_by_role("button", name="Page 2", exact=True).last.click()
    actions.wait_until(page, lambda: actions.labels(actions.tiles(page))[0] != first)
    actions.settle(page)
    expect(actions.tiles(page).first).to_be_in_viewport()
    expect(page.get_by_text("101 to 200 shown")).to_be_in_viewport()


def test_a_phone_shows_the_first_samples_without_scrolling(visitor):
    """At 390 pixels the samples are in five columns from y < 400; the filters are in a popover; nothing is cut off."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, f"/gallery?model={MODEL}")
    expect(actions.tiles(page).first).to_be_visible()
    boxes = actions.tiles(page).evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right, box.top])"
    )
    assert len({round(left) for left, _, _ in boxes}) == 5
    assert max(right for _, right, _ in boxes) <= 390
    assert boxes[0][2] < 400
    assert not actions.has_sideways_scroll(page)
    chooser = page.get_by_role("combobox", name="Model")
    assert chooser.evaluate("field => field.scrollWidth <= field.clientWidth")
    expect(page.get_by_role("combobox", name="Predicted")).to_have_count(0)
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("combobox", name="Predicted")).to_be_visible()
    for sort in ("Confidence", "Suspect", "Dataset", "Random"):
        box = page.get_by_role("radio", name=sort).evaluate("one => one.getBoundingClientRect().toJSON()")
        assert box["left"] >= 24
        assert box["right"] <= 390 - 24  # inside the popover
