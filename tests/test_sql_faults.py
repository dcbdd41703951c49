"""Each statement of each writing call fails in each way; then the same connection plays on.

What a failed call leaves behind shows in the next one. Each round makes one call fail at one point,
looks whether it has left a row, a lock or a setting, and then submits arrays of one, two and ten on
the same connection and compares every rank with the window function.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.db import DRIVER_ERRORS
from tests.databases import Database
from tests.faults.plugin import FIGURES
from tests.faults.points import KINDS, arm, instrument, points_of
from tests.locks import waiting
from tests.own_server import OwnServer
from tests.sql_harness import (
    Row,
    call,
    make_exam,
    make_session,
    make_user,
    rows,
    unique_name,
)
from tests.waiting import wait_until

USERNAME_TAKEN = 50101
# What the driver makes of an error behind the first rows of a result: a malformed packet.
AMID_A_RESULT = 2027
# How much of the history there is, and how far it goes.
STATE = """
    SELECT
        (SELECT COUNT(*) FROM podium.users) AS users,
        (SELECT COUNT(*) FROM podium.exams) AS exams,
        (SELECT COUNT(*) FROM podium.leaderboards) AS boards,
        (SELECT COUNT(*) FROM podium.exam_sessions) AS sessions,
        (SELECT COALESCE(SUM(status = 'finished'), 0) FROM podium.exam_sessions) AS finished,
        (SELECT SUM(revision) FROM podium.leaderboards) AS revisions,
        (SELECT COUNT(*) FROM podium.score_audit_log) AS submissions,
        (SELECT COALESCE(SUM(version), 0) FROM podium.exam_sessions) AS versions,
        (SELECT COUNT(*) FROM podium.leaderboard_revisions) AS links
"""
OPEN_TRANSACTIONS = """
    SELECT COUNT(*) AS n
    FROM performance_schema.events_transactions_current AS e
    INNER JOIN performance_schema.threads AS t ON t.thread_id = e.thread_id
    WHERE t.processlist_id = %s AND e.state = 'ACTIVE'
"""
RANKS = """
    SELECT s.user_id, DENSE_RANK() OVER (ORDER BY s.total_score DESC, s.total_time_sec) AS place
    FROM (
        SELECT s.user_id, SUM(m.weighted_score) AS total_score, SUM(m.time_spent_sec) AS
            total_time_sec
        FROM podium.exam_sessions AS s
        INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
        WHERE s.exam_id = %s
        GROUP BY s.user_id, s.session_id
    ) AS s
