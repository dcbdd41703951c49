"""flask --app gateway import: scores of a CSV file, in bulk; the file is the truth."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli import cells
from gateway.cli.procedures import FOUND, Procedures, Unusable, procedures
from gateway.cli.staging import Counts, Score, Staging, readable
from gateway.cli.tables import (
    HIDDEN,
    UNSEEN,
    UNSEEN_IN_USERNAMES,
    Record,
    Refused,
    Table,
)
from gateway.cli.texts import counted, shown
from gateway.db import Row
from gateway.schemas import SUBMISSION
from gateway.validation import Validator

REQUIRED = ("username", "full_name", "module_type", "raw_score", "max_score", "time_spent_sec")
COLUMNS = (*REQUIRED, "details", "attempt_no")
# Columns of a file of rejected rows, which is read again as it is.
REJECTS = ("line", "last_line", "reason", "content")
ROWS_PER_CALL = 500
ROWS_PER_LINE = 50_000
CHANGES_SHOWN, REASONS_SHOWN = 20, 5
# MySQL refuses a whole array that is nested deeper than 100 anywhere.
DEEPEST = 90
MOST_ATTEMPTS = 1000

Value = TypeVar("Value")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--exam", "exam_id", type=int, required=True, help="The exam's id.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--start-attempts",
    is_flag=True,
    help="Start the attempt that attempt_no names, where it is the candidate's next.",
)
@click.option(
    "--decimal",
    type=click.Choice(["point", "comma"]),
    help="How the file writes 33.5, where that is not certain.",
)
@click.option("--encoding", help="Of a file that is not Unicode: windows-1252, for example.")
@click.option(
    "--as-is",
    is_flag=True,
    help="Take names that look as if a spreadsheet had changed them (1.2E+05, 05-Mar).",
)
def import_scores(
    file: Path,
    exam_id: int,
    dry_run: bool,
    start_attempts: bool,
    decimal: str | None,
    encoding: str | None,
    as_is: bool,
) -> None:
    """Bring the scores of an exam to what a CSV file says.

    The first line names the columns, in any order: username, full_name, module_type, raw_score,
    max_score, time_spent_sec; details (a JSON object) and attempt_no where there are any.
    Candidates who are missing are created, and their first attempts started. Scores go to the
    attempt that counts, finished or not, unless attempt_no names another: in all rows of a
    candidate, or in none.

    \b
    flask --app gateway import scores.csv --exam 1 --dry-run
    flask --app gateway import scores.csv --exam 1

    The file is the truth: of several rows for one module the last one counts, and what MySQL shows
    already is left alone. The same file again changes nothing; a corrected one changes what was
    corrected. The command may be killed anywhere and started again.

    Comma, semicolon or tab; decimals with a point or a comma; UTF-8, or UTF-16 with a byte order
    mark: found out, and refused where it is not certain. The whole file is read before anything is
    written. Rows that cannot be loaded go to FILE.rejected.csv with their line and the reason,
    which can be corrected there and imported as it is.

    Exit code: 0 the board is as the file says, 1 some rows were rejected, 2 usage, no database, a
    file that is refused as a whole, or stopped before the end.
    """
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise click.BadParameter(f"{encoding} is not known", param_hint="--encoding") from None
    try:
        table = Table(file.read_bytes(), encoding)
        with ExitStack() as opened:
            staging = opened.enter_context(closing(Staging()))
            registrar, database = (opened.enter_context(procedures()) for _ in range(2))
            run = Import(registrar, database, staging, table, exam_id, shown(file.name))
            try:
                run.check(decimal, as_is, start_attempts)
            except Refused as refused:
                _refuse(file, table, refused)
            if not dry_run:
                run.load()
            counts = _proved(staging.counts(planned=dry_run), run.records)
            renamed = staging.renamed()
            path = _write_rejects(file, table, staging.rejected())
            first = list(islice(staging.rejected(), REASONS_SHOWN))
            if dry_run:
                _show_changes(staging, counts)
    except OSError as error:
        raise Unusable(f"{error.filename}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise Unusable(f"the temporary file of the import: {error}") from error
    except click.UsageError:
        raise
    except click.ClickException as error:
        raise Unusable(error.message) from error
    except KeyboardInterrupt:
        raise Unusable("stopped: the same command goes on where it was") from None
    _tell(counts, first, path, "would be loaded" if dry_run else "loaded")
    if renamed:
        click.echo(
            f"{renamed:,} full name{'s differ' if renamed > 1 else ' differs'} from the file's: an "
            "import does not rename; user rename and PATCH /users/<id> do."
        )
    if counts.rejected:
        raise SystemExit(FOUND)


class Import:
    """One run over one file."""

    def __init__(
        self,
        registrar: Procedures,
        database: Procedures,
        staging: Staging,
        table: Table,
        exam_id: int,
        name: str,
    ) -> None:
        self._registrar = registrar
        self._database = database
        self._staging = staging
        self._table = table
        self._exam_id = exam_id
        self._name = name
        self.records = 0

    def check(self, decimal: str | None, as_is: bool, start_attempts: bool) -> None:
        """Read and judge every row, and decide which are loaded; writes nothing to MySQL.

        Raises Refused where the file is not certain to be read right.
        """
        exam = self._database.call("get_exam", self._exam_id)[0][0]
        self._table.read_head(REQUIRED, (*COLUMNS, *REJECTS), "details")
        reader = RowReader(self._table, as_is)
        reader.decimal = decimal or decimal_mark(self._table)
        lines = len(self._table.lines)
        with _progress(self._name, "checked", lines) as report:
            records = self._table.records()
            while part := list(islice(records, ROWS_PER_CALL)):
                self._staging.add((record, reader.read(record)) for record in part)
                self.records += len(part)
                report(part[-1].last_line, self.records, 0)
            self._meet(exam["attempt_policy"], start_attempts)
            report(lines, self.records, 0)
        self._staging.decide("details" in self._table.columns)

    def _meet(self, policy: str, start_attempts: bool) -> None:
        """Ask MySQL who the candidates are, and what their attempts hold."""
        for names in self._staging.names(ROWS_PER_CALL):
            items = [
                {
                    "username": name["username"],
                    "full_name": name["full_name"],
                    "attempt_no": name["attempt"] or None,
                }
                for name in names
            ]
            answers = self._database.call("get_scores", self._exam_id, json.dumps(items))[0]
            self._staging.identify(
                (answer["username_key"], name["name_no"])
                for name, answer in zip(names, answers, strict=True)
            )
            for name, answer in zip(names, answers, strict=True):
                starts = answer["session_id"] is None
                if answer["code"] is not None:
                    reason = answer["message"]
                    if answer["code"] == "attempt_not_found":
                        reason += _what_first(answer["attempts"], answer["attempt_no"])
                    self._staging.reject_name(name["name_no"], reason)
                elif starts and answer["attempts"] and not start_attempts:
                    self._staging.reject_name(
                        name["name_no"],
                        f"attempt_not_found: {counted(answer['attempts'], 'attempt')} started "
                        f"so far; --start-attempts starts attempt {answer['attempt_no']}",
                    )
                else:
                    rivals = answer["scored_attempts"] - bool(answer["version"])
                    unsure = policy == "best" and not name["attempt"]
                    self._staging.meet(name["name_no"], answer, rivals if unsure else 0)

    def load(self) -> None:
        """Submit the rows that are loaded, in the order of the file.

        While one part is submitted, the attempts of the next are started on a connection of their
        own.
        """
        planned = self._staging.counts(planned=True)
        done = rejected = 0
        with (
            _progress(self._name, "loaded", planned.loaded) as report,
            ThreadPoolExecutor(1) as ahead,
        ):
            parts = self._staging.to_load(ROWS_PER_CALL)
            rows = next(parts, [])
            while rows:
                starting = self._starting(rows, ahead)
                while rows:
                    self._started(*starting)
                    following = next(parts, [])
                    starting = self._starting(following, ahead)
                    rejected += self._submit(rows)
                    done += len(rows)
                    report(min(done, planned.loaded), done, rejected)
                    rows = following
                if rejected:
                    self._staging.choose()
                    parts = self._staging.to_load(ROWS_PER_CALL)
                    rows = next(parts, [])

    def _starting(self, rows: list[Row], ahead: ThreadPoolExecutor) -> tuple[list[Row], Any]:
        """Begin to start the attempts of rows that have none yet; return them, and the answers."""
        targets = self._staging.to_start(rows)
        names = ("username", "full_name", "attempt_no")
        items = json.dumps([{name: target[name] for name in names} for target in targets])
        call = self._registrar.call
        return targets, targets and ahead.submit(
            call, "register_candidates", self._exam_id, items, None
        )

    def _started(self, targets: list[Row], answers: Any) -> None:
        """Take the sessions of attempts when they have started."""
        for target, answer in zip(targets, answers.result()[0] if targets else (), strict=True):
            if answer["code"] is None:
                self._staging.start(target["target_no"], answer["session_id"])
            else:
                self._staging.reject_target(target["target_no"], answer["message"])

    def _submit(self, rows: list[Row]) -> int:
        """Submit rows whose attempts have started, and return how many were refused."""
        sessions = self._staging.sessions(rows)
        rows = [row for row in rows if row["target_no"] in sessions]
        items = []
        for row in rows:
            item = {
                "session_id": sessions[row["target_no"]],
                "module_type": row["module_type"],
                "raw_score": _json_number(row["raw_score"]),
                "max_score": _json_number(row["max_score"]),
                "time_spent_sec": row["time_spent"],
            }
            if row["details"] is not None:
                item["details"] = json.loads(row["details"])
            # The same for two imports of one file that meet the same state: one of them loads.
            state = json.dumps([self._exam_id, row["version"], row["row_no"], item], sort_keys=True)
            item["submission_id"] = "import-" + hashlib.sha256(state.encode()).hexdigest()[:48]
            items.append(item)
        answers = self._database.call("submit_scores", json.dumps(items), None)[0]
        messages = [answer["message"] for answer in answers]
        self._staging.settle(zip((row["row_no"] for row in rows), messages, strict=True))
        return sum(message is not None for message in messages)


class RowReader:
    """Reads the values of records, once it is known how the file writes decimals."""

    def __init__(self, table: Table, as_is: bool) -> None:
        self._columns = table.columns
        self._as_is = as_is
        # A file of ours, in which all cells were made harmless.
        self._is_ours = "reason" in table.columns
        self._validator = Validator(SUBMISSION)
        self.decimal = "point"

    def read(self, record: Record) -> Score | None:
        """Read a record; None where it has a reason not to be, or is given one.

        Raises Refused where a record that runs over lines may have swallowed others.
        """
        if record.reason is not None:
            return None
        texts = map(cells.unguard, record.values) if self._is_ours else record.values
        values = dict(zip(self._columns, texts, strict=True))
        try:
            return self._score(values)
        except ValueError as error:
            record.reason = str(error)
        if record.last_line > record.line:
            raise Refused(record.line, f"a row runs on to line {record.last_line}: {record.reason}")
        return None

    def _score(self, values: dict[str, str]) -> Score:
        for name, text in values.items():
            if "\t" in text and name not in ("details", *REJECTS):
                raise ValueError(f"{name} has a tab in it: {cells.shown(text)}")
        username, full_name = (cells.unguard(values[name]) for name in ("username", "full_name"))
        for name, text in (("username", username), ("full_name", full_name)):
            if not self._as_is and (why := cells.changed(text)):
                raise ValueError(
                    f"{name} {cells.shown(text)} {why}: format the column as text, or say --as-is"
                )
        score = Score(
            username,
            full_name,
            self._attempt(values.get("attempt_no", "")),
            values["module_type"],
            self._number(values, "raw_score"),
            self._number(values, "max_score"),
            _named("time_spent_sec", cells.whole, values["time_spent_sec"]),
            _details(values.get("details", "")),
        )
        submission = {
            "session_id": 1,
            "module_type": score.module_type,
            "raw_score": float(score.raw_score),
            "max_score": float(score.max_score),
            "time_spent_sec": score.time_spent_sec,
            "details": score.details,
        }
        if problem := self._validator.problem(submission):
            raise ValueError(f"{problem}")
        if score.raw_score > score.max_score:
            raise ValueError("raw_score_invalid: raw_score must be a number from 0 to max_score")
        return score

    def _number(self, values: dict[str, str], name: str) -> Decimal:
        return _named(name, lambda text: cells.number(text, self.decimal), values[name])

    @staticmethod
    def _attempt(text: str) -> int:
        if not text.strip():
            return 0
        attempt = _named("attempt_no", cells.whole, text)
        if not 1 <= attempt <= MOST_ATTEMPTS:
            raise ValueError(f"attempt_no must be 1 to {MOST_ATTEMPTS}, not {attempt}")
        return attempt


def _what_first(attempts: int, attempt_no: int) -> str:
    """Say what an attempt that cannot start now waits for."""
    if attempt_no == attempts + 1:
        return (
            f": attempt {attempts} is in progress. Finish it first, then import this row again "
            "with --start-attempts"
        )
    before = f"attempt {attempt_no - 1}"
    return (
        f": {before} comes before it. Import the rows of {before}, finish it, then import this row "
        "again with --start-attempts"
    )


def _named(name: str, read: Callable[[str], Value], text: str) -> Value:
    """Read a value; a ValueError names its column."""
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def decimal_mark(table: Table) -> str:
    """Find out how a file writes its decimals; raises Refused where that is not certain."""
    seen: dict[tuple[str, bool], tuple[int, str]] = {}
    places = [table.columns.index(name) for name in ("raw_score", "max_score")]
    for record in table.records():
        for place in places if record.reason is None else ():
            if found := cells.mark(record.values[place]):
                seen.setdefault(found, (record.line, record.values[place].strip()))
    sure = [kind for kind in ("point", "comma") if (kind, True) in seen]
    if len(sure) == 1:
        return sure[0]
    if len(sure) == 2:
        [(line, one), (other_line, other)] = sorted(seen[kind, True] for kind in sure)
        raise Refused(
            other_line,
            f"{other} here and {one} in line {line}: decimals have a comma or a point, not both; "
            "say which with --decimal",
        )
    if not seen or (("comma", False) not in seen and table.separator == ","):
        return "point"
    line, text = min(seen.values())
    raise Refused(
        line,
        f"{text} may have decimals or be a thousand and more, and no other number in the file "
        "tells which: say --decimal point or --decimal comma",
    )


def _details(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        details = json.loads(text, object_pairs_hook=_once)
        # What Python reads and MySQL does not: NaN, half of a surrogate pair, a number too great.
        json.dumps(details, ensure_ascii=False, allow_nan=False).encode()
        if isinstance(details, dict) and _depth(details) <= DEEPEST:
            return details
    except (ValueError, RecursionError):
        pass
    raise ValueError(f"details must be a JSON object, not {cells.shown(text)}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; of two with one name it would be anybody's guess."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice")
    return members


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _json_number(text: str) -> int | float:
    """Return a number of at most 15 digits as JSON has it."""
    return float(text) if "." in text else int(text)


def _proved(counts: Counts, records: int) -> Counts:
    """Return the counts, if every record of the file is in one of them."""
    if not counts.rows == counts.loaded + counts.unchanged + counts.rejected == records:
        raise Unusable(f"{records} rows were read and {counts} counted: please report this")
    return counts


def _refuse(file: Path, table: Table, refused: Refused) -> None:
    """End the command over a file that is refused as a whole, with every line of it rejected."""
    why = f"not loaded: the file is refused for line {refused.line}"
    path = _write_rejects(
        file,
        table,
        (
            {
                "line": line,
                "last_line": line,
                "reason": str(refused) if line == refused.line else why,
                "content": readable(text),
            }
            for line, text in table.rest()
        ),
    )
    lines = sum(1 for _ in table.rest())
    _tell(Counts(lines, 0, 0, lines), [], path, "loaded")
    name = shown(file.name)
    raise Unusable(f"{name}, line {refused.line}: {refused}. Nothing was loaded.")


def _tell(counts: Counts, first: list[Row], path: Path | None, loaded: str) -> None:
    """Print what became of the rows, and why the first were rejected."""
    click.echo(
        f"{counted(counts.rows, 'row')}: {counts.loaded:,} {loaded}, "
        f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected."
    )
    for row in first:
        click.echo(f"  line {row['line']:,}: {shown(row['reason'])}")
    if counts.rejected > len(first) > 0:
        click.echo(f"  ... and {counts.rejected - len(first):,} more")
    if path is not None:
        click.echo(f"Rejected rows, with reasons: {shown(str(path))}")


def _show_changes(staging: Staging, counts: Counts) -> None:
    """Print the first changes that a dry run found."""
    changes = staging.changes(CHANGES_SHOWN)
    if changes:
        lines = [("line", "module", "now", "in the file", "candidate")]
        for change in changes:
            now = "new"
            if change["old_raw"] is not None:
                now = f"{change['old_raw']}/{change['old_max']} {change['old_time']} s"
            then = f"{change['raw_score']}/{change['max_score']} {change['time_spent']} s"
            name = shown(change["username"])
            lines.append((f"{change['line']:,}", change["module_type"], now, then, name))
        widths = [max(len(line[place]) for line in lines) for place in range(4)]
        for number, *texts, name in lines:
            row = [number.rjust(widths[0])]
            row += [text.ljust(width) for text, width in zip(texts, widths[1:], strict=True)]
            click.echo("  ".join([*row, name]))
        if counts.loaded > len(changes):
            click.echo(f"... and {counts.loaded - len(changes):,} more")
    if created := staging.newcomers():
        click.echo(f"{created:,} candidate{'s' * (created > 1)} would be created.")
    click.echo("Dry run: nothing was written.")


def _write_rejects(file: Path, table: Table, rejects: Iterable[dict[str, Any]]) -> Path | None:
    """Write the rejected rows beside the file, in its own dialect; without any, none is left.

    Each has its cells under the file's own columns, so that they can be corrected there, and its
    content as it stood in the file.
    """
    path = file.with_name(file.name + ".rejected.csv")
    partial = file.with_name(file.name + ".rejected.csv.partial")
    columns = [name for name in table.columns if name not in REJECTS]
    places = [table.columns.index(name) for name in columns]
    ours = table.columns.index("content") if "content" in table.columns else None
    written = 0
    encoding = "utf-8-sig" if table.marked else "utf-8"
    with partial.open("w", encoding=encoding, newline="") as target:
        out = csv.writer(target, delimiter=table.separator)
        out.writerow(["line", "last_line", "reason", *columns, "content"])
        for row in rejects:
            written += 1
            texts = table.cells(row["content"])
            content = row["content"]
            own = [""] * len(places)
            if len(texts) >= len(table.columns):
                # What this command has made harmless it does not make so twice.
                if "reason" in table.columns:
                    texts = [cells.unguard(text) for text in texts]
                own = [texts[place] for place in places]
                content = content if ours is None else texts[ours]
            texts = [row["reason"], *own, content]
            cleaned = map(_visible, ("reason", *columns, "content"), texts)
            out.writerow([row["line"], row["last_line"], *map(cells.guard, cleaned)])
    if not written:
        partial.unlink()
        path.unlink(missing_ok=True)
        return None
    partial.replace(path)
    return path


def _visible(column: str, text: str) -> str:
    """Write out what nobody would see, and what names must not hold.

    What a column may hold stays: a cell is read again as it is.
    """
    text = HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)
    if text.isascii():
        return text
    if column == "details":  # As JSON has it, to which it is the same.
        return UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)
    unseen = UNSEEN if column == "full_name" else UNSEEN_IN_USERNAMES
    return unseen.sub(lambda found: ascii(found[0])[1:-1], text)


@contextmanager
def _progress(name: str, done: str, total: int) -> Iterator[Callable[[int, int, int], None]]:
    """Show how far it is: a bar on a terminal, a line now and then elsewhere.

    done: what is done to rows. The function takes how far it is of the total, the rows, and how
    many of them were rejected.
    """
    if not sys.stderr.isatty():
        told = 0

        def tell(_: int, rows: int, rejected: int) -> None:
            nonlocal told
            if rows // ROWS_PER_LINE > told:
                told = rows // ROWS_PER_LINE
                click.echo(f"{rows:,} rows {done}", err=True)

        yield tell
        return
    # Here, so that a worker of the gateway never loads it.
    from gateway.cli.progress import bar

    began = time.monotonic()
    with bar(name, total, kept=True) as show:

        def draw(far: int, rows: int, rejected: int) -> None:
            refused = f", {rejected:,} rejected" if rejected else ""
            speed = rows / max(time.monotonic() - began, 0.001)
            show(far, f"{rows:,} {done}{refused}, {speed:,.0f}/s")

        yield draw
