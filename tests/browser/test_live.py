"""The reader in the browser reads what the server reads: the same images, digits, refusals and words."""

import hashlib
import os

import numpy as np
import pytest
from playwright.sync_api import Error as PlaywrightError

from digits.data import allographs, handwriting, samples, sets
from digits.data.datasets import CLASS_NAMES
from digits.errors import InvalidImage
from digits.ink import cases
from digits.models import answers, catalogue, weights
from digits.models.reading import read_strokes
from digits.settings import Settings
from digits.training.judge import scribbles
from digits.views import live as served
from tests.browser import actions, live
from tests.unit.ink import test_pen

MODELS = [model.id for model in catalogue.bundled()]
ANGLE = np.float32([[60, 40], [30, 110], [95, 110]])  # the beginning of a 4
SCRIBBLE = np.float32([[60 + 40 * (step % 2), 60 + 9 * step] for step in range(16)])
DASH = np.float32([[60, 100], [200, 104]])
TAP = np.float32([[140, 140]])


@pytest.fixture(scope="module")
def address():
    with live.served() as found:
        yield found


@pytest.fixture
def page(browser, address):
    with live.empty_page(browser, address) as found:
        yield found


@pytest.fixture(scope="module")
def model():
    return catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())


def beside(*drawings, gap):
    """Put drawings side by side, each 100 pixels high and so many pixels from the one before."""
    strokes, right = [], 20.0
    for drawing in drawings:
        points = np.concatenate(drawing)
        scale = 100 / max(1.0, float(np.ptp(points, axis=0).max()))
        strokes += [((stroke - points.min(axis=0)) * scale + [right, 60]).astype(np.float32) for stroke in drawing]
        right += float(np.ptp(points[:, 0])) * scale + gap
    return strokes


def numbers(count, seed=0):
    """Compose numbers of two to five digits: apart, touching, overlapping, on two lines, with late bars."""
    rng = np.random.default_rng(seed)
    drawings = [drawing.strokes for drawing in samples.load(samples.EXAMPLES)]
    for turn in range(count):
        chosen = [drawings[place] for place in rng.integers(len(drawings), size=rng.integers(2, 6))]
        number = beside(*chosen, gap=float(rng.uniform(-20, 25)))
        if turn % 4 == 1:
            number += [stroke + np.float32([rng.uniform(-10, 10), 150]) for stroke in number]
        if turn % 4 == 2:
            number.sort(key=len, reverse=True)
        yield number


def compare(page, drawings, model, *, size=live.SIZE, **options):
    """Return how the browser's readings differ from the server's, for each drawing that differs."""
    found = live.read(page, drawings, model.id, size=size, **options)
    expected = [read_strokes(strokes, model, size=size, pen_width=live.PEN_WIDTH) for strokes in drawings]
    rows = (live.differences(one, reading, model.class_names) for one, reading in zip(found, expected, strict=True))
    return {place: row for place, row in enumerate(rows) if row}


def test_the_pen_draws_the_golden_images(page):
    """The images that Python's pen must draw, to the byte."""
    rng = np.random.default_rng(7)
    shapes = [[np.rint(stroke * 16) / 16 for stroke in allographs.draw(digit, rng)] for digit in range(10)]
    images = page.evaluate(
        """async ({ path, shapes }) => {
          const { draw } = await import(path)
          return shapes.map(shape => [...draw(shape.map(stroke => Float32Array.from(stroke.flat())), 8).image])
        }""",
        {"path": script("pen.js"), "shapes": [[stroke.tolist() for stroke in shape] for shape in shapes]},
    )
    assert hashlib.sha256(np.uint8(images).tobytes()).hexdigest() == test_pen.GOLDEN


def test_reads_real_digits_as_the_server_does(page, model):
    """The drawings that are part of Digits; `benchmarks/live_parity.py` compares thousands."""
    drawings = [*samples.load(samples.STRANGERS)[::2], *samples.load(samples.EXAMPLES)[::4]]
    assert not compare(page, [drawing.strokes for drawing in drawings], model)


def test_divides_numbers_as_the_server_does(page, model):
    assert not compare(page, list(numbers(50)), model, size=(330, 700))


