"""live: what a browser that reads by itself can fetch, and what it cannot."""

import asyncio
import gzip
import json
import shutil
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import pytest
import wasmtime
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request

from digits.errors import StoreUnavailable
from digits.ink import strokes
from digits.models import catalogue, layers
from digits.models.judge import SHAPED_LIKE_DIGITS, find_judge
from digits.models.reading import read_strokes
from digits.models.recogniser import TFLITE_FILE
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.views import answer_card, confirmation, live

RUN = "a1B2c3D4e5F6"


@dataclass(frozen=True)
class Answer:
    """What a browser gets; `content` is unpacked."""

    status: int
    headers: Headers
    content: bytes

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)


@pytest.fixture
def ask(runs_dir):
    """Ask a server that has the reader's routes alone."""
    server = Starlette(routes=live.routes(Settings.from_environment()))

    def ask(path, encoding="gzip, br", *, body=None, **headers):
        sent, parts = [], [body[start : start + 2**16] for start in range(0, len(body or b""), 2**16)] or [b""]

        async def receive():
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message):
            sent.append(message)

        given = {"host": "digits", "accept-encoding": encoding} | headers
        scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": unquote(path),
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in given.items()],
        }
        asyncio.run(server(scope, receive, send))
        start, body = sent[0], b"".join(message["body"] for message in sent[1:])
        headers = Headers(raw=start["headers"])
        is_packed = headers.get("content-encoding") == "gzip"
        return Answer(start["status"], headers, gzip.decompress(body) if is_packed else body)

    return ask


def weights_of(ask, model_id, *encoding):
    description = ask(f"/live/models/{model_id}").json()
    return ask(description["weights"].replace("..", "/live"), *encoding)


def test_every_bundled_model_is_described(ask):
    for model in catalogue.bundled():
        facts = ask(f"/live/models/{model.id}").json()
        assert (facts["title"], facts["classes"]) == (model.title, list(model.class_names))
        assert facts["temperature"] == model.temperature
        reads_digits = model.card.dataset == "mnist"
        assert (facts["judge"], facts["bias"]) == (("digits", 0) if reads_digits else ("characters", 1))


def test_the_judge_is_described_with_its_thresholds(ask):
    judge = find_judge(tuple("0123456789"))
    facts = ask("/live/models/judge").json()
    assert facts["classes"] == list(judge.facts.classes)
    assert facts["digits"] == {"outputs": judge.outputs, "threshold": judge.threshold}
    assert judge.outputs[:10] == list(range(10))
    assert {facts["classes"][place] for place in judge.outputs[10:]} <= SHAPED_LIKE_DIGITS
    counted = [facts["classes"][place] for place in facts["characters"]["outputs"]]
    assert {"0", "9", "A", "w"} <= set(counted)
    assert max(map(len, counted)) == 1
    assert facts["characters"]["threshold"] == judge.of_characters().threshold


@pytest.mark.parametrize("model_id", ["softmax", "drawing", "judge"])
def test_the_weights_are_the_numbers_of_the_litert_file(ask, model_id):
    """Nothing is lost: the file holds float16 numbers, and so do the weights."""
    network = layers.read(BUNDLED_MODELS_DIR / model_id / TFLITE_FILE)
    numbers = [array.ravel() for layer in network.layers for array in (layer.kernel, layer.bias) if array is not None]
    found = np.frombuffer(weights_of(ask, model_id).content, "<f2")
    np.testing.assert_array_equal(found, np.concatenate(numbers))


def test_a_name_with_a_hash_is_fetched_once(ask):
    for answer in (weights_of(ask, "softmax"), ask(live.reader_path())):
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_description_is_asked_for_again(ask):
    """A model's temperature, or its weights, may change under the same id."""
    assert ask("/live/models/softmax").headers["cache-control"] == "no-cache"


def test_is_compressed_once_or_not_at_all(ask):
    packed, plain = weights_of(ask, "softmax"), weights_of(ask, "softmax", "identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


def test_a_runs_model_can_be_fetched_by_who_knows_its_id(ask, runs_dir):
    shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / RUN)
    assert ask(f"/live/models/{RUN}").status == 200
    assert weights_of(ask, RUN).content == weights_of(ask, "softmax").content


def test_new_weights_have_a_new_name(ask, runs_dir):
    """An old name is not answered with new numbers."""
    shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / RUN)
    old = ask(f"/live/models/{RUN}").json()["weights"].replace("..", "/live")
    shutil.copyfile(BUNDLED_MODELS_DIR / "published" / TFLITE_FILE, runs_dir / RUN / TFLITE_FILE)
    assert ask(old).status == 404
    assert weights_of(ask, RUN).content == weights_of(ask, "published").content


