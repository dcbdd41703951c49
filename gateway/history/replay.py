"""The audit log played again: the board at every revision, by the rules of scoring alone."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import groupby
from typing import Any

from gateway.db import Row
from gateway.history.stored import Stored

MODULES = ("coding", "quiz", "assessment")
TEN_THOUSANDTH = Decimal("0.0001")

Weights = Mapping[str, Decimal]


@dataclass(frozen=True)
class Entry:
    """Where a candidate stands on the board of one revision."""

    rank: int
    total_score: Decimal
    weighted_coding: Decimal
    weighted_quiz: Decimal
    weighted_assessment: Decimal
    total_time_sec: int


# Score, negative, and time: the order of the board.
_Key = tuple[Decimal, int]


@dataclass(frozen=True)
class _Attempt:
    """A session with what it has scored: raw, maximum and seconds by module."""

    attempt_no: int
    scores: dict[str, tuple[Decimal, Decimal, int]]

    def standing(self, weights: Weights) -> tuple[Decimal, int, list[Decimal]]:
        """Return the total score, the total time and the parts."""
        parts = [
            weighted(self.scores[module][0], self.scores[module][1], weights[module])
            if module in self.scores
            else Decimal(0)
            for module in MODULES
        ]
        return sum(parts, Decimal(0)), sum(time for _, _, time in self.scores.values()), parts


def weighted(raw: Decimal, maximum: Decimal, weight: Decimal) -> Decimal:
    """Return what a score is worth: rounded half up to four places."""
    with localcontext() as context:
        context.prec = 80
        return (raw * weight / maximum).quantize(TEN_THOUSANDTH, ROUND_HALF_UP)


class Board:
    """A board that is moved from revision to revision: each step costs what has changed in it."""

    def __init__(self, policy: str, weights: Weights) -> None:
        self._policy, self._weights = policy, weights
        self._attempts: dict[int, dict[int, _Attempt]] = {}
        # What counts of each user: his key and its parts.
        self._counted: dict[int, tuple[_Key, list[Decimal]]] = {}
        self._order: list[tuple[Decimal, int, int]] = []
        self._keys: list[_Key] = []
        self._holders: Counter[_Key] = Counter()

    def weigh(self, weights: Weights) -> None:
        """Take over other weights, for all."""
        self._weights = weights
        for user_id in self._attempts:
            self._place(user_id)

    def score(self, row: Row, session: Row) -> None:
        """Take over a submission, from its audit row and its session."""
        user_id = session["user_id"]
        attempts = self._attempts.setdefault(user_id, {})
        attempt = attempts.setdefault(row["session_id"], _Attempt(session["attempt_no"], {}))
        attempt.scores[row["module_type"]] = (
            row["new_raw_score"],
            row["new_max_score"],
            row["new_time_spent_sec"],
        )
        self._place(user_id)

    def entry(self, user_id: int) -> Entry | None:
        """Return where a candidate stands, None where he has no score."""
        if user_id not in self._counted:
            return None
        key, (coding, quiz, assessment) = self._counted[user_id]
        return Entry(self._rank(key), -key[0], coding, quiz, assessment, key[1])

    def top(self, limit: int | None) -> list[tuple[int, int, Decimal, int]]:
        """Return rank, user, score and time of the first entries, or of all."""
        return [
            (self._rank((score, time)), user_id, -score, time)
            for score, time, user_id in self._order[:limit]
        ]

    def _place(self, user_id: int) -> None:
        """Put a candidate where his attempts lead him."""
        if user_id in self._counted:
            before, _ = self._counted[user_id]
            self._order.pop(bisect_left(self._order, (*before, user_id)))
            self._holders[before] -= 1
            if not self._holders[before]:
                self._keys.pop(bisect_left(self._keys, before))
        standings = [
            (attempt.attempt_no, *attempt.standing(self._weights))
            for attempt in self._attempts[user_id].values()
        ]
        _, score, time, parts = min(standings, key=self._preference)
        key = (-score, time)
        self._counted[user_id] = key, parts
        insort(self._order, (*key, user_id))
        if not self._holders[key]:
            insort(self._keys, key)
        self._holders[key] += 1

    def _preference(self, standing: tuple[int, Decimal, int, list[Decimal]]) -> Any:
        """Return what is least for the attempt that counts."""
        attempt_no, score, time, _ = standing
        return {
            "best": (-score, time, attempt_no),
            "latest": (-attempt_no,),
            "first": (attempt_no,),
        }[self._policy]

    def _rank(self, key: _Key) -> int:
        return bisect_left(self._keys, key) + 1


def replay(stored: Stored) -> Iterator[tuple[int, Board]]:
    """Return the number of each revision, from 0 on, with the board, which moves on with the next.

    0 is the board before the first one.
    """
    board = Board(stored.exam["attempt_policy"], _first_weights(stored))
    yield 0, board
    submitted = {
        revision: list(some)
        for revision, some in groupby(stored.audit, lambda row: int(row["revision"]))
    }
    for revision in stored.revisions:
        number = int(revision["revision"])
        if revision["reason"] == "weights":
            board.weigh(_weights(json.loads(revision["details"])["new"]))
        for row in submitted.get(number, ()):
            board.score(row, stored.sessions[row["session_id"]])
        yield number, board


def _first_weights(stored: Stored) -> Weights:
    """Return the weights that the exam began with."""
    for revision in stored.revisions:
        if revision["reason"] == "weights":
            return _weights(json.loads(revision["details"])["old"])
    return {module: stored.exam[f"weight_{module}"] for module in MODULES}


def _weights(told: Mapping[str, Any]) -> Weights:
    return {module: Decimal(str(told[module])) for module in MODULES}
