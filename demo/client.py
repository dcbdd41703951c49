"""A client of the HTTP API, as somebody outside would write one."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jwt
import urllib3

PREFIX = "/api/v1"
TOKEN_SEC = 24 * 3600
TIMEOUT_SEC = 30
TRIES = 3


class DemoError(Exception):
    """Say what stopped the demo, in words for its user."""


@dataclass(frozen=True)
class Answer:
    """What came back; numbers with a point are Decimal, so that they compare exactly."""

    status: int
    body: Any


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

    def token(self, user_id: int) -> str:
        """Sign a token for a candidate."""
        claims = {
            "sub": str(user_id),
            "role": "candidate",
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
    ) -> Answer:
        """Send a request once; raises DemoError where nothing comes back."""
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body).encode()
        began = time.perf_counter()
        try:
            response = self._pool.request(method, self.url + path, body=sent, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise DemoError(f"The gateway gives no answer to {method} {path}: {error}") from error
        self.timings[kind].append(time.perf_counter() - began)
        text = response.data
        return Answer(response.status, json.loads(text, parse_float=Decimal) if text else None)


@dataclass(frozen=True)
class Caller:
    """The API, called with one token."""

    gateway: Gateway
    token: str

    def get(self, path: str, kind: str = "read") -> Any:
        """GET what must be there."""
        return self.call(kind, "GET", path, expected=200).body

    def call(
        self,
        kind: str,
        method: str,
        path: str,
        body: object = None,
        *,
        expected: int,
        key: str | None = None,
    ) -> Answer:
        """Send a request and return its answer; raises DemoError if it is not the expected one.

        503 says that nothing is known to have happened: what may be repeated is sent again.
        """
        repeatable = method != "POST" or key is not None
        for trial in range(1, TRIES + 1):
            answer = self.gateway.send(kind, method, PREFIX + path, self.token, body, key)
            if answer.status != 503 or not repeatable or trial == TRIES:
                break
            time.sleep(1)  # What Retry-After says.
        if answer.status != expected:
            problem = answer.body if isinstance(answer.body, dict) else {}
            raise DemoError(
                f"{method} {PREFIX}{path} was answered {answer.status}, not {expected}: "
                f"{problem.get('code')}, {problem.get('detail')}"
            )
        return answer
