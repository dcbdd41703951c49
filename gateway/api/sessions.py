"""Attempts of candidates at exams."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import caller, require
from gateway.boards import boards
from gateway.db import Results, database
from gateway.representation import with_json
from gateway.validation import Validator

blueprint = Blueprint("sessions", __name__)
new_session = Validator(schemas.NEW_SESSION)


@blueprint.post("/sessions")
@require()
def start_session() -> ResponseReturnValue:
    """Start an attempt (201), or return the one in progress (200)."""
    session = new_session.body()
    caller().require_self(session["user_id"], "a candidate starts sessions for himself only")
    exam_id = session["exam_id"]
    [[row]] = boards().call(exam_id, "start_session", exam_id, session["user_id"], None)
    boards().remember(row["session_id"], exam_id)
    return row, HTTPStatus.CREATED if row.pop("created") else HTTPStatus.OK


@blueprint.get("/sessions/<int:session_id>")
@require()
def get_session(session_id: int) -> ResponseReturnValue:
    """Read a session with its module scores."""
    [[row], modules] = _own_session(session_id)
    return row | {"modules": [with_json(module, "details") for module in modules]}


@blueprint.patch("/sessions/<int:session_id>/finish")
@require()
def finish_session(session_id: int) -> ResponseReturnValue:
    """Finish a session; again, it changes nothing."""
    if not caller().is_staff:
        _own_session(session_id)
    exam_id = boards().exam_of(session_id)
    [[row]] = boards().call(exam_id, "finish_session", session_id, None)
    return row


def _own_session(session_id: int) -> Results:
    """Read a session that the caller may see."""
    results = database().call("get_session", session_id)
    caller().require_self(
        results[0][0]["user_id"],
        f"session {session_id} does not belong to user {caller().user_id}",
    )
    return results
