"""explanations: the stated effect of the ink is its real effect, and the overlay lies on the ink."""

import io
import re
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from digits.errors import InvalidImage
from digits.ink import glyphs, pen
from digits.models import catalogue, weights
from digits.why import explanations, regions

MODELS = {model.id: model for model in catalogue.bundled() if model.card.dataset == "mnist"}
BLANK = np.zeros((28, 28), np.uint8)
NAMES = tuple("0123456789")
SEVEN = [np.array([[40, 50], [220, 50], [210, 90], [130, 250]], np.float32)]


@pytest.fixture(scope="module")
def digits(sample):
    """Two images of each digit, uint8 (20, 28, 28)."""
    return sample.test.images[:20]


@pytest.fixture(params=sorted(MODELS))
def model(request):
    return MODELS[request.param]


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def stub(folder, read, class_names=NAMES):
    """A model whose probabilities are `read(images)`."""
    recogniser = types.SimpleNamespace(probabilities=lambda images: read(images).astype(np.float32))
    return types.SimpleNamespace(
        recogniser=recogniser, probabilities=recogniser.probabilities, folder=folder, class_names=class_names
    )


def constant(probabilities):
    return lambda images: np.tile(probabilities, (len(images), 1))


# Evidence


@pytest.mark.parametrize("name", [name for name in ("softmax", "published") if name in MODELS])
def test_linear_evidence_sums_to_the_difference_of_logits(name, digits):
    """For a linear network, map and bias add up to the log-odds of the two classes."""
    model = MODELS[name]
    for image in digits:
        probabilities = model.recogniser.probabilities(image[np.newaxis])
        second, first = probabilities[0].argsort()[-2:]
        evidence = explanations.find_evidence(model, image, class_against=int(second))
        assert evidence.is_exact
        assert evidence.class_for == first
        expected = explanations.log_odds(probabilities, int(first), int(second))[0]
        assert evidence.map.sum() + evidence.bias == pytest.approx(expected, abs=0.01 if name == "softmax" else 0.05)


@pytest.mark.parametrize("name", [name for name in ("softmax", "published") if name in MODELS])
def test_linear_evidence_against_all_takes_their_mean_logit(name, digits):
    """Without a rival, the comparison is with the mean of the other classes' logits."""
    model = MODELS[name]
    logits = weights.load(model.folder).linear.logits(digits[:1])[0]
    evidence = explanations.find_evidence(model, digits[0], class_for=3)
    assert evidence.class_against is None
    assert evidence.map.sum() + evidence.bias == pytest.approx(logits[3] - np.delete(logits, 3).mean(), abs=1e-3)


def test_evidence_of_a_blank_image_is_zero(model):
    """Without ink there is no evidence, and the words say so."""
    evidence = explanations.find_evidence(model, BLANK)
    assert evidence.map.dtype == np.float32
    assert evidence.map.shape == (28, 28)
    assert not evidence.map.any()
    assert explanations.describe(evidence, NAMES) == "There is no ink that could speak for or against a class."


def test_evidence_lies_on_the_ink_alone(model, digits):
    """Paper has no evidence, and some ink has."""
    for image in digits[:5]:
        evidence = explanations.find_evidence(model, image)
        assert not evidence.map[image == 0].any()
        assert evidence.map.any()


def test_erasing_the_most_supporting_patch_lowers_the_class(model, digits):
    """If ink supports a class, that class is less likely without it."""
    for image in digits:
        evidence = explanations.find_evidence(model, image)
        row, column = np.unravel_index(ndimage.gaussian_filter(evidence.map, 2).argmax(), (28, 28))
        pair = np.stack([image, regions.erase(image, row, column, radius=3)])
        odds = explanations.log_odds(model.recogniser.probabilities(pair), evidence.class_for, None)
        assert odds[1] < odds[0]


def test_evidence_turns_with_the_question(model, digits):
    """Evidence for one class against another is evidence against the other."""
    one = explanations.find_evidence(model, digits[0], class_for=3, class_against=8)
    other = explanations.find_evidence(model, digits[0], class_for=8, class_against=3)
    np.testing.assert_allclose(one.map, -other.map, atol=1e-4)


