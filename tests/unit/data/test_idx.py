"""idx: sets in four IDX files are read from a folder, or downloaded, checked, and continued where they were cut off."""

import dataclasses
import gzip
import hashlib
import io
import re
import struct
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from digits.data import idx
from digits.data.datasets import Source
from digits.errors import DatasetCorrupt, DatasetUnavailable
from digits.settings import Settings

FASHION, BALANCED = idx.SETS["fashion-mnist"], idx.SETS["emnist-balanced"]


def as_idx(array):
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def arrays():
    """Arrays of 24 training and 5 test images, by part."""
    random = np.random.default_rng(0)
    return {
        "train-images": random.integers(0, 256, (24, 28, 28), np.uint8),
        "train-labels": (np.arange(24) % 10).astype(np.uint8),
        "test-images": random.integers(0, 256, (5, 28, 28), np.uint8),
        "test-labels": np.arange(5).astype(np.uint8),
    }


def settings_in(tmp_path, *, with_folder=False):
    folder = {"DIGITS_DATA_DIR": str(tmp_path / "data")} if with_folder else {}
    return Settings.from_environment({"KERAS_HOME": str(tmp_path / "keras"), **folder})


def put(one, folder, arrays, *, packed):
    folder.mkdir(parents=True)
    for part, file in one.files.items():
        content = as_idx(arrays[part])
        (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(content) if packed else content)


@contextmanager
def served(files, *, cut_at=None):
    """Serve files by name, with ranges; the first answer ends after `cut_at` bytes."""
    cuts = [cut_at] if cut_at else []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = files[self.path.rsplit("/", 1)[-1]]
            begun = int(re.search(r"\d+", self.headers.get("Range", "0"))[0])
            self.send_response(206 if begun else 200)
            self.send_header("Content-Length", str(len(content) - begun))
            self.end_headers()
            self.wfile.write(content[begun : begun + cuts.pop() if cuts else None])

        def log_message(self, *args):
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def at(one, url, files):
    """Return a declaration whose files are at another address."""
    md5 = {part: hashlib.md5(files[f"{file}.gz"]).hexdigest() for part, file in one.files.items()}
    return dataclasses.replace(one, url=url, md5=md5)


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_read(arrays, tmp_path, packed):
    """Two of 24 training images are for validation, and the classes have names."""
    put(FASHION, tmp_path / "data" / "fashion-mnist", arrays, packed=packed)
    settings = settings_in(tmp_path, with_folder=True)
    dataset = idx.load(FASHION, settings)
    assert idx.find_source(FASHION, settings) is dataset.source is Source.FOLDER
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [22, 2, 5]
    assert np.array_equal(dataset.train.images, arrays["train-images"][2:])
    assert dataset.class_names[7] == "sneaker"
    assert np.array_equal(idx.load_test(FASHION, settings).test.images, arrays["test-images"])


def test_emnist_stands_upright(arrays, tmp_path):
    """Its images lie on their sides in its files."""
    put(BALANCED, tmp_path / "data" / "emnist-balanced", arrays, packed=True)
    test = idx.load_test(BALANCED, settings_in(tmp_path, with_folder=True)).test
    assert np.array_equal(test.images[0], arrays["test-images"][0].T)


def test_what_is_missing_or_wrong_is_said(arrays, tmp_path):
    settings = settings_in(tmp_path, with_folder=True)
    with pytest.raises(DatasetUnavailable, match=r"must be on this machine.*Start a run with it"):
        idx.load(FASHION, settings)
    arrays["test-labels"][0] = 11
    put(FASHION, tmp_path / "data" / "fashion-mnist", arrays, packed=False)
    with pytest.raises(DatasetCorrupt, match=r"labels below 10.*up to 11"):
        idx.load_test(FASHION, settings)


def test_a_download_goes_on_where_it_was_cut_off(arrays, tmp_path):
    """The second try asks for the rest; all is told, checked and then in its place."""
    files = {f"{file}.gz": gzip.compress(as_idx(arrays[part])) for part, file in FASHION.files.items()}
    said, settings = [], settings_in(tmp_path)
    with served(files, cut_at=5000) as url:
        one = at(FASHION, url, files)
        with pytest.raises((DatasetUnavailable, DatasetCorrupt)):
            idx.download(one, settings, said.append)
        idx.download(one, settings, said.append)
    assert np.array_equal(idx.load(one, settings).test.labels, arrays["test-labels"])
    assert idx.find_source(one, settings) is Source.KERAS_CACHE
    assert said[-1] == "Downloading Clothes (Fashion-MNIST), file 4 of 4, 100%"
    assert not list(tmp_path.rglob("*.part"))


def test_an_archive_is_taken_apart(arrays, tmp_path):
    """EMNIST comes as one archive with a checksum of its own; nothing but the wanted files is kept."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("gzip/other.gz", b"")
        for part, file in BALANCED.files.items():
            archive.writestr(f"gzip/{file}.gz", gzip.compress(as_idx(arrays[part])))
    content = stream.getvalue()
    with served({"gzip.zip": content}) as url:
        md5 = {"archive": hashlib.md5(content).hexdigest()}
        one = dataclasses.replace(BALANCED, url=f"{url}gzip.zip", md5=md5)
        idx.download(one, settings_in(tmp_path), lambda words: None)
    names = sorted(path.name for path in (tmp_path / "keras" / "datasets" / "emnist-balanced").iterdir())
    assert names == sorted(f"{file}.gz" for file in BALANCED.files.values())


def test_other_bytes_are_refused(arrays, tmp_path):
    """A wrong download, as from a captive portal, is discarded."""
    files = {f"{file}.gz": b"<html>Please log in</html>" for file in FASHION.files.values()}
    with served(files) as url, pytest.raises(DatasetCorrupt, match="must have the MD5"):
        idx.download(dataclasses.replace(FASHION, url=url), settings_in(tmp_path), lambda words: None)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
