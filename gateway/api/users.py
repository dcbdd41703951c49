"""People."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, require
from gateway.db import database
from gateway.validation import Validator

blueprint = Blueprint("users", __name__)
new_user = Validator(schemas.NEW_USER)


@blueprint.post("/users")
@require(ADMIN)
def create_user() -> ResponseReturnValue:
    """Create a candidate, a moderator or an admin."""
    user = new_user.body()
    [[row]] = database().call(
        "create_user", user["username"], user["full_name"], user["role"], repeatable=False
    )
    return row, HTTPStatus.CREATED
