"""What the gateway counts, and GET /metrics, which tells Prometheus."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import prometheus_client
from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway import tallies
from gateway.auth import ADMIN, require
from gateway.config import Config
from gateway.errors import Problem
from gateway.logs import STDERR

if TYPE_CHECKING:
    from gateway.db import Database, Row

# When a series began is twice as many lines, and no dashboard of ours asks for it.
cast(Any, prometheus_client).disable_created_metrics()

# From a page out of the cache to what a person takes for broken.
LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# The newest boards alone: those of years ago do not move.
MAX_BOARDS = 100
BOARDS_TTL_SEC = 5.0
# A scrape tells how a database hangs; it must not hang with it.
BOARDS_WAIT_SEC = 1.0


class CallMeter:
    """The series of one procedure, looked up once."""

    def __init__(self, metrics: Metrics, procedure: str) -> None:
        outcomes = ("answered", "refused", "unavailable", "failed")
        self._seconds = {name: metrics.call_seconds.labels(procedure, name) for name in outcomes}
        self.retries = metrics.call_retries.labels(procedure)
        self.deadlocks = metrics.deadlocks.labels(procedure)
        self.lock_timeouts = metrics.lock_timeouts.labels(procedure)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Observe how long a CALL takes, its repetitions included, and how it ends."""
        began, outcome = time.perf_counter(), "failed"
        try:
            yield
            outcome = "answered"
        except Problem as problem:
            status = problem.entry.status
            outcome = {500: "failed", 503: "unavailable"}.get(status, "refused")
            raise
        finally:
            self._seconds[outcome].observe(time.perf_counter() - began)


