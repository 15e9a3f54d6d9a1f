"""What every request passes: security headers, allowed hosts, and a limit for each address."""

import base64
import hashlib
import importlib.util
import ipaddress
import math
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.quotas import Quotas

_SOCKET = "/_stcore/stream"  # where a page opens its connection
_UPLOADS = "/_stcore/upload_file/"
_ANSWERS = "/live/answer"
_COME_LATER = {"type": "websocket.close", "code": 1013}


def middleware(*inner: Callable[..., ASGIApp], environment: Mapping[str, str] | None = None) -> list[Middleware]:
    """Return the middleware of the server, the outermost first.

    Args:
        inner: further middleware, nearer to the pages.
        environment: the variables; `os.environ` if None. `DIGITS_HOSTS` lists the allowed values of a request's Host,
            separated by commas; `DIGITS_FRAME_ANCESTORS` lists the origins that may show the page in a frame,
            separated by spaces.

    Raises:
        InvalidSetting: as in `Quotas.from_environment`.
    """
    env = os.environ if environment is None else environment
    ancestors = env.get("DIGITS_FRAME_ANCESTORS") or "'self'"
    chain = [Middleware(SecurityHeaders, policy=content_security_policy(_streamlits_page(), ancestors))]
    if hosts := [host.strip() for host in env.get("DIGITS_HOSTS", "").split(",") if host.strip()]:
        allowed = [_without_port(host) for host in hosts]
        chain.append(Middleware(TrustedHostMiddleware, allowed_hosts=allowed, www_redirect=False))
    return [*chain, Middleware(RateLimit, quotas=Quotas.from_environment(env)), *map(Middleware, inner)]


def _without_port(host: str) -> str:
    """Return a host as requests are compared with it: without a port, and an IPv6 address in brackets.

    >>> _without_port("digits.example:8501"), _without_port("[2001:DB8::1]:8501"), _without_port("::1")
    ('digits.example', '[2001:db8::1]', '[::1]')
    """
    bare = re.sub(r"(?<=\]):\d+$|^([^:]+):\d+$", r"\1", host)
    try:
        return f"[{ipaddress.IPv6Address(bare.strip('[]'))}]"  # as browsers write it, however it was written
    except ValueError:
        return bare


def below(base: str, routes: Sequence[Route]) -> list[Route]:
    """Return routes below a base path such as "/digits", or "" for none; a mount would hide the pages there."""
    prefix = f"/{base.strip('/')}".rstrip("/")
    return [Route(f"{prefix}{route.path}", route.endpoint, methods=list(route.methods or ())) for route in routes]


def _streamlits_page() -> str:
    """Return the HTML with which every page begins, without importing Streamlit."""
    package = Path(importlib.util.find_spec("streamlit").origin).parent  # type: ignore[union-attr, arg-type]
    return (package / "static" / "index.html").read_text(encoding="utf-8")


def content_security_policy(html: str, ancestors: str = "'self'") -> str:
    """Return a policy that allows what the pages need, from this server alone.

    Args:
        html: the page; its inline scripts are allowed by their hashes.
        ancestors: the origins that may show the page in a frame.
    """
    inline = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    rules = {
        "default-src": "'self'",
        # Charts compile their formulas, which lets the reader in the browser compile its WebAssembly, too; components
        # are loaded from blobs.
        "script-src": f"'self' blob: 'unsafe-eval' {scripts}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": ancestors,
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in rules.items())


class SecurityHeaders:
    """ASGI middleware that tells browsers what the page may load, and who may frame it."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",  # a link holds a drawing or a run's id, which is nobody else's business
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class RateLimit:
    """ASGI middleware that refuses an address more visits, uploads and answers in a minute than the quotas allow.

    It also refuses more open pages, each of which has a connection.
    """

    def __init__(self, app: ASGIApp, quotas: Quotas) -> None:
        self._app = app
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        visits, uploads, answers = quotas.visits_a_minute, quotas.uploads_a_minute, quotas.answers_a_minute
        self._visits = RateLimitItemPerMinute(visits, namespace="visits") if visits else None
        # A page on a poor line connects again and again.
        self._connections = RateLimitItemPerMinute(4 * visits, namespace="connections") if visits else None
        self._open, self._most_open = Counter[str](), quotas.pages_open_per_address
        self._uploads = RateLimitItemPerMinute(uploads, namespace="uploads") if uploads else None
        self._answers = RateLimitItemPerMinute(answers, namespace="answers") if answers else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit, address, is_socket = self._limit_of(scope), address_of(scope), scope["type"] == "websocket"
        if limit is None or self._limiter.hit(limit, address):
            await (self._connect if is_socket else self._app)(scope, receive, send)
        elif is_socket:
            await send(_COME_LATER)
        else:
            reset = self._limiter.get_window_stats(limit, address).reset_time
            await _refusal(limit, seconds=max(1, math.ceil(reset - time.time())))(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a page connect unless too many pages are open at its address."""
        address = address_of(scope)
        if self._most_open and self._open[address] >= self._most_open:
            await send(_COME_LATER)
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _limit_of(self, scope: Scope) -> RateLimitItemPerMinute | None:
        """Return the quota that a request counts towards; the scripts and pictures of a page are free."""
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path.endswith(_SOCKET):
            return self._connections
        if scope["type"] == "http" and scope["method"] in ("PUT", "POST") and _UPLOADS in path:
            return self._uploads
        if scope["type"] == "http" and scope["method"] == "POST" and path.endswith(_ANSWERS):
            return self._answers
        is_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        return self._visits if is_page else None


def _refusal(limit: RateLimitItemPerMinute, seconds: int) -> PlainTextResponse:
    return PlainTextResponse(
        f"At most {limit.amount} {limit.namespace} a minute are allowed from one address, and yours has had them. "
        f"Try again in {seconds} s.",
        status_code=429,
        headers={"retry-after": str(seconds)},
    )


def address_of(scope: Scope) -> str:
    """Return the address that a request comes from, as `network_of` does.

    Behind a proxy, the server itself puts the visitor's address here if `FORWARDED_ALLOW_IPS` names the proxy.
    """
    return network_of((scope.get("client") or ("unknown", 0))[0])


def network_of(host: str) -> str:
    """Return an address; for IPv6 its network, because a household has 2**64 addresses.

    A server that listens for both sees an IPv4 address as `::ffff:192.0.2.1`.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
