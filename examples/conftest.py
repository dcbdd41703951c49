"""All that a suite needs to have Podium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from candidates import Candidate

from gateway.testing import Client

pytest_plugins = ["gateway.testing.plugin"]


@pytest.fixture
def exam_id(podium_admin: Client) -> int:
    """Create an exam of this test's own, where candidates submit; weights of 50, 30 and 20."""
    exam = {"title": "Backend Challenge", "submissions_by": "candidates"}
    return int(podium_admin.post("/exams", exam).json["exam_id"])


@pytest.fixture
def candidate(
    podium_admin: Client, podium_as: Callable[..., Client], exam_id: int
) -> Callable[[str], Candidate]:
    """Return a function that registers a candidate by name and starts his attempt at the exam."""

    def register(name: str) -> Candidate:
        body = {"username": f"{name}-{exam_id}", "full_name": name.title(), "role": "candidate"}
        user_id = podium_admin.post("/users", body).json["user_id"]
        api = podium_as(user_id)
        session = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id}).json
        return Candidate(api, user_id, session["session_id"])

    return register
