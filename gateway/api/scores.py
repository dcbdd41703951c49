"""Submissions: the one thing that moves a board."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import CANDIDATE, GRADERS, caller, require
from gateway.db import Row
from gateway.errors import FieldError, Problem
from gateway.submissions import submissions
from gateway.validation import Validator, bare_key

blueprint = Blueprint("scores", __name__)
submission = Validator(schemas.SUBMISSION)
submission_id = Validator(schemas.SUBMISSION_ID, "Idempotency-Key")
batch = Validator(schemas.BATCH)

ENTRY_COLUMNS = (
    "rank",
    "total_score",
    "weighted_coding",
    "weighted_quiz",
    "weighted_assessment",
    "total_time_sec",
)


@blueprint.post("/scores")
@require(CANDIDATE, *GRADERS)
def submit_score() -> ResponseReturnValue:
    """Submit one module score; Idempotency-Key makes it repeatable."""
    item = submission.body()
    _take_idempotency_key(item)
    row = submissions().submit(item, caller())
    if row["code"] is not None:
        raise _refusal(row)
    return _accepted(row)


@blueprint.post("/scores/batch")
@require(*GRADERS)
def submit_scores() -> ResponseReturnValue:
    """Submit many; each succeeds or fails for itself, in its own result."""
    items = batch.body()["submissions"]
    if len(items) > schemas.MAX_ITEMS:
        raise Problem.of_code(
            "too_many_items",
            f"{len(items)} submissions, at most {schemas.MAX_ITEMS} go in one array",
        )
    problems = [
        submission.problem(item, f"/submissions/{place}") for place, item in enumerate(items)
    ]
    sound = [place for place, problem in enumerate(problems) if problem is None]
    carried = submissions().submit_all(
        [submission.whole(items[place]) for place in sound], caller()
    )
    if carried and all(isinstance(result, Problem) for result in carried):
        # No board was reached: the whole request is to come back.
        raise next(result for result in carried if isinstance(result, Problem))
    rows = dict(zip(sound, carried, strict=True))
    return {
        "results": [
            problem.body if problem is not None else _result(place, rows[place])
            for place, problem in enumerate(problems)
        ]
    }


def _take_idempotency_key(item: dict[str, Any]) -> None:
    """Make the header Idempotency-Key the item's submission id."""
    key = bare_key()
    if key is None:
        return
    if problem := submission_id.problem(key, "/submission_id"):
        raise Problem("submission_id_invalid", problem.detail, problem.errors)
    if item.get("submission_id") not in (None, key):
        message = "must be the same as the header Idempotency-Key, or be left out"
        raise Problem(
            "submission_id_invalid",
            f"submission_id {message}",
            [FieldError("/submission_id", message)],
        )
    item["submission_id"] = key


def _result(place: int, row: Row | Problem) -> dict[str, Any]:
    """Return what the batch tells of one item."""
    if isinstance(row, Problem):
        return row.body
    if row["code"] is not None:
        return _refusal(row, f"/submissions/{place}").body
    return {"status": row["status"]} | _accepted(row)


def _accepted(row: Row) -> dict[str, Any]:
    """Return what an accepted submission is answered."""
    return {
        "message": "Score submitted",
        "submission_id": row["submission_id"],
        "replayed": bool(row["replayed"]),
        "version": row["version"],
        "revision": row["revision"],
        "leaderboard_entry": {column: row[column] for column in ENTRY_COLUMNS},
    }


def _refusal(row: Row, prefix: str = "") -> Problem:
    """Return what a refused submission is answered."""
    members = {}
    if row["current_version"] is not None:
        members["current_version"] = row["current_version"]
    detail = row["message"].removeprefix(f"{row['code']}: ")
    return Problem.of_code(row["code"], detail, prefix, **members)
