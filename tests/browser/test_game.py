"""The game, in a real browser: ten digits are written with the mouse, and a friend opens the result."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from digits.views import games
from tests.browser import actions

PLAY = "Ten digits, as fast as you can"
TEN_SKIPPED = ".".join(f"{digit}s" for digit in range(10))


def game(page):
    """The game, in the answer's place."""
    return page.get_by_role("region", name=PLAY)


def button(page, name):
    return game(page).get_by_role("button", name=name, exact=True)


def says(page, words):
    """Wait until a screen reader is told this."""
    expect(game(page).locator("p.spoken")).to_contain_text(words)


def wanted(page, done):
    """Wait until so many digits are done, and return the one that is asked for next."""
    expect(game(page).locator(".turn:not(.open)")).to_have_count(done)
    expect(game(page)).not_to_have_class(re.compile("right"))
    actions.expect_strokes(page, 0)
    return game(page).locator(".prompt").inner_text()


def test_ten_digits_are_played_and_a_friend_is_to_beat_them(visitor):
    """One digit takes two tries, one is skipped, one is typed; the link brings the time, the marks and the drawings."""
    page = visitor()
    actions.open_page(page, "/")
    page.get_by_role("button", name=PLAY).click()
    expect(actions.request_to_draw(page)).to_be_hidden()
    says(page, "The clock starts with your first stroke.")
    order = []
    for done in range(10):
        order.append(digit := wanted(page, done))
        if done == 1:
            actions.write_digit(page, other := "1" if digit != "1" else "7")
            says(page, f"Read as {other}. Try again, or skip it. Write {digit}.")
            actions.expect_strokes(page, 0)
        if done == 2:
            button(page, "Skip").click()
        elif done == 3:
            page.keyboard.press(digit)  # the sheet has the focus
        else:
            actions.write_digit(page, digit)
    assert sorted(order) == list("0123456789")
    says(page, "8 of 10 right at the first try.")
    expect(button(page, "Play again")).to_be_focused()
    assert actions.accessibility_faults(page) == []

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(page, "Share").click()
    expect(game(page)).to_contain_text("Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 2000
    played = games.parse(parse_qs(urlsplit(link).query)["game"][0])
    assert [turn.name for turn in played.turns] == order
    assert [turn.mark for turn in played.turns] == ["first", "again", "skipped", *["first"] * 7]
    page.reload()
    expect(game(page)).to_contain_text(f"Ten digits in {played.seconds:.1f} s")

    friend = visitor(**actions.PHONE)
    actions.open_page(friend, link)
    expect(game(friend)).to_contain_text(f"A friend wrote ten digits in {played.seconds:.1f} s")
    expect(game(friend).locator(".turn svg")).to_have_count(9)
    expect(game(friend).get_by_title(f"{order[1]}: right at a later try")).to_be_visible()
    assert not actions.has_sideways_scroll(friend)
    assert actions.accessibility_faults(friend) == []
    button(friend, "Beat it").click()
    expect(friend).not_to_have_url(re.compile("game="))
    for done in range(10):
        wanted(friend, done)
        button(friend, "Skip").click()
    says(friend, f"Your friend wins, with 8 of 10 in {played.seconds:.1f} s.")
    friend.reload()
    expect(game(friend)).to_contain_text(f"Your friend wins, with 8 of 10 in {played.seconds:.1f} s.")
    button(friend, "Close").click()
    expect(actions.request_to_draw(friend)).to_be_visible()
    friend.reload()
    expect(actions.request_to_draw(friend)).to_be_visible()
    expect(game(friend)).to_be_hidden()


def test_what_is_drawn_beside_a_result_is_read_and_a_game_can_be_stopped(visitor):
    """A friend's result gives way to an answer and comes back. Undo in a game is not judged. Stop empties the sheet."""
    page = visitor(reduced_motion="reduce")
    actions.open_page(page, f"/?game=100.{TEN_SKIPPED}")
    expect(button(page, "Beat it")).to_be_visible()
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    expect(game(page)).to_be_hidden()
    actions.button(page, "Clear").click()
    button(page, "Beat it").click()
    expect(button(page, "Stop")).to_be_visible()  # a key may overtake the click before it
    page.keyboard.press("Control+z")  # brings the 7 back
    actions.expect_strokes(page, 1)
    page.wait_for_timeout(1500)
    expect(game(page)).to_contain_text("0.0 s")
    button(page, "Stop").click()
    expect(game(page)).to_be_hidden()
    expect(actions.request_to_draw(page)).to_be_visible()


def test_a_game_goes_on_without_the_server(visitor):
    """A game is begun, played and closed while the connection is gone for good; the digits count as they do with it."""
    page = visitor()
    line = actions.Line(page)
    with page.expect_response(re.compile("/live/weights/judge")):
        actions.open_page(page, f"/?game=100.{TEN_SKIPPED}")
    line.break_()
    button(page, "Beat it").click()
    for done in range(2):
        actions.write_digit(page, wanted(page, done))
    for done in range(2, 10):
        wanted(page, done)
        button(page, "Skip").click()
    says(page, "2 of 10 right at the first try. You win: your friend had 0 of 10 in 10.0 s.")
    button(page, "Close").click()
    expect(game(page)).to_be_hidden()
