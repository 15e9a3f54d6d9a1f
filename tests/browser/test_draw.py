"""Draw, in a real browser: with the mouse, a finger and a picture, in the light and the dark theme."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from digits.ink import codec, examples
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
    expect(page.get_by_role("heading", name="The model reads 71?")).to_be_attached()
    expect(actions.line(page)).to_contain_text("Mark 3 does not look like a digit; the closest match is")
    actions.settle(page)


LEFT_PART = (0.02, 0.1), (0.52, 0.8)


def test_a_seven_drawn_with_the_mouse_is_read_after_every_stroke(visitor):
    """The answer is updated after each stroke; what is undone or cleared can be had again, by buttons or by keys."""
    page = visitor()
    actions.open_page(page, "/")
    expect(actions.request_to_draw(page)).to_be_visible()
    expect(actions.button(page, "Undo")).to_have_attribute("aria-disabled", "true")

    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(actions.request_to_draw(page)).to_be_hidden()
    actions.settle(page)
    first, sheet = actions.seen_pixels(page), actions.sheet_pixels(page)

    actions.draw(page, actions.SEVENS_BAR)
    actions.expect_seen_pixels(page, lambda pixels: pixels != first)
    assert not actions.is_same_ink(actions.sheet_pixels(page), sheet)
    actions.expect_answer(page, "7")

    actions.button(page, "Undo").click()
    actions.expect_strokes(page, 1)
    assert actions.is_same_ink(actions.sheet_pixels(page), sheet)
    actions.expect_seen_pixels(page, lambda pixels: pixels == first)
    page.keyboard.press("Control+z")
    actions.expect_strokes(page, 0)
    expect(actions.request_to_draw(page)).to_be_visible()
    actions.wait_for_blank_sheet(page)
    page.keyboard.press("Control+y")
    actions.button(page, "Redo").click()
    actions.expect_strokes(page, 2)

    actions.button(page, "Clear").click()
    actions.expect_strokes(page, 0)
    expect(actions.button(page, "Clear")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Control+z")
    actions.expect_strokes(page, 2)
    actions.expect_answer(page, "7")


def test_the_pens_width_is_the_next_strokes_and_leaves_the_drawing_alone(visitor):
    """Quick key presses on the slider change no ink; the stroke after them is wider, and is one more."""
    page = visitor()
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    sheet = actions.sheet_pixels(page)
    page.get_by_test_id("stPopover").get_by_role("button").click()
    slider = page.get_by_role("slider", name="Pen width")
    slider.focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight", delay=5)
    page.get_by_role("heading", level=1).click()
    expect(slider).to_be_hidden()
    expect(page).to_have_url(actions.holding("pen="))
    actions.settle(page)
    assert actions.is_same_ink(actions.sheet_pixels(page), sheet)
    actions.draw(page, actions.SEVENS_BAR)
    actions.expect_strokes(page, 2)
    actions.expect_answer(page, "7")
    wider = actions.sheet_pixels(page) < 128
    assert (wider & (sheet < 128)).sum() > 0.95 * (sheet < 128).sum()
    assert wider.sum() > 1.2 * (sheet < 128).sum()


def test_no_stroke_is_lost_however_it_ends_or_is_interrupted(visitor):
    """Right after Clear, let go outside the sheet or over a greyed button, with a second finger, by a double click."""
    page = visitor()
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVENS_BAR)
    actions.button(page, "Clear").click()
    actions.draw(page, actions.SEVEN)  # nothing has been waited for
    actions.expect_strokes(page, 1)
    actions.expect_answer(page, "7")

    greyed = actions.button(page, "Redo").bounding_box()
    expect(actions.button(page, "Redo")).to_have_attribute("aria-disabled", "true")
    for x, y in ((greyed["x"] + 10, greyed["y"] + 10), (2, 2)):
        actions.button(page, "Clear").click()
        box = actions.sheet(page).bounding_box()
        middle = box["x"] + box["width"] / 2
        actions.drag(page, [(middle, box["y"] + 60), (middle, box["y"] + 300), (x, y)])
        actions.expect_strokes(page, 1)
        page.mouse.move(middle + 60, box["y"] + 100, steps=4)  # no button is held, so this draws nothing
        page.mouse.move(middle + 90, box["y"] + 200, steps=4)
        actions.expect_strokes(page, 1)

    actions.button(page, "Clear").click()
    page.mouse.dblclick(middle, box["y"] + 100)
    actions.expect_strokes(page, 2)


def test_a_second_finger_does_not_disturb_the_first(visitor):
    """While one finger draws, another one is put down and lifted; the stroke is one and whole."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    path = actions.on_screen(page, actions.SEVEN)
    session = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", path[0])
    for place in path[1:3]:
        touch("touchMove", place)
    aside = (path[0][0], path[0][1] + 120)
    touch("touchStart", path[2], aside)
    touch("touchMove", path[2])  # the other finger is lifted
    for place in path[3:]:
        touch("touchMove", place)
    touch("touchEnd")
    actions.expect_strokes(page, 1)
    actions.expect_answer(page, "7")


