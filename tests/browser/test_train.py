"""Train, in a real browser: a run is started, watched, left, reopened, watched by others and stopped."""

import re

from playwright.sync_api import expect

from tests.browser import actions

LONG_WAIT = 150_000  # milliseconds; the trainer may still be loading TensorFlow
CURVE = re.compile(r"over ([\d,]+) iterations")
MOVING = """async () => {
  let most = 0
  for (let look = 0; look < 20; look++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const isInRun = (animation) => animation.effect?.target?.closest(".st-key-train-watch")
    most = Math.max(most, document.getAnimations().filter(isInRun).length)
  }
  return most
}"""  # counts how many parts of a run's view fade or move at once while it is watched for a second


def test_a_run_is_watched_as_it_learns_and_found_again_after_a_reload(visitor):
    """Start shows moving curves, the progress and finally the result; a reload loses nothing."""
    page = visitor()
    actions.open_page(page, "/train?network=softmax&iterations=8000")
    actions.button(page, "Start").click()
    for name in ("accuracy", "loss"):
        expect(actions.curve(page, name)).to_be_visible()
    expect(actions.curve(page, "accuracy")).to_have_accessible_name(CURVE, timeout=LONG_WAIT)
    expect(page.get_by_text(re.compile(r"[\d,]+ of 8,000 iterations"))).to_be_visible()
    expect(actions.button(page, "Start")).to_have_count(0)  # the form has given way
    assert page.evaluate(MOVING) == 0  # an animation would draw sixty frames a second and slow training down
    early = actions.curve(page, "accuracy").get_attribute("aria-label")
    expect(actions.curve(page, "accuracy")).not_to_have_accessible_name(early)

    expect(page.get_by_text("Finished: Softmax")).to_be_visible(timeout=LONG_WAIT)
    expect(actions.figure(page, "Test accuracy")).to_have_text(re.compile(r"^(8|9)\d\.\d\d ?%$"))
    expect(actions.curve(page, "accuracy")).to_have_accessible_name(re.compile("over 8,000 iterations"))
    assert actions.accessibility_faults(page) == []
    page.get_by_text("New run", exact=True).click()
    expect(actions.button(page, "Start")).to_be_enabled()

    reached = actions.figure(page, "Test accuracy").inner_text()
    page.reload()
    expect(actions.figure(page, "Test accuracy")).to_have_text(reached)
    expect(actions.curve(page, "loss")).to_have_accessible_name(re.compile("over 8,000 iterations"))
    expect(page.get_by_text("Your run, started")).to_be_visible()


def test_only_its_owner_stops_a_run_and_what_it_learned_is_kept(visitor):
    """A visitor with the link watches the run without a Stop button; the owner's Stop keeps the result."""
    owner = visitor()
    actions.open_page(owner, "/train?network=corrected&iterations=20000")
    actions.button(owner, "Start").click()
    expect(owner.get_by_text(re.compile(r"[\d,]+ of 20,000 iterations"))).to_be_visible(timeout=LONG_WAIT)

    stranger = visitor()
    actions.open_page(stranger, owner.url)
    expect(stranger.get_by_text("A shared run, which you are watching")).to_be_visible()
    expect(actions.curve(stranger, "accuracy")).to_have_accessible_name(CURVE)
    expect(actions.button(stranger, "Stop")).to_have_count(0)
    stranger.get_by_text("New run", exact=True).click()
    expect(actions.button(stranger, "Start")).to_be_enabled()

    actions.button(owner, "Stop").click()
    for page in (owner, stranger):
        expect(page.get_by_text("Stopped: ReLU layers")).to_be_visible(timeout=LONG_WAIT)
        expect(actions.figure(page, "Test accuracy")).to_have_text(re.compile(r"^\d\d\.\d\d ?%$"))
    done = actions.curve(owner, "accuracy").get_attribute("aria-label")
    assert int(CURVE.search(done)[1].replace(",", "")) < 20_000

    actions.button(owner, "Draw with it").click()
    expect(owner.get_by_role("heading", level=1, name="Draw")).to_be_visible()
    expect(owner).to_have_url(re.compile("model="))


