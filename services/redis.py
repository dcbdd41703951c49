"""Redis from the first source that has it. It is a cache: nothing of it is kept on disk."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services import debian
from services.engine import Container
from services.process import Process, kept, kept_port
from services.server import Server, Unavailable, wait_ready
from services.source import SERVICE, choose

IMAGE = "redis:8"
# The first that leaves its command line as it was, by which its process is known.
OLDEST = (6, 2)
SETTINGS = ("--save", "", "--appendonly", "no")
START_TIMEOUT_SEC = 30


def start_redis(home: Path, *, use: str | None = SERVICE) -> Server:
    """Find or start Redis; use: as of start_mysql()."""
    home = home.resolve()
    return choose(
        "Redis",
        home,
        own_redis,
        [Process(home, "redis"), Container(home, "redis")],
        {"docker": _in_container, "path": _on_path, "debian": _unpacked},
        use,
    )


def own_redis(home: Path) -> Server | None:
    """Return the home's own server as it was last started; None before the first time."""
    port = kept(home / "run" / "redis.port")
    if port is None:
        return None
    return Server(_url(port), "running", f"already running on 127.0.0.1:{port}")


def _in_container(home: Path) -> Server:
    """Start Redis in a container."""
    container, port = Container(home, "redis"), _port(home)
    container.run(IMAGE, ["redis-server", *SETTINGS], ports=(port, 6379))
    version = wait_ready(container, lambda: _version(port), START_TIMEOUT_SEC)
    description = f"{version} in the container {container.name} on 127.0.0.1:{port}"
    return Server(_url(port), "docker", description, stopper=container.stop)


def _on_path(home: Path) -> Server:
    """Start a private instance of the Redis that this machine has."""
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("no redis-server on the PATH")
    told = subprocess.run([program, "--version"], capture_output=True, text=True)
    version = re.search(r"v=(\d+)\.(\d+)", told.stdout)
    if version is None or tuple(int(number) for number in version.groups()) < OLDEST:
        raise Unavailable(f"{program} is older than {'.'.join(map(str, OLDEST))}")
    return _private(home, "path", program, [program])


def _unpacked(home: Path) -> Server:
    """Start a private instance of Debian's Redis."""
    program = debian.unpack().command("usr/bin/redis-server")
    return _private(home, "debian", "Debian's packages", program)


def _private(home: Path, source: str, origin: str, program: Sequence[str]) -> Server:
    """Start a private instance."""
    process, port = Process(home, "redis"), _port(home)
    process.spawn(
        [
            *program,
            *SETTINGS,
            *("--bind", "127.0.0.1"),
            *("--port", str(port)),
            *("--pidfile", str(process.pid_file)),
            *("--dir", str(home / "run")),
            *("--set-proc-title", "no"),
        ]
    )
    version = wait_ready(process, lambda: _version(port), START_TIMEOUT_SEC)
    description = f"{version} from {origin} on 127.0.0.1:{port}"
    return Server(_url(port), source, description, stopper=process.stop)


def _version(port: int) -> str | None:
    """Return the version of a server; None while it does not answer."""
    try:
        with redis.Redis.from_url(
            _url(port), socket_timeout=1, retry=Retry(NoBackoff(), 0)
        ) as client:
            return str(client.info("server")["redis_version"])
    except redis.RedisError:
        return None


def _port(home: Path) -> int:
    return kept_port(home / "run" / "redis.port")


def _url(port: int | str) -> str:
    return f"redis://127.0.0.1:{port}/0"
