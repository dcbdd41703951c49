"""Whether what clients were told and what the database holds can both be true."""

from __future__ import annotations

import bisect
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any

from gateway.db import Row
from gateway.history.recorder import Answer, History, Read, Submission
from gateway.history.replay import MODULES, Board, replay, weighted
from gateway.history.stored import Stored, read_stored

ENTRY_FIELDS = (
    "rank",
    "total_score",
    "weighted_coding",
    "weighted_quiz",
    "weighted_assessment",
    "total_time_sec",
)


@dataclass(frozen=True)
class Violation:
    """A broken promise: of which kind, and in words."""

    # lost, doubled, altered, refused, half-written, version, revision, answer, backwards, rank,
    # or tampered
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def check(history: History, connection: Any, *, lag_sec: float = 0) -> list[Violation]:
    """Return every promise that a history and the database together show to be broken.

    The history must hold everything that was submitted to its exams, and nobody may submit any
    more. connection: of an account that may read the tables, such as podium_dba, in autocommit.
    lag_sec: for how long a gateway may show less than another one has shown; more than 0 only where
    a gateway was cut off from Redis (P6). Raises NotQuiet.
    """
    found: list[Violation] = []
    for exam_id in history.exam_ids:
        stored = read_stored(connection, exam_id)
        found += _acknowledged(history, stored)
        found += _invited(history, stored)
        found += _whole(stored)
        found += _versions(stored)
        found += _revisions(stored)
        found += _answers(history, stored)
        found += _backwards(history, exam_id, lag_sec)
        found += _ranks(stored)
        found += _ranks_of_then(history, stored)
        found += _own_checks(stored)
    return found


def _acknowledged(history: History, stored: Stored) -> Iterator[Violation]:
    """Look for each acknowledged submission in the audit log: once, with the values sent."""
    rows: dict[str, list[Row]] = {}
    for row in stored.audit:
        rows.setdefault(row["submission_id"], []).append(row)
    for key, answers in history.acknowledged.items():
        if history.submissions[key].exam_id != stored.exam["exam_id"]:
            continue
        if key not in rows:
            yield Violation("lost", f"{key} was acknowledged and is not in the audit log")
        first = [answer for answer in answers if not answer.body["replayed"]]
        if len(first) > 1:
            yield Violation("doubled", f"{key} was accepted anew {len(first)} times")
    for key, some in rows.items():
        if len(some) > 1:
            yield Violation("doubled", f"{key} is in the audit log {len(some)} times")
        for row in some:
            if key in history.submissions:
                yield from _altered(history.submissions[key], row)


def _altered(sent: Submission, row: Row) -> Iterator[Violation]:
    """Compare an audit row with what was sent."""
    item = sent.item
    expected = {
        "session_id": item["session_id"],
        "module_type": item["module_type"],
        "new_raw_score": Decimal(str(item["raw_score"])),
        "new_max_score": Decimal(str(item["max_score"])),
        "new_time_spent_sec": item["time_spent_sec"],
        "details": item.get("details"),
    }
    stored = row | {"details": None if row["details"] is None else json.loads(row["details"])}
    for name, value in expected.items():
        if stored[name] != value:
            yield Violation(
                "altered", f"{sent.key} was sent with {name} {value}, stored is {stored[name]}"
            )


def _invited(history: History, stored: Stored) -> Iterator[Violation]:
    """Look for submissions in the audit log that nobody sent, or that were refused."""
    last: dict[str, Answer] = {}
    for answer in sorted(history.answers, key=lambda answer: answer.ended):
        # These decide nothing: what was sent before, and had no answer, may be there.
        if answer.status not in (429, 503):
            last[answer.key] = answer
    for row in stored.audit:
        key = row["submission_id"]
        if row["revision"] <= history.began_at.get(stored.exam["exam_id"], 0):
            continue
        if key not in history.submissions:
            yield Violation("doubled", f"{key} is in the audit log, and nobody sent it")
        elif key in last and last[key].status != 200:
            yield Violation(
                "refused", f"{key} was refused with {last[key].status} and is in the audit log"
            )


def _whole(stored: Stored) -> Iterator[Violation]:
    """Compare the audit rows with revisions, module scores and sessions: all of it, or nothing."""
    counts = Counter(row["revision"] for row in stored.audit)
    revisions = {row["revision"]: row for row in stored.revisions}
    for number in sorted(counts.keys() - revisions.keys()):
        yield Violation(
            "half-written", f"revision {number} has {counts[number]} audit rows and does not exist"
        )
    for number, revision in revisions.items():
        if revision["submissions"] != counts[number]:
            yield Violation(
                "half-written",
                f"revision {number} counts {revision['submissions']} submissions, the audit log "
                f"has {counts[number]} of it",
            )
    newest = {(row["session_id"], row["module_type"]): row for row in stored.audit}
    for place in sorted(newest.keys() | stored.modules.keys()):
        yield from _whole_module(stored, place, newest.get(place), stored.modules.get(place))
    audited = Counter(row["session_id"] for row in stored.audit)
    for session in stored.sessions.values():
        yield from _whole_session(stored, session, audited[session["session_id"]])