"""


class Ground:
    """An exam on a server whose routines fail where they are told to, and who plays on it."""

    def __init__(self, database: Database, rng: random.Random) -> None:
        self.database, self.rng = database, rng
        self.watcher = database.connect()
        self.autocommit = True
        self.connection = self._connect()
        self.exam = make_exam(self.watcher)
        self.sessions = [make_session(self.watcher, self.exam) for _ in range(30)]
        self.submit(20)

    def _connect(self) -> Any:
        """Open the connection that plays, in the one kind of autocommit and in the other."""
        connection = self.database.connect()
        self.autocommit = not self.autocommit
        connection.cmd_query(
            f"SET autocommit = {int(self.autocommit)}, SESSION lock_wait_timeout = 5"
        )
        return connection

    def items(self, count: int) -> str:
        """Write an array for so many sessions, mostly different ones."""
        sessions = self.rng.choices(self.sessions, k=count)
        return json.dumps(
            [
                {
                    "session_id": session,
                    "module_type": self.rng.choice(("coding", "quiz", "assessment")),
                    "raw_score": self.rng.randrange(0, 101),
                    "max_score": 100,
                    "time_spent_sec": self.rng.randrange(60, 90),
                    **({"details": {"a": 1.5}} if self.rng.random() < 0.3 else {}),
                }
                for session in sessions
            ]
        )

    def calls(self) -> dict[str, Callable[[], tuple[str, tuple[object, ...]]]]:
        """Return what may be called: the procedure and its arguments."""
        rng, sessions = self.rng, self.sessions
        weights = ((50, 30, 20), (40, 40, 20), (10, 20, 70))
        return {
            "submit_score": lambda: (
                "submit_score",
                (rng.choice(sessions), "quiz", rng.randrange(100), 100, 60, None, None, None, None),
            ),
            "array of 1": lambda: ("submit_scores", (self.items(1), None)),
            "array of 2": lambda: ("submit_scores", (self.items(2), None)),
            "array of 10": lambda: ("submit_scores", (self.items(10), None)),
            "start_session": lambda: (
                "start_session",
                (self.exam, make_user(self.watcher), None),
            ),
            "start_session_once": lambda: (
                "start_session_once",
                (self.exam, make_user(self.watcher), unique_name(), None, None),
            ),
            "finish_session": lambda: (
                "finish_session",
                (make_session(self.watcher, self.exam), None),
            ),
            "recalculate_leaderboard": lambda: ("recalculate_leaderboard", (self.exam, None)),
            "update_exam_weights": lambda: (
                "update_exam_weights",
                (self.exam, *rng.choice(weights), None),
            ),
            "create_exam": lambda: ("create_exam", ("Exam", *[None] * 8)),
            "create_user": lambda: ("create_user", (unique_name(), "Somebody", None)),
            "update_user": lambda: (
                "update_user",
                (
                    rows(
                        self.watcher,
                        "SELECT user_id FROM podium.exam_sessions WHERE session_id = %s",
                        (rng.choice(sessions),),
                    )[0]["user_id"],
                    json.dumps({"full_name": unique_name()}),
                    None,
                ),
            ),
            "update_exam": lambda: (
                "update_exam",
                (self.exam, json.dumps({"title": unique_name()}), None),
            ),
            "register_candidates": lambda: (
                "register_candidates",
                (
                    self.exam,
                    json.dumps([{"username": unique_name(), "full_name": "N"} for _ in range(3)]),
                    None,
                ),
            ),
        }

    def submit(self, count: int) -> None:
        """Submit an array on the connection, and hold every answer against the tables."""
        [answers] = call(self.connection, "submit_scores", self.items(count), None)
        assert [row["status"] for row in answers] == [200] * count, answers
        audited = rows(
            self.watcher,
            "SELECT a.submission_id FROM podium.score_audit_log AS a INNER JOIN"
            " podium.leaderboards AS b ON b.board_id = a.board_id AND b.revision = a.revision"
            " WHERE b.exam_id = %s",
            (self.exam,),
        )
        assert {row["submission_id"] for row in audited} == {
            row["submission_id"] for row in answers
        }
        ranks = {row["user_id"]: row["place"] for row in rows(self.watcher, RANKS, (self.exam,))}
        assert [row["rank"] for row in answers] == [ranks[row["user_id"]] for row in answers]

    def checks(self) -> None:
        """Have both checks find nothing."""
        for check in ("check_leaderboard", "verify_audit"):
            assert call(self.watcher, check, self.exam)[0] == [], check

    def state(self) -> Row:
        """Return what there is."""
        return rows(self.watcher, STATE)[0]

    def round(self, name: str, kind: str) -> bool:
        """Make a call fail at one of its points; tell whether it did."""
        make = self.calls()[name]
        procedure, arguments = make()
        before = self.state()
        arm(self.connection, None, kind)
        call(self.connection, procedure, *arguments)
        points = points_of(self.connection)
        whole = _gained(before, self.state())
        procedure, arguments = make()
        before = self.state()
        arm(self.connection, self.rng.randint(1, max(points, 1)), kind)
        where = f"{name}: {kind}, point {rows(self.connection, 'SELECT @fault_at AS n')[0]['n']}"
        failed = True
        try:
            call(self.connection, procedure, *arguments)
            failed = False
        except DRIVER_ERRORS as error:
            told = {KINDS[kind], 1317, AMID_A_RESULT}
            told |= {USERNAME_TAKEN} if kind == "duplicate" else set()
            assert error.errno in told, (where, error)
            if error.errno == AMID_A_RESULT:
                # The driver has given the connection up, and with it all that was open.
                self.connection = self._connect()
        arm(self.connection, None)
        # Where the fault came behind the commit, all of it is there; else nothing.
        assert _gained(before, self.state()) in (dict.fromkeys(whole, 0), whole), where
        assert (
            rows(self.watcher, OPEN_TRANSACTIONS, (self.connection.connection_id,))[0]["n"] == 0
        ), f"{where}: a transaction is open"
        kept = rows(self.connection, "SELECT @@autocommit AS n")[0]["n"]
        assert kept == self.autocommit or (kind == "killed" and kept), where
        self.connection.cmd_query(f"SET autocommit = {int(self.autocommit)}")
        try:
            for count in self.rng.sample((1, 2, 10), 3):
                self.submit(count)
            self.checks()
        except AssertionError as error:
            raise AssertionError(f"{where}: the next call on the connection is wrong") from error
        return failed


def _gained(before: Row, after: Row) -> dict[str, int]:
    """Return by how much each count has grown."""
    return {name: int(after[name] - before[name]) for name in before}


@pytest.fixture(scope="module")
def ground(own_mysql: OwnServer, request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Return a ground on the server that nobody else's tests depend on."""
    database = Database(own_mysql.url)
    database.upgrade()
    assert instrument(database.admin) > 400
    yield Ground(database, random.Random(request.config.stash[FIGURES].seed))
    database.close()


