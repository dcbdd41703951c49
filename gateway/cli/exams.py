"""flask --app gateway exam create, exam list, exam show."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from gateway.cli.procedures import procedures
from gateway.cli.texts import shown
from gateway.db import fetch

exam = AppGroup("exam", help="Exams and the state of their boards.")
PAGE = 1000
# As a time is taken, and as none can be mistaken for another.
EXAMPLE = "2026-12-01T09:00Z, or 2026-12-01 09:00 with --zone Europe/Berlin"


def _read_zone(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> tzinfo | None:
    """Return the zone of a name, such as Europe/Berlin."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise click.BadParameter(
            f"a time zone such as Europe/Berlin or UTC, not {name!r}"
        ) from None


def _moment(text: str | None, zone: tzinfo | None, option: str) -> datetime | None:
    """Return a moment in UTC, as the procedures take it; a local time needs its zone."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(
            f"a time such as {EXAMPLE}, not {text!r}", param_hint=option
        ) from None
    if time.tzinfo is None:
        if zone is None:
            raise click.BadParameter(
                f"{text} is a local time: say of which zone, {EXAMPLE}", param_hint=option
            )
        earlier, later = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if earlier.utcoffset() != later.utcoffset():
            raise click.BadParameter(
                f"clocks of {zone} are changed around {text}, and show it twice or never: write it "
                "with an offset, such as +01:00",
                param_hint=option,
            )
        time = earlier
    try:
        return time.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise click.BadParameter(f"{text} is beyond all calendars", param_hint=option) from None


@exam.command()
@click.argument("title")
@click.option("--weights", metavar="C,Q,A", help="Points of coding, quiz, assessment: 50,30,20.")
@click.option(
    "--attempts", type=int, default=1, show_default=True, help="How many a candidate has."
)
@click.option(
    "--policy",
    type=click.Choice(["best", "latest", "first"]),
    default="best",
    show_default=True,
    help="Which attempt counts.",
)
@click.option(
    "--starts", metavar="TIME", help="2026-12-01T09:00Z; without it the exam is open at once."
)
@click.option("--ends", metavar="TIME", help="2026-12-01T12:00Z; without it it never closes.")
@click.option(
    "--zone",
    metavar="NAME",
    callback=_read_zone,
    help="Of times without an offset: Europe/Berlin, UTC.",
)
@click.option("--duration", type=int, help="Seconds for one attempt; without it there is no limit.")
def create(
    title: str,
    weights: str | None,
    attempts: int,
    policy: str,
    starts: str | None,
    ends: str | None,
    zone: tzinfo | None,
    duration: int | None,
) -> None:
    """Create an exam and its board.

    \b
    flask --app gateway exam create "Backend Challenge" --weights 50,30,20 --attempts 2
    flask --app gateway exam create Finals --starts 2026-12-01T09:00+01:00
    flask --app gateway exam create Finals --starts "2026-12-01 09:00" --zone Europe/Berlin

    Exit code: 0 created, 1 refused, 2 usage or no database.
    """
    points = weights.split(",") if weights else [None] * 3
    if len(points) != 3 or not all(p is None or _is_number(p) for p in points):
        raise click.BadParameter("three numbers, such as 50,30,20", param_hint="--weights")
    times = _moment(starts, zone, "--starts"), _moment(ends, zone, "--ends")
    with procedures() as database:
        [made] = database.call("create_exam", title, *points, attempts, policy, *times, duration)[0]
    click.echo(f"Exam {made['exam_id']} is created.")


@exam.command("list")
def list_() -> None:
    """List the exams, with their dates, the participants and the revision of their boards.

    Times are UTC. An exam is scheduled, open or ended, by the clock of the database.

    Exit code: 0 listed, 2 usage or no database.
    """
    click.echo(
        f"{'exam':>8}  {'participants':>12}  {'revision':>10}  {'state':<9}  {'starts':<17}  "
        f"{'ends':<17}  title"
    )
    with procedures() as database:
        [[clock]] = fetch(database.connection, "SELECT UTC_TIMESTAMP(6) AS now", ())
        after = None
        while page := database.call("list_exams", after, PAGE)[0]:
            for row in page:
                click.echo(
                    f"{row['exam_id']:>8}  {row['total_participants']:>12,}  "
                    f"{row['revision']:>10,}  {_state(row, clock['now']):<9}  "
                    f"{_minute(row['starts_at']):<17}  {_minute(row['ends_at']):<17}  "
                    f"{shown(row['title'])}"
                )
            after = page[-1]["exam_id"]


@exam.command()
@click.argument("exam_id", metavar="ID", type=int)
def show(exam_id: int) -> None:
    """Show one exam.

    Exit code: 0 shown, 1 no such exam, 2 usage or no database.
    """
    with procedures() as database:
        [row] = database.call("get_exam", exam_id)[0]
    for name, value in row.items():
        click.echo(f"{name:>18}  {_shown(value)}")


def _is_number(text: str) -> bool:
    whole, _, decimals = text.strip().partition(".")
    return whole.isascii() and whole.isdigit() and (not decimals or decimals.isdigit())


def _shown(value: Any) -> str:
    return "none" if value is None else shown(value)


def _state(row: dict[str, Any], now: datetime) -> str:
    """Say where an exam is between its dates."""
    if row["starts_at"] is not None and now < row["starts_at"]:
        return "scheduled"
    return "ended" if row["ends_at"] is not None and now >= row["ends_at"] else "open"


def _minute(time: datetime | None) -> str:
    """Write a time as --starts takes it; to the minute, as exams are planned."""
    return "-" if time is None else f"{time:%Y-%m-%dT%H:%MZ}"
