"""The OpenAPI 3.1 document, written around the very schemas that requests are validated with."""

from __future__ import annotations

from typing import Any

from flask import Flask

from gateway import schemas
from gateway.errors import MEDIA_TYPE, catalog
from gateway.loader import SQL
from gateway.schemas import Schema
from gateway.streams import MEDIA_TYPE as STREAM_TYPE

Operation = dict[str, Any]

MODULES = ("coding", "quiz", "assessment")
SCORE = {"type": "number", "minimum": 0, "maximum": 100}
COUNT = {"type": "integer", "minimum": 0}
ID = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}


def _either_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def _answer(properties: dict[str, Schema]) -> Schema:
    """Describe an object that is answered: all of its fields are always there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


ENTRY_SCORES = {
    "total_score": SCORE,
    "weighted_coding": SCORE,
    "weighted_quiz": SCORE,
    "weighted_assessment": SCORE,
    "total_time_sec": COUNT,
}

USER = _answer(
    {
        "user_id": ID,
        "username": TEXT,
        "full_name": TEXT,
        "role": schemas.USER_ROLE,
        "created_at": TIME,
    }
)

LISTED_EXAM = _answer(
    {
        "exam_id": ID,
        "title": TEXT,
        "weights": _answer({module: SCORE for module in MODULES}),
        **{f"weight_{module}": SCORE for module in MODULES},
        "max_attempts": ID,
        "attempt_policy": {"type": "string", "enum": ["best", "latest", "first"]},
        "starts_at": _either_null(TIME),
        "ends_at": _either_null(TIME),
        "duration_sec": _either_null(ID),
        "created_at": TIME,
        "total_participants": COUNT,
    }
)

EXAM = {
    "allOf": [_ref("ListedExam")],
    "type": "object",
    "properties": {"revision": COUNT},
    "required": ["revision"],
}

SESSION = _answer(
    {
        "session_id": ID,
        "exam_id": ID,
        "user_id": ID,
        "attempt_no": ID,
        "status": {"type": "string", "enum": ["in_progress", "finished"]},
        "version": COUNT,
        **{f"weighted_{module}": _either_null(SCORE) for module in MODULES},
        "total_score": SCORE,
        "total_time_sec": COUNT,
        "started_at": TIME,
        "deadline_at": _either_null(TIME),
        "finished_at": _either_null(TIME),
    }
)

SESSION_WITH_MODULES = {
    "allOf": [_ref("Session")],
    "type": "object",
    "properties": {
        "modules": {
            "type": "array",
            "items": _answer(
                {
                    "module_type": schemas.MODULE,
                    "raw_score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "weighted_score": SCORE,
                    "time_spent_sec": COUNT,
                    "details": _either_null({"type": "object"}),
                    "submitted_at": TIME,
                }
            ),
        }
    },
    "required": ["modules"],
}

ACCEPTED = _answer(
    {
        "message": TEXT,
        "submission_id": schemas.SUBMISSION_ID,
        "replayed": {"type": "boolean"},
        "version": COUNT,
        "revision": COUNT,
        "leaderboard_entry": _answer({"rank": ID, **ENTRY_SCORES}),
    }
)

RESULTS = _answer(
    {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status"],
                "anyOf": [_ref("Accepted"), _ref("Problem")],
            },
        }
    }
)

ENTRY = _answer(
    {
        "rank": ID,
        "user_id": ID,
        "username": TEXT,
        "full_name": TEXT,
        "total_score": SCORE,
        "total_time_sec": COUNT,
    }
)

BOARD: dict[str, Schema] = {
    "exam_id": ID,
    "exam_title": TEXT,
    "total_participants": COUNT,
    "revision": COUNT,
    "leaderboard": {"type": "array", "items": _ref("Entry")},
}

PAGE = _answer(
    BOARD
    | {
        "page": ID,
        "per_page": ID,
        "cached": {"type": "boolean"},
        "my_entry": _either_null(_ref("Entry")),
    }
)

AROUND = _answer(BOARD | {"user_id": ID, "window": ID})

OWN_ENTRY = _answer(
    {
        "exam_id": ID,
        "revision": COUNT,
        "rank": ID,
        "user_id": ID,
        "username": TEXT,
        "full_name": TEXT,
        **ENTRY_SCORES,
        "session_id": ID,
        "attempt_no": ID,
    }
)

AUDIT = _answer(
    {
        "entries": {
            "type": "array",
            "items": _answer(
                {
                    "audit_id": ID,
                    "submission_id": TEXT,
                    "revision": COUNT,
                    "exam_id": ID,
                    "session_id": ID,
                    "user_id": ID,
                    "module_type": schemas.MODULE,
                    "actor_id": _either_null(ID),
                    "actor": TEXT,
                    "version": COUNT,
                    "old_raw_score": _either_null({"type": "number"}),
                    "old_max_score": _either_null({"type": "number"}),
                    "old_weighted_score": _either_null(SCORE),
                    "old_time_spent_sec": _either_null(COUNT),
                    "new_raw_score": {"type": "number"},
                    "new_max_score": {"type": "number"},
                    "new_weighted_score": SCORE,
                    "new_time_spent_sec": COUNT,
                    "old_total_score": SCORE,
                    "new_total_score": SCORE,
                    "rank": ID,
                    "details": _either_null({"type": "object"}),
                    "request_id": _either_null(TEXT),
                    "created_at": TIME,
                }
            ),
        },
        "next_after": _either_null(ID),
    }
)

PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": {"type": "string", "enum": sorted(catalog())},
        "errors": {"type": "array", "items": _answer({"pointer": TEXT, "message": TEXT})},
        "current_version": COUNT | {"description": "of the session, with version_conflict"},
    },
    "required": ["type", "title", "status", "detail", "code"],
}

BOARD_EVENT = _answer(
    {
        "exam_id": ID,
        "after": COUNT,
        "revision": COUNT,
        "submissions": COUNT,
        "reasons": {
            "type": "array",
            "items": {"type": "string", "enum": ["submissions", "weights", "recalculation"]},
        },
        "total_participants": COUNT,
        "committed_at": TIME,
    }
)

RECALCULATED = _answer({"exam_id": ID, "revision": COUNT, "total_participants": COUNT})


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all calls."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Podium",
            "version": (SQL / "RELEASE").read_text().strip(),
            "description": "Leaderboards of online examinations: a score, its audit row and the "
            "exact rank it produces commit in one transaction.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": PATHS,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Claims: sub (user id, as a string), role (candidate, "
                    "moderator, admin), aud (podium), exp.",
                }
            },
            "schemas": {
                "NewUser": schemas.NEW_USER,
                "NewExam": schemas.NEW_EXAM,
                "ExamChange": schemas.EXAM_CHANGE,
                "NewSession": schemas.NEW_SESSION,
                "Submission": schemas.SUBMISSION,
                "Batch": {
                    **schemas.BATCH,
                    "properties": {
                        "submissions": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": schemas.MAX_ITEMS,
                            "items": _ref("Submission"),
                        }
                    },
                },
                "Recalculation": schemas.RECALCULATION,
                "User": USER,
                "ListedExam": LISTED_EXAM,
                "Exam": EXAM,
                "Exams": _answer(
                    {
                        "exams": {"type": "array", "items": _ref("ListedExam")},
                        "next_after": _either_null(ID),
                    }
                ),
                "Session": SESSION,
                "SessionWithModules": SESSION_WITH_MODULES,
                "Accepted": ACCEPTED,
                "Results": RESULTS,
                "Entry": ENTRY,
                "Page": PAGE,
                "Around": AROUND,
                "OwnEntry": OWN_ENTRY,
                "Audit": AUDIT,
                "Recalculated": RECALCULATED,
                "BoardEvent": BOARD_EVENT,
                "Problem": PROBLEM,
            },
        },
    }


def init_app(app: Flask) -> None:
    """Add /openapi.json, open to everybody."""
    text = app.json.dumps(document())

    @app.get("/openapi.json")
    def openapi() -> Any:
        """Return this document."""
        return app.response_class(text, mimetype="application/json")


def _operation(
    summary: str,
    answers: dict[int, str],
    problems: tuple[int, ...],
    *,
    body: str | None = None,
    query: Schema | None = None,
    path: tuple[str, ...] = (),
    headers: tuple[Schema, ...] = (),
) -> Operation:
    """Describe a call: what goes in, what comes out, and the statuses of its problems."""
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": ID} for name in path
    ]
    if query is not None:
        parameters += [
            {"name": name, "in": "query", "required": name in query["required"], "schema": schema}
            for name, schema in query["properties"].items()
        ]
    operation: Operation = {
        "summary": summary,
        "responses": {
            **{
                str(status): {
                    "description": summary,
                    "content": {"application/json": {"schema": _ref(name)}},
                }
                for status, name in answers.items()
            },
            **{
                str(status): {
                    "description": PROBLEM_WORDS[status],
                    "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
                }
                for status in (*problems, 429, 503)
            },
        },
    }
    for status, names in ANSWER_HEADERS.items():
        operation["responses"][str(status)]["headers"] = {
            name: {"description": HEADER_WORDS[name], "schema": COUNT} for name in names
        }
    if parameters or headers:
        operation["parameters"] = [*parameters, *headers]
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(body)}},
        }
    return operation


PROBLEM_WORDS = {
    400: "The request or its JSON is malformed",
    401: "No token, or one that is not accepted",
    403: "The role does not allow it, or the session is somebody else's",
    404: "Something named does not exist",
    409: "It conflicts with the state of things",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "A value breaks a rule; errors[] names it",
    429: "Too many requests; Retry-After says when to come back",
    503: "The database cannot be had in time, or too many streams are open; Retry-After says when "
    "to come back",
}
HEADER_WORDS = {
    "Retry-After": "Seconds until it makes sense to come back",
    "RateLimit-Limit": "Requests that the caller may send in a window of time",
    "RateLimit-Remaining": "How many of them are left",
    "RateLimit-Reset": "Seconds until the window ends",
}
# The RateLimit headers also stand on every other answer to a caller who has a limit.
ANSWER_HEADERS: dict[int, tuple[str, ...]] = {429: tuple(HEADER_WORDS), 503: ("Retry-After",)}
# What every call with a body may be answered.
BODY = (400, 401, 403, 413, 415, 422)

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": schemas.SUBMISSION_ID,
    "description": "The submission id. Sent again with the same body it changes nothing and "
    "returns the first outcome; with another body it is refused (409).",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": TEXT,
    "description": "The ETag of the page that is at hand; 304 if it still holds.",
}

GET_PAGE = _operation(
    "Read a page of a board, with the calling candidate's own entry",
    {200: "Page"},
    (400, 401, 404, 422),
    query=schemas.PAGE_QUERY,
    headers=(IF_NONE_MATCH,),
)
GET_PAGE["responses"]["304"] = {"description": "The page at hand still holds"}

LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "integer", "minimum": 0, "maximum": schemas.MAX_ID},
    "description": "The id of the last event that was seen: the first one goes on behind it.",
}

GET_STREAM = _operation(
    "Follow a board: Server-Sent Events, one for all changes of a moment",
    {},
    (400, 401, 404, 422),
    query=schemas.STREAM_QUERY,
    headers=(LAST_EVENT_ID,),
)
GET_STREAM["responses"]["200"] = {
    "description": "Events of the type revision, or reset where the board's history is another one "
    "than that of Last-Event-ID; their id is the revision, their data is JSON",
    "content": {STREAM_TYPE: {"schema": TEXT, "x-data": _ref("BoardEvent")}},
}

PATHS: dict[str, dict[str, Operation]] = {
    "/api/v1/users": {
        "post": _operation("Create a user (admin)", {201: "User"}, (*BODY, 409), body="NewUser")
    },
    "/api/v1/exams": {
        "post": _operation("Create an exam (admin)", {201: "Exam"}, BODY, body="NewExam"),
        "get": _operation("List exams", {200: "Exams"}, (400, 401, 422), query=schemas.EXAMS_QUERY),
    },
    "/api/v1/exams/{exam_id}": {
        "get": _operation("Read an exam", {200: "Exam"}, (401, 404), path=("exam_id",)),
        "patch": _operation(
            "Change the weights; the board is recalculated in the same commit (admin)",
            {200: "Exam"},
            (*BODY, 404),
            body="ExamChange",
            path=("exam_id",),
        ),
    },
    "/api/v1/sessions": {
        "post": _operation(
            "Start an attempt (201), or return the one in progress (200)",
            {201: "Session", 200: "Session"},
            (*BODY, 404, 409),
            body="NewSession",
        )
    },
    "/api/v1/sessions/{session_id}": {
        "get": _operation(
            "Read a session with its module scores (its candidate, staff)",
            {200: "SessionWithModules"},
            (401, 403, 404),
            path=("session_id",),
        )
    },
    "/api/v1/sessions/{session_id}/finish": {
        "patch": _operation(
            "Finish a session; again, it changes nothing (its candidate, staff)",
            {200: "Session"},
            (401, 403, 404),
            path=("session_id",),
        )
    },
    "/api/v1/scores": {
        "post": _operation(
            "Submit one module score (its candidate, staff)",
            {200: "Accepted"},
            (*BODY, 404, 409),
            body="Submission",
            headers=(IDEMPOTENCY_KEY,),
        )
    },
    "/api/v1/scores/batch": {
        "post": _operation(
            "Submit many; each succeeds or fails for itself (staff)",
            {200: "Results"},
            BODY,
            body="Batch",
        )
    },
    "/api/v1/leaderboard": {"get": GET_PAGE},
    "/api/v1/leaderboard/around": {
        "get": _operation(
            "Read the entries above and below a candidate",
            {200: "Around"},
            (400, 401, 404, 422),
            query=schemas.AROUND_QUERY,
        )
    },
    "/api/v1/leaderboard/entries/{user_id}": {
        "get": _operation(
            "Read where one candidate stands",
            {200: "OwnEntry"},
            (400, 401, 404, 422),
            query=schemas.ENTRY_QUERY,
            path=("user_id",),
        )
    },
    "/api/v1/leaderboard/stream": {"get": GET_STREAM},
    "/api/v1/leaderboard/recalculate": {
        "post": _operation(
            "Rebuild a board from its raw scores (admin)",
            {200: "Recalculated"},
            (*BODY, 404),
            body="Recalculation",
        )
    },
    "/api/v1/audit": {
        "get": _operation(
            "Read the history, in commit order (staff)",
            {200: "Audit"},
            (400, 401, 403, 404, 422),
            query=schemas.AUDIT_QUERY,
        )
    },
}
