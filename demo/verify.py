"""Podium's promises, held against what the candidates were told.

The truth comes from two sides that Podium's own code has no part in: the candidates' record of what
they were answered, and MySQL's window function over the base tables.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gateway.config import MysqlUrl
from gateway.connecting import connect
from gateway.simulation.client import Caller, Gateway
from gateway.simulation.play import Record, Submission

PER_PAGE = 50
AUDIT_PAGE = 1000
# So many submissions are sent once more after the exam, and so many with another score.
REPLAYS = 50
TEN_THOUSANDTH = Decimal("0.0001")

# Every rank from the raw scores of an exam with one attempt, by the definition alone.
RANKS = """
SELECT
    t.user_id,
    t.total_score,
    t.total_time_sec,
    DENSE_RANK() OVER (ORDER BY t.total_score DESC, t.total_time_sec ASC) AS `rank`
FROM (
    SELECT
        s.user_id,
        SUM(ROUND(
            m.raw_score * CASE m.module_type
                WHEN 'coding' THEN e.weight_coding
                WHEN 'quiz' THEN e.weight_quiz
                WHEN 'assessment' THEN e.weight_assessment
            END / m.max_score, 4
        )) AS total_score,
        SUM(m.time_spent_sec) AS total_time_sec
    FROM exams AS e
    INNER JOIN exam_sessions AS s ON s.exam_id = e.exam_id
    INNER JOIN module_scores AS m ON m.session_id = s.session_id
    WHERE e.exam_id = %s
    GROUP BY s.user_id
) AS t
"""

# The same total, in each of the places where MySQL keeps it.
TOTALS = """
SELECT
    s.session_id,
    s.version,
    s.total_score,
    s.total_time_sec,
    SUM(m.weighted_score) AS modules_score,
    SUM(m.time_spent_sec) AS modules_time_sec,
    MAX(e.total_score) AS entry_score,
    MAX(e.total_time_sec) AS entry_time_sec
FROM exam_sessions AS s
INNER JOIN module_scores AS m ON m.session_id = s.session_id
INNER JOIN leaderboards AS b ON b.exam_id = s.exam_id
LEFT JOIN leaderboard_snapshot AS e ON e.board_id = b.board_id AND e.session_id = s.session_id
WHERE s.exam_id = %s
GROUP BY s.session_id
"""

REVISIONS = """
SELECT r.revision, r.submissions, r.committed_at, b.revision AS newest
FROM leaderboards AS b
INNER JOIN leaderboard_revisions AS r ON r.board_id = b.board_id
WHERE b.exam_id = %s
ORDER BY r.revision
"""

AUDIT_ROWS = """
SELECT COUNT(*) AS found
FROM leaderboards AS b
INNER JOIN score_audit_log AS a ON a.board_id = b.board_id
WHERE b.exam_id = %s
"""


@dataclass(frozen=True)
class Check:
    """A promise, what was looked at, and what was found."""

    promise: str
    looked_at: str
    found: str
    passed: bool


class Evidence:
    """MySQL, read past Podium with the administrative account; it can write nothing."""

    def __init__(self, url: str) -> None:
        self._connection: Any = connect(MysqlUrl.parse(url), database="podium")
        self.rows("SET SESSION TRANSACTION READ ONLY")

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a statement, the first result set of a CALL."""
        cursor = self._connection.cursor(dictionary=True)
        try:
            cursor.execute(statement, values)
            found: list[dict[str, Any]] = cursor.fetchall() if cursor.description else []
            while cursor.nextset():
                pass
            return found
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def verify(
    gateway: Gateway, organiser: Caller, evidence: Evidence, record: Record
) -> Iterator[Check]:
    """Check each promise on an exam that is over; nothing else may write on its board meanwhile."""
    exam_id = record.exam_id
    history = _read_audit(organiser, exam_id)
    weights = organiser.get(f"/exams/{exam_id}")["weights"]
    yield _check_totals(evidence, record, history, weights)
    yield _check_pages(organiser, evidence, exam_id)
    yield _check_answered_ranks(record, history)
    yield _check_board(evidence, exam_id)
    yield _check_nothing_lost(evidence, record, history)
    yield _check_replays(record)
    yield _check_late_replays(gateway, organiser, record)
    yield _check_conflicts(record, history)
    yield _check_reads(record)
    yield _check_revisions(evidence, exam_id, history)
    yield _check_audit(evidence, exam_id)


