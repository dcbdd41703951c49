"""What every answer tells browsers and caches: the least that they need to be allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A view that sets one of these for itself keeps its own.
DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # JSON loads nothing, and nobody frames it.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Somebody's scores, or an error that may be gone the next moment.
    "Cache-Control": "no-store",
}


class DefaultHeaders:
    """A WSGI application whose answers, errors included, carry DEFAULTS.

    Beneath Flask, where headers are a plain list: after_request would cost six times as much.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            own = {name for name, _ in headers}
            headers.extend(header for header in DEFAULTS.items() if header[0] not in own)
            return start_response(status, headers, *error)

        return self._application(environ, start)


def init_app(app: Flask) -> None:
    """Give all answers the default headers."""
    # Wrapped as Flask's manual says; mypy takes the attribute for a method.
    app.wsgi_app = DefaultHeaders(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents the assignment
