"""flask --app gateway watch: a board in the terminal, as it moves."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click
import jwt

from gateway.auth import AUDIENCE
from gateway.cli.addresses import url_option
from gateway.cli.procedures import Refused, Unusable
from gateway.cli.texts import shown
from gateway.cli.tokens import NOBODY_ID, signing_secret

if TYPE_CHECKING:
    from gateway.cli.following import Change, Follower, Sight

ROWS = 20
MOST_ROWS = 200
# How often the picture is drawn where nothing happens: its size may be another one.
TICK_SEC = 0.5
TOKEN_SEC = 3600
NEXT = (b"n", b" ", b"\x1b[C", b"\x1b[6~")
PREVIOUS = (b"p", b"\x1b[D", b"\x1b[5~")
FIRST = (b"g", b"\x1b[H", b"\x1b[1~")
QUIT = (b"q", b"Q", b"\x04")
# Whoever types fast, or far away, has several of them read at once.
KEY = re.compile(rb"\x1b\[[0-9;]*[A-Za-z~]|.", re.DOTALL)


@click.command()
@click.argument("exam_id", metavar="EXAM", type=click.IntRange(1))
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--rows",
    type=click.IntRange(1, MOST_ROWS),
    help=f"Rows of a page; as many as there is room for, and {ROWS} without a terminal.",
)
@click.option("--once", is_flag=True, help="Print the board as it is and end.")
@click.option(
    "--token",
    envvar="PODIUM_TOKEN",
    show_envvar=True,
    help="A bearer token; without it one is signed with PODIUM_JWT_SECRET.",
)
@url_option
def watch(
    exam_id: int, page: int, rows: int | None, once: bool, token: str | None, url: str
) -> None:
    """Show the board of an exam as it moves.

    \b
    flask --app gateway watch 7
    flask --app gateway watch 7 --page 2 --rows 50
    flask --app gateway watch 7 --once | head

    An arrow tells by how many places somebody has moved since the last picture, a dot that only
    his score or his time has changed. n and p, or the arrow keys, turn pages; q or Ctrl-C ends it.
    NO_COLOR is heeded.

    It follows the gateway's stream, and asks every 2 s where there is none. A gateway that does not
    answer is asked again until it does, with the last board on the screen.

    Without a terminal each new revision is printed as lines, and what happens to the connection on
    stderr.

    Exit code: 0 ended by the user or shown once, 1 no such exam, 2 usage, no gateway at the
    beginning, or a token that is refused.
    """
    # Here, so that a worker of the gateway never loads what only this needs.
    from gateway.cli.following import Follower
    from gateway.simulation.client import Gateway

    secret = None if token else signing_secret()
    if token and not re.fullmatch("[!-~]+", token):
        raise Unusable("PODIUM_TOKEN or --token is no token: one has neither blanks nor accents")

    def bearer() -> str:
        return token or _signed(secret or "")

    news_to_read, news = os.pipe()
    with closing(Gateway(url, "", 2)) as gateway:
        follower = Follower(gateway, bearer, exam_id, page, rows or ROWS, lambda: _wake(news))
        first = follower.read_once()
        if first.state == "lost":
            raise Unusable(f"{url}: {first.reason}")
        _require(first)
        if once:
            _print(first, None)
        elif sys.stdout.isatty():
            _draw(follower, news_to_read, page, rows)
        else:
            with suppress(KeyboardInterrupt):
                _print_each(follower, news_to_read)


def _signed(secret: str) -> str:
    """Sign a token that reads; a new one each time, so that none runs out."""
    claims = {
        "sub": str(NOBODY_ID),
        "role": "moderator",
        "aud": AUDIENCE,
        "exp": int(time.time()) + TOKEN_SEC,
    }
    return jwt.encode(claims, secret, "HS256")


def _wake(news: int) -> None:
    os.write(news, b".")


def _require(sight: Sight) -> None:
    """End the command where the gateway refuses."""
    if sight.state == "refused":
        if sight.reason.startswith("exam_not_found"):
            raise Refused(sight.reason)
        raise Unusable(sight.reason)


def _print_each(follower: Follower, news: int) -> None:
    """Print each new revision as lines."""
    from gateway.cli.picture import CONNECTING, text_of

    follower.start()
    shown: dict[str, Any] | None = None
    state = ""
    while True:
        sight = follower.sight
        _require(sight)
        page = sight.page
        if page is not None and (shown is None or page["revision"] != shown["revision"]):
            _print(sight, shown)
            shown = page
        told = text_of(sight)
        if told not in (state, CONNECTING):
            click.echo(told, err=True)
            state = told
        os.read(news, 4096)


def _print(sight: Sight, before: dict[str, Any] | None) -> None:
    """Print a page as lines."""
    from gateway.cli.following import changes
    from gateway.cli.picture import clock, mark

    page = sight.page
    assert page is not None
    click.echo(
        f"revision {page['revision']:,}  {page['total_participants']:,} participants  "
        f"page {page['page']}  exam {page['exam_id']}  {shown(page['exam_title'])}"
    )
    changed = changes(before, page)
    for entry in page["leaderboard"]:
        click.echo(
            f"{entry['rank']:>7,}  {mark(changed.get(entry['user_id'])):<5}  "
            f"{entry['total_score']:>9.4f}  {clock(entry['total_time_sec']):>9}  "
            f"{shown(entry['username'])}  {shown(entry['full_name'])}"
        )
    sys.stdout.flush()


def _draw(follower: Follower, news: int, number: int, rows: int | None) -> None:
    """Draw the board until the user ends it."""
    from rich.console import Console
    from rich.live import Live

    from gateway.cli.following import changes
    from gateway.cli.picture import HEIGHT_BESIDE_ROWS, last_picture, picture

    console = Console(highlight=False)

    def room() -> int:
        fitting = max(1, min(MOST_ROWS, console.height - HEIGHT_BESIDE_ROWS))
        return min(rows or fitting, fitting)

    follower.look(number, room())
    follower.start()
    before: dict[str, Any] | None = None
    shown = follower.sight.page
    changed: dict[int, Change] = {}
    # Ended so, it still gives the terminal back as it was.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        _keys() as keys,
        Live(console=console, screen=True, auto_refresh=False, transient=True) as live,
    ):
        while True:
            sight = follower.sight
            _require(sight)
            page = sight.page
            assert page is not None
            if page is not shown:
                before, shown = shown, page
                changed = changes(before, page)
            live.update(picture(sight, changed, console.width, room()), refresh=True)
            ready, _, _ = select.select([news, *keys], [], [], TICK_SEC)
            if news in ready:
                os.read(news, 4096)
            pressed = os.read(keys[0], 64) if keys and keys[0] in ready else b""
            turned = _turn(number, pressed, max(1, -(-page["total_participants"] // room())))
            if turned is None:
                break
            number = turned
            follower.look(number, room())
    # What was seen last stays, where the screen is another one.
    console.print(last_picture(follower.sight, console.width, room()))


def _turn(number: int, pressed: bytes, last: int) -> int | None:
    """Return the page that keys lead to; None where one of them ends it."""
    for key in KEY.findall(pressed):
        if key in QUIT:
            return None
        if key in NEXT:
            number = min(number + 1, last)
        elif key in PREVIOUS:
            number = max(number - 1, 1)
        elif key in FIRST:
            number = 1
    return max(1, min(number, last))


@contextmanager
def _keys() -> Iterator[list[int]]:
    """Return the terminal's descriptor, from which each key is read as it is pressed, if any."""
    if not sys.stdin.isatty():
        yield []
        return
    import termios
    import tty

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield [keyboard]
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
