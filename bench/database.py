"""The database under test: its exams are made here, and checked after each load."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.boards import Board
from gateway.config import MysqlUrl
from gateway.connecting import connect
from gateway.loader import statements

SQL = Path(__file__).parent / "sql"
# Of users and of sessions, per statement.
CHUNK = 100_000
TITLE = "Bench: "
RESIZE_TIMEOUT_SEC = 60


class WrongBoard(Exception):
    """Say in what a board, or the history, is not what the acknowledged submissions make it."""


class Database:
    """The administrative account's way into the database under test."""

    def __init__(self, url: str) -> None:
        self._connection: Any = connect(MysqlUrl.parse(url))
        # The revision at which each board was found right.
        self._checked: dict[Board, int] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Carry out a statement and return the rows of its first result set."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement, values or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            while cursor.nextset():
                if cursor.description:
                    cursor.fetchall()
            return rows
        finally:
            cursor.close()

    def number(self, statement: str, *values: object) -> int:
        """Return the one number that a statement selects."""
        [[value]] = self.query(statement, *values)
        return int(value)

    def require_own(self) -> None:
        """Refuse a database that holds anything but the bench's own exams."""
        strangers = self.number(
            "SELECT COUNT(*) FROM podium.exams WHERE title NOT LIKE %s", TITLE + "%"
        )
        if strangers:
            raise SystemExit(
                "This database has exams that are not the bench's: it will not load a million "
                "candidates beside them. Let PODIUM_BENCH_MYSQL_URL name an empty server, "
                "or none."
            )

    def resize_buffer_pool(self, megabytes: int) -> None:
        """Give InnoDB another buffer pool until its next start."""
        self.query("SET GLOBAL innodb_buffer_pool_size = %s", megabytes << 20)
        deadline = time.monotonic() + RESIZE_TIMEOUT_SEC
        while self.query("SHOW STATUS LIKE 'Innodb_buffer_pool_resize_status_code'")[0][1] != "0":
            if time.monotonic() > deadline:
                raise SystemExit("MySQL does not come to an end with its new buffer pool")
            time.sleep(0.05)  # Nothing tells when it is done: ask it again.

    def install_references(self) -> None:
        """Make the schema podium_bench anew."""
        for name in ("tables", "bare_transaction", "bare_array", "submit_and_rebuild"):
            text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
            for statement in statements(text):
                self.query(statement)

    def find_board(self, candidates: int, number: int) -> Board | None:
        """Return a board that an earlier run has filled."""
        rows = self.query(
            "SELECT b.exam_id, b.board_id, MIN(s.user_id), MIN(s.session_id)"
            " FROM podium.exams AS e"
            " INNER JOIN podium.leaderboards AS b ON b.exam_id = e.exam_id"
            " INNER JOIN podium.exam_sessions AS s ON s.exam_id = e.exam_id"
            " WHERE e.title = %s AND b.total_participants = %s"
            " GROUP BY b.exam_id, b.board_id ORDER BY b.exam_id DESC LIMIT 1",
            _title(candidates, number),
            candidates,
        )
        if not rows:
            return None
        [(exam_id, board_id, first_user, first_session)] = rows
        return Board(exam_id, board_id, candidates, first_user, first_session)

    def make_board(self, candidates: int, number: int) -> Board:
        """Make an exam, its candidates and their sessions, all still without a score.

        Users and sessions are inserted by the set: Podium has no procedure for many of them.
        """
        first_user = self._make_users(candidates)
        created = self.query(
            "CALL podium.create_exam(%s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
            _title(candidates, number),
        )
        exam_id = int(created[0][0])
        self.query(
            'CALL podium.update_exam(%s, \'{"submissions_by": "candidates"}\', NULL)', exam_id
        )
        board_id = self.number(
            "SELECT board_id FROM podium.leaderboards WHERE exam_id = %s", exam_id
        )
        last = self.number("SELECT COALESCE(MAX(session_id), 0) FROM podium.exam_sessions")
        for first in range(first_user, first_user + candidates, CHUNK):
            self.query(
                "INSERT INTO podium.exam_sessions"
                " (session_id, exam_id, user_id, attempt_no, status, started_at)"
                " SELECT %s + user_id, %s, user_id, 1, 'in_progress', UTC_TIMESTAMP(6)"
                " FROM podium.users WHERE user_id >= %s AND user_id < %s ORDER BY user_id",
                last + 1 - first_user,
                exam_id,
                first,
                min(first + CHUNK, first_user + candidates),
            )
        return Board(exam_id, board_id, candidates, first_user, last + 1)

    def copy_to_references(self, board: Board) -> None:
        """Give the rebuild design and the bare transaction the data of a board."""
        for statement in (
            "REPLACE INTO podium_bench.rebuild_exams"
            " SELECT exam_id, weight_coding, weight_quiz, weight_assessment"
            " FROM podium.exams WHERE exam_id = %s",
            "REPLACE INTO podium_bench.rebuild_sessions"
            " SELECT session_id, exam_id, user_id, version, total_score, total_time_sec"
            " FROM podium.exam_sessions WHERE exam_id = %s",
            "REPLACE INTO podium_bench.rebuild_module_scores"
            " SELECT m.session_id, m.module_type, m.raw_score, m.max_score, m.weighted_score,"
            " m.time_spent_sec, m.submitted_at FROM podium.exam_sessions AS s"
            " INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id"
            " WHERE s.exam_id = %s",
            "REPLACE INTO podium_bench.bare_totals"
            " SELECT session_id, total_score FROM podium.exam_sessions WHERE exam_id = %s",
        ):
            self.query(statement, board.exam_id)

    @contextmanager
    def verified(self, boards: Sequence[Board], *, check: bool = True) -> Iterator[Verification]:
        """Hold what the history says of a load against what its clients were told.

        The body adds up what was acknowledged; afterwards the history has to have that many rows
        more, and each board has to be what the window function makes of its scores. A board that
        was found right at its present revision is not checked again. Without check, that is left
        to the next one.
        """
        revisions = {board: self._revision(board) for board in boards}
        verification = Verification()
        yield verification
        written = sum(
            self.number(
                "SELECT COUNT(*) FROM podium.score_audit_log WHERE board_id = %s AND revision > %s",
                board.board_id,
                revision,
            )
            for board, revision in revisions.items()
        )
        if written != verification.acknowledged:
            raise WrongBoard(
                f"{verification.acknowledged} submissions were acknowledged, {written} are in the "
                "audit log"
            )
        for board in boards if check else ():
            revision = self._revision(board)
            if self._checked.get(board) == revision:
                continue
            differences = self.query("CALL podium.check_leaderboard(%s)", board.exam_id)
            if differences:
                raise WrongBoard(
                    f"check_leaderboard({board.exam_id}) finds {len(differences)} differences, "
                    f"the first: {differences[0]}"
                )
            self._checked[board] = revision

    @contextmanager
    def verified_references(self) -> Iterator[dict[str, int]]:
        """Hold the references to the same: their audit rows, and the rebuilt ranks.

        The body enters what was acknowledged, by rebuild and bare.
        """
        before = {name: self._reference_rows(name) for name in ("rebuild", "bare")}
        acknowledged = dict.fromkeys(before, 0)
        yield acknowledged
        for name, rows in before.items():
            written = self._reference_rows(name) - rows
            if written != acknowledged[name]:
                raise WrongBoard(
                    f"the {name} design acknowledged {acknowledged[name]}, its audit log has "
                    f"{written}"
                )
        wrong = self.number(
            "SELECT COUNT(*) FROM ("
            " SELECT entry_rank, DENSE_RANK() OVER (PARTITION BY exam_id"
            " ORDER BY total_score DESC, total_time_sec) AS true_rank"
            " FROM podium_bench.rebuild_snapshot) AS r WHERE entry_rank <> true_rank"
        )
        if wrong:
            raise WrongBoard(f"the rebuild design has {wrong} wrong ranks")

    def standings(self, board: Board) -> list[tuple[int, int]]:
        """Return session and standing key of each entry."""
        return [
            (int(session_id), int(key))
            for session_id, key in self.query(
                "SELECT session_id, standing_key FROM podium.leaderboard_snapshot"
                " WHERE board_id = %s",
                board.board_id,
            )
        ]

    def collisions(self) -> int:
        """Return how many deadlocks and lock time-outs the server has raised so far.

        Of both places that count them, the larger: only one of them sees a deadlock whose victim
        had gone already.
        """
        raised = self.number(
            "SELECT COALESCE(SUM(sum_error_raised), 0)"
            " FROM performance_schema.events_errors_summary_global_by_error"
            " WHERE error_number IN (1213, 1205)"
        )
        counted = self.number(
            "SELECT COALESCE(SUM(count), 0) FROM information_schema.innodb_metrics"
            " WHERE name IN ('lock_deadlocks', 'lock_timeouts')"
        )
        return max(raised, counted)

    def deadlock_reported(self) -> bool:
        """Tell whether InnoDB's own report shows a deadlock since the server's start."""
        [[_, _, report]] = self.query("SHOW ENGINE INNODB STATUS")
        return "LATEST DETECTED DEADLOCK" in report

    def _make_users(self, count: int) -> int:
        """Make as many users as are missing, and return the first one's id."""
        [[made, first_user]] = self.query(
            "SELECT COUNT(*), MIN(user_id) FROM podium.users WHERE username LIKE 'bench-%'"
        )
        if not made:
            first_user = self.number("SELECT COALESCE(MAX(user_id), 0) + 1 FROM podium.users")
        self.query(f"SET SESSION cte_max_recursion_depth = {CHUNK}")
        for first in range(first_user + made, first_user + count, CHUNK):
            self.query(
                "INSERT INTO podium.users (user_id, username, username_key,"
                " full_name, role, created_at)"
                " WITH RECURSIVE n AS ("
                "  SELECT %s AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
                " SELECT i, CONCAT('bench-', i), CONCAT('bench-', i), CONCAT('Candidate ', i),"
                " 'candidate', UTC_TIMESTAMP(6) FROM n",
                first,
                min(first + CHUNK, first_user + count) - 1,
            )
        return int(first_user)

    def _revision(self, board: Board) -> int:
        return self.number(
            "SELECT revision FROM podium.leaderboards WHERE board_id = %s", board.board_id
        )

    def _reference_rows(self, name: str) -> int:
        return self.number(f"SELECT COUNT(*) FROM podium_bench.{name}_audit_log")


@dataclass
class Verification:
    """How many submissions the clients of a load were told are accepted."""

    acknowledged: int = 0


def _title(candidates: int, number: int) -> str:
    """Return the title of an exam; number tells those of one size apart."""
    return f"{TITLE}{candidates:,} candidates, no. {number}"
