"""Visits without browsers: connections that open pages, draw and upload files as Streamlit's own page does."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from digits.models.catalogue import DEFAULT_MODEL
from digits.runs.visitors import COOKIE, new_token
from tests.browser.actions import SEVEN

ERRORS = (OSError, websockets.WebSocketException, TimeoutError)
_PEN_WIDTH = 16
_WIDGETS = ("draw.source", "draw.file", "draw.paper")


class Line:
    """A connection for requests, which is opened at the first one and then kept, as a browser does."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> bytes:
        """Send JSON; return the body of the answer, which must be a success."""
        self._streams = self._streams or await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(120):
            status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            size = next(int(header.split(":")[1]) for header in headers if header.startswith("content-length:"))
            answer = await reader.readexactly(size)
        if " 200 " not in status:
            raise OSError(f"{status}: {answer.decode()}")
        return answer

    def close(self) -> None:
        """End the connection."""
        if self._streams:
            self._streams[1].close()


@dataclass
class Visit:
    """One visitor's connection: the page's widgets and what the visitor has set.

    Attributes:
        line: for requests beside the socket.
        page: the page that `run` opens; "" for the first one.
        is_answered: whether the last run showed, or the last answer was, a number that was read.
    """

    socket: websockets.ClientConnection
    line: "Line"
    page: str = ""
    session_id: str = ""
    is_answered: bool = False
    widgets: dict[str, str] = field(default_factory=dict)  # the ids of `_WIDGETS`
    values: dict[str, WidgetState] = field(default_factory=dict)
    _token: str = ""  # of the sheet's drawing
    _fragment: str = ""  # which the sheet reruns
    _drawing: dict[str, Any] = field(default_factory=dict)

    @property
    def has_sheet(self) -> bool:
        """Whether the Draw page has come."""
        return "draw.paper" in self.widgets

    def value(self, key: str) -> WidgetState:
        """Return the state of a widget, to be set by the visitor."""
        return self.values.setdefault(key, WidgetState(id=self.widgets[key]))

    async def run(self, message: BackMsg | None = None) -> None:
        """Run the page and read its response."""
        message = message or BackMsg()
        message.rerun_script.query_string = ""  # the page's address without parameters, as on a first visit
        message.rerun_script.page_name = self.page
        message.rerun_script.widget_states.widgets.extend(self.values.values())
        self.is_answered = False
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(120):
            while True:
                answer = ForwardMsg.FromString(await self.socket.recv())
                self._note(answer)
                if answer.WhichOneof("type") == "script_finished":
                    return

    async def draw(self, place: int) -> None:
        """Draw a 7, `place` pixels to the right of the first, in the place of the drawing before; have the page run."""
        self._draw(place)
        await self.rest()

    async def ask(self, place: int) -> None:
        """Draw as `draw` does, and have the server confirm it as a browser does that reads by itself."""
        self._draw(place)
        question = {name: self._drawing[name] for name in ("strokes", "widths")} | {"model": DEFAULT_MODEL, "chosen": 0}
        answer = await self.line.post("/live/answer", json.dumps(question).encode())
        self.is_answered = bool(json.loads(answer)["digits"])

    def _draw(self, place: int) -> None:
        self._drawing = {
            "token": self._token,
            "serial": self._drawing.get("serial", 0) + 1,
            "strokes": [[value for x, y in SEVEN for value in (x + 140 + place, y + 60)]],
            "widths": [_PEN_WIDTH],
            "reads": True,
        }

    async def rest(self) -> None:
        """Give the page the drawing, and read its response."""
        message = BackMsg()
        message.rerun_script.fragment_id = self._fragment
        sheet = WidgetState(id=self.widgets["draw.paper"], json_value=json.dumps({"drawing": self._drawing}))
        message.rerun_script.widget_states.widgets.append(sheet)
        await self.run(message)

    def _note(self, answer: ForwardMsg) -> None:
        if answer.WhichOneof("type") == "new_session":
            self.session_id = answer.new_session.initialize.session_id or self.session_id
        element = answer.delta.new_element
        kind = element.WhichOneof("type")
        widget = getattr(getattr(element, kind), "id", "") if kind else ""
        self.widgets |= {key: widget for key in _WIDGETS if key in widget}
        if widget.endswith("draw.card"):
            self.is_answered = bool(json.loads(element.bidi_component.json)["digits"])
        elif widget.endswith("draw.paper"):
            self._token = json.loads(element.bidi_component.json)["given"]["token"]
            self._fragment = answer.delta.fragment_id


@contextlib.asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visit]:
    """Connect as a new visitor."""
    async with websockets.connect(
        f"ws{url.removeprefix('http')}/_stcore/stream",
        origin=url,
        max_size=None,
        proxy=None,
        additional_headers={"Cookie": f"{COOKIE}={new_token()}"},
    ) as socket:
        with contextlib.closing(Line(url)) as line:
            yield Visit(socket, line)
