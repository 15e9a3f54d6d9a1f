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
from starlette.applications import Starlette
from starlette.datastructures import Headers

from digits.models import catalogue, layers
from digits.models.judge import find_judge
from digits.models.recogniser import TFLITE_FILE
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.views import live

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

    def ask(path, encoding="gzip, br"):
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"digits"), (b"accept-encoding", encoding.encode())]
        scope = {"type": "http", "method": "GET", "path": unquote(path), "query_string": b"", "headers": headers}
        asyncio.run(server(scope, None, send))
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
        assert (facts["is_judged"], facts["bias"]) == (reads_digits, 0 if reads_digits else 1)


def test_the_judge_is_described_with_its_threshold(ask):
    judge = find_judge(tuple("0123456789"))
    facts = ask("/live/models/judge").json()
    assert (facts["threshold"], facts["classes"]) == (judge.threshold, list(judge.facts.classes))


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
