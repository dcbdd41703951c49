"""A database from outside: what an administrator does to it, with the programs he has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway import loader
from gateway.config import MysqlUrl
from gateway.loader import LoaderError, Release
from services import debian
from services.server import ROOT
from tests.conftest import ACCOUNTS

SQL = ROOT / "sql"
PROGRAMS = ("mysql", "mysqldump", "mysqlbinlog")


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
        found["levels"] = self.execute("SELECT * FROM podium.leaderboard_levels ORDER BY level")
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


class Interrupted(Exception):
    """Stand for the end of the process."""


class Failing:
    """A connection that something happens to before its n-th statement; its end, if not told."""

    def __init__(
        self, connection: Any, statements: int, happen: Callable[[], None] | None = None
    ) -> None:
        self._connection, self._left, self._happen = connection, statements, happen

    def cursor(self) -> Any:
        """Return a cursor, as long as there is a connection."""
        if self._left == 0:
            if self._happen is None:
                self._connection.close()
                raise Interrupted
            self._happen()
        self._left -= 1
        return self._connection.cursor()


def interrupt(database: Database, root: Path, statements: int) -> bool:
    """Begin an upgrade that ends before its n-th statement; tell whether it came to that."""
    try:
        loader.upgrade(Failing(database.connect(), statements), Release.read(root))
    except (Interrupted, LoaderError, mysql.connector.Error):
        return True
    return False


def clients(folder: Path, url: str) -> Path:
    """Fill a folder with the clients of MySQL, set up for one server as ~/.my.cnf does."""
    place = MysqlUrl.parse(url)
    settings: dict[str, object] = {"user": place.user, "password": place.password}
    settings |= (
        {"socket": place.unix_socket}
        if place.unix_socket
        else {"protocol": "tcp", "host": place.host, "port": place.port}
    )
    lines = [f'{name}="{value}"' for name, value in settings.items()]
    (folder / "my.cnf").write_text("\n".join(["[client]", *lines, ""]))
    for name in PROGRAMS:
        if (debian.FOLDER / "root").is_dir():
            program = debian.unpack().command(f"usr/bin/{name}")
        elif found := shutil.which(name):
            program = [found]
        else:
            # MySQL in a container or on another machine may come without its client programs.
            pytest.skip(f"there is no {name} on this machine, and none was unpacked")  # see above
        words = " ".join(f"'{word}'" for word in [*program, f"--defaults-file={folder}/my.cnf"])
        (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


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