def test_what_is_drawn_without_a_connection_is_read_when_it_is_back(visitor):
    """The line breaks, a stroke is drawn, the line is repaired: the stroke is there and is read."""
    page = visitor()
    line = actions.Line(page)
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVENS_BAR)
    actions.expect_strokes(page, 1)
    actions.settle(page)
    line.break_()
    expect(page.get_by_test_id("stApp")).not_to_have_attribute("data-test-connection-state", "CONNECTED")
    actions.draw(page, actions.SEVEN)
    actions.expect_strokes(page, 2)
    line.mend()
    actions.expect_answer(page, "7")
    actions.expect_strokes(page, 2)


def test_a_reload_and_another_page_right_after_a_stroke_lose_nothing(visitor):
    """The server has not answered yet when the page is reloaded or left; Undo still works afterwards."""
    page = visitor()
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVENS_BAR)
    actions.draw(page, actions.SEVEN)
    page.reload()
    actions.expect_strokes(page, 2)
    actions.expect_answer(page, "7")
    actions.button(page, "Undo").click()
    actions.expect_strokes(page, 1)
    actions.settle(page)

    actions.draw(page, actions.SEVEN)
    page.get_by_role("navigation").get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Draw").click()
    actions.expect_strokes(page, 2)
    actions.expect_answer(page, "7")
    actions.button(page, "Undo").click()
    actions.expect_strokes(page, 1)


def test_a_number_is_drawn_without_a_pointer(visitor):
    """An example's chip and digits typed on the sheet are drawn and read; they are heard when they are complete."""
    page = visitor(reduced_motion="reduce")
    actions.open_page(page, "/")
    page.get_by_role("button", name="Draw 42").press("Enter")
    expect(page.get_by_role("heading", name="The model reads 42")).to_be_attached()
    actions.paper(page).focus()
    page.keyboard.press("Delete")
    expect(actions.request_to_draw(page)).to_be_visible()
    page.keyboard.type("207")
    expect(page.get_by_role("status").filter(has_text="The model reads 207")).to_have_count(1)
    page.keyboard.press("Backspace")
    expect(page.get_by_role("status").filter(has_text="The model reads 20")).to_have_count(1)


