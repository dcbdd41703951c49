"""Progress bars on stderr. Loads rich: import it where a command runs, so that no worker does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
)
from rich.text import Text

WIDEST = 100
LONGEST_LABEL = 24


class TimeColumn(ProgressColumn):
    """How long it will take, and in the end how long it took."""

    # The estimate changes with every report; a picture a second is easier to read.
    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        """Return the time in words."""
        if task.finished:
            return Text(f"in {_clock(task.finished_time or 0)}")
        if task.time_remaining is None:
            return Text(f"   {_clock(task.elapsed or 0)}")
        return Text(f"{_clock(task.time_remaining)} left")


@contextmanager
def bar(label: str, total: int, *, kept: bool = False) -> Iterator[Callable[[int, str], None]]:
    """Show a bar on a terminal, nothing elsewhere; the function takes what is done, and a note.

    kept: leave it on the screen in the end.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda done, note: None
        return
    # At the end of a line that is full the ^C of a terminal would begin another one.
    console.width = min(console.width - 2, WIDEST)
    if len(label) > LONGEST_LABEL:
        label = label[: LONGEST_LABEL - 1] + "…"
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeColumn(),
    )
    with Progress(*columns, console=console, transient=not kept, expand=True) as progress:
        task = progress.add_task(label, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
