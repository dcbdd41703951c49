"""What the SQL tests share: result sets as data, and TAP lines."""

from __future__ import annotations

import itertools
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.db import DRIVER_ERRORS
from gateway.loader import statements

ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "sql"

Row = dict[str, Any]


def result_sets(
    connection: Any, statement: str, parameters: tuple[Any, ...] = ()
) -> list[list[Row]]:
    """Execute a statement and return each of its result sets as a list of rows."""
    sets = []
    with connection.cursor(dictionary=True) as cursor:
        cursor.execute(statement, parameters)
        while True:
            if cursor.with_rows:
                sets.append(list(cursor.fetchall()))
            if not cursor.nextset():
                return sets


def rows(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> list[Row]:
    """Execute a statement and return the rows of its first result set."""
    sets = result_sets(connection, statement, parameters)
    return sets[0] if sets else []


def run_tap(connection: Any, text: str) -> list[str]:
    """Run a test file and return its TAP lines; what its CALLs return goes into @result."""
    lines: list[str] = []
    for statement in statements(text):
        try:
            sets = result_sets(connection, statement)
        except DRIVER_ERRORS as error:
            return [
                *lines,
                f"# died of {error} in:",
                *(f"#   {line}" for line in statement.split("\n")),
            ]
        for row in (row for rows in sets for row in rows if "tap" in row):
            lines.extend(row["tap"].splitlines())
        if returned := [rows for rows in sets if not any("tap" in row for row in rows)]:
            as_text = [[_as_text(row) for row in rows] for rows in returned]
            result_sets(connection, "SET @result = %s", (json.dumps(as_text),))
    return lines


def failures(lines: list[str]) -> list[str]:
    """Return the lines of the assertions that failed, and one if the plan was not kept."""
    planned = [int(line.removeprefix("1..")) for line in lines if line.startswith("1..")]
    run = sum(line.startswith(("ok ", "not ok ")) for line in lines)
    failed = [line for line in lines if line.startswith(("not ok ", "#"))]
    if planned != [run]:
        failed.append(f"planned {planned}, ran {run}")
    return failed


def _as_text(row: Row) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in row.items()}


_numbers = itertools.count(1)


def unique_name() -> str:
    """Return a user name, or a submission id, that nobody has yet."""
    return f"sql-{os.getpid()}-{next(_numbers)}"


def call(connection: Any, procedure: str, *arguments: Any) -> list[list[Row]]:
    """CALL a procedure and return its result sets."""
    places = ", ".join(["%s"] * len(arguments))
    return result_sets(connection, f"CALL podium.{procedure}({places})", arguments)


def make_exam(
    connection: Any, max_attempts: int = 1, policy: str = "best", **settings: object
) -> int:
    """Create an exam with the default weights, to which candidates submit; return its id.

    settings: what else create_exam_once takes.
    """
    exam = {
        "title": "Exam",
        "max_attempts": max_attempts,
        "attempt_policy": policy,
        "submissions_by": "candidates",
    } | settings
    sets = call(connection, "create_exam_once", json.dumps(exam), None, None)
    return int(sets[0][0]["exam_id"])


def make_user(connection: Any, role: str = "candidate") -> int:
    """Create a user and return his id."""
    return int(call(connection, "create_user", unique_name(), "Somebody", role)[0][0]["user_id"])


def make_session(connection: Any, exam_id: int, user_id: int | None = None) -> int:
    """Start a session, of a new candidate unless one is named, and return its id."""
    user_id = make_user(connection) if user_id is None else user_id
    return int(call(connection, "start_session", exam_id, user_id, None)[0][0]["session_id"])


def submit(
    connection: Any, session_id: int, module: str = "coding", raw: Any = 50, **more: Any
) -> Row:
    """Submit a score of so many points out of 100 and return the answer."""
    options = {"time": 60, "details": None, "version": None, "id": None, "actor": None} | more
    score = (session_id, module, raw, 100, *options.values())
    return call(connection, "submit_score", *score)[0][0]


def errno_of(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> int | None:
    """Return the number of the error that a statement fails with, if it does."""
    try:
        result_sets(connection, statement, parameters)
    except DRIVER_ERRORS as error:
        return int(error.errno)
    return None


def true_board(connection: Any, exam_id: int) -> list[tuple[int, int, Decimal, int]]:
    """Return rank, user, score and time of each entry, from the raw scores and the window function.

    Nothing of what the procedures derive is read. For exams with one attempt.
    """
    board = rows(
        connection,
        """
        WITH totals AS (
            SELECT
                s.user_id,
                SUM(ROUND(m.raw_score * CASE m.module_type
                    WHEN 'coding' THEN e.weight_coding
                    WHEN 'quiz' THEN e.weight_quiz
                    ELSE e.weight_assessment
                END / m.max_score, 4)) AS total_score,
                SUM(m.time_spent_sec) AS total_time_sec
            FROM podium.exams AS e
            INNER JOIN podium.exam_sessions AS s ON s.exam_id = e.exam_id
            INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
            WHERE e.exam_id = %s
            GROUP BY s.user_id
        )
        SELECT
            DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS true_rank,
            user_id, total_score, total_time_sec
        FROM totals
        ORDER BY true_rank, user_id
        """,
        (exam_id,),
    )
    return [_entry(row, "true_rank") for row in board]


def stored_board(
    connection: Any, exam_id: int, per_page: int = 200
) -> list[tuple[int, int, Decimal, int]]:
    """Return the same as get_leaderboard tells it, page by page."""
    board: list[Row] = []
    for page in itertools.count(1):
        entries = call(connection, "get_leaderboard", exam_id, page, per_page, None)[1]
        board.extend(entries)
        if len(entries) < per_page:
            return [_entry(row, "rank") for row in board]
    raise AssertionError("a board without an end")


def problems_of(connection: Any, exam_id: int) -> list[Row]:
    """Return what check_leaderboard, verify_audit and the window function find wrong."""
    found = call(connection, "check_leaderboard", exam_id)[0]
    found += call(connection, "verify_audit", exam_id)[0]
    if stored_board(connection, exam_id) != true_board(connection, exam_id):
        found.append({"problem": "the board is not that of the window function"})
    return found


def deadlocks(connection: Any) -> int:
    """Return how many deadlocks and lock timeouts the server has seen since it started."""
    counted = rows(
        connection,
        "SELECT COALESCE(SUM(sum_error_raised), 0) AS raised"
        " FROM performance_schema.events_errors_summary_global_by_error"
        " WHERE error_number IN (1205, 1213)",
    )
    return int(counted[0]["raised"])


def _entry(row: Row, rank: str) -> tuple[int, int, Decimal, int]:
    return int(row[rank]), int(row["user_id"]), row["total_score"], int(row["total_time_sec"])
