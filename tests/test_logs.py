"""Request ids, the lines that requests and records leave, and the writer of them."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import select
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import create_app, logs
from gateway.config import Config, ConfigError
from services.gateway import start_gateway
from services.server import Server
from tests.client import Answer, Api
from tests.conftest import SECRET, TEST_HOME
from tests.factories import make_exam, make_session, submission, unique_name
from tests.locks import waiting
from tests.test_coalescing import board_held
from tests.waiting import wait_until

TAKEN = ["a", "Request.1_2-3", "r" * 64]
NOT_TAKEN = ["", "r" * 65, "two words", "a/b", 'a"b', "é", "a,b"]


@pytest.fixture(scope="module")
def logged(start_api: Callable[..., Api]) -> Api:
    """Start a gateway whose log is read below."""
    return start_api("gateway-logs")


def request(api: Api, path: str, asked: str, method: str = "GET") -> Answer:
    return api.request(method, path, headers={"X-Request-ID": asked})


def lines_of(name: str, asked: str) -> list[str]:
    """Return the lines that a gateway's log has of a request, once there are any."""
    log = TEST_HOME / "log" / f"{name}.log"
    found: list[str] = []

    def find() -> bool:
        found[:] = [line for line in log.read_text().splitlines() if asked in line]
        return bool(found)

    wait_until(find)
    return found


@pytest.mark.parametrize("asked", TAKEN)
def test_a_request_keeps_the_id_it_came_with(api: Api, asked: str) -> None:
    assert request(api, "/exams", asked).headers.getlist("X-Request-ID") == [asked]


@pytest.mark.parametrize("asked", NOT_TAKEN)
def test_what_is_no_id_is_replaced(api: Api, asked: str) -> None:
    [made] = api.request(
        "GET", "/exams", headers={"X-Request-ID": asked.encode().decode("latin-1")}
    ).headers.getlist("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{16}-[0-9]+", made)


def test_every_answer_has_an_id_of_its_own(gateways: list[Api]) -> None:
    answers = [
        each
        for api in gateways
        for each in (
            api.get("/exams"),
            api.get("//nothing"),
            api.with_token("").get("/exams"),
            api.request("POST", "/exams", raw=b"{"),
            api.request("OPTIONS", "/exams"),
        )
    ]
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == len(answers)


def test_a_request_leaves_one_line_of_json(logged: Api) -> None:
    exam_id, asked = make_exam(logged), unique_name()
    request(logged.as_user(7), f"/exams/{exam_id}", asked)
    [line] = lines_of("gateway-logs", asked)
    members = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members.pop("time"))
    assert 0 < members.pop("duration_ms") < 30_000
    assert members == {
        "level": "info",
        "message": "request",
        "request_id": asked,
        "method": "GET",
        "route": "/api/v1/exams/<exam_id>",
        "status": 200,
        "user_id": 7,
        "exam_id": exam_id,
    }


def test_the_line_names_the_exam_of_a_query(logged: Api) -> None:
    exam_id, asked = make_exam(logged), unique_name()
    request(logged, f"/leaderboard?exam_id={exam_id}&page=1", asked)
    [line] = lines_of("gateway-logs", asked)
    assert json.loads(line)["exam_id"] == exam_id


def test_the_line_of_a_caller_without_a_token_names_nobody(logged: Api) -> None:
    ids = [unique_name(), unique_name()]
    # On one connection, and so likely by the thread that has just answered somebody.
    request(logged, "/exams", ids[0])
    request(logged.with_token(""), "/exams", ids[1])
    [line] = lines_of("gateway-logs", ids[1])
    assert "user_id" not in json.loads(line)


def test_no_line_repeats_what_a_client_wrote_in_an_address(logged: Api) -> None:
    hidden, asked = secrets.token_hex(16), unique_name()
    paths = [f"/leaderboard?exam_id={hidden}", f"/exams?token={hidden}", f"//{hidden}"]
    for path in paths:
        request(logged, path, asked)
    request(logged, "/exams", asked, method=hidden.upper())
    wait_until(lambda: len(lines_of("gateway-logs", asked)) == len(paths) + 1)
    assert hidden not in (TEST_HOME / "log" / "gateway-logs.log").read_text().lower()


