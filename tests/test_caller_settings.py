"""What a caller may SET without any privilege, and what must not come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.db import DRIVER_ERRORS
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
# Of these the results hang in other people's programs: how many rows, how exact, how long.
SETTINGS = (
    "sql_select_limit = 1",
    "sql_select_limit = 0",
    "max_execution_time = 1",
    "group_concat_max_len = 4",
    "div_precision_increment = 0",
    "div_precision_increment = 30",
    "windowing_use_high_precision = 0",
    "max_sort_length = 4",
    "sql_auto_is_null = 1",
    "sql_buffer_result = 1",
    "foreign_key_checks = 0, unique_checks = 0",
    "auto_increment_increment = 7, auto_increment_offset = 3",
    "sort_buffer_size = 32768, join_buffer_size = 128, read_rnd_buffer_size = 1",
    "tmp_table_size = 1024, max_heap_table_size = 16384",
    "range_optimizer_max_mem_size = 1, eq_range_index_dive_limit = 1, optimizer_search_depth = 0",
    "sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,NO_UNSIGNED_SUBTRACTION,REAL_AS_FLOAT'",
    "NAMES utf8mb4 COLLATE utf8mb4_tr_0900_ai_ci",
    "time_zone = '+14:00', lc_time_names = 'de_DE', default_week_format = 7",
    "last_insert_id = 9, rand_seed1 = 1, rand_seed2 = 1",
    "default_collation_for_utf8mb4 = utf8mb4_general_ci",
)
# What two exams that were played alike differ in.
OWN = re.compile(r"(_id|_at|epoch|head_hash|^actor|^username)$")
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
    keyed = tell("create_user_once", f"keyed-{moment}", "Early", None, f"key-{moment}", None)
    exam = tell("create_exam", "Exam", *[None] * 8)
    session = tell("start_session", exam["exam_id"], user["user_id"], None)
    score = (session["session_id"], "quiz", 1, 1, 1, None, None, None, None)
    tell("submit_score", *score)
    tell("update_exam_weights", exam["exam_id"], 40, 40, 20, None)
    tell("recalculate_leaderboard", exam["exam_id"], None)
    finished = tell("finish_session", session["session_id"], None)
    tell("update_user", user["user_id"], '{"full_name": "Late"}', None)

    now = rows(admin, "SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]
    told = [user["created_at"], exam["created_at"], session["started_at"], finished["finished_at"]]
    told.append(keyed["created_at"])
    trail = call(admin, "get_audit_trail", exam["exam_id"], None, None, None)[0]
    revisions = rows(
        admin,
        "SELECT r.committed_at FROM leaderboard_revisions AS r INNER JOIN leaderboards AS b"
        " ON b.board_id = r.board_id WHERE b.exam_id = %s",
        (exam["exam_id"],),
    )
    told += [row["created_at"] for row in trail] + [row["committed_at"] for row in revisions]
    assert len(told) == 10
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
    sessions = newest("session_id", "exam_sessions")
    user = tell("create_user", f"first-{number}", "First", None)
    exam = tell("create_exam", "Exam", *[None] * 8)
    session = tell("start_session", exam["exam_id"], user["user_id"], None)
    assert (user["user_id"], exam["exam_id"]) == (users + 1, exams + 1)
    keyed = tell("create_user_once", f"second-{number}", "Second", None, f"key of {number}", None)
    assert keyed["user_id"] == users + 2
    assert session["session_id"] == sessions + 1
    for _ in range(2):
        tell("submit_score", session["session_id"], "quiz", 1, 1, 1, None, None, None, None)
    trail = call(admin, "get_audit_trail", exam["exam_id"], None, None, None)[0]
    assert [row["audit_id"] for row in trail] == [1, 2]

    # Nor is the table closed to those who come after.
    submit(plain, make_session(plain, exam["exam_id"]))
    assert problems_of(admin, exam["exam_id"]) == []


@pytest.mark.parametrize("kind", ["CHAIN", "RELEASE"])
def test_a_call_ends_its_transaction_and_not_the_connection(
    admin: Any, connect: Connect, kind: str
) -> None:
    odd = connect()
    exam = make_exam(admin)
    session = make_session(admin, exam)
    submit(admin, session)
    user = call(admin, "get_session", session)[0][0]["user_id"]
    result_sets(odd, f"SET completion_type = '{kind}'")
    calls: tuple[tuple[Any, ...], ...] = (
        ("create_exam", "Exam", *[None] * 8),
        ("start_session", exam, make_user(admin), None),
        ("register_candidates", exam, "[]", None),
        ("finish_session", session, None),
        ("submit_score", session, "quiz", 1, 1, 1, None, None, None, None),
        ("update_exam_weights", exam, 40, 40, 20, None),
        ("recalculate_leaderboard", exam, None),
        ("update_user", user, '{"full_name": "Another"}', None),
        ("get_leaderboard", exam, 1, 50, None),
        ("get_entry", exam, user),
        ("get_around", exam, user, 1),
        ("get_session", session),
        ("check_leaderboard", exam),
        ("verify_audit", exam),
    )
    for procedure, *arguments in calls:
        call(odd, procedure, *arguments)
        # Refused inside a transaction, and by a connection that is gone.
        assert errno_of(odd, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED") is None
    assert errno_of(odd, "CALL podium.get_entry(%s, 0)", (exam,)) == 50500
    assert errno_of(odd, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED") is None


@pytest.mark.parametrize("setting", SETTINGS)
def test_results_are_the_same_to_the_last_digit(connect: Connect, setting: str) -> None:
    odd, plain = connect(), connect()
    result_sets(odd, f"SET {setting}")
    assert play(odd) == play(plain)


def play(connection: Any) -> list[list[Row]]:
    """Play an exam with ties, third attempts and odd fractions; return all that was told of it."""
    told = []

    def tell(procedure: str, *arguments: object) -> list[list[Row]]:
        sets = call(connection, procedure, *arguments)
        told.extend(sets)
        return sets

    weights = ("33.34", "33.33", "33.33")
    exam = tell("create_exam", "Exam", *weights, 2, "best", None, None, None)[0][0]["exam_id"]
    users = [make_user(connection) for _ in range(12)]
    sessions = [tell("start_session", exam, user, None)[0][0]["session_id"] for user in users]
    item = {"max_score": 7, "time_spent_sec": 60, "details": {"\u00e9": 0.1}}
    items = [
        item | {"session_id": session, "module_type": module, "raw_score": (place // 2 + turn) % 8}
        for turn, module in enumerate(("coding", "quiz", "assessment", "coding"))
        for place, session in enumerate(sessions)
    ]
    tell("submit_scores", json.dumps(items), None)
    tell("finish_session", sessions[0], None)
    second = tell("start_session", exam, users[0], None)[0][0]["session_id"]
    tell("submit_score", second, "quiz", "0.33333333333333333333", 1, 5, None, 0, None, None)
    tell("update_exam_weights", exam, "12.5", "37.5", "50", None)
    tell("recalculate_leaderboard", exam, None)
    for page in (1, 2, 3):
        tell("get_leaderboard", exam, page, 5, users[3])
    tell("get_around", exam, users[5], 3)
    tell("get_entry", exam, users[5])
    tell("get_session", second)
    tell("get_exam", exam)
    assert len(tell("get_audit_trail", exam, None, None, None)[0]) == len(items) + 1
    for check in ("check_leaderboard", "verify_audit"):
        assert tell(check, exam)[0] == []
    return [
        [{name: value for name, value in row.items() if not OWN.search(name)} for row in rows]
        for rows in told
    ]


TIMES = {
    # As a DATETIME is written, which is in UTC.
    "2027-03-28": "2027-03-28 00:00:00",
    "2027-03-28 09:00": "2027-03-28 09:00:00",
    "2027-03-28 02:30:00.123456": "2027-03-28 02:30:00.123456",
    "2027-03-28 02:30:00.1234567": "2027-03-28 02:30:00.123457",
    # RFC 3339.
    "2027-03-28T09:00:00Z": "2027-03-28 09:00:00",
    "2027-03-28t09:00:00.5z": "2027-03-28 09:00:00.500000",
    "2027-03-28 09:00:00+00:00": "2027-03-28 09:00:00",
    "2027-03-28T09:00:00-00:00": "2027-03-28 09:00:00",
    "2027-03-28T09:00:00+02:00": "2027-03-28 07:00:00",
    "2027-03-28T09:00+05:45": "2027-03-28 03:15:00",
    "2027-01-01T00:00:00+14:00": "2026-12-31 10:00:00",
    "2028-02-28T23:30:00-23:59": "2028-02-29 23:29:00",
}
NO_TIMES = (
    *(
        "",
        "x",
        "2027",
        "2027-3-28",
        "20270328090000",
        "2027-02-29",
        "2027-13-01",
        "2027-03-28T24:00",
    ),
    *("2027-03-28T09:00:60Z", "2027-03-28T09", "2027-03-28Z", "2027-03-28T09:00+2", "now"),
    *("2027-03-28T09:00+24:00", "2027-03-28T09:00+01:60", "2027-03-28T09:00:00Z\n", "0000-00-00"),
    *("0000-01-01", "0001-01-01T00:00+01:00", "9999-12-31T23:00-02:00", "\u0662027-03-28", " "),
)


@pytest.mark.parametrize("zone", ["+00:00", "+02:00", "-13:59", "+14:00"])
def test_a_time_is_the_same_in_every_time_zone(connect: Connect, zone: str) -> None:
    odd = connect()
    result_sets(odd, f"SET time_zone = '{zone}'")

    def created(start: str, end: str) -> list[str]:
        statement = f"CALL create_exam('Exam', NULL, NULL, NULL, NULL, NULL, {start}, {end}, NULL)"
        row = rows(odd, statement)[0]
        return [str(row["starts_at"]), str(row["ends_at"])]

    for text, utc in TIMES.items():
        assert created(f"'{text}'", "'2030-01-01T00:00Z'") == [utc, "2030-01-01 00:00:00"]
        assert created("'2020-01-01T00:00Z'", f"'{text}'") == ["2020-01-01 00:00:00", utc]
    for typed in ("CAST('2027-03-28 09:00' AS DATETIME)", "TIMESTAMP '2027-03-28 09:00:00'"):
        assert created(typed, "NULL")[0] == "2027-03-28 09:00:00"
    result_sets(odd, "SET @at = CAST('2027-03-28 09:00:00.5' AS DATETIME(6))")
    assert created("@at", "NULL")[0] == "2027-03-28 09:00:00.500000"


def test_what_is_no_time_is_refused_in_words(connect: Connect) -> None:
    plain = connect()
    for text in NO_TIMES:
        for name, given in (("starts_at", (text, None)), ("ends_at", (None, text))):
            statement = "CALL create_exam('Exam', NULL, NULL, NULL, NULL, NULL, %s, %s, NULL)"
            with pytest.raises(DRIVER_ERRORS, match=f"time_invalid: {name} must be a time") as told:
                rows(plain, statement, given)
            assert told.value.errno == 50015


def test_a_workspace_that_cannot_be_made_leaves_the_settings_as_they_were(
    admin: Any, connect: Connect
) -> None:
    session_id = make_session(admin, make_exam(admin))
    own = connect()
    settings = "max_heap_table_size", "default_tmp_storage_engine", "sql_mode"
    result_sets(own, "SET max_heap_table_size = 1048576, default_tmp_storage_engine = MyISAM")
    mine = "SELECT " + ", ".join(f"@@{name}" for name in settings)
    before = rows(own, mine)
    result_sets(own, "SET SESSION transaction_read_only = 1")
    score = f"CALL submit_score({session_id}, 'quiz', 1, 2, 60, NULL, NULL, NULL, NULL)"
    assert errno_of(own, score) == 1792
    assert rows(own, mine) == before
    result_sets(own, "SET SESSION transaction_read_only = 0")
    assert rows(own, score)[0]["status"] == 200
    assert rows(own, mine) == before