def test_an_answer_of_many_lines_is_scrolled_with_the_keyboard(visitor):
    """The digits of a picture are no buttons in the answer, which is therefore focused itself."""
    drawn = [
        stroke * np.float32(0.25) + np.float32([60 + 90 * (place % 2), 30 + 130 * (place // 2)])
        for place, name in enumerate("71427142")
        for stroke in examples.digits()[name]
    ]
    stream = io.BytesIO()
    Image.fromarray(np.uint8(255 - 255 * render(drawn, size=(560, 260), pen_width=9))).save(stream, "PNG")
    page = visitor()
    actions.open_page(page, "/")
    page.get_by_role("radio", name="Picture").click()
    actions.bring_picture(page, "lines.png", stream.getvalue())
    digits = page.get_by_role("group", name="Digits", exact=True)
    expect(digits).to_have_text("71427142")
    assert digits.evaluate("row => row.scrollHeight > row.clientHeight")
    page.mouse.move(0, 0)
    assert actions.accessibility_faults(page) == []


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_that_is_pasted_or_dropped_is_read(visitor, seven, way):
    """Ctrl+V anywhere on the page, or a file let go on the sheet, leads to the picture's answer."""
    page = visitor()
    actions.open_page(page, "/")
    actions.on_screen(page, actions.SEVEN)
    page.evaluate(GIVE_PICTURE, [base64.b64encode(seven).decode(), way])
    expect(page.get_by_role("radio", name="Picture")).to_be_checked()
    expect(actions.photo(page)).to_be_visible()
    actions.expect_answer(page, "7")


def test_nothing_is_said_while_the_pen_is_down(visitor):
    """The answer is pale and the live region silent until the pen is lifted."""
    page = visitor()
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    spoken = page.get_by_role("status").filter(has_text="The model reads 7")
    x, y = actions.on_screen(page, [(20, 20)])[0]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 20, steps=4)
    expect(page.locator(".card.forming")).to_have_count(1)
    expect(spoken).to_have_count(1)
    page.mouse.up()
    expect(page.locator(".card.forming")).to_have_count(0)


def test_everything_of_the_first_minute_is_on_the_first_screen(visitor):
    """Sheet, answer, tools and steps lie within 720 pixels of 1280×800; a phone shows sheet and answer whole."""
    page = visitor()
    actions.open_page(page, "/")
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    for found in (actions.sheet(page), page.locator(".card"), actions.seen(page), actions.button(page, "Clear")):
        box = found.bounding_box()
        assert box["y"] + box["height"] <= 720
    assert actions.sheet(page).bounding_box()["height"] > 380

    phone = visitor(**actions.PHONE)
    phone.set_viewport_size({"width": 390, "height": 664})
    actions.open_page(phone, "/")
    actions.draw_by_touch(phone, actions.SEVEN)
    actions.expect_answer(phone, "7")
    sheet, card = actions.sheet(phone).bounding_box(), phone.locator(".card").bounding_box()
    assert sheet["width"] >= 390 - 32
    assert 0 < card["y"] - (sheet["y"] + sheet["height"]) < 24
    assert card["y"] + card["height"] <= 664
    assert not actions.has_sideways_scroll(phone)


def wait_for_reader(page) -> None:
    """Wait until this browser reads by itself; there must be something on the sheet."""
    page.evaluate("addEventListener('digits:reading', ({ detail }) => { window.lastReading = detail.reading })")
    hello = "dispatchEvent(new CustomEvent('digits:do', { detail: { what: 'hello' } }))"
    page.wait_for_function(f"{hello} && window.lastReading", polling=200)


def ink_pixels(page) -> int:
    """Count the pixels of ink on the sheet."""
    return page.locator(".paper .ink").evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
        .reduce((count, value, place) => count + (place % 4 === 3 && value > 128), 0)"""
    )


def test_the_answer_moves_while_the_pen_is_down_and_the_server_confirms_it(visitor):
    """Digit, bars and 28×28 follow the pen; when it is lifted, nothing of the answer changes but its paleness."""
    page = visitor()
    actions.open_page(page, "/?ink=" + codec.encode([np.float32(actions.SEVENS_BAR) + 100]))
    wait_for_reader(page)
    page.keyboard.press("Control+z")
    actions.button(page, "Clear").click()
    (x, y), *rest = actions.on_screen(page, actions.SEVEN)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    expect(page.locator(".card.forming .digits")).to_have_text("7")
    expect(page.locator(".steps.painted canvas").last).to_be_visible()
    pale = [page.locator(where).inner_text() for where in (".digits", ".said .line", ".bars")]
    page.mouse.up()
    expect(page.locator(".card.forming")).to_have_count(0)
    actions.expect_answer(page, "7")
    assert [page.locator(where).inner_text() for where in (".digits", ".said .line", ".bars")] == pale


def test_the_sheet_reads_without_the_server(visitor):
    """The connection is gone for good; what is drawn is still read, and is spoken a little later."""
    page = visitor()
    line = actions.Line(page)
    actions.open_page(page, "/?ink=" + codec.encode([np.float32(actions.SEVENS_BAR) + 100]))
    wait_for_reader(page)
    line.break_()
    actions.button(page, "Clear").click()
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(page.locator(".card.forming")).to_have_count(0)


def test_the_moment_of_the_answer_is_found_and_the_drawing_replayed(visitor):
    """A sentence says when the answer was found; the slider shows the drawing as it was, and leaving it the whole."""
    page = visitor()
    actions.open_page(page, "/?ink=" + codec.encode([np.float32(actions.SEVEN) + np.float32([140, 60])]))
    wait_for_reader(page)
    page.get_by_role("radio", name="When").click()
    expect(page.get_by_text(re.compile(r"^7 was read after \d+% of the drawing"))).to_be_visible()
    whole = ink_pixels(page)
    slider = page.get_by_role("slider", name="How much of the drawing to show")
    slider.fill("0.3")
    expect(page.get_by_text(re.compile(r"^After 30%: "))).to_be_visible()
    assert 0.1 * whole < ink_pixels(page) < 0.6 * whole
    expect(page.locator(".card.forming")).to_have_count(1)
    slider.blur()
    expect(page.locator(".card.forming")).to_have_count(0)
    assert ink_pixels(page) == whole


# Keeps the probabilities that this browser reads once the pen is lifted, and those that the server confirms.
KEEP_ANSWERS = """() => {
  const keep = (name, digits) => { window[name] = [...digits[0].probabilities] }
  addEventListener("digits:reading", ({ detail }) => detail.ink.isDown || keep("own", detail.reading.digits))
  addEventListener("digits:confirmed", ({ detail }) => keep("confirmed", detail.digits)) }"""

# Returns the drawing as its link holds it.
LINK = """() => { let link
  dispatchEvent(new CustomEvent("digits:do", { detail: { what: "link", reply: text => { link = text } } }))
  return link }"""

GIVE_PICTURE = """([encoded, way]) => {
  const bytes = Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], "seven.png", { type: "image/png" }))
  const about = { bubbles: true, cancelable: true, composed: true }
  const [place, event] = way === "paste"
    ? [document.body, new ClipboardEvent("paste", { ...about, clipboardData: data })]
    : [document.querySelector(".st-key-draw-sheet"), new DragEvent("drop", { ...about, dataTransfer: data })]
  place.dispatchEvent(event) }"""

SHIFTS = """() => { window.shifted = 0
  const add = one => { if (!one.hadRecentInput) window.shifted += one.value }
  new PerformanceObserver(list => list.getEntries().forEach(add)).observe({ type: "layout-shift", buffered: true }) }"""


@pytest.mark.parametrize("screen", [{}, actions.PHONE], ids=["desktop", "phone"])
def test_the_page_does_not_move_while_it_loads(visitor, screen):
    """The sum of all layout shifts stays below 0.05, half of what is called good."""
    page = visitor(**screen)
    page.add_init_script(f"({SHIFTS})()")
    actions.open_page(page, "/")
    expect(actions.sheet(page)).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted") < 0.05


def test_a_seven_drawn_with_a_finger_is_read_and_the_page_stays_where_it_is(visitor):
    """On a phone, a stroke draws and does not scroll the page; the same movement beside the sheet does."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    actions.on_screen(page, actions.SEVEN)  # waits until the canvas is in its place
    place = actions.sheet(page).bounding_box()
    actions.draw_by_touch(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    assert actions.sheet(page).bounding_box() == place
    assert not actions.has_sideways_scroll(page)

    below = place["y"] + place["height"] + 60
    actions.drag_by_touch(page, [(20, below), (20, below - 160)])
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
    sheet = actions.sheet_pixels(page)

    page.get_by_role("navigation").get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    expect(page).not_to_have_url(actions.holding("ink="))
    actions.go_back(page, "Draw")
    actions.wait_until(page, lambda: actions.is_same_ink(actions.sheet_pixels(page), sheet))
    actions.expect_answer(page, "7")
    actions.button(page, "Clear").click()
    expect(page).not_to_have_url(actions.holding("ink="))


def test_every_digit_of_a_number_is_a_button(visitor):
    """A finger or the keyboard selects a digit of the answer; the canvas's own toolbar is hidden."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    actions.draw_by_touch(page, [(x / 2, y) for x, y in actions.SEVEN])
    actions.draw_by_touch(page, [(220, 60), (218, 220)])
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_attached()
    expect(actions.boxes(page)).to_have_count(2)
    expect(actions.line(page)).to_contain_text("Digit 1 is read as 7")
    actions.boxes(page).nth(1).tap()
    expect(actions.line(page)).to_contain_text("Digit 2 is read as 1")
    expect(actions.boxes(page).nth(1)).to_have_attribute("aria-pressed", "true")

    actions.boxes(page).nth(1).press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(actions.line(page)).to_contain_text("Digit 1 is read as 7")
    expect(actions.boxes(page).first).to_be_focused()
    assert not actions.has_sideways_scroll(page)
    expect(page.locator(".dc-toolbar")).to_be_hidden()


def test_the_first_stroke_of_a_four_is_not_scolded_and_the_page_stays_where_it_is(visitor):
    """After an angle the page asks to go on; what is below the answer has not moved when the 4 is complete."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/")
    actions.draw_by_touch(page, [(120, 60), (60, 150), (180, 150)])
    expect(page.locator(".said .title")).to_have_text("Not a digit yet")
    expect(actions.line(page)).to_contain_text("Go on drawing.")
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
    expect(actions.line(page)).to_contain_text("Digit 2 is read as 1")

    actions.drag(page, actions.corners(actions.photo(page), *LEFT_PART))
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_attached()
    expect(actions.line(page)).to_contain_text("sure of both digits.")
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
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_attached()
    expect(actions.boxes(page)).to_have_count(2)
    expect(actions.button(page, "Whole picture again")).to_be_visible()
    assert not actions.has_sideways_scroll(page)


