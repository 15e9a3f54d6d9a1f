"""Assets: files of our own that never change, each served once under a name with its hash.

Most are the scripts of the components that every stroke changes. Streamlit sends the script of a component anew
whenever the server shows the component: 50 kB for each stroke. So what it sends only names the script, which a browser
fetches once, compressed, and then keeps.
"""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2"}
# The address begins at the page's folder, because the server may have a base path.
# Shows the component as soon as its script has come. To wait for it first would show a grey box in its place.
_SHORT = """let show
const come = import(new URL(".PATH", window.location)).then(script => { show = script.default })
export default given => {
  if (show) return show(given)
  let [isGone, leave] = [false]
  come.then(() => { if (!isGone) leave = show(given) })
  return () => { isGone = true; leave?.() }
}
"""
_assets: dict[str, bytes] = {}  # by file name


def component(name: str, script: str) -> str:
    """Serve a component's script to browsers; return a short one to give to Streamlit in its place.

    Args:
        name: of the component, for the script's address.
        script: a module whose default export is the component.
    """
    path = serve(f"{name}.js", script.encode())
    return _SHORT.replace("PATH", path)


def serve(name: str, content: bytes) -> str:
    """Serve a file to browsers; return its path on this server.

    Args:
        name: with the file's extension, which tells its media type.
    """
    file = Path(name)
    hashed = f"{file.stem}.{hashlib.sha256(content).hexdigest()[:8]}{file.suffix}"
    _assets[hashed] = content
    return f"/assets/{hashed}"


def scripts() -> list[str]:
    """Return the paths of the scripts that are served so far."""
    return [f"/assets/{name}" for name in _assets if name.endswith(".js")]


def route() -> Route:
    """Return the route of the assets, `/assets/<name>.<hash>.<extension>`; see also `digits.compression`."""

    def respond(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _assets:
            return PlainTextResponse("No file has this name in this version. Reload the page.\n", status_code=404)
        return Response(_assets[name], media_type=_MEDIA_TYPES[Path(name).suffix], headers=_FOREVER)

    return Route("/assets/{name}", respond)
