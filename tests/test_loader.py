"""The loader: empty, twice, two at once, interrupted, newer, older, by hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mysql.connector
import pytest

from gateway import loader
from gateway.loader import LoaderError, Release
from tests.conftest import ACCOUNTS, GATEWAY_PASSWORD, GATEWAY_USER, with_account
from tests.databases import (
    SQL,
    Database,
    Failing,
    add_column,
    bump,
    clients,
    flask,
    interrupt,
    shell,
)
from tests.own_server import OwnServer


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


@pytest.fixture(scope="module")
def mysql_client(tmp_path_factory: pytest.TempPathFactory, own_mysql: OwnServer) -> Path:
    """Return a folder with the clients of MySQL in it, which need no address."""
    return clients(tmp_path_factory.mktemp("clients"), own_mysql.url)


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


def test_a_migration_is_carried_out_once_wherever_it_is_interrupted(
    database: Database, release: Path
) -> None:
    database.upgrade()
    database.make_user()
    add_column(release)
    first = database.execute("SELECT path, checksum, release_no FROM podium.schema_files")
    statements = 0
    while interrupt(database, release, statements):
        statements += 1
        database.upgrade(release)
        assert database.todo(release) == []
        # Twice would be alicealice, and a second column is refused.
        assert database.execute("SELECT nickname FROM podium.users") == [("alice",)]
        database.execute("ALTER TABLE podium.users DROP COLUMN nickname")
        database.execute("DELETE FROM podium.schema_files")
        for row in first:
            database.execute(
                "INSERT INTO podium.schema_files VALUES (%s, %s, %s, UTC_TIMESTAMP(6))", *row
            )
    assert statements > 20


def test_a_migration_that_fails_leaves_nothing_and_may_be_corrected(
    database: Database, release: Path
) -> None:
    database.upgrade()
    database.make_user()
    add_column(release)
    path = release / "migrations" / "0002_fill_nickname.sql"
    right = path.read_text()
    path.write_text(f"{right}\nUPDATE podium.users SET full_name = '';\n")
    with pytest.raises(LoaderError, match="0002_fill_nickname.sql: 3819"):
        database.upgrade(release)
    assert database.execute("SELECT nickname, full_name FROM podium.users") == [(None, "Alice")]
    path.write_text(right)
    assert database.upgrade(release) == ["migrations/0002_fill_nickname.sql"]
    assert database.execute("SELECT nickname FROM podium.users") == [("alice",)]
    assert database.todo(release) == []


def test_a_migration_that_failed_is_not_taken_for_done_when_new_tables_came(
    database: Database, release: Path
) -> None:
    database.upgrade()
    database.make_user()
    add_column(release)
    path = release / "migrations" / "0002_fill_nickname.sql"
    right = path.read_text()
    path.write_text(f"{right}\nUPDATE podium.users SET full_name = '';\n")
    with pytest.raises(LoaderError, match="3819"):
        database.upgrade(release)
    path.write_text(right)
    bump(release, "9.0.1")
    (release / "schema" / "045_notes.sql").write_text(
        "CREATE TABLE IF NOT EXISTS podium.notes (note_id INT NOT NULL, PRIMARY KEY (note_id));\n"
    )
    database.upgrade(release)
    assert database.execute("SELECT nickname FROM podium.users") == [("alice",)]


def test_a_migration_that_could_stop_half_way_is_refused(database: Database, release: Path) -> None:
    database.upgrade()
    add_column(release)
    with (release / "migrations" / "0001_nickname.sql").open("a") as file:
        file.write("\n-- All of them.\nUPDATE podium.users SET nickname = username;\n")
    before = database.dump()
    with pytest.raises(LoaderError, match="0001_nickname.sql holds a DDL statement and others"):
        database.upgrade(release)
    assert database.dump() == before


def test_an_upgrade_gives_up_on_a_table_that_is_held(
    database: Database, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.upgrade()
    add_column(release)
    monkeypatch.setattr(loader, "TABLE_TIMEOUT_SEC", 1)
    reader = database.connect()
    database.execute("START TRANSACTION", connection=reader)
    database.execute("SELECT username FROM podium.users", connection=reader)
    with pytest.raises(LoaderError, match="0001_nickname.sql: somebody's open transaction"):
        database.upgrade(release)
    database.execute("COMMIT", connection=reader)
    database.upgrade(release)
    assert database.todo(release) == []


@pytest.mark.parametrize("statements", [5, 27, 45])
def test_an_upgrade_goes_on_after_its_server_went_down(
    database: Database, release: Path, own_mysql: OwnServer, statements: int
) -> None:
    database.upgrade()
    database.make_user()
    add_column(release)

    def restart() -> None:
        own_mysql.stop()
        own_mysql.start()

    with pytest.raises((LoaderError, mysql.connector.Error)):
        loader.upgrade(Failing(database.connect(), statements, restart), Release.read(release))
    database.admin.reconnect()
    database.upgrade(release)
    assert database.todo(release) == []
    assert database.execute("SELECT nickname FROM podium.users") == [("alice",)]


def test_no_call_finds_old_and_new_routines_side_by_side(database: Database, release: Path) -> None:
    database.upgrade()
    bump(release)
    for path in release.glob("procedures/*.sql"):
        path.write_text(path.read_text().replace("\nBEGIN\n", "\nBEGIN\n    -- Of 9.0.0.\n", 1))
    found = set()
    statements = 0
    # Each goes on where the one before was interrupted, a little further.
    while interrupt(database, release, statements):
        statements += 5
        bodies = database.execute(
            "SELECT routine_definition LIKE '%-- Of 9.0.0.%' FROM information_schema.routines "
            "WHERE routine_schema = 'podium'"
        )
        found.add(frozenset(new for (new,) in bodies))
    # The old ones, perhaps none, perhaps some of the new.
    assert {frozenset({0}), frozenset({1})} <= found
    assert frozenset({0, 1}) not in found


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


def test_the_script_refuses_a_database_of_another_release(
    database: Database, mysql_client: Path, release: Path
) -> None:
    database.upgrade()
    add_column(release)
    before = database.execute("SELECT * FROM podium.schema_files ORDER BY path")
    done = shell(mysql_client, f"bash {release}/load.sh")
    assert done.returncode != 0
    assert "a database of another release: flask --app gateway db upgrade" in done.stderr
    assert database.execute("SELECT * FROM podium.schema_files ORDER BY path") == before
    assert database.upgrade(release)[:1] == ["migrations/0001_nickname.sql"]


def test_accounts_that_a_restored_dump_lacks_are_made_again(database: Database) -> None:
    database.upgrade()
    whole = database.dump()
    for account in ACCOUNTS[:3]:
        database.execute(f"DROP USER {account}")
    assert database.todo() == [loader.ACCOUNTS, "grants.sql"]
    database.upgrade()
    assert database.todo() == []
    assert database.dump() == whole


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
