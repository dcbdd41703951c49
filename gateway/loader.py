"""The schema loader: brings a database to the release of the files in sql/."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mysql.connector
from mysql.connector import errorcode

# A wheel carries the files within the package; in the repository they lie beside it.
PACKAGE = Path(__file__).resolve().parent
SQL = next(filter(Path.is_dir, (PACKAGE / "sql", PACKAGE.parent / "sql")))
LOCK_TIMEOUT_SEC = 120
# A table that somebody's open transaction holds. Every submission queues behind whoever waits for
# it, so that the upgrade gives up and not they.
TABLE_TIMEOUT_SEC = 10
# Dropping a routine drops the grants on it, so that these follow every change of one.
GRANTS = "grants.sql"
ACCOUNTS = "schema/001_accounts.sql"
# Marks a migration in the ledger from before its first statement until it is entered as applied.
BEGUN = " (begun)"
# What commits by itself. Source: the manual, "Statements That Cause an Implicit Commit".
DDL = re.compile(r"(ALTER|CREATE|DROP|RENAME|TRUNCATE|GRANT|REVOKE|ANALYZE|OPTIMIZE)\b", re.I)

# What keeps a password from being set, by errno.
PASSWORD_POLICIES = {
    errorcode.ER_NOT_VALID_PASSWORD: "validate_password",
    errorcode.ER_CREDENTIALS_CONTRADICT_TO_HISTORY: "password_history or password_reuse_interval",
}
# Of these the password was right.
REFUSED_WITH_PASSWORD = {
    errorcode.ER_ACCOUNT_HAS_BEEN_LOCKED,
    errorcode.ER_SERVER_OFFLINE_MODE,
    errorcode.ER_USER_LIMIT_REACHED,
    errorcode.ER_TOO_MANY_USER_CONNECTIONS,
}

# Checksum and release of each applied file, by path.
Ledger = dict[str, tuple[str, str]]


class LoaderError(Exception):
    """Say what keeps the database from being brought up to date, and what to do."""


@dataclass(frozen=True)
class SqlFile:
    """One file of sql/, by its path below it."""

    path: str
    text: str

    @cached_property
    def checksum(self) -> str:
        """Return the SHA-256 of the file in hex, as sha256sum prints it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def repeatable(self) -> bool:
        """Tell whether the file may be applied again whenever it changes: all but tables."""
        return not self.path.startswith(("schema/", "migrations/")) or (
            "CREATE OR REPLACE" in self.text
        )


