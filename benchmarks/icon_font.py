"""The icon font of the pages: Streamlit's own, with only the icons that a page can show.

    python -m benchmarks.icon_font

Streamlit's font has 4,000 icons in 375 kB, a quarter of all that the first page fetches. What this writes to
pages/components/icons.woff2 has every icon that is named in the pages, and every one whose name is a text in
Streamlit's own scripts. Run it again after an update of Streamlit, and when a page names a new icon; a test says when.
"""

import importlib.util
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from digits.settings import PROJECT_DIR
from digits.views.first_paint import ICONS

_STREAMLIT = Path(importlib.util.find_spec("streamlit").origin).parent / "static" / "static"  # type: ignore[union-attr, arg-type]
_NAME = re.compile(r"""["'`:/]([a-z0-9_]{2,40})["'`:]""")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def main() -> None:
    font = streamlits_font()
    names = wanted(font)
    options = subset.Options()
    options.layout_closure = False  # else the letters alone would bring all icons
    options.glyph_names = False
    options.flavor = "woff2"
    subsetter = subset.Subsetter(options)
    found = ligatures(font)
    subsetter.populate(glyphs=[found[name] for name in names], text=_LETTERS)
    subsetter.subset(font)
    subset.save_font(font, str(ICONS), options)
    print(f"{len(names)} icons in {ICONS.stat().st_size:,} bytes")


def streamlits_font() -> TTFont:
    """Return Streamlit's icon font."""
    return TTFont(next((_STREAMLIT / "media").glob("MaterialSymbols-Rounded.*.woff2")))


def wanted(font: TTFont) -> list[str]:
    """Return the names of the icons that a page may show."""
    ours = [path for folder in ("pages", "digits") for path in (PROJECT_DIR / folder).rglob("*.py")]
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in [*ours, *(_STREAMLIT / "js").glob("*.js")])
    words = {name for text in texts for name in _NAME.findall(text)}
    return sorted(words & ligatures(font).keys())


def ligatures(font: TTFont) -> dict[str, str]:
    """Return the glyph of each icon by its name, which is what a page writes in this font."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items() if chr(code) in _LETTERS}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, rest in getattr(getattr(table, "ExtSubTable", table), "ligatures", {}).items():
                for ligature in rest:
                    found["".join(letters.get(part, " ") for part in (first, *ligature.Component))] = ligature.LigGlyph
    return found


if __name__ == "__main__":
    main()
