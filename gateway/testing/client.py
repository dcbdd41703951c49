"""A client of the HTTP API, just enough for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

PREFIX = "/api/v1"
TIMEOUT_SEC = 30


@dataclass(frozen=True)
class Answer:
    """What came back; json is None where there is no body."""

    status: int
    json: Any


class Client:
    """The API, called with one token; paths are those below /api/v1."""

    def __init__(self, url: str, token: str) -> None:
        self._root = url + PREFIX
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: object) -> Answer:
        """GET with query parameters."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: object, *, key: str | None = None) -> Answer:
        """POST a JSON body; key: the Idempotency-Key."""
        return self._send("POST", path, body, {"Idempotency-Key": key} if key else {})

    def patch(self, path: str, body: object = None) -> Answer:
        """PATCH with a JSON body."""
        return self._send("PATCH", path, body)

    def _send(
        self, method: str, path: str, body: object = None, more: dict[str, str] | None = None
    ) -> Answer:
        headers, sent = self._headers | (more or {}), None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body)
        # Connections are not kept: the gateway may be killed and come back between two calls.
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT_SEC) as pool:
            answer = pool.request(method, self._root + path, body=sent, headers=headers)
            return Answer(answer.status, json.loads(answer.data) if answer.data else None)
