"""Real servers for the tests: MySQL, Redis and two gateways, in a home of their own."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast
from urllib.parse import quote, urlsplit

import mysql.connector
import pytest
import redis

from gateway import loader
from gateway.config import MysqlUrl
from gateway.loader import statements
from services import start_mysql, start_redis
from services.gateway import start_gateway
from services.server import HOME, Server
from services.source import TESTS
from tests.client import Api
from tests.own_server import OwnServer
from tests.sql_harness import SQL, result_sets

pytest_plugins = ["tests.faults.plugin"]

# What of PODIUM_… is for the tests. The rest is of a Podium that serves somebody, as `make up`
# makes it, with whose database, secret and settings no test may have anything to do.
OURS = (
    "PODIUM_TEST_",
    "PODIUM_FUZZ_",
    "PODIUM_PROPERTY_EXAMPLES",
    "PODIUM_SERVICES_SOURCE",
    "PODIUM_DEBIAN_MIRROR",
    "PODIUM_CHROMIUM",
    "PODIUM_DOCKER",
    "PODIUM_COMPOSE",
    "PODIUM_IMAGE",
)
for _name in [name for name in os.environ if name.startswith("PODIUM_")]:
    if not _name.startswith(OURS):
        del os.environ[_name]

# One a run, so that two runs in one checkout do not meet.
TEST_HOME = HOME / "test" / str(os.getpid())
# Made anew: the gateway refuses a secret that stands in a file of ours.
SECRET = secrets.token_hex(32)
# Candidates who read as fast as they can, and a hundred bad tokens from one address, are tests.
UNLIMITED = {
    "PODIUM_RATE_LIMIT_CANDIDATE": "off",
    "PODIUM_RATE_LIMIT_ANONYMOUS": "off",
}
GATEWAY_USER, GATEWAY_PASSWORD = "podium_app", "the password of the tests"
ACCOUNTS = ("podium_owner@localhost", "podium_gateway", "podium_dba", f"{GATEWAY_USER}@'%'")


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Server]:
    """Start an empty MySQL, or take the one that is named for tests, and load Podium into it."""
    with start_mysql(TEST_HOME, use=TESTS) as server, ExitStack() as ending:
        connection = mysql.connector.connect(
            **MysqlUrl.parse(server.url).arguments, autocommit=True
        )
        if server.source == "url":
            if result_sets(connection, "SHOW DATABASES LIKE 'podium'") != [[]]:
                pytest.exit(
                    "PODIUM_TEST_MYSQL_URL names a server that has a database podium already, "
                    "which the tests would fill and break: name another, or drop it",
                    returncode=2,
                )
            ending.callback(drop_podium, server.url)
        loader.upgrade(connection, loader.Release.read())
        loader.grant_gateway(connection, GATEWAY_USER, GATEWAY_PASSWORD)
        connection.close()
        yield server
    shutil.rmtree(TEST_HOME)


@pytest.fixture(scope="session")
def mysql_url(mysql_server: Server) -> str:
    """Return the URL of the administrative account; the schema is loaded."""
    return mysql_server.url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """Start Redis, or take the one that is named for tests."""
    with start_redis(TEST_HOME, use=TESTS) as server, ExitStack() as ending:
        if server.source == "url":
            store = ending.enter_context(redis.Redis.from_url(server.url))
            if cast(int, store.dbsize()) > 0:
                pytest.exit(
                    "PODIUM_TEST_REDIS_URL names a database that has keys already, which the "
                    "tests would mix with theirs: name an empty one",
                    returncode=2,
                )
            ending.callback(store.flushdb)
        yield server


@pytest.fixture
def connect(mysql_url: str) -> Iterator[Callable[..., Any]]:
    """Return a function that opens connections, in autocommit, which end with the test.

    Without a user it is the administrative account.
    """
    opened: list[Any] = []

    def open_connection(
        user: str | None = None, password: str | None = None, database: str | None = "podium"
    ) -> Any:
        arguments = MysqlUrl.parse(mysql_url).arguments
        if user is not None:
            arguments |= {"user": user, "password": password or ""}
        connection = mysql.connector.connect(**arguments, database=database, autocommit=True)
        opened.append(connection)
        return connection

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def admin(connect: Callable[..., Any]) -> Any:
    """Return a connection of the administrative account."""
    return connect()


@pytest.fixture(scope="session")
def gateway_mysql_url(mysql_url: str) -> str:
    """Return the URL of the gateway's own account."""
    return with_account(mysql_url, GATEWAY_USER, GATEWAY_PASSWORD)


