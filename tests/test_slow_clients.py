"""Clients that send slowly, or nothing, take from nobody else what a gateway has."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway import connections
from gateway.config import Config
from services.gateway import THREADS
from tests.client import PREFIX, Api, token
from tests.factories import make_exam, make_session, submission
from tests.test_coalescing import board_held
from tests.test_metrics import values_of
from tests.waiting import wait_until

# More than a gateway has threads.
CROWD = THREADS + 200 + 44


@pytest.fixture(scope="module")
def brisk(start_api: Callable[..., Api]) -> Api:
    """Return a gateway that waits for a body for two seconds."""
    return start_api("gateway-brisk", PODIUM_BODY_TIMEOUT_SEC="2", PODIUM_METRICS_MAX_AGE_SEC="0")


def opened(api: Api, stack: ExitStack) -> socket.socket:
    address = urlsplit(api.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    return stack.enter_context(connection)


def head(length: int = 100, bearer: str | None = None, path: str = "/scores") -> bytes:
    """Write the head of a POST whose body is yet to come."""
    lines = [
        f"POST {PREFIX}{path} HTTP/1.1",
        "Host: gateway",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    if bearer is not None:
        lines.append(f"Authorization: Bearer {bearer}")
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def status_of(connection: socket.socket) -> int:
    """Read the status of the answer; 0 where the server closed without one."""
    try:
        line = connection.makefile("rb").readline()
    except ConnectionError:
        return 0
    return int(line.split()[1]) if line else 0


def assert_is_served(api: Api, session_id: int) -> None:
    """Assert that somebody with good manners is answered."""
    for path in ("//healthz", "//readyz"):
        assert api.get(path).status == 200
    assert api.post("/scores", submission(session_id)).status == 200


def test_bodies_that_do_not_come_hold_nobody_up_without_a_token(api: Api) -> None:
    session_id = make_session(api, make_exam(api))
    with ExitStack() as stack:
        slow = [opened(api, stack) for _ in range(CROWD)]
        for connection in slow:
            connection.sendall(head() + b"{")
        assert_is_served(api, session_id)
        assert [status_of(connection) for connection in slow] == [401] * CROWD


def test_of_one_user_so_many_bodies_are_read_at_once(api: Api) -> None:
    session_id = make_session(api, make_exam(api))
    bearer = token(api.secret, 7, "candidate")
    with ExitStack() as stack:
        sending: list[socket.socket] = []

        def refused() -> list[socket.socket]:
            connection = opened(api, stack)
            connection.sendall(head(bearer=bearer) + b"{")
            sending.append(connection)
            return select.select(sending, [], [], 0.05)[0]

        wait_until(lambda: bool(refused()))
        most = connections.MOST_OF_A_CANDIDATE
        wait_until(lambda: len(select.select(sending, [], [], 0)[0]) == len(sending) - most)
        refused_ones = select.select(sending, [], [])[0]
        assert {status_of(connection) for connection in refused_ones} == {429}
        # Those that are cut off while others have time left are the right ones.
        assert len(select.select(sending, [], [], 0)[0]) == len(refused_ones)
        assert_is_served(api, session_id)


def test_a_body_that_does_not_come_in_time_is_408(brisk: Api) -> None:
    bearer = token(brisk.secret, 7, "candidate")
    with ExitStack() as stack:
        silent, trickling = opened(brisk, stack), opened(brisk, stack)
        silent.sendall(head(bearer=bearer) + b"{")
        trickling.sendall(head(10_000, bearer))
        trickling.settimeout(0.2)
        answer = b""
        deadline = time.monotonic() + 30
        while not answer and time.monotonic() < deadline:
            trickling.sendall(b" ")
            try:
                answer = trickling.recv(1000)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert status_of(silent) == 408


def test_a_slow_body_that_comes_in_time_is_taken(brisk: Api) -> None:
    session_id = make_session(brisk, make_exam(brisk))
    bearer = token(brisk.secret, brisk.user_id, "admin")
    body = b'{"session_id": %d, "module_type": "quiz", "raw_score": 1,' % session_id
    rest = b' "max_score": 2, "time_spent_sec": 3}'
    with ExitStack() as stack:
        connection = opened(brisk, stack)
        connection.sendall(head(len(body + rest), bearer) + body)
        # Whoever is cut off meanwhile is another one.
        other = opened(brisk, stack)
        other.sendall(head(bearer=bearer) + b"{")
        assert brisk.get("//healthz").status == 200
        connection.sendall(rest)
        assert status_of(connection) == 200
        assert status_of(other) == 408


def test_a_request_that_waits_is_not_taken_for_a_slow_body(brisk: Api, admin: Any) -> None:
    exam_id = make_exam(brisk)
    session_id = make_session(brisk, exam_id)
    bearer = token(brisk.secret, brisk.user_id, "admin")

    def timeouts() -> float:
        return sum(values_of(brisk, "podium_lock_timeouts_total").values())

    with ExitStack() as stack, ThreadPoolExecutor(1) as threads:
        before = timeouts()
        with board_held(admin, exam_id):
            waiting = threads.submit(brisk.post, "/scores", submission(session_id))
            # What begins at the same moment, at the same address, cannot be told from each other.
            wait_until(lambda: timeouts() > before)
            slow = opened(brisk, stack)
            slow.sendall(head(bearer=bearer) + b"{")
            assert status_of(slow) == 408
            assert not waiting.done()
        assert waiting.result(30).status == 200


def test_idle_connections_leave_room_for_others(api: Api) -> None:
    session_id = make_session(api, make_exam(api))
    with ExitStack() as stack:
        for _ in range(1_100):
            opened(api, stack)
        assert_is_served(api, session_id)


class Kept:
    """A server of nothing but connections, watched as a gateway's are."""

    def __init__(self, most: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.accepted: list[socket.socket] = []
        config = Config(mysql_url="mysql://x@127.0.0.1:1/podium")
        self.watch = connections.Watch(lambda environ, start: [], config)
        self.watch._port = self.listener.getsockname()[1]
        self.watch.most = most

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.listener.getsockname())
        self.accepted.append(self.listener.accept()[0])
        return client


@contextmanager
def kept(most: int) -> Iterator[Kept]:
    server = Kept(most)
    try:
        yield server
    finally:
        for connection in (server.listener, *server.accepted):
            connection.close()


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


def test_of_too_many_connections_the_longest_idle_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "SLOW_SEC", 0.05)
    with ExitStack() as stack, kept(40) as server:
        clients = [stack.enter_context(server.connect()) for _ in range(30)]
        clients[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_until(lambda: all(silent_sec(one) > 0.1 for one in server.accepted))
        # It is being answered.
        began = time.monotonic() - silent_sec(server.accepted[0])
        server.watch._requests[1] = connections._Request("127.0.0.1", began)
        fresh = stack.enter_context(server.connect())
        server.watch.look()
        closed = [is_closed(client) for client in clients]
        assert sum(closed) == len(server.accepted) - server.watch.most // 2
        assert not closed[0]
        assert not is_closed(fresh)


def test_to_look_at_connections_leaves_nothing_open() -> None:
    with ExitStack() as stack, kept(2) as server:
        for _ in range(5):
            stack.enter_context(server.connect())
        stack.enter_context(open("/dev/null"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            assert len(server.watch._connections()) == 5
            server.watch.look()
        assert len(os.listdir("/proc/self/fd")) == before


def silent_sec(connection: socket.socket) -> float:
    """Return for how long nothing was received on a connection."""
    known = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, connections.TCP_INFO.size)
    return float(connections.TCP_INFO.unpack(known)[1]) / 1000