def test_cropping_goes_on_when_another_model_reads(visitor):
    """Another model's answers to the same picture leave the rectangle as it is."""
    page = visitor()
    bring_photograph(page)
    page.get_by_role("button", name="Crop", exact=True).press("Enter")
    part = page.get_by_role("slider", name="Part of the picture to keep")
    part.press("ArrowLeft")
    box = page.get_by_role("combobox", name="Model")  # its list closes if the page scrolls
    box.evaluate("box => box.scrollIntoView({ block: 'center' })")
    actions.choose(page, "Model", re.compile("^Softmax"))
    expect(page).to_have_url(actions.holding("model=softmax"))
    expect(part).to_have_attribute("aria-valuetext", "8 to 88% across, 10 to 90% down")


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
    expect(page.get_by_role("heading", name="The model reads 71")).to_be_attached()
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


def runs_of_the_page(page) -> list[str]:
    """Return a list that grows with every run of the page: "fragment" or "page"."""
    runs: list[str] = []

    def hear(socket):
        socket.on("framesent", lambda sent: note(sent) if isinstance(sent, bytes) else None)

    def note(sent):
        message = BackMsg.FromString(sent)
        if message.WhichOneof("type") == "rerun_script":
            runs.append("fragment" if message.rerun_script.fragment_id else "page")

    page.on("websocket", hear)
    return runs


