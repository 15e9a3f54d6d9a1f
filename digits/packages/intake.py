"""Imports: a package that a visitor uploads becomes a model of their own, in about a second.

Only its numbers, its settings and its history are used. Its code is never run and its model files are never opened.
Its card is provisional: `completion` measures the model on all images.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from digits import trouble
from digits.errors import InvalidPackage, PackageNotStored
from digits.models.cards import Card
from digits.models.catalogue import CARD
from digits.models.textweights import Weight
from digits.packages import archives, claims, completion, limits, measure, parameters, rebuild
from digits.packages.claims import Claims
from digits.packages.pack import HISTORY_FILE, HYPERPARAMETERS_FILE
from digits.packages.parameters import PARAMETERS_FILE
from digits.runs import admission, commands
from digits.runs.registry import Registry
from digits.settings import Settings
from digits.store import open_store

REQUIRED_FILES = (PARAMETERS_FILE, CARD, HYPERPARAMETERS_FILE)

_KEPT = {  # all that an import looks at, with the most that each may unpack to
    PARAMETERS_FILE: parameters.MAX_PARAMETERS_BYTES,
    CARD: claims.MAX_JSON_BYTES,
    HYPERPARAMETERS_FILE: claims.MAX_JSON_BYTES,
    HISTORY_FILE: claims.MAX_HISTORY_BYTES,
}
_turns = limits.Turns("measured")


def import_package(
    package: bytes,
    *,
    registry: Registry,
    settings: Settings,
    owner: str,
    name: str = "",
    address: str = "",
    on_step: Callable[[str], None] = lambda step: None,
) -> str:
    """Import a package: validate it, estimate its model's accuracy, and add it as a finished run of `owner`.

    Args:
        package: the zip.
        registry: where the run is added.
        settings: where models and data are.
        owner: the visitor's token.
        name: the run's name; its card's title if empty.
        address: where the visitor comes from; empty if that is unknown.
        on_step: called with a short description of each step before it starts.

    Returns:
        The run's id.

    Raises:
        InvalidPackage: the package is not valid; nothing of it is kept.
        TooManyPackages: the visitor has imported as many models as are allowed, or others are being imported or
            measured.
        QuotaReached: the visitor's runs, or everybody's, take as much disk as is allowed, or the address has brought
            too much in an hour.
        PackageNotStored: the disk is full.
        DatasetError: there are no test images.
    """
    admission.require_import(registry.usage(owner))
    completion.require_room()
    admission.require_bytes(address, len(package))
    on_step("Checking every file in the zip")
    claimed, numbers = _read(package)
    on_step("Waiting for other imports to finish")
    asked = ("import", owner, hashlib.sha256(package).digest(), name)
    with registry.unanswered.once(*asked, within=commands.REPEATED_WITHIN) as attempt, _turns.take():
        run_id = attempt.id
        with _stored(run_id, registry, settings) as folder:
            admission.require_import(registry.usage(owner))
            on_step("Writing the model's files")
            rebuild.write_files(folder, parameters.template(claimed.hyperparameters), numbers)
            card = dataclasses.replace(measure.estimate(folder, claimed, settings, on_step), id=run_id, run=run_id)
            (folder / CARD).write_text(card.to_json(), encoding="utf-8")
            _add_run(card, claimed, folder, name or card.title, registry, owner)
    return run_id


def _read(package: bytes) -> tuple[Claims, list[Weight]]:
    """Return all that an import takes from a package: what it states about its model, and the model's numbers."""
    files = archives.read(package, _KEPT)
    for name in REQUIRED_FILES:
        if name not in files:
            raise InvalidPackage(
                f"A package must contain {', '.join(REQUIRED_FILES)}; {name} is missing. Choose another file."
            )
    claimed = claims.read(files)
    return claimed, parameters.read(files[PARAMETERS_FILE], claimed.hyperparameters)


@contextmanager
def _stored(run_id: str, registry: Registry, settings: Settings) -> Iterator[Path]:
    """Yield a folder for a run's model. Both appear when the block succeeds, or neither.

    Raises:
        PackageNotStored: the disk is full, or the folder of the runs may not be written to.
    """
    try:
        with open_store(settings).write_folder(run_id) as folder:
            yield folder
    except OSError as error:
        registry.purge(run_id)  # it may have been added before its files could not be moved into place
        raise PackageNotStored(
            f"An imported model must be written to this server's disk; the system answered: {trouble.cause(error)}. "
            "Nothing of it was kept. Try again later, or tell the server's owner."
        ) from error


def _add_run(card: Card, claimed: Claims, folder: Path, name: str, registry: Registry, owner: str) -> None:
    """Add the run of a model whose files are in `folder`."""
    validated = [row for row in claimed.history if row["val_accuracy"] is not None]
    best = max(validated, key=lambda row: row["val_accuracy"], default=None)
    registry.add_imported(
        claimed.hyperparameters,
        owner,
        changes=claimed.changes,
        history=claimed.history,
        admit=admission.require_import,
        id=card.id,
        name=name,
        data=claimed.data,
        step=claimed.step,
        seconds=claimed.seconds,
        test_correct=card.test.correct,
        test_total=card.test.total,
        best_step=best and best["step"],
        best_val_accuracy=best and best["val_accuracy"],
        val_accuracy=validated[-1]["val_accuracy"] if validated else None,
        disk_bytes=sum(file.stat().st_size for file in folder.iterdir()),
    )
