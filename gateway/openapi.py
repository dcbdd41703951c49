"""The OpenAPI 3.1 document, written around the very schemas that requests are validated with."""

from __future__ import annotations

from typing import Any

from flask import Flask
from prometheus_client import CONTENT_TYPE_LATEST as METRICS_TYPE

from gateway import schemas
from gateway.errors import MEDIA_TYPE, catalog
from gateway.examples import EXAMPLES, NOBODY, SHARED, Example
from gateway.loader import SQL
from gateway.pages import MEDIA_TYPES
from gateway.schemas import Schema
from gateway.streams import MEDIA_TYPE as STREAM_TYPE

Operation = dict[str, Any]
# By status the name of a schema, media types, or None where there is no body.
Answers = dict[int, str | tuple[str, ...] | None]

MODULES = ("coding", "quiz", "assessment")
REASONS = ("submissions", "weights", "recalculation", "settings", "rename")
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
        **schemas.EXAM_ACCESS,
        "created_at": TIME,
        "total_participants": _either_null(COUNT),
    }
)

EXAM = {
    "allOf": [_ref("ListedExam")],
    "type": "object",
    "properties": {"revision": _either_null(COUNT)},
    "required": ["revision"],
}

SESSION = _answer(
    {
        "session_id": ID,
        "exam_id": ID,
        "user_id": ID,
        "attempt_no": ID,
        "status": schemas.SESSION_STATUS,
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

OTHERS_ENTRY = _answer(
    {
        "exam_id": ID,
        "revision": COUNT,
        "rank": ID,
        "user_id": ID,
        "username": TEXT,
        "full_name": TEXT,
        "total_score": SCORE,
        "total_time_sec": COUNT,
    }
)

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
                    "account": TEXT,
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
            "items": {"type": "string", "enum": list(REASONS)},
        },
        "total_participants": COUNT,
        "committed_at": TIME,
    }
)

EVENT = _answer(
    {
        "event": {"type": "string", "enum": ["revision", "reset"]},
        "id": {"type": "string", "pattern": "^[0-9]+-[0-9a-f]{16}$"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": _ref("BoardEvent"),
        },
    }
)

DOCUMENT = {"type": "object", "properties": {"openapi": TEXT}, "required": ["openapi"]}

STATUS = _answer({"status": TEXT})

RECALCULATED = _answer({"exam_id": ID, "revision": COUNT, "total_participants": COUNT})


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all calls."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Podium",
            "version": (SQL / "RELEASE").read_text().strip(),
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "security": [{"bearer": []}],
        "paths": PATHS,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Claims: sub (user id, as a string), role (candidate, "
                    "viewer, grader, moderator, admin), aud (podium), exp; exam_ids (an array) "
                    "confines any but an admin's to these exams.",
                }
            },
            "schemas": {
                "NewUser": schemas.NEW_USER,
                "UserChange": schemas.USER_CHANGE,
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
                "Users": _answer(
                    {"users": {"type": "array", "maxItems": 1, "items": _ref("User")}}
                ),
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
                "Sessions": _answer(
                    {
                        "sessions": {"type": "array", "items": _ref("Session")},
                        "next_after": _either_null(ID),
                    }
                ),
                "Accepted": ACCEPTED,
                "Results": RESULTS,
                "Entry": ENTRY,
                "Page": PAGE,
                "Around": AROUND,
                "OwnEntry": OWN_ENTRY,
                "OthersEntry": OTHERS_ENTRY,
                "AnEntry": {"anyOf": [_ref("OwnEntry"), _ref("OthersEntry")]},
                "Audit": AUDIT,
                "Recalculated": RECALCULATED,
                "Status": STATUS,
                "Document": DOCUMENT,
                "BoardEvent": BOARD_EVENT,
                "Problem": PROBLEM,
            },
            "examples": {name: _shown(example) for name, example in SHARED.items()},
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
    name: str,
    tag: str,
    summary: str,
    problems: tuple[int, ...] = (),
    *,
    answers: Answers,
    role: str | None = None,
    body: str | None = None,
    query: Schema | None = None,
    path: tuple[str, ...] = (),
    headers: tuple[Schema, ...] = (),
    is_open: bool = False,
    for_everyone: bool = False,
) -> Operation:
    """Describe a call: what goes in, what comes out, and the statuses of its problems.

    role: who alone may call it. is_open: it takes no token, but for a role, and no database.
    for_everyone: it takes no token for exams whose board_access is everyone.
    """
    if body is not None:
        problems += (400, 408, 413, 415, 422)
    if role is not None:
        problems += (403,)
    if not is_open:
        problems += (401, 429, 503)
    examples = EXAMPLES.get(name, [])
    operation: Operation = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "responses": {
            **{
                str(status): {"description": ANSWER_WORDS[status] or summary, **_content(schema)}
                for status, schema in answers.items()
            },
            **{
                str(status): {
                    "description": PROBLEM_WORDS[status],
                    "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
                }
                for status in sorted(problems)
            },
        },
    }
    for status, names in PROBLEM_HEADERS.items():
        if status in problems:
            operation["responses"][str(status)]["headers"] = {
                name: {"description": HEADER_WORDS[name], "required": True, "schema": schema}
                for name, schema in names.items()
            }
    if is_open and role is None:
        operation["security"] = []
    if for_everyone:
        operation["security"] = [{"bearer": []}, {}]
    if parameters := _parameters(query, path, headers, examples):
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _ref(body),
                    "examples": {
                        example.name: {
                            "summary": example.summary,
                            "value": example.request["body"],
                        }
                        for example in examples
                        if example.request is not None
                    },
                }
            },
        }
    _show_answers(operation, examples, role)
    return operation