class Metrics:
    """All counts of one application, in a registry of its own: a process may hold several."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.request_seconds = tallies.Histogram(
            "podium_http_request_duration_seconds",
            "Time to answer a request, until its body begins",
            ["method", "route", "status"],
            buckets=LATENCIES,
            registry=registry,
        )
        self.call_seconds = tallies.Histogram(
            "podium_call_duration_seconds",
            "Time of a CALL, its repetitions and the wait for a connection included",
            ["procedure", "outcome"],
            buckets=LATENCIES,
            registry=registry,
        )
        self.call_retries = Counter(
            "podium_call_retries_total", "CALLs sent again", ["procedure"], registry=registry
        )
        self.deadlocks = Counter(
            "podium_deadlocks_total",
            "CALLs that MySQL undid for a deadlock (1213)",
            ["procedure"],
            registry=registry,
        )
        self.lock_timeouts = Counter(
            "podium_lock_timeouts_total",
            "CALLs that waited too long for a lock (1205)",
            ["procedure"],
            registry=registry,
        )
        self.batch_sizes = tallies.Histogram(
            "podium_submission_batch_size",
            "Requests of POST /scores that shared one CALL",
            buckets=BATCH_SIZES,
            registry=registry,
        ).labels()
        looks = tallies.Counter(
            "podium_cache_looks_total",
            "Looks for a page of a board: hit, miss, or silent where Redis did not answer",
            ["result"],
            registry=registry,
        )
        self.cache_hits, self.cache_misses, self.cache_silences = (
            looks.labels(result) for result in ("hit", "miss", "silent")
        )
        self.redis_failures = Counter(
            "podium_redis_failures_total",
            "Questions of the cache that Redis did not answer; it is then left alone for 1 s",
            registry=registry,
        )
        self.pool_waits = Counter(
            "podium_pool_waits_total",
            "CALLs that found all connections to MySQL busy",
            registry=registry,
        )
        self.pool_wait_seconds = Counter(
            "podium_pool_wait_seconds_total",
            "Time that these waited for one",
            registry=registry,
        )
        self.gauge(
            "podium_log_lines_dropped",
            "Lines that stderr did not take in time",
            lambda: STDERR.dropped,
        )
        ProcessCollector(registry=registry)
        self._calls: dict[str, CallMeter] = {}

    def call(self, procedure: str) -> CallMeter:
        """Return the series of a procedure."""
        meter = self._calls.get(procedure)
        if meter is None:
            # Two may make it at once; both then hold the same series.
            meter = self._calls[procedure] = CallMeter(self, procedure)
        return meter

    def gauge(self, name: str, documentation: str, value: Callable[[], float]) -> None:
        """Show a value as it is at each scrape."""
        Gauge(name, documentation, registry=self.registry).set_function(value)


class Boards(Collector):
    """Revision and entries of the newest boards, read at a scrape and kept for some seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._tried_at = self._read_at = float("-inf")
        self._reading: threading.Thread | None = None

    def describe(self) -> list[GaugeMetricFamily]:
        """Name the series without asking the database."""
        return self._families()

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the series; without boards where the database does not answer."""
        with self._lock:
            began = time.monotonic()
            idle = self._reading is None or not self._reading.is_alive()
            if idle and began - self._tried_at > BOARDS_TTL_SEC:
                self._tried_at = began
                self._reading = threading.Thread(target=self._read, daemon=True, name="boards")
                self._reading.start()
            reading = self._reading
        if reading is not None:
            reading.join(BOARDS_WAIT_SEC)
        families = self._families()
        # What was true a while ago would hide that nobody knows now.
        if time.monotonic() - self._read_at <= BOARDS_TTL_SEC + BOARDS_WAIT_SEC:
            revisions, entries = families
            for row in self._rows:
                revisions.add_metric([str(row["exam_id"])], row["revision"])
                entries.add_metric([str(row["exam_id"])], row["total_participants"])
        return families

    def _families(self) -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily(
                "podium_board_revision", "Revision of an exam's board", labels=["exam_id"]
            ),
            GaugeMetricFamily(
                "podium_board_entries", "Candidates on an exam's board", labels=["exam_id"]
            ),
        ]

    def _read(self) -> None:
        """Read the newest boards: at first past all others, then from the oldest one shown on."""
        rows: list[Row] = []
        after, limit = self._rows[0]["exam_id"] - 1 if self._rows else 0, 1000
        try:
            while True:
                [page] = self._database.call("list_exams", after, limit)
                rows = (rows + page)[-MAX_BOARDS:]
                if len(page) < limit:
                    break
                after = page[-1]["exam_id"]
        except Problem:
            return  # The calls are counted; the boards are left out.
        self._rows, self._read_at = rows, time.monotonic()


class Exposition:
    """The text of /metrics, which may be open to everybody and costs milliseconds to make.

    It is made once for all who ask within its age, by one thread at a time; who comes meanwhile is
    given the one before.
    """

    def __init__(self, registry: CollectorRegistry, max_age_sec: float) -> None:
        self._registry, self._max_age_sec = registry, max_age_sec
        self._making = threading.Lock()
        self._text: bytes | None = None
        self._made_at = float("-inf")
        # How often it was made.
        self.made = 0

    def text(self) -> bytes:
        """Return a text that is no older than allowed, or the last one while the next is made."""
        found = self._fresh()
        if found is None:
            wait = self._text is None or not self._max_age_sec
            if not self._making.acquire(blocking=wait):
                return cast(bytes, self._text)
            try:
                found = self._fresh() or self._make()
            finally:
                self._making.release()
        return found

    def _fresh(self) -> bytes | None:
        return self._text if time.monotonic() - self._made_at < self._max_age_sec else None

    def _make(self) -> bytes:
        began = time.monotonic()
        text = prometheus_client.generate_latest(self._registry)
        # The text first: whoever finds the age right must find it too.
        self._text, self._made_at = text, began
        self.made += 1
        return text


def init_app(app: Flask, metrics: Metrics, config: Config) -> None:
    """Add /metrics for those whom the configuration lets read it."""
    database = cast("Database", app.extensions["podium.database"])
    metrics.gauge(
        "podium_pool_checked_out", "Connections to MySQL in use", lambda: database.checked_out
    )
    metrics.gauge(
        "podium_pool_capacity", "Connections to MySQL that may be in use", lambda: database.capacity
    )
    metrics.gauge(
        "podium_open_streams",
        "Open streams of boards",
        lambda: getattr(app.extensions.get("podium.streams"), "open_streams", 0),
    )
    metrics.registry.register(Boards(database))
    metrics.registry.register(app.extensions["podium.boards"].holders)
    exposition = Exposition(metrics.registry, config.metrics_max_age_sec)

    def show() -> Response:
        """Answer what this process has counted since it began."""
        return Response(exposition.text(), content_type=prometheus_client.CONTENT_TYPE_LATEST)

    # No candidate stands there. But how many take part, and how often an exam's board changes, is
    # nobody's business who may not read the boards; an administrator may read all of them.
    guarded = require(ADMIN)(show)

    @app.get("/metrics")
    def answer() -> Response:
        """Answer whoever scrapes, with a token that does not end, or an administrator."""
        if config.metrics == "off":
            raise Problem("route_not_found", "/metrics is off here: PODIUM_METRICS")
        return show() if config.metrics == "open" or _scrapes(config) else guarded()


def _scrapes(config: Config) -> bool:
    """Tell whether a request has the token that the configuration names."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = config.metrics_token
    return (
        wanted is not None
        and scheme.lower() == "bearer"
        and hmac.compare_digest(token.strip().encode(), wanted.encode())
    )
