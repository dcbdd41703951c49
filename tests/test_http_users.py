"""Users: created once, found by name, renamed."""

from __future__ import annotations

import re
import unicodedata

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name

NBSP = "\u00a0"


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


@pytest.mark.parametrize(
    "typed", ["{} ", " {}", f"{{}}{NBSP}", "\u3000{}\n", "\t{}\u2029"], ids=ascii
)
def test_white_space_at_the_ends_is_no_part_of_a_name(api: Api, typed: str) -> None:
    name = unique_name()
    body = {"username": typed.format(name), "full_name": f" A{NBSP}", "role": "candidate"}
    answer = api.post("/users", body)
    assert (answer.status, answer.json["username"], answer.json["full_name"]) == (201, name, "A")
    assert api.post("/users", body | {"username": name}).code == "username_taken"


def test_length_is_counted_of_what_is_kept(api: Api) -> None:
    name = (unique_name() + "é" * 64)[:64]
    typed = " " * 100 + unicodedata.normalize("NFD", name) + " " * 100
    fields = {"full_name": "X" * 200 + NBSP * 100, "role": "candidate"}
    answer = api.post("/users", fields | {"username": typed})
    assert (answer.status, answer.json.get("username")) == (201, name)
    for field, text in (("username", "x" * 65), ("full_name", "x" * 201)):
        body = {"username": unique_name()} | fields | {field: f" {text} "}
        refusal = api.post("/users", body)
        assert (refusal.status, refusal.pointers) == (422, [f"/{field}"])


@pytest.mark.parametrize(
    ("one", "another"), [("さくら", "サクラ"), ("ｂｏｂ", "bob"), ("bób", "bob")]
)
def test_nothing_else_is_folded(api: Api, one: str, another: str) -> None:
    name = unique_name()
    assert make_user(api, username=name + one) != make_user(api, username=name + another)


@pytest.mark.parametrize(
    "held", ["\0", "\n", "\x1b", "\x7f", "\u202e", "\u2066", "\ufdd0", "\U000e0041"], ids=ascii
)
@pytest.mark.parametrize("field", ["username", "full_name", "title"])
def test_a_text_that_deceives_is_refused_by_the_number_of_its_character(
    api: Api, field: str, held: str
) -> None:
    text = f"ali{held}ce"
    if field == "title":
        answer = api.post("/exams", {"title": text})
    else:
        body = {"username": unique_name(), "full_name": "X", "role": "candidate"}
        answer = api.post("/users", body | {field: text})
    assert (answer.status, answer.code) == (422, f"{field}_invalid")
    assert f"U+{ord(held):04X}" in answer.json["detail"]
    assert held not in answer.text.decode()


@pytest.mark.parametrize(
    "full_name",
    ["علی‌رضا", "ശ്രീ", "ක්‍ෂ", "র‍্যান", "👩🏽‍💻", "葛󠄀城", "דוד\u200f", "O’Neill", "김　철수", "𱍐"],
    ids=ascii,
)
def test_full_names_keep_what_people_are_called(api: Api, full_name: str) -> None:
    body = {"username": unique_name(), "full_name": full_name, "role": "candidate"}
    assert api.post("/users", body).json["full_name"] == full_name


def test_a_user_is_found_by_name_and_by_id(api: Api) -> None:
    name = unique_name()
    body = {"username": name, "full_name": "Alice Chen", "role": "grader"}
    user = api.post("/users", body).json
    assert api.get("/users", username=f" {name.upper()}{NBSP}").json == {"users": [user]}
    assert api.get(f"/users/{user['user_id']}").json == user
    assert api.get("/users", username=f"{name}-2").json == {"users": []}
    assert api.get("/users/999999999999").code == "user_not_found"


def test_a_name_of_digits_is_a_name(api: Api) -> None:
    name = re.sub(r"\D", "", unique_name())
    user_id = make_user(api, username=name)
    assert [user["user_id"] for user in api.get("/users", username=name).json["users"]] == [user_id]


def test_candidates_read_themselves_alone(api: Api) -> None:
    user_id, other = make_user(api), make_user(api)
    alice = api.as_user(user_id)
    assert alice.get(f"/users/{user_id}").status == 200
    told = [alice.get(f"/users/{number}") for number in (other, 999_999_999_999)]
    assert [(answer.status, answer.json) for answer in told] == [(403, told[0].json)] * 2


def test_the_same_key_again_returns_the_first_user(api: Api, gateways: list[Api]) -> None:
    body = {"username": unique_name(), "full_name": "Alice", "role": "candidate"}
    key = {"Idempotency-Key": unique_name()}
    first = api.request("POST", "/users", body, headers=key)
    again = gateways[1].request(
        "POST", "/users", body | {"username": f"{body['username']} "}, headers=key
    )
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    other = api.request("POST", "/users", body | {"full_name": "Bob"}, headers=key)
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert api.post("/users", body).code == "username_taken"
    refused = api.request("POST", "/users", body, headers={"Idempotency-Key": "k" * 65})
    assert (refused.status, refused.code) == (422, "idempotency_key_invalid")


def test_a_rename_is_seen_at_once_through_any_gateway(gateways: list[Api]) -> None:
    api, other = gateways
    exam_id, user_id = make_exam(api), make_user(api, full_name="Old")
    api.post("/scores", submission(make_session(api, exam_id, user_id)))
    for _ in "loaded", "cached":
        page = other.get("/leaderboard", exam_id=exam_id)
    assert page.json["leaderboard"][0]["full_name"] == "Old"
    answer = api.patch(f"/users/{user_id}", {"full_name": "New"})
    assert (answer.status, answer.json["full_name"]) == (200, "New")
    tag = {"If-None-Match": page.headers["ETag"]}
    renamed = other.request("GET", "/leaderboard", headers=tag, query={"exam_id": exam_id})
    assert (renamed.status, renamed.json["revision"]) == (200, page.json["revision"] + 1)
    assert renamed.json["leaderboard"][0]["full_name"] == "New"

    # Again, it changes nothing.
    assert api.patch(f"/users/{user_id}", {"full_name": "New"}).json == answer.json
    tag = {"If-None-Match": renamed.headers["ETag"]}
    assert (
        other.request("GET", "/leaderboard", headers=tag, query={"exam_id": exam_id}).status == 304
    )


def test_a_rename_that_breaks_a_rule_changes_nothing(api: Api) -> None:
    name, taken = unique_name(), unique_name()
    user_id = make_user(api, username=name)
    make_user(api, username=taken)
    changes: list[tuple[dict[str, object], int, str]] = [
        ({"username": f" {taken.upper()}"}, 409, "username_taken"),
        ({"username": "a\u200bb"}, 422, "username_invalid"),
        ({"full_name": "a\nb"}, 422, "full_name_invalid"),
        ({"full_name": "X", "username": None}, 422, "username_invalid"),
        ({}, 422, "invalid_value"),
        ({"role": "admin"}, 422, "role_invalid"),
    ]
    before = api.get(f"/users/{user_id}").json
    for change, status, code in changes:
        answer = api.patch(f"/users/{user_id}", change)
        assert (answer.status, answer.code) == (status, code), answer.text
    assert api.get(f"/users/{user_id}").json == before


@pytest.mark.parametrize("role", ["viewer", "grader", "moderator", "admin"])
def test_staff_takes_no_exam(api: Api, role: str) -> None:
    session = {"exam_id": make_exam(api), "user_id": make_user(api, role)}
    answer = api.post("/sessions", session)
    assert (answer.status, answer.code, answer.pointers) == (409, "not_a_candidate", ["/user_id"])
