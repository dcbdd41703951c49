"""Spans around CALLs: of real ones, recorded by a provider as an SDK would set it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, StatusCode, TracerProvider

from gateway import logs
from gateway.config import Config
from gateway.db import Database
from gateway.errors import Problem
from gateway.metrics import Metrics
from services.server import ROOT
from tests.client import Api
from tests.factories import make_exam


class Recorded(NonRecordingSpan):
    """A span that keeps what it is told."""

    def __init__(self, name: str, attributes: Any) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)
        self.name, self.attributes = name, dict(attributes)
        self.status = StatusCode.UNSET
        self.exceptions: list[BaseException] = []
        self.ended = False

    def is_recording(self) -> bool:
        return True

    def record_exception(self, exception: BaseException, *_: Any, **__: Any) -> None:
        self.exceptions.append(exception)

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def set_status(self, status: Any, description: str | None = None) -> None:
        self.status = status


class Recorder(TracerProvider):
    """All spans that were begun, by a tracer that it is itself."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def get_tracer(self, *_: Any, **__: Any) -> Any:
        return self

    @contextmanager
    def start_as_current_span(
        self, name: str, *, attributes: Any, kind: Any, **how: Any
    ) -> Iterator[Any]:
        span = Recorded(name, attributes)
        self.spans.append(span)
        with trace.use_span(span, **how):
            yield span
        span.ended = True


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    """Record the spans of this process; a provider can be set but once."""
    recorder = Recorder()
    trace.set_tracer_provider(recorder)
    return recorder


@contextmanager
def database(url: str) -> Iterator[Database]:
    opened = Database(Config(mysql_url=url, redis_url=None, jwt_secret="x" * 32), Metrics())
    yield opened
    opened.close()


@pytest.fixture
def podium(gateway_mysql_url: str, recorder: Recorder) -> Iterator[Database]:
    recorder.spans.clear()
    with database(gateway_mysql_url) as opened:
        yield opened


def test_a_call_is_a_span_that_the_log_and_the_history_can_be_found_from(
    podium: Database, recorder: Recorder, api: Api
) -> None:
    logs.request_id.set("a-request")
    podium.call("get_exam", make_exam(api))
    podium.call_slowly("recalculate_leaderboard", make_exam(api), None)
    assert [span.name for span in recorder.spans] == [
        "CALL get_exam",
        "CALL recalculate_leaderboard",
    ]
    assert recorder.spans[0].attributes == {
        "db.system.name": "mysql",
        "db.namespace": "podium",
        "db.operation.name": "CALL",
        "db.stored_procedure.name": "get_exam",
        "podium.request_id": "a-request",
    }
    assert {(span.status, span.ended) for span in recorder.spans} == {(StatusCode.UNSET, True)}


def test_a_refusal_has_its_code_and_is_no_failure(podium: Database, recorder: Recorder) -> None:
    with pytest.raises(Problem):
        podium.call("get_exam", 10**12)
    [span] = recorder.spans
    assert (span.attributes["error.type"], span.status) == ("exam_not_found", StatusCode.UNSET)
    assert span.exceptions == []


def test_a_database_that_is_away_is_a_failure(recorder: Recorder) -> None:
    recorder.spans.clear()
    with database("mysql://nobody:x@127.0.0.1:9/podium") as away, pytest.raises(Problem):
        away.call("get_exam", 1)
    [span] = recorder.spans
    assert span.attributes["error.type"] == "database_unavailable"
    assert span.status == StatusCode.ERROR


def test_without_the_extra_there_are_no_spans_and_all_else_works(gateway_mysql_url: str) -> None:
    program = f"""
import sys
sys.modules["opentelemetry"] = None
from gateway.config import Config
from gateway.db import Database
from gateway.metrics import Metrics
from gateway.tracing import NO_SPAN, call_span
assert call_span("get_exam") is NO_SPAN
config = Config(mysql_url={gateway_mysql_url!r}, redis_url=None, jwt_secret="x" * 32)
print(len(Database(config, Metrics()).call("list_exams", None, 1)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.returncode) == ("1\n", 0), ran.stderr
