"""Own sets: drawings that a visitor collected by class, read from batches of which each makes a new version.

A batch is never written again, so a version never changes, and a run that learned from it can be repeated. Whoever
knows a set's id may read it. Who may change it is in the registry.
"""

import base64
import binascii
import functools
import gzip
import hashlib
import io
import json
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from digits.data.datasets import Dataset, Source, Split
from digits.errors import DatasetCorrupt, DatasetUnavailable, InvalidImage, InvalidSet
from digits.ink import glyphs, strokes
from digits.settings import IMAGE_SIZE, Settings
from digits.store import Store, open_store

SOURCE = "own"  # of a share of a mixture, and the prefix of a set's name
FEWEST = 5  # drawings of each class that a network learns from: three to learn, one to validate, one to test
MAX_CLASSES, MAX_CLASS_NAME, MAX_TITLE = 62, 12, 60
MAX_VERSIONS = 2_000
MAX_BATCH_BYTES = 32 * 2**20  # of JSON, packed or not
_MAX_STROKES, _MAX_POINTS = 50, 2_000  # of a drawing
_SET_ID = re.compile("[0-9a-f]{16}")
_NAME = re.compile(r"own-([0-9a-f]{16})-([1-9][0-9]{0,3})")
_SAMPLE_ID = re.compile("[0-9a-z]{8,32}")
_FEWEST_WRITERS = 3


