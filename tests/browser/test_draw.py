"""Draw, in a real browser: with the mouse, with a finger, with a picture, in the light and in the dark."""

import re

import numpy as np
from playwright.sync_api import expect

from tests.browser import actions


def test_a_seven_drawn_with_the_mouse_is_read_after_every_stroke(visitor):
    """The answer follows each stroke; Undo takes one back, Clear all of them."""
    page = visitor()
    actions.open_page(page, "/")
    expect(actions.request_to_draw(page)).to_be_visible()
    expect(actions.button(page, "Undo")).to_be_disabled()

    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(actions.request_to_draw(page)).to_have_count(0)
    first, sheet = actions.seen(page).get_attribute("src"), actions.sheet_pixels(page)

    actions.draw(page, actions.SEVENS_BAR)
    expect(actions.seen(page)).not_to_have_attribute("src", first)
    assert not actions.is_same_ink(actions.sheet_pixels(page), sheet)
    actions.expect_answer(page, "7")

    actions.button(page, "Undo").click()
    actions.wait_until(page, lambda: actions.is_same_ink(actions.sheet_pixels(page), sheet))
    actions.expect_answer(page, "7")
    actions.settle(page)
    actions.button(page, "Undo").click()
    expect(actions.request_to_draw(page)).to_be_visible()
    actions.wait_for_blank_sheet(page)

    actions.draw(page, actions.SEVEN)
    actions.draw(page, actions.SEVENS_BAR)
    actions.expect_answer(page, "7")
    actions.button(page, "Clear").click()
    expect(actions.request_to_draw(page)).to_be_visible()
    actions.wait_for_blank_sheet(page)


def test_a_seven_drawn_with_a_finger_is_read_and_the_page_stays_where_it_is(visitor):
    """On a phone a stroke draws and does not scroll the page, as the same movement beside the sheet does."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    place = actions.sheet(page).bounding_box()
    actions.draw_by_touch(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    assert actions.sheet(page).bounding_box() == place
    assert not actions.has_sideways_scroll(page)

    beside = place["x"] + place["width"] + 30
    actions.drag_by_touch(page, [(beside, place["y"] + 230), (beside, place["y"] + 70)])
    actions.wait_until(page, lambda: actions.sheet(page).bounding_box()["y"] < place["y"] - 20)


def test_a_picture_is_read_and_what_is_no_picture_is_refused(visitor, seven):
    """A photograph or scan is read like a drawing; a text file named .png gives one error, and the page goes on."""
    page = visitor()
    actions.open_page(page, "/")
    page.get_by_role("radio", name="Picture").click()
    actions.bring_picture(page, "not-a-picture.png", b"Call me a picture.\n" * 20)
    expect(actions.notices(page)).to_have_count(1)
    expect(actions.probabilities(page)).to_have_count(0)

    actions.bring_picture(page, "seven.png", seven)
    actions.expect_answer(page, "7")
    expect(actions.notices(page)).to_have_count(0)

    page.get_by_role("radio", name="Pen").click()
    expect(actions.request_to_draw(page)).to_be_visible()


def test_the_sheet_is_white_paper_in_the_dark_theme_too(visitor):
    """Dark ink on white paper, whatever the theme; the page around it is dark."""
    page = visitor(color_scheme="dark")
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    background = actions.computed(page.get_by_test_id("stApp"), "backgroundColor")
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 80
    pixels = actions.sheet_pixels(page)
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1]].min() == 255
    assert 0.01 < np.mean(pixels < 80) < 0.3
