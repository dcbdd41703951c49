"""Pages of the origins that are listed may read our answers; of no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.config import Config, ConfigError
from tests.client import Answer, Api
from tests.conftest import SECRET
from tests.factories import make_exam

LISTED, OTHER = "https://exam.example.org", "http://localhost:3000"


@pytest.fixture(scope="module")
def listing(start_api: Callable[..., Api]) -> Api:
    """Return a gateway with two origins on its list."""
    return start_api("gateway-cors", PODIUM_CORS_ORIGINS=f"{LISTED}, {OTHER}")


def ask(api: Api, path: str, origin: str | None, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.request(method, path, headers=named | ({} if origin is None else {"Origin": origin}))


def told(answer: Answer) -> set[str]:
    """Return which headers of the protocol an answer has."""
    return {name.lower() for name in answer.headers if name.lower().startswith("access-control-")}


def members(answer: Answer, name: str) -> set[str]:
    return {part.strip().lower() for part in answer.headers.get(name, "").split(",")}


@pytest.mark.parametrize("origin", [LISTED, OTHER])
def test_a_listed_origin_may_read_answers_and_their_headers(listing: Api, origin: str) -> None:
    exam_id = make_exam(listing)
    answer = ask(listing, f"/leaderboard?exam_id={exam_id}", origin)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert {"etag", "retry-after", "x-request-id"} <= members(
        answer, "Access-Control-Expose-Headers"
    )
    assert {"origin", "authorization"} <= members(answer, "Vary")
    # The browser would else send what it keeps for us, and let the page read the answer.
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_errors_may_be_read_too(listing: Api) -> None:
    for answer, status in [
        (ask(listing.with_token(""), "/exams", LISTED), 401),
        (ask(listing, "/exams/999999999", LISTED), 404),
        (ask(listing, "/nowhere", LISTED), 404),
        (ask(listing, "/exams", LISTED, "DELETE"), 405),
    ]:
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "GET"])
def test_a_preflight_needs_no_token_and_allows_what_clients_send(listing: Api, method: str) -> None:
    answer = ask(
        listing.with_token(""),
        "/scores",
        LISTED,
        "OPTIONS",
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers="authorization,content-type,idempotency-key",
    )
    assert (answer.status, answer.text) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert method.lower() in members(answer, "Access-Control-Allow-Methods")
    assert {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-none-match",
        "last-event-id",
    } <= members(answer, "Access-Control-Allow-Headers")
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "origin" in members(answer, "Vary")


@pytest.mark.parametrize(
    "origin",
    [
        "https://exam.example.org.evil.example",
        "https://evil-exam.example.org",
        "http://exam.example.org",
        "https://exam.example.org:8443",
        "https://EXAM.example.org",
        "https://exam.example.org/",
        "null",
        "*",
        "",
        None,
    ],
)
def test_others_are_told_nothing(listing: Api, origin: str | None) -> None:
    for answer in [
        ask(listing, "/exams", origin),
        ask(listing, "/exams", origin, "OPTIONS", Access_Control_Request_Method="GET"),
    ]:
        assert answer.status == 200
        assert told(answer) == set()
        # Or a cache would give this answer to a page that may read it.
        assert "origin" in members(answer, "Vary")


def test_nobody_is_told_anything_unless_configured(api: Api) -> None:
    for method in ("GET", "OPTIONS"):
        answer = ask(api, "/exams", LISTED, method, Access_Control_Request_Method="GET")
        assert told(answer) == set()
        assert "origin" not in members(answer, "Vary")


REQUIRED = {"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET": SECRET}


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "https://*.example.org",
        "null",
        "exam.example.org",
        "https://exam.example.org/",
        "https://exam.example.org/app",
        "https://exam.example.org:443",
        "http://localhost:80",
        "https://Exam.example.org",
        "https://user@exam.example.org",
        "https://exam.example.org?x",
        "ftp://exam.example.org",
        "https://",
        "https://exam.example.org:x",
        "https://exam.example.org https://two.example.org",
        "https://prüfung.example.org",
    ],
)
def test_what_no_browser_sends_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigError, match="PODIUM_CORS_ORIGINS must be origins as browsers write"):
        Config.from_environ(REQUIRED | {"PODIUM_CORS_ORIGINS": f"{LISTED},{text}"})


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        (LISTED, (LISTED,)),
        (f" {LISTED} ,{OTHER}, ", (LISTED, OTHER)),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
        ("https://xn--prfung-bya.example.org", ("https://xn--prfung-bya.example.org",)),
    ],
)
def test_origins_are_read_one_by_one(text: str, origins: tuple[str, ...]) -> None:
    assert Config.from_environ(REQUIRED | {"PODIUM_CORS_ORIGINS": text}).cors_origins == origins
