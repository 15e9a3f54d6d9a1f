"""Data, in a real browser: a set is drawn, kept over a lost connection and a reload, trained on, and seen on Models."""

import re

from playwright.sync_api import expect

from tests.browser import actions

LONG_WAIT = 120_000
SHAPES = {
    "✓": [[(80, 150), (120, 210), (210, 80)]],
    "✗": [[(80, 80), (200, 210)], [(200, 80), (80, 210)]],
}


def desk(page):
    return page.get_by_role("application", name=re.compile("^Sheet"))


def progress(page):
    return page.get_by_role("progressbar", name=re.compile("of each"))


def draw(page, turn):
    """Draw what the sheet asks for, each time a little otherwise."""
    box, label = desk(page).bounding_box(), page.locator(".asked .class").inner_text()
    scale = box["width"] / 280
    for stroke in SHAPES[label]:
        points = [(box["x"] + scale * (x + 3 * turn), box["y"] + scale * (y - 4 * turn)) for x, y in stroke]
        actions.drag(page, points)
    return label


def begin(page, classes, name):
    actions.open_page(page, "/data")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Classes").fill(classes)
    page.get_by_role("textbox", name="Classes").press("Tab")
    actions.settle(page)
    actions.button(page, "Start drawing").click()
    expect(desk(page)).to_be_visible()
    desk(page).scroll_into_view_if_needed()
    actions.settle(page)


def test_a_set_is_drawn_and_a_model_of_it_trained(visitor):
    """Five of each of two classes are taken, by a pause or by Enter; then Train learns them, and Models shows it."""
    page = visitor()
    begin(page, "✓ ✗", "Marks")
    asked = []
    for turn in range(10):
        asked.append(draw(page, turn))
        if turn % 2:
            page.keyboard.press("Enter")
        else:  # the sheet takes it by itself
            expect(page.locator(".asked .class")).not_to_have_text(asked[-1])
    assert asked == ["✓", "✗"] * 5
    expect(page.get_by_text("5 of each are there, enough to train on.")).to_be_visible()
    expect(page.get_by_text("10 drawings of 2 classes")).to_be_visible()

    actions.button(page, "Train on it").click()
    expect(page.get_by_role("heading", level=1, name="Train a model")).to_be_visible()
    actions.network(page, "Softmax.*").click()
    actions.settle(page)
    expect(page.get_by_text("Marks: 10 drawings of 2 classes")).to_be_visible()
    actions.button(page, "Start").click()
    expect(page.get_by_text("2 of 2 test images")).to_be_visible(timeout=LONG_WAIT)
    page.get_by_role("link", name="Confusion matrix").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    expect(page.get_by_role("button", name="✓ read correctly: 1")).to_be_visible()


def test_nothing_drawn_is_lost(visitor):
    """What is drawn while the server is away arrives later, also after a reload; Undo takes the last one back."""
    page = visitor()
    line = actions.Line(page)
    begin(page, "✓ ✗", "Lost")
    line.break_()
    for turn in range(3):
        draw(page, turn)
        page.keyboard.press("Enter")
    expect(progress(page)).to_have_attribute("aria-valuenow", "3")
    line.mend()
    page.reload()
    expect(progress(page)).to_have_attribute("aria-valuenow", "3")
    expect(page.get_by_text("3 drawings of 2 classes")).to_be_visible()
    desk(page).press("Backspace")
    expect(progress(page)).to_have_attribute("aria-valuenow", "2")
    expect(page.get_by_text("2 drawings of 2 classes")).to_be_visible()
    desk(page).press("ArrowRight")
    expect(page.locator(".asked .class")).to_have_text("✗")
    assert not actions.accessibility_faults(page)


def test_a_phone_draws_with_a_finger(visitor):
    """The sheet takes a finger's strokes, the page does not scroll under it, and everything fits on the screen."""
    page = visitor(**actions.PHONE)
    begin(page, "✓ ✗", "By finger")
    box = desk(page).bounding_box()
    actions.drag_by_touch(page, [(box["x"] + x, box["y"] + y) for x, y in SHAPES["✓"][0]])
    expect(page.locator(".asked .class")).to_have_text("✗")
    expect(progress(page)).to_have_attribute("aria-valuenow", "1")
    assert desk(page).bounding_box() == box
    assert not actions.has_sideways_scroll(page)
    assert not actions.accessibility_faults(page)
