"""The history checker, fed with broken histories and broken databases of each kind."""

from __future__ import annotations

import copy
import random
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from gateway.history import History, NotQuiet, Recorder, Violation, check, judge
from gateway.history.recorder import Answer, Read
from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name
from tests.sql_harness import ROOT, result_sets, submit

MODULES = ("coding", "quiz", "assessment")
NAMES = ("gateway-a", "gateway-b")


def play(gateways: list[Api], **exam: object) -> History:
    """Play a small exam with ties, repetitions, refusals and a change of weights."""
    recorder, order = Recorder(), random.Random(1)
    exam_id = make_exam(gateways[0], **exam)
    users = [make_user(gateways[0]) for _ in range(4)]
    sessions = [make_session(gateways[0], exam_id, user_id) for user_id in users]

    def submit(number: int, key: str, item: dict[str, Any]) -> None:
        began = time.monotonic()
        answer = gateways[number % 2].post("/scores", item, Idempotency_Key=key)
        recorder.answered(
            key, NAMES[number % 2], answer.status, answer.json, began, time.monotonic()
        )

    def read(number: int) -> None:
        began = time.monotonic()
        page = gateways[number % 2].get("/leaderboard", exam_id=exam_id, per_page=200).json
        recorder.read(
            exam_id,
            NAMES[number % 2],
            page["revision"],
            began,
            time.monotonic(),
            tuple(page["leaderboard"]),
        )

    read(0)
    for number in range(24):
        item = submission(
            sessions[number % 4],
            module_type=MODULES[number % 3],
            raw_score=order.choice([0, 33.25, 50, 100]),
            time_spent_sec=order.choice([60, 120]),
            details={"number": number},
        )
        if number % 7 == 6:
            item["expected_version"] = 99
        key = unique_name()
        recorder.sent(key, exam_id, item)
        submit(number, key, item)
        if number % 5 == 0:
            submit(number + 1, key, item)
        if number % 3 == 0:
            read(number + 1)
        if number == 12:
            weights = {"coding": 20, "quiz": 20, "assessment": 60}
            assert gateways[0].patch(f"/exams/{exam_id}", {"weights": weights}).status == 200
    read(1)
    return recorder.history


@pytest.fixture(scope="module")
def whole(gateways: list[Api]) -> History:
    """Return a history with nothing wrong in it."""
    return play(gateways)


@pytest.fixture
def history(whole: History) -> History:
    """Return a copy of it that may be broken."""
    return copy.deepcopy(whole)


def kinds(violations: list[Violation]) -> set[str]:
    """Return of which kinds some violations are."""
    return {violation.kind for violation in violations}


def accepted(history: History, number: int = 0) -> Answer:
    """Return an answer that said a submission was accepted."""
    return list(history.acknowledged.values())[number][0]


def replace_answer(history: History, old: Answer, **changes: Any) -> None:
    """Have a gateway answer something else."""
    history.answers[history.answers.index(old)] = replace(old, **changes)


def test_nothing_is_wrong_with_what_went_well(history: History, admin: Any) -> None:
    assert len(history.acknowledged) == 21
    assert any(len(answers) == 2 for answers in history.acknowledged.values())
    assert check(history, admin) == []


@pytest.mark.parametrize("policy", ["best", "latest", "first"])
def test_several_attempts_are_one_entry(gateways: list[Api], admin: Any, policy: str) -> None:
    exam_id = make_exam(gateways[0], max_attempts=2, attempt_policy=policy)
    users = [make_user(gateways[0]) for _ in range(3)]
    recorder = Recorder()
    for user_id, scores in zip(users, [(20, 70), (70, 20), (50, 50)], strict=True):
        for raw in scores:
            session_id = make_session(gateways[0], exam_id, user_id)
            item, key, began = submission(session_id, raw_score=raw), unique_name(), 0.0
            recorder.sent(key, exam_id, item)
            answer = gateways[0].post("/scores", item, Idempotency_Key=key)
            recorder.answered(key, "gateway-a", answer.status, answer.json, began, 0.0)
            gateways[0].patch(f"/sessions/{session_id}/finish")
    assert check(recorder.history, admin) == []


