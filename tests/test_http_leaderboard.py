"""Boards: GET /leaderboard with around and entries, POST /leaderboard/recalculate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_exam, make_user, submission

ENTRY = ["rank", "user_id", "username", "full_name", "total_score", "total_time_sec"]
DENSE_RANK = """
    SELECT user_id, DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS `rank`
    FROM (
        SELECT s.user_id, SUM(m.weighted_score) AS total_score,
            SUM(m.time_spent_sec) AS total_time_sec
        FROM module_scores AS m
        INNER JOIN exam_sessions AS s ON s.session_id = m.session_id
        WHERE s.exam_id = %s
        GROUP BY s.session_id
    ) AS totals
    ORDER BY `rank`, user_id
"""


@dataclass(frozen=True)
class Board:
    """An exam and its candidates."""

    exam_id: int
    users: list[int]


@pytest.fixture(scope="module")
def board(api: Api) -> Board:
    """Fill a board of 23 candidates, with ties of score and time and of score alone."""
    exam_id = make_exam(api, title="Backend Challenge 2026")
    users = [make_user(api) for _ in range(23)]
    sessions = [
        api.post("/sessions", {"exam_id": exam_id, "user_id": user_id}).json["session_id"]
        for user_id in users
    ]
    items = [
        submission(session_id, raw_score=90 - n % 7, time_spent_sec=1000 + n % 2)
        for n, session_id in enumerate(sessions)
    ]
    answer = api.post("/scores/batch", {"submissions": items})
    assert {result["status"] for result in answer.json["results"]} == {200}
    return Board(exam_id, users)


def ranks(entries: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Return who has which rank, in order."""
    return [(entry["user_id"], entry["rank"]) for entry in entries]


@pytest.fixture
def truth(board: Board, query: Callable[..., list[dict[str, Any]]]) -> list[tuple[int, int]]:
    """Rank the candidates with the window function over the base tables."""
    return ranks(query(DENSE_RANK, board.exam_id))


def test_a_page_has_the_fields_of_the_contract(api: Api, board: Board) -> None:
    answer = api.get("/leaderboard", exam_id=board.exam_id, page=1, per_page=2)
    assert answer.status == 200
    assert list(answer.json) == [
        "exam_id",
        "exam_title",
        "total_participants",
        "page",
        "per_page",
        "revision",
        "leaderboard",
        "cached",
        "my_entry",
    ]
    assert (answer.json["exam_id"], answer.json["exam_title"]) == (
        board.exam_id,
        "Backend Challenge 2026",
    )
    assert (answer.json["total_participants"], answer.json["revision"]) == (23, 1)
    assert (answer.json["page"], answer.json["per_page"]) == (1, 2)
    assert [list(entry) for entry in answer.json["leaderboard"]] == [ENTRY] * 2


@pytest.mark.parametrize("per_page", [1, 2, 5, 22, 23, 24, 200])
def test_ranks_equal_the_window_function_across_pages(
    api: Api, board: Board, truth: list[tuple[int, int]], per_page: int
) -> None:
    seen: list[tuple[int, int]] = []
    for page in range(1, 25):
        entries = api.get("/leaderboard", exam_id=board.exam_id, page=page, per_page=per_page).json[
            "leaderboard"
        ]
        assert len(entries) <= per_page
        seen += ranks(entries)
    assert seen == truth


def test_fifty_entries_of_the_first_page_come_unasked(api: Api, board: Board) -> None:
    answer = api.get("/leaderboard", exam_id=board.exam_id).json
    assert (answer["page"], answer["per_page"], len(answer["leaderboard"])) == (1, 50, 23)


@pytest.mark.parametrize("page", [2, 1000, 10**9])
def test_a_page_past_the_end_is_empty(api: Api, board: Board, page: int) -> None:
    answer = api.get("/leaderboard", exam_id=board.exam_id, page=page)
    assert (answer.status, answer.json["leaderboard"]) == (200, [])
    assert answer.json["total_participants"] == 23