@pytest.mark.skipif(not os.environ.get("DIGITS_DATA_DIR"), reason="real handwriting is needed")
def test_refuses_real_letters_as_the_server_does(page, model):
    """Letters and signs are hard for grouping and judge; each must end in the same way."""
    folder = Settings.from_environment().data_dir
    drawings = handwriting.load_strokes(folder, "unipen", "validation", None)
    drawings = [drawing.strokes for drawing in drawings if drawing.label not in CLASS_NAMES]
    assert not compare(page, drawings[:: len(drawings) // 300], model)


@pytest.mark.parametrize("model_id", ["capitals", "characters"])
def test_refuses_scribbles_among_letters_as_the_server_does(page, model_id):
    """A scribble, a dash or a dot is no letter either, alone and beside letters."""
    rng, model = np.random.default_rng(6), catalogue.find(model_id, Settings.from_environment())
    drawn = [[DASH], [DASH[:1]], [SCRIBBLE], *(scribbles.draw(kind, rng) for kind in scribbles.NAMED)]
    letters = [drawing.strokes for drawing in samples.load(samples.LETTER_STRANGERS)[::60]]
    drawings = [*drawn, *letters, *(beside(a, b, gap=30) for a, b in zip(drawn, letters, strict=False))]
    assert not compare(page, drawings, model, size=(330, 900))
    readings = [read_strokes(strokes, model, size=(330, 900)) for strokes in drawn]
    assert not any(reading.accepted.any() for reading in readings[:2])
    assert np.mean([reading.accepted.all() for reading in readings]) < 0.5


@pytest.mark.parametrize("engine", ["simd", "plain"])
@pytest.mark.parametrize("model_id", MODELS)
def test_every_model_runs_in_both_ways(page, model_id, engine):
    model = catalogue.find(model_id, Settings.from_environment())
    drawings = [drawing.strokes for drawing in samples.load(samples.STRANGERS)[::46]]
    assert not compare(page, [*drawings, *numbers(2)], model, engine=engine, size=(330, 700))


def test_tells_the_case_of_letters_as_the_server_does(page):
    """Of any line, and of words of letters in several sizes; some get a case, and some are left open."""
    rng, names = np.random.default_rng(5), sets.find("characters").class_names
    folded, lines = sorted(cases.FOLDED["characters"]), []
    for _ in range(400):
        spans = np.sort(rng.uniform(0, 200, (rng.integers(1, 9), 2))).tolist()
        lines.append(([names[place] for place in rng.integers(len(names), size=len(spans))], spans))
    found = page.evaluate(
        """async ({ path, lines, folded }) => {
          const { decide } = await import(path)
          return lines.map(([names, spans]) => decide(names, spans, folded))
        }""",
        {"path": script("cases.js"), "lines": lines, "folded": "".join(folded)},
    )
    assert found == [cases.decide(names, spans, folded) for names, spans in lines]

    drawings = [drawing.strokes for drawing in samples.load(samples.LETTER_EXAMPLES)]
    words = []
    for _ in range(40):
        chosen = [drawings[place] for place in rng.integers(len(drawings), size=rng.integers(1, 6))]
        word = beside(*chosen, gap=30)
        words.append([stroke * np.float32([1, rng.choice([0.6, 1])]) for stroke in word])
    characters = catalogue.find("characters", Settings.from_environment())
    readings = [read_strokes(strokes, characters, size=(330, 900)) for strokes in words]
    for one, reading in zip(live.read(page, words, "characters", size=(330, 900)), readings, strict=True):
        said = answers.answer(reading, characters.class_names, is_drawing=True)
        assert [digit["name"] for digit in one["digits"]] == list(reading.names)
        assert [digit["either"] for digit in one["digits"]] == reading.either.tolist()
        assert (one["text"], one["headline"]) == (said.text, said.headline)
        assert (
            one["sentence"].partition("sure")[2] == said.sentence.partition("sure")[2]
        )  # a share may be rounded apart
    assert any(name.islower() and name.upper() in folded for reading in readings for name in reading.names)
    assert any(reading.either.any() for reading in readings)


@pytest.mark.parametrize(
    ("strokes", "tone"),
    [
        ([], "nothing"),
        ([TAP], "unfinished"),
        ([TAP, TAP], "refused"),
        ([ANGLE], "unfinished"),
        ([DASH], "unfinished"),
        ([SCRIBBLE], "refused"),
        ([*test_pen.SEVEN, SCRIBBLE + np.float32([200, 0])], "partial"),
        ([*test_pen.SEVEN, ANGLE + np.float32([240, 40])], "unfinished"),
        ([SCRIBBLE, SCRIBBLE + np.float32([150, 0]), SCRIBBLE + np.float32([300, 5])], "refused"),
        ([*test_pen.SEVEN, *(SCRIBBLE + np.float32([200 + 150 * place, 0]) for place in range(4))], "partial"),
        ([*test_pen.SEVEN, *(ANGLE + np.float32([200 + 150 * place, 40]) for place in range(2))], "unfinished"),
    ],
)
def test_says_the_same_of_what_is_no_digit(page, model, strokes, tone):
    found = live.read(page, [strokes], size=(330, 900))[0]
    reading = read_strokes(strokes, model, size=(330, 900), pen_width=live.PEN_WIDTH)
    assert live.differences(found, reading, model.class_names) == []
    assert found["tone"] == tone


@pytest.mark.parametrize(
    "strokes",
    [
        [TAP + np.float32([20 * (place % 7), 40 * (place // 7)]) for place in range(49)],
        [TAP] * 501,
        [np.zeros((20_001, 2), np.float32)],
        [np.float32([[5000, 0]])],
        [np.zeros((0, 2), np.float32)],
    ],
    ids=["marks", "strokes", "points", "place", "nothing"],
)
def test_what_cannot_be_read_is_an_error_in_the_same_words(page, model, strokes):
    found = live.read(page, [strokes])[0]
    assert (found["tone"], found["digits"]) == ("error", [])
    with pytest.raises(InvalidImage) as caught:
        read_strokes(strokes, model)
    if len(strokes[0]):  # Python tells of the shape of its array
        assert found["sentence"] == str(caught.value)


def test_each_digit_is_described_as_on_the_server(page, model):
    strokes = [*test_pen.SEVEN, SCRIBBLE + np.float32([200, 0]), ANGLE + np.float32([400, 40])]
    found = live.read(page, [strokes], size=(330, 900))[0]
    reading = read_strokes(strokes, model, size=(330, 900), pen_width=live.PEN_WIDTH)
    for place, digit in enumerate(found["digits"]):
        assert digit["description"] == answers.describe(reading, model.class_names, place)
        assert digit["label"] == answers.label(reading, model.class_names, place)
        assert np.abs(np.subtract(digit["box"], reading.boxes[place])).max() <= 2
        assert digit["strokes"] == [place]


def test_what_is_remembered_does_not_change_the_answer(page, model):
    """A number that grows point by point, and is then undone stroke by stroke, reads as if it had come at once."""
    whole = next(number for number in numbers(20, seed=4) if len(number) > 5)
    steps = []
    for place, stroke in enumerate(whole):
        steps += [[*whole[:place], stroke[:end]] for end in range(1, len(stroke) + 1, 5)]
    steps += [whole[:end] for end in range(len(whole), 0, -1)] + [whole[1:], whole]
    together = live.read(page, steps, size=(330, 700))
    for place in range(0, len(steps), len(steps) // 8):
        assert live.read(page, [steps[place]], size=(330, 700)) == [together[place]]


def test_reads_without_webassembly(page, address, model):
    """A page that forbids it, as behind a strict proxy, reads in plain JavaScript."""
    page.goto(f"{address}/strict")
    engine = "async path => (await (await import(path)).openReader({ model: 'softmax' })).engine"
    assert page.evaluate(engine, served.reader_path()) == "plain"
    page.goto(address)
    assert page.evaluate(engine, served.reader_path()) == "simd"


def test_the_first_layer_can_be_seen(page, model):
    """Its maps are those that the page shows today."""
    image = page.evaluate("size => Array.from({ length: size }, (_, place) => (place * 37) % 256)", 784)
    found = page.evaluate(
        """async ({ path, image }) => {
          const reader = await (await import(path)).openReader({ model: "drawing" })
          const layer = reader.firstLayer(Uint8Array.from(image))
          return { ...layer, values: [...layer.values] }
        }""",
        {"path": served.reader_path(), "image": image},
    )
    maps = weights.load(model.folder).filters.maps(np.uint8(image).reshape(28, 28))
    assert (found["height"], found["width"], found["channels"]) == maps.shape
    np.testing.assert_allclose(np.reshape(found["values"], maps.shape), maps, atol=2e-3)


def test_a_network_is_fetched_once_for_all_readers(page):
    """The judge, too, is shared; what could not be fetched is asked for again."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        """async path => {
          const { openReader } = await import(path)
          await Promise.all(["softmax", "softmax", "convolutional"].map(model => openReader({ model })))
          for (let turn = 0; turn < 2; turn++) await openReader({ model: "nobody" }).catch(() => {})
        }""",
        served.reader_path(),
    )
    counts = {name: sum(f"/models/{name}" in url for url in asked) for name in ("softmax", "judge", "nobody")}
    assert counts == {"softmax": 1, "judge": 1, "nobody": 2}


def test_an_unknown_model_is_an_error_in_a_sentence(page):
    with pytest.raises(PlaywrightError, match=r"Choose a model from the list\."):
        live.read(page, [], "nobody")


def test_the_pages_server_gives_the_reader_too(visitor, model):
    """Under the policy of the pages, and with their middleware, which leaves alone what is compressed already."""
    page = visitor()
    answers_seen = []
    page.on("response", lambda answer: answers_seen.append(answer))
    actions.open_page(page, "/")
    assert live.read(page, [test_pen.SEVEN])[0]["headline"] == "The model reads 7"
    weights_seen = [answer for answer in answers_seen if "/live/weights/drawing" in answer.url]
    assert {answer.header_value("content-encoding") for answer in weights_seen} == {"gzip"}
    assert "immutable" in weights_seen[0].header_value("cache-control")


def script(name):
    """Return the path of one of the reader's scripts."""
    return f"{served.reader_path().rpartition('/')[0]}/{name}"
