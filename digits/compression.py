"""Compression of the files that never change: each is compressed once, at the first request, and then kept.

Streamlit sends its scripts uncompressed and leaves this to a proxy. Middleware that compresses every answer anew, such
as Starlette's, takes too long for them. Libraries that serve files compressed beforehand want to write them beside the
originals, which lie in Streamlit's package.
"""

import gzip
import re
import time
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The file's name holds a hash of its content, so its content never changes.
_IMMUTABLE = re.compile(r"/(?:static|bidi-components|assets)/.*[.-][A-Za-z0-9_-]{8}\.(?:js|css|svg|json|wasm)$")
_GZIP_LEVEL, _BROTLI_QUALITY = 9, 11
_SMALLEST = 512  # bytes; smaller files are not worth it
_MOST_BYTES = 32 * 2**20  # kept, compressed; all of Streamlit's files take about 14 MB


@dataclass
class _File:
    """An answer whose body is compressed: by gzip at once, by Brotli when there is time."""

    headers: list[tuple[bytes, bytes]]
    content: bytes  # uncompressed; emptied when the file has been compressed by Brotli
    bodies: dict[str, bytes]  # by content encoding

    def answer(self, accepted: str) -> list[Message]:
        """Return the messages to a browser that accepts these encodings, gzip among them."""
        encoding = "br" if "br" in self.bodies and "br" in re.split(r"[,;\s]+", accepted) else "gzip"
        headers, body = MutableHeaders(raw=list(self.headers)), self.bodies[encoding]
        headers["content-encoding"], headers["content-length"] = encoding, str(len(body))
        headers.add_vary_header("accept-encoding")
        return [
            {"type": "http.response.start", "status": 200, "headers": headers.raw},
            {"type": "http.response.body", "body": body},
        ]


class CompressOnce:
    """ASGI middleware that compresses immutable files, once for all visitors.

    gzip takes milliseconds, so the first visitor gets it. Brotli makes the files of the first page a sixth smaller and
    takes three seconds, so a thread does it afterwards.
    """

    def __init__(self, app: ASGIApp, *, pause_seconds: float = 10.0) -> None:
        self._app = app
        self._files: dict[str, _File] = {}
        self._waiting: SimpleQueue[_File] = SimpleQueue()
        self._pause_seconds = pause_seconds  # so that the first page is not held up
        self._is_packing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_wanted(scope):
            await self._app(scope, receive, send)
            return
        file = self._files.get(scope["path"])
        if file is None:
            messages = await self._ask(scope, receive)
            file = await run_in_threadpool(_compress, messages)
            if file is None:
                for message in messages:
                    await send(message)
                return
            self._keep(scope["path"], file)
        for message in file.answer(Headers(scope=scope).get("accept-encoding", "")):
            await send(message)

    def _keep(self, path: str, file: _File) -> None:
        kept = sum(len(body) for one in self._files.values() for body in one.bodies.values())
        if kept + 2 * len(file.bodies["gzip"]) > _MOST_BYTES:
            return
        self._files[path] = file
        self._waiting.put(file)
        if not self._is_packing:
            self._is_packing = True
            Thread(target=self._pack, name="brotli", daemon=True).start()

    def _pack(self) -> None:
        """Compress all waiting files by Brotli, for ever."""
        while True:
            file = self._waiting.get()
            if self._waiting.empty():  # perhaps the first of a page's files
                time.sleep(self._pause_seconds)
            file.bodies["br"] = brotli.compress(file.content, quality=_BROTLI_QUALITY)
            file.content = b""

    async def _ask(self, scope: Scope, receive: Receive) -> list[Message]:
        """Return the answer of the application to a request that accepts no compression."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": headers, "extensions": {}}, receive, keep)
        return messages


def _is_wanted(scope: Scope) -> bool:
    """Return whether a request is for the whole of an immutable file, by a browser that can unpack it."""
    if scope["type"] != "http" or scope["method"] != "GET" or not _IMMUTABLE.search(scope["path"]):
        return False
    headers = Headers(scope=scope)
    is_partial = any(name in headers for name in ("range", "if-none-match", "if-modified-since"))
    return "gzip" in headers.get("accept-encoding", "") and not is_partial


def _compress(messages: list[Message]) -> _File | None:
    """Return an answer with its body compressed, or None if there is no such file, or compressing it gains nothing.

    Streamlit answers with the page itself where there is no such file.
    """
    start, *rest = messages
    headers = MutableHeaders(raw=list(start["headers"]))
    content = b"".join(message.get("body", b"") for message in rest)
    is_page = headers.get("content-type", "").startswith("text/html")
    if start["status"] != 200 or is_page or "content-encoding" in headers or len(content) < _SMALLEST:
        return None
    body = gzip.compress(content, _GZIP_LEVEL, mtime=0)
    return _File(headers.raw, content, {"gzip": body}) if len(body) < len(content) else None
