"""Requests that arrive together share one call, and nobody pays for his neighbours."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway import coalescing
from gateway.coalescing import Coalescer, Crowd, Room
from services.gateway import start_gateway
from services.server import Server
from tests.client import Answer, Api
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, submission
from tests.locks import waiting
from tests.waiting import wait_until

REQUESTS = 12


class Carrier:
    """A carry whose first call waits until it is let go, so that others gather behind it."""

    def __init__(self, outcome: Callable[[str], str] = str.upper) -> None:
        self.calls: list[list[str]] = []
        self.begun = threading.Event()
        self.released = threading.Event()
        self._outcome = outcome

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.calls.append(list(items))
        if len(self.calls) == 1:
            self.begun.set()
            assert self.released.wait(10)
        return [self._outcome(item) for item in items]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(REQUESTS) as pool:
        yield pool


def gather(
    coalescer: Coalescer[str, str], carrier: Carrier, threads: ThreadPoolExecutor, items: str
) -> list[Future[str]]:
    """Submit the first item, wait until its call is under way, and let the others gather."""
    first = threads.submit(coalescer.submit, items[0])
    assert carrier.begun.wait(10)
    others = [threads.submit(coalescer.submit, item) for item in items[1:]]
    wait_until(lambda: len(coalescer._waiting) == len(others))
    carrier.released.set()
    return [first, *others]


def test_an_item_alone_is_a_call_of_one() -> None:
    carrier = Carrier()
    carrier.released.set()
    coalescer = Coalescer(carrier, lambda error: True, longest=100)
    assert [coalescer.submit("a"), coalescer.submit("b")] == ["A", "B"]
    assert (carrier.calls, coalescer.calls, coalescer.requests) == ([["a"], ["b"]], 2, 2)


def test_those_who_arrive_during_a_call_share_the_next(threads: ThreadPoolExecutor) -> None:
    carrier = Carrier()
    coalescer = Coalescer(carrier, lambda error: True, longest=100)
    futures = gather(coalescer, carrier, threads, "abcdef")
    assert [future.result(10) for future in futures] == list("ABCDEF")
    assert [sorted(call) for call in carrier.calls] == [["a"], list("bcdef")]
    assert (coalescer.calls, coalescer.requests) == (2, 6)


def test_a_call_holds_no_more_than_the_longest(threads: ThreadPoolExecutor) -> None:
    carrier = Carrier()
    coalescer = Coalescer(carrier, lambda error: True, longest=2)
    futures = gather(coalescer, carrier, threads, "abcdef")
    assert [future.result(10) for future in futures] == list("ABCDEF")
    assert [len(call) for call in carrier.calls] == [1, 2, 2, 1]


def test_a_neighbour_that_fails_costs_nobody_his_outcome(threads: ThreadPoolExecutor) -> None:
    def outcome(item: str) -> str:
        if item == "x":
            raise ValueError("x")
        return item.upper()

    carrier = Carrier(outcome)
    coalescer = Coalescer(carrier, lambda error: False, longest=100)
    first, bad, good = gather(coalescer, carrier, threads, "axb")
    assert (first.result(10), good.result(10)) == ("A", "B")
    assert isinstance(bad.exception(10), ValueError)


def test_what_fails_for_all_is_not_tried_again_for_each(threads: ThreadPoolExecutor) -> None:
    def outcome(item: str) -> str:
        if item != "a":
            raise ConnectionError
        return item

    carrier = Carrier(outcome)
    coalescer = Coalescer(carrier, lambda error: True, longest=100)
    futures = gather(coalescer, carrier, threads, "abcd")
    assert [type(future.exception(10)) for future in futures[1:]] == [ConnectionError] * 3
    assert len(carrier.calls) == 2


def test_after_a_failure_the_next_call_goes_on(threads: ThreadPoolExecutor) -> None:
    carrier = Carrier(lambda item: 1 // 0 if item == "x" else item)  # type: ignore[arg-type, return-value]
    coalescer = Coalescer(carrier, lambda error: True, longest=1)
    futures = gather(coalescer, carrier, threads, "axb")
    assert isinstance(futures[1].exception(10), ZeroDivisionError)
    assert futures[2].result(10) == "b"
    assert coalescer.submit("c") == "c"


def test_nobody_has_his_outcome_before_his_call_is_settled(threads: ThreadPoolExecutor) -> None:
    settled: list[list[str]] = []
    carrier = Carrier()
    held = threading.Event()

    def settle(outcomes: Sequence[str]) -> None:
        assert held.wait(10)
        settled.append(sorted(outcomes))

    coalescer = Coalescer(carrier, lambda error: True, longest=100, settle=settle)
    futures = gather(coalescer, carrier, threads, "abcd")
    # Both calls are over, the second one made while the first was not settled yet.
    wait_until(lambda: coalescer.calls == 2)
    assert not any(future.done() for future in futures)
    held.set()
    assert [future.result(10) for future in futures] == list("ABCD")
    assert sorted(settled) == [["A"], list("BCD")]


def test_what_cannot_be_settled_fails_for_all_whose_call_it_was(
    threads: ThreadPoolExecutor,
) -> None:
    def settle(outcomes: Sequence[str]) -> None:
        if "A" not in outcomes:
            raise ConnectionError

    carrier = Carrier()
    coalescer = Coalescer(carrier, lambda error: True, longest=100, settle=settle)
    first, *others = gather(coalescer, carrier, threads, "abc")
    assert first.result(10) == "A"
    assert [type(future.exception(10)) for future in others] == [ConnectionError] * 2


def test_an_item_that_is_carried_alone_in_the_end_is_settled_too(
    threads: ThreadPoolExecutor,
) -> None:
    def outcome(item: str) -> str:
        if item == "x":
            raise ValueError("x")
        return item.upper()

    settled: list[str] = []
    carrier = Carrier(outcome)
    coalescer = Coalescer(carrier, lambda error: False, longest=100, settle=settled.extend)
    first, _, good = gather(coalescer, carrier, threads, "axb")
    # Of both, since the second may be there before the first call is settled.
    assert (first.result(10), good.result(10)) == ("A", "B")
    assert sorted(settled) == ["A", "B"]


def test_what_could_not_be_settled_together_is_carried_and_settled_alone(
    threads: ThreadPoolExecutor,
) -> None:
    settled: list[str] = []

    def settle(outcomes: Sequence[str]) -> None:
        if len(outcomes) > 1:
            raise ValueError
        settled.extend(outcomes)

    carrier = Carrier()
    coalescer = Coalescer(carrier, lambda error: False, longest=100, settle=settle)
    futures = gather(coalescer, carrier, threads, "abc")
    assert [future.result(10) for future in futures] == list("ABC")
    assert sorted(carrier.calls[2:]) == [["b"], ["c"]]
    assert sorted(settled) == list("ABC")


class Held(Exception):
    """What passes."""


class HeldCarrier:
    """A carry that cannot do anything until it is let go, and says so each time."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.released = threading.Event()
        self.turn = threading.Semaphore(0)

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.calls.append(list(items))
        assert self.turn.acquire(timeout=10)
        if not self.released.is_set():
            raise Held
        return [item.upper() for item in items]


