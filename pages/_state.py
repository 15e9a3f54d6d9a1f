"""What a page remembers: its values live in the session, are read from its link, and are written back to it."""

from typing import Any

import streamlit as st

from digits import sharing


def key(page: str, name: str) -> str:
    """Return the session key of one of a page's values; widgets use it as theirs."""
    return f"{page}.{name}"


def open_page(page: str) -> None:
    """Take over what the link says, before any widget is made, and tell the visitor what could not be used.

    A link that this page wrote itself changes nothing; one that came from outside (a first visit, a shared link, the
    browser's back button) replaces the page's values. A bare link leaves them as they were.
    """
    query = {name: text for name, text in st.query_params.to_dict().items() if name in sharing.PAGES[page]}
    present = values(page)
    # Who turns a knob before the browser has heard of the address last written sends the older one along with it.
    is_turned = present != st.session_state.get(key(page, "closed"), present)
    is_new = not is_turned and query != st.session_state.get(key(page, "written"), {})
    taken, notices = sharing.read(page, query if is_new else {})
    for name, value in taken.items():
        if (is_new and query) or key(page, name) not in st.session_state:
            st.session_state[key(page, name)] = value
    if is_new:
        st.session_state[key(page, "notices")] = notices
        st.session_state[key(page, "written")] = query
    for notice in st.session_state.get(key(page, "notices"), []):
        st.warning(notice, icon=":material/link_off:")


def notify(page: str, notice: str) -> None:
    """Show a notice about the link now and until the link changes."""
    st.session_state[key(page, "notices")] = [*st.session_state.get(key(page, "notices"), []), notice]
    st.warning(notice, icon=":material/link_off:")


def values(page: str) -> dict[str, Any]:
    """Return the page's present values by parameter."""
    return {name: st.session_state.get(key(page, name)) for name in sharing.PAGES[page]}


def close_page(page: str, **unlisted: Any) -> None:
    """Write the page's values to its address; `unlisted` ones replace the session's."""
    query = sharing.query(page, values(page) | unlisted)
    st.session_state[key(page, "written")], st.session_state[key(page, "closed")] = query, values(page)
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
