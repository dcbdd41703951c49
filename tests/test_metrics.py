"""GET /metrics: what a gateway counts, and that alerts, dashboard and documents name no more."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.parser import text_string_to_metric_families

from gateway import create_app
from gateway.auth import ROLES
from gateway.config import Config
from gateway.metrics import MAX_BOARDS, Exposition, Metrics
from services.server import ROOT
from tests.client import Api
from tests.client import token as sign
from tests.factories import make_exam, make_session, make_user, submission
from tests.locks import waiting
from tests.own_server import OwnServer
from tests.test_coalescing import board_held
from tests.test_readme import rows_below
from tests.waiting import wait_until

REQUESTS = "podium_http_request_duration_seconds_count"
CALLS = "podium_call_duration_seconds_count"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))
NAME = re.compile(r"\b(?:podium|process)_\w+")


def values_of(api: Api, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a series by its labels, in the order of their names."""
    answer = api.get("//metrics")
    assert answer.status == 200
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text.decode())
        for sample in family.samples
        if sample.name == name
    }


@dataclass
class Growth:
    """How much the series have grown since this was made."""

    api: Api
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        self._before = {name: values_of(self.api, name) for name in self.names}

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        now = values_of(self.api, name)
        before = self._before[name]
        return {
            labels: value - before.get(labels, 0)
            for labels, value in now.items()
            if value != before.get(labels, 0)
        }


@pytest.fixture(scope="module")
def counted(start_api: Callable[..., Api]) -> Api:
    """Start a gateway that nobody else asks, with one connection and little patience."""
    return start_api(
        "gateway-metrics",
        PODIUM_POOL_SIZE="1",
        PODIUM_POOL_OVERFLOW="0",
        PODIUM_DATABASE_TIMEOUT_SEC="4",
        PODIUM_BOARD_WAIT_SEC="1",
        PODIUM_METRICS_MAX_AGE_SEC="0",
    )


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def nowhere() -> Flask:
    """Return an application without a database."""
    secret = secrets.token_hex(32)
    url = "mysql://x@127.0.0.1:1/podium"
    return create_app(
        Config(mysql_url=url, jwt_secret=secret, metrics="open", metrics_max_age_sec=0)
    )


def test_requests_are_counted_by_route_and_not_by_path(counted: Api) -> None:
    exams = [make_exam(counted) for _ in range(2)]
    growth = Growth(counted, (REQUESTS,))
    for exam_id in (*exams, 10**12):
        counted.get(f"/exams/{exam_id}")
    counted.with_token("").get("/exams", limit=1)
    assert growth.of(REQUESTS) == {
        ("GET", "/metrics", "200"): 1,
        ("GET", "/api/v1/exams/<exam_id>", "200"): 2,
        ("GET", "/api/v1/exams/<exam_id>", "404"): 1,
        ("GET", "/api/v1/exams", "401"): 1,
    }


def test_what_clients_make_up_becomes_no_series(counted: Api) -> None:
    growth = Growth(counted, (REQUESTS,))
    for n in range(3):
        counted.get(f"//nothing/{n}")
        counted.request(f"BREW{n}", "/exams")
    assert growth.of(REQUESTS) == {
        ("GET", "/metrics", "200"): 1,
        ("GET", "none", "404"): 3,
        ("other", "none", "405"): 3,
    }


def test_calls_are_counted_by_procedure_and_outcome(counted: Api) -> None:
    exam_id = make_exam(counted)
    growth = Growth(counted, (CALLS,))
    counted.get(f"/exams/{exam_id}")
    counted.get(f"/exams/{10**12}")
    counted.post("/leaderboard/recalculate", {"exam_id": exam_id})
    grown = growth.of(CALLS)
    grown.pop(("answered", "list_exams"), None)  # the boards, which /metrics itself reads
    assert grown == {
        ("answered", "view_exam"): 1,
        ("refused", "view_exam"): 1,
        ("answered", "recalculate_leaderboard"): 1,
    }


