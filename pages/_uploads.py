"""Uploads: what visitors upload is limited, and released from the server's memory once it is no longer needed."""

from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileManager, UploadedFileRec

from digits.settings import MAX_PACKAGE_BYTES, MAX_UPLOADED_BYTES, MAX_UPLOADED_BYTES_PER_SESSION

_ROUTE = "/_stcore/upload_file/"
_MEGABYTE = 2**20


def release(file: UploadedFile) -> None:
    """Empty a file that Streamlit would keep until its visitor leaves; it stays in the widget's list."""
    file.truncate(0)
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.add_file(
            context.session_id, UploadedFileRec(file.file_id, file.name, file.type, data=b"")
        )


class UploadLimit:
    """ASGI middleware that refuses a file when its session, or the whole server, already holds too many bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()  # bytes by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or _ROUTE not in scope["path"]:
            await self._app(scope, receive, send)
            return
        session_id = scope["path"].partition(_ROUTE)[2].partition("/")[0]
        size = _length(scope)
        held = _held_bytes() + self._arriving
        for limit, bytes_held, whose in (
            (MAX_UPLOADED_BYTES_PER_SESSION, held[session_id], "This page holds"),
            (MAX_UPLOADED_BYTES, held.total(), "All visitors' pages together hold"),
        ):
            if bytes_held + size > limit:
                message = f"{whose} as many files as are allowed, {limit // _MEGABYTE} MB. Remove some, or try later."
                await PlainTextResponse(message, status_code=413)(scope, receive, send)
                return
        self._arriving[session_id] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving[session_id] -= size
            if not self._arriving[session_id]:
                del self._arriving[session_id]


def _length(scope: Scope) -> int:
    """Return the size that a request states, or the largest allowed one if it states none."""
    stated = Headers(scope=scope).get("content-length", "")
    return int(stated) if stated.isdecimal() else MAX_PACKAGE_BYTES + _MEGABYTE


def _held_bytes() -> Counter[str]:
    """Return the bytes that Streamlit holds for each session."""
    manager = _manager()
    if not isinstance(manager, MemoryUploadedFileManager):
        return Counter()
    sessions = list(manager.file_storage.items())
    return Counter({name: sum(len(file.data) for file in list(files.values())) for name, files in sessions})


def _manager() -> UploadedFileManager | None:
    return runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
