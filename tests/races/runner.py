"""Plays races: every permutation on real connections, with waits seen as MySQL sees them."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.db import DRIVER_ERRORS
from gateway.loader import statements
from tests.client import Api
from tests.locks import waiting
from tests.races.spec import (
    FREE,
    GATE,
    GATEWAYS,
    REFERENCE,
    Outcome,
    Point,
    Session,
    Spec,
    Step,
)
from tests.sql_harness import SQL, problems_of, result_sets, rows

STEP_TIMEOUT_SEC = 10.0
# A look at the locks costs more than most steps take.
GLANCE_SEC = 0.003

PAUSE = "podium race"
PAUSED = f"GET_LOCK('{PAUSE}', 60) + RELEASE_LOCK('{PAUSE}')"
RELEASE = ["ROLLBACK", "UNLOCK TABLES", "DO RELEASE_ALL_LOCKS()"]

# For a pause or a table one waits only while somebody has it: locks that are just being granted,
# and those of whoever was let go and has not woken up, are pending as well.
WAITING = """
    SELECT t.processlist_id AS id, t.processlist_user AS user
    FROM performance_schema.metadata_locks AS p
    INNER JOIN performance_schema.metadata_locks AS g
        ON g.object_type = p.object_type
        AND g.object_schema <=> p.object_schema
        AND g.object_name = p.object_name
    INNER JOIN performance_schema.threads AS t ON t.thread_id = p.owner_thread_id
    WHERE p.lock_status = 'PENDING' AND g.lock_status = 'GRANTED'
        AND g.lock_type IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE')
"""
LEFT_LOCKED = """
    SELECT CONCAT('a lock is left: ', lock_mode, ' on ', object_name, ' ', COALESCE(lock_data, ''))
        AS problem
    FROM performance_schema.data_locks
    WHERE object_schema = 'podium'
    UNION ALL
    SELECT CONCAT('a pause is left: ', object_name)
    FROM performance_schema.metadata_locks
    WHERE object_type = 'USER LEVEL LOCK'
"""
# Rather than the errors that clients have seen: a procedure or a gateway may try again.
COLLISIONS = """
    SELECT CAST(SUM(count) AS SIGNED) AS n
    FROM information_schema.innodb_metrics
    WHERE name IN ('lock_deadlocks', 'lock_timeouts') AND status = 'enabled'
"""
GAPS = """
    WITH history AS (
        SELECT a.audit_id, a.session_id, a.version, a.revision, a.item_no
        FROM score_audit_log AS a
        INNER JOIN leaderboards AS b ON b.board_id = a.board_id
        WHERE b.exam_id = %(exam)s
    )
    SELECT CONCAT('session ', session_id, ' has version ', version, ' as number ', n) AS problem
    FROM (
        SELECT session_id, version,
            ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY revision, item_no) AS n
        FROM history
    ) AS v
    WHERE version <> n
    UNION ALL
    SELECT CONCAT('audit row ', audit_id, ' is out of order')
    FROM (
        SELECT audit_id, revision, LAG(revision) OVER (ORDER BY audit_id) AS before_it FROM history
    ) AS o
    WHERE revision < before_it
    UNION ALL
    SELECT CONCAT('revision ', revision, ' is number ', n, ' of ', board_revision)
    FROM (
        SELECT r.revision, b.revision AS board_revision,
            ROW_NUMBER() OVER (ORDER BY r.revision) AS n, COUNT(*) OVER () AS total
        FROM leaderboards AS b
        INNER JOIN leaderboard_revisions AS r ON r.board_id = b.board_id
        WHERE b.exam_id = %(exam)s
    ) AS g
    WHERE revision <> n OR board_revision <> total
