"""Every example of the OpenAPI document, sent as written to a real gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from prometheus_client import CONTENT_TYPE_LATEST

from gateway import openapi
from gateway.config import MysqlUrl
from gateway.pages import MEDIA_TYPES
from gateway.streams import MEDIA_TYPE as STREAM_TYPE
from tests.client import Api, token
from tests.factories import make_exam, make_session, make_user, submission, unique_name
from tests.faults.proxy import Proxy

DOCUMENT = openapi.document()
COMPONENTS = DOCUMENT["components"]
# Whose answers are files, which stand for themselves, or the document itself.
FILES = {"docs", "live_board", "openapi"}
# The tag of a file changes with the file.
UNSEEN = ("static_file", "304")
# That a body does not come in time, no request that is written down can show:
# tests/test_slow_clients.py.
SLOW = "408"

# What is not the same in each run: times, how long a limit lasts, how many streams a gateway takes,
# and what it has counted.
CHANGES = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|(?<=lifted in )\d+|\d+(?= streams open)"
    r"|(?<=\w )\d+\.\d+$|(?<=\d-)[0-9a-f]{16}",
    re.MULTILINE,
)
# An id in words: "session 1 does not belong to user 3", or "user:2".
SPOKEN_ID = re.compile(r"\b(exam|user|session)([ :])(\d+)\b")
# What a field is the id of; of next_after each list has its own.
KINDS = {"exam_id": "exam", "user_id": "user", "actor_id": "user", "session_id": "session"}
KINDS |= {"audit_id": "audit"}
NEXT = {"list_exams": "exam", "list_sessions": "session", "get_audit_trail": "audit"}
NOTHING = 999_999_999_999


@dataclass(frozen=True)
class Case:
    """An example of an answer, and where it stands."""

    path: str
    method: str
    operation: dict[str, Any]
    status: str
    name: str
    example: dict[str, Any]
    headers: dict[str, str]

    @property
    def id(self) -> str:
        return f"{self.operation['operationId']}-{self.name}"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def examples_of(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the examples of an answer: those of its body, or, without one, of its headers."""
    headers = response.get("headers", {}).values()
    found: dict[str, dict[str, Any]] = {}
    for holder in [*headers, *response.get("content", {}).values()]:
        found |= holder.get("examples", {})
    return {
        name: COMPONENTS["examples"][example["$ref"].rpartition("/")[2]]
        if "$ref" in example
        else example
        for name, example in found.items()
    }


def cases() -> Iterator[Case]:
    for path, method, operation in operations():
        for status, response in operation["responses"].items():
            for name, example in examples_of(response).items():
                headers = {
                    header: described["examples"][name]["value"]
                    for header, described in response.get("headers", {}).items()
                    if name in described.get("examples", {})
                }
                yield Case(path, method, operation, status, name, example, headers)


CASES = list(cases())


