"""first_paint: what the HTML names beforehand, and the small fonts."""

import importlib.util
import re
import tomllib
from pathlib import Path

from digits.views import assets, first_paint, icons, letters, previews
from tests.unit.views.test_assets import ask

HTML = (Path(importlib.util.find_spec("streamlit").origin).parent / "static" / "index.html").read_text(encoding="utf-8")


def test_the_style_sheet_is_streamlits_with_the_small_fonts():
    """All else in it is as it was; every file that it names is named from its new place."""
    html = first_paint.with_small_fonts(HTML)
    (path,) = re.findall(r'rel="stylesheet" crossorigin href="\.(/assets/style\.\w+\.css)"', html)
    style = ask(path)[2].decode()
    (font,) = re.findall(r"url\(\.\.(/assets/icons\.\w+\.woff2)\)", style)
    assert ask(font)[2] == icons.FONT.read_bytes()
    (font,) = re.findall(r"url\(\.\.(/assets/letters\.\w+\.woff2)\)", style)
    assert ask(font)[2] == letters.FONT.read_bytes()
    assert re.findall(r'rel="preload"\s+href="\.(.+?)"', html) == [font]
    fonts = re.findall(r"url\(\.\./static/media/([^)]+)\)", style)
    media = Path(importlib.util.find_spec("streamlit").origin).parent / "static" / "static" / "media"
    assert fonts
    assert all((media / name.strip("\"'")).is_file() for name in fonts)
    assert "MaterialSymbols" not in style


def test_the_scripts_of_components_are_named_beforehand():
    """A browser then fetches them beside Streamlit's own, not after the connection; Share is on every page."""
    for name in ("early", "share"):
        assets.component(name, "export default () => {}")
    link = r'<link rel="modulepreload" href="\./assets/{}\.\w+\.js" fetchpriority="low">'
    assert re.search(link.format("early"), first_paint.tags(HTML, "draw"))
    assert re.search(link.format("share"), first_paint.tags(HTML, "runs"))
    assert not re.search(link.format("early"), first_paint.tags(HTML, "runs"))


def test_the_canvass_files_are_named_beforehand_and_exist():
    """The first page waits for them last, so they come while the browser still starts."""
    package = Path(importlib.util.find_spec("streamlit_drawable_canvas").origin).parent
    facts = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))
    (component,) = facts["tool"]["streamlit"]["component"]["components"]
    place = f"_stcore/bidi-components/{facts['project']['name']}.{component['name']}/"
    found = re.findall(rf'href="\./{re.escape(place)}([^"]+)"', first_paint.tags(HTML, "draw"))
    assert sorted(Path(name).suffix for name in found) == [".css", ".js"]
    assert all((package / "frontend" / "build" / name).is_file() for name in found)
    assert place not in first_paint.tags(HTML, "train")


def test_every_page_names_its_elements_scripts():
    """They exist in this version of Streamlit, and a page names no other page's."""
    assert set(first_paint.KINDS) == {page.name for page in previews.PAGES}
    for page, kinds in first_paint.KINDS.items():
        html = first_paint.tags(HTML, page)
        for kind in {kind for kinds in first_paint.KINDS.values() for kind in kinds}:
            assert (f"/static/js/{kind}." in html) == (kind in kinds), (page, kind)


def test_a_table_has_its_style_sheet_named_beforehand():
    """Streamlit waits for it before it shows the table."""
    (path,) = re.findall(r'as="style" href="\./static/(css/DataFrame\.[\w-]+\.css)"', first_paint.tags(HTML, "runs"))
    assert (icons.streamlits_files() / path).is_file()
