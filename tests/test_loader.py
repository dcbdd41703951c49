"""The loader: empty, twice, two at once, interrupted, newer, older, by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway import loader
from gateway.config import MysqlUrl
from gateway.loader import LoaderError, Release
from services import debian
from services.server import ROOT
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, with_account
from tests.own_server import OwnServer

SQL = ROOT / "sql"
ACCOUNTS = ("podium_owner@localhost", "podium_gateway", "podium_dba", f"{GATEWAY_USER}@'%'")


class Database:
    """A server without Podium, and what the tests do to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: list[Any] = []
        self.admin = self.connect()

    def connect(self, url: str | None = None) -> Any:
        """Open a connection, of the administrative account unless told otherwise."""
        arguments = MysqlUrl.parse(url or self.url).arguments
        connection = mysql.connector.connect(**arguments, autocommit=True)
        self._opened.append(connection)
        return connection

    def execute(self, statement: str, *values: object, connection: Any = None) -> list[Any]:
        """Execute a statement and return the rows of its first result set."""
        with (connection or self.admin).cursor() as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
            while cursor.nextset():
                pass
            return list(rows)

    def upgrade(self, root: Path = SQL) -> list[str]:
        """Upgrade to the release in a folder."""
        return loader.upgrade(self.connect(), Release.read(root))

    def todo(self, root: Path = SQL) -> list[str]:
        """Return what an upgrade would apply."""
        return loader.plan(self.admin, Release.read(root)).paths

    def dump(self) -> dict[str, list[Any]]:
        """Return the definition of all that there is in the schema, and who may what."""
        kinds = {
            ("table", "columns"): "table_name, ordinal_position, column_name, column_type, "
            "is_nullable, column_default, collation_name, generation_expression",
            ("table", "statistics"): "table_name, index_name, seq_in_index, column_name, collation",
            ("table", "views"): "table_name, view_definition, definer",
            ("routine", "routines"): "routine_name, routine_definition, definer, sql_mode",
            ("trigger", "triggers"): "trigger_name, action_statement, definer",
        }
        found = {
            kind: self.execute(
                f"SELECT {columns} FROM information_schema.{kind} "
                f"WHERE {what}_schema = 'podium' ORDER BY 1, 2, 3"
            )
            for (what, kind), columns in kinds.items()
        }
        for account in ACCOUNTS[:3]:
            found[account] = sorted(self.execute(f"SHOW GRANTS FOR {account}"))
        found["error_catalog"] = self.execute("SELECT * FROM podium.error_catalog ORDER BY code")
        found["checks"] = self.execute(
            "SELECT constraint_name, check_clause FROM information_schema.check_constraints "
            "WHERE constraint_schema = 'podium' ORDER BY 1"
        )
        return found

    def make_user(self, name: str = "alice") -> int:
        """Create a user through the public procedure, as the gateway's account would."""
        rows = self.execute("CALL podium.create_user(%s, 'Alice', 'candidate')", name)
        return int(rows[0][0])

    def close(self) -> None:
        """Take Podium away again."""
        for connection in self._opened[1:]:
            connection.close()
        self.execute("DROP DATABASE IF EXISTS podium")
        for account in ACCOUNTS:
            self.execute(f"DROP USER IF EXISTS {account}")
        self.admin.close()


@pytest.fixture
def database(own_mysql: OwnServer) -> Iterator[Database]:
    """Return a server without Podium."""
    database = Database(own_mysql.url)
    yield database
    database.close()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Copy sql/ to a folder in which the next release is written."""
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


def bump(root: Path, number: str = "9.0.0") -> None:
    """Give a release another number."""
    (root / "RELEASE").write_text(f"{number}\n")


def add_column(root: Path) -> None:
    """Write a release that adds a column: in the table's file, and in a migration."""
    bump(root)
    users = root / "schema" / "020_users.sql"
    text = users.read_text()
    assert "    created_at DATETIME(6)     NOT NULL,\n" in text
    users.write_text(
        text.replace(
            "    created_at DATETIME(6)     NOT NULL,\n",
            "    created_at DATETIME(6)     NOT NULL,\n    nickname   VARCHAR(64)     NULL,\n",
        )
    )
    folder = root / "migrations"
    folder.mkdir()
    (folder / "0001_nickname.sql").write_text(
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;\n\n"
        "ALTER TABLE podium.users ADD COLUMN nickname VARCHAR(64) NULL AFTER created_at;\n"
    )
    (folder / "0002_fill_nickname.sql").write_text(
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;\n\n"
        "UPDATE podium.users SET nickname = CONCAT(COALESCE(nickname, ''), username);\n"
    )


