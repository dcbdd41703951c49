"""A board as a terminal shows it. Loads rich: import it where a command runs."""

from __future__ import annotations

import time

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.cli.following import LIVE, LOST, Change, Sight
from gateway.cli.texts import shown

# Title, numbers, state, the table's head with a line above and below, a line, and the keys.
HEIGHT_BESIDE_ROWS = 8
# In less columns there is no room for two names, nor for the time.
ROOM_FOR_BOTH, ROOM_FOR_TIME = 72, 50
CONNECTING = "connecting"


def picture(sight: Sight, changed: dict[int, Change], width: int, rows: int) -> RenderableType:
    """Lay out a page, with what has changed in it and how it is with the gateway."""
    keys = Text("n next   p previous   g first   q quit", style="dim")
    title, numbers = _heading(sight)
    return Group(title, numbers, _state(sight), _table(sight, changed, width, rows), keys)


def last_picture(sight: Sight, width: int, rows: int) -> RenderableType:
    """Lay out a page as it stays on the screen when all is over."""
    return Group(*_heading(sight), _table(sight, {}, width, rows))


def _heading(sight: Sight) -> tuple[Text, Text]:
    """Return what the board is, and the numbers that are about all of it."""
    page = sight.page
    assert page is not None
    last = max(1, -(-page["total_participants"] // page["per_page"]))
    title = Text(shown(page["exam_title"]), style="bold", no_wrap=True, overflow="ellipsis")
    numbers = Text(
        f"exam {page['exam_id']}  revision {page['revision']:,}  "
        f"{page['total_participants']:,} participants  page {page['page']:,} of {last:,}",
        no_wrap=True,
        overflow="ellipsis",
    )
    return title, numbers


def text_of(sight: Sight) -> str:
    """Say how it is with the gateway."""
    if sight.state == LIVE:
        return "live"
    if sight.state == LOST:
        return f"lost, this is the last board: {shown(sight.reason)}"
    return f"asking every 2 s: {shown(sight.reason)}" if sight.reason else CONNECTING


def _state(sight: Sight) -> Text:
    """Say the same with a sign, a colour, and for how long the gateway has been lost."""
    sign, style = {LIVE: ("●", "green"), LOST: ("✗", "bold red")}.get(sight.state, ("○", "yellow"))
    text = f"{sign} {text_of(sight)}"
    if sight.state == LOST:
        text = text.replace("lost", f"lost for {clock(int(time.monotonic() - sight.since))}", 1)
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _table(sight: Sight, changed: dict[int, Change], width: int, rows: int) -> RenderableType:
    page = sight.page
    assert page is not None
    entries = page["leaderboard"][:rows]
    if not entries:
        return Text("\nNobody has a score yet.\n" if page["page"] == 1 else "\nNobody here.\n")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("Rank", justify="right", no_wrap=True, min_width=5)
    table.add_column("", no_wrap=True, min_width=5)
    table.add_column("Candidate", no_wrap=True, overflow="ellipsis", ratio=4)
    if width >= ROOM_FOR_BOTH:
        table.add_column("User name", no_wrap=True, overflow="ellipsis", ratio=5)
    table.add_column("Score", justify="right", no_wrap=True, min_width=8)
    if width >= ROOM_FOR_TIME:
        table.add_column("Time", justify="right", no_wrap=True, min_width=8)
    for entry in entries:
        change = changed.get(entry["user_id"])
        names = [Text(shown(entry["full_name"]))]
        times = [clock(entry["total_time_sec"])] if width >= ROOM_FOR_TIME else []
        if width >= ROOM_FOR_BOTH:
            names.append(Text(shown(entry["username"]), style="dim"))
        table.add_row(
            f"{entry['rank']:,}",
            Text(mark(change), style=_colour(change)),
            *names,
            f"{entry['total_score']:.4f}",
            *times,
            style="bold" if change else None,
        )
    return table


def mark(change: Change | None) -> str:
    """Say in five characters what has changed."""
    if change is None:
        return ""
    if change.places is None:
        return "new"
    if change.places == 0:
        return "•"
    return f"{'▲' if change.places > 0 else '▼'} {min(abs(change.places), 999)}"


def _colour(change: Change | None) -> str:
    if change is None or change.places == 0:
        return ""
    return "green" if change.places is None or change.places > 0 else "red"


def clock(seconds: int) -> str:
    """Write seconds as h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
