"""Where an import stands between reading a file and writing to MySQL: a database on disk.

A million rows are held here and not in memory. What is decided about a row is decided by sets:
which of the rows of a module the board shows already, which come after it, and which candidates
that leaves to register.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gateway.cli.tables import Record

SCHEMA = """
-- The rows of the file, in order.
CREATE TABLE rows (
    row_no      INTEGER PRIMARY KEY,
    line        INTEGER NOT NULL,
    last_line   INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    reason      TEXT,                   -- why it is rejected
    name_no     INTEGER,
    target_no   INTEGER,
    module_type TEXT,
    raw_score   TEXT,
    max_score   TEXT,
    time_spent  INTEGER,
    details     TEXT,                   -- canonical JSON
    differs     INTEGER NOT NULL DEFAULT 0,    -- behind the last that MySQL shows
    loads       INTEGER NOT NULL DEFAULT 0,    -- the last of its module, and differs
    loaded      INTEGER NOT NULL DEFAULT 0
);
-- The candidates as the file writes them, with the number of the attempt where it names one.
CREATE TABLE names (
    name_no     INTEGER PRIMARY KEY,
    username    TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,       -- 0: none is named
    full_name   TEXT    NOT NULL,       -- of the first row
    person      TEXT,                   -- the same for names that are one; NULL: it is none
    target_no   INTEGER,
    reason      TEXT,                   -- why they are refused
    UNIQUE (username, attempt)
);
CREATE INDEX names_of_a_person ON names (person, attempt);
-- The attempts that they stand for: two ways to write one name are one.
CREATE TABLE targets (
    target_no   INTEGER PRIMARY KEY,
    person      TEXT    NOT NULL,       -- the id of the user, or the key of a name nobody has yet
    attempt_no  INTEGER NOT NULL,
    name_no     INTEGER NOT NULL,       -- the first of them
    known       INTEGER NOT NULL,       -- whether there is such a user
    session_id  INTEGER,                -- NULL: to be started
    version     INTEGER NOT NULL,       -- of the session as it was met
    is_renamed  INTEGER NOT NULL,       -- whether the file has another full name
    rivals      INTEGER NOT NULL,       -- attempts with scores that may count in its place
    UNIQUE (person, attempt_no)
);
-- What their modules hold in MySQL.
CREATE TABLE scores (
    target_no   INTEGER NOT NULL,
    module_type TEXT    NOT NULL,
    raw_score   TEXT    NOT NULL,
    max_score   TEXT    NOT NULL,
    time_spent  INTEGER NOT NULL,
    details     TEXT,
    PRIMARY KEY (target_no, module_type)
) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Score:
    """What a sound row says."""

    username: str
    full_name: str
    attempt: int
    module_type: str
    raw_score: Decimal
    max_score: Decimal
    time_spent_sec: int
    details: dict[str, Any] | None


@dataclass(frozen=True)
class Counts:
    """How many rows there are and what became of them."""

    rows: int
    loaded: int
    unchanged: int
    rejected: int


