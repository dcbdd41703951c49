"""Requests that arrive together share one call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


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
    """

    def __init__(
        self,
        carry: Callable[[Sequence[Item]], Sequence[Outcome]],
        shared: Callable[[BaseException], bool],
        longest: int,
        settle: Callable[[Sequence[Outcome]], None] = lambda outcomes: None,
    ) -> None:
        self._carry = carry
        self._shared = shared
        self._longest = longest
        self._settle = settle
        self._lock = threading.Lock()
        self._waiting: list[_Request[Item, Outcome]] = []
        self._under_way = False
        # How many calls were made, and how many requests they carried.
        self.calls = 0
        self.requests = 0

    def submit(self, item: Item) -> Outcome:
        """Carry an item, alone or with others, and return its outcome or raise its error."""
        request = _Request[Item, Outcome](item)
        with self._lock:
            self._waiting.append(request)
            waits, self._under_way = self._under_way, True
        if waits:
            request.woken.acquire()
            if request.behind is not None:
                request.behind.woken.release()
        if request.leads or not waits:
            self._lead()
        if request.alone:
            outcomes = self._carry([item])
            self._settle(outcomes)
            return outcomes[0]
        if request.error is not None:
            raise request.error
        return cast(Outcome, request.outcome)

    def _lead(self) -> None:
        """Carry all who wait, and let the first who has come meanwhile go on."""
        with self._lock:
            company = self._waiting[: self._longest]
            del self._waiting[: self._longest]
        try:
            try:
                outcomes = self._carry([request.item for request in company])
            finally:
                self._hand_over(len(company))
            self._settle(outcomes)
            for request, outcome in zip(company, outcomes, strict=True):
                request.outcome = outcome
        except BaseException as error:  # Whatever it is, nobody may be left without an answer.
            for request in company:
                request.error = error
                request.alone = len(company) > 1 and not self._shared(error)
        finally:
            # One by one, each waking the one behind him: all at once they would stand in the way of
            # the next leader, who needs the interpreter several times in one call.
            followers = company[1:]
            for request, behind in pairwise(followers):
                request.behind = behind
            for request in followers[:1]:
                request.woken.release()

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

    __slots__ = ("item", "woken", "behind", "leads", "alone", "outcome", "error")

    def __init__(self, item: Item) -> None:
        self.item = item
        # Held until he is woken, once: an Event would cost three times as much.
        self.woken = threading.Lock()
        self.woken.acquire()
        self.behind: _Request[Item, Outcome] | None = None
        self.leads = False
        self.alone = False
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
