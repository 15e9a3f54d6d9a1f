"""The text font of the pages: Streamlit's own, with only the letters of Western languages.

    python -m benchmarks.text_font

What this writes to pages/components/letters.woff2 has the characters of `digits.views.letters.RANGES`. Run it again
after an update of Streamlit; a test says when. The font's licence, the SIL Open Font License, reserves its name for the
whole one, so the small one has another; its notices stay in it.
"""

from fontTools import subset
from fontTools.ttLib import TTFont

from digits.views.letters import FONT, RANGES, streamlits_font

NAME = "Digits Text"
FAMILY, FULL_NAME, POSTSCRIPT_NAME = 1, 4, 6  # records of a font's names
KEPT = (0, 1, 2, 4, 6, 13, 14)  # the copyright, these names, and the licence


def main() -> None:
    font = TTFont(streamlits_font())
    options = subset.Options()
    options.name_IDs = list(KEPT)
    options.flavor = "woff2"
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (FAMILY, FULL_NAME, POSTSCRIPT_NAME):
            record.string = NAME.replace(" ", "") if record.nameID == POSTSCRIPT_NAME else NAME
    subset.save_font(font, str(FONT), options)
    print(f"{len(font.getBestCmap())} characters in {FONT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
