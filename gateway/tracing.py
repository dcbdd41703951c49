"""Spans around CALLs, where OpenTelemetry's API is installed: the extra `opentelemetry`.

They are recorded where somebody has set up its SDK, as `opentelemetry-instrument` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from gateway import logs
from gateway.errors import Problem

try:
    from opentelemetry import trace
except ModuleNotFoundError:
    TRACER = None
else:
    # Follows whatever provider is set, also one that is set later.
    TRACER = trace.get_tracer("podium")

NO_SPAN = nullcontext()


def call_span(procedure: str) -> AbstractContextManager[None]:
    """Record a CALL, its repetitions included, named as OpenTelemetry's conventions want it.

    A shared call of several requests belongs to the one that led it.
    """
    return NO_SPAN if TRACER is None else _recorded(TRACER, procedure)


@contextmanager
def _recorded(tracer: trace.Tracer, procedure: str) -> Iterator[None]:
    attributes = {
        "db.system.name": "mysql",
        "db.namespace": "podium",
        "db.operation.name": "CALL",
        "db.stored_procedure.name": procedure,
        "podium.request_id": logs.request_id.get() or "",
    }
    with tracer.start_as_current_span(
        f"CALL {procedure}",
        kind=trace.SpanKind.CLIENT,
        attributes=attributes,
        # A refusal is no failure, and a stack says nothing about a database.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Problem as problem:
            span.set_attribute("error.type", problem.entry.code)
            if problem.entry.status >= 500:
                span.set_status(trace.StatusCode.ERROR, problem.entry.title)
            raise
