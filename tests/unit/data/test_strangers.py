"""strangers: nobody is measured on from whom a model may learn, and the sample serves where there is no handwriting."""

import gzip
import io
import json

import numpy as np
import pytest

from digits.data import handwriting, strangers
from digits.data.drawings import prepare
from digits.settings import Settings


def test_without_handwriting_there_is_the_sample(tmp_path):
    """A machine without a data folder, or with MNIST alone, measures on the sample."""
    for folder in ({}, {"DIGITS_DATA_DIR": str(tmp_path)}):
        (group,) = strangers.load_for(Settings.from_environment(folder))
        assert (group.source, group.way, len(group.drawings)) == (strangers.SAMPLE, strangers.STROKES, 460)


def test_every_source_has_a_title():
    """Pages and tables name each source."""
    assert strangers.TITLES.keys() == {strangers.SAMPLE, *strangers.SOURCES, "swiss"}
    assert handwriting.SOURCES.keys() >= set(strangers.SOURCES)


@pytest.mark.parametrize("most", [1, 7])
def test_some_are_chosen_evenly(most):
    """The first and the last are among them, and none twice."""
    chosen = strangers._some(list(range(20)), most)
    assert len(set(chosen)) == most
    assert chosen[0] == 0
    assert most == 1 or chosen[-1] == 19


@pytest.fixture
def handwriting_dir(tmp_path):
    """A data folder with two writers of each source: one for training, one for validation."""
    rows = [
        {"label": "7", "writer": f"{part}-{number}", "part": part, "strokes": [[[70, 60], [210, 60], [120, 230]]]}
        for part in ("train", "validation")
        for number in range(20)
    ]
    content = gzip.compress(json.dumps(rows).encode())
    for source in strangers.SOURCES:
        for file in handwriting.SOURCES[source].files[:1]:
            write(tmp_path / "handwriting" / file, content)
        for file in handwriting.SOURCES[source].files[1:]:
            write(tmp_path / "handwriting" / file, gzip.compress(b"[]"))
    stream = io.BytesIO()
    parts = np.repeat(["train", "validation"], 20)
    np.savez(stream, x=np.full((40, 64, 64), 255, np.uint8), y=np.arange(40) % 10, writer=np.arange(40), part=parts)
    write(tmp_path / "handwriting" / handwriting.SOURCES["swiss"].files[0], stream.getvalue())
    return tmp_path


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_sources_are_read_in_both_ways(handwriting_dir):
    """Each source is read by its strokes and as pictures, and the Swiss digits as pictures; all are of validation."""
    settings = Settings.from_environment({"DIGITS_DATA_DIR": str(handwriting_dir)})
    groups = list(strangers.load_for(settings, most=10))
    assert [(group.source, group.way) for group in groups] == [
        *((source, strangers.STROKES) for source in strangers.SOURCES),
        *((source, strangers.PICTURES) for source in strangers.SOURCES),
        ("swiss", strangers.PICTURES),
    ]
    assert all(len(group.drawings) == 10 for group in groups)
    assert all(drawing.part == "validation" for group in groups[:-1] for drawing in group.drawings)
    assert {drawing.writer for drawing in groups[-1].drawings} <= set(range(20, 40))
    assert prepare(groups[-1].drawings, placings=1).labels.tolist() == [one.label for one in groups[-1].drawings]
