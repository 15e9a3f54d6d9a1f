"""pairs: two IDX files become drawings within bounds, or are refused in words."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.data import pairs
from digits.errors import InvalidSet

MOST = 100


def idx(array):
    """An array uint8 in the format of MNIST's files."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = (np.arange(12 * 784).reshape(12, 28, 28) * np.arange(1, 13)[:, None, None] % 251).astype(np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 2 + 3


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_is_read_in_any_order(pack, turned):
    files = [pack(idx(IMAGES)), pack(idx(LABELS))]
    assert all(map(pairs.is_one, files))
    found = pairs.read(files[::-1] if turned else files, most=MOST)
    assert found.counts == {"3": 6, "4": 6}
    assert np.array_equal(found.samples[5].image, IMAGES[5])
    assert found.left_out == {}


def test_blank_and_repeated_images_are_left_out():
    images = np.concatenate([IMAGES, IMAGES[:1], np.zeros((2, 28, 28), np.uint8)])
    found = pairs.read([idx(images), idx(np.append(LABELS, [3, 3, 3]).astype(np.uint8))], most=MOST)
    assert (len(found.samples), found.left_out) == (12, {"there twice": 1, "blank": 2})


BOMB = gzip.compress(idx(IMAGES)[:16] + bytes(50_000_000))
BAD = {
    "one file": ([idx(IMAGES)], "come as two"),
    "two of images": ([idx(IMAGES), idx(IMAGES)], "both have images"),
    "others' labels": ([idx(IMAGES), idx(LABELS[:5])], "belong together"),
    "images of another size": ([idx(IMAGES[:, :14]), idx(LABELS)], "28×28"),
    "too many": ([idx(np.repeat(IMAGES, 9, axis=0)), idx(np.repeat(LABELS, 9))], "may have 100 drawings"),
    "cut off": ([idx(IMAGES)[:-5], idx(LABELS)], "as long as its header"),
    "a bomb": ([BOMB, idx(LABELS)], "may unpack to"),
    "a false count": ([IMAGES[:1].tobytes().join([idx(IMAGES)[:4], b""]), idx(LABELS)], "header|drawings"),
    "damaged gzip": ([gzip.compress(idx(IMAGES))[:200], idx(LABELS)], "damaged"),
    "something else packed": ([gzip.compress(b"words"), idx(LABELS)], "one byte each"),
    "all blank": ([idx(np.zeros_like(IMAGES)), idx(LABELS)], "no drawing that can be taken"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_pair_is_refused_with_what_to_do(name):
    contents, words = BAD[name]
    with pytest.raises(InvalidSet, match=words) as caught:
        pairs.read(contents, most=MOST)
    assert str(caught.value).endswith((".", "once"))


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_any_bytes_are_refused(one, other, packed):
    if packed:
        one = gzip.compress(one)
    with pytest.raises(InvalidSet):
        pairs.read([one, other], most=MOST)
