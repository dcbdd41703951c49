"""Who holds a board is told: by get_lock_holders, in the log, to Prometheus, and by a command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.db import DRIVER_ERRORS
from tests import command_line, factories
from tests.client import Api
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, TEST_HOME
from tests.factories import submission
from tests.locks import waiting
from tests.sql_harness import (
    SQL,
    Row,
    call,
    errno_of,
    make_exam,
    make_session,
    result_sets,
    rows,
    submit,
)
from tests.test_metrics import values_of
from tests.waiting import wait_until

Connect = Callable[..., Any]
JANE, PASSWORD = "jane_of_the_locks", "of an account that lives as long as a test"
HELD = "podium_board_held_seconds"


@pytest.fixture(scope="module")
def hasty(start_api: Callable[..., Api]) -> Api:
    """Return a gateway that waits for a board no longer than a second."""
    return start_api("gateway-locks", PODIUM_BOARD_WAIT_SEC="1", PODIUM_METRICS_MAX_AGE_SEC="0")


@pytest.fixture
def jane(admin: Any) -> Iterator[str]:
    """Create a DBA."""
    result_sets(admin, f"CREATE USER {JANE} IDENTIFIED BY '{PASSWORD}' DEFAULT ROLE podium_dba")
    yield JANE
    result_sets(admin, f"DROP USER {JANE}")


@pytest.fixture
def dba(jane: str, connect: Connect) -> Any:
    return connect(jane, PASSWORD)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def hold(connection: Any, statement: str, *values: object) -> int:
    """Leave a transaction open behind a statement; return the connection's number."""
    result_sets(connection, "START TRANSACTION")
    result_sets(connection, statement, values)
    return int(connection.connection_id)


def played(connection: Any) -> tuple[int, int]:
    """Make an exam with a score."""
    exam = make_exam(connection)
    session = make_session(connection, exam)
    submit(connection, session)
    return exam, session


def holders(connection: Any, exam: int | None, connection_id: int) -> list[Row]:
    """Return what a connection is told to hold."""
    found = call(connection, "get_lock_holders", exam)[0]
    return [row for row in found if row["connection_id"] == connection_id]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM leaderboards WHERE exam_id = {exam} FOR SHARE",
        "SELECT * FROM leaderboards WHERE board_id = {board} FOR SHARE",
        "SELECT * FROM leaderboard_snapshot WHERE board_id = {board} FOR SHARE",
        "SELECT * FROM leaderboard_counters WHERE board_id = {board} FOR SHARE",
        "SELECT * FROM leaderboard_revisions WHERE board_id = {board} FOR SHARE",
        "SELECT * FROM score_audit_log WHERE board_id = {board} FOR SHARE",
        "SELECT * FROM score_audit_log WHERE session_id = {session} FOR SHARE",
        "SELECT * FROM exam_sessions WHERE session_id = {session} FOR SHARE",
        "SELECT * FROM exam_sessions WHERE exam_id = {exam} FOR SHARE",
        "SELECT session_id FROM exam_sessions FORCE INDEX (ix_exam_sessions_exam_session)"
        " WHERE exam_id = {exam} FOR SHARE",
        "SELECT * FROM module_scores WHERE session_id = {session} FOR SHARE",
        "SELECT * FROM exams WHERE exam_id = {exam} FOR SHARE",
        "SELECT * FROM leaderboard WHERE exam_id = {exam} FOR SHARE",
        "SELECT * FROM leaderboards FOR SHARE",
        "SELECT * FROM leaderboard_snapshot FOR SHARE",
    ],
)
def test_a_dba_who_locks_a_board_is_told(
    admin: Any, dba: Any, connect: Connect, statement: str
) -> None:
    # Earlier: a range ends at the row behind it, which may be the next exam's.
    other, _ = played(admin)
    exam, session = played(admin)
    [board] = rows(admin, "SELECT board_id AS board FROM leaderboards WHERE exam_id = %s", (exam,))
    its = hold(dba, statement.format(exam=exam, session=session, **board))
    [row] = [row for row in holders(connect(JANE, PASSWORD), exam, its) if row["exam_id"] == exam]
    assert (row["account"], row["state"], row["waiting"]) == (JANE, "idle", 0)
    assert 0 <= row["holding_sec"] < 600
    # Told without its values.
    assert row["statement"].startswith("SELECT") and str(exam) not in row["statement"]
    if "WHERE" in statement:
        assert {row["exam_id"] for row in holders(admin, other, its)} <= {None}
    result_sets(dba, "ROLLBACK")
    assert holders(admin, None, its) == []


