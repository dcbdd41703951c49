"""Idempotency-Key on the calls that create something: the first answer again, with its id."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, unique_name

# Each call that creates, with a body that is another one each time.
CREATIONS: dict[str, Callable[[Api], dict[str, Any]]] = {
    "/exams": lambda api: {"title": unique_name()},
    "/users": lambda api: {"username": unique_name(), "full_name": "X", "role": "candidate"},
    "/sessions": lambda api: {"exam_id": make_exam(api), "user_id": make_user(api)},
}
IDS = {"/exams": "exam_id", "/users": "user_id", "/sessions": "session_id"}


@pytest.fixture(params=CREATIONS)
def path(request: pytest.FixtureRequest) -> str:
    """Return the path of each call that creates something."""
    return str(request.param)


def test_the_same_key_creates_one_thing_and_answers_the_same(api: Api, path: str) -> None:
    body, key = CREATIONS[path](api), unique_name()
    first = api.post(path, body, Idempotency_Key=key)
    assert first.status == 201, first.text
    for written in (key, f'"{key}"'):
        again = api.post(path, body, Idempotency_Key=written)
        assert (again.status, again.text) == (201, first.text)


def test_calls_at_once_with_one_key_create_one_thing(gateways: list[Api], path: str) -> None:
    body, key = CREATIONS[path](gateways[0]), unique_name()
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: gateways[n % 2].post(path, body, Idempotency_Key=key), range(16))
        )
    assert {answer.status for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json[IDS[path]] for answer in answers}) == 1


def test_another_body_under_the_same_key_is_refused(
    api: Api, path: str, row_counts: Callable[[], dict[str, int]]
) -> None:
    key = unique_name()
    assert api.post(path, CREATIONS[path](api), Idempotency_Key=key).status == 201
    other = CREATIONS[path](api)
    before = row_counts()
    answer = api.post(path, other, Idempotency_Key=key)
    assert (answer.status, answer.code) == (409, "idempotency_key_reused"), answer.text
    assert row_counts() == before


def test_a_key_is_its_callers_own(api: Api, path: str) -> None:
    body, key = CREATIONS[path](api), unique_name()
    first = api.post(path, body, Idempotency_Key=key)
    assert first.status == 201
    other = api.as_user(make_user(api, "admin"), "admin")
    answer = other.post(path, CREATIONS[path](api), Idempotency_Key=key)
    assert answer.status == 201
    assert answer.json[IDS[path]] != first.json[IDS[path]]


def test_a_refusal_leaves_the_key_free(api: Api) -> None:
    key = unique_name()
    late = {"title": "T", "starts_at": "2027-01-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}
    assert api.post("/exams", late, Idempotency_Key=key).code == "schedule_invalid"
    assert api.post("/exams", {"title": "T"}, Idempotency_Key=key).status == 201


def test_a_start_is_repeated_after_its_attempt_was_finished(api: Api) -> None:
    body, key = (
        {"exam_id": make_exam(api, max_attempts=2), "user_id": make_user(api)},
        unique_name(),
    )
    first = api.post("/sessions", body, Idempotency_Key=key)
    finished = api.patch(f"/sessions/{first.json['session_id']}/finish")
    again = api.post("/sessions", body, Idempotency_Key=key)
    assert (first.status, again.status, again.json) == (201, 201, finished.json)
    # The second attempt, and the last, is one that is asked for.
    second = api.post("/sessions", body, Idempotency_Key=unique_name())
    assert (second.status, second.json["attempt_no"]) == (201, 2)
    assert api.post("/sessions", body, Idempotency_Key=key).text == again.text


def test_a_start_that_found_an_attempt_in_progress_is_repeated_too(api: Api) -> None:
    body, key = (
        {"exam_id": make_exam(api, max_attempts=2), "user_id": make_user(api)},
        unique_name(),
    )
    session = make_session(api, body["exam_id"], body["user_id"])
    assert api.post("/sessions", body, Idempotency_Key=key).status == 200
    finished = api.patch(f"/sessions/{session}/finish")
    again = api.post("/sessions", body, Idempotency_Key=key)
    assert (again.status, again.json) == (200, finished.json)


def test_starts_at_once_with_keys_of_their_own_make_one_attempt(gateways: list[Api]) -> None:
    body = CREATIONS["/sessions"](gateways[0])
    keys = [unique_name() for _ in range(16)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda n: gateways[n % 2].post("/sessions", body, Idempotency_Key=keys[n]),
                range(16),
            )
        )
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert len({answer.json["session_id"] for answer in answers}) == 1
    for key, first in zip(keys, answers, strict=True):
        again = gateways[0].post("/sessions", body, Idempotency_Key=key)
        assert (again.status, again.text) == (first.status, first.text)


def test_a_refused_start_leaves_its_key_free_however_many_send_it(gateways: list[Api]) -> None:
    body, key = CREATIONS["/sessions"](gateways[0]), unique_name()
    session = make_session(gateways[0], body["exam_id"], body["user_id"])
    gateways[0].patch(f"/sessions/{session}/finish")
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda n: gateways[n % 2].post("/sessions", body, Idempotency_Key=key), range(16)
            )
        )
    assert {answer.code for answer in answers} == {"attempts_exhausted"}
    free = gateways[0].post("/sessions", CREATIONS["/sessions"](gateways[0]), Idempotency_Key=key)
    assert free.status == 201, free.text


def test_a_candidates_key_starts_nothing_for_another(api: Api) -> None:
    exam, key, alice, bob = make_exam(api), unique_name(), make_user(api), make_user(api)
    sessions = [
        api.as_user(user).post("/sessions", {"exam_id": exam, "user_id": user}, Idempotency_Key=key)
        for user in (alice, bob)
    ]
    assert [answer.json["user_id"] for answer in sessions] == [alice, bob]
    answer = api.as_user(bob).post(
        "/sessions", {"exam_id": exam, "user_id": alice}, Idempotency_Key=key
    )
    assert (answer.status, answer.code) == (403, "not_own_session")


def test_the_role_of_the_token_counts_when_a_start_has_a_key(api: Api) -> None:
    # In the table they are a grader, who starts nobody's attempt.
    other = api.as_user(make_user(api, "grader"), "moderator")
    body = CREATIONS["/sessions"](api)
    answers = [other.post("/sessions", body, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201], answers[0].text


@pytest.mark.parametrize("key", ["", '""', "x" * 65, "a\tb"])
def test_a_key_that_is_none_is_refused(api: Api, path: str, key: str) -> None:
    answer = api.post(path, CREATIONS[path](api), Idempotency_Key=key)
    assert (answer.status, answer.code) == (422, "idempotency_key_invalid"), answer.text
    assert answer.pointers == ["/Idempotency-Key"]
    assert answer.json["detail"].startswith("Idempotency-Key must ")
