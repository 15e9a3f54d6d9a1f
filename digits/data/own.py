"""Own sets: drawings that a visitor collected by class, read from batches of which each makes a new version.

A batch is never written again, so a version never changes, and a run that learned from it can be repeated. Whoever
knows a set's id may read it. Who may change it is in the registry.
"""

import functools
import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass, replace

import msgspec

from digits.data.collected import Sample, check_classes, check_title, read_row, split, to_row
from digits.data.datasets import Dataset, Source
from digits.errors import DatasetCorrupt, DatasetUnavailable, InvalidSet
from digits.settings import Settings
from digits.store import Store, open_store

SOURCE = "own"  # of a share of a mixture, and the prefix of a set's name
FEWEST = 5  # drawings of each class that a network learns from: three to learn, one to validate, one to test
MAX_VERSIONS = 2_000
MAX_BATCH_BYTES = 32 * 2**20  # of JSON, packed or not
MAX_SIZE = MAX_BATCH_BYTES  # of all batches of a set, unpacked; to read them takes three seconds
_SET_ID = re.compile("[0-9a-f]{16}")
_NAME = re.compile(r"own-([0-9a-f]{16})-([1-9][0-9]{0,3})")
_FEWEST_WRITERS = 3


class _Rows(msgspec.Struct):
    """A batch as JSON."""

    title: str
    class_names: list[str]
    added: list[msgspec.Raw]
    removed: list[str]


@dataclass(frozen=True)
class Batch:
    """A change of a set: its name and classes from now on, and the drawings that come and go."""

    title: str
    class_names: tuple[str, ...]
    added: tuple[Sample, ...] = ()
    removed: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return it as packed JSON, the same bytes for the same batch."""
        rows = {
            "title": self.title,
            "class_names": self.class_names,
            "added": [{"id": sample.id, **to_row(sample)} for sample in self.added],
            "removed": self.removed,
        }
        return gzip.compress(json.dumps(rows, separators=(",", ":")).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Batch":
        """Read what `to_bytes` returned; raises `DatasetCorrupt` for anything else."""
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                rows = msgspec.json.decode(stream.read(MAX_BATCH_BYTES), type=_Rows)
            names = check_classes(rows.class_names)
            # One drawing at a time, so that other threads can run between two.
            added = tuple(read_row(msgspec.json.decode(row), names) for row in rows.added)
            return cls(check_title(rows.title), names, added, tuple(rows.removed))
        except (OSError, EOFError, zlib.error, ValueError, msgspec.MsgspecError) as error:
            raise DatasetCorrupt("A set's file is damaged. Make the set again from its export.") from error


@dataclass(frozen=True, eq=False)
class OwnSet:
    """A version of a set.

    Attributes:
        set_id: 16 hexadecimal digits.
        version: how many batches it consists of.
        title: its name for people.
        class_names: in the order of the classes.
        samples: in the order in which they came.
        size: bytes of its batches, unpacked.
    """

    set_id: str
    version: int
    title: str
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    size: int = 0

    @property
    def name(self) -> str:
        """The name of this version, as in hyperparameters and links."""
        return name_of(self.set_id, self.version)

    @property
    def counts(self) -> dict[str, int]:
        """How many drawings each class has."""
        found = Counter(sample.label for sample in self.samples)
        return {name: found[name] for name in self.class_names}

    def apply(self, batch: Batch, size: int = 0) -> "OwnSet":
        """Return the next version; drawings that are already here are not added again, and removed ones not at all.

        Args:
            batch: the change.
            size: its `size_of`.
        """
        gone = set(batch.removed)
        kept = {sample.id: sample for sample in self.samples if sample.id not in gone}
        for sample in batch.added:
            if sample.id not in gone:
                kept.setdefault(sample.id, sample)
        return replace(
            self,
            version=self.version + 1,
            title=batch.title,
            class_names=batch.class_names,
            samples=tuple(kept.values()),
            size=self.size + size,
        )

    def why_not(self) -> str:
        """Return why no network can learn from it yet, with what to do; "" if one can."""
        if len(self.class_names) < 2:
            return "A network needs at least two classes to tell apart; this set has one. Add another class."
        few = [f"{name} ({count})" for name, count in self.counts.items() if count < FEWEST]
        if few:
            return f"A network needs {FEWEST} drawings of each class; there are fewer of {', '.join(few)}. Add some."
        return ""

    def parts(self) -> dict[str, list[Sample]]:
        """Divide the drawings into "train", "validation" and "test": a fifth to test, at least one of each class.

        Where several people wrote, the test is by people of whom the network has seen nothing, if these wrote all
        classes.

        Raises:
            DatasetUnavailable: there are too few.
        """
        if why := self.why_not():
            raise DatasetUnavailable(why)
        return self._by_writer() or self._by_turn()

    def _by_turn(self) -> dict[str, list[Sample]]:
        """Of each five drawings of a class, three are to learn from, one to validate and one to test."""
        turns: Counter[str] = Counter()
        parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
        for sample in self.samples:
            part = ("train", "train", "train", "validation", "test")[turns[sample.label] % FEWEST]
            parts[part].append(sample)
            turns[sample.label] += 1
        return parts

    def _by_writer(self) -> dict[str, list[Sample]] | None:
        writers = list(dict.fromkeys(sample.writer for sample in self.samples))
        if len(writers) < _FEWEST_WRITERS or "" in writers:
            return None
        each = max(1, round(len(writers) / FEWEST))
        groups = {"train": writers[: -2 * each], "validation": writers[-2 * each : -each], "test": writers[-each:]}
        parts = {
            part: [sample for sample in self.samples if sample.writer in set(names)] for part, names in groups.items()
        }
        has_all = all({sample.label for sample in part} == set(self.class_names) for part in parts.values())
        return parts if has_all else None

    def to_json(self) -> bytes:
        """Return its drawings in the format of `drawings.read_strokes_file`; pictures have an `image` instead."""
        return json.dumps([to_row(sample) for sample in self.samples], ensure_ascii=False).encode()


def name_of(set_id: str, version: int) -> str:
    """Return the name of a version of a set."""
    return f"{SOURCE}-{set_id}-{version}"


def is_name(name: str) -> bool:
    """Return whether a name is that of a version of an own set, whether or not there is one."""
    return _NAME.fullmatch(name) is not None


def find(name: str) -> OwnSet:
    """Read the version of a set that has this name.

    Raises:
        DatasetUnavailable: there is none.
        DatasetCorrupt: one of its files is damaged.
    """
    return _find(Settings.from_environment(), name)


@functools.lru_cache(maxsize=8)  # the largest have 20 MB
def _find(settings: Settings, name: str) -> OwnSet:
    found = _NAME.fullmatch(name)
    if found is None:
        raise DatasetUnavailable(f"A set's name should be like {name_of(16 * '0', 1)}; received {name[:60]!r}.")
    return read(open_store(settings), found[1], int(found[2]))


def read(store: Store, set_id: str, version: int) -> OwnSet:
    """Read a version of a set; raises as `find`."""
    own = empty(set_id)
    for number in range(1, version + 1):
        try:
            content = store.read(f"{_folder(set_id)}/{number}.json.gz")
        except FileNotFoundError as error:
            raise DatasetUnavailable(
                "This set of drawings is not on this server: it was deleted, or the link is wrong. Choose another one."
            ) from error
        own = own.apply(Batch.from_bytes(content), size_of(content))
    return own


def size_of(content: bytes) -> int:
    """Return the bytes to which a batch of this server unpacks, as gzip states at the end."""
    return int.from_bytes(content[-4:], "little")


def write(store: Store, set_id: str, version: int, content: bytes) -> None:
    """Write the batch that makes a version. The caller makes sure that nobody else writes the same set now.

    Raises:
        InvalidSet: the set has been changed too often.
        OSError: the file cannot be written.
    """
    if version > MAX_VERSIONS:
        raise InvalidSet(
            f"A set may be changed {MAX_VERSIONS:,} times, and this one has been. Go on with a copy of it."
        )
    with store.write(f"{_folder(set_id)}/{version}.json.gz") as stream:
        stream.write(content)


def remove(store: Store, set_id: str) -> None:
    """Delete a set's files for good."""
    store.delete(_folder(set_id))
    _find.cache_clear()


