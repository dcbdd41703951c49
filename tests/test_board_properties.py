"""Random operations by CALL, each compared with a model and with the window function.

A failure prints the few operations that lead to it. By default they are the same in every run;
PODIUM_PROPERTY_EXAMPLES=800 makes a long run of other ones each time, and a failure then also
prints the decorator that repeats it when it is put on BoardMachine. pytest --log-cli-level=INFO
shows how often what was called and came about.
"""

from __future__ import annotations

import json
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

import mysql.connector
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.config import MysqlUrl
from gateway.db import DRIVER_ERRORS
from tests.sql_harness import Row, call, result_sets, rows, unique_name

LOG = logging.getLogger(__name__)
LONG_RUN = os.environ.get("PODIUM_PROPERTY_EXAMPLES")
EXAMPLES, STEPS = int(LONG_RUN or 40), 50
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=LONG_RUN is None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
Score = tuple[str, str]  # raw and max
MODULES = ("coding", "quiz", "assessment")
LONGEST_SEC = 4_194_303
# Few scores and times, so that ties abound: 50 of 100 is 1 of 2; 33.3333 at the weights 50 and 12.5
# lies half way between two ten-thousandths.
SCORES = (("50", "100"), ("1", "2"), ("0", "100"), ("33.3333", "100"), ("2", "3"), ("100", "100"))
TIMES = (60, 60, 60, 61, 0, 200, 2_000_000)
WEIGHTS = (
    ("50", "30", "20"),
    ("33.33", "33.33", "33.34"),
    ("12.5", "37.5", "50"),
    ("0", "0", "100"),
    UNSOUND_WEIGHTS := ("50", "30", "19.99"),
)
POLICIES = ("best", "latest", "first")
ACTORS = (*("account",) * 4, *("owner",) * 3, "moderator", "stranger")
CALLERS = (*("account",) * 8, "moderator", "stranger")
# What makes an item one to refuse: the fields that are replaced.
FLAWS: tuple[dict[str, Any], ...] = (
    {"session_id": 0},
    {"module_type": "essay"},
    {"raw_score": Decimal(101)},
    {"raw_score": Decimal(-1)},
    {"max_score": Decimal(0)},
    {"time_spent_sec": -1},
    {"time_spent_sec": LONGEST_SEC + 1},
    {"details": [1]},
    {"expected_version": -1},
    {"submission_id": ""},
    {"actor_id": 0},
)
# What makes two submissions of one id the same.
PAYLOAD = ("session_id", "module_type", "raw_score", "max_score", "time_spent_sec", "details")
# Calls that are refused whatever the boards hold.
MISTAKES: dict[str, tuple[tuple[Any, ...], str]] = {
    "start_session": ((0, 0, None), "exam_not_found"),
    "register_candidates": ((0, "[]", None), "exam_not_found"),
    "finish_session": ((0, None), "session_not_found"),
    "submit_scores": (("{}", None), "submissions_invalid"),
    "update_exam_weights": ((0, 50, 30, 20, None), "exam_not_found"),
    "recalculate_leaderboard": ((0, None), "exam_not_found"),
    "check_leaderboard": ((0,), "exam_not_found"),
    "get_leaderboard": ((0, 1, 50, None), "exam_not_found"),
    "get_entry": ((0, 1), "exam_not_found"),
    "get_around": ((0, 1, 0), "window_invalid"),
    "create_exam": (("", 50, 30, 20, 1, "best", None, None, None), "title_invalid"),
    "create_user": (("", "Nobody", "candidate"), "username_invalid"),
}
# The numbers that tell what a row belongs to, the first that a table has, and where they are given.
OWNERS = {
    "board_id": "leaderboards",
    "session_id": "exam_sessions",
    "exam_id": "exams",
    "user_id": "users",
}
NEWEST = "SELECT COALESCE(MAX({}), 0) AS newest FROM podium.{}"
OUTCOME_COLUMNS = ("version", "revision", "rank", "total_score", "total_time_sec") + tuple(
    f"weighted_{module}" for module in MODULES
)
# What has to have come about in a run, or it has tested too little.
OUTCOMES = {
    "accepted", "replayed", "submission_id_reused", "version_conflict", "session_finished",
    "not_own_session", "actor_not_found", "session_not_found", "module_unknown",
    "raw_score_invalid", "max_score_invalid", "time_spent_invalid", "details_invalid",
    "expected_version_invalid", "submission_id_invalid", "attempts_exhausted", "weights_invalid",
    "entry_not_found", "two boards in one array", "tie across pages",
}  # fmt: skip