@dataclass(frozen=True, eq=False)
class Sample:
    """A labelled drawing, or a picture of one.

    Attributes:
        id: tells it from the others of its set; one that comes again is the same drawing.
        label: a class's name.
        strokes: float32 (n, 2) each; none for a picture.
        image: uint8 (28, 28), of a picture; None for strokes.
        writer: who wrote it; "" if that is unknown.
    """

    id: str
    label: str
    strokes: list[np.ndarray] = field(default_factory=list)
    image: np.ndarray | None = None
    writer: str = ""

    @property
    def glyph(self) -> np.ndarray:
        """Its image as a network reads it, uint8 (28, 28)."""
        return glyphs.fit_strokes(self.strokes, size=(1, 1)).image if self.image is None else self.image


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
                rows = json.loads(stream.read(MAX_BATCH_BYTES))
            names = check_classes(rows["class_names"])
            added = tuple(read_row(row, names) for row in rows["added"])
            return cls(check_title(rows["title"]), names, added, tuple(map(str, rows["removed"])))
        except (OSError, EOFError, zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
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
    """

    set_id: str
    version: int
    title: str
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """The name of this version, as in hyperparameters and links."""
        return name_of(self.set_id, self.version)

    @property
    def counts(self) -> dict[str, int]:
        """How many drawings each class has."""
        found = Counter(sample.label for sample in self.samples)
        return {name: found[name] for name in self.class_names}

    def apply(self, batch: Batch) -> "OwnSet":
        """Return the next version; drawings that are already here are not added again, and removed ones not at all."""
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
        own = own.apply(Batch.from_bytes(content))
    return own


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


def check_classes(names: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of classes, composed as Unicode has it.

    Raises:
        InvalidSet: there are too many, or one is too long, empty, there twice, or has characters that do not show.
    """
    checked = tuple(unicodedata.normalize("NFC", str(name)).strip() for name in names)
    if not 1 <= len(checked) <= MAX_CLASSES:
        raise InvalidSet(f"A set has 1 to {MAX_CLASSES} classes; received {len(checked):,}. Name as many.")
    for name in checked:
        if not 1 <= len(name) <= MAX_CLASS_NAME or not name.isprintable():
            raise InvalidSet(
                f"A class's name has 1 to {MAX_CLASS_NAME} characters that can be seen; received {name[:40]!a}. "
                "Shorten it, as to a letter or a word."
            )
    if twice := [name for name, count in Counter(checked).items() if count > 1]:
        raise InvalidSet(f"Each class is named once; {twice[0]} is there twice. Remove one.")
    return checked


def check_title(title: Any) -> str:
    """Return a set's name on one line; raises `InvalidSet` if it is empty or too long."""
    checked = "".join(part for part in " ".join(str(title).split()) if part.isprintable())
    if not 1 <= len(checked) <= MAX_TITLE:
        raise InvalidSet(f"A set's name has 1 to {MAX_TITLE} characters; this one has {len(checked)}. Change it.")
    return checked


def read_row(row: Any, class_names: Sequence[str] | None = None) -> Sample:
    """Read a drawing from JSON that anybody may have written.

    Args:
        row: a dict with a label and strokes, or a label and an image of 784 bytes in base64; its writer and id are
            optional.
        class_names: the allowed labels; None for any that can be a class's name.

    Raises:
        InvalidSet: it is something else.
    """
    if not isinstance(row, dict) or not isinstance(row.get("label"), str | int):
        raise InvalidSet('A drawing should be {"label": …, "strokes": [[[x, y], …], …]}; it is something else.')
    (label,) = check_classes([row["label"]])
    if class_names is not None and label not in class_names:
        raise InvalidSet(f"A drawing's label should be one of {', '.join(class_names)}; it is {label}. Correct it.")
    writer = "".join(part for part in str(row.get("writer") or "")[:40] if part.isprintable())
    if "image" in row:
        return of_image(label, _decode(row["image"]), writer, row.get("id"))
    try:
        drawn = strokes.check(row.get("strokes") or [])
    except (InvalidImage, TypeError) as error:
        raise InvalidSet(f"A drawing of {label} cannot be read. {error}") from error
    return of_strokes(label, drawn, writer, row.get("id"))


def of_strokes(label: str, drawn: list[np.ndarray], writer: str = "", sample_id: Any = None) -> Sample:
    """Return a drawing; raises `InvalidSet` if it has no strokes, or too many."""
    if not drawn:
        raise InvalidSet(f"A drawing of {label} is blank. Leave it out.")
    if len(drawn) > _MAX_STROKES or sum(map(len, drawn)) > _MAX_POINTS:
        raise InvalidSet(
            f"A drawing may have {_MAX_STROKES} strokes and {_MAX_POINTS:,} points; one of {label} has more."
        )
    return Sample(_id(sample_id, label, *drawn), label, drawn, None, writer)


def of_image(label: str, image: np.ndarray, writer: str = "", sample_id: Any = None) -> Sample:
    """Return a picture uint8 (28, 28) as a drawing; raises `InvalidSet` if it is blank."""
    if not image.any():
        raise InvalidSet(f"A picture of {label} is blank. Leave it out.")
    return Sample(_id(sample_id, label, image), label, [], image, writer)


def to_row(sample: Sample) -> dict[str, Any]:
    """Return a drawing as JSON types, without its id."""
    row: dict[str, Any] = {"label": sample.label}
    if sample.image is None:
        row["strokes"] = [np.round(stroke.astype(float), 1).tolist() for stroke in sample.strokes]
    else:
        row["image"] = base64.b64encode(sample.image.tobytes()).decode()
    return row | ({"writer": sample.writer} if sample.writer else {})


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
    return Dataset(
        own.name, Source.OWN, description, own.class_names, True, empty_split, validation, test, labels=labels
    )


def split(samples: Sequence[Sample], labels: Mapping[str, int]) -> Split:
    """Return drawings as images with their classes."""
    images = [sample.glyph for sample in samples]
    classes = [labels[sample.label] for sample in samples]
    return Split(np.array(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE), np.array(classes, np.uint8))


def _folder(set_id: str) -> str:
    return f".sets/{set_id}"


def _id(given: Any, label: str, *content: np.ndarray) -> str:
    """Return a drawing's id, or one that the same drawing always gets."""
    if isinstance(given, str) and _SAMPLE_ID.fullmatch(given):
        return given
    digest = hashlib.sha256(label.encode())
    for part in content:
        digest.update(len(part).to_bytes(4, "little") + np.round(part, 1).tobytes())
    return digest.hexdigest()[:20]


def _decode(text: Any) -> np.ndarray:
    try:
        pixels = np.frombuffer(base64.b64decode(str(text)[:2000], validate=True), np.uint8)
        return pixels.reshape(IMAGE_SIZE, IMAGE_SIZE)
    except (ValueError, binascii.Error) as error:
        raise InvalidSet("A picture in a set's file should be 784 bytes in base64; it is not. Leave it out.") from error
