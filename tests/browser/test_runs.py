"""Runs, in a real browser: two runs are named, compared, deleted and restored; other visitors only watch."""

import re

from playwright.sync_api import expect

from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import open_registry
from digits.runs.visitors import COOKIE, owner_of
from tests.browser import actions
from tests.conftest import close

LONG_WAIT = 150_000  # milliseconds; the trainer may still be loading TensorFlow


def curves(page, start):
    return page.get_by_role("img", name=re.compile(rf"^Validation accuracy of 2 runs: {start}"))


def test_a_visitor_without_runs_compares_two_examples(visitor):
    """Two runs that come with Digits are compared with one press, on a phone too; a row opens in a drawer."""
    page = visitor(**actions.PHONE)
    actions.open_page(page, "/runs")
    expect(page.get_by_text("You have no runs yet")).to_be_visible()
    actions.open_row(page, 0)
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("99.46%")).to_be_visible()
    assert not actions.has_sideways_scroll(page)
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_have_count(0)
    actions.button(page, "Compare the examples").click()
    expect(curves(page, r"Convolutional \(example\) at 0\.99")).to_be_visible()
    page.get_by_role("tab", name="Disagreements").click()
    expect(page.get_by_text(re.compile(r"^Only A is right on [\d,]+ images"))).to_be_visible()
    assert not actions.has_sideways_scroll(page)
    actions.button(page, "All runs").click()
    expect(page.get_by_text("2 selected")).to_be_visible()


def test_runs_are_named_compared_deleted_and_restored(visitor, server):
    """A row opens a run to name it; ticked rows can be compared and deleted; others only watch."""
    page = visitor()
    actions.open_page(page, "/runs")
    owner = owner_of(next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE))
    registry = open_registry(server.settings.registry_url)
    run_ids = [commands.submit(registry, Hyperparameters(iterations=100, seed=seed), owner) for seed in (1, 0)]
    page.reload()
    expect(page.get_by_text("2 runs, best first")).to_be_visible()
    actions.wait_until(
        page, lambda: all(registry.get(run_id).has_model for run_id in run_ids), seconds=LONG_WAIT / 1000
    )
    actions.open_page(page, f"/runs?run={run_ids[1]}")
    name = page.get_by_role("dialog").get_by_role("textbox", name="Name")
    expect(name).to_have_value("Softmax 2")
    name.fill("seed nought")
    name.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="seed nought")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(actions.holding("run="))

    actions.mark_row(page, 0)
    expect(actions.button(page, "Compare")).to_be_disabled()
    actions.mark_row(page, 1)
    actions.button(page, "Compare").click()
    shown = curves(page, r".*seed nought at 0\.\d+ after 100")
    expect(shown).to_be_visible()
    expect(page).to_have_url(actions.holding("compare=True"))

    stranger = visitor()
    actions.open_page(stranger, page.url)
    expect(curves(stranger, ".*seed nought")).to_be_visible()
    actions.button(stranger, "All runs").click()
    expect(stranger.get_by_text("2 selected")).to_be_visible()
    expect(stranger.get_by_role("button", name=re.compile("^(Delete|Stop)"))).to_have_count(0)

    page.get_by_role("tab", name="Disagreements").click()
    expect(page.get_by_role("button", name=re.compile(r"^A \d, B \d \(\d, sample \d+\)$")).first).to_be_visible()
    actions.button(page, "All runs").click()
    actions.button(page, "Delete").click()
    expect(page.get_by_text("2 runs deleted.")).to_be_visible()
    expect(page.get_by_text("You have no runs yet")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_text("has been deleted, so it is not shown").first).to_be_visible()
    actions.button(page, "Undo").click()
    expect(page.get_by_text("2 selected")).to_be_visible()
    close(registry)
