"""What becomes of a history that MySQL's root lays hands on, with the triggers and without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.loader import statements
from tests.sql_harness import (
    SQL,
    call,
    errno_of,
    make_exam,
    make_session,
    make_user,
    result_sets,
    rows,
    submit,
)

APPEND_ONLY = 50600
TRIGGERS = sorted((SQL / "triggers").glob("*.sql"))
# A value for each column that is not the one it holds. Of the order of the rows see below.
EDITS = {
    "score_audit_log": {
        "submission_id": "CONCAT(submission_id, 'x')",
        "payload_hash": "REVERSE(payload_hash)",
        "session_id": "@other_session",
        "user_id": "user_id + 1",
        "module_type": "'assessment'",
        "actor_id": "1",
        "actor": "'user:1'",
        "account": "'root@localhost '",
        "request_id": "'another'",
        "version": "version + 1",
        "old_raw_score": "1",
        "old_max_score": "1",
        "old_weighted_score": "1",
        "old_time_spent_sec": "1",
        "new_raw_score": "new_raw_score + 0.00000000000000000001",
        "new_max_score": "new_max_score + 1",
        "new_weighted_score": "new_weighted_score + 0.0001",
        "new_time_spent_sec": "new_time_spent_sec + 1",
        "details": "JSON_SET(details, '$.a', 2)",
        "old_total_score": "old_total_score + 0.0001",
        "new_total_score": "new_total_score + 0.0001",
        "entry_rank": "entry_rank + 1",
        "entry_total_score": "entry_total_score + 0.0001",
        "entry_weighted_coding": "entry_weighted_coding + 0.0001",
        "entry_weighted_quiz": "entry_weighted_quiz + 0.0001",
        "entry_weighted_assessment": "entry_weighted_assessment + 0.0001",
        "entry_total_time_sec": "entry_total_time_sec + 1",
        "created_at": "created_at + INTERVAL 1 MICROSECOND",
    },
    "leaderboard_revisions": {
        "reason": "'weights'",
        "submissions": "submissions + 1",
        "actor": "'user:1'",
        "account": "'root@localhost '",
        "details": "'{}'",
        "previous_hash": "REVERSE(previous_hash)",
        "hash": "REVERSE(hash)",
        "committed_at": "committed_at + INTERVAL 1 MICROSECOND",
    },
}
# Their edits move a row, which is what the other tests are about; or give it another number.
KEYS = {"board_id", "revision", "item_no", "audit_id"}


@pytest.fixture
def exam(admin: Any) -> int:
    """Make an exam whose board has four revisions, the third of two submissions."""
    exam = make_exam(admin)
    first, second = make_session(admin, exam), make_session(admin, exam)
    submit(admin, first, details='{"a": 1}')
    submit(admin, second, raw=60, details='{"a": 1}')
    item = {"module_type": "quiz", "raw_score": 1, "max_score": 1, "time_spent_sec": 1}
    items = [item | {"session_id": first}, item | {"session_id": second}]
    call(admin, "submit_scores", json.dumps(items), None)
    submit(admin, first, "assessment")
    # What the tampering below is written with.
    result_sets(
        admin,
        "SELECT board_id INTO @board FROM leaderboards WHERE exam_id = %s",
        (exam,),
    )
    result_sets(admin, f"SET @other_session = {make_session(admin, make_exam(admin))}")
    assert call(admin, "verify_audit", exam)[0] == []
    return exam


@pytest.fixture
def unguarded(admin: Any) -> Iterator[Any]:
    """Drop the triggers, as root may, and create them again when the test is over."""
    for file in TRIGGERS:
        result_sets(admin, f"DROP TRIGGER podium.{file.stem}")
    yield admin
    for statement in (part for file in TRIGGERS for part in statements(file.read_text())):
        result_sets(admin, statement)


def first_bad(admin: Any, exam: int) -> int | None:
    """Return the first revision that verify_audit finds fault with, if there is one."""
    found = call(admin, "verify_audit", exam)[0]
    return int(found[0]["revision"]) if found else None


def test_every_column_of_the_history_is_edited_below(admin: Any) -> None:
    for table, edits in EDITS.items():
        stored = rows(
            admin,
            "SELECT column_name AS name FROM information_schema.columns"
            " WHERE table_schema = 'podium' AND table_name = %s AND generation_expression = ''",
            (table,),
        )
        assert {row["name"] for row in stored} - KEYS == set(edits)


@pytest.mark.parametrize("table", list(EDITS))
def test_an_edited_column_is_found_at_its_revision(unguarded: Any, exam: int, table: str) -> None:
    row = f"{table}.board_id = @board AND {table}.revision = 2"
    result_sets(unguarded, f"CREATE TEMPORARY TABLE genuine AS SELECT * FROM {table} WHERE {row}")
    found = {}
    for column, value in EDITS[table].items():
        result_sets(unguarded, f"UPDATE {table} SET {column} = {value} WHERE {row}")
        found[column] = first_bad(unguarded, exam)
        result_sets(
            unguarded,
            f"UPDATE {table}, genuine SET {table}.{column} = genuine.{column} WHERE {row}",
        )
    assert found == dict.fromkeys(EDITS[table], 2)
    assert first_bad(unguarded, exam) is None


@pytest.mark.parametrize("revision", [1, 2, 3, 4])
def test_a_deleted_row_is_found_at_its_revision(unguarded: Any, exam: int, revision: int) -> None:
    result_sets(
        unguarded,
        f"DELETE FROM score_audit_log WHERE board_id = @board AND revision = {revision} LIMIT 1",
    )
    assert first_bad(unguarded, exam) == revision


@pytest.mark.parametrize("revision", [1, 2, 3, 4])
def test_a_deleted_revision_is_found_at_the_next(unguarded: Any, exam: int, revision: int) -> None:
    for table in ("leaderboard_revisions", "score_audit_log"):
        result_sets(
            unguarded, f"DELETE FROM {table} WHERE board_id = @board AND revision = {revision}"
        )
    # Behind the last one the board itself comes next.
    assert first_bad(unguarded, exam) == min(revision + 1, 4)


def test_an_inserted_row_is_found_at_its_revision(unguarded: Any, exam: int) -> None:
    insert_copy(
        unguarded, "score_audit_log", {"audit_id": "9", "item_no": "9", "submission_id": "UUID()"}
    )
    assert first_bad(unguarded, exam) == 2


def test_an_inserted_revision_is_found(unguarded: Any, exam: int) -> None:
    insert_copy(unguarded, "leaderboard_revisions", {"revision": "5", "previous_hash": "hash"})
    # It does not follow from the fourth, where the board stands; that comes first.
    assert first_bad(unguarded, exam) == 4


def test_two_rows_that_changed_places_are_found(unguarded: Any, exam: int) -> None:
    for place in ("item_no + 10", "11 - item_no"):
        result_sets(
            unguarded,
            f"UPDATE score_audit_log SET item_no = {place}"
            " WHERE board_id = @board AND revision = 3",
        )
    assert first_bad(unguarded, exam) == 3


def test_two_revisions_that_changed_places_are_found(unguarded: Any, exam: int) -> None:
    for table in ("leaderboard_revisions", "score_audit_log"):
        for old, new in ((1, 91), (2, 1), (91, 2)):
            result_sets(
                unguarded,
                f"UPDATE {table} SET revision = {new} WHERE board_id = @board AND revision = {old}",
            )
    assert first_bad(unguarded, exam) == 1


def test_a_row_moved_to_another_board_is_found_on_both(unguarded: Any, exam: int) -> None:
    other = make_exam(unguarded)
    submit(unguarded, make_session(unguarded, other))
    result_sets(
        unguarded,
        "UPDATE score_audit_log SET item_no = 1, revision = 1, board_id ="
        f" (SELECT board_id FROM leaderboards WHERE exam_id = {other})"
        " WHERE board_id = @board AND revision = 2",
    )
    assert (first_bad(unguarded, exam), first_bad(unguarded, other)) == (2, 1)


def test_a_history_put_on_another_board_is_found(unguarded: Any, exam: int) -> None:
    other = make_exam(unguarded)
    result_sets(unguarded, f"SELECT board_id INTO @other FROM leaderboards WHERE exam_id = {other}")
    for statement in (
        "UPDATE score_audit_log SET board_id = @other WHERE board_id = @board",
        "UPDATE leaderboard_revisions SET board_id = @other WHERE board_id = @board",
        "UPDATE leaderboards AS o INNER JOIN leaderboards AS b ON b.board_id = @board"
        " SET o.revision = b.revision, o.head_hash = b.head_hash WHERE o.board_id = @other",
    ):
        result_sets(unguarded, statement)
    assert (first_bad(unguarded, exam), first_bad(unguarded, other)) == (4, 1)


def test_a_tail_that_is_cut_off_is_missed_by_the_board(unguarded: Any, exam: int) -> None:
    cut_tail(unguarded)
    assert first_bad(unguarded, exam) == 4


def test_a_tail_that_is_cut_off_with_its_head_is_missed_by_the_sessions(
    unguarded: Any, exam: int
) -> None:
    cut_tail(unguarded)
    set_head(unguarded)
    assert "is at version" in call(unguarded, "verify_audit", exam)[0][0]["problem"]


def test_a_revision_that_is_hashed_anew_is_found_at_the_next(unguarded: Any, exam: int) -> None:
    result_sets(
        unguarded,
        "UPDATE score_audit_log SET actor = 'user:1' WHERE board_id = @board AND revision = 2",
    )
    hash_anew(unguarded, 2)
    assert first_bad(unguarded, exam) == 3


def test_the_last_revision_hashed_anew_is_found_by_the_head(unguarded: Any, exam: int) -> None:
    result_sets(
        unguarded,
        "UPDATE score_audit_log SET actor = 'user:1' WHERE board_id = @board AND revision = 4",
    )
    hash_anew(unguarded, 4)
    assert first_bad(unguarded, exam) == 4


def test_a_chain_that_is_forged_whole_is_told_by_a_head_kept_elsewhere(
    unguarded: Any, exam: int
) -> None:
    # Who may write every table can compute every hash: within the database nothing is left to
    # compare with. A head that was written down outside of it is.
    kept = head(unguarded)
    result_sets(
        unguarded,
        "UPDATE score_audit_log SET actor = 'user:1' WHERE board_id = @board AND revision = 2",
    )
    for revision in (2, 3, 4):
        hash_anew(unguarded, revision)
        result_sets(
            unguarded,
            "UPDATE leaderboard_revisions AS n INNER JOIN leaderboard_revisions AS r"
            " ON r.board_id = n.board_id AND n.revision = r.revision + 1"
            f" SET n.previous_hash = r.hash WHERE r.board_id = @board AND r.revision = {revision}",
        )
    set_head(unguarded)
    assert first_bad(unguarded, exam) is None
    assert head(unguarded) != kept


@pytest.mark.usefixtures("exam")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET revision = revision + 90 WHERE board_id = @board",
        "UPDATE {} SET revision = revision WHERE board_id = @board",
        "DELETE FROM {} WHERE board_id = @board",
        "DELETE FROM {} WHERE board_id = @board ORDER BY revision DESC LIMIT 1",
        "REPLACE INTO {0} ({1}) SELECT {1} FROM {0} WHERE board_id = @board",
        "INSERT INTO {0} ({1}) SELECT {1} FROM {0} AS o WHERE board_id = @board"
        " ON DUPLICATE KEY UPDATE revision = 90",
        "UPDATE {} AS h INNER JOIN leaderboards AS b ON b.board_id = h.board_id"
        " SET h.revision = 90, b.revision = 90 WHERE b.board_id = @board",
        "DELETE h, b FROM {} AS h INNER JOIN leaderboards AS b ON b.board_id = h.board_id"
        " WHERE b.board_id = @board",
        "WITH o AS (SELECT @board AS board_id) UPDATE {} AS h INNER JOIN o"
        " ON o.board_id = h.board_id SET h.revision = 90",
    ],
)
@pytest.mark.parametrize("table", list(EDITS))
def test_root_is_refused_every_way_to_change_or_delete_a_row(
    admin: Any, table: str, statement: str
) -> None:
    count = f"SELECT COUNT(*) AS n, MAX(revision) AS newest FROM {table} WHERE board_id = @board"
    before = rows(admin, count)
    assert errno_of(admin, statement.format(table, columns_of(admin, table))) == APPEND_ONLY
    assert rows(admin, count) == before and before[0]["n"] >= 4


@pytest.mark.parametrize("table", ["users", "exams", "exam_sessions", "leaderboards"])
def test_no_key_of_the_schema_reaches_into_the_history(admin: Any, table: str) -> None:
    # A cascade fires no trigger.
    rules = rows(
        admin,
        "SELECT delete_rule, update_rule FROM information_schema.referential_constraints"
        " WHERE constraint_schema = 'podium'",
    )
    assert rules
    assert {rule for row in rules for rule in row.values()} <= {"NO ACTION", "RESTRICT"}
    exam = make_exam(admin)
    submit(admin, make_session(admin, exam, make_user(admin)))
    assert errno_of(admin, f"DELETE FROM {table}") == 1451


def test_truncate_takes_the_right_to_drop(admin: Any, connect: Any) -> None:
    # TRUNCATE fires no trigger either; but no account of Podium's may, the definer included.
    for account in ("podium_owner@localhost", "podium_gateway", "podium_dba"):
        granted = " ".join(
            str(value)
            for row in rows(admin, f"SHOW GRANTS FOR {account}")
            for value in row.values()
        )
        assert "DROP" not in granted and "ALL PRIVILEGES" not in granted


def insert_copy(admin: Any, table: str, changed: dict[str, str]) -> None:
    """Insert a copy of the second revision's row, these columns changed."""
    columns = columns_of(admin, table).split(", ")
    values = ", ".join(changed.get(column, column) for column in columns)
    result_sets(
        admin,
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}"
        " WHERE board_id = @board AND revision = 2",
    )


