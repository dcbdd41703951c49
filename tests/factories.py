"""What a test needs to begin with, made through the HTTP API."""

from __future__ import annotations

import itertools
import os
from typing import Any

from tests.client import Answer, Api

_numbers = itertools.count(1)


def unique_name() -> str:
    """Return a user name, or a submission id, that nobody has yet."""
    return f"user-{os.getpid()}-{next(_numbers)}"


def make_user(api: Api, role: str = "candidate", **fields: object) -> int:
    """Create a user with a name of his own and return his id."""
    name = unique_name()
    body = {"username": name, "full_name": f"The {name}", "role": role} | fields
    return int(_created(api.post("/users", body))["user_id"])


def make_exam(api: Api, **fields: object) -> int:
    """Create an exam and return its id; candidates submit to it where submissions_by says so."""
    return int(_created(api.post("/exams", {"title": "An exam"} | fields))["exam_id"])


def make_session(api: Api, exam_id: int, user_id: int | None = None) -> int:
    """Start a session, of a new candidate unless one is named, and return its id."""
    user_id = make_user(api) if user_id is None else user_id
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    return int(_created(answer)["session_id"])


def submission(session_id: object, **fields: object) -> dict[str, Any]:
    """Return the body of a submission that is accepted; fields replace or add."""
    return {
        "session_id": session_id,
        "module_type": "coding",
        "raw_score": 85.5,
        "max_score": 100,
        "time_spent_sec": 2400,
    } | fields


def _created(answer: Answer) -> Any:
    assert answer.status == 201, answer.text
    return answer.json
