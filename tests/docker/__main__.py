"""The command line behind `make test-docker`."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

from services.server import ROOT, Unavailable
from tests.docker import engine, images
from tests.docker.engine import FOLDER, Engine

VENV = FOLDER / "venv"
TESTS = ("tests/test_containers.py", "tests/test_compose.py")


def main() -> int:
    """Run all that needs containers, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.docker",
        description="Run the example suite, Compose and the faults in real containers.",
    )
    parser.add_argument(
        "--required", action="store_true", help="fail where no Docker engine can be had"
    )
    arguments = parser.parse_args()
    try:
        with engine.find_or_start() as found:
            print(f"Docker engine: {found.description}", flush=True)
            return run(found)
    except Unavailable as reason:
        print(f"SKIPPED, nothing was tested in containers: {reason}", flush=True)
        return 1 if arguments.required else 0


def run(found: Engine) -> int:
    """Run everything on an engine, and return the exit code."""
    if found.private:
        with _timed("Making the images of MySQL, Redis and Python"):
            with contextlib.closing(found.client()) as client:
                images.make(client)
    with _timed("Installing the kit as somebody else would"):
        _install()
    # From its own folder and with its own packages: nothing of this checkout is on its path.
    example = found.run(str(VENV / "bin" / "pytest"), cwd=ROOT / "examples")
    own = found.run(
        *(sys.executable, "-m", "pytest", *TESTS),
        env={"PODIUM_DOCKER": "required", "PODIUM_COMPOSE": shlex.join(found.compose)},
    )
    return example.returncode or own.returncode


def _install() -> None:
    """Make a virtual environment that has the wheel of this checkout and nothing else."""
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run(
        [str(VENV / "bin" / "pip"), "install", "--quiet", "--quiet"]
        + ["--disable-pip-version-check", f"{ROOT}[testing]"],
        check=True,
    )


@contextlib.contextmanager
def _timed(what: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    print(f"{what} ...", flush=True)
    began = time.monotonic()
    yield
    print(f"... took {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
