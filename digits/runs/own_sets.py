"""The sets of drawings that visitors make: whose they are, what they are called, and how large they are.

The drawings are in files, which `digits.data.own` reads; each change of a set makes a new version of it.
"""

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sql

from digits.errors import DatasetUnavailable, NotYourSet, QuotaReached
from digits.quotas import Quotas
from digits.runs import retention, schema
from digits.runs.database import ADMISSION_LOCK, Database, lock
from digits.runs.retention import Holding
from digits.runs.schema import RunState, SetRecord
from digits.runs.sweep_record import SweepState
from digits.runs.unanswered import new_id

_sets, _runs, _sweeps = schema.sets, schema.runs, schema.sweeps
_DATASET = _runs.c.hyperparameters["dataset"].as_string()
_OPEN_SWEEPS = sql.select(_sweeps.c.id).where(_sweeps.c.state.in_((SweepState.RUNNING, SweepState.PAUSED)))
_LEARNS = sql.or_(  # now or later
    _runs.c.state.in_((RunState.QUEUED, RunState.RUNNING, RunState.PAUSED)),
    sql.and_(_runs.c.sweep.is_not(None), _runs.c.sweep.in_(_OPEN_SWEEPS)),
)
_BYTES = sql.func.coalesce(sql.func.sum(_sets.c.disk_bytes), 0)
_MB = 1_000_000


@dataclass(frozen=True)
class NewVersion:
    """What a change makes of a set.

    Attributes:
        name: the set's name.
        drawings, classes: how many it then has.
        content: the file of the change.
    """

    name: str
    drawings: int
    classes: int
    content: bytes


class SetRegistry(Database):
    """The part of the registry that knows the sets.

    Promises: the changes of a set follow one another, and each version is written once. Only a set's owner changes it.
    """

    def save_set(
        self, set_id: str, owner: str, change: Callable[[int], NewVersion], save: Callable[[int, bytes], None]
    ) -> SetRecord:
        """Make the next version of a set, or the first one, and return the set's record.

        Args:
            set_id: from `new_set_id`, or a set's.
            change: returns what becomes of the version that it is given; 0 for a new set.
            save: writes the content of a version.

        Raises:
            NotYourSet: the set belongs to another visitor.
            DatasetUnavailable: the set is deleted.
            QuotaReached: there is no room for it.
            RegistryUnavailable: the registry, or the content, cannot be written.
        """
        with self._writing() as connection:
            lock(connection, ADMISSION_LOCK)
            known = _find(connection, set_id)
            if known is not None:
                require_set_owner(known, owner)
                if known.deleted is not None:
                    raise DatasetUnavailable("This set is deleted. Restore it first.")
            new = change(known.version if known else 0)
            _require_room(connection, owner, new, is_new=known is None)
            version, now = (known.version if known else 0) + 1, time.time()
            save(version, new.content)
            facts = {
                "name": new.name,
                "changed": now,
                "version": version,
                "drawings": new.drawings,
                "classes": new.classes,
                "disk_bytes": (known.disk_bytes if known else 0) + len(new.content),
            }
            if known is None:
                connection.execute(_sets.insert().values(id=set_id, owner=owner, created=now, **facts))
            else:
                connection.execute(_sets.update().where(_sets.c.id == set_id).values(**facts))
            return _get(connection, set_id)

    def get_set(self, set_id: str) -> SetRecord:
        """Return a set's record, deleted or not; raises `DatasetUnavailable`."""
        with self._reading() as connection:
            return _get(connection, set_id)

    def list_sets(self, owner: str, *, deleted: bool = False) -> list[SetRecord]:
        """Return an owner's sets, or only the deleted ones, the last changed first."""
        is_wanted = _sets.c.deleted.is_not(None) if deleted else _sets.c.deleted.is_(None)
        query = _sets.select().where(_sets.c.owner == owner, is_wanted).order_by(_sets.c.changed.desc())
        with self._reading() as connection:
            return [SetRecord(**row) for row in connection.execute(query).mappings()]

    def set_set_deleted(self, set_id: str, owner: str, deleted: float | None) -> None:
        """Set the time at which a set was deleted, in seconds since 1970, or None.

        Raises:
            NotYourSet: it belongs to another visitor.
            QuotaReached: to restore it, the visitor has too many others.
        """
        with self._writing() as connection:
            lock(connection, ADMISSION_LOCK)
            known = _get(connection, set_id)
            require_set_owner(known, owner)
            facts = {"deleted": deleted}
            if deleted is None and known.deleted is not None:
                _require_few(connection, owner)
                facts["changed"] = time.time()  # else it would be the first to be put away again
            connection.execute(_sets.update().where(_sets.c.id == set_id).values(**facts))

    def list_set_holdings(self) -> list[Holding]:
        """Return what each set holds of the disk. Only by training on it does another visitor leave a trace."""
        used = sql.func.coalesce(_runs.c.ended, _runs.c.lease_until, _runs.c.created)
        learned = sql.select(_DATASET, _runs.c.owner, _LEARNS, used).where(_DATASET.like("own-%"))
        with self._reading() as connection:
            records = {row["id"]: SetRecord(**row) for row in connection.execute(_sets.select()).mappings()}
            runs = connection.execute(learned).all()
        in_use, shared = set[str](), dict[str, float]()
        for dataset, owner, learns, when in runs:
            set_id = dataset.split("-")[1]
            if learns:
                in_use.add(set_id)
            if set_id in records and owner != records[set_id].owner:
                shared[set_id] = max(when, shared.get(set_id, 0.0))
        return [
            Holding(
                one.id,
                one.owner,
                one.disk_bytes,
                one.changed,
                one.id not in in_use,
                one.deleted is not None,
                shared.get(one.id),
            )
            for one in records.values()
        ]

    def put_away_sets(self, set_ids: Sequence[str]) -> None:
        """Delete sets as their owners could, who can restore them; one from which a run learns by now is left alone."""
        with self._writing() as connection:
            lock(connection, ADMISSION_LOCK)
            unused = [set_id for set_id in set_ids if not _has_taught(connection, set_id, _LEARNS)]
            chosen = (_sets.c.id.in_(unused), _sets.c.deleted.is_(None))
            connection.execute(_sets.update().where(*chosen).values(deleted=time.time()))

    def list_abandoned_sets(self, before: float) -> list[str]:
        """Return the ids of the sets that were deleted before a time and that no run keeps.

        A run that has learned from a set keeps it; while sets are scarce, only one that has not ended does.
        """
        with self._reading() as connection:
            taken = int(connection.execute(sql.select(_BYTES)).scalar_one())
            keeps = _LEARNS if retention.is_scarce(taken, Quotas.from_environment()) else sql.true()
            deleted = connection.execute(sql.select(_sets.c.id).where(_sets.c.deleted < before)).scalars()
            return [set_id for set_id in deleted if not _has_taught(connection, set_id, keeps)]

    def purge_set(self, set_id: str) -> None:
        """Remove a deleted set's record for good."""
        with self._writing() as connection:
            connection.execute(_sets.delete().where(_sets.c.id == set_id))


