"""Messages: what a browser may ask of Streamlit through its connection, whatever the page in it sends."""

import time
from collections import deque

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages._uploads import UploadLimit

# Of the others, one would empty the caches of all visitors, and one would start git several times while everybody
# waits.
_KINDS = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}
_DOWNLOAD, _TABLE = "deferred_file", "dataframe_chunk"  # other operations write on the server's disk
MOST_DOWNLOADS = 20  # of files that are made at the press, in a minute by one page; a package takes a second


class KnownMessages:
    """ASGI middleware that leaves out the messages which Streamlit takes and no page here needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        downloads = deque[float](maxlen=MOST_DOWNLOADS)  # when they were asked for

        async def receive_known() -> Message:
            while not _is_known(message := await receive(), downloads):
                pass
            return message

        await self._app(scope, receive_known if scope["type"] == "websocket" else receive, send)


def _is_known(message: Message, downloads: deque[float]) -> bool:
    content = message.get("bytes")
    if message["type"] != "websocket.receive" or content is None:
        return True
    try:
        asked = BackMsg.FromString(content)
    except DecodeError:  # Streamlit closes the connection
        return True
    kind = asked.WhichOneof("type")
    if kind != "backend_operation_request":
        return kind in _KINDS
    operation = asked.backend_operation_request.WhichOneof("payload")
    return operation == _TABLE or (operation == _DOWNLOAD and _is_rare(downloads))


def _is_rare(downloads: deque[float]) -> bool:
    """Return whether a page may have one more download, and count it."""
    now = time.monotonic()
    if len(downloads) == MOST_DOWNLOADS and now - downloads[0] < 60:
        return False
    downloads.append(now)
    return True


LIMITS = (KnownMessages, UploadLimit)  # on all that a browser sends to Streamlit, as middleware
