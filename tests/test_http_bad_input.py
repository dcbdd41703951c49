"""What breaks a rule is refused by name, at the field, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.client import Answer, Api
from tests.factories import make_exam, make_session, make_user, submission, unique_name

RowCounts = Callable[[], dict[str, int]]
NOWHERE = 999999999
LONG_AGO, LATER = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Place:
    """What the requests of the tables below are about."""

    exam_id: int
    user_id: int
    session_id: int
    finished_id: int


@pytest.fixture(scope="module")
def place(api: Api) -> Place:
    """Make an exam with a scored session and a finished one."""
    exam_id, user_id = make_exam(api), make_user(api)
    finished_id = make_session(api, exam_id)
    api.patch(f"/sessions/{finished_id}/finish")
    session_id = make_session(api, exam_id, user_id)
    api.post("/scores", submission(session_id))
    return Place(exam_id, user_id, session_id, finished_id)


@pytest.fixture
def nothing_changes(row_counts: RowCounts) -> Iterator[None]:
    """Compare the number of rows of every table before and after."""
    before = row_counts()
    yield
    assert row_counts() == before


def refused(answer: Answer, status: int, code: str, *pointers: str) -> None:
    """Assert that an answer is this refusal, in the shape of all of them."""
    assert (answer.status, answer.code) == (status, code), answer.text
    assert answer.pointers == list(pointers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["type"] == f"urn:podium:error:{code}"
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    assert all(error["message"] for error in problem.get("errors", []))
    for tell_tale in (b"CALL ", b"SELECT", b"Traceback", b".py", b"podium.", b"mysql"):
        assert tell_tale not in answer.text


# Fields that replace or add to a sound submission; None stands for JSON's null.
SUBMISSIONS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"session_id": NOWHERE}, 404, "session_not_found", "/session_id"),
    ({"session_id": 0}, 422, "invalid_value", "/session_id"),
    ({"session_id": -1}, 422, "invalid_value", "/session_id"),
    ({"session_id": 2**63 - 1}, 404, "session_not_found", "/session_id"),
    ({"session_id": 2**63}, 422, "invalid_value", "/session_id"),
    ({"session_id": 2**64}, 422, "invalid_value", "/session_id"),
    ({"session_id": 10**40}, 422, "invalid_value", "/session_id"),
    ({"session_id": 1.5}, 422, "invalid_value", "/session_id"),
    ({"session_id": 1e400}, 422, "invalid_value", "/session_id"),
    ({"session_id": "1"}, 422, "invalid_value", "/session_id"),
    ({"session_id": True}, 422, "invalid_value", "/session_id"),
    ({"session_id": None}, 422, "invalid_value", "/session_id"),
    ({"session_id": [1]}, 422, "invalid_value", "/session_id"),
    ({"module_type": "essay"}, 422, "module_unknown", "/module_type"),
    ({"module_type": "Coding"}, 422, "module_unknown", "/module_type"),
    ({"module_type": "coding "}, 422, "module_unknown", "/module_type"),
    ({"module_type": ""}, 422, "module_unknown", "/module_type"),
    ({"module_type": 1}, 422, "module_unknown", "/module_type"),
    ({"module_type": None}, 422, "module_unknown", "/module_type"),
    ({"module_type": ["coding"]}, 422, "module_unknown", "/module_type"),
    ({"raw_score": 100.01}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": 100.00000000000002}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": -0.01}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": -1e-30}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": "85.5"}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": True}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": None}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": {}}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": 1e400}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": -1e400}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": 10**400}, 422, "raw_score_invalid", "/raw_score"),
    ({"raw_score": 1e10, "max_score": 1e9}, 422, "raw_score_invalid", "/raw_score"),
    ({"max_score": 0}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": -0.0}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": -100}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": 1e-30, "raw_score": 0}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": 1e10}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": 1e400}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": "100"}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": False}, 422, "max_score_invalid", "/max_score"),
    ({"max_score": None}, 422, "max_score_invalid", "/max_score"),
    ({"time_spent_sec": -1}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": 2**22}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": 10**40}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": 1e400}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": 2.5}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": "60"}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": True}, 422, "time_spent_invalid", "/time_spent_sec"),
    ({"time_spent_sec": None}, 422, "time_spent_invalid", "/time_spent_sec"),
    # The session holds 2400 seconds of coding already.
    (
        {"module_type": "quiz", "time_spent_sec": 2**22 - 2400},
        422,
        "time_spent_invalid",
        "/time_spent_sec",
    ),
    ({"details": []}, 422, "details_invalid", "/details"),
    ({"details": "text"}, 422, "details_invalid", "/details"),
    ({"details": 1}, 422, "details_invalid", "/details"),
    ({"details": {"text": "x" * 65536}}, 422, "details_invalid", "/details"),
    ({"details": {"text": "😀" * 16384}}, 422, "details_invalid", "/details"),
    ({"details": {"x" * 70000: 1}}, 422, "details_invalid", "/details"),
    ({"details": {"n": 1e400}}, 422, "details_invalid", "/details"),
    ({"details": {"n": [{"n": -1e400}]}}, 422, "details_invalid", "/details"),
    ({"details": {"n": 2**64}}, 422, "details_invalid", "/details"),
    ({"details": {"n": -(2**63) - 1}}, 422, "details_invalid", "/details"),
    ({"details": {"n": 10**400}}, 422, "details_invalid", "/details"),
    ({"expected_version": 7}, 409, "version_conflict", "/expected_version"),
    ({"expected_version": -1}, 422, "expected_version_invalid", "/expected_version"),
    ({"expected_version": 0.5}, 422, "expected_version_invalid", "/expected_version"),
    ({"expected_version": "1"}, 422, "expected_version_invalid", "/expected_version"),
    ({"expected_version": True}, 422, "expected_version_invalid", "/expected_version"),
    ({"expected_version": 2**63}, 422, "expected_version_invalid", "/expected_version"),
    ({"submission_id": ""}, 422, "submission_id_invalid", "/submission_id"),
    ({"submission_id": "x" * 65}, 422, "submission_id_invalid", "/submission_id"),
    ({"submission_id": "é"}, 422, "submission_id_invalid", "/submission_id"),
    ({"submission_id": "a\n"}, 422, "submission_id_invalid", "/submission_id"),
    ({"submission_id": "a\u0000b"}, 422, "submission_id_invalid", "/submission_id"),
    ({"submission_id": 1}, 422, "submission_id_invalid", "/submission_id"),
    ({"actor_id": 1}, 422, "invalid_value", "/actor_id"),
    ({"actor_role": "admin"}, 422, "invalid_value", "/actor_role"),
    ({"": 1}, 422, "invalid_value", "/"),
    ({"a/b~c": 1}, 422, "invalid_value", "/a~1b~0c"),
]


def shown(value: object) -> str:
    """Name a row of a table in the report."""
    return str(value)[:40]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("fields", "status", "code", "pointer"), SUBMISSIONS, ids=shown)
def test_a_submission_that_breaks_a_rule_leaves_no_row(
    api: Api, place: Place, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    item = submission(place.session_id) | fields
    # As JSON has it: 1e400, not the Infinity that Python writes.
    raw = json.dumps(item).replace("Infinity", "1e400").encode()
    refused(api.request("POST", "/scores", raw=raw), status, code, pointer)
    batch = b'{"submissions":[%s,%s,%s]}' % (raw, raw, raw)
    for place_in_batch, result in enumerate(
        api.request("POST", "/scores/batch", raw=batch).json["results"]
    ):
        assert (result["status"], result["code"]) == (status, code)
        pointers = [error["pointer"] for error in result["errors"]]
        assert pointers == [f"/submissions/{place_in_batch}{pointer}"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("name", sorted(submission(1)))
def test_a_field_that_is_missing_is_named(api: Api, place: Place, name: str) -> None:
    item = submission(place.session_id)
    del item[name]
    answer = api.post("/scores", item)
    assert (answer.status, answer.pointers) == (422, [f"/{name}"])
    assert answer.json["errors"][0]["message"] == "is required"


@pytest.mark.usefixtures("nothing_changes")
def test_all_faults_are_named_at_once(api: Api) -> None:
    answer = api.post("/scores", {"session_id": "x", "module_type": "y", "raw_score": None})
    pointers = ["/max_score", "/module_type", "/raw_score", "/session_id", "/time_spent_sec"]
    refused(answer, 422, "invalid_value", *pointers)


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("key", ["", '""', "x" * 65, "é", "a\tb"])
def test_an_idempotency_key_keeps_the_rules_of_a_submission_id(
    api: Api, place: Place, key: str
) -> None:
    answer = api.post("/scores", submission(place.session_id), Idempotency_Key=key)
    refused(answer, 422, "submission_id_invalid", "/submission_id")
    assert answer.json["detail"].startswith("Idempotency-Key must ")


@pytest.mark.usefixtures("nothing_changes")
def test_an_idempotency_key_beside_another_submission_id_is_refused(api: Api, place: Place) -> None:
    item = submission(place.session_id, submission_id=unique_name())
    answer = api.post("/scores", item, Idempotency_Key=unique_name())
    refused(answer, 422, "submission_id_invalid", "/submission_id")


USERS: list[tuple[dict[str, Any], str, str]] = [
    ({"username": ""}, "username_invalid", "/username"),
    ({"username": " "}, "username_invalid", "/username"),
    ({"username": "\u2003\t"}, "username_invalid", "/username"),
    ({"username": "x" * 65}, "username_invalid", "/username"),
    ({"username": 7}, "username_invalid", "/username"),
    ({"username": None}, "username_invalid", "/username"),
    ({"full_name": ""}, "full_name_invalid", "/full_name"),
    ({"full_name": "\n"}, "full_name_invalid", "/full_name"),
    ({"full_name": "😀" * 201}, "full_name_invalid", "/full_name"),
    ({"full_name": ["x"]}, "full_name_invalid", "/full_name"),
    ({"role": "root"}, "role_invalid", "/role"),
    ({"role": "Admin"}, "role_invalid", "/role"),
    ({"role": None}, "role_invalid", "/role"),
    ({"user_id": 1}, "invalid_value", "/user_id"),
]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("fields", "code", "pointer"), USERS, ids=shown)
def test_a_user_that_breaks_a_rule_is_not_created(
    api: Api, fields: dict[str, Any], code: str, pointer: str
) -> None:
    body = {"username": unique_name(), "full_name": "X", "role": "candidate"} | fields
    refused(api.post("/users", body), 422, code, pointer)


EXAMS: list[tuple[dict[str, Any], str, str]] = [
    ({"title": ""}, "title_invalid", "/title"),
    ({"title": "  "}, "title_invalid", "/title"),
    ({"title": "x" * 201}, "title_invalid", "/title"),
    ({"title": None}, "title_invalid", "/title"),
    ({"weights": [50, 30, 20]}, "weights_invalid", "/weights"),
    ({"weights": 100}, "weights_invalid", "/weights"),
    ({"max_attempts": 0}, "max_attempts_invalid", "/max_attempts"),
    ({"max_attempts": 1001}, "max_attempts_invalid", "/max_attempts"),
    ({"max_attempts": 1.5}, "max_attempts_invalid", "/max_attempts"),
    ({"max_attempts": "1"}, "max_attempts_invalid", "/max_attempts"),
    ({"max_attempts": True}, "max_attempts_invalid", "/max_attempts"),
    ({"attempt_policy": "worst"}, "attempt_policy_invalid", "/attempt_policy"),
    ({"attempt_policy": 1}, "attempt_policy_invalid", "/attempt_policy"),
    ({"duration_sec": 0}, "duration_invalid", "/duration_sec"),
    ({"duration_sec": -1}, "duration_invalid", "/duration_sec"),
    ({"duration_sec": 2**22}, "duration_invalid", "/duration_sec"),
    ({"duration_sec": "60"}, "duration_invalid", "/duration_sec"),
    ({"starts_at": "tomorrow"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-11-24"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-11-24T09:00:00"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-11-24 09:00:00Z"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-02-30T09:00:00Z"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-11-24T24:00:00Z"}, "invalid_value", "/starts_at"),
    ({"starts_at": "2026-11-24T09:00:00Z\n"}, "invalid_value", "/starts_at"),
    ({"starts_at": "0001-01-01T00:00:00+14:00"}, "invalid_value", "/starts_at"),
    ({"starts_at": "9999-12-31T23:59:59-14:00"}, "invalid_value", "/starts_at"),
    ({"starts_at": "0000-01-01T00:00:00Z"}, "invalid_value", "/starts_at"),
    ({"starts_at": "٢٠٢٦-11-24T09:00:00Z"}, "invalid_value", "/starts_at"),
    ({"starts_at": 1764000000}, "invalid_value", "/starts_at"),
    ({"starts_at": LATER, "ends_at": LONG_AGO}, "schedule_invalid", "/ends_at"),
    ({"starts_at": LATER, "ends_at": LATER}, "schedule_invalid", "/ends_at"),
    ({"ends_at": "never"}, "schedule_invalid", "/ends_at"),
    ({"exam_id": 1}, "invalid_value", "/exam_id"),
]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("fields", "code", "pointer"), EXAMS, ids=shown)
def test_an_exam_that_breaks_a_rule_is_not_created(
    api: Api, fields: dict[str, Any], code: str, pointer: str
) -> None:
    refused(api.post("/exams", {"title": "T"} | fields), 422, code, pointer)


WEIGHTS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"assessment": 19.99}, "weights_invalid", ["/weights"]),
    ({"assessment": 20.01}, "weights_invalid", ["/weights"]),
    ({"coding": 50.001, "quiz": 29.999}, "weights_invalid", ["/weights"]),
    ({"coding": 0, "quiz": 0, "assessment": 0}, "weights_invalid", ["/weights"]),
    ({"coding": -1, "quiz": 81}, "invalid_value", ["/weights/coding"]),
    ({"coding": 150, "quiz": -70}, "invalid_value", ["/weights/coding", "/weights/quiz"]),
    ({"quiz": "30"}, "invalid_value", ["/weights/quiz"]),
    ({"quiz": True}, "invalid_value", ["/weights/quiz"]),
    ({"quiz": 1e400}, "invalid_value", ["/weights/quiz"]),
    ({"quiz": None}, "invalid_value", ["/weights/quiz"]),
    ({"essay": 0}, "invalid_value", ["/weights/essay"]),
]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("change", "code", "pointers"), WEIGHTS, ids=shown)
def test_weights_that_break_a_rule_make_no_exam_and_change_none(
    api: Api, place: Place, change: dict[str, Any], code: str, pointers: list[str]
) -> None:
    weights = {"coding": 50, "quiz": 30, "assessment": 20} | change
    raw = json.dumps({"title": "T", "weights": weights}).replace("Infinity", "1e400")
    refused(api.request("POST", "/exams", raw=raw.encode()), 422, code, *pointers)
    raw = json.dumps({"weights": weights}).replace("Infinity", "1e400")
    answer = api.request("PATCH", f"/exams/{place.exam_id}", raw=raw.encode())
    refused(answer, 422, code, *pointers)
    assert api.get(f"/exams/{place.exam_id}").json["weights"]["coding"] == 50


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"weights": None}, "/weights"),
        ({"weights": {"coding": 50, "quiz": 50}}, "/weights/assessment"),
        ({"titel": "T", "weights": {"coding": 50, "quiz": 30, "assessment": 20}}, "/titel"),
    ],
    ids=shown,
)
def test_a_change_of_an_exam_is_of_its_settings_and_names_all_three_weights(
    api: Api, place: Place, body: object, pointer: str
) -> None:
    answer = api.patch(f"/exams/{place.exam_id}", body)
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"exam_id": NOWHERE}, 404, "exam_not_found", "/exam_id"),
        ({"user_id": NOWHERE}, 404, "user_not_found", "/user_id"),
        ({"exam_id": 0}, 422, "invalid_value", "/exam_id"),
        ({"exam_id": "1"}, 422, "invalid_value", "/exam_id"),
        ({"user_id": -1}, 422, "invalid_value", "/user_id"),
        ({"user_id": 2**64}, 422, "invalid_value", "/user_id"),
        ({"user_id": None}, 422, "invalid_value", "/user_id"),
        ({"status": "finished"}, 422, "status_invalid", "/status"),
    ],
    ids=shown,
)
def test_a_session_that_breaks_a_rule_does_not_start(
    api: Api, place: Place, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    body = {"exam_id": place.exam_id, "user_id": place.user_id} | fields
    refused(api.post("/sessions", body), status, code, pointer)


@pytest.mark.usefixtures("nothing_changes")
def test_another_candidates_session_takes_no_score(api: Api, place: Place) -> None:
    stranger = api.as_user(place.user_id)
    answer = stranger.post("/scores", submission(place.finished_id))
    refused(answer, 404, "session_not_found", "/session_id")


QUERIES: list[tuple[str, dict[str, object], int, str, list[str]]] = [
    ("/leaderboard", {}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": ""}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "x"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": 0}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": -1}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": 2**64}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "1e5"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "1.5"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "+1"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": " 1"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "٣"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "1\n"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "1\0"}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": "9" * 5000}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard", {"exam_id": NOWHERE}, 404, "exam_not_found", ["/exam_id"]),
    ("/leaderboard", {"exam_id": 1, "page": 0}, 422, "page_invalid", ["/page"]),
    ("/leaderboard", {"exam_id": 1, "page": -1}, 422, "page_invalid", ["/page"]),
    ("/leaderboard", {"exam_id": 1, "page": 10**9 + 1}, 422, "page_invalid", ["/page"]),
    ("/leaderboard", {"exam_id": 1, "page": "x"}, 422, "page_invalid", ["/page"]),
    ("/leaderboard", {"exam_id": 1, "per_page": 0}, 422, "per_page_invalid", ["/per_page"]),
    ("/leaderboard", {"exam_id": 1, "per_page": 201}, 422, "per_page_invalid", ["/per_page"]),
    ("/leaderboard", {"exam_id": 1, "per_page": "x"}, 422, "per_page_invalid", ["/per_page"]),
    ("/leaderboard", {"exam_id": 1, "per_page": ""}, 422, "per_page_invalid", ["/per_page"]),
    (
        "/leaderboard",
        {"exam_id": 1, "page": "x", "per_page": "y"},
        422,
        "invalid_value",
        ["/page", "/per_page"],
    ),
    ("/leaderboard/around", {"exam_id": 1}, 422, "invalid_value", ["/user_id"]),
    ("/leaderboard/around", {"user_id": 1}, 422, "invalid_value", ["/exam_id"]),
    (
        "/leaderboard/around",
        {"exam_id": 1, "user_id": 1, "window": 0},
        422,
        "window_invalid",
        ["/window"],
    ),
    (
        "/leaderboard/around",
        {"exam_id": 1, "user_id": 1, "window": 101},
        422,
        "window_invalid",
        ["/window"],
    ),
    ("/leaderboard/entries/1", {}, 422, "invalid_value", ["/exam_id"]),
    ("/leaderboard/entries/1", {"exam_id": "x"}, 422, "invalid_value", ["/exam_id"]),
    ("/exams", {"after": -1}, 422, "invalid_value", ["/after"]),
    ("/exams", {"after": "x"}, 422, "invalid_value", ["/after"]),
    ("/exams", {"limit": 0}, 422, "limit_invalid", ["/limit"]),
    ("/exams", {"limit": 1001}, 422, "limit_invalid", ["/limit"]),
    ("/audit", {}, 422, "invalid_value", ["/exam_id"]),
    ("/audit", {"exam_id": 1, "session_id": "x"}, 422, "invalid_value", ["/session_id"]),
    ("/audit", {"exam_id": 1, "session_id": 0}, 422, "invalid_value", ["/session_id"]),
    ("/audit", {"exam_id": 1, "after": -1}, 422, "invalid_value", ["/after"]),
    ("/audit", {"exam_id": 1, "limit": 1001}, 422, "limit_invalid", ["/limit"]),
]


@pytest.mark.parametrize(("path", "asked", "status", "code", "pointers"), QUERIES, ids=shown)
def test_a_query_that_breaks_a_rule_is_refused(
    api: Api, path: str, asked: dict[str, object], status: int, code: str, pointers: list[str]
) -> None:
    refused(api.get(path, **asked), status, code, *pointers)


@pytest.mark.parametrize("asked", ["exam_id=1&exam_id=2", "exam_id=1&page=1&page=1"])
def test_a_parameter_given_twice_is_refused(api: Api, asked: str) -> None:
    answer = api.request("GET", f"/leaderboard?{asked}")
    assert (answer.status, answer.code) == (422, "invalid_value")


@pytest.mark.parametrize(
    "path",
    ["/exams/{}", "/sessions/{}", "/leaderboard/entries/{}?exam_id=1", "/sessions/{}/finish"],
)
@pytest.mark.parametrize("number", ["0", "9223372036854775808", "9" * 30, "9" * 5000])
def test_an_id_that_cannot_be_is_not_found(api: Api, path: str, number: str) -> None:
    method = "PATCH" if path.endswith("finish") else "GET"
    assert api.request(method, path.format(number)).status == 404


MALFORMED = [
    b"",
    b" ",
    b"{",
    b"nul",
    b"{}{}",
    b"[1,]",
    b"{'a': 1}",
    b'{"a": 01}',
    b'{"a": .5}',
    b'{"a": +1}',
    b'{"a": 0x1}',
    b'{"a": "\n"}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1, "a": 2}',
    b'{"a": {"b": 1, "b": 1}}',
    b'{"a": "\\ud800"}',
    b'{"a": "\\udc00\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\xc0\x80"}',
    '{"a": "é"}'.encode("latin-1"),
    '{"a": 1}'.encode("utf-16"),
    '{"a": 1}'.encode("utf-32-be"),
    b"\xef\xbb\xbf{}",
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a":' * 91 + b"1" + b"}" * 91,
    b"[" * 100000,
    b"[" * 100000 + b"]" * 100000,
    b'{"a":' * 100000,
    b"\x00",
    b'{"a": 1}\x00',
    b"\x1f\x8b\x08\x00",
]
POSTS = ["/users", "/exams", "/sessions", "/scores", "/scores/batch", "/leaderboard/recalculate"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("raw", MALFORMED, ids=shown)
def test_what_is_not_json_is_refused(api: Api, raw: bytes) -> None:
    for path in POSTS:
        refused(api.request("POST", path, raw=raw), 400, "malformed_json")


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("body", [None, True, 1, "text", [], [{}]], ids=shown)
def test_what_is_no_object_is_refused(api: Api, body: object) -> None:
    for path in POSTS:
        answer = api.request("POST", path, raw=json.dumps(body).encode())
        refused(answer, 422, "invalid_value", "")


def test_details_may_be_as_deep_as_mysql_holds(api: Api, place: Place) -> None:
    item = json.dumps(submission(place.session_id, details=0)).encode()
    for levels, status in ((89, 200), (90, 400)):
        details = b'{"a":' * levels + b"1" + b"}" * levels
        raw = item.replace(b'"details": 0', b'"details": ' + details)
        assert api.request("POST", "/scores", raw=raw).status == status


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    + ["application/jsonx", "application/problem+json", "application/json-patch+json"],
)
def test_another_media_type_is_refused(api: Api, place: Place, media_type: str) -> None:
    raw = json.dumps(submission(place.session_id)).encode()
    for path in POSTS:
        answer = api.request("POST", path, raw=raw, headers={"Content-Type": media_type})
        refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"]
)
def test_the_media_type_may_carry_parameters(api: Api, place: Place, media_type: str) -> None:
    raw = json.dumps(submission(place.session_id)).encode()
    answer = api.request("POST", "/scores", raw=raw, headers={"Content-Type": media_type})
    assert answer.status == 200


@pytest.mark.usefixtures("nothing_changes")
def test_a_client_that_is_still_sending_gets_its_answer(api: Api) -> None:
    raw = b" " * (3 * 1024 * 1024 // 2)
    # Often, since it is a race: unread bodies cost one answer in ten.
    for _ in range(25):
        assert api.request("POST", "/scores", raw=raw).status == 413
        assert api.with_token("").request("POST", "/scores", raw=raw).status == 401
        assert api.request("POST", "/nowhere", raw=raw).status == 404
        other = {"Content-Type": "text/plain"}
        assert api.request("POST", "/scores", raw=raw, headers=other).status == 415


@pytest.mark.usefixtures("nothing_changes")
def test_a_body_over_the_limit_is_refused(api: Api, place: Place) -> None:
    raw = json.dumps(submission(place.session_id)).encode().ljust(1024 * 1024 + 1)
    for path in POSTS:
        refused(api.request("POST", path, raw=raw), 413, "payload_too_large")


def test_a_body_at_the_limit_is_taken(api: Api, place: Place) -> None:
    raw = json.dumps(submission(place.session_id)).encode().ljust(1024 * 1024)
    assert api.request("POST", "/scores", raw=raw).status == 200


def chunked(body: bytes, size: int) -> bytes:
    """Cut a body into the chunks of HTTP/1.1."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("size", [7, 65536])
