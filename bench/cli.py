"""The options of `make bench`, and the order of a run."""

from __future__ import annotations

import argparse
import fcntl
import json
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import document, report
from bench.crew import LoadFailed
from bench.database import WrongBoard
from bench.experiments import EXPERIMENTS, Experiment
from bench.figures import Figure
from bench.ground import Ground, Plan
from services import HOME, stop_stack
from services.stack import drop_data

FULL = Plan(candidates=1_000_000, rounds=5, seconds=4, soak_seconds=300)
QUICK = Plan(candidates=100_000, rounds=3, seconds=1.2)
# Of the table where there is no terminal to ask.
WIDTH = 120
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench, or write the documentation from an earlier run."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    if options.document is not None:
        for path in document.write(json.loads(options.document.read_text())):
            console.print(f"Wrote {path}")
        return
    plan = _plan(options)
    # So that whatever ends the run, what it started is stopped.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    began = time.monotonic()
    with _own_home(options.home.resolve(), options.keep) as home:
        results = run(home, plan, _chosen(options.only), console)
    results["command"] = _command(sys.argv[1:] if arguments is None else arguments)
    results["took_sec"] = round(time.monotonic() - began)
    path = report.save(results, options.results)
    report.show(results, console)
    console.print(f"Took {results['took_sec']} s. In full: {path}")
    if results["failures"]:
        sys.exit(1)


def run(
    home: Path, plan: Plan, experiments: Sequence[Experiment], console: Console
) -> dict[str, Any]:
    """Carry out experiments and return the results; a figure from a wrong board is not among them.

    A failure ends its experiment, not the run.
    """
    results: dict[str, Any] = {"plan": vars(plan), "figures": [], "curves": {}, "failures": []}

    def say(text: str) -> None:
        console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {text}")

    with Ground(home, plan, say) as ground:
        results["environment"] = ground.environment()
        collisions = ground.database.collisions()
        for experiment in experiments:
            say(f"{experiment.title} ...")
            try:
                for outcome in experiment.run(ground):
                    if isinstance(outcome, Figure):
                        results["figures"].append(outcome.as_json())
                    else:
                        results["curves"] |= outcome
            except (WrongBoard, LoadFailed) as error:
                say(f"[bold red]{experiment.title}: {error}[/bold red]")
                results["failures"].append(f"{experiment.title}: {error}")
        results["loaded"] = ground.loaded
        results["collisions"] = ground.database.collisions() - collisions
    return results


def _parser() -> argparse.ArgumentParser:
    names = [name for experiment in EXPERIMENTS for name in experiment.figures]
    parser = argparse.ArgumentParser(
        prog="make bench ARGS='...'",
        description="Measure Podium beside its references, in one run. Only ratios travel from "
        "one machine to another.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK.candidates:,} candidates in place of {FULL.candidates:,}, and fewer rounds: "
        "under 3 minutes",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"this figure and those measured with it; repeatable: {', '.join(names)}",
    )
    parser.add_argument("--rounds", type=_positive, help="turns that each side takes")
    parser.add_argument("--seconds", type=float, help="length of one turn")
    parser.add_argument("--candidates", type=_positive, help="in the largest exam")
    parser.add_argument(
        "--buffer-pool",
        type=_positive,
        metavar="MB",
        help="of InnoDB, in place of what services/ gives it",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the loaded boards, and use those that an earlier run has kept",
    )
    parser.add_argument(
        "--home", type=Path, default=HOME / "bench", help="folder of the servers (.local/bench)"
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder of the results (bench/results)"
    )
    parser.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help="measure nothing; write the table and plots of docs/benchmarks.md from these results",
    )
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    base = QUICK if options.quick else FULL
    return Plan(
        candidates=options.candidates or base.candidates,
        rounds=options.rounds or base.rounds,
        seconds=options.seconds or base.seconds,
        buffer_pool_mb=options.buffer_pool,
        soak_seconds=base.soak_seconds,
    )


def _chosen(names: Sequence[str] | None) -> list[Experiment]:
    """Return the experiments that the figures wanted come from; without a name, all."""
    return [
        experiment
        for experiment in EXPERIMENTS
        if names is None or set(names) & set(experiment.figures)
    ]


def _command(arguments: Sequence[str]) -> str:
    """Return what to type for the same run."""
    return f"make bench ARGS={shlex.quote(shlex.join(arguments))}" if arguments else "make bench"


@contextmanager
def _own_home(home: Path, keep: bool) -> Iterator[Path]:
    """Hold a home that no other run uses; what a run that was killed has left goes first."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(home.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("Another bench is running here: both would measure less.") from None
        if keep:
            _stop(home)
        else:
            _drop(home)
        try:
            yield home
        finally:
            if not keep:
                _drop(home)


def _stop(home: Path) -> None:
    """Stop what runs in a home."""
    for part in (home, home / "ranking"):
        stop_stack(part)


def _drop(home: Path) -> None:
    """Stop what runs in a home, and remove it with its data."""
    _stop(home)
    for part in (home, home / "ranking"):
        drop_data(part)
    shutil.rmtree(home, ignore_errors=True)


def _positive(text: str) -> int:
    """Read a whole number above 0; digits may be grouped."""
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be above 0")
    return number
