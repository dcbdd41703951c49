"""Write sql-api.md from the headers of the public procedures: `make docs`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import mysql.connector

from gateway import loader
from gateway.config import MysqlUrl
from gateway.errors import catalog
from services import start_mysql
from services.server import ROOT

PAGE = ROOT / "docs" / "sql-api.md"
PROCEDURES = ROOT / "sql" / "procedures"
WIDTH = 110
FIELDS = ("Purpose", "Parameters", "Result sets", "Errors", "Transaction", "Locks", "Example")
TIME = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\b")
HEAD = re.compile(r"\b[0-9A-F]{64}\b")
EPOCH = re.compile(r"\b[0-9a-f]{16}\b")
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
ACTOR = re.compile(r"\bdba_doc@\S+")

INTRODUCTION = """\
<!-- Written by `make docs` from the headers in sql/procedures/; test_sql_api.py compares. -->
# The SQL API

Everything Podium does is a `CALL` in the schema `podium`. Each procedure's own header says the
same as this page; `SHOW CREATE PROCEDURE` prints it to accounts with the privilege
`SHOW_ROUTINE`, which `podium_dba` does not bring: it holds for all schemas of a server. To
anybody else MySQL says that there is no such procedure, though a CALL of it works. The calls
below ran in the order of the page, with an account that has nothing but the role `podium_dba`, in
a database that was empty but for a second candidate. The output is theirs, written as the `mysql`
client writes it; times and generated ids alone are replaced, so that the page changes only when
Podium does. `\\G` in a script wants `--commands`.

## Rules for all

- A call owns its transaction: inside an open one it fails with 1568 and touches nothing, unless
  it says otherwise. Without autocommit, `COMMIT` what you did before it.
- An error is SQLSTATE `45000`, a number of the table `error_catalog`, and a message that begins
  with the code. After 1213 or 1205 nothing has happened: call again.
- Times are UTC. `NULL` stands for what is optional. `p_actor_id` is the acting user, `NULL` the
  MySQL account itself.
- The settings of the calling session (`sql_mode`, time zone, collation, `--safe-updates`,
  optimizer) change no result.
- Without autocommit an argument that reads a table begins a transaction, and the call refuses it
  with 1568: put the value into a variable first, and COMMIT.
- Ctrl-C and `KILL QUERY` undo what a call was writing, as a whole, and leave no lock. They run no
  handler: a session that came without autocommit has it from then on, until it sets it again.
"""


# In two parts: a word of such length in our files would be taken for a secret.
HEAD_HASH = "1C0E24545AB6A678B411671A2F63" + "7142E6594CC454AFC250743351E5"


class Scene(NamedTuple):
    """What runs around the example of a procedure: unseen before it, printed after it."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


# In the order of the page and of the calls. A procedure that is not here follows the last reader.
SCENES = {
    "create_user": Scene(),
    "create_exam": Scene(),
    "start_session": Scene(before=("CALL create_user('bob', 'Bob Stone', 'candidate');",)),
    "start_session_once": Scene(),
    "submit_score": Scene(
        after=("CALL submit_score(1, 'coding', 101, 100, 2400, NULL, NULL, NULL, NULL);",),
    ),
    "submit_scores": Scene(
        after=(
            """\
CALL submit_scores('[{"session_id": 1, "module_type": "assessment", "raw_score": 70,
                      "max_score": 100, "time_spent_sec": 900, "expected_version": 7},
                     {"session_id": 2, "module_type": "quiz", "raw_score": 95,
                      "max_score": 100, "time_spent_sec": 800}]', NULL);""",
        )
    ),
    "get_leaderboard": Scene(),
    "get_entry": Scene(),
    "get_around": Scene(),
    "get_session": Scene(),
    "get_session_exams": Scene(),
    "get_exam": Scene(),
    "list_exams": Scene(),
    "get_audit_trail": Scene(),
    "finish_session": Scene(),
    "update_exam_weights": Scene(),
    "recalculate_leaderboard": Scene(),
    "check_leaderboard": Scene(),
    "verify_audit": Scene(),
}
LAST_READER = "get_audit_trail"