"""
AUDITED = "SELECT submission_id AS id, version, revision FROM score_audit_log WHERE created_at > %s"
NEWEST_AUDIT = "SELECT COALESCE(MAX(created_at), '2000-01-01') AS at FROM score_audit_log"

_numbers = itertools.count(1)


class RaceFailed(AssertionError):
    """A permutation that went wrong; the message shows it step by step."""


@dataclass
class Played:
    """A step on the stage. The times count what the driver of the race saw happen."""

    step: Step
    text: str
    begun: int
    done: Future[Any]
    waited: bool = False
    answered: int | None = None
    answer: Any = None


@dataclass
class Record:
    """What happened in one permutation, in the order it happened in."""

    spec: Spec
    point: Point | None
    order: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    played: dict[str, Played] = field(default_factory=dict)
    _clock: Iterator[int] = field(default_factory=itertools.count)

    def begins(self, step: Step, text: str, done: Future[Any]) -> None:
        self.played[step.name] = Played(step, text, next(self._clock), done)
        self.lines.append(f"step {step.name}: {text}")

    def waits(self, played: Played) -> None:
        if not played.waited:
            played.waited = True
            self.lines.append(f"step {played.step.name}: <waiting ...>")

    def answers(self, played: Played) -> None:
        played.answered = next(self._clock)
        played.answer = played.done.result()
        completed = f"step {played.step.name}: <... completed>\n" if played.waited else ""
        self.lines.append(f"{completed}    {_shown(played.answer)}")

    def failure(self, problems: Sequence[str]) -> RaceFailed:
        """Return the failure, with everything that tells how it came about."""
        return RaceFailed(
            "\n".join(
                [
                    f"{self.spec.path.name}: {self.spec.rule}",
                    f"point: {f'{self.point.name}, {self.point.text}' if self.point else 'none'}",
                    f"permutation: {' '.join(self.order)}",
                    *self.lines,
                    *(f"wrong: {problem}" for problem in problems),
                ]
            )
        )


class Stage:
    """The connections that a race is played on."""

    def __init__(
        self,
        spec: Spec,
        connect: Callable[..., Any],
        gateways: Sequence[Api] = (),
        gateway_user: str = "",
        step_timeout_sec: float = STEP_TIMEOUT_SEC,
    ) -> None:
        self._spec = spec
        self._gateways = dict(zip(GATEWAYS, gateways, strict=False))
        self._gateway_user = gateway_user
        self._step_timeout_sec = step_timeout_sec
        self._admin, self._gate = connect(), connect()
        self._connections = {
            session.name: connect() for session in spec.sessions.values() if session.gateway is None
        }
        self._threads = ThreadPoolExecutor(len(spec.sessions) + 1)
        self._values: dict[str, str] = {}

    def play_all(self) -> int:
        """Play every permutation at every point and return how many there were."""
        seen: set[str] = set()
        reached: set[str] = set()
        count = 0
        try:
            for point, plays in itertools.groupby(self._spec.plays(), lambda play: play[0]):
                with self._pauses(point):
                    for _, order in plays:
                        record, outcome = self._play(point, order)
                        seen.add(outcome.place)
                        if point and any(played.waited for played in record.played.values()):
                            reached.add(point.name)
                        count += 1
        finally:
            self._threads.shutdown()
        for outcome in self._spec.outcomes:
            if outcome.place not in seen:
                raise RaceFailed(f"{outcome.place}: this outcome has come about in no permutation")
        for name in self._spec.points:
            if name not in reached:
                raise RaceFailed(f"{self._spec.path.name}: nobody has waited at the point {name}")
        return count

    def _play(self, point: Point | None, order: tuple[str, ...]) -> tuple[Record, Outcome]:
        """Play one permutation; raises RaceFailed where anything is not as it has to be."""
        record = Record(self._spec, point, order)
        self._set_up()
        collisions = rows(self._admin, COLLISIONS)[0]["n"]
        newest = rows(self._admin, NEWEST_AUDIT)[0]["at"]
        try:
            for name in (*order, *self._spec.last):
                self._begin(record, self._spec.steps[name])
                self._settle(record)
            self._await_the_last(record)
        finally:
            self._clear(record)
        problems = [*self._problems(), *_unaudited(record, rows(self._admin, AUDITED, (newest,)))]
        if rows(self._admin, COLLISIONS)[0]["n"] != collisions:
            problems.append("there was a deadlock, or a wait for a lock ran out of time")
        outcome, mismatches = _find_outcome(record, self._fill)
        if outcome is None or problems:
            raise record.failure([*problems, *mismatches])
        return record, outcome

    def _set_up(self) -> None:
        """CALL what the setup says."""
        self._values = {"unique": f"{os.getpid()}-{next(_numbers)}"}
        self._values |= {name: str(own.connection_id) for name, own in self._connections.items()}
        for name, text in self._spec.setup.items():
            row = rows(self._admin, f"CALL {self._fill(text)}")[0]
            self._values[name] = str(next(iter(row.values())))

    def _fill(self, text: str) -> str:
        return REFERENCE.sub(lambda found: self._values[found[1]], text)

    def _begin(self, record: Record, step: Step) -> None:
        """Have a step carried out in a thread."""
        if step.session == GATE:
            assert record.point is not None
            connection, texts = self._gate, _gate_statements(step.name, record.point)
            texts = [self._fill(text) for text in texts]
            done = self._threads.submit(_execute, connection, texts)
            record.begins(step, "; ".join(texts), done)
            return
        for played in _pending(record):
            if played.step.session == step.session:
                raise record.failure(
                    [f"step {step.name} cannot begin: {played.step.name} still waits before it"]
                )
        session, text = self._spec.sessions[step.session], self._fill(step.text)
        if session.gateway is None:
            connection = self._connections[session.name]
            done = self._threads.submit(_execute, connection, [text])
        else:
            done = self._threads.submit(_request, self._caller(session), text)
        record.begins(step, text, done)

    def _caller(self, session: Session) -> Api:
        gateway = self._gateways[str(session.gateway)]
        return gateway.as_user(int(self._values[session.user])) if session.user else gateway

    def _settle(self, record: Record) -> None:
        """Return when every step has answered or waits for a lock, so that nothing moves."""
        deadline = time.monotonic() + self._step_timeout_sec
        while True:
            wait([played.done for played in _pending(record)], GLANCE_SEC, FIRST_COMPLETED)
            self._collect(record)
            pending = _pending(record)
            # In this order: who has not answered, and only then who waits. Whoever was let go in
            # between is in neither, and so looked at again.
            if self._all_wait(pending):
                for played in pending:
                    record.waits(played)
                return
            if time.monotonic() > deadline:
                raise record.failure(
                    [
                        f"step {played.step.name} has neither returned nor come to wait for a lock "
                        f"within {self._step_timeout_sec:g} s"
                        for played in pending
                        if not played.waited
                    ]
                    or ["the steps that were let go have not returned in time"]
                )

    def _await_the_last(self, record: Record) -> None:
        """Collect the last answers: InnoDB takes its time to find a deadlock and end it."""
        wait([played.done for played in _pending(record)], self._step_timeout_sec)
        self._collect(record)
        if waiting := _pending(record):
            raise record.failure([f"step {played.step.name} never returned" for played in waiting])

    def _collect(self, record: Record) -> None:
        """Take down the answers that have come."""
        for played in _pending(record):
            if played.done.done():
                record.answers(played)

    def _all_wait(self, pending: Sequence[Played]) -> bool:
        """Tell whether MySQL has every one of these waiting for a lock."""
        if not pending:
            return True
        found = {row["id"]: row["user"] for row in rows(self._admin, WAITING)}
        found |= waiting(self._admin)
        at_gateways = list(found.values()).count(self._gateway_user)
        sessions = [self._connections.get(played.step.session) for played in pending]
        return at_gateways >= sessions.count(None) and all(
            own.connection_id in found for own in sessions if own is not None
        )

    def _clear(self, record: Record) -> None:
        """Let go of everything, and end what still runs."""
        for played in _pending(record):
            if played.step.session in self._connections:
                own = self._connections[played.step.session]
                result_sets(self._admin, f"KILL {own.connection_id}")
        if any(played.step.session == GATE for played in _pending(record)):
            result_sets(self._admin, f"KILL {self._gate.connection_id}")
        else:
            _execute(self._gate, RELEASE)
        wait([played.done for played in _pending(record)])

    def _problems(self) -> list[str]:
        """Return what is wrong with the boards, the history and the locks."""
        found = rows(self._admin, LEFT_LOCKED)
        for name, text in self._spec.setup.items():
            if text.startswith("create_exam"):
                exam = int(self._values[name])
                found += problems_of(self._admin, exam)
                found += rows(self._admin, GAPS.replace("%(exam)s", str(exam)))
        for text in self._spec.empties:
            statement = self._fill(text)
            found += [{statement: row} for row in rows(self._admin, statement)]
        return [" ".join(f"{name}={value}" for name, value in row.items()) for row in found]

    @contextmanager
    def _pauses(self, point: Point | None) -> Iterator[None]:
        """Put the pause of a point into its routine, and take it out again."""
        if point is None or point.routine is None:
            yield
            return
        source = (SQL / "procedures" / f"{point.routine}.sql").read_text()
        pause = f"\nBEGIN\n    DECLARE v_race BIGINT DEFAULT {PAUSED};\n"
        try:
            paused = source.replace("\nBEGIN\n", pause, 1)
            if point.text.startswith("pause behind"):
                paused = source.replace("\nEND$$", f"\n    DO {PAUSED};\nEND$$")
            for statement in statements(paused):
                result_sets(self._admin, statement)
            yield
        finally:
            for statement in statements(source):
                result_sets(self._admin, statement)


def _gate_statements(step: str, point: Point) -> list[str]:
    """Return what holds or frees a point."""
    if step == FREE:
        return RELEASE
    return [f"DO GET_LOCK('{PAUSE}', 0)"] if point.routine else ["START TRANSACTION", point.text]


def _execute(connection: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Execute statements and return what the last one answered, the first result set in front."""
    try:
        for text in texts:
            sets = result_sets(connection, text)
    except DRIVER_ERRORS as error:
        message = str(getattr(error, "msg", error))
        known = re.match(r"(\w+): ", message)
        return {"error": known[1] if known else message, "errno": error.errno}
    answer: dict[str, Any] = {}
    for number, found in enumerate(sets, 1):
        content: dict[str, Any] = {"rows": len(found)} | (found[0] if found else {})
        if len(found) > 1:
            content["row"] = found
        answer |= content if number == 1 else {str(number): content}
    return answer


