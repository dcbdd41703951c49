"""The tests themselves: whatever the environment names, they work on servers of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis

from services.server import ROOT
from tests.conftest import OURS
from tests.databases import Database
from tests.own_server import OwnServer

# One that asks MySQL and one that goes through a gateway and Redis.
CHOSEN = (
    "tests/test_readme.py::test_the_catalog_of_the_gateway_is_the_table_of_the_database",
    "tests/test_http_exams.py::test_only_the_title_is_needed_and_the_defaults_are_the_contracts",
    "tests/test_test_servers.py::test_no_setting_of_a_service_reaches_a_test",
)


@pytest.fixture
def live(own_mysql: OwnServer, own_redis: OwnServer) -> Iterator[dict[str, str]]:
    """Return an environment as `make up` makes it, of a Podium that serves somebody."""
    own_mysql.start()
    own_redis.start()
    database = Database(own_mysql.url)
    database.upgrade()
    account = "mysql://podium_app:of-the-service@127.0.0.1:1/podium"
    database.execute("CREATE USER podium_app IDENTIFIED BY 'of-the-service'")
    with redis.Redis.from_url(own_redis.url) as store:
        store.flushall()
        store.set("podium:kept", "1")
    yield {
        "PODIUM_MYSQL_URL": own_mysql.url,
        "PODIUM_GATEWAY_MYSQL_URL": account,
        "PODIUM_REDIS_URL": own_redis.url,
        "PODIUM_JWT_SECRET": "0123456789abcdef" * 4,
        "PODIUM_RATE_LIMIT_STAFF": "1 per hour",
        "PODIUM_URL": "http://127.0.0.1:1",
    }
    with redis.Redis.from_url(own_redis.url) as store:
        store.flushall()
    database.close()


def state(url: str) -> list[object]:
    """Return what a run of tests would have changed in a live Podium."""
    database = Database(url)
    try:
        return [
            database.execute("SELECT COUNT(*) FROM podium.exams"),
            database.execute("SELECT COUNT(*) FROM podium.users"),
            database.execute("SELECT authentication_string FROM mysql.user ORDER BY user"),
        ]
    finally:
        database.admin.close()


def pytest_run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run tests as a developer does, in a shell of this environment."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("PODIUM_T")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=inherited | env,
        capture_output=True,
        text=True,
    )


def test_tests_never_touch_the_servers_that_the_environment_names(live: dict[str, str]) -> None:
    before = state(live["PODIUM_MYSQL_URL"])
    done = pytest_run(*CHOSEN, **live)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
    assert state(live["PODIUM_MYSQL_URL"]) == before
    with redis.Redis.from_url(live["PODIUM_REDIS_URL"]) as store:
        assert store.keys() == [b"podium:kept"]


def test_a_server_named_for_tests_that_holds_a_podium_is_refused(live: dict[str, str]) -> None:
    before = state(live["PODIUM_MYSQL_URL"])
    refused = pytest_run(CHOSEN[0], PODIUM_TEST_MYSQL_URL=live["PODIUM_MYSQL_URL"])
    assert refused.returncode == 2
    assert "PODIUM_TEST_MYSQL_URL names a server that has a database podium" in refused.stdout
    assert state(live["PODIUM_MYSQL_URL"]) == before


def test_servers_named_for_tests_are_used_and_left_as_they_were(
    own_mysql: OwnServer, own_redis: OwnServer
) -> None:
    own_mysql.start()
    own_redis.start()
    named = {"PODIUM_TEST_MYSQL_URL": own_mysql.url, "PODIUM_TEST_REDIS_URL": own_redis.url}
    done = pytest_run("-s", *CHOSEN, **named)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"named by {name}" in done.stdout for name in named)
    database = Database(own_mysql.url)
    assert database.execute("SHOW DATABASES LIKE 'podium'") == []
    assert database.execute("SELECT user FROM mysql.user WHERE user LIKE 'podium%'") == []
    database.admin.close()


def test_no_setting_of_a_service_reaches_a_test() -> None:
    assert [
        name for name in os.environ if name.startswith("PODIUM_") and not name.startswith(OURS)
    ] == []
