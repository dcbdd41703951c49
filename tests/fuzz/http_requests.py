"""Requests over every call of the contract, from nearly sound to nearly none."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.client import PREFIX, token
from tests.fuzz.json_traps import TEXTS, Members, encoded, hostile_value, spoil, written

# The HTTP server itself refuses a longer one.
LONGEST_TARGET = 60_000
MODULES = ("coding", "quiz", "assessment")
IDS = (
    "0", "-1", "1e3", "1.0", "+1", "00001", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "9" * 30, "9" * 5000, "a", "%00", "1%00",
    "%2f", "1%2f2", "..", "%2e%2e%2f", "%ff", "%ed%a0%80", "%D9%A1", "%zz", "%", "1;x=2", "",
    "1%20", "%EF%BC%91",
)  # fmt: skip
PARAMETERS = (
    "exam_id", "page", "per_page", "user_id", "window", "after", "limit", "session_id", "unknown",
    "%00", "exam_id[]", "",
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get")
MEDIA_TYPES = (
    "application/json; charset=utf-8", "application/json; charset=utf-16", "APPLICATION/JSON",
    "application/json;charset=\"latin-1\"", "application/json; ;;=", "text/json", "text/plain",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/vnd.api+json", "application/json, text/plain", "json", "", "\xff", "*/*",
)  # fmt: skip
HEADERS = (
    ("Idempotency-Key", "delimiter it's"), ("Idempotency-Key", "\xe9\xff"),
    ("Idempotency-Key", "a" * 65), ("Idempotency-Key", '""'), ("Idempotency-Key", '"'),
    ("Idempotency-Key", ""), ("If-None-Match", "*"), ("If-None-Match", 'W/"\xff", "'),
    ("If-None-Match", 'W/"0", W/"1"'), ("Range", "bytes=9-1"), ("If-Modified-Since", "never"),
    ("Content-Encoding", "gzip"), ("Accept", "text/html;q=x"), ("Accept-Encoding", "br;q=9"),
    ("Expect", "100-continue"), ("Expect", "the unexpected"), ("X-Forwarded-Host", "\x80"),
    ("X-Forwarded-For", "::1, " * 100), ("Cookie", "=;;\xff" * 50), ("Last-Event-ID", "1e400"),
    ("X-Filler", "a" * 8_000), ("X-Filler", "a" * 60_000), ("Upgrade", "h2c"),
    ("X-HTTP-Method-Override", "DELETE"), ("Authorization", "Bearer x"),
    ("Forwarded", 'for="_\x01'),
)  # fmt: skip
TOKENS = ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer \xe9\xff.a.b",
          "Bearer " + "e" * 9_000, "bearer null", "Bearer eyJhbGciOiJub25lIn0.e30.")  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A call of the contract: its fields or parameters, written as they may be."""

    method: str
    path: str
    members: Callable[[Ground, random.Random], Members] | None = None
    parameters: tuple[str, ...] = ()


@dataclass
class Ground:
    """What exists for the requests to name, and who may name it."""

    secret: str
    exams: list[int]
    sessions: list[int]
    users: list[int]
    staff_id: int
    submission_ids: list[str] = field(default_factory=lambda: [f"fuzz-{n}" for n in range(20)])


@dataclass(frozen=True)
class Request:
    """A request as bytes. Sound: an answer is owed, and a problem document where it is refused.

    Whole: nothing that it announces is missing at its end.
    """

    method: str
    head: bytes
    body: bytes
    sound: bool
    whole: bool

    @property
    def bytes(self) -> bytes:
        """Return what goes over the wire."""
        return self.head + b"\r\n" + self.body


def _user(ground: Ground, rng: random.Random) -> Members:
    name = json.dumps(f"fuzz {rng.random()}")
    return [("username", name), ("full_name", name), ("role", '"candidate"')]


def _names(ground: Ground, rng: random.Random) -> Members:
    name = json.dumps(f"fuzz {rng.random()}")
    return rng.choice(([("username", name)], [("full_name", name)], _user(ground, rng)[:2]))


def _exam(ground: Ground, rng: random.Random) -> Members:
    return [
        ("title", '"An exam"'),
        ("weights", '{"coding": 33.34, "quiz": 33.33, "assessment": 33.33}'),
        ("max_attempts", "2"),
        ("attempt_policy", '"best"'),
        ("starts_at", '"2020-01-01T00:00:00Z"'),
        ("ends_at", "null"),
        ("duration_sec", "3600"),
        ("submissions_by", '"candidates"'),
        ("board_access", '"participants"'),
        ("board_names", '"hidden"'),
    ]


def _weights(ground: Ground, rng: random.Random) -> Members:
    a, b, c = rng.choice(((50, 30, 20), (0, 0, 100), (12.5, 37.5, 50), (33.34, 33.33, 33.33)))
    weights = [("coding", str(a)), ("quiz", str(b)), ("assessment", str(c))]
    return [("weights", written(rng, spoil(rng, weights) if rng.random() < 0.5 else weights))]


