"""Crowds of connections: nothing is lost, nothing deadlocks, and boards do not wait for each other.

Races of two or three, in every permutation, are files in tests/races/.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sql_harness import (
    Row,
    call,
    deadlocks,
    make_exam,
    make_session,
    make_user,
    problems_of,
    result_sets,
    rows,
    submit,
    unique_name,
)

Connect = Callable[..., Any]
Work = Callable[[Any], Any]

CONNECTIONS = 32
MODULES = ("coding", "quiz", "assessment")


@pytest.fixture(autouse=True)
def no_deadlock(admin: Any) -> Iterator[None]:
    """Hold every test to zero deadlocks and lock timeouts."""
    before = deadlocks(admin)
    yield
    assert deadlocks(admin) == before


def race(connect: Connect, works: Sequence[Work]) -> list[Any]:
    """Carry out each work on a connection of its own, all at once, and return what they return."""
    connections = [connect() for _ in works]
    gun = threading.Barrier(len(works))

    def run(connection: Any, work: Work) -> Any:
        gun.wait()
        return work(connection)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, connections, works))


def plays(sessions: Sequence[int], seed: int) -> Work:
    """Return the work of submitting all modules of some sessions in an order of its own."""
    order = random.Random(seed)

    def work(connection: Any) -> list[Row]:
        scores = [(session, module) for session in sessions for module in MODULES]
        order.shuffle(scores)
        return [
            submit(connection, session, module, order.randrange(0, 101, 20), time=60)
            for session, module in scores
        ]

    return work


def acknowledged(answers: Sequence[Sequence[Row]]) -> list[str]:
    """Return the submission ids that were answered with 200, from the fewest to the most."""
    return sorted(row["submission_id"] for some in answers for row in some)


def audited(connection: Any, exams: Sequence[int]) -> list[str]:
    """Return the submission ids in the audit log of some exams."""
    found = rows(
        connection,
        "SELECT a.submission_id AS id FROM score_audit_log AS a"
        " INNER JOIN leaderboards AS b ON b.board_id = a.board_id"
        f" WHERE b.exam_id IN ({', '.join(map(str, exams))})",
    )
    return sorted(row["id"] for row in found)


def test_32_connections_on_one_exam_lose_nothing(admin: Any, connect: Connect) -> None:
    exam = make_exam(admin)
    sessions = [make_session(admin, exam) for _ in range(CONNECTIONS * 2)]
    answers = race(connect, [plays(sessions[n::CONNECTIONS], n) for n in range(CONNECTIONS)])
    assert acknowledged(answers) == audited(admin, [exam])
    assert len(acknowledged(answers)) == len(sessions) * len(MODULES)
    assert problems_of(admin, exam) == []


def test_32_connections_on_16_exams_lose_nothing(admin: Any, connect: Connect) -> None:
    exams = [make_exam(admin) for _ in range(16)]
    sessions = [[make_session(admin, exam) for _ in range(2)] for exam in exams]
    works = [plays([sessions[n % 16][n // 16]] * 3, n) for n in range(CONNECTIONS)]
    answers = race(connect, works)
    assert acknowledged(answers) == audited(admin, exams)
    assert [problems_of(admin, exam) for exam in exams] == [[]] * 16


def test_arrays_over_the_same_exams_in_any_order_do_not_deadlock(
    admin: Any, connect: Connect
) -> None:
    exams = [make_exam(admin) for _ in range(4)]
    sessions = [make_session(admin, exam) for exam in exams for _ in range(8)]

    def works(seed: int) -> Work:
        order = random.Random(seed)

        def work(connection: Any) -> list[Row]:
            answers: list[Row] = []
            for _ in range(4):
                chosen = order.sample(sessions, 12)
                items = [
                    {
                        "session_id": session,
                        "module_type": order.choice(MODULES),
                        "raw_score": order.randrange(0, 101, 25),
                        "max_score": 100,
                        "time_spent_sec": 60,
                    }
                    for session in chosen
                ]
                answers += call(connection, "submit_scores", json.dumps(items), None)[0]
            return answers

        return work

    answers = race(connect, [works(seed) for seed in range(16)])
    assert acknowledged(answers) == audited(admin, exams)
    assert len(acknowledged(answers)) == 16 * 4 * 12
    assert [problems_of(admin, exam) for exam in exams] == [[]] * 4


def test_first_submissions_of_many_boards_do_not_deadlock(admin: Any, connect: Connect) -> None:
    exams = [make_exam(admin) for _ in range(CONNECTIONS)]
    sessions = [make_session(admin, exam) for exam in exams]
    answers = race(connect, [plays([session], session) for session in sessions])
    assert acknowledged(answers) == audited(admin, exams)


def test_version_of_a_session_is_the_number_of_acknowledged_submissions(
    admin: Any, connect: Connect
) -> None:
    exam = make_exam(admin)
    session = make_session(admin, exam)
    answers = race(connect, [plays([session] * 5, n) for n in range(10)])
    versions = sorted(row["version"] for some in answers for row in some)
    assert versions == list(range(1, 10 * 5 * len(MODULES) + 1))
    assert call(admin, "get_session", session)[0][0]["version"] == versions[-1]
    assert problems_of(admin, exam) == []


def test_one_submission_id_from_many_connections_is_one_submission(
    admin: Any, connect: Connect
) -> None:
    exam = make_exam(admin)
    session, name = make_session(admin, exam), unique_name()
    answers = race(connect, [lambda own: submit(own, session, id=name)] * CONNECTIONS)
    assert sorted(row.pop("replayed") for row in answers) == [0] + [1] * (CONNECTIONS - 1)
    assert answers == [answers[0]] * CONNECTIONS
    assert audited(admin, [exam]) == [name]
    assert problems_of(admin, exam) == []


def test_submissions_race_with_everything_else(admin: Any, connect: Connect) -> None:
    exam = make_exam(admin, max_attempts=1)
    sessions = [make_session(admin, exam) for _ in range(16)]
    users = [make_user(admin) for _ in range(24)]

    def reads(connection: Any) -> list[Row]:
        for _ in range(10):
            head, page, _own = call(connection, "get_leaderboard", exam, 1, 50, None)
            assert head[0]["total_participants"] == len(page)
            assert call(connection, "check_leaderboard", exam)[0] == []
            assert call(connection, "verify_audit", exam)[0] == []
        return []

    def starts(connection: Any) -> list[Row]:
        return [submit(connection, make_session(connection, exam, user)) for user in users]

    def finishes(connection: Any) -> list[Row]:
        for session in sessions:
            call(connection, "finish_session", session, None)
        return []

    def weighs(connection: Any) -> list[Row]:
        for quiz in range(0, 50, 10):
            call(connection, "update_exam_weights", exam, 50, quiz, 50 - quiz, None)
        return []

    def rebuilds(connection: Any) -> list[Row]:
        for _ in range(5):
            call(connection, "recalculate_leaderboard", exam, None)
        return []

    others = [reads, reads, starts, starts, finishes, weighs, rebuilds]
    answers = race(connect, [*(plays(sessions[n::8], n) for n in range(8)), *others])
    assert acknowledged(answers) == audited(admin, [exam])
    assert problems_of(admin, exam) == []


@pytest.mark.parametrize("submissions", [1, 2], ids=["first submission", "later submission"])
def test_open_submission_locks_nothing_of_other_boards(
    admin: Any, connect: Connect, submissions: int
) -> None:
    forget_statistics(admin)
    # A lock that a submission asks for is there every time. One that InnoDB leaves on the edge of
    # a page, where a page was split or ends, is there at that edge only.
    every_time = set.intersection(
        *(foreign_locks_of_submission(admin, connect, submissions) for _ in range(4))
    )
    assert every_time == set()


def test_submission_does_not_wait_for_another_board(admin: Any, connect: Connect) -> None:
    exams = [make_exam(admin) for _ in range(3)]
    sessions = [make_session(admin, exam) for exam in exams]
    submit(admin, sessions[0])
    submit(admin, sessions[2])
    own = connect()
    open_submission(own, sessions[0], 60)
    result_sets(admin, "SET SESSION innodb_lock_wait_timeout = 1")
    assert submit(admin, sessions[2], raw=10)["version"] == 2
    assert submit(admin, sessions[1])["version"] == 1
    result_sets(own, "COMMIT")


def forget_statistics(connection: Any) -> None:
    """Make the optimizer believe that all tables are nearly empty, as on a fresh machine."""
    result_sets(
        connection,
        "UPDATE mysql.innodb_table_stats SET n_rows = 1, clustered_index_size = 1,"
        " sum_of_other_index_sizes = 1 WHERE database_name = 'podium'",
    )
    result_sets(connection, "FLUSH TABLES")


def open_submission(connection: Any, session_id: int, raw: int) -> None:
    """Do all that a submission does but the COMMIT."""
    item = {"session_id": session_id, "module_type": "coding", "raw_score": raw}
    items = json.dumps([item | {"max_score": 100, "time_spent_sec": 60}])
    for statement in (
        f"SELECT _read_submissions('{items}', NULL, NULL) INTO @items",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "START TRANSACTION",
        "SET @refused = _write_submissions(@items, NULL, FALSE)",
    ):
        result_sets(connection, statement)


def foreign_locks_of_submission(
    admin: Any, connect: Connect, submissions: int
) -> set[tuple[str, str, str]]:
    """Return what an open submission, the last of some, locks of the boards beside its own."""
    before, exam, after = (make_exam(admin) for _ in range(3))
    for other in (before, after):
        submit(admin, make_session(admin, other))
    session = make_session(admin, exam)
    for _ in range(submissions - 1):
        submit(admin, session, raw=50)
    own = connect()
    open_submission(own, session, 60)
    found = foreign_locks(admin, own.connection_id, exam)
    result_sets(own, "COMMIT")
    return found


def foreign_locks(connection: Any, connection_id: int, exam_id: int) -> set[tuple[str, str, str]]:
    """Return the locks a connection holds on ranges, or on rows, of other boards.

    Each is given as table, index and mode.
    """
    board = rows(connection, "SELECT board_id FROM leaderboards WHERE exam_id = %s", (exam_id,))
    own = str(board[0]["board_id"])
    held = rows(
        connection,
        "SELECT l.object_name AS tab, l.index_name AS ix, l.lock_mode AS mode, l.lock_data AS data"
        " FROM performance_schema.data_locks AS l"
        " INNER JOIN performance_schema.threads AS t ON t.thread_id = l.thread_id"
        " WHERE t.processlist_id = %s AND l.lock_type = 'RECORD'"
        " AND l.object_name <> 'leaderboard_levels' AND l.lock_mode NOT LIKE '%%REC_NOT_GAP'",
        (connection_id,),
    )
    return {
        (row["tab"], row["ix"], row["mode"]) for row in held if row["data"].split(",")[0] != own
    }
