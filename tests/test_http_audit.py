"""GET /audit."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name


def entries(api: Api, **asked: object) -> list[dict[str, Any]]:
    """Read a whole history, page by page."""
    after, found = 0, list[dict[str, Any]]()
    while after is not None:
        answer = api.get("/audit", **(asked | {"after": after}))
        assert answer.status == 200, answer.text
        found += answer.json["entries"]
        after = answer.json["next_after"]
    return found


def test_an_entry_tells_the_whole_submission(api: Api) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    key, details = unique_name(), {"efficiency_score": 80}
    api.post("/scores", submission(session_id, raw_score=50, time_spent_sec=7))
    body = submission(session_id, submission_id=key, details=details)
    api.post("/scores", body, X_Request_ID="asked-by-me")
    entry = entries(api, exam_id=exam_id)[1]
    assert entry.pop("audit_id") >= 1
    assert entry.pop("created_at").endswith("Z")
    assert entry == {
        "submission_id": key,
        "revision": 2,
        "exam_id": exam_id,
        "session_id": session_id,
        "user_id": user_id,
        "module_type": "coding",
        "actor_id": api.user_id,
        "actor": f"user:{api.user_id}",
        "account": ANY,
        "version": 2,
        "old_raw_score": 50,
        "old_max_score": 100,
        "old_weighted_score": 25,
        "old_time_spent_sec": 7,
        "new_raw_score": 85.5,
        "new_max_score": 100,
        "new_weighted_score": 42.75,
        "new_time_spent_sec": 2400,
        "old_total_score": 25,
        "new_total_score": 42.75,
        "rank": 1,
        "details": details,
        "request_id": "asked-by-me",
    }


def test_a_first_score_has_no_old_values(api: Api) -> None:
    exam_id = make_exam(api)
    api.post("/scores", submission(make_session(api, exam_id)))
    [entry] = entries(api, exam_id=exam_id)
    assert {entry[name] for name in entry if name.startswith("old_")} == {None, 0}
    assert entry["old_total_score"] == 0
    assert entry["details"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1000])
def test_pages_join_in_commit_order_without_loss_or_repetition(api: Api, limit: int) -> None:
    exam_id, other = make_exam(api), make_exam(api)
    sessions = [make_session(api, exam_id), make_session(api, exam_id)]
    elsewhere = make_session(api, other)
    sent = []
    for n in range(4):
        sent.append(api.post("/scores", submission(sessions[n % 2])).json["submission_id"])
        api.post("/scores", submission(elsewhere))
    found = entries(api, exam_id=exam_id, limit=limit)
    assert [entry["submission_id"] for entry in found] == sent
    assert [entry["revision"] for entry in found] == [1, 2, 3, 4]


def test_one_session_is_picked_out(api: Api) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(2)]
    for session_id in sessions * 2:
        api.post("/scores", submission(session_id))
    found = entries(api, exam_id=exam_id, session_id=sessions[1], limit=1)
    assert [entry["session_id"] for entry in found] == [sessions[1]] * 2


def test_a_history_without_submissions_is_empty(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    empty: dict[str, object] = {"entries": [], "next_after": None}
    assert api.get("/audit", exam_id=exam_id).json == empty
    assert api.get("/audit", exam_id=exam_id, session_id=session_id).json == empty


def test_refused_and_replayed_submissions_are_not_in_it(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    item = submission(session_id, submission_id=unique_name())
    for body in (item, item, item | {"raw_score": 1}, submission(session_id, raw_score=101)):
        api.post("/scores", body)
    assert len(entries(api, exam_id=exam_id)) == 1


def test_what_does_not_exist_is_not_found(api: Api) -> None:
    exam_id, other = make_exam(api), make_exam(api)
    session_id = make_session(api, other)
    answer = api.get("/audit", exam_id=999999999)
    assert (answer.status, answer.code) == (404, "exam_not_found")
    answer = api.get("/audit", exam_id=exam_id, session_id=session_id)
    assert (answer.status, answer.code) == (404, "session_not_found")
