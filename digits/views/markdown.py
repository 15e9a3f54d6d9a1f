"""Markdown: text that a visitor wrote, or that came in a link or a file, is shown as it is and never rendered."""

import re

_CODE = re.compile(r"(`[\w -]+`)")  # a name in a message of our own, as `batch_size`
_SPECIAL = re.compile(
    r"[\\`*\[\]<~$&|]"  # emphasis, links, images, HTML, formulas and tables
    r"|!(?=\[)"
    r"|(?<!\w)_|_(?!\w)"  # emphasis; inside a word `_` is none
    r"|:(?=[\w/+-]+:)"  # icons, as `:material/home:`
    r"|^(?:[#>=+-]|\d+(?=[.)]))"  # headings, quotes and lists, at the start
)
_ADDRESS = re.compile(r"(?i)(https?|ftp|mailto|xmpp|www)(?=[:.])|@")  # a bare address would become a link
_ZERO_WIDTH_SPACE = "\u200b"


def escaped(text: str) -> str:
    r"""Return Markdown that shows a text as it is, in one line; names in backticks stay code.

    >>> print(escaped("No model is called '![](//host/x.png)'."))
    No model is called '!\[\](//host/x.png)'.
    """
    parts = _CODE.split(" ".join(text.split()))
    parts[::2] = [_SPECIAL.sub(_escape, _ADDRESS.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", part)) for part in parts[::2]]
    return "".join(parts)


def _escape(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found}\u200b" if found.isdecimal() else f"\\{found}"
