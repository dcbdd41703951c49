"""The servers that are measured, the boards on them, and the crews that load both."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

import redis

from bench import ranking
from bench.boards import Board
from bench.crew import Crew, LoadFailed, Sample, Turn
from bench.database import Database
from bench.http_clients import Requests, http_crew
from bench.sql_clients import Job, LoadBoards, sql_crew
from gateway.config import MysqlUrl
from services import Server, start_redis, start_stack
from services.gateway import _answer, _command
from services.process import Process, kept_port
from services.server import ROOT, wait_ready
from services.source import BENCH

# Each commit is on the disk before it is acknowledged, on both sides of every figure.
DURABILITY = {"sync_binlog": 1, "innodb_flush_log_at_trx_commit": 1, "log_bin": 1}
SETTINGS = (
    "version",
    "innodb_buffer_pool_size",
    "innodb_redo_log_capacity",
    "innodb_flush_method",
    "innodb_doublewrite",
    "binlog_format",
    "transaction_isolation",
)
# submit_scores under way at once while a board is filled: while one writes, others are read.
LOADERS = 4
# Far beyond what a million takes.
LOADING_SEC = 3600
SERVER_TIMEOUT_SEC = 30
FLUSHES = 200
# Candidates are counted, as in service; these few submit more than any would.
UNREACHED_LIMIT = {"PODIUM_RATE_LIMIT_CANDIDATE": "1000000 per second"}


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    # Of the largest exam; the others have 1,000, 10,000 and 100,000 at most.
    candidates: int
    rounds: int
    # One load of one round.
    seconds: float
    # None: as services/ starts MySQL.
    buffer_pool_mb: int | None = None
    # How long the gateway is watched growing, or not; 0: not at all.
    soak_seconds: float = 0

    @property
    def small(self) -> int:
        return min(1_000, self.candidates)

    @property
    def medium(self) -> int:
        return min(10_000, self.candidates)

    @property
    def large(self) -> int:
        return min(100_000, self.candidates)

    @property
    def sizes(self) -> list[int]:
        """Return the sizes of the exams, ascending."""
        return sorted({self.small, self.medium, self.large, self.candidates})


class Ground:
    """Podium, its references and the boards, as long as a run takes."""

    def __init__(self, home: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.say = say
        self.loaded: list[dict[str, float]] = []
        self._home = home
        self._boards: dict[tuple[int, int], Board] = {}
        self._copied: set[Board] = set()
        self._stack = ExitStack()
        with ExitStack() as started:
            self.podium = started.enter_context(start_stack(home, env=UNREACHED_LIMIT, use=BENCH))
            self.database = Database(self.podium.mysql.url)
            self._account = MysqlUrl.parse(self.podium.mysql.url).arguments
            started.callback(self.database.close)
            self.database.require_own()
            self.database.install_references()
            if plan.buffer_pool_mb:
                self.database.resize_buffer_pool(plan.buffer_pool_mb)
            self.require_durable()
            self._stack = started.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def require_durable(self) -> None:
        """Refuse a server whose acknowledged commits could be lost."""
        for name, wanted in DURABILITY.items():
            found = self.database.number(f"SELECT @@GLOBAL.{name}")
            if found != wanted:
                raise SystemExit(f"MySQL has {name} = {found}: every figure is with {wanted}")

    def board(self, candidates: int) -> Board:
        """Return a board with so many candidates, filled at the first call."""
        return self.boards(candidates, 1)[0]

    def boards(self, candidates: int, number: int) -> tuple[Board, ...]:
        """Return so many boards with so many candidates each."""
        missing = []
        for place in range(number):
            key = (candidates, place)
            if key not in self._boards:
                board = self.database.find_board(candidates, place)
                if board is None:
                    board = self.database.make_board(candidates, place)
                    missing.append(board)
                self._boards[key] = board
        if missing:
            self._fill(tuple(missing))
        return tuple(self._boards[candidates, place] for place in range(number))

    def reference_board(self, candidates: int) -> Board:
        """Return a board whose data the references have too."""
        board = self.board(candidates)
        if board not in self._copied:
            self.database.copy_to_references(board)
            self._copied.add(board)
        return board

    def sql(self, job: Job, connections: int, warm_up: int = 3) -> Crew:
        """Return a crew of database connections."""
        return sql_crew(self._account, job, connections, warm_up)

    def http(self, server: Server, requests: Requests, clients: int) -> Crew:
        """Return a crew of HTTP clients."""
        return http_crew(server.url, requests, clients)

    def rounds(
        self, *crews: Crew, seconds: float | None = None, rounds: int | None = None
    ) -> list[list[Sample]]:
        """Let crews take turns, after a warm-up each, and return the samples of each crew."""
        turn = Turn(seconds or self.plan.seconds)
        for crew in crews:
            if crew.warm_up:
                crew.run(Turn(turn.seconds / 2, least=crew.warm_up))
        samples = [[crew.run(turn) for crew in crews] for _ in range(rounds or self.plan.rounds)]
        return [list(of_crew) for of_crew in zip(*samples, strict=True)]

    def serve(self, name: str, factory: str, env: Mapping[str, str] | None = None) -> Server:
        """Start another application on the same server as the gateway, with the same flags."""
        process = Process(self._home, name)
        process.stop()
        port = kept_port(self._home / "run" / f"{name}.port")
        command = _command(process, port)
        command[command.index("--factory") + 1] = factory
        process.spawn(command, env=os.environ | dict(env or {}))
        self._stack.callback(process.stop)
        wait_ready(process, lambda: _answer(port), SERVER_TIMEOUT_SEC)
        return Server(f"http://127.0.0.1:{port}", "process", name)

    def serve_ranking(self) -> tuple[Server, redis.Redis]:
        """Start the gateway that ranks in a Redis of its own, which flushes always."""
        server = self._stack.enter_context(start_redis(self._home / "ranking", use=None))
        client = redis.Redis.from_url(server.url, decode_responses=False)
        self._stack.callback(client.close)
        ranking.make_durable(client)
        deadline = time.monotonic() + SERVER_TIMEOUT_SEC
        while not ranking.is_durable(client):
            if time.monotonic() > deadline:
                raise SystemExit("Redis does not become durable")
            time.sleep(0.05)  # Nothing tells when it has rewritten its file: ask it again.
        gateway = self.serve(
            "gateway-ranking",
            "bench.ranking:create_app",
            UNREACHED_LIMIT
            | {
                "PODIUM_MYSQL_URL": self.podium.gateway_mysql_url,
                "PODIUM_GATEWAY_MYSQL_URL": "",
                "PODIUM_REDIS_URL": self.podium.redis.url,
                "PODIUM_JWT_SECRET": self.podium.secret,
                "PODIUM_JWT_PUBLIC_KEY": "",
                ranking.URL_VARIABLE: server.url,
            },
        )
        return gateway, client

    def gateway_memory_mb(self) -> float:
        """Return what the gateway's processes have in memory."""
        processes = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
        )
        pid = Process(self._home, "gateway").pid
        return sum(
            resident / 1024
            for own, parent, resident in (
                map(int, line.split()) for line in processes.stdout.splitlines()
            )
            if pid in (own, parent)
        )

    def environment(self) -> dict[str, Any]:
        """Return what the figures depend on beside Podium."""
        settings = {
            name: _plain(self.database.query(f"SELECT @@GLOBAL.{name}")[0][0])
            for name in [*DURABILITY, *SETTINGS]
        }
        with redis.Redis.from_url(self.podium.redis.url) as client:
            redis_version = cast(dict[str, Any], client.info("server"))["redis_version"]
        return {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": _commit(),
            "cores": os.cpu_count(),
            "processor": _processor(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": platform.system(),
            "python": platform.python_version(),
            "mysql": settings,
            "mysql_source": self.podium.mysql.source,
            "redis": redis_version,
            "disk_flush_ms": round(_flush_ms(self._home), 3),
        }

    def _fill(self, boards: tuple[Board, ...]) -> None:
        """Give every candidate of some boards of one size a first score, through submit_scores."""
        candidates = sum(board.candidates for board in boards)
        self.say(f"Loading {candidates:,} candidates through submit_scores ...")
        with (
            # The experiment that wants the boards checks them, with what it adds.
            self.database.verified(boards, check=False) as verification,
            self.sql(LoadBoards(boards), min(LOADERS, -(-candidates // 1000))) as crew,
        ):
            sample = crew.run(Turn(LOADING_SEC))
            verification.acknowledged = sample.acknowledged
        if sample.acknowledged != candidates:
            raise LoadFailed(f"only {sample.acknowledged} of {candidates} were accepted")
        self.loaded.append({"candidates": candidates, "seconds": sample.ended - sample.began})


def _flush_ms(folder: Path) -> float:
    """Return how long this disk takes to flush a small write, on the mean."""
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        began = time.monotonic()
        for _ in range(FLUSHES):
            file.write(b"x" * 512)
            os.fsync(file.fileno())
        took = time.monotonic() - began
    path.unlink()
    return 1000 * took / FLUSHES


def _commit() -> str:
    """Return which state of the repository was measured."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _plain(value: object) -> object:
    """Turn what MySQL calls a number into one."""
    text = str(value)
    return int(text) if text.isdigit() else text
