"""Who may do what, cell by cell, and which tokens are none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from gateway import create_app
from gateway.auth import LEEWAY_SEC, ROLES
from gateway.config import Config
from tests.client import PREFIX, Answer, Api, token
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, make_user, submission, unique_name

# Who calls: nobody at all, a candidate, the candidate the call is about, and those of other roles.
CALLERS = ("nobody", "stranger", "owner", "viewer", "grader", "moderator", "admin")


@dataclass(frozen=True)
class People:
    """One of each, and the exam and session of the candidate `owner`, who may submit."""

    ids: dict[str, int]
    exam_id: int
    session_id: int
    # Of their submission, where they have sent one.
    key: str

    def call_as(self, api: Api, who: str) -> Api:
        """Return the gateway, called by one of them."""
        if who == "nobody":
            return api.with_token("")
        role = who if who in ROLES else "candidate"
        return api.as_user(self.ids[who], role)


@pytest.fixture
def people(api: Api) -> People:
    """Make everybody, and give the candidate a session of his own."""
    ids = {who: make_user(api) for who in ("stranger", "owner")}
    ids |= {role: make_user(api, role) for role in ROLES}
    exam_id = make_exam(api, submissions_by="candidates")
    session_id = make_session(api, exam_id, ids["owner"])
    return People(ids, exam_id, session_id, unique_name())


Call = Callable[[Api, People], Any]
Statuses = tuple[int, int, int, int, int, int, int]

# The status for each of CALLERS.
ACCESS: dict[str, tuple[Call, Statuses]] = {
    "POST /users": (
        lambda api, p: api.post(
            "/users", {"username": unique_name(), "full_name": "X", "role": "admin"}
        ),
        (401, 403, 403, 403, 403, 403, 201),
    ),
    "POST /exams": (
        lambda api, p: api.post("/exams", {"title": "T"}),
        (401, 403, 403, 403, 403, 403, 201),
    ),
    "GET /exams": (lambda api, p: api.get("/exams"), (401, 200, 200, 200, 200, 200, 200)),
    "GET /exams/<id>": (
        lambda api, p: api.get(f"/exams/{p.exam_id}"),
        (401, 200, 200, 200, 200, 200, 200),
    ),
    "GET /users": (
        lambda api, p: api.get("/users", username="nobody"),
        (401, 403, 403, 403, 403, 200, 200),
    ),
    "GET /users/<id>": (
        lambda api, p: api.get(f"/users/{p.ids['owner']}"),
        (401, 403, 200, 403, 403, 200, 200),
    ),
    "PATCH /users/<id>": (
        lambda api, p: api.patch(f"/users/{p.ids['owner']}", {"full_name": "Another"}),
        (401, 403, 403, 403, 403, 403, 200),
    ),
    "PATCH /exams/<id>": (
        lambda api, p: api.patch(
            f"/exams/{p.exam_id}", {"weights": {"coding": 1, "quiz": 1, "assessment": 98}}
        ),
        (401, 403, 403, 403, 403, 403, 200),
    ),
    "POST /sessions": (
        lambda api, p: api.post("/sessions", {"exam_id": p.exam_id, "user_id": p.ids["owner"]}),
        (401, 403, 200, 403, 403, 200, 200),
    ),
    "GET /sessions": (
        lambda api, p: api.get("/sessions", exam_id=p.exam_id),
        (401, 200, 200, 403, 200, 200, 200),
    ),
    "GET /sessions/<id>": (
        lambda api, p: api.get(f"/sessions/{p.session_id}"),
        (401, 404, 200, 403, 200, 200, 200),
    ),
    "PATCH /sessions/<id>/finish": (
        lambda api, p: api.patch(f"/sessions/{p.session_id}/finish"),
        (401, 404, 200, 403, 403, 200, 200),
    ),
    "POST /scores": (
        lambda api, p: api.post("/scores", submission(p.session_id)),
        (401, 404, 200, 403, 200, 200, 200),
    ),
    "POST /scores/batch": (
        lambda api, p: api.post("/scores/batch", {"submissions": [submission(p.session_id)]}),
        (401, 403, 403, 403, 200, 200, 200),
    ),
    "GET /leaderboard": (
        lambda api, p: api.get("/leaderboard", exam_id=p.exam_id),
        (401, 200, 200, 200, 200, 200, 200),
    ),
    # Nobody has a score yet: 404 is what those are told who may ask.
    "GET /leaderboard/around": (
        lambda api, p: api.get("/leaderboard/around", exam_id=p.exam_id, user_id=p.ids["owner"]),
        (401, 404, 404, 404, 404, 404, 404),
    ),
    "GET /leaderboard/entries/<id>": (
        lambda api, p: api.get(f"/leaderboard/entries/{p.ids['owner']}", exam_id=p.exam_id),
        (401, 404, 404, 404, 404, 404, 404),
    ),
    # The stream of a board would not end: of none, again 404.
    "GET /leaderboard/stream": (
        lambda api, p: api.get("/leaderboard/stream", exam_id=10**12),
        (401, 404, 404, 404, 404, 404, 404),
    ),
    "POST /leaderboard/recalculate": (
        lambda api, p: api.post("/leaderboard/recalculate", {"exam_id": p.exam_id}),
        (401, 403, 403, 403, 403, 403, 200),
    ),
    "GET /audit": (
        lambda api, p: api.get("/audit", exam_id=p.exam_id),
        (401, 403, 403, 403, 403, 200, 200),
    ),
}


# The same of an exam in which the candidate `owner` stands on the board.
ON_THE_BOARD: dict[str, tuple[Call, Statuses]] = {
    "GET /leaderboard/around": (
        ACCESS["GET /leaderboard/around"][0],
        (401, 200, 200, 200, 200, 200, 200),
    ),
    "GET /leaderboard/entries/<id>": (
        ACCESS["GET /leaderboard/entries/<id>"][0],
        (401, 200, 200, 200, 200, 200, 200),
    ),
    # Another candidate's submission again, its id known: the session decides, not the id.
    "POST /scores, replayed": (
        lambda api, p: api.post("/scores", submission(p.session_id, submission_id=p.key)),
        (401, 404, 200, 403, 200, 200, 200),
    ),
    "GET /sessions/<id>": (ACCESS["GET /sessions/<id>"][0], (401, 404, 200, 403, 200, 200, 200)),
    "GET /audit, of a session": (
        lambda api, p: api.get("/audit", exam_id=p.exam_id, session_id=p.session_id),
        (401, 403, 403, 403, 403, 200, 200),
    ),
    "HEAD /sessions/<id>": (
        lambda api, p: api.request("HEAD", f"/sessions/{p.session_id}"),
        (401, 404, 200, 403, 200, 200, 200),
    ),
    "HEAD /leaderboard": (
        lambda api, p: api.request("HEAD", "/leaderboard", query={"exam_id": p.exam_id}),
        (401, 200, 200, 200, 200, 200, 200),
    ),
    "HEAD /audit": (
        lambda api, p: api.request("HEAD", "/audit", query={"exam_id": p.exam_id}),
        (401, 403, 403, 403, 403, 200, 200),
    ),
}

# Open to everybody, whoever he says he is.
OPEN = ("//healthz", "//readyz", "//openapi.json", "//", "//docs")
# The files of the pages, open like them.
FILES = "GET /static/<path:name>"
# Takes a token of its own, see test_metrics.py.
METRICS = "GET /metrics"


@pytest.mark.parametrize("place", range(len(CALLERS)), ids=CALLERS)
@pytest.mark.parametrize("name", ACCESS)
def test_each_call_is_open_to_whom_it_should_be(
    api: Api, people: People, name: str, place: int, row_counts: Callable[[], dict[str, int]]
) -> None:
    call, statuses = ACCESS[name]
    before = row_counts()
    answer = call(people.call_as(api, CALLERS[place]), people)
    assert answer.status == statuses[place], answer.text
    if statuses[place] in (401, 403):
        assert row_counts() == before
    if statuses[place] == 401:
        assert answer.code == "token_missing"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("place", range(len(CALLERS)), ids=CALLERS)
@pytest.mark.parametrize("name", ON_THE_BOARD)
def test_each_call_about_a_scored_session_is_open_to_whom_it_should_be(
    api: Api, people: People, name: str, place: int, row_counts: Callable[[], dict[str, int]]
) -> None:
    first = submission(people.session_id, submission_id=people.key)
    assert api.post("/scores", first).status == 200
    call, statuses = ON_THE_BOARD[name]
    before = row_counts()
    answer = call(people.call_as(api, CALLERS[place]), people)
    assert answer.status == statuses[place], answer.text
    # A replay changes nothing either.
    assert row_counts() == before


def test_the_table_has_a_row_for_every_call() -> None:
    app = create_app(Config(mysql_url="mysql://x@127.0.0.1:1/podium", jwt_secret=SECRET))
    calls = {
        f"{method} {re.sub('<int:.*?>', '<id>', rule.rule).removeprefix(PREFIX)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert calls == set(ACCESS) | {f"GET {path[1:]}" for path in OPEN} | {FILES, METRICS}


@pytest.mark.parametrize("path", [*OPEN, "//static/main.js"])
@pytest.mark.parametrize("bearer", ["", "x.y.z"], ids=["no token", "a bad one"])
def test_an_open_call_is_open_to_everybody(api: Api, path: str, bearer: str) -> None:
    assert api.with_token(bearer).get(path).status == 200
    assert api.with_token(bearer).request("HEAD", path).status == 200


@pytest.mark.parametrize("name", ACCESS)
def test_what_methods_there_are_is_told_to_everybody_and_changes_nothing(
    api: Api, people: People, name: str, row_counts: Callable[[], dict[str, int]]
) -> None:
    method, path = name.split(" ")
    path = path.replace("<id>", str(people.session_id))
    nobody, before = api.with_token(""), row_counts()
    asked = nobody.request("OPTIONS", path)
    assert (asked.status, asked.text) == (200, b"")
    assert method in asked.headers["Allow"].split(", ")
    # No other method is another way in.
    for other in ("PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND", "GETS"):
        assert nobody.request(other, path).status in (400, 405), other
    # Nor is naming one in a header.
    headers = {"X-HTTP-Method-Override": method}
    assert nobody.request("OPTIONS", path, headers=headers).status == 200
    assert row_counts() == before


def test_a_refusal_comes_before_a_look_at_the_body(api: Api, people: People) -> None:
    for who, status in (("nobody", 401), ("moderator", 403)):
        answer = people.call_as(api, who).request("POST", "/users", raw=b"{")
        assert answer.status == status


def told(answer: Answer, *own: object) -> object:
    """Return all that an answer tells, but for what the request itself named, and the moment."""
    text = answer.text.decode()
    for value in own:
        text = re.sub(rf"\b{value}\b", "-", text)
    moment = {"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset", "content-length"}
    return answer.status, text, {n: v for n, v in answer.headers.items() if n.lower() not in moment}


def test_somebody_elses_session_is_answered_as_one_that_does_not_exist(
    api: Api, people: People
) -> None:
    stranger, nothing = people.call_as(api, "stranger"), 999999999
    for method, path in (("GET", ""), ("PATCH", "/finish"), ("HEAD", "")):
        theirs = stranger.request(method, f"/sessions/{people.session_id}{path}")
        missing = stranger.request(method, f"/sessions/{nothing}{path}")
        assert theirs.status == 404
        assert told(theirs, people.session_id) == told(missing, nothing)
    theirs = stranger.post("/scores", submission(people.session_id))
    missing = stranger.post("/scores", submission(nothing))
    assert (theirs.status, theirs.code) == (404, "session_not_found")
    assert told(theirs, people.session_id) == told(missing, nothing)
    assert api.get(f"/sessions/{people.session_id}").json["status"] == "in_progress"


def test_the_role_of_the_token_counts(api: Api, people: People) -> None:
    promoted = api.as_user(people.ids["stranger"], "moderator")
    assert promoted.get(f"/sessions/{people.session_id}").status == 200
    degraded = api.as_user(people.ids["admin"], "candidate")
    assert degraded.get(f"/sessions/{people.session_id}").status == 404


def test_candidates_submit_where_the_exam_says_so_and_nowhere_else(
    api: Api, people: People
) -> None:
    owner = people.call_as(api, "owner")
    assert owner.post("/scores", submission(people.session_id)).status == 200
    assert api.patch(f"/exams/{people.exam_id}", {"submissions_by": "graders"}).status == 200
    answer = owner.post("/scores", submission(people.session_id))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert answer.json["detail"] == f"exam {people.exam_id} takes scores from graders only"
    for who in ("grader", "moderator", "admin"):
        answer = people.call_as(api, who).post("/scores", submission(people.session_id))
        assert answer.status == 200, answer.text


def test_by_default_no_candidate_submits(api: Api) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    session_id = make_session(api, exam_id, user_id)
    tiny = submission(session_id, raw_score=1e-9, max_score=1e-9, time_spent_sec=0)
    assert api.as_user(user_id).post("/scores", tiny).status == 403
    assert api.get("/leaderboard", exam_id=exam_id).json["leaderboard"] == []


def segment(value: object) -> str:
    """Encode a part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def by_hand(header: object, payload: object, key: bytes) -> str:
    """Sign anything with HS256, whatever the header says."""
    signed = f"{segment(header)}.{segment(payload)}"
    digest = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{segment(digest)}"