def test_occlusion_gives_back_a_linear_map_that_changes_slowly(tmp_path, digits):
    """Erasing discs and multiplying weights agree if both can be computed."""
    slope = np.linspace(-1, 1, 28) * np.ones((28, 1))
    odds = lambda images: (images / 255 * slope).sum(axis=(1, 2))  # noqa: E731

    def read(images):
        yes = 1 / (1 + np.exp(-odds(images) / 10))
        return np.stack([yes, 1 - yes], axis=-1)

    evidence = explanations.find_evidence(stub(tmp_path, read, ("yes", "no")), digits[0], class_for=0)
    assert not evidence.is_exact
    np.testing.assert_allclose(evidence.map, digits[0] / 255 * slope / 10, atol=0.01)


def test_odds_of_a_certain_class_still_differ():
    """Two probabilities that round to 1 are distinguished by their distance from 1."""
    odds = explanations.log_odds(np.array([[1, 1e-12], [1, 1e-20], [1, 0]], np.float32), 0, None)
    assert odds[0] < odds[1] < odds[2] < np.inf


@pytest.mark.parametrize("image", [np.zeros((28, 28)), np.zeros((27, 28), np.uint8), np.zeros((1, 28, 28), np.uint8)])
def test_what_is_no_image_is_refused(image):
    """The message says what was expected and what was received."""
    for ask in (
        lambda: explanations.find_evidence(MODELS["softmax"], image),
        lambda: regions.erase(image, 3, 3, radius=2),
    ):
        with pytest.raises(InvalidImage, match=r"uint8 \(28, 28\); received"):
            ask()
    with pytest.raises(InvalidImage):
        explanations.compare_top_two(MODELS["softmax"], image, NAMES)


@pytest.mark.parametrize(("class_for", "class_against"), [(10, None), (-1, None), (3, 3), (0, 11)])
def test_classes_that_make_no_question_are_refused(class_for, class_against):
    """The class must be one of the model's, and different from its rival."""
    with pytest.raises(InvalidImage, match=r"`class_(for|against)` must be"):
        explanations.find_evidence(MODELS["softmax"], BLANK, class_for=class_for, class_against=class_against)


# The contest


def test_the_bar_decides_between_seven_and_one(tmp_path):
    """For a model that reads 7 only because of the bar, the bar is named as decisive."""

    def read(images):
        has_bar = images[:, 7:12, 4:24].max(axis=1).mean(axis=1) > 150
        probabilities = np.full((len(images), 10), 0.01)
        probabilities[np.arange(len(images)), np.where(has_bar, 7, 1)] = 0.8
        probabilities[np.arange(len(images)), np.where(has_bar, 1, 7)] = 0.12
        return probabilities

    glyph = glyphs.fit_strokes(SEVEN)
    contest = explanations.compare_top_two(stub(tmp_path, read), glyph.image, NAMES)
    expected = (
        r"7 against 1: the (bar|stroke) at the top( left| right)? decided it; without it the model would read 1\."
    )
    assert re.fullmatch(expected, contest.sentence)
    assert contest.is_decided
    assert contest.class_without == 1
    assert contest.without.sum() < glyph.image.sum()


def test_the_sentence_keeps_what_it_says(model, digits):
    """Erasing the named ink has the effect that the sentence states."""
    for image in digits:
        contest = explanations.compare_top_two(model, image, NAMES)
        if contest.without is None:
            assert "no part" in contest.sentence
            continue
        after = model.recogniser.probabilities(np.stack([contest.without] * 2))[0]
        assert contest.class_without == after.argmax()
        assert contest.is_decided == (contest.class_without != contest.class_for)
        assert ("decided it; without" in contest.sentence) <= (contest.class_without == contest.class_against)
        assert (
            f"read {contest.class_without}." in contest.sentence or f"reads {contest.class_for} (" in contest.sentence
        )
        assert regions.WHERE[contest.region] in contest.sentence


