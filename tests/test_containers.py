"""The kit for other people's suites, used on ourselves: Podium in containers, and killed there."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import mysql.connector
import pytest
import urllib3
from packaging.requirements import Requirement

from gateway.testing import Client, PodiumContainer, image
from services.server import ROOT
from tests.docker.require import require_docker
from tests.waiting import wait_until

pytest_plugins = ["gateway.testing.plugin"]
# Making the image and the first start come on top of the first test.
pytestmark = pytest.mark.timeout(300)

CLIENTS = 8
# How long after its server answers again a gateway may take to acknowledge something.
RECOVERY_SEC = 5


@pytest.fixture(scope="session")
def podium() -> Iterator[PodiumContainer]:
    """Start Podium as the kit does, on a port that stays when the gateway is killed."""
    require_docker()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with PodiumContainer().with_bind_ports(8000, port) as container:
        yield container


@pytest.fixture
def query(podium: PodiumContainer) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that executes a statement as MySQL's root and returns its rows."""

    def execute(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with podium.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            while cursor.nextset():
                pass
            return rows

    return execute


@pytest.fixture
def exam_id(podium_admin: Client) -> int:
    """Create an exam."""
    return int(podium_admin.post("/exams", {"title": "An exam"}).json["exam_id"])


@pytest.fixture
def sessions(podium_admin: Client, exam_id: int) -> list[int]:
    """Start a session of a candidate of its own for each client."""
    found = []
    for number in range(CLIENTS):
        body = {"username": f"c-{exam_id}-{number}", "full_name": "C", "role": "candidate"}
        user_id = podium_admin.post("/users", body).json["user_id"]
        started = podium_admin.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
        found.append(int(started.json["session_id"]))
    return found


def test_the_gateway_runs_as_nobody_and_can_write_nothing(podium: PodiumContainer) -> None:
    assert podium.exec(["id", "-u"]).output == b"10001\n"
    for folder in ("/podium", "/venv", "/etc"):
        assert podium.exec(["touch", f"{folder}/x"]).exit_code == 1


def test_the_gateway_knows_no_account_but_its_own(podium: PodiumContainer) -> None:
    environment = podium.exec(["env"]).output.decode()
    assert "mysql://podium_app:" in environment
    assert "root:" not in environment and "PODIUM_MYSQL_URL" not in environment


def test_the_image_has_what_a_gateway_needs_and_nothing_else(podium: PodiumContainer) -> None:
    listed = podium.exec(["sh", "-c", "ls /podium /podium/gateway /venv/bin"]).output.decode()
    names = set(listed.split())
    assert {"sql", "loader.py", "granian", "flask"} <= names
    assert not {"tests", "testing", "services", "pip", "pytest", "requirements.txt"} & names


def test_the_image_becomes_healthy(podium: PodiumContainer) -> None:
    container = podium.get_wrapped_container()

    def health() -> str:
        container.reload()
        return str(container.health)

    wait_until(lambda: health() == "healthy", timeout_sec=40)


def test_the_kit_builds_from_what_compose_builds_from() -> None:
    names = set(image.files())
    assert {"Dockerfile", "requirements.txt", "gateway/__init__.py", "sql/grants.sql"} <= names
    listed = (ROOT / ".dockerignore").read_text().split()
    left_out = ("gateway/testing", "sql/tests")
    assert set(left_out) <= set(listed)
    assert not [name for name in names if name.startswith(left_out)]


def test_the_ranges_of_the_package_admit_what_is_pinned_for_the_gateway() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = {each.name: each for each in map(Requirement, project["dependencies"])}
    first_part, _, _ = (ROOT / "requirements.txt").read_text().partition("\n\n")
    lines = [line for line in first_part.splitlines() if not line.startswith("#")]
    pins = {each.name: each for each in map(Requirement, lines)}
    assert {name: each.extras for name, each in ranges.items()} == {
        name: each.extras for name, each in pins.items()
    }
    for name, pin in pins.items():
        [version] = [part.version for part in pin.specifier]
        assert version in ranges[name].specifier, name


def test_a_token_of_another_podium_is_refused(podium: PodiumContainer) -> None:
    assert podium.client(podium.admin_token).get("/exams").status == 200
    assert podium.client(podium.admin_token[:-8] + "AAAAAAAA").get("/exams").status == 401


@pytest.mark.parametrize("victim", ["mysql", "redis", "gateway"])
def test_what_was_acknowledged_is_there_once_though_a_container_is_killed(
    podium: PodiumContainer,
    query: Callable[..., list[tuple[Any, ...]]],
    exam_id: int,
    sessions: list[int],
    victim: str,
) -> None:
    container = {"mysql": podium.mysql, "redis": podium.redis, "gateway": podium}[victim]
    load = Load(podium, sessions)
    with load.running():
        for _ in range(2):
            load.wait_for_more(40)
            container.get_wrapped_container().kill("SIGKILL")
            load.wait_for_more(40) if victim == "redis" else load.wait_for_refusals()
            container.get_wrapped_container().start()
            wait_until(lambda: answers(podium, victim), timeout_sec=60)
            load.wait_for_more(1, timeout_sec=RECOVERY_SEC)
            load.wait_for_more(40)

    rows = query(
        "SELECT submission_id, session_id FROM score_audit_log WHERE session_id IN "
        "(SELECT session_id FROM exam_sessions WHERE exam_id = %s)",
        exam_id,
    )
    assert len(load.acknowledged) >= 160
    # Each was repeated until it was acknowledged: nothing may be there that was not.
    assert Counter(rows) == Counter(load.acknowledged)
    assert query("CALL check_leaderboard(%s)", exam_id) == []
    assert query("CALL verify_audit(%s)", exam_id) == []


def answers(podium: PodiumContainer, victim: str) -> bool:
    """Tell whether a container that was started again serves."""
    if victim == "redis":
        return podium.redis.exec(["redis-cli", "ping"]).output == b"PONG\n"
    with contextlib.suppress(mysql.connector.Error, urllib3.exceptions.HTTPError):
        if victim == "gateway":
            with urllib3.PoolManager(retries=False, timeout=1) as pool:
                return pool.request("GET", f"{podium.url}/healthz").status == 200
        podium.connect().close()
        return True
    return False


class Load:
    """Clients that submit one score after the other, each until it is acknowledged."""

    def __init__(self, podium: PodiumContainer, sessions: list[int]) -> None:
        # Submission ids with their sessions, and how often somebody was not answered 200.
        self.acknowledged: list[tuple[str, int]] = []
        self.refused = 0
        self._sessions = sessions
        self._client = podium.client(podium.admin_token)
        self._over = threading.Event()
        self._workers: list[Future[None]] = []

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Submit until the end of the block; what was begun is brought to its end."""
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            self._workers = [pool.submit(self._submit, each) for each in self._sessions]
            try:
                yield
            finally:
                self._over.set()
        for worker in self._workers:
            worker.result()

    def wait_for_more(self, count: int, timeout_sec: float = 60) -> None:
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted or self._failed(), timeout_sec)

    def wait_for_refusals(self) -> None:
        """Wait until every client has met the fault."""
        wanted = self.refused + len(self._sessions)
        wait_until(lambda: self.refused >= wanted or self._failed(), timeout_sec=60)

    def _failed(self) -> bool:
        """Raise what ended a client before its time, if one has ended."""
        for worker in self._workers:
            if worker.done():
                worker.result()
        return False

    def _submit(self, session_id: int) -> None:
        for number in itertools.count():
            key = f"{session_id}-{number}"
            body = {
                "session_id": session_id,
                "module_type": "coding",
                "raw_score": number % 101,
                "max_score": 100,
                "time_spent_sec": number,
            }
            while not self._is_acknowledged(body, key):
                time.sleep(0.05)  # As a client does: the fault is not over at once.
            self.acknowledged.append((key, session_id))
            if self._over.is_set():
                return

    def _is_acknowledged(self, body: dict[str, Any], key: str) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            answer = self._client.post("/scores", body, key=key)
            if answer.status == 200:
                return True
            assert answer.status == 503, answer
        self.refused += 1
        return False