@dataclass(frozen=True)
class Release:
    """The files of one release, in the order in which they are loaded."""

    number: str
    schema: list[SqlFile]
    migrations: list[SqlFile]
    replaceable: list[SqlFile]

    @classmethod
    def read(cls, root: Path = SQL) -> Release:
        """Read the release below a folder laid out like sql/."""

        def files(pattern: str) -> list[SqlFile]:
            return [
                SqlFile(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
                for path in sorted(root.glob(pattern))
            ]

        tables = files("schema/*.sql")
        return cls(
            number=(root / "RELEASE").read_text().strip(),
            schema=[file for file in tables if not file.repeatable],
            migrations=files("migrations/*.sql"),
            replaceable=[
                *(file for file in tables if file.repeatable),
                *files("seed/*.sql"),
                *files("procedures/*.sql"),
                *files("triggers/*.sql"),
                *files(GRANTS),
            ],
        )

    @property
    def files(self) -> list[SqlFile]:
        """Return all files in load order."""
        return [*self.schema, *self.migrations, *self.replaceable]


@dataclass(frozen=True)
class Plan:
    """What brings a database to a release, in the order in which it happens."""

    database_release: str | None
    # Entered in the ledger without being run: schema/ of a new database holds them already.
    adopted: list[SqlFile]
    tables: list[SqlFile]
    migrations: list[SqlFile]
    dropped: list[str]
    # Of the replaced, the routines that the database has in another form.
    outdated: list[str]
    replaced: list[SqlFile]

    @property
    def paths(self) -> list[str]:
        """Return what is applied or dropped, by path."""
        run = [*self.tables, *self.migrations, *self.replaced]
        return [*(file.path for file in run), *(f"{path} (dropped)" for path in self.dropped)]


def statements(text: str) -> Iterator[str]:
    """Split a file as the mysql client does: a DELIMITER line switches, a line's end ends.

    Bodies and comments pass unchanged. Source: the client's manual, DELIMITER.
    """
    delimiter, lines = ";", list[str]()
    for line in text.splitlines():
        if match := re.fullmatch(r"DELIMITER\s+(\S+)\s*", line, re.IGNORECASE):
            delimiter = match[1]
            continue
        lines.append(line)
        if line.rstrip().endswith(delimiter):
            statement = "\n".join(lines).rstrip().removesuffix(delimiter)
            lines.clear()
            if statement.strip():
                yield statement.strip("\n")
    if any(line.strip() and not line.lstrip().startswith("--") for line in lines):
        raise LoaderError(f"a statement is not ended by {delimiter}: {lines[0][:60]} ...")


def plan(connection: Any, release: Release) -> Plan:
    """Compare a database with a release; nothing is changed.

    Takes a connection of an administrative account, in autocommit.
    """
    ledger = _ledger(connection)
    newest = max((number for _, number in ledger.values()), key=_order, default=None)
    if newest is not None and _order(newest) > _order(release.number):
        raise LoaderError(
            f"the database is of release {newest}, newer than this one, {release.number}: "
            "upgrade the gateway, not the database"
        )
    fresh = not ledger
    if fresh and release.migrations and _exists(connection, "users"):
        raise LoaderError(
            "the database has tables but no ledger of where they come from, so that nobody can "
            "tell which migrations it needs; load files with sql/load.sh, which keeps the ledger"
        )
    migrations = [file for file in release.migrations if not fresh and file.path not in ledger]
    _require_unchanged(release, ledger, bool(migrations))
    _require_single(migrations)
    replaced = [file for file in release.replaceable if not _is_entered(file, ledger)]
    if any(file.path.startswith("procedures/") for file in replaced):
        replaced = [file for file in replaced if file.path != GRANTS] + [
            file for file in release.replaceable if file.path == GRANTS
        ]
    known = {file.path for file in release.files}
    return Plan(
        database_release=newest,
        adopted=release.migrations if fresh else [],
        tables=[file for file in release.schema if file.path not in ledger],
        migrations=migrations,
        dropped=[
            path
            for path in sorted(ledger)
            if path not in known and path.startswith(("procedures/", "triggers/"))
        ],
        outdated=[
            file.path
            for file in replaced
            if file.path in ledger and file.path.startswith("procedures/")
        ],
        replaced=replaced,
    )


def upgrade(connection: Any, release: Release) -> list[str]:
    """Bring a database to a release and return the paths of the files that were applied.

    Safe to run twice and by two at once: the second waits and finds nothing to do. A file is in the
    ledger only when it is applied whole, so that an interrupted upgrade goes on where it stopped.
    """
    if not _scalar(connection, "SELECT GET_LOCK('podium_upgrade', %s)", LOCK_TIMEOUT_SEC):
        raise LoaderError(f"another upgrade has been running for {LOCK_TIMEOUT_SEC} s")
    try:
        _execute(connection, "SET SESSION lock_wait_timeout = %s", TABLE_TIMEOUT_SEC)
        todo = plan(connection, release)
        # Before new tables join them: whether a migration that was interrupted was carried out.
        tables = _fingerprint(connection) if _exists(connection, "schema_files") else None
        waiting = list(todo.adopted)
        if tables is not None:
            _execute(connection, "USE podium")
        for file in todo.tables:
            _run(connection, file)
            waiting.append(file)
            # The first files make the ledger that they are then entered in.
            if _exists(connection, "schema_files"):
                # Parameters of routines have the character set and the collation of the session's
                # database, and the server's where there is none.
                _execute(connection, "USE podium")
                _enter(connection, release, waiting)
                waiting.clear()
        for file in todo.migrations:
            # The tables are what their files say once the last migration is through. Together: an
            # upgrade that stopped between would find files that no migration is left for.
            last = file is todo.migrations[-1]
            _migrate(connection, release, file, release.schema if last else [], tables)
        if any(file.path == GRANTS for file in todo.replaced):
            # Forgotten first: should this stop half-way, the next one gives the grants again.
            _forget(connection, GRANTS)
        for path in todo.dropped:
            _drop(connection, path)
        for path in todo.outdated:
            # All are gone before the first is made: no call runs half the old and half the new.
            # One that falls between finds a routine missing, and is undone.
            _drop(connection, path)
        for file in todo.replaced:
            _run(connection, file)
            _enter(connection, release, [file])
        return todo.paths
    finally:
        _scalar(connection, "SELECT RELEASE_LOCK('podium_upgrade')")


def grant_gateway(connection: Any, user: str, password: str) -> None:
    """Create or renew the gateway's login: EXECUTE on the public procedures and nothing else."""
    administrator = str(_scalar(connection, "SELECT CURRENT_USER()")).rpartition("@")[0]
    if user == administrator:
        raise LoaderError(
            f"the gateway's account must not be the administrative one, {user}: "
            "give PODIUM_GATEWAY_MYSQL_URL a user of its own"
        )
    exists = _scalar(
        connection, "SELECT COUNT(*) FROM mysql.user WHERE user = %s AND host = '%'", user
    )
    if not exists:
        _set_password(connection, "CREATE", user, password)
    # Before the password of one that exists, which a policy may refuse.
    _execute(connection, "GRANT podium_gateway TO %s@'%'", user)
    role = "NONE" if has_ansi_quotes(connection) else "podium_gateway"
    _execute(connection, f"SET DEFAULT ROLE {role} TO %s@'%'", user)
    if exists and not _lets_in(connection, user, password):
        _set_password(connection, "ALTER", user, password)


def has_ansi_quotes(connection: Any) -> bool:
    """Tell whether the server-wide sql_mode has ANSI_QUOTES.

    Whoever then logs in with a default role, first after a change of privileges or a start of the
    server, finds that role empty, and so does everybody after them. Gateways set their own sql_mode
    before they take their role. Seen on MySQL 9.7.4.
    """
    return bool(_scalar(connection, "SELECT FIND_IN_SET('ANSI_QUOTES', @@GLOBAL.sql_mode)"))


def _set_password(connection: Any, verb: str, user: str, password: str) -> None:
    """Create or alter the gateway's login; what the server has against a password is told."""
    try:
        _execute(connection, f"{verb} USER %s@'%' IDENTIFIED BY %s", user, password)
    except mysql.connector.Error as error:
        if error.errno not in PASSWORD_POLICIES:
            raise
        raise LoaderError(
            f"MySQL refuses the password that PODIUM_GATEWAY_MYSQL_URL has for {user}, by "
            f"{PASSWORD_POLICIES[error.errno]}: choose another one ({error.msg})"
        ) from error


def _lets_in(connection: Any, user: str, password: str) -> bool:
    """Tell whether an account has this password already.

    A password that is set again counts as used, though nothing has changed, and drops the old one
    that is retained beside it.
    """
    place = (
        {"unix_socket": connection.unix_socket}
        if connection.unix_socket
        else {"host": connection.server_host, "port": connection.server_port}
    )
    try:
        mysql.connector.connect(user=user, password=password, use_pure=False, **place).close()
    except mysql.connector.Error as error:
        return error.errno in REFUSED_WITH_PASSWORD
    return True


def _require_single(migrations: Sequence[SqlFile]) -> None:
    """Refuse migrations that could stop half-way: one DDL statement, or changes of data alone."""
    for file in migrations:
        if len(_heads(file)) > 1 and _is_ddl(file):
            raise LoaderError(
                f"{file.path} holds a DDL statement and others: give each DDL statement a "
                "migration of its own, so that an interrupted upgrade can go on after it"
            )


def _heads(file: SqlFile) -> list[str]:
    """Return the statements of a file without the comments above them, and without SET."""
    heads = [re.sub(r"^\s*(--.*\n\s*)*", "", text) for text in statements(file.text)]
    return [head for head in heads if not re.match(r"SET\b", head, re.I)]


def _is_ddl(file: SqlFile) -> bool:
    """Tell whether a migration commits by itself."""
    return any(DDL.match(head) for head in _heads(file))


def _require_unchanged(release: Release, ledger: Ledger, migrating: bool) -> None:
    """Refuse files whose change would never reach a database that was built from them."""
    for file in release.migrations:
        if file.path in ledger and not _is_entered(file, ledger):
            raise LoaderError(
                f"{file.path} was changed after it was applied: restore it and write a new "
                "migration instead"
            )
    for file in release.schema:
        if file.path in ledger and not _is_entered(file, ledger) and not migrating:
            raise LoaderError(
                f"{file.path} is not what this database was built from, and no migration leads "
                "from the one to the other: write it, or reset a database that may be lost"
            )


def _migrate(
    connection: Any,
    release: Release,
    file: SqlFile,
    entered_with: Sequence[SqlFile],
    found: str | None,
) -> None:
    """Carry out a migration exactly once, wherever an earlier upgrade was interrupted.

    Changes of data commit together with their row in the ledger. A DDL statement commits by itself,
    whole or not at all, and the tables tell which: they are what they were before it, or not.
    """
    mark = file.path + BEGUN
    before = _execute(connection, "SELECT checksum FROM podium.schema_files WHERE path = %s", mark)
    carried_out = _is_ddl(file) and bool(before) and before[0][0] != found
    if not carried_out:
        _write(connection, (mark, _fingerprint(connection), release.number))
    _execute(connection, "START TRANSACTION")
    try:
        if not carried_out:
            try:
                _run(connection, file)
            except LoaderError:
                # Refused as a whole, so that nothing was begun. Who lost the connection, and cannot
                # know, does not come past the next line.
                _execute(connection, "ROLLBACK")
                _forget(connection, mark)
                raise
        _enter(connection, release, [file, *entered_with])
        _forget(connection, mark)
        _execute(connection, "COMMIT")
    except LoaderError:
        _execute(connection, "ROLLBACK")
        raise


def _fingerprint(connection: Any) -> str:
    """Return a SHA-256 over the definitions of all tables."""
    digest = hashlib.sha256()
    for (table,) in _execute(
        connection,
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = 'podium' AND table_type = 'BASE TABLE' ORDER BY table_name",
    ):
        [(_, definition)] = _execute(connection, f"SHOW CREATE TABLE podium.`{table}`")
        digest.update(re.sub(r" AUTO_INCREMENT=\d+", "", definition).encode())
    return digest.hexdigest()


def _run(connection: Any, file: SqlFile) -> None:
    """Carry out the statements of a file."""
    for statement in statements(file.text):
        try:
            _execute(connection, statement)
        except Exception as error:
            raise LoaderError(f"{file.path}: {error}\n  in: {statement.strip()[:200]}") from error


def _enter(connection: Any, release: Release, files: Sequence[SqlFile]) -> None:
    """Enter files in the ledger in their present form, all or none."""
    _write(connection, *((file.path, file.checksum, release.number) for file in files))


def _write(connection: Any, *entries: tuple[str, str, str]) -> None:
    """Write entries of the ledger: path, checksum, release."""
    rows = ", ".join(["(%s, %s, %s, UTC_TIMESTAMP(6))"] * len(entries))
    _execute(
        connection,
        f"REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at) VALUES {rows}",
        *(value for entry in entries for value in entry),
    )


def _is_entered(file: SqlFile, ledger: Ledger) -> bool:
    """Tell whether the ledger holds the file in its present form."""
    return file.path in ledger and ledger[file.path][0] == file.checksum


def _drop(connection: Any, path: str) -> None:
    """Drop the routine or trigger whose file the release no longer has."""
    for kind in ("TRIGGER",) if path.startswith("triggers/") else ("PROCEDURE", "FUNCTION"):
        _execute(connection, f"DROP {kind} IF EXISTS podium.`{Path(path).stem}`")
    _forget(connection, path)


def _forget(connection: Any, path: str) -> None:
    """Take a file out of the ledger."""
    _execute(connection, "DELETE FROM podium.schema_files WHERE path = %s", path)


def _ledger(connection: Any) -> Ledger:
    """Read the ledger; empty where there is no database."""
    if not _exists(connection, "schema_files"):
        return {}
    rows = _execute(connection, "SELECT path, checksum, release_no FROM podium.schema_files")
    ledger = {str(path): (str(checksum), str(number)) for path, checksum, number in rows}
    if not _has_accounts(connection):
        # They lie outside the database: a dump that is restored has the ledger and not them.
        for path in (ACCOUNTS, GRANTS):
            ledger.pop(path, None)
    return ledger


def _has_accounts(connection: Any) -> bool:
    """Tell whether the owner and the roles exist, and the gateway's may execute something.

    A database that was dropped and restored on the same server leaves the roles without that.
    """
    return bool(
        _scalar(
            connection,
            "SELECT COUNT(*) = 3 AND EXISTS (SELECT 1 FROM mysql.procs_priv "
            "WHERE db = 'podium' AND user = 'podium_gateway') FROM mysql.user "
            "WHERE (user, host) IN (('podium_owner', 'localhost'), ('podium_gateway', '%'), "
            "('podium_dba', '%'))",
        )
    )


def _exists(connection: Any, table: str) -> bool:
    """Tell whether a table of the database podium exists."""
    return bool(
        _scalar(
            connection,
            "SELECT COUNT(*) FROM information_schema.tables "
            "WHERE table_schema = 'podium' AND table_name = %s",
            table,
        )
    )


def _order(number: str) -> tuple[int, ...]:
    """Turn a release number such as 1.10.2 into what sorts like it."""
    return tuple(int(part) for part in number.split("."))


def _scalar(connection: Any, statement: str, *values: object) -> object:
    """Return the first column of the first row."""
    return _execute(connection, statement, *values)[0][0]


def _execute(connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Carry out one statement and return its rows."""
    cursor = connection.cursor()
    try:
        # Without values nothing is substituted: a % in a body stays as it is.
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []
    except mysql.connector.Error as error:
        if error.errno != errorcode.ER_LOCK_WAIT_TIMEOUT:
            raise
        raise LoaderError(
            "somebody's open transaction, or a long CALL, has been in the way for "
            f"{TABLE_TIMEOUT_SEC} s: SHOW PROCESSLIST tells whose; end it and run this again"
        ) from error
    finally:
        cursor.close()
