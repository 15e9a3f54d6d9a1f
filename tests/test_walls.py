"""The walls of the house, kept by walking its imports: who may import what, and what the first page must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# The ground floor first; a module imports only from floors below its own.
FLOORS = (
    "errors",
    "settings",
    "hyperparameters",
    "datasets",
    "evaluation",
    "calibration",
    "rejection",
    "fabric",
    "strokes",
    "crops",
    "pictures",
    "images",
    "allographs",
    "mixture",
    "timeline",
    "checkpoints",
    "steps",
    "augmentation",
    "networks",
    "programs",
    "training",
    "recogniser",
    "weights",
    "drawn",
    "pieces",
    "segmentation",
    "outlines",
    "catalogue",
    "batches",
    "textweights",
    "cards",
    "confusion",
    "parts",
    "explanations",
    "opinions",
    "neighbours",
    "gallery",
    "records",
    "runs",
    "mcnemar",
    "comparison",
    "tables",
    "charts",
    "jobs",
    "keeper",
    "sharing",
    "archives",
    "sandbox",
    "packages",
    "manifests",
    "imports",
    "export",
    "inspection",
    "tensorboard",
    "supplies",
    "trainer",
    "visitors",
    "package_commands",
    "__main__",
)
WITH_TENSORFLOW = {"augmentation", "networks", "programs", "training", "export", "inspection", "tensorboard"}
TENSORFLOW = {"tensorflow", "keras"}

MODULES = {path.stem: path for path in (PROJECT / "digits").glob("*.py") if path.stem != "__init__"}
PAGES = [PROJECT / "app.py", *sorted((PROJECT / "pages").glob("*.py"))]


def imports_of(path, *, everywhere=True):
    """The dotted names that a file imports, at its top or (`everywhere`) inside its functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages_of(path, **how):
    return {name.split(".")[0] for name in imports_of(path, **how)}


def digits_of(path, **how):
    """The modules of digits that a file imports."""
    return {name.split(".")[1] for name in imports_of(path, **how) if name.startswith("digits.")} & set(MODULES)


def test_every_module_has_a_floor():
    """The order of floors names every module that there is."""
    assert set(MODULES) <= set(FLOORS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downwards(module):
    """A module imports only modules of lower floors, inside functions too."""
    assert digits_of(MODULES[module]) <= set(FLOORS[: FLOORS.index(module)])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_digits_knows_no_browser(module):
    """Whatever lies in digits is true without Streamlit."""
    assert not {name for name in packages_of(MODULES[module]) if name.startswith("streamlit")}
    assert "pages" not in packages_of(MODULES[module])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_few_modules_load_tensorflow(module):
    """TensorFlow and the modules that need it are imported at the top of those modules alone."""
    if module not in WITH_TENSORFLOW:
        assert not packages_of(MODULES[module]) & TENSORFLOW
        assert not digits_of(MODULES[module], everywhere=False) & WITH_TENSORFLOW


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_hold_no_tensorflow_and_no_sql(path):
    """Pages and the server import neither TensorFlow, nor a module that needs it, nor the database."""
    assert not packages_of(path) & {*TENSORFLOW, "sqlalchemy", "sqlite3"}
    assert not digits_of(path) & {*WITH_TENSORFLOW, "trainer"}


OPEN_ALL_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
import app
page = AppTest.from_file("pages/navigation.py", default_timeout=60)
page.session_state["visitor"] = "somebody"
page.run()
seen = [page.title[0].value]
for other in ("train.py", "runs.py", "models.py", "gallery.py"):
    seen.append(page.switch_page(other).run().title[0].value)
print(seen, [error.message for error in page.exception], sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


def test_opening_every_page_leaves_tensorflow_out(registry):
    """A process that has loaded the server and shown all pages has loaded neither TensorFlow nor Keras."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL_PAGES], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert (
        done.stdout.strip()
        == "['Draw a digit', 'Train a recogniser', 'Runs', 'Models', 'Gallery of test images'] [] []"
    )


@pytest.mark.parametrize("path", [*PAGES[:1], PROJECT / "pages" / "navigation.py"], ids=lambda path: path.name)
def test_server_and_frame_stay_short(path):
    """The server and the frame around the pages can be read at a glance."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
