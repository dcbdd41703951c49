"""The OpenAPI document holds together with the routes and the schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from gateway import create_app, openapi
from gateway.api import PREFIX
from gateway.config import Config
from tests.client import Api
from tests.test_http_auth import ACCESS

DOCUMENT = openapi.document()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    app = create_app(Config(mysql_url="mysql://nobody@127.0.0.1:1/", jwt_secret="s" * 32))
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, method, _ in operations()}


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("path, method, operation", list(operations()))
def test_every_status_that_a_kind_of_call_can_have_is_described(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    call = f"{method} {re.sub('{.*?}', '<id>', path.removeprefix(PREFIX))}"
    # Besides what the call itself decides, which its examples and random requests find out.
    statuses: set[int] = set()
    if path.startswith(PREFIX):
        statuses |= {429, 503, *ACCESS[call][1]}
    elif call == "GET /metrics":
        statuses |= {401, 403, 429}
    else:
        assert operation["security"] == []
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        statuses.add(422)
    if "{" in path:
        statuses.add(404)
    assert {str(status) for status in statuses} <= set(operation["responses"])


LARGEST = 2**63 - 1


@pytest.mark.parametrize("exam_id", [10**18, 2 * 10**18 - 1, LARGEST - 1, LARGEST])
def test_the_largest_ids_that_are_described_are_ids(api: Api, exam_id: int) -> None:
    for answer in (api.get(f"/exams/{exam_id}"), api.get("/leaderboard", exam_id=exam_id)):
        assert (answer.status, answer.code) == (404, "exam_not_found")
    assert api.get("/exams", after=exam_id).json == {"exams": [], "next_after": None}


@pytest.mark.parametrize("exam_id", [LARGEST + 1, 9_300_000_000_000_000_000, 10**19])
def test_what_is_no_id_lies_nowhere_for_every_method(api: Api, exam_id: int) -> None:
    for method in ("GET", "PATCH"):
        answer = api.request(method, f"/exams/{exam_id}")
        assert (answer.status, answer.code) == (404, "route_not_found")
    assert api.get("/leaderboard", exam_id=exam_id).status == 422


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_the_document_is_one_of_openapi_3_1() -> None:
    schemathesis.openapi.from_dict(openapi.document()).validate()


def test_the_document_is_served_to_everybody(api: Api) -> None:
    answer = api.with_token("").get("//openapi.json")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")
