"""Data sets in four IDX files, as MNIST's: Fashion-MNIST, Kuzushiji-MNIST and EMNIST, in a folder or downloaded.

The files of a set lie in a folder with its name below `DIGITS_DATA_DIR`, gzipped or not, or among Keras's data sets.
"""

import gzip
import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from digits.data.datasets import Dataset, Source, Split
from digits.data.mnist import CHUNK_BYTES, CONNECT_TIMEOUT_SECONDS, parse_idx
from digits.errors import DatasetCorrupt, DatasetUnavailable
from digits.files import write_whole
from digits.settings import IMAGE_SIZE, Settings

VALIDATION_SHARE = 12  # the first of so many parts of the training images is for validation, as in MNIST
PARTS = ("train-images", "train-labels", "test-images", "test-labels")

Say = Callable[[str], None]


@dataclass(frozen=True)
class IdxSet:
    """The declaration of a data set in IDX files.

    Attributes:
        name: of its folder, too.
        title: its name for people.
        class_names: the names of the labels, from `first_label` on.
        origin: who collected it, and its terms, in a sentence.
        files: the names of its files without `.gz`, by part (see `PARTS`).
        url: where they are, each with `.gz`; or the archive that holds them, if it ends with `.zip`.
        md5: as its publishers give them: of each packed file by part, or of the archive.
        is_transposed: whether its images lie on their sides, as EMNIST's do.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    origin: str
    files: Mapping[str, str]
    url: str
    md5: Mapping[str, str] = field(default_factory=dict)
    is_transposed: bool = False


_AS_MNIST = dict(
    zip(
        PARTS,
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        strict=True,
    )
)
SETS = {
    one.name: one
    for one in (
        IdxSet(
            "fashion-mnist",
            "Clothes (Fashion-MNIST)",
            ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
            "Han Xiao, Kashif Rasul, Roland Vollgraf, 2017; MIT.",
            _AS_MNIST,
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            {
                "train-images": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "train-labels": "25c81989df183df01b3e8a0aad5dffbe",
                "test-images": "bef4ecab320f06d8554ea6380940ec79",
                "test-labels": "bb300cfdad3c16e7a12a480ee83cd310",
            },
        ),
        IdxSet(
            "kuzushiji-mnist",
            "Cursive Japanese (Kuzushiji-MNIST)",
            tuple("おきすつなはまやれを"),
            "T. Clanuwat et al., Deep Learning for Classical Japanese Literature, 2018; CC BY-SA 4.0.",
            _AS_MNIST,
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            {
                "train-images": "bdb82020997e1d708af4cf47b453dcf7",
                "train-labels": "e144d726b3acfaa3e44228e80efcd344",
                "test-images": "5c965bf0a639b31b8f53240b1b52f4d7",
                "test-labels": "7320c461ea6c1c855c0b718fb2a4b134",
            },
        ),
        IdxSet(
            "emnist-balanced",
            "Digits and letters (EMNIST)",
            tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
            "G. Cohen, S. Afshar, J. Tapson, A. van Schaik, IJCNN 2017; public domain.",
            {part: f"emnist-balanced-{part}-idx{3 if part.endswith('images') else 1}-ubyte" for part in PARTS},
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            {"archive": "58c8d27c78d21e728a6bc7b3cc06412e"},
            is_transposed=True,
        ),
    )
}


def find_source(one: IdxSet, settings: Settings) -> Source:
    """Return where a set would be loaded from now; raises `DatasetUnavailable` if it is not on this machine."""
    return _find(one, settings)[0]


def load(one: IdxSet, settings: Settings) -> Dataset:
    """Load a set; the first twelfth of its training images are its validation images.

    Raises:
        DatasetUnavailable: a file is missing or cannot be read.
        DatasetCorrupt: a file is damaged, or is not what the module describes.
    """
    source, folder = _find(one, settings)
    training, test = _read(one, folder, "train"), _read(one, folder, "test")
    count = len(training) // VALIDATION_SHARE
    return _build(one, source, training.rows(count), training.rows(0, count), test)


def load_test(one: IdxSet, settings: Settings) -> Dataset:
    """Load a set's test images, with `train` and `validation` empty; raises as `load`."""
    source, folder = _find(one, settings)
    test = _read(one, folder, "test")
    return _build(one, source, test.rows(0, 0), test.rows(0, 0), test)


