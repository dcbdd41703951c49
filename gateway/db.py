"""The way to the database: one function that CALLs a procedure, over a pool that waits."""

from __future__ import annotations

import logging
import random
import time
from typing import Any, cast

import _mysql_connector
import mysql.connector
from flask import current_app
from mysql.connector import errorcode
from mysql.connector._scripting import MySQLScriptSplitter
from mysql.connector.constants import ClientFlag
from mysql.connector.cursor_cext import CMySQLCursorDict
from sqlalchemy import exc, pool

from gateway.config import Config, MysqlUrl
from gateway.errors import Problem
from gateway.metrics import CallMeter, Metrics
from gateway.tracing import call_span

# mysql-connector-python 9.2 and later look for DELIMITER in the text after the parameters have been
# put into it, so that a candidate's string with that word breaks the CALL or is altered.
cast(Any, MySQLScriptSplitter).has_delimiter = staticmethod(lambda code: False)

Row = dict[str, Any]
Results = list[list[Row]]

# With the C extension an error behind the first result set escapes as its own class.
DRIVER_ERRORS = (mysql.connector.Error, _mysql_connector.MySQLInterfaceError)

# The transaction is undone and may be tried again.
COLLISIONS = {errorcode.ER_LOCK_DEADLOCK, errorcode.ER_LOCK_WAIT_TIMEOUT}
# The request never reached the server: it may be sent again whatever it says.
NOT_SENT = {
    errorcode.CR_SERVER_GONE_ERROR,
    -1,  # the driver's own: the connection was seen to be closed
}
# The connection broke in the middle: the server may have done it or not.
UNDECIDED = {
    errorcode.CR_SERVER_LOST,
    errorcode.CR_SERVER_LOST_EXTENDED,
    errorcode.ER_SERVER_SHUTDOWN,
    errorcode.ER_CLIENT_INTERACTION_TIMEOUT,
    errorcode.ER_QUERY_INTERRUPTED,  # by KILL
    errorcode.ER_UNKNOWN_ERROR,  # by KILL as well, in the middle of an UPDATE of joined tables
    errorcode.ER_BINLOG_LOGGING_IMPOSSIBLE,  # the server ends itself in the middle of a commit
}
# Nobody can be served now; later perhaps.
OUT_OF_REACH = {
    errorcode.CR_CONNECTION_ERROR,
    errorcode.CR_CONN_HOST_ERROR,
    errorcode.CR_SSL_CONNECTION_ERROR,  # it went away in the middle of the greeting
    # In a container network the name of a stopped server is unknown.
    errorcode.CR_UNKNOWN_HOST,
    errorcode.ER_CON_COUNT_ERROR,
    errorcode.ER_USER_LIMIT_REACHED,
    errorcode.ER_TOO_MANY_USER_CONNECTIONS,
    errorcode.ER_OPTION_PREVENTS_STATEMENT,  # read-only, as a replica is
    errorcode.ER_RECORD_FILE_FULL,  # no room on its disk
}
# Podium is not there, or not whole: before `db upgrade`, or in the middle of one.
NOT_SET_UP = {
    errorcode.ER_ACCESS_DENIED_ERROR,
    errorcode.ER_DBACCESS_DENIED_ERROR,
    errorcode.ER_BAD_DB_ERROR,
    errorcode.ER_SP_DOES_NOT_EXIST,
    errorcode.ER_PROCACCESS_DENIED_ERROR,
}
RETRIES = 3
# A connection that answered so recently is taken to be alive.
FRESH_SEC = 1.0

log = logging.getLogger(__name__)


class Database:
    """Connections to MySQL, and the one way to use them."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        if not mysql.connector.HAVE_CEXT:
            raise RuntimeError(
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
        self, procedure: str, *values: object, repeatable: bool = True, probe: bool = True
    ) -> Results:
        """CALL a public procedure and return its result sets, each a list of rows.

        A repeatable call may be carried out twice without harm, and so is sent again when the
        connection broke in the middle. Without probe a connection that answered a moment ago is not
        asked for a sign of life before; if the server has gone away since, nobody can tell whether
        it had the call. Raises Problem: a refusal of the catalog, or that MySQL cannot be had in
        time.
        """
        meter = self._metrics.call(procedure)
        with meter.timed(), call_span(procedure):
            return self._call(meter, procedure, values, repeatable, probe)

    def _call(
        self,
        meter: CallMeter,
        procedure: str,
        values: tuple[object, ...],
        repeatable: bool,
        probe: bool,
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
        """Ask the server for a sign of life; raises Problem where there is none."""
        self.call("list_exams", None, 1)

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
        return mysql.connector.connect(
            **self._url.arguments,
            database="podium",
            autocommit=True,
            charset="utf8mb4",
            collation="utf8mb4_0900_ai_ci",
            time_zone="+00:00",
            client_flags=[-ClientFlag.MULTI_STATEMENTS],
            use_pure=False,
            connection_timeout=self._config.database_timeout_sec,
            read_timeout=read_timeout_sec,
            write_timeout=self._config.database_timeout_sec,
            init_command="SET innodb_lock_wait_timeout = "
            f"{max(1, (read_timeout_sec - 1) // (RETRIES + 1))}",
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
        return _unavailable(
            "the connection to the database broke in the middle of the call, which may have been "
            "carried out or not; a repetition with the same submission id is safe"
        )
    if errno in COLLISIONS | NOT_SENT | OUT_OF_REACH:
        return _unavailable("the database cannot be had in time; nothing was changed")
    log.error("a CALL failed with MySQL error %s", errno, exc_info=error)
    if errno in NOT_SET_UP:
        return _unavailable("the database is not set up for this gateway, or is being upgraded")
    return Problem("internal_error", "the database refused a call of the gateway")


def _unavailable(detail: str) -> Problem:
    """Return the answer to a request that the database could not serve."""
    return Problem("database_unavailable", detail, retry_after_sec=1)
