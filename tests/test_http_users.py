"""POST /users."""

from __future__ import annotations

import pytest

from tests.client import Api
from tests.factories import make_user, unique_name


def test_a_user_is_answered_with_his_row(api: Api) -> None:
    name = unique_name()
    answer = api.post("/users", {"username": name, "full_name": "Alice Chen", "role": "candidate"})
    assert answer.status == 201
    user = answer.json
    assert list(user) == ["user_id", "username", "full_name", "role", "created_at"]
    assert (user["username"], user["full_name"], user["role"]) == (name, "Alice Chen", "candidate")
    assert user["user_id"] >= 1
    assert user["created_at"].endswith("Z")


@pytest.mark.parametrize("role", ["candidate", "moderator", "admin"])
def test_every_role_can_be_created(api: Api, role: str) -> None:
    assert make_user(api, role) >= 1


def test_a_name_is_taken_once(api: Api) -> None:
    name = unique_name()
    make_user(api, username=name)
    answer = api.post("/users", {"username": name, "full_name": "Second", "role": "moderator"})
    assert (answer.status, answer.code, answer.pointers) == (
        409,
        "username_taken",
        ["/username"],
    )


def test_case_does_not_tell_two_names_apart(api: Api) -> None:
    name = unique_name()
    make_user(api, username=name)
    body = {"username": name.upper(), "full_name": "Second", "role": "candidate"}
    assert api.post("/users", body).code == "username_taken"


def test_accents_tell_two_names_apart(api: Api) -> None:
    name = unique_name()
    assert make_user(api, username=f"{name}e") != make_user(api, username=f"{name}é")


@pytest.mark.parametrize(("field", "longest"), [("username", 64), ("full_name", 200)])
def test_names_as_long_as_allowed_are_taken(api: Api, field: str, longest: int) -> None:
    # Counted in characters, the 4-byte ones too.
    text = (unique_name() + "😀" * longest)[:longest]
    fields = {"username": unique_name(), "full_name": "X", "role": "candidate"} | {field: text}
    answer = api.post("/users", fields)
    assert (answer.status, answer.json.get(field)) == (201, text)
