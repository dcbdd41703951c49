"""flask --app gateway simulate: an exam played over HTTP, and what was told held against MySQL."""

from __future__ import annotations

import os
import secrets
import signal
import time
from contextlib import closing
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
from mysql.connector import errorcode

from gateway.cli.addresses import url_option
from gateway.cli.procedures import FOUND, UNUSABLE, Procedures, Unusable, procedures, refuse
from gateway.cli.texts import counted, shown
from gateway.cli.tokens import NOBODY_ID, signing_secret
from gateway.db import DRIVER_ERRORS, fetch

if TYPE_CHECKING:
    from gateway.history import History, Violation
    from gateway.simulation.client import Caller, Gateway
    from gateway.simulation.play import Record

# Whoever ends the terminal or the job wants to know what was done until then.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Of each promise.
SHOWN = 10
WIDEST = 100


@click.command()
@click.argument("exam_id", metavar="[EXAM]", type=click.IntRange(1), required=False)
@click.option(
    "--candidates", type=click.IntRange(1), default=200, show_default=True, help="How many."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1000),
    default=16,
    show_default=True,
    help="How many of them play at once.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another one, other people.")
@click.option("--yes", is_flag=True, help="Play in an exam that has participants already.")
@url_option
def simulate(
    exam_id: int | None, candidates: int, workers: int, seed: int, yes: bool, url: str
) -> None:
    """Play an exam over HTTP, then check every promise on what was told.

    \b
    flask --app gateway simulate
    flask --app gateway simulate 7 --candidates 1000 --workers 64
    flask --app gateway simulate --url http://127.0.0.1:8000 --seed 2

    It makes an exam of its own unless one is named; nobody else may submit to that meanwhile.
    Candidates hand in three modules each, some of them one again, some the same request twice,
    some from a version that is no longer the newest. All that they are told is written down, and
    held against what MySQL has in the end. What was played stays.

    PODIUM_MYSQL_URL names an account that may read the tables: an administrative one, or one of the
    role podium_dba. PODIUM_JWT_SECRET signs the candidates' tokens.

    Ctrl-C ends the play and checks what was done; again, it ends without the check.

    Exit code: 0 nothing is wrong, 1 something is, 2 usage, no database, no gateway, or it could not
    be played or checked to its end, 130 stopped by Ctrl-C and nothing wrong until then.
    """
    # Here, so that a worker of the gateway never loads what only this needs.
    from gateway.simulation.client import Caller, Gateway, PlayError
    from gateway.simulation.play import Record

    with closing(Gateway(url, signing_secret(), workers)) as gateway:
        organiser = Caller(gateway, gateway.token(NOBODY_ID, "admin"))
        try:
            exam_id, revision = _prepare(organiser, exam_id, yes)
        except (PlayError, click.ClickException) as error:
            raise Unusable(_message(error)) from error
        record = Record(exam_id)
        record.recorder.begins(exam_id, revision)
        failure = None
        with _Ending(gateway) as ending:
            try:
                _play(organiser, record, candidates, workers, seed)
            except PlayError as error:
                failure = str(error)
            if ending.number is not None:
                failure = f"stopped, {record.finished:,} of {candidates:,} candidates have finished"
            if failure:
                click.echo(f"Not played to its end: {shown(failure)}", err=True)
            ending.let_go()
            click.echo("Checking what was told against what MySQL has ...")
            violations = _check(record.recorder.history)
    _show(record.recorder.history, violations)
    if violations:
        raise SystemExit(FOUND)
    if ending.number is not None:
        raise SystemExit(128 + ending.number)
    if failure:
        raise SystemExit(UNUSABLE)


class _Ending:
    """Ends the play at the first signal and the command at the next one."""

    def __init__(self, gateway: Gateway) -> None:
        self._over = gateway.over
        self.number: int | None = None

    def __enter__(self) -> _Ending:
        self._before = {number: signal.signal(number, self._end) for number in SIGNALS}
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is KeyboardInterrupt and self.number is not None:
            click.echo("Stopped; what was played is not checked.", err=True)
            # Not by the usual way, which waits for all the answers under way.
            os._exit(128 + self.number)

    def let_go(self) -> None:
        """Let the next signal end the command at once, also in the middle of a query."""
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            self._over.set()
        else:
            self.let_go()
            raise KeyboardInterrupt