def test_shared_calls_are_counted_with_their_requests(counted: Api) -> None:
    session_id = make_session(counted, make_exam(counted))
    names = ("podium_submission_batch_size_count", "podium_submission_batch_size_sum")
    growth = Growth(counted, names)
    for _ in range(3):
        assert counted.post("/scores", submission(session_id)).status == 200
    # An array of a batch shares its call with nobody.
    counted.post("/scores/batch", {"submissions": [submission(session_id)] * 5})
    assert [growth.of(name) for name in names] == [{(): 3}, {(): 3}]


def test_waits_for_locks_and_connections_are_counted(
    counted: Api, admin: Any, threads: ThreadPoolExecutor
) -> None:
    exam_id = make_exam(counted)
    session_id = make_session(counted, exam_id)
    # Read now, so that the scrape below has them and needs no connection.
    names = (
        "podium_lock_timeouts_total",
        "podium_call_retries_total",
        "podium_pool_waits_total",
        "podium_pool_wait_seconds_total",
        CALLS,
    )
    growth = Growth(counted, names)
    with board_held(admin, exam_id):
        held = threads.submit(counted.post, "/scores", submission(session_id))
        wait_until(lambda: len(waiting(admin, "leaderboards")) == 1)
        assert values_of(counted, "podium_pool_checked_out") == {(): 1}
        behind = threads.submit(counted.get, f"/exams/{exam_id}")
        assert held.result(30).status == 503
    assert behind.result(30).status == 200
    timeouts, retries, waits, seconds, calls = (growth.of(name) for name in names)
    # Each is a call of its own, since others may join it.
    assert timeouts[("submit_scores",)] == calls[("unavailable", "submit_scores")] >= 1
    assert ("submit_scores",) not in retries
    assert waits[()] >= 1
    assert seconds[()] > 0.1
    assert values_of(counted, "podium_pool_checked_out") == {(): 0}


def test_a_deadlock_is_counted_and_the_call_sent_again(
    counted: Api, admin: Any, threads: ThreadPoolExecutor
) -> None:
    exam_id, user_id = make_exam(counted), make_user(counted)
    session_id = make_session(counted, exam_id, user_id)
    names = ("podium_deadlocks_total", "podium_call_retries_total")
    growth = Growth(counted, names)
    with admin.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        # Whoever has written more survives.
        cursor.execute("UPDATE users SET full_name = 'Another' WHERE user_id = %s", (user_id,))
        cursor.execute(
            "UPDATE exam_sessions SET started_at = started_at - INTERVAL 1 SECOND"
            " WHERE session_id = %s",
            (session_id,),
        )
        submitted = threads.submit(counted.post, "/scores", submission(session_id))
        wait_until(lambda: len(waiting(admin, "exam_sessions")) == 1)
        cursor.execute(
            "SELECT revision FROM leaderboards WHERE exam_id = %s FOR UPDATE", (exam_id,)
        )
        cursor.fetchall()
        cursor.execute("ROLLBACK")
    assert submitted.result(30).status == 200
    assert [growth.of(name) for name in names] == [{("submit_scores",): 1}] * 2


def test_looks_into_the_cache_are_counted(
    start_api: Callable[..., Api], own_redis: OwnServer
) -> None:
    own_redis.start()
    api = start_api(
        "gateway-metrics-cache", redis_url=own_redis.url, PODIUM_METRICS_MAX_AGE_SEC="0"
    )
    exam_id = make_exam(api)
    assert [api.get("/leaderboard", exam_id=exam_id).json["cached"] for _ in range(3)] == [
        False,
        True,
        True,
    ]
    looks = "podium_cache_looks_total"
    assert values_of(api, looks) == {("hit",): 2, ("miss",): 1, ("silent",): 0}
    assert values_of(api, "podium_redis_failures_total") == {(): 0}
    own_redis.stop()
    try:
        assert api.get("/leaderboard", exam_id=exam_id).status == 200
    finally:
        own_redis.start()
    assert values_of(api, looks) == {("hit",): 2, ("miss",): 1, ("silent",): 1}
    assert values_of(api, "podium_redis_failures_total") == {(): 1}


