"""The commands of tests run as in a terminal, wherever the tests themselves were started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import command_line


@pytest.fixture
def ignored() -> Iterator[None]:
    """Ignore what a background job of a script, or one under nohup, ignores."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in command_line.ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def require_heeding(pid: int) -> None:
    """Require that a process ignores none of the signals that end a command."""
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = (line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    assert [number for number in command_line.ENDING if int(mask, 16) >> (number - 1) & 1] == []


def test_a_command_heeds_the_signals_that_the_tests_ignore(ignored: None) -> None:
    with command_line.begin("routes") as process:
        require_heeding(process.pid)
        process.kill()


def test_a_command_in_a_terminal_heeds_the_signals_that_the_tests_ignore(ignored: None) -> None:
    with command_line.Terminal(80, 24, "routes") as terminal:
        require_heeding(terminal.process.pid)