def test_an_exam_without_a_submission_is_in_order(api: Api, admin: Any) -> None:
    recorder = Recorder()
    recorder.read(make_exam(api), "gateway-a", 0, 0, 1, ())
    assert check(recorder.history, admin) == []


def test_one_key_is_one_submission() -> None:
    recorder = Recorder()
    recorder.sent("a", 1, {})
    with pytest.raises(ValueError, match="another submission"):
        recorder.sent("a", 1, {})


# Broken histories: the database is in order, the clients were told something else.


def test_a_lost_acknowledgement_is_caught(history: History, admin: Any) -> None:
    answer = accepted(history)
    sent = history.submissions[answer.key]
    history.submissions["never arrived"] = replace(sent, key="never arrived")
    history.answers.append(replace(answer, key="never arrived"))
    assert check(history, admin) == [
        Violation("lost", "never arrived was acknowledged and is not in the audit log")
    ]


def test_a_submission_accepted_anew_twice_is_caught(history: History, admin: Any) -> None:
    answer = accepted(history)
    history.answers.append(answer)
    assert check(history, admin) == [
        Violation("doubled", f"{answer.key} was accepted anew 2 times")
    ]


def test_a_submission_that_nobody_sent_is_caught(history: History, admin: Any) -> None:
    key = accepted(history, 3).key
    history.answers = [answer for answer in history.answers if answer.key != key]
    del history.submissions[key]
    assert check(history, admin) == [
        Violation("doubled", f"{key} is in the audit log, and nobody sent it")
    ]


def test_what_others_submitted_before_a_history_began_is_not_its_own(api: Api, admin: Any) -> None:
    exam_id, recorder = make_exam(api), Recorder()
    before = api.post("/scores", submission(make_session(api, exam_id))).json
    item, key = submission(make_session(api, exam_id)), unique_name()
    recorder.sent(key, exam_id, item)
    answer = api.post("/scores", item, Idempotency_Key=key)
    recorder.answered(key, "gateway-a", answer.status, answer.json, 0, 1)
    assert kinds(check(recorder.history, admin)) == {"doubled"}
    recorder.begins(exam_id, before["revision"])
    assert check(recorder.history, admin) == []


def test_an_exam_in_which_nothing_was_played_is_checked_too(api: Api, unguarded: Any) -> None:
    exam_id, recorder = make_exam(api), Recorder()
    before = api.post("/scores", submission(make_session(api, exam_id))).json
    recorder.begins(exam_id, before["revision"])
    assert check(recorder.history, unguarded) == []
    change = "UPDATE score_audit_log SET actor = 'nobody' WHERE submission_id = '{}'"
    result_sets(unguarded, change.format(before["submission_id"]))
    assert kinds(check(recorder.history, unguarded)) == {"tampered"}


@pytest.mark.parametrize(("limit", "found"), [(2, set()), (3, {"rank"}), (None, {"rank"})])
def test_the_top_of_a_board_is_compared_as_far_as_it_goes(
    history: History, admin: Any, limit: int | None, found: set[str]
) -> None:
    newest = latest(history)
    assert newest.entries is not None and len(newest.entries) == 4
    history.reads.append(replace(newest, entries=newest.entries[:2], limit=limit))
    assert kinds(check(history, admin)) == found


def test_every_kind_of_violation_breaks_a_promise() -> None:
    told = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = told.partition("| kind | what is wrong |")[2].partition("\n\n")[0]
    kinds_told = re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    assert len(kinds_told) == 11
    found = [Violation(kind, "") for kind in kinds_told]
    verdicts = judge(History(), found)
    assert sorted(map(str, found)) == sorted(
        str(violation) for verdict in verdicts for violation in verdict.violations
    )
    assert [verdict.promise.split()[0] for verdict in verdicts] == [f"P{n}" for n in range(1, 9)]


