"""Files of scores and what damages them; and CSV as two other readers have it."""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
from typing import Any

from tests.sql_harness import result_sets, rows

HEADER = "username,full_name,module_type,raw_score,max_score,time_spent_sec,details"
WIDTH = HEADER.count(",") + 1
NAMES = ("Alice Chen", "Bob", "Jürgen Müller", "Zoë", "李雷", "O'Neil") + (
    "Chen, Alice",
    'Bob "Rock" Stone',
    "A;B",
    "a\u00a0b",
    "Ana María",
)
DETAILS: tuple[dict[str, Any] | None, ...] = (
    *(None, None, {"tests": 17}, {"note": 'he said "1,5"'}, {"deep": [1, {"a": "ü"}]}),
)
# What is put in, beside bytes of the file itself.
PIECES = (
    *(b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"\x00", b"'", b"\\", b" "),
    *(b"\xff", b"\xc3", b"\xa4", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xa8", b"=", b"-", b"0"),
    *(
        "ü".encode(),
        "ü".encode("cp1252"),
        "ü".encode("utf-16-le"),
        b"1,5",
        b'",',
        b',"',
        b"sep=;\n",
    ),
)


def make_file(rng: random.Random, name: str, rows: int) -> bytes:
    """Return a sound file of so many rows, in one of a few hands."""
    out = io.StringIO()
    separator = rng.choice(",,,;\t")
    comma = separator != "," and rng.random() < 0.7
    table = csv.writer(
        out,
        delimiter=separator,
        quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        lineterminator=rng.choice(("\n", "\r\n")),
    )
    table.writerow(HEADER.split(","))
    for number in range(rows):
        details = rng.choice(DETAILS)
        score, most = rng.choice((0, 1, 5, 2.5, 7.25, 3.0)), rng.choice((10, 50, 100, 7.5))
        table.writerow(
            [
                f"{name}-{number % 7}",
                rng.choice(NAMES),
                rng.choice(("coding", "quiz", "assessment")),
                *(str(n).replace(".", "," if comma else ".") for n in (score, most)),
                rng.randrange(4000),
                "" if details is None else json.dumps(details, ensure_ascii=rng.random() < 0.5),
            ]
        )
    if rng.random() < 0.05:
        return codecs.BOM_UTF16_LE + out.getvalue().encode("utf-16-le")
    return (codecs.BOM_UTF8 if rng.random() < 0.2 else b"") + out.getvalue().encode()


def damage(rng: random.Random, raw: bytes) -> bytes:
    """Return a file with a few bytes dropped, doubled, changed or put in, or pieces moved."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        at = rng.randrange(len(data)) if data else 0
        # Where it hurts, as often as anywhere.
        marks = [place for place, byte in enumerate(data) if byte in b'",;\t\n']
        if marks and rng.random() < 0.5:
            at = rng.choice(marks)
        length = rng.choice((1, 1, 1, 2, 8))
        match rng.randrange(7):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at : at + length]
            case 2:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 3:
                data[at:at] = rng.choice(PIECES)
            case 4:
                data[at : at + 1] = rng.choice(PIECES)
            case 5:
                del data[at:]
            case 6:
                start = data.rfind(b"\n", 0, at) + 1
                end = (data.find(b"\n", at) + 1) or len(data)
                lines = bytes(data[start:end])
                encoding = rng.choice(("cp1252", "utf-16-le", "utf-8"))
                data[start:end] = lines.decode("utf-8", "replace").encode(encoding, "replace")
    return bytes(data)


def as_python_reads(raw: bytes, separator: str) -> list[tuple[str, ...]]:
    """Return the rows of a file as Python's reader has them."""
    lines = io.StringIO(raw.decode("utf-8", "surrogateescape"), newline="")
    return [tuple(row) for row in csv.reader(lines, delimiter=separator) if row]


def as_mysql_reads(connection: Any, file: str, separator: str) -> list[tuple[str, ...]]:
    """Return the rows of a file of seven columns as LOAD DATA has them, with their line ends."""
    columns = ", ".join(f"c{number}" for number in range(WIDTH))
    result_sets(connection, "DELETE FROM csv_rows")
    result_sets(
        connection,
        "LOAD DATA LOCAL INFILE %s INTO TABLE csv_rows CHARACTER SET binary"
        " FIELDS TERMINATED BY %s OPTIONALLY ENCLOSED BY '\"' ESCAPED BY ''"
        f" LINES TERMINATED BY '\\n' ({columns})",
        (file, separator),
    )
    found = rows(connection, f"SELECT {columns} FROM csv_rows ORDER BY row_no")
    return [
        tuple(bytes(cell or b"").decode("utf-8", "surrogateescape") for cell in row.values())
        for row in found
    ]
