"""Hostile strings come back as they were sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name

NAMES = [
    "delimiter it's",
    "DELIMITER $$ it's",
    "delimiter ;;",
    "😀 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧",
    "é is not é",
    "a 'quote' and a \"quote\" and a `tick`",
    "back\\slash \\' \\\" \\n \\\\ \\",
    "100% %s %d %(name)s %% {} {0} {name} $1 ?",
    "'; DROP TABLE users; --",
    "/* comment */ # comment -- comment",
    "<script>alert(1)</script>&amp;",
]
# Names and titles hold no control characters and nothing that turns the direction of others;
# names no blanks around them. Details hold whatever a text can.
STRINGS = [
    *NAMES,
    "DELIMITER $$\nit's",
    "NUL \0 in the middle",
    "\x01\x1a\x1b\x7f\x85\u2028\u2029\ufeff\ufffe",
    "'; DROP TABLE users; -- ",
    "\u202egnp.exe",
    "line\r\nline\rline\ttab",
    " blanks around ",
]


@pytest.mark.parametrize("text", NAMES, ids=ascii)
def test_names_and_titles_come_back_unchanged(api: Api, text: str) -> None:
    username = unique_name() + text
    user_id = make_user(api, username=username, full_name=text)
    answer = api.post("/exams", {"title": text})
    exam_id = answer.json["exam_id"]
    assert answer.json["title"] == text
    assert api.get(f"/exams/{exam_id}").json["title"] == text
    api.post("/scores", submission(make_session(api, exam_id, user_id)))
    for _ in "from MySQL", "from Redis":
        page = api.get("/leaderboard", exam_id=exam_id).json
        assert page["exam_title"] == text
        [entry] = page["leaderboard"]
        assert (entry["username"], entry["full_name"]) == (username, text)
    taken = api.post("/users", {"username": username, "full_name": "X", "role": "admin"})
    assert (taken.status, taken.code) == (409, "username_taken")


DETAILS: list[dict[str, Any]] = [
    {},
    *({"text": text, text: "name"} for text in STRINGS),
    {"": ""},
    {"text": "x" * 40_000},
    {"text": "delimiter it's " * 2_700},
    {"list": list(range(8_000))},
    {"text": "x" * (65535 - len('{"text": ""}'))},
    {"numbers": [0, -1, 2**63 - 1, 2**64 - 1, -(2**63), 0.1, -1.5e-300, 1.7976931348623157e308]},
    {"exact": 0.30000000000000004, "small": 5e-324},
    {"constants": [True, False, None], "nested": {"a": [{"b": {}}, [], [[]]]}},
    {"session_id": 1, "submission_id": "x", "actor_id": 1, "actor_role": "admin"},
    {"true": "true", "number": "1", "null": "null"},
]


@pytest.mark.parametrize("details", DETAILS, ids=lambda details: ascii(details)[:40])
def test_details_come_back_unchanged(api: Api, details: dict[str, Any]) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    assert api.post("/scores", submission(session_id, details=details)).status == 200
    item = submission(session_id, details=details, module_type="quiz")
    answer = api.post("/scores/batch", {"submissions": [item]})
    assert answer.json["results"][0]["status"] == 200
    for module in api.get(f"/sessions/{session_id}").json["modules"]:
        assert module["details"] == details
    for entry in api.get("/audit", exam_id=exam_id).json["entries"]:
        assert entry["details"] == details


def test_details_keep_their_kinds_of_numbers(api: Api) -> None:
    session_id = make_session(api, make_exam(api))
    api.post("/scores", submission(session_id, details={"whole": 3, "point": 3.0}))
    [module] = api.get(f"/sessions/{session_id}").json["modules"]
    assert {name: type(value) for name, value in module["details"].items()} == {
        "whole": int,
        "point": float,
    }


@pytest.mark.parametrize(
    "text", [text for text in STRINGS if text.isascii() and text.isprintable()]
)
def test_submission_ids_come_back_unchanged(api: Api, text: str) -> None:
    key = unique_name() + text
    session_id = make_session(api, make_exam(api))
    first = api.post("/scores", submission(session_id, submission_id=key))
    assert first.json["submission_id"] == key
    again = api.post("/scores", submission(session_id, submission_id=key))
    assert again.json == first.json | {"replayed": True}


@pytest.mark.parametrize("text", STRINGS, ids=ascii)
def test_hostile_text_where_it_does_not_belong_is_refused_in_json(api: Api, text: str) -> None:
    answer = api.post("/scores", submission(1, module_type=text))
    assert (answer.status, answer.code, answer.pointers) == (
        422,
        "module_unknown",
        ["/module_type"],
    )
    answer = api.get("/leaderboard", exam_id=text)
    assert (answer.status, answer.pointers) == (422, ["/exam_id"])
