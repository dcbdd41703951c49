"""Servers that are set up for other things than Podium, and what must work on them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jwt
import mysql.connector
import pytest
from flask import Flask

from gateway import create_app, db, loader
from gateway.config import Config, MysqlUrl
from gateway.connecting import connect
from gateway.loader import LoaderError, Release
from services import mysql as services_mysql
from services.server import ROOT
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, SECRET, with_account
from tests.databases import Database, clients, shell
from tests.own_server import OwnServer
from tests.sql_harness import (
    call,
    make_exam,
    make_session,
    problems_of,
    result_sets,
    rows,
    stored_board,
    submit,
    true_board,
    unique_name,
)
from tests.waiting import wait_until

# Of the status that a server sends with each answer. Source: mysql_com.h.
NO_BACKSLASH_ESCAPES = 512
GTID = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")
# What servers of one group that replicate each other are told to refuse.
ENGINES = "--disabled-storage-engines=MyISAM,BLACKHOLE,FEDERATED,ARCHIVE,MEMORY"
MODES = (
    *("ALLOW_INVALID_DATES", "ANSI", "ANSI_QUOTES", "ERROR_FOR_DIVISION_BY_ZERO"),
    *("HIGH_NOT_PRECEDENCE", "IGNORE_SPACE", "NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES"),
    *("NO_DIR_IN_CREATE", "NO_ENGINE_SUBSTITUTION", "NO_UNSIGNED_SUBTRACTION", "NO_ZERO_DATE"),
    *("NO_ZERO_IN_DATE", "ONLY_FULL_GROUP_BY", "PAD_CHAR_TO_FULL_LENGTH", "PIPES_AS_CONCAT"),
    *("REAL_AS_FLOAT", "STRICT_ALL_TABLES", "STRICT_TRANS_TABLES", "TIME_TRUNCATE_FRACTIONAL"),
    "TRADITIONAL",
)
# Each with what a server must be started with for it; the schema is loaded under all of them.
SERVERS = {
    "GTID": (
        *GTID,
        f"--sql-mode={','.join(mode for mode in MODES if mode != 'TRADITIONAL')}",
        *("--default-time-zone=+05:45", "--completion-type=CHAIN", "--lower-case-table-names=1"),
        *("--character-set-server=latin1", "--collation-server=latin1_german2_ci"),
        *("--transaction-isolation=READ-UNCOMMITTED", "--default-tmp-storage-engine=MyISAM"),
        *("--sql-require-primary-key=ON", "--partial-revokes=ON", "--autocommit=OFF"),
        *("--password-history=5", "--password-reuse-interval=365", "--max-sort-length=4"),
        *("--group-concat-max-len=4", "--div-precision-increment=0", "--require-secure-transport"),
    ),
    "group": (
        *(*GTID, ENGINES),
        *("--sql-mode=", "--default-time-zone=-12:00", "--completion-type=RELEASE"),
        *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_tr_0900_ai_ci"),
        *("--transaction-isolation=SERIALIZABLE", "--sql-generate-invisible-primary-key=ON"),
        *("--init-connect=SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES', autocommit = 0",),
        *("--binlog-format=ROW", "--explicit-defaults-for-timestamp=OFF", "--low-priority-updates"),
        *("--tmp-table-size=1024", "--max-heap-table-size=16384", "--sort-buffer-size=32768"),
    ),
}
# One after the other on one server, each for new connections, and back again.
GLOBALS = (
    *(f"sql_mode = '{mode}'" for mode in MODES),
    "sql_mode = ''",
    *("time_zone = '+14:00'", "completion_type = 'RELEASE'", "autocommit = OFF"),
    *("default_tmp_storage_engine = MyISAM", "default_storage_engine = MyISAM"),
    *("transaction_isolation = 'SERIALIZABLE'", "sql_require_primary_key = ON"),
    *("partial_revokes = ON", "character_set_client = latin1, character_set_results = latin1"),
    *("collation_connection = utf8mb4_tr_0900_ai_ci", "sql_safe_updates = ON"),
    *("sql_select_limit = 1", "max_join_size = 1", "max_execution_time = 1"),
    *("group_concat_max_len = 4", "cte_max_recursion_depth = 0", "require_secure_transport = ON"),
    "optimizer_switch = 'derived_merge=off,condition_fanout_filter=off,hash_join=off'",
)
# What is said in these words somewhere: a backslash at the end of a string above all.
HOSTILE = (
    "' LIKE SLEEP(4), NULL) -- ",
    "\\",
    "\\'",
    "\\\\' OR 1=1 -- ",
    '"\\"`',
    "delimiter it's\n\t%s %(x)s \u00e9\u3042\U0001f600",
)


@contextmanager
def started(
    home: Path, monkeypatch: pytest.MonkeyPatch, settings: tuple[str, ...]
) -> Iterator[OwnServer]:
    """Start an empty server with these settings."""
    with monkeypatch.context() as patch:
        patch.setattr(services_mysql, "SETTINGS", (*services_mysql.SETTINGS, *settings))
        server = OwnServer(services_mysql.start_mysql, home, "mysqld", "mysql")
        try:
            yield server
        finally:
            server.stop()


def load(server: OwnServer) -> None:
    """Load Podium and the gateway's account, as `db upgrade` does."""
    with closing(connect(MysqlUrl.parse(server.url))) as admin:
        loader.upgrade(admin, Release.read(ROOT / "sql"))
        loader.grant_gateway(admin, GATEWAY_USER, GATEWAY_PASSWORD)


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Iterator[OwnServer]:
    """Return a server with these settings and Podium in it."""
    home = tmp_path_factory.mktemp("settings")
    with started(home, monkeypatch, SERVERS[request.param]) as server:
        if request.param == "GTID":
            # By the client, whose session is as the server has it.
            done = shell(clients(tmp_path, server.url), "bash sql/load.sh")
            assert done.returncode == 0, done.stderr
        load(server)
        yield server


