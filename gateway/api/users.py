"""People: who they are, and what they are called."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, STAFF, caller, require
from gateway.cache import Mark, page_cache
from gateway.db import database
from gateway.errors import Problem
from gateway.validation import Validator, idempotency_key

blueprint = Blueprint("users", __name__)
new_user = Validator(schemas.NEW_USER)
user_change = Validator(schemas.USER_CHANGE)
users_query = Validator(schemas.USERS_QUERY)


@blueprint.post("/users")
@require(ADMIN)
def create_user() -> ResponseReturnValue:
    """Create a user; Idempotency-Key makes it repeatable."""
    user = new_user.body()
    key = idempotency_key()
    [[row]] = database().call(
        "create_user_once",
        user["username"],
        user["full_name"],
        user["role"],
        key,
        caller().user_id,
        repeatable=key is not None,
    )
    return row, HTTPStatus.CREATED


@blueprint.get("/users")
@require(*STAFF)
def find_users() -> ResponseReturnValue:
    """Find who has a user name: a list of one, or of none."""
    [rows] = database().call("find_user", users_query.query()["username"])
    return {"users": rows}


@blueprint.get("/users/<int:user_id>")
@require()
def get_user(user_id: int) -> ResponseReturnValue:
    """Read a user; candidates read themselves only."""
    if caller().role not in STAFF and caller().user_id != user_id:
        # Whether there is such a user is not told either.
        raise Problem("forbidden", "this takes the role of staff, unless it is about oneself")
    [[row]] = database().call("get_user", user_id)
    return row


@blueprint.patch("/users/<int:user_id>")
@require(ADMIN)
def update_user(user_id: int) -> ResponseReturnValue:
    """Change what a user is called, on every board that shows it."""
    [[row], boards] = database().call(
        "update_user", user_id, json.dumps(user_change.body()), caller().user_id
    )
    for board in boards:
        page_cache().publish(board["exam_id"], Mark.take(board))
    return row