def _change(ground: Ground, rng: random.Random) -> Members:
    return rng.sample(_exam(ground, rng), rng.choice((0, 1, 1, 2, 5)))


def _session(ground: Ground, rng: random.Random) -> Members:
    return [
        ("exam_id", str(rng.choice(ground.exams))),
        ("user_id", str(rng.choice(ground.users))),
    ]


def _submission(ground: Ground, rng: random.Random) -> Members:
    return [
        ("session_id", str(rng.choice(ground.sessions))),
        ("module_type", json.dumps(rng.choice(MODULES))),
        ("raw_score", str(rng.choice((0, 1, 50, 33.3333, 85.5)))),
        ("max_score", "100"),
        ("time_spent_sec", str(rng.choice((0, 60, 2400)))),
        ("details", '{"test_cases_passed": 17}'),
        ("expected_version", rng.choice(("null", "null", "0", "3"))),
        ("submission_id", json.dumps(rng.choice((None, *ground.submission_ids)))),
    ]


def _batch(ground: Ground, rng: random.Random) -> Members:
    items = []
    for _ in range(rng.choice((0, 1, 3, 3, 3, 30, 1001))):
        item = _submission(ground, rng)
        items.append(written(rng, spoil(rng, item) if rng.random() < 0.3 else item))
    return [("submissions", f"[{','.join(items)}]")]


def _board(ground: Ground, rng: random.Random) -> Members:
    return [("exam_id", str(rng.choice(ground.exams)))]


CALLS = (
    Call("POST", "/users", _user),
    Call("GET", "/users", None, ("username",)),
    Call("GET", "/users/{user_id}"),
    Call("PATCH", "/users/{user_id}", _names),
    Call("POST", "/exams", _exam),
    Call("GET", "/exams", None, ("after", "limit")),
    Call("GET", "/exams/{exam_id}"),
    Call("PATCH", "/exams/{exam_id}", _weights),
    Call("PATCH", "/exams/{exam_id}", _change),
    Call("POST", "/sessions", _session),
    Call("GET", "/sessions", None, ("exam_id", "user_id", "status", "after", "limit")),
    Call("GET", "/sessions/{session_id}"),
    Call("PATCH", "/sessions/{session_id}/finish"),
    Call("POST", "/scores", _submission),
    Call("POST", "/scores", _submission),
    Call("POST", "/scores/batch", _batch),
    Call("GET", "/leaderboard", None, ("exam_id", "page", "per_page")),
    Call("GET", "/leaderboard/stream", None, ("exam_id",)),
    Call("GET", "/leaderboard/around", None, ("exam_id", "user_id", "window")),
    Call("GET", "/leaderboard/entries/{user_id}", None, ("exam_id",)),
    Call("POST", "/leaderboard/recalculate", _board),
    Call("GET", "/audit", None, ("exam_id", "session_id", "after", "limit")),
)
OPEN = ("/healthz", "/readyz", "/openapi.json", "/", "//", "/docs", "/metrics", "/api/v1", "/api/")


def make_request(ground: Ground, rng: random.Random) -> Request:
    """Make a request: a call of the contract, most often spoilt in one layer, seldom in all."""
    call = rng.choice(CALLS)
    method = call.method if rng.random() < 0.95 else rng.choice(METHODS)
    target = _target(ground, rng, call)
    headers, line_sound = _headers(ground, rng), True
    body = b""
    if call.members is not None or rng.random() < 0.05:
        body = _body(ground, rng, call)
        media_type = "application/json" if rng.random() < 0.9 else rng.choice(MEDIA_TYPES)
        headers.append(("Content-Type", media_type))
    version = "HTTP/1.1"
    if rng.random() < 0.06:
        line_sound = False
        odd = rng.randrange(6)
        if odd == 0:
            version = rng.choice(("HTTP/1.0", "HTTP/2.0", "HTTP/9", "ICY", ""))
        elif odd == 1:
            target = rng.choice(("http://elsewhere.test:1", "ftp://x", "//x", "")) + target
        elif odd == 2:
            target = rng.choice(("*", "a:1", " ", "/a b", "/\x00", "/\xff", "/" + "a" * 70_000))
        elif odd == 3:
            headers = [(name, text) for name, text in headers if name != "Host"]
        elif odd == 4:
            headers.append(("Host", rng.choice(("a b", "\x80", "[::1", "x" * 300, "a:99999"))))
        else:
            headers += [(f"X-{n}", "a") for n in range(rng.choice((60, 150)))]
    framing, body, framed, whole = _framed(rng, body)
    if len(target) > LONGEST_TARGET:
        line_sound = False
    if any("\x00" in text or "\x01" in text or len(text) > 50_000 for _, text in headers):
        line_sound = False
    lines = [f"{method} {target} {version}", *(f"{name}: {text}" for name, text in headers)]
    head = "".join(f"{line}\r\n" for line in [*lines, *framing]).encode("latin-1", "replace")
    sound = framed and line_sound and method in METHODS[:8]
    return Request(method, head, body, sound, whole)


