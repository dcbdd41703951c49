"""What the SQL tests share: result sets as data, and TAP lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway.db import DRIVER_ERRORS
from gateway.loader import statements

ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "sql"

Row = dict[str, Any]


def result_sets(
    connection: Any, statement: str, parameters: tuple[Any, ...] = ()
) -> list[list[Row]]:
    """Execute a statement and return each of its result sets as a list of rows."""
    sets = []
    with connection.cursor(dictionary=True) as cursor:
        cursor.execute(statement, parameters)
        while True:
            if cursor.with_rows:
                sets.append(list(cursor.fetchall()))
            if not cursor.nextset():
                return sets


def rows(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> list[Row]:
    """Execute a statement and return the rows of its first result set."""
    sets = result_sets(connection, statement, parameters)
    return sets[0] if sets else []


def run_tap(connection: Any, text: str) -> list[str]:
    """Run a test file and return its TAP lines; what its CALLs return goes into @result."""
    lines: list[str] = []
    for statement in statements(text):
        try:
            sets = result_sets(connection, statement)
        except DRIVER_ERRORS as error:
            return [
                *lines,
                f"# died of {error} in:",
                *(f"#   {line}" for line in statement.split("\n")),
            ]
        for row in (row for rows in sets for row in rows if "tap" in row):
            lines.extend(row["tap"].splitlines())
        if returned := [rows for rows in sets if not any("tap" in row for row in rows)]:
            as_text = [[_as_text(row) for row in rows] for rows in returned]
            result_sets(connection, "SET @result = %s", (json.dumps(as_text),))
    return lines


def failures(lines: list[str]) -> list[str]:
    """Return the lines of the assertions that failed, and one if the plan was not kept."""
    planned = [int(line.removeprefix("1..")) for line in lines if line.startswith("1..")]
    run = sum(line.startswith(("ok ", "not ok ")) for line in lines)
    failed = [line for line in lines if line.startswith(("not ok ", "#"))]
    if planned != [run]:
        failed.append(f"planned {planned}, ran {run}")
    return failed


def _as_text(row: Row) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in row.items()}
