"""assets: files of our own, served once under a name with their hash."""

import asyncio

from starlette.applications import Starlette

from digits.views import assets


def ask(path):
    """Ask a server that has this route alone; gives the status, the headers and the body."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"host", b"digits")]}
    asyncio.run(Starlette(routes=[assets.route()])(scope, None, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:])


def test_a_file_is_served_under_a_name_with_its_hash():
    """Another content has another address, so a browser may keep each for ever."""
    first, second = assets.serve("note.js", b"first"), assets.serve("note.js", b"second")
    assert first != second
    status, headers, body = ask(first)
    assert (status, body) == (200, b"first")
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert ask(second)[2] == b"second"
    assert ask("/assets/note.00000000.js")[0] == 404


def test_a_components_script_names_the_file_that_a_browser_fetches():
    """Streamlit gets a few lines, and the page's HTML can name the file beforehand."""
    script = "export default () => {}\n" * 100
    short = assets.component("thing", script)
    (path,) = (path for path in assets.scripts() if "thing" in path)
    assert path in short
    assert len(short) < 500
    assert ask(path)[2].decode() == script
