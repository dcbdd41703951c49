"""Boards as they move: Server-Sent Events of real gateways, whatever happens to them."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway import streams
from gateway.cache import PageCache
from gateway.config import Config
from gateway.db import Database, Results
from gateway.metrics import Metrics
from services.gateway import start_gateway
from services.process import kept_port
from services.server import ROOT, Server
from tests.client import Api, token
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, make_user, submission
from tests.own_server import OwnServer
from tests.waiting import wait_until

Query = Callable[..., list[dict[str, Any]]]
PATH = "/api/v1/leaderboard/stream"
# What is seen at once, on a busy machine; a poll takes longer with Redis.
SOON_SEC = 1.5


class Listener:
    """A client of a stream: what it has been sent so far."""

    def __init__(
        self, api: Api, exam_id: int, last: int | str | None = None, **claims: object
    ) -> None:
        address = urlsplit(api.url)
        self._connection = http.client.HTTPConnection(
            str(address.hostname), address.port, timeout=30
        )
        headers = {"Authorization": f"Bearer {token(api.secret, api.user_id, api.role, **claims)}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self._connection.request("GET", f"{PATH}?exam_id={exam_id}", headers=headers)
        # Without a length the response takes the socket over.
        self._socket: socket.socket = self._connection.sock
        self.response = self._connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kind, number = "", ""
        try:
            for raw in self.response:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                self.lines.append(f"{name}: {value}")
                if name == "event":
                    kind = value
                elif name == "id":
                    number = value
                elif name == "data":
                    self.events.append({"event": kind, "id": number} | json.loads(value))
        except (OSError, ValueError, http.client.HTTPException):
            pass  # The other side, or the test, has ended it.

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    @property
    def revision(self) -> int:
        return int(self.events[-1]["revision"]) if self.events else -1

    def wait_for(self, revision: int) -> None:
        wait_until(lambda: self.revision >= revision)

    def close(self) -> None:
        """Go away, as a closed tab does."""
        with suppress(OSError):  # The other side has gone.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self.response.close()
        self._socket.close()


@contextmanager
def listening(
    api: Api, exam_id: int, last: int | str | None = None, **claims: object
) -> Iterator[Any]:
    listener = Listener(api, exam_id, last, **claims)
    try:
        wait_until(lambda: bool(listener.events))
        yield listener
    finally:
        listener.close()


def post(api: Api, session_id: int, **fields: object) -> int:
    answer = api.post("/scores", submission(session_id, **fields))
    assert answer.status == 200, answer.text
    return int(answer.json["revision"])


@pytest.fixture(scope="module")
def pair(start_api: Callable[..., Api], own_redis: OwnServer) -> list[Api]:
    """Start two gateways that share a Redis of their own."""
    return [
        start_api(
            f"gateway-stream-{name}",
            redis_url=own_redis.url,
            PODIUM_STREAM_HEARTBEAT_SEC="1",
            PODIUM_MAX_STREAMS="4",
        )
        for name in "ab"
    ]


@pytest.fixture
def board(api: Api) -> tuple[int, int]:
    """Make an exam with a session that has scored once."""
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    post(api, session_id)
    return exam_id, session_id


def test_a_stream_begins_with_where_the_board_stands(
    pair: list[Api], board: tuple[int, int]
) -> None:
    exam_id, _ = board
    with listening(pair[0], exam_id) as listener:
        [first] = listener.events
        assert list(first) == [
            *("event", "id", "exam_id", "after", "revision", "submissions", "reasons"),
            *("total_participants", "committed_at"),
        ]
        assert (first["event"], first["exam_id"]) == ("revision", exam_id)
        assert re.fullmatch("1-[0-9a-f]{16}", first["id"])
        assert (first["after"], first["revision"], first["submissions"]) == (1, 1, 0)
        assert (first["reasons"], first["total_participants"]) == ([], 1)
        headers = listener.response.headers
        assert headers.get_all("Content-Type") == ["text/event-stream"]
        assert headers.get_all("Cache-Control") == ["no-store"]
        assert headers.get_all("X-Accel-Buffering") == ["no"]


def test_a_score_shows_at_once_on_a_stream_of_the_other_gateway(
    pair: list[Api], board: tuple[int, int]
) -> None:
    exam_id, session_id = board
    with listening(pair[1], exam_id) as listener:
        # When the first stream of a process has come, it is still subscribing.
        listener.wait_for(post(pair[0], session_id))
        times = []
        for n in range(3):
            began = time.monotonic()
            listener.wait_for(post(pair[0], session_id, raw_score=n))
            times.append(time.monotonic() - began)
        assert min(times) < 0.9, times
        assert [line for line in listener.lines if line.startswith("retry")] == ["retry: 2000"]
        assert {event["event"] for event in listener.events} == {"revision"}


def test_resuming_covers_all_since_in_one_event(pair: list[Api], board: tuple[int, int]) -> None:
    exam_id, session_id = board
    post(pair[0], session_id, raw_score=1)
    weights = {"weights": {"coding": 40, "quiz": 40, "assessment": 20}}
    assert pair[0].patch(f"/exams/{exam_id}", weights).status == 200
    with listening(pair[0], exam_id, 1) as listener:
        [first] = listener.events
        assert (first["event"], first["after"], first["revision"]) == ("revision", 1, 3)
        assert (first["submissions"], first["reasons"]) == (1, ["submissions", "weights"])


def test_who_has_seen_more_than_there_is_is_told_to_begin_anew(
    pair: list[Api], board: tuple[int, int]
) -> None:
    exam_id, session_id = board
    with listening(pair[0], exam_id, 2**63 - 1) as listener:
        [first] = listener.events
        assert (first["event"], first["after"], first["revision"]) == ("reset", 1, 1)
        listener.wait_for(post(pair[0], session_id))
        assert listener.events[-1]["event"] == "revision"


def test_a_board_that_goes_back_resets_open_streams(
    pair: list[Api], board: tuple[int, int], query: Query
) -> None:
    exam_id, session_id = board
    last = [post(pair[0], session_id, raw_score=n) for n in range(3)][-1]
    with listening(pair[0], exam_id) as listener:
        query("UPDATE podium.leaderboards SET revision = 2 WHERE exam_id = %s", exam_id)
        try:
            wait_until(lambda: listener.revision == 2)
        finally:
            query("UPDATE podium.leaderboards SET revision = %s WHERE exam_id = %s", last, exam_id)
        assert listener.events[1]["event"] == "reset"
        listener.wait_for(last)
        assert (listener.events[2]["event"], listener.events[2]["after"]) == ("revision", 2)


def test_who_comes_back_is_told_only_what_is_news(pair: list[Api], board: tuple[int, int]) -> None:
    exam_id, session_id = board
    with listening(pair[0], exam_id) as listener:
        seen = listener.events[-1]["id"]
    with listening(pair[1], exam_id, seen) as listener:
        [first] = listener.events
        assert (first["event"], first["id"], first["after"]) == ("revision", seen, 1)
        listener.wait_for(post(pair[0], session_id))
        assert (listener.events[-1]["event"], listener.events[-1]["after"]) == ("revision", 1)
        assert listener.events[-1]["id"].startswith("2-")
    # A number alone may be of the history before a restore: whoever stands still begins anew.
    with listening(pair[0], exam_id, 2) as listener:
        assert listener.events[0]["event"] == "reset"


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "",
        "-1",
        "1.5",
        "1e3",
        "0x1",
        "1, 2",
        "9" * 30,
        str(2**63),
        "\xb2",
        "' OR 1=1",
        "1;",
        "1-",
        "1-x",
        "1-0123",
    ],
    ids=ascii,
)
def test_a_malformed_last_event_id_is_refused(
    pair: list[Api], board: tuple[int, int], value: str
) -> None:
    answer = pair[0].request(
        "GET", f"/leaderboard/stream?exam_id={board[0]}", headers={"Last-Event-ID": value}
    )
    assert (answer.status, answer.code) == (422, "invalid_value")
    assert answer.pointers == ["/Last-Event-ID"]


def test_what_is_no_board_of_the_callers_is_refused(pair: list[Api]) -> None:
    api = pair[0]
    assert (api.get("/leaderboard/stream", exam_id=10**12).code) == "exam_not_found"
    assert (api.get("/leaderboard/stream").status) == 422
    nobody = api.with_token("")
    assert nobody.get("/leaderboard/stream", exam_id=make_exam(api)).status == 401


def test_nothing_is_missed_or_told_twice_by_who_is_cut_off_while_many_write(
    pair: list[Api], api: Api
) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(8)]

    enough = threading.Event()

    def write(session_id: int) -> tuple[int, int]:
        count, newest = 0, 0
        while not enough.is_set():
            newest = post(pair[session_id % 2], session_id, raw_score=count % 90)
            count += 1
        return count, newest

    events: list[dict[str, Any]] = []
    with ThreadPoolExecutor(8) as writers:
        try:
            with listening(pair[0], exam_id, 0) as listener:
                results = [writers.submit(write, session_id) for session_id in sessions]
                wait_until(lambda: len(listener.events) >= 4)
            events += listener.events
            with listening(pair[1], exam_id, events[-1]["id"]) as listener:
                wait_until(lambda: len(listener.events) >= 4)
            events += listener.events
        finally:
            enough.set()
        counts, revisions = zip(*[result.result() for result in results], strict=True)
    with listening(pair[0], exam_id, events[-1]["id"]) as listener:
        listener.wait_for(max(revisions))
    events += listener.events
    # Each goes on where the one before it ended.
    assert (events[0]["after"], events[-1]["revision"]) == (0, max(revisions))
    assert all(b["after"] == a["revision"] for a, b in zip(events, events[1:], strict=False))
    assert sum(event["submissions"] for event in events) == sum(counts)


def test_changes_of_a_moment_are_one_event(
    start_api: Callable[..., Api], board: tuple[int, int]
) -> None:
    exam_id, session_id = board
    patient = start_api("gateway-stream-patient", PODIUM_STREAM_PAUSE_MS="2000")
    with listening(patient, exam_id) as listener:
        first = post(patient, session_id, raw_score=1)
        listener.wait_for(first)
        newest = [post(patient, session_id, raw_score=n) for n in range(5)][-1]
        listener.wait_for(newest)
        assert listener.events[-1]["after"] == first
        assert listener.events[-1]["submissions"] == 5


def test_a_stream_without_news_shows_that_it_is_there(
    pair: list[Api], board: tuple[int, int]
) -> None:
    with listening(pair[0], board[0]) as listener:
        wait_until(lambda: listener.lines.count(": still here") == 2)
        assert len(listener.events) == 1


def test_a_stream_ends_when_its_token_does(pair: list[Api], board: tuple[int, int]) -> None:
    expires_at = int(time.time()) + 2
    with listening(pair[0], board[0], exp=expires_at) as listener:
        wait_until(lambda: listener.ended)
        assert expires_at <= time.time() < expires_at + SOON_SEC


def test_past_the_cap_streams_are_refused_until_somebody_leaves(
    pair: list[Api], board: tuple[int, int]
) -> None:
    api, exam_id = pair[1], board[0]

    def status() -> int:
        answer = api.pool.request(
            "GET",
            f"{api.url}{PATH}?exam_id={exam_id}",
            headers={"Authorization": f"Bearer {token(api.secret, 1, 'admin')}"},
            preload_content=False,
        )
        answer.close()
        return answer.status

    # Those of other tests give up their places with their next heartbeat.
    listeners: list[Listener] = []

    def fill() -> bool:
        try:
            listeners.append(Listener(api, exam_id))
        except AssertionError:
            return False
        return len(listeners) == 4

    wait_until(fill)
    assert api.request("HEAD", f"/leaderboard/stream?exam_id={exam_id}").status == 200
    assert api.request("HEAD", "/leaderboard/stream?exam_id=999999999").status == 404
    assert status() == 503
    refused = api.get("/leaderboard/stream", exam_id=exam_id)
    assert (refused.status, refused.code) == (503, "too_many_streams")
    assert int(refused.headers["Retry-After"]) > 0
    # All else is answered, and nobody else's place is taken.
    assert api.get("/leaderboard", exam_id=exam_id).status == 200
    listeners.pop().close()
    wait_until(lambda: status() == 200)
    for listener in listeners:
        listener.close()


def test_one_candidate_does_not_take_all_the_places(api: Api, board: tuple[int, int]) -> None:
    exam_id, most = board[0], streams.MAX_STREAMS_OF_A_CANDIDATE
    his, others = (make_user(api) for _ in range(2))
    with ExitStack() as opened:
        for _ in range(most):
            opened.enter_context(listening(api.as_user(his), exam_id))
        refused = api.as_user(his).get("/leaderboard/stream", exam_id=exam_id)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert f"user {his} has {most}" in refused.json["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        opened.enter_context(listening(api.as_user(others), exam_id))
        opened.enter_context(listening(api, exam_id))


def test_one_token_of_staff_does_not_take_all_the_places(
    start_api: Callable[..., Api], board: tuple[int, int]
) -> None:
    exam_id, most = board[0], 6
    api = start_api("gateway-stream-staff", PODIUM_MAX_STREAMS=str(most * streams.STAFF_SHARE))
    with ExitStack() as opened:
        for _ in range(most):
            opened.enter_context(listening(api, exam_id))
        refused = api.get("/leaderboard/stream", exam_id=exam_id)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert f"has {most} streams open already" in refused.json["detail"]
        opened.enter_context(listening(api.as_user(make_user(api)), exam_id))
        opened.enter_context(listening(api.as_user(api.user_id + 1, "admin"), exam_id))


@pytest.mark.parametrize("change", ["score", "call"])
def test_without_redis_a_board_is_polled(
    start_api: Callable[..., Api], board: tuple[int, int], query: Query, change: str
) -> None:
    exam_id, session_id = board
    alone = start_api("gateway-stream-alone", redis_url="")
    with listening(alone, exam_id) as listener:
        began = time.monotonic()
        if change == "score":
            post(alone, session_id)
        else:
            query("CALL podium.recalculate_leaderboard(%s, NULL)", exam_id)
        listener.wait_for(2)
        assert time.monotonic() - began < 3


def test_a_direct_call_shows_within_the_time_to_live(
    pair: list[Api], board: tuple[int, int], query: Query
) -> None:
    with listening(pair[0], board[0]) as listener:
        began = time.monotonic()
        query("CALL podium.recalculate_leaderboard(%s, NULL)", board[0])
        listener.wait_for(2)
        assert listener.events[-1]["reasons"] == ["recalculation"]
        assert time.monotonic() - began < Config.cache_ttl_sec


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_streams_go_on_while_redis_is_away_and_after(
    pair: list[Api], board: tuple[int, int], own_redis: OwnServer, fault: str
) -> None:
    exam_id, session_id = board
    with listening(pair[1], exam_id) as listener:
        (own_redis.stop if fault == "stopped" else own_redis.hang)()
        try:
            times = []
            for n in range(4):
                began = time.monotonic()
                listener.wait_for(post(pair[0], session_id, raw_score=n))
                times.append(time.monotonic() - began)
            # Polled as often as without Redis, not as seldom as with it.
            assert min(times[1:]) < 2, times
        finally:
            (own_redis.start if fault == "stopped" else own_redis.resume)()

        def shows_at_once() -> bool:
            # Right after an event: a pause later when it is told of, a second when polled.
            listener.wait_for(post(pair[0], session_id))
            began = time.monotonic()
            listener.wait_for(post(pair[0], session_id))
            return time.monotonic() - began < 0.7

        wait_until(shows_at_once, 30)
        assert not listener.ended


class CountingDatabase(Database):
    """A real one that counts how often boards are read."""

    reads = 0
    # Called once, when a board has been read.
    meanwhile: Callable[[], object] | None = None

    def call(self, procedure: str, *values: object, **how: Any) -> Results:
        results = super().call(procedure, *values, **how)
        if procedure == "get_revisions":
            self.reads += 1
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
        return results


@pytest.fixture
def counted(
    gateway_mysql_url: str, redis_server: Server
) -> Iterator[tuple[streams.Hub, CountingDatabase]]:
    """Make a hub in this process, and the database it reads."""
    config = Config(
        mysql_url=gateway_mysql_url,
        redis_url=redis_server.url,
        jwt_secret=SECRET,
        # Only what is told is read while a test lasts.
        cache_ttl_sec=600,
    )
    metrics = Metrics()
    database, pages = CountingDatabase(config, metrics), PageCache(config, metrics)
    made = streams.Hub(config, database, pages)
    yield made, database
    made.close()
    database.close()
    pages.close()


def data_of(text: bytes) -> Any:
    return json.loads(text.decode().partition("data: ")[2])


def rests(hub: streams.Hub, exam_id: int) -> bool:
    """Tell whether a board is not being read, and will not be until something is told of it."""
    with hub._changed:
        waits: bool = bool(hub._changed._waiters)  # type: ignore[attr-defined]  # of threading
        return waits and hub._boards[exam_id].due_at > time.monotonic() + 60


def test_a_board_is_read_once_for_all_its_streams(
    api: Api, board: tuple[int, int], counted: tuple[streams.Hub, CountingDatabase]
) -> None:
    exam_id, session_id = board
    made, database = counted
    opened = [made.open(exam_id, None, 2**40) for _ in range(20)]
    assert made.open_streams == 20
    for stream in opened:
        next(stream)
    wait_until(lambda: made._hears)
    wait_until(lambda: rests(made, exam_id))
    before = database.reads
    revision = post(api, session_id)
    assert {data_of(next(stream))["revision"] for stream in opened} == {revision}
    assert database.reads == before + 1
    for stream in opened:
        stream.close()
        stream.close()
    assert (made.open_streams, made._boards) == (0, {})


def test_what_commits_while_a_boards_first_stream_opens_shows_soon(
    api: Api, board: tuple[int, int], counted: tuple[streams.Hub, CountingDatabase]
) -> None:
    exam_id, session_id = board
    made, database = counted
    other_exam = make_exam(api)
    other_session = make_session(api, other_exam)
    other = made.open(other_exam, None, 2**40)
    next(other)
    wait_until(lambda: made._hears)
    # Else a read of that board would be the one in whose course something commits.
    wait_until(lambda: rests(made, other_exam))

    def commit() -> None:
        post(api, session_id)
        # Told in this order: whoever has heard of this one has heard of that.
        post(api, other_session)
        next(other)

    database.meanwhile = commit
    stream = made.open(exam_id, None, 2**40)
    assert data_of(next(stream))["revision"] == 1
    assert data_of(next(stream))["revision"] == 2
    for each in (stream, other):
        each.close()


def test_who_does_not_read_gets_the_rest_page_by_page_and_nothing_is_kept_for_him(
    api: Api,
    board: tuple[int, int],
    counted: tuple[streams.Hub, CountingDatabase],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MAX_REVISIONS", 5)
    exam_id, session_id = board
    made, _ = counted
    slow, quick = (made.open(exam_id, None, 2**40) for _ in range(2))
    next(slow), next(quick)
    for n in range(12):
        revision = post(api, session_id, raw_score=n)
        while data_of(next(quick))["revision"] < revision:
            pass
    assert len(made._boards[exam_id]._changes) == 5
    ranges = [(data["after"], data["revision"]) for data in (data_of(next(slow)) for _ in "123")]
    assert ranges == [(1, 6), (6, 11), (11, 13)]
    assert slow._last == quick._last
    for stream in (slow, quick):
        stream.close()


@pytest.mark.parametrize("back_to", [1, 2, 3])
def test_who_lags_while_his_board_goes_back_is_told_at_once(
    back_to: int,
    api: Api,
    board: tuple[int, int],
    counted: tuple[streams.Hub, CountingDatabase],
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MAX_REVISIONS", 5)
    exam_id, session_id = board
    made, _ = counted
    post(api, session_id, raw_score=0)
    slow, quick = (made.open(exam_id, None, 2**40) for _ in range(2))
    next(slow), next(quick)
    revision = [post(api, session_id, raw_score=n) for n in range(1, 13)][-1]
    while data_of(next(quick))["revision"] < revision:
        pass
    query("UPDATE podium.leaderboards SET revision = %s WHERE exam_id = %s", back_to, exam_id)
    try:
        began = time.monotonic()
        text = next(text for text in slow if text != streams.HEARTBEAT)
        assert re.match(rb"id: %d-[0-9a-f]{16}\nevent: reset\n" % back_to, text)
        assert time.monotonic() - began < SOON_SEC
    finally:
        query("UPDATE podium.leaderboards SET revision = %s WHERE exam_id = %s", revision, exam_id)
    for stream in (slow, quick):
        stream.close()


def test_a_cap_that_is_no_number_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="PODIUM_MAX_STREAMS must be a whole number from 1"):
        start_gateway(
            tmp_path,
            mysql_url="mysql://nobody@localhost/podium",
            redis_url="",
            secret=SECRET,
            env={"PODIUM_MAX_STREAMS": "many"},
        )


def test_granian_stops_at_once_with_open_streams(
    gateway_mysql_url: str, redis_server: Server, api: Api, tmp_path: Path
) -> None:
    exam_id = make_exam(api)
    server = start_gateway(
        tmp_path, mysql_url=gateway_mysql_url, redis_url=redis_server.url, secret=SECRET
    )
    try:
        listeners = [Listener(Api(server.url, SECRET), exam_id) for _ in range(5)]
        began = time.monotonic()
    finally:
        server.stop()
    assert time.monotonic() - began < 5
    wait_until(lambda: all(listener.ended for listener in listeners))
    for listener in listeners:
        listener.close()


def test_gunicorn_stops_at_once_with_open_streams(
    gateway_mysql_url: str, redis_server: Server, api: Api, tmp_path: Path
) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    port = kept_port(tmp_path / "port")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PODIUM_")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--threads", "8", "--log-level", "error", "gateway:create_app()"),
        ],
        cwd=ROOT,
        env=inherited
        | {
            "PODIUM_MYSQL_URL": gateway_mysql_url,
            "PODIUM_REDIS_URL": redis_server.url,
            "PODIUM_JWT_SECRET": SECRET,
        },
    )
    try:
        with socket.socket() as probe:
            wait_until(lambda: probe.connect_ex(("127.0.0.1", port)) == 0)
        other = Api(f"http://127.0.0.1:{port}", SECRET)
        listeners = [Listener(other, exam_id) for _ in range(5)]
        revision = post(other, session_id)
        for listener in listeners:
            listener.wait_for(revision)
        other.pool.clear()
    finally:
        began = time.monotonic()
        process.terminate()
        process.wait(60)
    assert time.monotonic() - began < 5
    wait_until(lambda: all(listener.ended for listener in listeners))
    for listener in listeners:
        listener.close()
