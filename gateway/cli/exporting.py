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
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import click

from gateway.cli.procedures import Procedures, procedures

COLUMNS = ("rank", "user_id", "username", "full_name", "total_score", "total_time_sec")
PER_PAGE = 200
ATTEMPTS = 10


class Moved(Exception):
    """Say that the board has a new revision since the first page."""


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

    Each page tells its revision. Where that moves between two pages the export starts over, at
    most 10 times. Nothing is written to its place before it is whole.

    Exit code: 0 written, 1 no such exam, or a board that did not stand still, 2 usage or no
    database.
    """
    with procedures() as database, _target(output) as file:
        for _ in range(ATTEMPTS):
            file.seek(0)
            file.truncate()
            try:
                _write(database, exam_id, kind, file)
                break
            except Moved:
                continue
        else:
            raise click.ClickException(
                f"the board of exam {exam_id} moved during each of {ATTEMPTS} attempts: export it "
                "when fewer scores come in"
            )


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


def _write(database: Procedures, exam_id: int, kind: str, file: TextIO) -> None:
    """Write every page; raises Moved where one is of another revision than the first."""
    pages = _pages(database, exam_id)
    head = next(pages)
    if kind == "csv":
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for entry in pages:
            table.writerow(entry)
        return
    summary = json.dumps({name: head[name] for name in ("exam_id", "exam_title", "revision")})
    file.write(summary[:-1] + ', "entries": [')
    for number, entry in enumerate(pages):
        file.write((",\n" if number else "\n") + json.dumps(entry, default=_plain))
    file.write("\n]}\n")


def _pages(database: Procedures, exam_id: int) -> Iterator[dict[str, Any]]:
    """Yield the head of the first page, then every entry."""
    revision = None
    for page in count(1):
        [head], entries, *_ = database.call("get_leaderboard", exam_id, page, PER_PAGE, None)
        if revision is None:
            revision = head["revision"]
            yield head
        elif head["revision"] != revision:
            raise Moved
        yield from entries
        if len(entries) < PER_PAGE:
            return


def _plain(value: object) -> float:
    """Return a score as the HTTP API does, as a number."""
    assert isinstance(value, Decimal)
    return float(value)
