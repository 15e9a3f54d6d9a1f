"""The judge: decides whether a glyph looks like a digit at all, or like a letter, a face or a scribble.

A network with ten classes assigns every image to one of them. The bundled convolutional network read the H of each of
27 writers as a 4, always with a confidence above 98 %. Such probabilities do not separate digits from other drawings.
So a separate small network, also trained on letters and scribbles (`digits.training.judge.fit`), judges the glyph. It
uses no classifier's output, so one judge serves every model of the ten digits.
"""

import functools
import io
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy

from digits.errors import InvalidImage, ModelNotFound
from digits.files import write_whole
from digits.settings import BUNDLED_MODELS_DIR, IMAGE_SIZE

JUDGE_FILE = BUNDLED_MODELS_DIR / "judge.npz"
TEN_DIGITS = tuple("0123456789")  # the classes that it knows

_DIRECTIONS = 8
_CELLS = 7  # on each side of the image
_SMALLEST_HOLE = 2  # pixels; a single one is a chance gap between two strokes
_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=int)
_THIN = 0.03  # the largest ratio of a line's variance across its direction to that along it
_LEVEL = np.radians(35)
_BATCH = 500  # images at once; their gradients take 50 MB


@dataclass(frozen=True, eq=False)
class Judge:
    """A small ReLU network from a glyph's features to the ten digits and the other kinds of drawings.

    It never changes, so threads may share it.

    Attributes:
        mean: float32 (features,), subtracted from the features.
        weights: float32 (inputs, outputs) for each layer.
        biases: float32 (outputs,) for each layer; the last layer's first ten outputs are the digits.
        threshold: glyphs with a lower score are refused.
    """

    mean: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    threshold: float

    @classmethod
    def load(cls, path: Path = JUDGE_FILE) -> "Judge":
        """Read a judge that `save` wrote.

        Raises:
            ModelNotFound: the file is missing or damaged.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                layers = range(sum(name.startswith("weights") for name in arrays))
                judge = cls(
                    arrays["mean"].astype(np.float32),
                    tuple(arrays[f"weights{layer}"].astype(np.float32) for layer in layers),
                    tuple(arrays[f"biases{layer}"].astype(np.float32) for layer in layers),
                    float(arrays["threshold"]),
                )
            judge._check()
        except (OSError, EOFError, ValueError, TypeError, AttributeError, LookupError, *_UNPACKING) as error:
            raise ModelNotFound(
                f"A judge of what is a digit should be at {path.name}; it cannot be read ({error}). "
                "Restore it, or fit a new one with `python -m digits.training.judge.fit`."
            ) from error
        return judge

    def save(self, path: Path) -> None:
        """Write the judge to `path` with float16 weights: half the size, and no score changes by more than 0.01."""
        arrays = {"mean": self.mean, "threshold": np.float64(self.threshold)}
        arrays |= {f"weights{layer}": _to_short_floats(weights) for layer, weights in enumerate(self.weights)}
        arrays |= {f"biases{layer}": biases for layer, biases in enumerate(self.biases)}
        with write_whole(path) as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # no array is called `allow_pickle`

    def score(self, images: np.ndarray, probabilities: np.ndarray | None = None) -> np.ndarray:
        """Return the probability that each image is a digit, in about a quarter of a millisecond per image.

        Args:
            images: uint8 (n, 28, 28), 0 is paper and 255 is ink, as `glyphs.fit` and `glyphs.fit_strokes` return them.
            probabilities: a classifier's output, float32 (n, 10). It is ignored: using it did not refuse more letters
                at the same share of refused digits.

        Returns:
            float32 (n,) in [0, 1]; 0 for an image without ink and for a dash.

        Raises:
            InvalidImage: `images` has another shape or type.
        """
        if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
            raise InvalidImage(f"`images` must be uint8 (n, 28, 28); received {images.dtype} {images.shape}.")
        batches = [self._score(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate([np.zeros(0, np.float32), *batches])

    def accepts(self, images: np.ndarray, probabilities: np.ndarray | None = None) -> np.ndarray:
        """Return whether each image looks like a digit, bool (n,); arguments and errors as for `score`."""
        return self.score(images, probabilities) >= self.threshold

    def _score(self, images: np.ndarray) -> np.ndarray:
        described = features(images)
        activations = described - self.mean
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activations = np.maximum(activations @ weights + biases, 0)
        logits = activations @ self.weights[-1] + self.biases[-1]  # (n, ten digits and the kinds of other drawings)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = powers[:, : len(TEN_DIGITS)].sum(axis=1) / powers.sum(axis=1)
        is_mark = images.any(axis=(1, 2)) & ~_is_dash(described)
        return np.where(is_mark, np.minimum(shares, 1), 0).astype(np.float32)

    def _check(self) -> None:
        """Raise ValueError unless the layers fit each other and all numbers are finite."""
        sizes = [len(self.mean), *(len(biases) for biases in self.biases)]
        expected = list(pairwise(sizes))
        if [weights.shape for weights in self.weights] != expected or sizes[0] != FEATURES:
            raise ValueError(f"its layers should be {expected} for {FEATURES} features")
        if len(expected) == 0 or sizes[-1] <= len(TEN_DIGITS):
            raise ValueError("it should tell the ten digits from something else")
        if not all(np.isfinite(array).all() for array in (self.mean, *self.weights, *self.biases)):
            raise ValueError("it should hold finite numbers")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"its threshold should lie in [0, 1] and is {self.threshold}")


def find_judge(class_names: tuple[str, ...]) -> Judge | None:
    """Return the bundled judge, read once, or None unless the classes are the ten digits.

    Raises:
        ModelNotFound: as in `Judge.load`.
    """
    return _bundled_judge() if class_names == TEN_DIGITS else None


@functools.cache
def _bundled_judge() -> Judge:
    return Judge.load()


def features(images: np.ndarray) -> np.ndarray:
    """Compute features of images: the position and direction of their edges, and their outline and topology.

    Directions in cells follow N. Dalal, B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005,
    but without blocks and normalisation, because the pen's width and grey are always the same here.

    Args:
        images: uint8 (n, 28, 28), 0 is paper and 255 is ink.

    Returns:
        float32 (n, FEATURES).
    """
    ink = images.astype(np.float32) / 255
    return np.concatenate([_edges(ink), _outline(ink), _topology(images > 127)], axis=1)


def _is_dash(described: np.ndarray) -> np.ndarray:
    """Return from features which images are a single line within 35 degrees of horizontal, bool (n,).

    The spread of a line along its direction is many times that across it. None of MNIST's 10,000 test images, and none
    of 2,200 pen digits placed on a canvas, is such a line within 40 degrees of horizontal.
    """
    first = _DIRECTIONS * _CELLS**2 + 5  # the spread follows the edges and five features of the outline
    across, down, both = described[:, first : first + 3].T  # variances and covariance
    mean, reach = (across + down) / 2, np.hypot((across - down) / 2, both)
    is_line = mean - reach < _THIN * (mean + reach)
    return is_line & (np.abs(np.arctan2(2 * both, across - down)) < 2 * _LEVEL)


def _to_short_floats(weights: np.ndarray) -> np.ndarray:
    """Round to float16 without its last bit, because the file then compresses better."""
    return (weights.astype(np.float16).view(np.uint16) & 0xFFFE).view(np.float16)


def _edges(ink: np.ndarray) -> np.ndarray:
    """Return the strength of the edges in each of 8 directions and 7×7 cells, float32 (n, 392)."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    steepness = np.hypot(across, down) + np.float32(1e-6)
    slope = np.stack([across, down], axis=1)[:, None]  # (n, 1, 2, 28, 28)
    along = np.maximum((slope * _COMPASS[:, :, None, None]).sum(axis=2), 0) / steepness[:, None]  # the cosine
    cells = _POOLING @ (np.square(np.square(along)) * steepness[:, None]) @ _POOLING.T  # (n, 8, 7, 7)
    return 1.5 * np.sqrt(cells).reshape(len(ink), -1)  # 1.5 scales them to the size of the other features


