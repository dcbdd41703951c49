"""No exam feels another: what is held holds its own requests, in bounded number and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import boards
from tests.client import Answer, Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name
from tests.locks import waiting
from tests.test_coalescing import board_held
from tests.test_metrics import values_of
from tests.waiting import wait_until

Query = Callable[..., list[dict[str, Any]]]
# More than a gateway has threads beside those of streams.
CROWD = 300
LOOKUPS = ("answered", "get_session_exams")


@pytest.fixture(scope="module")
def narrow(start_api: Callable[..., Api]) -> Api:
    """Return a gateway with four connections, three of them for what waits for boards."""
    return start_api("gateway-narrow", PODIUM_POOL_SIZE="4", PODIUM_POOL_OVERFLOW="0")


@pytest.fixture(scope="module")
def hasty(start_api: Callable[..., Api]) -> Api:
    """Return a gateway that waits for a board no longer than a second."""
    return start_api("gateway-hasty", PODIUM_BOARD_WAIT_SEC="1", PODIUM_METRICS_MAX_AGE_SEC="0")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


def sessions_of(api: Api, count: int, **fields: object) -> tuple[int, list[int]]:
    """Make an exam, and sessions in it."""
    exam_id = make_exam(api, **fields)
    return exam_id, [make_session(api, exam_id) for _ in range(count)]


def assert_others_go_on(api: Api, other: list[int], exam_id: int) -> None:
    """Assert that what has nothing to do with a held board is answered."""
    for session_id in other:
        answer = api.post("/scores", submission(session_id))
        assert answer.status == 200, answer.text
    items = [submission(session_id) for session_id in other]
    assert api.post("/scores/batch", {"submissions": items}).status == 200
    for path in ("//healthz", "//readyz"):
        assert api.get(path).status == 200
    # Its board, too, can be read.
    assert api.get("/leaderboard", exam_id=exam_id).status == 200
    assert api.get(f"/exams/{exam_id}").status == 200


def test_a_held_board_holds_nobody_elses_submissions(
    api: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    held, its = sessions_of(api, 12)
    _, other = sessions_of(api, 3)
    with board_held(admin, held):
        futures = [threads.submit(api.post, "/scores", submission(one)) for one in its]
        wait_until(lambda: len(waiting(connect(), "leaderboards")) == 1)
        assert_others_go_on(api, other, held)
        assert not any(future.done() for future in futures)
    assert [future.result(30).status for future in futures] == [200] * len(its)


def test_a_crowd_at_a_held_board_leaves_threads_to_the_others(
    api: Api, admin: Any, threads: ThreadPoolExecutor
) -> None:
    held, its = sessions_of(api, 30)
    _, other = sessions_of(api, 3)
    items = [submission(its[at % len(its)], raw_score=at % 100) for at in range(CROWD)]
    with board_held(admin, held):
        futures = [threads.submit(api.post, "/scores", item) for item in items]
        assert api.get("//healthz").status == 200
        # Those for whom there is a place, and the one whose call it is.
        places = boards.MOST_WAITING_FOR_A_BOARD + 1
        wait_until(lambda: sum(future.done() for future in futures) >= CROWD - places, 30)
        refused = [future.result() for future in futures if future.done()]
        assert_others_go_on(api, other, held)
        assert len(refused) <= CROWD - places + 1
        for answer in refused:
            assert_is_told_to_come_back(answer)
        at_once = api.post("/scores", items[0])
        assert_is_told_to_come_back(at_once, f"the board of exam {held}")
    statuses = [future.result(60).status for future in futures]
    assert statuses.count(200) == CROWD - len(refused)
    assert statuses.count(503) == len(refused)


def assert_is_told_to_come_back(answer: Answer, whose: str = "") -> None:
    """Assert that a request was refused for now, in words."""
    assert (answer.status, answer.code) == (503, "database_unavailable"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert whose in answer.json["detail"]
    assert "nothing was changed" in answer.json["detail"]


def test_a_held_board_does_not_use_up_the_connections(
    narrow: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    held, its = sessions_of(narrow, 8)
    _, other = sessions_of(narrow, 2)
    large = {"text": "x" * 20_000}
    with board_held(admin, held):
        futures = [
            future
            for one in its
            for future in (
                threads.submit(narrow.post, "/scores", submission(one)),
                threads.submit(narrow.post, "/scores", submission(one, details=large)),
                threads.submit(narrow.post, "/scores/batch", {"submissions": [submission(one)]}),
            )
        ]
        watcher = connect()
        # At first each waits for itself; once it is known that the board is held, one of them does.
        wait_until(lambda: len(waiting(watcher, "leaderboards")) == 1 + boards.TURNS)
        wait_until(lambda: len(waiting(watcher, "leaderboards")) == 1)
        assert narrow.get("/exams").status == 200
        assert narrow.get("//readyz").status == 200
        assert narrow.get("/leaderboard", exam_id=held).status == 200
        for one in other:
            assert narrow.post("/scores", submission(one)).status == 200
        assert not any(future.done() for future in futures)
    assert [future.result(30).status for future in futures] == [200] * len(futures)


def scored(query: Query, sessions: list[int]) -> int:
    """Count the sessions that have a score."""
    marks = ", ".join(map(str, sessions))
    return int(
        query(
            "SELECT COUNT(DISTINCT session_id) AS n FROM podium.score_audit_log"
            f" WHERE session_id IN ({marks})"
        )[0]["n"]
    )


def test_in_a_batch_a_held_board_does_not_hold_the_items_of_others(
    api: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    held, its = sessions_of(api, 3)
    _, others = sessions_of(api, 3)
    _, more = sessions_of(api, 3)
    mixed = [one for three in zip(its, others, more, strict=True) for one in three]
    items = [submission(one) for one in [*mixed, 10**12]]
    watcher = connect()

    def rows(statement: str) -> list[dict[str, Any]]:
        with watcher.cursor(dictionary=True) as cursor:
            cursor.execute(statement)
            found: list[dict[str, Any]] = cursor.fetchall()
            return found

    with board_held(admin, held):
        future = threads.submit(api.post, "/scores/batch", {"submissions": items})
        wait_until(lambda: scored(rows, others + more) == 6)
        assert not future.done()
        assert scored(rows, its) == 0
    results = future.result(30).json["results"]
    assert [result["status"] for result in results] == [200] * 9 + [404]
    assert results[-1]["errors"][0]["pointer"] == "/submissions/9/session_id"
    revisions = [result["revision"] for result in results[:9]]
    assert revisions == [1] * 9


def test_in_a_batch_the_items_of_a_board_that_stays_held_are_refused_for_themselves(
    hasty: Api, admin: Any, query: Query
) -> None:
    held, its = sessions_of(hasty, 2)
    _, others = sessions_of(hasty, 2)
    items = [submission(one, submission_id=unique_name()) for one in [*its, *others]]
    with board_held(admin, held):
        answer = hasty.post("/scores/batch", {"submissions": items})
        alone = hasty.post("/scores/batch", {"submissions": items[:2]})
    results = answer.json["results"]
    assert [result["status"] for result in results] == [503, 503, 200, 200]
    assert results[0]["code"] == "database_unavailable"
    assert_is_told_to_come_back(alone)
    again = hasty.post("/scores/batch", {"submissions": items}).json["results"]
    assert [(result["status"], result["replayed"]) for result in again] == [
        (200, False),
        (200, False),
        (200, True),
        (200, True),
    ]
    assert scored(query, its + others) == 4


def test_a_submission_waits_for_a_held_board_only_so_long(hasty: Api, admin: Any) -> None:
    held, [session_id] = sessions_of(hasty, 1)
    item = submission(session_id, submission_id=unique_name())
    with board_held(admin, held):
        assert_is_told_to_come_back(hasty.post("/scores", item))
        assert_is_told_to_come_back(
            hasty.post("/scores", item | {"details": {"text": "x" * 20_000}})
        )
    answer = hasty.post("/scores", item)
    assert (answer.status, answer.json["replayed"]) == (200, False)


def test_who_waits_while_time_passes_is_served_after_all(
    api: Api, admin: Any, threads: ThreadPoolExecutor
) -> None:
    held, its = sessions_of(api, 4)

    def timeouts() -> float:
        found = values_of(api, "podium_lock_timeouts_total")
        return found.get(("submit_scores",), 0)

    before = timeouts()
    with board_held(admin, held):
        futures = [threads.submit(api.post, "/scores", submission(one)) for one in its]
        # Each time MySQL gives up waiting the call is made again.
        wait_until(lambda: timeouts() >= before + 2)
        assert not any(future.done() for future in futures)
    assert [future.result(30).status for future in futures] == [200] * len(its)


def test_who_waits_past_the_deadline_was_in_time(
    api: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    exam_id = make_exam(api, submissions_by="candidates", duration_sec=3600)
    users = [make_user(api) for _ in range(3)]
    sessions = [make_session(api, exam_id, user_id) for user_id in users]
    watcher = connect()
    with board_held(admin, exam_id):
        futures = [
            threads.submit(api.as_user(user_id).post, "/scores", submission(session_id))
            for user_id, session_id in zip(users, sessions, strict=True)
        ]
        wait_until(lambda: len(waiting(watcher, "leaderboards")) == 1)
        # By then the others have come, too; a deadline is judged by the database's clock.
        with watcher.cursor() as cursor:
            cursor.execute(
                "UPDATE podium.exam_sessions SET deadline_at = UTC_TIMESTAMP(6)"
                " + INTERVAL 3 SECOND WHERE exam_id = %s",
                (exam_id,),
            )
        ends_at = datetime.now(UTC) + timedelta(seconds=3)
        wait_until(lambda: datetime.now(UTC) > ends_at + timedelta(milliseconds=500))
        late = threads.submit(api.as_user(users[0]).post, "/scores", submission(sessions[0]))
        assert not any(future.done() for future in futures)
    assert [future.result(30).status for future in futures] == [200] * 3
    # Who comes after it is late, however long they wait.
    assert late.result(30).status == 409


def test_recalculations_are_bounded(
    api: Api, admin: Any, connect: Callable[..., Any], threads: ThreadPoolExecutor
) -> None:
    held, [session_id] = sessions_of(api, 1)
    other, _ = sessions_of(api, 1)
    api.post("/scores", submission(session_id))
    watcher, most = connect(), boards.MOST_MAINTENANCE_OF_A_BOARD
    weights = {"weights": {"coding": 40, "quiz": 40, "assessment": 20}}
    with board_held(admin, held):
        futures = [
            threads.submit(api.post, "/leaderboard/recalculate", {"exam_id": held})
            for _ in range(most)
        ]
        wait_until(lambda: len(waiting(watcher, "leaderboards")) == most)
        assert_is_told_to_come_back(
            api.post("/leaderboard/recalculate", {"exam_id": held}), f"exam {held}"
        )
        assert_is_told_to_come_back(api.patch(f"/exams/{held}", weights), f"exam {held}")
        assert api.post("/leaderboard/recalculate", {"exam_id": other}).status == 200
    assert [future.result(30).status for future in futures] == [200] * most
    assert api.patch(f"/exams/{held}", weights).status == 200


def test_the_exam_of_a_session_is_asked_for_once(api: Api, hasty: Api) -> None:
    _, [elsewhere, here] = sessions_of(api, 2)

    def lookups() -> float:
        return values_of(hasty, "podium_call_duration_seconds_count").get(LOOKUPS, 0)

    before = lookups()
    for _ in range(3):
        assert hasty.post("/scores", submission(elsewhere)).status == 200
    assert lookups() == before + 1
    items = [submission(elsewhere), submission(here)]
    for _ in range(2):
        assert hasty.post("/scores/batch", {"submissions": items}).status == 200
    assert lookups() == before + 2
    # Whom it has started itself it knows.
    started = make_session(hasty, make_exam(hasty))
    assert hasty.post("/scores", submission(started)).status == 200
    assert lookups() == before + 2
    assert hasty.post("/scores", submission(10**12)).code == "session_not_found"
