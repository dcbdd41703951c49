"""Who uses the servers of a home, so that no command stops them beneath another.

A command holds the lock of its own file run/<name>.user for as long as it lives; the kernel lets go
of it however the command ends. `make up` does not live on, but the gateway that it leaves does.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TextIO

from services.engine import Container
from services.process import Process, exclusive
from services.server import Instance, Server
from services.source import LOCK

SERVERS = ("redis", "mysqld")


class Lease:
    """A command's use of a home's servers, from before it starts or finds them to its end."""

    def __init__(self, home: Path, command: str) -> None:
        """Take the first name that no living command has: demo, demo-2, demo-3 …"""
        self._home = home
        with exclusive(home / LOCK):
            _sweep(home)
            for number in count(1):
                self.name = command if number == 1 else f"{command}-{number}"
                if (file := _locked(_user_file(home, self.name))) is not None:
                    self._file = file
                    return

    def leave(self, gateway: Server | None, servers: Sequence[tuple[str, Server]]) -> list[str]:
        """Stop what was started, but the servers that others use; return these others.

        servers: by their names in run/. The last who uses them stops those that were left to them.
        """
        if gateway is not None:
            gateway.stop()
        with exclusive(self._home / LOCK):
            _sweep(self._home)
            if others := self._others():
                leave_to_others(self._home, [name for name, server in servers if server.started])
            else:
                for name, server in servers:
                    server.stop()
                    _stop_if_left(self._home, name)
            self.release()
        return others

    def release(self) -> None:
        """Let go of the servers; the name is free again."""
        if not self._file.closed:
            _user_file(self._home, self.name).unlink(missing_ok=True)
            self._file.close()

    def _others(self) -> list[str]:
        own = None if self._file.closed else self.name
        return [name for name in users(self._home) if name != own] + [
            process.name for process in gateways(self._home) if process.alive()
        ]


def users(home: Path) -> list[str]:
    """Return the names of the living commands that use a home's servers."""
    found = []
    for path in sorted((home / "run").glob("*.user")):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path.stem)
    return found


def gateways(home: Path) -> Iterator[Process]:
    """Yield the gateways that a home knows of, or whatever else has a pid file there."""
    names = {path.stem for path in (home / "run").glob("*.pid")} - set(SERVERS)
    yield from (Process(home, name) for name in sorted(names))


def instances(home: Path, server: str) -> list[Instance]:
    """Return the two shapes in which a server of a home may run."""
    kind = {"mysqld": "mysql"}.get(server, server)
    return [Process(home, server), Container(home, kind)]


def leave_to_others(home: Path, servers: Sequence[str]) -> None:
    """Note that the last who uses these servers is to stop them."""
    for name in servers:
        _left_file(home, name).touch(mode=0o600)


def started_anew(home: Path, server: str) -> None:
    """Forget what was noted of a server that ran before."""
    _left_file(home, server).unlink(missing_ok=True)


def _sweep(home: Path) -> None:
    """Stop the gateways of commands that were killed, and forget these commands."""
    living = users(home)
    for path in (home / "run").glob("*.user"):
        if path.stem not in living:
            Process(home, path.stem).stop()
            path.unlink()


def _stop_if_left(home: Path, server: str) -> None:
    """Stop a server that whoever started it has left to us."""
    if _left_file(home, server).exists():
        for instance in instances(home, server):
            instance.stop()
        started_anew(home, server)


def _locked(path: Path) -> TextIO | None:
    """Open a file and lock it; None where somebody else has."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    file = path.open("r+")
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    file.close()
    return None


def _user_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.user"


def _left_file(home: Path, server: str) -> Path:
    return home / "run" / f"{server}.left"
