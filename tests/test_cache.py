"""The cache is optional and never wrong: Redis stopped, hung and flushed, ETags, misses."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from gateway import cache as cache_module
from gateway.cache import Mark, Page, PageCache
from gateway.config import Config
from gateway.metrics import Metrics
from gateway.submissions import LARGE_CHARACTERS
from services import start_redis
from services.gateway import THREADS
from services.server import ROOT
from tests.client import Answer, Api
from tests.factories import make_exam, make_session, make_user, submission
from tests.own_server import OwnServer
from tests.waiting import wait_until

Query = Callable[..., list[dict[str, Any]]]

# A timeout of 0.2 s for what just hung, and room for a busy machine.
SLOWEST_SEC = 2.0


def flush(own_redis: OwnServer) -> None:
    """Take its memory."""
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()


def lives(own_redis: OwnServer) -> dict[bytes, int]:
    """Return for how many ms each key that is about a board will live."""
    with redis.Redis.from_url(own_redis.url) as client:
        return {key: client.pttl(key) for key in client.keys("podium:exam:*")}


def pages_in(own_redis: OwnServer) -> list[bytes]:
    """Return the names of all pages that are kept."""
    with redis.Redis.from_url(own_redis.url) as client:
        fields = [field for key in lives(own_redis) for field in client.hkeys(key)]
    return [field for field in fields if field.startswith(b"page:")]


@pytest.fixture(scope="module")
def pair(start_api: Callable[..., Api], own_redis: OwnServer) -> list[Api]:
    """Start two gateways that share this Redis."""
    return [
        start_api(f"gateway-cache-{name}", redis_url=own_redis.url, PODIUM_POOL_SIZE="30")
        for name in "ab"
    ]


@dataclass(frozen=True)
class Board:
    """An exam with some candidates on its board."""

    exam_id: int
    users: list[int]
    sessions: list[int]

    def post(self, api: Api, n: int) -> int:
        """Submit something for one of them and return the revision it made."""
        item = submission(self.sessions[n % len(self.sessions)], raw_score=n % 97)
        answer = api.post("/scores", item)
        assert answer.status == 200, answer.text
        return int(answer.json["revision"])

    def answers(self, api: Api) -> list[Any]:
        """Collect what a candidate is answered in all ways of reading, but for `cached`."""
        me = api.as_user(self.users[3])
        exam: dict[str, object] = {"exam_id": self.exam_id}
        asked: list[tuple[str, dict[str, object]]] = [
            ("/leaderboard", exam),
            ("/leaderboard", exam | {"page": 2, "per_page": 3}),
            ("/leaderboard", exam | {"page": 99}),
            ("/leaderboard/around", exam | {"user_id": self.users[3], "window": 2}),
            (f"/leaderboard/entries/{self.users[4]}", exam),
            (f"/exams/{self.exam_id}", {}),
            (f"/sessions/{self.sessions[3]}", {}),
        ]
        found = []
        for path, query in asked:
            began = time.monotonic()
            answer = me.get(path, **query)
            assert time.monotonic() - began < SLOWEST_SEC
            assert answer.status == 200, answer.text
            found.append({k: v for k, v in answer.json.items() if k != "cached"})
        return found


@pytest.fixture
def board(api: Api) -> Board:
    """Make a board of eight, three of them equal."""
    exam_id = make_exam(api)
    users = [make_user(api) for _ in range(8)]
    sessions = [make_session(api, exam_id, user_id) for user_id in users]
    items = [
        submission(session_id, raw_score=max(n, 3) * 10) for n, session_id in enumerate(sessions)
    ]
    assert api.post("/scores/batch", {"submissions": items}).status == 200
    return Board(exam_id, users, sessions)


FAULTS = ["stopped", "hung", "flushed"]


def break_and_mend(
    fault: str, own_redis: OwnServer
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what brings a fault about, and what ends it."""
    return {
        "stopped": (own_redis.stop, own_redis.start),
        "hung": (own_redis.hang, own_redis.resume),
        "flushed": (lambda: flush(own_redis), lambda: None),
    }[fault]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_answer_changes_while_redis_is_away_and_after(
    pair: list[Api], own_redis: OwnServer, board: Board, fault: str
) -> None:
    break_it, mend_it = break_and_mend(fault, own_redis)
    board.answers(pair[0])
    before = board.answers(pair[0])
    break_it()
    try:
        assert board.answers(pair[0]) == board.answers(pair[1]) == before
        revision = board.post(pair[0], 41)
        during = board.answers(pair[0])
        assert during[0]["revision"] == revision
        assert board.answers(pair[1]) == during
    finally:
        mend_it()
    wait_until(lambda: all(is_cached(api, board.exam_id) for api in pair))
    assert board.answers(pair[0]) == board.answers(pair[1]) == during


