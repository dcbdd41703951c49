"""A submission's cost does not grow with the exam, counted in rows and not in seconds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sql_harness import result_sets, rows

SMALL, LARGE = 50, 1500


@pytest.fixture
def exam(admin: Any) -> int:
    """Create an exam without candidates."""
    [row] = rows(
        admin,
        "CALL create_exam('Flat', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    return int(row["exam_id"])


def enrol(admin: Any, exam: int, candidates: int) -> list[int]:
    """Let new candidates start and score, at standings of their own; return their sessions."""
    sessions = []
    for _ in range(candidates):
        [user] = rows(admin, "CALL create_user(UUID(), 'A candidate', 'candidate')")
        call = f"CALL start_session({exam}, {user['user_id']}, NULL)"
        sessions.append(int(rows(admin, call)[0]["session_id"]))
    for start in range(0, candidates, 500):
        items = [item(session_id, session_id) for session_id in sessions[start : start + 500]]
        result_sets(admin, "CALL submit_scores(%s, NULL)", (json.dumps(items),))
    return sessions


def item(session_id: int, salt: int) -> dict[str, Any]:
    """Return a submission whose score is spread over the board by its salt."""
    return {
        "session_id": session_id,
        "module_type": "coding",
        "raw_score": salt * 7919 % 10000 / 100,
        "max_score": 100,
        "time_spent_sec": salt * 104729 % 5400,
    }


def rows_touched(admin: Any, call: str, *values: object) -> int:
    """Return how many rows the storage engine read and wrote for a CALL."""
    counted = "SHOW SESSION STATUS WHERE variable_name REGEXP '^Handler_(read|write|update|delete)'"
    before = sum(int(row["Value"]) for row in rows(admin, counted))
    result_sets(admin, call, values)
    return sum(int(row["Value"]) for row in rows(admin, counted)) - before


def submission_cost(admin: Any, sessions: list[int]) -> int:
    """Return the rows that a submission touches, the median of several."""
    costs = [
        rows_touched(admin, "CALL submit_scores(%s, NULL)", json.dumps([item(session_id, salt)]))
        for salt, session_id in enumerate(sessions[:21], 1)
    ]
    return sorted(costs)[10]


def test_a_submission_touches_as_many_rows_in_a_large_exam(admin: Any, exam: int) -> None:
    sessions = enrol(admin, exam, SMALL)
    small = submission_cost(admin, sessions)
    rebuild = rows_touched(admin, f"CALL recalculate_leaderboard({exam}, NULL)")
    enrol(admin, exam, LARGE - SMALL)
    # What does grow with the exam shows that the count would tell.
    assert rows_touched(admin, f"CALL recalculate_leaderboard({exam}, NULL)") > 10 * rebuild
    assert submission_cost(admin, sessions) < 1.5 * small


def test_a_page_touches_as_many_rows_in_a_large_exam(admin: Any, exam: int) -> None:
    enrol(admin, exam, SMALL)
    first = f"CALL get_leaderboard({exam}, 1, 20, NULL)"
    last = f"CALL get_leaderboard({exam}, {LARGE // 20}, 20, NULL)"
    small = rows_touched(admin, first)
    enrol(admin, exam, LARGE - SMALL)
    assert rows_touched(admin, first) < 2 * small
    assert rows_touched(admin, last) < 2 * small