# A long run takes hours.
@pytest.mark.timeout(0)
def test_after_any_fault_the_next_call_on_the_connection_is_right(
    ground: Ground, request: pytest.FixtureRequest
) -> None:
    names, kinds = sorted(ground.calls()), list(KINDS)
    failed = dict.fromkeys(((name, kind) for name in names for kind in kinds), 0)
    for _ in range(request.config.getoption("--fault-rounds")):
        for turn, (name, kind) in enumerate(failed):
            failed[name, kind] += ground.round(name, kind)
            if turn % 40 == 39:
                ground.connection = ground._connect()
    assert sum(failed.values()) > len(failed) // 2


def test_after_a_wait_for_a_lock_the_next_array_is_right(ground: Ground) -> None:
    ground.connection = ground._connect()
    holder = ground.database.connect()
    call(ground.connection, "submit_scores", ground.items(10), None)
    board = "SELECT board_id FROM podium.leaderboards WHERE exam_id = %s"
    board_id = rows(ground.watcher, board, (ground.exam,))[0]["board_id"]
    rows(holder, "START TRANSACTION")
    rows(
        holder,
        "SELECT user_id FROM podium.leaderboard_snapshot WHERE board_id = %s FOR UPDATE",
        (board_id,),
    )
    rows(ground.connection, "SET innodb_lock_wait_timeout = 1")
    with pytest.raises(DRIVER_ERRORS) as waited:
        call(ground.connection, "submit_scores", ground.items(1), None)
    assert waited.value.errno == 1205
    rows(holder, "ROLLBACK")
    ground.submit(10)
    ground.checks()


def test_after_a_deadlock_the_next_array_is_right(ground: Ground) -> None:
    ground.connection = ground._connect()
    heavier = ground.database.connect()
    session = ground.rng.choice(ground.sessions)
    rows(heavier, "START TRANSACTION")
    # Who has written more is not chosen to give up.
    rows(
        heavier,
        "UPDATE podium.module_scores AS m INNER JOIN podium.exam_sessions AS s"
        " ON s.session_id = m.session_id SET m.submitted_at = m.submitted_at + INTERVAL 1 SECOND"
        " WHERE s.exam_id = %s",
        (ground.exam,),
    )
    with ThreadPoolExecutor(1) as pool:
        score = (session, "quiz", 1, 100, 60, None, None, None, None)
        submission = pool.submit(call, ground.connection, "submit_score", *score)
        wait_until(lambda: ground.connection.connection_id in waiting(ground.watcher))
        # It waits for a score and holds the board.
        board = "SELECT board_id FROM podium.leaderboards WHERE exam_id = %s FOR UPDATE"
        rows(heavier, board, (ground.exam,))
        with pytest.raises(DRIVER_ERRORS) as undone:
            submission.result()
    assert undone.value.errno == 1213
    rows(heavier, "ROLLBACK")
    ground.submit(10)
    ground.checks()


def test_a_call_leaves_nothing_that_its_caller_could_alter(ground: Ground) -> None:
    for make in ground.calls().values():
        procedure, arguments = make()
        call(ground.connection, procedure, *arguments)
    left = "SELECT COUNT(*) AS n FROM information_schema.innodb_temp_table_info"
    assert rows(ground.watcher, left) == [{"n": 0}]


def test_a_caller_s_own_table_of_the_name_is_not_worked_on(ground: Ground) -> None:
    ground.connection = ground.database.connect()
    rows(
        ground.connection,
        "CREATE TEMPORARY TABLE podium.tmp_drawn_id (drawn_id INT DEFAULT 7) ENGINE = MEMORY",
    )
    rows(ground.connection, "SET insert_id = 0")
    [[made]] = call(ground.connection, "create_user", unique_name(), "Somebody", None)
    newest = rows(ground.watcher, "SELECT MAX(user_id) AS n FROM podium.users")
    assert newest == [{"n": made["user_id"]}]
