"""MySQL restarted, hung, away and busy: 503 in time, and well again by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway import db, loader
from gateway.config import Config, MysqlUrl
from gateway.metrics import Metrics
from services.process import kept_port
from services.server import ROOT
from tests.client import Answer, Api
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, SECRET, with_account
from tests.factories import make_exam, make_session, make_user, submission, unique_name
from tests.own_server import OwnServer
from tests.waiting import wait_until

RECOVERY_SEC = 5.0
# PODIUM_DATABASE_TIMEOUT_SEC of the gateways here, and room for a busy machine.
TIMEOUT_SEC, SLOWEST_SEC = 2, 5.0


@pytest.fixture(scope="module")
def server(own_mysql: OwnServer) -> Iterator[OwnServer]:
    """Load Podium into a MySQL that may be broken."""
    with connect(own_mysql) as connection:
        loader.upgrade(connection, loader.Release.read())
        loader.grant_gateway(connection, GATEWAY_USER, GATEWAY_PASSWORD)
    yield own_mysql
    with connect(own_mysql) as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE podium")


def connect(server: OwnServer) -> Any:
    """Open a connection of the administrative account."""
    return mysql.connector.connect(**MysqlUrl.parse(server.url).arguments, autocommit=True)


def account_url(server: OwnServer) -> str:
    """Return the URL of the gateway's account."""
    return with_account(server.url, GATEWAY_USER, GATEWAY_PASSWORD)


def rows(server: OwnServer, statement: str, *values: object) -> list[Any]:
    """Execute a statement as MySQL's root."""
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = list(cursor.fetchall()) if cursor.description else []
        while cursor.nextset():
            pass
        return found


@pytest.fixture(scope="module")
def gateway(server: OwnServer, start_api: Callable[..., Api]) -> Api:
    """Start a gateway on it."""
    return start_api(
        "gateway-db",
        mysql_url=account_url(server),
        PODIUM_DATABASE_TIMEOUT_SEC=str(TIMEOUT_SEC),
        PODIUM_POOL_TIMEOUT_SEC="1",
    )


@pytest.fixture
def exam_id(gateway: Api) -> int:
    """Make an exam."""
    return make_exam(gateway)


def is_unavailable(answer: Answer) -> bool:
    """Tell whether an answer says, in the one right way, that the database is away."""
    assert answer.status in (200, 503), answer.text
    if answer.status == 200:
        return False
    assert answer.code == "database_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Content-Type"] == "application/problem+json"
    return True


def recovers(gateway: Api, since: float) -> None:
    """Wait until the gateway serves again, which it must within some seconds."""
    wait_until(lambda: gateway.get("//readyz").status == 200)
    assert time.monotonic() - since < RECOVERY_SEC
    assert gateway.get("/exams").status == 200


def history(server: OwnServer, exam_id: int) -> list[str]:
    """Return the ids of an exam's submissions as they are stored."""
    return [
        submission_id
        for (submission_id,) in rows(
            server,
            "SELECT a.submission_id FROM podium.score_audit_log AS a "
            "INNER JOIN podium.leaderboards AS b ON b.board_id = a.board_id WHERE b.exam_id = %s",
            exam_id,
        )
    ]


def kill_connections(server: OwnServer) -> int:
    """End the gateway's connections as an administrator does, and count them."""
    found = rows(
        server,
        "SELECT id FROM performance_schema.processlist WHERE user = %s",
        GATEWAY_USER,
    )
    for (connection_id,) in found:
        try:
            rows(server, f"KILL {connection_id}")
        except mysql.connector.Error as error:
            assert error.errno == 1094  # It has gone by itself.
    return len(found)


def test_killed_connections_are_replaced_without_a_word(
    gateway: Api, server: OwnServer, exam_id: int
) -> None:
    session_id = make_session(gateway, exam_id)
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: gateway.get("/exams"), range(200)))
    assert kill_connections(server) > 1
    answers = [gateway.get(f"/exams/{exam_id}") for _ in range(30)]
    assert Counter(answer.status for answer in answers) == {200: 30}
    assert kill_connections(server) >= 1
    assert gateway.post("/scores", submission(session_id)).status == 200
    assert kill_connections(server) >= 1
    # Not to be sent twice, since two users or exams would come of it; it was not sent yet.
    assert make_user(gateway) and make_exam(gateway)
    assert kill_connections(server) >= 1
    body = {"weights": {"coding": 50, "quiz": 30, "assessment": 20}}
    assert gateway.patch(f"/exams/{exam_id}", body).status == 200


