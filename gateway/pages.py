"""The live board at `/` and the API reference at `/docs`: pages that are the same for everybody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from gateway.errors import Problem

WEB = Path(__file__).resolve().parent / "web"
# Decided here: what a machine's mime.types says of .js differs, and browsers take no other.
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _policy(**changes: str) -> str:
    """Return the policy of a page, but for some of its directives, named with _ for -."""
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


# A page loads what lies beside it and talks to the gateway it came from; nothing runs inline.
POLICY = _policy()
# The icons of Swagger UI stand in its stylesheet.
DOCS_POLICY = _policy(img_src="'self' data:")
PAGES = ("index.html", "docs.html", "missing.html")


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    content: bytes
    media_type: str
    etag: str


def init_app(app: Flask) -> None:
    """Add the pages and what they load; the data, behind their tokens, come from the API."""
    # Held in memory by name, so that no address leads to any other file.
    files = dict(_read(WEB))

    @app.get("/")
    def live_board() -> Response:
        """Show the live board."""
        return _answer(files["index.html"])

    @app.get("/docs")
    def docs() -> Response:
        """Show the API reference."""
        return _answer(files["docs.html"], DOCS_POLICY)

    @app.errorhandler(404)
    def missing(error: NotFound) -> Response:
        """Show somebody with a browser where to go; programs are told as everywhere."""
        json_first = ["application/problem+json", "application/json", "text/html"]
        if (
            request.path.startswith("/api/")
            or request.accept_mimetypes.best_match(json_first) != "text/html"
        ):
            return Problem("route_not_found", f"there is nothing at {request.path}").response
        file = files["missing.html"]
        response = Response(file.content, status=404, content_type=file.media_type)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Vary"] = "Accept"
        return response

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        """Send a script, a stylesheet or an icon of a page."""
        if name not in files or name in PAGES:
            raise Problem("route_not_found", f"there is no file {name}")
        return _answer(files[name])


def _read(folder: Path) -> list[tuple[str, File]]:
    """Read the files of known types, named by their paths below the folder."""
    return [
        (path.relative_to(folder).as_posix(), _file(path))
        for path in sorted(folder.rglob("*"))
        if path.suffix in MEDIA_TYPES
    ]


def _file(path: Path) -> File:
    content = path.read_bytes()
    return File(content, MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def _answer(file: File, policy: str = POLICY) -> Response:
    """Send a file, or tell that the client has it already."""
    response = Response(file.content, content_type=file.media_type)
    response.set_etag(file.etag)
    # Asked about each time, which costs a 304: a page and modules of two releases do not mix.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = policy
    response.make_conditional(request)
    return response
