"""flask --app gateway exam create, exam list, exam show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from gateway.cli.procedures import procedures

exam = AppGroup("exam", help="Exams and the state of their boards.")
TIMES = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"])
PAGE = 1000


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
@click.option("--starts", type=TIMES, help="UTC; without it the exam is open at once.")
@click.option("--ends", type=TIMES, help="UTC; without it the exam never closes.")
@click.option("--duration", type=int, help="Seconds for one attempt; without it there is no limit.")
def create(
    title: str,
    weights: str | None,
    attempts: int,
    policy: str,
    starts: datetime | None,
    ends: datetime | None,
    duration: int | None,
) -> None:
    """Create an exam and its board.

    \b
    flask --app gateway exam create "Backend Challenge" --weights 50,30,20 --attempts 2

    Exit code: 0 created, 1 refused, 2 usage or no database.
    """
    points = weights.split(",") if weights else [None] * 3
    if len(points) != 3 or not all(p is None or _is_number(p) for p in points):
        raise click.BadParameter("three numbers, such as 50,30,20", param_hint="--weights")
    with procedures() as database:
        [made] = database.call(
            "create_exam", title, *points, attempts, policy, starts, ends, duration
        )[0]
    click.echo(f"Exam {made['exam_id']} is created.")


@exam.command("list")
def list_() -> None:
    """List the exams, with the participants and the revision of their boards.

    Exit code: 0 listed, 2 usage or no database.
    """
    click.echo(f"{'exam':>8}  {'participants':>12}  {'revision':>10}  title")
    with procedures() as database:
        after = None
        while page := database.call("list_exams", after, PAGE)[0]:
            for row in page:
                click.echo(
                    f"{row['exam_id']:>8}  {row['total_participants']:>12,}  "
                    f"{row['revision']:>10,}  {row['title']}"
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
    return "none" if value is None else str(value)