class Staging:
    """The rows of one file and what MySQL has of them."""

    def __init__(self) -> None:
        # Without a name: a file that nobody sees and that goes when it is closed.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        self._rows = 0

    def close(self) -> None:
        """Forget all of it."""
        self._db.close()

    def add(self, parts: Iterable[tuple[Record, Score | None]]) -> None:
        """Take rows in the order of the file; a record without a score has its reason."""
        self._db.execute("BEGIN")
        for record, score in parts:
            self._rows += 1
            row: tuple[Any, ...] = (None,) * 6
            if score is not None:
                row = (
                    self._name(score),
                    score.module_type,
                    canonical(score.raw_score),
                    canonical(score.max_score),
                    score.time_spent_sec,
                    canonical_json(score.details),
                )
            self._db.execute(
                "INSERT INTO rows (row_no, line, last_line, content, reason, name_no, module_type,"
                " raw_score, max_score, time_spent, details) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    self._rows,
                    record.line,
                    record.last_line,
                    readable(record.content),
                    record.reason,
                    *row,
                ),
            )
        self._db.execute("COMMIT")

    def _name(self, score: Score) -> int:
        found = self._db.execute(
            "SELECT name_no FROM names WHERE username = ? AND attempt = ?",
            (score.username, score.attempt),
        ).fetchone()
        if found is None:
            found = self._db.execute(
                "INSERT INTO names (username, attempt, full_name) VALUES (?, ?, ?)"
                " RETURNING name_no",
                (score.username, score.attempt, score.full_name),
            ).fetchone()
        return int(found[0])

    def names(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the candidates of sound rows in parts, in the order of the file."""
        last = 0
        while part := self._all(
            "SELECT name_no, username, attempt, full_name FROM names WHERE name_no > ?"
            " ORDER BY name_no LIMIT ?",
            last,
            size,
        ):
            yield part
            last = part[-1]["name_no"]

    def identify(self, people: Iterable[tuple[str | None, int]]) -> None:
        """Take whose names they are: the key of each, the same for names that are one."""
        self._db.executemany("UPDATE names SET person = ? WHERE name_no = ?", people)

    def reject_name(self, name_no: int, reason: str) -> None:
        """Reject all rows of a candidate."""
        self._db.execute("UPDATE names SET reason = ? WHERE name_no = ?", (reason, name_no))

    def meet(self, name_no: int, answer: dict[str, Any], rivals: int) -> None:
        """Take what get_scores answered for a candidate who is not refused."""
        user_id = answer["user_id"]
        [target_no] = self._db.execute(
            "INSERT INTO targets (person, attempt_no, name_no, known, session_id, version,"
            " is_renamed, rivals) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET rivals = MIN(rivals, excluded.rivals),"
            " is_renamed = MAX(is_renamed, excluded.is_renamed)"
            " RETURNING target_no",
            (
                f"key {answer['username_key']}" if user_id is None else f"id {user_id}",
                answer["attempt_no"],
                name_no,
                user_id is not None,
                answer["session_id"],
                answer["version"] or 0,
                answer["other_full_name"] is not None,
                rivals,
            ),
        ).fetchone()
        self._db.execute("UPDATE names SET target_no = ? WHERE name_no = ?", (target_no, name_no))
        self._db.executemany(
            "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    target_no,
                    module_type,
                    canonical(Decimal(score["raw_score"])),
                    canonical(Decimal(score["max_score"])),
                    score["time_spent_sec"],
                    canonical_json(score["details"]),
                )
                for module_type, score in json.loads(answer["scores"] or "{}").items()
            ],
        )

    def decide(self, with_details: bool) -> None:
        """Decide which rows are loaded: the last of a module, unless MySQL shows the same.

        with_details: the file says what the details are, if only that there are none.
        """
        self._reject_unnamed()
        same_details = "AND r.details IS s.details" if with_details else ""
        self._db.executescript(
            f"""
            UPDATE rows SET
                target_no = n.target_no,
                reason = n.reason
            FROM names AS n
            WHERE n.name_no = rows.name_no AND rows.reason IS NULL;

            CREATE INDEX rows_of_a_module ON rows (target_no, module_type, row_no)
            WHERE reason IS NULL;
            CREATE TEMPORARY TABLE shown AS
            SELECT r.target_no, r.module_type, MAX(r.row_no) AS row_no
            FROM rows AS r
            INNER JOIN scores AS s
                ON s.target_no = r.target_no AND s.module_type = r.module_type
                AND s.raw_score = r.raw_score AND s.max_score = r.max_score
                AND s.time_spent = r.time_spent {same_details}
            WHERE r.reason IS NULL
            GROUP BY r.target_no, r.module_type;
            CREATE UNIQUE INDEX temp.shown_module ON shown (target_no, module_type);

            UPDATE rows SET differs = 1
            WHERE reason IS NULL AND row_no > COALESCE((
                SELECT s.row_no FROM temp.shown AS s
                WHERE s.target_no = rows.target_no AND s.module_type = rows.module_type
            ), 0);
            CREATE INDEX rows_to_load ON rows (row_no) WHERE loads AND reason IS NULL;
            """
        )
        self.choose()

    def choose(self) -> None:
        """Choose the rows that are loaded; again where some were rejected since.

        Then the one before takes the place of a last one.
        """
        self._db.execute(
            "UPDATE rows SET loads = 1 WHERE differs AND NOT loads AND reason IS NULL"
            " AND row_no = (SELECT MAX(l.row_no) FROM rows AS l"
            " WHERE l.target_no = rows.target_no AND l.module_type = rows.module_type"
            " AND l.reason IS NULL)"
        )
        for target_no in self._lowered():
            self.reject_target(
                target_no,
                "attempt_not_certain: this lowers the attempt that counts, so that another one may "
                "count; name the attempt in a column attempt_no",
            )

    def _reject_unnamed(self) -> None:
        """Reject what names no attempt of candidates who have rows that do.

        Which attempt counts, and with it where such a row goes, would depend on those rows.
        """
        self._db.execute(
            "UPDATE names SET target_no = NULL, reason = ? WHERE attempt = 0 AND reason IS NULL"
            " AND EXISTS (SELECT 1 FROM names AS o"
            " WHERE o.person = names.person AND o.attempt > 0)",
            (
                "attempt_not_certain: other rows of this candidate name an attempt, which may "
                "change the one that counts; name it in attempt_no in all of their rows",
            ),
        )
        self._db.execute(
            "UPDATE targets SET name_no = n.name_no FROM (SELECT target_no, MIN(name_no) AS name_no"
            " FROM names WHERE target_no IS NOT NULL GROUP BY target_no) AS n"
            " WHERE n.target_no = targets.target_no AND n.name_no <> targets.name_no"
        )

    def _lowered(self) -> set[int]:
        """Return the attempts that fall below what they are while others may count for them."""
        lasts = self._all(
            "SELECT r.target_no, r.raw_score, r.max_score, r.time_spent, s.raw_score AS old_raw,"
            " s.max_score AS old_max, s.time_spent AS old_time FROM rows AS r"
            " INNER JOIN targets AS t ON t.target_no = r.target_no AND t.rivals > 0"
            " LEFT JOIN scores AS s"
            " ON s.target_no = r.target_no AND s.module_type = r.module_type"
            " WHERE r.reason IS NULL AND r.loads AND NOT r.loaded"
        )
        found = set()
        for row in lasts:
            new = Fraction(row["raw_score"]) / Fraction(row["max_score"])
            old = Fraction(row["old_raw"] or 0) / Fraction(row["old_max"] or 1)
            if new < old or (new == old and row["time_spent"] > (row["old_time"] or 0)):
                found.add(row["target_no"])
        return found

    def to_load(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows to load in parts, in the order of the file."""
        last = 0
        while part := self._all(
            "SELECT r.row_no, r.target_no, r.module_type, r.raw_score, r.max_score, r.time_spent,"
            " r.details, t.version FROM rows AS r"
            " INNER JOIN targets AS t ON t.target_no = r.target_no"
            " WHERE r.row_no > ? AND r.loads AND NOT r.loaded AND r.reason IS NULL"
            " ORDER BY r.row_no LIMIT ?",
            last,
            size,
        ):
            yield part
            last = part[-1]["row_no"]

    def to_start(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return which of the attempts of some rows have no session yet."""
        numbers = json.dumps(sorted({row["target_no"] for row in rows}))
        return self._all(
            "SELECT t.target_no, t.attempt_no, n.username, n.full_name FROM targets AS t"
            " INNER JOIN names AS n ON n.name_no = t.name_no"
            " WHERE t.session_id IS NULL"
            " AND t.target_no IN (SELECT value FROM json_each(?)) ORDER BY t.target_no",
            numbers,
        )

    def start(self, target_no: int, session_id: int) -> None:
        """Take the session of an attempt that had none."""
        self._db.execute(
            "UPDATE targets SET session_id = ? WHERE target_no = ?", (session_id, target_no)
        )

    def reject_target(self, target_no: int, reason: str) -> None:
        """Reject what would be loaded into an attempt."""
        self._db.execute(
            "UPDATE rows SET reason = ? WHERE target_no = ? AND reason IS NULL AND differs"
            " AND NOT loaded",
            (reason, target_no),
        )

    def sessions(self, rows: list[dict[str, Any]]) -> dict[int, int]:
        """Return the sessions of the attempts of some rows, of those that have one."""
        numbers = json.dumps(sorted({row["target_no"] for row in rows}))
        found = self._all(
            "SELECT target_no, session_id FROM targets WHERE session_id IS NOT NULL"
            " AND target_no IN (SELECT value FROM json_each(?))",
            numbers,
        )
        return {row["target_no"]: row["session_id"] for row in found}

    def settle(self, outcomes: Iterable[tuple[int, str | None]]) -> None:
        """Take what became of rows: loaded, or rejected with a reason."""
        self._db.executemany(
            "UPDATE rows SET reason = ?2, loaded = ?2 IS NULL WHERE row_no = ?1", outcomes
        )

    def counts(self, planned: bool) -> Counts:
        """Count the rows; planned: as if those to load were loaded."""
        loaded = "loads" if planned else "loaded"
        [found] = self._all(
            f"SELECT COUNT(*) AS n, COALESCE(SUM(reason IS NULL AND {loaded}), 0) AS loaded,"
            " COALESCE(SUM(reason IS NULL AND NOT loads), 0) AS unchanged,"
            " COALESCE(SUM(reason IS NOT NULL), 0) AS rejected FROM rows"
        )
        return Counts(found["n"], found["loaded"], found["unchanged"], found["rejected"])

    def newcomers(self) -> int:
        """Count the candidates whom the rows to load would create."""
        [found] = self._all(
            "SELECT COUNT(DISTINCT t.person) AS n FROM targets AS t INNER JOIN rows AS r"
            " ON r.target_no = t.target_no WHERE NOT t.known AND r.loads AND r.reason IS NULL"
        )
        return int(found["n"])

    def renamed(self) -> int:
        """Count the known candidates whom the file gives another full name."""
        [found] = self._all("SELECT COUNT(DISTINCT person) AS n FROM targets WHERE is_renamed")
        return int(found["n"])

    def changes(self, limit: int) -> list[dict[str, Any]]:
        """Return the first rows to load, beside what MySQL has in their place."""
        return self._all(
            "SELECT r.line, n.username, r.module_type, r.raw_score, r.max_score, r.time_spent,"
            " s.raw_score AS old_raw, s.max_score AS old_max, s.time_spent AS old_time"
            " FROM rows AS r INNER JOIN names AS n ON n.name_no = r.name_no"
            " LEFT JOIN scores AS s"
            " ON s.target_no = r.target_no AND s.module_type = r.module_type"
            " WHERE r.loads AND r.reason IS NULL ORDER BY r.row_no LIMIT ?",
            limit,
        )

    def rejected(self) -> Iterator[dict[str, Any]]:
        """Yield the rejected rows in the order of the file."""
        for line, last_line, reason, content in self._db.execute(
            "SELECT line, last_line, reason, content FROM rows WHERE reason IS NOT NULL"
            " ORDER BY row_no"
        ):
            yield {"line": line, "last_line": last_line, "reason": reason, "content": content}

    def _all(self, statement: str, *values: object) -> list[dict[str, Any]]:
        found = self._db.execute(statement, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]


def canonical(value: Decimal) -> str:
    """Return the same text for the same number."""
    return format(value.normalize() + 0, "f")


def canonical_json(value: object) -> str | None:
    """Return the same text for the same JSON; None for null."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def readable(text: str) -> str:
    """Return a text with the bytes that are no characters written out, as \\xe9."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
