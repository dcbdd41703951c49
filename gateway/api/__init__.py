"""The calls of /api/v1, one module a resource."""

from __future__ import annotations

from flask import Flask

from gateway.api import audit, exams, leaderboard, scores, sessions, users

PREFIX = "/api/v1"


def init_app(app: Flask) -> None:
    """Register all resources."""
    for resource in (users, exams, sessions, scores, leaderboard, audit):
        app.register_blueprint(resource.blueprint, url_prefix=PREFIX)
