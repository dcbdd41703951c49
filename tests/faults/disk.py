"""A small file system of a test's own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILLER = "filler"
BLOCK = b"\0" * (64 * 1024)


class Unmountable(Exception):
    """Say why this machine gives no test a file system of its own."""


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount an empty file system in memory at a folder."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Unmountable("only root on Linux can mount a file system")
    folder.mkdir(parents=True)
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounting.returncode != 0:
        raise Unmountable(mounting.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Take all the room there is."""
    with contextlib.suppress(OSError), (folder / FILLER).open("ab", buffering=0) as file:
        while True:
            file.write(BLOCK)


def make_room(folder: Path) -> None:
    """Give back what fill() took."""
    (folder / FILLER).unlink()
