"""markdown: whatever a visitor wrote is shown as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.views.markdown import escaped

HOSTILE = [
    "![](//host/x.png)",
    "[press](//host)",
    '<img src="//host/x.png">',
    "`![](//host/x.png)` `",
    "``![](//host/x.png)",
    ":red[alert]",
    "$\\href{//host}{x}$",
    "| a | b |",
    "\\![](//host/x.png)",
    "a\n\n![](//host/x.png)",
]
ACTIVE = re.compile(r"(?<!\\)(?:\\\\)*[\[\]<$*|~&]")  # not behind a backslash


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_is_active(text):
    """No link, picture, HTML, formula or table is left."""
    assert not ACTIVE.search(escaped(text))


@given(st.text())
def test_of_any_text_nothing_is_active_and_it_is_one_line(text):
    """No text breaks out."""
    shown = escaped(text)
    assert not ACTIVE.search(shown)
    assert len(shown.splitlines()) <= 1


def test_names_in_our_own_messages_stay_code():
    """Ordinary messages are not changed but for their brackets."""
    assert escaped("`batch_size` must lie in [32, 256]; received 0.") == (
        r"`batch_size` must lie in \[32, 256\]; received 0."
    )
    assert escaped("No model is called val_loss (yet): choose one.") == "No model is called val_loss (yet): choose one."


@pytest.mark.parametrize("text", ["# a", "> a", "- a", "+ a", "= a", "1. a", "2) a"])
def test_no_text_begins_a_heading_a_quotation_or_a_list(text):
    """The first sign is escaped or followed by a space of no width."""
    assert escaped(text) != text


@pytest.mark.parametrize("text", ["http://host", "HTTPS://host", "www.host.org", "me@host.org"])
def test_no_bare_address_becomes_a_link(text):
    """A space of no width stands in it."""
    assert "\u200b" in escaped(text)