def patient(carrier: HeldCarrier, room: Room | None = None) -> Coalescer[str, str]:
    return Coalescer(
        carrier,
        lambda error: True,
        longest=100,
        again=lambda error: isinstance(error, Held),
        room=room,
    )


def test_what_is_held_is_tried_again_with_those_who_have_come_meanwhile(
    threads: ThreadPoolExecutor,
) -> None:
    carrier = HeldCarrier()
    coalescer = patient(carrier)
    first = threads.submit(coalescer.submit, "a")
    wait_until(lambda: len(carrier.calls) == 1)
    others = [threads.submit(coalescer.submit, item) for item in "bc"]
    wait_until(lambda: len(coalescer._waiting) == 2)
    carrier.turn.release()
    wait_until(lambda: len(carrier.calls) == 2)
    carrier.released.set()
    carrier.turn.release()
    assert [future.result(10) for future in (first, *others)] == list("ABC")
    assert [sorted(call) for call in carrier.calls] == [["a"], list("abc")]
    assert coalescer.idle
    carrier.turn.release()
    assert coalescer.submit("d") == "D"


def test_whose_time_is_up_is_told_so_and_the_others_go_on(threads: ThreadPoolExecutor) -> None:
    carrier = HeldCarrier()
    coalescer = patient(carrier)
    # Its time is up at once, but a call that is under way is waited for.
    first = threads.submit(coalescer.submit, "a", 0.0)
    wait_until(lambda: len(carrier.calls) == 1)
    second = threads.submit(coalescer.submit, "b")
    wait_until(lambda: len(coalescer._waiting) == 1)
    carrier.turn.release()
    assert isinstance(first.exception(10), Held)
    wait_until(lambda: len(carrier.calls) == 2)
    assert carrier.calls[1] == ["b"]
    carrier.released.set()
    carrier.turn.release()
    assert second.result(10) == "B"
    assert coalescer.idle


def test_who_waits_in_vain_leaves(threads: ThreadPoolExecutor) -> None:
    carrier = HeldCarrier()
    coalescer = patient(carrier)
    first = threads.submit(coalescer.submit, "a")
    wait_until(lambda: len(carrier.calls) == 1)
    with pytest.raises(TimeoutError):
        coalescer.submit("b", time.monotonic() + 0.01)
    carrier.released.set()
    carrier.turn.release()
    assert first.result(10) == "A"
    assert carrier.calls == [["a"]]