def new_set_id(attempt_id: str = "") -> str:
    """Return an id for a set, which cannot be guessed; for the same `Attempt.id` always the same one."""
    return base64.urlsafe_b64decode(attempt_id or new_id()).hex()[:16]


def require_set_owner(record: SetRecord, owner: str) -> None:
    """Raise `NotYourSet` unless the set is the visitor's."""
    if record.owner != owner:
        raise NotYourSet("Only the visitor who made a set may change it; you are looking at it. Make a copy of it.")


def _find(connection: sql.Connection, set_id: str) -> SetRecord | None:
    row = connection.execute(_sets.select().where(_sets.c.id == set_id).with_for_update()).mappings().one_or_none()
    return SetRecord(**row) if row else None


def _get(connection: sql.Connection, set_id: str) -> SetRecord:
    row = connection.execute(_sets.select().where(_sets.c.id == set_id)).mappings().one_or_none()
    if row is None:
        raise DatasetUnavailable(
            "This set of drawings is not on this server: it was deleted, or the link is wrong. Choose another one."
        )
    return SetRecord(**row)


def _has_taught(connection: sql.Connection, set_id: str, runs: sql.ColumnElement[bool]) -> bool:
    """Return whether one of some runs learns, or has learned, from a set."""
    learned = _DATASET.like(f"own-{set_id}-%")
    return connection.execute(sql.select(_runs.c.id).where(learned, runs).limit(1)).first() is not None


def _require_few(connection: sql.Connection, owner: str) -> None:
    """Raise `QuotaReached` if a visitor has as many sets as allowed; deleted ones do not count."""
    count = sql.select(sql.func.count()).where(_sets.c.owner == owner, _sets.c.deleted.is_(None))
    limit = Quotas.from_environment().sets_per_visitor
    if limit and connection.execute(count).scalar_one() >= limit:
        raise QuotaReached(f"A visitor may have {limit} sets, and you do. Delete one first.")


def _require_room(connection: sql.Connection, owner: str, new: NewVersion, *, is_new: bool) -> None:
    """Raise `QuotaReached` if a visitor has as many sets, or a set as many drawings and bytes, as allowed."""
    quotas = Quotas.from_environment()
    if is_new:
        _require_few(connection, owner)
    if quotas.drawings_per_set and new.drawings > quotas.drawings_per_set:
        raise QuotaReached(
            f"A set may have {quotas.drawings_per_set:,} drawings; it would have {new.drawings:,}. Bring fewer."
        )
    for whose, limit, query, remedy in (
        (
            "Your",
            quotas.set_megabytes_per_visitor,
            sql.select(_BYTES).where(_sets.c.owner == owner),
            "Delete one; a day later, when no run that learned from it is kept, there is room again.",
        ),
        (
            "All visitors'",
            quotas.set_megabytes,
            sql.select(_BYTES),
            "Those unchanged for longest make room; try again tomorrow.",
        ),
    ):
        if limit and int(connection.execute(query).scalar_one()) + len(new.content) > limit * _MB:
            raise QuotaReached(f"{whose} sets may take {limit:,} MB of this server's disk, and they do. {remedy}")