@pytest.mark.parametrize(
    "path",
    [
        "/live/models/nobody",
        "/live/models/",
        "/live/models/..%2fsoftmax",
        "/live/models/%2e%2e",
        "/live/models/softmax%00",
        "/live/models/" + "a" * 5000,
        "/live/weights/softmax.0000000000000000.bin",
        "/live/weights/softmax.bin",
        "/live/weights/..%2fsoftmax.0000000000000000.bin",
        "/live/0000000000000000/reader.js",
        "/live/{version}/nothing.js",
        "/live/{version}/..%2fboxes.js",
        "/live/{version}/%2e%2e%2fboxes.js",
        "/live/{version}/",
    ],
)
def test_nothing_else_can_be_fetched(ask, path, runs_dir):
    answer = ask(path.replace("{version}", live.reader_path().split("/")[2]))
    assert answer.status == 404
    assert str(runs_dir) not in answer.text


def test_a_damaged_model_is_refused_in_a_sentence(ask, runs_dir):
    shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / RUN)
    (runs_dir / RUN / TFLITE_FILE).write_bytes(b"damaged")
    answer = ask(f"/live/models/{RUN}")
    assert (answer.status, answer.text) == (
        404,
        "No model that this browser can run has this name. Choose a model from the list.\n",
    )


def test_a_store_that_is_away_is_told_in_a_sentence(ask, monkeypatch):
    def away(*_asked):
        raise StoreUnavailable("The store does not answer. Try again in a minute.")

    monkeypatch.setattr(catalogue, "find", away)
    for path in (f"/live/models/{RUN}", f"/live/weights/{RUN}.{'0' * 16}.bin"):
        answer = ask(path)
        assert (answer.status, answer.text) == (503, "The store does not answer. Try again in a minute.\n")


def test_scripts_come_as_what_they_are(ask):
    """A browser runs a module only under its type, and the names in it lead to other scripts of the same version."""
    folder = live.reader_path().rpartition("/")[0]
    types = {path.name: ask(f"{folder}/{path.name}") for path in live.SCRIPTS_DIR.iterdir()}
    assert {name: answer.status for name, answer in types.items()} == dict.fromkeys(types, 200)
    assert types["reader.js"].headers["content-type"] == "text/javascript; charset=utf-8"
    assert types["kernel.wasm"].headers["content-type"] == "application/wasm"
    assert types["reader.js"].content == (live.SCRIPTS_DIR / "reader.js").read_bytes()


def test_the_kernel_is_its_text_assembled():
    """What runs is what can be read."""
    text = (live.SCRIPTS_DIR / "kernel.wat").read_text(encoding="utf-8")
    assert bytes(wasmtime.wat2wasm(text)) == (live.SCRIPTS_DIR / "kernel.wasm").read_bytes()


def test_a_compressed_file_is_always_the_same():
    first, second = (live._File.of(b"numbers" * 100, "text/plain") for _ in range(2))
    assert first == second
    assert gzip.decompress(first.compressed) == b"numbers" * 100


SEVEN = [[210, 120, 340, 130, 260, 290]]


