"""Clients that hold what others need: bodies that do not come, connections on which nothing does.

A request holds a thread of the server from its head on. The server reads a body when it is asked
to, for as long as it takes, and tells nobody on which connection. So who reads a body here notes
that, and a thread of its own looks for bodies that are overdue. What the kernel knows of each
connection (when it last received something, and last sent something) tells which one it is: that
is then read no further, the reader finds the body cut short, and the thread is free.

Connections as such cost no thread. Past half of what the process may have open, those are closed
on which nothing is under way, of the address that has the most, the longest idle ones first.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask

from gateway.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

# Left in a request's environment once its body has been read to the end.
BODY_READ = "podium.body_read"
TICK_SEC = 0.25
# Bodies that take longer than this are slow. Of slow ones so many may take their time; where there
# are more, none may.
SLOW_SEC, MOST_SLOW = 1.0, 32
# What is left of a body whose request was refused is read for no longer, and of so many at once.
DRAIN_SEC, MOST_DRAINS = 1.0, 32
# Bodies that one user may be sending at once. A program of staff may send many.
MOST_OF_A_CANDIDATE, MOST_OF_STAFF = 8, 128
# What the server may take, see services/gateway.py; and what the process needs beside connections.
MOST_CONNECTIONS, OTHER_FILES = 8192, 256
# How exactly the times of the kernel and ours can be held against each other.
JUST_NOW_SEC, EXACT_SEC = 0.05, 0.5
# Longer than the server leaves a connection idle and a stream sends no heartbeat: on what stands
# still for so long somebody reads in vain.
STANDSTILL_SEC = 40.0
# Of struct tcp_info: tcpi_last_data_sent, tcpi_last_data_recv (both in ms), tcpi_bytes_received,
# tcpi_data_segs_out.
TCP_INFO = struct.Struct("=44xI4xI72xQ20xI")


@dataclass(slots=True)
class _Request:
    """A request that is being answered; times by the monotonic clock."""

    address: str
    began: float
    # When its body began to be read, while it is; and for how long that may take.
    reading_since: float | None = None
    limit_sec: float = 0.0
    # When it had been read, if there was one.
    read_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Connection:
    """A connection of the server, and for how long nothing was received and sent on it."""

    descriptor: int
    address: str
    received_sec: float
    sent_sec: float
    # Whether what was received last has no answer yet.
    is_owing: bool

    def may_carry(self, request: _Request, now: float) -> bool:
        """Tell whether a request may have come on this connection."""
        if request.address != self.address:
            return False
        last, age_sec = now - self.received_sec, now - request.began
        # Nothing was sent since it began, and its head was not the last but one thing that came.
        if self.sent_sec < age_sec - JUST_NOW_SEC or last < request.began - EXACT_SEC:
            return False
        # Once it is answered, nothing more of it comes.
        is_read = request.reading_since is None
        return not is_read or last <= max(request.began, request.read_at) + JUST_NOW_SEC


class TooManyBodies(Exception):
    """Say that a user is sending as many as they may."""


class Watch:
    """A WSGI application whose bodies come in time; around all else."""

    def __init__(self, application: WSGIApplication, config: Config) -> None:
        self._application = application
        self._body_timeout_sec = config.body_timeout_sec
        self._requests: dict[int, _Request] = {}
        self._drains = 0
        self._bodies: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._port = 0
        self.most = MOST_CONNECTIONS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._thread is None:
            self._start(environ)
        request = _Request(environ.get("REMOTE_ADDR", ""), time.monotonic())
        self._requests[id(request)] = environ["podium.request"] = request
        environ["podium.connections"] = self
        try:
            return self._application(environ, start_response)
        finally:
            del self._requests[id(request)]

    @contextmanager
    def body(
        self, environ: WSGIEnvironment, user_id: int | None, is_staff: bool
    ) -> Iterator[Callable[[], bool]]:
        """Read a body within; yields what tells, afterwards, whether it was slow.

        Raises TooManyBodies.
        """
        most = MOST_OF_STAFF if is_staff else MOST_OF_A_CANDIDATE
        with self._lock:
            if user_id is not None:
                if self._bodies[user_id] >= most:
                    raise TooManyBodies(f"user {user_id} is sending {most} bodies already")
                self._bodies[user_id] += 1
        try:
            with self._reading(environ, self._body_timeout_sec) as was_cut:
                yield was_cut
        finally:
            with self._lock:
                if user_id is not None:
                    self._bodies[user_id] -= 1
                    if not self._bodies[user_id]:
                        del self._bodies[user_id]

    @contextmanager
    def drain(self, environ: WSGIEnvironment) -> Iterator[bool]:
        """Read on within what nobody wants; yields whether there is a place for that."""
        with self._lock:
            allowed = self._drains < MOST_DRAINS
            self._drains += allowed
        try:
            if allowed:
                with self._reading(environ, DRAIN_SEC):
                    yield True
            else:
                yield False
        finally:
            with self._lock:
                self._drains -= allowed

    @contextmanager
    def _reading(self, environ: WSGIEnvironment, limit_sec: float) -> Iterator[Callable[[], bool]]:
        request: _Request | None = environ.get("podium.request")
        if request is None:
            yield lambda: False
            return
        began = request.reading_since = time.monotonic()
        request.limit_sec = limit_sec
        try:
            yield lambda: time.monotonic() - began > SLOW_SEC
        finally:
            request.read_at = time.monotonic()
            request.reading_since = None

    def _start(self, environ: WSGIEnvironment) -> None:
        """Begin to look, once it is known at which port requests arrive."""
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._look_on, daemon=True, name="connections")
        try:
            self._port = int(environ.get("SERVER_PORT", "0"))
            files = _raise_limit()
            self.most = max(1, min(MOST_CONNECTIONS, files - OTHER_FILES))
            with socket.socket() as connection:
                known = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
                TCP_INFO.unpack(known)
            os.listdir("/proc/self/fd")
        except (OSError, ValueError, AttributeError, struct.error) as error:
            # Not Linux. A proxy in front does the same.
            log.warning("slow clients are not looked for: %s", error)
            return
        self._thread.start()

    def _look_on(self) -> None:
        """Look until the process ends."""
        while True:
            # A tick, not a wait for something that happens.
            time.sleep(TICK_SEC)
            try:
                self.look()
            except Exception:
                log.exception("the connections could not be looked at")

    def look(self) -> None:
        """Cut off what is overdue, and close what is idle where there is too much of it."""
        now = time.monotonic()
        requests = list(self._requests.values())
        overdue = self._overdue(requests, now)
        if not overdue and len(os.listdir("/proc/self/fd")) <= self.most // 2:
            return
        late = {id(request) for request in overdue}
        in_time = [request for request in requests if id(request) not in late]
        late_addresses = {request.address for request in overdue}
        connections, idle = self._connections(), []
        for connection in connections:
            since_sec = min(connection.received_sec, connection.sent_sec)
            if connection.is_owing and (
                # Its request may be on its way to a thread.
                connection.received_sec < JUST_NOW_SEC
                or any(connection.may_carry(request, now) for request in in_time)
            ):
                continue
            if (
                connection.is_owing
                and any(connection.may_carry(request, now) for request in overdue)
            ) or (since_sec > STANDSTILL_SEC and connection.address in late_addresses):
                # For reading only: whoever is refused is still told so.
                _shut(connection, self._port, socket.SHUT_RD)
            elif since_sec > SLOW_SEC:
                idle.append(connection)
        surplus = len(connections) - self.most // 2
        if surplus > 0:
            self._close(idle, surplus)

    def _overdue(self, requests: Iterable[_Request], now: float) -> list[_Request]:
        """Return the requests whose bodies should have come by now."""
        slow = [
            (request, now - since)
            for request in requests
            if (since := request.reading_since) is not None and now - since > SLOW_SEC
        ]
        crowded = sum(request.limit_sec > DRAIN_SEC for request, _ in slow) > MOST_SLOW
        return [request for request, age_sec in slow if crowded or age_sec > request.limit_sec]

    def _close(self, idle: list[_Connection], surplus: int) -> None:
        """Close so many idle connections, of those first who have the most of them."""
        by_address: dict[str, list[_Connection]] = {}
        for connection in sorted(idle, key=lambda one: min(one.received_sec, one.sent_sec)):
            by_address.setdefault(connection.address, []).append(connection)
        closed = 0
        while closed < surplus and by_address:
            most = max(by_address, key=lambda address: len(by_address[address]))
            _shut(by_address[most].pop(), self._port, socket.SHUT_RDWR)
            closed += 1
            if not by_address[most]:
                del by_address[most]
        log.warning("%d idle connections closed, to have room for others", closed)

    def _connections(self) -> list[_Connection]:
        """Return the connections of the server's port, as the kernel sees them."""
        found = []
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError), _borrowed(int(name)) as connection:
                if connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                if connection.getsockname()[1] != self._port:
                    continue
                address = connection.getpeername()[0]
                known = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
                sent_ms, received_ms, received, segments_out = TCP_INFO.unpack(known)
                is_owing = received > 0 and (segments_out == 0 or sent_ms > received_ms)
                found.append(
                    _Connection(int(name), address, received_ms / 1000, sent_ms / 1000, is_owing)
                )
        return found


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """Lend a socket of this process, which stays what it is even if the server closes its own."""
    copy = os.dup(descriptor)
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)  # It is no socket.
        raise
    with connection:
        yield connection


def _shut(connection: _Connection, port: int, how: int) -> None:
    """Shut down a connection, if it still is the one it was."""
    with suppress(OSError), _borrowed(connection.descriptor) as found:
        if found.getsockname()[1] == port and found.getpeername()[0] == connection.address:
            found.shutdown(how)


def _raise_limit() -> int:
    """Let the process open as many files as it may, and return how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def watch_of(environ: WSGIEnvironment) -> Watch | None:
    """Return who watches the connection of a request; None in an application without one."""
    return cast("Watch | None", environ.get("podium.connections"))


def init_app(app: Flask, config: Config) -> None:
    """Watch the connections of an application."""
    # Wrapped as Flask's manual says; mypy takes the attribute for a method.
    app.wsgi_app = Watch(app.wsgi_app, config)  # type: ignore[method-assign]  # Flask documents the assignment
