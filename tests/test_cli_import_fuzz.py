"""Damaged files: no line vanishes, and none is read as something else than what stands in it.

By default the same files in every run. PODIUM_FUZZ_SECONDS=300 makes a long run of other ones each
time; the seed is printed, and PODIUM_FUZZ_SEED repeats it.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway.cli.importing import COLUMNS, REJECTS, REQUIRED, RowReader, decimal_mark
from gateway.cli.tables import Refused, Table
from gateway.config import MysqlUrl
from tests.fuzz.csv_files import (
    WIDTH,
    as_mysql_reads,
    as_python_reads,
    damage,
    make_file,
)
from tests.fuzz.run import SEED, rounds
from tests.sql_harness import call, make_exam, problems_of, result_sets, unique_name
from tests.sql_harness import rows as rows_of
from tests.test_cli_import import Load, load  # noqa: F401  (a fixture)

FILES, LOADED_FILES = 2000, 120


@pytest.fixture
def other_reader(admin: Any, mysql_url: str) -> Iterator[Any]:
    """Return a connection whose LOAD DATA reads files of ours."""
    result_sets(admin, "SET GLOBAL local_infile = ON")
    connection = mysql.connector.connect(
        **MysqlUrl.parse(mysql_url).arguments,
        database="podium",
        autocommit=True,
        allow_local_infile=True,
    )
    columns = ", ".join(f"c{number} LONGBLOB" for number in range(WIDTH))
    result_sets(connection, "SET SESSION sql_mode = ''")
    result_sets(
        connection,
        "CREATE TEMPORARY TABLE csv_rows"
        f" (row_no INT AUTO_INCREMENT PRIMARY KEY, {columns}) ENGINE = InnoDB",
    )
    yield connection
    connection.close()
    result_sets(admin, "SET GLOBAL local_infile = OFF")


def read(raw: bytes) -> tuple[Table, list[tuple[int, int, tuple[str, ...] | None]] | None]:
    """Return a file's table, and of each record its lines and its values where it is accepted.

    None: the file is refused as a whole.
    """
    table = Table(raw)
    try:
        table.read_head(REQUIRED, (*COLUMNS, *REJECTS), "details")
        reader = RowReader(table, as_is=False)
        reader.decimal = decimal_mark(table)
        found = []
        for record in table.records():
            sound = reader.read(record) is not None
            found.append((record.line, record.last_line, tuple(record.values) if sound else None))
        return table, found
    except Refused:
        return table, None


def as_utf8(raw: bytes) -> bytes:
    """Return a file in UTF-8 without a byte order mark."""
    if raw.startswith(codecs.BOM_UTF16_LE):
        return raw[2:].decode("utf-16-le", "replace").encode("utf-8", "surrogatepass")
    return raw.removeprefix(codecs.BOM_UTF8)


def test_of_damaged_files_every_line_is_a_row_or_rejected_as_all_readers_have_it(
    other_reader: Any, tmp_path: Path
) -> None:
    accepted = refused = rejected = 0
    file = tmp_path / "scores.csv"
    for number, rng in rounds(FILES):
        raw = damage(rng, make_file(rng, "fuzz", rng.randrange(1, 12)))
        table, found = read(raw)
        here = f"PODIUM_FUZZ_SEED={SEED}, file {number}: {raw!r}"
        if found is None:
            refused += 1
            continue
        # Each line that is not empty belongs to one record.
        empty = [
            n for n, line in enumerate(table.lines, 1) if not line.strip(table.separator + " ")
        ]
        taken = [line for first, last, _ in found for line in range(first, last + 1)]
        assert len(taken) == len(set(taken)), here
        left = set(range(table.head_lines + 1, len(table.lines) + 1)) - set(taken)
        assert all(n in empty or not table.lines[n - 1].strip() for n in left), here
        # What is accepted is what others read.
        sound = Counter(values for _, _, values in found if values is not None)
        accepted += sound.total()
        rejected += len(found) - sound.total()
        if sound:
            # What a line ends with is one thing in a whole file to MySQL, and part of no cell.
            same = re.sub(rb"\r(\n|\Z)", b"\n", as_utf8(raw))
            file.write_bytes(same)
            width = len(table.columns)
            python, mysql = (
                Counter(row[:width] for row in rows)
                for rows in (
                    as_python_reads(same, table.separator),
                    as_mysql_reads(other_reader, str(file), table.separator),
                )
            )
            wanted = Counter(row[:width] for row in sound.elements())
            assert wanted <= python, here
            assert wanted <= mysql, here
    # It reads most of what is sound, and is not merely afraid.
    assert accepted > rejected > 0 and refused > 0
    print(f"{accepted} rows accepted, {rejected} rejected, {refused} files refused")


def test_damaged_files_are_loaded_to_the_last_accepted_row(
    load: Load,  # noqa: F811  (the fixture above)
    admin: Any,
) -> None:
    for number, rng in rounds(LOADED_FILES):
        name = unique_name()
        raw = damage(rng, make_file(rng, name, rng.randrange(1, 12)))
        exam_id = make_exam(admin)
        here = f"PODIUM_FUZZ_SEED={SEED}, file {number}: {raw!r}"
        told = load(exam_id, raw)
        table, found = read(raw)
        assert (told.code == 2) == (found is None), (here, told.text)
        if found is None:
            assert (told.loaded, told.rejected) == (0, len(list(table.rest()))), here
            assert call(admin, "export_leaderboard", exam_id)[0][0]["user_id"] is None, here
            continue
        assert told.rows == len(found), here
        assert told.rejected >= sum(values is None for _, _, values in found), here
        rejected = {int(row["line"]) for row in told.rejects}
        last: dict[tuple[str, str], tuple[Decimal, ...]] = {}
        for line, _, values in found:
            if values is not None and line not in rejected:
                row = dict(zip(table.columns, values, strict=True))
                last[row["username"].casefold().strip(), row["module_type"]] = tuple(
                    Decimal(row[name].strip().replace(",", "."))
                    for name in ("raw_score", "max_score", "time_spent_sec")
                )
        assert stored(admin, exam_id) == last, here
        assert load(exam_id, raw).loaded == 0, here
        assert problems_of(admin, exam_id) == [], here


def stored(admin: Any, exam_id: int) -> dict[tuple[str, str], tuple[Decimal, ...]]:
    """Return the scores of an exam by user and module."""
    found = rows_of(
        admin,
        "SELECT u.username, m.module_type, m.raw_score, m.max_score, m.time_spent_sec"
        " FROM module_scores AS m INNER JOIN exam_sessions AS s ON s.session_id = m.session_id"
        " INNER JOIN users AS u ON u.user_id = s.user_id WHERE s.exam_id = %s",
        (exam_id,),
    )
    return {
        (row["username"].casefold().strip(), row["module_type"]): (
            row["raw_score"],
            row["max_score"],
            Decimal(row["time_spent_sec"]),
        )
        for row in found
    }
