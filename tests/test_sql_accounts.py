"""Every account against every table and every routine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mysql.connector
import pytest

from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER
from tests.sql_harness import errno_of, result_sets, rows
from tests.test_sql import PUBLIC

# Denied: a table, a routine, a database, something of the server.
TABLE, ROUTINE, DATABASE, SERVER = 1142, 1370, 1044, 1227
ACCOUNTS = ("gateway", "dba", "stranger")
PASSWORD = "of an account that lives as long as a test"

SHOW_VIEW = "SHOW CREATE VIEW podium.leaderboard"

READS = ["SELECT 1 FROM podium.{table}", "TABLE podium.{table}", "SHOW COLUMNS FROM podium.{table}"]
WRITES = [
    "INSERT INTO podium.{table} ({column}) VALUES (NULL)",
    "REPLACE INTO podium.{table} ({column}) VALUES (NULL)",
    "UPDATE podium.{table} SET {column} = NULL",
    "DELETE FROM podium.{table}",
    "TRUNCATE TABLE podium.{table}",
    "ALTER TABLE podium.{table} COMMENT = ''",
    "CREATE INDEX ix_x ON podium.{table} ({column})",
    "RENAME TABLE podium.{table} TO podium.x",
    "DROP TABLE podium.{table}",
]
# What would lead around all of the above, and the errors it is refused with.
ELSEWHERE = {
    "CREATE TABLE podium.x (x INT)": {TABLE},
    "CREATE VIEW podium.x AS SELECT 1": {TABLE},
    "CREATE PROCEDURE podium.x() SELECT 1": {DATABASE},
    "CREATE FUNCTION podium.x() RETURNS INT DETERMINISTIC RETURN 1": {DATABASE},
    "CREATE EVENT podium.x ON SCHEDULE EVERY 1 DAY DO SELECT 1": {DATABASE},
    "DROP PROCEDURE podium.submit_score": {ROUTINE},
    "ALTER PROCEDURE podium.submit_score SQL SECURITY INVOKER": {ROUTINE},
    # 1419: where there is a binary log the server asks for SUPER before it looks at the table.
    "CREATE TRIGGER podium.x BEFORE INSERT ON podium.users FOR EACH ROW SET @x = 1": {TABLE, 1419},
    "DROP TRIGGER podium.score_audit_log_no_update": {TABLE, 1360},
    "DROP DATABASE podium": {DATABASE},
    "SELECT * FROM mysql.user": {TABLE},
    "UPDATE mysql.user SET account_locked = 'N'": {TABLE},
    "ALTER USER podium_owner@localhost ACCOUNT UNLOCK": {SERVER},
    "CREATE USER x": {SERVER},
    "GRANT SELECT ON podium.* TO CURRENT_USER": {DATABASE, SERVER, 1064, 1410},
    "GRANT podium_owner@localhost TO podium_gateway": {SERVER},
    "SET ROLE podium_owner@localhost": {3530},
    "SET GLOBAL log_bin_trust_function_creators = 1": {SERVER},
    "SET SESSION sql_log_bin = 0": {SERVER},
    "SELECT 1 INTO OUTFILE '/tmp/x'": {SERVER, 1045, 1290},
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE podium.users": {1045, TABLE, 1290},
    "FLUSH TABLES WITH READ LOCK": {SERVER},
    "SHUTDOWN": {SERVER},
}


@pytest.fixture(params=ACCOUNTS)
def account(
    request: pytest.FixtureRequest, admin: Any, connect: Callable[..., Any]
) -> Iterator[tuple[str, Any]]:
    """Log in: the gateway as it does, a DBA, and somebody whom the server knows and we do not."""
    name = str(request.param)
    if name == "gateway":
        yield name, connect(GATEWAY_USER, GATEWAY_PASSWORD, None)
        return
    role = "DEFAULT ROLE podium_dba" if name == "dba" else ""
    result_sets(admin, f"CREATE USER {name}_of_the_tests IDENTIFIED BY '{PASSWORD}' {role}")
    try:
        yield name, connect(f"{name}_of_the_tests", PASSWORD, None)
    finally:
        result_sets(admin, f"DROP USER {name}_of_the_tests")


def tables(admin: Any) -> list[dict[str, Any]]:
    """Return each table and view with a column that can be written."""
    return rows(
        admin,
        "SELECT table_name AS name, MIN(column_name) AS col FROM information_schema.columns"
        " WHERE table_schema = 'podium' AND extra NOT LIKE '%GENERATED%' GROUP BY table_name",
    )


def errnos(admin: Any, connection: Any, statements: list[str]) -> dict[str, int | None]:
    """Return with which error each statement fails on each table."""
    written = [
        statement.format(table=table["name"], column=f"`{table['col']}`")
        for table in tables(admin)
        for statement in statements
    ]
    assert len(written) >= 10 * len(statements)
    return {statement: errno_of(connection, statement) for statement in written}


def test_tables_are_read_by_the_dba_alone(admin: Any, account: tuple[str, Any]) -> None:
    name, connection = account
    expected = {None} if name == "dba" else {TABLE}
    assert set(errnos(admin, connection, READS).values()) == expected


def test_tables_are_written_by_nobody(
    admin: Any, account: tuple[str, Any], row_counts: Callable[[], dict[str, int]]
) -> None:
    before = row_counts()
    found = errnos(admin, account[1], WRITES)
    assert {statement: errno for statement, errno in found.items() if errno != TABLE} == {}
    assert row_counts() == before


def test_routines_are_executed_by_those_who_may(admin: Any, account: tuple[str, Any]) -> None:
    name, connection = account
    routines = rows(
        admin,
        "SELECT r.routine_name AS name, r.routine_type AS kind,"
        " COUNT(p.parameter_name) AS parameters FROM information_schema.routines AS r"
        " LEFT JOIN information_schema.parameters AS p ON p.specific_schema = r.routine_schema"
        " AND p.specific_name = r.routine_name AND p.ordinal_position > 0"
        " WHERE r.routine_schema = 'podium' GROUP BY 1, 2",
    )
    assert len(routines) > len(PUBLIC)
    executed = set()
    for row in routines:
        # NULL everywhere is refused by the procedure itself, or lists what there is.
        verb = "CALL" if row["kind"] == "PROCEDURE" else "DO"
        nothing = ", ".join(["@nothing"] * row["parameters"])
        if errno_of(connection, f"{verb} podium.{row['name']}({nothing})") != ROUTINE:
            executed.add(row["name"])
    public = {row["name"] for row in routines if not row["name"].startswith("_")}
    assert public == set(PUBLIC)
    assert executed == (set() if name == "stranger" else public)


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_there_is_no_way_around(account: tuple[str, Any], statement: str) -> None:
    assert errno_of(account[1], statement) in ELSEWHERE[statement]


def test_a_stranger_does_not_even_see_the_schema(account: tuple[str, Any]) -> None:
    name, connection = account
    seen = {row["Database"] for row in rows(connection, "SHOW DATABASES")}
    assert ("podium" in seen) == (name != "stranger")
    # Nor what a procedure says, which DBAs may read.
    found = rows(
        connection,
        "SELECT routine_name FROM information_schema.routines"
        " WHERE routine_schema = 'podium' AND routine_definition IS NOT NULL",
    )
    assert bool(found) == (name == "dba")


def test_a_dba_sees_what_there_is_to_call_and_how_a_query_is_executed(
    account: tuple[str, Any],
) -> None:
    name, connection = account
    shown = rows(connection, "SHOW PROCEDURE STATUS WHERE Db = 'podium'")
    explain = "EXPLAIN SELECT * FROM podium.leaderboard WHERE exam_id = 1"
    if name != "dba":
        # Who is granted EXECUTE by a role is not shown what that is of.
        assert {row["Name"] for row in shown} == set()
        assert errno_of(connection, explain) == TABLE
        return
    assert {row["Name"] for row in shown} >= set(PUBLIC)
    assert all(row["Comment"] for row in shown)
    [created] = rows(connection, "SHOW CREATE PROCEDURE podium.get_exam")
    assert "-- Purpose:" in created["Create Procedure"]
    for statement in (explain, "EXPLAIN ANALYZE SELECT * FROM podium.leaderboard", SHOW_VIEW):
        assert rows(connection, statement)


def test_who_holds_locks_is_told_without_everybodys_statements(account: tuple[str, Any]) -> None:
    name, connection = account
    told = errno_of(connection, "CALL podium.get_lock_holders(NULL)")
    assert told == (ROUTINE if name == "stranger" else None)
    for table in ("sys.innodb_lock_waits", "performance_schema.data_locks"):
        assert errno_of(connection, f"SELECT * FROM {table}") == TABLE
    for statement in ("SHOW ENGINE INNODB STATUS", "SELECT * FROM information_schema.innodb_trx"):
        assert errno_of(connection, statement) == SERVER
    others = rows(connection, "SHOW PROCESSLIST")
    assert {row["User"] for row in others} == {connection.user}


@pytest.mark.parametrize("password", ["", "podium_owner", GATEWAY_PASSWORD])
def test_nobody_logs_in_as_the_owner(connect: Callable[..., Any], password: str) -> None:
    with pytest.raises(mysql.connector.Error) as refusal:
        connect("podium_owner", password, None)
    assert refusal.value.errno in (1045, 3118)


@pytest.mark.parametrize("role", ["podium_gateway", "podium_dba"])
def test_nobody_logs_in_as_a_role(connect: Callable[..., Any], role: str) -> None:
    with pytest.raises(mysql.connector.Error) as refusal:
        connect(role, "", None)
    assert refusal.value.errno in (1045, 3118)
