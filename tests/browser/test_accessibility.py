"""Accessibility, in a real browser: axe-core finds nothing serious or moderate on any page, in either theme."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import actions

PATHS = ("/", "/train", "/runs", "/models", "/gallery")
GRAVE = ("moderate", "serious", "critical")
SIZES = {"desktop": {}, "phone": actions.PHONE}


def faults(page):
    """What axe-core finds, one line for each element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_used_by_everybody(size, scheme, visitor):
    """Contrast, names, roles and headings are sound."""
    page = visitor(color_scheme=scheme, **SIZES[size])
    found = {}
    for path in PATHS:
        actions.open_page(page, path)
        if path == "/":
            expect(actions.sheet(page)).to_be_visible()
        found[path] = faults(page)
    assert found == {path: [] for path in PATHS}
