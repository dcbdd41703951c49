"""Servers that tests may break."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from services.engine import Container
from services.process import Process
from services.server import Server


class OwnServer:
    """A server that a test may stop, hang and start again at the same address."""

    def __init__(
        self, start: Callable[[Path], Server], home: Path, process: str, container: str
    ) -> None:
        self._start, self._home = start, home
        self._process, self._container = process, container
        self._running = False
        self.start()

    def start(self) -> None:
        """Start it unless it runs, with the data it had, if it keeps any."""
        if self._running:
            return
        with _whatever_is_named():
            self._server = self._start(self._home)
        self.url = self._server.url
        self._running = True

    def stop(self) -> None:
        """End it in order."""
        self._server.stop()
        self._running = False

    def kill(self) -> None:
        """End it with SIGKILL, as a crash or the kernel would."""
        if pid := Process(self._home, self._process).pid:
            os.kill(pid, signal.SIGKILL)
        else:
            self._engine().kill()
        # Waits for the end, and forgets it.
        self.stop()

    def hang(self) -> None:
        """Let it accept connections and answer none."""
        if pid := Process(self._home, self._process).pid:
            os.kill(pid, signal.SIGSTOP)
        else:
            self._engine().pause()

    def resume(self) -> None:
        """Let it answer again, also what it was asked meanwhile."""
        if pid := Process(self._home, self._process).pid:
            os.kill(pid, signal.SIGCONT)
        else:
            self._engine().unpause()

    def _engine(self) -> Any:
        name = Container(self._home, self._container).name
        return docker.from_env().containers.get(name)


@contextmanager
def _whatever_is_named() -> Iterator[None]:
    """Have start_mysql() and start_redis() start new servers, whatever the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PODIUM_MYSQL_URL", raising=False)
        patch.delenv("PODIUM_REDIS_URL", raising=False)
        if os.environ.get("PODIUM_SERVICES_SOURCE") == "url":
            patch.delenv("PODIUM_SERVICES_SOURCE")
        yield