def empty(set_id: str) -> OwnSet:
    """Return a set before its first version."""
    if not _SET_ID.fullmatch(set_id):
        raise DatasetUnavailable(f"A set's id should be 16 hexadecimal digits; received {set_id[:40]!r}.")
    return OwnSet(set_id, 0, "", (), ())


def load(own: OwnSet, settings: Settings, *, is_test: bool = False) -> Dataset:
    """Load a set's validation and test images; the mixture adds what is learned from, as for letters.

    Args:
        settings: not used; every data set's loader takes them.
        is_test: leave the validation images out.

    Raises:
        DatasetUnavailable: the set has too few drawings.
    """
    parts = own.parts()
    labels = {name: place for place, name in enumerate(own.class_names)}
    description = (
        f"{own.title}: {len(own.samples):,} drawings of {len(own.class_names)} classes, made by a visitor; "
        f"{len(parts['train']):,} to learn from, {len(parts['validation']):,} to validate and {len(parts['test']):,} "
        "to test."
    )
    empty_split = split([], labels)
    validation = empty_split if is_test else split(parts["validation"], labels)
    test = split(parts["test"], labels)
    writers = tuple(sample.writer for sample in parts["test"])
    return Dataset(
        own.name,
        Source.OWN,
        description,
        own.class_names,
        True,
        empty_split,
        validation,
        test,
        labels=labels,
        writers=writers if any(writers) else (),
    )


def _folder(set_id: str) -> str:
    return f".sets/{set_id}"