def test_a_record_carries_the_id_of_its_request(start_api: Callable[..., Api]) -> None:
    api = start_api("gateway-logs-redis", redis_url="redis://127.0.0.1:1/0")
    exam_id, asked = make_exam(api), unique_name()
    # Redis is left alone for a second after make_exam, should that have asked it.
    wait_until(
        lambda: (
            request(api, f"/leaderboard?exam_id={exam_id}", asked).status == 200
            and any("Redis" in line for line in lines_of("gateway-logs-redis", asked))
        )
    )
    record = next(
        json.loads(line) for line in lines_of("gateway-logs-redis", asked) if "Redis" in line
    )
    assert record.pop("time") and record.pop("message").startswith("Redis does not answer")
    assert record == {"level": "warning", "logger": "gateway.cache", "request_id": asked}


def test_lines_may_be_text(start_api: Callable[..., Api]) -> None:
    api = start_api("gateway-logs-text", PODIUM_LOG="text")
    asked = unique_name()
    request(api.as_user(7), "/exams/999999999999", asked)
    [line] = lines_of("gateway-logs-text", asked)
    assert re.fullmatch(
        rf"\S+Z info {asked} GET /api/v1/exams/<exam_id> 404 ms=\d+\.\d+ user_id=7"
        r" exam_id=999999999999",
        line,
    )


@pytest.mark.parametrize(
    ("settings", "lines"),
    [({}, 1), ({"log": "text"}, 1), ({"log": "off"}, 0), ({"log_level": "warning"}, 0)],
)
def test_lines_of_requests_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], lines: int
) -> None:
    secret = secrets.token_hex(32)
    url = "mysql://x@127.0.0.1:1/podium"
    app = create_app(Config(mysql_url=url, jwt_secret=secret, **settings))
    with pipe_writer() as (writer, out):
        monkeypatch.setattr(logs, "STDERR", writer)
        assert app.test_client().get("/healthz").status_code == 200
        writer.put("the end\n")
        writer.flush()
        assert os.read(out, 1000).count(b"\n") == lines + 1


def test_a_gateway_that_is_told_to_stop_writes_what_it_has_gathered(
    gateway_mysql_url: str, redis_server: Server, tmp_path: Path
) -> None:
    server = start_gateway(
        tmp_path, mysql_url=gateway_mysql_url, redis_url=redis_server.url, secret=SECRET
    )
    answer = Api(server.url, SECRET).get("/exams")
    server.stop()
    assert answer.headers["X-Request-ID"] in (tmp_path / "log" / "gateway.log").read_text()


def test_a_failed_request_is_logged_at_the_highest_level(
    start_api: Callable[..., Api], admin: Any
) -> None:
    api = start_api("gateway-logs-failed", PODIUM_LOG_LEVEL="error", PODIUM_BOARD_WAIT_SEC="1")
    exam_id, asked = make_exam(api), unique_name()
    session_id = make_session(api, exam_id)
    with board_held(admin, exam_id):
        answer = api.post("/scores", submission(session_id), X_Request_ID=asked)
    assert answer.status == 503
    [line] = lines_of("gateway-logs-failed", asked)
    assert (json.loads(line)["level"], json.loads(line)["status"]) == ("error", 503)


@pytest.mark.parametrize(("name", "text"), [("PODIUM_LOG", "xml"), ("PODIUM_LOG_LEVEL", "loud")])
def test_other_words_are_refused(name: str, text: str) -> None:
    environ = {"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET": secrets.token_hex(32), name: text}
    with pytest.raises(ConfigError, match=f"{name} must be .* not '{text}'"):
        Config.from_environ(environ)


def request_ids(api: Api, exam_id: int) -> dict[int, str | None]:
    """Return the request ids of an exam's audit rows, by session."""
    entries = api.get("/audit", exam_id=exam_id).json["entries"]
    return {entry["session_id"]: entry["request_id"] for entry in entries}


def test_requests_that_share_a_call_keep_their_ids_in_the_audit_log(api: Api, admin: Any) -> None:
    exam_id = make_exam(api)
    asked = {make_session(api, exam_id): unique_name() for _ in range(6)}
    with ThreadPoolExecutor(6) as threads:
        with board_held(admin, exam_id):
            futures = [
                threads.submit(api.post, "/scores", submission(session_id), X_Request_ID=each)
                for session_id, each in asked.items()
            ]
            wait_until(lambda: len(waiting(admin, "leaderboards")) == 1)
        assert [future.result(30).status for future in futures] == [200] * 6
    assert request_ids(api, exam_id) == asked


