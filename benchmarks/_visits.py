"""Visits without browsers: connections that open pages, draw and upload files as Streamlit's own page does."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from digits.runs.visitors import COOKIE, new_token
from tests.browser.actions import SEVEN

ERRORS = (OSError, websockets.WebSocketException, TimeoutError)
_PEN_WIDTH = 16
_WIDGETS = ("draw.source", "draw.file", "draw.paper")


@dataclass
class Visit:
    """One visitor's connection: the page's widgets and what the visitor has set.

    Attributes:
        page: the page that `run` opens; "" for the first one.
        is_answered: whether the last run showed a number that was read.
    """

    socket: websockets.ClientConnection
    page: str = ""
    session_id: str = ""
    is_answered: bool = False
    widgets: dict[str, str] = field(default_factory=dict)  # the ids of `_WIDGETS`
    values: dict[str, WidgetState] = field(default_factory=dict)
    _token: str = ""  # of the sheet's drawing
    _fragment: str = ""  # which the sheet reruns
    _drawings: int = 0

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
        """Draw a 7, `place` pixels to the right of the first, in the place of the drawing before; read the response."""
        self._drawings += 1
        drawing = {
            "token": self._token,
            "serial": self._drawings,
            "strokes": [[value for x, y in SEVEN for value in (x + 140 + place, y + 60)]],
            "widths": [_PEN_WIDTH],
            "reads": True,
        }
        message = BackMsg()
        message.rerun_script.fragment_id = self._fragment
        sheet = WidgetState(id=self.widgets["draw.paper"], json_value=json.dumps({"drawing": drawing}))
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
        yield Visit(socket)
