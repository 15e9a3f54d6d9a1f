"""Explanations: which ink is evidence for a class, which against it, and which part decides between the two likeliest.

A network that is one linear map is explained exactly, by weight times pixel. Any other network is run again with a
small disc of the drawing erased, for discs all over the drawing. Where erasing lowers the odds of a class, that ink is
evidence for the class (occlusion; Zeiler and Fergus, 2014, section 4.2). Such an explanation describes the model, not
the digit. An erased drawing is also unlike anything in the training data.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from digits.errors import InvalidImage
from digits.ink.glyphs import Glyph
from digits.models import weights
from digits.models.catalogue import Model
from digits.settings import IMAGE_SIZE
from digits.why import regions

_DISC = 3.0  # pixels, the radius of the discs erased to find evidence, a little wider than a stroke
_PART = 4.5  # pixels, the radius of the discs that a sentence may name
_SMALLEST = 1e-30  # smaller probabilities are raised to this, so that their logarithm exists

UNSURE = 0.6  # a prediction with a lower confidence is called unsure
_SLIGHT = 0.7  # a part that changes the log-odds by less, a factor of 2, is not decisive

_FAINT = 0.02  # log-odds per pixel of ink; colours stay pale if even the strongest evidence is weaker
_MAX_OVERLAY_SIDE = 1024  # pixels; larger photographs are reduced
_NEUTRAL = (168, 174, 181)  # ink that is no evidence either way
_CENTRE = 14.5  # where `glyphs.fit` puts the source point that `Glyph.shift` refers to, from the image's corner


@dataclass(frozen=True, eq=False)
class Evidence:
    """For each pixel, how strongly its ink speaks for one class and against another.

    Attributes:
        map: float32 (28, 28), 0 where there is no ink; above 0 the ink there speaks for `class_for`, below 0 against
            it.
        class_for: the index of the class in question.
        class_against: the class it is compared with; None for all other classes together.
        is_exact: whether `map` and `bias` sum to the difference of the two logits; with all other classes together, the
            second logit is their mean.
        bias: the difference of the logits without any ink, in the unit of `map`; 0 where it is unknown.
    """

    map: np.ndarray
    class_for: int
    class_against: int | None
    is_exact: bool
    bias: float = 0.0


@dataclass(frozen=True, eq=False)
class Contest:
    """The two likeliest classes, and the part of the drawing that decides between them.

    Attributes:
        sentence: the result in words.
        class_for, class_against: the likeliest class and the runner-up.
        region: the position of the part, such as "top left"; None when no part matters.
        without: uint8 (28, 28), the image with that part erased; None when no part matters.
        class_without: the predicted class of that image; None when no part matters.
        is_decided: whether erasing the part changes the predicted class.
        is_unsure: whether the model's confidence in the whole image is below `UNSURE`.
    """

    sentence: str
    class_for: int
    class_against: int
    region: str | None = None
    without: np.ndarray | None = None
    class_without: int | None = None
    is_decided: bool = False
    is_unsure: bool = False


def find_evidence(
    model: Model, image: np.ndarray, *, class_for: int | None = None, class_against: int | None = None
) -> Evidence:
    """Find which ink of an image is evidence for a class.

    Runs one or two batches through LiteRT, 5 to 30 ms, or none where the result is exact.

    Args:
        model: the model to explain.
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        class_for: the class in question; None for the predicted class.
        class_against: the class to compare it with; None for all other classes together.

    Raises:
        InvalidImage: `image` has another shape or type, or the two classes are equal or not among the model's.
        ModelNotFound: the model's files are damaged.

    Example:
        >>> find_evidence(model, glyph.image, class_for=7, class_against=1).map.shape
        (28, 28)
    """
    regions.check(image)
    if class_for is None:
        class_for = int(model.recogniser.probabilities(image[np.newaxis])[0].argmax())
    _check_classes(model, class_for, class_against)
    linear = weights.load(model.folder).linear
    if linear is not None:
        return _weigh_linear(linear, image, class_for, class_against)
    masks = regions.discs(image, _DISC)
    values = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    if len(masks):
        images = np.concatenate([image[np.newaxis], regions.erase_all(image, masks)])
        odds = log_odds(model.recogniser.probabilities(images), class_for, class_against)
        drops = odds[0] - odds[1:]
        pixels = image.astype(np.float32) / 255
        erased = (masks * pixels).sum(axis=(1, 2))
        # For a linear map this equals weight times pixel wherever the weight changes little within a disc.
        share = np.tensordot(drops, masks, axes=1) / np.maximum(np.tensordot(erased, masks, axes=1), 1e-6)
        values = (pixels * share).astype(np.float32)
    return Evidence(values, class_for, class_against, is_exact=False)


def log_odds(probabilities: np.ndarray, class_for: int, class_against: int | None) -> np.ndarray:
    """Return the natural logarithm of the odds of one class against another, or against all others together.

    Args:
        probabilities: float32 (n, classes).
        class_for: the class in question.
        class_against: the other class; None for all others together.

    Returns:
        float64 (n,), above 0 where `class_for` is likelier.

    Example:
        >>> log_odds(np.float32([[0.75, 0.25]]), 0, 1).round(2)
        array([1.1])
    """
    certain = probabilities.astype(np.float64)
    # sum the others instead of subtracting from 1: a probability that rounds to 1 still has finite odds
    others = np.delete(certain, class_for, axis=1).sum(axis=1) if class_against is None else certain[:, class_against]
    return np.log(np.maximum(certain[:, class_for], _SMALLEST)) - np.log(np.maximum(others, _SMALLEST))


def compare_top_two(model: Model, image: np.ndarray, class_names: Sequence[str]) -> Contest:
    """Find the part of a drawing that decides between the two likeliest classes.

    Discs and thirds of the drawing are erased one at a time, and the model predicts each result, in one or two batches
    through LiteRT. A part whose loss makes the runner-up the prediction is preferred, then one whose loss makes it any
    other class. Among several, the part that most favours the runner-up is chosen.

    Args:
        model: the model to explain.
        image: uint8 (28, 28), 0 is paper and 255 is ink.
        class_names: the names to use in the sentence.

    Raises:
        InvalidImage: `image` has another shape or type.

    Example:
        >>> compare_top_two(model, glyph.image, model.class_names).sentence
        '7 against 1: the bar at the top decided it; without it the model would read 1.'
    """
    regions.check(image)
    before = model.probabilities(image[np.newaxis])[0]
    first, second = (int(index) for index in before.argsort(kind="stable")[::-1][:2])
    is_unsure = bool(before[first] < UNSURE)
    box = regions.box(image)
    if box is None:
        return Contest("There is no ink, so no part decides.", first, second, is_unsure=True)
    opening = _opening(before, first, second, class_names, is_unsure)
    erased, is_disc = _without_parts(image, box)
    if not len(erased):
        return Contest(f"{opening} there is too little ink to erase parts of it.", first, second, is_unsure=is_unsure)
    after = model.probabilities(erased)
    drops = log_odds(before[np.newaxis], first, second)[0] - log_odds(after, first, second)
    read = after.argmax(axis=1)
    best = max(
        range(len(erased)), key=lambda at: (read[at] == second, read[at] != first, is_disc[at], float(drops[at]))
    )
    name, rival, reads = class_names[first], class_names[second], class_names[read[best]]
    if read[best] == first and drops[best] < _SLIGHT:
        sentence = f"{opening} no single part decided it; whichever part is erased, the model still reads {name}."
        return Contest(sentence, first, second, is_unsure=is_unsure)
    region = regions.place(image, erased[best], box)
    part = f"the {regions.shape(image, erased[best])} {regions.WHERE[region]}"
    if read[best] == second:
        verb = "tipped it" if is_unsure else "decided it"
        outcome = f"{part} {verb}; without it the model would read {reads}."
    elif read[best] != first:
        outcome = f"erasing no single part makes it {rival}, but without {part} the model would read {reads}."
    else:
        share = _percent(float(after[best, first]))
        outcome = (
            f"no single part decided it; {part} counted most, but without it the model still reads {name} ({share})."
        )
    is_decided = bool(read[best] != first)
    return Contest(f"{opening} {outcome}", first, second, region, erased[best], int(read[best]), is_decided, is_unsure)


def overlay(evidence: Evidence, glyph: Glyph) -> bytes:
    """Paint evidence on the visitor's own ink: blue for, orange against, grey where the ink matters little.

    Returns:
        A PNG on white of the size of `glyph.found`, reduced to 1,024 pixels on its longer side if that is larger.
    """
    height, width = glyph.size
    reduction = max(1.0, max(height, width) / _MAX_OVERLAY_SIDE)
    size = (max(1, round(width / reduction)), max(1, round(height / reduction)))
    ink = Image.fromarray(glyph.found)
    if reduction > 1:
        ink = ink.resize(size, Image.Resampling.BOX)
    strength = _on_source(_spread(evidence.map, glyph.image), glyph, size)
    tint = np.where(strength[..., None] < 0, np.array(weights.AGAINST), np.array(weights.FOR))
    amount = np.abs(strength)[..., None]
    colour = tint * amount + np.array(_NEUTRAL) * (1 - amount)
    cover = np.asarray(ink, dtype=np.float32)[..., None] / 255
    pixels = np.rint(255 * (1 - cover) + colour * cover).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def legend(evidence: Evidence, class_names: Sequence[str]) -> str:
    """Return what the overlay's colours mean, and how they were computed."""
    name, rival = class_names[evidence.class_for], _rival(evidence, class_names)
    how = (
        "Exact: each pixel counts as its ink times its weight."
        if evidence.is_exact
        else "Found by erasing small parts of the drawing, one at a time, and running the model again."
    )
    return f"Blue ink speaks for {name} and orange ink for {rival}; grey ink matters little. {how}"