def _target(ground: Ground, rng: random.Random, call: Call) -> str:
    """Write where a request goes: path and query."""
    if rng.random() < 0.03:
        return rng.choice(OPEN)
    known: dict[str, Sequence[object]] = {
        "exam_id": ground.exams,
        "session_id": ground.sessions,
        "user_id": ground.users,
        "page": [1, 2, 1000],
        "per_page": [1, 50, 200],
        "window": [1, 5],
        "after": [0, 5],
        "limit": [1, 100],
        "status": ["in_progress", "finished"],
    }

    def number(name: str) -> str:
        if name == "username":
            return quote(rng.choice(("fuzz", *TEXTS)), safe="")
        return str(rng.choice(known[name])) if rng.random() < 0.85 else rng.choice(IDS)

    path = call.path
    for name in ("exam_id", "session_id", "user_id"):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", number(name))
    query = [(name, number(name)) for name in call.parameters if rng.random() < 0.8]
    if rng.random() < 0.1:
        query.append((rng.choice(PARAMETERS), quote(rng.choice(TEXTS[:40]), safe="")))
    if rng.random() < 0.03:
        query *= 2
    if rng.random() < 0.02:
        path = rng.choice((path + "/", path.upper(), path.replace("/", "//"), path + "%3f"))
    asked = "&".join(f"{name}={value}" for name, value in query)
    return PREFIX + path + (f"?{asked}" if asked else "")


def _headers(ground: Ground, rng: random.Random) -> list[tuple[str, str]]:
    """Write headers: who is calling, and now and then what only a hostile client sends."""
    headers = [("Host", "gateway"), ("Connection", "close")]
    if rng.random() < 0.96:
        role = rng.choice(("admin",) * 6 + ("moderator", "candidate"))
        user_id = rng.choice(ground.users) if role == "candidate" else ground.staff_id
        headers.append(("Authorization", f"Bearer {token(ground.secret, user_id, role)}"))
    else:
        headers.append(("Authorization", rng.choice(TOKENS)))
    if rng.random() < 0.15:
        headers += rng.sample(HEADERS, rng.randint(1, 3))
    return headers


def _body(ground: Ground, rng: random.Random, call: Call) -> bytes:
    """Write a body: a sound one in four, the others spoilt."""
    members = (call.members or _submission)(ground, rng)
    kind = rng.random()
    if kind < 0.25:
        return written(rng, members).encode()
    if kind < 0.85:
        return encoded(rng, written(rng, spoil(rng, members)))
    if kind < 0.95:
        return encoded(rng, hostile_value(rng))
    inner = written(rng, members)
    return encoded(rng, rng.choice((f"[{inner}]", f"{inner}{inner}", f"{inner},", f"\x00{inner}")))


def _framed(rng: random.Random, body: bytes) -> tuple[list[str], bytes, bool, bool]:
    """Say how long a body is, one time in eight wrongly: lines, body, if sound, if whole."""
    length = len(body)
    if rng.random() < 0.88:
        return ([f"Content-Length: {length}"] if body else []), body, True, True
    chunked = "Transfer-Encoding: chunked"
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (length, body) if body else b"0\r\n\r\n"
    return rng.choice(
        (
            ([chunked], chunks, True, True),
            ([chunked], b"1\r\n{\r\n" * 3 + chunks, True, True),
            ([chunked], b"zz\r\n" + chunks, False, True),
            ([chunked], b"f" * 18 + b"\r\n" + chunks, False, False),
            ([chunked], b"5;" + b"x" * 100 + b"\r\n" + body, False, False),
            ([chunked, f"Content-Length: {length}"], chunks, False, True),
            (["Transfer-Encoding: gzip, chunked"], chunks, False, True),
            (["Transfer-Encoding: identity"], body, False, True),
            ([f"Content-Length: {length}", "Content-Length: 1"], body, False, True),
            ([f"Content-Length: {length}", f"Content-Length: {length}"], body, False, True),
            (["Content-Length: -1"], body, False, True),
            (["Content-Length: +1"], body, False, True),
            (["Content-Length: 1e2"], body, False, True),
            (["Content-Length: 99999999999999999999"], body, False, True),
            (["Content-Length: 9223372036854775807"], body, False, False),
            ([f"Content-Length: {length + 10}"], body, False, False),
            ([f"Content-Length: {length // 2}"], body, False, True),
        )
    )