class TestAnswer:
    @pytest.fixture
    def question(self):
        """What the sheet asks; given other values, something else."""
        return lambda **other: json.dumps({"model": "drawing", "strokes": SEVEN, "widths": [16]} | other).encode()

    def test_is_the_card_of_what_the_page_reads(self, ask, question):
        model = catalogue.find("drawing", Settings.from_environment())
        reading = read_strokes(strokes.parse(SEVEN), model, size=confirmation.SIZE, pen_width=16)
        answer = ask("/live/answer", body=question())
        assert answer.status == 200
        assert answer.json() == answer_card.card(reading, model.class_names)
        assert answer.json()["digits"][0]["name"] == "7"

    def test_is_about_the_digit_that_is_looked_at(self, ask, question):
        """A digit that is not there is the first."""
        two = [[60, 100, 160, 105, 110, 260], [300, 90, 298, 270]]
        for chosen, found in ((1, 1), (2, 0), (-1, 0)):
            assert ask("/live/answer", body=question(strokes=two, chosen=chosen)).json()["chosen"] == found

    def test_an_empty_sheet_says_nothing(self, ask, question):
        assert ask("/live/answer", body=question(strokes=[], widths=[])).json() == answer_card.NOTHING

    def test_a_runs_model_reads_too(self, ask, question, runs_dir):
        shutil.copytree(BUNDLED_MODELS_DIR / "softmax", runs_dir / RUN)
        own, bundled = (ask("/live/answer", body=question(model=model)).json() for model in (RUN, "softmax"))
        assert own == bundled

    @pytest.mark.parametrize(
        ("other", "status", "words"),
        [
            ({"model": "nobody"}, 404, "A model's name must be"),
            ({"model": None}, 422, "as the sheet sends it"),
            ({"strokes": "1 2"}, 422, "as the sheet sends it"),
            ({"strokes": [["1", "2"]]}, 422, "as the sheet sends it"),
            ({"strokes": [[[1, 2]]]}, 422, "as the sheet sends it"),
            ({"strokes": [[1, 2, 3]]}, 422, "A stroke must be a list of numbers"),
            ({"strokes": [[]]}, 422, "A stroke must be"),
            ({"strokes": [[1e9, 1]]}, 422, "must lie within"),
            ({"strokes": [[10**400, 1]]}, 422, "."),
            ({"strokes": [[1, 1]] * 501}, 422, "A drawing may hold 500 strokes"),
            ({"strokes": [[60 * x, 60 * y] for x in range(9) for y in range(6)]}, 422, "At most 40 digits"),
            ({"widths": "wide"}, 422, "as the sheet sends it"),
        ],
    )
    def test_what_cannot_be_read_is_refused_in_a_sentence(self, other, status, words, ask, question, runs_dir):
        answer = ask("/live/answer", body=question(**other))
        assert (answer.status, list(answer.json())) == (status, ["error"])
        assert words in answer.json()["error"]
        assert str(runs_dir) not in answer.text

    @given(st.binary(max_size=200) | st.recursive(st.integers() | st.text(), st.lists).map(lambda it: str(it).encode()))
    @example(b"[" * 100_000)
    @example(b'{"model": "drawing", "strokes": [[NaN, 1e999]]}')
    @example(b'{"model": "\xff", "strokes": []}')
    @settings(max_examples=60, deadline=None)
    def test_nothing_that_is_sent_breaks_it(self, body):
        status, said = confirmation.answer(body, Settings.from_environment())
        assert status == 422
        assert said["error"].endswith(".")

    @given(
        st.lists(st.lists(st.floats(-5000, 5000) | st.integers()), max_size=6), st.lists(st.integers()), st.integers()
    )
    @settings(max_examples=60, deadline=None)
    def test_any_numbers_give_an_answer_or_a_sentence(self, drawn, widths, chosen):
        asked = {"model": "softmax", "strokes": drawn, "widths": widths, "chosen": chosen}
        status, said = confirmation.answer(json.dumps(asked).encode(), Settings.from_environment())
        assert ("error" in said) == (status == 422)
        assert status in (200, 422)

    def test_too_much_is_not_even_read(self, ask, question):
        answer = ask("/live/answer", body=question(strokes=[[1.5] * 2**20]))
        assert (answer.status, "1,048,576 bytes" in answer.text) == (413, True)

    @pytest.mark.parametrize(("site", "status"), [("same-origin", 200), ("same-site", 403), ("cross-site", 403)])
    def test_only_the_apps_own_pages_are_answered(self, site, status, ask, question):
        assert ask("/live/answer", body=question(), sec_fetch_site=site).status == status

    def test_is_not_fetched(self, ask):
        assert ask("/live/answer").status == 405

    def test_not_many_drawings_wait(self, ask, question, monkeypatch):
        monkeypatch.setattr(live, "_MOST_WAITING", 0)
        answer = ask("/live/answer", body=question())
        assert (answer.status, answer.json()["error"]) == (
            503,
            "Too many drawings wait to be read. Try again in a second.",
        )

    def test_who_sends_slowly_keeps_nobody_waiting(self, question, monkeypatch):
        """Requests that never end take none of the places in which drawings wait."""
        monkeypatch.setattr(live, "_SENDING_SECONDS", 0.5)

        async def race():
            confirmations = live._Confirmations(Settings.from_environment())
            slow = [asyncio.create_task(_confirm(confirmations)) for _ in range(live._MOST_WAITING)]
            await asyncio.sleep(0)
            return await _confirm(confirmations, question()), await asyncio.gather(*slow)

        answered, slow = asyncio.run(race())
        assert answered == 200
        assert set(slow) == {408}

    @pytest.mark.parametrize(("is_public", "statuses"), [("1", {200, 503}), ("", {200})])
    def test_one_address_cannot_take_all_places(self, is_public, statuses, question, monkeypatch):
        monkeypatch.setattr(live, "_MOST_WAITING_PER_ADDRESS", 2)
        monkeypatch.setenv("DIGITS_PUBLIC", is_public)

        async def race():
            confirmations = live._Confirmations(Settings.from_environment())
            bored = [asyncio.create_task(_confirm(confirmations, question())) for _ in range(8)]
            await asyncio.sleep(0)
            other = await _confirm(confirmations, question(), address="192.0.2.2")
            return other, set(await asyncio.gather(*bored)), confirmations._waiting.total()

        assert asyncio.run(race()) == (200, statuses, 0)


async def _confirm(confirmations, body=None, address="192.0.2.1"):
    """Ask for an answer and return its status; without a body, send nothing and stay."""

    async def receive():
        if body is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/live/answer", "headers": [], "client": (address, 1)}
    return (await confirmations.respond(Request(scope, receive))).status_code
