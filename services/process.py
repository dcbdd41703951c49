"""Server processes that outlive the command which started them, known by their pid files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from services.server import Unavailable

STOP_TIMEOUT_SEC = 60
# Below those that the kernel gives to whoever connects: a server takes seconds until it listens.
PORTS = range(20_000, 32_768)
# As mysqld marks it, and as Python ends a traceback.
ERROR = re.compile(r"\[ERROR\]|^[\w.]*(Error|Exception): ")


class Process:
    """A server process of a home: its pid in run/NAME.pid, its output in log/NAME.log.

    Its command line must name the pid file. That, not the pid alone, makes it the one that was
    started: the pid may have been given to a stranger since.
    """

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        self.pid_file = home / "run" / f"{name}.pid"
        self.log = home / "log" / f"{name}.log"
        self._child: int | None = None
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

    def spawn(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the process in a session of its own, where no Ctrl-C of a terminal reaches it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._child = os.posix_spawnp(
            command[0],
            list(command),
            os.environ if env is None else env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        # The server writes the file too, but later: a command interrupted until then would lose it.
        write_private(self.pid_file, str(self._child))

    @property
    def pid(self) -> int | None:
        """Return the pid while the process runs."""
        if self._child is not None:
            # A child cannot be taken for another, and its command line is empty for a moment.
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self._child, os.WNOHANG) == (0, 0):
                    return self._child
            self._child = None
        pid = kept(self.pid_file) or ""
        names_it = rf"(^|[ =]){re.escape(str(self.pid_file))}( |$)"
        return int(pid) if pid.isdigit() and re.search(names_it, _command_line(pid)) else None

    def alive(self) -> bool:
        return self.pid is not None

    def stop(self) -> None:
        """End the process, politely, then by force, and forget it."""
        sent = signal.SIGTERM
        while (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                # By force the whole session: a worker must not be left behind.
                os.kill(pid, sent) if sent == signal.SIGTERM else os.killpg(pid, sent)
            deadline = time.monotonic() + STOP_TIMEOUT_SEC
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)  # It need not be a child, so there is nothing to wait on.
            sent = signal.SIGKILL
        self.pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        lines = self.log.read_bytes()[self._log_start :].decode(errors="replace").splitlines()
        # Of several errors the first is the cause.
        errors = [line for line in lines if ERROR.search(line)]
        return f"{[*errors[:1], *lines[-1:], 'no output'][0].strip()} (more in {self.log})"


def _command_line(pid: str) -> str:
    """Return a process's words, separated by blanks; empty if it has ended."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return words.replace(b"\0", b" ").decode(errors="replace")
    ps = ["ps", "-ww", "-o", "command=", "-p", pid]
    return subprocess.run(ps, capture_output=True, text=True).stdout


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a file's lock, so that two commands in one checkout do not do the same thing twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(path)


def kept(path: Path) -> str | None:
    """Return what is kept in a file; None if nothing is."""
    return path.read_text().strip() or None if path.exists() else None


def kept_secret(path: Path) -> str:
    """Return the random secret kept in a file, made at the first call; it is safe in a URL."""
    secret = kept(path)
    if secret is None:
        secret = secrets.token_hex(32)
        write_private(path, secret)
    return secret


def port_number(text: str) -> int:
    """Read the port that somebody wants for the gateway; of what is none, ends with one line."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 5
    if not is_number or not 0 < int(text) <= 65535:
        raise SystemExit(
            f"PODIUM_PORT (or --port) must be a whole number from 1 to 65535, not {text[:40]!r}"
        )
    return int(text)


def kept_port(path: Path, wanted: int | None = None) -> int:
    """Return the loopback port kept in a file while it is free, else a new free one.

    wanted: this one and no other.
    """
    before = kept(path)
    likely = [int(before)] if before else []
    for port in [wanted] if wanted else [*likely, *random.sample(PORTS, 20), 0]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: a port whose last connections are still fading away is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            port = int(probe.getsockname()[1])
            write_private(path, str(port))
            return port
    raise Unavailable(f"port {wanted} is taken" if wanted else "no loopback port is free")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
