"""Drills: dump and restore, recovery from the binary log, upgrades, an administrator's KILL.

The commands are those of docs/operations.md, read from there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mysql.connector
import pytest
import urllib3

from gateway import loader
from gateway.config import MysqlUrl
from gateway.loader import statements
from services import start_mysql
from services.server import ROOT
from tests.client import Api
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, with_account
from tests.databases import SQL, Database, add_column, bump, clients, shell
from tests.factories import make_exam, make_session, submission, unique_name
from tests.locks import waiting
from tests.own_server import OwnServer
from tests.test_stream import listening
from tests.test_tampering import EDITS
from tests.waiting import wait_until

MODULES = ("coding", "quiz", "assessment")
CLIENTS = 6
CANDIDATES = 30
LARGE = 5000


@pytest.fixture
def source(own_mysql: OwnServer) -> Iterator[Database]:
    """Return the server that the exam is played on, with the present release."""
    yield from prepared(own_mysql)


@pytest.fixture(scope="module")
def spare_mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """Start the server that a dump is restored into."""
    server = OwnServer(start_mysql, tmp_path_factory.mktemp("spare"), "mysqld", "mysql")
    yield server
    server.stop()


@pytest.fixture
def empty(spare_mysql: OwnServer) -> Iterator[Database]:
    """Return a server without Podium and without its accounts."""
    database = Database(spare_mysql.url)
    yield database
    database.close()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Copy sql/ to a folder in which the next release is written: every routine is another."""
    root = Path(shutil.copytree(SQL, tmp_path / "sql"))
    bump(root)
    for path in root.glob("procedures/*.sql"):
        path.write_text(path.read_text().replace("\nBEGIN\n", "\nBEGIN\n    -- Of 9.0.0.\n", 1))
    return root


def prepared(server: OwnServer) -> Iterator[Database]:
    """Load the present release into a server, and take it away again."""
    server.start()
    database = Database(server.url)
    database.upgrade()
    loader.grant_gateway(database.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    yield database
    database.close()


@pytest.fixture
def api(own_mysql: OwnServer, start_api: Callable[..., Api]) -> Api:
    """Return a gateway on the server that the exam is played on."""
    return start_api("gateway-drill", account(own_mysql.url))


def account(url: str) -> str:
    """Return the URL of the gateway's account on a server."""
    return with_account(url, GATEWAY_USER, GATEWAY_PASSWORD)


class Exam:
    """An exam that goes on, submission by submission, until it is told to stop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.exam_id = make_exam(api)
        self._sessions = [make_session(api, self.exam_id) for _ in range(CANDIDATES)]
        # What was answered 200, by submission id; every id that was sent; other answers.
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.sent: set[str] = set()
        self.refused: list[tuple[int, str | None]] = []
        self._stopped = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Submit from many clients as long as the block lasts, and a little before and after."""
        self._stopped.clear()
        with ThreadPoolExecutor(CLIENTS) as threads:
            playing = [threads.submit(self._play, number) for number in range(CLIENTS)]
            try:
                self.wait_for_more()
                yield
                self.wait_for_more()
            finally:
                self._stopped.set()
            for client in playing:
                client.result()

    def wait_for_more(self, submissions: int = 20) -> None:
        """Return when so many more submissions have been acknowledged."""
        wanted = len(self.acknowledged) + submissions
        wait_until(lambda: len(self.acknowledged) >= wanted, 60)

    def submit(self, number: int) -> None:
        """Submit once, again with the same id until that is acknowledged, as a client should."""
        body = submission(
            self._sessions[number % CANDIDATES],
            module_type=MODULES[number % 3],
            raw_score=number * 37 % 101,
            time_spent_sec=number * 13 % 997,
            submission_id=unique_name(),
        )
        identity = body.pop("submission_id")
        self.sent.add(identity)
        while True:
            try:
                answer = self._api.post("/scores", body, Idempotency_Key=identity)
            except urllib3.exceptions.HTTPError:
                continue
            if answer.status == 200:
                self.acknowledged[identity] = answer.json
                return
            self.refused.append((answer.status, answer.code))
            assert answer.status == 503 and "Retry-After" in answer.headers, answer.text

    def _play(self, client: int) -> None:
        number = client
        while not self._stopped.is_set():
            self.submit(number)
            number += CLIENTS


def assert_sound(database: Database, exam_id: int) -> None:
    """Hold the board to the window function, and the chain to the history."""
    assert database.execute(f"CALL podium.check_leaderboard({exam_id})") == []
    assert database.execute(f"CALL podium.verify_audit({exam_id})") == []
    # Not by the routines that may be what went wrong.
    assert database.execute(
        "SELECT MAX(revision), COUNT(*), (SELECT COUNT(*) FROM podium.score_audit_log) "
        "FROM podium.leaderboard_revisions"
    ) == database.execute(
        "SELECT revision, revision, (SELECT SUM(submissions) FROM podium.leaderboard_revisions) "
        f"FROM podium.leaderboards WHERE exam_id = {exam_id}"
    )
    wrong = database.execute(
        "SELECT user_id FROM (SELECT n.user_id, n.`rank`, DENSE_RANK() OVER ("
        "    ORDER BY s.total_score DESC, s.total_time_sec) AS true_rank "
        "  FROM podium.leaderboard AS n JOIN podium.exam_sessions AS s USING (exam_id, user_id) "
        f" WHERE n.exam_id = {exam_id}) AS ranks WHERE `rank` <> true_rank"
    )
    assert wrong == []


def history(database: Database) -> dict[str, int]:
    """Return the revision of every submission in the audit log, by its id."""
    rows = database.execute("SELECT submission_id, revision FROM podium.score_audit_log")
    assert len(rows) == len(dict(rows))
    return dict(rows)


def contents(database: Database) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    tables = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'podium' "
        "AND table_type = 'BASE TABLE' AND table_name <> 'schema_files'"
    )
    return {
        table: sorted(database.execute(f"SELECT * FROM podium.`{table}`"), key=repr)
        for (table,) in tables
    }


