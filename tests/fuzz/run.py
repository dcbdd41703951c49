"""How long a fuzzer runs, and from which seed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sql_harness import call

# PODIUM_FUZZ_SECONDS=300 makes a long run of other inputs each time; PODIUM_FUZZ_SEED repeats one.
SECONDS = os.environ.get("PODIUM_FUZZ_SECONDS") or None
SEED = int(os.environ.get("PODIUM_FUZZ_SEED") or (time.time_ns() if SECONDS else 20261125))


def rounds(inputs: int) -> Iterator[tuple[int, random.Random]]:
    """Yield numbers and randomness of their own: so many, or for as long as the environment says.

    What an input is depends on the seed and its number alone, not on the inputs before it.
    """
    deadline = None if SECONDS is None else time.monotonic() + int(SECONDS)
    number = 0
    while time.monotonic() < deadline if deadline else number < inputs:
        yield number, random.Random(f"{SEED}-{number}")
        number += 1


def resident_bytes(pid: int) -> int:
    """Return the memory that a process and all below it hold."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(own.split()[1]) * 1024 + sum(resident_bytes(int(child)) for child in children)


def sick_boards(admin: Any) -> set[int]:
    """Return the exams in which the checks find something; other tests leave some on purpose."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT exam_id FROM podium.leaderboards WHERE revision > 0")
        exams = [int(row[0]) for row in cursor.fetchall()]
    return {
        exam_id
        for exam_id in exams
        for check in ("check_leaderboard", "verify_audit")
        if call(admin, check, exam_id)[0]
    }
