"""Draw, in a real browser: with the mouse, a finger and a picture, in the light and the dark theme."""

import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from digits.ink.strokes import render
from tests.browser import actions


def photograph() -> bytes:
    """A picture of 7, 1 and a star, side by side, dark on grey paper."""
    drawn = [[(60, 90), (140, 90), (90, 240)], [(250, 90), (248, 240)]]
    drawn += [[(380, y), (540, 330 - y)] for y in (100, 130, 165, 200, 230)]
    ink = render([np.float32(stroke) for stroke in drawn], size=(400, 600), pen_width=12)
    stream = io.BytesIO()
    Image.fromarray(np.uint8(210 - 170 * ink)).save(stream, "PNG")
    return stream.getvalue()


def bring_photograph(page) -> None:
    """Show a picture in which one of three marks is no digit."""
    actions.open_page(page, "/")
    page.get_by_role("radio", name="Picture").click()
    actions.bring_picture(page, "photo.png", photograph())
    expect(page.get_by_role("heading", name="The model reads 71?")).to_be_visible()
    expect(page.get_by_text("Mark 3 does not look like a digit; the closest match is")).to_be_visible()
    actions.settle(page)


LEFT_PART = (0.02, 0.1), (0.52, 0.8)


def test_a_seven_drawn_with_the_mouse_is_read_after_every_stroke(visitor):
    """The answer is updated after each stroke; Undo removes the last stroke and Clear removes all."""
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
    """On a phone, a stroke draws and does not scroll the page; the same movement beside the sheet does."""
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


def test_a_drawing_survives_a_reload_and_the_back_button(visitor):
    """The address holds the drawing after every stroke, and strokes are not steps of the browser's history."""
    page = visitor()
    actions.open_page(page, "/")
    steps = page.evaluate("history.length")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(page).to_have_url(actions.holding("ink="))
    first = page.url
    actions.draw(page, actions.SEVENS_BAR)
    expect(page).not_to_have_url(first)
    assert page.evaluate("history.length") == steps
    sheet = actions.sheet_pixels(page)

    page.reload()
    actions.expect_answer(page, "7")
    actions.wait_until(page, lambda: actions.is_same_ink(actions.sheet_pixels(page), sheet))
    actions.button(page, "Undo").click()
    expect(page).not_to_have_url(actions.holding(page.url.partition("ink=")[2]))
    actions.wait_until(page, lambda: not actions.is_same_ink(actions.sheet_pixels(page), sheet))
    sheet = actions.sheet_pixels(page)

    page.get_by_role("navigation").get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    expect(page).not_to_have_url(actions.holding("ink="))
    actions.go_back(page, "Draw")
    actions.wait_until(page, lambda: actions.is_same_ink(actions.sheet_pixels(page), sheet))
    actions.expect_answer(page, "7")
    actions.button(page, "Clear").click()
    expect(page).not_to_have_url(actions.holding("ink="))


def test_every_digit_of_a_number_is_a_button_over_the_ink(visitor):
    """A finger or the keyboard selects a digit; the canvas's own toolbar is hidden."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    actions.draw_by_touch(page, [(x / 2, y) for x, y in actions.SEVEN])
    actions.draw_by_touch(page, [(220, 60), (218, 220)])
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_visible()
    expect(actions.boxes(page)).to_have_count(2)
    expect(page.get_by_text("Digit 1 is read as 7")).to_be_visible()
    actions.boxes(page).nth(1).tap()
    expect(page.get_by_text("Digit 2 is read as 1")).to_be_visible()
    expect(actions.boxes(page).nth(1)).to_have_attribute("aria-pressed", "true")

    actions.boxes(page).nth(1).press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Digit 1 is read as 7")).to_be_visible()
    expect(actions.boxes(page).first).to_be_focused()
    assert not actions.has_sideways_scroll(page)
    expect(page.locator(".dc-toolbar")).to_be_hidden()


def test_the_first_stroke_of_a_four_is_not_scolded_and_the_page_stays_where_it_is(visitor):
    """After an angle the page asks to go on; what is below the answer has not moved when the 4 is complete."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    actions.draw_by_touch(page, [(120, 60), (60, 150), (180, 150)])
    expect(page.get_by_role("heading", name="Not a digit yet")).to_be_visible()
    expect(page.get_by_text("Go on drawing.")).to_be_visible()
    actions.settle(page)
    place = actions.seen(page).bounding_box()["y"]
    actions.draw_by_touch(page, [(140, 100), (138, 240)])
    actions.expect_answer(page, "4")
    actions.settle(page)
    assert abs(actions.seen(page).bounding_box()["y"] - place) < 1


