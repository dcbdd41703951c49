"""Many at once through two gateways: nothing lost, nothing doubled, every rank exact."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Answer, Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name

Query = Callable[..., list[dict[str, Any]]]

CANDIDATES, THREADS = 200, 32
MODULES = ("coding", "quiz", "assessment")
DENSE_RANK = """
    SELECT user_id, CAST(total_score AS DOUBLE) AS total_score, total_time_sec,
        DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS `rank`
    FROM (
        SELECT s.user_id, SUM(m.weighted_score) AS total_score,
            CAST(SUM(m.time_spent_sec) AS SIGNED) AS total_time_sec
        FROM module_scores AS m
        INNER JOIN exam_sessions AS s ON s.session_id = m.session_id
        WHERE s.exam_id = %s
        GROUP BY s.session_id
    ) AS totals
    ORDER BY `rank`, user_id
"""


def all_entries(api: Api, exam_id: int) -> list[dict[str, Any]]:
    """Read a whole board, page by page."""
    entries: list[dict[str, Any]] = []
    for page in itertools.count(1):
        found = api.get("/leaderboard", exam_id=exam_id, page=page, per_page=50).json["leaderboard"]
        if not found:
            return entries
        entries += found
    raise AssertionError


def stored_revisions(query: Query, exam_id: int) -> list[int]:
    """Return the revisions of a board in order."""
    rows = query(
        "SELECT r.revision FROM leaderboard_revisions AS r "
        "INNER JOIN leaderboards AS b ON b.board_id = r.board_id "
        "WHERE b.exam_id = %s ORDER BY r.revision",
        exam_id,
    )
    return [row["revision"] for row in rows]


def audit_rows(query: Query, exam_id: int) -> list[dict[str, Any]]:
    """Return the history of an exam as it is stored."""
    return query(
        "SELECT a.* FROM score_audit_log AS a "
        "INNER JOIN leaderboards AS b ON b.board_id = a.board_id "
        "WHERE b.exam_id = %s ORDER BY a.audit_id",
        exam_id,
    )


def assert_consistent(
    query: Query, gateways: list[Api], exam_id: int, items: list[dict[str, Any]], sent: list[Answer]
) -> None:
    """Compare what was acknowledged with the history, and the board with the window function."""
    assert Counter(answer.status for answer in sent) == {200: len(items)}
    # Everybody has got the answer to his own submission.
    assert [answer.json["submission_id"] for answer in sent] == [
        item["submission_id"] for item in items
    ]
    outcomes = {answer.json["submission_id"]: answer.json for answer in sent}
    assert len(outcomes) == len(sent)
    history = audit_rows(query, exam_id)
    assert sorted(row["submission_id"] for row in history) == sorted(outcomes)
    for row in history:
        outcome = outcomes[row["submission_id"]]
        assert (row["version"], row["revision"]) == (outcome["version"], outcome["revision"])
    revisions = stored_revisions(query, exam_id)
    assert revisions == list(range(1, len(revisions) + 1))
    assert {outcome["revision"] for outcome in outcomes.values()} == set(revisions)
    assert [row["revision"] for row in history] == sorted(row["revision"] for row in history)
    truth = query(DENSE_RANK, exam_id)
    for gateway in gateways:
        entries = all_entries(gateway, exam_id)
        assert [{name: entry[name] for name in truth[0]} for entry in entries] == truth
    assert not query("CALL check_leaderboard(%s)", exam_id)
    assert not query("CALL verify_audit(%s)", exam_id)


@pytest.fixture
def exam_id(api: Api) -> int:
    """Make an exam."""
    return make_exam(api)


def test_two_hundred_candidates_submit_three_modules_each_at_once(
    gateways: list[Api], exam_id: int, query: Query
) -> None:
    luck = random.Random(42)
    with ThreadPoolExecutor(THREADS) as threads:
        sessions = list(
            threads.map(lambda n: make_session(gateways[n % 2], exam_id), range(CANDIDATES))
        )
        # Few scores and times, so that many share a rank.
        items = [
            submission(
                session_id,
                module_type=module,
                raw_score=luck.randrange(60, 100, 10),
                time_spent_sec=luck.randrange(600, 900, 100),
                submission_id=unique_name(),
            )
            for session_id in sessions
            for module in MODULES
        ]
        luck.shuffle(items)
        sent = list(
            threads.map(
                lambda pair: gateways[pair[0] % 2].post("/scores", pair[1]), enumerate(items)
            )
        )
    assert len(sent) == 600
    assert_consistent(query, gateways, exam_id, items, sent)
    assert len(audit_rows(query, exam_id)) == 600
    entries = all_entries(gateways[0], exam_id)
    assert len(entries) == CANDIDATES
    assert len({entry["rank"] for entry in entries}) < CANDIDATES


def test_ten_threads_hammer_one_session(gateways: list[Api], exam_id: int, query: Query) -> None:
    session_id = make_session(gateways[0], exam_id)
    items = [
        submission(session_id, module_type=MODULES[n % 3], raw_score=n, submission_id=unique_name())
        for n in range(100)
    ]
    with ThreadPoolExecutor(10) as threads:
        sent = list(
            threads.map(
                lambda pair: gateways[pair[0] % 2].post("/scores", pair[1]), enumerate(items)
            )
        )
    assert_consistent(query, gateways, exam_id, items, sent)
    assert sorted(answer.json["version"] for answer in sent) == list(range(1, 101))
    assert gateways[1].get(f"/sessions/{session_id}").json["version"] == 100


def test_of_those_who_expect_the_same_version_one_wins(gateways: list[Api], exam_id: int) -> None:
    session_id = make_session(gateways[0], exam_id)
    with ThreadPoolExecutor(10) as threads:
        for version in range(10):
            sent = list(
                threads.map(
                    lambda n, version=version: gateways[n % 2].post(
                        "/scores", submission(session_id, raw_score=n, expected_version=version)
                    ),
                    range(10),
                )
            )
            assert Counter(answer.status for answer in sent) == {200: 1, 409: 9}
            assert {answer.json.get("current_version", version + 1) for answer in sent} == {
                version + 1
            }


def test_the_same_submission_from_many_at_once_counts_once(
    gateways: list[Api], exam_id: int, query: Query
) -> None:
    with ThreadPoolExecutor(10) as threads:
        for _ in range(10):
            item = submission(make_session(gateways[0], exam_id), submission_id=unique_name())
            sent = list(
                threads.map(lambda n, item=item: gateways[n % 2].post("/scores", item), range(10))
            )
            assert Counter(answer.status for answer in sent) == {200: 10}
            assert Counter(answer.json["replayed"] for answer in sent) == {False: 1, True: 9}
            assert len({str(answer.json | {"replayed": None}) for answer in sent}) == 1
    assert len(audit_rows(query, exam_id)) == 10


def test_batches_single_scores_and_recalculations_do_not_disturb_each_other(
    gateways: list[Api], exam_id: int, query: Query
) -> None:
    sessions = [make_session(gateways[0], exam_id) for _ in range(20)]

    def single(n: int) -> list[Answer]:
        return [gateways[n % 2].post("/scores", submission(sessions[n % 20], raw_score=n % 100))]

    def many(n: int) -> list[Answer]:
        items = [
            submission(session_id, module_type="quiz", raw_score=n % 100)
            for session_id in random.Random(n).sample(sessions, 20)
        ]
        return [gateways[n % 2].post("/scores/batch", {"submissions": items})]

    def recalculate(n: int) -> list[Answer]:
        return [gateways[n % 2].post("/leaderboard/recalculate", {"exam_id": exam_id})]

    kinds = (single, single, many, single, recalculate)
    with ThreadPoolExecutor(10) as threads:
        sent = list(threads.map(lambda n: kinds[n % 5](n)[0], range(100)))
    assert Counter(answer.status for answer in sent) == {200: 100}
    results = [result for answer in sent[2::5] for result in answer.json["results"]]
    assert Counter(result["status"] for result in results) == {200: 400}
    assert len(audit_rows(query, exam_id)) == 60 + 400
    revisions = stored_revisions(query, exam_id)
    assert revisions == list(range(1, len(revisions) + 1))
    assert not query("CALL check_leaderboard(%s)", exam_id)
    assert not query("CALL verify_audit(%s)", exam_id)


def test_those_who_share_calls_read_no_less_than_they_were_answered(
    gateways: list[Api], exam_id: int
) -> None:
    def submit_and_read(n: int) -> None:
        session_id = make_session(gateways[0], exam_id)
        for turn in range(50):
            answer = gateways[n % 2].post("/scores", submission(session_id, raw_score=turn))
            page = gateways[(n + 1) % 2].get("/leaderboard", exam_id=exam_id)
            assert page.json["revision"] >= answer.json["revision"]

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(submit_and_read, range(16)))


def test_whoever_has_an_answer_reads_its_revision_or_a_later_one_at_any_gateway(
    gateways: list[Api], exam_id: int
) -> None:
    user_id = make_user(gateways[0])
    session_id = make_session(gateways[0], exam_id, user_id)
    gateways[0].post("/scores", submission(session_id))
    stop = threading.Event()
    # The newest revision that anybody has been shown.
    shown = 0
    shown_lock = threading.Lock()

    def show(revision: int) -> None:
        nonlocal shown
        with shown_lock:
            shown = max(shown, revision)

    def read(n: int) -> int:
        """Keep the cache warm, as a hall of spectators does, and count the reads."""
        reads = 0
        while not stop.is_set():
            at_least = shown
            answer = gateways[(n + reads) % 2].get("/leaderboard", exam_id=exam_id)
            assert answer.status == 200
            assert answer.json["revision"] >= at_least
            show(answer.json["revision"])
            reads += 1
        return reads

    reads: list[tuple[str, dict[str, Any]]] = [
        ("/leaderboard", {"exam_id": exam_id}),
        ("/leaderboard", {"exam_id": exam_id, "per_page": 1}),
        ("/leaderboard/around", {"exam_id": exam_id, "user_id": user_id}),
        (f"/leaderboard/entries/{user_id}", {"exam_id": exam_id}),
        (f"/exams/{exam_id}", {}),
    ]
    with ThreadPoolExecutor(6) as threads:
        spectators = [threads.submit(read, n) for n in range(6)]
        try:
            for turn in range(150):
                writer, reader = gateways[turn % 2], gateways[(turn + 1) % 2]
                answer = writer.post("/scores", submission(session_id, raw_score=turn % 100))
                show(answer.json["revision"])
                path, asked = reads[turn % len(reads)]
                for caller in (reader, reader.as_user(user_id)):
                    seen = caller.get(path, **asked).json["revision"]
                    assert seen >= answer.json["revision"]
                    show(seen)
        finally:
            stop.set()
        assert all(spectator.result() > 10 for spectator in spectators)