def test_an_unanswered_submission_may_be_there_or_not(history: History, admin: Any) -> None:
    answer = accepted(history)
    history.answers = [other for other in history.answers if other.key != answer.key]
    sent = history.submissions[answer.key]
    history.submissions["never arrived"] = replace(sent, key="never arrived")
    assert check(history, admin) == []


@pytest.mark.parametrize("status", [429, 503])
def test_come_again_decides_nothing(history: History, admin: Any, status: int) -> None:
    answer = accepted(history, 1)
    history.answers.append(replace(answer, status=status, body={}, ended=answer.ended + 1))
    assert check(history, admin) == []


def test_a_refused_submission_that_was_written_is_caught(history: History, admin: Any) -> None:
    answer = accepted(history, 1)
    replace_answer(history, answer, status=409, body={"code": "version_conflict"})
    assert check(history, admin) == [
        Violation("refused", f"{answer.key} was refused with 409 and is in the audit log")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_id", 10**9),
        ("module_type", "essay"),
        ("raw_score", 99),
        ("max_score", 101),
        ("time_spent_sec", 61),
        ("details", {"number": "another"}),
    ],
)
def test_an_altered_value_is_caught(history: History, admin: Any, name: str, value: object) -> None:
    key = accepted(history).key
    sent = history.submissions[key]
    history.submissions[key] = replace(sent, item=dict(sent.item) | {name: value})
    [violation] = check(history, admin)
    assert violation.kind == "altered"
    assert key in violation.text and str(value) in violation.text


@pytest.mark.parametrize("name", ["version", "revision"])
def test_an_acknowledgement_with_a_wrong_number_is_caught(
    history: History, admin: Any, name: str
) -> None:
    answer = accepted(history)
    replace_answer(history, answer, body=dict(answer.body) | {name: 0})
    [violation] = check(history, admin)
    assert violation.kind == "answer"
    assert f"{answer.key} was answered with {name} 0" in violation.text


@pytest.mark.parametrize("name", ["rank", "total_score", "weighted_quiz", "total_time_sec"])
def test_an_acknowledgement_with_a_wrong_entry_is_caught(
    history: History, admin: Any, name: str
) -> None:
    answer = accepted(history)
    entry = answer.body["leaderboard_entry"] | {name: 77}
    replace_answer(history, answer, body=dict(answer.body) | {"leaderboard_entry": entry})
    [violation] = check(history, admin)
    assert violation.kind == "answer"
    assert f"with {name} 77" in violation.text


def test_an_accepted_submission_for_a_stale_version_is_caught(history: History, admin: Any) -> None:
    key = accepted(history, 3).key
    sent = history.submissions[key]
    history.submissions[key] = replace(sent, item=dict(sent.item) | {"expected_version": 77})
    [violation] = check(history, admin)
    assert violation.kind == "version"
    assert f"{key} was made for version 77" in violation.text


def latest(history: History) -> Read:
    """Return the read of the newest revision that ended last."""
    return max(history.reads, key=lambda read: (read.revision, read.ended))


@pytest.mark.parametrize("gateway", NAMES)
def test_a_read_that_goes_back_is_caught(history: History, admin: Any, gateway: str) -> None:
    newest = latest(history)
    late = Read(newest.exam_id, gateway, newest.revision - 1, newest.ended + 1, newest.ended + 2)
    history.reads.append(late)
    assert check(history, admin) == [
        Violation(
            "backwards",
            f"{gateway} showed revision {late.revision} of exam {late.exam_id} after revision "
            f"{newest.revision} had been shown",
        )
    ]


def test_a_read_that_began_before_may_show_less(history: History, admin: Any) -> None:
    newest = latest(history)
    began = min(answer.began for answer in history.answers)
    history.reads.append(Read(newest.exam_id, "gateway-a", 0, began - 1, newest.ended + 9))
    assert check(history, admin) == []


def test_a_read_below_a_repeated_answer_is_caught(history: History, admin: Any) -> None:
    newest = latest(history)
    answer = next(a for a in history.answers if a.status == 200 and a.body["replayed"])
    # What others were told is out of sight: only the repetition says how far the board was.
    history.reads = [Read(newest.exam_id, "gateway-b", 0, answer.ended + 1, answer.ended + 2)]
    history.answers = [answer]
    assert kinds(check(history, admin)) == {"backwards"}


