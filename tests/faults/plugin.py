"""How often and at which moments pytest injects each fault, and what it says of them at the end."""

from __future__ import annotations

import random

import pytest

from tests.faults.figures import Figures

FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long run, and the same moments again."""
    group = parser.getgroup("faults", "faults under load (tests/test_faults.py)")
    group.addoption("--fault-rounds", type=int, default=1, help="how often each fault is injected")
    group.addoption("--fault-seed", type=int, help="the seed of a run, to inject as it did")
    group.addoption(
        "--document-faults",
        action="store_true",
        help="write the figures of a run without a failure into docs/reliability.md",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take the seed of this run."""
    seed: int | None = config.getoption("--fault-seed")
    config.stash[FIGURES] = Figures(random.randrange(2**32) if seed is None else seed)


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed."""
    return f"faults: --fault-seed={config.stash[FIGURES].seed}"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the table, and write it down if that is wanted and nothing has failed."""
    figures = config.stash[FIGURES]
    if not figures.rows:
        return
    terminalreporter.section(f"faults under load, seed {figures.seed}")
    terminalreporter.write_line(figures.markdown())
    if config.getoption("--document-faults") and exitstatus == pytest.ExitCode.OK:
        figures.write()
