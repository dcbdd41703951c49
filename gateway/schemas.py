"""The JSON Schemas of what clients send; the OpenAPI document is built around the very same."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# MySQL's BIGINT, which the ids are.
MAX_ID = 2**63 - 1
MAX_ITEMS = 1000
# 22 bits of the standing key hold the time.
MAX_TIME_SEC = 2**22 - 1
# As far as a name is read, with the white space around it.
MAX_NAME = 1024
MAX_DETAILS_BYTES = 2**16 - 1


def _nullable(schema: Schema) -> Schema:
    """Allow null, which means the same as leaving the field out."""
    return {"oneOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    """Describe an object that has these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _id(description: str) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": MAX_ID, "description": description}


def _name(longest: int, description: str) -> Schema:
    # Which characters a name may have, and how many there are, decides _name_refusal in the
    # database alone: it counts what is left of a name when the white space around it is gone.
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_NAME,
        "description": f"1 to {longest} characters, not counting white space at both ends, which "
        f"is taken away; {description}",
    }


def _weight(description: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 100, "description": description}


MODULE = {"type": "string", "enum": ["coding", "quiz", "assessment"]}
USER_ROLE = {
    "type": "string",
    "enum": ["candidate", "viewer", "grader", "moderator", "admin"],
}
SESSION_STATUS = {"type": "string", "enum": ["in_progress", "finished"]}
TIME = {"type": "string", "format": "date-time", "maxLength": 40}
SUBMISSION_ID = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^[ -~]*$",
    "description": "makes the submission repeatable: the same id again returns the first outcome",
}
IDEMPOTENCY_KEY = SUBMISSION_ID | {
    "description": "makes the call repeatable: the same key again returns what it created",
}

USERNAME = _name(
    64,
    "taken once: neither case nor the encoding of an accent tells two names apart, all else does. "
    "Kept in NFC; each character shows",
)
FULL_NAME = _name(
    200, "as it stands on the board. No control characters, and none that turns the text around it"
)

NEW_USER = _object(
    {
        "username": USERNAME,
        "full_name": FULL_NAME,
        "role": USER_ROLE,
    },
    ["username", "full_name", "role"],
)

USER_CHANGE = _object({"username": USERNAME, "full_name": FULL_NAME}, []) | {"minProperties": 1}

WEIGHTS = _object(
    {
        "coding": _weight("points out of 100"),
        "quiz": _weight("points out of 100"),
        "assessment": _weight("points out of 100"),
    },
    ["coding", "quiz", "assessment"],
)

TITLE = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "as it stands on the board: something that shows, no control characters, and "
    "none that turns the text around it",
}
# What an exam has beside its title, as null leaves it in a new one.
EXAM_RULES: dict[str, Schema] = {
    "weights": WEIGHTS,
    "max_attempts": {"type": "integer", "minimum": 1, "maximum": 1000},
    "attempt_policy": {"type": "string", "enum": ["best", "latest", "first"]},
}
EXAM_TIMES: dict[str, Schema] = {
    "starts_at": _nullable(TIME),
    "ends_at": _nullable(TIME),
    "duration_sec": _nullable({"type": "integer", "minimum": 1, "maximum": MAX_TIME_SEC}),
}
EXAM_ACCESS: dict[str, Schema] = {
    "submissions_by": {
        "type": "string",
        "enum": ["graders", "candidates"],
        "description": "graders: graders, moderators and admins; candidates: they too, for "
        "themselves",
    },
    "board_access": {
        "type": "string",
        "enum": ["everyone", "signed_in", "participants", "staff"],
        "description": "who reads the board; everyone needs no token",
    },
    "board_names": {
        "type": "string",
        "enum": ["full", "username", "hidden"],
        "description": "what all but graders see of others: a pseudonym where hidden",
    },
}

NEW_EXAM = _object(
    {
        "title": TITLE,
        **{name: _nullable(schema) for name, schema in EXAM_RULES.items()},
        **EXAM_TIMES,
        **{name: _nullable(schema) for name, schema in EXAM_ACCESS.items()},
    },
    ["title"],
)

EXAM_CHANGE = _object(
    {
        "title": TITLE,
        **EXAM_RULES,
        **EXAM_TIMES,
        **EXAM_ACCESS,
    },
    [],
) | {"minProperties": 1}

NEW_SESSION = _object(
    {"exam_id": _id("of POST /exams"), "user_id": _id("of POST /users")}, ["exam_id", "user_id"]
)

SUBMISSION = _object(
    {
        "session_id": _id("of POST /sessions"),
        "module_type": MODULE,
        "raw_score": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 10**10,
            "description": "at most max_score",
        },
        "max_score": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**10},
        "time_spent_sec": {"type": "integer", "minimum": 0, "maximum": MAX_TIME_SEC},
        "details": _nullable(
            {
                "type": "object",
                "format": "storable",
                "description": "the submitter's own, kept as it is; up to 64 KiB",
            }
        ),
        "expected_version": _nullable(
            {
                "type": "integer",
                "minimum": 0,
                "maximum": MAX_ID,
                "description": "of the session before this; a stale one is refused",
            }
        ),
        "submission_id": _nullable(SUBMISSION_ID),
    },
    ["session_id", "module_type", "raw_score", "max_score", "time_spent_sec"],
)

# The items are validated one by one, so that a bad one does not harm its neighbours.
BATCH = _object({"submissions": {"type": "array", "minItems": 1, "items": True}}, ["submissions"])

RECALCULATION = _object({"exam_id": _id("of POST /exams")}, ["exam_id"])


def _query(properties: dict[str, Schema], required: list[str]) -> Schema:
    """Describe query parameters; those that are not known are passed over."""
    return {"type": "object", "properties": properties, "required": required}


PAGE_QUERY = _query(
    {
        "exam_id": _id("whose board"),
        "page": {"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1},
        "per_page": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
    ["exam_id"],
)

AROUND_QUERY = _query(
    {
        "exam_id": _id("whose board"),
        "user_id": _id("who stands in the middle"),
        "window": {"type": "integer", "minimum": 1, "maximum": 100, "default": 5},
    },
    ["exam_id", "user_id"],
)

STREAM_QUERY = _query({"exam_id": _id("whose board")}, ["exam_id"])

ENTRY_QUERY = _query({"exam_id": _id("whose board")}, ["exam_id"])

USERS_QUERY = _query(
    {
        "username": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_NAME,
            "description": "whose; case, and white space at both ends, do not matter",
        }
    },
    ["username"],
)

SESSIONS_QUERY = _query(
    {
        "exam_id": _id("only those of this exam"),
        "user_id": _id("only this candidate's"),
        "status": SESSION_STATUS,
        "after": {"type": "integer", "minimum": 0, "maximum": MAX_ID, "default": 0},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    [],
)

EXAMS_QUERY = _query(
    {
        "after": {"type": "integer", "minimum": 0, "maximum": MAX_ID, "default": 0},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    [],
)

AUDIT_QUERY = _query(
    {
        "exam_id": _id("whose history"),
        "session_id": _id("only this one's"),
        "after": {"type": "integer", "minimum": 0, "maximum": MAX_ID, "default": 0},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    ["exam_id"],
)
