"""Live: what the reader in a visitor's browser is made of, and how it asks the server what that reads.

Whatever a name with a hash leads to never changes, so a browser fetches it once. It is compressed once, too.
"""

import asyncio
import functools
import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from digits import trouble
from digits.errors import ModelNotFound, StoreUnavailable
from digits.quotas import Quotas
from digits.settings import PROJECT_DIR, Settings
from digits.web import address_of

if TYPE_CHECKING:
    from digits.models.layers import Layers

SCRIPTS_DIR = PROJECT_DIR / "pages" / "components" / "live"
MAX_QUESTION_BYTES = 2**20  # the largest drawing that can be read takes less
JUDGE = "judge"  # no model of the catalogue can have this name, because the judge has no card

_Endpoint = Callable[[Request], Awaitable[Response]]

_MEDIA_TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".wat": "text/plain"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_AGAIN = {"cache-control": "no-cache"}  # a card may change
_READERS = 2  # threads in which the server reads; more would only take turns
_MOST_WAITING = 100  # drawings
_MOST_WAITING_PER_ADDRESS = 20  # where addresses have limits at all; a drawing takes a second at most
_SENDING_SECONDS = 10.0  # in which a browser has sent its drawing
_WEIGHTS = re.compile(r"(?P<id>[A-Za-z0-9_-]+)\.(?P<hash>[0-9a-f]{16})\.bin")