def test_the_board_of_an_exam_nobody_took_is_empty(api: Api) -> None:
    answer = api.get("/leaderboard", exam_id=make_exam(api))
    assert (answer.status, answer.json["leaderboard"]) == (200, [])
    assert (answer.json["total_participants"], answer.json["revision"]) == (0, 0)


def test_a_candidate_finds_his_own_entry_on_every_page(
    api: Api, board: Board, truth: list[tuple[int, int]]
) -> None:
    for user_id, rank in (truth[0], truth[11], truth[-1]):
        for page in (1, 2, 99):
            answer = api.as_user(user_id).get(
                "/leaderboard", exam_id=board.exam_id, page=page, per_page=3
            )
            assert list(answer.json["my_entry"]) == ENTRY
            assert ranks([answer.json["my_entry"]]) == [(user_id, rank)]


def test_who_is_not_on_the_board_has_no_entry(api: Api, board: Board) -> None:
    stranger = api.as_user(make_user(api))
    assert stranger.get("/leaderboard", exam_id=board.exam_id).json["my_entry"] is None
    assert api.get("/leaderboard", exam_id=board.exam_id).json["my_entry"] is None


@pytest.mark.parametrize("window", [1, 2, 5, 22, 23, 100])
def test_around_shows_so_many_on_each_side_and_fewer_at_the_ends(
    api: Api, board: Board, truth: list[tuple[int, int]], window: int
) -> None:
    for place, (user_id, _) in enumerate(truth):
        answer = api.get(
            "/leaderboard/around", exam_id=board.exam_id, user_id=user_id, window=window
        )
        assert answer.status == 200
        expected = truth[max(0, place - window) : place + window + 1]
        assert ranks(answer.json["leaderboard"]) == expected


def test_around_says_what_it_is_of(api: Api, board: Board) -> None:
    user_id = board.users[0]
    answer = api.get("/leaderboard/around", exam_id=board.exam_id, user_id=user_id).json
    assert [list(entry) for entry in answer.pop("leaderboard")][0] == ENTRY
    assert answer == {
        "exam_id": board.exam_id,
        "exam_title": "Backend Challenge 2026",
        "total_participants": 23,
        "user_id": user_id,
        "window": 5,
        "revision": 1,
    }


def test_an_entry_is_read_without_a_page(
    api: Api, board: Board, truth: list[tuple[int, int]]
) -> None:
    user_id, rank = truth[7]
    answer = api.get(f"/leaderboard/entries/{user_id}", exam_id=board.exam_id)
    assert answer.status == 200
    assert list(answer.json) == [
        "exam_id",
        "revision",
        *ENTRY[:5],
        "weighted_coding",
        "weighted_quiz",
        "weighted_assessment",
        "total_time_sec",
        "session_id",
        "attempt_no",
    ]
    assert (answer.json["user_id"], answer.json["rank"]) == (user_id, rank)


@pytest.mark.parametrize("path", ["/leaderboard/around", "/leaderboard/entries"])
def test_who_is_not_on_the_board_is_not_found(api: Api, board: Board, path: str) -> None:
    for user_id in (make_user(api), 999999999):
        asked: dict[str, object] = {"exam_id": board.exam_id}
        if path.endswith("around"):
            answer = api.get(path, user_id=user_id, **asked)
        else:
            answer = api.get(f"{path}/{user_id}", **asked)
        assert (answer.status, answer.code) == (404, "entry_not_found")
        assert answer.pointers == ["/user_id"]


@pytest.mark.parametrize("path", ["", "/around", "/entries/1"])
def test_the_board_of_an_exam_that_does_not_exist_is_not_found(api: Api, path: str) -> None:
    answer = api.get(f"/leaderboard{path}", exam_id=999999999, user_id=1)
    assert (answer.status, answer.code) == (404, "exam_not_found")
    assert answer.pointers == ["/exam_id"]


def test_a_whole_number_is_one_as_in_json(api: Api, board: Board) -> None:
    answers = {
        text: api.get("/leaderboard", exam_id=board.exam_id, per_page=text).status
        for text in ("5", "5.0", "5.000", "5.", "5.5", ".0", "5.0.0", "5,0", "5e0")
    }
    assert [text for text, status in answers.items() if status == 200] == ["5", "5.0", "5.000"]
    assert set(answers.values()) == {200, 422}


