"""The audit log played again: the board at every revision, by the rules of scoring alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import groupby
from typing import Any

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


# By user, in the order of the board.
Board = dict[int, Entry]


@dataclass(frozen=True)
class _Attempt:
    """A session with what it has scored: raw, maximum and seconds by module."""

    user_id: int
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


def replay(stored: Stored) -> Iterator[tuple[int, Board]]:
    """Return the board after each revision."""
    weights = _first_weights(stored)
    attempts: dict[int, _Attempt] = {}
    policy = stored.exam["attempt_policy"]
    submitted = {
        revision: list(some)
        for revision, some in groupby(stored.audit, lambda row: int(row["revision"]))
    }
    for revision in stored.revisions:
        number = int(revision["revision"])
        if revision["reason"] == "weights":
            weights = _weights(json.loads(revision["details"])["new"])
        for row in submitted.get(number, ()):
            session = stored.sessions[row["session_id"]]
            attempt = attempts.setdefault(
                row["session_id"], _Attempt(session["user_id"], session["attempt_no"], {})
            )
            attempt.scores[row["module_type"]] = (
                row["new_raw_score"],
                row["new_max_score"],
                row["new_time_spent_sec"],
            )
        yield number, _board(attempts.values(), weights, policy)


def _board(attempts: Any, weights: Weights, policy: str) -> Board:
    """Rank the attempts that count."""
    counted: dict[int, tuple[Any, tuple[Decimal, int, list[Decimal]]]] = {}
    for attempt in attempts:
        score, time, parts = attempt.standing(weights)
        preference = {
            "best": (-score, time, attempt.attempt_no),
            "latest": -attempt.attempt_no,
            "first": attempt.attempt_no,
        }[policy]
        known = counted.get(attempt.user_id)
        if known is None or preference < known[0]:
            counted[attempt.user_id] = (preference, (score, time, parts))
    keys = sorted({(-score, time) for _, (score, time, _) in counted.values()})
    ranks = {key: place for place, key in enumerate(keys, 1)}
    entries = {
        user_id: Entry(ranks[-score, time], score, coding, quiz, assessment, time)
        for user_id, (_, (score, time, (coding, quiz, assessment))) in counted.items()
    }
    return dict(sorted(entries.items(), key=lambda item: (item[1].rank, item[0])))


def _first_weights(stored: Stored) -> Weights:
    """Return the weights that the exam began with."""
    for revision in stored.revisions:
        if revision["reason"] == "weights":
            return _weights(json.loads(revision["details"])["old"])
    return {module: stored.exam[f"weight_{module}"] for module in MODULES}


def _weights(told: Mapping[str, Any]) -> Weights:
    return {module: Decimal(str(told[module])) for module in MODULES}
