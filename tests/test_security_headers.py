"""What every answer carries for browsers and caches, and what no answer tells of our insides."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from flask import Flask

from gateway import create_app
from gateway.config import Config
from tests.client import Answer, Api, token
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, submission

# What our insides look like: a stack, a statement, an account, a file, a server.
INSIDES = re.compile(
    r"Traceback|File \"|mysql|redis|podium_|SELECT |INSERT |UPDATE |CALL |\bSQL|errno"
    r"|/gateway|/usr|/home|/tmp|/root|\.py\b|site-packages|werkzeug|flask|granian|jsonschema"
    r"|127\.0\.0\.1|localhost",
    re.IGNORECASE,
)

# Written out: a header that is missing from the product is missing from what it says of itself too.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

CALLS: dict[str, Callable[[Api], Answer]] = {
    "200": lambda api: api.get("/exams"),
    "200, health": lambda api: api.with_token("").get("//healthz"),
    "200, openapi": lambda api: api.with_token("").get("//openapi.json"),
    "200, options": lambda api: api.with_token("").request("OPTIONS", "/exams"),
    "200, head": lambda api: api.request("HEAD", "/exams"),
    "201": lambda api: api.post("/exams", {"title": "T"}),
    "400": lambda api: api.request("POST", "/exams", raw=b'{"title": '),
    "400, encoding": lambda api: api.request("POST", "/exams", raw=b'{"title": "\xff"}'),
    "401": lambda api: api.with_token("").get("/exams"),
    "401, invalid": lambda api: api.with_token("x.y.z").get("/exams"),
    "403": lambda api: api.as_user(1).post("/exams", {"title": "T"}),
    "404": lambda api: api.get("/exams/999999999999"),
    "404, nowhere": lambda api: api.get("//nothing"),
    "404, hostile": lambda api: api.get("//..%2f..%2fetc%2fpasswd"),
    "405": lambda api: api.request("DELETE", "/exams"),
    "409": lambda api: api.post("/scores", submission(_session(api), expected_version=7)),
    "413": lambda api: api.request("POST", "/exams", raw=b" " * 2_000_000),
    "415": lambda api: api.request(
        "POST", "/exams", raw=b"{}", headers={"Content-Type": "text/plain"}
    ),
    "422": lambda api: api.post("/scores", {"module_type": "'; DROP TABLE users"}),
    "422, query": lambda api: api.get("/leaderboard", exam_id="1 OR 1=1"),
}


def _session(api: Api) -> int:
    return make_session(api, make_exam(api))


def assert_default_headers(answer: Answer) -> None:
    """Assert that an answer carries the headers that all have, each once."""
    found = {name: answer.headers.getlist(name) for name in HEADERS}
    assert found == {name: [value] for name, value in HEADERS.items()}
    # A name without a version.
    assert not re.search(r"\d", answer.headers.get("Server", ""))
    assert "X-Powered-By" not in answer.headers


def assert_tells_nothing(answer: Answer, *known: str) -> None:
    """Assert that neither body nor headers tell of our insides, beyond what is known."""
    text = answer.text.decode()
    for word in known:
        text = text.replace(word, "")
    assert INSIDES.search(text) is None, text
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "server"}
    assert INSIDES.search(str(headers)) is None, headers


@pytest.mark.parametrize("name", CALLS)
def test_every_answer_carries_the_headers(api: Api, name: str) -> None:
    answer = CALLS[name](api)
    assert answer.status == int(name[:3]), answer.text
    assert_default_headers(answer)


@pytest.mark.parametrize("name", [name for name in CALLS if name[0] == "4"])
def test_no_error_tells_of_our_insides(api: Api, name: str) -> None:
    # What a client sent comes back to him.
    assert_tells_nothing(CALLS[name](api), "DROP TABLE users", "OR 1=1", "/../etc/passwd")


def test_a_page_of_a_board_keeps_its_own_cache_control(api: Api) -> None:
    exam_id = make_exam(api)
    page = api.get("/leaderboard", exam_id=exam_id)
    known = {"If-None-Match": page.headers["ETag"]}
    again = api.request("GET", "/leaderboard", query={"exam_id": exam_id}, headers=known)
    assert (page.status, again.status) == (200, 304)
    for answer in (page, again):
        assert answer.headers.getlist("Cache-Control") == ["private, no-cache"]
        assert answer.headers["Vary"] == "Authorization"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def without_mysql() -> Iterator[Flask]:
    """Make an application whose MySQL does not listen."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"mysql://podium_app:hidden@127.0.0.1:{silent.getsockname()[1]}/podium"
        yield create_app(Config(mysql_url=url, jwt_secret=SECRET))


def answer_of(app: Flask, path: str) -> Answer:
    """Ask an application without a server for an exam."""
    bearer = token(SECRET, 7, "admin")
    response = app.test_client().get(path, headers={"Authorization": f"Bearer {bearer}"})
    return Answer(response.status_code, response.headers, response.data)


def test_503_tells_nothing_of_our_insides(without_mysql: Flask) -> None:
    for path in ("/api/v1/exams", "/readyz"):
        answer = answer_of(without_mysql, path)
        assert (answer.status, answer.code) == (503, "database_unavailable")
        assert_tells_nothing(answer)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Cache-Control"] == "no-store"


def test_500_tells_nothing_of_our_insides(without_mysql: Flask) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("SELECT secret FROM /gateway/db.py")

    without_mysql.view_functions["exams.list_exams"] = fail
    answer = answer_of(without_mysql, "/api/v1/exams")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert_tells_nothing(answer)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
