"""The icon font of the pages: Streamlit's own, with only the icons that a page can show.

    python -m benchmarks.icon_font

Streamlit's font has 4,000 icons in 375 kB, a quarter of all that the first page fetches. What this writes to
pages/components/icons.woff2 has every icon that is named in the pages, and every one whose name is a text in
Streamlit's own scripts. Run it again after an update of Streamlit, and when a page names a new icon; a test says when.
"""

from fontTools import subset
from fontTools.ttLib import TTFont

from digits.views.icons import FONT, LETTERS, ligatures, streamlits_font, wanted


def main() -> None:
    font = TTFont(streamlits_font())
    glyphs = ligatures(font)
    names = wanted(glyphs)
    options = subset.Options()
    options.layout_closure = False  # else the letters alone would bring all icons
    options.glyph_names = False
    options.flavor = "woff2"
    subsetter = subset.Subsetter(options)
    subsetter.populate(glyphs=[glyphs[name] for name in sorted(names)], text=LETTERS)
    subsetter.subset(font)
    subset.save_font(font, str(FONT), options)
    print(f"{len(names)} icons in {FONT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
