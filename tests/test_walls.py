"""The walls of the house, kept by walking its imports: who may import what, and what the first page must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# Each room, and the rooms that it may import from; "root" is what lies in `digits/` itself.
ROOMS = {
    "root": (),
    "ink": ("root",),
    "runs": ("root",),
    "data": ("root", "ink"),
    "models": ("root", "ink", "data"),
    "why": ("root", "ink", "data", "models"),
    "sweeps": ("root", "runs"),
    "views": ("root", "ink", "runs", "models", "sweeps"),
    "training": ("root", "ink", "runs", "data", "models", "sweeps"),
    "packages": ("root", "ink", "runs", "data", "models", "why", "views", "training"),
}
COMMAND_LINE = {
    "__main__",
    "package_commands",
    "sweep_command",
    "train_command",
}  # the one door in `digits/` that leads into every room
# Modules of `training/` that do without TensorFlow until something is trained; pages may use them.
WITHOUT_TENSORFLOW = {
    *(
        "again",
        "beginnings",
        "checkpoints",
        "data",
        "explain",
        "keeper",
        "loading",
        "own_sets",
        "preparation",
        "process",
        "program_cache",
        "remarks",
    ),
    *("retrying", "saving", "session", "teaching", "timeline", "trainer", "upkeep"),
}
TENSORFLOW = {"tensorflow", "keras"}
OPTUNA = "digits/sweeps/study.py"  # the one module that imports it, which only the driver of a trainer loads

DIGITS = PROJECT / "digits"
MODULES = [path for path in sorted(DIGITS.rglob("*.py")) if "template" not in path.parts]
PAGES = [PROJECT / "app.py", *sorted((PROJECT / "pages").glob("*.py"))]


def room_of(path):
    parts = path.relative_to(DIGITS).parts
    return parts[0] if len(parts) > 1 else "root"


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


def rooms_of(path, **how):
    """The rooms of digits that a file imports from."""
    names = [name.split(".") for name in imports_of(path, **how) if name.startswith("digits.")]
    return {parts[1] if parts[1] in ROOMS else "root" for parts in names}


def loads_tensorflow(path, **how):
    """Whether a file imports TensorFlow, or a module that does."""
    names = imports_of(path, **how)
    training = {name.split(".")[2] for name in names if name.startswith("digits.training.")} - WITHOUT_TENSORFLOW
    return bool({name.split(".")[0] for name in names} & TENSORFLOW or training)


def of(path):
    return path.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_imports_go_one_way(path):
    """A module lies in a room of the table and imports from its own room and those that the room may, no others."""
    room = room_of(path)
    assert room in ROOMS
    if room != "root" or path.stem not in COMMAND_LINE:
        assert rooms_of(path) - {room} <= set(ROOMS[room])


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_digits_knows_no_browser(path):
    """Whatever lies in digits is true without Streamlit."""
    assert not {name for name in packages_of(path) if name.startswith("streamlit")}
    assert "pages" not in packages_of(path)


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_few_modules_load_tensorflow(path):
    """TensorFlow is imported in `training/`, nowhere else."""
    may_load = room_of(path) == "training" and path.stem not in WITHOUT_TENSORFLOW
    if not may_load:
        assert not packages_of(path) & TENSORFLOW
        assert not loads_tensorflow(path, everywhere=False)


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=of)
def test_one_module_loads_optuna(path):
    """Optuna is imported in one module, which is imported only when a trainer drives a sweep."""
    assert ("optuna" in packages_of(path)) == (of(path) == OPTUNA)
    assert not any(name.startswith("digits.sweeps.study") for name in imports_of(path, everywhere=False))


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_a_room_is_found_by_its_folder(path):
    """No `__init__` wraps what lies in its room."""
    if path.name == "__init__.py" and room_of(path) != "root":
        assert not imports_of(path)


@pytest.mark.parametrize("path", PAGES, ids=of)
def test_pages_hold_no_tensorflow_and_no_sql(path):
    """Pages and the server import neither TensorFlow, nor a module that needs it, nor the database."""
    assert not packages_of(path) & {*TENSORFLOW, "sqlalchemy", "sqlite3"}
    assert not loads_tensorflow(path)
    assert not any(name.startswith("digits.training.trainer") for name in imports_of(path))


def test_tests_and_benchmarks_do_not_import_each_other_both_ways():
    """Benchmarks may drive the app as the browser tests do; no test needs a benchmark."""
    assert not [path for path in (PROJECT / "tests").rglob("*.py") if "benchmarks" in packages_of(path)]


def test_the_unit_tests_mirror_the_rooms():
    """A room's tests lie in the folder of its name."""
    folders = {path.name for path in (PROJECT / "tests" / "unit").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(ROOMS) - {"root"}


OPEN_ALL_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
import app
page = AppTest.from_file("pages/navigation.py", default_timeout=60)
page.session_state["visitor"] = "somebody"
page.run()
seen = [page.title[0].value]
for other in ("train.py", "sweep.py", "runs.py", "models.py", "data.py", "gallery.py"):
    seen.append(page.switch_page(other).run().title[0].value)
wrong = [error.message for error in page.exception] + [error.value for error in page.error]
print(seen, wrong, sorted({"tensorflow", "keras", "optuna"} & set(sys.modules)))
"""


def test_opening_every_page_leaves_tensorflow_out(registry):
    """A process that has loaded the server and shown all pages has loaded neither TensorFlow nor Keras."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL_PAGES], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    titles = ["Draw a digit", "Train a model", "Find better settings", "Runs", "Models", "Data", "Gallery"]
    assert done.stdout.strip() == f"{titles} [] []"


@pytest.mark.parametrize("path", [*PAGES[:1], PROJECT / "pages" / "navigation.py"], ids=lambda path: path.name)
def test_server_and_frame_stay_short(path):
    """The server and the frame around the pages can be read at a glance."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