def test_each_index_that_begins_with_a_board_is_known(admin: Any) -> None:
    text = (SQL / "procedures" / "get_lock_holders.sql").read_text()
    indexes = rows(
        admin,
        "SELECT table_name AS tab, index_name AS name FROM information_schema.statistics"
        " WHERE table_schema = 'podium' AND seq_in_index = 1"
        " AND column_name IN ('board_id', 'exam_id', 'session_id')",
    )
    written = {
        f"('{row['tab']}', 'PRIMARY')" if row["name"] == "PRIMARY" else f"'{row['name']}'"
        for row in indexes
    }
    assert len(written) >= 10
    assert {name for name in written if name not in text} == set()


def test_an_idle_transaction_is_told_with_those_who_wait_for_it(
    admin: Any, connect: Connect, threads: ThreadPoolExecutor
) -> None:
    exam, session = played(admin)
    holder, waiter, watcher = connect(), connect(), connect()
    its = hold(holder, "UPDATE exam_sessions SET version = version WHERE session_id = %s", session)
    future = threads.submit(submit, waiter, session, "quiz")
    wait_until(lambda: len(waiting(watcher, "exam_sessions")) == 1)
    first, second = call(admin, "get_lock_holders", exam)[0]
    # The one that holds the board waits itself; the one to end comes first.
    assert (first["connection_id"], first["state"], first["waiting"]) == (its, "idle", 1)
    assert (second["connection_id"], second["state"]) == (waiter.connection_id, "waiting")
    assert "`submit_score`" in second["statement"]
    result_sets(holder, "ROLLBACK")
    assert future.result(20)["version"] == 2


def test_a_recalculation_under_way_is_told_by_its_name(
    admin: Any, connect: Connect, threads: ThreadPoolExecutor
) -> None:
    exam, session = played(admin)
    gate, worker, watcher = connect(), connect(), connect()
    # In its middle, where it has the board and wants a score.
    hold(gate, "SELECT 1 FROM module_scores WHERE session_id = %s FOR UPDATE", session)
    future = threads.submit(call, worker, "recalculate_leaderboard", exam, None)
    wait_until(lambda: len(waiting(watcher, "module_scores")) == 1)
    [row] = holders(admin, exam, worker.connection_id)
    assert row["statement"] == "CALL `podium` . `recalculate_leaderboard` (...)"
    result_sets(gate, "ROLLBACK")
    assert future.result(20)[0][0]["revision"] == 2


def test_a_lock_that_is_no_exams_is_told_as_one_of_any(
    admin: Any, connect: Connect, threads: ThreadPoolExecutor
) -> None:
    exam = make_exam(admin)
    session = make_session(admin, exam)
    user = call(admin, "get_session", session)[0][0]["user_id"]
    holder, waiter, watcher = connect(), connect(), connect()
    its = hold(holder, "SELECT 1 FROM users WHERE user_id = %s FOR UPDATE", user)
    future = threads.submit(call, waiter, "update_user", user, '{"full_name": "Another"}', None)
    wait_until(lambda: len(waiting(watcher, "users")) == 1)
    [row] = holders(admin, exam, its)
    assert (row["exam_id"], row["waiting"], row["state"]) == (None, 1, "idle")
    result_sets(holder, "ROLLBACK")
    assert future.result(20)[0][0]["full_name"] == "Another"


def test_the_gateway_asks_with_its_own_account(connect: Connect, api: Api) -> None:
    gateway = connect(GATEWAY_USER, GATEWAY_PASSWORD)
    assert errno_of(gateway, "CALL podium.get_lock_holders(NULL)") is None
    for table in ("data_locks", "threads", "events_statements_current"):
        assert errno_of(gateway, f"SELECT 1 FROM performance_schema.{table}") == 1142


# --- The gateway