# The board from the raw scores alone.
TRUTH = """
    WITH totals AS (
        SELECT
            s.user_id, s.session_id, s.attempt_no, e.attempt_policy,
            SUM(ROUND(m.raw_score * CASE m.module_type
                WHEN 'coding' THEN e.weight_coding
                WHEN 'quiz' THEN e.weight_quiz
                ELSE e.weight_assessment
            END / m.max_score, 4)) AS total_score,
            SUM(m.time_spent_sec) AS total_time_sec
        FROM podium.exams AS e
        INNER JOIN podium.exam_sessions AS s ON s.exam_id = e.exam_id
        INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
        WHERE e.exam_id = %s
        GROUP BY s.session_id
    ),
    rivals AS (
        SELECT
            user_id, session_id, total_score, total_time_sec,
            CASE attempt_policy
                WHEN 'best' THEN RANK() OVER (
                    PARTITION BY user_id ORDER BY total_score DESC, total_time_sec, attempt_no)
                WHEN 'latest' THEN RANK() OVER (PARTITION BY user_id ORDER BY attempt_no DESC)
                WHEN 'first' THEN RANK() OVER (PARTITION BY user_id ORDER BY attempt_no)
            END AS preference
        FROM totals
    )
    SELECT
        DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS `rank`,
        user_id, total_score, total_time_sec, session_id
    FROM rivals
    WHERE preference = 1
    ORDER BY `rank`, user_id
"""


@dataclass(eq=False)
class Exam:
    """An exam as it should be."""

    exam_id: int
    policy: str
    max_attempts: int
    weights: dict[str, Decimal]
    revision: int = 0
    accepted: int = 0
    sessions: list[Session] = field(default_factory=list)

    def attempts(self, user_id: int) -> list[Session]:
        """Return the sessions of a candidate, in order."""
        return [session for session in self.sessions if session.user_id == user_id]

    def board(self) -> list[Entry]:
        """Return the entries in board order."""
        counted = [
            self._counted(scored)
            for user_id in {session.user_id for session in self.sessions}
            if (scored := [attempt for attempt in self.attempts(user_id) if attempt.scores])
        ]
        standings = sorted({session.standing for session in counted})
        return sorted(
            Entry(
                standings.index(session.standing) + 1,
                session.user_id,
                session.total_score,
                session.total_time_sec,
                session.session_id,
            )
            for session in counted
        )

    def entry(self, user_id: int) -> Entry | None:
        """Return the entry of a candidate, if he has one."""
        return next((entry for entry in self.board() if entry.user_id == user_id), None)

    def _counted(self, scored: list[Session]) -> Session:
        if self.policy == "best":
            return min(scored, key=lambda session: session.standing)
        return scored[-1 if self.policy == "latest" else 0]


@dataclass(eq=False)
class Session:
    """An attempt as it should be; standing is the less the better."""

    session_id: int
    user_id: int = field(repr=False)
    exam: Exam = field(repr=False)
    attempt_no: int = field(repr=False)
    finished: bool = field(default=False, repr=False)
    version: int = field(default=0, repr=False)
    scores: dict[str, Row] = field(default_factory=dict, repr=False)

    def weighted(self, module: str) -> Decimal:
        """Return the points of a module, rounded half up to 4 decimals."""
        if module not in self.scores:
            return Decimal(0)
        raw, best = (Fraction(self.scores[module][name]) for name in ("raw_score", "max_score"))
        exact = raw * Fraction(self.exam.weights[module]) / best
        return Decimal(int(exact * 10_000 + Fraction(1, 2))) / 10_000

    @property
    def total_score(self) -> Decimal:
        return sum((self.weighted(module) for module in MODULES), Decimal(0))

    @property
    def total_time_sec(self) -> int:
        return sum(score["time_spent_sec"] for score in self.scores.values())

    @property
    def standing(self) -> tuple[Decimal, int]:
        return -self.total_score, self.total_time_sec


class Entry(NamedTuple):
    """A row of a board, in board order."""

    rank: int
    user_id: int
    total_score: Decimal
    total_time_sec: int
    session_id: int


class Fresh(NamedTuple):
    """A submission to make up."""

    session: Session
    module: str
    score: Score
    time_sec: int
    details: dict[str, int] | None
    version: int | None  # relative to the session's own
    named: bool
    actor: str
    flaw: dict[str, Any]


class Again(NamedTuple):
    """A submission to repeat, counted from the last one back, with changes."""

    back: int
    changes: dict[str, Any]
    actor: str | None  # None: whoever submitted it