def columns_of(admin: Any, table: str) -> str:
    """Return the columns that an INSERT of a copy names."""
    found = rows(
        admin,
        "SELECT column_name AS name FROM information_schema.columns"
        " WHERE table_schema = 'podium' AND table_name = %s AND extra = ''",
        (table,),
    )
    return ", ".join(row["name"] for row in found)


def cut_tail(admin: Any) -> None:
    """Delete the last revision with its audit rows."""
    for table in ("leaderboard_revisions", "score_audit_log"):
        result_sets(admin, f"DELETE FROM {table} WHERE board_id = @board AND revision = 4")


def set_head(admin: Any) -> None:
    """Make the board stand at the last revision there is."""
    result_sets(
        admin,
        "UPDATE leaderboards AS b INNER JOIN leaderboard_revisions AS r ON r.board_id = b.board_id"
        " SET b.revision = r.revision, b.head_hash = r.hash WHERE b.board_id = @board"
        " AND r.revision = (SELECT newest FROM (SELECT MAX(revision) AS newest"
        " FROM leaderboard_revisions WHERE board_id = @board) AS n)",
    )


def hash_anew(admin: Any, revision: int) -> None:
    """Write the hash that a revision would have if what it holds now were genuine."""
    result_sets(
        admin,
        "UPDATE leaderboard_revisions AS r INNER JOIN ("
        "    SELECT revision, GROUP_CONCAT(HEX(digest) ORDER BY item_no SEPARATOR '') AS digests"
        "    FROM score_audit_log WHERE board_id = @board GROUP BY revision"
        " ) AS a ON a.revision = r.revision"
        " SET r.hash = _revision_hash(r.previous_hash, r.revision, r.reason, r.submissions,"
        " r.actor, r.account, r.details, r.committed_at, a.digests)"
        " WHERE r.board_id = @board AND r.revision = %s",
        (revision,),
    )


def head(admin: Any) -> bytes:
    """Return the hash at the end of the chain."""
    found = rows(admin, "SELECT head_hash FROM leaderboards WHERE board_id = @board")
    return bytes(found[0]["head_hash"])
