"""The frame around every page: the browser's title, the logo, and the menu, which is a bar at the bottom on a phone."""

import logging
from pathlib import Path

import streamlit as st

from digits.errors import StoreUnavailable
from digits.views import previews
from digits.views.markdown import escaped

COMPONENTS = Path(__file__).parent / "components"

# The icon is a file, because Streamlit fetches named icons from the internet; it is set before the menu names others.
st.set_page_config(page_icon=COMPONENTS / "icon.png", layout="wide")
pages = {
    entry: st.Page(
        f"{entry.name}.py",
        title=entry.title,
        icon=f":material/{entry.icon}:",
        default=entry is previews.PAGES[0],
        help=entry.sentence,
    )
    for entry in previews.PAGES
}
page = st.navigation(list(pages.values()), position="top")
st.set_page_config(page_title=previews.browser_title(page.title))
st.logo(COMPONENTS / "logo.svg", size="medium")
with st.bottom, st.container(key="tabs", horizontal=True, wrap=False, gap=None, horizontal_alignment="distribute"):
    for entry, target in pages.items():
        if entry.is_tab:
            st.page_link(target, label=entry.title, icon=f":material/{entry.icon}:")
try:
    page.run()
except StoreUnavailable as error:  # pages of bundled models need no store
    st.error(escaped(str(error)))
except Exception:  # a bug: the log says which
    logging.getLogger("digits.pages").exception("The page %s failed.", page.title)
    st.error("Something went wrong on this page. Reload it; if that does not help, tell the person who runs this app.")