def test_a_room_has_so_many_places_and_a_crowd_so_many_in_all(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coalescing, "MOMENT_SEC", 0.01)
    crowd = Crowd(most=3, most_in_a_room=2)
    carriers = [HeldCarrier() for _ in range(2)]
    rooms = [crowd.room() for _ in carriers]
    held = [patient(carrier, room) for carrier, room in zip(carriers, rooms, strict=True)]
    leaders = [threads.submit(each.submit, "a") for each in held]
    wait_until(lambda: all(carrier.calls for carrier in carriers))
    two = [threads.submit(held[0].submit, item) for item in "bc"]
    wait_until(lambda: rooms[0].full)
    with pytest.raises(TimeoutError):
        held[0].submit("d")
    one = threads.submit(held[1].submit, "b")
    wait_until(lambda: rooms[1].here == 1)
    with pytest.raises(TimeoutError):
        held[1].submit("c")
    for carrier in carriers:
        carrier.released.set()
        carrier.turn.release(3)
    assert [future.result(10) for future in (*leaders, *two, one)] == list("AABCB")
    assert [(room.here, room.full) for room in rooms] == [(0, False)] * 2
    # There is place again.
    assert held[0].submit("e") == "E"


@contextmanager
def board_held(admin: Any, exam_id: int) -> Iterator[None]:
    """Hold the lock of a board, so that submissions to it wait."""
    with admin.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute(
            "SELECT revision FROM leaderboards WHERE exam_id = %s FOR UPDATE", (exam_id,)
        )
        cursor.fetchall()
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def submit_behind_the_lock(
    api: Api, admin: Any, sessions: list[int], threads: ThreadPoolExecutor
) -> list[Future[Answer]]:
    """Send a submission for each session while the board is held; return when one call waits."""
    futures = [
        threads.submit(api.post, "/scores", submission(session_id)) for session_id in sessions
    ]
    wait_until(lambda: len(waiting(admin, "leaderboards")) == 1)
    return futures


def audit_rows(admin: Any, sessions: list[int]) -> int:
    with admin.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM score_audit_log WHERE session_id IN ({str(sessions)[1:-1]})"
        )
        return int(cursor.fetchone()[0])


def test_a_refused_neighbour_costs_nobody_his_score(
    api: Api, admin: Any, threads: ThreadPoolExecutor
) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(REQUESTS - 1)]
    with board_held(admin, exam_id):
        futures = submit_behind_the_lock(api, admin, sessions, threads)
        refused = threads.submit(api.post, "/scores", submission(10**12))
    assert [future.result(30).status for future in futures] == [200] * len(sessions)
    assert (refused.result(30).status, refused.result().code) == (404, "session_not_found")


def test_a_shared_call_whose_connection_breaks_is_carried_out_once(
    api: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(REQUESTS)]
    watcher = connect()
    with board_held(admin, exam_id):
        futures = submit_behind_the_lock(api, watcher, sessions, threads)
        with watcher.cursor() as cursor:
            [connection] = waiting(watcher, "leaderboards")
            cursor.execute(f"KILL {connection}")
    answers = [future.result(30) for future in futures]
    assert [(answer.status, answer.json["replayed"]) for answer in answers] == [
        (200, False) for _ in sessions
    ]
    assert audit_rows(admin, sessions) == len(sessions)


def test_a_gateway_that_is_told_to_stop_answers_those_who_wait(
    api: Api,
    admin: Any,
    gateway_mysql_url: str,
    redis_server: Server,
    threads: ThreadPoolExecutor,
    tmp_path: Path,
) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(REQUESTS - 1)]
    gateway = start_gateway(
        tmp_path, mysql_url=gateway_mysql_url, redis_url=redis_server.url, secret=SECRET
    )
    leaving = Api(gateway.url, SECRET)
    all_read = threading.Barrier(len(sessions))

    def submit(session_id: int) -> Answer:
        body = json.dumps(submission(session_id)).encode()

        def body_when_all_are_read() -> bytes:
            # A request that the gateway has not begun to read may be dropped.
            all_read.wait(20)
            return body

        kind = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        head = leaving.head("POST", "/scores", Expect="100-continue", **kind)
        return leaving.exchange(head, awaited=body_when_all_are_read)

    with board_held(admin, exam_id):
        futures = [threads.submit(submit, session_id) for session_id in sessions]
        wait_until(lambda: len(waiting(admin, "leaderboards")) == 1)
        stopped = threads.submit(gateway.stop)
        wait_until(lambda: not answers_new_connections(gateway.url))
    assert [future.result(30).status for future in futures] == [200] * len(sessions)
    stopped.result(30)
    assert audit_rows(admin, sessions) == len(sessions)


def answers_new_connections(url: str) -> bool:
    """Tell whether a gateway takes connections; one that is only queued is not taken."""
    address = urlsplit(url)
    # Waited for no longer: the board is held meanwhile, and those who wait for it are refused in
    # the end.
    connection = HTTPConnection(address.hostname or "", address.port, timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
