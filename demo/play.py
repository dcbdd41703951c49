"""The exam itself: every candidate in a thread, each with a token of his own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from demo.candidates import Candidate
from demo.client import Caller, Gateway

TITLE = "Backend Challenge 2026"
TICK_SEC = 0.25


@dataclass(frozen=True)
class Submission:
    """A submission that was acknowledged: what was sent, under which key, and the answer."""

    key: str
    user_id: int
    sent: dict[str, Any]
    outcome: dict[str, Any]


@dataclass
class Record:
    """What the candidates were told, kept on their side, to be held against the database."""

    exam_id: int
    # By place in the list of candidates.
    user_ids: dict[int, int] = field(default_factory=dict)
    acknowledged: list[Submission] = field(default_factory=list)
    # The first outcome and what the same request was answered afterwards.
    replays: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    # Keys of submissions with a stale version, and whether the refusal told the current one.
    refused: dict[str, bool] = field(default_factory=dict)
    # The revision a candidate had been told and the one his next read of the board showed.
    reads: list[tuple[int, int]] = field(default_factory=list)
    finished: int = 0


@dataclass(frozen=True)
class Exam:
    """The exam of this demo, its organiser, and who can still take it when it is over."""

    exam_id: int
    organiser: Caller
    spare_id: int
    spare_session_id: int


def open_exam(gateway: Gateway, admin_token: str) -> Exam:
    """Create the exam, and a session nobody plays, for the user to try."""
    organiser = Caller(gateway, admin_token)
    exam_id = _create(organiser, "/exams", {"title": TITLE})["exam_id"]
    spare_id = _user(organiser, f"you.{exam_id}", "You")
    session = _create(organiser, "/sessions", {"exam_id": exam_id, "user_id": spare_id})
    return Exam(exam_id, organiser, spare_id, session["session_id"])


def register(
    organiser: Caller, record: Record, candidates: Sequence[Candidate], workers: int
) -> Iterator[None]:
    """Create a user for every candidate, so many at a time; yields from time to time."""

    def one(place: int) -> None:
        who = candidates[place]
        record.user_ids[place] = _user(organiser, who.username, who.full_name)

    return _in_threads([partial(one, place) for place in range(len(candidates))], workers)


def play(
    gateway: Gateway, record: Record, candidates: Sequence[Candidate], workers: int
) -> Iterator[None]:
    """Let all who are registered take the exam, so many at a time; yields from time to time."""
    lock = threading.Lock()

    def one(place: int) -> None:
        heard = _take_exam(gateway, record.exam_id, record.user_ids[place], candidates[place])
        with lock:
            record.acknowledged += heard.acknowledged
            record.replays += heard.replays
            record.refused |= heard.refused
            record.reads += heard.reads
            record.finished += heard.finished

    return _in_threads([partial(one, place) for place in range(len(candidates))], workers)


def _take_exam(gateway: Gateway, exam_id: int, user_id: int, candidate: Candidate) -> Record:
    """Start, hand in, finish, and look at the board."""
    heard, me = Record(exam_id), gateway.as_candidate(user_id)
    session_id = _create(me, "/sessions", {"exam_id": exam_id, "user_id": user_id})["session_id"]
    version = 0
    for step in candidate.steps:
        sent = {"session_id": session_id, **step.module, "expected_version": version}
        if step.is_stale:
            _go_on_from_the_past(me, heard, sent)
            # What a client does about a conflict: read the session again, then decide anew.
            sent["expected_version"] = me.get(f"/sessions/{session_id}")["version"]
        key = str(uuid.uuid4())
        outcome = _submit(me, sent, key)
        heard.acknowledged.append(Submission(key, user_id, sent, outcome))
        if step.is_retried:
            heard.replays.append((outcome, _submit(me, sent, key)))
        version = outcome["version"]
    me.call("finish", "PATCH", f"/sessions/{session_id}/finish", expected=200)
    heard.finished = 1
    page = me.get(f"/leaderboard?exam_id={exam_id}&per_page=10", "leaderboard")
    heard.reads.append((heard.acknowledged[-1].outcome["revision"], page["revision"]))
    return heard


def _go_on_from_the_past(me: Caller, heard: Record, sent: dict[str, Any]) -> None:
    """Send a submission that is made for a version before the current one, to be refused."""
    key = str(uuid.uuid4())
    stale = sent | {"expected_version": sent["expected_version"] - 1}
    problem = me.call("submit", "POST", "/scores", stale, expected=409, key=key).body
    heard.refused[key] = (
        problem["code"] == "version_conflict"
        and problem["current_version"] == sent["expected_version"]
    )


def _submit(me: Caller, sent: dict[str, Any], key: str) -> dict[str, Any]:
    answer = me.call("submit", "POST", "/scores", sent, expected=200, key=key)
    outcome: dict[str, Any] = answer.body
    return outcome


def _user(organiser: Caller, username: str, full_name: str) -> int:
    body = {"username": username, "full_name": full_name, "role": "candidate"}
    return int(_create(organiser, "/users", body)["user_id"])


def _create(caller: Caller, path: str, body: dict[str, Any]) -> Any:
    kind = {"/users": "register", "/sessions": "start"}.get(path, "other")
    return caller.call(kind, "POST", path, body, expected=201).body


def _in_threads(tasks: Sequence[Callable[[], None]], workers: int) -> Iterator[None]:
    """Run tasks, so many at a time, yielding several times a second; the first error ends it."""
    with ThreadPoolExecutor(workers) as executor:
        running: set[Future[None]] = {executor.submit(task) for task in tasks}
        try:
            while running:
                done, running = wait(running, TICK_SEC, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                yield
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