def _request(api: Api, text: str) -> dict[str, Any]:
    """Send a request and return the status and the members of the JSON that came back."""
    found = re.fullmatch(r"([A-Z]+) (\S+)((?: [A-Z][\w-]+=\S+)*)(?: (\{.*\}))?", text)
    assert found is not None, f"not METHOD /path [Header=value] [JSON]: {text}"
    method, path, headers, body = found.groups()
    named = dict(header.split("=", 1) for header in headers.split())
    answer = api.request(method, path, json.loads(body) if body else None, headers=named)
    failed = {"error": answer.code} if answer.status >= 400 else {}
    return {"status": answer.status, **failed, **answer.json}


def _pending(record: Record) -> list[Played]:
    return [played for played in record.played.values() if played.answered is None]


def _find_outcome(record: Record, fill: Callable[[str], str]) -> tuple[Outcome | None, list[str]]:
    """Return the outcome that has come about, or why each of them has not."""
    mismatches = []
    for outcome in record.spec.outcomes:
        wrong = [*_out_of_time(record, outcome.order), *_other_answers(record, outcome, fill)]
        if not wrong:
            return outcome, []
        mismatches.append(f"not the outcome of {outcome.place}: {'; '.join(wrong)}")
    return None, mismatches


def _out_of_time(record: Record, order: Sequence[str]) -> Iterator[str]:
    """Return who would have come before somebody who had answered before he began."""
    for earlier, later in itertools.combinations([record.played[name] for name in order], 2):
        if later.answered is not None and later.answered < earlier.begun:
            yield f"{later.step.name} had answered before {earlier.step.name} began"


