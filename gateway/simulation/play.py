"""The exam itself: every candidate in a thread, each with a token of his own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway.history import Recorder
from gateway.simulation.candidates import Candidate
from gateway.simulation.client import Answer, Caller, Gateway, expect

TICK_SEC = 0.25
PER_PAGE = 10


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
    # The same as clients of any kind note it, for the history checker.
    recorder: Recorder = field(default_factory=Recorder)


@dataclass(frozen=True)
class Exam:
    """An exam of our own, its organiser, and who can still take it when it is over."""

    exam_id: int
    organiser: Caller
    spare_id: int
    spare_session_id: int


def open_exam(gateway: Gateway, admin_token: str, title: str) -> Exam:
    """Create the exam, and a session nobody plays, for the user to try."""
    organiser = Caller(gateway, admin_token)
    # Candidates submit for themselves here, each with a token of their own.
    settings = {"title": title, "submissions_by": "candidates"}
    exam_id = _create(organiser, "/exams", settings)["exam_id"]
    spare_id = _user(organiser, f"you.{exam_id}", "You")
    return Exam(exam_id, organiser, spare_id, _start(organiser, exam_id, spare_id))


def register(
    organiser: Caller, record: Record, candidates: Sequence[Candidate], workers: int
) -> Iterator[None]:
    """Create a user for every candidate, so many at a time; yields from time to time.

    Once the gateway's clients are told that it is over, those who are not begun are left out.
    """

    def one(place: int) -> None:
        who = candidates[place]
        record.user_ids[place] = _user(organiser, who.username, who.full_name)

    tasks = [partial(one, place) for place in range(len(candidates))]
    return _in_threads(tasks, workers, organiser.gateway.over)


def play(
    gateway: Gateway, record: Record, candidates: Sequence[Candidate], workers: int
) -> Iterator[None]:
    """Let all who are registered take the exam, so many at a time; yields from time to time.

    Once the gateway's clients are told that it is over, each ends with the answer he waits for.
    """
    lock = threading.Lock()

    def one(place: int) -> None:
        heard = Record(record.exam_id, recorder=record.recorder)
        try:
            _take_exam(gateway, heard, record.user_ids[place], candidates[place])
        finally:
            with lock:
                record.acknowledged += heard.acknowledged
                record.replays += heard.replays
                record.refused |= heard.refused
                record.reads += heard.reads
                record.finished += heard.finished

    tasks = [partial(one, place) for place in sorted(record.user_ids)]
    return _in_threads(tasks, workers, gateway.over)


def _take_exam(gateway: Gateway, heard: Record, user_id: int, candidate: Candidate) -> None:
    """Start, hand in, finish, and look at the board."""
    me, exam_id = gateway.as_candidate(user_id), heard.exam_id
    session_id = _start(me, exam_id, user_id)
    version = 0
    for step in candidate.steps:
        if gateway.over.is_set():
            return
        sent = {"session_id": session_id, **step.module, "expected_version": version}
        if step.is_stale:
            _go_on_from_the_past(me, heard, sent)
            # What a client does about a conflict: read the session again, then decide anew.
            sent["expected_version"] = me.get(f"/sessions/{session_id}")["version"]
        key = str(uuid.uuid4())
        heard.recorder.sent(key, exam_id, sent)
        outcome = _submit(me, heard, sent, key)
        heard.acknowledged.append(Submission(key, user_id, sent, outcome))
        if step.is_retried:
            heard.replays.append((outcome, _submit(me, heard, sent, key)))
        version = outcome["version"]
    me.call("finish", "PATCH", f"/sessions/{session_id}/finish", expected=200)
    heard.finished = 1
    answer = me.call(
        "leaderboard",
        "GET",
        f"/leaderboard?exam_id={exam_id}&per_page={PER_PAGE}",
        expected=200,
    )
    page = answer.body
    heard.reads.append((heard.acknowledged[-1].outcome["revision"], page["revision"]))
    heard.recorder.read(
        exam_id,
        gateway.url,
        page["revision"],
        answer.began,
        answer.ended,
        tuple(page["leaderboard"]),
        PER_PAGE,
    )


def _go_on_from_the_past(me: Caller, heard: Record, sent: dict[str, Any]) -> None:
    """Send a submission that is made for a version before the current one, to be refused."""
    key = str(uuid.uuid4())
    stale = sent | {"expected_version": sent["expected_version"] - 1}
    heard.recorder.sent(key, heard.exam_id, stale)
    answer = _send(me, heard, stale, key)
    expect(answer, 409, "a submission for a version that is no longer the newest")
    heard.refused[key] = (
        answer.body["code"] == "version_conflict"
        and answer.body["current_version"] == sent["expected_version"]
    )


def _submit(me: Caller, heard: Record, sent: dict[str, Any], key: str) -> dict[str, Any]:
    """Hand in a module and return the answer, which accepts it."""
    answer = _send(me, heard, sent, key)
    expect(answer, 200, "a submission")
    outcome: dict[str, Any] = answer.body
    return outcome


def _send(me: Caller, heard: Record, sent: dict[str, Any], key: str) -> Answer:
    """Send a submission until it is decided, and note the answer, whatever it says."""
    answer = me.insist("submit", "POST", "/scores", sent, key)
    if answer.status == 200 or 400 <= answer.status < 500:
        heard.recorder.answered(
            key, me.gateway.url, answer.status, answer.body, answer.began, answer.ended
        )
    return answer


def _user(organiser: Caller, username: str, full_name: str) -> int:
    body = {"username": username, "full_name": full_name, "role": "candidate"}
    return int(_create(organiser, "/users", body)["user_id"])


def _start(caller: Caller, exam_id: int, user_id: int) -> int:
    body = {"exam_id": exam_id, "user_id": user_id}
    answer = caller.insist("start", "POST", "/sessions", body)
    # 200: it was begun by a request whose answer was lost.
    if answer.status != 200:
        expect(answer, 201, "the start of a session")
    return int(answer.body["session_id"])


def _create(caller: Caller, path: str, body: dict[str, Any]) -> Any:
    kind = {"/users": "register"}.get(path, "other")
    return caller.call(kind, "POST", path, body, expected=201).body


def _in_threads(
    tasks: Sequence[Callable[[], None]], workers: int, over: threading.Event
) -> Iterator[None]:
    """Run tasks, so many at a time, yielding several times a second; the first error ends it."""
    executor = ThreadPoolExecutor(workers)
    running: set[Future[None]] = {executor.submit(task) for task in tasks}
    try:
        while running:
            done, running = wait(running, TICK_SEC, FIRST_EXCEPTION)
            for future in done:
                future.result()
            if over.is_set():
                running = {future for future in running if not future.cancel()}
            yield
    except BaseException as error:
        over.set()
        # Whoever breaks it off does not want to wait for answers.
        executor.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    executor.shutdown()