def test_a_stroke_is_confirmed_without_a_run_of_the_page(visitor):
    """The server's answer comes by a request of its own; the page gets the drawing once, when the pen has rested."""
    page = visitor()
    runs = runs_of_the_page(page)
    actions.open_page(page, "/")
    page.wait_for_function("window.digitsReads")
    page.evaluate(KEEP_ANSWERS)
    bar = actions.on_screen(page, actions.SEVENS_BAR)
    runs.clear()
    actions.draw(page, actions.SEVEN)
    page.wait_for_function("window.own")
    page.mouse.move(*bar[0])
    page.mouse.down()  # before the pen has rested
    page.wait_for_function("window.confirmed")
    own, confirmed = page.evaluate("[window.own, window.confirmed]")
    assert np.abs(np.subtract(own, confirmed)).max() <= 1e-4
    assert np.argmax(confirmed) == 7
    assert runs == []
    page.mouse.move(*bar[-1])
    page.mouse.up()
    expect(page.locator(".card.forming")).to_have_count(0)
    actions.expect_answer(page, "7")
    expect(page).to_have_url(actions.holding("ink="))
    assert runs == ["fragment"]
    assert re.search(r"ink=([\w-]+)", page.url)[1] == page.evaluate(LINK)


def test_a_stroke_is_there_at_once_wherever_it_is_needed(visitor):
    """A shared link, an opened explanation and an address that is left hold what has just been drawn."""
    page = visitor()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    actions.open_page(page, "/")
    page.wait_for_function("window.digitsReads")
    actions.draw(page, actions.SEVEN)
    assert page.evaluate(LINK) in actions.share(page)
    actions.draw(page, actions.SEVENS_BAR)
    page.goto("about:blank")
    page.go_back()
    actions.expect_strokes(page, 2)
    page.get_by_role("radio", name="Why").click()
    expect(page.get_by_text("Most similar of")).to_be_visible()


def test_a_press_right_after_a_stroke_does_what_it_should(visitor):
    """With the mouse or the keyboard, and however quick, another page opens, and another input is shown."""
    page = visitor()
    actions.open_page(page, "/")
    page.wait_for_function("window.digitsReads")
    actions.draw(page, actions.SEVEN)
    page.get_by_role("radio", name="Picture").click()
    expect(page.locator("input[type=file]")).to_be_attached()
    page.get_by_role("radio", name="Pen").click()
    for strokes, press in ((2, "click"), (3, "Enter")):
        actions.draw(page, actions.SEVENS_BAR)
        link = page.get_by_role("navigation").get_by_role("link", name="Gallery")
        link.click() if press == "click" else link.press(press)
        expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
        actions.settle(page)
        expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="Draw").click()
        actions.expect_strokes(page, strokes)


def test_without_a_confirmation_the_page_answers(visitor):
    """What answers the request instead of the server does no harm: the page runs at once, as for an older browser."""
    page = visitor()
    runs = runs_of_the_page(page)
    page.route("**/live/answer", lambda route: route.fulfill(body="nobody is there"))
    actions.open_page(page, "/")
    page.wait_for_function("window.digitsReads")
    runs.clear()
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(page.locator(".card.forming")).to_have_count(0)
    actions.settle(page)
    assert runs == ["fragment"]
