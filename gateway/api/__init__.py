"""The calls of /api/v1, one module a resource."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from gateway.api import audit, exams, leaderboard, scores, sessions, users
from gateway.schemas import MAX_ID

PREFIX = "/api/v1"


class IdConverter(IntegerConverter):
    """An id in a path, as `int`: what no BIGINT can be lies nowhere."""

    regex = "[0-9]{1,19}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=MAX_ID)


def init_app(app: Flask) -> None:
    """Register all resources."""
    app.url_map.converters["int"] = IdConverter
    # Two slashes are not one: no answer without JSON in it sends a token elsewhere.
    app.url_map.merge_slashes = False
    for resource in (users, exams, sessions, scores, leaderboard, audit):
        app.register_blueprint(resource.blueprint, url_prefix=PREFIX)
