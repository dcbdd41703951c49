"""A server somebody may use, and what starting one has to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".local"


class Unavailable(Exception):
    """Say why a source cannot provide a server, in words that fit into a list of reasons."""


@dataclass(frozen=True)
class Server:
    """A running server: its URL, the source it came from, and how to stop it if it is ours."""

    url: str
    source: str
    description: str
    unix_socket: Path | None = None
    stopper: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def started(self) -> bool:
        """Tell whether this call has started it, and did not find it."""
        return self.source not in ("url", "running")

    def stop(self) -> None:
        """Stop the server if this call's owner started it; one that was found stays as it is."""
        self.stopper()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Instance(Protocol):
    """What runs a private server: a process or a container."""

    name: str

    def alive(self) -> bool:
        """Tell whether it runs."""

    def stop(self) -> None:
        """End it, if it runs."""

    def last_words(self) -> str:
        """Return the line of its log that most likely says why it ended."""


def wait_ready(instance: Instance, version: Callable[[], str | None], timeout_sec: float) -> str:
    """Wait until a server just started tells its version; if it never does, stop it again."""
    deadline = time.monotonic() + timeout_sec
    try:
        while (answer := version()) is None:
            if not instance.alive():
                raise Unavailable(f"{instance.name} ended at once: {instance.last_words()}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{instance.name} does not answer: {instance.last_words()}")
            time.sleep(0.05)  # Nothing tells when a server begins to listen: ask it again.
        return answer
    except BaseException:  # Ctrl-C too: nobody else knows of the server yet.
        instance.stop()
        raise
