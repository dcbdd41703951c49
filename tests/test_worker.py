"""The application in a worker process, beside what tests/test_services.py asks of one that runs."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

from services.server import ROOT


def test_the_collector_passes_over_what_is_here_to_stay() -> None:
    program = """
import gc
from gateway.worker import create_app
app = create_app()
collected = gc.get_objects()
print(any(each is app for each in collected), 10 * len(collected) < gc.get_freeze_count())
"""
    settings = {
        "PODIUM_MYSQL_URL": "mysql://x@127.0.0.1:1/podium",
        "PODIUM_JWT_SECRET": secrets.token_hex(32),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.stdout, ran.returncode) == ("False True\n", 0), ran.stderr
