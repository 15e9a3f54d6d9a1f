"""Texts of visitors, in links, names and files: shown as they are on every page, and never rendered as Markdown."""

import ast
import re
from pathlib import Path

import pytest

from digits.runs.hyperparameters import Hyperparameters
from digits.views import sharing
from tests.pages.test_draw import bring, bring_all
from tests.unit.views.test_markdown import HOSTILE

PAGES = sorted(Path(__file__).resolve().parents[2].glob("pages/*.py"))
MESSAGES = {"error", "warning", "info", "success", "toast"}
RESULT = {"data": "Some.", "test_correct": 9_000, "test_total": 10_000}
# A picture, a link or HTML from elsewhere that is neither escaped nor code.
RENDERED = re.compile(r"(?<!\\)\]\(//host|(?<!\\)<img|(?<!\\):red\[|(?<!\\)\$\\href")


def rendered(page):
    """What the page would render of the hostile texts."""
    kinds = (page.error, page.warning, page.info, page.success, page.markdown, page.caption, page.title, page.header)
    tables = [str(cell) for table in page.table for cell in table.value.to_numpy().ravel()]
    texts = [element.value for kind in (*kinds, page.subheader) for element in kind] + tables
    return [text for text in texts if RENDERED.search(text)]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", sharing.PAGES)
def test_no_parameter_of_a_link_is_rendered(open_page, name, text):
    """Every parameter of the page at once holds the text; each is refused in a sentence that shows it as it is."""
    page = open_page(f"{name}.py", **dict.fromkeys(sharing.PAGES[name], text))
    assert not page.exception
    assert page.warning
    assert rendered(page) == []


@pytest.mark.parametrize("text", HOSTILE[:4])
def test_no_name_or_note_of_a_run_is_rendered(open_page, registry, text):
    """Run names are shown on Runs, in the choosers and above a comparison."""
    ids = [registry.add_imported(Hyperparameters(), "ada", name=text, **RESULT | {"data": text}) for _ in range(2)]
    for run_id in ids:
        registry.annotate(run_id, "ada", text) if hasattr(registry, "annotate") else None
    for page in (
        open_page("runs.py", chosen=".".join(ids)),
        open_page("runs.py", chosen=ids[0]),
        open_page("train.py", run=ids[0]),
    ):
        assert not page.exception
        assert rendered(page) == []


@pytest.mark.parametrize("text", HOSTILE[:4])
def test_no_name_of_a_file_is_rendered(open_page, seven, text):
    """Alone and in the table."""
    for page in (
        bring(open_page(), seven, f"{text}.png"),
        bring_all(open_page(), [(f"{text}.png", b"no"), (f"{text}.png", seven)]),
    ):
        assert not page.exception
        assert rendered(page) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_messages_show_texts_of_our_own_or_escaped_ones(path):
    """What is no constant in a page's source goes through `escaped`."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in MESSAGES:
            assert is_safe(call.args[0], path), ast.unparse(call)


def is_safe(text, path):
    """Whether a message is a string of ours, a constant in capitals, escaped, or a name for nothing but strings."""
    if isinstance(text, ast.Constant | ast.JoinedStr):
        return True
    if isinstance(text, ast.Call):
        return ast.unparse(text.func) == "escaped"
    if ast.unparse(text).split("[")[0].split(".")[-1].isupper():
        return True
    assigned = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Assign)]
    values = [node.value for node in assigned if ast.unparse(node.targets[0]) == ast.unparse(text)]
    return bool(values) and all(isinstance(value, ast.Constant) for value in values)