def describe(evidence: Evidence, class_names: Sequence[str]) -> str:
    """Describe the overlay in a sentence, as its text alternative."""
    name, rival = class_names[evidence.class_for], _rival(evidence, class_names)
    speaking = np.abs(evidence.map)
    box = regions.box(np.rint(255 * speaking / max(float(speaking.max()), 1e-12)).astype(np.uint8), at_least=1)
    if box is None:
        return "There is no ink that could speak for or against a class."
    whole = float(speaking.sum())
    pro, contra = (_main_regions(np.maximum(sign * evidence.map, 0), box, whole) for sign in (1, -1))
    if whole < _SLIGHT or (not pro and not contra):
        return f"No ink clearly speaks for {name} or for {rival}."
    phrases = [
        f"the ink {_joined(where)} speaks for {which}" for where, which in ((pro, name), (contra, rival)) if where
    ]
    sentence = ", and ".join(phrases)
    missing = "" if pro and contra else f"; hardly any ink speaks for {rival if pro else name}"
    return f"{sentence[0].upper()}{sentence[1:]}{missing}."


def _weigh_linear(linear: weights.Linear, image: np.ndarray, class_for: int, class_against: int | None) -> Evidence:
    kernel, bias = linear.kernel, linear.bias
    if class_against is None:
        others = np.arange(kernel.shape[1]) != class_for
        against, bias_against = kernel[:, others].mean(axis=1), bias[others].mean()
    else:
        against, bias_against = kernel[:, class_against], bias[class_against]
    difference = (kernel[:, class_for] - against).reshape(IMAGE_SIZE, IMAGE_SIZE)
    values = (difference * (image.astype(np.float32) / 255)).astype(np.float32)
    return Evidence(values, class_for, class_against, is_exact=True, bias=float(bias[class_for] - bias_against))


