"""What the checker found, promise by promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.history.checker import Violation
from gateway.history.recorder import History


@dataclass(frozen=True)
class Verdict:
    """A promise, what was compared and how much of it there was, and all that speaks against it."""

    promise: str
    compared: str
    amount: str
    violations: list[Violation]


def judge(history: History, violations: Iterable[Violation]) -> list[Verdict]:
    """Sort what was found in a history by the promises that it breaks."""
    found = list(violations)
    accepted = history.acknowledged
    sessions = len({history.submissions[key].item["session_id"] for key in accepted})
    repeated = sum(answer.body["replayed"] for some in accepted.values() for answer in some)
    refused = sum(answer.status == 409 for answer in history.answers)
    newest = max((read.revision for read in history.reads), default=0)
    ranks = len(accepted) + sum(len(read.entries or ()) for read in history.reads)

    def verdict(promise: str, kinds: str, compared: str, amount: str) -> Verdict:
        against = [violation for violation in found if violation.kind in kinds.split()]
        return Verdict(promise, compared, amount, against)

    return [
        verdict(
            "P1 atomic",
            "half-written",
            "audit log = modules = sessions",
            _count(sessions, "session"),
        ),
        verdict(
            "P2 exact",
            "rank",
            "ranks told = dense ranks of then",
            _count(ranks, "rank"),
        ),
        verdict(
            "P3 nothing lost",
            "lost altered",
            "accepted = audit log, value by value",
            f"{len(accepted):,} accepted",
        ),
        verdict(
            "P4 idempotent",
            "doubled answer",
            "there once, always the same answer",
            f"{repeated:,} repeated",
        ),
        verdict(
            "P5 versioned",
            "version refused",
            "no gaps; nothing refused is there",
            f"{refused:,} refused",
        ),
        verdict(
            "P6 read your writes",
            "backwards",
            "no read older than an answer before",
            _count(len(history.reads), "read"),
        ),
        verdict(
            "P7 ordered",
            "revision",
            "revisions: no gaps, in commit order",
            f"up to {newest:,}",
        ),
        verdict(
            "P8 append-only",
            "tampered",
            "verify_audit, check_leaderboard",
            _count(sum(violation.kind == "tampered" for violation in found), "row"),
        ),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
