"""Requests that arrive together share one call, and none waits without a bound."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# Who waits for longer than that waits because something is held, not because much is going on.
MOMENT_SEC = 1.0


class Crowd:
    """Those who wait for longer than a moment, each of whom holds a thread of the server."""

    def __init__(self, most: int = sys.maxsize, most_in_a_room: int = sys.maxsize) -> None:
        self._most, self._most_in_a_room = most, most_in_a_room
        self._lock = threading.Lock()
        self._here = 0

    def room(self, refusal: Callable[[], Exception] = TimeoutError) -> Room:
        """Return a room; whoever finds no place in it is told the refusal."""
        return Room(self, refusal)

    def _enter(self, room: Room) -> bool:
        with self._lock:
            if self._here >= self._most or room.here >= self._most_in_a_room:
                return False
            self._here += 1
            room.here += 1
            room.full = room.here >= self._most_in_a_room
            return True

    def _leave(self, room: Room) -> None:
        with self._lock:
            self._here -= 1
            room.here -= 1
            room.full = False


class Room:
    """Where those wait who want the same thing."""

    def __init__(self, crowd: Crowd, refusal: Callable[[], Exception]) -> None:
        self._crowd = crowd
        self.refusal = refusal
        self.here = 0
        # Whether one more would have to go after a moment: then it need not wait.
        self.full = False

    def wait(self, acquire: Callable[[bool, float], bool], until: float) -> bool:
        """Acquire something in time, and tell whether that was possible.

        For a moment anybody may wait; longer, until a time by the monotonic clock, only as many as
        there are places for.
        """
        if acquire(True, min(MOMENT_SEC, _left(until))):
            return True
        if not self._crowd._enter(self):
            return False
        try:
            return acquire(True, _left(until))
        finally:
            self._crowd._leave(self)


class Coalescer(Generic[Item, Outcome]):
    """Carries items in as few calls as there are moments to make one, without a timer.

    A request that finds no call under way makes one at once. Those that arrive meanwhile wait for
    it to end; then the first of them carries them all. So nobody waits for more than one call ahead
    of his own, and an item alone is a call of one.

    carry takes items and returns an outcome for each, in order. settle is given the outcomes of a
    call before anybody has one of them; it is no part of the call: the next one is under way
    meanwhile. Where a shared call fails, or could not be settled, shared tells whether each item
    alone would have met the same; if not, each is carried alone, also what has been carried before,
    so that a bad neighbour costs nobody his outcome.

    Where again says of an error that nothing was done and that it will pass, the call is made
    again, with those who have come meanwhile and without those whose time is up.
    """

    def __init__(
        self,
        carry: Callable[[Sequence[Item]], Sequence[Outcome]],
        shared: Callable[[BaseException], bool],
        longest: int,
        settle: Callable[[Sequence[Outcome]], None] = lambda outcomes: None,
        *,
        carry_alone: Callable[[Item, float], Sequence[Outcome]] | None = None,
        again: Callable[[BaseException], bool] = lambda error: False,
        room: Room | None = None,
    ) -> None:
        self._carry = carry
        self._carry_alone = carry_alone or (lambda item, until: carry([item]))
        self._shared = shared
        self._again = again
        self._longest = longest
        self._settle = settle
        self._room = room or Crowd().room()
        self._lock = threading.Lock()
        self._waiting: list[_Request[Item, Outcome]] = []
        self._under_way = False
        # How many calls were made, and how many requests they carried.
        self.calls = 0
        self.requests = 0

    @property
    def idle(self) -> bool:
        """Tell whether nobody is being carried."""
        return not self._under_way

    def submit(self, item: Item, until: float = inf) -> Outcome:
        """Carry an item, alone or with others, and return its outcome or raise its error.

        until: when it no longer waits for a call to begin, by the monotonic clock.
        """
        request = _Request[Item, Outcome](item, until)
        with self._lock:
            if self._under_way and self._room.full:
                raise self._room.refusal()
            self._waiting.append(request)
            waits, self._under_way = self._under_way, True
        if waits:
            self._wait(request)
        if request.leads or not waits:
            while self._lead():
                pass
        if request.alone:
            outcomes = self._carry_alone(item, until)
            self._settle(outcomes)
            return outcomes[0]
        if request.error is not None:
            raise request.error
        return cast(Outcome, request.outcome)

    def _wait(self, request: _Request[Item, Outcome]) -> None:
        """Wait for the outcome or for the lead; raises where neither comes in time."""
        if not self._room.wait(request.woken.acquire, request.until):
            with self._lock:
                gone = request in self._waiting and not request.leads
                if gone:
                    self._waiting.remove(request)
                # Or it is being carried, which takes no longer than one call does.
                request.until = 0.0
            if gone:
                raise self._room.refusal()
            request.woken.acquire()
        if request.behind is not None:
            request.behind.woken.release()

    def _lead(self) -> bool:
        """Carry all who wait, and let the first who has come meanwhile go on.

        Returns whether that is to be done again, by the same one.
        """
        with self._lock:
            company = self._waiting[: self._longest]
            del self._waiting[: self._longest]
        try:
            outcomes = self._carry([request.item for request in company])
        except BaseException as error:  # Whatever it is, nobody may be left without an answer.
            if self._again(error):
                return self._put_back(company, error)
            self._hand_over(len(company))
            self._fail(company, error)
            return False
        self._hand_over(len(company))
        try:
            self._settle(outcomes)
            for request, outcome in zip(company, outcomes, strict=True):
                request.outcome = outcome
        except BaseException as error:
            self._fail(company, error)
        else:
            _wake(company[1:])
        return False

    def _fail(self, company: Sequence[_Request[Item, Outcome]], error: BaseException) -> None:
        """End a call that failed, or could not be settled."""
        for request in company:
            request.error = error
            request.alone = len(company) > 1 and not self._shared(error)
        _wake(company[1:])

    def _put_back(self, company: Sequence[_Request[Item, Outcome]], error: BaseException) -> bool:
        """Let those wait on who have time left, and tell whether their leader is one of them."""
        leader = company[0]
        with self._lock:
            now = time.monotonic()
            late = [request for request in company if request.until <= now]
            for request in late:
                request.error = error
            self._waiting[:0] = [request for request in company if request.error is None]
        goes_on = leader.error is None
        if not goes_on:
            self._hand_over(len(late))
        _wake([request for request in late if request is not leader])
        return goes_on

    def _hand_over(self, requests: int) -> None:
        """End a call of so many requests; the next one begins at once, led by who waits longest."""
        with self._lock:
            self.calls += 1
            self.requests += requests
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].woken.release()
            else:
                self._under_way = False


class _Request(Generic[Item, Outcome]):
    """One item, and what became of it."""

    __slots__ = ("item", "until", "woken", "behind", "leads", "alone", "outcome", "error")

    def __init__(self, item: Item, until: float) -> None:
        self.item = item
        self.until = until
        # Held until he is woken, once: an Event would cost three times as much.
        self.woken = threading.Lock()
        self.woken.acquire()
        self.behind: _Request[Item, Outcome] | None = None
        self.leads = False
        self.alone = False
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None


def _wake(followers: Sequence[_Request[Item, Outcome]]) -> None:
    """Wake those who have their outcome.

    One by one, each waking the one behind it: all at once they would stand in the way of the next
    leader, who needs the interpreter several times in one call.
    """
    for request, behind in pairwise(followers):
        request.behind = behind
    for request in followers[:1]:
        request.woken.release()


def _left(until: float) -> float:
    """Return how much time is left, as a lock takes it."""
    return min(max(0.0, until - time.monotonic()), threading.TIMEOUT_MAX)
