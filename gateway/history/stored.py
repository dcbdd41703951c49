"""What the database holds of an exam, read past Podium's procedures but for the board it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.db import Results, Row, fetch

PER_PAGE = 200
# A board that somebody still writes on is read anew, so many times.
READINGS = 5

EXAM = """
SELECT
    e.exam_id, e.weight_coding, e.weight_quiz, e.weight_assessment, e.attempt_policy,
    b.board_id, b.revision, b.total_participants
FROM podium.exams AS e
INNER JOIN podium.leaderboards AS b ON b.exam_id = e.exam_id
WHERE e.exam_id = %s
"""

SESSIONS = """
SELECT
    session_id, user_id, attempt_no, version, weighted_coding, weighted_quiz, weighted_assessment,
    total_score, total_time_sec
FROM podium.exam_sessions
WHERE exam_id = %s
ORDER BY session_id
"""

MODULES = """
SELECT
    m.session_id, m.module_type, m.raw_score, m.max_score, m.weighted_score, m.time_spent_sec
FROM podium.exam_sessions AS s
INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
WHERE s.exam_id = %s
ORDER BY m.session_id, m.module_type
"""

AUDIT = """
SELECT
    a.audit_id, a.revision, a.item_no, a.submission_id, a.session_id, a.user_id, a.module_type,
    a.version, a.new_raw_score, a.new_max_score, a.new_weighted_score, a.new_time_spent_sec,
    a.details, a.entry_rank, a.entry_total_score, a.entry_weighted_coding, a.entry_weighted_quiz,
    a.entry_weighted_assessment, a.entry_total_time_sec
FROM podium.leaderboards AS b
INNER JOIN podium.score_audit_log AS a ON a.board_id = b.board_id
WHERE b.exam_id = %s
ORDER BY a.revision, a.item_no, a.audit_id
"""

REVISIONS = """
SELECT r.revision, r.reason, r.submissions, r.details, r.committed_at
FROM podium.leaderboards AS b
INNER JOIN podium.leaderboard_revisions AS r ON r.board_id = b.board_id
WHERE b.exam_id = %s
ORDER BY r.revision
"""

SNAPSHOT = """
SELECT e.user_id, e.session_id, e.total_score, e.total_time_sec
FROM podium.leaderboards AS b
INNER JOIN podium.leaderboard_snapshot AS e ON e.board_id = b.board_id
WHERE b.exam_id = %s
ORDER BY e.user_id
"""

# The board by its definition: from the raw scores and the weights alone.
TRUTH = """
WITH
attempts AS (
    SELECT
        s.user_id, s.session_id, s.attempt_no, e.attempt_policy,
        SUM(ROUND(
            m.raw_score * CASE m.module_type
                WHEN 'coding' THEN e.weight_coding
                WHEN 'quiz' THEN e.weight_quiz
                WHEN 'assessment' THEN e.weight_assessment
            END / m.max_score, 4)) AS total_score,
        SUM(m.time_spent_sec) AS total_time_sec
    FROM podium.exams AS e
    INNER JOIN podium.exam_sessions AS s ON s.exam_id = e.exam_id
    INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
    WHERE e.exam_id = %s
    GROUP BY s.user_id, s.session_id, s.attempt_no, e.attempt_policy
),
counted AS (
    SELECT
        user_id, session_id, total_score, total_time_sec,
        ROW_NUMBER() OVER (
            PARTITION BY user_id
            ORDER BY
                CASE attempt_policy WHEN 'best' THEN total_score END DESC,
                CASE attempt_policy WHEN 'best' THEN total_time_sec END ASC,
                CASE attempt_policy WHEN 'latest' THEN attempt_no END DESC,
                attempt_no ASC
        ) AS preference
    FROM attempts
)
SELECT
    DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec ASC) AS `rank`,
    user_id, session_id, total_score, total_time_sec
FROM counted
WHERE preference = 1
ORDER BY `rank`, user_id
"""


class NotQuiet(Exception):
    """Say that a board did not stand still for as long as it takes to read it."""


@dataclass(frozen=True)
class Stored:
    """All of one exam, of one moment."""

    exam: Row
    sessions: dict[int, Row]
    modules: dict[tuple[int, str], Row]
    # In the order of revisions and of places in an array.
    audit: list[Row]
    revisions: list[Row]
    snapshot: list[Row]
    # By the window function.
    truth: list[Row]
    # All pages of get_leaderboard.
    shown: list[Row]
    # What Podium's own checks find.
    differences: list[Row]
    faults: list[Row]


def read_stored(connection: Any, exam_id: int) -> Stored:
    """Read an exam on a connection that may read the tables, in autocommit; raises NotQuiet."""
    for _ in range(READINGS):
        _results(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            [exam] = _rows(connection, EXAM, exam_id)
            found = [
                _rows(connection, statement, exam_id)
                for statement in (SESSIONS, MODULES, AUDIT, REVISIONS, SNAPSHOT, TRUTH)
            ]
        finally:
            _results(connection, "ROLLBACK")
        sessions, modules, audit, revisions, snapshot, truth = found
        shown, revision = _read_pages(connection, exam_id)
        differences = _rows(connection, "CALL podium.check_leaderboard(%s)", exam_id)
        faults = _rows(connection, "CALL podium.verify_audit(%s)", exam_id)
        if revision == _rows(connection, EXAM, exam_id)[0]["revision"] == exam["revision"]:
            return Stored(
                exam,
                {row["session_id"]: row for row in sessions},
                {(row["session_id"], row["module_type"]): row for row in modules},
                audit,
                revisions,
                snapshot,
                truth,
                shown,
                differences,
                faults,
            )
    raise NotQuiet(f"exam {exam_id} is still being written to; check it when all is quiet")


def _read_pages(connection: Any, exam_id: int) -> tuple[list[Row], int]:
    """Read the board as the product shows it, and the revision of its last page."""
    shown: list[Row] = []
    page = 1
    while True:
        [head], entries, _ = _results(
            connection, "CALL podium.get_leaderboard(%s, %s, %s, NULL)", exam_id, page, PER_PAGE
        )
        shown += entries
        if len(entries) < PER_PAGE:
            return shown, int(head["revision"])
        page += 1


def _rows(connection: Any, statement: str, *values: object) -> list[Row]:
    """Execute a statement and return the rows of its first result set."""
    return _results(connection, statement, *values)[0]


def _results(connection: Any, statement: str, *values: object) -> Results:
    return fetch(connection, statement, values)
