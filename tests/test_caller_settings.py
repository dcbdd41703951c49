"""What a caller may SET without any privilege, and what must not come of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.sql_harness import (
    Row,
    call,
    errno_of,
    make_exam,
    make_session,
    make_user,
    problems_of,
    result_sets,
    rows,
    submit,
)

Connect = Callable[..., Any]
# The first moment and the last that the server takes, and the ids that would end a table.
MOMENTS = ("1", "2147483647")
IDS = ("0", "1", "9223372036854775807", "18446744073709551615")
NEWEST = "SELECT COALESCE(MAX({}), 0) AS id FROM {}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_times_come_from_the_clock_and_not_from_the_caller(
    admin: Any, connect: Connect, moment: str
) -> None:
    odd = connect()

    def tell(procedure: str, *arguments: object) -> Row:
        result_sets(odd, f"SET timestamp = {moment}")
        return call(odd, procedure, *arguments)[0][0]

    user = tell("create_user", f"early-{moment}", "Early", None)
    exam = tell("create_exam", "Exam", *[None] * 8)
    session = tell("start_session", exam["exam_id"], user["user_id"], None)
    score = (session["session_id"], "quiz", 1, 1, 1, None, None, None, None)
    tell("submit_score", *score)
    tell("update_exam_weights", exam["exam_id"], 40, 40, 20, None)
    tell("recalculate_leaderboard", exam["exam_id"], None)
    finished = tell("finish_session", session["session_id"], None)

    now = rows(admin, "SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]
    told = [user["created_at"], exam["created_at"], session["started_at"], finished["finished_at"]]
    trail = call(admin, "get_audit_trail", exam["exam_id"], None, None, None)[0]
    revisions = rows(
        admin,
        "SELECT r.committed_at FROM leaderboard_revisions AS r INNER JOIN leaderboards AS b"
        " ON b.board_id = r.board_id WHERE b.exam_id = %s",
        (exam["exam_id"],),
    )
    told += [row["created_at"] for row in trail] + [row["committed_at"] for row in revisions]
    assert len(told) == 8
    assert all(now - timedelta(minutes=1) < moment <= now for moment in told)


def test_a_deadline_is_not_evaded_by_another_clock(admin: Any, connect: Connect) -> None:
    exam = make_exam(admin)
    user = make_user(admin)
    session = make_session(admin, exam, user)
    result_sets(
        admin,
        "UPDATE exam_sessions SET deadline_at = started_at - INTERVAL 1 SECOND"
        f" WHERE session_id = {session}",
    )
    odd = connect()
    result_sets(odd, "SET timestamp = 1")
    score = "CALL submit_score(%s, 'quiz', 1, 1, 1, NULL, NULL, NULL, %s)"
    assert errno_of(odd, score, (session, user)) == 50302


@pytest.mark.parametrize("number", IDS)
def test_ids_come_from_the_tables_and_not_from_the_caller(
    admin: Any, connect: Connect, number: str
) -> None:
    odd, plain = connect(), connect()

    def tell(procedure: str, *arguments: object) -> Row:
        result_sets(odd, f"SET insert_id = {number}")
        return call(odd, procedure, *arguments)[0][0]

    def newest(column: str, table: str) -> int:
        return int(rows(admin, NEWEST.format(column, table))[0]["id"])

    users, exams = newest("user_id", "users"), newest("exam_id", "exams")
    sessions, audits = newest("session_id", "exam_sessions"), newest("audit_id", "score_audit_log")
    user = tell("create_user", f"first-{number}", "First", None)
    exam = tell("create_exam", "Exam", *[None] * 8)
    session = tell("start_session", exam["exam_id"], user["user_id"], None)
    assert (user["user_id"], exam["exam_id"]) == (users + 1, exams + 1)
    assert session["session_id"] == sessions + 1
    for _ in range(2):
        tell("submit_score", session["session_id"], "quiz", 1, 1, 1, None, None, None, None)
    trail = call(admin, "get_audit_trail", exam["exam_id"], None, None, None)[0]
    assert [row["audit_id"] for row in trail] == [audits + 1, audits + 2]

    # Nor is the table closed to those who come after.
    submit(plain, make_session(plain, exam["exam_id"]))
    assert problems_of(admin, exam["exam_id"]) == []
