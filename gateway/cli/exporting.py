"""flask --app gateway export: the whole board, of one revision."""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TextIO

import click

from gateway.cli.cells import guard
from gateway.cli.procedures import Procedures, Unusable, procedures
from gateway.cli.texts import counted, shown

COLUMNS = ("rank", "user_id", "username", "full_name", "total_score", "total_time_sec")


@click.command()
@click.option("--exam", "exam_id", type=int, required=True, help="The exam's id.")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; without it, standard output.",
)
def export(exam_id: int, kind: str, output: Path | None) -> None:
    """Write the whole board of an exam, every entry of one revision.

    \b
    flask --app gateway export --exam 1 --format csv --output board.csv

    However many scores come in meanwhile, it is the board of one moment; json tells its revision.
    Nothing is written to its place before it is whole. In csv, an apostrophe stands before what a
    spreadsheet would take for a formula; import takes it back.

    Exit code: 0 written, 1 no such exam, 2 usage or no database.
    """
    with procedures() as database, _target(output) as file:
        told = _write(database, exam_id, kind, file)
    if output is not None:
        click.echo(f"{told} written to {shown(output)}.", err=True)


@contextmanager
def _target(output: Path | None) -> Iterator[TextIO]:
    """Open a file that takes its name, or is printed, once it is whole."""
    folder = None if output is None else output.parent
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".podium-export-")
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--output") from error
    try:
        with open(descriptor, "w+", encoding="utf-8", newline="") as file:
            yield file
            if output is None:
                file.seek(0)
                for line in file:
                    sys.stdout.write(line)
        if output is not None:
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)  # mkstemp's are the owner's only.
            os.replace(name, output)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(database: Procedures, exam_id: int, kind: str, file: TextIO) -> str:
    """Write every entry of one revision, and say how many of which."""
    rows = database.stream("export_leaderboard", exam_id)
    head = next(rows)
    # Of a board without entries there is one row, which tells the exam alone.
    entries = () if head["user_id"] is None else chain((head,), rows)
    written = 0
    if kind == "csv":
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for entry in entries:
            table.writerow({name: _harmless(entry[name]) for name in COLUMNS})
            written += 1
    else:
        summary = json.dumps({name: head[name] for name in ("exam_id", "exam_title", "revision")})
        file.write(summary[:-1] + ', "entries": [')
        for entry in entries:
            told = {name: entry[name] for name in COLUMNS}
            file.write((",\n" if written else "\n") + json.dumps(told, default=_plain))
            written += 1
        file.write("\n]}\n")
    if written != head["total_participants"]:
        raise Unusable(
            f"{written} entries came of {head['total_participants']}: flask --app gateway verify "
            f"--exam {exam_id}"
        )
    return f"{counted(written, 'entry', 'entries')} of revision {head['revision']:,}"


def _harmless(value: object) -> object:
    """Return a cell that no spreadsheet carries out."""
    return guard(value) if isinstance(value, str) else value


def _plain(value: object) -> float:
    """Return a score as the HTTP API does, as a number."""
    assert isinstance(value, Decimal)
    return float(value)
