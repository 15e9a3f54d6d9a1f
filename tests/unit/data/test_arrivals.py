"""arrivals: what a visitor brings is read within bounds, counted, and refused or warned about in words."""

import csv
import gzip
import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digits.data import arrivals, faults, own
from digits.errors import InvalidSet
from tests.unit.data.test_own import VOWELS, drawings

MOST = 2_000


def read(name, content, most=MOST):
    return arrivals.read(name, content, most=most)


def png(ink, side=28):
    """A picture with dark ink on white."""
    stream = io.BytesIO()
    picture = Image.fromarray(255 - ink.astype(np.uint8))
    picture.resize((side, side), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def stroke(turn, kind=0):
    """Ink that differs by turn and looks different by kind."""
    ink = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        left = 4 + 3 * turn * (row - 4) // 20
        ink[row, left : left + 4] = 200 + turn
    return ink if kind == 0 else ink.T.copy() if kind == 1 else np.maximum(ink, ink.T)


def zipped(files, level=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", level) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def folders(each=6, side=28, **kinds):
    return {
        f"set/{name}/{turn}.png": png(stroke(turn, kind), side) for name, kind in kinds.items() for turn in range(each)
    }


@pytest.mark.parametrize("side", [28, 90])
def test_a_zip_of_folders(side):
    """A picture of the networks' own size is taken as it is; a larger one is read like an uploaded picture."""
    found = read(
        "x.ZIP", zipped(folders(side=side, one=0, two=1) | {"set/readme.txt": b"x", "__MACOSX/one/._1.png": b""})
    )
    assert (found.class_names, found.counts) == (("one", "two"), {"one": 6, "two": 6})
    assert found.left_out == {"not a picture in a folder named after its class": 2}
    if side == 28:
        assert np.array_equal(found.samples[0].image, stroke(0))
    assert found.samples[0].glyph.max() > 150


def test_a_csv_of_pixels():
    stream = io.StringIO()
    rows = csv.writer(stream)
    rows.writerow(["label", *(f"pixel{place}" for place in range(784))])
    for turn in range(6):
        for kind, name in enumerate(("7", "ä")):
            rows.writerow([name, *stroke(turn, kind).ravel()])
    rows.writerow(["7", *[0] * 784])
    rows.writerow(["7", 1, 2])
    rows.writerow(["7", *["256"] * 784])
    rows.writerow(["7", *stroke(0).ravel()])
    found = read("letters.csv", stream.getvalue().encode())
    assert found.counts == {"7": 6, "ä": 6}
    assert found.left_out == {
        "blank": 1,
        "not a label and 784 pixels": 1,
        "pixels that are no whole numbers from 0 to 255": 1,
        "there twice": 1,
    }
    assert np.array_equal(found.samples[1].image, stroke(0, 1))


def test_an_export_is_read_again():
    """What a set exports comes back the same."""
    before = own.empty("0" * 16).apply(own.Batch("x", VOWELS, drawings(6, writers=("ada", "bob"))))
    found = read("x.json", before.to_json())
    assert found.counts == before.counts
    assert [(sample.label, sample.writer) for sample in found.samples] == [(s.label, s.writer) for s in before.samples]
    assert found.warnings == ()


def test_one_class_and_few_drawings_are_warned_of():
    (one,) = read("x.zip", zipped(folders(one=0))).warnings
    assert "one class, one; a network needs two" in one
    (few,) = read("x.zip", zipped(folders(one=0) | folders(each=2, two=1))).warnings
    assert "fewer of two (2)" in few


def test_classes_that_look_alike_are_named():
    said, *others = read("x.zip", zipped(folders(hand=0, fist=0, rest=1))).warnings
    assert not others
    assert said.startswith("fist and hand look alike")


def test_one_writer_and_too_many_of_one_class_are_warned_of():
    said = " ".join(faults.find((*drawings(30, ("a",)), *drawings(5, ("e",))), ("a", "e")))
    assert "30 drawings of a and 5 of e" in said
    assert "All are by one person" in said


def bomb():
    """A zip whose picture unpacks to 50 MB."""
    return zipped({"a/1.png": bytes(50_000_000)})


def understated():
    """A zip that states a size of 10 bytes for what unpacks to 3 MB."""
    content = bytearray(zipped({"a/1.png": bytes(3_000_000)}))
    size = (3_000_000).to_bytes(4, "little")
    return bytes(content.replace(size, (10).to_bytes(4, "little")))


def listed(count):
    """A zip that is nothing but its list of files; each takes 46 bytes."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, *(0,) * 14)
    return entry * count + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(entry) * count, 0, 0)


HOSTILE = {
    "nothing": ("x.zip", b"", "damaged"),
    "no zip": ("x.zip", b"hello", "damaged"),
    "a cut zip": ("x.zip", zipped(folders(one=0))[:-30], "damaged"),
    "a bomb": ("x.zip", bomb(), "too much"),
    "a false size": ("x.zip", understated(), "too much|damaged|no drawing"),
    "many files": ("x.zip", zipped({f"a/{place}.png": b"" for place in range(2_001)}), "2,000 files"),
    "a long list": ("x.zip", listed(300_000), "may have 2,000 files; this one has 300,000"),
    "many pictures": ("x.zip", zipped({f"a/{place}.png": b"" for place in range(1_500)}), "1,000 drawings on this"),
    "no pictures": ("x.zip", zipped({"a/1.txt": b"x"}), "no drawing that can be taken: not a picture"),
    "paths": ("x.zip", zipped({"../../etc/passwd": b"x", "/a.png": b"", "1.png": b""}), "no drawing"),
    "a broken picture": ("x.zip", zipped({"a/1.png": b"x" * 99}), "no picture that can be read"),
    "long names": ("x.zip", zipped({f"{'y' * 50}/1.png": png(stroke(0))}), "1 to 12 characters"),
    "another kind": ("x.exe", b"MZ", "should be a .zip"),
    "large": ("x.csv", bytes(17 * 2**20), "may have 16 MB; this one has 17.0"),
    "a 100,000-row CSV": ("x.csv", b"1,2\n" * 100_000, "1,000 drawings on this server; this file has 99,999"),
    "bytes": ("x.csv", b"\xff\xfe\x00", "UTF-8"),
    "a long field": ("x.csv", b'"' + b"x" * 200_000, "far longer"),
    "no list": ("x.json", b"{}", "should be a list"),
    "a large JSON": ("x.json", b"[" + b"1," * 2**22 + b"1]", "may have 6 MB; this one has 8.0"),
    "many rows": ("x.json", b"[" + b"1," * 2**20 + b"1]", "this file has 1,048,577"),
    "a large drawing": ("x.json", b'[{"label": "' + b"a" * 2**17 + b'"}]', "too large"),
    "commas": ("x.csv", b"," * 2**20, "far longer"),
    "no JSON": ("x.json", b"[", "this one is not"),
    "deep JSON": ("x.json", b"[" * 100_000, "this one is not|can be taken"),
    "a huge number": ("x.json", b'[{"label": "a", "strokes": [[[1' + b"0" * 400 + b", 1]]]}]", "can be taken"),
    "no drawings": ("x.json", b'[1, null, {"label": []}]', "no drawing that can be taken"),
    "many classes": (
        "x.json",
        json.dumps([{"label": str(n), "strokes": [[[n, 0]]]} for n in range(63)]).encode(),
        "62",
    ),
    "a packed JSON": ("x.json", gzip.compress(b"[]"), "this one is not"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_taken_is_refused_with_a_reason(case):
    name, content, words = HOSTILE[case]
    with pytest.raises(InvalidSet, match=words):
        read(name, content, most=1_000)


def test_hostile_pictures_in_a_zip_are_left_out():
    """The pictures that spoil uploads spoil no import."""
    spoilt = {f"a/{place}.png": content for place, content in enumerate([b"\x89PNG\r\n\x1a\n", png(stroke(0))[:60]])}
    found = read("x.zip", zipped(spoilt | folders(one=0, two=1)))
    assert found.counts == {"one": 6, "two": 6}
    assert found.left_out == {"no picture that can be read": 2}


@given(st.binary(max_size=300), st.sampled_from(["x.zip", "x.csv", "x.json"]))
def test_any_bytes_are_read_or_refused(content, name):
    try:
        assert read(name, content).samples
    except InvalidSet:
        return


def test_a_long_list_of_files_is_not_read():
    """Python's `zipfile` would take 150 MB for the list in these 14 MB."""
    tracemalloc.start()
    with pytest.raises(InvalidSet, match="300,000"):
        read("x.zip", listed(300_000), most=1_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


def test_a_zip_that_takes_too_long_is_given_up(monkeypatch):
    """Hundreds of large pictures do not hold a core for ten minutes; their visitor reads how far it came."""
    clock = [0.0]
    monkeypatch.setattr(arrivals, "monotonic", lambda: clock[0])

    def take_50_seconds(done, total):
        clock[0] = 50.0 * done

    content = zipped(folders(one=0))
    with pytest.raises(
        InvalidSet, match=r"within 120 seconds; only 3 of 6 were, and nothing was kept\. Bring fewer or"
    ):
        arrivals.read("x.zip", content, most=MOST, tell=take_50_seconds)
    clock[0] = 0.0
    assert arrivals.read("x.zip", content, most=MOST).counts == {"one": 6}
