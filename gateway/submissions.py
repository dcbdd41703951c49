"""Submissions on their way to the database: named, coalesced by board, published."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app

from gateway.auth import Caller
from gateway.boards import REMEMBERED_LANES, Boards, Lane
from gateway.cache import Mark, PageCache
from gateway.coalescing import Coalescer
from gateway.db import Database, Held, Row
from gateway.errors import Problem
from gateway.logs import request_id
from gateway.metrics import Metrics
from gateway.schemas import MAX_ITEMS

# A larger one goes alone: its neighbours would wait for its parsing.
LARGE_CHARACTERS = 16 * 1024
# Boards of one batch that are called at once; of so many a batch may find held.
PARTS_AT_ONCE = 16
MAX_WAITED_MS = 600_000


@dataclass(frozen=True, slots=True)
class Item:
    """A submission as JSON, and when it arrived by the monotonic clock."""

    text: str
    arrived: float

    def aged(self, now: float) -> str:
        """Write how long it has waited here: the database judges it by when it arrived."""
        waited_ms = min(int((now - self.arrived) * 1000), MAX_WAITED_MS)
        return f'{self.text[:-1]}, "waited_ms": {waited_ms}}}'


class Submissions:
    """The way of scores into the boards; requests that arrive together share a call of a board."""

    def __init__(
        self, database: Database, cache: PageCache, metrics: Metrics, boards: Boards
    ) -> None:
        self._database = database
        self._cache = cache
        self._metrics = metrics
        self._boards = boards
        self._coalescers: dict[int | None, Coalescer[Item, Row]] = {}
        self._lock = threading.Lock()

    def submit(self, item: dict[str, Any], caller: Caller) -> Row:
        """Submit one score in the caller's name and return its row of submit_scores."""
        named = Item(_named(item, caller), time.monotonic())
        exam_id = self._boards.exam_of(item["session_id"])
        until = self._boards.until()
        if len(named.text) > LARGE_CHARACTERS:
            rows = self._carry_in_turn(exam_id, [named], until)
            self._publish(rows)
            return rows[0]
        return self._coalescer(exam_id).submit(named, until)

    def submit_all(self, items: Sequence[dict[str, Any]], caller: Caller) -> list[Row | Problem]:
        """Submit many, and return for each, in order, its row, or why its board was not reached.

        Each board has a call of its own, or one that is held would hold the items of the others.
        """
        arrived = time.monotonic()
        exams = self._boards.exams_of([item["session_id"] for item in items])
        places: dict[int | None, list[int]] = {}
        for place, item in enumerate(items):
            places.setdefault(exams.get(item["session_id"]), []).append(place)
        named = [Item(_named(item, caller), arrived) for item in items]
        until = self._boards.until()

        def carry(exam_id: int | None) -> list[Row] | Problem:
            try:
                rows = self._carry_in_turn(exam_id, [named[at] for at in places[exam_id]], until)
                self._publish(rows)
            except Problem as problem:
                return problem
            return rows

        if len(places) <= 1:
            parts = [carry(exam_id) for exam_id in places]
        else:
            with ThreadPoolExecutor(min(len(places), PARTS_AT_ONCE)) as threads:
                # Each in a context of its own, so that the log knows the request.
                tasks = [threads.submit(copy_context().run, carry, exam_id) for exam_id in places]
                parts = [task.result() for task in tasks]
        results: dict[int, Row | Problem] = {}
        for part, at in zip(parts, places.values(), strict=True):
            results |= zip(at, [part] * len(at) if isinstance(part, Problem) else part, strict=True)
        return [results[place] for place in range(len(items))]

    def _coalescer(self, exam_id: int | None) -> Coalescer[Item, Row]:
        """Return what the requests of a board share their calls by."""
        found = self._coalescers.get(exam_id)
        if found is not None:
            return found
        lane = self._boards.lane(exam_id)
        with self._lock:
            if len(self._coalescers) >= REMEMBERED_LANES:
                busy = {key: one for key, one in self._coalescers.items() if not one.idle}
                self._coalescers = busy
            return self._coalescers.setdefault(
                exam_id,
                Coalescer(
                    lambda items: self._carry_together(lane, items),
                    settle=self._publish,
                    # What the database refuses a whole call for, an item alone may escape; that
                    # the database cannot be had, none escapes.
                    shared=lambda error: isinstance(error, Problem) and error.entry.status == 503,
                    longest=MAX_ITEMS,
                    carry_alone=lambda item, until: self._carry_in_turn(exam_id, [item], until),
                    again=lambda error: isinstance(error, Held),
                    room=lane.room,
                ),
            )

    def _carry_together(self, lane: Lane, items: Sequence[Item]) -> list[Row]:
        """Carry the requests that share a call."""
        rows = self._boards.attempt(lane, lambda: self._carry(items))
        self._metrics.batch_sizes.observe(len(items))
        return rows

    def _carry_in_turn(self, exam_id: int | None, items: Sequence[Item], until: float) -> list[Row]:
        """Carry what shares its call with no other request."""
        return self._boards.persist(exam_id, until, lambda: self._carry(items))

    def _carry(self, items: Sequence[Item]) -> list[Row]:
        """Call submit_scores; what it returns nobody may hear of before it is published."""
        now = time.monotonic()
        texts = ",".join([item.aged(now) for item in items])
        # Every item has its id, so that a call whose answer got lost may safely be sent again.
        [rows] = self._database.call(
            "submit_scores", f"[{texts}]", None, probe=False, patient=False
        )
        return rows

    def _publish(self, rows: Sequence[Row]) -> None:
        """Publish the revisions that a call has made."""
        marks: dict[int, Mark] = {}
        for row in rows:
            if row["revision"] is not None:
                exam_id, mark = row["exam_id"], Mark.of(row["committed_at"], row["revision"])
                marks[exam_id] = max(mark, marks.get(exam_id, mark))
        for exam_id, mark in marks.items():
            self._cache.publish(exam_id, mark)


def submissions() -> Submissions:
    """Return the application's way of scores."""
    return cast(Submissions, current_app.extensions["podium.submissions"])


def _named(item: dict[str, Any], caller: Caller) -> str:
    """Write an item as JSON, with who submits it, in which request, and an id if it has none."""
    named = item | {
        "submission_id": item.get("submission_id") or str(uuid.uuid4()),
        "actor_id": caller.user_id,
        "actor_role": caller.role,
        # For the audit log; a body may not name one, since it is no field of a submission.
        "request_id": request_id.get(),
    }
    if caller.exam_ids is not None:
        named["actor_exam_ids"] = sorted(caller.exam_ids)
    return json.dumps(named)