def plain(server: OwnServer) -> Any:
    """Open a connection that is as the server's settings have it, but for autocommit."""
    arguments = MysqlUrl.parse(server.url).arguments
    return mysql.connector.connect(**arguments, database="podium", autocommit=True)


@contextmanager
def gateway(server: OwnServer) -> Iterator[Flask]:
    """Make a gateway in this process, whose connections are new."""
    url = with_account(server.url, GATEWAY_USER, GATEWAY_PASSWORD)
    app = create_app(Config(mysql_url=url, jwt_secret=SECRET, log="off"))
    yield app
    app.extensions["podium.database"].close()


class Client:
    """Somebody who calls a gateway in this process."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        claims = {"sub": "999999", "role": "admin", "aud": "podium", "exp": 2**40}
        self._headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        answer = self._client.open(
            f"/api/v1{path}", method=method, json=body, headers=self._headers
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json


# What two exams that were played alike differ in.
OWN = re.compile(r"(_id|_at|^username|^submission_id|^next_after)$")


def unlike(value: Any) -> Any:
    """Return an answer without what differs from exam to exam."""
    if isinstance(value, list):
        return [unlike(item) for item in value]
    if isinstance(value, dict):
        return {name: unlike(item) for name, item in value.items() if not OWN.search(name)}
    return value


def play_by_http(app: Flask) -> Any:
    """Play an exam with hostile strings; return all that was told of it."""
    ask, told = Client(app), list[Any]()

    def tell(method: str, path: str, body: object = None) -> Any:
        told.append(ask(method, path, body))
        return told[-1]

    admin = tell("POST", "/users", {"username": unique_name(), "full_name": "A", "role": "admin"})
    assert admin["role"] == "admin"
    exam = tell(
        "POST",
        "/exams",
        {"title": HOSTILE[1], "starts_at": "2020-03-28T09:00:00+02:00", "max_attempts": 2},
    )
    assert (exam["title"], exam["starts_at"][:16]) == (HOSTILE[1], "2020-03-28T07:00")
    exam_id = exam["exam_id"]
    users, sessions = [], []
    for text in HOSTILE:
        name = " ".join(text.split())  # Without what a name must not hold.
        user = {"username": unique_name(), "full_name": name, "role": "candidate"}
        users.append(tell("POST", "/users", user)["user_id"])
        session = {"exam_id": exam_id, "user_id": users[-1]}
        sessions.append(tell("POST", "/sessions", session)["session_id"])
    for turn in range(2):
        for place, session_id in enumerate(sessions):
            item = {
                "session_id": session_id,
                "module_type": ("coding", "quiz")[turn],
                "raw_score": 10.5 * (place // 2),
                "max_score": 77,
                "time_spent_sec": 60,
                "details": {"text": HOSTILE[place], HOSTILE[place]: turn},
            }
            assert tell("POST", "/scores", item)["version"] == turn + 1
    batch = [
        {"session_id": session_id, "module_type": "assessment", "raw_score": 1}
        | {"max_score": 3, "time_spent_sec": 1, "details": {"text": text}}
        for session_id, text in zip(sessions, HOSTILE, strict=True)
    ]
    results = tell("POST", "/scores/batch", {"submissions": batch})["results"]
    assert {result["status"] for result in results} == {200}
    tell(
        "PATCH", f"/exams/{exam_id}", {"weights": {"coding": 12.5, "quiz": 37.5, "assessment": 50}}
    )
    tell("PATCH", f"/sessions/{sessions[0]}/finish")
    tell("GET", f"/sessions/{sessions[1]}")
    tell("POST", "/leaderboard/recalculate", {"exam_id": exam_id})
    page = tell("GET", f"/leaderboard?exam_id={exam_id}")
    assert [entry["rank"] for entry in page["leaderboard"]] == [1, 1, 2, 2, 3, 3]
    tell("GET", f"/leaderboard/entries/{users[2]}?exam_id={exam_id}")
    tell("GET", f"/leaderboard/around?exam_id={exam_id}&user_id={users[2]}&window=1")
    audit = tell("GET", f"/audit?exam_id={exam_id}")["entries"]
    assert [row["details"]["text"] for row in audit] == list(HOSTILE) * 3
    return unlike(told)


def test_an_exam_is_played(server: OwnServer) -> None:
    connection = plain(server)
    exam = make_exam(connection)
    sessions = [make_session(connection, exam) for _ in range(60)]

    def submit(raw: int, **fields: object) -> set[int]:
        items = [
            {
                "session_id": session_id,
                "module_type": "coding",
                "raw_score": raw + place % 50,
                "max_score": 100,
                "time_spent_sec": place,
                "details": {"place": place},
            }
            | fields
            for place, session_id in enumerate(sessions)
        ]
        [results] = result_sets(connection, "CALL submit_scores(%s, NULL)", (json.dumps(items),))
        return {row["status"] for row in results}

    assert submit(0) == {200}
    assert submit(50) == {200}
    assert submit(20, expected_version=1) == {409}
    assert stored_board(connection, exam) == true_board(connection, exam)
    assert problems_of(connection, exam) == []
    [kept] = rows(
        connection,
        "SELECT COUNT(*) AS audited, SUM(details IS NOT NULL) AS detailed FROM score_audit_log",
    )
    assert tuple(kept.values()) == (120, 120)
    # What takes a text takes it as the tables do, whatever the server's character set.
    found = rows(
        connection,
        "SELECT DISTINCT collation_name AS n FROM information_schema.parameters "
        "WHERE specific_schema = 'podium' AND collation_name IS NOT NULL "
        "AND collation_name NOT LIKE 'ascii%' AND collation_name NOT LIKE '%bin'",
    )
    assert [row["n"] for row in found] == ["utf8mb4_0900_ai_ci"]
    connection.close()
    # Once more: nothing to do, and no password that was used before.
    load(server)
    with gateway(server) as app:
        assert app.test_client().get("/readyz").status_code == 200
        play_by_http(app)


@pytest.fixture(scope="module")
def database(own_mysql: OwnServer) -> Iterator[Database]:
    """Return a server with the usual settings and Podium in it."""
    own_mysql.start()
    found = Database(own_mysql.url)
    load(own_mysql)
    yield found
    found.close()


@contextmanager
def set_globally(database: Database, assignments: str) -> Iterator[None]:
    """Set variables for all connections that are opened meanwhile."""
    names = re.findall(r"(\w+) = ", assignments)
    before = database.execute("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in names))[0]
    database.execute("SET " + re.sub(r"(\w+ = )", r"GLOBAL \1", assignments))
    try:
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            database.execute(f"SET GLOBAL {name} = %s", value)


@pytest.fixture(scope="module")
def usual(database: Database, own_mysql: OwnServer) -> Any:
    """Return what is told of an exam on a server with the usual settings."""
    with gateway(own_mysql) as app:
        return play_by_http(app)


@pytest.mark.parametrize("assignments", GLOBALS)
def test_answers_are_the_same_whatever_is_set_globally(
    database: Database, own_mysql: OwnServer, usual: Any, assignments: str
) -> None:
    with set_globally(database, assignments), gateway(own_mysql) as app:
        assert app.test_client().get("/readyz").status_code == 200
        assert play_by_http(app) == usual
        load(own_mysql)


@pytest.mark.parametrize("mode", MODES)
def test_no_procedure_changes_what_a_driver_knows_of_backslashes(
    database: Database, own_mysql: OwnServer, mode: str
) -> None:
    with set_globally(database, f"sql_mode = '{mode}'"), closing(plain(own_mysql)) as dba:
        before = dba._cmysql.st_server_status()
        assert bool(before & NO_BACKSLASH_ESCAPES) == (mode == "NO_BACKSLASH_ESCAPES")
        exam_id = make_exam(dba)
        for text in HOSTILE:
            session_id = make_session(dba, exam_id)
            for turn in range(2):
                details = json.dumps({"text": text, "turn": turn})
                submit(dba, session_id, details=details, id=unique_name())
                assert dba._cmysql.st_server_status() & NO_BACKSLASH_ESCAPES == (
                    before & NO_BACKSLASH_ESCAPES
                )
        trail = call(dba, "get_audit_trail", exam_id, None, None, None)[0]
        kept = [json.loads(row["details"])["text"] for row in trail]
        assert kept == [text for text in HOSTILE for _ in range(2)]
        assert dba._cmysql.st_server_status() & NO_BACKSLASH_ESCAPES == (
            before & NO_BACKSLASH_ESCAPES
        )


ACCOUNT = f"{GATEWAY_USER}@'%'"
# What an administrator does, what undoes it, and what the log says of it.
STATES = {
    "offline": ("SET GLOBAL offline_mode = ON", "SET GLOBAL offline_mode = OFF", "offline mode"),
    "read-only": (
        "SET GLOBAL super_read_only = ON",
        "SET GLOBAL super_read_only = OFF, read_only = OFF",
        "read_only",
    ),
    "transactions": (
        "SET GLOBAL transaction_read_only = ON",
        "SET GLOBAL transaction_read_only = OFF",
        "transaction_read_only|READ ONLY transaction",
    ),
    "schema": (
        "ALTER SCHEMA podium READ ONLY = 1",
        "ALTER SCHEMA podium READ ONLY = 0",
        "read only mode",
    ),
    "locked": (
        f"ALTER USER {ACCOUNT} ACCOUNT LOCK",
        f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK",
        "Account is locked",
    ),
    "expired": (
        f"ALTER USER {ACCOUNT} PASSWORD EXPIRE",
        f"ALTER USER {ACCOUNT} IDENTIFIED BY '{GATEWAY_PASSWORD}'",
        "password has expired|reset your password",
    ),
    "password": (
        f"ALTER USER {ACCOUNT} IDENTIFIED BY 'another one'",
        f"ALTER USER {ACCOUNT} IDENTIFIED BY '{GATEWAY_PASSWORD}'",
        "Access denied",
    ),
    "queries": (
        f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR 1",
        f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR 0",
        "max_questions",
    ),
    "owner": (
        "DROP USER podium_owner@localhost",
        "",  # Made anew by an upgrade.
        "definer",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_what_an_administrator_does_is_503_and_named_in_the_log(
    database: Database, own_mysql: OwnServer, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    done, undone, cause = STATES[state]
    with gateway(own_mysql) as app:
        client = app.test_client()
        token = jwt.encode(
            {"sub": "999999", "role": "admin", "aud": "podium", "exp": 2**40}, SECRET, "HS256"
        )
        headers = {"Authorization": f"Bearer {token}"}

        def statuses() -> list[int]:
            """Ask whether it is ready, and for something to be written."""
            user = {"username": unique_name(), "full_name": "Somebody", "role": "candidate"}
            answers = [
                client.get("/readyz"),
                client.post("/api/v1/users", json=user, headers=headers),
            ]
            for answer in answers:
                assert answer.status_code != 503 or "Retry-After" in answer.headers
            return [answer.status_code for answer in answers]

        assert statuses() == [200, 201]
        database.execute(done)
        db._told_at.clear()
        caplog.clear()
        try:
            if state not in ("offline", "read-only", "schema", "owner"):
                # Known to who logs in anew; those who are in stay so.
                app.extensions["podium.database"].close()
            expected = [200, 503] if state == "schema" else [503, 503]
            assert statuses() == statuses() == expected
        finally:
            if undone:
                database.execute(undone)
            load(own_mysql)
        told = [record.getMessage() for record in caplog.records if record.name == "gateway.db"]
        assert any(re.search(cause, line) for line in told), told
        assert len(told) == len({*told}) <= 2
        wait_until(lambda: statuses() == [200, 201])


def test_the_password_is_set_once_and_only_when_it_changes(
    database: Database, own_mysql: OwnServer
) -> None:
    def changed_at() -> Any:
        return database.execute(
            "SELECT password_last_changed, authentication_string FROM mysql.user WHERE user = %s",
            GATEWAY_USER,
        )

    def grant(password: str) -> None:
        with closing(connect(MysqlUrl.parse(own_mysql.url))) as admin:
            loader.grant_gateway(admin, GATEWAY_USER, password)

    with set_globally(database, "password_history = 5"):
        grant("the next one")
        before = changed_at()
        grant("the next one")
        assert changed_at() == before
        grant("another one")
        assert changed_at() != before
        # Refused, and the role is granted all the same.
        database.execute(f"REVOKE podium_gateway FROM {ACCOUNT}")
        with pytest.raises(LoaderError, match="podium_app, by password_history"):
            grant("the next one")
        assert database.execute("SELECT 1 FROM mysql.role_edges WHERE to_user = 'podium_app'")
    database.execute(f"DROP USER {ACCOUNT}")
    load(own_mysql)


def test_a_password_that_a_policy_refuses_is_told(database: Database, own_mysql: OwnServer) -> None:
    database.execute("INSTALL COMPONENT 'file://component_validate_password'")
    try:
        database.execute("DROP USER podium_owner@localhost")
        database.execute("DELETE FROM podium.schema_files WHERE path = 'schema/001_accounts.sql'")
        with closing(connect(MysqlUrl.parse(own_mysql.url))) as admin:
            # The accounts without a password are none of its business.
            loader.upgrade(admin, Release.read(ROOT / "sql"))
            with pytest.raises(LoaderError, match="by validate_password: choose another"):
                loader.grant_gateway(admin, "podium_policy", "short")
            loader.grant_gateway(admin, "podium_policy", "Long-enough-1")
            loader.grant_gateway(admin, "podium_policy", "Long-enough-1")
        assert database.execute("SELECT 1 FROM mysql.user WHERE user = 'podium_policy'")
    finally:
        database.execute("UNINSTALL COMPONENT 'file://component_validate_password'")
        database.execute("DROP USER IF EXISTS podium_policy")
