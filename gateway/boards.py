"""What is done to boards: each has a lane of its own, so that none waits for another one's lock.

A change of a board waits for the lock of that board in MySQL. Whoever waits holds a thread of the
server and a connection of the pool. So the lanes bound how many do, board by board and together,
and for how long; past it they are told to come back, and nobody else notices.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from flask import current_app

from gateway.coalescing import Coalescer, Crowd, Room
from gateway.config import Config
from gateway.db import Database, Held, Results
from gateway.errors import Problem
from gateway.holders import Holders

Result = TypeVar("Result")

# Of those who wait for longer than a moment: of one board, and together. Below the threads that the
# server has beside those of streams.
MOST_WAITING, MOST_WAITING_FOR_A_BOARD = 128, 64
# Calls of one board at once, beside the one of those who share it: they would wait for each other.
TURNS = 2
# Calls whose time grows with the exam, each on a connection of its own.
MOST_MAINTENANCE, MOST_MAINTENANCE_OF_A_BOARD = 8, 2
# Of the pool, what changes of boards may have; the rest is for those that only read. And of that,
# what boards may have that are known to be held.
SHARE, SHARE_OF_HELD = 3 / 4, 1 / 2
# A call that does not find a connection in so long begins anew, or gives up if its time is over.
PAUSE_SEC = 2.0
# Sessions whose exams are remembered, some 20 MB; an exam is never another one's.
REMEMBERED_SESSIONS = 200_000
# Lanes that nobody is in are forgotten past so many.
REMEMBERED_LANES = 1_000
RETRY_AFTER_SEC = 2


class Lane:
    """The way to one board."""

    def __init__(self, exam_id: int | None, room: Room) -> None:
        self.exam_id = exam_id
        self.room = room
        # Whether the last call waited in vain: then one at a time finds out whether that is over.
        self.held = False
        self.trying = threading.Lock()
        self._turns = threading.Semaphore(TURNS)

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """Be one of the few who change the board on a call of their own."""
        if self.room.full:
            raise self.room.refusal()
        if not self.room.wait(self._turns.acquire, until):
            raise self.room.refusal()
        try:
            yield
        finally:
            self._turns.release()


class Boards:
    """The lanes of all boards, and which session belongs to which."""

    def __init__(self, config: Config, database: Database) -> None:
        self._database = database
        self.holders = Holders(database)
        self._wait_sec = config.board_wait_sec
        self._crowd = Crowd(MOST_WAITING, MOST_WAITING_FOR_A_BOARD)
        self._lanes: dict[int | None, Lane] = {}
        self._lock = threading.Lock()
        connections = max(1, int(database.capacity * SHARE))
        self._connections = threading.Semaphore(connections)
        self._of_held = threading.Semaphore(max(1, int(connections * SHARE_OF_HELD)))
        self._maintenance: Counter[int] = Counter()
        self._exams: dict[int, int] = {}
        # Sessions that are not known yet are asked for together, by one call at a time.
        self._lookups: Coalescer[int, int | None] = Coalescer(
            self._look_up, shared=lambda error: True, longest=1000
        )

    def until(self) -> float:
        """Return when a request that arrives now has waited long enough."""
        return time.monotonic() + self._wait_sec

    def lane(self, exam_id: int | None) -> Lane:
        """Return the lane of a board; None is the one of sessions that do not exist."""
        lane = self._lanes.get(exam_id)
        if lane is None:
            with self._lock:
                if len(self._lanes) >= REMEMBERED_LANES:
                    # One that is in use and forgotten all the same lets a few too many in.
                    self._lanes = {key: one for key, one in self._lanes.items() if one.room.here}
                new = Lane(exam_id, self._crowd.room(lambda: _crowded(exam_id)))
                lane = self._lanes.setdefault(exam_id, new)
        return lane

    def call(
        self, exam_id: int | None, procedure: str, *values: object, repeatable: bool = True
    ) -> Results:
        """CALL a procedure that waits for the lock of a board, in its turn."""
        return self.persist(
            exam_id,
            self.until(),
            lambda: self._database.call(procedure, *values, repeatable=repeatable, patient=False),
        )

    def persist(self, exam_id: int | None, until: float, work: Callable[[], Result]) -> Result:
        """Do work on a board in its turn, again while the board is held and there is time."""
        lane = self.lane(exam_id)
        with lane.turn(until):
            while True:
                try:
                    return self.attempt(lane, work)
                except Held:
                    if time.monotonic() >= until:
                        raise

    def attempt(self, lane: Lane, work: Callable[[], Result]) -> Result:
        """Do work on a board once; raises Held where it, or a connection, was not to be had."""
        if not lane.held:
            with _holding(self._connections.acquire, self._connections.release):
                return self._work(lane, work)
        with (
            _holding(lane.trying.acquire, lane.trying.release),
            _holding(self._of_held.acquire, self._of_held.release),
            _holding(self._connections.acquire, self._connections.release),
        ):
            result = self._work(lane, work)
            lane.held = False
            if lane.exam_id is not None:
                self.holders.release(lane.exam_id)
            return result

    def _work(self, lane: Lane, work: Callable[[], Result]) -> Result:
        """Do work on a board, and take note of where it is held."""
        try:
            return work()
        except Held:
            lane.held = True
            if lane.exam_id is not None:
                self.holders.notice(lane.exam_id)
            raise

    def call_slowly(self, exam_id: int, procedure: str, *values: object) -> Results:
        """CALL a procedure whose time grows with the exam, unless enough of them are under way."""
        with self._lock:
            if self._maintenance[exam_id] >= MOST_MAINTENANCE_OF_A_BOARD:
                raise _busy(f"exam {exam_id} is being worked through already")
            if self._maintenance.total() >= MOST_MAINTENANCE:
                raise _busy(f"{MOST_MAINTENANCE} exams are being worked through already")
            self._maintenance[exam_id] += 1
        try:
            return self._database.call_slowly(procedure, *values)
        except Held:
            self.holders.notice(exam_id)
            raise
        finally:
            with self._lock:
                self._maintenance[exam_id] -= 1
                if not self._maintenance[exam_id]:
                    del self._maintenance[exam_id]

    def exam_of(self, session_id: int) -> int | None:
        """Return the exam of a session; None where there is no such session."""
        exam_id = self._exams.get(session_id)
        return self._lookups.submit(session_id) if exam_id is None else exam_id

    def exams_of(self, session_ids: Sequence[int]) -> dict[int, int]:
        """Return the exams of sessions, of those that exist."""
        unknown = {session_id for session_id in session_ids if session_id not in self._exams}
        if unknown:
            self._look_up(sorted(unknown))
        found = ((session_id, self._exams.get(session_id)) for session_id in session_ids)
        return {session_id: exam_id for session_id, exam_id in found if exam_id is not None}

    def remember(self, session_id: int, exam_id: int) -> None:
        """Take note of a session's exam, for whoever submits to it."""
        with self._lock:
            if len(self._exams) >= REMEMBERED_SESSIONS:
                del self._exams[next(iter(self._exams))]
            self._exams[session_id] = exam_id

    def _look_up(self, session_ids: Sequence[int]) -> list[int | None]:
        """Ask for the exams of sessions that are not known yet."""
        [rows] = self._database.call("get_session_exams", json.dumps(sorted(set(session_ids))))
        found: dict[int, int] = {row["session_id"]: row["exam_id"] for row in rows}
        for session_id, exam_id in found.items():
            self.remember(session_id, exam_id)
        return [found.get(session_id) for session_id in session_ids]


def boards() -> Boards:
    """Return the application's boards."""
    return cast(Boards, current_app.extensions["podium.boards"])


@contextmanager
def _holding(acquire: Callable[..., bool], release: Callable[[], None]) -> Iterator[None]:
    """Hold what is short; raises Held where it cannot be had in time."""
    if not acquire(timeout=PAUSE_SEC):
        raise Held(
            "database_unavailable",
            "too many boards are held by other changes; nothing was changed",
            retry_after_sec=RETRY_AFTER_SEC,
        )
    try:
        yield
    finally:
        release()


def _crowded(exam_id: int | None) -> Problem:
    whose = "sessions that do not exist" if exam_id is None else f"the board of exam {exam_id}"
    return _busy(f"{whose} cannot be changed just now, and too many wait for it or for too long")


def _busy(reason: str) -> Problem:
    """Return the answer to a request that is to come back."""
    return Problem(
        "database_unavailable", f"{reason}; nothing was changed", retry_after_sec=RETRY_AFTER_SEC
    )
