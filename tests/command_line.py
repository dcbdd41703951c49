"""The command line as a shell runs it, with pipes or in a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from typing import Self

from tests.waiting import wait_until

# What background jobs of a script, or nohup, ignore, and their children with them: those of tests
# are ended by signals all the same.
ENDING = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)
FLASK = [sys.executable, "-m", "flask", "--app", "gateway"]


def begin(*arguments: object, **env: str) -> subprocess.Popen[str]:
    """Begin a command; what it says goes into pipes."""
    return subprocess.Popen(
        [*FLASK, *map(str, arguments)],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )


def heed_signals() -> None:
    """Let signals end this process as they end one that a terminal has started."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


def run(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    with begin(*arguments, **env) as process:
        out, told = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, told)


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, columns: int, lines: int, *arguments: object, **env: str) -> None:
        self._master, self.terminal = pty.openpty()
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)
        self.modes = termios.tcgetattr(self.terminal)
        self._seen = b""
        self.process = subprocess.Popen(
            [*FLASK, *map(str, arguments)],
            env={name: text for name, text in os.environ.items() if name != "NO_COLOR"}
            | {"TERM": "xterm-256color"}
            | env,
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            # Its own, so that Ctrl-C reaches it and nobody else.
            preexec_fn=self._take,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        self._reader.join()
        os.close(self._master)

    @property
    def text(self) -> str:
        """Return all that was written so far."""
        return self._seen.decode(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until something was written."""
        wait_until(lambda: text in self.text)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def end(self) -> int:
        """Wait for the end of the command and return its exit code."""
        return self.process.wait(20)

    def _take(self) -> None:
        heed_signals()
        os.setsid()
        fcntl.ioctl(self.terminal, termios.TIOCSCTTY, 0)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return  # Nobody has the terminal open any more.
            if not piece:
                return
            self._seen += piece
