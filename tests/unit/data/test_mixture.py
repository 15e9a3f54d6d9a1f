"""mixture: images are added to the training set alone, cached, and made only of sources whose terms allow it."""

import dataclasses
import errno
import gzip
import json
import types

import numpy as np
import pytest

from digits.data import handwriting, mixture, ways
from digits.data.datasets import Part
from digits.errors import DatasetCorrupt, TermsForbidTraining
from digits.ink import glyphs

NAMES = tuple("0123456789")
SEVEN = [[[70, 60], [210, 60], [120, 230]]]


@pytest.fixture
def data_dir(tmp_path):
    """A data folder with a few drawings of UNIPEN: one writer for training, one for validation."""
    folder = tmp_path / "data" / "handwriting" / "strokes"
    folder.mkdir(parents=True)
    rows = [
        {"label": "7", "writer": "unipen-abc-01", "part": "train", "strokes": SEVEN},
        {"label": "A", "writer": "unipen-abc-01", "part": "train", "strokes": SEVEN},
        {"label": "7", "writer": "unipen-xyz-01", "part": "validation", "strokes": SEVEN},
    ]
    for kind in ("digits", "upper", "lower", "lower-joined", "signs"):
        content = json.dumps(rows if kind == "digits" else []).encode()
        (folder / f"unipen-{kind}.json.gz").write_bytes(gzip.compress(content))
    return tmp_path / "data"


@pytest.fixture
def clock(monkeypatch):
    """A clock of the mixture that stands still; what is added to it passes at each look."""
    passed, now = [0.0], [0.0]

    def monotonic():
        now[0] += passed[0]
        return now[0]

    monkeypatch.setattr(mixture, "time", types.SimpleNamespace(monotonic=monotonic))
    return passed


def test_tells_its_progress_several_times_a_second(small, tmp_path, clock):
    """So that it can be interrupted: with slow images at each one; what the callback raises ends the work."""
    few, said = dataclasses.replace(small, train=small.train.rows(0, 60)), []
    clock[0] = 0.3
    mixture.for_drawings(few, tmp_path / "slow", said.append)
    assert len(said) == 5 + 4 * 20 + 30

    def interrupt(words):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        mixture.for_drawings(few, tmp_path / "interrupted", interrupt)
    assert not (tmp_path / "interrupted").exists()


def test_a_full_disk_costs_only_the_cache(small, tmp_path, monkeypatch):
    """The images are made again the next time."""
    few = dataclasses.replace(small, train=small.train.rows(0, 30))

    def refuse(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mixture, "write_whole", refuse)
    assert len(mixture.for_drawings(few, tmp_path).train) == 85


def test_adds_images_to_the_training_set_alone(small, tmp_path, clock):
    """Without a folder of handwriting the additions are MNIST read in other ways, allographs and a few examples of real
    handwriting, half or a third of the images each."""
    few = dataclasses.replace(small, train=small.train.rows(0, 60))
    said = []
    whole = mixture.for_drawings(few, tmp_path, said.append)
    assert len(whole.train) == 60 + 4 * 20 + 30
    assert np.array_equal(whole.train.images[:60], few.train.images)
    assert np.array_equal(whole.train.labels[60:80], few.train.labels[:20])
    assert whole.validation is few.validation
    assert whole.test is few.test
    assert len(said) == 5
    assert whole.mixture == (
        Part("mnist", "", 60),
        Part("mnist", "picture", 20),
        Part("mnist", "low resolution", 20),
        Part("allographs", "strokes", 30),
        Part("examples", "strokes", 20),
        Part("examples", "picture", 20),
    )
    assert whole.description == few.description