def test_an_empty_database_is_built_whole_and_then_there_is_nothing_to_do(
    database: Database,
) -> None:
    applied = database.upgrade()
    assert applied == [file.path for file in Release.read().files]
    assert database.todo() == []
    before = database.dump()
    assert database.upgrade() == []
    assert database.dump() == before
    assert database.make_user() == 1


def test_two_at_once_do_the_work_once(database: Database) -> None:
    with ThreadPoolExecutor(2) as threads:
        applied = list(threads.map(lambda _: database.upgrade(), range(2)))
    assert sorted(len(paths) for paths in applied) == [0, len(Release.read().files)]
    assert database.todo() == []


class Interrupted(Exception):
    """Stand for the end of the process."""


class Failing:
    """A connection that ends before its n-th statement."""

    def __init__(self, connection: Any, statements: int) -> None:
        self._connection, self._left = connection, statements

    def cursor(self) -> Any:
        """Return a cursor, as long as there is a connection."""
        if self._left == 0:
            self._connection.close()
            raise Interrupted
        self._left -= 1
        return self._connection.cursor()


def interrupt(database: Database, root: Path, statements: int) -> bool:
    """Begin an upgrade that ends before its n-th statement; tell whether it came to that."""
    try:
        loader.upgrade(Failing(database.connect(), statements), Release.read(root))
    except (Interrupted, LoaderError, mysql.connector.Error):
        return True
    return False


def test_an_interrupted_upgrade_goes_on_where_it_stopped(database: Database, release: Path) -> None:
    database.upgrade(release)
    whole = database.dump()
    database.execute("DROP DATABASE podium")
    # Each time some statements further, until nothing is left to interrupt.
    interruptions = 0
    while interrupt(database, release, 12 + interruptions):
        interruptions += 1
        assert interruptions < 100
    assert interruptions > 5
    assert database.todo(release) == []
    assert database.dump() == whole


def test_an_upgrade_interrupted_after_its_last_migration_goes_on(
    database: Database, release: Path
) -> None:
    database.upgrade()
    database.make_user()
    add_column(release)
    # A file of one statement more, so that each place between two statements is tried.
    (release / "migrations" / "0001_nickname.sql").write_text("SELECT 1;\n")
    (release / "migrations" / "0002_fill_nickname.sql").write_text("SELECT 1;\n")
    statements = 0
    while interrupt(database, release, statements):
        statements += 1
        assert database.todo(release) is not None
    assert statements > 5
    assert database.todo(release) == []


