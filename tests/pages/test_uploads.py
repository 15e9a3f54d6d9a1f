"""Uploads: little of them is kept, a session has only so many bytes, and odd shapes have a message."""

import asyncio
import copy
import io
import types

import pytest
from PIL import Image
from starlette.responses import PlainTextResponse
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from digits.ink import decoding
from digits.models import uploads
from pages import _uploads
from tests.pages.test_draw import bring, bring_all, encoded, reading
from tests.unit.ink import hostile

MEGABYTE = 2**20


class TestKeeping:
    def test_of_a_large_picture_only_a_reduced_one_is_kept(self, open_page, tidy, monkeypatch):
        """A photograph of 6 megapixels is read; less than half of its pixels are kept, and the upload is released."""
        released = []
        monkeypatch.setattr(_uploads, "release", released.append)
        photograph = encoded(hostile.photograph(2800, 2100), "JPEG", quality=95)
        page = tidy(bring(open_page(), photograph, "photograph.jpg"))
        assert reading(page) == "7"
        (picture,) = page.session_state["draw.kept.files"].values()
        assert max(Image.open(io.BytesIO(picture.data)).size) == decoding.KEPT_SIDE
        assert len(picture.data) < len(photograph) / 3
        assert [file.name for file in released] == ["photograph.jpg"]

    def test_a_released_file_is_empty_and_stays_in_the_list(self, monkeypatch):
        """Streamlit keeps its name, not its bytes."""
        manager = MemoryUploadedFileManager("/")
        context = types.SimpleNamespace(session_id="ada", uploaded_file_mgr=manager)
        monkeypatch.setattr(_uploads, "get_script_run_ctx", lambda: context)
        record = UploadedFileRec("a", "a.png", "image/png", bytes(1000))
        manager.add_file("ada", record)
        file = UploadedFile(record, FileURLs())
        _uploads.release(file)
        assert file.getvalue() == b""
        assert [(kept.name, kept.data) for kept in manager.get_files("ada", ["a"])] == [("a.png", b"")]

    def test_the_widgets_own_copy_is_released_too(self, monkeypatch):
        """Streamlit gives the page a copy of what the state holds."""
        record = UploadedFileRec("a", "a.png", "image/png", bytes(1000))
        held, other = UploadedFile(record, FileURLs()), UploadedFile(record._replace(file_id="b"), FileURLs())
        monkeypatch.setattr(_uploads.st, "session_state", {"draw.file": [held, other], "draw.source": "Picture"})
        _uploads.release(copy.deepcopy(held))
        assert (len(held.getvalue()), len(other.getvalue())) == (0, 1000)

    def test_why_a_picture_was_refused_is_said(self, open_page, monkeypatch, seven):
        """In the place of its reading."""
        monkeypatch.setattr(_uploads, "refusal", lambda file: "This file has 40 MB. Remove some.")
        page = bring(open_page(), seven)
        assert [error.value for error in page.error] == ["This file has 40 MB. Remove some."]
        page = bring_all(open_page(), [("a.png", seven), ("b.png", seven)])
        assert list(page.dataframe[0].value["answer"]) == ["This file has 40 MB. Remove some."] * 2

    def test_a_picture_stays_readable_after_its_upload_was_released(self, open_page, tidy, seven):
        """Every later run of the page reads what was kept."""
        page = bring(open_page(), seven)
        assert reading(tidy(page.run())) == "7"
        assert reading(tidy(page.run())) == "7"

    def test_beyond_the_limit_a_picture_has_a_message(self, open_page, monkeypatch, seven):
        """The first is kept; the second says what to do."""
        monkeypatch.setattr(uploads, "MAX_KEPT_BYTES", len(seven) + 10)
        page = bring_all(open_page(), [("a.png", seven), ("b.png", seven)])
        assert not page.exception
        problems = list(page.dataframe[0].value["answer"])
        assert "Remove some" not in problems[0]
        assert "Remove some" in problems[1]

    def test_what_is_no_longer_chosen_is_forgotten(self, open_page, tidy, seven):
        """Another picture takes the place of the first."""
        page = bring(bring(open_page(), seven, "a.png"), seven, "b.png")
        assert [picture.name for picture in tidy(page).session_state["draw.kept.files"].values()] == ["b.png"]


@pytest.mark.parametrize("shape", [(1, 700), (900, 1), (3, 2000), (2000, 3)])
def test_a_very_long_picture_has_a_message(open_page, shape, seven):
    """Alone and among others."""
    long = encoded(hostile.seven(*shape))
    page = bring(open_page(), long)
    assert not page.exception
    assert "100 times as long" in page.error[0].value
    page = bring_all(open_page(), [("good.png", seven), ("long.png", long)])
    assert not page.exception
    assert "100 times as long" in page.dataframe[0].value["answer"][1]


