"""Accessibility, in a real browser: axe-core finds nothing serious or moderate on any page, in either theme."""

import pytest
from playwright.sync_api import expect

from tests.browser import actions

PATHS = ("/", "/train", "/sweep", "/runs", "/models", "/models?tab=Classes", "/data", "/gallery?model=softmax&show=all")
SIZES = {"desktop": {}, "phone": actions.PHONE}


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
        if "gallery" in path:
            expect(page.get_by_role("navigation", name="Page numbers 2")).to_be_visible()
        if "Classes" in path and size == "phone":
            expect(page.get_by_role("region", name="Table: who").first).to_be_visible()
        found[path] = actions.accessibility_faults(page)
    assert found == {path: [] for path in PATHS}