def test_a_part_of_a_picture_is_dragged_out_with_the_mouse(visitor):
    """The digits are buttons over the picture; a rectangle dragged over two of them leaves the star out."""
    page = visitor()
    bring_photograph(page)
    expect(actions.boxes(page)).to_have_count(3)
    expect(page.get_by_text("Press Crop and drag a rectangle around the digits")).to_be_visible()
    actions.boxes(page).nth(1).click()
    expect(page.get_by_text("Digit 2 is read as 1")).to_be_visible()

    actions.drag(page, actions.corners(actions.photo(page), *LEFT_PART))
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_visible()
    expect(page.get_by_text("sure of both digits.")).to_be_visible()
    expect(actions.boxes(page)).to_have_count(2)
    expect(page.get_by_text("Press Crop and drag")).to_be_hidden()
    expect(actions.photo(page).get_by_role("img")).to_have_accessible_name(re.compile("from 2 to 52% across"))

    actions.drag(page, actions.corners(actions.photo(page), (0.02, 0.02), (0.55, 0.98)))
    actions.expect_answer(page, "7")
    actions.button(page, "Whole picture again").click()
    expect(actions.boxes(page)).to_have_count(3)
    expect(actions.button(page, "Whole picture again")).to_have_count(0)


def test_a_part_of_a_picture_is_dragged_out_with_a_finger(visitor):
    """A finger on the picture scrolls the page until Crop is pressed; then it draws the rectangle."""
    page = visitor(**actions.PHONE)
    bring_photograph(page)
    path = actions.corners(actions.photo(page), *LEFT_PART)
    actions.drag_by_touch(page, path[::-1])
    expect(actions.boxes(page)).to_have_count(3)

    page.get_by_role("button", name="Crop", exact=True).tap()
    expect(page.get_by_text("Drag a rectangle around the digits.", exact=True)).to_be_visible()
    actions.drag_by_touch(page, actions.corners(actions.photo(page), *LEFT_PART))
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_visible()
    expect(actions.boxes(page)).to_have_count(2)
    expect(actions.button(page, "Whole picture again")).to_be_visible()
    assert not actions.has_sideways_scroll(page)


def test_a_part_of_a_picture_is_chosen_with_the_keyboard(visitor):
    """The arrow keys move the rectangle and, with Shift, resize it; Escape leaves the picture whole, Enter crops it."""
    page = visitor()
    bring_photograph(page)
    crop = page.get_by_role("button", name="Crop", exact=True)
    crop.press("Enter")
    part = page.get_by_role("slider", name="Part of the picture to keep")
    expect(part).to_be_focused()
    part.press("Escape")
    expect(part).to_be_hidden()
    expect(crop).to_be_focused()

    crop.press("Enter")
    for _ in range(17):
        part.press("Shift+ArrowLeft")
    for _ in range(3):
        part.press("ArrowLeft")
    expect(part).to_have_attribute("aria-valuetext", "4 to 50% across, 10 to 90% down")
    part.press("Enter")
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_visible()
    expect(actions.boxes(page)).to_have_count(2)


def test_pictures_are_read_and_what_is_no_picture_is_refused(visitor, seven):
    """A text file named .png gives one error; a picture beside it is read like a drawing, and both are in a table."""
    page = visitor()
    actions.open_page(page, "/")
    page.get_by_role("radio", name="Picture").click()
    actions.bring_picture(page, "not-a-picture.png", b"Call me a picture.\n" * 20)
    expect(actions.notices(page)).to_have_count(1)
    expect(actions.probabilities(page)).to_have_count(0)

    actions.bring_picture(page, "seven.png", seven)
    expect(page.get_by_text("1 of 2 pictures read.")).to_be_visible()
    actions.settle(page)
    actions.choose_row(page, 1)
    actions.expect_answer(page, "7")
    expect(actions.notices(page)).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("not-a-picture.png,,,,")
    assert lines[2].startswith("seven.png,7,")

    page.get_by_role("radio", name="Pen").click()
    expect(actions.request_to_draw(page)).to_be_visible()


def test_the_sheet_is_white_paper_in_the_dark_theme_too(visitor):
    """The sheet has dark ink on white paper in every theme; the page around it is dark."""
    page = visitor(color_scheme="dark")
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    background = actions.computed(page.get_by_test_id("stApp"), "backgroundColor")
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 80
    pixels = actions.sheet_pixels(page)
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1]].min() == 255
    assert 0.01 < np.mean(pixels < 80) < 0.3