@pytest.mark.parametrize(
    ("gateway", "after_sec", "found"),
    [("other", 4.9, set()), ("other", 5.1, {"backwards"}), ("same", 4.9, {"backwards"})],
)
def test_only_other_gateways_may_lag_and_only_for_a_while(
    history: History, admin: Any, gateway: str, after_sec: float, found: set[str]
) -> None:
    newest = latest(history)
    began = newest.ended + after_sec
    name = newest.gateway if gateway == "same" else "gateway-c"
    history.reads.append(Read(newest.exam_id, name, newest.revision - 1, began, began))
    assert kinds(check(history, admin, lag_sec=5)) == found


@pytest.mark.parametrize("fault", ["swapped", "missing", "score"])
def test_a_page_with_a_wrong_rank_is_caught(history: History, admin: Any, fault: str) -> None:
    newest = max((read for read in history.reads if read.entries), key=lambda read: read.revision)
    assert newest.entries is not None
    first, second, *rest = newest.entries
    entries = {
        "swapped": (dict(second) | {"rank": 1}, dict(first) | {"rank": 2}, *rest),
        "missing": newest.entries[:-1],
        "score": (dict(first) | {"total_score": 100.5}, second, *rest),
    }[fault]
    history.reads[history.reads.index(newest)] = replace(newest, entries=entries)
    [violation] = check(history, admin)
    assert violation.kind == "rank"
    assert f"at revision {newest.revision} has in place" in violation.text


# Broken databases: the clients were told the truth, and it is no longer there.

BOARD = "board_id = (SELECT board_id FROM leaderboards WHERE exam_id = {exam})"
SESSION = "session_id = {session}"


