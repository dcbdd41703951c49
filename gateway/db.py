"""The way to the database: one function that CALLs a procedure, over a pool that waits."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Any, cast

import _mysql_connector
import mysql.connector
from flask import current_app
from mysql.connector import errorcode
from mysql.connector.cursor_cext import CMySQLCursorDict
from sqlalchemy import exc, pool

from gateway.config import Config, ConfigError, MysqlUrl
from gateway.connecting import connect
from gateway.errors import Problem
from gateway.metrics import CallMeter, Metrics
from gateway.tracing import call_span

Row = dict[str, Any]
Results = list[list[Row]]

# With the C extension an error behind the first result set escapes as its own class.
DRIVER_ERRORS = (mysql.connector.Error, _mysql_connector.MySQLInterfaceError)

# The transaction is undone and may be tried again.
COLLISIONS = {
    errorcode.ER_LOCK_DEADLOCK,
    errorcode.ER_LOCK_WAIT_TIMEOUT,
    errorcode.ER_TRANSACTION_ROLLBACK_DURING_COMMIT,  # by another member of a group
    errorcode.ER_NEED_REPREPARE,  # a table was altered meanwhile
    errorcode.ER_TABLE_DEF_CHANGED,
}
# The request never reached the server: it may be sent again whatever it says.
NOT_SENT = {
    errorcode.CR_SERVER_GONE_ERROR,
    -1,  # the driver's own: the connection was seen to be closed
    # Or was refused before it began, and may not be by a connection that is opened now.
    errorcode.ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
}
# The connection broke in the middle: the server may have done it or not.
UNDECIDED = {
    errorcode.CR_SERVER_LOST,
    errorcode.CR_SERVER_LOST_EXTENDED,
    errorcode.CR_MALFORMED_PACKET,
    errorcode.ER_SERVER_SHUTDOWN,
    errorcode.ER_CLIENT_INTERACTION_TIMEOUT,
    errorcode.ER_SESSION_WAS_KILLED,
    errorcode.ER_QUERY_INTERRUPTED,  # by KILL
    errorcode.ER_UNKNOWN_ERROR,  # by KILL as well, in the middle of an UPDATE of joined tables
    errorcode.ER_BINLOG_LOGGING_IMPOSSIBLE,  # the server ends itself in the middle of a commit
    # A network between the server and us that loses what it is given.
    *(errorcode.ER_NET_READ_ERROR, errorcode.ER_NET_READ_INTERRUPTED),
    *(errorcode.ER_NET_ERROR_ON_WRITE, errorcode.ER_NET_WRITE_INTERRUPTED),
    *(errorcode.ER_ABORTING_CONNECTION, errorcode.ER_NEW_ABORTING_CONNECTION),
}
# Nobody can be served now; later perhaps, or once an administrator has done something. Source: all
# errors of MySQL 9.7 were gone through for those that speak of the state of the server or of the
# account, and not of a statement.
OUT_OF_REACH = {
    # No connection comes about.
    *(errorcode.CR_SOCKET_CREATE_ERROR, errorcode.CR_CONNECTION_ERROR),
    *(errorcode.CR_CONN_HOST_ERROR, errorcode.CR_IPSOCK_ERROR, errorcode.CR_TCP_CONNECTION),
    errorcode.CR_SSL_CONNECTION_ERROR,  # it went away in the middle of the greeting
    errorcode.CR_SERVER_HANDSHAKE_ERR,
    errorcode.ER_HANDSHAKE_ERROR,
    errorcode.ER_BAD_HOST_ERROR,
    # In a container network the name of a stopped server is unknown.
    errorcode.CR_UNKNOWN_HOST,
    errorcode.ER_SERVER_ISNT_AVAILABLE,
    # There are too many of them.
    errorcode.ER_CON_COUNT_ERROR,
    errorcode.ER_USER_LIMIT_REACHED,
    errorcode.ER_TOO_MANY_USER_CONNECTIONS,
    errorcode.ER_HOST_IS_BLOCKED,  # after too many that did not come about
    # The account may not now.
    errorcode.ER_SERVER_OFFLINE_MODE,
    errorcode.ER_ACCOUNT_HAS_BEEN_LOCKED,
    errorcode.ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK,
    *(errorcode.ER_MUST_CHANGE_PASSWORD, errorcode.ER_MUST_CHANGE_PASSWORD_LOGIN),
    errorcode.ER_SECURE_TRANSPORT_REQUIRED,
    # Nothing is written now.
    errorcode.ER_OPTION_PREVENTS_STATEMENT,  # read-only, as a replica is
    *(errorcode.ER_READ_ONLY_MODE, errorcode.ER_INNODB_READ_ONLY, errorcode.ER_OPEN_AS_READONLY),
    errorcode.ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
    errorcode.ER_SCHEMA_READ_ONLY,
    errorcode.ER_CANT_UPDATE_WITH_READLOCK,
    *(errorcode.ER_BEFORE_DML_VALIDATION_ERROR, errorcode.ER_RUN_HOOK_ERROR),  # a group without
    *(errorcode.ER_GR_HOLD_WAIT_TIMEOUT, errorcode.ER_GR_HOLD_KILLED),  # enough members, or busy
    *(errorcode.ER_GRP_TRX_CONSISTENCY_NOT_ALLOWED, errorcode.ER_GRP_TRX_CONSISTENCY_BEFORE),
    errorcode.ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN,
    errorcode.ER_GRP_TRX_CONSISTENCY_BEGIN_NOT_ALLOWED,
    # A binlog_format that does not hold what the procedures do.
    errorcode.ER_BINLOG_STMT_MODE_AND_ROW_ENGINE,
    errorcode.ER_CLIENT_GTID_UNSAFE_CREATE_DROP_TEMP_TABLE_IN_TRX_IN_SBR,
    # It has no room on its disk, or in memory, or for another transaction.
    *(errorcode.ER_RECORD_FILE_FULL, errorcode.ER_DISK_FULL_NOWAIT, errorcode.ER_ERROR_ON_WRITE),
    errorcode.ER_GET_ERRNO,  # the system's own, 28 where the disk for temporary tables is full
    *(errorcode.ER_TRANS_CACHE_FULL, errorcode.ER_STMT_CACHE_FULL),
    *(errorcode.ER_BINLOG_ROW_LOGGING_FAILED, errorcode.ER_TABLESPACE_AUTO_EXTEND_ERROR),
    *(errorcode.ER_OUTOFMEMORY, errorcode.ER_OUT_OF_SORTMEMORY, errorcode.ER_OUT_OF_RESOURCES),
    *(errorcode.ER_ENGINE_OUT_OF_MEMORY, errorcode.ER_CAPACITY_EXCEEDED),
    *(errorcode.ER_CANT_CREATE_THREAD, errorcode.ER_STACK_OVERRUN_NEED_MORE),
    *(errorcode.ER_LOCK_TABLE_FULL, errorcode.ER_CANT_LOCK),
    *(errorcode.ER_TOO_MANY_CONCURRENT_TRXS, errorcode.ER_INNODB_UNDO_LOG_FULL),
    4081,  # the limit of one connection's memory; the driver has no name for it, nor for
    4082,  # that of all connections
    errorcode.ER_QUERY_TIMEOUT,
}
# Podium is not there, or not whole, or of another release: before `db upgrade`, or in the middle of
# one; or the account is another one than it made.
NOT_SET_UP = {
    errorcode.ER_ACCESS_DENIED_ERROR,
    errorcode.ER_ACCESS_DENIED_NO_PASSWORD_ERROR,
    errorcode.ER_HOST_NOT_PRIVILEGED,
    *(errorcode.ER_PLUGIN_IS_NOT_LOADED, errorcode.ER_NOT_SUPPORTED_AUTH_MODE),
    *(errorcode.CR_AUTH_PLUGIN_CANNOT_LOAD, errorcode.CR_AUTH_PLUGIN_ERR),
    *(errorcode.ER_DBACCESS_DENIED_ERROR, errorcode.ER_DB_ACCESS_DENIED),
    errorcode.ER_BAD_DB_ERROR,
    errorcode.ER_SP_DOES_NOT_EXIST,
    errorcode.ER_SP_WRONG_NO_OF_ARGS,
    errorcode.ER_PROCACCESS_DENIED_ERROR,
    *(errorcode.ER_NO_SUCH_TABLE, errorcode.ER_TABLEACCESS_DENIED_ERROR),
    errorcode.ER_NO_SUCH_USER,  # the owner of the procedures
}
RETRIES = 3
# A connection that answered so recently is taken to be alive.
FRESH_SEC = 1.0
# As often as the log names one cause why nobody can be served.
TELL_SEC = 10.0
# Whether anything can be written, which what reads does not tell; and what takes the privileges
# from whoever has a default role, see loader.grant_gateway.
OBSTACLES = """SELECT
IF(@@GLOBAL.super_read_only OR @@GLOBAL.read_only, 'read_only',
IF(@@GLOBAL.transaction_read_only, 'transaction_read_only', NULL)) AS read_only,
FIND_IN_SET('ANSI_QUOTES', @@GLOBAL.sql_mode) AS ansi_quotes"""

log = logging.getLogger(__name__)


class Held(Problem):
    """Say that a lock was not given in time: nothing was done, and it will pass."""


class Database:
    """Connections to MySQL, and the one way to use them."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        if not mysql.connector.HAVE_CEXT:
            raise ConfigError(
                "mysql-connector-python has no C extension here: install the pinned version of "
                "requirements.txt"
            )
        self._config = config
        self._metrics = metrics
        self.capacity = config.pool_size + config.pool_overflow
        self._url = MysqlUrl.parse(config.mysql_url)
        # When a connection was last seen to break: all those opened before are suspects.
        self._broken_at = 0.0
        self._pool = pool.QueuePool(
            lambda: cast(Any, self._connect(config.database_timeout_sec)),
            pool_size=config.pool_size,
            max_overflow=config.pool_overflow,
            timeout=config.pool_timeout_sec,
            # A warm connection has its procedures parsed; so the last one used goes out first.
            use_lifo=True,
            reset_on_return=None,
        )

    def call(
        self,
        procedure: str,
        *values: object,
        repeatable: bool = True,
        probe: bool = True,
        patient: bool = True,
    ) -> Results:
        """CALL a public procedure and return its result sets, each a list of rows.

        A repeatable call may be carried out twice without harm, and so is sent again when the
        connection broke in the middle. Without probe a connection that answered a moment ago is not
        asked for a sign of life before; if the server has gone away since, nobody can tell whether
        it had the call. Where it is not patient, a lock that was not given in time ends it with
        Held: whoever calls tries again by rules of their own. Raises Problem: a refusal of the
        catalog, or that MySQL cannot be had in time.
        """
        meter = self._metrics.call(procedure)
        with meter.timed(), call_span(procedure):
            return self._call(meter, procedure, values, repeatable, probe, patient)

    def _call(
        self,
        meter: CallMeter,
        procedure: str,
        values: tuple[object, ...],
        repeatable: bool,
        probe: bool,
        patient: bool,
    ) -> Results:
        """CALL a procedure, again where that may help."""
        deadline = time.monotonic() + self._config.database_timeout_sec
        attempt, lost = 0, 0
        while True:
            try:
                return self._attempt(_statement(procedure, values), values, probe)
            except DRIVER_ERRORS as error:
                errno = cast(int, error.errno)
                _count_collision(meter, errno)
                lost = errno if errno in UNDECIDED else lost
                again = errno in COLLISIONS | NOT_SENT or (errno in UNDECIDED and repeatable)
                if errno == errorcode.ER_LOCK_WAIT_TIMEOUT and not patient:
                    again = False
                if not again or attempt == RETRIES or time.monotonic() > deadline:
                    # What an attempt before this one left open, only a refusal decides.
                    told = errno if 50000 <= errno <= 51999 else lost or errno
                    raise _translated(told, error) from error
                if errno in COLLISIONS:
                    # Spread, so that those who collided do not meet again.
                    time.sleep(random.uniform(0.001, 0.02) * 2**attempt)
                attempt += 1
                meter.retries.inc()

    def call_slowly(self, procedure: str, *values: object) -> Results:
        """CALL a procedure whose time grows with the exam, on a connection with more patience."""
        meter = self._metrics.call(procedure)
        with meter.timed(), call_span(procedure):
            try:
                connection = self._connect(self._config.maintenance_timeout_sec)
                try:
                    return fetch(connection, _statement(procedure, values), values)
                finally:
                    connection.close()
            except DRIVER_ERRORS as error:
                errno = cast(int, error.errno)
                _count_collision(meter, errno)
                raise _translated(errno, error) from error

    def ping(self) -> None:
        """Ask whether the server can read and write; raises Problem where it cannot."""
        try:
            [[row]] = self._attempt(OBSTACLES, (), True)
        except DRIVER_ERRORS as error:
            raise _translated(cast(int, error.errno), error) from error
        if row["read_only"] is not None:
            _tell(row["read_only"], f"{row['read_only']} is set")
            raise _unavailable("the database is read-only")
        try:
            self.call("list_exams", None, 1)
        except Problem:
            if row["ansi_quotes"]:
                _tell("ANSI_QUOTES", "its sql_mode has ANSI_QUOTES; run db upgrade once more")
            raise

    @property
    def checked_out(self) -> int:
        """Tell how many connections are in use."""
        return self._pool.checkedout()

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.dispose()

    def _attempt(self, statement: str, values: tuple[object, ...], probe: bool) -> Results:
        """Carry out a statement on a connection of the pool."""
        try:
            connection = self._checkout()
        except exc.TimeoutError as error:
            raise _unavailable("all connections to the database are busy") from error
        try:
            results = _read(_cursor(connection, probe), statement, values)
            connection.info["answered_at"] = time.monotonic()
        except DRIVER_ERRORS as error:
            if error.errno in NOT_SENT | UNDECIDED:
                self._broken_at = time.monotonic()
            if not 50000 <= cast(int, error.errno) <= 51999:
                connection.invalidate()
            raise
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()
        return results

    def _checkout(self) -> pool.PoolProxiedConnection:
        """Take a connection, passing over those that broke with another."""
        while True:
            connection = self._take()
            if connection.info.setdefault("opened_at", time.monotonic()) > self._broken_at:
                return connection
            connection.invalidate()
            connection.close()

    def _take(self) -> pool.PoolProxiedConnection:
        """Take a connection, counting the wait where all are busy."""
        if self._pool.checkedout() < self.capacity:
            return self._pool.connect()
        began = time.perf_counter()
        try:
            return self._pool.connect()
        finally:
            self._metrics.pool_waits.inc()
            self._metrics.pool_wait_seconds.inc(time.perf_counter() - began)

    def _connect(self, read_timeout_sec: int) -> Any:
        """Open a connection; its session is set up so that the server gives up before we do."""
        lock_wait_sec = max(1, (read_timeout_sec - 1) // (RETRIES + 1))
        return connect(
            self._url,
            settings={"innodb_lock_wait_timeout": str(lock_wait_sec)},
            connection_timeout=self._config.database_timeout_sec,
            read_timeout=read_timeout_sec,
            write_timeout=self._config.database_timeout_sec,
        )


def database() -> Database:
    """Return the application's database."""
    return cast(Database, current_app.extensions["podium.database"])


def _count_collision(meter: CallMeter, errno: int) -> None:
    """Count a call that another one stood in the way of."""
    if errno == errorcode.ER_LOCK_DEADLOCK:
        meter.deadlocks.inc()
    elif errno == errorcode.ER_LOCK_WAIT_TIMEOUT:
        meter.lock_timeouts.inc()


def fetch(connection: Any, statement: str, values: tuple[object, ...]) -> Results:
    """CALL over a connection of one's own, and read every result set."""
    return _read(connection.cursor(dictionary=True), statement, values)


def _cursor(connection: pool.PoolProxiedConnection, probe: bool) -> Any:
    """Return a cursor on a connection of the pool.

    The driver asks the server for a sign of life before it makes one, and the thread that leads a
    shared call has to wait for the interpreter once more.
    """
    fresh = time.monotonic() - connection.info.get("answered_at", float("-inf")) < FRESH_SEC
    if fresh and not probe:
        return CMySQLCursorDict(cast(Any, connection.dbapi_connection))
    return cast(Any, connection).cursor(dictionary=True)


def _read(cursor: Any, statement: str, values: tuple[object, ...]) -> Results:
    """Execute a CALL and read every result set it returns."""
    try:
        cursor.execute(statement, values)
        results: Results = []
        more = True
        while more:
            if cursor.description:
                results.append(cursor.fetchall())
            more = cursor.nextset()
    except KeyboardInterrupt:
        raise  # Unread results are left, and closing would complain of them in its place.
    except BaseException:
        cursor.close()
        raise
    cursor.close()
    return results


def _statement(procedure: str, values: tuple[object, ...]) -> str:
    """Return the CALL of a procedure; its values go in by parameters."""
    return f"CALL podium.{procedure}({', '.join(['%s'] * len(values))})"


def _translated(errno: int, error: Exception) -> Problem:
    """Turn an error of the driver or the server into what a client is told."""
    if 50000 <= errno <= 51999:
        return Problem.of_refusal(errno, str(cast(Any, error).msg))
    if errno in UNDECIDED:
        _tell_cause(errno, error)
        return _unavailable(
            "the connection to the database broke in the middle of the call, which may have been "
            "carried out or not; a repetition with the same submission id is safe"
        )
    if errno in COLLISIONS:
        return Held(
            "database_unavailable",
            "another change of the same board, or a transaction that somebody holds open, did not "
            "end in time; nothing was changed",
            retry_after_sec=1,
        )
    if errno in NOT_SENT | OUT_OF_REACH:
        if errno in OUT_OF_REACH:
            _tell_cause(errno, error)
        return _unavailable("the database cannot be had in time; nothing was changed")
    if errno in NOT_SET_UP:
        _tell_cause(errno, error)
        return _unavailable("the database is not set up for this gateway, or is being upgraded")
    log.error("a CALL failed with MySQL error %s", errno, exc_info=error)
    return Problem("internal_error", "the database refused a call of the gateway")


# When each cause was named last.
_told_at: dict[object, float] = {}
_telling = threading.Lock()


def _tell_cause(errno: int, error: Exception) -> None:
    """Name in the log the error why MySQL does not serve."""
    _tell(errno, f"{cast(Any, error).msg} ({errno})")


def _tell(cause: object, text: str) -> None:
    """Name a cause in the log, once in a while: every request meets the same."""
    with _telling:
        now = time.monotonic()
        if now - _told_at.get(cause, float("-inf")) < TELL_SEC:
            return
        _told_at[cause] = now
    log.error("MySQL does not serve: %s", text)


def _unavailable(detail: str) -> Problem:
    """Return the answer to a request that the database could not serve."""
    return Problem("database_unavailable", detail, retry_after_sec=1)