def is_cached(api: Api, exam_id: int) -> bool:
    """Read a page and tell whether it came from Redis."""
    return bool(api.get("/leaderboard", exam_id=exam_id).json["cached"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_redis_in_the_middle_of_traffic_is_not_seen(
    pair: list[Api], own_redis: OwnServer, board: Board, query: Query, fault: str
) -> None:
    gateway = pair[0]
    break_it, mend_it = break_and_mend(fault, own_redis)
    stop = threading.Event()
    newest, counts = [0], [0, 0]

    def write() -> None:
        while not stop.is_set():
            newest[0] = board.post(gateway, counts[0])
            counts[0] += 1

    def read(n: int) -> None:
        caller = gateway.as_user(board.users[n])
        while not stop.is_set():
            at_least, began = newest[0], time.monotonic()
            answer = caller.get("/leaderboard", exam_id=board.exam_id)
            assert answer.status == 200, answer.text
            assert answer.json["revision"] >= at_least
            assert answer.json["my_entry"] in answer.json["leaderboard"]
            assert time.monotonic() - began < SLOWEST_SEC
            counts[1] += 1

    running: list[Future[None]] = []

    def goes_on() -> Callable[[], bool]:
        writes, reads = counts

        def more() -> bool:
            for thread in running:
                if thread.done():
                    thread.result()
            return counts[0] > writes + 30 and counts[1] > reads + 60

        return more

    with ThreadPoolExecutor(5) as threads:
        running += [threads.submit(write), *(threads.submit(read, n) for n in range(4))]
        try:
            wait_until(goes_on())
            break_it()
            try:
                wait_until(goes_on())
            finally:
                mend_it()
            wait_until(goes_on())
        finally:
            stop.set()
        for thread in running:
            thread.result()
    wait_until(lambda: is_cached(gateway, board.exam_id))
    page = gateway.get("/leaderboard", exam_id=board.exam_id).json
    assert page["revision"] == newest[0]
    truth = query(
        "SELECT user_id, DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS `rank` "
        "FROM exam_sessions WHERE exam_id = %s AND version > 0 ORDER BY `rank`, user_id",
        board.exam_id,
    )
    assert [{name: entry[name] for name in truth[0]} for entry in page["leaderboard"]] == truth


def test_a_gateway_that_lost_redis_tells_the_other_when_it_is_back(
    pair: list[Api], own_redis: OwnServer, board: Board
) -> None:
    assert is_cached(pair[1], board.exam_id) or is_cached(pair[1], board.exam_id)
    own_redis.hang()
    try:
        revision = board.post(pair[0], 55)
    finally:
        own_redis.resume()
    began = time.monotonic()
    wait_until(
        lambda: pair[1].get("/leaderboard", exam_id=board.exam_id).json["revision"] == revision
    )
    assert time.monotonic() - began < 5.5
    wait_until(lambda: all(is_cached(api, board.exam_id) for api in pair))


def test_a_page_comes_from_redis_the_second_time(pair: list[Api], board: Board) -> None:
    asked = {"exam_id": board.exam_id, "per_page": 7}
    pages = [pair[n].get("/leaderboard", **asked).json for n in (0, 0, 1)]
    assert [page.pop("cached") for page in pages] == [False, True, True]
    assert pages[0] == pages[1] == pages[2]


def test_a_submission_ends_what_was_cached(pair: list[Api], board: Board) -> None:
    board.answers(pair[0])
    revision = board.post(pair[0], 1)
    for api, cached in ((pair[1], False), (pair[0], True)):
        page = api.get("/leaderboard", exam_id=board.exam_id).json
        assert (page["revision"], page["cached"]) == (revision, cached)


@pytest.mark.parametrize("change", ["weights", "recalculation", "batch", "large submission"])
def test_every_kind_of_change_ends_what_was_cached(
    pair: list[Api], board: Board, change: str
) -> None:
    board.answers(pair[1])
    if change == "weights":
        body: dict[str, Any] = {"weights": {"coding": 10, "quiz": 10, "assessment": 80}}
        revision = pair[0].patch(f"/exams/{board.exam_id}", body).json["revision"]
    elif change == "recalculation":
        body = {"exam_id": board.exam_id}
        revision = pair[0].post("/leaderboard/recalculate", body).json["revision"]
    elif change == "large submission":
        # One that goes alone, past those that share a call.
        item = submission(board.sessions[0], details={"notes": "x" * LARGE_CHARACTERS})
        revision = pair[0].post("/scores", item).json["revision"]
    else:
        body = {"submissions": [submission(session_id) for session_id in board.sessions]}
        results = pair[0].post("/scores/batch", body).json["results"]
        [revision] = {result["revision"] for result in results}
    assert pair[1].get("/leaderboard", exam_id=board.exam_id).json["revision"] == revision


def test_my_entry_is_the_callers_own_and_of_the_pages_revision(
    pair: list[Api], board: Board
) -> None:
    for turn in range(10):
        revision = board.post(pair[turn % 2], turn * 7)
        for user_id in board.users:
            me = pair[(turn + 1) % 2].as_user(user_id)
            page = me.get("/leaderboard", exam_id=board.exam_id).json
            assert page["revision"] == revision
            assert page["my_entry"]["user_id"] == user_id
            assert page["my_entry"] in page["leaderboard"]
        assert pair[0].get("/leaderboard", exam_id=board.exam_id).json["my_entry"] is None


def test_an_answer_carries_a_weak_etag_and_is_the_callers_own(
    pair: list[Api], board: Board
) -> None:
    for _ in "from MySQL", "from Redis":
        answer = pair[0].get("/leaderboard", exam_id=board.exam_id)
        assert re.fullmatch(f'W/"{answer.json["revision"]}-[0-9a-f]{{16}}"', answer.headers["ETag"])
        assert "Authorization" in answer.headers["Vary"]
        assert "private" in answer.headers["Cache-Control"]


def conditional(api: Api, exam_id: int, known: str) -> Answer:
    """Ask for a page, saying which one is known."""
    return api.request(
        "GET", "/leaderboard", query={"exam_id": exam_id}, headers={"If-None-Match": known}
    )


def etag(api: Api, exam_id: int) -> str:
    """Return the tag of a board's first page as it stands."""
    return str(api.get("/leaderboard", exam_id=exam_id).headers["ETag"])


@pytest.mark.parametrize(
    "known",
    ['W/"{}"', '"{}"', '"x", W/"{}"', 'W/"0","{}" , "y"', "*"],
)
def test_a_page_that_is_known_is_304(pair: list[Api], board: Board, known: str) -> None:
    board.post(pair[0], 3)
    tag = etag(pair[0], board.exam_id)
    for caller in (pair[0], pair[1].as_user(board.users[0])):
        answer = conditional(caller, board.exam_id, known.format(tag.strip('W/"')))
        assert (answer.status, answer.text) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Authorization" in answer.headers["Vary"]


@pytest.mark.parametrize("known", ['W/"0"', '""', "garbage", '"', "W/", ",,,", "x" * 5000, '"*"'])
def test_a_page_that_is_not_known_is_answered(pair: list[Api], board: Board, known: str) -> None:
    answer = conditional(pair[0], board.exam_id, known)
    assert (answer.status, len(answer.json["leaderboard"])) == (200, 8)


def test_what_was_known_is_out_of_date_after_a_submission(pair: list[Api], board: Board) -> None:
    board.post(pair[0], 3)
    known = etag(pair[0], board.exam_id)
    assert conditional(pair[1], board.exam_id, known).status == 304
    board.post(pair[0], 4)
    assert conditional(pair[1], board.exam_id, known).status == 200


def test_a_replay_brings_nothing_old_back(
    pair: list[Api], board: Board, own_redis: OwnServer
) -> None:
    item = submission(board.sessions[0], submission_id=f"early {board.exam_id}")
    pair[0].post("/scores", item)
    early = etag(pair[0], board.exam_id)
    board.post(pair[0], 5)
    flush(own_redis)
    assert pair[0].post("/scores", item).json["replayed"]
    # The only revision that Redis knows of now is the replay's.
    assert conditional(pair[0], board.exam_id, early).status == 200


def test_a_board_that_does_not_exist_is_known_to_nobody(api: Api) -> None:
    assert conditional(api, 999999999, "*").status == 404


def test_a_change_by_a_direct_call_is_seen_within_five_seconds(
    pair: list[Api], board: Board, query: Query
) -> None:
    page = pair[0].get("/leaderboard", exam_id=board.exam_id).json
    assert is_cached(pair[0], board.exam_id)
    query("CALL submit_score(%s, 'quiz', 100, 100, 1, NULL, NULL, NULL, NULL)", board.sessions[0])
    known, began = etag(pair[0], board.exam_id), time.monotonic()
    wait_until(lambda: conditional(pair[0], board.exam_id, known).status == 200)
    assert time.monotonic() - began < 5.5
    assert pair[1].get("/leaderboard", exam_id=board.exam_id).json["revision"] > page["revision"]


def test_concurrent_misses_of_a_page_load_it_once(
    pair: list[Api], board: Board, query: Query, connect: Callable[..., Any]
) -> None:
    board.post(pair[0], 5)

    def loads() -> int:
        [row] = query(
            "SELECT COALESCE(SUM(count_star), 0) AS n "
            "FROM performance_schema.events_statements_summary_by_program "
            "WHERE object_schema = 'podium' AND object_name = 'view_leaderboard'"
        )
        return int(row["n"])

    def waiting() -> int:
        [row] = query(
            "SELECT COUNT(*) AS n FROM performance_schema.processlist "
            "WHERE state = 'Waiting for table metadata lock'"
        )
        return int(row["n"])

    before = loads()
    locker = connect().cursor()
    # Holds whoever reads the board, until all have come.
    locker.execute("LOCK TABLES podium.leaderboard_snapshot WRITE")
    with ThreadPoolExecutor(16) as threads:
        readers = [
            threads.submit(pair[0].get, "/leaderboard", exam_id=board.exam_id) for _ in range(16)
        ]
        wait_until(lambda: waiting() >= 1)
        for _ in range(20):
            pair[0].get("//healthz")
        together = waiting()
        locker.execute("UNLOCK TABLES")
        answers = [reader.result() for reader in readers]
    assert together == 1
    assert [answer.status for answer in answers] == [200] * 16
    assert len({answer.json["revision"] for answer in answers}) == 1
    assert loads() == before + 1


# Below, PageCache itself.

BOARD, NAME = 1, "1:50"


@pytest.fixture
def caches(own_redis: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PageCache]]:
    """Make the caches of two processes."""
    monkeypatch.setattr(cache_module, "PAUSE_SEC", 0.01)
    flush(own_redis)
    made = [PageCache(Config(mysql_url="", redis_url=own_redis.url), Metrics()) for _ in range(2)]
    yield made
    for cache in made:
        cache.close()


def fetch(cache: PageCache, load: Callable[[], Page]) -> tuple[Page, bool]:
    """Look and fetch, as the gateway does."""
    return cache.fetch(cache.look(BOARD, NAME), load)


def mark(revision: int) -> Mark:
    """Return the mark of a revision, of which each is a second later than the one before it."""
    return Mark(revision * 1_000_000, revision)


def page_of(revision: int) -> Callable[[], Page]:
    """Return what loads a page of a revision."""
    return lambda: Page(mark(revision), "0" * 16, f'{{"revision": {revision}}}'.encode())


def never() -> Page:
    """Stand for a load that must not happen."""
    raise AssertionError("the page was loaded")


def test_a_page_once_loaded_is_everybodys(caches: list[PageCache]) -> None:
    assert fetch(caches[0], page_of(5)) == (page_of(5)(), False)
    assert fetch(caches[1], never) == (page_of(5)(), True)


def test_pages_of_other_boards_and_other_numbers_are_others(caches: list[PageCache]) -> None:
    fetch(caches[0], page_of(5))
    sight = caches[0].look(BOARD, "2:50")
    assert caches[0].fetch(sight, page_of(5)) == (page_of(5)(), False)
    assert caches[0].look(BOARD + 1, NAME).mark is None


def test_a_published_revision_is_in_sight_of_all(caches: list[PageCache]) -> None:
    caches[0].publish(BOARD, mark(7))
    assert caches[1].look(BOARD, NAME).mark == mark(7)


def test_a_revision_never_goes_backwards(caches: list[PageCache]) -> None:
    caches[0].publish(BOARD, mark(10))
    caches[1].publish(BOARD, mark(9))
    assert caches[0].look(BOARD, NAME).mark == mark(10)


def test_a_slow_reader_never_moves_the_revision_backwards(caches: list[PageCache]) -> None:
    def overtaken() -> Page:
        caches[1].publish(BOARD, mark(6))
        return page_of(5)()

    fetch(caches[0], overtaken)
    assert caches[1].look(BOARD, NAME).mark == mark(6)
    assert fetch(caches[1], page_of(6)) == (page_of(6)(), False)


@pytest.mark.parametrize("new_epoch", [False, True])
def test_what_was_read_before_redis_lost_its_memory_is_not_stored(
    caches: list[PageCache], own_redis: OwnServer, new_epoch: bool
) -> None:
    def interrupted() -> Page:
        flush(own_redis)
        if new_epoch:
            caches[1].look(BOARD, NAME)
        return page_of(5)()

    assert fetch(caches[0], interrupted) == (page_of(5)(), False)
    assert caches[1].look(BOARD, NAME).page is None
    assert fetch(caches[1], page_of(6)) == (page_of(6)(), False)


def test_nothing_is_kept_longer_than_its_time_to_live(
    caches: list[PageCache], own_redis: OwnServer
) -> None:
    fetch(caches[0], page_of(5))
    caches[0].publish(BOARD, mark(5))
    kept = lives(own_redis)
    assert len(kept) == 1
    assert all(0 < life <= 5000 for life in kept.values())


def test_a_load_that_took_longer_than_the_time_to_live_is_not_stored(
    own_redis: OwnServer,
) -> None:
    cache = PageCache(Config(mysql_url="", redis_url=own_redis.url, cache_ttl_sec=0.02), Metrics())
    began = time.monotonic()

    def slow() -> Page:
        wait_until(lambda: time.monotonic() > began + 0.05)
        return page_of(5)()

    flush(own_redis)
    assert fetch(cache, slow) == (page_of(5)(), False)
    assert pages_in(own_redis) == []
    cache.close()


def test_nobody_is_shown_less_than_a_page_that_was_too_slow_to_be_stored(
    own_redis: OwnServer,
) -> None:
    config = Config(mysql_url="", redis_url=own_redis.url, cache_ttl_sec=1)
    slow, quick = (PageCache(config, Metrics()) for _ in range(2))
    flush(own_redis)

    def overtaken() -> Page:
        wait_until(lambda: lives(own_redis) == {})
        assert fetch(quick, page_of(5)) == (page_of(5)(), False)
        # Now somebody commits, and does not publish it: a DBA, or a gateway that was killed.
        return page_of(6)()

    assert fetch(slow, overtaken) == (page_of(6)(), False)
    assert fetch(quick, page_of(6)) == (page_of(6)(), False)
    for cache in (slow, quick):
        cache.close()


def test_a_revision_that_is_read_before_it_is_published_is_told(
    caches: list[PageCache], own_redis: OwnServer
) -> None:
    with redis.Redis.from_url(own_redis.url) as client, client.pubsub() as channel:
        channel.subscribe(cache_module.CHANNEL)
        assert channel.get_message(timeout=5)["type"] == "subscribe"
        fetch(caches[0], page_of(6))
        caches[1].publish(BOARD, mark(6))
        assert channel.get_message(timeout=5)["data"] == b"%d 6000000 6" % BOARD
        caches[1].publish(BOARD, mark(7))
        # Once each.
        assert channel.get_message(timeout=5)["data"] == b"%d 7000000 7" % BOARD


def test_what_a_redis_that_hung_is_told_to_store_late_is_not_stored(own_redis: OwnServer) -> None:
    cache = PageCache(Config(mysql_url="", redis_url=own_redis.url, cache_ttl_sec=0.5), Metrics())
    fetch(cache, page_of(4))  # From now on Redis knows the script.
    flush(own_redis)

    def hung() -> Page:
        with redis.Redis.from_url(own_redis.url) as client:
            client.config_resetstat()
        own_redis.hang()
        return page_of(5)()

    try:
        assert fetch(cache, hung) == (page_of(5)(), False)
        # The script waits in Redis; what was published since may have lived its time.
        stored = time.monotonic()
        wait_until(lambda: time.monotonic() > stored + 0.6)
    finally:
        own_redis.resume()
    with redis.Redis.from_url(own_redis.url) as client:
        wait_until(lambda: client.info("commandstats").get("cmdstat_evalsha") is not None)
    assert pages_in(own_redis) == []
    cache.close()


@pytest.fixture
def patient(own_redis: OwnServer) -> Iterator[list[PageCache]]:
    """Make the caches of two processes that forget nothing while a test lasts."""
    flush(own_redis)
    config = Config(
        mysql_url="", redis_url=own_redis.url, cache_ttl_sec=600, redis_timeout_sec=SLOWEST_SEC
    )
    made = [PageCache(config, Metrics()) for _ in range(2)]
    yield made
    for cache in made:
        cache.close()
    flush(own_redis)


def test_a_snapshot_of_redis_is_not_believed(
    patient: list[PageCache], own_redis: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "PAUSE_SEC", 0.01)
    fetch(patient[0], page_of(5))
    with redis.Redis.from_url(own_redis.url) as client:
        client.save()
    patient[0].publish(BOARD, mark(6))
    own_redis.kill()
    own_redis.start()
    assert list(lives(own_redis)) == [b"podium:exam:%d" % BOARD]
    try:
        wait_until(lambda: patient[1].look(BOARD, NAME).memory is not None)
        assert patient[1].look(BOARD, NAME).mark is None
        assert fetch(patient[1], page_of(6)) == (page_of(6)(), False)
    finally:
        flush(own_redis)
        with redis.Redis.from_url(own_redis.url) as client:
            client.save()


def test_what_was_looked_for_before_a_snapshot_is_not_stored_after_it(
    patient: list[PageCache], own_redis: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "PAUSE_SEC", 0.01)

    def restarted() -> Page:
        with redis.Redis.from_url(own_redis.url) as client:
            client.save()
        patient[1].publish(BOARD, mark(6))
        own_redis.kill()
        own_redis.start()
        return page_of(5)()

    try:
        assert fetch(patient[0], restarted) == (page_of(5)(), False)
        assert pages_in(own_redis) == []
    finally:
        flush(own_redis)
        with redis.Redis.from_url(own_redis.url) as client:
            client.save()


@pytest.fixture
def replica(own_redis: OwnServer, tmp_path: Path) -> Iterator[OwnServer]:
    """Start a replica that has all that Redis has."""
    server = OwnServer(start_redis, tmp_path, "redis", "redis")
    address = urlsplit(own_redis.url)
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
    with redis.Redis.from_url(server.url) as client:
        client.replicaof(address.hostname, address.port)
        wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        yield server
    server.stop()


def test_a_replica_is_not_asked_and_as_the_new_primary_not_believed(
    patient: list[PageCache], replica: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "PAUSE_SEC", 0)
    fetch(patient[0], page_of(5))
    config = Config(mysql_url="", redis_url=replica.url, cache_ttl_sec=600)
    moved = PageCache(config, Metrics())
    with redis.Redis.from_url(replica.url) as client:
        wait_until(lambda: bool(client.hget(f"podium:exam:{BOARD}", f"page:{NAME}")))
        assert moved.look(BOARD, NAME).memory is None
        client.replicaof("no", "one")
    patient[0].publish(BOARD, mark(6))
    # Behind: it never heard of 6.
    assert moved.look(BOARD, NAME).mark is None
    assert fetch(moved, page_of(6)) == (page_of(6)(), False)
    assert fetch(moved, never) == (page_of(6)(), True)
    moved.close()


def test_a_primary_that_was_made_a_replica_is_left_alone(
    patient: list[PageCache], own_redis: OwnServer, replica: OwnServer
) -> None:
    fetch(patient[0], page_of(5))
    address = urlsplit(replica.url)
    with (
        redis.Redis.from_url(own_redis.url) as old,
        redis.Redis.from_url(replica.url) as new,
    ):
        wait_until(lambda: bool(new.hget(f"podium:exam:{BOARD}", f"page:{NAME}")))
        new.config_set("repl-diskless-sync-delay", 0)
        new.replicaof("no", "one")
        old.replicaof(address.hostname, address.port)
        try:
            wait_until(lambda: old.info("replication")["master_link_status"] == "up")
            assert old.hget(f"podium:exam:{BOARD}", f"page:{NAME}")
            assert fetch(patient[1], page_of(6)) == (page_of(6)(), False)
        finally:
            old.replicaof("no", "one")


@pytest.mark.parametrize("lost", ["evicted", "expired"])
def test_what_was_looked_for_before_a_mark_was_lost_is_not_stored(
    patient: list[PageCache], own_redis: OwnServer, lost: str
) -> None:
    patient[1].publish(BOARD, mark(4))

    def overtaken() -> Page:
        patient[1].publish(BOARD, mark(6))
        with redis.Redis.from_url(own_redis.url) as client:
            if lost == "evicted":
                client.delete(f"podium:exam:{BOARD}")
            else:
                # As long ago as a mark lives.
                told_at = int(client.hget(f"podium:exam:{BOARD}", "told_at") or 0)
                client.hset(f"podium:exam:{BOARD}", "told_at", told_at - 600_000)
        return page_of(5)()

    assert fetch(patient[0], overtaken) == (page_of(5)(), False)
    assert pages_in(own_redis) == []
    assert fetch(patient[1], page_of(6)) == (page_of(6)(), False)


GARBAGE = [b"", b"x", b"-1", b"nan", b"inf", b"1e9", b"0x10", b"9" * 30, b"\xff\x00", b"5 5 5"]


@pytest.mark.parametrize("field", ["memory", "told_at", "changed", "revision", f"page:{NAME}"])
def test_a_field_that_makes_no_sense_is_not_believed(
    patient: list[PageCache], own_redis: OwnServer, field: str
) -> None:
    for garbage in GARBAGE:
        fetch(patient[0], page_of(5))
        assert fetch(patient[0], never) == (page_of(5)(), True)
        with redis.Redis.from_url(own_redis.url) as client:
            assert client.hset(f"podium:exam:{BOARD}", field, garbage) == 0
        assert fetch(patient[1], page_of(5)) == (page_of(5)(), False)
        flush(own_redis)


@pytest.mark.parametrize("damage", ["cut", "changed", "of another revision"])
def test_a_page_that_was_damaged_is_not_served(
    patient: list[PageCache], own_redis: OwnServer, damage: str
) -> None:
    fetch(patient[0], page_of(5))
    with redis.Redis.from_url(own_redis.url) as client:
        kept = client.hget(f"podium:exam:{BOARD}", f"page:{NAME}") or b""
        if damage == "of another revision":
            client.hset(f"podium:exam:{BOARD}", "revision", 6)
        else:
            other = kept[:-9] if damage == "cut" else kept.replace(b"revision", b"REVISION")
            client.hset(f"podium:exam:{BOARD}", f"page:{NAME}", other)
    assert fetch(patient[1], page_of(6)) == (page_of(6)(), False)


@pytest.mark.parametrize("field", ["told_at", f"page:{NAME}"])
def test_a_moment_in_the_future_is_one_before_the_clock_went_back(
    patient: list[PageCache], own_redis: OwnServer, field: str
) -> None:
    fetch(patient[0], page_of(5))
    with redis.Redis.from_url(own_redis.url) as client:
        kept = client.hget(f"podium:exam:{BOARD}", field) or b""
        moment, blank, rest = kept.partition(b" ")
        later = b"%d" % (int(moment) + 3_600_000)
        client.hset(f"podium:exam:{BOARD}", field, later + blank + rest)
    assert fetch(patient[1], page_of(6)) == (page_of(6)(), False)


@pytest.mark.parametrize("kind", ["string", "list", "set", "zset", "stream", "hash"])
def test_a_key_of_another_kind_is_replaced(
    pair: list[Api], board: Board, own_redis: OwnServer, kind: str
) -> None:
    before = board.answers(pair[0])
    with redis.Redis.from_url(own_redis.url) as client:
        keys = list(lives(own_redis))
        assert keys
        for key in keys:
            client.delete(key)
            {
                "string": lambda key: client.set(key, b"\xff"),
                "list": lambda key: client.rpush(key, "x"),
                "set": lambda key: client.sadd(key, "x"),
                "zset": lambda key: client.zadd(key, {"x": 1}),
                "stream": lambda key: client.xadd(key, {"x": "y"}),
                "hash": lambda key: client.hset(key, "revision", "x"),
            }[kind](key)
    assert board.answers(pair[0]) == board.answers(pair[1]) == before
    assert is_cached(pair[0].as_user(board.users[3]), board.exam_id)
    revision = board.post(pair[1], 7)
    assert pair[0].get("/leaderboard", exam_id=board.exam_id).json["revision"] == revision


def test_a_user_of_redis_with_these_rights_is_enough(
    own_redis: OwnServer, patient: list[PageCache]
) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rights = re.search(r"needs `([^`]+)` on `([^`]+)` and\s`([^`]+)`", " ".join(page.split()))
    assert rights
    with redis.Redis.from_url(own_redis.url) as client:
        words = " ".join(rights.groups()).split()
        client.execute_command("ACL", "SETUSER", "few", "on", ">word", "-@all", *words)
        try:
            url = own_redis.url.replace("redis://", "redis://few:word@")
            limited = PageCache(Config(mysql_url="", redis_url=url, cache_ttl_sec=600), Metrics())
            fetch(limited, page_of(5))
            assert fetch(limited, never) == (page_of(5)(), True)
            limited.publish(BOARD, mark(6))
            assert patient[0].look(BOARD, NAME).mark == mark(6)
            limited.close()
        finally:
            client.execute_command("ACL", "DELUSER", "few")


def restored(revision: int) -> Mark:
    """Return the mark of a revision that was made after a dump was restored, an hour later."""
    return Mark(mark(revision).changed_us + 3_600_000_000, revision)


def test_the_first_change_after_a_restore_ends_what_was_known(patient: list[PageCache]) -> None:
    fetch(patient[0], page_of(10))
    patient[1].publish(BOARD, restored(3))
    assert patient[0].look(BOARD, NAME).mark == restored(3)
    page = Page(restored(3), "1" * 16, b"{}")
    assert fetch(patient[0], lambda: page) == (page, False)
    # Told again of the old history, by a gateway that could not tell it before.
    patient[1].publish(BOARD, mark(10))
    assert fetch(patient[1], never) == (page, True)


def test_until_a_change_after_a_restore_pages_are_read_and_nobody_waits_for_ever(
    patient: list[PageCache],
) -> None:
    cache = patient[0]
    cache.publish(BOARD, mark(10))
    loads = list[int]()

    def waiting() -> int:
        [flight] = cache._flights.values()
        return len(flight.page._condition._waiters)  # type: ignore[attr-defined]  # of threading

    def old() -> Page:
        loads.append(1)
        if len(loads) <= 2:
            others = 8 - len(loads)
            wait_until(lambda: waiting() == others)
        return page_of(2)()

    with ThreadPoolExecutor(8) as threads:
        fetched = [threads.submit(fetch, cache, old) for _ in range(8)]
        assert [future.result() for future in fetched] == [(page_of(2)(), False)] * 8
    # The first one began before the others came.
    assert len(loads) == 2


def test_those_who_miss_together_load_once(caches: list[PageCache]) -> None:
    cache, go, loads = caches[0], threading.Event(), list[int]()

    def load() -> Page:
        loads.append(1)
        go.wait(10)
        return page_of(5)()

    with ThreadPoolExecutor(8) as threads:
        fetched = [threads.submit(fetch, cache, load) for _ in range(8)]
        wait_until(lambda: bool(loads))
        go.set()
        pages = [future.result()[0] for future in fetched]
    assert (pages, len(loads)) == ([page_of(5)()] * 8, 1)


def test_whoever_knows_of_a_newer_revision_does_not_join_an_older_load(
    caches: list[PageCache],
) -> None:
    cache, began, go = caches[0], threading.Event(), threading.Event()

    def old() -> Page:
        began.set()
        go.wait(10)
        return page_of(1)()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fetch, cache, old)
        began.wait(10)
        caches[1].publish(BOARD, mark(2))
        second = threads.submit(fetch, cache, page_of(2))
        go.set()
        assert first.result()[0].revision == 1
        assert second.result()[0].revision == 2


