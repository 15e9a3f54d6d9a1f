"""Gallery, in a real browser: a hundred samples, mistakes, an enlarged sample, on a phone, by keyboard."""

import numpy as np
import pytest
from playwright.sync_api import expect

from digits.data import datasets
from digits.models import catalogue
from tests.browser import actions

MODEL = "softmax"  # it makes mistakes among the first hundred


@pytest.fixture(scope="module")
def truth(server):
    """Labels and the model's predictions, int (n,) each, computed without a page."""
    dataset = datasets.load_test(server.settings)
    return dataset.test.labels, catalogue.find(MODEL, server.settings).test_probabilities(dataset).argmax(axis=1)


def test_a_hundred_samples_are_shown_and_a_mistake_can_be_seen_large(visitor, truth):
    """The count on the page is correct; a mistake opens with its probabilities when pressed, and closes again."""
    labels, predicted = truth
    is_wrong = labels != predicted
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}")
    expect(actions.tiles(page)).to_have_count(100)
    right = 100 - int(is_wrong[:100].sum())
    expect(page.get_by_role("main")).to_contain_text(f"{right} of these 100")
    assert sum("but it is" in label for label in actions.labels(actions.tiles(page))) == 100 - right

    row = int(np.flatnonzero(is_wrong)[0])
    tile = page.get_by_role("button", name=f"Sample {row}: read as {predicted[row]}, but it is {labels[row]}")
    expect(tile).to_contain_text(f"{predicted[row]} ≠ {labels[row]}")
    tile.click()
    large = page.get_by_role("dialog")
    expect(large).to_contain_text(f"Test sample {row}")
    expect(large).to_contain_text(f"read as {predicted[row]}, but it is {labels[row]}")
    expect(large.get_by_role("img", name=f"Probabilities: {predicted[row]} ")).to_be_visible()
    large.get_by_role("button", name="Close").click()
    expect(large).to_have_count(0)
    expect(page).not_to_have_url(actions.holding("sample"))

    page.get_by_role("radio", name="Only mistakes").click()
    actions.wait_until(page, lambda: all("but it is" in label for label in actions.labels(actions.tiles(page))))
    expect(actions.tiles(page)).to_have_count(min(100, int(is_wrong.sum())))
    expect(tile).to_be_visible()


def test_a_phone_shows_five_samples_a_line_and_nothing_beyond_its_edge(visitor):
    """At 390 pixels the samples are in five columns, and the page does not scroll sideways."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, f"/gallery?model={MODEL}")
    expect(actions.tiles(page)).to_have_count(100)
    lefts, rights = actions.tiles(page).evaluate_all(
        "all => [all.map(one => one.getBoundingClientRect().left), all.map(one => one.getBoundingClientRect().right)]"
    )
    assert len({round(left) for left in lefts}) == 5
    assert max(rights) <= 390
    assert not actions.has_sideways_scroll(page)


def test_a_sample_opens_and_closes_by_keyboard(visitor):
    """Tab moves from sample to sample, Enter opens one, Escape closes it."""
    page = visitor()
    actions.open_page(page, f"/gallery?model={MODEL}")
    first, second = actions.tiles(page).nth(0), actions.tiles(page).nth(1)
    first.focus()
    page.keyboard.press("Tab")
    expect(second).to_be_focused()
    assert actions.computed(second, "outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Test sample 1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(actions.tiles(page)).to_have_count(100)