def _check_classes(model: Model, class_for: int, class_against: int | None) -> None:
    count = len(model.class_names)
    for name, index in (("class_for", class_for), ("class_against", class_against)):
        if index is not None and not 0 <= index < count:
            raise InvalidImage(f"`{name}` must be one of the model's {count} classes, from 0; received {index}.")
    if class_for == class_against:
        raise InvalidImage(f"`class_against` must be another class than `class_for`; both are {class_for}.")


def _without_parts(image: np.ndarray, box: regions.Box) -> tuple[np.ndarray, np.ndarray]:
    """Erase each part of an image in turn.

    Returns:
        erased: uint8 (n, 28, 28), the image without each part.
        is_disc: bool (n,), whether the part was a disc.
    """
    discs, thirds = regions.discs(image, _PART), regions.thirds(box)
    erased = regions.erase_all(image, np.concatenate([discs, thirds]))
    left = erased.sum(axis=(1, 2), dtype=np.int64) / image.sum(dtype=np.int64)
    matters = (left >= 1 / 3) & (left < 1)  # enough must be left to be a drawing
    return erased[matters], (np.arange(len(erased)) < len(discs))[matters]


def _main_regions(values: np.ndarray, box: regions.Box, whole: float) -> list[str]:
    """Name at most two ninths that hold most of the values, if they hold a good share of the whole evidence."""
    sums: dict[str, float] = {}
    for row, column in np.argwhere(values > 0):
        name = regions.region(row, column, box)
        sums[name] = sums.get(name, 0.0) + float(values[row, column])
    ranked = sorted(sums, key=lambda name: -sums[name])[:2]
    return [name for name in ranked if sums[name] >= max(0.07 * whole, 0.5 * sums[ranked[0]])]