def _whole_module(
    stored: Stored, place: tuple[int, str], audited: Row | None, module: Row | None
) -> Iterator[Violation]:
    """Compare the newest audit row of a module with the score that counts."""
    what = f"the {place[1]} score of session {place[0]}"
    if module is None:
        yield Violation("half-written", f"{what} is in the audit log alone")
        return
    if audited is None:
        yield Violation("half-written", f"{what} is not in the audit log")
        return
    for name in ("raw_score", "max_score", "time_spent_sec"):
        if module[name] != audited[f"new_{name}"]:
            yield Violation(
                "half-written",
                f"{what} has {name} {module[name]}, submitted last was {audited[f'new_{name}']} "
                f"as {audited['submission_id']}",
            )
    weight = stored.exam[f"weight_{place[1]}"]
    right = weighted(module["raw_score"], module["max_score"], weight)
    if module["weighted_score"] != right:
        yield Violation("half-written", f"{what} is worth {right}, not {module['weighted_score']}")


def _whole_session(stored: Stored, session: Row, audited: int) -> Iterator[Violation]:
    """Compare a session with the number of its audit rows and the sum of its modules."""
    session_id = session["session_id"]
    if session["version"] != audited:
        yield Violation(
            "half-written",
            f"session {session_id} is at version {session['version']} after {audited} audit rows",
        )
    modules = {
        module: stored.modules[session_id, module]
        for module in MODULES
        if (session_id, module) in stored.modules
    }
    expected = {f"weighted_{module}": row["weighted_score"] for module, row in modules.items()} | {
        "total_score": sum((row["weighted_score"] for row in modules.values()), Decimal(0)),
        "total_time_sec": sum(row["time_spent_sec"] for row in modules.values()),
    }
    for name, value in expected.items():
        if session[name] != value:
            yield Violation(
                "half-written",
                f"session {session_id} has {name} {session[name]}, its modules give {value}",
            )


def _versions(stored: Stored) -> Iterator[Violation]:
    """Count the versions of each session in the order of revisions: 1, 2, 3 ..."""
    versions: dict[int, list[int]] = {}
    for row in stored.audit:
        versions.setdefault(row["session_id"], []).append(row["version"])
    for session_id, found in versions.items():
        yield from _counted("version", f"versions of session {session_id}", found)


def _revisions(stored: Stored) -> Iterator[Violation]:
    """Count the revisions of the board, in the order of their commits and up to its own."""
    numbers = [row["revision"] for row in stored.revisions]
    exam_id, revision = stored.exam["exam_id"], stored.exam["revision"]
    yield from _counted("revision", f"revisions of exam {exam_id}", numbers)
    if revision != len(numbers):
        yield Violation(
            "revision", f"exam {exam_id} is at revision {revision}, its history has {len(numbers)}"
        )
    for earlier, later in zip(stored.revisions, stored.revisions[1:], strict=False):
        if later["committed_at"] < earlier["committed_at"]:
            yield Violation(
                "revision",
                f"revision {later['revision']} of exam {exam_id} was committed before the one "
                "before it",
            )


def _counted(kind: str, what: str, numbers: list[int]) -> Iterator[Violation]:
    """Say where a series is not 1, 2, 3 ..."""
    for place, number in enumerate(numbers, 1):
        if number != place:
            yield Violation(kind, f"the {what} have {number} in place of {place}")
            return


def _answers(history: History, stored: Stored) -> Iterator[Violation]:
    """Compare every acknowledgement with the audit row it speaks of."""
    rows = {row["submission_id"]: row for row in stored.audit}
    for key, answers in history.acknowledged.items():
        if key not in rows:
            continue
        row = rows[key]
        expected = history.submissions[key].item.get("expected_version")
        if expected is not None and row["version"] != expected + 1:
            yield Violation(
                "version", f"{key} was made for version {expected} and became {row['version']}"
            )
        right = {"version": row["version"], "revision": row["revision"]} | {
            name: row[f"entry_{name}"] for name in ENTRY_FIELDS
        }
        for answer in answers:
            told = _numbers(answer.body, "version", "revision")
            told |= _numbers(answer.body["leaderboard_entry"], *ENTRY_FIELDS)
            for name, value in right.items():
                if told[name] != value:
                    yield Violation(
                        "answer",
                        f"{key} was answered with {name} {told[name]}, the audit log has {value}",
                    )