def _service(
    name: str,
    summary: str,
    answers: Answers,
    problems: tuple[int, ...] = (),
    path: tuple[str, ...] = (),
    role: str | None = None,
) -> Operation:
    """Describe a call of the service, open to everybody unless it names a role."""
    return _operation(
        name, "Service", summary, problems, answers=answers, role=role, path=path, is_open=True
    )


def _content(answer: str | tuple[str, ...] | None) -> Schema:
    """Describe a body: JSON by the name of its schema, anything else by its media types."""
    if answer is None:
        return {}
    if isinstance(answer, str):
        return {"content": {"application/json": {"schema": _ref(answer)}}}
    return {"content": {media_type: {"schema": TEXT} for media_type in answer}}


def _parameters(
    query: Schema | None,
    path: tuple[str, ...],
    headers: tuple[Schema, ...],
    examples: list[Example],
) -> list[Schema]:
    """Describe the parameters of a call, each with its values in the examples."""
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}
        for name in path
    ]
    if query is not None:
        parameters += [
            {"name": name, "in": "query", "required": name in query["required"], "schema": schema}
            for name, schema in query["properties"].items()
        ]
    parameters += [dict(header) for header in headers]
    for parameter in parameters:
        place = "headers" if parameter["in"] == "header" else parameter["in"]
        values = {
            example.name: {
                "summary": example.summary,
                "value": example.request[place][parameter["name"]],
            }
            for example in examples
            if example.request is not None and parameter["name"] in example.request.get(place, {})
        }
        if values:
            parameter["examples"] = values
    return parameters


def _show_answers(operation: Operation, examples: list[Example], role: str | None) -> None:
    """Put the examples to the answers of a call; what it shares with others, by reference."""
    for example in examples:
        response = operation["responses"][str(example.status)]
        shown = _shown(example)
        for media_type, content in response.get("content", {}).items():
            if example.media_type in (None, media_type):
                content.setdefault("examples", {})[example.name] = shown
        for name, value in example.headers.items():
            header = response.setdefault("headers", {}).setdefault(
                name, {"description": HEADER_WORDS[name], "required": True, "schema": TEXT}
            )
            header.setdefault("examples", {})[example.name] = shown | {"value": value}
    for example in SHARED.values():
        response = operation["responses"].get(str(example.status))
        if response is None or (example.status == 403 and example.name != ROLE_EXAMPLES.get(role)):
            continue
        reference = {"$ref": f"#/components/examples/{example.name}"}
        response["content"][MEDIA_TYPE].setdefault("examples", {})[example.name] = reference


def _shown(example: Example) -> Schema:
    """Write an example of an answer, with who is answered.

    x-request: what differs in the request from the operation's first example; without it, the
    request is the example of the same name.
    """
    shown: Schema = {"summary": example.summary, "value": example.answer}
    shown["x-caller"] = None if example.caller == NOBODY else example.caller
    if example.request is None:
        shown["x-request"] = example.change
    return shown