class TestLimit:
    @pytest.fixture
    def manager(self, monkeypatch):
        """Streamlit's store of uploads, without the rest of Streamlit."""
        manager = MemoryUploadedFileManager("/_stcore/upload_file")
        monkeypatch.setattr(_uploads, "_manager", lambda: manager)
        monkeypatch.setattr(_uploads, "MAX_UPLOADED_BYTES_PER_SESSION", 3 * MEGABYTE)
        monkeypatch.setattr(_uploads, "MAX_UPLOADED_BYTES", 5 * MEGABYTE)
        return manager

    @pytest.fixture
    def put(self, manager):
        """Upload bytes for a session; gives the response's status."""

        async def store(scope, receive, send):
            session, file = scope["path"].split("/")[-2:]
            content = bytes(int(dict(scope["headers"])[b"content-length"]))
            manager.add_file(session, UploadedFileRec(file, "a.png", "image/png", content))
            await PlainTextResponse("", status_code=204)(scope, receive, send)

        limited = _uploads.UploadLimit(store)

        def put(session, file, size):
            sent = []

            async def send(message):
                sent.append(message)

            path, headers = f"/_stcore/upload_file/{session}/{file}", [(b"content-length", str(size).encode())]
            scope = {"type": "http", "method": "PUT", "path": path, "headers": headers}
            asyncio.run(limited(scope, None, send))
            return sent[0]["status"], sent[1]["body"].decode()

        return put

    def test_a_session_has_only_so_many_bytes(self, put):
        """The file that would exceed the limit is refused with what to do; another session is not affected."""
        assert [put("ada", name, MEGABYTE)[0] for name in "abc"] == [204, 204, 204]
        status, text = put("ada", "d", MEGABYTE)
        assert status == 413
        assert "Remove some" in text
        assert put("bob", "a", MEGABYTE)[0] == 204

    def test_all_sessions_together_have_only_so_many(self, put):
        """Many sessions cannot fill the memory either."""
        statuses = [put(f"visitor {number}", "a", MEGABYTE)[0] for number in range(7)]
        assert statuses == [204] * 5 + [413] * 2

    def test_a_refused_file_of_an_open_page_is_taken_without_its_content(self, manager, monkeypatch):
        """Its page then says how large it is, how much is allowed and what to do."""
        monkeypatch.setattr(_uploads, "_is_open", lambda session: session == "ada")
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="seven.png"\r\n\r\n'
        parts = [head + bytes(MEGABYTE), bytes(3 * MEGABYTE)]
        sent = []

        async def receive():
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message):
            sent.append(message)

        headers = [(b"content-length", str(4 * MEGABYTE).encode())]
        scope = {"type": "http", "method": "PUT", "path": "/_stcore/upload_file/ada/f", "headers": headers}
        asyncio.run(_uploads.UploadLimit(None)(scope, receive, send))
        (kept,) = manager.get_files("ada", ["f"])
        assert (sent[0]["status"], kept.name, kept.data, parts) == (204, "seven.png", b"", [])
        assert _uploads.refusal(UploadedFile(kept, FileURLs())) == (
            "This file has 4 MB, and this page has room for 3 MB at this moment (3 MB in all). "
            "Remove some files, or choose a smaller one."
        )

    def test_a_released_file_makes_room(self, put, manager):
        """A picture that has been read no longer counts."""
        for name in "abc":
            put("ada", name, MEGABYTE)
        manager.add_file("ada", UploadedFileRec("a", "a.png", "image/png", b""))
        assert put("ada", "d", MEGABYTE)[0] == 204

    def test_files_that_arrive_at_the_same_time_count(self, manager):
        """Two requests that have not ended yet count as what they state, and a request without a size as the most."""
        seen = []

        async def app(scope, receive, send):
            seen.append(scope["path"])
            await asyncio.sleep(0.05)

        async def answer(message):
            seen.append(message.get("status"))

        def ask(headers):
            path = "/_stcore/upload_file/ada/x"
            scope = {"type": "http", "method": "PUT", "path": path, "headers": headers}
            return limited(scope, None, answer)

        async def both():
            stated = [(b"content-length", b"2000000")]
            await asyncio.gather(ask(stated), ask(stated), ask([]))

        limited = _uploads.UploadLimit(app)
        asyncio.run(both())
        assert [what for what in seen if what] == ["/_stcore/upload_file/ada/x", 413, 413]
        assert not limited._arriving
