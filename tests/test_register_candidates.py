"""register_candidates: many imports of the same names at once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mysql.connector import errorcode

from tests.sql_harness import (
    call,
    deadlocks,
    errno_of,
    make_exam,
    result_sets,
    rows,
    unique_name,
)
from tests.waiting import wait_until

CONNECTIONS = 8
REGISTER = "CALL podium.register_candidates(%s, %s, NULL)"


def test_the_same_names_registered_at_once_become_one_candidate_each(
    admin: Any, connect: Callable[..., Any]
) -> None:
    exam_id = make_exam(admin)
    names = [unique_name() for _ in range(200)]
    before = deadlocks(admin)

    def register(connection: Any) -> dict[str, tuple[int, int, int, int]]:
        some = random.sample(names, len(names))
        items = [{"username": name, "full_name": "Somebody"} for name in some]
        answers = call(connection, "register_candidates", exam_id, json.dumps(items), None)[0]
        return {
            name: (
                answer["user_id"],
                answer["session_id"],
                answer["user_created"],
                answer["session_created"],
            )
            for name, answer in zip(some, answers, strict=True)
        }

    with ThreadPoolExecutor(CONNECTIONS) as crew:
        told = list(crew.map(register, [connect() for _ in range(CONNECTIONS)]))

    for name in names:
        assert len({answers[name][:2] for answers in told}) == 1
        assert sum(answers[name][2] for answers in told) == 1
        assert sum(answers[name][3] for answers in told) == 1
    assert deadlocks(admin) == before


def test_a_killed_call_leaves_no_user_without_a_session(
    admin: Any, connect: Callable[..., Any]
) -> None:
    exam_id = make_exam(admin)
    names = [unique_name() for _ in range(20)]
    items = json.dumps([{"username": name, "full_name": "Somebody"} for name in names])
    caller, other = connect(), connect()

    # Whoever holds the gap behind an exam's sessions makes their writer wait, the users written.
    result_sets(other, "START TRANSACTION")
    rows(other, "SELECT 1 FROM exam_sessions WHERE exam_id = %s FOR UPDATE", (exam_id,))
    with ThreadPoolExecutor(1) as thread:
        killed = thread.submit(errno_of, caller, REGISTER, (exam_id, items))
        waits = "SELECT COUNT(*) AS n FROM performance_schema.data_lock_waits"
        wait_until(lambda: rows(admin, waits)[0]["n"] > 0)
        result_sets(admin, f"KILL QUERY {caller.connection_id}")
        assert killed.result() == errorcode.ER_QUERY_INTERRUPTED
    result_sets(other, "ROLLBACK")

    result_sets(caller, "COMMIT")
    known = rows(
        admin,
        "SELECT COUNT(*) AS n FROM users INNER JOIN JSON_TABLE(%s, '$[*]' COLUMNS (username"
        " VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin PATH '$.username')) AS i"
        " ON i.username = users.username",
        (items,),
    )
    assert known == [{"n": 0}]
    answers = call(caller, "register_candidates", exam_id, items, None)[0]
    assert [answer["session_created"] for answer in answers] == [1] * 20


def test_nothing_of_the_caller_is_worked_on(admin: Any, connect: Callable[..., Any]) -> None:
    exam_id, caller = make_exam(admin), connect()
    for table in ("tmp_candidates", "tmp_attempts"):
        result_sets(caller, f"CREATE TEMPORARY TABLE podium.{table} (n INT) ENGINE = BLACKHOLE")
    items = json.dumps([{"username": unique_name(), "full_name": "Somebody"}])
    [answer] = call(caller, "register_candidates", exam_id, items, None)[0]
    assert (answer["user_created"], answer["session_created"]) == (1, 1)