def test_a_batch_has_one_id_and_a_replay_keeps_the_first(api: Api) -> None:
    exam_id = make_exam(api)
    sessions = [make_session(api, exam_id) for _ in range(2)]
    items = [submission(each, submission_id=unique_name()) for each in sessions]
    api.post("/scores/batch", {"submissions": items}, X_Request_ID="the-first")
    answer = api.post("/scores", items[0], X_Request_ID="the-second")
    assert answer.json["replayed"] is True
    assert request_ids(api, exam_id) == dict.fromkeys(sessions, "the-first")


def test_a_request_without_an_id_is_found_by_the_one_it_was_given(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    answer = api.post("/scores", submission(session_id))
    assert request_ids(api, exam_id) == {session_id: answer.headers["X-Request-ID"]}


def test_a_body_names_no_request(api: Api) -> None:
    item = submission(make_session(api, make_exam(api)), request_id="mine")
    assert api.post("/scores", item).status == 422
    [result] = api.post("/scores/batch", {"submissions": [item]}).json["results"]
    assert result["status"] == 422


@contextmanager
def pipe_writer() -> Iterator[tuple[logs.Writer, int]]:
    """Return a writer, and the end that its lines come out of."""
    out, into = os.pipe()
    try:
        yield logs.Writer(into), out
    finally:
        os.close(into)
        os.close(out)


def test_lines_of_many_threads_come_out_whole() -> None:
    with pipe_writer() as (writer, out):

        def put_many(number: int) -> None:
            for k in range(500):
                writer.put(f"{number} {k}\n")

        threads = [threading.Thread(target=put_many, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        with os.fdopen(os.dup(out)) as lines:
            found = [lines.readline() for _ in range(4000)]
        for thread in threads:
            thread.join()
    assert sorted(found) == sorted(f"{n} {k}\n" for n in range(8) for k in range(500))


def test_what_nobody_takes_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_WAITING", 3)
    monkeypatch.setattr(logs, "GATHER_SEC", 30)
    with pipe_writer() as (writer, out):
        for n in range(5):
            writer.put(f"{n}\n")
        writer.flush()
        assert os.read(out, 100) == b"0\n1\n2\n"
        assert writer.dropped == 2
        # Then it goes on.
        writer.put("5\n")
        writer.flush()
        assert os.read(out, 100) == b"5\n"


def test_nobody_waits_for_a_reader_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, record = logs.StderrHandler(), logging.makeLogRecord({"msg": "of a record"})
    with ThreadPoolExecutor(2) as threads, pipe_writer() as (writer, out):
        monkeypatch.setattr(logs, "STDERR", writer)
        writer.put("x" * 1_000_000 + "\n")
        wait_until(lambda: not select.select([], [writer._descriptor], [], 0)[1])
        put: list[Future[Any]] = [
            threads.submit(writer.put, "of a request\n"),
            threads.submit(handler.handle, record),
        ]
        waits = wait(put, 5).not_done
        with os.fdopen(os.dup(out)) as lines:
            found = [lines.readline() for _ in range(3)]
    assert not waits
    assert sorted(found[1:]) == ["of a record\n", "of a request\n"]


def test_a_record_does_not_wait_for_lines_to_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHER_SEC", 30)
    with pipe_writer() as (writer, out):
        monkeypatch.setattr(logs, "STDERR", writer)
        writer.put("of a request\n")
        logs.StderrHandler().handle(logging.makeLogRecord({"msg": "of a record"}))
        assert select.select([out], [], [], 10)[0]
        assert os.read(out, 100) == b"of a request\nof a record\n"


def test_a_reader_that_is_gone_costs_no_answer() -> None:
    out, into = os.pipe()
    writer = logs.Writer(into)
    os.close(out)
    writer.put("nobody reads this\n")
    writer.flush()
    os.close(into)


def test_a_process_that_was_forked_writes_its_own_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHER_SEC", 30)
    with pipe_writer() as (writer, out):
        writer.put("of the parent\n")
        pid = os.fork()
        if pid == 0:
            writer.put("of the child\n")
            writer.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        writer.flush()
        assert os.read(out, 100) == b"of the child\nof the parent\n"


def test_the_clock_writes_rfc_3339() -> None:
    clock = logs.Clock()
    assert clock.stamp(0.0004) == "1970-01-01T00:00:00.000Z"
    assert clock.stamp(1_764_055_738.083_9) == "2025-11-25T07:28:58.083Z"
    assert clock.stamp(1_764_055_738.999_9) == "2025-11-25T07:28:58.999Z"