class Procedure(NamedTuple):
    """What the file of a procedure says of it."""

    name: str
    signature: str
    comment: str
    header: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> Procedure:
        """Read a file of sql/procedures."""
        text = path.read_text(encoding="utf-8")
        head = re.search(
            r"PROCEDURE podium\.(\w+(\(.*?\)))\n    COMMENT '((?:[^']|'')*)'", text, re.DOTALL
        )
        assert head is not None, path
        header: dict[str, list[str]] = {}
        for line in re.findall(r"^    -- ?(.*)$", text.partition("\nBEGIN\n")[2], re.MULTILINE):
            if field := re.match(rf"({'|'.join(FIELDS)}): +", line):
                lines = header.setdefault(field[1], [])
                line = " " * len(field[0]) + line[len(field[0]) :]
            elif not header or line[:13].strip():
                break
            lines.append(line[13:])
        assert tuple(header) == FIELDS, f"{path.name}: the header has {', '.join(header)}"
        return cls(path.stem, head[1], head[3].replace("''", "'"), header)

    def prose(self, field: str) -> str:
        """Return a field of the header as one paragraph."""
        return " ".join(line.strip() for line in self.header[field])

    @property
    def example(self) -> str:
        """Return the first statement of the example, without its output."""
        text = "\n".join(self.header["Example"])
        call, end, _ = text.partition(";\n")
        return call + ";" if end else text

    @property
    def parameters(self) -> dict[str, str]:
        """Return what is said of each parameter; `p_weight_*` stands for all that begin so."""
        told: dict[str, str] = {}
        for line in self.header["Parameters"]:
            if named := re.match(r"(p_[\w*]+) +", line):
                name = named[1]
                told[name] = line[len(named[0]) :]
            elif line.startswith(" "):
                told[name] += " " + line.strip()
        return told

    @property
    def result_sets(self) -> list[str]:
        """Return the columns of each result set."""
        sets: list[str] = []
        for line in self.header["Result sets"]:
            numbered = re.match(r"\d: ", line)
            if numbered or not sets:
                sets.append(line[len(numbered[0]) if numbered else 0 :].strip())
            else:
                sets[-1] += " " + line.strip()
        return sets


