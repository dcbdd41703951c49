"""Hostile requests to every call of the contract: never a 5xx, never half a write, never a leak.

By default the same requests in every run. PODIUM_FUZZ_SECONDS=300 makes a long run of other ones
each time; the seed is printed, and PODIUM_FUZZ_SEED repeats it. pytest --log-cli-level=INFO tells
what was sent and answered.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.errors import MEDIA_TYPE, catalog
from tests.client import PREFIX, STAFF_ID, Answer, Api
from tests.conftest import TEST_HOME
from tests.factories import make_exam, make_session, make_user
from tests.fuzz.http_requests import CALLS, Ground, Request, make_request
from tests.fuzz.run import SECONDS, SEED, resident_bytes, rounds, sick_boards

LOG = logging.getLogger(__name__)
INPUTS = 600
# By then every path has run and every thread of the gateway has its connection.
WARM = 300
# Methods whose requests are not counted before and after.
READING = {"GET", "HEAD", "OPTIONS"}
GROWTH_BYTES = 24 * 1024 * 1024
# What the HTTP server answers by itself, without a body, before the application is asked.
SERVERS_OWN = {400, 414, 431}
# What no answer may tell: where the code lies, what it is written in, what is asked of MySQL.
INTERNALS = re.compile(
    rb"Traceback|\.py\b|/site-packages|CALL podium|SELECT |INSERT |mysql|SQLSTATE|Exception",
    re.IGNORECASE,
)
REVISIONS = "SELECT exam_id, revision FROM podium.leaderboards WHERE revision > 0"


@pytest.fixture(scope="module")
def target(start_api: Callable[..., Api]) -> Api:
    """Start a gateway that nobody else talks to, so that its memory is the fuzzer's."""
    return start_api("gateway-fuzz")


@pytest.fixture(scope="module")
def ground(target: Api) -> Ground:
    """Make exams, candidates and sessions for the requests to name."""
    exams = [make_exam(target, max_attempts=attempts) for attempts in (1, 1, 3)]
    users = [make_user(target) for _ in range(8)]
    sessions = [make_session(target, exam, user) for exam in exams for user in users[:6]]
    return Ground(target.secret, exams, sessions, users, STAFF_ID)


def test_every_call_of_the_contract_is_among_those_that_are_fuzzed(target: Api) -> None:
    paths = target.request("GET", "//openapi.json").json["paths"]
    described = {
        (method.upper(), path.removeprefix(PREFIX))
        for path, methods in paths.items()
        if path.startswith(PREFIX)
        for method in methods
        if method != "parameters"
    }
    assert {(call.method, call.path) for call in CALLS} == described


@pytest.mark.timeout(120 + int(SECONDS or 0))
def test_hostile_requests_are_refused_in_good_order(
    admin: Any,
    target: Api,
    ground: Ground,
    row_counts: Callable[[], dict[str, int]],
) -> None:
    answers: Counter[str] = Counter()
    sick = sick_boards(admin)
    counts = row_counts()
    pid = int((TEST_HOME / "run" / "gateway-fuzz.pid").read_text())
    began, sizes, number = time.monotonic(), [0], 0
    for number, rng in rounds(INPUTS):
        request = make_request(ground, rng)
        answer = exchange(target, request)
        answers[f"{answer.status} {code_of(answer) or ''}"] += 1
        fault = fault_of(request, answer)
        if request.method not in READING:
            before, counts = counts, row_counts()
            if not fault and not 200 <= answer.status < 300 and counts != before:
                fault = f"it was refused and wrote rows: {before} became {counts}"
        assert not fault, (
            f"{fault}; input {number} of seed {SEED}:\n{request.bytes[:3000]!r}\n"
            f"was answered {answer.status} {answer.text[:500]!r}"
        )
        if number % 50 == 0:
            assert target.get("/exams", limit=1).status == 200
        if number == WARM:
            sizes = [resident_bytes(pid)]
        elif number % 1000 == 0:
            sizes.append(resident_bytes(pid))
    sizes.append(resident_bytes(pid))
    LOG.info("%d requests in %.0f s, seed %d", number + 1, time.monotonic() - began, SEED)
    LOG.info("answers: %s", dict(answers.most_common()))
    LOG.info("MB held, warm to end: %s", [round(size / 2**20, 1) for size in sizes])
    assert sizes[-1] - sizes[0] < GROWTH_BYTES
    with admin.cursor(dictionary=True) as cursor:
        cursor.execute(REVISIONS)
        boards = [row["exam_id"] for row in cursor.fetchall()]
    assert set(ground.exams) <= set(boards)
    assert sick_boards(admin) == sick


def test_requests_in_one_go_are_answered_one_by_one(target: Api, ground: Ground) -> None:
    head = target.head("GET", f"/exams/{ground.exams[0]}").replace(b"Connection: close\r\n", b"")
    bad = target.head("GET", "/exams/0").replace(b"Connection: close\r\n", b"")
    address = urlsplit(target.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + bad + target.head("GET", f"/exams/{ground.exams[0]}"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"404", b"200"]


def exchange(target: Api, request: Request) -> Answer:
    """Send a request on a connection of its own; status 0: closed without an answer."""
    address = urlsplit(target.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        response = http.client.HTTPResponse(connection, method=request.method)
        try:
            connection.sendall(request.bytes)
            if not request.whole:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has answered, and closed, before it was told everything.
        try:
            response.begin()
            endless = response.headers.get("Content-Type", "").startswith("text/event-stream")
            # A stream begins with an event.
            text = response.read1(65536) if endless else response.read()
            return Answer(response.status, response.headers, text)
        except (http.client.HTTPException, ConnectionError):
            return Answer(0, {}, b"")
        finally:
            response.close()


def fault_of(request: Request, answer: Answer) -> str | None:
    """Return what is wrong with an answer, if anything is."""
    if answer.status == 0:
        return "there is no answer" if request.sound else None
    if answer.status >= 500:
        return "the gateway is at fault"
    if INTERNALS.search(answer.text) and answer.status >= 400:
        return "the answer tells internals"
    if answer.status < 400 or request.method == "HEAD":
        return None
    if not answer.text and not request.sound:
        return None if answer.status in SERVERS_OWN else "it has no problem document"
    if answer.headers.get("Content-Type") != MEDIA_TYPE:
        return "it is no problem document"
    problem = json.loads(answer.text)
    entry = catalog().get(problem["code"])
    if entry is None or entry.status != answer.status:
        return "the catalog does not know this code and status"
    expected = {"type": f"urn:podium:error:{entry.code}", "title": entry.title}
    if any(problem[name] != text for name, text in expected.items()) or not problem["detail"]:
        return "the problem document is not whole"
    if problem["status"] != answer.status:
        return "the problem document tells another status"
    for error in problem.get("errors", []):
        if not error["message"] or not re.fullmatch(r"(/.*)?", error["pointer"], re.DOTALL):
            return "a field error is not whole"
    return None


def code_of(answer: Answer) -> str | None:
    """Return the code of a problem document."""
    if answer.status < 400 or not answer.text:
        return None
    found = re.search(rb'"code":"(\w+)"', answer.text)
    return found[1].decode() if found else "?"
