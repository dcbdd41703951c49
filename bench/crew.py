"""Client processes that carry a load when they are told to, and what they saw."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import signal
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol, Self

# Before a load begins, so that all processes have been told by then.
LEAD_SEC = 0.05
# What a crew may take beyond the time it was given, for calls that are under way.
GRACE_SEC = 300


class LoadFailed(Exception):
    """Say what a client met that it could not go on after."""


@dataclass
class Sample:
    """What clients saw of one load; times are of the monotonic clock, in seconds."""

    # Items that the server said are done, and the calls that carried them.
    acknowledged: int = 0
    calls: int = 0
    began: float = float("inf")
    ended: float = 0.0
    latencies: array[float] = field(default_factory=lambda: array("d"))
    client_cpu_sec: float = 0.0

    @property
    def rate(self) -> float:
        """Return the items done per second."""
        return self.acknowledged / (self.ended - self.began)

    @property
    def mean_ms(self) -> float:
        """Return the mean time of a call in milliseconds."""
        return 1000 * sum(self.latencies) / len(self.latencies)

    @property
    def client_cores(self) -> float:
        """Return how many cores the clients themselves kept busy."""
        return self.client_cpu_sec / (self.ended - self.began)

    def percentile_ms(self, percent: float) -> float:
        """Return the time within which so many of the calls were answered, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @classmethod
    def merged(cls, samples: Iterable[Sample]) -> Sample:
        """Put together what several saw."""
        whole = cls()
        for part in samples:
            whole.acknowledged += part.acknowledged
            whole.calls += part.calls
            whole.began = min(whole.began, part.began)
            whole.ended = max(whole.ended, part.ended)
            whole.latencies.extend(part.latencies)
            whole.client_cpu_sec += part.client_cpu_sec
        return whole


@dataclass(frozen=True)
class Turn:
    """How long a load lasts, and how many calls it has: in all at most, of each client at least."""

    seconds: float
    most: int = 10_000_000
    least: int = 0


class Load(Protocol):
    """Clients within one process, connected."""

    def run(self, begin: float, turn: Turn) -> Sample:
        """Make calls from begin on."""

    def close(self) -> None:
        """Close the connections."""


class Task(Protocol):
    """What a client process is given; it has to be picklable."""

    def open(self) -> Load:
        """Connect the clients."""


class Crew:
    """Client processes, one for each task, that stay connected from load to load.

    warm_up: how many calls make a client's connection as fast as it will be; 0: it needs none.
    """

    def __init__(self, tasks: Sequence[Task], warm_up: int = 3) -> None:
        # Not forked: a child must not hold the parent's connections.
        context = multiprocessing.get_context("spawn")
        self._clients: list[tuple[Connection, BaseProcess]] = []
        # All that was acknowledged since the crew began, warm-ups included.
        self.acknowledged = 0
        self.warm_up = warm_up
        for task in tasks:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, task), daemon=True)
            process.start()
            theirs.close()
            self._clients.append((ours, process))
        try:
            for ours, _ in self._clients:
                _answer(ours, GRACE_SEC)
        except BaseException:
            self.close()
            raise

    def run(self, turn: Turn) -> Sample:
        """Carry the load for a turn and return what the clients saw."""
        begin = time.monotonic() + LEAD_SEC
        share = replace(turn, most=max(1, turn.most // len(self._clients)))
        for ours, _ in self._clients:
            ours.send((begin, share))
        whole = Sample.merged(
            [_answer(ours, turn.seconds + GRACE_SEC) for ours, _ in self._clients]
        )
        self.acknowledged += whole.acknowledged
        if not whole.calls:
            raise LoadFailed("not one call was answered")
        return whole

    def close(self) -> None:
        """End the processes."""
        for ours, _ in self._clients:
            ours.close()
        for _, process in self._clients:
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _answer(client: Connection, timeout_sec: float) -> Sample:
    """Wait for a client's answer."""
    if not client.poll(timeout_sec):
        raise LoadFailed(f"a client process has not answered for {timeout_sec:.0f} s")
    try:
        answer: Sample | str = client.recv()
    except EOFError:
        raise LoadFailed("a client process has ended") from None
    if isinstance(answer, str):
        raise LoadFailed(answer)
    return answer


def _serve(controller: Connection, task: Task) -> None:
    """Be a client process: until the pipe closes, carry a load whenever told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the controller's to answer.
    try:
        load = task.open()
        answer = Sample()
        while True:
            try:
                controller.send(answer)
                begin, turn = controller.recv()
            except (EOFError, ConnectionError):
                load.close()  # The controller is gone.
                return
            cpu = _cpu_sec()
            answer = load.run(begin, turn)
            answer.client_cpu_sec = _cpu_sec() - cpu
    except Exception as error:
        with contextlib.suppress(ConnectionError):
            controller.send(f"{type(error).__name__}: {error}")


def _cpu_sec() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