def test_a_changed_procedure_is_applied_again_and_keeps_its_grants(
    database: Database, release: Path
) -> None:
    database.upgrade()
    loader.grant_gateway(database.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    before = database.dump()
    bump(release, "0.1.1")
    path = release / "procedures" / "create_user.sql"
    path.write_text(path.read_text().replace("Creates a candidate", "Makes a candidate"))
    assert database.upgrade(release) == ["procedures/create_user.sql", "grants.sql"]
    gateway = database.connect(with_account(database.url, GATEWAY_USER, GATEWAY_PASSWORD))
    rows = database.execute("CALL podium.create_user('bob', 'Bob', 'admin')", connection=gateway)
    assert rows[0][1] == "bob"
    after = database.dump()
    assert {kind for kind in before if before[kind] != after[kind]} == set()
    [(comment,)] = database.execute(
        "SELECT routine_comment FROM information_schema.routines "
        "WHERE routine_schema = 'podium' AND routine_name = 'create_user'"
    )
    assert comment.startswith("Makes a candidate")


def test_a_procedure_that_is_gone_is_dropped(database: Database, release: Path) -> None:
    (release / "procedures" / "say_hello.sql").write_text(
        "DROP PROCEDURE IF EXISTS podium.say_hello;\n\nDELIMITER $$\n\n"
        "CREATE DEFINER = podium_owner@localhost PROCEDURE podium.say_hello()\n"
        "BEGIN\n    SELECT 'hello; -- ' AS greeting;\nEND$$\n\nDELIMITER ;\n"
    )
    database.upgrade(release)
    assert database.execute("CALL podium.say_hello()") == [("hello; -- ",)]
    assert database.upgrade() == ["procedures/say_hello.sql (dropped)"]
    with pytest.raises(mysql.connector.Error) as refused:
        database.execute("CALL podium.say_hello()")
    assert refused.value.errno == 1305
    assert database.todo() == []


def test_a_migration_is_applied_once_and_keeps_the_data(database: Database, release: Path) -> None:
    database.upgrade()
    database.make_user("alice")
    add_column(release)
    migrations = ["migrations/0001_nickname.sql", "migrations/0002_fill_nickname.sql"]
    assert database.todo(release) == migrations
    assert database.upgrade(release) == migrations
    assert database.upgrade(release) == []
    assert database.execute("SELECT username, nickname FROM podium.users") == [("alice", "alice")]


def test_a_migrated_database_equals_one_built_anew(database: Database, release: Path) -> None:
    database.upgrade()
    add_column(release)
    database.upgrade(release)
    migrated = database.dump()
    database.execute("DROP DATABASE podium")
    applied = database.upgrade(release)
    assert not any(path.startswith("migrations/") for path in applied)
    assert database.dump() == migrated
    assert database.todo(release) == []


def test_a_migration_changed_after_it_was_applied_is_refused(
    database: Database, release: Path
) -> None:
    database.upgrade()
    add_column(release)
    database.upgrade(release)
    with (release / "migrations" / "0001_nickname.sql").open("a") as file:
        file.write("-- improved\n")
    with pytest.raises(LoaderError, match="0001_nickname.sql was changed after it was applied"):
        database.upgrade(release)


def test_a_table_changed_without_a_migration_is_refused(database: Database, release: Path) -> None:
    database.upgrade()
    with (release / "schema" / "020_users.sql").open("a") as file:
        file.write("-- improved\n")
    with pytest.raises(LoaderError, match="020_users.sql is not what this database was built"):
        database.upgrade(release)


def test_a_newer_database_is_refused(database: Database, release: Path) -> None:
    bump(release, "0.10.0")
    database.upgrade(release)
    # 0.9.0 would sort behind 0.10.0 as text.
    bump(release, "0.9.0")
    path = release / "procedures" / "create_user.sql"
    path.write_text(path.read_text() + "-- older\n")
    before = database.dump()
    with pytest.raises(LoaderError, match="newer than this one"):
        database.upgrade(release)
    assert database.dump() == before


def test_a_statement_that_fails_names_its_file(database: Database, release: Path) -> None:
    (release / "procedures" / "broken.sql").write_text("CREATE PROCEDURE podium.broken(;\n")
    with pytest.raises(LoaderError, match="procedures/broken.sql: 1064"):
        database.upgrade(release)
    (release / "procedures" / "broken.sql").unlink()
    database.upgrade(release)
    assert database.todo(release) == []


def test_the_gateways_account_is_not_the_administrators(database: Database) -> None:
    database.upgrade()
    with pytest.raises(LoaderError, match="must not be the administrative one"):
        loader.grant_gateway(database.admin, "root", "x")


def flask(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as an operator does."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PODIUM_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "gateway", "db", *arguments],
        cwd=ROOT,
        env=inherited | env,
        capture_output=True,
        text=True,
    )


def test_the_command_line_tells_what_it_did_and_what_is_left(database: Database) -> None:
    url = {"PODIUM_MYSQL_URL": database.url}
    number, files = Release.read().number, len(Release.read().files)
    status = flask("status", **url)
    assert status.returncode == 1
    assert "There is no database yet." in status.stdout
    assert f"{files} files to apply: flask --app gateway db upgrade" in status.stdout
    account = with_account(database.url, GATEWAY_USER, GATEWAY_PASSWORD)
    upgrade = flask("upgrade", **url, PODIUM_GATEWAY_MYSQL_URL=account)
    assert upgrade.returncode == 0, upgrade.stderr
    assert f"The database is at release {number}, {files} files applied." in upgrade.stdout
    assert GATEWAY_USER in upgrade.stdout and GATEWAY_PASSWORD not in upgrade.stdout
    status = flask("status", **url)
    assert (status.returncode, status.stdout.splitlines()[-1]) == (0, "Nothing to do.")
    assert f"The database is of release {number}." in status.stdout
    gateway = database.connect(account)
    with pytest.raises(mysql.connector.Error) as refused:
        database.execute("SELECT * FROM podium.users", connection=gateway)
    assert refused.value.errno == 1142


@pytest.mark.parametrize("command", ["upgrade", "status"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "PODIUM_MYSQL_URL is not set"),
        ("postgres://x@y/podium", "a MySQL address looks like"),
        ("mysql://root@127.0.0.1:1/podium", "Can't connect"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(command: str, url: str, said: str) -> None:
    done = flask(command, PODIUM_MYSQL_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def mysql_client(tmp_path_factory: pytest.TempPathFactory, own_mysql: OwnServer) -> Path:
    """Return a folder with the mysql client in it, one that needs no address."""
    if (debian.FOLDER / "root").is_dir():
        program = debian.unpack().command("usr/bin/mysql")
    elif found := shutil.which("mysql"):
        program = [found]
    else:
        pytest.skip("there is no mysql client on this machine, and none was unpacked")
    url = MysqlUrl.parse(own_mysql.url)
    place = (
        [f"--socket={url.unix_socket}"]
        if url.unix_socket
        else ["--protocol=tcp", f"--host={url.host}", f"--port={url.port}"]
    )
    folder = tmp_path_factory.mktemp("client")
    script = folder / "mysql"
    words = " ".join(f"'{word}'" for word in [*program, "--no-defaults", *place])
    script.write_text(
        f"#!/bin/sh\nexport MYSQL_PWD='{url.password}'\nexec {words} --user={url.user} \"$@\"\n"
    )
    script.chmod(0o755)
    return folder


def shell(client: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script of bash with the mysql client on its PATH, in a locale that knows no UTF-8."""
    path = f"{client}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={"PATH": path, "LC_ALL": "C"} | env,
        capture_output=True,
        text=True,
    )


def test_the_script_loads_what_db_status_calls_current(
    database: Database, mysql_client: Path
) -> None:
    database.upgrade()
    by_loader = database.dump()
    database.execute("DROP DATABASE podium")
    done = shell(mysql_client, "bash sql/load.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert database.todo() == []
    assert flask("status", PODIUM_MYSQL_URL=database.url).returncode == 0
    assert database.dump() == by_loader


def test_the_script_may_run_twice(database: Database, mysql_client: Path) -> None:
    for _ in range(2):
        assert shell(mysql_client, "bash sql/load.sh").returncode == 0
    assert database.todo() == []


def test_the_script_fails_where_the_client_does(mysql_client: Path) -> None:
    done = shell(mysql_client, "bash sql/load.sh --user=nobody_at_all")
    assert done.returncode != 0 and "ERROR 1045" in done.stderr


def test_the_script_loads_at_the_first_start_of_the_official_image(
    database: Database, mysql_client: Path, release: Path
) -> None:
    add_column(release)
    # As docker-entrypoint.sh does: its function defined, the file sourced.
    script = """
        set -eo pipefail
        docker_process_sql() { mysql --comments "$@"; }
        . "$PODIUM_SQL/load.sh"
    """
    done = shell(mysql_client, script, PODIUM_SQL=str(release))
    assert (done.returncode, done.stderr) == (0, "")
    assert database.todo(release) == []
    assert not os.access(SQL / "load.sh", os.X_OK)


def test_the_files_load_one_by_one_with_the_client(database: Database, mysql_client: Path) -> None:
    paths = " ".join(f"sql/{file.path}" for file in Release.read().files)
    done = shell(mysql_client, f"set -e; for path in {paths}; do mysql < $path; done")
    assert (done.returncode, done.stderr) == (0, "")
    assert database.make_user() == 1
    by_hand = database.dump()
    # The ledger knows nothing of it, and takes it over.
    assert database.upgrade() == [file.path for file in Release.read().files]
    assert database.dump() == by_hand
    assert database.execute("SELECT username FROM podium.users") == [("alice",)]