def test_boards_are_shown_as_they_stand(counted: Api) -> None:
    exam_id = make_exam(counted)
    for session_id in [make_session(counted, exam_id) for _ in range(2)] * 2:
        counted.post("/scores", submission(session_id))
    board = (str(exam_id),)
    wait_until(lambda: values_of(counted, "podium_board_revision").get(board) == 4)
    assert values_of(counted, "podium_board_entries")[board] == 2


def test_only_the_newest_boards_are_shown(counted: Api) -> None:
    oldest = make_exam(counted)
    newest = [make_exam(counted) for _ in range(MAX_BOARDS)]
    shown = {(str(exam_id),) for exam_id in newest}
    wait_until(lambda: set(values_of(counted, "podium_board_revision")) == shown)
    assert (str(oldest),) not in values_of(counted, "podium_board_entries")


def test_without_a_database_the_rest_is_told() -> None:
    client = nowhere().test_client()
    for _ in range(2):
        client.get("/metrics")
    text = client.get("/metrics").text
    assert "podium_pool_checked_out 0.0" in text
    # The boards are read last, and not again at once.
    calls = 'podium_call_duration_seconds_count{outcome="unavailable",procedure="list_exams"}'
    assert f"{calls} 1.0\n" in text
    assert "podium_board_revision{" not in text


def test_many_who_ask_at_once_cost_one_text_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    exposition = Exposition(Metrics().registry, max_age_sec=1)
    with ThreadPoolExecutor(12) as threads:
        texts = set(threads.map(lambda _: exposition.text(), range(100)))
    assert (len(texts), exposition.made) == (1, 1)
    clock[0] += 0.9
    assert exposition.text() in texts
    clock[0] += 0.2
    exposition.text()
    assert exposition.made == 2


def test_who_comes_while_a_text_is_made_is_given_the_one_before() -> None:
    begun, released = threading.Event(), threading.Event()
    registry = CollectorRegistry()
    gauge = Gauge("asked", "How often", registry=registry)
    values = iter([1.0])

    def value() -> float:
        if found := next(values, 0.0):
            return found
        begun.set()
        assert released.wait(10)
        return 2.0

    gauge.set_function(value)
    exposition = Exposition(registry, max_age_sec=0.001)
    first = exposition.text()
    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(lambda: [exposition.text() for _ in iter(begun.is_set, True)])
        assert begun.wait(10)
        assert exposition.text() == first
        released.set()
        making.result(10)
    assert b"asked 2.0" in exposition.text()


def test_two_applications_of_a_process_count_for_themselves() -> None:
    one, other = nowhere(), nowhere()
    one.test_client().get("/healthz")
    healthz = 'route="/healthz"'
    assert healthz in one.test_client().get("/metrics").text
    assert healthz not in other.test_client().get("/metrics").text


def test_open_streams_are_those_of_the_hub() -> None:
    app = nowhere()
    assert "podium_open_streams 0.0" in app.test_client().get("/metrics").text
    app.extensions["podium.streams"] = type("Hub", (), {"open_streams": 3})
    assert "podium_open_streams 3.0" in app.test_client().get("/metrics").text


@pytest.fixture(scope="module")
def exposed() -> dict[str, str]:
    """Return the kinds of all metrics by name, as /metrics tells them."""
    text = nowhere().test_client().get("/metrics").text
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))


def names_in(expressions: list[str]) -> set[str]:
    """Return the metrics that expressions ask for."""
    names = {name for expression in expressions for name in NAME.findall(expression)}
    return names - {"podium_"}


def assert_exposed(names: set[str], exposed: dict[str, str]) -> None:
    parts = {
        name + ending
        for name, kind in exposed.items()
        if kind == "histogram"
        for ending in ("_bucket", "_count", "_sum")
    }
    assert names - parts - {name for name, kind in exposed.items() if kind != "histogram"} == set()