class World:
    """The moment that the examples are of, and what stands here for its ids and names."""

    def __init__(self, api: Api) -> None:
        self.names = {
            name: unique_name()
            for name in (
                *("alice", "bob", "carol", "dave", "erin"),
                *("alice-coding-1", "alice-assessment-1", "bob-quiz-1"),
                *("backend-1", "frontend-1", "carol-1"),
            )
        }
        people = [("alice", "Alice Chen"), ("bob", "Bob Novak"), ("carol", "Carol Diaz")]
        people += [("dave", "Dave Osei")]
        users = [make_user(api, "admin")] + [
            make_user(api, username=self.names[name], full_name=full) for name, full in people
        ]
        body = {
            "title": "Backend Challenge 2026",
            "duration_sec": 10800,
            "submissions_by": "candidates",
        }
        # By the administrator, whose key it is.
        admin = api.as_user(users[0], "admin")
        exam = admin.post("/exams", body, Idempotency_Key=self.names["backend-1"]).json["exam_id"]
        sessions = [make_session(api, exam, users[at]) for at in (1, 2, 4)]
        assert api.patch(f"/sessions/{sessions[2]}/finish").status == 200
        self.ids = {
            "user": dict(enumerate(users, 1)),
            "exam": {1: exam},
            # What the list of exams goes on behind, so that ours is the first.
            "behind": {0: exam - 1},
            "session": dict(enumerate(sessions, 1)),
            "audit": {},
        }
        details = {"test_cases_total": 20, "test_cases_passed": 17}
        first = submission(sessions[0], details=details, submission_id=self.names["alice-coding-1"])
        second = submission(sessions[1], raw_score=70, time_spent_sec=1800)
        third = submission(sessions[0], module_type="quiz", raw_score=90, time_spent_sec=900)
        for user, body in ((users[1], first), (users[2], second), (users[1], third)):
            assert api.as_user(user).post("/scores", body).status == 200

    def here(self, value: Any, kinds: dict[str, str], kind: str = "") -> Any:
        """Turn what an example sends into what is sent here."""
        if isinstance(value, dict):
            return {key: self.here(item, kinds, kinds.get(key, "")) for key, item in value.items()}
        if isinstance(value, list):
            return [self.here(item, kinds) for item in value]
        if isinstance(value, str):
            return self.names.get(value, value)
        return self.ids.get(kind, {}).get(value, value)

    def there(self, value: Any, kinds: dict[str, str], key: str = "") -> Any:
        """Turn what was answered here into what an example shows; what changes becomes a dash."""
        if isinstance(value, dict):
            return {name: self.there(item, kinds, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.there(item, kinds) for item in value]
        if isinstance(value, str):
            for name, own in self.names.items():
                # Whole: one may be the beginning of another.
                value = re.sub(rf"{own}\b", name, value)
            spoken = SPOKEN_ID.sub(
                lambda found: f"{found[1]}{found[2]}{self._written(int(found[3]), found[1])}", value
            )
            return unchanging(spoken, key)
        return self._written(value, kinds.get(key, ""))

    def _written(self, number: Any, kind: str) -> Any:
        """Return the number that the examples have for an id; a new one has the next."""
        known = self.ids.get(kind)
        if known is None or number in (None, NOTHING):
            return number
        places = {own: written for written, own in known.items()}
        if number not in places:
            places[number] = max(known, default=0) + 1
            known[places[number]] = number
        return places[number]


def unchanging(value: Any, key: str = "") -> Any:
    """Return a value with a dash for all in it that is not the same in each run."""
    if isinstance(value, dict):
        return {name: unchanging(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [unchanging(item) for item in value]
    if not isinstance(value, str):
        return value
    return "-" if key == "request_id" else CHANGES.sub("-", value)


@pytest.fixture(scope="module")
def broken(gateway_mysql_url: str, start_api: Callable[..., Api]) -> Iterator[Api]:
    """Start a gateway and take its MySQL away."""
    with Proxy(MysqlUrl.parse(gateway_mysql_url).port) as proxy:
        account = urlsplit(gateway_mysql_url).netloc.rpartition(":")[0]
        gateway = start_api("gateway-broken", mysql_url=f"mysql://{account}:{proxy.port}/podium")
        proxy.cut()
        yield gateway


@pytest.fixture(scope="module")
def limited(start_api: Callable[..., Api], api: Api) -> tuple[Api, World]:
    """Start a gateway with limits, and let alice use up hers."""
    gateway = start_api("gateway-limited", PODIUM_RATE_LIMIT_CANDIDATE="600 per year")
    world = World(api)
    alice = gateway.as_user(world.ids["user"][2])
    while alice.get("/exams", limit=1).status == 200:
        pass
    return gateway, world


@pytest.fixture(scope="module")
def full(start_api: Callable[..., Api], api: Api) -> Iterator[Api]:
    """Start a gateway whose one place for a stream is taken."""
    gateway = start_api("gateway-full", PODIUM_MAX_STREAMS="1")
    path = f"/api/v1/leaderboard/stream?exam_id={make_exam(api)}"
    with opened(gateway, "GET", path) as taken:
        assert taken.status == 200
        yield gateway


@contextmanager
def opened(
    api: Api, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Iterator[Any]:
    """Send a request, and leave its answer open: a stream does not end by itself."""
    bearer = api.bearer if api.bearer is not None else token(api.secret, api.user_id, api.role)
    sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    if body:
        sent["Content-Type"] = "application/json"
    response = api.pool.request(
        method,
        api.url + path,
        headers=sent | (headers or {}),
        body=body or None,
        preload_content=False,
    )
    try:
        yield response
    finally:
        response.close()


def request_of(case: Case) -> dict[str, Any]:
    """Put together what an example of an answer is the answer to."""
    operation, change = case.operation, case.example.get("x-request")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    parts = [(parameter["in"], parameter) for parameter in operation.get("parameters", [])]
    parts += [("body", body)] if body else []
    # The first of them all: the one a change goes on, and the one that shared refusals are of.
    first = next((name for _, part in parts for name in part.get("examples", {})), None)
    name = case.name if change is None else first
    request: dict[str, Any] = {"path": {}, "query": {}, "header": {}, "body": None}
    for place, part in parts:
        if name in part.get("examples", {}):
            value = part["examples"][name]["value"]
            if place == "body":
                request["body"] = value
            else:
                request[place][part["name"]] = value
    for place, values in (change or {}).items():
        place = {"headers": "header"}.get(place, place)
        request[place] = request[place] | values if isinstance(values, dict) else values
    return request


def send(api: Api, world: World, case: Case) -> tuple[int, Any, str]:
    """Send the request of an example and return status, headers and text of the answer."""
    # The history is an exam's own: all of it is behind 0.
    kinds = KINDS | ({"after": "behind"} if case.operation["operationId"] == "list_exams" else {})
    request = world.here(request_of(case), kinds)
    caller = case.example["x-caller"]
    if caller is None:
        api = api.with_token("")
    else:
        api = api.as_user(world.ids["user"][int(caller["sub"])], caller["role"])
    path = case.path.format(**request["path"])
    if request["query"]:
        path += "?" + urlencode(request["query"])
    headers = {name: str(value) for name, value in request["header"].items()}
    text = "" if request["body"] is None else json.dumps(request["body"])
    text = request.get("text", text) + " " * request.get("padding", 0)
    with opened(api, case.method, path, headers, text.encode()) as response:
        if response.status == 200 and response.headers["Content-Type"] == STREAM_TYPE:
            # What is said at once: how long to wait, and the first event.
            lines = [response.readline().decode().rstrip("\n") for _ in range(6)]
            assert lines[:2] == ["retry: 2000", ""]
            event = dict(line.split(": ", 1) for line in lines[2:5])
            return response.status, response.headers, json.dumps(event)
        return response.status, response.headers, response.read().decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_example_is_what_a_gateway_answers(
    api: Api, case: Case, request: pytest.FixtureRequest
) -> None:
    gateway, world = api, None
    if case.name in ("database_unavailable", "too_many_streams"):
        gateway = request.getfixturevalue("broken" if case.name[0] == "d" else "full")
    if case.name == "rate_limited":
        gateway, world = request.getfixturevalue("limited")
    world = world or World(api)
    status, headers, text = send(gateway, world, case)
    assert str(status) == case.status, text
    described = case.operation["responses"][case.status]
    if "content" not in described:
        assert text == ""
    else:
        compare(case, world, headers["Content-Type"], text)
    for name, header in described.get("headers", {}).items():
        assert name in headers
        value = headers[name]
        assert_valid(value if header["schema"] == openapi.TEXT else int(value), header["schema"])
    assert unchanging({name: headers[name] for name in case.headers}) == unchanging(case.headers)


def compare(case: Case, world: World, media_type: str, text: str) -> None:
    """Hold a body against its schema and against the example."""
    content = case.operation["responses"][case.status]["content"]
    assert media_type in content
    expected = deepcopy(case.example["value"])
    kinds = KINDS | {"next_after": NEXT.get(case.operation["operationId"], "")}
    if media_type == STREAM_TYPE:
        event = json.loads(text)
        for value in (event, expected):
            assert_valid(value, content[media_type]["schema"])
            value["data"] = json.loads(value["data"])
            assert_valid(value["data"], COMPONENTS["schemas"]["BoardEvent"])
        assert world.there(event, kinds) == unchanging(expected)
    elif media_type == CONTENT_TYPE_LATEST:
        # An excerpt.
        assert set(unchanging(expected).splitlines()) <= set(unchanging(text).splitlines())
    elif media_type == MEDIA_TYPES[".svg"]:
        assert text == expected
    else:
        said = json.loads(text)
        for value in (said, expected):
            assert_valid(value, content[media_type]["schema"])
        assert world.there(said, kinds) == unchanging(expected)


def assert_valid(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator(
        schema | {"components": COMPONENTS}, format_checker=FormatChecker()
    ).validate(value)


def test_every_answer_has_an_example() -> None:
    without = [
        (operation["operationId"], status)
        for _, _, operation in operations()
        if operation["operationId"] not in FILES
        for status, response in operation["responses"].items()
        if not examples_of(response)
        and status != SLOW
        and (operation["operationId"], status) != UNSEEN
    ]
    assert without == []


def test_every_example_of_a_request_has_an_answer_and_obeys_its_schema() -> None:
    answered = {(case.operation["operationId"], case.name) for case in CASES}
    for _, _, operation in operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for part in [*operation.get("parameters", []), body]:
            for name, example in part.get("examples", {}).items():
                assert (operation["operationId"], name) in answered
                assert_valid(example["value"], part["schema"])
            optional = part.get("in") == "header" and operation["operationId"] in FILES
            assert not part or optional or part.get("examples"), part