def download(one: IdxSet, settings: Settings, say: Say) -> None:
    """Download a set among Keras's data sets, and go on where an earlier download was cut off.

    Args:
        one: the set.
        settings: they name Keras's folder; the caller must check `may_download`.
        say: called with a short sentence about the progress for every few kilobytes; what it raises is passed on.

    Raises:
        DatasetUnavailable: the address cannot be reached, or the folder cannot be written.
        DatasetCorrupt: what came is not what its publishers published; it is deleted.
    """
    folder = _cache(one, settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if one.url.endswith(".zip"):
            archive = folder / "archive.zip.part"
            _fetch(one.url, archive, one.md5["archive"], partial(_tell, say, f"Downloading {one.title}"))
            _unpack(one, archive, folder)
            archive.unlink()
        else:
            for number, (part, file) in enumerate(one.files.items(), start=1):
                words = f"Downloading {one.title}, file {number} of {len(one.files)}"
                path, tell = folder / f"{file}.gz.part", partial(_tell, say, words)
                _fetch(f"{one.url}{file}.gz", path, one.md5[part], tell)
                path.replace(folder / f"{file}.gz")
    except OSError as error:
        raise DatasetUnavailable(
            f"{one.title} must be downloaded from {one.url}; {error}. Check the connection and the disk, or put its "
            f"files into {one.name}/ below a folder and set DIGITS_DATA_DIR to it."
        ) from error


def _tell(say: Say, words: str, share: float) -> None:
    say(f"{words}, {share:.0%}")


def _fetch(url: str, path: Path, md5: str, on_share: Callable[[float], None]) -> None:
    """Download a file, continuing what is there of it; raises `OSError` or `DatasetCorrupt`."""
    begun = path.stat().st_size if path.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})
    try:
        response = urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # the file is complete already
            raise OSError(f"the server answered {error.code}") from error
        response = None
    if response is not None:
        is_continued = response.status == http.client.PARTIAL_CONTENT
        done = begun if is_continued else 0
        total = done + (response.length or 0)
        with response, path.open("ab" if is_continued else "wb") as stream:
            while chunk := response.read(CHUNK_BYTES):
                stream.write(chunk)
                done += len(chunk)
                on_share(done / max(total, done))
    with path.open("rb") as stream:
        received = hashlib.file_digest(stream, "md5").hexdigest()
    if received != md5:
        path.unlink()
        raise DatasetCorrupt(f"{url} must have the MD5 {md5}; received {received}. Try again.")


def _unpack(one: IdxSet, archive: Path, folder: Path) -> None:
    """Take a set's files out of an archive whose checksum is right."""
    with zipfile.ZipFile(archive) as members:
        names = {Path(name).name: name for name in members.namelist()}
        for file in one.files.values():
            with members.open(names[f"{file}.gz"]) as member, write_whole(folder / f"{file}.gz") as stream:
                shutil.copyfileobj(member, stream)


def _cache(one: IdxSet, settings: Settings) -> Path:
    return settings.keras_home / "datasets" / one.name


def _find(one: IdxSet, settings: Settings) -> tuple[Source, Path]:
    """Return the first place that has all files of a set."""
    places = [(Source.KERAS_CACHE, _cache(one, settings))]
    if settings.data_dir is not None:
        places.insert(0, (Source.FOLDER, settings.data_dir / one.name))
    for source, folder in places:
        if all(_path(folder, file).is_file() for file in one.files.values()):
            return source, folder
    raise DatasetUnavailable(
        f"{one.title} must be on this machine; it is not. Start a run with it, which downloads it where downloads are "
        f"allowed, or put its four files into {one.name}/ below the folder of DIGITS_DATA_DIR."
    )


def _path(folder: Path, file: str) -> Path:
    packed = folder / f"{file}.gz"
    return packed if packed.is_file() else folder / file


def _read(one: IdxSet, folder: Path, part: str) -> Split:
    arrays = []
    for kind, dimensions in (("images", 3), ("labels", 1)):
        path = _path(folder, one.files[f"{part}-{kind}"])
        try:
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DatasetCorrupt(
                f"{path} must be whole; {error}. Delete it, and it can be downloaded again."
            ) from error
        except OSError as error:
            raise DatasetUnavailable(f"{path} must be readable; {error}.") from error
        arrays.append(parse_idx(content, str(path), dimensions=dimensions))
    images, labels = arrays
    if images.shape != (len(labels), IMAGE_SIZE, IMAGE_SIZE) or (len(labels) and labels.max() >= len(one.class_names)):
        raise DatasetCorrupt(
            f"{folder} must hold images of 28×28 pixels and labels below {len(one.class_names)}; received images of "
            f"{images.shape} and labels up to {labels.max(initial=0)}. Replace the files."
        )
    return Split(np.ascontiguousarray(images.transpose(0, 2, 1)) if one.is_transposed else images, labels)


def _build(one: IdxSet, source: Source, train: Split, validation: Split, test: Split) -> Dataset:
    where = "the folder set in DIGITS_DATA_DIR" if source is Source.FOLDER else "Keras's cache on this machine"
    sentence = f"{one.title}, {len(one.class_names)} classes, {len(test):,} test images, from {where}."
    return Dataset(one.name, source, sentence, one.class_names, True, train, validation, test)
