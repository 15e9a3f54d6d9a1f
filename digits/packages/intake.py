"""Imports: a package that a visitor uploads becomes a model of their own. Its code is never run."""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

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
# What this process and `rebuild` exchange in a temporary folder.
CLAIMS_FILE, RESULT_FILE, MODEL_DIR = "claims.json", "result.json", "model"

_DRAFT_PREFIX = ".importing-"


def import_package(
    package: bytes,
    file_name: str,
    *,
    registry: Registry,
    settings: Settings,
    owner: str,
    on_step: Callable[[str], None] = lambda step: None,
) -> str:
    """Import a package: validate it, test its model on the test images, and add it as a finished run of `owner`.

    Args:
        package: the zip.
        file_name: the zip's name, which gives the run its name.
        registry: where the run is added.
        settings: where models, data and the lock are.
        owner: the visitor's token.
        on_step: called with a short description of each step before it starts.

    Returns:
        The run's id.

    Raises:
        InvalidPackage: the package is not valid; nothing of it is kept.
        TooManyPackages: the visitor has imported as many models as are allowed, or other packages are being checked.
        DatasetError: there are no test images.
    """
    on_step("Waiting for other packages to finish")
    with limits.lock(settings):  # unpacking needs the lock too, so that many visitors at once cannot fill the memory
        _check_quota(registry, owner)
        on_step("Checking every file in the zip")
        files = archives.read(package)
        manifest = manifests.read(files, datasets.CLASS_NAMES)
        # This process holds the lock, so any draft here was left by a server that was killed.
        for leftover in settings.runs_dir.glob(f"{_DRAFT_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=settings.runs_dir, prefix=_DRAFT_PREFIX) as temporary:
            folder = Path(temporary).resolve()
            card = _rebuild(files, manifest, folder, settings, on_step)
            return _add_run(card, manifest, folder / MODEL_DIR, _run_name(file_name), registry, settings, owner)


def _check_quota(registry: Registry, owner: str) -> None:
    """Raise `TooManyPackages` if a visitor has no import left. Deleted models count until they are purged."""
    runs = [run for is_deleted in (False, True) for run in registry.list_runs(owner, limit=10_000, deleted=is_deleted)]
    imported = sum(
        run.state is RunState.FINISHED and run.started is None for run in runs
    )  # a trained run has a start time
    if imported >= MAX_IMPORTS_PER_VISITOR:
        raise TooManyPackages(
            f"At most {MAX_IMPORTS_PER_VISITOR} models may be imported; you have imported {imported}. "
            "Delete one on the Runs page; you can import another a day later."
        )


def _rebuild(
    files: dict[str, bytes], manifest: Manifest, folder: Path, settings: Settings, on_step: Callable[[str], None]
) -> Card:
    """Rebuild the model from the package's weights, in a separate process, and return its card."""
    names = ("seconds", "step", "data", "train_images", "mixture")
    claims = {
        "hyperparameters": manifest.hyperparameters.to_dict(),
        "facts": {name: msgspec.to_builtins(getattr(manifest, name)) for name in names},
    }
    (folder / CLAIMS_FILE).write_text(json.dumps(claims), encoding="utf-8")
    for name in (KERAS_FILE, TFLITE_FILE):
        (folder / name).write_bytes(files[name])
    environment = {"KERAS_HOME": str(settings.keras_home), "DIGITS_DOWNLOAD": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if settings.data_dir:
        environment["DIGITS_DATA_DIR"] = str(settings.data_dir)
    on_step("Starting TensorFlow in a separate process")
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


def _add_run(
    card: Card,
    manifest: Manifest,
    draft: Path,
    name: str,
    registry: Registry,
    settings: Settings,
    owner: str,
) -> str:
    """Add the run and move its model's folder into place: both or neither. Return the run's id."""
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


def _run_name(file_name: str) -> str:
    """Return the name of a run that is imported from a file: its stem, in printable characters and single spaces."""
    stem = file_name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".zip")
    return " ".join("".join(filter(str.isprintable, stem)).split())[: MAX_TEXT["name"]].strip()