@pytest.mark.parametrize(
    ("breaking", "found"),
    [
        pytest.param(
            "DELETE FROM score_audit_log WHERE submission_id = '{key}'",
            {"lost", "half-written", "version", "rank", "tampered"},
            id="audit row lost",
        ),
        pytest.param(
            "INSERT INTO score_audit_log (board_id, audit_id, revision, item_no, submission_id,"
            " payload_hash, session_id, user_id, module_type, actor, account, version,"
            " new_raw_score,"
            " new_max_score, new_weighted_score, new_time_spent_sec, old_total_score,"
            " new_total_score, entry_rank, entry_total_score, entry_weighted_coding,"
            " entry_weighted_quiz, entry_weighted_assessment, entry_total_time_sec, created_at)"
            " SELECT board_id, 1000000, revision, item_no + 1, 'again-{key}', payload_hash,"
            " session_id, user_id, module_type, actor, account, version + 1, new_raw_score,"
            " new_max_score, new_weighted_score, new_time_spent_sec, old_total_score,"
            " new_total_score, entry_rank,"
            " entry_total_score, entry_weighted_coding, entry_weighted_quiz,"
            " entry_weighted_assessment, entry_total_time_sec, created_at"
            " FROM score_audit_log WHERE submission_id = '{key}'",
            {"doubled", "half-written", "version", "tampered"},
            id="audit row doubled",
        ),
        pytest.param(
            "DELETE FROM module_scores WHERE " + SESSION,
            {"half-written", "rank", "tampered"},
            id="no module score",
        ),
        pytest.param(
            "UPDATE module_scores SET time_spent_sec = time_spent_sec + 1 WHERE " + SESSION,
            {"half-written", "rank", "tampered"},
            id="another module score",
        ),
        pytest.param(
            "UPDATE exam_sessions SET version = version + 1 WHERE " + SESSION,
            {"half-written", "tampered"},
            id="a version too many",
        ),
        pytest.param(
            "UPDATE exam_sessions SET total_time_sec = total_time_sec + 1 WHERE " + SESSION,
            {"half-written", "tampered"},
            id="session totals",
        ),
        pytest.param(
            "UPDATE score_audit_log SET revision = 1000 WHERE submission_id = '{key}'",
            {"half-written", "version", "answer", "rank", "tampered"},
            id="audit row without a revision",
        ),
        pytest.param(
            "UPDATE score_audit_log SET version = version + 100 WHERE submission_id = '{key}'",
            {"version", "answer", "tampered"},
            id="a gap in the versions",
        ),
        pytest.param(
            "DELETE FROM leaderboard_revisions WHERE revision = 7 AND " + BOARD,
            {"half-written", "revision", "rank", "tampered"},
            id="a gap in the revisions",
        ),
        pytest.param(
            "UPDATE leaderboards SET revision = revision + 1 WHERE exam_id = {exam}",
            {"revision", "tampered"},
            id="a revision too many",
        ),
        pytest.param(
            "UPDATE leaderboard_revisions SET committed_at = committed_at - INTERVAL 1 DAY"
            " WHERE revision = 7 AND " + BOARD,
            {"revision", "tampered"},
            id="revisions out of order",
        ),
        pytest.param(
            "DELETE FROM leaderboard_snapshot WHERE " + SESSION,
            {"rank", "tampered"},
            id="no entry",
        ),
        pytest.param(
            "UPDATE leaderboards SET total_participants = 9 WHERE exam_id = {exam}",
            {"rank", "tampered"},
            id="a participant too many",
        ),
        pytest.param(
            "UPDATE leaderboard_counters SET standings = standings - 1, entries = entries - 1"
            " WHERE entries > 0 AND divided IS NULL AND " + BOARD,
            {"rank", "tampered"},
            id="counters",
        ),
        pytest.param(
            "UPDATE score_audit_log SET entry_rank = entry_rank + 1 WHERE submission_id = '{key}'",
            {"rank", "answer", "tampered"},
            id="a rank in the audit log",
        ),
        pytest.param(
            "UPDATE score_audit_log SET actor = 'user:1' WHERE submission_id = '{key}'",
            {"tampered"},
            id="audit row tampered with",
        ),
    ],
)
def test_a_broken_database_is_caught(
    gateways: list[Api], unguarded: Any, breaking: str, found: set[str]
) -> None:
    history = play(gateways)
    answer = accepted(history, 5)
    names = {
        "exam": history.submissions[answer.key].exam_id,
        "session": history.submissions[answer.key].item["session_id"],
        "key": answer.key,
    }
    result_sets(unguarded, breaking.format(**names))
    assert kinds(check(history, unguarded)) == found


def test_a_submission_that_is_there_twice_is_caught(gateways: list[Api], unguarded: Any) -> None:
    history = play(gateways)
    first, second = accepted(history, 3).key, accepted(history, 4).key
    statement = "UPDATE score_audit_log SET submission_id = %s WHERE submission_id = %s"
    try:
        result_sets(unguarded, statement + " ORDER BY audit_id DESC LIMIT 1", (first, second))
        found = check(history, unguarded)
    finally:
        result_sets(unguarded, statement + " ORDER BY audit_id DESC LIMIT 1", (second, first))
    assert Violation("doubled", f"{first} is in the audit log 2 times") in found
    assert Violation("lost", f"{second} was acknowledged and is not in the audit log") in found


class Moving:
    """A connection that finds a new submission before each of its statements."""

    def __init__(self, connection: Any, session_id: int) -> None:
        self._connection, self._session_id = connection, session_id

    def cursor(self, **options: Any) -> Any:
        """Submit something on a board at rest, then open a cursor."""
        if not self._connection.in_transaction:
            submit(self._connection, self._session_id)
        return self._connection.cursor(**options)


def test_a_board_that_is_still_being_written_to_is_not_judged(api: Api, admin: Any) -> None:
    recorder, exam_id = Recorder(), make_exam(api)
    session_id = make_session(api, exam_id)
    recorder.read(exam_id, "gateway-a", 0, 0, 1)
    with pytest.raises(NotQuiet, match="still being written to"):
        check(recorder.history, Moving(admin, session_id))
