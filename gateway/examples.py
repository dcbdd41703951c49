"""The examples of the OpenAPI document: requests, and what each is answered.

All are of one moment. Exam 1 has a board of two: alice (user 2, session 1) has handed in coding and
quiz, bob (user 3, session 2) coding. Carol (user 4) has not begun, dave (user 5, session 3) has
finished without a score; user 1 is an administrator. tests/test_openapi_examples.py sends them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.errors import FieldError, Problem

Claims = dict[str, str]

ADMIN = {"sub": "1", "role": "admin"}
ALICE = {"sub": "2", "role": "candidate"}
BOB = {"sub": "3", "role": "candidate"}
VIEWER = {"sub": "3", "role": "viewer"}
NOBODY: Claims = {}
NONE = 999_999_999_999


@dataclass(frozen=True)
class Example:
    """A request and its answer.

    request: its path, query, headers and body, whole. Where a schema refuses it, or it is the same
    for many operations, there is none, and `change` says what differs from the operation's first
    example: the same four, or `text` in place of a body, or `padding`, so many spaces behind it.
    """

    name: str
    summary: str
    status: int
    answer: Any = None
    caller: Claims = field(default_factory=ADMIN.copy)
    request: dict[str, Any] | None = None
    change: dict[str, Any] = field(default_factory=dict)
    # Of the answer, as far as they are the same each time.
    headers: dict[str, str] = field(default_factory=dict)
    # Of the answer, where the operation has answers of several.
    media_type: str | None = None


def _problem(code: str, detail: str, pointer: str | None = None, **members: Any) -> dict[str, Any]:
    """Write a problem document; one that names a field says of it what it says of all."""
    message = members.pop("message", detail)
    errors = [FieldError(pointer, message)] if pointer else []
    return Problem(code, detail, errors, **members).body


def _refused(name: str, summary: str, code: str, detail: str, *rest: Any, **how: Any) -> Example:
    """Describe a refusal, by the code of the catalog."""
    request = {key: how.pop(key) for key in ("caller", "request", "change") if key in how}
    body = _problem(code, detail, *rest, **how)
    return Example(name, summary, body["status"], body, **request)


TIME = "2026-11-24T23:30:57.599598Z"
# Tells a revision from one of the same number in another history.
EPOCH = "5b1e0c7f92d4a638"
DEADLINE = "2026-11-25T02:30:57.556077Z"

WEIGHTS = {"weight_coding": 50.0, "weight_quiz": 30.0, "weight_assessment": 20.0}
LISTED_EXAM = {
    "exam_id": 1,
    "title": "Backend Challenge 2026",
    **WEIGHTS,
    "max_attempts": 1,
    "attempt_policy": "best",
    "starts_at": None,
    "ends_at": None,
    "duration_sec": 10800,
    "submissions_by": "candidates",
    "board_access": "signed_in",
    "board_names": "full",
    "created_at": TIME,
    "total_participants": 2,
    "weights": {"coding": 50.0, "quiz": 30.0, "assessment": 20.0},
}
EXAM = LISTED_EXAM | {"revision": 3}

SESSION = {
    "session_id": 1,
    "exam_id": 1,
    "user_id": 2,
    "attempt_no": 1,
    "status": "in_progress",
    "version": 2,
    "total_score": 69.75,
    "weighted_coding": 42.75,
    "weighted_quiz": 27.0,
    "weighted_assessment": None,
    "total_time_sec": 3300,
    "started_at": TIME,
    "deadline_at": DEADLINE,
    "finished_at": None,
}
NEW_SESSION = SESSION | {
    "session_id": 4,
    "user_id": 4,
    "version": 0,
    "total_score": 0.0,
    "weighted_coding": None,
    "weighted_quiz": None,
    "total_time_sec": 0,
}
DETAILS = {"test_cases_total": 20, "test_cases_passed": 17}

ALICE_ENTRY = {
    "rank": 1,
    "user_id": 2,
    "username": "alice",
    "full_name": "Alice Chen",
    "total_score": 69.75,
    "total_time_sec": 3300,
}
BOB_ENTRY = {
    "rank": 2,
    "user_id": 3,
    "username": "bob",
    "full_name": "Bob Novak",
    "total_score": 35.0,
    "total_time_sec": 1800,
}
ALICE_USER = {
    "user_id": 2,
    "username": "alice",
    "full_name": "Alice Chen",
    "role": "candidate",
    "created_at": TIME,
}
BOARD = {
    "exam_id": 1,
    "exam_title": "Backend Challenge 2026",
    "total_participants": 2,
    "revision": 3,
    "leaderboard": [ALICE_ENTRY, BOB_ENTRY],
}
PAGE = BOARD | {"page": 1, "per_page": 50, "cached": False}

SUBMISSION = {
    "session_id": 1,
    "module_type": "assessment",
    "raw_score": 70,
    "max_score": 100,
    "time_spent_sec": 900,
}
# Alice's first, as it was sent.
FIRST = {
    "session_id": 1,
    "module_type": "coding",
    "raw_score": 85.5,
    "max_score": 100,
    "time_spent_sec": 2400,
    "details": DETAILS,
}
FIRST_KEY = "alice-coding-1"
ACCEPTED = {
    "message": "Score submitted",
    "submission_id": "alice-assessment-1",
    "replayed": False,
    "version": 3,
    "revision": 4,
    "leaderboard_entry": {
        "rank": 1,
        "total_score": 83.75,
        "weighted_coding": 42.75,
        "weighted_quiz": 27.0,
        "weighted_assessment": 14.0,
        "total_time_sec": 4200,
    },
}
REPLAYED = {
    "message": "Score submitted",
    "submission_id": FIRST_KEY,
    "replayed": True,
    "version": 1,
    "revision": 1,
    "leaderboard_entry": {
        "rank": 1,
        "total_score": 42.75,
        "weighted_coding": 42.75,
        "weighted_quiz": 0.0,
        "weighted_assessment": 0.0,
        "total_time_sec": 2400,
    },
}


def _event(kind: str, after: int, submissions: int, reasons: str) -> dict[str, str]:
    """Write an event of a stream, as a client is handed it."""
    return {
        "event": kind,
        "id": f"3-{EPOCH}",
        "data": f'{{"exam_id":1,"after":{after},"revision":3,"submissions":{submissions},'
        f'"reasons":{reasons},"total_participants":2,"committed_at":"{TIME}"}}',
    }


# Of one refusal in many operations; `change` goes on the operation's first example.
SHARED = {
    example.name: example
    for example in (
        _refused(
            "token_missing",
            "without a token",
            "token_missing",
            "send the header Authorization: Bearer <token>",
            caller=NOBODY,
        ),
        _refused(
            "admins_only",
            "a candidate, where an administrator is needed",
            "forbidden",
            "this takes the role admin, not candidate",
            caller=BOB,
        ),
        _refused(
            "staff_only",
            "a candidate, where staff is needed",
            "forbidden",
            "this takes the role moderator or admin, not candidate",
            caller=BOB,
        ),
        _refused(
            "graders_only",
            "a candidate, where a grader is needed",
            "forbidden",
            "this takes the role grader, moderator or admin, not candidate",
            caller=BOB,
        ),
        _refused(
            "malformed_json",
            "NaN is not JSON",
            "malformed_json",
            "the body cannot be read: NaN is not JSON",
            change={"text": '{"session_id": NaN}'},
        ),
        _refused(
            "unsupported_media_type",
            "text/plain",
            "unsupported_media_type",
            "send the header Content-Type: application/json",
            change={"headers": {"Content-Type": "text/plain"}},
        ),
        _refused(
            "payload_too_large",
            "more than PODIUM_MAX_BODY_BYTES",
            "payload_too_large",
            "the body is larger than 1048576 bytes",
            change={"padding": 1024 * 1024},
        ),
        _refused(
            "rate_limited",
            "one too many from alice",
            "rate_limited",
            "user 2 has used up the limit of 600 requests; it is lifted in 37 s",
            caller=ALICE,
        ),
        _refused(
            "database_unavailable",
            "MySQL cannot be had",
            "database_unavailable",
            "the database cannot be had in time; nothing was changed",
        ),
    )
}

# By operationId; of each the first is the one that `change` goes on.
EXAMPLES: dict[str, list[Example]] = {
    "create_user": [
        Example(
            "created",
            "a new candidate",
            201,
            {
                "user_id": 6,
                "username": "erin",
                "full_name": "Erin Walsh",
                "role": "candidate",
                "created_at": TIME,
            },
            request={
                "headers": {"Idempotency-Key": "erin-1"},
                "body": {"username": "erin", "full_name": "Erin Walsh", "role": "candidate"},
            },
        ),
        _refused(
            "username_taken",
            "there is an alice already",
            "username_taken",
            "the user name alice is taken",
            "/username",
            request={"body": {"username": "alice", "full_name": "Another", "role": "candidate"}},
        ),
        _refused(
            "role_invalid",
            "a role that does not exist",
            "role_invalid",
            'role must be one of candidate, viewer, grader, moderator, admin, not "root"',
            "/role",
            message='must be one of candidate, viewer, grader, moderator, admin, not "root"',
            change={"body": {"role": "root"}},
        ),
        _refused(
            "username_invalid",
            "a name that would turn what follows it",
            "username_invalid",
            "username holds U+202E, which it must not",
            "/username",
            request={
                "body": {"username": "\u202eecila", "full_name": "Alice", "role": "candidate"}
            },
        ),
    ],
    "find_users": [
        Example(
            "found",
            "whose name that is",
            200,
            {"users": [ALICE_USER]},
            request={"query": {"username": "alice"}},
        ),
        Example(
            "nobody",
            "a name that nobody has",
            200,
            {"users": []},
            request={"query": {"username": "nobody"}},
        ),
        _refused(
            "username_invalid",
            "no name at all",
            "username_invalid",
            "username must not be empty",
            "/username",
            message="must not be empty",
            change={"query": {"username": ""}},
        ),
    ],
    "get_user": [
        Example("user", "alice", 200, ALICE_USER, request={"path": {"user_id": 2}}),
        _refused(
            "forbidden",
            "alice would like to know who bob is",
            "forbidden",
            "this takes the role of staff, unless it is about oneself",
            caller=ALICE,
            request={"path": {"user_id": 3}},
        ),
        _refused(
            "user_not_found",
            "nobody has the id",
            "user_not_found",
            f"user {NONE} does not exist",
            "/user_id",
            request={"path": {"user_id": NONE}},
        ),
    ],
    "update_user": [
        Example(
            "renamed",
            "alice is called something else now",
            200,
            ALICE_USER | {"full_name": "Alice Chen-Novak"},
            request={"path": {"user_id": 2}, "body": {"full_name": "Alice Chen-Novak"}},
        ),
        _refused(
            "username_taken",
            "there is a bob already",
            "username_taken",
            "the user name bob is taken",
            "/username",
            request={"path": {"user_id": 2}, "body": {"username": "bob"}},
        ),
        _refused(
            "user_not_found",
            "nobody has the id",
            "user_not_found",
            f"user {NONE} does not exist",
            "/user_id",
            request={"path": {"user_id": NONE}, "body": {"full_name": "Nobody"}},
        ),
        _refused(
            "role_invalid",
            "a role stays what it is",
            "role_invalid",
            "role is not known here",
            "/role",
            message="is not known here",
            change={"body": {"role": "admin"}},
        ),
    ],
    "create_exam": [
        Example(
            "created",
            "three hours an attempt",
            201,
            EXAM
            | {"exam_id": 2, "title": "Frontend Challenge", "total_participants": 0}
            | {"revision": 0, "submissions_by": "graders"},
            request={
                "headers": {"Idempotency-Key": "frontend-1"},
                "body": {
                    "title": "Frontend Challenge",
                    "weights": {"coding": 50, "quiz": 30, "assessment": 20},
                    "duration_sec": 10800,
                },
            },
        ),
        _refused(
            "idempotency_key_reused",
            "a key that has created something else",
            "idempotency_key_reused",
            "Idempotency-Key stands for another call, which created exam 1",
            request={
                "headers": {"Idempotency-Key": "backend-1"},
                "body": {"title": "Frontend Challenge"},
            },
        ),
        _refused(
            "weights_invalid",
            "weights that do not sum to 100",
            "weights_invalid",
            "the weights sum to 99.99, not to 100",
            "/weights",
            change={"body": {"weights": {"coding": 50, "quiz": 30, "assessment": 19.99}}},
        ),
    ],
    "list_exams": [
        Example(
            "page",
            "one at a time",
            200,
            {"exams": [LISTED_EXAM], "next_after": 1},
            request={"query": {"after": 0, "limit": 1}},
        ),
        _refused(
            "limit_invalid",
            "more than fit an answer",
            "limit_invalid",
            "limit must be at most 1000, not 5000",
            "/limit",
            message="must be at most 1000, not 5000",
            change={"query": {"limit": 5000}},
        ),
    ],
    "get_exam": [
        Example("exam", "an exam", 200, EXAM, request={"path": {"exam_id": 1}}),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"path": {"exam_id": NONE}},
        ),
    ],
    "update_exam": [
        Example(
            "reweighted",
            "coding counts less, the quiz more",
            200,
            EXAM
            | {"weight_coding": 40.0, "weight_quiz": 40.0, "revision": 4}
            | {"weights": {"coding": 40.0, "quiz": 40.0, "assessment": 20.0}},
            request={
                "path": {"exam_id": 1},
                "body": {"weights": {"coding": 40, "quiz": 40, "assessment": 20}},
            },
        ),
        Example(
            "restricted",
            "no candidate submits or sees who the others are",
            200,
            EXAM
            | {"submissions_by": "graders", "board_access": "participants"}
            | {"board_names": "hidden", "revision": 4},
            request={
                "path": {"exam_id": 1},
                "body": {
                    "submissions_by": "graders",
                    "board_access": "participants",
                    "board_names": "hidden",
                },
            },
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={
                "path": {"exam_id": NONE},
                "body": {"weights": {"coding": 40, "quiz": 40, "assessment": 20}},
            },
        ),
        _refused(
            "weights_invalid",
            "weights that do not sum to 100",
            "weights_invalid",
            "the weights sum to 101.00, not to 100",
            "/weights",
            change={"body": {"weights": {"coding": 40, "quiz": 40, "assessment": 21}}},
        ),
    ],
    "start_session": [
        Example(
            "started",
            "carol begins",
            201,
            NEW_SESSION,
            {"sub": "4", "role": "candidate"},
            request={
                "headers": {"Idempotency-Key": "carol-1"},
                "body": {"exam_id": 1, "user_id": 4},
            },
        ),
        Example(
            "in_progress",
            "alice has begun already",
            200,
            SESSION,
            ALICE,
            request={"body": {"exam_id": 1, "user_id": 2}},
        ),
        _refused(
            "not_own_session",
            "bob cannot begin for carol",
            "not_own_session",
            "a candidate starts their own sessions only",
            "/session_id",
            caller=BOB,
            request={"body": {"exam_id": 1, "user_id": 4}},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"body": {"exam_id": NONE, "user_id": 4}},
        ),
        _refused(
            "attempts_exhausted",
            "dave has finished their only attempt",
            "attempts_exhausted",
            "user 5 has used the one attempt at exam 1",
            "/exam_id",
            request={"body": {"exam_id": 1, "user_id": 5}},
        ),
        _refused(
            "invalid_value",
            "an id that is none",
            "invalid_value",
            "user_id must be at least 1, not 0",
            "/user_id",
            message="must be at least 1, not 0",
            change={"body": {"user_id": 0}},
        ),
    ],
    "list_sessions": [
        Example(
            "sessions",
            "who is sitting an exam, one at a time",
            200,
            {"sessions": [SESSION], "next_after": 1},
            request={"query": {"exam_id": 1, "status": "in_progress", "after": 0, "limit": 1}},
        ),
        Example(
            "own",
            "bob's in all exams",
            200,
            {
                "sessions": [
                    SESSION
                    | {"session_id": 2, "user_id": 3, "version": 1, "total_score": 35.0}
                    | {"weighted_coding": 35.0, "weighted_quiz": None, "total_time_sec": 1800}
                ],
                "next_after": None,
            },
            BOB,
            request={"query": {"user_id": 3}},
        ),
        _refused(
            "not_own_session",
            "bob asks for alice's",
            "not_own_session",
            "a candidate sees their own sessions only",
            "/session_id",
            caller=BOB,
            request={"query": {"user_id": 2}},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"query": {"exam_id": NONE}},
        ),
        _refused(
            "status_invalid",
            "a status that does not exist",
            "status_invalid",
            'status must be one of in_progress, finished, not "expired"',
            "/status",
            message='must be one of in_progress, finished, not "expired"',
            change={"query": {"status": "expired"}},
        ),
    ],
    "get_session": [
        Example(
            "session",
            "alice looks at her own",
            200,
            SESSION
            | {
                "modules": [
                    {
                        "module_type": "coding",
                        "raw_score": 85.5,
                        "max_score": 100.0,
                        "weighted_score": 42.75,
                        "time_spent_sec": 2400,
                        "details": DETAILS,
                        "submitted_at": TIME,
                    },
                    {
                        "module_type": "quiz",
                        "raw_score": 90.0,
                        "max_score": 100.0,
                        "weighted_score": 27.0,
                        "time_spent_sec": 900,
                        "details": None,
                        "submitted_at": TIME,
                    },
                ]
            },
            ALICE,
            request={"path": {"session_id": 1}},
        ),
        _refused(
            "no_viewers",
            "viewers have no part in sessions",
            "forbidden",
            "this takes the role candidate, grader, moderator or admin, not viewer",
            caller=VIEWER,
            change={},
        ),
        _refused(
            "hidden",
            "bob cannot look at alice's: for them there is no such session",
            "session_not_found",
            "session 1 does not exist",
            "/session_id",
            caller=BOB,
            change={},
        ),
        _refused(
            "session_not_found",
            "a session that does not exist",
            "session_not_found",
            f"session {NONE} does not exist",
            "/session_id",
            request={"path": {"session_id": NONE}},
        ),
    ],
    "finish_session": [
        Example(
            "finished",
            "alice hands in",
            200,
            SESSION | {"status": "finished", "finished_at": TIME},
            ALICE,
            request={"path": {"session_id": 1}},
        ),
        _refused(
            "no_viewers",
            "viewers have no part in sessions",
            "forbidden",
            "this takes the role candidate, moderator or admin, not viewer",
            caller=VIEWER,
            change={},
        ),
        _refused(
            "hidden",
            "bob cannot finish alice's: for them there is no such session",
            "session_not_found",
            "session 1 does not exist",
            "/session_id",
            caller=BOB,
            change={},
        ),
        _refused(
            "session_not_found",
            "a session that does not exist",
            "session_not_found",
            f"session {NONE} does not exist",
            "/session_id",
            request={"path": {"session_id": NONE}},
        ),
    ],
    "submit_score": [
        Example(
            "accepted",
            "alice's third module",
            200,
            ACCEPTED,
            ALICE,
            request={
                "headers": {"Idempotency-Key": "alice-assessment-1"},
                "body": SUBMISSION | {"expected_version": 2},
            },
        ),
        Example(
            "replayed",
            "alice's first once more: the first outcome, and nothing is changed",
            200,
            REPLAYED,
            ALICE,
            request={"headers": {"Idempotency-Key": FIRST_KEY}, "body": FIRST},
        ),
        _refused(
            "no_viewers",
            "viewers have no part in sessions",
            "forbidden",
            "this takes the role candidate, grader, moderator or admin, not viewer",
            caller=VIEWER,
            change={},
        ),
        _refused(
            "hidden",
            "bob cannot submit for alice: for them there is no such session",
            "session_not_found",
            "session 1 does not exist",
            "/session_id",
            caller=BOB,
            change={},
        ),
        _refused(
            "session_not_found",
            "a session that does not exist",
            "session_not_found",
            f"session {NONE} does not exist",
            "/session_id",
            request={"body": SUBMISSION | {"session_id": NONE}},
        ),
        _refused(
            "version_conflict",
            "somebody else's submission came first",
            "version_conflict",
            "session 1 is at version 2, not 0",
            "/expected_version",
            current_version=2,
            caller=ALICE,
            request={"body": SUBMISSION | {"expected_version": 0}},
        ),
        _refused(
            "submission_id_reused",
            "alice's first id with another score",
            "submission_id_reused",
            "this submission id came with other values before; take a new one",
            "/submission_id",
            caller=ALICE,
            request={
                "headers": {"Idempotency-Key": FIRST_KEY},
                "body": FIRST | {"raw_score": 99},
            },
        ),
        _refused(
            "session_finished",
            "dave has handed in",
            "session_finished",
            "session 3 is finished",
            "/session_id",
            caller={"sub": "5", "role": "candidate"},
            request={"body": SUBMISSION | {"session_id": 3}},
        ),
        _refused(
            "raw_score_invalid",
            "more points than there are",
            "raw_score_invalid",
            "raw_score must be a number from 0 to max_score",
            "/raw_score",
            change={"body": {"raw_score": 120}},
        ),
    ],
    "submit_scores": [
        Example(
            "results",
            "one is accepted, two are refused",
            200,
            {
                "results": [
                    {
                        "status": 200,
                        "message": "Score submitted",
                        "submission_id": "bob-quiz-1",
                        "replayed": False,
                        "version": 2,
                        "revision": 4,
                        "leaderboard_entry": {
                            "rank": 2,
                            "total_score": 59.0,
                            "weighted_coding": 35.0,
                            "weighted_quiz": 24.0,
                            "weighted_assessment": 0.0,
                            "total_time_sec": 2400,
                        },
                    },
                    _problem(
                        "session_not_found",
                        f"session {NONE} does not exist",
                        "/submissions/1/session_id",
                    ),
                    _problem(
                        "version_conflict",
                        "session 1 is at version 2, not 1",
                        "/submissions/2/expected_version",
                        current_version=2,
                    ),
                ]
            },
            request={
                "body": {
                    "submissions": [
                        {
                            "session_id": 2,
                            "module_type": "quiz",
                            "raw_score": 80,
                            "max_score": 100,
                            "time_spent_sec": 600,
                            "submission_id": "bob-quiz-1",
                        },
                        SUBMISSION | {"session_id": NONE},
                        SUBMISSION | {"expected_version": 1},
                    ]
                }
            },
        ),
        _refused(
            "no_submissions",
            "none at all",
            "invalid_value",
            "submissions must not be empty",
            "/submissions",
            message="must not be empty",
            change={"body": {"submissions": []}},
        ),
    ],
    "get_leaderboard": [
        Example(
            "page",
            "as staff sees it",
            200,
            PAGE | {"my_entry": None},
            request={"query": {"exam_id": 1, "page": 1, "per_page": 50}},
            headers={"ETag": f'W/"3-{EPOCH}"'},
        ),
        Example(
            "own_entry",
            "as alice sees it",
            200,
            PAGE | {"my_entry": ALICE_ENTRY},
            ALICE,
            request={"query": {"exam_id": 1, "page": 1, "per_page": 50}},
            headers={"ETag": f'W/"3-{EPOCH}"'},
        ),
        Example(
            "unchanged",
            "the tag is known: `*` is any",
            304,
            request={"query": {"exam_id": 1}, "headers": {"If-None-Match": "*"}},
            headers={"ETag": f'W/"3-{EPOCH}"'},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"query": {"exam_id": NONE}},
        ),
        _refused(
            "per_page_invalid",
            "a page of nothing",
            "per_page_invalid",
            "per_page must be at least 1, not 0",
            "/per_page",
            message="must be at least 1, not 0",
            change={"query": {"per_page": 0}},
        ),
    ],
    "get_around": [
        Example(
            "around",
            "bob, and who stands above him",
            200,
            BOARD | {"user_id": 3, "window": 5},
            request={"query": {"exam_id": 1, "user_id": 3, "window": 5}},
        ),
        _refused(
            "entry_not_found",
            "carol has no score yet",
            "entry_not_found",
            "user 4 has no score in exam 1",
            "/user_id",
            request={"query": {"exam_id": 1, "user_id": 4}},
        ),
        _refused(
            "window_invalid",
            "a window too wide",
            "window_invalid",
            "window must be at most 100, not 1000",
            "/window",
            message="must be at most 100, not 1000",
            change={"query": {"window": 1000}},
        ),
    ],
    "get_entry": [
        Example(
            "entry",
            "alice is first",
            200,
            ALICE_ENTRY
            | {
                "exam_id": 1,
                "revision": 3,
                "weighted_coding": 42.75,
                "weighted_quiz": 27.0,
                "weighted_assessment": 0.0,
                "session_id": 1,
                "attempt_no": 1,
            },
            request={"path": {"user_id": 2}, "query": {"exam_id": 1}},
        ),
        Example(
            "others",
            "what bob sees of alice: what the board shows",
            200,
            {"exam_id": 1, "revision": 3} | ALICE_ENTRY,
            caller=BOB,
            request={"path": {"user_id": 2}, "query": {"exam_id": 1}},
        ),
        _refused(
            "entry_not_found",
            "carol has no score yet",
            "entry_not_found",
            "user 4 has no score in exam 1",
            "/user_id",
            request={"path": {"user_id": 4}, "query": {"exam_id": 1}},
        ),
        _refused(
            "invalid_value",
            "an id that is none",
            "invalid_value",
            "exam_id must be at least 1, not 0",
            "/exam_id",
            message="must be at least 1, not 0",
            change={"query": {"exam_id": 0}},
        ),
    ],
    "get_stream": [
        Example(
            "opened",
            "where the board stands",
            200,
            _event("revision", 3, 0, "[]"),
            request={"query": {"exam_id": 1}},
        ),
        Example(
            "resumed",
            "what has come since revision 1",
            200,
            _event("revision", 1, 2, '["submissions"]'),
            request={"query": {"exam_id": 1}, "headers": {"Last-Event-ID": "1"}},
        ),
        Example(
            "reset",
            "a revision that this board has not reached: it is another history's",
            200,
            _event("reset", 3, 0, "[]"),
            request={"query": {"exam_id": 1}, "headers": {"Last-Event-ID": "9"}},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"query": {"exam_id": NONE}},
        ),
        _refused(
            "last_event_id_invalid",
            "an id that no event has",
            "invalid_value",
            "Last-Event-ID must be the id of an event of this stream",
            "/Last-Event-ID",
            message="must be the id of an event of this stream",
            change={"headers": {"Last-Event-ID": "x"}},
        ),
        _refused(
            "too_many_streams",
            "no place is left",
            "too_many_streams",
            "this gateway has 200 streams open already; poll with If-None-Match meanwhile",
            change={},
        ),
    ],
    "recalculate": [
        Example(
            "recalculated",
            "two entries",
            200,
            {"exam_id": 1, "revision": 4, "total_participants": 2},
            request={"body": {"exam_id": 1}},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"body": {"exam_id": NONE}},
        ),
        _refused(
            "invalid_value",
            "an id that is none",
            "invalid_value",
            "exam_id must be at least 1, not 0",
            "/exam_id",
            message="must be at least 1, not 0",
            change={"body": {"exam_id": 0}},
        ),
    ],
    "get_audit_trail": [
        Example(
            "page",
            "alice's first submission",
            200,
            {
                "entries": [
                    {
                        "audit_id": 1,
                        "submission_id": FIRST_KEY,
                        "revision": 1,
                        "exam_id": 1,
                        "session_id": 1,
                        "user_id": 2,
                        "module_type": "coding",
                        "actor_id": 2,
                        "actor": "user:2",
                        "account": "podium_app@localhost",
                        "version": 1,
                        "old_raw_score": None,
                        "old_max_score": None,
                        "old_weighted_score": None,
                        "old_time_spent_sec": None,
                        "new_raw_score": 85.5,
                        "new_max_score": 100.0,
                        "new_weighted_score": 42.75,
                        "new_time_spent_sec": 2400,
                        "old_total_score": 0.0,
                        "new_total_score": 42.75,
                        "rank": 1,
                        "details": DETAILS,
                        "request_id": "3f9c2b7e4d1a4c0f-42",
                        "created_at": TIME,
                    }
                ],
                "next_after": 1,
            },
            request={"query": {"exam_id": 1, "session_id": 1, "after": 0, "limit": 1}},
        ),
        _refused(
            "exam_not_found",
            "an exam that does not exist",
            "exam_not_found",
            f"exam {NONE} does not exist",
            "/exam_id",
            request={"query": {"exam_id": NONE}},
        ),
        _refused(
            "limit_invalid",
            "a page of nothing",
            "limit_invalid",
            "limit must be at least 1, not 0",
            "/limit",
            message="must be at least 1, not 0",
            change={"query": {"limit": 0}},
        ),
    ],
    "healthz": [Example("alive", "the process lives", 200, {"status": "ok"}, NOBODY, request={})],
    "readyz": [Example("ready", "it can serve", 200, {"status": "ready"}, NOBODY, request={})],
    "metrics": [
        Example(
            "metrics",
            "two of the series",
            200,
            "# HELP podium_open_streams Open streams of boards\n"
            "# TYPE podium_open_streams gauge\n"
            "podium_open_streams 0.0\n"
            "# HELP podium_pool_waits_total CALLs that found all connections to MySQL busy\n"
            "# TYPE podium_pool_waits_total counter\n"
            "podium_pool_waits_total 0.0\n",
            request={},
        )
    ],
    "static_file": [
        Example(
            "icon",
            "the icon of the pages",
            200,
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28">'
            '<rect width="28" height="28" rx="7" fill="#1f5fbf"/>'
            '<path fill="#fff" d="M4 16h6v7H4zm14 2h6v5h-6zm-7-8h6v13h-6z"/></svg>\n',
            NOBODY,
            request={"path": {"name": "icon.svg"}},
            media_type="image/svg+xml",
        ),
        _refused(
            "route_not_found",
            "no such file",
            "route_not_found",
            "there is no file main.css",
            caller=NOBODY,
            request={"path": {"name": "main.css"}},
        ),
    ],
}
