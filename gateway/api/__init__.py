"""The calls of /api/v1, one module a resource."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter

from gateway.api import audit, exams, leaderboard, scores, sessions, users
from gateway.schemas import MAX_ID

PREFIX = "/api/v1"


def _up_to(largest: int) -> str:
    """Return a pattern for the whole numbers up to one."""
    digits = str(largest)
    shorter = f"[0-9]{{1,{len(digits) - 1}}}"
    smaller = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return "|".join([shorter, *smaller, digits])


class IdConverter(IntegerConverter):
    """An id in a path, as `int`: what no BIGINT can be lies nowhere."""

    # By the pattern alone: what a converter refuses is 405 where the path has another method too.
    regex = _up_to(MAX_ID)


def init_app(app: Flask) -> None:
    """Register all resources."""
    app.url_map.converters["int"] = IdConverter
    # Two slashes are not one: no answer without JSON in it sends a token elsewhere.
    app.url_map.merge_slashes = False
    for resource in (users, exams, sessions, scores, leaderboard, audit):
        app.register_blueprint(resource.blueprint, url_prefix=PREFIX)
