"""Candidates' scores from several clients at once, each answer written down."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import urllib3.exceptions

from gateway.history import Recorder
from tests.client import Answer, Api, token
from tests.factories import make_exam, make_session, submission, unique_name
from tests.waiting import wait_until

CLIENTS = 4
CANDIDATES = 12
MODULES = ("coding", "quiz", "assessment")
# Of a hundred submissions so many are sent again although they were acknowledged, are given up
# after a failure, and name a version, right or stale.
REPEATED, GIVEN_UP, VERSIONED = 10, 10, 20
# Before a client tries again elsewhere. Retry-After asks for more; rounds would take longer.
PAUSE_SEC = 0.05
# Between two submissions: servers that start again need some of the two cores.
THINKING_SEC = 0.02


@dataclass(frozen=True)
class Outcome:
    """What became of a request: the gateway, the status, None where the connection broke."""

    gateway: str
    status: int | None
    submitted: bool
    began: float
    ended: float


class Load:
    """Clients that submit to one exam and read its board, at any gateway, until told to stop.

    A client that gets no answer, or 503, repeats with the same key, at another gateway if there is
    one.
    """

    def __init__(self, gateways: Mapping[str, Api], order: random.Random) -> None:
        first = next(iter(gateways.values()))
        self.bearer = token(first.secret, first.user_id, first.role)
        self.gateways = {name: api.with_token(self.bearer) for name, api in gateways.items()}
        self.recorder = Recorder()
        # Whatever the contract does not foresee.
        self.surprises: list[str] = []
        self.outcomes: list[Outcome] = []
        self.exam_id = make_exam(first)
        self._order = order
        self._sessions = [make_session(first, self.exam_id) for _ in range(CANDIDATES)]
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(CLIENTS)
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        for number in range(CLIENTS):
            own = self._sessions[number::CLIENTS]
            client = _Client(self, own, random.Random(self._order.random()))
            self._running.append(self._threads.submit(client.play, self._over))
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()
        for api in self.gateways.values():
            api.pool.clear()
        for client in self._running:
            client.result()

    def wait_until(self, condition: Callable[[], bool], timeout_sec: float = 20) -> None:
        """Wait for a condition; a client that has died would make it wait in vain."""

        def holds() -> bool:
            for client in self._running:
                if client.done():
                    client.result()
            return condition()

        wait_until(holds, timeout_sec)

    def wait_for_submissions(self, enough: int, gateway: str | None = None) -> None:
        """Wait until so many more were acknowledged, by one gateway if it is named."""
        since = time.monotonic()
        self.wait_until(lambda: self.acknowledged_since(since, gateway) >= enough)

    def wait_for_failures(
        self, enough: int = 1, gateway: str | None = None, timeout_sec: float = 20
    ) -> None:
        """Wait until so many more requests failed: 503, or the connection broke."""
        since = time.monotonic()

        def failed() -> int:
            return sum(
                outcome.ended > since
                and outcome.status in (None, 503)
                and gateway in (None, outcome.gateway)
                for outcome in tuple(self.outcomes)
            )

        self.wait_until(lambda: failed() >= enough, timeout_sec)

    def acknowledged_since(self, moment: float, gateway: str | None = None) -> int:
        """Count the submissions that were sent after a moment and acknowledged."""
        return len(self._acknowledged_since(moment, gateway))

    def wait_for_recovery(self, since: float) -> float:
        """Wait until every gateway acknowledges submissions, and return how long that took."""
        self.wait_until(lambda: all(self._acknowledged_since(since, name) for name in self.names))
        return max(min(self._acknowledged_since(since, name)) for name in self.names) - since

    @property
    def names(self) -> list[str]:
        """Return the names of the gateways."""
        return list(self.gateways)

    @property
    def longest_sec(self) -> float:
        """Return how long the slowest answer took."""
        return max(outcome.ended - outcome.began for outcome in self.outcomes)

    def vanish(self, gateway: str) -> tuple[str, dict[str, Any]]:
        """Send a submission, as a whole or in part, and be gone before it is answered.

        Returns the key and the body.
        """
        key, item = self.new_submission(self._order.choice(self._sessions), self._order)
        body = json.dumps(item).encode()
        head = self.gateways[gateway].head(
            "POST",
            "/scores",
            Idempotency_Key=key,
            Content_Type="application/json",
            Content_Length=str(len(body)),
        )
        request = head + body
        if self._order.random() < 0.25:
            request = request[: self._order.randrange(len(request))]
        address = urlsplit(self.gateways[gateway].url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(request)
            if self._order.random() < 0.5:
                # A reset in place of a farewell.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return key, item

    def new_submission(
        self, session_id: int, order: random.Random, **fields: object
    ) -> tuple[str, dict[str, Any]]:
        """Make a submission and note it; there are few scores, so that many tie."""
        item = submission(
            session_id,
            module_type=order.choice(MODULES),
            raw_score=order.choice([0, 33.3, 50, 66.6, 100]),
            time_spent_sec=order.choice([60, 120, 600]),
            details={"number": order.randrange(10**6)},
            **fields,
        )
        key = unique_name()
        self.recorder.sent(key, self.exam_id, item)
        return key, item

    def submit(self, gateway: str, key: str, item: Mapping[str, Any]) -> Answer | None:
        """Send a submission once and return the answer, None where the connection broke."""
        began = time.monotonic()
        answer = self._request(
            gateway,
            lambda api: api.post("/scores", item, Idempotency_Key=key),
            submitted=True,
        )
        if answer is not None and answer.status in (200, 409):
            self.recorder.answered(
                key, gateway, answer.status, answer.json, began, time.monotonic()
            )
        return answer

    def read(self, gateway: str) -> None:
        """Read the whole board once."""
        began = time.monotonic()
        answer = self._request(
            gateway,
            lambda api: api.get("/leaderboard", exam_id=self.exam_id, per_page=200),
            submitted=False,
        )
        if answer is not None and answer.status == 200:
            page = answer.json
            self.recorder.read(
                self.exam_id,
                gateway,
                page["revision"],
                began,
                time.monotonic(),
                tuple(page["leaderboard"]),
            )

    def _request(
        self, gateway: str, send: Callable[[Api], Answer], submitted: bool
    ) -> Answer | None:
        """Send a request and note how long it took and whether its answer is a foreseen one."""
        began = time.monotonic()
        answer: Answer | None = None
        try:
            answer = send(self.gateways[gateway])
        except urllib3.exceptions.ReadTimeoutError as error:
            self.surprises.append(f"{gateway} did not answer at all: {error}")
        except urllib3.exceptions.HTTPError:
            pass  # The connection broke; the outcome says so.
        status = None if answer is None else answer.status
        self.outcomes.append(Outcome(gateway, status, submitted, began, time.monotonic()))
        if answer is None or answer.status == 200 or (submitted and answer.status == 409):
            return answer
        if (
            answer.status != 503
            or answer.code != "database_unavailable"
            or int(answer.headers.get("Retry-After", 0)) < 1
        ):
            self.surprises.append(f"{gateway} answered {answer.status}: {answer.text.decode()}")
        return answer

    def _acknowledged_since(self, moment: float, gateway: str | None) -> list[float]:
        """Return when the submissions were acknowledged that were sent after a moment."""
        return [
            outcome.ended
            for outcome in tuple(self.outcomes)
            if outcome.submitted
            and outcome.status == 200
            and outcome.began > moment
            and gateway in (None, outcome.gateway)
        ]


class _Client:
    """One client, with sessions that nobody else submits to."""

    def __init__(self, load: Load, sessions: list[int], order: random.Random) -> None:
        self._load, self._order = load, order
        self._versions = dict.fromkeys(sessions, 0)

    def play(self, over: threading.Event) -> None:
        """Submit and read until it is over."""
        load, order = self._load, self._order
        while not over.wait(THINKING_SEC):
            session_id = order.choice(list(self._versions))
            named = {}
            if order.randrange(100) < VERSIONED:
                # The right one, or one behind.
                named["expected_version"] = max(0, self._versions[session_id] - order.randrange(2))
            key, item = load.new_submission(session_id, order, **named)
            self._insist(key, item, over)
            load.read(order.choice(load.names))

    def _insist(self, key: str, item: Mapping[str, Any], over: threading.Event) -> None:
        """Send a submission until it is decided, as a rule."""
        load, order = self._load, self._order
        gateway = order.choice(load.names)
        while (answer := load.submit(gateway, key, item)) is None or answer.status == 503:
            if over.wait(PAUSE_SEC) or order.randrange(100) < GIVEN_UP:
                return
            others = [name for name in load.names if name != gateway]
            gateway = order.choice(others or load.names)
        if answer.status == 200:
            self._versions[item["session_id"]] = answer.json["version"]
            if order.randrange(100) < REPEATED:
                load.submit(order.choice(load.names), key, item)
