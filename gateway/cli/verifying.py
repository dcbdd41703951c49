"""flask --app gateway verify."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gateway.cli.procedures import FOUND, Procedures, procedures
from gateway.cli.texts import counted, shown

# The procedures list no more; their verdict has the whole number.
MOST_LISTED = 1000


@click.command()
@click.option("--exam", "exam", default="all", show_default=True, help="An exam's id, or all.")
def verify(exam: str) -> None:
    """Compare boards with their raw scores and verify their history.

    \b
    flask --app gateway verify --exam 1
    flask --app gateway verify

    Exit code: 0 all is well, 1 something is not, 2 usage or no database.
    """
    if exam != "all" and not (exam.isascii() and exam.isdigit()):
        raise click.BadParameter("an exam's id, or all", param_hint="--exam")
    findings = exams = 0
    with procedures() as database:
        for exam_id in _all_exams(database) if exam == "all" else [int(exam)]:
            exams += 1
            for line in _findings(database, exam_id):
                if not findings:
                    click.echo(f"{'exam':>8}  {'check':<8}  finding")
                click.echo(f"{exam_id:>8}  {shown(line)}")
                findings += 1
    click.echo(f"{counted(exams, 'exam')} verified, {counted(findings, 'finding')}.")
    if findings:
        raise SystemExit(FOUND)


def _findings(database: Procedures, exam_id: int) -> Iterator[str]:
    """Yield what the two checks find wrong."""
    problems, [checked] = database.call("check_leaderboard", exam_id)
    for row in problems:
        yield (
            f"{'board':<8}  {row['problem']} {row['item']}: found {row['found']}, "
            f"expected {row['expected']}"
        )
    if len(problems) == MOST_LISTED:
        yield f"{'board':<8}  {checked['verdict']}"
    problems, [checked] = database.call("verify_audit", exam_id)
    for row in problems:
        yield f"{'history':<8}  revision {row['revision']}: {row['problem']}"
    if len(problems) == MOST_LISTED:
        yield f"{'history':<8}  {checked['verdict']}"


def _all_exams(database: Procedures) -> Iterator[int]:
    """Yield the ids of all exams."""
    after = None
    while page := database.call("list_exams", after, 1000)[0]:
        yield from (row["exam_id"] for row in page)
        after = page[-1]["exam_id"]
