"""Servers, networks and clients break under load: nothing is lost, doubled or half-written.

Each test is one round of one fault at a random moment; `make test-faults` plays twenty of each.
"""

from __future__ import annotations

import random
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mysql.connector
import pytest
import redis

from gateway import loader
from gateway.config import Config, MysqlUrl
from gateway.history import check
from services import start_mysql
from services.gateway import start_gateway
from services.server import Server
from tests.client import Api
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, SECRET, with_account
from tests.faults.disk import Unmountable, fill, make_room, mounted
from tests.faults.figures import BEGIN, DOCUMENT, END, Figures, Row
from tests.faults.load import Load
from tests.faults.plugin import FIGURES
from tests.faults.proxy import Proxy
from tests.own_server import OwnServer
from tests.sql_harness import rows
from tests.waiting import wait_until

RECOVERY_SEC = 5.0
# PODIUM_DATABASE_TIMEOUT_SEC and PODIUM_POOL_TIMEOUT_SEC of the gateways here.
TIMEOUT_SEC, POOL_TIMEOUT_SEC = 2, 1
# One call ahead of a request, its own, and room for a busy machine.
LONGEST_SEC = 2 * TIMEOUT_SEC + 3.0
# How long a gateway cut off from Redis may make the others lag (P6).
LAG_SEC = Config.cache_ttl_sec
NAMES = NEAR, FAR = "gateway-near", "gateway-far"
# An empty server with the settings of services/mysql.py takes three quarters of it.
DISK_MB = 1500


@dataclass
class Ground:
    """Gateways, and all they depend on, to be broken."""

    mysql: OwnServer
    redis: OwnServer
    # The second one's way to MySQL; the first one is beside it.
    network: Proxy | None = None
    # What MySQL's data lies on, where it can be filled.
    disk: Path | None = None
    gateways: dict[str, OwnServer] = field(default_factory=dict)

    @property
    def apis(self) -> dict[str, Api]:
        """Return a client of each gateway."""
        return {name: Api(server.url, SECRET) for name, server in self.gateways.items()}

    def connect(self) -> Any:
        """Open a connection of MySQL's administrative account."""
        return mysql.connector.connect(**MysqlUrl.parse(self.mysql.url).arguments, autocommit=True)


def start_gateway_on(ground: Ground, home: Path, name: str, mysql_url: str) -> OwnServer:
    """Start a gateway that may be broken; the caller stops it."""

    def start(home: Path) -> Server:
        return start_gateway(
            home,
            mysql_url=mysql_url,
            redis_url=ground.redis.url,
            secret=SECRET,
            name=name,
            env={
                "PODIUM_DATABASE_TIMEOUT_SEC": str(TIMEOUT_SEC),
                "PODIUM_POOL_TIMEOUT_SEC": str(POOL_TIMEOUT_SEC),
            },
        )

    ground.gateways[name] = OwnServer(start, home, name, name)
    return ground.gateways[name]


def load_podium(ground: Ground) -> str:
    """Load Podium and return the URL of the gateways' account."""
    with ground.connect() as connection:
        loader.upgrade(connection, loader.Release.read())
        loader.grant_gateway(connection, GATEWAY_USER, GATEWAY_PASSWORD)
    return with_account(ground.mysql.url, GATEWAY_USER, GATEWAY_PASSWORD)


