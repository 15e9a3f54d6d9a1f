"""Imports: a package that a visitor uploads becomes a model of their own.

Only its numbers, its settings and its history are used. Its code is never run and its model files are never opened.
"""

import dataclasses
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from digits.data import datasets
from digits.errors import InvalidPackage, PackageNotStored
from digits.models.cards import Card
from digits.models.catalogue import CARD
from digits.models.textweights import Weight
from digits.packages import archives, claims, limits, measure, parameters, rebuild
from digits.packages.claims import Claims
from digits.packages.pack import HISTORY_FILE, HYPERPARAMETERS_FILE
from digits.packages.parameters import PARAMETERS_FILE
from digits.runs import admission
from digits.runs.registry import Registry
from digits.settings import Settings

REQUIRED_FILES = (PARAMETERS_FILE, CARD, HYPERPARAMETERS_FILE)

_KEPT = {  # all that an import looks at, with the most that each may unpack to
    PARAMETERS_FILE: parameters.MAX_PARAMETERS_BYTES,
    CARD: claims.MAX_JSON_BYTES,
    HYPERPARAMETERS_FILE: claims.MAX_JSON_BYTES,
    HISTORY_FILE: claims.MAX_HISTORY_BYTES,
}
_DRAFT_PREFIX = ".importing-"
_LEFTOVER_SECONDS = 3600  # a draft older than this was left by a server that was killed

_turns = limits.Turns("measured")


def import_package(
    package: bytes,
    *,
    registry: Registry,
    settings: Settings,
    owner: str,
    name: str = "",
    on_step: Callable[[str], None] = lambda step: None,
) -> str:
    """Import a package: validate it, measure its model, and add it as a finished run of `owner`.

    Args:
        package: the zip.
        registry: where the run is added.
        settings: where models and data are.
        owner: the visitor's token.
        name: the run's name; its card's title if empty.
        on_step: called with a short description of each step before it starts.

    Returns:
        The run's id.

    Raises:
        InvalidPackage: the package is not valid; nothing of it is kept.
        TooManyPackages: the visitor has imported as many models as are allowed, or others are being imported.
        QuotaReached: the visitor's runs, or everybody's, take as much disk as is allowed.
        PackageNotStored: the disk is full.
        DatasetError: there are no test images.
    """
    admission.require_import(registry.usage(owner))
    on_step("Checking every file in the zip")
    claimed, numbers = _read(package)
    on_step("Waiting for other imports to finish")
    with _turns.take(), _draft_folder(settings) as folder:
        admission.require_import(registry.usage(owner))
        on_step("Writing the model's files")
        rebuild.write_files(folder, claimed.hyperparameters.network, numbers)
        card = measure.measure(folder, claimed, settings, on_step)
        return _add_run(card, claimed, folder, name or card.title, registry, settings, owner)


def _read(package: bytes) -> tuple[Claims, list[Weight]]:
    """Return all that an import takes from a package: what it states about its model, and the model's numbers."""
    files = archives.read(package, _KEPT)
    for name in REQUIRED_FILES:
        if name not in files:
            raise InvalidPackage(
                f"A package must contain {', '.join(REQUIRED_FILES)}; {name} is missing. Choose another file."
            )
    claimed = claims.read(files, datasets.CLASS_NAMES)
    return claimed, parameters.read(files[PARAMETERS_FILE], claimed.hyperparameters.network)


@contextmanager
def _draft_folder(settings: Settings) -> Iterator[Path]:
    """Yield a folder for a model that becomes a run's, or is removed.

    Raises:
        PackageNotStored: the disk is full, or the folder of the runs may not be written to.
    """
    try:
        settings.runs_dir.mkdir(parents=True, exist_ok=True)
        for leftover in settings.runs_dir.glob(f"{_DRAFT_PREFIX}*"):
            if leftover.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=settings.runs_dir, prefix=_DRAFT_PREFIX) as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            yield folder
    except OSError as error:
        raise PackageNotStored(
            f"An imported model must be written to this server's disk; the system answered: {error.strerror}. "
            "Nothing of it was kept. Try again later, or tell the server's owner."
        ) from error


def _add_run(
    card: Card,
    claimed: Claims,
    draft: Path,
    name: str,
    registry: Registry,
    settings: Settings,
    owner: str,
) -> str:
    """Add the run and move its model's folder into place: both or neither. Return the run's id."""
    validated = [row for row in claimed.history if row["val_accuracy"] is not None]
    best = max(validated, key=lambda row: row["val_accuracy"], default=None)
    run_id = registry.add_imported(
        claimed.hyperparameters,
        owner,
        changes=claimed.changes,
        history=claimed.history,
        admit=admission.require_import,
        name=name,
        data=claimed.data,
        step=claimed.step,
        seconds=claimed.seconds,
        test_correct=card.test.correct,
        test_total=card.test.total,
        best_step=best and best["step"],
        best_val_accuracy=best and best["val_accuracy"],
        val_accuracy=validated[-1]["val_accuracy"] if validated else None,
        disk_bytes=sum(file.stat().st_size for file in draft.rglob("*")),
    )
    try:
        own = dataclasses.replace(card, id=run_id, run=run_id)
        (draft / CARD).write_text(own.to_json(), encoding="utf-8")
        draft.replace(settings.runs_dir / run_id)
    except BaseException:
        registry.purge(run_id)
        raise
    return run_id
