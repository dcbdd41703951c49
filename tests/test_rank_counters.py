"""The tree of counters that a rank is read from: how it grows, that it stays right and small."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.sql_harness import (
    make_exam,
    make_session,
    problems_of,
    result_sets,
    rows,
    stored_board,
    true_board,
)

Query = Callable[..., list[dict[str, Any]]]
CAPACITY = 48


@pytest.fixture
def exam(admin: Any) -> int:
    """Create an exam without candidates."""
    return make_exam(admin)


def submit(admin: Any, sessions: Sequence[int], standings: Sequence[tuple[float, int]]) -> None:
    """Give each session a score and a time, in one array."""
    items = [
        {
            "session_id": session_id,
            "module_type": "coding",
            "raw_score": score,
            "max_score": 100,
            "time_spent_sec": time,
        }
        for session_id, (score, time) in zip(sessions, standings, strict=True)
    ]
    [results] = result_sets(admin, "CALL submit_scores(%s, NULL)", (json.dumps(items),))
    assert {row["status"] for row in results} == {200}


def ranges(query: Query, exam_id: int) -> list[tuple[int, int, bool | None]]:
    """Return level, standings and whether it is divided of each range and standing of a board."""
    found = query(
        "SELECT c.level, c.standings, c.divided FROM leaderboard_counters AS c"
        " INNER JOIN leaderboards AS b ON b.board_id = c.board_id"
        " WHERE b.exam_id = %s ORDER BY c.level DESC, c.bucket DESC",
        exam_id,
    )
    return [tuple(row.values()) for row in found]


def assert_exact(admin: Any, exam_id: int) -> None:
    """See that all ranks and all counters are what the scores give."""
    assert stored_board(admin, exam_id) == true_board(admin, exam_id)
    assert problems_of(admin, exam_id) == []


def test_a_board_is_one_range_until_it_is_crowded(admin: Any, query: Query, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 1)]
    submit(admin, sessions[:-1], [(place, 60) for place in range(CAPACITY)])
    assert ranges(query, exam) == [(10, CAPACITY, 0)] + [(9, 1, None)] * CAPACITY
    assert_exact(admin, exam)
    submit(admin, sessions[-1:], [(99, 60)])
    assert ranges(query, exam)[0] == (10, CAPACITY + 1, 1)
    assert {divided for level, _, divided in ranges(query, exam) if level == 9} == {0}
    assert_exact(admin, exam)


def test_a_tie_crowds_nothing(admin: Any, query: Query, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(2 * CAPACITY)]
    submit(admin, sessions, [(50, 60)] * len(sessions))
    assert ranges(query, exam) == [(10, 1, 0), (9, 1, None)]
    assert_exact(admin, exam)


def test_one_array_may_crowd_every_level(admin: Any, query: Query, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 1)]
    submit(admin, sessions, [(50, 100 + place) for place in range(len(sessions))])
    found = ranges(query, exam)
    # The same score, the times of one minute: all in one range of 34 minutes, down to 32 seconds.
    assert [row for row in found if row[2] == 1] == [
        (level, CAPACITY + 1, 1) for level in (10, 9, 8, 7, 6, 5, 4, 3)
    ]
    assert sum(1 for level, _, divided in found if level == 1 and divided is None) == len(sessions)
    assert_exact(admin, exam)


def test_the_lowest_key_of_a_range_is_a_standing_too(admin: Any, query: Query, exam: int) -> None:
    # The longest time possible leaves nothing in the low bits of a key.
    longest = 4_194_303
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 2)]
    times = [longest, *range(100, 100 + CAPACITY)]
    submit(admin, sessions[:-1], [(50, time) for time in times])
    submit(admin, sessions[-1:], [(50, longest - 1)])
    assert_exact(admin, exam)
    result_sets(admin, "CALL recalculate_leaderboard(%s, NULL)", (exam,))
    assert_exact(admin, exam)


def test_a_standing_that_all_have_left_is_gone(admin: Any, query: Query, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(3)]
    for place in range(100):
        submit(admin, sessions, [(place / 2, 60), (place / 2, 60), (place / 4, 61)])
    assert ranges(query, exam) == [(10, 2, 0), (9, 1, None), (9, 1, None)]
    assert_exact(admin, exam)


def test_a_range_that_all_have_left_is_kept_and_counts_nothing(
    admin: Any, query: Query, exam: int
) -> None:
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 1)]
    submit(admin, sessions, [(1 + place / 100, 60) for place in range(len(sessions))])
    submit(admin, sessions, [(99, 60)] * len(sessions))
    assert (10, 1, 1) in ranges(query, exam)
    assert any(standings == 0 for _, standings, _ in ranges(query, exam))
    assert_exact(admin, exam)
    result_sets(admin, "CALL recalculate_leaderboard(%s, NULL)", (exam,))
    assert ranges(query, exam) == [(10, 1, 0), (9, 1, None)]
    assert_exact(admin, exam)


def test_recalculation_grows_the_same_tree(admin: Any, query: Query, exam: int) -> None:
    chance = random.Random(3)
    sessions = [make_session(admin, exam) for _ in range(400)]
    crowd = [(chance.choice((50, 50.5, 80)), chance.randrange(3000)) for _ in sessions]
    for start in range(0, len(sessions), 100):
        submit(admin, sessions[start : start + 100], crowd[start : start + 100])
    grown = ranges(query, exam)
    assert_exact(admin, exam)
    result_sets(admin, "CALL recalculate_leaderboard(%s, NULL)", (exam,))
    assert ranges(query, exam) == grown
    assert_exact(admin, exam)


def test_check_leaderboard_sees_whether_a_range_is_divided(admin: Any, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 1)]
    submit(admin, sessions, [(place, 60) for place in range(len(sessions))])
    damage = (
        "UPDATE leaderboard_counters SET divided = {} WHERE level = 10 AND board_id ="
        " (SELECT board_id FROM leaderboards WHERE exam_id = %s)"
    )
    for divided, word in (("FALSE", ", undivided"), ("NULL", "")):
        result_sets(admin, damage.format(divided), (exam,))
        found = [
            (row["problem"], row["found"], row["expected"])
            for row in rows(admin, "CALL check_leaderboard(%s)", (exam,))
        ]
        counted = "49 standings, 49 entries"
        assert ("counter", counted + word, counted + ", divided") in found
        assert ("counter", "out of place", "in a divided range") in found
    result_sets(admin, damage.format("TRUE"), (exam,))
    assert problems_of(admin, exam) == []


def test_check_leaderboard_sees_damage_where_nobody_is(admin: Any, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(CAPACITY + 1)]
    submit(admin, sessions, [(50, 100 + 40 * place) for place in range(len(sessions))])
    submit(admin, sessions, [(90, 60)] * len(sessions))
    assert problems_of(admin, exam) == []
    emptied = (
        " WHERE level BETWEEN 4 AND 8 AND divided AND standings = 0 AND board_id ="
        " (SELECT board_id FROM leaderboards WHERE exam_id = %s) ORDER BY level LIMIT 1"
    )
    for damage in (
        "UPDATE leaderboard_counters SET divided = FALSE",
        "DELETE FROM leaderboard_counters",
    ):
        result_sets(admin, damage + emptied, (exam,))
        problems = problems_of(admin, exam)
        assert {(row["found"], row["expected"]) for row in problems} == {
            ("out of place", "in a divided range")
        }
        result_sets(admin, "CALL recalculate_leaderboard(%s, NULL)", (exam,))
        assert problems_of(admin, exam) == []
        submit(admin, sessions, [(50, 100 + 40 * place) for place in range(len(sessions))])
        submit(admin, sessions, [(90, 60)] * len(sessions))


def test_the_first_array_of_a_board_moves_nothing_that_it_lists(admin: Any, exam: int) -> None:
    sessions = [make_session(admin, exam) for _ in range(500)]
    crowd = [(50.0, 100 + 2 * place) for place in range(len(sessions))]
    moved = (
        "SELECT count_update + count_delete AS moved"
        " FROM performance_schema.table_io_waits_summary_by_table"
        " WHERE object_schema = 'podium' AND object_name = 'leaderboard_counters'"
    )

    def count() -> int:
        return int(rows(admin, moved)[0]["moved"])

    before = count()
    submit(admin, sessions, crowd)
    # Divided after it was listed, each standing would have moved down eight levels.
    assert count() - before < len(sessions)
    assert_exact(admin, exam)


def test_a_rank_on_a_crowded_board_reads_few_rows(admin: Any, exam: int) -> None:
    chance = random.Random(5)
    sessions = [make_session(admin, exam) for _ in range(1500)]
    for start in range(0, len(sessions), 500):
        # Two scores and the times of an hour: nothing is spread but the time.
        crowd = [(chance.choice((50, 80)), chance.randrange(3600)) for _ in range(500)]
        submit(admin, sessions[start : start + 500], crowd)
    [board] = rows(admin, "SELECT board_id FROM leaderboards WHERE exam_id = %s", (exam,))
    [entry] = rows(
        admin,
        "SELECT MIN(standing_key) AS worst FROM leaderboard_snapshot WHERE board_id = %s",
        (board["board_id"],),
    )
    read = "SHOW SESSION STATUS LIKE 'Handler_read%'"
    before = sum(int(row["Value"]) for row in rows(admin, read))
    rows(admin, "SELECT _rank(%s, %s)", (board["board_id"], entry["worst"]))
    assert sum(int(row["Value"]) for row in rows(admin, read)) - before < 200
