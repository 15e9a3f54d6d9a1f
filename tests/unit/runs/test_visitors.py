"""visitors: a browser gets its token once, with a page, in a cookie that scripts cannot read."""

import asyncio
from http.cookies import SimpleCookie

import pytest

from digits.runs.visitors import COOKIE, VisitorCookie, new_token


def cookies_of(*, cookie=None, content_type="text/html; charset=utf-8", scheme="http", kind="http"):
    """Send a request to an app behind the middleware, and return the cookies that it sets."""
    sent = []

    async def app(scope, receive, send):
        headers = [(b"content-type", content_type.encode()), (b"set-cookie", b"other=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie is not None else []
    scope = {"type": kind, "scheme": scheme, "path": "/", "method": "GET", "headers": headers}
    asyncio.run(VisitorCookie(app)(scope, None, send))
    assert sent[1] == {"type": "http.response.body", "body": b"hello"}
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie" and value != b"other=1"]


class TestCookie:
    def test_comes_with_the_first_page(self):
        """A visitor without a cookie gets a lasting one for the whole site, safe from scripts and cross-site forms."""
        (cookie,) = cookies_of()
        (morsel,) = SimpleCookie(cookie).values()
        assert morsel.key == COOKIE
        assert len(morsel.value) >= 32
        assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/", True, "Lax")
        assert int(morsel["max-age"]) >= 30 * 24 * 3600
        assert not morsel["secure"]

    def test_is_secure_where_the_page_is(self):
        """Over https, the cookie is never sent unencrypted."""
        (cookie,) = cookies_of(scheme="https")
        assert SimpleCookie(cookie)[COOKIE]["secure"] is True

    def test_is_set_once(self):
        """A visitor with a cookie keeps it."""
        assert cookies_of(cookie=f"{COOKIE}=abc") == []
        assert cookies_of(cookie=f"first=1; {COOKIE}=abc; last=2") == []

    @pytest.mark.parametrize("content_type", ["application/javascript", "image/png", "application/json", ""])
    def test_comes_with_pages_only(self, content_type):
        """Scripts, pictures and data set no cookie, because caches may share them between visitors."""
        assert cookies_of(content_type=content_type) == []

    def test_leaves_web_sockets_alone(self):
        """The middleware passes web sockets through unchanged."""
        assert cookies_of(kind="websocket") == []

    @pytest.mark.parametrize(
        "foreign", ["a/b=1", "a@b=1", "foo[1]=x", 'settings={"theme":"dark"}', "=", ";;;", "é=ü", f"not_{COOKIE}=abc"]
    )
    def test_stands_beside_foreign_cookies(self, foreign):
        """Cookies of other programs at this address do not matter: the token is set once and found again."""
        assert len(cookies_of(cookie=foreign)) == 1
        assert cookies_of(cookie=f"{foreign}; {COOKIE}=abc") == []


def test_no_two_visitors_share_a_token():
    """Tokens are long and unique."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) == 32
