"""Messages: of what a browser may send to Streamlit, only what the pages need arrives."""

import asyncio

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages._messages import MOST_DOWNLOADS, KnownMessages


def arrived(*messages, kind="websocket"):
    """Return the messages that arrive, from those that a browser sends."""
    found, sent = [], list(messages)

    async def receive():
        return sent.pop(0) if sent else {"type": "websocket.disconnect"}

    async def app(_scope, receive, _send):
        while (message := await receive())["type"] != "websocket.disconnect":
            found.append(message)

    asyncio.run(KnownMessages(app)({"type": kind}, receive, None))
    return found


def message(**facts):
    return {"type": "websocket.receive", "bytes": BackMsg(**facts).SerializeToString()}


@pytest.mark.parametrize(
    "facts",
    [
        {"rerun_script": {"query_string": "model=softmax"}},
        {"stop_script": True},
        {"app_heartbeat": True},
        {"file_urls_request": {"request_id": "1", "file_names": ["a.png"]}},
        {"backend_operation_request": {"request_id": "1", "deferred_file": {"file_id": "x"}}},
    ],
)
def test_what_pages_send_arrives(facts):
    assert arrived(message(**facts)) == [message(**facts)]


@pytest.mark.parametrize(
    "facts",
    [
        {"clear_cache": True},  # of all visitors
        {"load_git_info": True},  # starts git, while everybody waits
        {"set_run_on_save": True},
        {"debug_shutdown_runtime": True},
        {"backend_operation_request": {"request_id": "1", "install_skills": {}}},  # writes files
        {"backend_operation_request": {"request_id": "1", "dismiss_skills_nudge": {}}},
        {"backend_operation_request": {"request_id": "1"}},
        {},
    ],
)
def test_nothing_else_does(facts):
    beat = message(app_heartbeat=True)
    assert arrived(message(**facts), beat, message(**facts)) == [beat]
    both = {"type": "websocket.receive", "bytes": beat["bytes"] + message(**facts)["bytes"]}  # the last one counts
    assert arrived(both) == ([] if facts else [both])


def test_a_page_cannot_have_files_made_without_end():
    """A package takes a second of the server, and much memory."""
    press = message(backend_operation_request={"request_id": "1", "deferred_file": {"file_id": "x"}})
    rows = message(backend_operation_request={"request_id": "1", "dataframe_chunk": {}})
    assert arrived(*[press] * (MOST_DOWNLOADS + 5), rows) == [*[press] * MOST_DOWNLOADS, rows]


def test_what_is_no_message_is_left_to_streamlit():
    broken, text = {"type": "websocket.receive", "bytes": b"\xff"}, {"type": "websocket.receive", "text": "x"}
    start = {"type": "websocket.connect"}
    assert arrived(start, broken, text) == [start, broken, text]


def test_requests_pass():
    asked = {"type": "http.request", "body": message(clear_cache=True)["bytes"]}
    assert arrived(asked, kind="http") == [asked]
