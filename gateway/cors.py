"""Which pages of other origins may read our answers: https://fetch.spec.whatwg.org/#http-cors-protocol"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from gateway.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "ETag",
    "Retry-After",
    "X-Request-ID",
    "Location",
    "Allow",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)
# For so long a browser need not ask again; Chromium keeps no answer for longer than 2 hours.
PREFLIGHT_SEC = 600


class CrossOrigin:
    """A WSGI application whose answers the pages of some origins may read.

    A token goes in a header that the page writes itself, so credentials, which a browser would add
    of its own accord, are never allowed.
    """

    def __init__(self, application: WSGIApplication, origins: Iterable[str]) -> None:
        self._application = application
        self._origins = frozenset(origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        # A cache must not give the answer to one origin to another, nor to one who named none.
        told = [("Vary", "Origin")]
        if origin in self._origins:
            told.append(("Access-Control-Allow-Origin", str(origin)))
            if (
                environ["REQUEST_METHOD"] == "OPTIONS"
                and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
            ):
                start_response("204 No Content", [*told, *PREFLIGHT])
                return []
            told.append(("Access-Control-Expose-Headers", ", ".join(RESPONSE_HEADERS)))

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers.extend(told)
            return start_response(status, headers, *error)

        return self._application(environ, start)


PREFLIGHT = [
    ("Access-Control-Allow-Methods", METHODS),
    ("Access-Control-Allow-Headers", ", ".join(REQUEST_HEADERS)),
    ("Access-Control-Max-Age", str(PREFLIGHT_SEC)),
]


def init_app(app: Flask, config: Config) -> None:
    """Let the pages of the configured origins read our answers; without any, add nothing."""
    if config.cors_origins:
        # Wrapped as Flask's manual says; mypy takes the attribute for a method.
        app.wsgi_app = CrossOrigin(  # type: ignore[method-assign]  # Flask documents the assignment
            app.wsgi_app, config.cors_origins
        )
