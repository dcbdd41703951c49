"""flask --app gateway import: scores of a CSV file, in bulk, resumable."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from gateway.cli.procedures import FOUND, Procedures, Unusable, procedures

REQUIRED = ("username", "full_name", "module_type", "raw_score", "max_score", "time_spent_sec")
COLUMNS = (*REQUIRED, "details")
ROWS_PER_CALL = 500
ROWS_PER_LINE = 50_000
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?")
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# MySQL refuses a whole array that is nested deeper than 100 anywhere.
DEEPEST = 90


@dataclass
class Row:
    """A row of the file; reason: why it is not loaded, None while it may be."""

    line: int
    values: list[str]
    reason: str | None = None
    username: str = ""
    full_name: str = ""
    submission: dict[str, Any] = field(default_factory=dict)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--exam", "exam_id", type=int, required=True, help="The exam's id.")
def import_scores(file: Path, exam_id: int) -> None:
    """Load the scores of a CSV file into an exam.

    The first line names the columns, in any order: username, full_name, module_type (coding, quiz,
    assessment), raw_score, max_score, time_spent_sec, and details (a JSON object) where there are
    any. Candidates who are missing are created, and their sessions started.

    \b
    flask --app gateway import scores.csv --exam 1

    It may be killed anywhere and started again: a row's submission id comes from the exam, the
    number of the row in the file and what stands in it, so that a row that was loaded is known.
    Rows may be added at the end of the file, and set right in their place, between two runs.

    Rows that cannot be loaded go to FILE.rejected.csv with their line and the reason; the others
    are loaded.

    Exit code: 0 all loaded, 1 some rejected, 2 usage, no database, or stopped before the end.
    """
    rejected_path = file.with_name(file.name + ".rejected.csv")
    partial_path = file.with_name(file.name + ".rejected.csv.partial")
    try:
        with ExitStack() as opened:
            registrar, database = (opened.enter_context(procedures()) for _ in range(2))
            database.call("get_exam", exam_id)
            raw = opened.enter_context(file.open("rb"))
            partial = opened.enter_context(
                partial_path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            )
            loaded, replayed, rejected = _load(raw, partial, registrar, database, exam_id)
    except OSError as error:
        raise Unusable(f"{error.filename}: {error.strerror}") from error
    except click.ClickException as error:
        raise Unusable(error.message) from error
    except KeyboardInterrupt:
        raise Unusable("stopped: the same command goes on where it was") from None
    if not rejected:
        partial_path.unlink()
        rejected_path.unlink(missing_ok=True)
    else:
        partial_path.replace(rejected_path)
    click.echo(f"{loaded:,} rows loaded, {replayed:,} of them before; {rejected:,} rejected.")
    if rejected:
        click.echo(f"Rejected rows, with reasons: {rejected_path}")
        raise SystemExit(FOUND)


def _load(
    raw: BinaryIO, partial: TextIO, registrar: Procedures, database: Procedures, exam_id: int
) -> tuple[int, int, int]:
    """Load a file and return how many rows were loaded, loaded before, and rejected.

    Rows are submitted in the order of the file, since the last score of a module counts; while one
    part is submitted, the candidates of the next are registered on a connection of their own.
    """
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text)
    header = _header(reader)
    rejects = csv.writer(partial)
    rejects.writerow(["line", "reason", *header])
    loaded = replayed = rejected = 0

    size = os.fstat(raw.fileno()).st_size
    with _progress(Path(raw.name).name, size) as report, ThreadPoolExecutor(1) as ahead:
        rows = _rows(reader, header, exam_id)
        parts = iter(lambda: tuple(islice(rows, ROWS_PER_CALL)), ())
        part = next(parts, None)
        registered = ahead.submit(_register, registrar, exam_id, part) if part else None
        while part and registered:
            registered.result()
            done = raw.tell()
            following = next(parts, None)
            if following:
                registered = ahead.submit(_register, registrar, exam_id, following)
            replayed += _submit(database, part)
            for row in part:
                if row.reason is None:
                    loaded += 1
                else:
                    rejected += 1
                    rejects.writerow([row.line, row.reason, *row.values])
            report(done, loaded + rejected, rejected)
            part = following
        report(size, loaded + rejected, rejected)
    return loaded, replayed, rejected


def _header(reader: Any) -> list[str]:
    """Read the names of the columns."""
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Unusable(f"line 1: {error}") from error
    if missing := [name for name in REQUIRED if name not in header]:
        raise Unusable(f"the first line does not name {', '.join(missing)}: {', '.join(COLUMNS)}")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise Unusable(f"the first line names {unknown[0]!r}, not one of {', '.join(COLUMNS)}")
    if len(set(header)) < len(header):
        raise Unusable("the first line names a column twice")
    return header


def _rows(reader: Any, header: list[str], exam_id: int) -> Iterator[Row]:
    """Yield the rows of the file, each read or with the reason why not."""
    for number in count(1):
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, [], str(error))
            continue
        if not values:
            continue  # An empty line, as editors leave one at the end.
        row = Row(reader.line_num, values)
        try:
            _read(row, header, exam_id, number)
        except ValueError as error:
            row.reason = str(error)
        yield row


def _read(row: Row, header: list[str], exam_id: int, number: int) -> None:
    """Read the values of a row; raises ValueError."""
    if len(row.values) != len(header):
        raise ValueError(f"{len(row.values)} values for {len(header)} columns")
    values = dict(zip(header, row.values, strict=True))
    content = json.dumps([exam_id, number, *(values.get(name, "") for name in COLUMNS)])
    try:
        "".join(row.values).encode()
    except UnicodeEncodeError as error:
        raise ValueError("not UTF-8") from error
    row.username, row.full_name = values["username"], values["full_name"]
    row.submission = {
        "module_type": values["module_type"],
        "raw_score": _number(values, "raw_score"),
        "max_score": _number(values, "max_score"),
        "time_spent_sec": _number(values, "time_spent_sec", whole=True),
        "submission_id": "import-" + hashlib.sha256(content.encode()).hexdigest()[:48],
    }
    if values.get("details"):
        row.submission["details"] = _details(values["details"])


def _number(values: dict[str, str], name: str, whole: bool = False) -> int | float:
    text = values[name].strip()
    if not (WHOLE if whole else NUMBER).fullmatch(text):
        raise ValueError(f"{name} must be a {'whole ' if whole else ''}number, not {text[:40]!r}")
    return int(text) if whole else float(text)


def _details(text: str) -> dict[str, Any]:
    try:
        details = json.loads(text)
        # What Python reads and MySQL does not: NaN, half of a surrogate pair, a number too great.
        json.dumps(details, ensure_ascii=False, allow_nan=False).encode()
        if isinstance(details, dict) and _depth(details) <= DEEPEST:
            return details
    except (ValueError, RecursionError):
        pass
    raise ValueError(f"details must be a JSON object, not {text[:40]!r}")


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _register(database: Procedures, exam_id: int, rows: tuple[Row, ...]) -> None:
    """Give each sound row the session of its candidate, or the reason why he has none."""
    sound = [row for row in rows if row.reason is None]
    # Once per name, and the first row's full name.
    names = {row.username: row.full_name for row in reversed(sound)}
    items = [{"username": username, "full_name": name} for username, name in names.items()]
    answers = database.call("register_candidates", exam_id, json.dumps(items), None)[0]
    told = dict(zip(names, answers, strict=True))
    for row in sound:
        row.reason = told[row.username]["message"]
        row.submission["session_id"] = told[row.username]["session_id"]


def _submit(database: Procedures, rows: tuple[Row, ...]) -> int:
    """Submit the sound rows, and return how many had been before."""
    sound = [row for row in rows if row.reason is None]
    items = json.dumps([row.submission for row in sound])
    answers = database.call("submit_scores", items, None)[0]
    for row, answer in zip(sound, answers, strict=True):
        row.reason = answer["message"]
    return sum(bool(answer["replayed"]) for answer in answers)


@contextmanager
def _progress(name: str, total_bytes: int) -> Iterator[Callable[[int, int, int], None]]:
    """Show how far it is: a bar on a terminal, a line now and then elsewhere.

    The function takes the bytes that were read, the rows, and how many of them were rejected.
    """
    if not sys.stderr.isatty():
        told = 0

        def tell(_: int, rows: int, rejected: int) -> None:
            nonlocal told
            if rows // ROWS_PER_LINE > told:
                told = rows // ROWS_PER_LINE
                click.echo(f"{rows:,} rows", err=True)

        yield tell
        return
    # Here, so that a worker of the gateway never loads it.
    from gateway.cli.progress import bar

    began = time.monotonic()
    with bar(name, total_bytes, kept=True) as show:

        def draw(done: int, rows: int, rejected: int) -> None:
            refused = f", {rejected:,} rejected" if rejected else ""
            speed = rows / max(time.monotonic() - began, 0.001)
            show(done, f"{rows:,} rows{refused}, {speed:,.0f}/s")

        yield draw