def signs_of_life(server: OwnServer) -> int:
    """Count how often the gateway's account has asked the server for one."""
    [(count,)] = rows(
        server,
        "SELECT count_star FROM performance_schema.events_statements_summary_by_user_by_event_name"
        " WHERE user = %s AND event_name = 'statement/com/Ping'",
        GATEWAY_USER,
    )
    return int(count)


def test_a_fresh_connection_is_not_asked_for_a_sign_of_life_where_nobody_wants_it(
    server: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "FRESH_SEC", 3600)
    config = Config(mysql_url=account_url(server), redis_url=None, jwt_secret=SECRET)
    database = db.Database(config, Metrics())
    try:
        database.call("list_exams", None, 1)
        before = signs_of_life(server)
        for _ in range(5):
            database.call("list_exams", None, 1, probe=False)
        assert signs_of_life(server) == before
        database.call("list_exams", None, 1)
        assert signs_of_life(server) == before + 1
        monkeypatch.setattr(db, "FRESH_SEC", 0)
        database.call("list_exams", None, 1, probe=False)
        assert signs_of_life(server) == before + 2
    finally:
        database.close()


def holds_more_than(found: list[str], enough: int) -> bool:
    """Tell whether a list has grown."""
    return len(found) > enough


def test_connections_killed_under_load_lose_and_double_nothing(
    gateway: Api, server: OwnServer, exam_id: int
) -> None:
    session_id = make_session(gateway, exam_id)
    stop = threading.Event()
    acknowledged: list[str] = []

    def submit() -> None:
        while not stop.is_set():
            key = unique_name()
            answer = gateway.post("/scores", submission(session_id, submission_id=key))
            if not is_unavailable(answer):
                acknowledged.append(key)

    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(submit) for _ in range(4)]
        try:
            for enough in range(20, 140, 20):
                wait_until(partial(holds_more_than, acknowledged, enough))
                kill_connections(server)
            wait_until(partial(holds_more_than, acknowledged, 150))
        finally:
            stop.set()
        for thread in running:
            thread.result()
    stored = Counter(history(server, exam_id))
    assert set(stored.values()) == {1}
    assert set(acknowledged) <= set(stored)
    assert not rows(server, "CALL podium.check_leaderboard(%s)", exam_id)


def test_a_restart_of_mysql_is_503_and_then_well_again(
    gateway: Api, server: OwnServer, exam_id: int
) -> None:
    session_id = make_session(gateway, exam_id)
    first = gateway.post("/scores", submission(session_id))
    server.stop()
    try:
        for _ in range(3):
            asked: list[Callable[[], Answer]] = [
                lambda: gateway.post("/scores", submission(session_id)),
                lambda: gateway.get("/leaderboard", exam_id=exam_id),
                lambda: gateway.get(f"/sessions/{session_id}"),
                lambda: gateway.patch(f"/sessions/{session_id}/finish"),
                lambda: gateway.post("/leaderboard/recalculate", {"exam_id": exam_id}),
                lambda: gateway.get("//readyz"),
            ]
            for ask in asked:
                began = time.monotonic()
                assert is_unavailable(ask())
                assert time.monotonic() - began < SLOWEST_SEC
            assert gateway.get("//healthz").status == 200
        # What needs no database is told as ever.
        assert gateway.post("/scores", submission(session_id, raw_score=-1)).status == 422
        assert gateway.with_token("").get("/exams").status == 401
    finally:
        server.start()
    recovers(gateway, time.monotonic())
    again = gateway.post("/scores", submission(session_id))
    assert (again.status, again.json["version"]) == (200, first.json["version"] + 1)


def test_a_mysql_that_hangs_is_503_in_time(gateway: Api, server: OwnServer, exam_id: int) -> None:
    session_id = make_session(gateway, exam_id)
    key = unique_name()
    item = submission(session_id, submission_id=key)
    server.hang()
    try:
        with ThreadPoolExecutor(8) as threads:
            began = time.monotonic()
            asked = [threads.submit(gateway.get, "/exams") for _ in range(4)]
            asked += [threads.submit(gateway.post, "/scores", item) for _ in range(4)]
            assert all(is_unavailable(future.result()) for future in asked)
            assert time.monotonic() - began < SLOWEST_SEC
        assert gateway.get("//healthz").status == 200
    finally:
        server.resume()
    recovers(gateway, time.monotonic())
    # Carried out or not, once told it is there once.
    assert gateway.post("/scores", item).status == 200
    assert history(server, exam_id) == [key]