class Session:
    """A connection whose calls are printed as the mysql client prints them."""

    def __init__(self, url: str) -> None:
        arguments = MysqlUrl.parse(url).arguments
        self._admin: Any = mysql.connector.connect(**arguments, autocommit=True)
        cursor: Any
        with self._admin.cursor() as cursor:
            cursor.execute("CREATE USER dba_doc IDENTIFIED BY RANDOM PASSWORD")
            password = cursor.fetchone()[2]
            cursor.execute("GRANT podium_dba TO dba_doc")
            cursor.execute("SET DEFAULT ROLE podium_dba TO dba_doc")
        self._connection: Any = mysql.connector.connect(
            **arguments | {"user": "dba_doc", "password": password},
            database="podium",
            autocommit=True,
        )

    def close(self) -> None:
        """Drop the account and hang up."""
        self._connection.close()
        with self._admin.cursor() as cursor:
            cursor.execute("DROP USER dba_doc")
        self._admin.close()

    def run(self, statement: str) -> list[tuple[list[Any], list[tuple[Any, ...]]]]:
        """Execute a statement; return the description and the rows of each result set."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            found = []
            while True:
                if cursor.description:
                    found.append((cursor.description, cursor.fetchall()))
                if not cursor.nextset():
                    return found

    def print(self, statement: str) -> Iterator[str]:
        """Yield the lines of a statement and its output: as a table where that fits the page."""
        try:
            found = self.run(statement)
        except mysql.connector.Error as error:
            yield from _typed(statement)
            yield f"ERROR {error.errno} ({error.sqlstate}): {error.msg}"
            return
        tables = [list(_table(*result)) for result in found]
        if all(len(line) <= WIDTH for table in tables for line in table):
            yield from _typed(statement)
            for table in tables:
                yield from table
        else:
            yield from _typed(statement.removesuffix(";") + r"\G")
            for result in found:
                yield from _vertical(*result)


def render(url: str) -> str:
    """Return the page; the database is loaded and empty."""
    paths = PROCEDURES.glob("[!_]*.sql")
    procedures = {path.stem: Procedure.read(path) for path in sorted(paths)}
    order: list[str] = []
    for name in SCENES:
        order.append(name)
        if name == LAST_READER:
            order += [other for other in procedures if other not in SCENES]
    session = Session(url)
    try:
        sections = [_section(procedures[name], session) for name in order]
    finally:
        session.close()
    contents = [f"| [`{name}`](#{name}) | {procedures[name].comment} |" for name in order]
    table = "\n".join(["| procedure | |", "|---|---|", *contents])
    return _steady("\n".join([INTRODUCTION, table, "", "\n\n".join(sections), ""]))


def _section(procedure: Procedure, session: Session) -> str:
    scene = SCENES.get(procedure.name, Scene())
    for statement in scene.before:
        session.run(statement)
    lines = [f"## {procedure.name}", "", *_fill(procedure.prose("Purpose")), ""]
    lines += ["```sql", procedure.signature, "```", ""]
    if procedure.parameters:
        lines += ["| parameter | |", "|---|---|"]
        lines += [f"| `{name}` | {told} |" for name, told in _named(procedure)]
        lines += [""]
    if len(procedure.result_sets) > 1:
        lines += ["**Result sets**", ""]
        for number, columns in enumerate(procedure.result_sets, 1):
            lines += _fill(f"{number}. {columns}", "   ")
    else:
        lines += _fill(f"**Result set**: {procedure.result_sets[0]}")
    lines += ["", *_fill(f"**Errors**: {_numbered(procedure.prose('Errors'))}")]
    for field in ("Transaction", "Locks"):
        lines += ["", *_fill(f"**{field}**: {procedure.prose(field)}")]
    lines += ["", "```"]
    for statement in (procedure.example, *scene.after):
        lines += session.print(statement)
    return "\n".join([*lines, "```"])


def _named(procedure: Procedure) -> Iterator[tuple[str, str]]:
    names = re.findall(r"^ +(p_\w+)", procedure.signature, re.MULTILINE)
    for name, told in procedure.parameters.items():
        meant = [own for own in names if re.fullmatch(name.replace("*", r"\w+"), own)]
        assert meant, f"{procedure.name} has no {name}"
        yield "`, `".join(meant), told


def _numbered(errors: str) -> str:
    """Put behind each code its number."""
    known = catalog()
    return re.sub(
        r"\b[a-z]+(?:_[a-z]+)+\b",
        lambda code: f"{code[0]} ({known[code[0]].errno})" if code[0] in known else code[0],
        errors,
    )


def _steady(text: str) -> str:
    """Replace what differs from run to run: the one place where values of the page are not real."""
    start = datetime(2026, 11, 25, 9)
    for number, time in enumerate(dict.fromkeys(TIME.findall(text))):
        text = text.replace(time, _written(start + timedelta(seconds=number)))
    for number, uuid in enumerate(dict.fromkeys(UUID.findall(text)), 1):
        text = text.replace(uuid, f"38026148-e865-11f1-b717-{number:012x}")
    for number, epoch in enumerate(dict.fromkeys(EPOCH.findall(text)), 1):
        text = text.replace(epoch, f"5b1e0c7f92d4{number:04x}")
    for number, head in enumerate(dict.fromkeys(HEAD.findall(text)), 1):
        text = text.replace(head, f"{HEAD_HASH}{number:08X}")
    return ACTOR.sub("dba_doc@localhost", text)


def _fill(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _typed(statement: str) -> Iterator[str]:
    for number, line in enumerate(statement.split("\n")):
        yield f"{'    ->' if number else 'mysql>'} {line}"


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return "NULL" if value is None else str(value)


def _table(description: list[Any], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    if not rows:
        yield "Empty set"
        return
    cells = [[column[0] for column in description], *([*map(_written, row)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [column[1] == mysql.connector.NUMBER for column in description]
    rule = "".join(f"+{'-' * (width + 2)}" for width in widths) + "+"
    yield rule
    for number, row in enumerate(cells):
        aligned = (
            cell.rjust(width) if number and to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        yield f"| {' | '.join(aligned)} |"
        if number == 0:
            yield rule
    yield rule


def _vertical(description: list[Any], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    if not rows:
        yield "Empty set"
    width = max(len(column[0]) for column in description)
    for number, row in enumerate(rows, 1):
        yield f"{'*' * 27} {number}. row {'*' * 27}"
        for column, value in zip(description, row, strict=True):
            yield f"{column[0].rjust(width)}: {_written(value)}"


def main() -> None:
    """Write the page with a server of its own."""
    # Never a server that somebody works with, whatever the environment names.
    with TemporaryDirectory() as home, start_mysql(Path(home), use=None) as server:
        connection = mysql.connector.connect(
            **MysqlUrl.parse(server.url).arguments, autocommit=True
        )
        loader.upgrade(connection, loader.Release.read())
        connection.close()
        PAGE.write_text(render(server.url), encoding="utf-8")


if __name__ == "__main__":
    main()
