"""What the gateway writes to stderr: one line a request and a record, as JSON or as text."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from contextvars import ContextVar

from gateway.config import Config

# The request that this thread answers; what a coalesced call logs belongs to the one that leads it.
# Never reset: a stream goes on after its view has returned, and the next request sets its own.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# Whose token it came with, once that is known.
user_id: ContextVar[int | None] = ContextVar("user_id", default=None)

# Lines of requests are gathered for so long, and written in one go: a write for each would give up
# the interpreter in the middle of an answer.
GATHER_SEC = 0.05
# Where stderr takes none for so long that more would wait, they are dropped and counted.
MAX_WAITING = 100_000


class Writer:
    """Lines to a file descriptor; whoever has one to write does not wait for it.

    Only the thread of this writer may meet a reader who hangs. A process that is killed loses the
    lines of the last GATHER_SEC.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.dropped = 0
        self._begin()
        # The lines that the parent has gathered are the parent's to write, and its thread is not
        # here.
        os.register_at_fork(after_in_child=self._begin)

    def put(self, line: str, at_once: bool = False) -> None:
        """Have a line written soon, or without waiting for others."""
        if len(self._lines) >= MAX_WAITING:
            self.dropped += 1
            return
        self._lines.append(line)
        if at_once:
            self._urgent.set()
        if not self._some.is_set():
            self._wake()

    def flush(self) -> None:
        """Write what was gathered; for who can wait."""
        with self._writing:
            text = "".join(self._lines.popleft() for _ in range(len(self._lines)))
            rest = memoryview(text.encode(errors="backslashreplace"))
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                pass  # Nobody reads it; a request must not fail for that.

    def _begin(self) -> None:
        self._lines: deque[str] = deque()
        self._some, self._urgent = threading.Event(), threading.Event()
        self._starting, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None

    def _wake(self) -> None:
        self._some.set()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="log")
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._urgent.wait(GATHER_SEC)
            # Before the flush: who comes after it sets them again.
            self._some.clear()
            self._urgent.clear()
            self.flush()


STDERR = Writer(2)


class Clock:
    """The time of day as RFC 3339 in UTC, to the millisecond."""

    def __init__(self) -> None:
        self._second: tuple[int, str] = -1, ""

    def stamp(self, now: float) -> str:
        """Write a time; its second is written once."""
        second, text = self._second
        if second != int(now):
            second = int(now)
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second, text
        return f"{text}.{int((now - second) * 1000):03d}Z"


CLOCK = Clock()


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members = {
            "time": CLOCK.stamp(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
        }
        if (asked := request_id.get()) is not None:
            members["request_id"] = asked
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps(members, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A record for people to read."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of the exception if there is one."""
        head = f"{CLOCK.stamp(record.created)} {record.levelname.lower()} {request_id.get() or '-'}"
        text = f"{head} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class StderrHandler(logging.Handler):
    """Records among the lines of the requests, which do not wait: they are few, and matter."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        STDERR.put(self.format(record) + "\n", at_once=True)


def configure(config: Config) -> None:
    """Have the records of this package written as the configuration wants them.

    With `off` they go where Python's logging is told to bring them.
    """
    log = logging.getLogger("gateway")
    for handler in [each for each in log.handlers if isinstance(each, StderrHandler)]:
        log.removeHandler(handler)
    log.propagate = config.log == "off"
    log.setLevel(logging.NOTSET if config.log == "off" else config.log_level.upper())
    if config.log != "off":
        handler = StderrHandler()
        handler.setFormatter(JsonFormatter() if config.log == "json" else TextFormatter())
        log.addHandler(handler)