def test_a_mysql_without_a_free_connection_is_503_in_time(gateway: Api, server: OwnServer) -> None:
    with connect(server) as administrator, administrator.cursor() as cursor:
        cursor.execute("SHOW GLOBAL VARIABLES LIKE 'max_connections'")
        [(_, usual)] = cursor.fetchall()
        cursor.execute("SET GLOBAL max_connections = 1")
        kill_connections_with(cursor)
        try:
            began = time.monotonic()
            assert is_unavailable(gateway.get("/exams"))
            assert time.monotonic() - began < SLOWEST_SEC
        finally:
            cursor.execute(f"SET GLOBAL max_connections = {usual}")
    recovers(gateway, time.monotonic())


def kill_connections_with(cursor: Any) -> None:
    """End the gateway's connections, over one that is open already."""
    cursor.execute("SELECT id FROM performance_schema.processlist WHERE user = %s", (GATEWAY_USER,))
    for (connection_id,) in cursor.fetchall():
        cursor.execute(f"KILL {connection_id}")


def test_a_request_waits_for_a_free_connection_with_a_bound(
    server: OwnServer, start_api: Callable[..., Api], exam_id: int
) -> None:
    narrow = start_api(
        "gateway-narrow",
        mysql_url=account_url(server),
        PODIUM_POOL_SIZE="1",
        PODIUM_POOL_OVERFLOW="0",
        PODIUM_POOL_TIMEOUT_SEC="1",
    )

    def waiting() -> bool:
        return bool(
            rows(
                server,
                "SELECT id FROM performance_schema.processlist "
                "WHERE state = 'Waiting for table metadata lock'",
            )
        )

    with connect(server) as administrator, ThreadPoolExecutor(5) as threads:
        with administrator.cursor() as cursor:
            cursor.execute("LOCK TABLES podium.exams WRITE")
        first = threads.submit(narrow.get, f"/exams/{exam_id}")
        wait_until(waiting)
        began = time.monotonic()
        others = [threads.submit(narrow.get, f"/exams/{exam_id}") for _ in range(4)]
        assert all(is_unavailable(other.result()) for other in others)
        assert 0.9 < time.monotonic() - began < SLOWEST_SEC
        with administrator.cursor() as cursor:
            cursor.execute("UNLOCK TABLES")
        assert first.result().status == 200
    assert narrow.get(f"/exams/{exam_id}").status == 200


def test_a_gateway_starts_without_mysql_and_serves_when_it_is_there(
    server: OwnServer, tmp_path: Path
) -> None:
    port = kept_port(tmp_path / "port")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PODIUM_")}
    server.stop()
    try:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "gthread", "--threads", "4", "--log-level", "error"),
                "gateway:create_app()",
            ],
            cwd=ROOT,
            env=inherited
            | {
                "PODIUM_MYSQL_URL": account_url(server),
                "PODIUM_JWT_SECRET": SECRET,
                "PODIUM_DATABASE_TIMEOUT_SEC": str(TIMEOUT_SEC),
            },
        )
        late = Api(f"http://127.0.0.1:{port}", SECRET)
        try:
            wait_until(lambda: listens(port))
            assert late.get("//healthz").status == 200
            assert is_unavailable(late.get("//readyz"))
            assert is_unavailable(late.get("/exams"))
            server.start()
            recovers(late, time.monotonic())
            # And with this server too bodies are read as they should be.
            assert late.post("/exams", {"title": "T"}).status == 201
            assert late.request("POST", "/exams", raw=b"{").status == 400
        finally:
            late.pool.clear()
            process.terminate()
            process.wait(30)
    finally:
        server.start()


def listens(port: int) -> bool:
    """Tell whether something takes connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_without_its_grants_the_gateway_answers_503(server: OwnServer, gateway: Api) -> None:
    rows(server, "REVOKE podium_gateway FROM podium_app@'%'")
    try:
        kill_connections(server)
        assert is_unavailable(gateway.get("//readyz"))
        assert is_unavailable(gateway.get("/exams"))
    finally:
        rows(server, "GRANT podium_gateway TO podium_app@'%'")
        rows(server, "SET DEFAULT ROLE podium_gateway TO podium_app@'%'")
        kill_connections(server)
    recovers(gateway, time.monotonic())
