"""Attempts of candidates at exams."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import CANDIDATE, GRADERS, SITTERS, caller, require
from gateway.boards import boards
from gateway.db import Results, database
from gateway.errors import Problem
from gateway.representation import with_json
from gateway.validation import Validator, idempotency_key

blueprint = Blueprint("sessions", __name__)
new_session = Validator(schemas.NEW_SESSION)
sessions_query = Validator(schemas.SESSIONS_QUERY)


@blueprint.post("/sessions")
@require(*SITTERS)
def start_session() -> ResponseReturnValue:
    """Start an attempt (201), or return the one in progress (200).

    Idempotency-Key makes it repeatable past the end of the attempt.
    """
    session = new_session.body()
    caller().require_self(session["user_id"], "a candidate starts their own sessions only")
    exam_id = caller().enter(session["exam_id"])
    # The token's role counts, as everywhere; the id tells whose key it is.
    [[row]] = boards().call(
        exam_id,
        "start_session_once",
        exam_id,
        session["user_id"],
        idempotency_key(),
        caller().user_id,
        caller().role,
    )
    boards().remember(row["session_id"], exam_id)
    return row, HTTPStatus.CREATED if row.pop("created") else HTTPStatus.OK


@blueprint.get("/sessions")
@require(CANDIDATE, *GRADERS)
def list_sessions() -> ResponseReturnValue:
    """List sessions; next_after goes into `after` for the next page, null at the end."""
    query = sessions_query.query()
    user_id = query["user_id"]
    if caller().role == CANDIDATE:
        user_id = user_id or caller().user_id
        caller().require_self(user_id, "a candidate sees their own sessions only")
    [rows] = database().call(
        "list_sessions",
        query["exam_id"] and caller().enter(query["exam_id"]),
        user_id,
        query["status"],
        caller().confinement,
        query["after"],
        query["limit"],
    )
    full = len(rows) == query["limit"]
    return {"sessions": rows, "next_after": rows[-1]["session_id"] if full else None}


@blueprint.get("/sessions/<int:session_id>")
@require(CANDIDATE, *GRADERS)
def get_session(session_id: int) -> ResponseReturnValue:
    """Read a session with its module scores."""
    [[row], modules] = _own_session(session_id)
    return row | {"modules": [with_json(module, "details") for module in modules]}


@blueprint.patch("/sessions/<int:session_id>/finish")
@require(*SITTERS)
def finish_session(session_id: int) -> ResponseReturnValue:
    """Finish a session; again, it changes nothing."""
    if caller().role == CANDIDATE:
        _own_session(session_id)
    exam_id = boards().exam_of(session_id)
    caller().enter_session(session_id, exam_id)
    [[row]] = boards().call(exam_id, "finish_session", session_id, None)
    return row


def _own_session(session_id: int) -> Results:
    """Read a session that the caller may see; another is answered as one that does not exist."""
    results = database().call("get_session", session_id)
    if not caller().is_grader and results[0][0]["user_id"] != caller().user_id:
        raise Problem.of_code("session_not_found", f"session {session_id} does not exist")
    caller().enter_session(session_id, results[0][0]["exam_id"])
    return results