@pytest.fixture(scope="session")
def gateways(gateway_mysql_url: str, redis_server: Server) -> Iterator[list[Api]]:
    """Start two gateway processes that share MySQL and Redis."""
    servers = [
        start_gateway(
            TEST_HOME,
            mysql_url=gateway_mysql_url,
            redis_url=redis_server.url,
            secret=SECRET,
            name=name,
            env=UNLIMITED,
        )
        for name in ("gateway-a", "gateway-b")
    ]
    yield [Api(server.url, SECRET) for server in servers]
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def api(gateways: list[Api]) -> Api:
    """Return a client of the first gateway, with an administrator's token."""
    return gateways[0]


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """Start a Redis that nobody else's tests depend on."""
    server = OwnServer(start_redis, tmp_path_factory.mktemp("redis"), "redis", "redis")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def own_mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """Start an empty MySQL that nobody else's tests depend on."""
    server = OwnServer(start_mysql, tmp_path_factory.mktemp("mysql"), "mysqld", "mysql")
    yield server
    server.stop()


@pytest.fixture
def query(admin: Any) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that executes a statement as MySQL's root and returns its rows."""

    def execute(statement: str, *values: object) -> list[dict[str, Any]]:
        with admin.cursor(dictionary=True) as cursor:
            cursor.execute(statement, values)
            rows: list[dict[str, Any]] = cursor.fetchall() if cursor.description else []
            while cursor.nextset():
                pass
            return rows

    return execute


@pytest.fixture
def unguarded(admin: Any) -> Iterator[Any]:
    """Return an administrative connection to a history whose triggers root has dropped."""
    triggers = sorted((SQL / "triggers").glob("*.sql"))
    for file in triggers:
        result_sets(admin, f"DROP TRIGGER podium.{file.stem}")
    yield admin
    for statement in (part for file in triggers for part in statements(file.read_text())):
        result_sets(admin, statement)


@pytest.fixture
def row_counts(query: Callable[..., list[dict[str, Any]]]) -> Callable[[], dict[str, int]]:
    """Return a function that counts the rows of every table."""
    tables = [
        row["name"]
        for row in query(
            "SELECT table_name AS name FROM information_schema.tables "
            "WHERE table_schema = 'podium' AND table_type = 'BASE TABLE'"
        )
    ]
    statement = " UNION ALL ".join(
        f"SELECT '{table}' AS name, COUNT(*) AS n FROM podium.`{table}`" for table in tables
    )
    return lambda: {row["name"]: row["n"] for row in query(statement)}


@pytest.fixture(scope="module")
def start_api(gateway_mysql_url: str, redis_server: Server) -> Iterator[Callable[..., Api]]:
    """Return a function that starts a gateway with settings of its own, which ends with the module.

    Takes the gateway's name, where its servers are if not the usual place, and its environment,
    which has no rate limits unless it says so.
    """
    with ExitStack() as started:

        def start(
            name: str,
            mysql_url: str = gateway_mysql_url,
            redis_url: str = redis_server.url,
            **env: str,
        ) -> Api:
            server = start_gateway(
                TEST_HOME,
                mysql_url=mysql_url,
                redis_url=redis_url,
                secret=SECRET,
                name=name,
                env=UNLIMITED | env,
            )
            return Api(started.enter_context(server).url, SECRET)

        yield start


def drop_podium(url: str) -> None:
    """Take Podium away from a server that is not the tests' own, with all its accounts."""
    connection = mysql.connector.connect(**MysqlUrl.parse(url).arguments, autocommit=True)
    result_sets(connection, "DROP DATABASE IF EXISTS podium")
    for account in ACCOUNTS:
        result_sets(connection, f"DROP USER IF EXISTS {account}")
    connection.close()


def with_account(url: str, user: str, password: str) -> str:
    """Return a MySQL URL with another account in it."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(
        netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"
    ).geturl()
