"""Routines that fail where a test wants them to: before any statement, or at any row they write.

`arm` names the n-th point that the connection comes to and what happens there. A point lies before
each statement of each routine, and a trigger makes one of each row that is written. What happens is
an error with the number of a real one, or KILL QUERY of the connection by itself.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.loader import statements
from tests.sql_harness import SQL, result_sets, rows

# KILL QUERY runs no handler; the others do, and 1062 makes a call begin again.
KINDS = {
    "killed": 1317,
    "lock wait timed out": 1205,
    "deadlock": 1213,
    "lock table full": 1206,
    "disk full": 1114,
    "check violated": 3819,
    "duplicate": 1062,
}
TABLES = (
    "users",
    "exams",
    "exam_sessions",
    "module_scores",
    "leaderboards",
    "leaderboard_snapshot",
    "leaderboard_counters",
    "leaderboard_revisions",
    "score_audit_log",
)
# The words that begin a statement, and the ends of lines that one may follow.
WORDS = "SET SELECT INSERT UPDATE DELETE CALL IF WHILE RETURN WITH CREATE DROP DO".split()
BEFORE = re.compile(r"(;|\bBEGIN|\bTHEN|\bELSE|\bDO|\bLOOP|\bREPEAT)$")
POINT = """
CREATE FUNCTION podium.fault_point(p_is_row BOOLEAN) RETURNS BOOLEAN
    DETERMINISTIC NO SQL SQL SECURITY INVOKER
BEGIN
    -- A duplicate is met by a row that is written and by nothing else.
    IF @fault_errno = 1062 AND NOT p_is_row THEN
        RETURN TRUE;
    END IF;
    SET @points = COALESCE(@points, 0) + 1;
    IF @points = @fault_at THEN
        IF @fault_errno = 1317 THEN
            KILL QUERY CONNECTION_ID();
        ELSE
            SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = @fault_errno, MESSAGE_TEXT = 'by a test';
        END IF;
    END IF;
    RETURN TRUE;
END
"""


def instrument(connection: Any) -> int:
    """Put the points into all routines of a server of one's own; return how many there are."""
    result_sets(connection, POINT)
    result_sets(
        connection, "GRANT EXECUTE ON FUNCTION podium.fault_point TO podium_owner@localhost"
    )
    count = 0
    for file in sorted((SQL / "procedures").glob("*.sql")):
        text, points = with_points(file.read_text())
        count += points
        for statement in statements(text):
            result_sets(connection, statement)
    for table in TABLES:
        for event in ("INSERT", "UPDATE", "DELETE"):
            result_sets(
                connection,
                f"CREATE TRIGGER podium.fault_{table}_{event} AFTER {event} ON podium.{table}"
                " FOR EACH ROW SET @row_written = podium.fault_point(TRUE)",
            )
            count += 1
    # Dropping a routine has dropped its grants.
    for statement in statements((SQL / "grants.sql").read_text()):
        result_sets(connection, statement)
    return count


def with_points(text: str) -> tuple[str, int]:
    """Return a routine with a point before each of its statements, and their number."""
    lines, before, inside, count = list[str](), "", False, 0
    for line in text.splitlines():
        bare = line.split("--")[0].strip()
        inside = inside or bare == "BEGIN"
        word = re.match(r"\w*", bare)
        if inside and word is not None and word[0] in WORDS and BEFORE.search(before):
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}DO podium.fault_point(FALSE);")
            count += 1
        lines.append(line)
        before = bare or before
    return "\n".join(lines), count


def arm(connection: Any, at: int | None, kind: str | None = None) -> None:
    """Have the n-th point from here fail; None: none of them. Counts the points of a kind anew."""
    errno = KINDS[kind] if kind else None
    result_sets(
        connection, "SET @points = 0, @fault_at = %s, @fault_errno = %s", (at or 0, errno or 0)
    )


def points_of(connection: Any) -> int:
    """Return how many points the connection has come to since it was armed."""
    return int(rows(connection, "SELECT COALESCE(@points, 0) AS n")[0]["n"])
