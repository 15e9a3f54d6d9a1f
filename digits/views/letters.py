"""Letters: those of Western languages, and the small text font that has only them.

Streamlit's text font has 1,600 characters in 170 kB, the largest file of a first visit. The small one comes before it
for the characters that it has; a browser fetches Streamlit's only for a page that shows another one.
"""

from pathlib import Path

from digits.settings import PROJECT_DIR
from digits.views.icons import streamlits_files

FONT = PROJECT_DIR / "pages" / "components" / "letters.woff2"  # made by `python -m benchmarks.text_font`
RANGES = (  # of Unicode: ASCII, Latin-1, dashes and quotation marks, arrows, and signs that the pages use
    (0x20, 0x7E),
    (0xA0, 0xFF),
    (0x2010, 0x2026),
    (0x2030, 0x2030),
    (0x20AC, 0x20AC),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
    (0x2248, 0x2248),
    (0x2264, 0x2265),
)


def streamlits_font() -> Path:
    """Return the file of Streamlit's upright text font."""
    return next((streamlits_files() / "media").glob("SourceSansVF-Upright.*.woff2"))


def face(url: str) -> str:
    """Return the CSS by which a page takes the small font before Streamlit's.

    Args:
        url: of the small font, as the style sheet names it.
    """
    covered = ", ".join(f"U+{first:X}-{last:X}" for first, last in RANGES)
    return (
        "@font-face{font-family:Source Sans;font-weight:100 900;font-style:normal;"
        f'src:url({url})format("woff2");unicode-range:{covered}}}'
    )
