"""What the user sees, in a terminal and without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.verify import Check

WIDEST = 120
KINDS = {
    "register": "POST /users",
    "start": "POST /sessions",
    "submit": "POST /scores",
    "finish": "PATCH /sessions/<id>/finish",
    "leaderboard": "GET /leaderboard",
}


class Screen:
    """The console, kept at a width that reads well."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if self.console.is_terminal:
            self.console.width = min(self.console.width, WIDEST)

    def say(self, text: str = "") -> None:
        """Print a line of markup."""
        self.console.print(text, soft_wrap=not self.console.is_terminal)

    def heading(self, text: str) -> None:
        """Begin a new part."""
        self.console.print(f"\n[bold]{text}[/bold]")

    def code(self, text: str) -> None:
        """Print what is to be copied: nothing is cut, wrapped or coloured."""
        self.console.print(text, markup=False, soft_wrap=True)

    def error(self, text: str) -> None:
        """Print what went wrong."""
        self.console.print(f"[bold red]{escape(text)}[/bold red]")

    def follow(
        self,
        label: str,
        steps: Iterable[None],
        total: int,
        done: Callable[[], int],
        note: Callable[[], str] = lambda: "",
        board: Callable[[], Sequence[dict[str, Any]]] | None = None,
    ) -> float:
        """Show a bar while steps are made, with the top of the board below; return the seconds.

        Without a terminal nothing moves: what there is to say is said at the end.
        """
        began = time.perf_counter()
        if not self.console.is_terminal:
            for _ in steps:
                pass
            return time.perf_counter() - began
        progress = Progress(
            TextColumn(f"{label:<10}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            expand=True,
            console=self.console,
        )
        task = progress.add_task(label, total=total, note="")
        with Live(progress, console=self.console, transient=True, refresh_per_second=8) as live:
            for _ in steps:
                progress.update(task, completed=done(), note=note())
                if board is not None:
                    live.update(Group(progress, standings(board(), "The board now")))
        return time.perf_counter() - began

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Show that something takes a moment."""
        if self.console.is_terminal:
            with self.console.status(text):
                yield
        else:
            yield

    def show_checks(self, checks: Sequence[Check]) -> None:
        """Print the checks, those that failed in red."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=self.console.is_terminal)
        table.add_column("Promise", no_wrap=True)
        table.add_column("What was compared", ratio=1)
        table.add_column("What was found", ratio=1)
        table.add_column("", no_wrap=True)
        for check in checks:
            table.add_row(
                check.promise,
                escape(check.looked_at),
                escape(check.found),
                "[green]ok[/green]" if check.passed else "FAILED",
                style=None if check.passed else "bold red",
            )
        self.console.print(table)

    def show_standings(self, entries: Sequence[dict[str, Any]], title: str) -> None:
        """Print the top of the board."""
        self.console.print(standings(entries, title))

    def show_speed(self, timings: dict[str, list[float]], play_sec: float, submitted: int) -> None:
        """Print how fast it went, as the candidates saw it."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Call")
        for name in ("requests", "p50 ms", "p95 ms", "p99 ms"):
            table.add_column(name, justify="right")
        for kind, call in KINDS.items():
            if len(timings.get(kind, ())) > 1:
                cuts = quantiles(timings[kind], n=100, method="inclusive")
                table.add_row(
                    call,
                    f"{len(timings[kind]):,}",
                    *(f"{1000 * cuts[percent - 1]:.1f}" for percent in (50, 95, 99)),
                )
        self.console.print(table)
        self.console.print(
            f"{submitted:,} submissions acknowledged in {play_sec:.1f} s: "
            f"[bold]{submitted / play_sec:,.0f} a second[/bold], each one durable, ranked and "
            "audited before it was answered."
        )


def standings(entries: Sequence[dict[str, Any]], title: str) -> Table:
    """Lay out entries of a board."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    table.add_column("Rank", justify="right", min_width=4)
    table.add_column("Candidate")
    table.add_column("User name")
    table.add_column("Score", justify="right", min_width=8)
    table.add_column("Time", justify="right", min_width=7)
    for entry in entries:
        table.add_row(
            str(entry["rank"]),
            escape(entry["full_name"]),
            escape(entry["username"]),
            f"{entry['total_score']:.4f}",
            _clock(entry["total_time_sec"]),
        )
    return table


def _clock(seconds: int) -> str:
    """Write seconds as h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
