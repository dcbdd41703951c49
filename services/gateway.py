"""A gateway process: Podium's Flask application, served by granian in the background."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.config import FROM_FILES, Config
from services.process import Process, exclusive, is_free, kept, kept_port, write_private
from services.server import ROOT, Server, Unavailable, wait_ready
from services.source import LOCK, announce

# Besides those that streams hold. Above gateway.boards.MOST_WAITING, so that those who wait for
# boards that are held leave enough to all others.
THREADS = 256
# Open connections, idle ones too, and those that wait to be accepted. Past half of the former
# gateway.connections closes idle ones.
CONNECTIONS, BACKLOG = 8192, 1024
# For which a connection may be idle, or send the head of a request.
HEAD_TIMEOUT_SEC = 30
START_TIMEOUT_SEC = 30
STOP_TIMEOUT_SEC = 10
# Of no use to a gateway, or contrary to what it is told.
WITHHELD = (
    "PODIUM_GATEWAY_MYSQL_URL",
    "PODIUM_MYSQL_PASSWORD",
    "PODIUM_GATEWAY_MYSQL_PASSWORD",
    "PODIUM_ADMIN_TOKEN",
    "PODIUM_JWT_PUBLIC_KEY",
    *(f"{name}_FILE" for name in FROM_FILES if name != "PODIUM_METRICS_TOKEN"),
    "PODIUM_URL",
    "PODIUM_PORT",
    "PODIUM_SERVICES_SOURCE",
    "PODIUM_DEBIAN_MIRROR",
)


def start_gateway(
    home: Path,
    *,
    mysql_url: str,
    redis_url: str,
    secret: str,
    name: str = "gateway",
    port: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Server:
    """Find or start a gateway that is ready to answer.

    One that runs with other settings, or from other files, is started anew. Several run side by
    side under different names.
    """
    home = home.resolve()
    process = Process(home, name)
    port_file, settings_file = home / "run" / f"{name}.port", home / "run" / f"{name}.settings"
    settings = {
        "PODIUM_MYSQL_URL": mysql_url,
        "PODIUM_REDIS_URL": redis_url,
        "PODIUM_JWT_SECRET": secret,
        **(env or {}),
    }
    # All that decides how it answers: what it is told, by us or by our environment, and its code.
    identity = json.dumps([_podium_variables() | settings, _code_checksum()])
    with exclusive(home / LOCK):
        if process.alive():
            last = int(kept(port_file) or 0)
            same = kept(settings_file) == identity and port in (None, last)
            if same and _answer(last) is not None:
                return announce(name.capitalize(), _server(last, "already running"))
            if port not in (None, last) and not is_free(port):
                # The one that runs goes on.
                raise SystemExit(f"The gateway cannot start: port {port} is taken")
            process.stop()
        try:
            port = kept_port(port_file, port)
            write_private(settings_file, identity)
            environ = _inherited() | settings
            process.spawn(_command(process, port, environ), env=environ)
            wait_ready(process, lambda: _answer(port), START_TIMEOUT_SEC)
        except Unavailable as reason:
            raise SystemExit(f"The gateway cannot start: {reason}") from None
        return announce(name.capitalize(), _server(port, "granian", process.stop))


def _command(process: Process, port: int, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the command line of granian: one worker, one listening socket, many threads."""
    asked = environ.get("PODIUM_MAX_STREAMS") or ""
    # What is no number the gateway refuses itself, in words.
    streams = int(asked) if asked.isdecimal() else Config.max_streams
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--factory", "gateway.worker:create_app", "--working-dir", str(ROOT)),
        *("--host", "127.0.0.1", "--port", str(port), "--http", "1", "--no-ws"),
        *("--workers", "1", "--blocking-threads", str(THREADS + streams)),
        *("--backlog", str(BACKLOG), "--backpressure", str(CONNECTIONS)),
        *("--http1-header-read-timeout", str(HEAD_TIMEOUT_SEC * 1000)),
        *("--workers-kill-timeout", str(STOP_TIMEOUT_SEC)),
        *("--pid-file", str(process.pid_file)),
    ]


def _inherited() -> dict[str, str]:
    """Return what a gateway sees of our own environment."""
    return {name: value for name, value in os.environ.items() if name not in WITHHELD}


def _podium_variables() -> dict[str, str]:
    """Return the settings of a gateway that stand in our own environment."""
    return {name: text for name, text in _inherited().items() if name.startswith("PODIUM_")}


def _code_checksum() -> str:
    """Return a checksum of the files that a gateway is made of."""
    pages = (path for path in (ROOT / "gateway" / "web").rglob("*") if path.is_file())
    files = [*(ROOT / "gateway").rglob("*.py"), *pages, ROOT / "sql" / "seed" / "error_catalog.sql"]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _answer(port: int) -> str | None:
    """Return what a gateway says when it is ready; None while it is not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.read().decode() if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _server(port: int, how: str, stopper: Callable[[], None] = lambda: None) -> Server:
    return Server(
        f"http://127.0.0.1:{port}", "process", f"{how} on 127.0.0.1:{port}", stopper=stopper
    )
