"""The OpenAPI document holds together with the routes, the schemas and the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.routing import Rule

from gateway import create_app, openapi
from gateway.api import PREFIX
from gateway.config import Config
from tests.client import Answer, Api
from tests.factories import make_exam, make_session, make_user, submission

DOCUMENT = openapi.document()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def assert_described(answer: Answer, path: str, method: str) -> None:
    """Hold an answer against what the document says of its call and status."""
    response = DOCUMENT["paths"][path][method.lower()]["responses"][str(answer.status)]
    [(media_type, content)] = response["content"].items()
    assert answer.headers["Content-Type"] == media_type
    schema = content["schema"] | {"components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json)


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    app = create_app(Config(mysql_url="mysql://nobody@127.0.0.1:1/", jwt_secret="s" * 32))

    def described(rule: Rule) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)

    routes = {
        (described(rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(PREFIX)
    }
    assert routes == {(path, method) for path, method, _ in operations()}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_the_document_is_served_to_everybody(api: Api) -> None:
    answer = api.with_token("").get("//openapi.json")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")


def test_answers_are_as_described(api: Api) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    calls: list[tuple[str, str, object, dict[str, object]]] = [
        ("/exams", "GET", None, {}),
        ("/exams/{exam_id}", "GET", None, {}),
        ("/exams", "POST", {"title": "x", "weights": {}}, {}),
        ("/sessions", "POST", {"exam_id": exam_id, "user_id": user_id}, {}),
        ("/scores", "POST", submission(session_id, details={"a": [1]}), {}),
        ("/scores", "POST", submission(session_id, expected_version=7), {}),
        ("/scores/batch", "POST", {"submissions": [submission(session_id), 1]}, {}),
        ("/sessions/{session_id}", "GET", None, {}),
        ("/sessions/{session_id}/finish", "PATCH", None, {}),
        ("/leaderboard", "GET", None, {"exam_id": exam_id}),
        ("/leaderboard", "GET", None, {"exam_id": exam_id, "page": 0}),
        ("/leaderboard/around", "GET", None, {"exam_id": exam_id, "user_id": user_id}),
        ("/leaderboard/entries/{user_id}", "GET", None, {"exam_id": exam_id}),
        ("/leaderboard/recalculate", "POST", {"exam_id": exam_id}, {}),
        ("/exams/{exam_id}", "PATCH", {"weights": {"coding": 1, "quiz": 1, "assessment": 98}}, {}),
        ("/audit", "GET", None, {"exam_id": exam_id}),
        ("/audit", "GET", None, {"exam_id": 10**12}),
    ]
    ids = {"exam_id": exam_id, "user_id": user_id, "session_id": session_id}
    for path, method, body, query in calls:
        answer = api.request(method, path.format(**ids), body, query=query)
        assert_described(answer, PREFIX + path, method)
