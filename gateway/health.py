"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from gateway.coalescing import Coalescer, Crowd
from gateway.db import database
from gateway.errors import Problem

# Those who wait for longer than a moment whether MySQL answers, each on a thread of the server.
MOST_WAITING = 16


def init_app(app: Flask) -> None:
    """Add /healthz and /readyz; both are open to everybody."""
    # Those who ask while MySQL is being asked share the next question.
    pings: Coalescer[None, None] = Coalescer(
        _ping,
        shared=lambda error: True,
        longest=1000,
        room=Crowd(MOST_WAITING).room(_is_silent),
    )

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answer as long as the process does; nothing else is asked."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        """Answer 200 while MySQL can be had, else 503; Redis is not needed."""
        pings.submit(None)
        return {"status": "ready"}


def _ping(askers: Sequence[None]) -> Sequence[None]:
    """Ask MySQL once for all."""
    database().ping()
    return askers


def _is_silent() -> Problem:
    return Problem("database_unavailable", "MySQL has not answered for a while", retry_after_sec=1)