class BoardMachine(RuleBasedStateMachine):
    """Operations on a few exams, with a model of what each should give.

    The class holds what all machines of a run share.
    """

    connection: ClassVar[Any]
    errnos: ClassVar[dict[str, int]]
    performed: ClassVar[Counter[str]]
    outcomes: ClassVar[Counter[str]]
    exam_ids: ClassVar[list[int]]

    sessions: Bundle[Session] = Bundle("sessions")
    first_scores = st.lists(st.sampled_from(SCORES), max_size=4)
    fresh = st.builds(
        Fresh,
        session=sessions,
        module=st.sampled_from(MODULES),
        score=st.sampled_from(SCORES),
        time_sec=st.sampled_from(TIMES),
        details=st.sampled_from((None, None, {"n": 1})),
        version=st.sampled_from((*(None,) * 4, *(0,) * 4, 1, -1)),
        named=st.booleans(),
        actor=st.sampled_from(ACTORS),
        flaw=st.sampled_from(({},) * 40 + FLAWS),
    )
    again = st.builds(
        Again,
        back=st.integers(0, 9),
        changes=st.sampled_from(({}, {}, {"time_spent_sec": 59}, {"expected_version": 0})),
        actor=st.sampled_from((None, None, None, "owner", "stranger")),
    )
    submissions = st.one_of(fresh, fresh, again)

    def __init__(self) -> None:
        super().__init__()
        self.contents_of_new_rows = contents_of_new_rows(self.connection)
        self.exams: list[Exam] = []
        self.by_id: dict[int, Session] = {}
        self.named: list[Row] = []
        self.log: dict[str, tuple[Row, Row]] = {}
        self.touched: list[Exam] = []
        self.changed = False
        self.contents: list[Row] = []
        self.random = random.Random()
        self.staff: dict[str, int] = {}

    # Operations

    @initialize(
        target=sessions,
        policy=st.sampled_from(POLICIES),
        max_attempts=st.integers(2, 3),
        scores=first_scores,
        seed=st.integers(0, 999),
    )
    def open_first_exam(
        self, policy: str, max_attempts: int, scores: list[Score], seed: int
    ) -> MultipleResults[Session]:
        self.random.seed(seed)  # of what is looked at, not of what is done
        self.staff = {"moderator": self.make_user("moderator"), "stranger": self.make_user()}
        exam = self.open_exam(policy, max_attempts, WEIGHTS[0])
        return self.admit(exam, [self.make_user() for _ in range(3)], scores)

    @precondition(lambda self: len(self.exams) < 3)
    @rule(
        target=sessions,
        policy=st.sampled_from(POLICIES),
        max_attempts=st.integers(1, 3),
        weights=st.sampled_from(WEIGHTS),
        scores=first_scores,
    )
    def create_exam(
        self, policy: str, max_attempts: int, weights: tuple[str, ...], scores: list[Score]
    ) -> MultipleResults[Session]:
        if weights == UNSOUND_WEIGHTS:
            self.refused("weights_invalid", "create_exam", *exam_fields(policy, 1, weights))
            return multiple()
        known = list(dict.fromkeys(session.user_id for session in self.by_id.values()))
        return self.admit(self.open_exam(policy, max_attempts, weights), known[:4], scores)

    @precondition(lambda self: len(self.by_id) < 24)
    @rule(target=sessions, session=sessions, candidates=st.integers(1, 4), scores=first_scores)
    def add_candidates(
        self, session: Session, candidates: int, scores: list[Score]
    ) -> MultipleResults[Session]:
        users = [self.make_user() for _ in range(candidates)]
        return self.admit(session.exam, users, scores)

    @rule(target=sessions, session=sessions, actor=st.sampled_from(ACTORS))
    def start_session(self, session: Session, actor: str) -> MultipleResults[Session]:
        return self.start(session, actor)

    @precondition(lambda self: len(self.by_id) < 24)
    @rule(target=sessions, session=sessions, scores=first_scores)
    def make_another_attempt(
        self, session: Session, scores: list[Score]
    ) -> MultipleResults[Session]:
        last = session.exam.attempts(session.user_id)[-1]
        self.finish_session(last, "account")
        if last.attempt_no < session.exam.max_attempts:
            return self.admit(session.exam, [session.user_id], scores)
        return self.start(last, "account")

    @rule(session=sessions, actor=st.sampled_from(ACTORS))
    def finish_session(self, session: Session, actor: str) -> None:
        arguments = (session.session_id, self.actor_id(actor, session.user_id))
        if actor == "stranger":
            self.refused("session_not_found", "finish_session", *arguments)
            return
        answer = self.perform("finish_session", *arguments, changes=not session.finished)[0][0]
        assert (answer["status"], answer["version"]) == ("finished", session.version)
        session.finished = True
        self.touch(session.exam)

    @rule(scores=st.lists(st.sampled_from(SCORES), min_size=1, max_size=12))
    def score_everybody(self, scores: list[Score]) -> None:
        latest = {(each.exam.exam_id, each.user_id): each for each in self.by_id.values()}
        self.score(list(latest.values())[::-1], scores)

    @rule(session=sessions, score=st.sampled_from(SCORES), place=st.integers(0, len(FLAWS)))
    def score_one_among_the_flawed(self, session: Session, score: Score, place: int) -> None:
        some = [plan(session, "quiz", score)._replace(flaw=flaw) for flaw in FLAWS]
        some.insert(place, plan(session, "quiz", score))
        self.submit_scores(some, "account")

    @rule(submission=again)
    def repeat_submission(self, submission: Again) -> None:
        self.submit_score(submission)

    @rule(first=fresh, second=again, actor=st.sampled_from(CALLERS), late=st.booleans())
    def repeat_submission_in_one_array(
        self, first: Fresh, second: Again, actor: str, late: bool
    ) -> None:
        if late:
            self.finish_session(first.session, "account")
        self.submit_scores([first._replace(named=True), second._replace(back=0)], actor)

    @rule(submission=submissions)
    def submit_score(self, submission: Fresh | Again) -> None:
        item = self.item(submission, [])
        if item is None:
            return
        [expected] = self.settle([item])
        arguments = (item | {"details": item["details"] and json.dumps(item["details"])}).values()
        if expected["code"] is not None:
            self.refused(expected["code"], "submit_score", *arguments)
            return
        changes = not expected["replayed"]
        [answer] = self.perform("submit_score", *arguments, changes=changes)[0]
        self.compare(answer, expected, item)

    @rule(some=st.lists(submissions, min_size=1, max_size=8), actor=st.sampled_from(CALLERS))
    def submit_scores(self, some: Sequence[Fresh | Again], actor: str) -> None:
        items: list[Row] = []
        for submission in some:
            if (item := self.item(submission, items)) is not None:
                items.append(item)
        caller = {"actor_id": self.actor_id(actor, 0)}
        acting = [item if item["actor_id"] is not None else item | caller for item in items]
        expected = self.settle(acting)
        changes = any(row["code"] is None and not row["replayed"] for row in expected)
        submissions = json.dumps(items, default=float)
        answers = self.perform("submit_scores", submissions, *caller.values(), changes=changes)[0]
        assert [answer["item_no"] for answer in answers] == list(range(len(items)))
        for answer, row, item in zip(answers, expected, acting, strict=True):
            self.compare(answer, row, item)

    @rule(session=sessions, weights=st.sampled_from(WEIGHTS))
    def update_exam_weights(self, session: Session, weights: tuple[str, ...]) -> None:
        exam = session.exam
        arguments = (exam.exam_id, *weights, None)
        if weights == UNSOUND_WEIGHTS:
            self.refused("weights_invalid", "update_exam_weights", *arguments)
            return
        answer = self.perform("update_exam_weights", *arguments)[0][0]
        exam.weights = by_module(weights)
        exam.revision += 1
        assert {module: answer[f"weight_{module}"] for module in MODULES} == exam.weights
        assert answer["revision"] == exam.revision
        self.touch(exam)

    @rule(session=sessions)
    def recalculate_leaderboard(self, session: Session) -> None:
        exam = session.exam
        exam.revision += 1
        answer = self.perform("recalculate_leaderboard", exam.exam_id, None)[0][0]
        assert answer["revision"] == exam.revision
        assert answer["total_participants"] == len(exam.board())
        self.touch(exam)

    @rule(procedure=st.sampled_from(sorted(MISTAKES)))
    def make_a_mistake(self, procedure: str) -> None:
        arguments, code = MISTAKES[procedure]
        self.refused(code, procedure, *arguments)

    # What holds after each of them

    @invariant()
    def refusal_and_replay_change_nothing(self) -> None:
        before, self.contents = self.contents, rows(self.connection, *self.contents_of_new_rows)
        assert (before != self.contents) == self.changed
        self.changed = False

    @invariant()
    def touched_boards_are_exact(self) -> None:
        touched, self.touched = self.touched, []
        for exam in touched:
            assert call(self.connection, "check_leaderboard", exam.exam_id)[0] == []
            self.compare_sessions(exam)
            self.compare_revisions(exam)
            board = exam.board()
            true = rows(self.connection, TRUTH, (exam.exam_id,))
            assert [Entry(*row.values()) for row in true] == board
            self.compare_pages(exam, board)
            self.compare_neighbours(exam, board)
        if touched and self.random.random() < 0.1:
            assert call(self.connection, "verify_audit", touched[0].exam_id)[0] == []

    def compare_sessions(self, exam: Exam) -> None:
        """Compare versions, states and attempts with the model."""
        stored = rows(
            self.connection,
            "SELECT session_id, user_id, attempt_no, version, status = 'finished' AS finished"
            " FROM podium.exam_sessions WHERE exam_id = %s ORDER BY session_id",
            (exam.exam_id,),
        )
        assert [tuple(row.values()) for row in stored] == [
            (each.session_id, each.user_id, each.attempt_no, each.version, each.finished)
            for each in exam.sessions
        ]

    def compare_revisions(self, exam: Exam) -> None:
        """Compare the feed with the model: no gaps, and each accepted submission once."""
        stored = rows(
            self.connection,
            "SELECT r.revision, r.submissions FROM podium.leaderboard_revisions AS r"
            " INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id"
            " WHERE b.exam_id = %s ORDER BY r.revision",
            (exam.exam_id,),
        )
        assert [row["revision"] for row in stored] == list(range(1, exam.revision + 1))
        assert sum(row["submissions"] for row in stored) == exam.accepted

    def compare_pages(self, exam: Exam, board: list[Entry]) -> None:
        """Read the board page by page, to the empty one past the end."""
        per_page = self.random.randint(1, 4)
        user_id = self.random.choice(exam.sessions).user_id if exam.sessions else None
        own = [entry for entry in board if entry.user_id == user_id]
        borders = range(per_page, len(board), per_page)
        self.outcomes["tie across pages"] += any(
            board[n - 1].rank == board[n].rank for n in borders
        )
        for page in range(1, len(board) // per_page + 3):
            head, entries, mine = call(
                self.connection, "get_leaderboard", exam.exam_id, page, per_page, user_id
            )
            assert head[0] == head[0] | {
                "exam_id": exam.exam_id,
                "total_participants": len(board),
                "page": page,
                "per_page": per_page,
                "revision": exam.revision,
            }
            assert standings(entries) == shown(board[(page - 1) * per_page : page * per_page])
            assert standings(mine) == shown(own)

    def compare_neighbours(self, exam: Exam, board: list[Entry]) -> None:
        """Compare somebody's entry, and those around it, with the board."""
        if not exam.sessions:
            return
        user_id, window = self.random.choice(exam.sessions).user_id, self.random.randint(1, 3)
        place = next((n for n, entry in enumerate(board) if entry.user_id == user_id), None)
        if place is None:
            for procedure, *more in (("get_entry",), ("get_around", window)):
                self.expect_error("entry_not_found", procedure, exam.exam_id, user_id, *more)
            return
        [answer] = call(self.connection, "get_entry", exam.exam_id, user_id)[0]
        counted = self.by_id[board[place].session_id]
        assert standings([answer]) == shown([board[place]])
        assert (answer["revision"], answer["session_id"]) == (exam.revision, counted.session_id)
        assert answer["attempt_no"] == counted.attempt_no
        assert {m: answer[f"weighted_{m}"] for m in MODULES} == parts(counted)
        head, around = call(self.connection, "get_around", exam.exam_id, user_id, window)
        assert head[0]["revision"] == exam.revision
        assert head[0]["total_participants"] == len(board)
        assert standings(around) == shown(board[max(place - window, 0) : place + window + 1])

    # The model

    def settle(self, items: list[Row]) -> list[Row]:
        """Return what each item should be answered, and let the model take what is accepted."""
        answers = [self.decide(item) for item in items]
        self.named += [item for item in items if item["submission_id"]]
        accepted = [answer for answer in answers if answer["code"] is None and "entry" in answer]
        exams = dict.fromkeys(answer["entry"].exam for answer in accepted)
        self.outcomes["two boards in one array"] += len(exams) > 1
        for exam in exams:
            exam.revision += 1
            self.touch(exam)
        for answer in accepted:
            answer.update(self.outcome(answer.pop("entry")))
        # A repeated item of the same array was given the very row that has just been completed.
        for answer in answers:
            if "first" in answer:
                answer.update({**answer.pop("first"), "replayed": True})
        return answers

    def decide(self, item: Row) -> Row:
        """Return the answer to an item as far as it is known before its neighbours are done."""
        session = self.by_id.get(item["session_id"])
        code = self.refusal(item, session)
        # Of somebody else's session a candidate is not told whose it is.
        seen = None if code == "session_not_found" else session
        answer: Row = dict.fromkeys(OUTCOME_COLUMNS) | {
            "code": code,
            "replayed": False,
            "current_version": None,
            "exam_id": seen and seen.exam.exam_id,
            "user_id": seen and seen.user_id,
        }
        if answer["code"] == "version_conflict" and session is not None:
            answer["current_version"] = session.version
        if answer["code"] is None and session is not None:
            if item["submission_id"] in self.log:
                return {"code": None, "first": self.log[item["submission_id"]][1]}
            session.scores[item["module_type"]] = item
            session.version += 1
            session.exam.accepted += 1
            answer |= {"entry": session, "version": session.version}
            if item["submission_id"] is not None:
                self.log[item["submission_id"]] = payload_of(item), answer
        return answer

    def refusal(self, item: Row, session: Session | None) -> str | None:
        """Return the code that an item is refused with, if it is."""
        if code := flaw_of(item):
            return code
        if session is None:
            return "session_not_found"
        actor_id = item["actor_id"]
        if actor_id == 0:
            return "actor_not_found"
        if actor_id not in (None, session.user_id, self.staff["moderator"]):
            return "session_not_found"
        if item["submission_id"] in self.log:
            same = self.log[item["submission_id"]][0] == payload_of(item)
            return None if same else "submission_id_reused"
        if session.finished and actor_id == session.user_id:
            return "session_finished"
        if item["expected_version"] not in (None, session.version):
            return "version_conflict"
        replaced = session.scores.get(item["module_type"], {"time_spent_sec": 0})
        gained = item["time_spent_sec"] - replaced["time_spent_sec"]
        return "time_spent_invalid" if session.total_time_sec + gained > LONGEST_SEC else None

    def outcome(self, session: Session) -> Row:
        """Return the candidate's entry as a submission to one of his sessions is answered it."""
        entry = session.exam.entry(session.user_id)
        assert entry is not None
        weighted = parts(self.by_id[entry.session_id])
        return {
            "revision": session.exam.revision,
            "rank": entry.rank,
            "total_score": entry.total_score,
            "total_time_sec": entry.total_time_sec,
        } | {f"weighted_{module}": weighted[module] for module in MODULES}

    def item(self, submission: Fresh | Again, before: list[Row]) -> Row | None:
        """Return the fields of a submission; None where there is none to repeat."""
        if isinstance(submission, Again):
            known = self.named + [item for item in before if item["submission_id"]]
            return self.changed_item(submission, known) if known else None
        session, version = submission.session, submission.version
        return {
            "session_id": session.session_id,
            "module_type": submission.module,
            "raw_score": Decimal(submission.score[0]),
            "max_score": Decimal(submission.score[1]),
            "time_spent_sec": submission.time_sec,
            "details": submission.details,
            "expected_version": None if version is None else session.version + version,
            "submission_id": unique_name() if submission.named else None,
            "actor_id": self.actor_id(submission.actor, session.user_id),
        } | submission.flaw

    def changed_item(self, submission: Again, known: list[Row]) -> Row:
        """Return the fields of one of some submissions, with changes."""
        item = known[-1 - submission.back % len(known)] | submission.changes
        if submission.actor and item["session_id"] in self.by_id:
            owner = self.by_id[item["session_id"]].user_id
            item |= {"actor_id": self.actor_id(submission.actor, owner)}
        return item

    # The server

    def perform(self, procedure: str, *arguments: Any, changes: bool = True) -> list[list[Row]]:
        """CALL a procedure that should succeed."""
        self.performed[procedure] += 1
        self.changed = self.changed or changes
        return call(self.connection, procedure, *arguments)

    def refused(self, code: str, procedure: str, *arguments: Any) -> None:
        """CALL a procedure that should fail, and expect no change."""
        self.performed[procedure] += 1
        self.expect_error(code, procedure, *arguments)

    def expect_error(self, code: str, procedure: str, *arguments: Any) -> None:
        """CALL a procedure that should fail with a code of the catalog."""
        self.outcomes[code] += 1
        with pytest.raises(DRIVER_ERRORS) as caught:
            call(self.connection, procedure, *arguments)
        assert (caught.value.errno, caught.value.sqlstate) == (self.errnos[code], "45000")
        assert caught.value.msg.startswith(f"{code}: ")

    def compare(self, answer: Row, expected: Row, item: Row) -> None:
        """Compare the answer to an item with the expected one, and remember a name it was given."""
        code, name = expected["code"], answer["submission_id"]
        self.outcomes["replayed" if expected["replayed"] else code or "accepted"] += 1
        assert {column: answer[column] for column in expected} == expected
        for column in ("session_id", "module_type"):
            assert answer[column] == item[column]
        assert (answer["status"] == 200) == (code is None)
        assert str(answer["message"]).startswith(f"{code}")
        assert item["submission_id"] in (None, name)
        if item["submission_id"] is None and code is None:
            self.log[name] = payload_of(item), expected
            self.named.append(item | {"submission_id": name})

    def open_exam(self, policy: str, max_attempts: int, weights: tuple[str, ...]) -> Exam:
        """Create an exam."""
        settings = {
            "title": "Exam",
            "weights": {name: float(points) for name, points in by_module(weights).items()},
            "max_attempts": max_attempts,
            "attempt_policy": policy,
            "submissions_by": "candidates",
        }
        answer = self.perform("create_exam_once", json.dumps(settings), None, None)[0][0]
        assert (answer["revision"], answer["total_participants"]) == (0, 0)
        exam = Exam(answer["exam_id"], policy, max_attempts, by_module(weights))
        self.exam_ids.append(exam.exam_id)
        self.exams.append(exam)
        self.touch(exam)
        return exam

    def admit(
        self, exam: Exam, user_ids: list[int], scores: list[Score]
    ) -> MultipleResults[Session]:
        """Start an attempt of some candidates, and score as many as there are scores."""
        sessions = [self.begin(exam, user_id) for user_id in user_ids]
        self.score(sessions, scores)
        return multiple(*sessions)

    def score(self, sessions: list[Session], scores: list[Score]) -> None:
        """Submit a score each, as far as they go, in one array."""
        each = zip(sessions, MODULES * 4, scores, strict=False)
        self.submit_scores([plan(*fields) for fields in each], "account")

    def start(self, session: Session, actor: str) -> MultipleResults[Session]:
        """Start the candidate's next attempt, unless one is in progress or none is left."""
        exam, user_id = session.exam, session.user_id
        last = exam.attempts(user_id)[-1]
        arguments = (exam.exam_id, user_id, self.actor_id(actor, user_id))
        if actor == "stranger":
            self.refused("not_own_session", "start_session", *arguments)
        elif not last.finished:
            answer = self.perform("start_session", *arguments, changes=False)[0][0]
            assert (answer["session_id"], answer["created"]) == (last.session_id, 0)
        elif last.attempt_no == exam.max_attempts:
            self.refused("attempts_exhausted", "start_session", *arguments)
        else:
            return multiple(self.begin(exam, user_id, actor))
        return multiple()

    def begin(self, exam: Exam, user_id: int, actor: str = "account") -> Session:
        """Start an attempt that should be new."""
        actor_id = self.actor_id(actor, user_id)
        answer = self.perform("start_session", exam.exam_id, user_id, actor_id)[0][0]
        attempt_no = len(exam.attempts(user_id)) + 1
        assert (answer["attempt_no"], answer["version"], answer["created"]) == (attempt_no, 0, 1)
        session = Session(answer["session_id"], user_id, exam, attempt_no)
        exam.sessions.append(session)
        self.by_id[session.session_id] = session
        self.touch(exam)
        return session

    def make_user(self, role: str = "candidate") -> int:
        """Create a user and return his id."""
        return int(self.perform("create_user", unique_name(), "Somebody", role)[0][0]["user_id"])

    def actor_id(self, actor: str, owner: int) -> int | None:
        """Return who acts; NULL is the MySQL account itself."""
        return {"account": None, "owner": owner, **self.staff}[actor]

    def touch(self, exam: Exam) -> None:
        """Have a board looked at after this operation."""
        if exam not in self.touched:
            self.touched.append(exam)


def plan(session: Session, module: str, score: Score) -> Fresh:
    """Return a submission without any particulars."""
    return Fresh(session, module, score, 60, None, None, False, "account", {})


def payload_of(item: Row) -> Row:
    """Return what makes two submissions of one id the same."""
    return {name: item[name] for name in PAYLOAD}


def flaw_of(item: Row) -> str | None:
    """Return what is wrong with the values of an item, the first if there are several."""
    checks = {
        "module_unknown": item["module_type"] in MODULES,
        "max_score_invalid": item["max_score"] > 0,
        "raw_score_invalid": 0 <= item["raw_score"] <= item["max_score"],
        "time_spent_invalid": 0 <= item["time_spent_sec"] <= LONGEST_SEC,
        "details_invalid": isinstance(item["details"], dict | None),
        "expected_version_invalid": (item["expected_version"] or 0) >= 0,
        "submission_id_invalid": item["submission_id"] != "",
    }
    return next((code for code, sound in checks.items() if not sound), None)


def by_module(weights: tuple[str, ...]) -> dict[str, Decimal]:
    """Return the weights by module."""
    return dict(zip(MODULES, map(Decimal, weights), strict=True))


def exam_fields(policy: str, max_attempts: int, weights: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the arguments of create_exam."""
    return ("Exam", *weights, max_attempts, policy, None, None, None)


def parts(session: Session) -> dict[str, Decimal]:
    """Return the weighted scores of a session by module."""
    return {module: session.weighted(module) for module in MODULES}


def shown(board: list[Entry]) -> list[tuple[Any, ...]]:
    """Return what a board shows of its entries."""
    return [tuple(entry[:4]) for entry in board]


def standings(answer: list[Row]) -> list[tuple[Any, ...]]:
    """Return the same of the rows that a procedure returned."""
    columns = ("rank", "user_id", "total_score", "total_time_sec")
    return [tuple(row[column] for column in columns) for row in answer]


def contents_of_new_rows(connection: Any) -> tuple[str, tuple[int, ...]]:
    """Return a statement, and its values, that sums up all rows of all tables added from now on."""
    columns: dict[str, list[str]] = {}
    for row in rows(
        connection,
        "SELECT c.table_name AS tab, c.column_name AS name FROM information_schema.columns AS c"
        " INNER JOIN information_schema.tables AS t"
        " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
        " WHERE c.table_schema = 'podium' AND t.table_type = 'BASE TABLE'"
        " AND c.extra NOT LIKE '%%VIRTUAL%%' ORDER BY 1, c.ordinal_position",
    ):
        columns.setdefault(row["tab"], []).append(row["name"])
    parts, values = [], []
    for table, names in columns.items():
        owner = next((name for name in OWNERS if name in names), None)
        parts.append(
            f"SELECT '{table}' AS tab, COUNT(*) AS n,"
            f" SUM(CRC32(JSON_ARRAY({', '.join(names)}))) AS crc FROM podium.{table}"
            + (f" WHERE {owner} > %s" if owner else "")
        )
        if owner:
            values.append(rows(connection, NEWEST.format(owner, OWNERS[owner]))[0]["newest"])
    return " UNION ALL ".join(parts), tuple(values)


@pytest.fixture(scope="module")
def machine(mysql_url: str) -> Iterator[type[BoardMachine]]:
    """Return the machine with a connection of the administrative account, which it keeps."""
    arguments = MysqlUrl.parse(mysql_url).arguments
    with mysql.connector.connect(**arguments, database="podium", autocommit=True) as connection:
        catalog = rows(connection, "SELECT code, errno FROM error_catalog")
        BoardMachine.connection = connection
        BoardMachine.errnos = {row["code"]: row["errno"] for row in catalog}
        BoardMachine.performed, BoardMachine.outcomes = Counter(), Counter()
        BoardMachine.exam_ids = []
        # Ranges that few standings crowd: random boards are small, and are to divide all the same.
        shipped = rows(connection, "SELECT level, capacity FROM leaderboard_levels")
        result_sets(
            connection, "UPDATE leaderboard_levels SET capacity = 1 WHERE level BETWEEN 2 AND 9"
        )
        yield BoardMachine
        for row in shipped:
            statement = "UPDATE leaderboard_levels SET capacity = %s WHERE level = %s"
            result_sets(connection, statement, (row["capacity"], row["level"]))


@pytest.mark.timeout(0 if LONG_RUN else 900)  # Time to shrink what fails.
def test_random_operations_leave_every_board_exact(machine: type[BoardMachine]) -> None:
    run_state_machine_as_test(machine, settings=SETTINGS)
    LOG.info("%d calls: %s", machine.performed.total(), machine.performed)
    LOG.info("outcomes: %s", machine.outcomes)
    assert machine.performed.total() > EXAMPLES * STEPS * 3 // 4
    assert {outcome for outcome in OUTCOMES if not machine.outcomes[outcome]} == set()
    for exam_id in machine.exam_ids:
        assert call(machine.connection, "check_leaderboard", exam_id)[0] == []
        assert call(machine.connection, "verify_audit", exam_id)[0] == []
    divided = rows(
        machine.connection,
        "SELECT DISTINCT level FROM leaderboard_counters WHERE divided AND board_id IN"
        f" (SELECT board_id FROM leaderboards WHERE exam_id >= {min(machine.exam_ids)})",
    )
    assert {row["level"] for row in divided} == set(range(3, 11))
