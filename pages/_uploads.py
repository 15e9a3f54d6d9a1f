"""Uploads: what visitors upload is limited, and released from the server's memory once it is no longer needed."""

import re
from collections import Counter

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileManager, UploadedFileRec

from digits.settings import MAX_PACKAGE_BYTES, MAX_UPLOADED_BYTES, MAX_UPLOADED_BYTES_PER_SESSION

_ROUTE = "/_stcore/upload_file/"
_MEGABYTE = 2**20
_FILE_NAME = re.compile(rb'filename="([^"\r\n]*)"')
_HEAD_BYTES = 4096  # in which a file's name is looked for
_REFUSALS = 1000  # the latest that are remembered
_refusals: dict[str, str] = {}  # why files were not taken, by their ids


def release(file: UploadedFile) -> None:
    """Empty a file that Streamlit would keep until its visitor leaves; it stays in the widget's list."""
    file.truncate(0)
    for value in st.session_state.values():  # `file` is a copy of what the widget's state holds
        for other in value if isinstance(value, list) else [value]:
            if isinstance(other, UploadedFile) and other.file_id == file.file_id:
                other.truncate(0)
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.add_file(
            context.session_id, UploadedFileRec(file.file_id, file.name, file.type, data=b"")
        )


def refusal(file: UploadedFile) -> str:
    """Return why a file was not taken, for its visitor; "" if it was."""
    return _refusals.get(file.file_id, "")


class UploadLimit:
    """ASGI middleware that refuses a file when its session, or the whole server, already holds too many bytes.

    Streamlit's page shows a visitor only the status of a refused request. So the file is taken without its content, and
    the page says why: see `refusal`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()  # bytes by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or _ROUTE not in scope["path"]:
            await self._app(scope, receive, send)
            return
        session_id, _, file_id = scope["path"].partition(_ROUTE)[2].partition("/")
        size = _length(scope)
        if why := self._too_much(session_id, size):
            answer: Response = PlainTextResponse(why, status_code=413)  # where nobody sees the page any more
            if _is_open(session_id):
                await _take_without_content(session_id, file_id, why, receive)
                answer = Response(status_code=204)
            await answer(scope, receive, send)
            return
        self._arriving[session_id] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving[session_id] -= size
            if not self._arriving[session_id]:
                del self._arriving[session_id]

    def _too_much(self, session_id: str, size: int) -> str:
        """Return why a file of `size` bytes is too much, or ""."""
        held = _held_bytes() + self._arriving
        for limit, bytes_held, who, remedy in (
            (MAX_UPLOADED_BYTES_PER_SESSION, held[session_id], "this page", "Remove some files"),
            (MAX_UPLOADED_BYTES, held.total(), "this server", "Try again in a minute"),
        ):
            if bytes_held + size > limit:
                left = max(0, limit - bytes_held)
                return (
                    f"This file has {_in_megabytes(size)} MB, and {who} has room for {_in_megabytes(left)} MB at this "
                    f"moment ({_in_megabytes(limit)} MB in all). {remedy}, or choose a smaller one."
                )
        return ""


async def _take_without_content(session_id: str, file_id: str, why: str, receive: Receive) -> None:
    """Read a file that is refused, keep its name, and remember why."""
    name, taken = b"", 0
    while taken <= MAX_PACKAGE_BYTES + _MEGABYTE:
        message = await receive()
        body = message.get("body", b"")
        found = _FILE_NAME.search(body[:_HEAD_BYTES]) if not taken else None
        name, taken = (found[1] if found else name), taken + len(body)
        if not message.get("more_body"):
            break
    manager = _manager()
    if isinstance(manager, MemoryUploadedFileManager):
        manager.add_file(session_id, UploadedFileRec(file_id, name.decode(errors="replace"), "", data=b""))
        _refusals[file_id] = why
        while len(_refusals) > _REFUSALS:
            del _refusals[next(iter(_refusals))]


def _in_megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.0f}"


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


def _is_open(session_id: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session_id)


def _manager() -> UploadedFileManager | None:
    return runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
