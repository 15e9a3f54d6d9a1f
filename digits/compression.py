"""Compression of the files that never change: each is compressed once, at the first request, and then kept.

Streamlit sends its scripts uncompressed and leaves this to a proxy. Middleware that compresses every answer anew, such
as Starlette's, takes too long for them. Libraries that serve files compressed beforehand want to write them beside the
originals, which lie in Streamlit's package.
"""

import gzip
import re
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The file's name holds a hash of its content, so its content never changes.
_IMMUTABLE = re.compile(r"/(?:static|bidi-components)/.*[.-][A-Za-z0-9_-]{8}\.(?:js|css|svg|json|wasm)$")
_LEVEL = 9
_SMALLEST = 512  # bytes; smaller files are not worth it
_MOST_BYTES = 32 * 2**20  # kept, compressed; all of Streamlit's files take about 7 MB


@dataclass(frozen=True)
class _File:
    """An answer whose body is compressed."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class CompressOnce:
    """ASGI middleware that compresses immutable files by gzip, once for all visitors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files: dict[str, _File] = {}

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
            if sum(len(one.body) for one in self._files.values()) + len(file.body) <= _MOST_BYTES:
                self._files[scope["path"]] = file
        await send({"type": "http.response.start", "status": 200, "headers": file.headers})
        await send({"type": "http.response.body", "body": file.body})

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
    """Return an answer with its body compressed, or None if there is no whole file, or compressing it gains nothing."""
    start, *rest = messages
    headers = MutableHeaders(raw=list(start["headers"]))
    content = b"".join(message.get("body", b"") for message in rest)
    if start["status"] != 200 or "content-encoding" in headers or len(content) < _SMALLEST:
        return None
    body = gzip.compress(content, _LEVEL, mtime=0)
    if len(body) >= len(content):
        return None
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(body))
    headers.add_vary_header("accept-encoding")
    return _File(headers.raw, body)
