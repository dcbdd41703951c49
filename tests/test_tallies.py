"""Counts of many threads at once: none is lost, and they read as those of prometheus_client do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway import tallies

BUCKETS = (0.001, 0.25, 1, 10, 1000)
# On each bound, on both sides of it, and beyond them all.
VALUES = (0, 0.001, 0.0011, 0.25, 0.999, 1, 1.0001, 10, 10.5, 1000, 1000.5, 1e9)
THREADS = 64
EACH = 2_000


@pytest.fixture
def hurried() -> Iterator[None]:
    """Take the interpreter away from each thread as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def run_in_threads(task: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=task) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


def test_64_threads_lose_nothing_while_somebody_reads(
    hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MAX_WAITING", 10)
    observations = tallies.Observations((1, 2))
    failures: list[BaseException] = []

    def observe() -> None:
        try:
            for n in range(EACH):
                observations.observe(n % 4)
        except BaseException as error:
            failures.append(error)

    threads = run_in_threads(observe)
    seen = []
    while any(thread.is_alive() for thread in threads):
        seen.append(observations.read())
    for thread in threads:
        thread.join()
    # Some of it was read above, the rest still waits.
    total = THREADS * EACH
    assert observations.read() == ([total // 2, total // 4, total // 4], total * 1.5)
    assert not failures
    assert [sum(counts) for counts, _ in seen] == sorted(sum(counts) for counts, _ in seen)
    assert [total for _, total in seen] == sorted(total for _, total in seen)


def test_a_counter_of_64_threads_is_exact(hurried: None) -> None:
    tally = tallies.Tally()

    def count() -> None:
        for _ in range(EACH):
            tally.inc()

    for thread in run_in_threads(count):
        thread.join()
    assert tally.read()[1] == THREADS * EACH


def test_a_series_that_many_ask_for_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    histogram = tallies.Histogram("x", "x", ["a"], buckets=BUCKETS, registry=registry)
    all_made = threading.Barrier(THREADS)

    class Made(tallies.Observations):
        """One that each thread has made before any of them is kept."""

        def __init__(self, bounds: Sequence[float]) -> None:
            super().__init__(bounds)
            all_made.wait(10)

    monkeypatch.setattr(tallies, "Observations", Made)
    for thread in run_in_threads(lambda: histogram.labels("b").observe(0)):
        thread.join()
    assert registry.get_sample_value("x_count", {"a": "b"}) == THREADS


def test_what_nobody_reads_takes_no_more_room() -> None:
    observations = tallies.Observations(BUCKETS)
    for _ in range(3 * tallies.MAX_WAITING):
        observations.observe(1)
    assert len(observations._waiting) < tallies.MAX_WAITING


def test_a_histogram_reads_as_that_of_prometheus_client_does() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    labels = ["method", "status"]
    for histogram in (
        tallies.Histogram("x_seconds", "Time", labels, buckets=BUCKETS, registry=ours),
        prometheus_client.Histogram("x_seconds", "Time", labels, buckets=BUCKETS, registry=theirs),
    ):
        histogram.labels("POST", '4"4')
        for value in VALUES:
            histogram.labels("GET", "200").observe(value)
    assert generate_latest(ours) == generate_latest(theirs)


def test_a_histogram_without_labels_begins_at_zero() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tallies.Histogram("x_size", "Size", buckets=BUCKETS, registry=ours).labels()
    prometheus_client.Histogram("x_size", "Size", buckets=BUCKETS, registry=theirs)
    assert generate_latest(ours) == generate_latest(theirs)


def test_a_counter_reads_as_that_of_prometheus_client_does() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    for counter in (
        tallies.Counter("x_total", "Some", ["result"], registry=ours),
        prometheus_client.Counter("x_total", "Some", ["result"], registry=theirs),
    ):
        counter.labels("miss")
        counter.labels("hit").inc()
        counter.labels("hit").inc()
    assert generate_latest(ours) == generate_latest(theirs)


def test_a_name_is_given_to_one_only() -> None:
    registry = CollectorRegistry()
    tallies.Counter("x_total", "Some", ["result"], registry=registry)
    tallies.Histogram("y_size", "Size", buckets=BUCKETS, registry=registry)
    for name in ("x_total", "y_size", "y_size_count"):
        with pytest.raises(ValueError, match="Duplicated"):
            tallies.Counter(name, "Some", ["result"], registry=registry)
        with pytest.raises(ValueError, match="Duplicated"):
            prometheus_client.Gauge(name, "Some", registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        tallies.Histogram("y_size", "Size", buckets=BUCKETS, registry=registry)
