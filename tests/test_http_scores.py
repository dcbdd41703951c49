"""POST /scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def session_id(api: Api) -> int:
    """Start a session of an exam of its own."""
    return make_session(api, make_exam(api))


def test_three_modules_give_the_total_of_the_contract(api: Api, session_id: int) -> None:
    api.post("/scores", submission(session_id))
    quiz = submission(session_id, module_type="quiz", raw_score=90, time_spent_sec=900)
    api.post("/scores", quiz)
    answer = api.post(
        "/scores",
        submission(session_id, module_type="assessment", raw_score=70, time_spent_sec=900),
    )
    assert answer.status == 200
    assert list(answer.json) == [
        "message",
        "submission_id",
        "replayed",
        "version",
        "revision",
        "leaderboard_entry",
    ]
    assert answer.json["message"] == "Score submitted"
    assert (answer.json["replayed"], answer.json["version"]) == (False, 3)
    assert answer.json["leaderboard_entry"] == {
        "rank": 1,
        "total_score": 83.75,
        "weighted_coding": 42.75,
        "weighted_quiz": 27,
        "weighted_assessment": 14,
        "total_time_sec": 4200,
    }


def test_modules_not_scored_yet_count_nothing(api: Api, session_id: int) -> None:
    entry = api.post("/scores", submission(session_id)).json["leaderboard_entry"]
    assert (entry["weighted_quiz"], entry["weighted_assessment"]) == (0, 0)
    assert entry["total_score"] == 42.75


def test_each_submission_is_one_revision_of_the_board(api: Api) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(3)]
    revisions = [api.post("/scores", submission(s)).json["revision"] for s in sessions]
    assert revisions == [1, 2, 3]


def test_the_last_write_of_a_module_wins_and_the_history_keeps_both(
    api: Api, session_id: int, query: Query
) -> None:
    api.post("/scores", submission(session_id, raw_score=100, time_spent_sec=10))
    answer = api.post("/scores", submission(session_id, raw_score=50, time_spent_sec=20)).json
    assert (answer["version"], answer["leaderboard_entry"]["total_score"]) == (2, 25)
    assert answer["leaderboard_entry"]["total_time_sec"] == 20
    rows = query("SELECT * FROM score_audit_log WHERE session_id = %s ORDER BY version", session_id)
    assert [(row["old_raw_score"], row["new_raw_score"]) for row in rows] == [
        (None, 100),
        (100, 50),
    ]


def test_equal_score_and_time_share_a_rank_and_the_next_has_no_gap(api: Api) -> None:
    exam_id = make_exam(api)
    scores = [(90, 100), (90, 100), (80, 100), (90, 99)]
    for raw_score, time_spent_sec in scores:
        item = submission(
            make_session(api, exam_id), raw_score=raw_score, time_spent_sec=time_spent_sec
        )
        answer = api.post("/scores", item)
    assert answer.json["leaderboard_entry"]["rank"] == 1
    board = api.get("/leaderboard", exam_id=exam_id).json["leaderboard"]
    assert [entry["rank"] for entry in board] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("fields", "weighted"),
    [
        ({"raw_score": 0}, 0),
        ({"raw_score": -0.0}, 0),
        ({"raw_score": 100}, 50),
        ({"raw_score": 1, "max_score": 3}, 16.6667),
        ({"raw_score": 2, "max_score": 3}, 33.3333),
        ({"raw_score": 0.00001, "max_score": 10}, 0.0001),
        ({"raw_score": 0.000009, "max_score": 10}, 0),
        ({"raw_score": 1e-7, "max_score": 1e-7}, 50),
        ({"raw_score": 9999999999.99, "max_score": 9999999999.99}, 50),
        ({"raw_score": 1e2}, 50),
    ],
)
def test_scores_at_their_bounds(
    api: Api, session_id: int, fields: dict[str, Any], weighted: float
) -> None:
    answer = api.post("/scores", submission(session_id, **fields))
    assert answer.status == 200, answer.text
    assert answer.json["leaderboard_entry"]["weighted_coding"] == weighted
    assert b":-0" not in answer.text


@pytest.mark.parametrize("seconds", [0, 4194303])
def test_times_at_their_bounds(api: Api, session_id: int, seconds: int) -> None:
    answer = api.post("/scores", submission(session_id, time_spent_sec=seconds))
    assert answer.json["leaderboard_entry"]["total_time_sec"] == seconds


def test_a_whole_number_may_be_written_as_three_point_nought(api: Api, session_id: int) -> None:
    item = submission(float(session_id), time_spent_sec=3.0, expected_version=0.0)
    answer = api.post("/scores", item)
    assert answer.status == 200, answer.text
    assert answer.json["leaderboard_entry"]["total_time_sec"] == 3


def test_null_means_the_same_as_leaving_out(api: Api, session_id: int) -> None:
    item = submission(session_id, details=None, expected_version=None, submission_id=None)
    answer = api.post("/scores", item)
    assert answer.status == 200
    assert answer.json["submission_id"]


def test_the_expected_version_lets_through_who_knows_it(api: Api, session_id: int) -> None:
    for version in range(3):
        answer = api.post("/scores", submission(session_id, expected_version=version))
        assert (answer.status, answer.json["version"]) == (200, version + 1)


def test_a_stale_version_is_refused_with_the_current_one(
    api: Api, session_id: int, row_counts: Callable[[], dict[str, int]]
) -> None:
    api.post("/scores", submission(session_id))
    before = row_counts()
    for expected in (0, 2, 2**63 - 1):
        answer = api.post("/scores", submission(session_id, expected_version=expected))
        assert (answer.status, answer.code) == (409, "version_conflict")
        assert answer.pointers == ["/expected_version"]
        assert answer.json["current_version"] == 1
    assert row_counts() == before
    assert api.get(f"/sessions/{session_id}").json["version"] == 1


@pytest.mark.parametrize("where", ["header", "quoted header", "body", "both"])
def test_the_same_submission_again_returns_the_first_outcome(
    gateways: list[Api], where: str, row_counts: Callable[[], dict[str, int]]
) -> None:
    session_id = make_session(gateways[0], make_exam(gateways[0]))
    key = unique_name()
    headers, fields = {
        "header": ({"Idempotency-Key": key}, {}),
        "quoted header": ({"Idempotency-Key": f'"{key}"'}, {}),
        "body": ({}, {"submission_id": key}),
        "both": ({"Idempotency-Key": key}, {"submission_id": key}),
    }[where]
    first = gateways[0].post("/scores", submission(session_id, **fields), **headers)
    assert (first.status, first.json["submission_id"]) == (200, key)
    # Others move the board and the session on; the answer stays what it was.
    gateways[0].post("/scores", submission(session_id, raw_score=1))
    before = row_counts()
    for gateway in gateways:
        again = gateway.post("/scores", submission(session_id, **fields), **headers)
        assert (again.status, again.json) == (200, first.json | {"replayed": True})
    assert row_counts() == before


def test_a_replay_does_not_mind_an_expected_version_gone_stale(api: Api, session_id: int) -> None:
    item = submission(session_id, expected_version=0, submission_id=unique_name())
    first = api.post("/scores", item)
    again = api.post("/scores", item)
    assert (again.status, again.json) == (200, first.json | {"replayed": True})


def test_a_replay_is_answered_after_the_session_is_finished(api: Api) -> None:
    exam_id, user_id = make_exam(api, submissions_by="candidates"), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    candidate = api.as_user(user_id)
    item = submission(session_id, submission_id=unique_name())
    first = candidate.post("/scores", item)
    candidate.patch(f"/sessions/{session_id}/finish")
    again = candidate.post("/scores", item)
    assert (again.status, again.json) == (200, first.json | {"replayed": True})


@pytest.mark.parametrize(
    "change",
    [
        {"raw_score": 1},
        {"max_score": 101},
        {"module_type": "quiz"},
        {"time_spent_sec": 1},
        {"details": {}},
    ],
    ids=str,
)
def test_a_submission_id_stands_for_one_payload(
    api: Api, session_id: int, change: dict[str, Any], row_counts: Callable[[], dict[str, int]]
) -> None:
    key = unique_name()
    api.post("/scores", submission(session_id), Idempotency_Key=key)
    before = row_counts()
    answer = api.post("/scores", submission(session_id, **change), Idempotency_Key=key)
    assert (answer.status, answer.code) == (409, "submission_id_reused")
    assert answer.pointers == ["/submission_id"]
    assert row_counts() == before


def test_the_same_id_for_another_session_is_another_id(api: Api, session_id: int) -> None:
    other = make_session(api, make_exam(api))
    key = unique_name()
    api.post("/scores", submission(session_id, submission_id=key))
    answer = api.post("/scores", submission(other, submission_id=key))
    assert (answer.status, answer.json["replayed"], answer.json["revision"]) == (200, False, 1)


def test_the_same_numbers_written_otherwise_are_the_same_payload(api: Api, session_id: int) -> None:
    key = unique_name()
    api.post("/scores", submission(session_id, raw_score=85.5, submission_id=key))
    raw = (
        f'{{"submission_id":"{key}","time_spent_sec":2400,"max_score":1e2,'
        f'"raw_score":8.550e1,"module_type":"coding","session_id":{session_id}}}'
    )
    answer = api.request("POST", "/scores", raw=raw.encode())
    assert (answer.status, answer.json["replayed"]) == (200, True)


def test_submission_ids_differ_by_case_and_by_trailing_blanks(api: Api, session_id: int) -> None:
    key = unique_name()
    for spelt in (key, key.upper(), f"{key} "):
        answer = api.post("/scores", submission(session_id, submission_id=spelt))
        assert (answer.status, answer.json["replayed"]) == (200, False)


def test_a_submission_id_may_have_sixty_four_characters(api: Api, session_id: int) -> None:
    key = unique_name().ljust(64, "~")
    answer = api.post("/scores", submission(session_id, submission_id=key))
    assert answer.json["submission_id"] == key


def test_a_finished_session_takes_nothing_from_its_candidate_but_late_grades(api: Api) -> None:
    exam_id, user_id = make_exam(api, submissions_by="candidates"), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    candidate = api.as_user(user_id)
    candidate.patch(f"/sessions/{session_id}/finish")
    refused = candidate.post("/scores", submission(session_id))
    assert (refused.status, refused.code) == (409, "session_finished")
    moderator = api.as_user(make_user(api, "moderator"), "moderator")
    assert moderator.post("/scores", submission(session_id)).status == 200


def test_a_deadline_that_has_passed_stops_the_candidate_but_not_the_grader(
    api: Api, query: Query
) -> None:
    exam_id, user_id = (
        make_exam(api, duration_sec=3600, submissions_by="candidates"),
        make_user(api),
    )
    session_id = make_session(api, exam_id, user_id)
    query(
        "UPDATE exam_sessions SET deadline_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND "
        "WHERE session_id = %s",
        session_id,
    )
    refused = api.as_user(user_id).post("/scores", submission(session_id))
    assert (refused.status, refused.code) == (409, "deadline_passed")
    assert api.post("/scores", submission(session_id)).status == 200


def test_the_best_whole_attempt_counts_never_parts_of_two(api: Api) -> None:
    exam_id, user_id = make_exam(api, max_attempts=2), make_user(api)
    first = make_session(api, exam_id, user_id)
    api.post("/scores", submission(first, raw_score=90, time_spent_sec=3000))
    api.patch(f"/sessions/{first}/finish")
    second = make_session(api, exam_id, user_id)
    answer = api.post("/scores", submission(second, raw_score=80, time_spent_sec=10))
    assert answer.json["leaderboard_entry"]["total_score"] == 45
    assert answer.json["leaderboard_entry"]["total_time_sec"] == 3000
    assert answer.json["version"] == 1


def test_the_history_names_who_submitted(api: Api, query: Query) -> None:
    exam_id, user_id = make_exam(api, submissions_by="candidates"), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    api.as_user(user_id).post("/scores", submission(session_id))
    api.post("/scores", submission(session_id))
    rows = query(
        "SELECT actor FROM score_audit_log WHERE session_id = %s ORDER BY version", session_id
    )
    assert [row["actor"] for row in rows] == [f"user:{user_id}", f"user:{api.user_id}"]
