"""A page's state: its values are kept in the session, read from its link and written back to it."""

from collections import deque
from typing import Any

import streamlit as st

from digits.views import sharing
from digits.views.markdown import escaped

_MOST_QUIET = 500  # the latest quiet values of a session that are told from those of a link


def key(page: str, name: str) -> str:
    """Return the session key of one of a page's values; it is also the key of the value's widget."""
    return f"{page}.{name}"


def open_page(page: str) -> None:
    """Read the page's values from its link; keep a notice for each that cannot be used; call it before any widget.

    A link that this page wrote itself changes nothing. A link from outside (a first visit, a shared link, the browser's
    Back) replaces the page's values. A link without parameters leaves them unchanged.
    """
    query = {name: text for name, text in _address(page).items() if name in sharing.PAGES[page]}
    present = values(page)
    # If a widget changes before the browser knows the last address, the browser still sends the address before that.
    is_changed = present != st.session_state.get(key(page, "closed"), present)
    is_new = not is_changed and query != st.session_state.get(key(page, "written"), {})
    read, notices = sharing.read(page, query if is_new else {})
    for name, value in read.items():
        if (is_new and query) or key(page, name) not in st.session_state:
            st.session_state[key(page, name)] = value
    if is_new:
        st.session_state[key(page, "notices")] = notices
        st.session_state[key(page, "written")] = query


def show_notices(page: str) -> None:
    """Show the notices about the page's link."""
    for notice in st.session_state.get(key(page, "notices"), []):
        st.warning(escaped(notice), icon=":material/link_off:")


def notify(page: str, notice: str) -> None:
    """Show a notice about the link, until the link changes."""
    st.session_state[key(page, "notices")] = [*st.session_state.get(key(page, "notices"), []), notice]
    st.warning(escaped(notice), icon=":material/link_off:")


def values(page: str) -> dict[str, Any]:
    """Return the page's current values, by parameter."""
    return {name: st.session_state.get(key(page, name)) for name in sharing.PAGES[page]}


def close_page(page: str, **quiet: str) -> None:
    """Write the page's values to its address; Streamlit makes each new address a step of the browser's Back.

    Args:
        quiet: values that make no such step, such as a drawing that grows with every stroke. The Share button, which
            must be given the same values, writes them into the address in the browser. They are written here only
            when another value has changed. Empty values are left out.
    """
    own = st.session_state.setdefault(key(page, "quiet"), deque(maxlen=_MOST_QUIET))
    own.extend(hash(text) for text in quiet.values() if text and hash(text) not in own)
    query = sharing.query(page, values(page) | dict.fromkeys(quiet, ""))
    st.session_state[key(page, "written")], st.session_state[key(page, "closed")] = query, values(page)
    if query != _address(page):
        st.query_params.from_dict(query | {name: text for name, text in quiet.items() if text})


def _address(page: str) -> dict[str, str]:
    """Return the address's parameters without this session's quiet values, which may be out of date in the browser."""
    own = st.session_state.get(key(page, "quiet"), ())
    return {name: text for name, text in st.query_params.to_dict().items() if hash(text) not in own}
