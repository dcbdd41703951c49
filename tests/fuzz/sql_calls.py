"""CALLs of every public procedure as a DBA might write them, from the sessions he might have."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from tests.fuzz.json_traps import hostile_value, spoil, written

# Literals as they stand in the statement.
ODD = (
    "NULL", "0", "-1", "1", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "1e30", "1e400", "1.5", "0.5", "-0.0", "''", "' '", "'a'", "'1'",
    "'1x'",
    "TRUE", "X'FF'", "_binary 'coding'", "_latin1 X'E9'", "_utf16 X'D83D'", "CAST('[1]' AS JSON)",
    "CAST('null' AS JSON)", "DATE '2026-11-24'", "POINT(1, 1)", "REPEAT('a', 300)",
    "REPEAT('a', 70000)", "REPEAT(_utf8mb4 X'F09F9880', 201)", "'delimiter it''s'", "@unset",
    "(SELECT 1 FROM podium.users LIMIT 1)", "(SELECT NULL)", "CHAR(0)", "b'1'", "NOW()",
    "ROW(1, 2)", "1 / 0", "UUID()", "0x7FFFFFFFFFFFFFFF",
)  # fmt: skip
TIMES = (
    "'0000-00-00'", "'0000-00-00 00:00:00'", "'2026-13-01'", "'2026-02-30'", "'9999-12-31'",
    "'9999-12-31 23:59:59.9999999'", "'2026-11-24 09:00:00.123456789'", "'2026-11-24T09:00:00Z'",
    "'2026-11-24 09:00:00+14:00'", "'24:00'", "20261124", "'1000-01-01'", "NULL", "NULL", "NULL",
    "'2020-01-01'", "'2120-01-01'",
)  # fmt: skip
NUMBERS = (
    "50", "30", "20", "33.33", "33.34", "0", "100", "100.01", "-0.01", "50.0000000000000001",
    "'50'", "1e2", "9999999999.99999999999999999999", "10000000000", "1e-21", "1e64", "1e65",
    "0.00000000000000000001", "REPEAT('9', 65)", "NULL", "85.5", "1",
)  # fmt: skip
POOLS = {
    "title": ("'An exam'", "'An exam'", "REPEAT('t', 201)"),
    "username": ("UUID()", "UUID()", "REPEAT('u', 65)", "CONCAT(UUID(), CHAR(0))"),
    "full_name": ("'Somebody'", "'Somebody'", "REPEAT('f', 201)"),
    "idempotency_key": ("NULL", "UUID()", "'twice'", "''", "REPEAT('i', 65)", "'é'"),
    "changes": (
        "JSON_OBJECT('username', UUID())",
        "JSON_OBJECT('full_name', UUID())",
        "'{}'",
        "'{\"username\": null}'",
        "'{\"full_name\": 7}'",
        '\'{"role": "admin"}\'',
        "'[]'",
        "'{'",
        "JSON_OBJECT('username', REPEAT('u', 70000), 'full_name', CHAR(0))",
        "NULL",
    ),
    "role": ("'candidate'", "'admin'", "'Admin'", "'root'", "NULL"),
    "module_type": ("'coding'", "'quiz'", "'assessment'", "'Coding'", "'essay'"),
    "attempt_policy": ("NULL", "'best'", "'latest'", "'BEST'"),
    "details": ("NULL", "'{}'", "'{\"a\": 1}'", "'[1]'", "'{'", "_binary '{}'", "'{\"a\": 1e999}'"),
    "expected_version": ("NULL", "NULL", "0", "1", "-1"),
    "submission_id": ("NULL", "NULL", "UUID()", "'twice'", "''", "REPEAT('i', 65)", "'é'"),
    "page": ("NULL", "1", "2", "1000000000", "1000000001"),
    "per_page": ("NULL", "1", "200", "201"),
    "window": ("NULL", "1", "100", "101"),
    "limit": ("NULL", "1", "1000", "1001"),
    "after": ("NULL", "0", "5"),
    "max_attempts": ("NULL", "1", "1000", "1001"),
    "duration_sec": ("NULL", "1", "4194303", "4194304"),
    "time_spent_sec": ("0", "60", "4194303", "4194304"),
    "actor_role": ("NULL", "NULL", "'candidate'", "'grader'", "'admin'", "'root'"),
    "viewer_role": ("NULL", "'candidate'", "'viewer'", "'grader'", "'nobody'", "'root'"),
    "status": ("NULL", "'in_progress'", "'finished'", "'Finished'"),
    "exam_ids": ("NULL", "NULL", "'[1, 2]'", "'[]'", "'{}'", "'1'", "'[null]'", "'[\"1\"]'"),
}
LENGTHS = (1, 1, 3, 3, 20)
WHOLE_ARRAYS = (
    "'[]'", "'{}'", "'1'", "'null'", "'\"a\"'", "'[[]]'", "'[[[{}]]]'", "'[null, 1, \"a\", {}]'",
    "NULL", "CAST('[]' AS JSON)", "_binary '[]'", "'[{}'",
    "CONCAT('[', REPEAT('{},', 1000), '{}]')",
    "CONCAT('[', REPEAT('1,', 70000), '1]')", "CONCAT(REPEAT('[', 100), REPEAT(']', 100))",
    "CONCAT(REPEAT('[', 101), REPEAT(']', 101))", "JSON_ARRAY(JSON_OBJECT())", "'[1e400]'",
    "(SELECT JSON_ARRAYAGG(JSON_OBJECT('session_id', POINT(1, 1))))",
)  # fmt: skip
# What a DBA may set, and what he may have begun, before he calls.
SETTINGS = (
    "sql_mode = ''", "sql_mode = 'ANSI_QUOTES'", "sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,NO_UNSIGNED_SUBTRACTION'", "sql_mode = 'TRADITIONAL'",
    "sql_mode = 'ANSI,HIGH_NOT_PRECEDENCE,NO_ZERO_DATE,NO_AUTO_VALUE_ON_ZERO'",
    "sql_mode = 'PIPES_AS_CONCAT,IGNORE_SPACE,REAL_AS_FLOAT,ALLOW_INVALID_DATES'",
    "NAMES latin1", "NAMES utf8mb4 COLLATE utf8mb4_bin",
    "NAMES utf8mb4 COLLATE utf8mb4_tr_0900_ai_ci",
    "NAMES gbk", "character_set_results = NULL", "collation_connection = 'ucs2_bin'",
    "time_zone = '-11:00'", "time_zone = '+14:00'", "transaction_isolation = 'READ-UNCOMMITTED'",
    "transaction_isolation = 'SERIALIZABLE'", "autocommit = 0", "transaction_read_only = 1",
    "max_execution_time = 1", "group_concat_max_len = 4", "sort_buffer_size = 32768",
    "tmp_table_size = 1024, max_heap_table_size = 16384", "completion_type = 1",
    "foreign_key_checks = 0", "unique_checks = 0", "sql_safe_updates = 1", "sql_select_limit = 1",
    "sql_select_limit = 0", "div_precision_increment = 0", "div_precision_increment = 30",
    "default_week_format = 7", "sql_auto_is_null = 1", "sql_buffer_result = 1",
    "windowing_use_high_precision = 0", "max_sort_length = 4", "lc_time_names = 'de_DE'",
    "auto_increment_increment = 7, auto_increment_offset = 3",
    "sql_big_selects = 0, max_join_size = 1",
    "cte_max_recursion_depth = 0", "timestamp = 1", "timestamp = 2147483647", "insert_id = 3",
    "insert_id = 18446744073709551615", "insert_id = 0", "last_insert_id = 9",
    "big_tables = 1", "eq_range_index_dive_limit = 1",
    "range_optimizer_max_mem_size = 1", "optimizer_search_depth = 0", "optimizer_prune_level = 0",
    "optimizer_switch = 'derived_merge=off,materialization=off,semijoin=off'",
    "optimizer_switch = 'hypergraph_optimizer=on'",
    "default_tmp_storage_engine = MyISAM", "sql_quote_show_create = 0",
    "updatable_views_with_limit = 0", "innodb_lock_wait_timeout = 1", "lock_wait_timeout = 1",
    "@podium_workspace_4 = NULL", "session_track_state_change = 1",
    "sql_warnings = 1, sql_notes = 0",
)  # fmt: skip
BEGUN = (
    "START TRANSACTION", "START TRANSACTION READ ONLY", "XA START 'fuzz'",
    "SET TRANSACTION READ ONLY", "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
)  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """What exists for the calls to name."""

    exams: list[int]
    sessions: list[int]
    users: list[int]


def make_call(ground: Ground, rng: random.Random, procedure: str, parameters: list[str]) -> str:
    """Write a CALL: sound values most often, an odd one in four places."""
    values = [
        rng.choice(ODD) if rng.random() < 0.06 else _value(ground, rng, name.removeprefix("p_"))
        for name in parameters
    ]
    if rng.random() < 0.03:
        values = ["NULL"] * len(parameters)
    if rng.random() < 0.01:
        values = values[1:]
    return f"CALL podium.{procedure}({', '.join(values)})"


def _value(ground: Ground, rng: random.Random, name: str) -> str:
    """Write a value for a parameter."""
    if name == "submissions":
        return _submissions(ground, rng)
    if name == "candidates":
        return _candidates(rng)
    if name in ("changes", "exam"):
        return _settings(rng)
    if name == "session_ids":
        return f"'{json.dumps(rng.choices(ground.sessions, k=rng.choice(LENGTHS)))}'"
    if name == "actor_id":
        return "NULL" if rng.random() < 0.6 else str(rng.choice(ground.users))
    if name == "viewer_id":
        return "NULL" if rng.random() < 0.3 else str(rng.choice(ground.users))
    known = {"exam_id": ground.exams, "session_id": ground.sessions, "user_id": ground.users}
    if name in known:
        return str(rng.choice(known[name]))
    if name.endswith("_at"):
        return "NULL" if rng.random() < 0.7 else rng.choice(TIMES)
    if name.startswith("weight_") or name in ("raw_score", "max_score"):
        usual = {"weight_coding": "50", "weight_quiz": "30", "weight_assessment": "20"}
        return usual.get(name, "85.5") if rng.random() < 0.85 else rng.choice(NUMBERS)
    return rng.choice(POOLS[name])


def _submissions(ground: Ground, rng: random.Random) -> str:
    """Write an array of submissions, as a string that MySQL has to read as JSON."""
    if rng.random() < 0.2:
        return rng.choice(WHOLE_ARRAYS)
    items = []
    for _ in range(rng.choice(LENGTHS)):
        item = [
            ("session_id", str(rng.choice(ground.sessions))),
            ("module_type", f'"{rng.choice(("coding", "quiz", "assessment"))}"'),
            ("raw_score", rng.choice(("0", "1", "33.3333", "85.5"))),
            ("max_score", "100"),
            ("time_spent_sec", rng.choice(("0", "60", "4194303"))),
            ("details", rng.choice(("null", '{"a": 1}'))),
            ("expected_version", rng.choice(("null", "null", "0", "1"))),
            ("submission_id", rng.choice(("null", '"twice"', f'"{rng.random()}"'))),
            ("actor_id", rng.choice(("null", "null", str(rng.choice(ground.users))))),
            ("actor_role", rng.choice(("null", '"candidate"', '"admin"', '"root"'))),
        ]
        items.append(written(rng, spoil(rng, item) if rng.random() < 0.5 else item))
    return _array(rng, items)


def _settings(rng: random.Random) -> str:
    """Write the settings of an exam, as a string that MySQL has to read as JSON."""
    if rng.random() < 0.1:
        return rng.choice(WHOLE_ARRAYS)
    known = [
        ("title", '"An exam"'),
        ("weights", rng.choice(('{"coding": 40, "quiz": 40, "assessment": 20}', '{"coding": 50}'))),
        ("max_attempts", rng.choice(("1", "3", "1001"))),
        ("attempt_policy", rng.choice(('"best"', '"latest"', '"worst"'))),
        ("starts_at", rng.choice(("null", '"2020-01-01T00:00Z"', '"2026-02-30 00:00"'))),
        ("ends_at", rng.choice(("null", '"2099-01-01T00:00:00.123456+14:00"', '"9999-12-31"'))),
        ("duration_sec", rng.choice(("null", "60", "0"))),
        ("submissions_by", rng.choice(('"graders"', '"candidates"', '"all"'))),
        ("board_access", rng.choice(('"everyone"', '"staff"', "1"))),
        ("board_names", rng.choice(('"full"', '"hidden"', "null"))),
    ]
    members = rng.sample(known, rng.choice((0, 1, 1, 2, 5, 10)))
    text = written(rng, spoil(rng, members) if members and rng.random() < 0.3 else members)
    encoded = text.encode("utf-8", "surrogatepass").hex()
    return f"CONVERT(X'{encoded}' USING utf8mb4)"


def _candidates(rng: random.Random) -> str:
    """Write an array of candidates, new ones and some who are known by now."""
    if rng.random() < 0.2:
        return rng.choice(WHOLE_ARRAYS)
    items = []
    for _ in range(rng.choice(LENGTHS)):
        item = [
            ("username", f'"fuzz {rng.randrange(200)}"'),
            ("full_name", rng.choice(('"Somebody"', '"\\ud83c\\udfc6"', '""', "null"))),
        ]
        items.append(written(rng, spoil(rng, item) if rng.random() < 0.5 else item))
    return _array(rng, items)


def _array(rng: random.Random, items: list[str]) -> str:
    """Write items as a string with an array, now and then with something that is no item."""
    if rng.random() < 0.05:
        items = [*items, hostile_value(rng)]
    text = f"[{','.join(items)}]".encode("utf-8", "surrogatepass")
    # In hex, so that no sql_mode and no character set of the session reads it otherwise.
    return f"CONVERT(X'{text.hex()}' USING utf8mb4)"