def test_a_loop_is_called_one():
    """The words distinguish opening a loop from cutting a line."""
    rows, columns = np.mgrid[:28, :28]
    ring = (255 * (np.abs(np.hypot(rows - 14, columns - 14) - 7) < 1.5)).astype(np.uint8)
    assert regions.shape(ring, regions.erase(ring, 7, 14, radius=4)) == "loop"
    line = np.zeros((28, 28), np.uint8)
    line[13:16, 4:24] = 255
    assert regions.shape(line, regions.erase(line, 14, 8, radius=4.5)) == "bar"
    assert regions.shape(line.T, regions.erase(line.T, 8, 14, radius=4.5)) == "stem"


def test_nothing_decides_where_nothing_changes(tmp_path, digits):
    """If no erasure changes the reading, the words say so."""
    contest = explanations.compare_top_two(stub(tmp_path, constant([0.9, 0.1])), digits[0], ("a", "b"))
    assert contest.sentence.startswith("a against b: no single part decided it")
    assert contest.without is None
    assert not contest.is_decided


def test_a_model_that_hesitates_is_called_unsure(tmp_path, digits):
    """Close probabilities are described as unsure."""
    contest = explanations.compare_top_two(stub(tmp_path, constant([0.3, 0.45, 0.25])), digits[0], ("a", "b", "c"))
    assert contest.is_unsure
    assert contest.sentence.startswith("The model is unsure, b (45%) against a (30%): ")


def test_no_ink_decides_nothing(model):
    """A blank image has no deciding ink."""
    contest = explanations.compare_top_two(model, BLANK, NAMES)
    assert contest.sentence == "There is no ink, so no part decides."
    assert contest.is_unsure


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 30, 784]))
def test_any_image_can_be_explained(seed, pixels):
    """Dots, dust and noise are explained without an error."""
    random = np.random.default_rng(seed)
    image = np.zeros(784, np.uint8)
    image[random.choice(784, pixels, replace=False)] = random.integers(1, 256, pixels)
    image = image.reshape(28, 28)
    model = MODELS["corrected"]
    evidence = explanations.find_evidence(model, image)
    assert np.isfinite(evidence.map).all()
    assert explanations.describe(evidence, NAMES).endswith(".")
    assert explanations.compare_top_two(model, image, NAMES).sentence.endswith(".")


def test_discs_reach_all_ink(digits):
    """The discs cover all ink, even a single dot."""
    dot = np.zeros((28, 28), np.uint8)
    dot[13, 27] = 1
    for image in [*digits, dot, np.full((28, 28), 255, np.uint8)]:
        masks = regions.discs(image, 3.0)
        assert len(masks) <= 196
        assert (masks.max(axis=0)[image > 0] == 1).all()


@pytest.mark.parametrize(
    ("row", "column", "box", "expected"),
    [
        (0, 0, (0, 0, 20, 20), "top left"),
        (10, 10, (0, 0, 20, 20), "middle"),
        (10, 19, (0, 0, 20, 20), "right"),
        (19, 10, (0, 0, 20, 20), "bottom"),
        (5, 13, (12, 4, 16, 24), "top"),  # a 1 has no distinct left and right
        (14, 5, (4, 13, 24, 16), "left"),  # a dash has no distinct top and bottom
        (27, 27, (4, 4, 8, 8), "bottom right"),
    ],
)
def test_regions_are_named_as_seen(row, column, box, expected):
    """A point is named after its ninth of the drawing's box."""
    assert regions.region(row, column, box) == expected


# The overlay


def ramp(class_for=7, class_against=1):
    """Evidence for the class in the upper half and against it in the lower half."""
    values = np.where(np.arange(28) < 14, 1, -1)[:, None] * np.ones((28, 28), np.float32)
    return lambda image: explanations.Evidence(values * image / 255, class_for, class_against, is_exact=False)


