"""/healthz, /readyz and what lies nowhere. When MySQL is away: test_db.py."""

from __future__ import annotations

import pytest

from tests.client import Api


@pytest.mark.parametrize(("path", "status"), [("//healthz", "ok"), ("//readyz", "ready")])
def test_a_healthy_gateway_says_so_to_everybody(api: Api, path: str, status: str) -> None:
    answer = api.with_token("").get(path)
    assert (answer.status, answer.json) == (200, {"status": status})


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/sessions/",
        "/exams/-1",
        "/exams/1e5",
        "/exams/x",
        "//api/v2/exams",
        "//api/v1//exams",
    ],
)
def test_what_lies_nowhere_is_a_problem_document(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.code) == (404, "route_not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/users", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/exams/1", "GET, HEAD, OPTIONS, PATCH"),
        ("PUT", "/scores", "OPTIONS, POST"),
        ("TRACE", "/leaderboard", "GET, HEAD, OPTIONS"),
        ("POST", "//healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_an_address_does_not_take_is_405(
    api: Api, method: str, path: str, allowed: str
) -> None:
    answer = api.request(method, path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed


def test_head_is_get_without_the_body(api: Api) -> None:
    answer = api.request("HEAD", "//healthz")
    assert (answer.status, answer.text) == (200, b"")