DESCRIPTION = """\
Leaderboards of online examinations: a score, its audit row and the exact rank it produces commit in
one transaction.

The examples are of one moment: a board of two, alice (user 2) and bob (user 3). Carol (user 4) has
not begun, dave (user 5) has finished without a score. `x-caller` says whose token was sent, and
`x-request` what differs from the first example of the call.

Every error is a problem document. 405 (another method than those here) and 500 (a fault of Podium
itself) can be the answer to any call."""
TAGS = {
    "Board": "Who stands where",
    "Scores": "What moves a board",
    "Sessions": "Attempts of candidates",
    "Exams": "Exams and their weights",
    "Users": "Candidates and staff",
    "History": "Every accepted submission",
    "Service": "For programs that watch a gateway, and for browsers; open to everybody",
}
ROLE_EXAMPLES: dict[str | None, str] = {
    "admin": "admins_only",
    "staff": "staff_only",
    "grader": "graders_only",
}
PATH_PARAMETERS = {
    **{name: ID | {"maximum": schemas.MAX_ID} for name in ("exam_id", "session_id", "user_id")},
    "name": TEXT,
}
ANSWER_WORDS = {200: None, 201: None, 304: "What is at hand still holds"}
PROBLEM_WORDS = {
    400: "The JSON is malformed",
    401: "No token, or one that is not accepted",
    403: "The role does not allow it, or it would be in somebody else's name",
    404: "Something named does not exist, or not for this caller",
    408: "The body did not come in time",
    409: "It conflicts with the state of things",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "A value breaks a rule; errors[] names it",
    429: "Too many requests, or bodies at once; Retry-After says when to come back",
    503: "The database cannot be had in time, or too many streams are open; Retry-After says when "
    "to come back",
}
HEADER_WORDS = {
    "ETag": "The revision of the page, and what tells it from any other page; for If-None-Match",
    "WWW-Authenticate": "How to say who is calling",
    "Retry-After": "Seconds until it makes sense to come back",
    "RateLimit-Limit": "Requests that the caller may send in a window of time",
    "RateLimit-Remaining": "How many of them are left",
    "RateLimit-Reset": "Seconds until the window ends",
}
# The RateLimit headers also stand on every other answer to a caller who has a limit.
PROBLEM_HEADERS: dict[int, dict[str, Schema]] = {
    401: {"WWW-Authenticate": TEXT},
    429: {name: COUNT for name in HEADER_WORDS if name.startswith("R")},
    503: {"Retry-After": COUNT},
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": schemas.SUBMISSION_ID,
    "description": "The submission id. Sent again with the same body it changes nothing and "
    "returns the first outcome; with another body it is refused (409).",
}
CREATION_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": schemas.IDEMPOTENCY_KEY,
    "description": "A key of the caller's own. Sent again with the same body it creates nothing "
    "and returns what it returned, as that stands now; with another body it is refused (409).",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": TEXT,
    "description": "The ETag of the page that is at hand; 304 if it still holds.",
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}(-[0-9a-f]{16})?$"},
    "description": "The id of the last event that was seen: the first one goes on behind it. A "
    "revision alone is taken too, but names no history: where the board stands still at it, the "
    "first event is a reset.",
}

STREAM = _operation(
    "get_stream",
    "Board",
    "Follow a board: Server-Sent Events, one for all changes of a moment",
    (404, 422),
    for_everyone=True,
    answers={200: (STREAM_TYPE,)},
    query=schemas.STREAM_QUERY,
    headers=(LAST_EVENT_ID,),
)
# A candidate who has too many streams open has not used up a limit, whose headers these are.
for _name, _header in STREAM["responses"]["429"]["headers"].items():
    _header["required"] = _name == "Retry-After"
STREAM["description"] = (
    "It does not end by itself: whoever waits for the whole answer, as the page /docs does, sees "
    "nothing of it."
)
STREAM["responses"]["200"]["description"] = (
    "Events of the type revision, or reset where the board's history is another one than that of "
    "Last-Event-ID; their id is the revision, and what tells it from one of the same number "
    "before a restore. The schema is that of one event"
)
STREAM["responses"]["200"]["content"][STREAM_TYPE]["schema"] = EVENT

