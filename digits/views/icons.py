"""Icons: those that a page can show, and the small font that has only them."""

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from digits.settings import PROJECT_DIR

FONT = PROJECT_DIR / "pages" / "components" / "icons.woff2"  # made by `python -m benchmarks.icon_font`
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"  # of the icons' names

_TEXT = re.compile(r"""["'`:/]([a-z0-9_]{2,40})["'`:]""")  # our pages put some names together from texts
_ICON = re.compile(r":material/([a-z0-9_]{2,40}):")


def streamlits_files() -> Path:
    """Return the folder of the files that Streamlit sends to browsers."""
    return Path(importlib.util.find_spec("streamlit").origin).parent / "static" / "static"  # type: ignore[union-attr, arg-type]


def streamlits_font() -> Path:
    """Return the file of Streamlit's icon font."""
    return next((streamlits_files() / "media").glob("MaterialSymbols-Rounded.*.woff2"))


def wanted(known: Iterable[str]) -> set[str]:
    """Return which of the known icons our pages name, where any text may be an icon's name, or Streamlit's scripts."""
    ours = [path for folder in ("pages", "digits") for path in (PROJECT_DIR / folder).rglob("*.py")]
    streamlits = streamlits_files().glob("js/*.js")
    found = {name for path in ours for name in _TEXT.findall(path.read_text(encoding="utf-8"))}
    found |= {name for path in streamlits for name in _ICON.findall(path.read_text(encoding="utf-8", errors="replace"))}
    return found & set(known)


def ligatures(font: Any) -> dict[str, str]:
    """Return the glyph of each icon by its name, which is what a page writes in this font.

    Args:
        font: a `fontTools.ttLib.TTFont`.
    """
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items() if chr(code) in LETTERS}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, rest in getattr(getattr(table, "ExtSubTable", table), "ligatures", {}).items():
                for ligature in rest:
                    found["".join(letters.get(part, " ") for part in (first, *ligature.Component))] = ligature.LigGlyph
    return found
