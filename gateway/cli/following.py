"""A page of a board, kept up to date: by the stream, by polling where there is none."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import urllib3

from gateway.simulation.client import PREFIX, TIMEOUT_SEC, Answer, Gateway, NoAnswer

POLL_SEC = 2.0
# A burst of commits costs two reads a second.
REFRESH_SEC = 0.5
# What has no stream now may have one after its next upgrade.
NO_STREAM_SEC = 60.0
# Three heartbeats: a connection that is silent for longer leads nowhere any more.
SILENCE_SEC = 45.0
LONGEST_PAUSE_SEC = 5.0
NO_STREAM = (404, 501)

LIVE, POLLING, LOST, REFUSED = "live", "polling", "lost", "refused"


@dataclass(frozen=True)
class Sight:
    """What is known of a board: the last page that was read, and how it is with the gateway."""

    state: str
    # Why it is not live, empty while the stream is opened; for LOST and REFUSED what was answered.
    reason: str = ""
    # Since when it is so, of time.monotonic().
    since: float = 0.0
    # The answer of GET /leaderboard; None before the first.
    page: dict[str, Any] | None = None


class Follower:
    """Two threads: one reads the page whenever it is due, one listens to the stream.

    told: called after every change of the sight, in one of these threads.
    """

    def __init__(
        self,
        gateway: Gateway,
        token: Callable[[], str],
        exam_id: int,
        page: int,
        rows: int,
        told: Callable[[], None],
    ) -> None:
        self._gateway, self._token, self._exam_id, self._told = gateway, token, exam_id, told
        self._changed = threading.Condition()
        self._view = (page, rows)
        self._due = self._retry_stream = True
        self._streaming = self._hurried = False
        self._no_stream = ""
        self._failures = 0
        self.sight = Sight(POLLING, self._no_stream, time.monotonic())

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for work in (self._read_pages, self._follow_stream):
            threading.Thread(target=work, daemon=True).start()

    def look(self, page: int, rows: int) -> None:
        """Look at another page, or at more or fewer rows."""
        with self._changed:
            if self._view != (page, rows):
                self._view, self._due, self._hurried = (page, rows), True, True
                self._changed.notify_all()

    def read_once(self) -> Sight:
        """Read the page in this thread."""
        self._read(None, self._view)
        return self.sight

    def _read_pages(self) -> None:
        """Read the page whenever it is due."""
        seen: tuple[tuple[int, int], str] | None = None
        while self.sight.state != REFUSED:
            with self._changed:
                patience = None if self._streaming else POLL_SEC
                self._changed.wait_for(lambda: self._due, patience)
                self._due, view = False, self._view
            etag = self._read(seen[1] if seen and seen[0] == view else None, view)
            if etag:
                seen = (view, etag)
            pause_sec = REFRESH_SEC if etag else self._pause()
            with self._changed:
                # What becomes due meanwhile is read then; who looks elsewhere does not wait.
                self._changed.wait_for(lambda: self._hurried, pause_sec)
                self._hurried = False

    def _read(self, etag: str | None, view: tuple[int, int]) -> str | None:
        """Read the page once and return its ETag; None where it was not to be had."""
        path = f"{PREFIX}/leaderboard?exam_id={self._exam_id}&page={view[0]}&per_page={view[1]}"
        try:
            answer = self._gateway.send("watch", "GET", path, self._token(), etag=etag)
        except NoAnswer as error:
            self._say(LOST, error.why)
            return None
        if answer.status not in (200, 304):
            # A gateway that is too busy is lost for the moment; one that knows better is not asked.
            final = 400 <= answer.status < 500 and answer.status != 429
            self._say(REFUSED if final else LOST, _words(answer))
            return None
        if answer.status == 200 and not isinstance(answer.body, dict):
            self._say(REFUSED, "what answers at this address is no gateway of Podium")
            return None
        with self._changed:
            back, self._failures = self._failures > 0, 0
            if back:
                self._retry_stream = True
                self._changed.notify_all()
        self._say(
            LIVE if self._streaming else POLLING,
            "" if self._streaming else self._no_stream,
            answer.body if answer.status == 200 else None,
        )
        return answer.headers.get("ETag")

    def _pause(self) -> float:
        """Return how long to leave a gateway alone.

        Half of it is chance: not all who lost it come back at once.
        """
        with self._changed:
            self._failures += 1
            self._due = True
        longest = min(LONGEST_PAUSE_SEC, 0.5 * 2.0 ** min(self._failures, 8))
        return longest * (0.5 + random.random() / 2)

    def _say(self, state: str, reason: str, page: dict[str, Any] | None = None) -> None:
        """Take over a new state, and a new page where there is one."""
        with self._changed:
            before = self.sight
            since = before.since if before.state == state else time.monotonic()
            self.sight = Sight(state, reason, since, before.page if page is None else page)
            changed = replace(self.sight, since=before.since) != before or page is not None
        if changed:
            self._told()

    def _follow_stream(self) -> None:
        """Open the stream, again and again, and have the page read when it tells of news."""
        failures = 0
        while self.sight.state != REFUSED:
            with self._changed:
                self._retry_stream = False
            pause_sec = 1.0
            try:
                for revision in self._events():
                    failures = 0
                    self._hear(revision)
                reason = "the stream has ended"
            except NoStream as error:
                reason, pause_sec = str(error), error.pause_sec
            except (urllib3.exceptions.HTTPError, ValueError, LookupError):
                reason = "the stream has broken off"
            failures += 1
            with self._changed:
                self._streaming, self._no_stream, self._due = False, reason, True
                self._changed.notify_all()
                longest = max(pause_sec, min(30.0, 2.0 ** min(failures, 8)))
                self._changed.wait_for(lambda: self._retry_stream, longest)

    def _hear(self, revision: int) -> None:
        """Take note of a revision that the stream tells of."""
        with self._changed:
            self._streaming = True
            page = self.sight.page
            self._due |= page is None or page["revision"] != revision
            self._changed.notify_all()
            answering = self.sight.state == POLLING
        if answering:
            self._say(LIVE, "")

    def _events(self) -> Iterator[int]:
        """Yield the revisions that the stream tells of, until it ends; raises NoStream."""
        response = self._gateway.open(
            f"{PREFIX}/leaderboard/stream?exam_id={self._exam_id}",
            self._token(),
            urllib3.Timeout(connect=TIMEOUT_SEC, read=SILENCE_SEC),
        )
        try:
            if response.status in NO_STREAM:
                raise NoStream("this gateway has no stream", NO_STREAM_SEC)
            if response.status != 200:
                told = response.headers.get("Retry-After", "")
                raise NoStream(
                    "this gateway has no place for another stream"
                    if response.status == 503
                    else f"the stream was answered {response.status}",
                    float(told) if told.isdigit() else 10.0,
                )
            rest = b""
            while piece := response.read1():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])["revision"]
        finally:
            response.close()


class NoStream(Exception):
    """Say why there is no stream, and after how long to ask again."""

    def __init__(self, reason: str, pause_sec: float) -> None:
        super().__init__(reason)
        self.pause_sec = pause_sec


def _words(answer: Answer) -> str:
    """Say what was answered in place of a page."""
    problem = answer.body if isinstance(answer.body, dict) else {}
    if "code" in problem:
        return f"{problem['code']}: {problem.get('detail', '')}"
    return f"the gateway answered {answer.status}"


@dataclass(frozen=True)
class Change:
    """What is new about an entry: places gained, or lost if negative; None: it was not there."""

    places: int | None
    # The score or the time is another one.
    moved: bool


def changes(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[int, Change]:
    """Return what has changed in a page, by user; nothing where it was another page."""
    if before is None or any(before[name] != now[name] for name in ("page", "per_page")):
        return {}
    known = {entry["user_id"]: entry for entry in before["leaderboard"]}
    found = {}
    for entry in now["leaderboard"]:
        old = known.get(entry["user_id"])
        if old is None:
            found[entry["user_id"]] = Change(None, True)
        elif _standing(old) != _standing(entry):
            found[entry["user_id"]] = Change(
                old["rank"] - entry["rank"], _standing(old)[1:] != _standing(entry)[1:]
            )
    return found


def _standing(entry: dict[str, Any]) -> tuple[int, Decimal, int]:
    return entry["rank"], Decimal(entry["total_score"]), entry["total_time_sec"]