def documented(section: str) -> list[str]:
    """Return the commands of a section of the manual, block by block."""
    text = (ROOT / "docs" / "operations.md").read_text()
    [body] = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)


DUMP, RESTORE = documented("Backups")
PLACE, COPY_LOG, FIND, REPLAY = documented("Recovery")


class Administrator:
    """Someone in a folder of his own who has the manual, and the clients set up for a server."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._url, self._folder = database.url, folder
        self._clients = clients(folder, database.url)

    def does(self, commands: str, at: Path, **variables: str) -> str:
        """Carry out commands of the manual in a folder; return what they print."""
        set_before = "".join(f"{name}={value}\n" for name, value in variables.items())
        # flask is the checkout's, and so is the folder that it looks for gateway in.
        commands = commands.replace("flask ", f"env -C {ROOT} {sys.executable} -m flask ")
        done = shell(
            self._clients,
            f"set -euo pipefail\ncd {at}\n{set_before}{commands}",
            PODIUM_MYSQL_URL=self._url,
            PODIUM_GATEWAY_MYSQL_URL=account(self._url),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def old(source: Database, tmp_path: Path) -> Administrator:
    """Return the administrator of the server that the exam is played on."""
    (tmp_path / "old").mkdir()
    return Administrator(tmp_path / "old", source)


@pytest.fixture
def new(empty: Database, tmp_path: Path) -> Administrator:
    """Return the administrator of the empty server."""
    (tmp_path / "new").mkdir()
    return Administrator(tmp_path / "new", empty)


def test_a_dump_restores_board_chain_and_accounts(
    source: Database,
    empty: Database,
    api: Api,
    old: Administrator,
    new: Administrator,
    start_api: Callable[..., Api],
    tmp_path: Path,
) -> None:
    exam = Exam(api)
    with exam.going_on():
        pass
    old.does(DUMP, tmp_path)
    new.does(RESTORE, tmp_path)
    assert contents(empty) == contents(source)
    assert empty.dump() == source.dump()
    assert empty.todo() == []
    assert_sound(empty, exam.exam_id)
    exam._api = start_api("gateway-restored", account(empty.url))
    [(revision,)] = empty.execute("SELECT revision FROM podium.leaderboards")
    exam.submit(1)
    assert max(answer["revision"] for answer in exam.acknowledged.values()) == revision + 1
    assert_sound(empty, exam.exam_id)


def test_a_dump_during_an_exam_is_one_moment(
    source: Database,
    empty: Database,
    api: Api,
    old: Administrator,
    new: Administrator,
    tmp_path: Path,
) -> None:
    exam = Exam(api)
    with exam.going_on():
        before = dict(exam.acknowledged)
        old.does(DUMP, tmp_path)
    new.does(RESTORE, tmp_path)
    assert_sound(empty, exam.exam_id)
    restored = history(empty)
    assert before.keys() <= restored.keys() < exam.acknowledged.keys()
    [(revision,)] = empty.execute("SELECT revision FROM podium.leaderboards")
    assert restored == {identity: at for identity, at in history(source).items() if at <= revision}


def test_a_dump_restored_after_drop_database_gives_the_grants_again(
    source: Database, old: Administrator, tmp_path: Path
) -> None:
    whole = source.dump()
    old.does(DUMP, tmp_path)
    source.execute("DROP DATABASE podium")
    old.does(RESTORE, tmp_path)
    assert source.dump() == whole
    assert source.todo() == []


def test_a_restored_board_is_not_taken_for_the_one_before(
    source: Database, api: Api, old: Administrator, tmp_path: Path
) -> None:
    exam_id = make_exam(api)
    first, second = (make_session(api, exam_id) for _ in range(2))

    def score(session_id: int, raw_score: int) -> int:
        answer = api.post("/scores", submission(session_id, raw_score=raw_score))
        return int(answer.json["revision"])

    def read(**headers: str) -> Any:
        path = f"/leaderboard?exam_id={exam_id}"
        return api.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    assert score(first, 50) == 1
    old.does(DUMP, tmp_path)
    assert score(first, 90) == 2
    known = read().headers["ETag"]
    assert read(If_None_Match=known).status == 304
    with listening(api, exam_id) as listener:
        seen = listener.events[0]["id"]
        source.execute("DROP DATABASE podium")
        old.does(RESTORE, tmp_path)
        assert score(second, 40) == 2
        # At once, also where Redis still knows of the old history.
        for _ in "from MySQL", "from Redis":
            answer = read(If_None_Match=known)
            assert (answer.status, answer.json["revision"]) == (200, 2)
            assert [entry["total_score"] for entry in answer.json["leaderboard"]] == [25, 20]
        assert read(If_None_Match='W/"2"').status == 200
        # Either of what was restored, and then of what came, or of both at once.
        wait_until(lambda: listener.events[1:] != [] and listener.revision == 2)
        assert listener.events[1]["event"] == "reset"
        anew = listener.events[-1]["id"]
        assert (seen != anew, anew.partition("-")[0]) == (True, "2")
    for last, event in ((seen, "reset"), ("2", "reset"), (anew, "revision")):
        with listening(api, exam_id, last) as listener:
            assert listener.events[0]["event"] == event
    # Long gone past what was seen, by which no number tells.
    assert score(second, 60) == 3
    with listening(api, exam_id, seen) as listener:
        assert listener.events[0]["event"] == "reset"


def test_a_page_with_another_name_on_it_is_another(
    source: Database, start_api: Callable[..., Api], own_mysql: OwnServer
) -> None:
    # Without Redis, which keeps a page for 5 s, whatever is written past the procedures.
    api = start_api("gateway-renamed", account(own_mysql.url), redis_url="")
    exam_id = make_exam(api)
    assert api.post("/scores", submission(make_session(api, exam_id))).status == 200

    def tag() -> str:
        return str(api.get("/leaderboard", exam_id=exam_id).headers["ETag"])

    tags = [tag(), tag()]
    source.execute("UPDATE podium.exams SET title = 'Renamed' WHERE exam_id = %s", exam_id)
    tags.append(tag())
    source.execute("UPDATE podium.users SET full_name = 'Renamed'")
    tags.append(tag())
    assert tags[0] == tags[1]
    assert len(set(tags)) == 3


@pytest.mark.parametrize(
    ("disaster", "seen"),
    [
        (["DROP TABLE podium.score_audit_log"], "DROP TABLE"),
        (
            [
                "DROP TRIGGER podium.score_audit_log_no_update",
                "UPDATE podium.score_audit_log SET new_raw_score = 100 ORDER BY audit_id LIMIT 1",
            ],
            "DROP TRIGGER",
        ),
        (["DELETE FROM podium.module_scores"], "### DELETE FROM .podium...module_scores"),
    ],
    ids=["dropped", "forged", "deleted"],
)
def test_the_binary_log_leads_to_just_before_a_disaster(
    disaster: list[str],
    seen: str,
    source: Database,
    empty: Database,
    api: Api,
    old: Administrator,
    new: Administrator,
    tmp_path: Path,
) -> None:
    exam = Exam(api)
    with exam.going_on():
        old.does(DUMP, tmp_path)
    source.execute("FLUSH BINARY LOGS")
    # As a start of the containers does, and as people are let in.
    loader.grant_gateway(source.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    with exam.going_on():
        pass
    before = contents(source)
    for statement in disaster:
        source.execute(statement)
    source.make_user("too late")
    last, stop = old.does(PLACE + COPY_LOG + FIND.replace("DROP TABLE", seen), tmp_path).split()
    new.does(RESTORE, tmp_path)
    new.does(PLACE + REPLAY, tmp_path, last=last, stop=stop)
    assert contents(empty) == before
    assert_sound(empty, exam.exam_id)
    assert history(empty) == {
        identity: answer["revision"] for identity, answer in exam.acknowledged.items()
    }
    assert empty.todo() == []


def load_first_release(database: Database) -> None:
    """Build a database as sql/load.sh does: the first release is this one until it is tagged.

    Once 0.1.0 is tagged, what this sends becomes a file of tests/data that never changes again.
    """
    sent = subprocess.run(
        ["bash", "-c", "docker_process_sql() { cat; }; PODIUM_SQL=sql; . sql/load.sh"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for statement in statements(sent.stdout):
        database.execute(statement)


def test_the_first_release_upgraded_equals_a_new_database(empty: Database) -> None:
    load_first_release(empty)
    empty.upgrade()
    upgraded = empty.dump()
    empty.execute("DROP DATABASE podium")
    empty.upgrade()
    assert empty.dump() == upgraded


def test_an_upgrade_from_the_first_release_under_load_loses_nothing(
    empty: Database, start_api: Callable[..., Api], release: Path
) -> None:
    load_first_release(empty)
    loader.grant_gateway(empty.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    add_column(release)
    (release / "migrations" / "0003_note.sql").write_text(
        "ALTER TABLE podium.score_audit_log ADD COLUMN note VARCHAR(20) NOT NULL DEFAULT 'none';\n"
    )
    (release / "migrations" / "0004_index.sql").write_text(
        "CREATE INDEX ix_exam_sessions_started ON podium.exam_sessions (started_at);\n"
    )
    exam = Exam(start_api("gateway-upgraded", account(empty.url)))
    with exam.going_on():
        before = dict(exam.acknowledged)
        applied = empty.upgrade(release)
        exam.wait_for_more()
    assert [path for path in applied if path.startswith("migrations/")] == [
        f"migrations/{path.name}" for path in sorted((release / "migrations").iterdir())
    ]
    assert empty.todo(release) == []
    # It fell into the exam: some were turned away meanwhile, and came again.
    assert before and exam.refused
    assert exam.acknowledged.keys() == exam.sent
    assert history(empty) == {
        identity: answer["revision"] for identity, answer in exam.acknowledged.items()
    }
    assert_sound(empty, exam.exam_id)


@pytest.mark.parametrize("kind", ["QUERY", "CONNECTION"])
@pytest.mark.parametrize(
    "held", ["users", "exam_sessions", "leaderboard_snapshot", "leaderboard_counters"]
)
def test_a_recalculation_that_is_killed_leaves_the_old_board(
    large: tuple[Database, int], kind: str, held: str
) -> None:
    database, exam_id = large
    before = contents(database)
    holder, victim = database.connect(), database.connect()
    number = victim.connection_id
    # Whoever writes this table waits, with all that it has written before.
    database.execute("START TRANSACTION", connection=holder)
    database.execute(f"SELECT 1 FROM podium.{held} FOR UPDATE", connection=holder)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(
            database.execute,
            f"CALL podium.recalculate_leaderboard({exam_id}, NULL)",
            connection=victim,
        )
        wait_until(lambda: number in waiting(database.admin))
        database.execute(f"KILL {kind} {number}")
        with pytest.raises(mysql.connector.Error) as killed:
            call.result()
    assert killed.value.errno in (1317, 2013)
    holder.rollback()
    if kind == "QUERY":
        # What it left open, if anything, would be kept by this.
        database.execute("COMMIT", connection=victim)
    victim.close()
    assert contents(database) == before
    assert_sound(database, exam_id)


@pytest.fixture(scope="module")
def large(own_mysql: OwnServer) -> Iterator[tuple[Database, int]]:
    """Return an exam with 5,000 on its board, and where it is."""
    for database in prepared(own_mysql):
        [(exam_id, *_)] = database.execute(
            "CALL podium.create_exam('Large', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
        )
        # In one statement each, since 10,000 calls take longer than all the rest.
        database.execute("SET SESSION cte_max_recursion_depth = 10000")
        database.execute(
            "INSERT INTO podium.users "
            "(user_id, username, username_key, full_name, role, created_at) "
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %s) "
            "SELECT n, CONCAT('user-', n), CONCAT('user-', n), 'A candidate', 'candidate', "
            "UTC_TIMESTAMP(6) FROM n",
            LARGE,
        )
        database.execute(
            "INSERT INTO podium.exam_sessions "
            "(session_id, exam_id, user_id, attempt_no, status, started_at) "
            "SELECT user_id, %s, user_id, 1, 'in_progress', created_at FROM podium.users",
            exam_id,
        )
        for first in range(1, LARGE + 1, 1000):
            items = [
                submission(number, raw_score=number * 7919 % 10000 / 100, time_spent_sec=number)
                for number in range(first, first + 1000)
            ]
            database.execute("CALL podium.submit_scores(%s, NULL)", json.dumps(items))
        yield database, exam_id


def test_the_dump_lets_the_exam_go_on(source: Database, old: Administrator, tmp_path: Path) -> None:
    source.execute("SET GLOBAL log_output = 'TABLE'")
    source.execute("SET GLOBAL general_log = 1")
    try:
        old.does(DUMP, tmp_path)
    finally:
        source.execute("SET GLOBAL general_log = 0")
        source.execute("SET GLOBAL log_output = DEFAULT")
    said = [
        bytes(text).decode()
        for (text,) in source.execute("SELECT argument FROM mysql.general_log ORDER BY event_time")
    ]
    first_read = next(n for n, text in enumerate(said) if text.startswith("SELECT /*!40001"))
    assert "UNLOCK TABLES" in said[:first_read]


# What is hashed, after a trip.

# Each kind of value that JSON of MySQL's holds and a dump does not: DECIMAL, times, a set of bits.
DETAILS = (
    "JSON_OBJECT('points', 1.50, 'half', CAST(2.50 AS DECIMAL(10, 2)), 'at', NOW(6),"
    " 'day', CURDATE(), 'big', 18446744073709551615, 'odd', 0.1e0, 'nothing', NULL,"
    " 'text', 'é 😀 \\\\ \"',"
    " 'list', JSON_ARRAY(TRUE, -0.0, 1e20, CAST(7.0 AS DECIMAL(3, 1))))"
)


def play_everything(database: Database) -> int:
    """Play an exam in which everything that is hashed has a value that is odd; return its id."""
    made = json.dumps({"title": "Größe 😀", "max_attempts": 2, "submissions_by": "candidates"})
    [(exam_id, *_)] = database.execute("CALL podium.create_exam_once(%s, NULL, NULL)", made)
    users = [database.make_user(f"user-{number}-é") for number in range(3)]
    sessions = [
        database.execute("CALL podium.start_session(%s, %s, NULL)", exam_id, user)[0][0]
        for user in users
    ]
    for session in sessions:
        # Of a thirteenth, to the last of twenty decimals.
        database.execute(
            f"CALL podium.submit_score(%s, 'coding', 7.00000000000000000001, 13, 60, {DETAILS},"
            " NULL, NULL, NULL)",
            session,
        )
    items = [
        {"session_id": session, "module_type": "quiz", "raw_score": 1.10, "max_score": 3}
        | {"time_spent_sec": 5, "details": {"points": 1.50, "text": "😀"}}
        for session in sessions
    ]
    database.execute("CALL podium.submit_scores(%s, NULL)", json.dumps(items))
    database.execute("CALL podium.update_exam_weights(%s, 33.34, 33.33, 33.33, NULL)", exam_id)
    renamed = json.dumps({"full_name": "Zoë 😀"})
    database.execute("CALL podium.update_user(%s, %s, NULL)", users[0], renamed)
    changed = json.dumps({"board_names": "hidden", "attempt_policy": "latest"})
    database.execute("CALL podium.update_exam(%s, %s, NULL)", exam_id, changed)
    database.execute("CALL podium.recalculate_leaderboard(%s, NULL)", exam_id)
    assert_sound(database, exam_id)
    return int(exam_id)


def assert_tampering_is_found(database: Database, exam_id: int) -> None:
    """Edit each column of the history, one at a time, and see it found."""
    for file in sorted((SQL / "triggers").glob("*.sql")):
        database.execute(f"DROP TRIGGER podium.{file.stem}")
    database.execute("SET @other_session = (SELECT MAX(session_id) FROM podium.exam_sessions)")
    database.execute("USE podium")
    board = f"board_id = (SELECT board_id FROM leaderboards WHERE exam_id = {exam_id})"
    # The second revision is a submission, the last but one a change of settings.
    for table, edits in EDITS.items():
        for revision in (2, 7) if table == "leaderboard_revisions" else (2,):
            row = f"{board} AND revision = {revision}"
            database.execute(f"CREATE TEMPORARY TABLE genuine AS SELECT * FROM {table} WHERE {row}")
            for column, value in edits.items():
                database.execute(f"UPDATE {table} SET {column} = {value} WHERE {row}")
                assert database.execute(f"CALL verify_audit({exam_id})"), (table, column)
                database.execute(
                    f"UPDATE {table} SET {column} = (SELECT {column} FROM genuine) WHERE {row}"
                )
            database.execute("DROP TEMPORARY TABLE genuine")
    assert database.execute(f"CALL verify_audit({exam_id})") == []


def test_what_is_hashed_survives_a_dump_and_tampering_is_still_found(
    source: Database, empty: Database, old: Administrator, new: Administrator, tmp_path: Path
) -> None:
    exam_id = play_everything(source)
    old.does(DUMP, tmp_path)
    # A server of other defaults.
    empty.execute("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES', GLOBAL time_zone = '+05:45'")
    try:
        new.does(RESTORE, tmp_path)
        assert contents(empty) == contents(source)
        assert_sound(empty, exam_id)
        assert_tampering_is_found(empty, exam_id)
    finally:
        empty.execute("SET GLOBAL sql_mode = DEFAULT, GLOBAL time_zone = '+00:00'")


def test_what_is_hashed_survives_replication(source: Database, empty: Database) -> None:
    place = MysqlUrl.parse(source.url)
    source.execute("DROP DATABASE podium")
    for name in ("podium_owner@localhost", "podium_gateway", "podium_dba"):
        source.execute(f"DROP USER IF EXISTS {name}")
    [(log, position, *_)] = source.execute("SHOW BINARY LOG STATUS")
    source.execute("SET sql_log_bin = 0")
    source.execute("CREATE USER copyist@'%' IDENTIFIED BY 'copyist'")
    source.execute("GRANT REPLICATION SLAVE ON *.* TO copyist@'%'")
    source.execute("SET sql_log_bin = 1")
    empty.execute("SET GLOBAL server_id = 2")
    empty.execute(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = %s, SOURCE_USER ="
        " %s, SOURCE_PASSWORD = %s, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_LOG_FILE = %s,"
        " SOURCE_LOG_POS = %s",
        place.port,
        "copyist",
        "copyist",
        log,
        position,
    )
    empty.execute("START REPLICA")
    try:
        source.upgrade()
        exam_id = play_everything(source)
        [(log, position, *_)] = source.execute("SHOW BINARY LOG STATUS")
        [(events,)] = empty.execute("SELECT SOURCE_POS_WAIT(%s, %s, 60)", log, position)
        assert events is not None and events >= 0
        assert contents(empty) == contents(source)
        assert_sound(empty, exam_id)
    finally:
        empty.execute("STOP REPLICA")
        empty.execute("RESET REPLICA ALL")
        empty.execute("SET GLOBAL server_id = 1")
        source.execute("DROP USER copyist@'%'")
