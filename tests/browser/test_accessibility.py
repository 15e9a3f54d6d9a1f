"""Accessibility, in a real browser: axe-core finds nothing serious or moderate on any page, in either theme."""

import pytest
from playwright.sync_api import expect

from tests.browser import actions

PATHS = ("/", "/train", "/sweep", "/runs", "/models", "/models?tab=Classes", "/data", "/gallery?model=softmax&show=all")
SIZES = {"desktop": {}, "phone": actions.PHONE}
SCHEMES = {"desktop": ("light", "dark"), "phone": ("dark", "light")}  # how a page is opened, and then changed to
# Tables are made ready for the keyboard a moment after they are drawn.
_ARE_TABLES_READY = """() => [...document.querySelectorAll('[data-testid="stTable"] table')].every(
  ({ parentElement: frame }) => frame.scrollWidth <= frame.clientWidth || frame.tabIndex === 0)"""
_AT_ONCE = "*, *::before, *::after { transition: none !important }"  # no colour is measured halfway to another


@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_used_by_everybody(size, visitor):
    """Contrast, names, roles and headings are sound, as a page opens and after a change of the theme."""
    page = visitor(**SIZES[size])
    found = {}
    for path in PATHS:
        page.emulate_media(color_scheme=SCHEMES[size][0])
        actions.open_page(page, path)
        if path == "/":
            expect(actions.sheet(page)).to_be_visible()
        if "gallery" in path:
            expect(page.get_by_role("navigation", name="Page numbers 2")).to_be_visible()
        if "Classes" in path and size == "phone":
            expect(page.get_by_role("region", name="Table: who").first).to_be_visible()
        page.add_style_tag(content=_AT_ONCE)
        for scheme in SCHEMES[size]:
            page.emulate_media(color_scheme=scheme)
            expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
            actions.settle(page)
            page.wait_for_function(_ARE_TABLES_READY)
            found[path, scheme] = actions.accessibility_faults(page)
    assert found == {(path, scheme): [] for path in PATHS for scheme in ("light", "dark")}
