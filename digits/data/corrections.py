"""Corrections: drawings that a visitor has labelled, because a model misread them. Each visitor has their own.

Each is a small file of its own, so that two tabs of a visitor cannot lose one of the other's.
"""

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.data.drawings import Drawing
from digits.errors import InvalidImage, QuotaReached, StoreUnavailable
from digits.ink import codec, glyphs
from digits.quotas import Quotas
from digits.store import Store

_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Correction:
    """A drawing and what it is.

    Attributes:
        id: its name among the visitor's corrections; the same drawing has the same one.
        label: the name of its class.
        ink: its strokes, as `codec.encode` writes them, in about two thousand characters at most.
        made: when, in seconds since 1970.
    """

    id: str
    label: str
    ink: str
    made: float

    @property
    def strokes(self) -> list[np.ndarray]:
        """Its strokes, float32 (n, 2) each, x and y in pixels of the sheet."""
        return codec.decode(self.ink)

    @property
    def image(self) -> np.ndarray:
        """Its image as the Draw page gives it to a model, uint8 (28, 28)."""
        return glyphs.fit_strokes(self.strokes, size=(1, 1)).image

    @property
    def drawing(self) -> Drawing:
        return Drawing(self.label, self.strokes)


def add(store: Store, owner: str, strokes: Sequence[np.ndarray], label: str) -> Correction:
    """Keep a drawing with its label; the same drawing replaces the one that was kept before.

    Args:
        owner: the visitor, as `visitors.owner_of` names them.
        strokes: float32 (n, 2) each, x and y in pixels of the sheet.

    Raises:
        QuotaReached: the visitor has as many corrections as are allowed.
        OSError: the disk refuses it.
    """
    ink = codec.encode(list(strokes))
    made = Correction(hashlib.sha256(ink.encode()).hexdigest()[:16], label, ink, time.time())
    keys, most = store.list(f"{_folder(owner)}/"), Quotas.from_environment().corrections_per_visitor
    if most and len(keys) >= most and _key(owner, made.id) not in keys:
        raise QuotaReached(f"A visitor may keep {most:,} corrections; you have {len(keys):,}. Remove some first.")
    with store.write(_key(owner, made.id)) as stream:
        stream.write(json.dumps(_row(made)).encode())
    return made


def remove(store: Store, owner: str, correction_id: str) -> None:
    """Remove a visitor's correction; one that is not there is no error. Raises `OSError`."""
    if _ID.fullmatch(correction_id):
        store.delete(_key(owner, correction_id))


def load(store: Store, owner: str) -> list[Correction]:
    """Return a visitor's corrections, the oldest first; a damaged one is left out."""
    found = [_parse(content) for key in store.list(f"{_folder(owner)}/") if (content := _read(store, key))]
    return sorted((one for rows in found for one in rows), key=lambda one: one.made)


def write_of_run(store: Store, run_id: str, chosen: Sequence[Correction]) -> None:
    """Keep a copy of the corrections beside the run that learns from them; raises `OSError`."""
    with store.write(_key_of_run(run_id)) as stream:
        stream.write(json.dumps([_row(one) for one in chosen]).encode())


def load_of_run(store: Store, run_id: str) -> list[Correction]:
    """Return the corrections that a run learns from, the oldest first; none if it learns from none."""
    content = _read(store, _key_of_run(run_id))
    return _parse(content) if content else []


def _read(store: Store, key: str) -> bytes:
    try:
        return store.read(key)
    except StoreUnavailable:
        raise
    except OSError:  # another tab has just removed it
        return b""


def _parse(content: bytes) -> list[Correction]:
    """Return the corrections in a file, a list of them or a single one; those that are not whole are left out."""
    try:
        rows = json.loads(content)
        found = [Correction(**row) for row in (rows if isinstance(rows, list) else [rows])]
        for one in found:
            codec.decode(one.ink)
    except (ValueError, TypeError, InvalidImage):
        return []
    return found


def _row(one: Correction) -> dict[str, str | float]:
    return {"id": one.id, "label": one.label, "ink": one.ink, "made": one.made}


def _folder(owner: str) -> str:
    return f".corrections/{owner}"


def _key(owner: str, correction_id: str) -> str:
    return f"{_folder(owner)}/{correction_id}.json"


def _key_of_run(run_id: str) -> str:
    return f".work/{run_id}/corrections.json"
