"""A client of the HTTP API, as somebody outside would write one."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import jwt
import urllib3

PREFIX = "/api/v1"
TOKEN_SEC = 24 * 3600
TIMEOUT_SEC = 30
# A gateway that is started anew is back within that many pauses.
TRIES = 6
PAUSE_SEC = 1.0
# What says that nothing is known to have happened: the gateway's own, and those of proxies.
UNDECIDED = (502, 503, 504)
TOO_MANY = 429


class PlayError(Exception):
    """Say what stopped the exam, in words for whoever plays it."""


class NoAnswer(PlayError):
    """Say that nothing came back, and why."""

    def __init__(self, request: str, why: str) -> None:
        super().__init__(f"The gateway gives no answer to {request}: {why}")
        self.why = why


@dataclass(frozen=True)
class Answer:
    """What came back; numbers with a point are Decimal, so that they compare exactly.

    body: None where there is none, or none in JSON. Moments are of time.monotonic().
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    began: float
    ended: float

    @property
    def retry_after_sec(self) -> float:
        """Return how long to wait before the same is asked again."""
        told = self.headers.get("Retry-After", "")
        return float(told) if told.isdigit() else PAUSE_SEC


class Gateway:
    """Podium's address, over kept connections, with a stopwatch on every kind of call."""

    def __init__(self, url: str, secret: str, connections: int) -> None:
        self.url = url
        self._secret = secret
        self._pool = urllib3.PoolManager(
            maxsize=connections, block=True, retries=False, timeout=TIMEOUT_SEC
        )
        # Seconds of each answered request, by kind of call.
        self.timings: defaultdict[str, list[float]] = defaultdict(list)
        # Set: what is under way is answered, nothing is sent again and nothing new is begun.
        self.over = threading.Event()

    def token(self, user_id: int, role: str = "candidate") -> str:
        """Sign a token."""
        claims = {
            "sub": str(user_id),
            "role": role,
            "aud": "podium",
            "exp": int(time.time()) + TOKEN_SEC,
        }
        return jwt.encode(claims, self._secret, "HS256")

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def as_candidate(self, user_id: int) -> Caller:
        """Return the API as this candidate calls it."""
        return Caller(self, self.token(user_id))

    def send(
        self,
        kind: str,
        method: str,
        path: str,
        token: str | None,
        body: object = None,
        key: str | None = None,
        etag: str | None = None,
    ) -> Answer:
        """Send a request once; raises NoAnswer where nothing comes back."""
        headers = {}
        if etag is not None:
            headers["If-None-Match"] = etag
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body).encode()
        began = time.monotonic()
        try:
            response = self._pool.request(method, self.url + path, body=sent, headers=headers)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise NoAnswer(f"{method} {self.url}{path}", _words(error)) from error
        ended = time.monotonic()
        self.timings[kind].append(ended - began)
        try:
            told = json.loads(response.data, parse_float=Decimal)
        except ValueError:
            told = None  # No body, or a page that a proxy made.
        return Answer(response.status, told, response.headers, began, ended)

    def open(self, path: str, token: str, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        """Send a GET and return its answer before its body; raises urllib3's own errors."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        return self._pool.request(
            "GET", self.url + path, headers=headers, timeout=timeout, preload_content=False
        )


@dataclass(frozen=True)
class Caller:
    """The API, called with one token."""

    gateway: Gateway
    token: str

    def get(self, path: str, kind: str = "read") -> Any:
        """GET what must be there."""
        return self.call(kind, "GET", path, expected=200).body

    def call(
        self, kind: str, method: str, path: str, body: object = None, *, expected: int
    ) -> Answer:
        """Send a request and return its answer; raises PlayError if it is not the expected one."""
        answer = self.insist(kind, method, path, body)
        expect(answer, expected, f"{method} {PREFIX}{path}")
        return answer

    def insist(
        self, kind: str, method: str, path: str, body: object = None, key: str | None = None
    ) -> Answer:
        """Send a request until it is decided, some times at most, and return the last answer.

        No answer, or 503, says that nothing is known to have happened: what may be repeated is sent
        again. Raises NoAnswer where there was none in the end.
        """
        # POST /sessions answers with the session in progress, if there is one.
        repeatable = method != "POST" or key is not None or path == "/sessions"
        for trial in count(1):
            last = trial == TRIES or self.gateway.over.is_set()
            try:
                answer = self.gateway.send(kind, method, PREFIX + path, self.token, body, key)
                pause_sec = answer.retry_after_sec
                undecided = answer.status == TOO_MANY or (answer.status in UNDECIDED and repeatable)
                if last or not undecided:
                    return answer
            except NoAnswer:
                if last or not repeatable:
                    raise
                pause_sec = PAUSE_SEC
            self.gateway.over.wait(pause_sec)
        raise AssertionError("the last trial returns or raises")


def expect(answer: Answer, status: int, what: str) -> None:
    """Raise PlayError unless an answer is the expected one."""
    if answer.status != status:
        problem = answer.body if isinstance(answer.body, dict) else {}
        told = ", ".join(str(problem[name]) for name in ("code", "detail") if name in problem)
        raise PlayError(
            f"{what} was answered {answer.status}, not {status}{': ' if told else ''}{told}"
        )


def _words(error: Exception) -> str:
    """Say what broke, without the names of classes and of the pool that it happened in."""
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection broke"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        # What a name server told stands in brackets.
        return str(error).rpartition(": ")[2].rpartition("] ")[2].removesuffix(")")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"it took more than {TIMEOUT_SEC} s"
    return str(error)