def test_is_cached(small, tmp_path, monkeypatch):
    """The second call makes no image; a damaged file is replaced."""
    few = dataclasses.replace(small, train=small.train.rows(0, 30))
    first = mixture.for_drawings(few, tmp_path / "memory")
    redraw = ways.redraw
    monkeypatch.setattr(ways, "redraw", None)
    assert np.array_equal(mixture.for_drawings(few, tmp_path / "memory").train.images, first.train.images)
    monkeypatch.setattr(ways, "redraw", redraw)
    for file in (tmp_path / "memory").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(mixture.for_drawings(few, tmp_path / "memory").train.images, first.train.images)


def test_another_training_set_has_a_cache_of_its_own(small, tmp_path):
    """What was made for a few images does not serve when more are there, nor handwriting when its folder is gone."""
    few, more = (dataclasses.replace(small, train=small.train.rows(0, count)) for count in (30, 60))
    mixture.for_drawings(few, tmp_path)
    assert len(mixture.for_drawings(more, tmp_path).train) == 60 + 4 * 20 + 30


def test_other_classes_get_no_digits(small, tmp_path):
    """A data set of letters is read in other ways too, but no digit is added."""
    letters = dataclasses.replace(small, class_names=tuple("ABCDEFGHIJ"), train=small.train.rows(0, 30))
    assert len(mixture.for_drawings(letters, tmp_path).train) == 30 + 2 * 10


def test_handwriting_is_added_where_it_is(small, tmp_path, data_dir):
    """Only the training writers' drawings of the data set's classes are added, and the mixture names the source."""
    few = dataclasses.replace(small, train=small.train.rows(0, 30))
    whole = mixture.for_drawings(few, tmp_path / "memory", data_dir=data_dir)
    # three copies read by their strokes, one as a picture, and perhaps one of low resolution
    assert 30 + 2 * 10 + 15 + 4 <= len(whole.train) <= 30 + 2 * 10 + 15 + 5
    assert Part("unipen", "strokes", 4) in whole.mixture
    assert mixture.title("unipen") == "UNIPEN"


def test_every_source_of_the_mixture_may_be_trained_on():
    """The terms of the sources are kept by the code."""
    handwriting.require_trainable([share.source for share in mixture.MIXTURE if share.source in handwriting.SOURCES])


@pytest.mark.parametrize("name", ["crohme-hamex", "crohme-mfrdb", "meza"])
def test_a_source_to_measure_on_is_refused_for_training(name, tmp_path):
    """The error names the terms and what may be used instead."""
    with pytest.raises(TermsForbidTraining, match=name):
        handwriting.load_strokes(tmp_path, name, "validation", NAMES, to_train=True)


def test_parts_have_no_writer_in_common(data_dir):
    """A writer is in one part only; a share of the training writers is kept out to choose by."""
    parts = {part: handwriting.load_strokes(data_dir, "unipen", part, None) for part in ("train", "development")}
    writers = {part: {drawing.writer for drawing in drawings} for part, drawings in parts.items()}
    assert not writers["train"] & writers["development"]
    assert len(parts["train"]) + len(parts["development"]) == 2
    assert [drawing.label for drawing in handwriting.load_strokes(data_dir, "unipen", "validation", NAMES)] == ["7"]


def test_a_damaged_file_is_named(data_dir):
    """A truncated file is an error that names it."""
    path = data_dir / "handwriting" / "strokes" / "unipen-digits.json.gz"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DatasetCorrupt, match="unipen-digits"):
        handwriting.load_strokes(data_dir, "unipen", "train", NAMES)


def test_redrawing_evens_the_pen(small):
    """The stroke width of redrawn images varies less from image to image than MNIST's."""
    images = small.train.images[:60]
    redrawn = np.stack([ways.redraw(image) for image in images])
    assert (redrawn.shape, redrawn.dtype) == (images.shape, np.uint8)
    widths = [[width(image) for image in some] for some in (images, redrawn)]
    assert np.std(widths[1]) < 0.7 * np.std(widths[0])


def width(image):
    """The mean stroke width in pixels: the ink's area over the length of its centre line."""
    return image.sum() / 255 / glyphs.thin_to_lines(np.pad(image > 127, 1)).sum()
