"""Exams and their settings."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, allow_nobody, caller, require
from gateway.boards import boards
from gateway.cache import Mark, page_cache
from gateway.db import Row, database
from gateway.representation import parse_time
from gateway.validation import Validator, idempotency_key

blueprint = Blueprint("exams", __name__)
new_exam = Validator(schemas.NEW_EXAM)
exam_change = Validator(schemas.EXAM_CHANGE)
exams_query = Validator(schemas.EXAMS_QUERY)


@blueprint.post("/exams")
@require(ADMIN)
def create_exam() -> ResponseReturnValue:
    """Create an exam and its empty board."""
    # null means the same as leaving it out.
    exam = {name: value for name, value in new_exam.body().items() if value is not None}
    key = idempotency_key()
    [[row]] = database().call(
        "create_exam_once", _as_json(exam), key, caller().user_id, repeatable=key is not None
    )
    del row["changed_at"]
    return _shape(row), HTTPStatus.CREATED


@blueprint.get("/exams")
@require()
def list_exams() -> ResponseReturnValue:
    """List exams; next_after goes into `after` for the next page, null at the end."""
    query = exams_query.query()
    who = caller()
    [rows] = database().call(
        "view_exams", query["after"], query["limit"], who.confinement, *who.viewer
    )
    exams = [_shape(row) for row in rows]
    for exam in exams:
        # A revision once shown binds all later reads; a list has no need to promise so much.
        del exam["revision"], exam["changed_at"]
    full = len(exams) == query["limit"]
    return {"exams": exams, "next_after": exams[-1]["exam_id"] if full else None}


@blueprint.get("/exams/<int:exam_id>")
@allow_nobody
def get_exam(exam_id: int) -> ResponseReturnValue:
    """Read one exam."""
    [[row]] = database().call("view_exam", caller().enter(exam_id), *caller().viewer)
    if row["revision"] is None:
        # A candidate who may not read the board.
        del row["changed_at"]
    else:
        page_cache().publish(exam_id, Mark.take(row))
    return _shape(row)


@blueprint.patch("/exams/<int:exam_id>")
@require(ADMIN)
def update_exam(exam_id: int) -> ResponseReturnValue:
    """Change an exam; deadlines and board follow in the same commit."""
    changes = exam_change.body()
    if changes.keys() == {"weights"}:
        change = ("update_exam_weights", exam_id, *_weights(changes["weights"]))
    else:
        change = ("update_exam", exam_id, _as_json(changes))
    [[row]] = boards().call_slowly(exam_id, *change, caller().user_id)
    page_cache().publish(exam_id, Mark.take(row))
    return _shape(row)


def _as_json(changes: dict[str, Any]) -> str:
    """Write changes as update_exam takes them, the times in UTC."""
    times = {
        name: parse_time(changes[name], f"/{name}")
        for name in ("starts_at", "ends_at")
        if name in changes
    }
    written = {
        name: time and time.isoformat(timespec="microseconds") for name, time in times.items()
    }
    return json.dumps(changes | written)


def _weights(weights: dict[str, Any]) -> list[Any]:
    """Return the weights in the order of the parameters; NULL for those not given."""
    return [weights.get(module) for module in ("coding", "quiz", "assessment")]


def _shape(row: Row) -> dict[str, Any]:
    """Add to a row the weights as POST and PATCH take them."""
    modules = ("coding", "quiz", "assessment")
    return row | {"weights": {module: row[f"weight_{module}"] for module in modules}}