@pytest.fixture(scope="module")
def ground(
    own_mysql: OwnServer, own_redis: OwnServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Start two gateways, one beside MySQL, one with a network in between."""
    home = tmp_path_factory.mktemp("gateways")
    with ExitStack() as started:
        network = started.enter_context(Proxy(MysqlUrl.parse(own_mysql.url).port))
        ground = Ground(own_mysql, own_redis, network)
        url = load_podium(ground)
        account = urlsplit(url).netloc.rpartition(":")[0]
        far_url = f"mysql://{account}:{network.port}/podium"
        for name, own_url in ((NEAR, url), (FAR, far_url)):
            started.callback(start_gateway_on(ground, home, name, own_url).stop)
        yield ground
    with ground.connect() as connection:
        rows(connection, "DROP DATABASE podium")


@pytest.fixture(scope="module")
def tight_ground(
    own_redis: OwnServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Start a gateway and a MySQL on a small disk."""
    home = tmp_path_factory.mktemp("tight")
    with ExitStack() as started:
        try:
            disk = started.enter_context(mounted(home / "disk", DISK_MB))
        except Unmountable as reason:
            pytest.skip(str(reason))
        server = OwnServer(start_mysql, disk / "home", "mysqld", "mysql")
        started.callback(server.stop)
        if not (disk / "home" / "mysql").exists():
            pytest.skip("MySQL runs in a container, with its data on the engine's disk")
        ground = Ground(server, own_redis, disk=disk)
        started.callback(start_gateway_on(ground, home, NEAR, load_podium(ground)).stop)
        yield ground


Fault = Callable[[Ground, Load, random.Random], int]


def mysqld_killed(ground: Ground, load: Load, order: random.Random) -> int:
    ground.mysql.kill()
    try:
        load.wait_for_failures()
    finally:
        ground.mysql.start()
    return 1


def gateway_killed(ground: Ground, load: Load, order: random.Random) -> int:
    killed, other = order.sample(NAMES, 2)
    address = urlsplit(ground.gateways[killed].url)
    ground.gateways[killed].kill()
    try:
        load.wait_for_failures(1, killed)
        load.wait_for_submissions(10, other)
        wait_until(lambda: not listens(address.port or 0))
    finally:
        ground.gateways[killed].start()
    assert ground.gateways[killed].url == address.geturl()
    return 1


def listens(port: int) -> bool:
    """Tell whether something takes connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def redis_stopped(ground: Ground, load: Load, order: random.Random) -> int:
    ground.redis.stop()
    try:
        load.wait_for_submissions(order.randrange(10, 60))
    finally:
        ground.redis.start()
    return 1


def redis_paused(ground: Ground, load: Load, order: random.Random) -> int:
    ground.redis.hang()
    try:
        load.wait_for_submissions(order.randrange(10, 60))
    finally:
        ground.redis.resume()
    return 1


def redis_flushed(ground: Ground, load: Load, order: random.Random) -> int:
    with redis.Redis.from_url(ground.redis.url) as client:
        for _ in range(5):
            load.wait_for_submissions(order.randrange(1, 10))
            client.flushall()
    return 5


def client_gone(ground: Ground, load: Load, order: random.Random) -> int:
    gone = []
    for _ in range(10):
        load.wait_for_submissions(order.randrange(1, 5))
        gone.append(load.vanish(order.choice(NAMES)))
    for key, item in order.sample(gone, 5):
        answer = load.submit(order.choice(NAMES), key, item)
        assert answer is not None and answer.status == 200, answer
    return 10


def connections_killed(ground: Ground, load: Load, order: random.Random) -> int:
    return kill(ground, load, order, "CONNECTION")


def queries_killed(ground: Ground, load: Load, order: random.Random) -> int:
    return kill(ground, load, order, "QUERY")


def kill(ground: Ground, load: Load, order: random.Random, what: str) -> int:
    """Have an administrator end what the gateways are doing, several times."""
    killed = 0

    def kills() -> bool:
        nonlocal killed
        before = killed
        for connection_id in busy(connection):
            try:
                rows(connection, f"KILL {what} {connection_id}")
                killed += 1
            except mysql.connector.Error as error:
                assert error.errno == 1094  # It has gone by itself.
        return killed > before

    with ground.connect() as connection:
        for _ in range(5):
            load.wait_for_submissions(order.randrange(1, 10))
            load.wait_until(kills)
    return killed


def busy(connection: Any) -> list[int]:
    """Return the gateways' connections that are at work."""
    return [
        row["id"]
        for row in rows(
            connection,
            "SELECT id FROM performance_schema.processlist "
            "WHERE user = %s AND command <> 'Sleep' ORDER BY id",
            (GATEWAY_USER,),
        )
    ]


def no_connection_free(ground: Ground, load: Load, order: random.Random) -> int:
    with ground.connect() as connection:
        [usual] = rows(connection, "SELECT @@max_connections AS n")
        # Each opens one at a time; this one is the one that is left to administrators.
        rows(connection, "SET GLOBAL max_connections = 1")
        try:
            for row in rows(
                connection,
                "SELECT id FROM performance_schema.processlist WHERE user = %s",
                (GATEWAY_USER,),
            ):
                try:
                    rows(connection, f"KILL {row['id']}")
                except mysql.connector.Error as error:
                    assert error.errno == 1094  # It has gone by itself.
            for name in NAMES:
                load.wait_for_failures(order.randrange(1, 20), name)
        finally:
            rows(connection, f"SET GLOBAL max_connections = {usual['n']}")
    return 1


def network_cut(ground: Ground, load: Load, order: random.Random) -> int:
    assert ground.network is not None
    ground.network.cut()
    try:
        load.wait_for_failures(order.randrange(1, 20), FAR)
    finally:
        ground.network.mend()
    return 1


def network_silent(ground: Ground, load: Load, order: random.Random) -> int:
    assert ground.network is not None
    ground.network.swallow()
    try:
        load.wait_for_failures(order.randrange(1, 5), FAR)
    finally:
        ground.network.mend()
    return 1


def network_slow(ground: Ground, load: Load, order: random.Random) -> int:
    assert ground.network is not None
    ground.network.slow_down(order.uniform(0.02, 0.15))
    try:
        load.wait_for_submissions(5, FAR)
    finally:
        ground.network.mend()
    return 1


def disk_full_restarted(ground: Ground, load: Load, order: random.Random) -> int:
    assert ground.disk is not None
    fill(ground.disk)
    try:
        # Who waits for a commit is told so when a gateway's patience ends.
        load.wait_for_failures(timeout_sec=90)
    finally:
        make_room(ground.disk)
    ground.mysql.kill()
    ground.mysql.start()
    return 1


def disk_full_waited(ground: Ground, load: Load, order: random.Random) -> int:
    assert ground.disk is not None
    fill(ground.disk)
    try:
        # Who waits for a commit is told so when a gateway's patience ends.
        load.wait_for_failures(timeout_sec=90)
    finally:
        make_room(ground.disk)
    # A commit that found no room in the binary log looks for it again after a minute, whoever has
    # made some meanwhile, and every other commit waits behind it.
    with ground.connect() as connection:
        load.wait_until(lambda: not committing(connection), 90)
    return 1


def committing(connection: Any) -> bool:
    """Tell whether MySQL is in the middle of a commit that takes its time."""
    return bool(
        rows(
            connection,
            "SELECT id FROM performance_schema.processlist "
            "WHERE state = 'waiting for handler commit' AND time >= 1",
        )
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play each fault as often as the command line wants it."""
    if "round_no" in metafunc.fixturenames:
        rounds: int = metafunc.config.getoption("--fault-rounds")
        metafunc.parametrize("round_no", range(1, rounds + 1))


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """Return the figures of the run."""
    return pytestconfig.stash[FIGURES]


def play(
    ground: Ground, fault: Fault, round_no: int, figures: Figures, *, lag_sec: float = 0
) -> int:
    """Play a round: load, a fault at a random moment, recovery, and the history.

    Returns the exam that was played.
    """
    name = fault.__name__.replace("_", " ")
    order = random.Random(f"{figures.seed}:{name}:{round_no}")
    load = Load(ground.apis, order)
    with load:
        load.wait_for_submissions(order.randrange(10, 60))
        faults = fault(ground, load, order)
        recovery_sec = load.wait_for_recovery(time.monotonic())
    history = load.recorder.history
    with ground.connect() as connection:
        wait_until(lambda: not busy(connection))
        violations = check(history, connection, lag_sec=lag_sec)
    kinds = [violation.kind for violation in violations]
    figures.add(
        name,
        Row(
            rounds=1,
            faults=faults,
            submissions=len(history.submissions),
            acknowledged=len(history.acknowledged),
            lost=kinds.count("lost"),
            doubled=kinds.count("doubled"),
            others=len(kinds) - kinds.count("lost") - kinds.count("doubled"),
            recovery_sec=recovery_sec,
            answer_sec=load.longest_sec,
        ),
    )
    assert [str(violation) for violation in violations] == []
    assert load.surprises == []
    if fault is not gateway_killed:
        assert None not in {outcome.status for outcome in load.outcomes}
    assert recovery_sec < RECOVERY_SEC
    assert load.longest_sec < LONGEST_SEC
    return load.exam_id


@pytest.mark.parametrize(
    "fault",
    [
        mysqld_killed,
        gateway_killed,
        redis_flushed,
        client_gone,
        connections_killed,
        queries_killed,
        no_connection_free,
    ],
)
def test_a_broken_server_or_client(
    ground: Ground, figures: Figures, fault: Fault, round_no: int
) -> None:
    play(ground, fault, round_no, figures)


@pytest.mark.parametrize("fault", [redis_stopped, redis_paused])
def test_a_redis_that_is_away(
    ground: Ground, figures: Figures, fault: Fault, round_no: int
) -> None:
    exam_id = play(ground, fault, round_no, figures, lag_sec=LAG_SEC)
    # Whoever leaves Redis alone for a while may still make the other lag: not in the next round.
    for api in ground.apis.values():
        wait_until(partial(is_cached, api, exam_id), RECOVERY_SEC)


def is_cached(api: Api, exam_id: int) -> bool:
    """Read a page and tell whether it came from Redis."""
    return bool(api.get("/leaderboard", exam_id=exam_id).json["cached"])


@pytest.mark.parametrize("fault", [network_cut, network_silent, network_slow])
def test_a_broken_network(ground: Ground, figures: Figures, fault: Fault, round_no: int) -> None:
    play(ground, fault, round_no, figures)


def test_a_full_disk(tight_ground: Ground, figures: Figures, round_no: int) -> None:
    # Patience takes a minute: in every fifth round.
    play(
        tight_ground,
        disk_full_waited if round_no % 5 == 0 else disk_full_restarted,
        round_no,
        figures,
    )


# Below, what the rounds are played with.


@pytest.fixture
def echo() -> Iterator[int]:
    """Serve connections that send back what they get, and return the port."""

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(4096):
                self.request.sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_network_that_is_cut_resets_and_refuses_until_it_is_mended(echo: int) -> None:
    with Proxy(echo) as network:
        with socket.create_connection(("127.0.0.1", network.port)) as connection:
            connection.sendall(b"there")
            assert connection.recv(5) == b"there"
            network.cut()
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert not listens(network.port)
        network.mend()
        with socket.create_connection(("127.0.0.1", network.port)) as connection:
            connection.sendall(b"again")
            assert connection.recv(5) == b"again"


def test_a_silent_network_takes_everything_and_gives_nothing_until_it_is_mended(echo: int) -> None:
    with Proxy(echo) as network:
        network.swallow()
        with socket.create_connection(("127.0.0.1", network.port), timeout=0.2) as connection:
            connection.sendall(b"there")
            with pytest.raises(TimeoutError):
                connection.recv(5)
            network.mend()
            connection.settimeout(20)
            assert connection.recv(5) == b"there"


def test_a_slow_network_holds_back_both_ways(echo: int) -> None:
    with Proxy(echo) as network:
        network.slow_down(0.1)
        with socket.create_connection(("127.0.0.1", network.port)) as connection:
            began = time.monotonic()
            connection.sendall(b"there")
            assert connection.recv(5) == b"there"
            assert time.monotonic() - began >= 0.2


def test_the_figures_take_their_place_in_the_page(tmp_path: Path) -> None:
    figures, page = Figures(seed=7), tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    figures.add("this", Row(1, 2, 1000, 900, 0, 0, 0, 0.25, 1.5))
    figures.add("this", Row(1, 2, 1000, 900, 1, 0, 0, 0.5, 1.25))
    figures.add("that", Row(1, 1, 10, 9))
    figures.write(page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[4] == ["this", "2", "4", "2,000", "1,800", "1", "0", "0", "0.5 s", "1.5 s"]
    assert cells[6] == ["all", "3", "5", "2,010", "1,809", "1", "0", "0", "0.5 s", "1.5 s"]
    assert "Seed 7." in text


def test_a_page_without_a_place_for_the_figures_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="has no"):
        Figures(seed=7).write(page)


def test_the_reliability_page_has_a_place_for_the_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
