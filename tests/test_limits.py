"""Who calls too often is told so, nobody else is, and Redis is not needed for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import limits
import pytest
import redis
from flask import Flask
from limits.storage import RedisStorage

from gateway import openapi
from gateway.config import Config, ConfigError
from gateway.limits import (
    MAX_CALLERS,
    Counter,
    LimitedTokens,
    SharedCounts,
    _storage,
    init_app,
    network_of,
)
from services.gateway import THREADS, start_gateway
from services.server import Server
from tests.client import Answer, Api
from tests.conftest import SECRET
from tests.own_server import OwnServer
from tests.waiting import wait_until

# Windows by the clock: a year holds all requests of a test.
FEW = "5 per year"
YEAR_SEC = limits.parse(FEW).get_expiry()
SLOWEST_SEC = 2.0


@pytest.fixture(scope="module")
def pair(start_api: Callable[..., Api], own_redis: OwnServer) -> list[Api]:
    """Start two gateways that share a Redis and let few requests pass."""
    return [
        start_api(
            f"gateway-limits-{name}",
            redis_url=own_redis.url,
            PODIUM_RATE_LIMIT_CANDIDATE=FEW,
            PODIUM_RATE_LIMIT_STAFF="100 per year",
            PODIUM_RATE_LIMIT_ANONYMOUS=FEW,
        )
        for name in "ab"
    ]


@pytest.fixture(scope="module")
def behind_proxy(start_api: Callable[..., Api]) -> Api:
    """Start a gateway that believes one proxy."""
    return start_api(
        "gateway-limits-proxy", PODIUM_RATE_LIMIT_ANONYMOUS="2 per year", PODIUM_TRUSTED_PROXIES="1"
    )


@pytest.fixture(autouse=True)
def fresh(own_redis: OwnServer) -> Iterator[None]:
    """Let no test leave Redis stopped."""
    yield
    own_redis.start()


_candidates = iter(range(10**9, 10**10))


def candidate(api: Api) -> Api:
    """Return a gateway, called by a candidate who has not called yet."""
    return api.as_user(next(_candidates))


def statuses(api: Api, times: int) -> list[int]:
    return [api.get("/exams").status for _ in range(times)]


def test_of_requests_at_once_as_many_pass_as_the_limit_says(pair: list[Api]) -> None:
    someone = candidate(pair[0])
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: someone.get("/exams").status, range(8)))
    assert sorted(answers) == [200] * 5 + [429] * 3


def assert_too_often(answer: Answer) -> None:
    """Assert that a request was refused, in words and numbers to act by."""
    assert (answer.status, answer.code) == (429, "rate_limited"), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    left_sec = YEAR_SEC - time.time() % YEAR_SEC
    # Asked a moment ago.
    assert left_sec <= int(answer.headers["Retry-After"]) <= left_sec + 60
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]


def test_a_candidate_who_calls_too_often_is_refused(pair: list[Api]) -> None:
    caller = candidate(pair[0])
    assert statuses(caller, 5) == [200] * 5
    assert_too_often(caller.get("/exams"))


def test_every_call_of_a_candidate_counts(pair: list[Api]) -> None:
    caller = candidate(pair[0])
    assert caller.get("/sessions/999999999999").status == 404
    assert caller.post("/scores", {}).status == 422
    assert caller.post("/users", {}).status == 403
    assert statuses(caller, 3) == [200, 200, 429]


def test_a_refused_submission_changes_nothing(
    pair: list[Api], row_counts: Callable[[], dict[str, int]]
) -> None:
    caller = candidate(pair[0])
    statuses(caller, 5)
    before = row_counts()
    body = {"exam_id": 1, "user_id": caller.user_id}
    assert_too_often(caller.post("/sessions", body))
    assert row_counts() == before


def test_candidates_do_not_use_up_each_others_limit(pair: list[Api]) -> None:
    assert statuses(candidate(pair[0]), 6)[-1] == 429
    assert statuses(candidate(pair[0]), 5) == [200] * 5


def test_a_new_token_is_no_new_limit(pair: list[Api]) -> None:
    caller = candidate(pair[0])
    for second in range(6):
        last = caller.as_user(caller.user_id).get("/exams", nothing=second)
    assert last.status == 429


def test_gateways_share_the_limit_of_a_candidate(pair: list[Api]) -> None:
    here, there = candidate(pair[0]), pair[1]
    there = there.as_user(here.user_id)
    assert [api.get("/exams").status for api in (here, there) * 3] == [200] * 5 + [429]


def test_staff_has_no_limit_unless_configured(api: Api, pair: list[Api]) -> None:
    free = api.get("/exams")
    assert not [name for name in free.headers if name.lower().startswith("ratelimit")]
    limited = pair[0].as_user(next(_candidates), "moderator").get("/exams")
    assert limited.headers["RateLimit-Limit"] == "100"


def test_an_answer_tells_what_is_left(pair: list[Api]) -> None:
    caller = candidate(pair[0])
    left = [caller.get("/exams").headers["RateLimit-Remaining"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    answer = caller.get("/exams")
    assert answer.headers["RateLimit-Limit"] == "5"
    assert_too_often(answer)


def test_callers_without_a_valid_token_share_the_limit_of_their_address(
    start_api: Callable[..., Api],
) -> None:
    api = start_api("gateway-limits-anonymous", PODIUM_RATE_LIMIT_ANONYMOUS="3 per year")
    nobody, forger = api.with_token(""), api.with_token("x.y.z")
    assert [nobody.get("/exams").status, forger.get("/exams").status] == [401, 401]
    assert nobody.post("/scores", {}).headers["RateLimit-Remaining"] == "0"
    assert_too_often(forger.get("/exams"))
    # Those behind the same address who have a token go on.
    assert api.get("/exams").status == 200
    assert candidate(api).get("/exams").status == 200
    # So do those who watch the gateway.
    for path in ("//healthz", "//readyz", "//openapi.json"):
        assert statuses_of(nobody, path, 4) == [200] * 4
    # A forged address is not believed.
    forged = nobody.request("GET", "/exams", headers={"X-Forwarded-For": "192.0.2.7"})
    assert_too_often(forged)


def statuses_of(api: Api, path: str, times: int) -> list[int]:
    return [api.get(path).status for _ in range(times)]


def from_address(api: Api, forwarded: str) -> int:
    headers = {"X-Forwarded-For": forwarded}
    return api.with_token("").request("GET", "/exams", headers=headers).status


def test_behind_a_proxy_the_address_is_the_one_it_saw(behind_proxy: Api) -> None:
    assert [from_address(behind_proxy, "192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert from_address(behind_proxy, "192.0.2.2") == 401


def test_what_a_client_forges_stands_before_what_the_proxy_saw(behind_proxy: Api) -> None:
    sent = [from_address(behind_proxy, f"198.51.100.{n}, 192.0.2.3") for n in range(3)]
    assert sent == [401, 401, 429]


def test_the_addresses_of_one_subscriber_are_one(behind_proxy: Api) -> None:
    sent = [from_address(behind_proxy, f"2001:db8:0:7::{n}") for n in (1, 2, 3)]
    assert sent == [401, 401, 429]
    assert from_address(behind_proxy, "2001:db8:0:8::1") == 401


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_counts_with_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("fault", ["stopped", "hung", "flushed"])
def test_without_redis_each_gateway_counts_alone(
    pair: list[Api], own_redis: OwnServer, fault: str
) -> None:
    caller = candidate(pair[0])
    assert statuses(caller, 2) == [200, 200]
    if fault == "stopped":
        own_redis.stop()
    elif fault == "hung":
        own_redis.hang()
    else:
        with redis.Redis.from_url(own_redis.url) as client:
            client.flushall()
    try:
        found = []
        for _ in range(4):
            began = time.monotonic()
            found.append(caller.get("/exams").status)
            assert time.monotonic() - began < SLOWEST_SEC
        assert found == [200, 200, 200, 429]
    finally:
        if fault == "hung":
            own_redis.resume()


def test_without_any_redis_there_are_limits(tmp_path: Path, gateway_mysql_url: str) -> None:
    server = start_gateway(
        tmp_path,
        mysql_url=gateway_mysql_url,
        redis_url="",
        secret=SECRET,
        env={"PODIUM_RATE_LIMIT_CANDIDATE": FEW},
    )
    with server:
        assert statuses(candidate(Api(server.url, SECRET)), 6) == [200] * 5 + [429]


def counter(url: str | None, notation: str, kind: str = "tests") -> Counter:
    """Return the counter of one gateway."""
    storage = None if url is None else RedisStorage(url)
    return Counter(kind, limits.parse(notation), SharedCounts(storage))


def passed(counters: list[Counter], who: str, times: int) -> int:
    """Return how many requests pass, sent through some gateways in turn."""
    return sum(counters[n % len(counters)].spend(who).remaining >= 0 for n in range(times))


def test_a_gateway_asks_redis_once_for_a_twentieth_of_the_limit(redis_server: Server) -> None:
    alone = counter(redis_server.url, "600 per year", "round-trips")
    with redis.Redis.from_url(redis_server.url) as client:
        before = client.info("commandstats").get("cmdstat_incrby", {}).get("calls", 0)
        assert passed([alone], "a", 700) == 600
        calls = client.info("commandstats")["cmdstat_incrby"]["calls"] - before
    assert calls == 700 // 30


def test_gateways_together_let_little_too_much_through(redis_server: Server) -> None:
    several = [counter(redis_server.url, "600 per year", "together") for _ in range(3)]
    assert 600 <= passed(several, "a", 1500) <= 600 + 3 * 30


def test_concurrent_requests_are_all_counted(redis_server: Server) -> None:
    two = [counter(redis_server.url, "400 per year", "concurrent") for _ in range(2)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: two[n % 2].spend("a"), range(1000)))
    assert sum(each._uses["a"].here for each in two) == 1000
    with redis.Redis.from_url(redis_server.url) as client:
        [key] = [key for key in client.scan_iter("*/concurrent/a/*")]
        assert int(client.get(key) or 0) == sum(each._uses["a"].told for each in two)
    # Both know of the other by now.
    assert passed(two, "a", 2) == 0


def test_what_redis_did_not_take_it_is_told_later(own_redis: OwnServer) -> None:
    here, there = (counter(own_redis.url, FEW, "told-later") for _ in range(2))
    own_redis.stop()
    assert passed([here], "a", 3) == 3
    own_redis.start()
    here._shared._silent_until = 0.0
    assert passed([here], "a", 1) == 1
    assert passed([there], "a", 3) == 1


def test_all_threads_of_a_gateway_may_count_at_once(own_redis: OwnServer) -> None:
    config = Config(mysql_url="", redis_url=own_redis.url, redis_timeout_sec=30)
    storage, count = _storage(config), THREADS + config.max_streams
    assert isinstance(storage, RedisStorage)
    shared, connections = SharedCounts(storage), storage.storage.connection_pool
    shared.add("before", 1, 1)  # From now on Redis knows the script.
    with ThreadPoolExecutor(count) as threads:
        own_redis.hang()
        try:
            told = [threads.submit(shared.add, "many", 1, 100) for _ in range(count)]
            wait_until(
                lambda: (
                    sum(each.done() for each in told) + len(connections._in_use_connections)
                    == count
                )
            )
        finally:
            own_redis.resume()
        assert sorted(each.result() or 0 for each in told) == list(range(1, count + 1))


def test_the_next_window_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [600.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    alone = counter(None, "2 per minute")
    assert passed([alone], "a", 3) == 2
    clock[0] = 659.9
    assert alone.spend("a").reset_after_sec == 1
    assert passed([alone], "a", 1) == 0
    clock[0] = 660.0
    assert passed([alone], "a", 3) == 2


def test_a_flood_of_addresses_takes_no_memory_without_bound() -> None:
    alone = counter(None, "1 per year")
    for n in range(MAX_CALLERS + 10):
        alone.spend(str(n))
    assert len(alone._uses) <= MAX_CALLERS


def test_counts_do_not_stay_in_redis(redis_server: Server) -> None:
    counter(redis_server.url, "1 per minute", "expiry").spend("a")
    with redis.Redis.from_url(redis_server.url) as client:
        [key] = [key for key in client.scan_iter("*/expiry/a/*")]
        assert 0 < client.ttl(key) <= 120


def test_of_two_limits_the_tighter_holds(start_api: Callable[..., Api]) -> None:
    api = start_api("gateway-limits-two", PODIUM_RATE_LIMIT_CANDIDATE="100 per hour; 3 per year")
    caller = candidate(api)
    assert statuses(caller, 4) == [200] * 3 + [429]
    assert caller.get("/exams").headers["RateLimit-Limit"] == "3"


def test_the_openapi_document_tells_of_the_limits(pair: list[Api]) -> None:
    caller = candidate(pair[0])
    statuses(caller, 5)
    refusal = caller.get("/exams")
    operations = [
        operation
        for path in openapi.document()["paths"].values()
        for operation in path.values()
        if operation.get("security") != []
    ]
    assert len(operations) == 21
    for operation in operations:
        described = operation["responses"]["429"]
        assert [name for name in described["headers"] if name not in refusal.headers] == []
        assert {"Retry-After", "RateLimit-Limit"} <= set(described["headers"])
        assert refusal.headers["Content-Type"] in described["content"]


REQUIRED = {"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET": SECRET}
NAMES = ("CANDIDATE", "ANONYMOUS", "STAFF")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "notation",
    ["5", "many", "0 per minute", "-1 per year", "5 per fortnight", "5 per year;", "1.5/s"],
)
def test_a_wrong_notation_is_refused_in_words(name: str, notation: str) -> None:
    variable = f"PODIUM_RATE_LIMIT_{name}"
    with pytest.raises(ConfigError, match=f"{variable} must be a rate limit, such as '600 per"):
        Config.from_environ(REQUIRED | {variable: notation})


def test_limits_are_read_in_the_notation_of_limits() -> None:
    given = {f"PODIUM_RATE_LIMIT_{name}": "20/second; 600 per 10 minutes" for name in NAMES}
    config = Config.from_environ(REQUIRED | given)
    assert config.rate_limit_staff == config.rate_limit_candidate == config.rate_limit_anonymous
    assert len(limits.parse_many(str(config.rate_limit_staff))) == 2
    off = Config.from_environ(REQUIRED | {f"PODIUM_RATE_LIMIT_{name}": "off" for name in NAMES})
    assert [off.rate_limit_staff, off.rate_limit_candidate, off.rate_limit_anonymous] == [None] * 3


def test_a_gateway_that_cannot_read_a_limit_does_not_start(
    tmp_path: Path, gateway_mysql_url: str
) -> None:
    with pytest.raises(SystemExit, match="PODIUM_RATE_LIMIT_STAFF must be a rate limit"):
        start_gateway(
            tmp_path,
            mysql_url=gateway_mysql_url,
            redis_url="",
            secret=SECRET,
            env={"PODIUM_RATE_LIMIT_STAFF": "some"},
        )


def test_redis_may_listen_on_a_socket(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/redis.sock"
    config = Config("mysql://nobody@localhost/podium", redis_url=url, jwt_secret=SECRET)
    app = Flask(__name__)
    init_app(app, config)
    assert isinstance(app.extensions["podium.tokens"], LimitedTokens)
