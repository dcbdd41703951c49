"""What a program that uses Podium relies on, tested against a real one."""

from __future__ import annotations

from collections.abc import Callable

import mysql.connector
import pytest
from candidates import Candidate

from gateway.testing import Client, PodiumContainer


def test_a_score_is_answered_with_its_rank(candidate: Callable[[str], Candidate]) -> None:
    alice = candidate("alice")

    answer = alice.api.post("/scores", alice.submission("coding", 85.5))

    assert answer.status == 200
    assert answer.json["version"] == 1
    assert answer.json["leaderboard_entry"] == {
        "rank": 1,
        "total_score": 42.75,
        "weighted_coding": 42.75,
        "weighted_quiz": 0.0,
        "weighted_assessment": 0.0,
        "total_time_sec": 600,
    }


def test_the_board_ranks_by_score_then_by_time(
    candidate: Callable[[str], Candidate], podium_admin: Client, exam_id: int
) -> None:
    for name, score, minutes in [
        ("slow", 80, 30),
        ("quick", 80, 20),
        ("best", 90, 60),
        ("as quick", 80, 20),
    ]:
        who = candidate(name)
        assert who.api.post("/scores", who.submission("quiz", score, minutes)).status == 200

    board = podium_admin.get("/leaderboard", exam_id=exam_id).json

    assert board["total_participants"] == 4
    assert [(entry["rank"], entry["full_name"]) for entry in board["leaderboard"]] == [
        (1, "Best"),
        (2, "Quick"),
        (2, "As Quick"),
        (3, "Slow"),
    ]


def test_a_retry_with_the_same_key_changes_nothing(candidate: Callable[[str], Candidate]) -> None:
    bob = candidate("bob")
    sent, key = bob.submission("coding", 70), f"coding-of-{bob.session_id}"

    first = bob.api.post("/scores", sent, key=key).json
    again = bob.api.post("/scores", sent, key=key).json

    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert again == first
    assert bob.api.get(f"/sessions/{bob.session_id}").json["version"] == 1


def test_a_key_is_good_for_one_payload(candidate: Callable[[str], Candidate]) -> None:
    bob = candidate("bob")
    key = f"coding-of-{bob.session_id}"
    bob.api.post("/scores", bob.submission("coding", 70), key=key)

    answer = bob.api.post("/scores", bob.submission("coding", 100), key=key)

    assert (answer.status, answer.json["code"]) == (409, "submission_id_reused")


def test_a_stale_version_is_refused_with_the_current_one(
    candidate: Callable[[str], Candidate],
) -> None:
    carol = candidate("carol")
    carol.api.post("/scores", carol.submission("coding", 70) | {"expected_version": 0})

    answer = carol.api.post("/scores", carol.submission("quiz", 90) | {"expected_version": 0})

    assert (answer.status, answer.json["code"]) == (409, "version_conflict")
    assert answer.json["current_version"] == 1


def test_nobody_submits_for_somebody_else(candidate: Callable[[str], Candidate]) -> None:
    dave, eve = candidate("dave"), candidate("eve")

    answer = eve.api.post("/scores", dave.submission("coding", 0))

    # What one may not see is answered as what does not exist.
    assert answer.status == 404


def test_the_database_can_be_asked_directly(
    candidate: Callable[[str], Candidate], podium: PodiumContainer, exam_id: int
) -> None:
    frank = candidate("frank")
    frank.api.post("/scores", frank.submission("assessment", 50))

    with podium.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT `rank`, full_name, total_score FROM leaderboard WHERE exam_id = %s", (exam_id,)
        )
        [(rank, name, score)] = cursor.fetchall()
        with pytest.raises(mysql.connector.Error, match="version_conflict"):
            cursor.execute(
                "CALL submit_score(%s, 'quiz', 1, 1, 1, NULL, 99, NULL, NULL)", (frank.session_id,)
            )

    assert (rank, name, score) == (1, "Frank", 10)