def test_reads_wait_for_no_lock_and_are_of_the_newest_commit(
    api: Api, board: Board, connect: Callable[..., Any]
) -> None:
    user_id = board.users[0]
    reads: list[tuple[str, dict[str, object]]] = [
        ("/leaderboard", {"exam_id": board.exam_id, "per_page": 23}),
        ("/leaderboard/around", {"exam_id": board.exam_id, "user_id": user_id}),
        (f"/leaderboard/entries/{user_id}", {"exam_id": board.exam_id}),
        (f"/exams/{board.exam_id}", {}),
        ("/audit", {"exam_id": board.exam_id}),
    ]
    before = [api.get(path, **asked) for path, asked in reads]
    session_id = before[2].json["session_id"]
    reads += [
        (f"/sessions/{session_id}", {}),
        ("/audit", {"exam_id": board.exam_id, "session_id": session_id}),
    ]
    before += [api.get(path, **asked) for path, asked in reads[5:]]
    writer = connect()
    writer.start_transaction()
    with writer.cursor() as cursor:
        for table in ("leaderboards", "leaderboard_snapshot", "leaderboard_counters"):
            cursor.execute(f"SELECT * FROM {table} FOR UPDATE")
            cursor.fetchall()
        # What a submission in the middle of its transaction has changed, and nobody may see.
        cursor.execute("UPDATE leaderboard_counters SET standings = 0, entries = entries + 9")
        cursor.execute("UPDATE leaderboard_snapshot SET standing_key = standing_key + 1")
        cursor.execute("UPDATE exam_sessions SET weighted_coding = 1 WHERE version > 0")
    for (path, asked), known in zip(reads, before, strict=True):
        # Another page size, so that MySQL is asked and not Redis; a candidate, for his own entry.
        caller = api if path == "/audit" else api.as_user(user_id)
        answer = caller.get(path, **(asked | {"per_page": 24}))
        assert answer.status == 200, answer.text
        varying = {"cached": None, "per_page": None, "my_entry": None}
        assert answer.json | varying == known.json | varying
        if "my_entry" in answer.json:
            assert answer.json["my_entry"] in answer.json["leaderboard"]
    writer.rollback()


def test_a_recalculation_is_a_revision_and_changes_no_rank(
    api: Api, board: Board, truth: list[tuple[int, int]]
) -> None:
    before = api.get(f"/exams/{board.exam_id}").json["revision"]
    answer = api.post("/leaderboard/recalculate", {"exam_id": board.exam_id})
    assert answer.status == 200
    assert answer.json == {
        "exam_id": board.exam_id,
        "revision": before + 1,
        "total_participants": 23,
    }
    page = api.get("/leaderboard", exam_id=board.exam_id).json
    assert (page["revision"], ranks(page["leaderboard"])) == (before + 1, truth)


def test_a_recalculation_mends_a_board_that_was_tampered_with(
    api: Api, query: Callable[..., list[dict[str, Any]]]
) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    session_id = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id}).json["session_id"]
    entry = api.post("/scores", submission(session_id)).json["leaderboard_entry"]
    query("UPDATE exam_sessions SET weighted_coding = 0 WHERE session_id = %s", session_id)
    query("DELETE FROM leaderboard_snapshot WHERE session_id = %s", session_id)
    assert query("CALL check_leaderboard(%s)", exam_id)
    api.post("/leaderboard/recalculate", {"exam_id": exam_id})
    assert not query("CALL check_leaderboard(%s)", exam_id)
    assert api.get(f"/leaderboard/entries/{user_id}", exam_id=exam_id).json.items() >= entry.items()


def test_a_board_that_does_not_exist_cannot_be_recalculated(api: Api) -> None:
    answer = api.post("/leaderboard/recalculate", {"exam_id": 999999999})
    assert (answer.status, answer.code) == (404, "exam_not_found")
