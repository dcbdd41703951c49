"""sql/tests, and what holds for all of sql/: the public surface, conventions, errors, grants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway.config import MysqlUrl
from gateway.loader import statements
from tests.sql_harness import (
    SQL,
    call,
    errno_of,
    failures,
    make_exam,
    make_session,
    make_user,
    problems_of,
    result_sets,
    rows,
    run_tap,
    submit,
    unique_name,
)

Connect = Callable[..., Any]

FILES = sorted((SQL / "tests").glob("*.test.sql"))
ROUTINES = sorted((SQL / "procedures").glob("*.sql"))
ALL_FILES = sorted(SQL.rglob("*.sql"))
CODE = "\n".join(
    line
    for folder in ("procedures", "triggers")
    for file in sorted((SQL / folder).glob("*.sql"))
    for line in file.read_text().splitlines()
    if not line.lstrip().startswith("--")
)
JUDGES = ("_read_submissions.sql", "_lock_submissions.sql", "_decide_in_order.sql")
REFUSAL = "SELECT podium._refusal(%s, 1, 1, 1, 1, 2) AS words"
TEMPORARY_SIZE = (
    "SELECT SUM(size) AS size FROM information_schema.innodb_session_temp_tablespaces"
    " WHERE id = CONNECTION_ID()"
)
USAGE = "GRANT USAGE ON *.* TO `%s`@`%%`"
SQL_MODE = (  # TRADITIONAL and ONLY_FULL_GROUP_BY
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL,NO_ENGINE_SUBSTITUTION"
)

# The contract: programs outside this repository call these, by these names, in this order.
PUBLIC = {
    "create_user": "p_username p_full_name p_role",
    "create_user_once": "p_username p_full_name p_role p_idempotency_key p_actor_id",
    "update_user": "p_user_id p_changes p_actor_id",
    "get_user": "p_user_id",
    "find_user": "p_username",
    "create_exam": "p_title p_weight_coding p_weight_quiz p_weight_assessment p_max_attempts"
    " p_attempt_policy p_starts_at p_ends_at p_duration_sec",
    "create_exam_once": "p_exam p_idempotency_key p_actor_id",
    "update_exam": "p_exam_id p_changes p_actor_id",
    "update_exam_weights": "p_exam_id p_weight_coding p_weight_quiz p_weight_assessment p_actor_id",
    "start_session": "p_exam_id p_user_id p_actor_id",
    "start_session_once": "p_exam_id p_user_id p_idempotency_key p_actor_id p_actor_role",
    "register_candidates": "p_exam_id p_candidates p_actor_id",
    "finish_session": "p_session_id p_actor_id",
    "submit_score": "p_session_id p_module_type p_raw_score p_max_score p_time_spent_sec p_details"
    " p_expected_version p_submission_id p_actor_id",
    "submit_scores": "p_submissions p_actor_id",
    "get_leaderboard": "p_exam_id p_page p_per_page p_user_id",
    "get_entry": "p_exam_id p_user_id",
    "get_around": "p_exam_id p_user_id p_window",
    "view_leaderboard": "p_exam_id p_page p_per_page p_user_id p_viewer_id p_viewer_role",
    "view_entry": "p_exam_id p_user_id p_viewer_id p_viewer_role",
    "view_around": "p_exam_id p_user_id p_window p_viewer_id p_viewer_role",
    "view_exam": "p_exam_id p_viewer_id p_viewer_role",
    "view_exams": "p_after p_limit p_exam_ids p_viewer_id p_viewer_role",
    "get_session": "p_session_id",
    "get_session_exams": "p_session_ids",
    "list_sessions": "p_exam_id p_user_id p_status p_exam_ids p_after p_limit",
    "get_exam": "p_exam_id",
    "get_scores": "p_exam_id p_candidates",
    "export_leaderboard": "p_exam_id",
    "list_exams": "p_after p_limit",
    "get_audit_trail": "p_exam_id p_session_id p_after p_limit",
    "get_revisions": "p_exam_id p_after p_limit",
    "get_lock_holders": "p_exam_id",
    "recalculate_leaderboard": "p_exam_id p_actor_id",
    "check_leaderboard": "p_exam_id",
    "verify_audit": "p_exam_id",
}


@pytest.fixture(scope="module")
def harness(mysql_url: str) -> Iterator[None]:
    """Load the harness of the SQL tests into the server, for as long as they run."""
    arguments = MysqlUrl.parse(mysql_url).arguments
    with mysql.connector.connect(**arguments, autocommit=True) as connection:
        for statement in statements((SQL / "tests" / "tap.sql").read_text()):
            result_sets(connection, statement)
        yield
        result_sets(connection, "DROP DATABASE podium_tap")


@pytest.fixture
def dba(admin: Any, connect: Connect) -> Iterator[Any]:
    """Return a connection of an account that has the role podium_dba and nothing else."""
    yield from account_with(admin, connect, "podium_dba")


@pytest.fixture
def gateway_account(admin: Any, connect: Connect) -> Iterator[Any]:
    """Return a connection of an account that has the role podium_gateway and nothing else."""
    yield from account_with(admin, connect, "podium_gateway")


@pytest.fixture
def unguarded(admin: Any) -> Iterator[Any]:
    """Return an administrative connection to a history whose triggers root has dropped."""
    triggers = sorted((SQL / "triggers").glob("*.sql"))
    for file in triggers:
        result_sets(admin, f"DROP TRIGGER podium.{file.stem}")
    yield admin
    for statement in (part for file in triggers for part in statements(file.read_text())):
        result_sets(admin, statement)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.sql"))
@pytest.mark.usefixtures("harness")
def test_sql_file_keeps_its_plan(admin: Any, file: Path) -> None:
    failed = failures(run_tap(admin, file.read_text()))
    assert not failed, "\n".join(failed)


def test_public_surface_is_that_of_the_contract(admin: Any) -> None:
    found = rows(
        admin,
        "SELECT r.routine_name AS name, GROUP_CONCAT(p.parameter_name"
        " ORDER BY p.ordinal_position SEPARATOR ' ') AS parameters"
        " FROM information_schema.routines AS r"
        " INNER JOIN information_schema.parameters AS p ON p.specific_schema = r.routine_schema"
        " AND p.specific_name = r.routine_name"
        " WHERE r.routine_schema = 'podium' AND r.routine_name NOT LIKE '\\_%'"
        " GROUP BY r.routine_name",
    )
    assert {row["name"]: row["parameters"] for row in found} == PUBLIC


def test_every_public_procedure_has_its_sql_test() -> None:
    assert {file.name.removesuffix(".test.sql") for file in FILES} == set(PUBLIC)


def test_gateway_executes_the_public_procedures_and_nothing_else(admin: Any) -> None:
    assert grants(admin, "podium_gateway") == {USAGE % "podium_gateway"} | {
        f"GRANT EXECUTE ON PROCEDURE `podium`.`{name}` TO `podium_gateway`@`%`" for name in PUBLIC
    }


def test_dba_executes_the_same_and_reads(admin: Any) -> None:
    assert grants(admin, "podium_dba") == {
        USAGE % "podium_dba",
        "GRANT SHOW_ROUTINE ON *.* TO `podium_dba`@`%`",
        "GRANT SELECT, SHOW VIEW ON `podium`.* TO `podium_dba`@`%`",
    } | {f"GRANT EXECUTE ON PROCEDURE `podium`.`{name}` TO `podium_dba`@`%`" for name in PUBLIC}


def test_owner_is_locked_and_cannot_change_the_history(admin: Any) -> None:
    account = rows(admin, "SELECT account_locked FROM mysql.user WHERE user = 'podium_owner'")
    assert account == [{"account_locked": "Y"}]
    for table in ("score_audit_log", "leaderboard_revisions"):
        assert (
            f"GRANT INSERT, TRIGGER ON `podium`.`{table}` TO `podium_owner`@`localhost`"
            in grants(admin, "podium_owner", "localhost")
        )


@pytest.mark.parametrize("file", ROUTINES, ids=lambda file: file.stem)
def test_routine_file_keeps_the_five_moves(file: Path) -> None:
    text = file.read_text()
    kind = "PROCEDURE" if " PROCEDURE " in text else "FUNCTION"
    name = f"podium.{file.stem}"
    moves = [
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;\n",
        "SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';\n",
        f"\nDROP {kind} IF EXISTS {name};\n",
        "\nDELIMITER $$\n",
        f"\nCREATE DEFINER = podium_owner@localhost {kind} {name}(",
        "\n    COMMENT '",
        "DETERMINISTIC\n",
        "\n    SQL SECURITY DEFINER\nBEGIN\n    -- Purpose:     ",
        "\n    -- Parameters:  ",
        "\n    -- Result sets: " if kind == "PROCEDURE" else "\n    -- Result:      ",
        "\n    -- Errors:      ",
        *(["\n    -- Transaction: "] if kind == "PROCEDURE" else []),
        "\n    -- Locks:       ",
        "\n    -- Example:     ",
        "\nEND$$\n\nDELIMITER ;\n",
    ]
    places = [text.find(move) for move in moves]
    assert -1 not in places and places == sorted(places)


@pytest.mark.parametrize("file", ALL_FILES, ids=lambda file: file.name)
def test_sql_file_fits_on_the_page(file: Path) -> None:
    wide = [line for line in file.read_text().splitlines() if len(line) > 100]
    assert not wide, f"{len(wide)} lines of more than 100 characters: {wide[0]}"


def test_routine_leaves_no_characteristic_to_default(admin: Any) -> None:
    odd = rows(
        admin,
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'podium' AND"
        " (security_type <> 'DEFINER' OR definer <> 'podium_owner@localhost'"
        " OR routine_comment = '' OR sql_data_access = 'CONTAINS SQL')",
    )
    assert not odd


def test_loading_session_leaves_no_trace_in_a_routine(admin: Any) -> None:
    modes = rows(
        admin,
        "SELECT DISTINCT sql_mode AS mode FROM information_schema.routines"
        " WHERE routine_schema = 'podium' UNION SELECT DISTINCT sql_mode"
        " FROM information_schema.triggers WHERE trigger_schema = 'podium'",
    )
    assert modes == [{"mode": SQL_MODE}]


def test_constraints_and_indexes_are_named_by_convention(admin: Any) -> None:
    names = rows(
        admin,
        "SELECT table_name AS tab, constraint_name AS name"
        " FROM information_schema.table_constraints WHERE constraint_schema = 'podium'"
        " UNION SELECT table_name, index_name FROM information_schema.statistics"
        " WHERE table_schema = 'podium'",
    )
    odd = [
        row["name"]
        for row in names
        if row["name"] != "PRIMARY" and not re.match(rf"(uq|fk|ck|ix)_{row['tab']}_?", row["name"])
    ]
    assert names and not odd


def test_raised_code_is_in_the_catalog(admin: Any) -> None:
    raised = set(re.findall(r"_raise\(\s*'(\w+)'", CODE)) | set(re.findall(r"THEN '(\w+)'", CODE))
    assert raised - {"replay"} <= catalog(admin).keys()


def test_catalog_code_of_the_database_is_raised_somewhere(admin: Any) -> None:
    ours = {code for code, errno in catalog(admin).items() if errno >= 50100}
    assert {code for code in ours if f"'{code}'" not in CODE} == set()


def test_refused_item_is_told_in_words(admin: Any) -> None:
    judged = "".join((SQL / "procedures" / name).read_text() for name in JUDGES)
    codes = set(re.findall(r"THEN '(\w+)'", judged)) - {"replay"}
    words = {code: rows(admin, REFUSAL, (code,))[0]["words"] for code in codes}
    assert codes and all(words.values())


def test_account_with_the_dba_role_alone_plays_an_exam(dba: Any) -> None:
    exam = make_exam(dba)
    session = make_session(dba, exam)
    for module, raw in (("coding", "85.5"), ("quiz", 90), ("assessment", 70)):
        answer = submit(dba, session, module, raw)
    assert (answer["total_score"], answer["rank"], answer["version"]) == (Decimal("83.75"), 1, 3)
    call(dba, "finish_session", session, None)
    call(dba, "recalculate_leaderboard", exam, None)
    call(dba, "update_exam_weights", exam, 40, 40, 20, None)
    assert problems_of(dba, exam) == []
    assert rows(dba, "SELECT `rank` FROM leaderboard WHERE exam_id = %s", (exam,)) == [{"rank": 1}]


def test_lowered_number_of_attempts_leaves_the_attempt_that_counts(admin: Any) -> None:
    exam = make_exam(admin, max_attempts=3)
    user = make_user(admin)
    first = make_session(admin, exam, user)
    assert submit(admin, first, "quiz", 90)["total_score"] == 27
    call(admin, "finish_session", first, None)
    second = make_session(admin, exam, user)
    call(admin, "update_exam", exam, '{"max_attempts": 1}', None)
    answer = submit(admin, second, "quiz", 20)
    assert (answer["rank"], answer["total_score"]) == (1, 27)
    assert call(admin, "check_leaderboard", exam)[0] == []


def test_actor_who_cannot_be_costs_the_others_nothing(admin: Any) -> None:
    exam = make_exam(admin)
    item = {"module_type": "quiz", "raw_score": 1, "max_score": 1, "time_spent_sec": 1}
    items = [item | {"session_id": make_session(admin, exam)} for _ in range(2)]
    items[1] |= {"actor_id": -5, "actor_role": "grader"}
    told = call(admin, "submit_scores", json.dumps(items), None)[0]
    assert [row["code"] for row in told] == [None, "actor_not_found"]


def test_candidate_who_is_nobody_submits_for_nobody(admin: Any) -> None:
    session = make_session(admin, make_exam(admin))
    item = {"module_type": "quiz", "raw_score": 1, "max_score": 1, "time_spent_sec": 1}
    items = [item | {"session_id": session, "actor_role": "candidate"}]
    told = call(admin, "submit_scores", json.dumps(items), None)[0]
    assert [row["code"] for row in told] == ["session_not_found"]


def test_history_names_the_account_whoever_it_acts_for(admin: Any, dba: Any) -> None:
    moderator = make_user(admin, "moderator")
    exam = make_exam(dba)
    call(dba, "submit_score", make_session(dba, exam), "quiz", 1, 1, 1, None, None, None, moderator)
    call(dba, "recalculate_leaderboard", exam, moderator)
    account = rows(dba, "SELECT USER() AS name")[0]["name"]
    [[submission]] = call(dba, "get_audit_trail", exam, None, None, None)
    assert (submission["actor"], submission["account"]) == (f"user:{moderator}", account)
    revisions = rows(
        dba,
        "SELECT r.actor, r.account FROM leaderboard_revisions AS r INNER JOIN leaderboards AS b"
        " ON b.board_id = r.board_id WHERE b.exam_id = %s AND r.reason = 'recalculation'",
        (exam,),
    )
    assert revisions == [{"actor": f"user:{moderator}", "account": account}]


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO {} VALUES ()", "UPDATE {} SET {} = NULL", "DELETE FROM {}", "TRUNCATE TABLE {}"],
)
def test_dba_writes_to_no_table(admin: Any, dba: Any, statement: str) -> None:
    errnos = {
        (table, column): errno_of(dba, statement.format(table, column))
        for table, column in tables(admin)
    }
    assert errnos and set(errnos.values()) == {1142}


def test_gateway_reads_no_table(admin: Any, gateway_account: Any) -> None:
    errnos = {errno_of(gateway_account, f"SELECT 1 FROM {name}") for name, _ in tables(admin)}
    assert errnos == {1142}


@pytest.mark.parametrize("account", ["dba", "gateway_account"])
def test_private_routine_is_executed_by_nobody_else(
    admin: Any, account: str, request: pytest.FixtureRequest
) -> None:
    connection = request.getfixturevalue(account)
    private = rows(
        admin,
        "SELECT r.routine_name AS name, r.routine_type AS kind,"
        " COUNT(p.parameter_name) AS parameters FROM information_schema.routines AS r"
        " LEFT JOIN information_schema.parameters AS p ON p.specific_schema = r.routine_schema"
        " AND p.specific_name = r.routine_name AND p.ordinal_position > 0"
        " WHERE r.routine_schema = 'podium' AND r.routine_name LIKE '\\_%' GROUP BY 1, 2",
    )
    for row in private:
        arguments = ", ".join(["@x"] * row["parameters"])
        verb = "CALL" if row["kind"] == "PROCEDURE" else "SELECT"
        assert errno_of(connection, f"{verb} podium.{row['name']}({arguments})") == 1370


@pytest.mark.parametrize("table", ["score_audit_log", "leaderboard_revisions"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET revision = 0", "DELETE FROM {}"])
def test_history_is_closed_to_root_as_well(admin: Any, table: str, statement: str) -> None:
    submit(admin, make_session(admin, make_exam(admin)))
    assert errno_of(admin, statement.format(table)) == catalog(admin)["audit_append_only"]


@pytest.mark.parametrize(
    ("tampering", "first_bad"),
    [
        ("UPDATE {audit} SET new_raw_score = 51 WHERE {board} AND revision = 2", 2),
        ("UPDATE {audit} SET details = '{{}}' WHERE {board} AND revision = 2", 2),
        ("UPDATE {audit} SET actor = 'user:1' WHERE {board} AND revision = 2", 2),
        ("UPDATE {audit} SET created_at = NOW(6) WHERE {board} AND revision = 2", 2),
        ("DELETE FROM {audit} WHERE {board} AND revision = 2", 2),
        ("DELETE FROM {audit} WHERE {board} AND revision = 3 AND item_no = 1", 3),
        ("UPDATE {audit} SET item_no = 9 - item_no WHERE {board} AND revision = 3", 3),
        ("UPDATE {audit} SET revision = revision + 1 WHERE {board} ORDER BY revision DESC", 1),
        ("UPDATE {audit} SET revision = 9 WHERE {board} AND revision = 4", 4),
        ("UPDATE {revisions} SET committed_at = NOW(6) WHERE {board} AND revision = 3", 3),
        ("UPDATE {revisions} SET actor = 'user:1' WHERE {board} AND revision = 2", 2),
        ("UPDATE {revisions} SET hash = REVERSE(hash) WHERE {board} AND revision = 2", 2),
        ("DELETE FROM {revisions} WHERE {board} AND revision = 2", 2),
        ("UPDATE {revisions} SET revision = revision + 9 WHERE {board} AND revision = 4", 4),
        ("UPDATE leaderboards SET head_hash = REVERSE(head_hash) WHERE {board}", 4),
        ("UPDATE leaderboards SET revision = revision - 1 WHERE {board}", 3),
    ],
)
def test_tampering_is_found_at_the_first_bad_revision(
    unguarded: Any, tampering: str, first_bad: int
) -> None:
    exam = make_exam(unguarded)
    first, second = make_session(unguarded, exam), make_session(unguarded, exam)
    submit(unguarded, first)
    submit(unguarded, second)
    item = {"module_type": "quiz", "raw_score": 1, "max_score": 1, "time_spent_sec": 1}
    items = [item | {"session_id": first}, item | {"session_id": second}]
    call(unguarded, "submit_scores", json.dumps(items), None)
    submit(unguarded, first, "assessment")
    board = rows(unguarded, "SELECT board_id FROM leaderboards WHERE exam_id = %s", (exam,))
    assert call(unguarded, "verify_audit", exam)[0] == []

    names = {
        "audit": "score_audit_log",
        "revisions": "leaderboard_revisions",
        "board": f"board_id = {board[0]['board_id']}",
    }
    result_sets(unguarded, tampering.format(**names))
    assert call(unguarded, "verify_audit", exam)[0][0]["revision"] == first_bad


def test_forger_who_mends_one_link_is_found_at_the_next(unguarded: Any) -> None:
    exam = make_exam(unguarded)
    session = make_session(unguarded, exam)
    for raw in (10, 20, 30):
        submit(unguarded, session, raw=raw)
    for statement in (
        f"SET @board = (SELECT board_id FROM leaderboards WHERE exam_id = {exam})",
        "UPDATE score_audit_log SET actor = 'user:1' WHERE board_id = @board AND revision = 2",
        "UPDATE leaderboard_revisions AS r INNER JOIN score_audit_log AS a"
        " ON a.board_id = r.board_id AND a.revision = r.revision"
        " SET r.hash = _revision_hash(r.previous_hash, r.revision, r.reason, r.submissions,"
        " r.actor, r.account, r.details, r.committed_at, HEX(a.digest))"
        " WHERE r.board_id = @board AND r.revision = 2",
        "SET @hash = (SELECT hash FROM leaderboard_revisions"
        " WHERE board_id = @board AND revision = 2)",
        "UPDATE leaderboard_revisions SET previous_hash = @hash"
        " WHERE board_id = @board AND revision = 3",
    ):
        result_sets(unguarded, statement)
    assert call(unguarded, "verify_audit", exam)[0][0]["revision"] == 3


def test_forged_audit_row_is_found(unguarded: Any) -> None:
    exam = make_exam(unguarded)
    submit(unguarded, make_session(unguarded, exam), id="genuine")
    columns = ", ".join(
        row["name"]
        for row in rows(
            unguarded,
            "SELECT column_name AS name FROM information_schema.columns WHERE table_name ="
            " 'score_audit_log' AND extra = ''"
            " AND column_name NOT IN ('audit_id', 'item_no', 'submission_id')",
        )
    )
    result_sets(
        unguarded,
        f"INSERT INTO score_audit_log (audit_id, item_no, submission_id, {columns})"
        f" SELECT 2, 1, %s, {columns} FROM score_audit_log WHERE submission_id = 'genuine'",
        (unique_name(),),
    )
    problems = call(unguarded, "verify_audit", exam)[0]
    assert [row["problem"] for row in problems][0] == "it has 2 audit rows, not 1"


def account_with(admin: Any, connect: Connect, role: str) -> Iterator[Any]:
    """Create an account with one role, active by default, and yield a connection of it."""
    account = f"'{role}_test'@'%'"
    result_sets(admin, f"CREATE USER {account} IDENTIFIED BY 'secret' DEFAULT ROLE {role}")
    yield connect(user=f"{role}_test", password="secret", database="podium")
    result_sets(admin, f"DROP USER {account}")


@pytest.mark.parametrize(
    "setting",
    [
        "sql_mode = ''",
        "sql_mode = 'ANSI,NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE,NO_BACKSLASH_ESCAPES'",
        "sql_safe_updates = 1, sql_select_limit = 1000, max_join_size = 1000000",
        "div_precision_increment = 0",
        "group_concat_max_len = 4",
        "cte_max_recursion_depth = 1",
        "time_zone = '-11:00'",
        "NAMES latin1",
        "NAMES utf8mb4 COLLATE utf8mb4_bin",
        "transaction_isolation = 'READ-UNCOMMITTED'",
        "optimizer_switch = 'derived_merge=off,materialization=off'",
        "optimizer_switch = 'batched_key_access=on,mrr_cost_based=off'",
        "optimizer_switch = 'hypergraph_optimizer=on'",
        "default_tmp_storage_engine = MyISAM",
        "big_tables = 1, tmp_table_size = 1024, max_heap_table_size = 16384",
    ],
)
def test_session_settings_of_the_caller_change_nothing(connect: Connect, setting: str) -> None:
    odd, plain = connect(), connect()
    result_sets(odd, f"SET {setting}")
    exam = make_exam(odd)
    session = make_session(odd, exam)
    item = {"module_type": "coding", "raw_score": 1, "max_score": 3, "time_spent_sec": 5}
    item |= {"session_id": session, "expected_version": 0, "details": {"é": "\\'\"\U0001f600"}}
    items = [item, item | {"expected_version": 1}, item | {"raw_score": "x"}]
    answers = call(odd, "submit_scores", json.dumps(items), None)[0]
    assert [row["status"] for row in answers] == [200, 200, 422]
    assert answers[1]["total_score"] == Decimal("16.6667")
    call(odd, "update_exam_weights", exam, "33.34", "33.33", "33.33", None)
    call(odd, "recalculate_leaderboard", exam, None)
    assert call(odd, "verify_audit", exam)[0] == []
    assert problems_of(plain, exam) == []


def test_workspace_of_a_connection_does_not_grow(admin: Any, connect: Connect) -> None:
    exam = make_exam(admin)
    sessions = [make_session(admin, exam) for _ in range(600)]
    connection, sizes = connect(), []
    for start in range(0, 600, 100):
        item = {"module_type": "quiz", "raw_score": start, "max_score": 600, "time_spent_sec": 5}
        items = [item | {"session_id": session} for session in sessions[start : start + 100]]
        call(connection, "submit_scores", json.dumps(items), None)
        sizes.append(rows(connection, TEMPORARY_SIZE)[0]["size"])
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("procedure", PUBLIC)
def test_reference_tells_all_of_a_procedure(procedure: str) -> None:
    text = (SQL.parent / "docs" / "sql-api.md").read_text()
    section = text.partition(f"\n## {procedure}\n")[2].partition("\n## ")[0]
    header = (SQL / "procedures" / f"{procedure}.sql").read_text().partition("-- Result sets: ")[2]
    columns = re.sub(r"\n    -- +", " ", header.partition("-- Errors: ")[0])
    code = re.findall(r"\w+", header.partition("-- Errors: ")[2].partition("-- Trans")[0])
    told = {*PUBLIC[procedure].split(), *re.findall(r"\w+", columns), *code}
    assert {word for word in told if not re.search(rf"\b{word}\b", section)} == set()


def catalog(connection: Any) -> dict[str, int]:
    """Return the number of each code."""
    found = rows(connection, "SELECT code, errno FROM podium.error_catalog")
    return {row["code"]: row["errno"] for row in found}


def grants(connection: Any, account: str, host: str = "%") -> set[str]:
    """Return the grants of an account as SHOW GRANTS prints them."""
    found = rows(connection, f"SHOW GRANTS FOR '{account}'@'{host}'")
    return {str(value) for row in found for value in row.values()}


def tables(connection: Any) -> list[tuple[str, str]]:
    """Return each table and view of Podium with one of its columns."""
    found = rows(
        connection,
        "SELECT table_name AS tab, MIN(column_name) AS col FROM information_schema.columns"
        " WHERE table_schema = 'podium' AND extra = '' GROUP BY table_name",
    )
    return [(row["tab"], row["col"]) for row in found]


def test_a_check_lists_the_first_thousand_problems_and_counts_all(admin: Any) -> None:
    exam = make_exam(admin)
    [board] = rows(admin, "SELECT board_id AS id FROM leaderboards WHERE exam_id = %s", (exam,))
    result_sets(
        admin,
        "INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)"
        " SELECT %s, 9, 0, n, 1, 1 FROM JSON_TABLE(%s, '$[*]' COLUMNS (n INT PATH '$')) AS j",
        (board["id"], json.dumps(list(range(1, 1201)))),
    )
    problems, [checked] = call(admin, "check_leaderboard", exam)
    assert len(problems) == 1000
    assert [row["item"] for row in problems] == sorted(row["item"] for row in problems)
    assert checked["verdict"] == "1200 problems, of which the first 1000 are listed"
    result_sets(admin, "DELETE FROM leaderboard_counters WHERE level = 9")
    assert call(admin, "check_leaderboard", exam)[0] == []