@pytest.mark.parametrize("scale", [0.25, 0.6, 1.0])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_overlay_lands_on_the_ink(scale, right, down):
    """At any place and size, the upper half is blue, the lower half orange and the rest white."""
    size = np.array([280, 280])
    strokes = [stroke * scale + (size - 280 * scale) * (right, down) for stroke in SEVEN]
    glyph = glyphs.fit_strokes(strokes, pen_width=20 * scale)
    picture = opened(explanations.overlay(ramp()(glyph.image), glyph))
    assert picture.shape == (280, 280, 3)
    assert (picture[glyph.found == 0] == 255).all()
    inked = glyph.found == 255
    is_blue, is_orange = (
        inked & (np.abs(picture - colour).max(axis=2) < 40) for colour in (weights.FOR, weights.AGAINST)
    )
    assert (is_blue | is_orange)[inked].mean() > 0.8
    # the image's middle row, where the evidence changes sign, in canvas pixels, by definition of glyph.shift
    middle = 280 / 2 - glyph.shift[1] + (14 - 14.5) / glyph.scale
    assert np.flatnonzero(is_blue.any(axis=1)).max() <= middle + 1
    assert np.flatnonzero(is_orange.any(axis=1)).min() >= middle - 1


def test_a_glyph_laid_back_covers_the_drawing():
    """`glyphs` moves the point that `Glyph.shift` describes to where the overlay expects it."""
    strokes = [stroke * 0.4 + np.float32([150, 20]) for stroke in SEVEN]
    glyph = glyphs.fit_strokes(strokes, pen_width=pen.PEN_WIDTH / 0.24)
    glyph = glyphs.fit_strokes(strokes, pen_width=pen.PEN_WIDTH / glyph.scale)
    x0, y0, x1, y1 = glyph.box
    found = glyph.found[y0:y1, x0:x1].ravel()
    back = explanations._on_source(glyph.image.astype(np.float32), glyph, (280, 280))
    likeness = {
        (down, right): np.corrcoef(back[y0 + down : y1 + down, x0 + right : x1 + right].ravel(), found)[0, 1]
        for down in range(-4, 5)
        for right in range(-4, 5)
    }
    assert max(likeness.values()) > 0.95
    assert np.abs(max(likeness, key=likeness.get)).max() <= 1


def test_overlay_of_a_photograph_is_reduced():
    """The overlay of a large picture is small, with the same proportions and position."""
    ink = np.zeros((1500, 3000), np.float32)
    ink[200:900, 2400:2500] = 1
    glyph = glyphs.fit(ink)
    picture = opened(explanations.overlay(ramp()(glyph.image), glyph))
    assert picture.shape == (512, 1024, 3)
    rows, columns = np.nonzero((picture < 255).any(axis=2))
    assert (rows.min(), columns.min()) == pytest.approx((200 * 1024 / 3000, 2400 * 1024 / 3000), abs=1.5)


def test_overlay_without_evidence_is_grey():
    """Ink without evidence is grey, and weak evidence is pale."""
    glyph = glyphs.fit_strokes(SEVEN)
    nothing = explanations.Evidence(np.zeros((28, 28), np.float32), 7, None, is_exact=False)
    picture = opened(explanations.overlay(nothing, glyph))
    assert np.ptp(picture[glyph.found == 255], axis=1).max() < 20


def test_words_say_what_the_colours_say():
    """The legend names both classes; the text alternative says where the evidence for each lies."""
    glyph = glyphs.fit_strokes(SEVEN)
    evidence = ramp()(glyph.image)
    legend = explanations.legend(evidence, NAMES)
    assert legend.startswith("Blue ink speaks for 7 and orange ink for 1; grey ink matters little. Found by erasing")
    words = explanations.describe(evidence, NAMES)
    assert "top" in words.split(" speaks for 7")[0]
    assert "bottom" in words.split(" speaks for 7")[1]
    assert words.endswith("speaks for 1.")
    exact = explanations.find_evidence(MODELS["softmax"], glyph.image)
    assert "another class" in explanations.legend(exact, NAMES)
    assert explanations.legend(exact, NAMES).endswith("Exact: each pixel counts as its ink times its weight.")