PATHS: dict[str, dict[str, Operation]] = {
    "/api/v1/leaderboard": {
        "get": _operation(
            "get_leaderboard",
            "Board",
            "Read a page of a board, with the calling candidate's own entry",
            (404, 422),
            for_everyone=True,
            answers={200: "Page", 304: None},
            query=schemas.PAGE_QUERY,
            headers=(IF_NONE_MATCH,),
        )
    },
    "/api/v1/leaderboard/around": {
        "get": _operation(
            "get_around",
            "Board",
            "Read the entries above and below a candidate",
            (404, 422),
            for_everyone=True,
            answers={200: "Around"},
            query=schemas.AROUND_QUERY,
        )
    },
    "/api/v1/leaderboard/entries/{user_id}": {
        "get": _operation(
            "get_entry",
            "Board",
            "Read where one candidate stands",
            (404, 422),
            for_everyone=True,
            answers={200: "AnEntry"},
            query=schemas.ENTRY_QUERY,
            path=("user_id",),
        )
    },
    "/api/v1/leaderboard/stream": {"get": STREAM},
    "/api/v1/leaderboard/recalculate": {
        "post": _operation(
            "recalculate",
            "Board",
            "Rebuild a board from its raw scores (admin)",
            (404,),
            answers={200: "Recalculated"},
            role="admin",
            body="Recalculation",
        )
    },
    "/api/v1/scores": {
        "post": _operation(
            "submit_score",
            "Scores",
            "Submit one module score (its candidate, graders)",
            (403, 404, 409),
            answers={200: "Accepted"},
            body="Submission",
            headers=(IDEMPOTENCY_KEY,),
        )
    },
    "/api/v1/scores/batch": {
        "post": _operation(
            "submit_scores",
            "Scores",
            "Submit many; each succeeds or fails for itself (graders)",
            answers={200: "Results"},
            role="grader",
            body="Batch",
        )
    },
    "/api/v1/sessions": {
        "post": _operation(
            "start_session",
            "Sessions",
            "Start an attempt (201), or return the one in progress (200)",
            (403, 404, 409),
            answers={201: "Session", 200: "Session"},
            body="NewSession",
            headers=(CREATION_KEY,),
        ),
        "get": _operation(
            "list_sessions",
            "Sessions",
            "List sessions (of a candidate their own, graders)",
            (403, 404, 422),
            answers={200: "Sessions"},
            query=schemas.SESSIONS_QUERY,
        ),
    },
    "/api/v1/sessions/{session_id}": {
        "get": _operation(
            "get_session",
            "Sessions",
            "Read a session with its module scores (its candidate, graders)",
            (403, 404),
            answers={200: "SessionWithModules"},
            path=("session_id",),
        )
    },
    "/api/v1/sessions/{session_id}/finish": {
        "patch": _operation(
            "finish_session",
            "Sessions",
            "Finish a session; again, it changes nothing (its candidate, staff)",
            (403, 404),
            answers={200: "Session"},
            path=("session_id",),
        )
    },
    "/api/v1/exams": {
        "post": _operation(
            "create_exam",
            "Exams",
            "Create an exam (admin)",
            (409,),
            answers={201: "Exam"},
            role="admin",
            body="NewExam",
            headers=(CREATION_KEY,),
        ),
        "get": _operation(
            "list_exams",
            "Exams",
            "List exams",
            (422,),
            answers={200: "Exams"},
            query=schemas.EXAMS_QUERY,
        ),
    },
    "/api/v1/exams/{exam_id}": {
        "get": _operation(
            "get_exam",
            "Exams",
            "Read an exam",
            (404,),
            for_everyone=True,
            answers={200: "Exam"},
            path=("exam_id",),
        ),
        "patch": _operation(
            "update_exam",
            "Exams",
            "Change an exam; what follows from it is in the same commit (admin)",
            (404,),
            answers={200: "Exam"},
            role="admin",
            body="ExamChange",
            path=("exam_id",),
        ),
    },
    "/api/v1/users": {
        "post": _operation(
            "create_user",
            "Users",
            "Create a user (admin)",
            (409,),
            answers={201: "User"},
            role="admin",
            body="NewUser",
            headers=(CREATION_KEY,),
        ),
        "get": _operation(
            "find_users",
            "Users",
            "Find who has a user name (staff)",
            (422,),
            answers={200: "Users"},
            role="staff",
            query=schemas.USERS_QUERY,
        ),
    },
    "/api/v1/users/{user_id}": {
        "get": _operation(
            "get_user",
            "Users",
            "Read a user (themself, staff)",
            (403, 404),
            answers={200: "User"},
            path=("user_id",),
        ),
        "patch": _operation(
            "update_user",
            "Users",
            "Change what a user is called, on every board that shows it (admin)",
            (404, 409),
            answers={200: "User"},
            role="admin",
            body="UserChange",
            path=("user_id",),
        ),
    },
    "/api/v1/audit": {
        "get": _operation(
            "get_audit_trail",
            "History",
            "Read the history, in commit order (staff)",
            (404, 422),
            answers={200: "Audit"},
            role="staff",
            query=schemas.AUDIT_QUERY,
        )
    },
    "/healthz": {
        "get": _service("healthz", "Tell that the process lives", {200: "Status"}),
    },
    "/readyz": {
        "get": _service("readyz", "Tell that MySQL can be had", {200: "Status"}, (503,)),
    },
    "/metrics": {
        "get": _service(
            "metrics",
            "Tell Prometheus what was counted",
            {200: (METRICS_TYPE,)},
            (401, 429),
            role="admin",
        ),
    },
    "/openapi.json": {
        "get": _service("openapi", "Read this document", {200: "Document"}),
    },
    "/": {
        "get": _service(
            "live_board", "Open the live board", {200: (MEDIA_TYPES[".html"],), 304: None}
        ),
    },
    "/docs": {
        "get": _service(
            "docs",
            "Open the API reference",
            {200: (MEDIA_TYPES[".html"],), 304: None},
        ),
    },
    "/static/{name}": {
        "get": _service(
            "static_file",
            "Load a file of a page",
            {200: tuple(MEDIA_TYPES[suffix] for suffix in (".css", ".js", ".svg")), 304: None},
            (404,),
            path=("name",),
        ),
    },
}
