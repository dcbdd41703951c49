"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from flask import Flask

from gateway.db import database


def init_app(app: Flask) -> None:
    """Add /healthz and /readyz; both are open to everybody."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answer as long as the process does; nothing else is asked."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        """Answer 200 while MySQL can be had, else 503; Redis is not needed."""
        database().ping()
        return {"status": "ready"}
