"""The documents agree with the code: everything they name exists, and they name every room and page."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_walls import ROOMS

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = {name: (PROJECT / name).read_text(encoding="utf-8") for name in ("ARCHITECTURE.md", "README.md")}
ARCHITECTURE, README = DOCUMENTS.values()
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", ARCHITECTURE)))
ELSEWHERE = {"models/runs/", "predict.py"}  # created by training, and part of a package
PATHS = [text for text in QUOTED if re.fullmatch(r"[\w./-]+(/|\.py|\.css|\.toml)", text) and text not in ELSEWHERE]
FUNCTIONS = [text for text in QUOTED if re.fullmatch(rf"({'|'.join(ROOMS)}|pages)(\.\w+)+", text)]
PAGES = sorted(path.stem for path in (PROJECT / "pages").glob("[a-z]*.py") if path.stem != "navigation")


def defines(tree, names):
    """Return whether a module or class defines a function or class, and whether that defines the next name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == names[0]:
            return len(names) == 1 or defines(node, names[1:])
    return False


@pytest.mark.parametrize("room", ROOMS)
def test_architecture_has_the_table_of_rooms(room):
    """Each room has a row, whose permitted imports are those of `test_walls`."""
    (row,) = [line for line in ARCHITECTURE.splitlines() if line.startswith((f"| `{room}` |", f"| {room}, "))]
    assert row.strip("|").split("|")[-1].strip() == (", ".join(ROOMS[room]) or "nothing")


@pytest.mark.parametrize("path", PATHS)
def test_architecture_names_paths_that_exist(path):
    """Every path in the text is a file or a folder."""
    assert (PROJECT / path).exists()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_architecture_names_functions_that_exist(name):
    """A name such as `models.reading.read_strokes` is a module with a function or class."""
    top, module, *names = name.split(".")
    path = (PROJECT if top == "pages" else PROJECT / "digits") / top / f"{module}.py"
    assert path.is_file()
    assert defines(ast.parse(path.read_text(encoding="utf-8")), names)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_commands_lead_somewhere(name):
    """Every local link names a file, and every `python -m` names a module."""
    links = re.findall(r"\]\(([^#)]+)\)", DOCUMENTS[name])
    modules = re.findall(r"python -m ([a-z_.]+[a-z])", DOCUMENTS[name])
    assert not [link for link in links if "://" not in link and not (PROJECT / link).exists()]
    for module in set(modules) - {"pytest", "venv"}:
        place = PROJECT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_readme_describes_every_page(page):
    """The tour in the README has a section for every page of the menu."""
    assert f"**{page.title()}.**" in README
