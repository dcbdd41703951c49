"""Counters and histograms that are noted in every answer, many at once, and read once in a while.

Those of prometheus_client take a lock for each value. 64 threads that answer meet at it, and who
waits for it gives up the interpreter in the middle of an answer.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

# So many values wait at most to be sorted in, where nobody reads.
MAX_WAITING = 1000


class Observations:
    """Values of one series: how many lie in each bucket, and their sum. None is lost.

    To observe is to append to a deque, which any number of threads may do at once. The values are
    sorted in by whoever reads, or by the thread that brings one too many.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._waiting: deque[float] = deque()
        self._lock = threading.Lock()
        # The last is for what lies above all bounds.
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Note a value."""
        self._waiting.append(value)
        # Where somebody is at it already, he takes this one too, or the next to come does.
        if len(self._waiting) >= MAX_WAITING and self._lock.acquire(blocking=False):
            try:
                self._sort_in()
            finally:
                self._lock.release()

    def read(self) -> tuple[list[int], float]:
        """Return how many values lie in each bucket and not in the one before it, and their sum."""
        with self._lock:
            self._sort_in()
            return list(self._counts), self._sum

    def _sort_in(self) -> None:
        """Sort in what waits; only one thread at a time."""
        for _ in range(len(self._waiting)):
            value = self._waiting.popleft()
            self._counts[bisect_left(self._bounds, value)] += 1
            self._sum += value


class Histogram(Collector):
    """A histogram of Prometheus, a series for each combination of values of its labels."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._bounds = buckets
        self._names = [*(str(float(bound)) for bound in buckets), "+Inf"]
        self._series: dict[tuple[str, ...], Observations] = {}
        registry.register(self)

    def labels(self, *values: str) -> Observations:
        """Return the series of these values of the labels; the same one each time."""
        return self._series.setdefault(values, Observations(self._bounds))

    def describe(self) -> list[HistogramMetricFamily]:
        """Name the series, so that the registry refuses the name to any other."""
        return [self._family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Return what was observed until now."""
        family = self._family()
        for values, observations in list(self._series.items()):
            counts, total = observations.read()
            buckets = list(zip(self._names, map(float, accumulate(counts)), strict=True))
            family.add_metric(values, buckets, total)
        yield family

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=self._labels)


class Tally(Observations):
    """The value of one series of a counter."""

    def __init__(self) -> None:
        super().__init__(bounds=())

    def inc(self) -> None:
        """Count one more."""
        self.observe(1)


class Counter(Collector):
    """A counter of Prometheus, a series for each combination of values of its labels."""

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._series: dict[tuple[str, ...], Tally] = {}
        registry.register(self)

    def labels(self, *values: str) -> Tally:
        """Return the series of these values of the labels; the same one each time."""
        return self._series.setdefault(values, Tally())

    def describe(self) -> list[CounterMetricFamily]:
        """Name the series, so that the registry refuses the name to any other."""
        return [self._family()]

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return what was counted until now."""
        family = self._family()
        for values, tally in list(self._series.items()):
            family.add_metric(values, tally.read()[1])
        yield family

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(self._name, self._documentation, labels=self._labels)
