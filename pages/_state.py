"""What a page remembers: its values live in the session, are read from its link, and are written back to it."""

from typing import Any

import streamlit as st

from digits.views import sharing


def key(page: str, name: str) -> str:
    """Return the session key of one of a page's values; widgets use it as theirs."""
    return f"{page}.{name}"


def open_page(page: str) -> None:
    """Take over what the link says, before any widget is made, and tell the visitor what could not be used.

    A link that this page wrote itself changes nothing; one that came from outside (a first visit, a shared link, the
    browser's back button) replaces the page's values. A bare link leaves them as they were.
    """
    query = {name: text for name, text in _address(page).items() if name in sharing.PAGES[page]}
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


def close_page(page: str, **quiet: str) -> None:
    """Write the page's values to its address, of which Streamlit makes a step of the browser's Back.

    `quiet` values, as of a drawing that grows with every stroke, make no step: the Share button, given the same, puts
    them into the address where it stands, and they only go along here when another value has changed. An empty one is
    left out of the address.
    """
    st.session_state.setdefault(key(page, "quiet"), set()).update(map(hash, filter(None, quiet.values())))
    query = sharing.query(page, values(page) | dict.fromkeys(quiet, ""))
    st.session_state[key(page, "written")], st.session_state[key(page, "closed")] = query, values(page)
    if query != _address(page):
        st.query_params.from_dict(query | {name: text for name, text in quiet.items() if text})


def _address(page: str) -> dict[str, str]:
    """What the address says, without the quiet values written in this session: the browser may still tell old ones."""
    own = st.session_state.get(key(page, "quiet"), ())
    return {name: text for name, text in st.query_params.to_dict().items() if hash(text) not in own}