def _outline(ink: np.ndarray) -> np.ndarray:
    """Return ink, extent, spread and crossings with lines across the image, float32 (n, 12), mostly in [0, 2]."""
    line = np.arange(IMAGE_SIZE, dtype=np.float32)
    by_column, by_row = ink.sum(axis=1), ink.sum(axis=2)
    mass = by_row.sum(axis=1)
    divisor = np.maximum(mass, 1e-3)
    x = line - (by_column @ line / divisor)[:, None]  # relative to the centre of mass, (n, 28)
    y = line - (by_row @ line / divisor)[:, None]
    mask = ink > 0.5
    width, height = _extent(np.any(mask, axis=1)), _extent(np.any(mask, axis=2))
    crossings_down = (mask[:, 1:] != mask[:, :-1]).sum(axis=1)  # (n, 28), for each column
    crossings_across = (mask[:, :, 1:] != mask[:, :, :-1]).sum(axis=2)
    columns = (
        mass / 100,
        mask.sum(axis=(1, 2)) / 100,
        width / 20,
        height / 20,
        (width - height) / 20,
        (by_column * x**2).sum(axis=1) / divisor / 30,
        (by_row * y**2).sum(axis=1) / divisor / 30,
        (y * (ink @ x[:, :, None])[..., 0]).sum(axis=1) / divisor / 30,
        crossings_down.max(axis=1),
        crossings_across.max(axis=1),
        crossings_down.sum(axis=1) / 20,
        crossings_across.sum(axis=1) / 20,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _extent(occupied: np.ndarray) -> np.ndarray:
    """Return the extent from the first to the last True in each row of bool (n, 28), in pixels; 0 if there is none."""
    length = IMAGE_SIZE - occupied.argmax(axis=1) - occupied[:, ::-1].argmax(axis=1)
    return np.where(occupied.any(axis=1), length, 0)


def _topology(masks: np.ndarray) -> np.ndarray:
    """Return the counts of components and holes, up to 4, and the share of ink outside the largest component.

    Returns:
        float32 (n, 3): components, share, holes.
    """
    found = np.zeros((len(masks), 3), np.float32)
    for row, mask in enumerate(masks):
        pieces = np.bincount(scipy.ndimage.label(mask, _EIGHT_NEIGHBOURS)[0].ravel())[1:]
        # Bins 0 and 1 are the ink and the paper outside it.
        paper = np.bincount(scipy.ndimage.label(~np.pad(mask, 1))[0].ravel())[2:]
        loose = 1 - pieces.max() / pieces.sum() if len(pieces) else 0
        found[row] = min(len(pieces), 4), loose, min((paper >= _SMALLEST_HOLE).sum(), 4)
    return found


def _pooling() -> np.ndarray:
    """Return cells four pixels apart with overlapping triangular weights, float32 (7, 28)."""
    middles = np.arange(_CELLS) * 4 + 1.5
    return (np.maximum(0, 1 - np.abs(np.arange(IMAGE_SIZE) - middles[:, None]) / 4) / 4).astype(np.float32)


def _compass() -> np.ndarray:
    """Return unit vectors in the 8 directions, float32 (8, 2), x and y."""
    angles = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


_POOLING = _pooling()
_COMPASS = _compass()
_UNPACKING = (zipfile.BadZipFile, zlib.error, NotImplementedError)
FEATURES = _DIRECTIONS * _CELLS**2 + 12 + 3
