"""Clients that CALL procedures over connections of their own, a thread each."""

from __future__ import annotations

import json
import threading
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any, Protocol

import _mysql_connector

from bench.boards import Board, performance
from bench.crew import Crew, Sample, Turn

PROCESSES = 2
# For an answer; a client that waits longer has found a server that hangs.
READ_TIMEOUT_SEC = 240
COLLISIONS = (1213, 1205)
RETRIES = 3
# CLIENT_MULTI_RESULTS and CLIENT_PLUGIN_AUTH: a CALL answers with more than one result.
CLIENT_FLAGS = 1 << 17 | 1 << 19

ResultSets = list[list[tuple[Any, ...]]]
# User, password and place, as MysqlUrl.arguments has them: a client has no need of the gateway.
Account = Mapping[str, str | int]


# What is timed as one: statements that are sent one after the other.
Call = tuple[str, ...]


class Job(Protocol):
    """What the connections of a crew do."""

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        """Return what connection number part of parts sends, one after the other."""

    def acknowledged(self, results: ResultSets) -> int:
        """Return how many items the answer to a call says are done."""


@dataclass(frozen=True)
class SubmitScore:
    """submit_score for a random candidate of a random board.

    All replace the score of the same module, so that a board does not change its shape from round
    to round; first scores are what the boards are loaded with.
    """

    boards: tuple[Board, ...]

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        random = Random(f"submit_score {part}")
        while True:
            board = random.choice(self.boards)
            session_id = board.random_session(random)
            raw_score, time_sec = performance(random)
            yield (
                f"CALL podium.submit_score({session_id}, 'coding', {raw_score}, 100, {time_sec},"
                " NULL, NULL, NULL, NULL)",
            )

    def acknowledged(self, results: ResultSets) -> int:
        return len(results[0])


@dataclass(frozen=True)
class SubmitScores:
    """submit_scores for arrays of random candidates of a board."""

    board: Board
    items: int

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        random = Random(f"submit_scores {part}")
        while True:
            yield (
                array_call(
                    random,
                    [self.board.random_session(random) for _ in range(self.items)],
                ),
            )

    def acknowledged(self, results: ResultSets) -> int:
        return accepted(results)


@dataclass(frozen=True)
class LoadBoards:
    """submit_scores for every candidate of some boards once, a board at a time."""

    boards: tuple[Board, ...]
    items: int = 1000

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        random = Random(f"load {part}")
        arrays = (
            range(first, min(first + self.items, board.first_session + board.candidates))
            for board in self.boards
            for first in range(
                board.first_session, board.first_session + board.candidates, self.items
            )
        )
        for sessions in islice(arrays, part, None, parts):
            yield (array_call(random, sessions),)

    def acknowledged(self, results: ResultSets) -> int:
        return accepted(results)


@dataclass(frozen=True)
class SubmitAndRebuild:
    """The rebuild design's submission for a random candidate."""

    board: Board

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        random = Random(f"rebuild {part}")
        while True:
            session_id = self.board.random_session(random)
            raw_score, time_sec = performance(random)
            yield (
                f"CALL podium_bench.submit_and_rebuild({session_id}, 'coding', {raw_score}, 100,"
                f" {time_sec})",
            )

    def acknowledged(self, results: ResultSets) -> int:
        return len(results[0])


@dataclass(frozen=True)
class BareTransaction:
    """UPDATE, INSERT, COMMIT for a random row, as an application without procedures sends them.

    In order, all update the same row: one waits for the other, as submissions to a board do.
    """

    board: Board
    in_order: bool = False

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        opening: Call = ("SET autocommit = 0",)
        for session_id, total_score in _totals(self.board, part):
            if self.in_order:
                session_id = self.board.first_session
            yield (
                *opening,
                f"UPDATE podium_bench.bare_totals SET total_score = {total_score}"
                f" WHERE session_id = {session_id}",
                "INSERT INTO podium_bench.bare_audit_log (session_id, new_total_score, created_at)"
                f" VALUES ({session_id}, {total_score}, UTC_TIMESTAMP(6))",
                "COMMIT",
            )
            opening = ()

    def acknowledged(self, results: ResultSets) -> int:
        return 1


@dataclass(frozen=True)
class BareProcedure:
    """The same in a procedure, in one round trip."""

    board: Board

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        for session_id, total_score in _totals(self.board, part):
            yield (f"CALL podium_bench.bare_transaction({session_id}, {total_score})",)

    def acknowledged(self, results: ResultSets) -> int:
        return 1


@dataclass(frozen=True)
class BareArray:
    """Many random rows updated, as many inserted, in one transaction of two statements."""

    board: Board
    items: int

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        totals = _totals(self.board, part)
        while True:
            items = [[session_id, float(total)] for session_id, total in islice(totals, self.items)]
            yield (f"CALL podium_bench.bare_array('{json.dumps(items)}')",)

    def acknowledged(self, results: ResultSets) -> int:
        return int(results[0][0][0])