def _check_totals(
    evidence: Evidence, record: Record, history: list[dict[str, Any]], weights: dict[str, Any]
) -> Check:
    """Compare each total where it is kept with what the candidate handed in last."""
    handed_in: dict[int, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
    versions: Counter[int] = Counter()
    for submission in sorted(record.acknowledged, key=lambda one: one.outcome["version"]):
        sent = submission.sent
        weighted = (
            Decimal(str(sent["raw_score"]))
            * Decimal(str(weights[sent["module_type"]]))
            / Decimal(str(sent["max_score"]))
        ).quantize(TEN_THOUSANDTH, ROUND_HALF_UP)
        handed_in[sent["session_id"]][sent["module_type"]] = (weighted, sent["time_spent_sec"])
        versions[sent["session_id"]] += 1
    audited: dict[int, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
    for row in history:
        audited[row["session_id"]][row["module_type"]] = (
            Decimal(row["new_weighted_score"]),
            row["new_time_spent_sec"],
        )
    wrong = []
    kept = {row["session_id"]: row for row in evidence.rows(TOTALS, record.exam_id)}
    for session_id in sorted(kept.keys() | handed_in.keys() | audited.keys()):
        found = kept.get(session_id)
        totals = found is not None and {
            (found["total_score"], found["total_time_sec"]),
            (found["modules_score"], found["modules_time_sec"]),
            (found["entry_score"], found["entry_time_sec"]),
            _sum(audited[session_id]),
        }
        version = found and found["version"]
        if totals != {_sum(handed_in[session_id])} or version != versions[session_id]:
            wrong.append(session_id)
    return Check(
        "P1 atomic",
        "totals = modules = audit log = board = raw",
        f"{len(kept):,} sessions, {_named(wrong, 'differ', 'session')}",
        not wrong and len(kept) == record.finished,
    )


def _check_pages(organiser: Caller, evidence: Evidence, exam_id: int) -> Check:
    """Compare every entry of every page with the window function."""
    truth = {
        row["user_id"]: (row["rank"], row["total_score"], row["total_time_sec"])
        for row in evidence.rows(RANKS, exam_id)
    }
    shown: list[int] = []
    wrong = []
    page = 1
    while entries := organiser.get(
        f"/leaderboard?exam_id={exam_id}&page={page}&per_page={PER_PAGE}", "leaderboard"
    )["leaderboard"]:
        for entry in entries:
            user_id = entry["user_id"]
            shown.append(user_id)
            told = (entry["rank"], Decimal(entry["total_score"]), entry["total_time_sec"])
            if told != truth.get(user_id):
                wrong.append(user_id)
        page += 1
    wrong += sorted(set(truth) - set(shown))
    shared = len(truth) - len({rank for rank, _, _ in truth.values()})
    return Check(
        "P2 exact",
        "ranks on all pages = MySQL's DENSE_RANK()",
        f"{len(shown):,} ranks on {_count(page - 1, 'page')}, {shared} shared; "
        f"{_named(wrong, 'differ', 'user')}",
        not wrong and len(shown) == len(truth) > 0,
    )


def _check_answered_ranks(record: Record, history: list[dict[str, Any]]) -> Check:
    """Play the history again and compare each rank that was answered with the one it gives."""
    answered = {one.key: one.outcome["leaderboard_entry"]["rank"] for one in record.acknowledged}
    modules: dict[int, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
    standings: dict[int, tuple[Decimal, int]] = {}
    holders: Counter[tuple[Decimal, int]] = Counter()
    order: list[tuple[Decimal, int]] = []
    wrong = []
    for rows in _by_revision(history):
        for row in rows:
            session_id = row["session_id"]
            modules[session_id][row["module_type"]] = (
                Decimal(row["new_weighted_score"]),
                row["new_time_spent_sec"],
            )
            score, seconds = _sum(modules[session_id])
            before, after = standings.get(session_id), (-score, seconds)
            if before is not None:
                holders[before] -= 1
                if not holders[before]:
                    order.pop(bisect.bisect_left(order, before))
            if not holders[after]:
                bisect.insort(order, after)
            holders[after] += 1
            standings[session_id] = after
        for row in rows:
            rank = bisect.bisect_left(order, standings[row["session_id"]]) + 1
            if rank != answered.get(row["submission_id"]):
                wrong.append(row["submission_id"])
    return Check(
        "P2 exact",
        "ranks answered = dense rank at that revision",
        f"{len(history):,} answers, {_named(wrong, 'differ', 'submission')}",
        not wrong and bool(history),
    )


def _check_board(evidence: Evidence, exam_id: int) -> Check:
    """Ask Podium itself how the board differs from its raw scores."""
    rows = evidence.rows("CALL check_leaderboard(%s)", exam_id)
    shown = f": {rows[0]['problem']} {rows[0]['item']}" if rows else ""
    return Check(
        "P2 exact",
        "CALL check_leaderboard",
        f"{_count(len(rows), 'difference')}{shown}",
        not rows,
    )


def _check_nothing_lost(evidence: Evidence, record: Record, history: list[dict[str, Any]]) -> Check:
    """Look for every acknowledged submission in the history, unchanged and once."""
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in history:
        rows[row["submission_id"]].append(row)
    acknowledged = {one.key: one for one in record.acknowledged}
    lost = [key for key in acknowledged if key not in rows]
    twice = [key for key, found in rows.items() if len(found) > 1]
    unknown = [key for key in rows if key not in acknowledged]
    altered = [
        key for key, one in acknowledged.items() if any(row_differs(one, row) for row in rows[key])
    ]
    in_mysql = evidence.rows(AUDIT_ROWS, record.exam_id)[0]["found"]
    faults = {"lost": lost, "twice": twice, "altered": altered, "unknown": unknown}
    return Check(
        "P3 nothing lost",
        "acknowledged submissions = audit rows",
        f"{len(acknowledged):,} = {in_mysql:,}; "
        + ", ".join(
            f"{len(keys)} {fault}" for fault, keys in faults.items() if keys or fault != "unknown"
        ),
        not any(faults.values()) and len(acknowledged) == len(history) == in_mysql > 0,
    )


def row_differs(one: Submission, row: dict[str, Any]) -> bool:
    """Tell whether an audit row says anything else than what was sent and answered."""
    sent, outcome = one.sent, one.outcome
    return bool(
        outcome["submission_id"] != one.key
        or row["actor_id"] != one.user_id
        or row["user_id"] != one.user_id
        or row["session_id"] != sent["session_id"]
        or row["module_type"] != sent["module_type"]
        or row["new_raw_score"] != Decimal(str(sent["raw_score"]))
        or row["new_max_score"] != Decimal(str(sent["max_score"]))
        or row["new_time_spent_sec"] != sent["time_spent_sec"]
        or row["details"] != sent["details"]
        or (row["version"], row["revision"]) != (outcome["version"], outcome["revision"])
    )


def _check_replays(record: Record) -> Check:
    """Compare what a request sent twice was answered the second time."""
    wrong = [
        first["submission_id"]
        for first, again in record.replays
        if again != first | {"replayed": True}
    ]
    return Check(
        "P4 idempotent",
        "sent twice: the first answer again",
        f"{len(record.replays):,} replays, {_named(wrong, 'differ', 'submission')}",
        not wrong,
    )


def _check_late_replays(gateway: Gateway, organiser: Caller, record: Record) -> Check:
    """Send submissions again now that all is over, as they were and with another score."""
    before = organiser.get(f"/exams/{record.exam_id}")["revision"]
    some = record.acknowledged[:: max(1, len(record.acknowledged) // REPLAYS)][:REPLAYS]
    wrong = []
    for one in some:
        me = gateway.as_candidate(one.user_id)
        for again in (one.sent, one.sent | {"raw_score": one.sent["max_score"] / 7}):
            answer = gateway.send("submit", "POST", "/api/v1/scores", me.token, again, one.key)
            right = (
                answer.body == one.outcome | {"replayed": True}
                if again is one.sent
                else answer.status == 409 and answer.body["code"] == "submission_id_reused"
            )
            if not right:
                wrong.append(one.key)
    after = organiser.get(f"/exams/{record.exam_id}")["revision"]
    return Check(
        "P4 idempotent",
        "after the end: the same; changed: refused",
        f"{len(some)} and {len(some)} sent, {_named(wrong, 'differ', 'submission')}; "
        f"revision {before:,} = {after:,}",
        not wrong and before == after,
    )


def _check_conflicts(record: Record, history: list[dict[str, Any]]) -> Check:
    """Look for traces of submissions that were made for an old version."""
    told = sum(record.refused.values())
    traces = [row["submission_id"] for row in history if row["submission_id"] in record.refused]
    return Check(
        "P5 versioned",
        "stale versions: refused, current one told",
        f"{len(record.refused):,} sent, {told:,} refused, {len(traces)} left a trace",
        told == len(record.refused) and not traces,
    )


def _check_reads(record: Record) -> Check:
    """Compare what a candidate read with what he had been told before."""
    older = [read for told, read in record.reads if read < told]
    return Check(
        "P6 read your writes",
        "boards read: none older than the last answer",
        f"{len(record.reads):,} reads, {len(older)} older",
        not older,
    )


def _check_revisions(evidence: Evidence, exam_id: int, history: list[dict[str, Any]]) -> Check:
    """Walk the board's revisions in order."""
    rows = evidence.rows(REVISIONS, exam_id)
    gaps = [row["revision"] for place, row in enumerate(rows, 1) if row["revision"] != place]
    times = [row["committed_at"] for row in rows]
    in_order = times == sorted(times) and all(
        earlier["revision"] <= later["revision"] and earlier["audit_id"] < later["audit_id"]
        for earlier, later in zip(history, history[1:], strict=False)
    )
    sizes = Counter(row["revision"] for row in history)
    counted = all(row["submissions"] == sizes[row["revision"]] for row in rows)
    newest = rows[-1]["newest"] if rows else 0
    return Check(
        "P7 ordered",
        "revisions without gaps, in commit order",
        f"1 to {newest:,}, {_named(gaps, 'out of place', 'revision')}"
        + ("" if in_order else "; out of order")
        + ("" if counted else "; the numbers of submissions differ"),
        not gaps and in_order and counted and newest == len(rows) > 0,
    )


def _check_audit(evidence: Evidence, exam_id: int) -> Check:
    """Ask Podium to follow the hash chain."""
    rows = evidence.rows("CALL verify_audit(%s)", exam_id)
    shown = f": revision {rows[0]['revision']}, {rows[0]['problem']}" if rows else ""
    return Check(
        "P8 append-only",
        "CALL verify_audit: the hash chain",
        f"{_count(len(rows), 'fault')}{shown}",
        not rows,
    )


def _read_audit(organiser: Caller, exam_id: int) -> list[dict[str, Any]]:
    """Read the whole history, page by page."""
    history: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = organiser.get(f"/audit?exam_id={exam_id}&after={after}&limit={AUDIT_PAGE}", "audit")
        history += page["entries"]
        after = page["next_after"]
    return history


def _by_revision(history: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Group the history by revision, in order."""
    groups: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in history:
        groups[row["revision"]].append(row)
    return [groups[revision] for revision in sorted(groups)]


def _sum(modules: dict[str, tuple[Decimal, int]]) -> tuple[Decimal, int]:
    """Add up scores and times."""
    return (
        sum((score for score, _ in modules.values()), Decimal(0)),
        sum(seconds for _, seconds in modules.values()),
    )


def _named(wrong: list[Any], fault: str, kind: str) -> str:
    """Say how many are wrong, and which is the first."""
    return f"{len(wrong)} {fault}" + (f", {kind} {wrong[0]} first" if wrong else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