def claims(**changes: object) -> dict[str, object]:
    """Return the claims of a good token with changes; None leaves one out."""
    good: dict[str, object] = {
        "sub": "7",
        "role": "admin",
        "aud": "podium",
        "exp": int(time.time()) + 3600,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def is_refused(api: Api, bearer: str) -> None:
    """Assert that a token is not accepted, in words that tell nothing of our insides."""
    answer = api.with_token(bearer).get("/exams")
    assert (answer.status, answer.code) == (401, "token_invalid"), answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert len(answer.text) < 1000


def test_a_good_token_is_accepted(api: Api) -> None:
    assert api.with_token(token(api.secret, 7, "candidate")).get("/exams").status == 200


def from_now(seconds: int) -> int:
    return int(time.time()) + seconds


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_the_clock_of_the_signer_may_be_a_little_ahead(api: Api, claim: str) -> None:
    for ahead in (2, LEEWAY_SEC - 5):
        bearer = token(api.secret, 7, "candidate", **{claim: from_now(ahead)})
        assert api.with_token(bearer).get("/exams").status == 200
    answer = api.with_token(token(api.secret, 7, "candidate", **{claim: from_now(60)})).get(
        "/exams"
    )
    assert (answer.status, answer.code) == (401, "token_invalid")
    assert f"more than {LEEWAY_SEC} s ahead" in answer.json["detail"]


def test_a_token_ends_when_it_says(api: Api) -> None:
    for past in (1, LEEWAY_SEC - 5):
        answer = api.with_token(token(api.secret, 7, "candidate", exp=from_now(-past))).get(
            "/exams"
        )
        assert (answer.status, answer.json["detail"]) == (401, "the token has expired")


CLAIMS: list[dict[str, object]] = [
    {"exp": int(time.time()) - 1},
    {"exp": 0},
    {"exp": -1},
    {"exp": "tomorrow"},
    {"exp": float("inf")},
    {"exp": float("nan")},
    {"exp": []},
    {"exp": None},
    {"exp": {"at": 9}},
    {"nbf": "soon"},
    {"nbf": []},
    {"nbf": int(time.time()) + 3600},
    {"nbf": float("inf")},
    {"iat": int(time.time()) + 3600},
    {"iat": float("inf")},
    {"aud": "somebody else"},
    {"aud": ["somebody", "else"]},
    {"aud": ""},
    {"aud": 1},
    {"aud": None},
    {"sub": None},
    {"sub": ""},
    {"sub": "alice"},
    {"sub": "-1"},
    {"sub": "0"},
    {"sub": "007"},
    {"sub": "1.0"},
    {"sub": "1 "},
    {"sub": "٣"},
    {"sub": "²"},
    {"sub": "9" * 19},
    {"sub": 7},
    {"sub": True},
    {"sub": {"id": "7"}},
    {"sub": "7\n"},
    {"sub": "+7"},
    {"sub": "0x7"},
    {"sub": ["7"]},
    {"role": None},
    {"role": ""},
    {"role": "root"},
    {"role": "Admin"},
    {"role": ["admin"]},
    {"role": {"admin": True}},
    {"role": 1},
]


@pytest.mark.parametrize("changes", CLAIMS, ids=str)
def test_a_token_with_wrong_claims_is_refused(api: Api, changes: dict[str, object]) -> None:
    is_refused(api, by_hand({"alg": "HS256", "typ": "JWT"}, claims(**changes), api.secret.encode()))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["HS256"]},
        {"alg": {"a": 1}},
        {},
        [],
        "HS256",
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "kid": 1},
    ],
    ids=str,
)
def test_a_token_with_another_header_is_refused(api: Api, header: object) -> None:
    is_refused(api, by_hand(header, claims(), api.secret.encode()))