def _backwards(history: History, exam_id: int, lag_sec: float) -> Iterator[Violation]:
    """Look for reads that show less than an answer that had ended before they began."""
    reads = [read for read in history.reads if read.exam_id == exam_id]
    # A repetition is answered as the first time, so that it is no read; but who has the answer
    # knows of its revision.
    told = reads + [
        Read(exam_id, answer.gateway, answer.body["revision"], answer.began, answer.ended)
        for answers in history.acknowledged.values()
        for answer in answers
        if history.submissions[answer.key].exam_id == exam_id
    ]
    everywhere = _Newest(told)
    of_gateway = {
        gateway: _Newest(read for read in told if read.gateway == gateway)
        for gateway in {read.gateway for read in told}
    }
    for read in sorted(reads, key=lambda read: read.began):
        known = max(
            everywhere.before(read.began - lag_sec), of_gateway[read.gateway].before(read.began)
        )
        if read.revision < known:
            yield Violation(
                "backwards",
                f"{read.gateway} showed revision {read.revision} of exam {exam_id} after revision "
                f"{known} had been shown",
            )


class _Newest:
    """The newest revision that had been shown at a moment."""

    def __init__(self, reads: Iterable[Read]) -> None:
        in_order = sorted(reads, key=lambda read: read.ended)
        self._moments = [read.ended for read in in_order]
        self._revisions = list(accumulate((read.revision for read in in_order), max))

    def before(self, moment: float) -> int:
        place = bisect.bisect_left(self._moments, moment)
        return self._revisions[place - 1] if place else 0


def _ranks(stored: Stored) -> Iterator[Violation]:
    """Compare the board as it is stored and as it is shown with the window function."""
    exam_id = stored.exam["exam_id"]
    columns = ("rank", "user_id", "total_score", "total_time_sec")
    truth = [tuple(row[column] for column in columns) for row in stored.truth]
    shown = [tuple(row[column] for column in columns) for row in stored.shown]
    yield from _compared(f"the board of exam {exam_id}", shown, truth)
    columns = ("user_id", "session_id", "total_score", "total_time_sec")
    counted = sorted(tuple(row[column] for column in columns) for row in stored.truth)
    entries = [tuple(row[column] for column in columns) for row in stored.snapshot]
    yield from _compared(f"the snapshot of exam {exam_id}", entries, counted)
    if stored.exam["total_participants"] != len(truth):
        yield Violation(
            "rank",
            f"exam {exam_id} counts {stored.exam['total_participants']} participants, "
            f"{len(truth)} have scored",
        )


def _compared(what: str, found: list[Any], right: list[Any]) -> Iterator[Violation]:
    """Say where two lists part."""
    if found == right:
        return
    place = next(
        (n for n, (one, other) in enumerate(zip(found, right, strict=False)) if one != other),
        min(len(found), len(right)),
    )
    one, other = (
        "nothing" if place >= len(some) else " ".join(map(str, some[place]))
        for some in (found, right)
    )
    yield Violation("rank", f"{what} has in place {place + 1} {one}, it should be {other}")


def _ranks_of_then(history: History, stored: Stored) -> Iterator[Violation]:
    """Compare every entry that was told or kept with the audit log, played up to its revision."""
    exam_id = stored.exam["exam_id"]
    kept: defaultdict[int, list[Row]] = defaultdict(list)
    for row in stored.audit:
        kept[row["revision"]].append(row)
    shown: defaultdict[int, list[Read]] = defaultdict(list)
    for read in history.reads:
        if read.exam_id == exam_id and read.entries is not None:
            shown[read.revision].append(read)
    for number, board in replay(stored):
        yield from _ranks_at(board, kept.pop(number, []), shown.pop(number, []))
    # What speaks of a revision that there is not.
    nowhere = Board(stored.exam["attempt_policy"], {})
    for number in sorted(kept.keys() | shown.keys()):
        yield from _ranks_at(nowhere, kept[number], shown[number])


def _ranks_at(board: Board, kept: list[Row], shown: list[Read]) -> Iterator[Violation]:
    """Compare what was kept and shown of one revision with the board that it had."""
    for row in kept:
        entry = board.entry(row["user_id"])
        right = None if entry is None else asdict(entry)
        found = {name: row[f"entry_{name}"] for name in ENTRY_FIELDS}
        if found != right:
            yield Violation(
                "rank",
                f"{row['submission_id']} made {found} of revision {row['revision']}, the audit log "
                f"up to there gives {right}",
            )
    for read in shown:
        entries = [
            tuple(_numbers(entry, "rank", "user_id", "total_score", "total_time_sec").values())
            for entry in read.entries or ()
        ]
        yield from _compared(
            f"{read.gateway}'s board of exam {read.exam_id} at revision {read.revision}",
            entries,
            board.top(read.limit),
        )


def _own_checks(stored: Stored) -> Iterator[Violation]:
    """Pass on what Podium's own checks find."""
    for row in stored.differences:
        yield Violation(
            "tampered",
            f"check_leaderboard: {row['problem']} {row['item']} is {row['found']}, "
            f"not {row['expected']}",
        )
    for row in stored.faults:
        yield Violation("tampered", f"verify_audit: revision {row['revision']}, {row['problem']}")


def _numbers(told: Mapping[str, Any], *names: str) -> dict[str, Decimal]:
    """Return the numbers of an answer, exactly as they were written."""
    return {name: Decimal(str(told[name])) for name in names}
