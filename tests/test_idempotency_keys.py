"""Idempotency-Key on the calls that create something: the first answer again, with its id."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_user, unique_name

# Each call that creates, with a body that is another one each time.
CREATIONS: dict[str, Callable[[Api], dict[str, Any]]] = {
    "/exams": lambda api: {"title": unique_name()},
    "/users": lambda api: {"username": unique_name(), "full_name": "X", "role": "candidate"},
}
IDS = {"/exams": "exam_id", "/users": "user_id"}


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


@pytest.mark.parametrize("key", ["", '""', "x" * 65, "a\tb"])
def test_a_key_that_is_none_is_refused(api: Api, path: str, key: str) -> None:
    answer = api.post(path, CREATIONS[path](api), Idempotency_Key=key)
    assert (answer.status, answer.code) == (422, "idempotency_key_invalid"), answer.text
    assert answer.pointers == ["/Idempotency-Key"]