@dataclass(frozen=True)
class _File:
    """Bytes to serve, compressed by gzip, with the hash of what is compressed."""

    compressed: bytes
    hash: str
    media_type: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "_File":
        return cls(gzip.compress(content, 6, mtime=0), _hash(content), media_type)

    def respond(self, request: Request) -> Response:
        headers = _FOREVER | {"vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"  # so the server's middleware does not compress it anew each time
            return Response(self.compressed, media_type=self.media_type, headers=headers)
        return Response(gzip.decompress(self.compressed), media_type=self.media_type, headers=headers)


@dataclass(frozen=True)
class _Network:
    """A network as the browser's `network.js` reads it: its description, and its numbers in float16."""

    description: dict[str, Any]
    weights: _File


def reader_path() -> str:
    """Return the path of the reader's script on this server; it holds a hash of all its scripts."""
    return f"/live/{_scripts()[0]}/reader.js"


def routes(settings: Settings) -> list[Route]:
    """Return the routes of the reader.

    - `/live/<hash>/<name>`: its scripts.
    - `/live/models/<id>`: the description of a model, or of the judge. The id of a run's model cannot be guessed.
    - `/live/weights/<id>.<hash>.bin`: a model's float16 numbers, little-endian, each layer's kernel and then its bias.
    - `POST /live/answer`: what the server reads in a drawing (`confirmation.answer`).
    """

    async def script(request: Request) -> Response:
        version, files = await run_in_threadpool(_scripts)
        file = files.get(request.path_params["name"])
        if request.path_params["version"] != version or file is None:
            return _not_found("The reader has no script of this name in this version. Reload the page.")
        return file.respond(request)

    async def description(request: Request) -> Response:
        network = await _found(functools.partial(_network, request.path_params["id"], settings))
        if network is None:
            return _not_found("No model that this browser can run has this name. Choose a model from the list.")
        return JSONResponse(network.description, headers=_AGAIN)

    async def weights(request: Request) -> Response:
        name = _WEIGHTS.fullmatch(request.path_params["name"])
        network = await _found(functools.partial(_network, name["id"], settings)) if name else None
        if name is None or network is None or network.weights.hash != name["hash"]:
            return _not_found("No model has these weights. Reload the page.")
        return network.weights.respond(request)

    return [
        Route("/live/answer", _Confirmations(settings).respond, methods=["POST"]),
        Route("/live/models/{id}", _unless_away(description)),
        Route("/live/weights/{name}", _unless_away(weights)),
        Route("/live/{version}/{name}", script),
    ]


def _unless_away(endpoint: _Endpoint) -> _Endpoint:
    """Return an endpoint that says so when the store of the models does not answer."""

    async def respond(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreUnavailable as error:
            return PlainTextResponse(f"{trouble.sentence(error)}\n", status_code=503)

    return respond


def _not_found(sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code=404)


async def _found(find: Callable[[], _Network]) -> _Network | None:
    try:
        return await run_in_threadpool(find)
    except ModelNotFound:
        return None


class _Confirmations:
    """Reads drawings in a few threads of its own, and only so many at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="confirmation")
        self._waiting: Counter[str] = Counter()  # drawings by address
        has_limit = Quotas.from_environment().answers_a_minute
        self._most_per_address = _MOST_WAITING_PER_ADDRESS if has_limit else _MOST_WAITING

    async def respond(self, request: Request) -> Response:
        # Browsers say so of themselves; unlike the Origin, it stays true behind a proxy that changes the Host.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _refusal(403, "Only the app's own pages may ask what is drawn. Open the app itself.")
        try:
            async with asyncio.timeout(_SENDING_SECONDS):
                question = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _refusal(408, f"A drawing should come within {_SENDING_SECONDS:.0f} s. Send it again.")
        if question is None:
            return _refusal(413, f"A drawing may take {MAX_QUESTION_BYTES:,} bytes; this one takes more. Clear it.")
        address = address_of(request.scope)
        if self._waiting.total() >= _MOST_WAITING or self._waiting[address] >= self._most_per_address:
            return _refusal(503, "Too many drawings wait to be read. Try again in a second.")
        self._waiting[address] += 1
        try:
            said = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops the addresses from which none waits
        return JSONResponse(said[1], status_code=said[0])

    def _answer(self, question: bytes) -> tuple[int, dict[str, Any]]:
        from digits.views import confirmation  # here, because loading it would delay the first page

        return confirmation.answer(question, self._settings)


async def _body(request: Request) -> bytes | None:
    """Return what a request carries, or None if that is too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_QUESTION_BYTES:
            return None
    return bytes(body)


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)


@functools.cache
def _scripts() -> tuple[str, dict[str, _File]]:
    """Return the hash of all scripts together, and each by its name."""
    paths = [path for path in sorted(SCRIPTS_DIR.iterdir()) if path.suffix in _MEDIA_TYPES]
    files = {path.name: _File.of(path.read_bytes(), _MEDIA_TYPES[path.suffix]) for path in paths}
    return _hash("".join(f"{name} {file.hash}\n" for name, file in files.items()).encode()), files


def _network(model_id: str, settings: Settings) -> _Network:
    """Return the network of a model, or of the judge; raises `ModelNotFound`."""
    from digits.models import catalogue  # here, because loading it would delay the first page
    from digits.models.judge import JUDGE_DIR, TEN_DIGITS, find_judge
    from digits.models.reading import grouping_bias

    if model_id == JUDGE and (judge := find_judge(TEN_DIGITS)):
        facts = {"id": JUDGE, "classes": judge.facts.classes, "temperature": 1.0}
        for kind, one in (("digits", judge), ("characters", judge.of_characters())):
            facts[kind] = {"outputs": one.outputs, "threshold": one.threshold}
        return _described(facts, JUDGE_DIR)
    model = catalogue.find(model_id, settings)
    names = model.class_names
    facts = {"id": model.id, "title": model.title, "classes": names, "temperature": model.temperature}
    of_classes = {
        "judge": None if find_judge(names) is None else "digits" if names == TEN_DIGITS else "characters",
        "bias": grouping_bias(names),
        "folded": "".join(sorted(model.folded)),
    }
    return _described(facts | of_classes, model.folder)


def _described(facts: dict[str, Any], folder: Path) -> _Network:
    from digits.models.recogniser import TFLITE_FILE

    path = folder / TFLITE_FILE
    scale, layers, weights = _weights(path, path.stat().st_mtime_ns if path.is_file() else 0)
    place = f"../weights/{facts['id']}.{weights.hash}.bin"
    return _Network({**facts, "scale": scale, "layers": layers, "weights": place}, weights)


@functools.lru_cache(maxsize=8)  # the largest takes 2.8 MB
def _weights(path: Path, modified: int) -> tuple[float, list[dict[str, Any]], _File]:
    """Return the scale of the pixels, the description of each layer, and the numbers."""
    from digits.models import layers

    network = layers.read(path)
    return network.scale, _descriptions(network), _File.of(_numbers(network), "application/octet-stream")


def _descriptions(network: "Layers") -> list[dict[str, Any]]:
    found = []
    for layer in network.layers:
        description: dict[str, Any] = {"kind": layer.kind}
        if layer.kernel is not None:
            description |= {"outputs": layer.kernel.shape[-1], "padded": layer.is_padded, "relu": layer.is_relu}
            if layer.kernel.ndim > 2:
                description["side"] = layer.kernel.shape[0]
        found.append(description)
    return found


def _numbers(network: "Layers") -> bytes:
    arrays = [array for layer in network.layers for array in (layer.kernel, layer.bias) if array is not None]
    return b"".join(array.astype("<f2").tobytes() for array in arrays)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
