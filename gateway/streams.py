"""Boards as they move: Server-Sent Events, read once for all the streams of this process."""

from __future__ import annotations

import atexit
import logging
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import redis
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway import signals
from gateway.cache import CHANNEL, Mark, PageCache
from gateway.config import Config
from gateway.db import Database, Row
from gateway.errors import Problem
from gateway.representation import ENCODER

log = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"
# How long a client is to wait before it connects again.
RETRY_MS = 2000
# As many as get_revisions returns at once, and as one event covers at most.
MAX_REVISIONS = 1000
# How often a board is read that nobody tells of.
POLL_SEC = 1.0
# How long Redis may say nothing before it is asked whether it is still there, and may then take.
SILENCE_SEC = 1.0
RETRY_AFTER_SEC = 10
# A few windows: nobody must take all the places of a process. Staff may have a quarter of them, for
# a program that shows many boards.
MAX_STREAMS_OF_A_CANDIDATE = 5
STAFF_SHARE = 4
HEARTBEAT = b": still here\n\n"
# In an event whose board may be another's to read from now on.
SETTINGS, RESET = b'"settings"', b"event: reset\n"


class EventId(NamedTuple):
    """What a client has seen: a revision, and what tells it from one of the same number.

    After a restore the same revisions come again, with other epochs.
    """

    revision: int
    # None: a client said a number alone.
    epoch: str | None

    @classmethod
    def parse(cls, text: str) -> EventId | None:
        """Read a Last-Event-ID; None where it is none of ours."""
        match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9a-f]{16}))?", text)
        return None if match is None else cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.revision}-{self.epoch}"


# Who reads, as the view_ procedures take it: user and role.
Viewer = tuple[int | None, str]


@dataclass(frozen=True)
class Standing:
    """How a board stands, and the changes that led there from a revision."""

    # Its epoch is None where the board has no such revision.
    after: EventId
    newest: EventId
    total_participants: int
    changed_at: datetime
    changes: list[Row]
    # Of the newest.
    mark: Mark

    @property
    def revision(self) -> int:
        """Return the revision of the board."""
        return self.newest.revision

    @property
    def reached(self) -> EventId:
        """Return what the changes lead to; the board's own revision unless there are more."""
        if not self.changes:
            return self.newest
        return EventId(self.changes[-1]["revision"], self.changes[-1]["epoch"])

    @property
    def mark_reached(self) -> Mark:
        """Return the mark that the changes lead to."""
        if not self.changes:
            return self.mark
        return Mark.of(self.changes[-1]["committed_at"], self.changes[-1]["revision"])