def test_an_unsigned_token_is_refused(api: Api) -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none")
    is_refused(api, unsigned)
    signed = token(api.secret, 7, "admin")
    is_refused(api, signed.rpartition(".")[0] + ".")
    is_refused(api, signed.rpartition(".")[0])


def test_a_token_signed_with_another_key_is_refused(api: Api) -> None:
    is_refused(api, token("another secret, of 32 bytes at the least", 7, "admin"))


def test_a_token_that_was_changed_is_refused(api: Api) -> None:
    header, _, signature = token(api.secret, 7, "candidate").split(".")
    is_refused(api, f"{header}.{segment(claims(role='admin'))}.{signature}")


HEADERS = [
    b"[" * 50_000,
    b"[" * 5_000 + b"]" * 5_000,
    b'{"a":' * 5_000,
    b"9" * 5_000,
    b"\xff\xfe",
    b'"\\ud800"',
]
GARBAGE = [
    *("x", ".", "..", "a.b.c", "=.=.=", "x" * 20_000, "." * 20_000),
    *(f"{segment(header)}.e30.x" for header in HEADERS),
]


@pytest.mark.parametrize("bearer", GARBAGE, ids=lambda bearer: bearer[:20])
def test_what_is_no_token_is_refused(api: Api, bearer: str) -> None:
    is_refused(api, bearer)


