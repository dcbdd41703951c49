"""POST /scores/batch: each item succeeds or fails for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, submission, unique_name

RESULT_FIELDS = [
    "status",
    "message",
    "submission_id",
    "replayed",
    "version",
    "revision",
    "leaderboard_entry",
]


@pytest.fixture
def sessions(api: Api) -> list[int]:
    """Start three sessions of one exam."""
    exam_id = make_exam(api)
    return [make_session(api, exam_id) for _ in range(3)]


def submit(api: Api, *items: object) -> list[dict[str, Any]]:
    """Submit a batch and return its results."""
    answer = api.post("/scores/batch", {"submissions": list(items)})
    assert answer.status == 200, answer.text
    assert list(answer.json) == ["results"]
    results: list[dict[str, Any]] = answer.json["results"]
    assert len(results) == len(items)
    return results


def test_results_come_in_order_and_show_one_revision(api: Api, sessions: list[int]) -> None:
    results = submit(api, *(submission(s, raw_score=50 + s % 50) for s in reversed(sessions)))
    assert [list(result) for result in results] == [RESULT_FIELDS] * 3
    assert [result["status"] for result in results] == [200] * 3
    assert {result["revision"] for result in results} == {1}
    assert [api.get(f"/sessions/{s}").json["total_score"] for s in reversed(sessions)] == [
        result["leaderboard_entry"]["total_score"] for result in results
    ]


def test_a_bad_item_of_each_kind_leaves_its_neighbours_unharmed(
    api: Api, sessions: list[int]
) -> None:
    first, second, third = sessions
    bad: list[tuple[object, int, str, str]] = [
        # Refused by the schema
        (submission(second, raw_score="1"), 422, "raw_score_invalid", "/raw_score"),
        (submission(second, raw_score=-1), 422, "raw_score_invalid", "/raw_score"),
        (submission(second, extra=1), 422, "invalid_value", "/extra"),
        ({}, 422, "invalid_value", "/max_score"),
        ("text", 422, "invalid_value", ""),
        (None, 422, "invalid_value", ""),
        # Refused by the procedure
        (submission(second, raw_score=101), 422, "raw_score_invalid", "/raw_score"),
        (submission(999999999), 404, "session_not_found", "/session_id"),
        (submission(second, expected_version=7), 409, "version_conflict", "/expected_version"),
    ]
    for item, status, code, pointer in bad:
        results = submit(api, submission(first), item, submission(third))
        assert [result["status"] for result in results] == [200, status, 200]
        assert results[1]["code"] == code
        assert results[1]["errors"][0]["pointer"] == f"/submissions/1{pointer}"
    assert api.get(f"/sessions/{second}").json["version"] == 0
    assert [api.get(f"/sessions/{s}").json["version"] for s in (first, third)] == [len(bad)] * 2


def test_a_batch_of_nothing_but_bad_items_changes_nothing(
    api: Api, sessions: list[int], row_counts: Callable[[], dict[str, int]]
) -> None:
    before = row_counts()
    results = submit(
        api, submission(sessions[0], raw_score=-1), submission(sessions[1], raw_score=101)
    )
    assert [result["code"] for result in results] == ["raw_score_invalid"] * 2
    assert row_counts() == before


def test_an_item_may_count_on_the_one_before_it(api: Api, sessions: list[int]) -> None:
    session_id = sessions[0]
    results = submit(
        api,
        submission(session_id, expected_version=0),
        submission(session_id, expected_version=0, module_type="quiz"),
        submission(session_id, expected_version=1, module_type="quiz"),
    )
    assert [result["status"] for result in results] == [200, 409, 200]
    assert results[1]["current_version"] == 1
    assert [results[0]["version"], results[2]["version"]] == [1, 2]


def test_an_id_twice_in_one_batch_is_one_submission(api: Api, sessions: list[int]) -> None:
    item = submission(sessions[0], submission_id=unique_name())
    first, again, other = submit(api, item, item, item | {"raw_score": 1})
    assert first["replayed"] is False
    assert again == first | {"replayed": True}
    assert (other["status"], other["code"]) == (409, "submission_id_reused")


def test_a_batch_again_returns_the_first_outcomes(
    gateways: list[Api], sessions: list[int], row_counts: Callable[[], dict[str, int]]
) -> None:
    items = [submission(s, submission_id=unique_name()) for s in sessions]
    first = submit(gateways[0], *items)
    before = row_counts()
    assert submit(gateways[1], *items) == [result | {"replayed": True} for result in first]
    assert row_counts() == before


def test_items_may_belong_to_several_exams(api: Api) -> None:
    exams = [make_exam(api) for _ in range(2)]
    results = submit(api, *(submission(make_session(api, exam_id)) for exam_id in exams))
    assert [result["revision"] for result in results] == [1, 1]
    assert [result["leaderboard_entry"]["rank"] for result in results] == [1, 1]


def test_a_thousand_items_go_in_one_batch(api: Api, sessions: list[int]) -> None:
    items = [
        submission(sessions[n % 3], module_type=("coding", "quiz", "assessment")[n // 3 % 3])
        for n in range(1000)
    ]
    results = submit(api, *items)
    assert {result["status"] for result in results} == {200}
    assert results[-1]["version"] == 334


def test_a_thousand_and_one_are_refused_whole(
    api: Api, sessions: list[int], row_counts: Callable[[], dict[str, int]]
) -> None:
    before = row_counts()
    answer = api.post("/scores/batch", {"submissions": [submission(sessions[0])] * 1001})
    assert (answer.status, answer.code) == (422, "too_many_items")
    assert answer.pointers == ["/submissions"]
    assert row_counts() == before


@pytest.mark.parametrize("body", [{"submissions": []}, {"submissions": {}}, {}, [], {"items": []}])
def test_what_is_no_array_of_submissions_is_refused(api: Api, body: object) -> None:
    answer = api.post("/scores/batch", body)
    assert answer.status == 422
    assert answer.code in ("invalid_value", "submissions_invalid")


def test_whole_numbers_of_items_may_be_written_with_a_point(api: Api, sessions: list[int]) -> None:
    [result] = submit(api, submission(float(sessions[0]), time_spent_sec=3.0))
    assert (result["status"], result["leaderboard_entry"]["total_time_sec"]) == (200, 3)