def test_a_run_is_paused_turned_stepped_and_resumed(visitor):
    """Each command shows its effect; the change is in the curve's text, and the run continues where it was."""
    page = visitor()
    actions.open_page(page, "/train?network=corrected&iterations=20000&schedule=constant")
    actions.button(page, "Start").click()
    expect(page.get_by_text(re.compile(r"images a second"))).to_be_visible(timeout=LONG_WAIT)
    actions.button(page, "Pause").click()
    expect(page.get_by_text("Paused: ReLU layers")).to_be_visible(timeout=LONG_WAIT)
    reached = re.compile(r"^([\d,]+) of 20,000 iterations")
    before = int(reached.match(page.get_by_text(reached).inner_text())[1].replace(",", ""))

    page.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    expect(page.get_by_text("learning rate to 0.0008, not yet applied")).to_be_visible()
    page.locator(".st-key-train-others").get_by_role("button").click()
    actions.button(page, "Step 10").click()
    expect(page.get_by_text(f"{before + 10:,} of 20,000 iterations")).to_be_visible(timeout=LONG_WAIT)
    turned = re.compile(f"learning rate 0.001 → 0.0008 at {before:,}")
    expect(page.get_by_text(turned)).to_be_visible()
    expect(actions.curve(page, "accuracy")).to_have_accessible_name(turned)

    page.keyboard.press("Escape")
    actions.button(page, "Resume").click()
    expect(page.get_by_text("Training: ReLU layers")).to_be_visible(timeout=LONG_WAIT)
    expect(page.get_by_text(re.compile(r"images a second"))).to_be_visible(
        timeout=LONG_WAIT
    )  # the page has its last shape
    actions.settle(page)
    actions.button(page, "Stop").click()
    expect(page.get_by_text("Stopped: ReLU layers")).to_be_visible(timeout=LONG_WAIT)
    actions.settle(page)
    page.get_by_role("radio", name="Confusion").or_(page.get_by_text("Confusion", exact=True)).first.click()
    expect(page.get_by_role("img", name=re.compile("^Confusion matrix of the validation images"))).to_be_visible()


def test_what_is_hidden_in_the_curves_stays_hidden_while_they_grow(visitor):
    """The training curve, once hidden, and the zoom are the same after the next points have come."""
    page = visitor()
    actions.open_page(page, "/train?network=softmax&iterations=20000")
    actions.button(page, "Start").click()
    expect(actions.curve(page, "accuracy")).to_have_accessible_name(CURVE, timeout=LONG_WAIT)
    for name, is_shown in (("Training", "false"), ("Zoom: last third", "true")):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", is_shown)
    early = actions.curve(page, "accuracy").get_attribute("aria-label")
    expect(actions.curve(page, "accuracy")).not_to_have_accessible_name(early)
    expect(page.get_by_role("button", name="Training", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Zoom: last third", exact=True)).to_have_attribute("aria-pressed", "true")
    actions.button(page, "Stop").click()
    expect(page.get_by_text("Stopped: Softmax")).to_be_visible(timeout=LONG_WAIT)


def test_a_run_that_breaks_is_told_and_mended_in_one_press(visitor):
    """A loss that is no number gives its reason and a button; the better run is shown and learns."""
    page = visitor()
    actions.open_page(page, "/train?network=published&optimizer=sgd&learning_rate=1&iterations=100&batch_size=10")
    actions.button(page, "Start").click()
    expect(page.get_by_text("Training diverged")).to_be_visible(timeout=LONG_WAIT)
    actions.button(page, "Try a learning rate of 0.1").click()
    expect(page).to_have_url(actions.holding("learning_rate=0.1"))
    expect(page.get_by_text(re.compile("(Finished|Failed): Linear layers"))).to_be_visible(timeout=LONG_WAIT)


def test_a_phone_shows_the_menu_and_start_where_the_thumb_is(visitor):
    """The tabs stand at the bottom, Start above them, and nothing scrolls sideways; at 1280 Start is above the fold."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/train")
    start, tabs = (actions.button(page, "Start").bounding_box(), page.locator(".st-key-tabs").bounding_box())
    assert start["y"] + start["height"] <= tabs["y"] < actions.PHONE["viewport"]["height"]
    assert not actions.has_sideways_scroll(page)
    last = page.locator(".st-key-tabs").get_by_role("link", name="Gallery")
    assert last.bounding_box()["x"] + last.bounding_box()["width"] <= page.viewport_size["width"]
    last.click()
    expect(page.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    expect(page).to_have_title("Gallery · Digits")
    desk = visitor()
    actions.open_page(desk, "/train")
    assert actions.button(desk, "Start").bounding_box()["y"] < 420
    expect(desk.locator(".st-key-tabs")).to_be_hidden()