def warnings(exam: int) -> list[str]:
    """Return what the log says of a board that is held."""
    lines = (TEST_HOME / "log" / "gateway-locks.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if '"gateway.holders"' in line]
    return [
        line["message"] for line in told if line["message"].startswith(f"the board of exam {exam} ")
    ]


def test_a_held_board_is_named_in_the_log_and_to_prometheus(hasty: Api, dba: Any) -> None:
    exam = factories.make_exam(hasty)
    session = factories.make_session(hasty, exam)
    its = hold(dba, "SELECT revision FROM leaderboards WHERE exam_id = %s FOR SHARE", exam)
    answers = [hasty.post("/scores", submission(session)) for _ in range(3)]
    assert [answer.status for answer in answers] == [503] * 3
    wait_until(lambda: len(warnings(exam)) == 1)
    [line] = warnings(exam)
    assert line.startswith(f"the board of exam {exam} is held by connection {its} of {JANE}@")
    assert f"flask --app gateway locks --end {its}" in line and " s, " in line
    [(labels, seconds)] = values_of(hasty, HELD).items()
    account, connection_id, exam_id = labels
    assert (account.partition("@")[0], connection_id, exam_id) == (JANE, str(its), str(exam))
    assert seconds > 0
    result_sets(dba, "ROLLBACK")
    assert hasty.post("/scores", submission(session)).status == 200
    assert values_of(hasty, HELD) == {}


def test_a_board_is_named_once_in_a_while(hasty: Api, dba: Any) -> None:
    exam, other = factories.make_exam(hasty), factories.make_exam(hasty)
    session, another = (factories.make_session(hasty, each) for each in (exam, other))
    hold(dba, "SELECT revision FROM leaderboards WHERE exam_id IN (%s, %s) FOR SHARE", exam, other)
    for _ in range(2):
        assert hasty.post("/scores", submission(session)).status == 503
    # They are named in the order in which they were asked for.
    assert hasty.post("/scores", submission(another)).status == 503
    wait_until(lambda: len(warnings(other)) == 1)
    assert len(warnings(exam)) == 1


# --- The command


@pytest.fixture
def run(mysql_url: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the command with the administrative account."""
    return lambda *arguments: command_line.run("locks", *arguments, PODIUM_MYSQL_URL=mysql_url)


def test_the_command_shows_and_ends_who_holds_a_board(
    run: Callable[..., subprocess.CompletedProcess[str]], admin: Any, dba: Any
) -> None:
    exam, session = played(admin)
    assert run("--exam", exam).stdout == "Nobody holds a lock of a board.\n"
    its = hold(dba, "SELECT revision FROM leaderboards WHERE exam_id = %s FOR SHARE", exam)
    listed = run()
    assert (listed.returncode, listed.stderr) == (0, "")
    [line] = [line for line in listed.stdout.splitlines() if f" {its} " in line]
    assert line.split()[0] == str(exam) and f"{JANE}@" in line and " idle " in line
    ended = run("--end", its, "-y")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(
        f"Connection {its} is ended; what it had not committed is undone.\n"
    )
    wait_until(lambda: holders(admin, exam, its) == [])
    with pytest.raises(DRIVER_ERRORS):
        result_sets(dba, "COMMIT")
    assert submit(admin, session, "quiz")["version"] == 2


def test_the_command_asks_before_it_ends_anything(mysql_url: str, admin: Any, dba: Any) -> None:
    exam, _ = played(admin)
    its = hold(dba, "SELECT revision FROM leaderboards WHERE exam_id = %s FOR SHARE", exam)
    for answer, code in (("n", 1), ("y", 0)):
        with command_line.Terminal(
            200, 24, "locks", "--end", its, PODIUM_MYSQL_URL=mysql_url
        ) as terminal:
            terminal.wait_for(f"End connection {its}? [y/N]:")
            assert holders(admin, exam, its)
            terminal.press(answer.encode() + b"\r")
            assert terminal.end() == code
    wait_until(lambda: holders(admin, exam, its) == [])


def test_the_command_ends_nobody_who_holds_no_board(
    run: Callable[..., subprocess.CompletedProcess[str]], dba: Any
) -> None:
    its = dba.connection_id
    result_sets(dba, "START TRANSACTION")
    refused = run("--end", its, "-y")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"Connection {its} holds no lock of a board.\n"
    assert run("--end", 10**9, "-y").returncode == 1
    assert result_sets(dba, "COMMIT") == []


def test_an_account_that_may_not_end_another_is_told_so(
    admin: Any, dba: Any, connect: Connect, gateway_mysql_url: str
) -> None:
    exam, _ = played(admin)
    its = hold(dba, "SELECT revision FROM leaderboards WHERE exam_id = %s FOR SHARE", exam)
    refused = command_line.run("locks", "--end", its, "-y", PODIUM_MYSQL_URL=gateway_mysql_url)
    assert refused.returncode == 1
    assert "CONNECTION_ADMIN" in refused.stderr and "Traceback" not in refused.stderr
    assert holders(admin, exam, its)
