"""The history: every accepted submission, in commit order."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import STAFF, caller, require
from gateway.cache import Mark, page_cache
from gateway.db import database
from gateway.representation import with_json
from gateway.validation import Validator

blueprint = Blueprint("audit", __name__)
audit_query = Validator(schemas.AUDIT_QUERY)


@blueprint.get("/audit")
@require(*STAFF)
def get_audit_trail() -> ResponseReturnValue:
    """Read the history; next_after goes into `after` for the next page, null at its end."""
    query = audit_query.query()
    caller().enter(query["exam_id"])
    [rows] = database().call(
        "get_audit_trail", query["exam_id"], query["session_id"], query["after"], query["limit"]
    )
    marks = [Mark.take(row, "committed_at") for row in rows]
    if marks:
        page_cache().publish(query["exam_id"], marks[-1])
    full = len(rows) == query["limit"]
    return {
        "entries": [with_json(row, "details") for row in rows],
        "next_after": rows[-1]["audit_id"] if full else None,
    }