class Board:
    """What the streams of one exam share: where it stands and what has led there of late."""

    def __init__(self, exam_id: int, standing: Standing) -> None:
        self.exam_id = exam_id
        self.changed = threading.Condition()
        self.streams = 0
        # How often the board has gone back: another history has taken the place of this one.
        self.resets = 0
        self.ended = False
        # The newest revision that anybody here knows of: a read that begins now shows it.
        self.known = standing.revision
        self.read_at = self.due_at = time.monotonic()
        self._restart(standing)

    def _restart(self, standing: Standing) -> None:
        self.last = standing.newest
        self.mark = standing.mark
        self._standing = standing
        self._changes: deque[Row] = deque(maxlen=MAX_REVISIONS)
        self._events: dict[int, bytes] = {}

    @property
    def revision(self) -> int:
        """Return the revision that the streams are told of."""
        return self.last.revision

    def move(self, standing: Standing, expected: int) -> bool:
        """Take over what was read after the last one, and tell whether that was news.

        expected: the revision that was known before the reading began.
        """
        with self.changed:
            back = standing.revision < expected or standing.after != self.last
            if back:
                self.resets += 1
                self.known = standing.revision
                self._restart(standing)
            elif standing.changes:
                self.last, self.mark = standing.reached, standing.mark_reached
                self.known = max(self.known, self.revision)
                self._standing = standing
                self._changes.extend(standing.changes)
                self._events = {}
            else:
                return False
            self.changed.notify_all()
        return True

    def end(self) -> None:
        """Let all streams of the board end."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def event_after(self, last: EventId) -> bytes | None:
        """Return the event from a revision to the newest; None where that is too long ago.

        Made once for all who have seen the same.
        """
        revision = last.revision
        if revision not in self._events:
            if not self._changes or revision < self._changes[0]["revision"] - 1:
                return None
            changes = [row for row in self._changes if row["revision"] > revision]
            self._events[revision] = self._event("revision", last, changes)
        return self._events[revision]

    def reset_event(self) -> bytes:
        """Return the event that says where a board stands whose history is another one."""
        return self._event("reset", self.last, [])

    def _event(self, kind: str, after: EventId, changes: list[Row]) -> bytes:
        return event(kind, self.exam_id, after, self._standing, changes)


class Stream:
    """The events of one client, as a WSGI server iterates over them.

    Nothing waits for a client but the revision he has: however slow he is, his next event is one
    that covers all since.
    """

    def __init__(
        self,
        hub: Hub,
        board: Board,
        first: tuple[EventId, bytes],
        expires_at: int,
        user_id: int | str | None,
        viewer: Viewer | None,
    ) -> None:
        self._hub, self._board, self._expires_at = hub, board, expires_at
        self._user_id, self._viewer = user_id, viewer
        self._resets = board.resets
        self._last, text = first
        self._first: bytes | None = b"retry: %d\n\n" % RETRY_MS + text
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        text, self._first = self._first or self._wait(), None
        if text is None or not self._is_admitted(text):
            raise StopIteration
        return text

    def _is_admitted(self, text: bytes) -> bool:
        """Tell whether an event may be sent: settings decide who reads, and so may a restore."""
        if self._viewer is None or not (SETTINGS in text or RESET in text):
            return True
        try:
            return self._hub.admits(self._board.exam_id, self._viewer)
        except Problem:
            return False  # They connect again, and are told.

    def close(self) -> None:
        """Give up the place; called by the server when either side has ended."""
        if self._open:
            self._open = False
            self._hub.leave(self._board, self._user_id)

    def _wait(self) -> bytes | None:
        """Return what to send next, when it is time to; None where the stream ends."""
        board = self._board
        patience = min(self._hub.heartbeat_sec, self._expires_at - time.time())
        with board.changed:
            board.changed.wait_for(self._has_news, patience)
            if board.ended or time.time() >= self._expires_at:
                return None
            if not self._has_news():
                return HEARTBEAT
            reset = board.resets > self._resets
            text = board.reset_event() if reset else board.event_after(self._last)
            if text is not None:
                self._resets, self._last = board.resets, board.last
                return text
            expected = board.revision
        # What he lacks is no longer kept: he reads for himself.
        try:
            standing = self._hub.read(board.exam_id, self._last)
        except Problem:
            return None
        if standing.revision < expected or standing.after != self._last:
            # Of another history, which all streams of the board have yet to be told.
            self._hub.hurry(board)
            return HEARTBEAT
        after, self._last = self._last, standing.reached
        return event("revision", board.exam_id, after, standing, standing.changes)

    def _has_news(self) -> bool:
        board = self._board
        return board.ended or board.resets > self._resets or board.revision > self._last.revision


class Hub:
    """All streams of this process, and the two threads that keep their boards up to date."""

    def __init__(self, config: Config, database: Database, pages: PageCache) -> None:
        self._config, self._database, self._pages = config, database, pages
        self.heartbeat_sec = config.stream_heartbeat_sec
        self._pause_sec = config.stream_pause_ms / 1000
        # Guards all below, and due_at of the boards.
        self._changed = threading.Condition()
        self._boards: dict[int, Board] = {}
        self._started = self._closed = False
        self._hears = False
        self.open_streams = 0
        # Those of each user who has any.
        self._of_users: Counter[int | str] = Counter()

    def open(
        self,
        exam_id: int,
        last_seen: EventId | None,
        expires_at: int,
        user_id: int | str | None = None,
        is_staff: bool = False,
        *,
        viewer: Viewer | None = None,
    ) -> Stream:
        """Open the stream of a caller whose token expires; raises Problem where there is none.

        last_seen: the last revision the client has; None: it has none. user_id: whose stream it is,
        or the address of somebody without a token; None: of the process itself. viewer: whom the
        board must stay open to; None: to nobody in particular.
        """
        most = MAX_STREAMS_OF_A_CANDIDATE
        if is_staff:
            most = max(most, self._config.max_streams // STAFF_SHARE)
        with self._changed:
            if self._closed or self.open_streams >= self._config.max_streams:
                raise _too_many(
                    "too_many_streams",
                    f"this gateway has {self._config.max_streams} streams open already",
                )
            if user_id is not None:
                if self._of_users[user_id] >= most:
                    raise _too_many(
                        "rate_limited",
                        f"{_named(user_id)} has {most} streams open already",
                    )
                self._of_users[user_id] += 1
            self.open_streams += 1
        try:
            # Each for itself: a client may know of a newer revision than the streams here.
            standing = self.read(exam_id, last_seen)
            first = _first_event(exam_id, last_seen, standing)
            return Stream(self, self._join(exam_id, standing), first, expires_at, user_id, viewer)
        except BaseException:
            with self._changed:
                self._give_back(user_id)
            raise

    def admits(self, exam_id: int, viewer: Viewer) -> bool:
        """Tell whether somebody may read a board now."""
        try:
            [[row]] = self._database.call("view_exam", exam_id, *viewer)
        except Problem as problem:
            if problem.entry.code == "exam_not_found":
                return False
            raise
        return row["revision"] is not None

    def leave(self, board: Board, user_id: int | str | None) -> None:
        """Give a place back; nobody reads a board without streams."""
        with self._changed:
            self._give_back(user_id)
            board.streams -= 1
            if not board.streams and self._boards.get(board.exam_id) is board:
                del self._boards[board.exam_id]

    def read(self, exam_id: int, after: EventId | None) -> Standing:
        """Read a board, with the changes after a revision; None: with none."""
        # One change, and of no board: the procedure wants to return something.
        newest, limit = (2**63 - 1, 1) if after is None else (after.revision, MAX_REVISIONS)
        [[head], changes] = self._database.call("get_revisions", exam_id, newest, limit)
        reached = EventId(head["revision"], head["epoch"])
        mark = Mark.of(head["changed_at"], reached.revision)
        # Before anybody is told: whoever hears of a revision reads no older one.
        self._pages.publish(exam_id, mark)
        return Standing(
            reached if after is None else EventId(after.revision, head["after_epoch"]),
            reached,
            head["total_participants"],
            head["changed_at"],
            changes,
            mark,
        )

    def hurry(self, board: Board) -> None:
        """Have a board read at once."""
        with self._changed:
            board.due_at = time.monotonic()
            self._changed.notify_all()

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        with self._changed:
            self._closed = True
            boards = list(self._boards.values())
            self._changed.notify_all()
        for board in boards:
            board.end()

    def _give_back(self, user_id: int | str | None) -> None:
        self.open_streams -= 1
        if user_id is not None:
            self._of_users[user_id] -= 1
            if not self._of_users[user_id]:
                del self._of_users[user_id]

    def _join(self, exam_id: int, standing: Standing) -> Board:
        """Return the board of an exam with one stream more."""
        with self._changed:
            board = self._boards.get(exam_id)
            if board is None or board.ended:
                # Due at once: what was told since that standing was read, nobody here has heard.
                board = self._boards[exam_id] = Board(exam_id, standing)
            board.streams += 1
            with board.changed:
                board.known = max(board.known, standing.revision)
            if self._closed:
                board.end()
            if not self._started:
                # Here and not at the start: a server may fork after it.
                threading.Thread(target=self._read_boards, daemon=True, name="streams").start()
                if self._config.redis_url is not None:
                    threading.Thread(target=self._listen, daemon=True, name="revisions").start()
                self._started = True
            self._changed.notify_all()
        self._wake(exam_id, standing.mark)
        return board

    @property
    def _poll_sec(self) -> float:
        """Return how often to read a board unasked: what a DBA does nobody publishes."""
        return self._config.cache_ttl_sec / 2 if self._hears else POLL_SEC

    def _wake(self, exam_id: int, mark: Mark) -> None:
        """Have a board read soon, though not sooner than a pause after the last time."""
        with self._changed:
            board = self._boards.get(exam_id)
            if board is not None and mark > board.mark:
                board.due_at = min(board.due_at, board.read_at + self._pause_sec)
                self._changed.notify_all()

    def _read_boards(self) -> None:
        """Read each board when it is due, once for all of its streams."""
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                due = [board for board in self._boards.values() if board.due_at <= now]
                for board in due:
                    # Before it is read: what wakes it meanwhile is not lost.
                    board.read_at, board.due_at = now, now + self._poll_sec
                if not due:
                    times = [board.due_at - now for board in self._boards.values()]
                    self._changed.wait(min(times, default=None))
            for board in due:
                self._refresh(board)

    def _refresh(self, board: Board) -> None:
        """Read a board and tell its streams."""
        expected = board.known
        try:
            standing = self.read(board.exam_id, board.last)
        except Problem as problem:
            if problem.entry.code == "exam_not_found":
                board.end()
            return  # Said by the database's own log; the next time is due already.
        except Exception:
            log.exception("a board could not be read")
            return
        board.move(standing, expected)
        if standing.reached != standing.newest:
            self._wake(board.exam_id, standing.mark)

    def _listen(self) -> None:
        """Hear from Redis which boards have moved; whenever it is silent they are polled."""
        while not self._closed:
            try:
                self._listen_once()
            except (redis.RedisError, ValueError) as error:
                if self._hears:
                    log.warning("Redis does not answer, boards are polled: %s", error)
            with self._changed:
                self._hears = False
                for board in self._boards.values():
                    board.due_at = time.monotonic()
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed, POLL_SEC)

    def _listen_once(self) -> None:
        """Hear until the connection breaks or Redis does not answer in time."""
        client = redis.Redis.from_url(
            cast(str, self._config.redis_url),
            socket_timeout=self._config.redis_timeout_sec,
            socket_connect_timeout=self._config.redis_timeout_sec,
            retry=Retry(NoBackoff(), 0),
        )
        # redis-py has no types here.
        with client, cast(Any, client).pubsub() as channel:
            channel.subscribe(CHANNEL)
            asked = False
            while not self._closed:
                message = channel.get_message(timeout=SILENCE_SEC)
                if message is None:
                    if asked:
                        raise redis.TimeoutError("no answer to PING")
                    channel.ping()
                    asked = True
                    continue
                asked = False
                if message["type"] == "message":
                    exam_id, changed_us, revision = map(int, message["data"].split())
                    self._wake(exam_id, Mark(changed_us, revision))
                else:
                    self._hears = True


def event(kind: str, exam_id: int, after: EventId, standing: Standing, changes: list[Row]) -> bytes:
    """Write an event that covers the revisions behind `after`, as far as there are changes."""
    newest = changes[-1] if changes else None
    reached = EventId(newest["revision"], newest["epoch"]) if newest else after
    data = {
        "exam_id": exam_id,
        "after": after.revision,
        "revision": reached.revision,
        "submissions": sum(row["submissions"] for row in changes),
        "reasons": sorted({row["reason"] for row in changes}),
        "total_participants": standing.total_participants,
        "committed_at": newest["committed_at"] if newest else standing.changed_at,
    }
    return f"id: {reached}\nevent: {kind}\ndata: {ENCODER.encode(data)}\n\n".encode()


def _first_event(
    exam_id: int, last_seen: EventId | None, standing: Standing
) -> tuple[EventId, bytes]:
    """Return what a client has after its first event, and that event."""
    if last_seen is not None and _is_of_another_history(last_seen, standing):
        return standing.newest, event("reset", exam_id, standing.newest, standing, [])
    text = event("revision", exam_id, standing.after, standing, standing.changes)
    return standing.reached, text


def _is_of_another_history(last_seen: EventId, standing: Standing) -> bool:
    """Tell whether the database was restored since, or may have been.

    A number alone names no history. Where the board has moved on, the event says so whatever it is
    of; where it seems to stand still, nobody can tell.
    """
    if last_seen.epoch is None:
        return last_seen.revision >= standing.revision
    return last_seen != standing.after


def _named(user_id: int | str) -> str:
    """Say whose streams they are."""
    return f"user {user_id}" if isinstance(user_id, int) else f"the address {user_id}"


def _too_many(code: str, what: str) -> Problem:
    return Problem(
        code,
        f"{what}; poll with If-None-Match meanwhile",
        retry_after_sec=RETRY_AFTER_SEC,
    )


def hub() -> Hub:
    """Return the application's streams."""
    return cast(Hub, current_app.extensions["podium.streams"])


def init_app(app: Flask, config: Config, database: Database, pages: PageCache) -> None:
    """Give an application its streams, which end when its process is told to."""
    app.extensions["podium.streams"] = streams = Hub(config, database, pages)
    atexit.register(streams.close)
    if threading.current_thread() is threading.main_thread():
        # A server waits for open streams before it stops, and tells no application that it will.
        signals.subscribe(lambda number: streams.close() if number in signals.ENDING else None)