def _other_answers(record: Record, outcome: Outcome, fill: Callable[[str], str]) -> Iterator[str]:
    """Return what was answered otherwise than in an outcome."""
    for name, played in record.played.items():
        expected = outcome.answers.get(name, {})
        if "error" in played.answer and not {"error", "errno", "status"} & expected.keys():
            yield f"{name} failed"
        for path, value in expected.items():
            found = played.waited if path == "waits" else _element(played.answer, path)
            if not any(_same(found, fill(one)) for one in value.split("|")):
                yield f"{name} answers {path}={found}, not {value}"


def _element(answer: Any, path: str) -> Any:
    """Return an element within elements; None where there is none."""
    whole = answer
    for name in path.split("."):
        if isinstance(whole, list):
            whole = whole[int(name)] if int(name) < len(whole) else None
        elif isinstance(whole, dict):
            whole = whole.get(name)
        else:
            return None
    return whole


def _same(found: Any, expected: str) -> bool:
    if found is None or isinstance(found, bool):
        return str(found).lower() == expected
    try:
        return Decimal(str(found)) == Decimal(expected)
    except InvalidOperation:
        return str(found) == expected


def _unaudited(record: Record, audited: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Compare what was acknowledged with what the history has got since."""
    acknowledged = {
        (found["submission_id"], found["version"], found["revision"])
        for played in record.played.values()
        for found in _acknowledged(played.answer)
    }
    history = [(row["id"], row["version"], row["revision"]) for row in audited]
    for one in acknowledged - {*history}:
        yield f"acknowledged, and not in the history: {one}"
    for one in history:
        if one not in acknowledged:
            yield f"in the history, and acknowledged by nobody: {one}"


def _acknowledged(answer: Any) -> Iterator[dict[str, Any]]:
    """Return what looks like the outcome of an accepted submission, however deep."""
    if isinstance(answer, dict):
        if answer.keys() >= {"submission_id", "version", "revision"} and answer["revision"]:
            yield answer
        answer = list(answer.values())
    if isinstance(answer, list):
        for element in answer:
            yield from _acknowledged(element)


def _shown(answer: Any) -> str:
    """Write an answer in one line, without what is empty."""
    if isinstance(answer, dict):
        return " ".join(f"{k}={_shown(v)}" for k, v in answer.items() if v is not None) or "done"
    if isinstance(answer, list):
        return f"[{', '.join(map(_shown, answer))}]"
    return str(answer)
