"""A client of the HTTP API, as a user would write one."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import urllib3

# Staff without a row in users: its id is beyond all that create_user gives out.
STAFF_ID = 10**15
PREFIX = "/api/v1"


def token(secret: str, user_id: int | str, role: str, **claims: object) -> str:
    """Sign a token; claims replace those of the contract, None leaves one out."""
    payload: dict[str, object] = {
        "sub": str(user_id),
        "role": role,
        "aud": "podium",
        "exp": int(time.time()) + 3600,
    } | claims
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        secret,
        algorithm="HS256",
    )


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    text: bytes

    @property
    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        """Return the code of a problem; None where there is none."""
        return self.json.get("code") if self.text else None

    @property
    def pointers(self) -> list[str]:
        """Return where a problem says the faults are."""
        return [error["pointer"] for error in self.json.get("errors", [])]


@dataclass(frozen=True)
class Api:
    """A gateway, spoken to with one token; `as_user` gives the same gateway with another."""

    url: str
    secret: str
    user_id: int = STAFF_ID
    role: str = "admin"
    bearer: str | None = None
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=64, retries=False, timeout=30)
    )

    def as_user(self, user_id: int, role: str = "candidate") -> Api:
        """Return the same gateway, called by somebody else."""
        return Api(self.url, self.secret, user_id, role, None, self.pool)

    def with_token(self, bearer: str) -> Api:
        """Return the same gateway, called with this very token; empty: with none."""
        return Api(self.url, self.secret, self.user_id, self.role, bearer, self.pool)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send a request: a path below /api/v1, or, with `/` doubled in front, below the root."""
        bearer = token(self.secret, self.user_id, self.role) if self.bearer is None else self.bearer
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        address = path[1:] if path.startswith("//") else PREFIX + path
        if query:
            address += "?" + urlencode(query)
        response = self.pool.request(
            method,
            self.url + address,
            body=raw,
            headers=sent | (headers or {}),
        )
        return Answer(response.status, response.headers, response.data)

    def exchange(
        self, sent: bytes, *, half_close: bool = False, awaited: Callable[[], bytes] | None = None
    ) -> Answer:
        """Send these very bytes on a connection of their own; status 0: closed without an answer.

        half_close: say that no more will come. awaited: gives what is sent after them, once the
        gateway has begun to read the request and asked for more; the head expects 100-continue.
        """
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            connection.sendall(sent)
            if awaited is not None:
                asked = b"HTTP/1.1 100 Continue\r\n\r\n"
                assert connection.recv(len(asked), socket.MSG_WAITALL) == asked
                connection.sendall(awaited())
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
                return Answer(response.status, response.headers, response.read())
            except (http.client.HTTPException, ConnectionError):
                return Answer(0, {}, b"")
            finally:
                response.close()

    def head(self, method: str, path: str, **headers: str) -> bytes:
        """Write the head of a request for exchange(), with the token and these headers."""
        bearer = token(self.secret, self.user_id, self.role) if self.bearer is None else self.bearer
        lines = [
            f"{method} {PREFIX}{path} HTTP/1.1",
            "Host: gateway",
            "Connection: close",
            f"Authorization: Bearer {bearer}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")

    def get(self, path: str, **query: object) -> Answer:
        """GET with query parameters."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """POST a JSON body; headers are given by name, with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", path, body, headers=named)

    def patch(self, path: str, body: object = None) -> Answer:
        """PATCH with a JSON body."""
        return self.request("PATCH", path, body)