def test_a_payload_that_is_no_object_is_refused(api: Api) -> None:
    payloads: list[object] = [[], "text", 1, None, b"{", *HEADERS]
    for payload in payloads:
        is_refused(api, by_hand({"alg": "HS256"}, payload, api.secret.encode()))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearerx", "Bearer\t"]
)
def test_another_scheme_is_no_token(api: Api, header: str) -> None:
    answer = api.with_token("").request("GET", "/exams", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, "token_missing")


def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    good = token(api.secret, 7, "admin")
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {good}"}
        assert api.with_token("").request("GET", "/exams", headers=headers).status == 200


def test_two_authorization_headers_are_no_token(api: Api) -> None:
    good, other = (token(api.secret, user_id, "admin") for user_id in (7, 8))
    for second in (f"Bearer {good}", f"Bearer {other}", "Basic YTpi", ""):
        head = api.with_token(good).head("GET", "/exams", Authorization=second)
        assert head.count(b"Authorization:") == 2
        answer = api.exchange(head)
        assert answer.status in (400, 401), second
    # Folded into one line, as a proxy may do.
    answer = api.with_token("").request(
        "GET", "/exams", headers={"Authorization": f"Bearer {good}, Bearer {other}"}
    )
    assert answer.status == 401


def test_a_token_in_the_query_or_a_cookie_is_none(api: Api) -> None:
    good = token(api.secret, 7, "admin")
    nobody = api.with_token("")
    assert nobody.get("/exams", access_token=good).status == 401
    assert nobody.request("GET", "/exams", headers={"Cookie": f"token={good}"}).status == 401


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """Make the key pair of an identity provider."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def rsa_public(rsa_key: rsa.RSAPrivateKey) -> str:
    """Return the half of it that everybody has."""
    public = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


@pytest.fixture(scope="module")
def public_key_api(start_api: Callable[..., Api], rsa_public: str) -> Api:
    """Start a gateway that knows a public key and no secret."""
    return start_api("gateway-public-key", PODIUM_JWT_SECRET="", PODIUM_JWT_PUBLIC_KEY=rsa_public)


def test_a_token_of_the_private_key_is_accepted(
    public_key_api: Api, rsa_key: rsa.RSAPrivateKey
) -> None:
    signed = jwt.encode(claims(), rsa_key, algorithm="RS256")
    assert public_key_api.with_token(signed).get("/exams").status == 200


def test_the_public_key_is_no_hmac_secret(public_key_api: Api, rsa_public: str, api: Api) -> None:
    der = load_pem_public_key(rsa_public.encode()).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    for key in (rsa_public.encode(), rsa_public.strip().encode(), der, b""):
        for algorithm in ("HS256", "RS256"):
            is_refused(public_key_api, by_hand({"alg": algorithm}, claims(), key))
    is_refused(public_key_api, token(api.secret, 7, "admin"))


def test_the_token_of_another_private_key_is_refused(public_key_api: Api) -> None:
    other = rsa.generate_private_key(65537, 2048)
    is_refused(public_key_api, jwt.encode(claims(), other, algorithm="RS256"))
    elliptic = ec.generate_private_key(ec.SECP256R1())
    is_refused(public_key_api, jwt.encode(claims(), elliptic, algorithm="ES256"))
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    is_refused(public_key_api, by_hand({"alg": "RS256"}, claims(), pem))