@dataclass(frozen=True)
class ReadPage:
    """The same page of a board, from the database."""

    board: Board
    page: int
    per_page: int = 50

    def calls(self, part: int, parts: int) -> Iterator[Call]:
        while True:
            yield (
                f"CALL podium.get_leaderboard({self.board.exam_id}, {self.page}, {self.per_page},"
                " NULL)",
            )

    def acknowledged(self, results: ResultSets) -> int:
        return min(1, len(results[1]))


def sql_crew(account: Account, job: Job, connections: int, warm_up: int = 3) -> Crew:
    """Return a crew of so many connections, spread over few processes."""
    processes = min(PROCESSES, connections)
    return Crew(
        [SqlTask(account, job, part, processes, connections) for part in range(processes)], warm_up
    )


def _totals(board: Board, part: int) -> Iterator[tuple[int, str]]:
    """Return sessions with a total each."""
    random = Random(f"bare {part}")
    while True:
        yield board.random_session(random), f"{random.uniform(0, 100):.4f}"


def array_call(random: Random, sessions: Sequence[int]) -> str:
    """Return the call of submit_scores with a score for each session."""
    items = []
    for session_id in sessions:
        raw_score, time_sec = performance(random)
        items.append(
            {
                "session_id": session_id,
                "module_type": "coding",
                "raw_score": raw_score,
                "max_score": 100,
                "time_spent_sec": time_sec,
            }
        )
    return f"CALL podium.submit_scores('{json.dumps(items)}', NULL)"


def accepted(results: ResultSets) -> int:
    """Return how many items of an array were accepted."""
    return sum(row[1] == b"200" for row in results[0])


@dataclass(frozen=True)
class SqlTask:
    """A process's share of a job: every processes-th connection, from part on."""

    account: Account
    job: Job
    part: int
    processes: int
    connections: int

    def open(self) -> SqlLoad:
        return SqlLoad(
            [
                _Client(self.account, self.job, part, self.connections)
                for part in range(self.part, self.connections, self.processes)
            ]
        )


class SqlLoad:
    """Connections in one process, a thread each while a load runs."""

    def __init__(self, clients: list[_Client]) -> None:
        self._clients = clients

    def run(self, begin: float, turn: Turn) -> Sample:
        share = replace(turn, most=max(1, turn.most // len(self._clients)))
        threads = [
            threading.Thread(target=client.run, args=(begin, share)) for client in self._clients
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in self._clients:
            if client.error is not None:
                raise client.error
        return Sample.merged(client.sample for client in self._clients)

    def close(self) -> None:
        for client in self._clients:
            client.close()


class _Client:
    """One connection, at the lowest level the driver has: clients and servers share the cores."""

    def __init__(self, account: Account, job: Job, part: int, parts: int) -> None:
        self._job = job
        self._calls = job.calls(part, parts)
        self._mysql = _mysql_connector.MySQL(
            buffered=True, raw=True, charset_name="utf8mb4", connection_timeout=30
        )
        self._mysql.connect(
            **account,
            client_flags=CLIENT_FLAGS,
            ssl_disabled="unix_socket" in account,
            read_timeout=READ_TIMEOUT_SEC,
        )
        # As the gateway's connections are set up.
        self._send("SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci")
        self._send("SET time_zone = '+00:00'")
        self.sample = Sample()
        self.error: Exception | None = None

    def run(self, begin: float, turn: Turn) -> None:
        """Send statements for a turn; leave in sample what became of them."""
        deadline = begin + turn.seconds
        sample = self.sample = Sample(latencies=array("d"))
        time.sleep(max(0.0, begin - time.monotonic()))  # The moment at which all begin is a time.
        try:
            sample.began = sent = time.monotonic()
            for call in self._calls:
                sample.acknowledged += self._job.acknowledged(self._persist(call))
                answered = time.monotonic()
                sample.latencies.append(answered - sent)
                sample.calls += 1
                sample.ended = answered
                if sample.calls >= turn.most:
                    break
                if answered >= deadline and sample.calls >= turn.least:
                    break
                sent = time.monotonic()
        except Exception as error:
            self.error = error

    def close(self) -> None:
        self._mysql.close()

    def _persist(self, call: Call) -> ResultSets:
        """Make a call, again where it collided: the server counts the collisions."""
        for _ in range(RETRIES):
            try:
                return self._make(call)
            except _mysql_connector.MySQLInterfaceError as error:
                if error.errno not in COLLISIONS:
                    raise
                self._send("ROLLBACK")
        return self._make(call)

    def _make(self, call: Call) -> ResultSets:
        """Send the statements of a call and return what all of them answer."""
        if len(call) == 1:
            return self._send(call[0])
        return [rows for statement in call for rows in self._send(statement)]

    def _send(self, statement: str) -> ResultSets:
        """Send a statement and read every result set."""
        mysql = self._mysql
        mysql.query(statement.encode(), raw=True, buffered=True)
        results: ResultSets = []
        while True:
            if mysql.have_result_set:
                rows = []
                while (row := mysql.fetch_row()) is not None:
                    rows.append(row)
                results.append(rows)
                mysql.free_result()
            if not mysql.more_results():
                return results
            mysql.next_result()
