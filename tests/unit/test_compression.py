"""Compression: immutable files are compressed once; everything else passes as it is."""

import asyncio
import gzip
import time

import brotli
import pytest

from digits.compression import CompressOnce

SCRIPT = "/static/js/index.DormvYxC.js"
CONTENT = b"const answer = 42\n" * 200


class Visitor:
    """Asks a server with one script; counts how often the file itself is read."""

    def __init__(self, pause_seconds=60.0):
        self.reads = 0
        self._app = CompressOnce(self._serve, pause_seconds=pause_seconds)

    async def _serve(self, scope, receive, send):
        self.reads += 1
        status = 404 if "gone" in scope["path"] else 200
        headers = [(b"content-length", str(len(CONTENT)).encode()), (b"cache-control", b"immutable")]
        if "guessed" in scope["path"]:
            headers.append((b"content-type", b"text/html; charset=utf-8"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": CONTENT[:100], "more_body": True})
        await send({"type": "http.response.body", "body": CONTENT[100:]})

    def ask(self, path, **headers):
        sent = []

        async def send(message):
            sent.append(message)

        given = {"accept-encoding": "gzip, br"} | {name.replace("_", "-"): text for name, text in headers.items()}
        raw = [(name.encode(), text.encode()) for name, text in given.items()]
        asyncio.run(self._app({"type": "http", "method": "GET", "path": path, "headers": raw}, None, send))
        received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return received, b"".join(message.get("body", b"") for message in sent[1:])


def test_an_immutable_file_is_compressed_once():
    """The second visitor gets the same bytes without the file being read again, and its other headers stay."""
    visitor = Visitor()
    for _ in range(2):
        headers, body = visitor.ask(SCRIPT)
        assert gzip.decompress(body) == CONTENT
        assert headers["content-encoding"] == "gzip"
        assert headers["cache-control"] == "immutable"
        assert headers["vary"] == "accept-encoding"
        assert int(headers["content-length"]) == len(body) < len(CONTENT) / 10
    assert visitor.reads == 1


def test_brotli_follows_for_browsers_that_take_it():
    """Soon a file is also there in Brotli, which is smaller; a browser that does not take it still gets gzip."""
    visitor = Visitor(pause_seconds=0.0)
    deadline = time.monotonic() + 10
    while visitor.ask(SCRIPT)[0]["content-encoding"] != "br":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    headers, body = visitor.ask(SCRIPT)
    assert brotli.decompress(body) == CONTENT
    assert headers["cache-control"] == "immutable"
    assert int(headers["content-length"]) == len(body)
    headers, body = visitor.ask(SCRIPT, accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == CONTENT
    assert visitor.reads == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (SCRIPT, {"accept_encoding": "identity"}),
        (SCRIPT, {"range": "bytes=0-9"}),
        (SCRIPT, {"if_none_match": '"1"'}),
        ("/index.html", {}),
        ("/static/js/plain.js", {}),
        ("/static/media/font.DormvYxC.woff2", {}),
        ("/static/js/gone.AAAAAAAA.js", {}),
        ("/static/js/guessed.AAAAAAAA.js", {}),
    ],
)
def test_everything_else_passes_as_it_is(path, headers):
    """Parts, questions whether a file has changed, files that may change, fonts, errors and pages are not kept."""
    visitor = Visitor()
    for _ in range(2):
        received, body = visitor.ask(path, **headers)
        assert "content-encoding" not in received
        assert body == CONTENT
    assert visitor.reads == 2
