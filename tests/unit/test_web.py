"""web: what every request passes, and what a stranger's page may not do with ours."""

import asyncio
import base64
import hashlib

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Route

from digits import web
from digits.errors import InvalidSetting
from digits.quotas import Quotas


def answer(environment=None, *, path="/", kind="http", method="GET", client="192.0.2.1", host="digits", times=1):
    """Send a request through the middleware, and return the last answer's status, headers and body."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    chain = app
    for layer in reversed(web.middleware(environment=environment or {})):
        chain = layer.cls(chain, *layer.args, **layer.kwargs)
    headers = [(b"host", host.encode()), (b"accept", b"text/html")]
    scope = {"type": kind, "scheme": "http", "path": path, "method": method, "headers": headers, "client": (client, 1)}
    for _ in range(times):
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        asyncio.run(chain(scope, None, send))
    if kind == "websocket":
        return sent[0]
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[-1]["body"].decode()


class TestHeaders:
    def test_another_origin_cannot_frame_the_page(self):
        """A page in a stranger's frame could be covered, and its visitor made to press Start."""
        assert "frame-ancestors 'self'" in answer()[1]["content-security-policy"]

    def test_a_host_that_frames_the_app_can_be_allowed(self):
        policy = answer({"DIGITS_FRAME_ANCESTORS": "https://example.org"})[1]["content-security-policy"]
        assert "frame-ancestors https://example.org" in policy

    def test_types_and_addresses_are_not_given_away(self):
        headers = answer()[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"

    def test_nothing_is_loaded_from_elsewhere(self):
        policy = answer()[1]["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "*" not in policy

    def test_only_the_pages_own_inline_scripts_run(self):
        script = "\n  window.a = 1\n"
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = web.content_security_policy(f"<script>{script}</script><script src='x.js'></script>")
        assert f"'sha256-{digest}'" in policy
        assert "'unsafe-inline'" not in policy.split("style-src")[0]


class TestHosts:
    def test_an_unknown_host_is_refused(self):
        environment = {"DIGITS_HOSTS": "digits.example, localhost"}
        assert answer(environment, host="digits.example")[0] == 200
        assert answer(environment, host="evil.example")[0] == 400

    @pytest.mark.parametrize("written", ["[2001:db8::1]:8501", "[2001:db8::1]", "2001:DB8:0::1"])
    def test_an_address_is_meant_with_any_port(self, written):
        environment = {"DIGITS_HOSTS": f"digits.example:8501, {written}"}
        for host in ("[2001:db8::1]", "[2001:db8::1]:8501", "digits.example", "digits.example:8501"):
            assert answer(environment, host=host)[0] == 200
        for host in ("[2001:db8::2]:8501", "evil.example:8501"):
            assert answer(environment, host=host)[0] == 400

    def test_any_host_is_allowed_unless_they_are_listed(self):
        assert answer(host="anything.example")[0] == 200


PUBLIC = {"DIGITS_PUBLIC": "1", "DIGITS_VISITS_A_MINUTE": "5", "DIGITS_UPLOADS_A_MINUTE": "2"}


class TestRates:
    def test_the_visit_after_the_last_allowed_one_is_told_when_to_come_again(self):
        assert answer(PUBLIC, times=5)[0] == 200
        status, headers, body = answer(PUBLIC, times=6)
        assert status == 429
        assert 1 <= int(headers["retry-after"]) <= 60
        assert body.startswith("At most 5 visits a minute are allowed from one address, and yours has had them. Try ")
        assert body.endswith(f"again in {headers['retry-after']} s.")

    def test_at_home_nobody_is_counted(self):
        assert answer(times=500)[0] == 200

    def test_uploads_are_counted_apart(self):
        put = {"path": "/_stcore/upload_file/session/file", "method": "PUT"}
        assert answer(PUBLIC, times=2, **put)[0] == 200
        assert answer(PUBLIC, times=3, **put)[0] == 429

    def test_answers_are_counted_apart(self):
        """A drawing that is read by a request of its own counts below the base path, too."""
        ask = {"path": "/digits/live/answer", "method": "POST"}
        assert answer(PUBLIC | {"DIGITS_ANSWERS_A_MINUTE": "3"}, times=3, **ask)[0] == 200
        status, _, body = answer(PUBLIC | {"DIGITS_ANSWERS_A_MINUTE": "3"}, times=4, **ask)
        assert (status, body.split(" a minute")[0]) == (429, "At most 3 answers")

    def test_a_page_may_connect_again_and_again_but_not_without_end(self):
        stream = {"path": "/_stcore/stream", "kind": "websocket"}
        assert answer(PUBLIC, times=20, **stream)["type"] == "http.response.start"
        assert answer(PUBLIC, times=21, **stream) == {"type": "websocket.close", "code": 1013}

    def test_one_address_cannot_hold_all_connections(self):
        """Each open page takes memory and files; one that is closed makes room."""
        given = []

        async def app(scope, receive, send):
            given.append(scope["client"][0])
            await scope["leaves"].wait()

        async def visit(limit):
            async def open_page(address, leaves):
                sent = []

                async def send(message):
                    sent.append(message)

                scope = {"type": "websocket", "path": "/_stcore/stream", "client": (address, 1), "leaves": leaves}
                await limit(scope, None, send)
                return sent

            later, now = asyncio.Event(), asyncio.Event()
            now.set()
            first = [asyncio.create_task(open_page("192.0.2.1", later)) for _ in range(2)]
            await asyncio.sleep(0)
            over, other = [await open_page(address, now) for address in ("192.0.2.1", "192.0.2.2")]
            later.set()
            await asyncio.gather(*first)
            return over, other, await open_page("192.0.2.1", now), limit._open

        quotas = Quotas.from_environment(PUBLIC | {"DIGITS_PAGES_OPEN_PER_ADDRESS": "2"})
        over, other, later, left = asyncio.run(visit(web.RateLimit(app, quotas)))
        assert over == [{"type": "websocket.close", "code": 1013}]
        assert (other, later, dict(left)) == ([], [], {})
        assert given == ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"]

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::2", True),  # one household
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),  # IPv4, where a server listens for both
            ("::ffff:192.0.2.1", "192.0.2.1", True),
        ],
    )
    def test_who_counts_as_one_address(self, one, other, is_same):
        assert (web.address_of({"client": (one, 1)}) == web.address_of({"client": (other, 1)})) == is_same

    def test_a_request_without_an_address_is_counted_too(self):
        assert web.address_of({"client": None}) == "unknown"
        assert web.address_of({"client": ("/run/socket", 1)}) == "/run/socket"

    def test_a_quota_that_is_no_number_stops_the_server(self):
        with pytest.raises(InvalidSetting, match=r"DIGITS_VISITS_A_MINUTE should be a whole number.*'many'"):
            web.middleware(environment={"DIGITS_VISITS_A_MINUTE": "many"})


@pytest.mark.parametrize(
    ("base", "path"), [("", "/note"), ("digits", "/digits/note"), ("/a/digits/", "/a/digits/note")]
)
def test_routes_lie_below_the_base_path(base, path):
    """With its methods; nothing else below the base path is taken."""
    (route,) = web.below(base, [Route("/note", lambda _request: PlainTextResponse("here"), methods=["POST"])])
    asked = [("POST", path), ("GET", path), ("POST", f"{path}s")]
    found = [route.matches({"type": "http", "method": method, "path": place})[0] for method, place in asked]
    assert found == [Match.FULL, Match.PARTIAL, Match.NONE]
