"""Previews: the menu's pages, and the title and card that each one's HTML has before any script runs."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.settings import PROJECT_DIR
from digits.views import first_paint

SITE = "Digits"
CARD = "/card.png"  # the address of the preview's picture, 1200 × 630 pixels
PICTURE = PROJECT_DIR / "pages" / "components" / "card.png"
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
_STREAMLITS_TITLE = b"<title>Streamlit</title>"


@dataclass(frozen=True)
class Page:
    """An entry of the menu.

    Attributes:
        name: the name of its file and, except for the first page, of its address.
        title: what the menu and the browser's tab show.
        icon: the name of a Material symbol.
        sentence: what the page is for.
        is_tab: whether it is one of the tabs of a phone, which has room for six.
    """

    name: str
    title: str
    icon: str
    sentence: str
    is_tab: bool = True


PAGES = (
    Page("draw", "Draw", "draw", "Draw a digit, or choose a picture of one, and see what a model reads."),
    Page("train", "Train", "model_training", "Choose a network and its settings, and watch it learn."),
    Page(
        "sweep", "Sweep", "manage_search", "Search for better settings of a network in many short runs.", is_tab=False
    ),
    Page("runs", "Runs", "format_list_bulleted", "Name, compare, repeat and delete the runs that you have started."),
    Page(
        "models", "Models", "neurology", "See a model's accuracy, mistakes and calibration; export and import models."
    ),
    Page("data", "Data", "category", "Make a set of drawings of your own, and look at what the models learn from."),
    Page("gallery", "Gallery", "grid_view", "Browse test images with a model's predictions."),
)


def browser_title(page: str) -> str:
    """Return the text of the browser's tab for a page's title: "Train · Digits"."""
    return f"{page} · {SITE}"


def route() -> Route:
    """Return the route of the preview's picture."""

    async def card(_request: Request) -> Response:
        return FileResponse(PICTURE, headers={"cache-control": "public, max-age=86400"})

    return Route(CARD, card)


class Previews:
    """ASGI middleware that puts a page's own title and card into the HTML that Streamlit sends for every page.

    Search engines and link previews run no script, so they would show only "Streamlit".
    """

    def __init__(self, app: ASGIApp, pages: Sequence[Page] = PAGES) -> None:
        self._app = app
        self._pages = {"": pages[0]} | {page.name: page for page in pages[1:]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_get = scope["type"] == "http" and scope["method"] == "GET"
        page = self._pages.get(scope["path"].rpartition("/")[2]) if is_get else None  # it may be below a base path
        if page is None:
            await self._app(scope, receive, send)
            return
        # Streamlit must send the whole page, uncompressed, and never "not modified".
        scope = {**scope, "headers": [item for item in scope["headers"] if item[0] not in _CONDITIONS]}
        start: Message = {}
        body = b""

        async def send_with_head(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            page_html = body
            if Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
                added = f"{head(page, scope)}\n    {first_paint.tags(body.decode(), page.name)}"
                page_html = body.replace(_STREAMLITS_TITLE, added.encode(), 1)
                page_html = first_paint.with_small_fonts(page_html.decode()).encode()
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(page_html))
                del MutableHeaders(raw=start["headers"])["etag"]
            await send(start)
            await send({"type": "http.response.body", "body": page_html})

        await self._app(scope, receive, send_with_head)


def head(page: Page, scope: Scope) -> str:
    """Return a page's title and its card in the Open Graph protocol (https://ogp.me), as HTML.

    Args:
        scope: the request, which tells the address that the visitor uses.
    """
    address = URL(scope=scope)
    picture = str(address.replace(path=address.path.rpartition("/")[0] + CARD, query=""))
    title = browser_title(page.title)
    facts = {
        "og:site_name": SITE,
        "og:type": "website",
        "og:title": title,
        "og:description": page.sentence,
        "og:url": str(address.replace(query="")),
        "og:image": picture,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "A handwritten 7 and the answer of a network that reads it",
    }
    tags = [f'<meta property="{name}" content="{html.escape(text)}" />' for name, text in facts.items()]
    tags += [
        f'<meta name="description" content="{html.escape(page.sentence)}" />',
        '<meta name="twitter:card" content="summary_large_image" />',
    ]
    return f"<title>{html.escape(title)}</title>\n    " + "\n    ".join(tags)