def _prepare(organiser: Caller, exam_id: int | None, yes: bool) -> tuple[int, int]:
    """Make or find the exam; returns its id and its revision."""
    gateway = organiser.gateway
    gateway.send("other", "GET", "/healthz", None)
    with procedures() as database:
        try:
            fetch(database.connection, "SELECT 1 FROM podium.score_audit_log LIMIT 0", ())
        except DRIVER_ERRORS as error:
            if getattr(error, "errno", None) == errorcode.ER_TABLEACCESS_DENIED_ERROR:
                raise Unusable(
                    "the check reads the tables, and this account may not: let PODIUM_MYSQL_URL "
                    "name an administrative one, or one of the role podium_dba"
                ) from error
            refuse(error)
        if exam_id is None:
            title = f"Simulation of {datetime.now(UTC):%Y-%m-%d %H:%M}"
            settings = {"title": title, "submissions_by": "candidates"}
            made = organiser.call("other", "POST", "/exams", settings, expected=201).body
            stored = _stored(database, made["exam_id"], made)
            click.echo(f"Exam {made['exam_id']} is created: {title}.")
            click.echo(f"To see its board: flask --app gateway watch {made['exam_id']}")
        else:
            database.call("get_exam", exam_id)
            stored = _stored(database, exam_id, organiser.get(f"/exams/{exam_id}"))
            if stored["submissions_by"] != "candidates":
                raise Unusable(
                    f"exam {exam_id} takes scores from graders only, and candidates hand in their "
                    "own here: set its submissions_by to candidates if that is meant"
                )
            if stored["total_participants"] and not yes:
                raise Unusable(
                    f"exam {exam_id} has {stored['total_participants']:,} participants already, "
                    "and what is played stays in it: add --yes if that is meant"
                )
    return stored["exam_id"], stored["revision"]


def _stored(database: Procedures, exam_id: int, told: dict[str, Any]) -> dict[str, Any]:
    """Return an exam as the database has it, which must be the one that the gateway has."""
    try:
        [stored] = database.call("get_exam", exam_id)[0]
        if stored["created_at"].replace(tzinfo=UTC) == datetime.fromisoformat(told["created_at"]):
            return stored
    except click.ClickException:
        pass  # Said below.
    raise Unusable("PODIUM_MYSQL_URL does not name the database that this gateway serves")


def _play(organiser: Caller, record: Record, candidates: int, workers: int, seed: int) -> None:
    """Register candidates and let them take the exam, telling how it goes."""
    from gateway.cli.progress import bar
    from gateway.simulation.candidates import invent
    from gateway.simulation.play import play, register

    gateway = organiser.gateway
    # Names of this run, so that an exam can be played in more than once.
    people = invent(candidates, f"{record.exam_id}.{secrets.token_hex(3)}", seed)
    began = time.monotonic()
    with bar("Registering", candidates) as show:
        for _ in register(organiser, record, people, workers):
            show(len(record.user_ids), "stopping" if gateway.over.is_set() else "")
    click.echo(
        f"{len(record.user_ids):,} candidates registered in {time.monotonic() - began:.1f} s."
    )
    if gateway.over.is_set():
        return
    began = time.monotonic()
    with bar("Playing", candidates) as show:
        for _ in play(gateway, record, people, workers):
            speed = len(record.acknowledged) / (time.monotonic() - began)
            told = f"{record.finished:,} of {candidates:,}, {speed:,.0f} scores/s"
            show(record.finished, "waiting for answers" if gateway.over.is_set() else told)
    seconds = time.monotonic() - began
    click.echo(
        f"Played in {seconds:.1f} s: {len(record.acknowledged):,} submissions acknowledged, "
        f"{len(record.acknowledged) / seconds:,.0f} a second,\n"
        f"{len(record.replays):,} of them sent twice, {len(record.refused):,} stale ones refused."
    )


def _check(history: History) -> list[Violation]:
    """Hold what was told against what the database has."""
    from gateway.history import NotQuiet, check

    try:
        # Anew: the database may have been started again meanwhile.
        with procedures() as database:
            try:
                return check(history, database.connection)
            except DRIVER_ERRORS as error:
                refuse(error)
    except (NotQuiet, click.ClickException) as error:
        raise Unusable(f"what was played cannot be checked: {_message(error)}") from error


def _show(history: History, violations: list[Violation]) -> None:
    """Print each promise and what breaks it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from gateway.history import judge

    console = Console(highlight=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else WIDEST
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("Promise", no_wrap=True)
    table.add_column("What was compared", ratio=1)
    table.add_column("How many", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    verdicts = judge(history, violations)
    for verdict in verdicts:
        table.add_row(
            verdict.promise,
            verdict.compared,
            verdict.amount,
            f"{len(verdict.violations):,} WRONG" if verdict.violations else "[green]ok[/green]",
            style="bold red" if verdict.violations else None,
        )
    console.print(table)
    for verdict in verdicts:
        for violation in verdict.violations[:SHOWN]:
            click.echo(f"{verdict.promise}: {shown(violation.text)}")
        if len(verdict.violations) > SHOWN:
            click.echo(f"{verdict.promise}: and {len(verdict.violations) - SHOWN:,} more")
    click.echo(f"{counted(len(violations), 'finding')}." if violations else "Nothing is wrong.")


def _message(error: Exception) -> str:
    return error.message if isinstance(error, click.ClickException) else str(error)
