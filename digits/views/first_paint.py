"""The first paint: what a page's HTML already holds, so that little is waited for and nothing moves while it loads.

Streamlit's page fetches the script of each kind of element only when the server names the first such element, after the
connection, and the pages' own styles later still. On a slow line that is several seconds. So the HTML names the scripts
that its page needs, and holds the styles that keep room for what comes later.
"""

import functools
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from digits.settings import PROJECT_DIR
from digits.views import assets, icons, letters

_FRAME = ("BidiComponent", "PageLink")  # kinds of elements on every page: Share, the tabs
KINDS = {  # kinds of elements that a page shows at once, besides those of the frame
    "draw": ("ButtonGroup", "Html", "Selectbox"),
    "train": ("Button", "EChartsChart", "NumberInput", "Radio", "Selectbox", "Slider"),
    "sweep": ("Button", "ButtonGroup", "Multiselect", "NumberInput", "Selectbox", "Slider"),
    "runs": ("Button", "DataFrame", "DownloadButton", "Selectbox"),
    "models": ("Button", "ButtonGroup", "Metric", "Selectbox"),
    "data": ("Button", "ButtonGroup", "Selectbox"),
    "gallery": ("ButtonGroup", "Selectbox"),
}
_SHARE = "/share."  # the script of the one component of our own that every page has
_STYLES = ("frame.css", "draw.css", "figures.css", "train.css", "sweep.css")
_SCRIPT = re.compile(r"static/js/([\w.-]+\.js)")
_STYLE_SHEET = re.compile(r'href="./static/css/(index\.[\w-]+\.css)"')
_TEXT_FONT = re.compile(r"\./static/media/SourceSansVF-Upright\.[\w.-]+\.woff2")
_ICON_FONT = re.compile(r"url\(\.\./media/MaterialSymbols-Rounded\.[\w-]+\.woff2\)")
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["']\./([\w.-]+\.js)["']""")


def tags(page_html: str, page: str) -> str:
    """Return the elements to add to the head of Streamlit's HTML.

    Args:
        page_html: the HTML as Streamlit sends it; the scripts that it names already are left out.
        page: its name, a key of `KINDS`.
    """
    is_drawn_on = page == "draw"
    own = [_preload(f".{path}") for path in assets.scripts() if is_drawn_on or _SHARE in path]  # those known by now
    return "\n    ".join([_streamlits(page_html, page), *(_canvas() if is_drawn_on else []), *own])


def _preload(path: str, *, attributes: str = "") -> str:
    """Return the element that has a script fetched beforehand, after those with which Streamlit's page begins."""
    return f'<link rel="modulepreload" href="{path}" fetchpriority="low"{attributes}>'


def with_small_fonts(page_html: str) -> str:
    """Return Streamlit's HTML with small fonts: 55 kB of icons instead of 375, and 23 kB of letters instead of 170."""
    page_html = _TEXT_FONT.sub(f".{_font(letters.FONT)}", page_html)
    return _STYLE_SHEET.sub(lambda link: f'href="{_style_sheet(link[1])}"', page_html)


@functools.cache
def _font(file: Path) -> str:
    return assets.serve(file.name, file.read_bytes())


@functools.cache
def _style_sheet(name: str) -> str:
    """Return the path of Streamlit's style sheet with our fonts."""
    style = (icons.streamlits_files() / "css" / name).read_text(encoding="utf-8")
    style = _ICON_FONT.sub(f"url(..{_font(icons.FONT)})", style).replace("url(../media/", "url(../static/media/")
    style += letters.face(f"..{_font(letters.FONT)}")
    return "." + assets.serve("style.css", style.encode())


@functools.cache
def _streamlits(page_html: str, page: str) -> str:
    known, kinds = set(_SCRIPT.findall(page_html)), (*_FRAME, *KINDS[page])
    links = [_preload(f"./static/js/{name}", attributes=" crossorigin") for name in _scripts(known, kinds)]
    sheets = [path.name for kind in kinds for path in (icons.streamlits_files() / "css").glob(f"{kind}.*.css")]
    links += [f'<link rel="preload" as="style" href="./static/css/{name}" crossorigin>' for name in sheets]
    components = PROJECT_DIR / "pages" / "components"
    styles = [_COMMENT.sub("", (components / name).read_text(encoding="utf-8")) for name in _STYLES]
    return "\n    ".join([*(f"<style>{style}</style>" for style in styles), *links])


def _canvas() -> list[str]:
    """Return the elements that have the canvas's script and style sheet fetched beforehand."""
    package = importlib.util.find_spec("streamlit_drawable_canvas")
    build = Path(package.origin).parent / "frontend" / "build"  # type: ignore[union-attr, arg-type]
    place = "./_stcore/bidi-components/streamlit-drawable-canvas.streamlit_drawable_canvas"
    scripts = [_preload(f"{place}/{path.name}", attributes=" crossorigin") for path in build.glob("index-*.js")]
    return scripts + [f'<link rel="preload" as="style" href="{place}/{path.name}">' for path in build.glob("*.css")]


def _scripts(known: set[str], kinds: Iterable[str]) -> list[str]:
    """Return the names of the scripts of a page's kinds of elements, and of all that these import."""
    folder = icons.streamlits_files() / "js"
    wanted = [path.name for kind in kinds for path in sorted(folder.glob(f"{kind}.*.js"))]
    found: list[str] = []
    while wanted:
        name = wanted.pop(0)
        if name not in known and (folder / name).is_file():
            known.add(name)
            found.append(name)
            wanted += _IMPORT.findall((folder / name).read_text(encoding="utf-8", errors="replace"))
    return found
