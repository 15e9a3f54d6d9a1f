"""Packages: a whole model in one zip, with the files of Digits that are needed to predict with it.

The same model always gives the same bytes.
"""

import ast
import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path

from digits.errors import ModelNotFound, RunNotFound
from digits.models import textweights
from digits.models.catalogue import CARD, KERAS_FILE, TFLITE_FILE, Model
from digits.models.judge import FACTS_FILE, JUDGE_DIR
from digits.models.weights import EXPLAIN_FILE
from digits.packages import archives, limits, parameters
from digits.packages.parameters import PARAMETERS_FILE
from digits.runs.changes import Change
from digits.runs.registry import Registry
from digits.settings import BUNDLED_DIR, PROJECT_DIR
from digits.views import tables

HYPERPARAMETERS_FILE, HISTORY_FILE = "hyperparameters.json", "history.csv"
PREDICT_FILE, README_FILE = "predict.py", "README.md"
DATA_FILES = (  # all files that are neither among `code_files()` nor the archive's manifest
    README_FILE,
    TFLITE_FILE,
    KERAS_FILE,
    PARAMETERS_FILE,
    CARD,
    textweights.WEIGHTS_TEXT,
    textweights.BIASES_TEXT,
    HYPERPARAMETERS_FILE,
    HISTORY_FILE,
    EXPLAIN_FILE,
)

_TEMPLATES = PROJECT_DIR / "digits" / "packages" / "template"
_DEPENDENCIES = ("numpy", "pillow", "scipy", "ai-edge-litert", "msgspec")
_JUDGE_FILES = tuple(  # where `judge.py` looks for them in a package, too
    (JUDGE_DIR / name).relative_to(BUNDLED_DIR).as_posix() for name in (TFLITE_FILE, FACTS_FILE)
)

_turns = limits.Turns("written")  # to write one takes up to 80 MB


@_turns.take()
def pack(model: Model, registry: Registry | None = None) -> bytes:
    """Return a model's package, a zip.

    Args:
        model: the model to export.
        registry: holds the history of the model's run and the hyperparameters changed during it; None to leave both
            out.

    Raises:
        ModelNotFound: one of the model's files is missing.
        TooManyPackages: as in `limits.Turns.take`.
    """
    history, changes = _history_and_changes(model, registry)
    try:
        own = {name: (model.folder / name).read_bytes() for name in (TFLITE_FILE, KERAS_FILE, CARD)}
        weights = textweights.read(model.folder / KERAS_FILE)
        explained = model.folder / EXPLAIN_FILE
        files = {
            README_FILE: _readme(model, has_history=bool(history), has_explanation=explained.is_file()),
            **code_files(),
            **own,
            PARAMETERS_FILE: parameters.write(weights),
            **_text_files(weights),
            HYPERPARAMETERS_FILE: _hyperparameters(model, changes),
            **({HISTORY_FILE: history.encode()} if history else {}),
            **({EXPLAIN_FILE: explained.read_bytes()} if explained.is_file() else {}),
        }
    except OSError as error:
        raise ModelNotFound(
            f"{model.title} must have all its files; {error.filename} cannot be read. Choose another model."
        ) from error
    return archives.write_sealed(files)


@_turns.take()
def pack_texts(model: Model) -> bytes:
    """Return a zip of only a model's `weights.txt` and `const.txt`.

    Raises:
        ModelNotFound: the model's Keras file cannot be read.
        TooManyPackages: as in `limits.Turns.take`.
    """
    return archives.write(_text_files(textweights.read(model.folder / KERAS_FILE)))


def file_name(model: Model) -> str:
    """Return the file name of a model's package, as "digits-softmax.zip"; for a run's model it ends with the id."""
    return "-".join(dict.fromkeys(("digits", model.card.network, model.id))) + ".zip"


@functools.cache
def code_files() -> dict[str, bytes]:
    """Return the files that are the same in every package: its code, its requirements and the licence, by name."""
    pinned = (BUNDLED_DIR / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = [line.split(" #")[0] for line in pinned if line.split("==")[0] in _DEPENDENCIES]
    return {
        PREDICT_FILE: (_TEMPLATES / PREDICT_FILE).read_bytes(),
        "requirements.txt": "".join(f"{line}\n" for line in needed).encode(),
        **{name: (PROJECT_DIR / name).read_bytes() for name in module_files()},
        **{name: (BUNDLED_DIR / name).read_bytes() for name in _JUDGE_FILES},
        "LICENSE": (BUNDLED_DIR / "LICENSE").read_bytes(),
    }


@functools.cache
def module_files() -> tuple[str, ...]:
    """Return the files of Digits that `predict.py` imports, directly or not, as "digits/errors.py"."""
    found: set[Path] = set()
    waiting = _imported_by(_TEMPLATES / PREDICT_FILE)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [*_imported_by(path), path.parent / "__init__.py"]
    return tuple(sorted(path.relative_to(PROJECT_DIR).as_posix() for path in found))


def _imported_by(path: Path) -> list[Path]:
    """Return the files of Digits that a file imports.

    `from digits.room import name` gives `digits/room/name.py` and `digits/room/__init__.py`;
    `from digits.room.module import name` gives `digits/room/module.py`.
    """
    paths = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "digits":
            folder = PROJECT_DIR / node.module.replace(".", "/")
            paths += [folder / f"{alias.name}.py" for alias in node.names] if folder.is_dir() else []
            paths.append(folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py"))
    return paths


def _text_files(weights: list[textweights.Weight]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in textweights.texts(weights).items()}


def _history_and_changes(model: Model, registry: Registry | None) -> tuple[str, Sequence[Change]]:
    """Return the history of a model's run as CSV and the hyperparameters changed, both up to the model's step."""
    run_id = model.card.run or model.id
    if registry is None:
        return "", []
    try:
        registry.get(run_id)
    except RunNotFound:
        return "", []
    last_step = float("inf") if model.card.step is None else model.card.step
    rows = [row for row in registry.history(run_id) if row["step"] <= last_step]
    changes = [change for change in registry.changes(run_id) if change.step is not None and change.step <= last_step]
    return tables.history_csv(rows) if rows else "", changes


def _hyperparameters(model: Model, changes: Sequence[Change]) -> bytes:
    facts = {
        "hyperparameters": model.card.hyperparameters,
        "changes": [dataclasses.asdict(change) for change in changes],
    }
    return (json.dumps(facts, indent=2) + "\n").encode()


def _readme(model: Model, *, has_history: bool, has_explanation: bool) -> bytes:
    rest = [f"| `{EXPLAIN_FILE}` | the weights that the app shows, for NumPy |"] * has_explanation
    if has_history:
        rest.insert(0, f"| `{HISTORY_FILE}` | loss and accuracy during training |")
    else:
        rest.append("\nThis package has no history of the training.")
    text = (_TEMPLATES / README_FILE).read_text(encoding="utf-8")
    accuracy = f"Accuracy on the test images: {model.test_accuracy}."
    return text.format(title=model.title, accuracy=accuracy, rest="\n".join(rest) + "\n").encode()