def test_a_body_in_chunks_is_refused(api: Api, place: Place, size: int) -> None:
    body = json.dumps(submission(place.session_id)).encode()
    head = api.head("POST", "/scores", Content_Type="application/json", Transfer_Encoding="chunked")
    answer = api.exchange(head + chunked(body, size))
    refused(answer, 400, "malformed_request")
    assert "Content-Length" in answer.json["detail"]
    # However long, and whatever its end.
    long = chunked(body.ljust(1024 * 1024 + 1), 65536)
    refused(api.exchange(head + long), 400, "malformed_request")


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("missing", [1, 2, 50])
def test_a_body_cut_off_by_the_client_changes_nothing(api: Api, place: Place, missing: int) -> None:
    body = json.dumps(submission(place.session_id)).encode() + b" "
    head = api.head(
        "POST", "/scores", Content_Type="application/json", Content_Length=str(len(body))
    )
    assert api.exchange(head + body[:-missing], half_close=True).status in (0, 400)


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("missing", ["bytes", "the end of the chunk", "the last chunk"])
def test_chunks_cut_off_by_the_client_change_nothing(api: Api, place: Place, missing: str) -> None:
    # All of the JSON is there: a server tells the application of no end that did not come.
    body = json.dumps(submission(place.session_id)).encode()
    announced = len(body) + 400 * (missing == "bytes")
    end = b"\r\n" if missing == "the last chunk" else b""
    head = api.head("POST", "/scores", Content_Type="application/json", Transfer_Encoding="chunked")
    sent = b"%x\r\n%b%b" % (announced, body, end)
    assert api.exchange(head + sent, half_close=True).status in (0, 400)


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("//board", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("//board", "*/*", False),
        ("//board", "application/json", False),
        ("/board", "text/html", False),
    ],
)
def test_an_address_without_anything_is_a_page_for_browsers_alone(
    api: Api, path: str, accept: str, page: bool
) -> None:
    answer = api.request("GET", path, headers={"Accept": accept})
    assert answer.status == 404
    is_page = answer.headers["Content-Type"].startswith("text/html")
    assert is_page is page
    if not is_page:
        assert answer.code == "route_not_found"
