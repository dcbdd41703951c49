"""Exams and their weights."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, caller, require
from gateway.boards import boards
from gateway.cache import Mark, page_cache
from gateway.db import Row, database
from gateway.representation import parse_time
from gateway.validation import Validator

blueprint = Blueprint("exams", __name__)
new_exam = Validator(schemas.NEW_EXAM)
exam_change = Validator(schemas.EXAM_CHANGE)
exams_query = Validator(schemas.EXAMS_QUERY)


@blueprint.post("/exams")
@require(ADMIN)
def create_exam() -> ResponseReturnValue:
    """Create an exam and its empty board."""
    exam = new_exam.body()
    [[row]] = database().call(
        "create_exam",
        exam["title"],
        *_weights(exam.get("weights") or {}),
        exam.get("max_attempts"),
        exam.get("attempt_policy"),
        parse_time(exam.get("starts_at"), "/starts_at"),
        parse_time(exam.get("ends_at"), "/ends_at"),
        exam.get("duration_sec"),
        repeatable=False,
    )
    del row["changed_at"]
    return _shape(row), HTTPStatus.CREATED


@blueprint.get("/exams")
@require()
def list_exams() -> ResponseReturnValue:
    """List exams; next_after goes into `after` for the next page, null at the end."""
    query = exams_query.query()
    [rows] = database().call("list_exams", query["after"], query["limit"])
    exams = [_shape(row) for row in rows]
    for exam in exams:
        # A revision once shown binds all later reads; a list has no need to promise so much.
        del exam["revision"], exam["changed_at"]
    full = len(exams) == query["limit"]
    return {"exams": exams, "next_after": exams[-1]["exam_id"] if full else None}


@blueprint.get("/exams/<int:exam_id>")
@require()
def get_exam(exam_id: int) -> ResponseReturnValue:
    """Read one exam."""
    [[row]] = database().call("get_exam", exam_id)
    page_cache().publish(exam_id, Mark.take(row))
    return _shape(row)


@blueprint.patch("/exams/<int:exam_id>")
@require(ADMIN)
def update_exam(exam_id: int) -> ResponseReturnValue:
    """Change the weights; the board is recalculated in the same commit."""
    weights = exam_change.body()["weights"]
    [[row]] = boards().call_slowly(
        exam_id, "update_exam_weights", exam_id, *_weights(weights), caller().user_id
    )
    page_cache().publish(exam_id, Mark.take(row))
    return _shape(row)


def _weights(weights: dict[str, Any]) -> list[Any]:
    """Return the weights in the order of the parameters; NULL for those not given."""
    return [weights.get(module) for module in ("coding", "quiz", "assessment")]


def _shape(row: Row) -> dict[str, Any]:
    """Add to a row the weights as POST and PATCH take them."""
    modules = ("coding", "quiz", "assessment")
    return row | {"weights": {module: row[f"weight_{module}"] for module in modules}}
