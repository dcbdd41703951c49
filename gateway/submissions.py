"""Submissions on their way to the database: named, coalesced, published."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any, cast

from flask import current_app

from gateway.auth import Caller
from gateway.cache import Mark, PageCache
from gateway.coalescing import Coalescer
from gateway.db import Database, Row
from gateway.errors import Problem
from gateway.logs import request_id
from gateway.metrics import Metrics
from gateway.schemas import MAX_ITEMS

# A larger one goes alone: its neighbours would wait for its parsing.
LARGE_CHARACTERS = 16 * 1024


class Submissions:
    """The way of scores into the board; requests that arrive together share a call."""

    def __init__(self, database: Database, cache: PageCache, metrics: Metrics) -> None:
        self._database = database
        self._cache = cache
        self._metrics = metrics
        self.coalescer: Coalescer[str, Row] = Coalescer(
            self._carry_together,
            settle=self._publish,
            # What the database refuses a whole call for, an item alone may escape; that the
            # database cannot be had, none escapes.
            shared=lambda error: isinstance(error, Problem) and error.entry.status == 503,
            longest=MAX_ITEMS,
        )

    def submit(self, item: dict[str, Any], caller: Caller) -> Row:
        """Submit one score in the caller's name and return its row of submit_scores."""
        text = _named(item, caller)
        if len(text) > LARGE_CHARACTERS:
            [row] = self._carry_and_publish([text])
            return row
        return self.coalescer.submit(text)

    def submit_all(self, items: Sequence[dict[str, Any]], caller: Caller) -> list[Row]:
        """Submit many in one call and return a row for each, in order."""
        return self._carry_and_publish([_named(item, caller) for item in items]) if items else []

    def _carry_together(self, texts: Sequence[str]) -> list[Row]:
        """Carry the requests that share a call."""
        self._metrics.batch_sizes.observe(len(texts))
        return self._carry(texts)

    def _carry_and_publish(self, texts: Sequence[str]) -> list[Row]:
        """Carry what shares its call with nobody."""
        rows = self._carry(texts)
        self._publish(rows)
        return rows

    def _carry(self, texts: Sequence[str]) -> list[Row]:
        """Call submit_scores; what it returns nobody may hear of before it is published."""
        # Every item has its id, so that a call whose answer got lost may safely be sent again.
        [rows] = self._database.call("submit_scores", f"[{','.join(texts)}]", None, probe=False)
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
    return json.dumps(named)
