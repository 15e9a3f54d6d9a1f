"""Visitors: each browser gets a random token in a cookie, and owns the runs that it starts."""

import hashlib
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "digits_visitor"
_YEAR_SECONDS = 365 * 24 * 3600


def new_token() -> str:
    """Return a random token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def owner_of(token: str) -> str:
    """Return the name under which the registry keeps a visitor's runs: the SHA-256 of the token, in hexadecimal.

    Nobody can make a visitor's cookie from the registry. A token is long and random, so it needs no salt.
    """
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class VisitorCookie:
    """ASGI middleware that sets the cookie in responses to page requests without one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or COOKIE in cookie_parser(Headers(scope=scope).get("cookie", "")):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    cookie = f"{COOKIE}={new_token()}; Max-Age={_YEAR_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
                    headers.append("set-cookie", cookie + ("; Secure" if scope["scheme"] == "https" else ""))
            await send(message)

        await self._app(scope, receive, send_with_cookie)