def test_alerts_ask_for_what_is_told(exposed: dict[str, str]) -> None:
    rules = RULES["groups"][0]["rules"]
    names = names_in([rule["expr"] for rule in rules])
    assert len(names) >= 7
    assert_exposed(names, exposed)


def test_the_dashboard_asks_for_what_is_told(exposed: dict[str, str]) -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    variables = {
        variable["name"]: variable["query"] for variable in DASHBOARD["templating"]["list"]
    }
    assert set(variables) == {"datasource", "instance", "exam"}
    names = names_in([*asked, *variables.values()])
    assert_exposed(names, exposed)
    # Whatever Podium counts has its place there.
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in names}
    assert {name for name in exposed if name.startswith("podium_")} - shown == set()


def test_the_table_of_metrics_is_what_is_told(exposed: dict[str, str]) -> None:
    rows = rows_below(OPERATIONS, "## Metrics")
    assert {row[0].strip("`"): row[1] for row in rows} == {
        name: kind for name, kind in exposed.items() if name.startswith("podium_")
    }


def test_one_failure_alone_is_no_state_that_lasts() -> None:
    lasting = [rule for rule in RULES["groups"][0]["rules"] if "for" in rule]
    # The rate of a single failure is above zero for as long as the window.
    windows = {
        rule["alert"]: int(minutes)
        for rule in lasting
        if rule["expr"].endswith("> 0")
        for minutes in re.findall(r"\[(\d+)m\]", rule["expr"])
    }
    assert set(windows) == {"PodiumDatabaseUnavailable", "PodiumRedisSilent"}
    for rule in lasting:
        assert windows.get(rule["alert"], 0) < int(rule["for"].removesuffix("m"))


def test_each_alert_is_explained() -> None:
    rows = rows_below(OPERATIONS, "## What each alert means")
    rules = RULES["groups"][0]["rules"]
    assert [row[0].strip("`") for row in rows] == [rule["alert"] for rule in rules]
    assert all(rule["annotations"]["summary"] for rule in rules)


# --- Who reads them


def reader(metrics: str | None = None, token: str | None = None) -> tuple[FlaskClient, str]:
    """Return a client of an application of its own, and the secret that signs its tokens."""
    secret = secrets.token_hex(32)
    url = "mysql://x@127.0.0.1:1/podium"
    config = Config(url, jwt_secret=secret, metrics_token=token, log="off")
    if metrics is not None:
        config = replace(config, metrics=metrics)
    return create_app(config).test_client(), secret


def status_of(client: FlaskClient, token: str | None, scheme: str = "Bearer") -> int:
    headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
    return client.get("/metrics", headers=headers).status_code


def test_unless_told_otherwise_only_administrators_read_the_metrics() -> None:
    client, secret = reader()
    assert status_of(client, None) == 401
    assert status_of(client, "guessed") == 401
    assert status_of(client, "") == 401
    roles = [role for role in ROLES if status_of(client, sign(secret, 1, role)) == 200]
    assert roles == ["admin"]


def test_prometheus_reads_them_with_a_token_that_does_not_end() -> None:
    token = secrets.token_hex(32)
    client, secret = reader(token=token)
    assert [status_of(client, token, scheme) for scheme in ("Bearer", "bearer")] == [200, 200]
    assert status_of(client, sign(secret, 1, "admin")) == 200
    for wrong in (None, token[:-1], f"{token}0", token.upper(), "ü"):
        assert status_of(client, wrong) == 401
    assert status_of(client, token, "Basic") == 401
    # It is good for nothing else.
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/exams", headers=headers).status_code == 401


def test_they_are_open_or_off_where_it_says_so() -> None:
    client, _ = reader("open")
    assert status_of(client, None) == 200
    client, secret = reader("off", token=secrets.token_hex(32))
    assert status_of(client, sign(secret, 1, "admin")) == 404


def test_the_example_of_prometheus_sends_what_the_gateway_takes() -> None:
    [job] = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["authorization"]["type"] == "Bearer"
    assert job["authorization"]["credentials_file"]