def _joined(names: Sequence[str]) -> str:
    return " and ".join(regions.WHERE[name] for name in names)


def _rival(evidence: Evidence, class_names: Sequence[str]) -> str:
    return "another class" if evidence.class_against is None else class_names[evidence.class_against]


def _opening(before: np.ndarray, first: int, second: int, class_names: Sequence[str], is_unsure: bool) -> str:
    name, rival = class_names[first], class_names[second]
    if not is_unsure:
        return f"{name} against {rival}:"
    shares = _percent(float(before[first])), _percent(float(before[second]))
    return f"The model is unsure, {name} ({shares[0]}) against {rival} ({shares[1]}):"


def _percent(share: float) -> str:
    return "over 99%" if share > 0.99 else f"{share * 100:.0f}%"


def _spread(values: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Turn evidence into a strength in [-1, 1] for each pixel, extended to the paper beside the ink.

    The visitor's pen may be wider than the network's, so there is ink where the network's image has none.
    """
    ink = image.astype(np.float32) / 255
    if not ink.any():
        return np.zeros_like(values)
    strength = scipy.ndimage.gaussian_filter(values, 1.0) / np.maximum(scipy.ndimage.gaussian_filter(ink, 1.0), 1e-3)
    inked = ink >= min(0.25, float(ink.max()))
    _, (rows, columns) = scipy.ndimage.distance_transform_edt(~inked, return_indices=True)
    largest = float(np.quantile(np.abs(strength[inked]), 0.98))
    return np.clip(strength[rows, columns] / max(largest, _FAINT), -1, 1)


def _on_source(strength: np.ndarray, glyph: Glyph, size: tuple[int, int]) -> np.ndarray:
    """Map float32 (28, 28) back onto the source picture.

    Returns:
        float (height, width) of the source, resampled to `size`, which is width and height.
    """
    height, width = glyph.size
    axes = []
    for side, pixels, shift in ((height, size[1], glyph.shift[1]), (width, size[0], glyph.shift[0])):
        source = (np.arange(pixels) + 0.5) * side / pixels  # pixel centres, measured from the source's corner
        axes.append((source - (side / 2 - shift)) * glyph.scale + _CENTRE - 0.5)
    rows, columns = np.meshgrid(*axes, indexing="ij")
    return scipy.ndimage.map_coordinates(strength, [rows, columns], order=1, mode="nearest")
