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


def test_runs_are_named_compared_deleted_and_restored(visitor, server):
    """Marked rows can be named, compared, deleted and restored; a visitor with only the link cannot delete."""
    page = visitor()
    actions.open_page(page, "/runs")
    expect(page.get_by_text("You have no runs yet")).to_be_visible()

    owner = owner_of(next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE))
    registry = open_registry(server.settings.registry_url)
    run_ids = [commands.submit(registry, Hyperparameters(iterations=100, seed=seed), owner) for seed in (1, 0)]
    page.reload()
    expect(page.get_by_text("2 runs, the newest first")).to_be_visible()

    actions.mark_row(page, 0)
    page.get_by_role("textbox", name="Name").fill("seed nought")
    page.get_by_role("textbox", name="Name").press("Enter")
    actions.wait_until(page, lambda: registry.get(run_ids[1]).name == "seed nought")
    actions.mark_row(page, 1)
    curves = page.get_by_role(
        "img", name=re.compile(r"^Validation accuracy of 2 runs: .*seed nought at 0\.\d+ after 100")
    )
    verdict = page.get_by_text(re.compile(r"^Of the [\d,]+ images, A alone reads"))
    expect(verdict).to_be_visible(timeout=LONG_WAIT)  # without a press, once both have been trained
    expect(curves).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^Sample \d+, a \d: A reads \d, B \d$")).first).to_be_visible()

    stranger = visitor()
    actions.open_page(stranger, page.url)
    expect(stranger.get_by_text("A shared run belongs to the person who started it")).to_be_visible()
    expect(stranger.get_by_role("img", name=re.compile("seed nought"))).to_be_visible()
    expect(stranger.get_by_role("button", name=re.compile("^(Delete|Stop)"))).to_have_count(0)

    actions.button(page, "Delete 2 runs").click()
    expect(page.get_by_text("2 runs deleted.")).to_be_visible()
    expect(page.get_by_text("You have no runs yet")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_text("has been deleted, so it is not shown").first).to_be_visible()
    actions.button(page, "Undo").click()
    expect(page.get_by_text("2 runs, the newest first")).to_be_visible()
    expect(curves).to_be_visible()
    close(registry)
