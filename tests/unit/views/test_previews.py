"""Previews: every page's HTML names it before a script runs, and its card's picture is served."""

import asyncio
import re

import pytest
from PIL import Image

from digits.views import previews

STREAMLITS = b"<html><head><title>Streamlit</title></head><body></body></html>"


def ask(path, *, method="GET", host="digits.example", kind="text/html", conditions=()):
    """Send a request through the middleware; return the answer's headers, its text and what reached the server."""
    seen, sent = [], []

    async def app(scope, _receive, send):
        seen.append(dict(scope["headers"]))
        length = str(len(STREAMLITS)).encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", length), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": STREAMLITS[:20], "more_body": True})
        await send({"type": "http.response.body", "body": STREAMLITS[20:]})

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode()), *conditions]
    scope = {"type": "http", "scheme": "https", "path": path, "method": method, "headers": headers}
    asyncio.run(previews.Previews(app)(scope | {"query_string": b"model=softmax"}, None, send))
    body = b"".join(message["body"] for message in sent[1:])
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body.decode(), seen[0]


@pytest.mark.parametrize("page", previews.PAGES, ids=lambda page: page.name)
def test_every_page_names_itself(page):
    """Title, sentence, address and picture stand in the head; the length is that of the changed page."""
    address = "/" if page.name == "draw" else f"/{page.name}"
    headers, text, seen = ask(address, conditions=[(b"if-none-match", b'"1"'), (b"accept-encoding", b"gzip")])
    assert f"<title>{page.title} · Digits</title>" in text
    assert "Streamlit" not in re.sub(r'<link rel="modulepreload"[^>]*>', "", text)  # the names of its scripts
    facts = dict(re.findall(r'<meta property="(og:[a-z:_]+)" content="([^"]*)"', text))
    assert facts["og:description"] == page.sentence.replace("'", "&#x27;")
    assert facts["og:url"] == f"https://digits.example{address}"
    assert facts["og:image"] == "https://digits.example/card.png"
    assert len(text.encode()) == int(headers["content-length"])
    assert "etag" not in headers
    assert b"accept-encoding" not in seen  # Streamlit would send the page compressed
    assert b"if-none-match" not in seen


@pytest.mark.parametrize("how", [{"path": "/_stcore/health"}, {"path": "/train", "method": "HEAD"}])
def test_nothing_else_is_changed(how):
    """Other addresses and other methods get what the server sends."""
    headers, text, _ = ask(**how)
    assert (headers["etag"], text) == ('"1"', STREAMLITS.decode())
    assert ask("/train", kind="text/plain")[1] == STREAMLITS.decode()


def test_a_hostile_host_cannot_write_into_the_page():
    """The address that a visitor states is escaped."""
    assert "<script>" not in ask("/train", host='x"><script>alert(1)</script>')[1]


def test_the_picture_is_small_and_has_the_size_that_the_card_states():
    """1200 by 630 pixels, under 100 kB."""
    assert previews.route().path == previews.CARD
    assert previews.PICTURE.stat().st_size < 100_000
    with Image.open(previews.PICTURE) as picture:
        assert picture.size == (1200, 630)
