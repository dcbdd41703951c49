"""Clients that speak HTTP over kept connections: prepared requests, one process, one loop."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol
from urllib.parse import urlsplit

import jwt

from bench.boards import Board, performance
from bench.crew import Crew, LoadFailed, Sample, Turn

AUDIENCE = "podium"
TOKEN_SEC = 24 * 3600
RECEIVE_BYTES = 1 << 18
# For answers that are under way when the time is up.
LAST_ANSWERS_SEC = 30


class Requests(Protocol):
    """What the clients send; each goes round its own requests."""

    def of_client(self, number: int, host: str) -> list[bytes]:
        """Return the requests of one client."""


@dataclass(frozen=True)
class Scores:
    """POST of scores, each by the session's own candidate with a token of his own.

    The sessions of a client are its own, so that they are submitted for in order; each comes up
    with other scores every time, or a board would stand still.
    """

    path: str
    board: Board
    secret: str
    clients: int
    sessions: int = 24
    visits: int = 8

    def of_client(self, number: int, host: str) -> list[bytes]:
        random = Random(f"scores {number}")
        expires = int(time.time()) + TOKEN_SEC
        places = range(number, self.board.candidates, self.clients)
        own = random.sample(places, min(self.sessions, len(places)))
        tokens = {
            place: _token(self.secret, self.board.first_user + place, "candidate", expires)
            for place in own
        }
        requests = []
        for _ in range(self.visits):
            for place in own:
                raw_score, time_sec = performance(random)
                body = json.dumps(
                    {
                        "session_id": self.board.first_session + place,
                        "module_type": "coding",
                        "raw_score": raw_score,
                        "max_score": 100,
                        "time_spent_sec": time_sec,
                    }
                ).encode()
                requests.append(_request("POST", self.path, host, tokens[place], body))
        return requests


@dataclass(frozen=True)
class Pages:
    """GET of one page, with a moderator's token."""

    path: str
    secret: str

    def of_client(self, number: int, host: str) -> list[bytes]:
        expires = int(time.time()) + TOKEN_SEC
        return [_request("GET", self.path, host, _token(self.secret, 1, "moderator", expires))]


def http_crew(url: str, requests: Requests, clients: int) -> Crew:
    """Return a crew of so many clients in one process."""
    return Crew([HttpTask(url, requests, clients)])


@dataclass(frozen=True)
class HttpTask:
    """Clients of one server."""

    url: str
    requests: Requests
    clients: int

    def open(self) -> HttpLoad:
        parts = urlsplit(self.url)
        clients = []
        for number in range(self.clients):
            connection = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            clients.append(Client(connection, self.requests.of_client(number, parts.netloc)))
        return HttpLoad(clients)


class Client:
    """One connection with one request under way."""

    __slots__ = ("socket", "requests", "next", "calls", "sent", "received")

    def __init__(self, connection: socket.socket, requests: Sequence[bytes]) -> None:
        self.socket = connection
        self.requests = requests
        self.next = 0
        # Of the turn.
        self.calls = 0
        self.sent = 0.0
        self.received = b""

    def send(self) -> None:
        """Send the next request."""
        request = self.requests[self.next]
        self.next = (self.next + 1) % len(self.requests)
        self.calls += 1
        self.sent = time.monotonic()
        if self.socket.send(request) != len(request):
            raise LoadFailed("a request does not fit into a socket's buffer")

    def receive(self) -> bytes | None:
        """Return the head of the answer; None while it is not complete."""
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise LoadFailed("the server has closed a connection")
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        missing = _length(head) - len(body) if separator else 1
        if missing > 0:
            return None
        if missing < 0:
            raise LoadFailed("the server has sent more than it was asked for")
        self.received = b""
        return head


class HttpLoad:
    """Clients in one process, each with one request under way while a load runs."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self._selector = selectors.DefaultSelector()
        for client in clients:
            self._selector.register(client.socket, selectors.EVENT_READ, client)

    def run(self, begin: float, turn: Turn) -> Sample:
        time.sleep(max(0.0, begin - time.monotonic()))  # The moment at which all begin is a time.
        sample = Sample()
        refused: Counter[bytes] = Counter()
        sample.began = time.monotonic()
        deadline, clients = sample.began + turn.seconds, self._clients[: turn.most]
        for client in clients:
            client.calls = 0
            client.send()
        started, under_way = len(clients), len(clients)
        while under_way:
            ready = self._selector.select(LAST_ANSWERS_SEC)
            if not ready:
                raise LoadFailed(f"{under_way} requests have no answer for {LAST_ANSWERS_SEC} s")
            for key, _ in ready:
                client = key.data
                head = client.receive()
                if head is None:
                    continue
                now = sample.ended = time.monotonic()
                sample.latencies.append(now - client.sent)
                if head.startswith(b"HTTP/1.1 200 "):
                    sample.acknowledged += 1
                else:
                    refused[head.partition(b"\r\n")[0]] += 1
                if started < turn.most and (now < deadline or client.calls < turn.least):
                    started += 1
                    client.send()
                else:
                    under_way -= 1
        sample.calls = started
        if refused:
            raise LoadFailed(f"answers other than 200: {dict(refused)}")
        return sample

    def close(self) -> None:
        self._selector.close()
        for client in self._clients:
            client.socket.close()


def _length(head: bytes) -> int:
    """Read how long a body is."""
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        raise LoadFailed("an answer has no Content-Length")
    end = lower.find(b"\r\n", start + 2)
    return int(lower[start + 17 : end if end > 0 else len(lower)])


def _request(method: str, path: str, host: str, token: str, body: bytes = b"") -> bytes:
    """Write a request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {token}",
        "Accept: application/json",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _token(secret: str, user_id: int, role: str, expires: int) -> str:
    claims = {"sub": str(user_id), "role": role, "aud": AUDIENCE, "exp": expires}
    return jwt.encode(claims, secret, "HS256")