def test_a_load_that_fails_fails_for_nobody_else(caches: list[PageCache]) -> None:
    cache, began, go = caches[0], threading.Event(), threading.Event()

    def failing() -> Page:
        began.set()
        go.wait(10)
        raise OSError

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fetch, cache, failing)
        began.wait(10)
        second = threads.submit(fetch, cache, page_of(3))
        go.set()
        with pytest.raises(OSError):
            first.result()
        assert second.result() == (page_of(3)(), False)
    assert fetch(cache, page_of(4))[0].revision in (3, 4)


def test_without_redis_every_page_is_loaded(caches: list[PageCache]) -> None:
    cache = PageCache(Config(mysql_url="", redis_url=None), Metrics())
    cache.publish(BOARD, mark(9))
    assert cache.look(BOARD, NAME).mark is None
    for revision in (1, 2):
        assert fetch(cache, page_of(revision)) == (page_of(revision)(), False)
    cache.close()


def test_a_revision_that_redis_did_not_take_is_published_when_it_is_back(
    caches: list[PageCache], own_redis: OwnServer
) -> None:
    fetch(caches[1], page_of(5))
    own_redis.stop()
    try:
        caches[0].publish(BOARD, mark(6))
        caches[0].publish(BOARD, mark(4))  # As a replay does.
        assert caches[0].look(BOARD, NAME).mark is None
    finally:
        own_redis.start()
    wait_until(lambda: caches[1].look(BOARD, NAME).memory is not None)
    wait_until(lambda: caches[0].look(BOARD + 1, NAME).memory is not None)
    with ThreadPoolExecutor(8) as threads:
        sights = list(threads.map(lambda _: caches[0].look(BOARD, NAME), range(8)))
    # Of those that Redis answered, each.
    assert {sight.mark for sight in sights if sight.memory is not None} == {mark(6)}
    assert caches[1].look(BOARD, NAME).mark == mark(6)


def test_all_threads_of_a_gateway_may_ask_at_once(own_redis: OwnServer) -> None:
    config = Config(mysql_url="", redis_url=own_redis.url, redis_timeout_sec=30)
    cache, count = PageCache(config, Metrics()), THREADS + config.max_streams
    assert cache._redis is not None
    connections = cache._redis.connection_pool._in_use_connections
    with ThreadPoolExecutor(count) as threads:
        own_redis.hang()
        try:
            told = [threads.submit(cache.publish, BOARD, mark(n)) for n in range(count)]
            wait_until(lambda: sum(each.done() for each in told) + len(connections) == count)
        finally:
            own_redis.resume()
    assert cache._untold == {}
    cache.close()


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(
    caches: list[PageCache], own_redis: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "PAUSE_SEC", 30)
    own_redis.hang()
    try:
        began = time.monotonic()
        for revision in range(20):
            assert fetch(caches[0], page_of(revision)) == (page_of(revision)(), False)
            caches[0].publish(BOARD, mark(revision))
        assert time.monotonic() - began < 1
    finally:
        own_redis.resume()
