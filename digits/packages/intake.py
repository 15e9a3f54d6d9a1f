"""Imports: a package that a visitor brings becomes a model of their own; nothing in it is ever run as code."""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from digits.data import datasets
from digits.errors import InvalidPackage, TooManyPackages
from digits.models.cards import Card
from digits.models.catalogue import CARD, KERAS_FILE, TFLITE_FILE
from digits.packages import archives, limits, manifests
from digits.packages.manifests import Manifest
from digits.runs.commands import MAX_TEXT
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.settings import MAX_IMPORTS_PER_VISITOR, PROJECT_DIR, Settings

TIMEOUT_SECONDS = 240
CLAIMS_FILE, RESULT_FILE, MODEL_DIR = "claims.json", "result.json", "model"  # between this process and `rebuild`

_DRAFT = ".bringing-"


def import_package(
    package: bytes,
    file_name: str,
    *,
    registry: Registry,
    settings: Settings,
    owner: str,
    on_step: Callable[[str], None] = lambda step: None,
) -> str:
    """Check a package, measure its model on the test images, enter it as a run of `owner`'s, and return the run's id.

    Args:
        file_name: what the run is called after.
        on_step: told in a few words what happens next.

    Raises:
        InvalidPackage: it is no sound package; nothing of it is kept.
        TooManyPackages: the visitor has brought as many as are allowed, or others are being checked.
        DatasetError: there are no test images to measure it on.
    """
    on_step("Waiting for its turn")
    with limits.turn(settings):  # unpacking too, so that many visitors at once cannot fill the memory
        _require_room(registry, owner)
        on_step("Checking every file of the zip")
        files = archives.read(package)
        manifest = manifests.read(files, datasets.CLASS_NAMES)
        for left in settings.runs_dir.glob(f"{_DRAFT}*"):  # of a server that was killed: now it is nobody's turn
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=settings.runs_dir, prefix=_DRAFT) as temporary:
            folder = Path(temporary).resolve()
            card = _inspect(files, manifest, folder, settings, on_step)
            return _adopt(card, manifest, folder / MODEL_DIR, _name(file_name), registry, settings, owner)


def _require_room(registry: Registry, owner: str) -> None:
    mine = [run for is_gone in (False, True) for run in registry.list_runs(owner, limit=10_000, deleted=is_gone)]
    # No trainer has ever begun them.
    brought = sum(run.state == RunState.FINISHED and run.started is None for run in mine)
    if brought >= MAX_IMPORTS_PER_VISITOR:
        raise TooManyPackages(
            f"At most {MAX_IMPORTS_PER_VISITOR} models may be brought; you have brought {brought}. "
            "Delete one on the Runs page; its place is free a day later."
        )


def _inspect(
    files: dict[str, bytes], manifest: Manifest, folder: Path, settings: Settings, on_step: Callable[[str], None]
) -> Card:
    """Have the model made anew from the package's numbers, in a process of its own; return its card."""
    facts = {"seconds": manifest.seconds, "step": manifest.step, "data": manifest.data}
    claims = {
        "hyperparameters": manifest.hyperparameters.to_dict(),
        "facts": facts | {"train_images": manifest.train_images},
    }
    (folder / CLAIMS_FILE).write_text(json.dumps(claims), encoding="utf-8")
    for name in (KERAS_FILE, TFLITE_FILE):
        (folder / name).write_bytes(files[name])
    environment = {"KERAS_HOME": str(settings.keras_home), "DIGITS_DOWNLOAD": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if settings.data_dir:
        environment["DIGITS_DATA_DIR"] = str(settings.data_dir)
    on_step("Starting TensorFlow in a process of its own")
    limits.run(
        ["-m", "digits.packages.rebuild", str(folder)],
        PROJECT_DIR,
        timeout_seconds=TIMEOUT_SECONDS,
        environment=environment,
        on_line=on_step,
    )
    result = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    if "refused" in result:
        raise InvalidPackage(result["refused"])
    return Card.from_dict(result["card"])


def _adopt(
    card: Card,
    manifest: Manifest,
    draft: Path,
    name: str,
    registry: Registry,
    settings: Settings,
    owner: str,
) -> str:
    """Enter the run and move its model's folder into place: both, or neither."""
    validated = [row for row in manifest.history if row["val_accuracy"] is not None]
    best = max(validated, key=lambda row: row["val_accuracy"], default=None)
    run_id = registry.add_imported(
        manifest.hyperparameters,
        owner,
        changes=manifest.changes,
        history=manifest.history,
        name=name,
        data=manifest.data,
        step=manifest.step,
        seconds=manifest.seconds,
        test_correct=card.test.correct,
        test_total=card.test.total,
        best_step=best and best["step"],
        best_val_accuracy=best and best["val_accuracy"],
        val_accuracy=validated[-1]["val_accuracy"] if validated else None,
    )
    try:
        own = dataclasses.replace(card, id=run_id, run=run_id)
        (draft / CARD).write_text(own.to_json(), encoding="utf-8")
        draft.replace(settings.runs_dir / run_id)
    except BaseException:
        registry.purge(run_id)
        raise
    return run_id


def _name(file_name: str) -> str:
    """Return what a run brought in a file of this name is called."""
    stem = file_name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".zip")
    return " ".join("".join(filter(str.isprintable, stem)).split())[: MAX_TEXT["name"]].strip()
