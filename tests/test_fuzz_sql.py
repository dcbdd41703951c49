"""Hostile CALLs of every public procedure: a result, or a refusal that says why, or MySQL's own.

By default the same calls in every run. PODIUM_FUZZ_SECONDS=300 makes a long run of other ones each
time; the seed is printed, and PODIUM_FUZZ_SEED repeats it. pytest --log-cli-level=INFO tells what
was called and answered.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.db import DRIVER_ERRORS
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER
from tests.fuzz.run import SECONDS, SEED, rounds, sick_boards
from tests.fuzz.sql_calls import BEGUN, SETTINGS, Ground, make_call
from tests.sql_harness import (
    errno_of,
    make_exam,
    make_session,
    make_user,
    result_sets,
    rows,
)
from tests.test_sql import PUBLIC

Connect = Callable[..., Any]
LOG = logging.getLogger(__name__)
INPUTS = 400
CALLS_PER_CONNECTION = 6
# Warm from here on. What the server may hold more at the end: its tables of what it knows grow in
# steps, by some 300 bytes a call in a run of 6,759; a call that is kept would cost far more.
WARM, GROWTH_BYTES, GROWTH_BYTES_PER_CALL = 100, 2 * 2**20, 1024
# MySQL's own refusals of what is given to a parameter: the message names it.
OF_PARAMETERS = {
    1264: "out of range",
    1265: "cut short",
    1292: "no number, or no time",
    1366: "no number, or characters the column has not",
    1406: "too long",
}
# And of the statement or the session, before anything is written.
OF_CALLS = {
    1104: "max_join_size",
    1142: "the gateway's account reads no table",
    1241: "a row where a value belongs",
    1300: "bytes that are no characters",
    1318: "a parameter is missing",
    1365: "a division by zero",
    1367: "a number that the server cannot read",
    1399: "inside an XA transaction",
    1416: "a geometry where none belongs",
    1441: "a time past the last",
    1568: "inside an open transaction",
    1690: "a number too large for any parameter",
    1792: "inside a read-only transaction",
    3140: "no JSON",
    3141: "no JSON",
    3144: "JSON in the character set binary",
    3146: "no JSON",
    3151: "JSON with a name longer than the server takes",
    3156: "JSON where a number belongs",
    3157: "JSON deeper than the server takes",
    3854: "characters that cannot be converted",
    4091: "inside an XA transaction",
}
# The driver's own: a message in the session's character set that it takes for UTF-8.
UNREADABLE = 2000
REVISIONS = "SELECT exam_id FROM podium.leaderboards WHERE revision > 0"


@pytest.fixture
def dba_account(admin: Any) -> Iterator[tuple[str, str]]:
    """Create an account with the role podium_dba and nothing else; return how to log in."""
    name = "fuzz_dba"
    result_sets(admin, f"CREATE USER {name} IDENTIFIED BY 'secret' DEFAULT ROLE podium_dba")
    yield name, "secret"
    result_sets(admin, f"DROP USER {name}")


@pytest.mark.timeout(120 + int(SECONDS or 0))
def test_hostile_calls_end_in_a_result_or_an_honest_error(
    admin: Any,
    connect: Connect,
    dba_account: tuple[str, str],
    gateway_mysql_url: str,
    row_counts: Callable[[], dict[str, int]],
) -> None:
    exams = [make_exam(admin, max_attempts=attempts) for attempts in (1, 1, 3)]
    users = [make_user(admin) for _ in range(6)]
    ground = Ground(
        exams, [make_session(admin, exam, user) for exam in exams for user in users], users
    )
    codes = {
        row["errno"]: row["code"] for row in rows(admin, "SELECT code, errno FROM error_catalog")
    }
    endings: Counter[str] = Counter()
    sick = sick_boards(admin)
    counts, began, number = row_counts(), time.monotonic(), 0
    sizes: list[int] = []
    session: list[str] = []
    connection = None
    for number, rng in rounds(INPUTS):
        if connection is None or number % CALLS_PER_CONNECTION == 0:
            if connection is not None:
                connection.close()
            if number >= WARM * len(sizes) and number >= WARM:
                sizes.append(server_bytes(admin))
            user, password = rng.choice((dba_account, (GATEWAY_USER, GATEWAY_PASSWORD)))
            connection = connect(user, password)
            session = [f"SET {setting}" for setting in rng.sample(SETTINGS, rng.choice((0, 1, 2)))]
            if rng.random() < 0.15:
                session.append(rng.choice(BEGUN))
            for statement in session:
                errno_of(connection, statement)  # Two settings may exclude each other.
        procedure = rng.choice(list(PUBLIC))
        statement = make_call(ground, rng, procedure, PUBLIC[procedure].split())
        fault, errno = None, 0
        try:
            result_sets(connection, statement)
        except DRIVER_ERRORS as error:
            errno = int(error.errno)
            fault = fault_of(errno, str(getattr(error, "msg", error)), codes)
        except RuntimeError:
            errno = UNREADABLE
        endings[f"{procedure} {codes.get(errno, errno or 'done')}"] += 1
        before, counts = counts, row_counts()
        if errno and counts != before:
            fault = f"it was refused and wrote rows: {before} became {counts}"
        assert not fault, (
            f"{fault}; input {number} of seed {SEED}, as {connection.user}, after {session}:\n"
            f"{statement[:3000]}"
        )
    if connection is not None:
        connection.close()
    sizes.append(server_bytes(admin))
    LOG.info("%d calls in %.0f s, seed %d", number + 1, time.monotonic() - began, SEED)
    LOG.info("endings: %s", dict(sorted(endings.items())))
    LOG.info("MB held, warm to end: %s", [round(size / 2**20, 1) for size in sizes])
    assert sizes[-1] - sizes[0] < GROWTH_BYTES + GROWTH_BYTES_PER_CALL * number
    boards = [row["exam_id"] for row in rows(admin, REVISIONS)]
    assert set(exams) <= set(boards)
    assert sick_boards(admin) == sick


def server_bytes(admin: Any) -> int:
    """Return the memory that the server holds, beside InnoDB's and beside its cache of tables."""
    result_sets(admin, "FLUSH TABLES")
    [row] = rows(
        admin,
        "SELECT SUM(current_number_of_bytes_used) AS bytes"
        " FROM performance_schema.memory_summary_global_by_event_name"
        " WHERE event_name LIKE 'memory/sql/%%' OR event_name LIKE 'memory/mysys/%%'",
    )
    return int(row["bytes"])


def fault_of(errno: int, message: str, codes: dict[int, str]) -> str | None:
    """Return what is wrong with an error, if anything is."""
    if errno in codes:
        whole = message.startswith(f"{codes[errno]}: ") and len(message) <= 128
        return None if whole else f"the message does not begin with its code: {message}"
    of_parameter = errno in OF_PARAMETERS and "'p_" in message
    return None if of_parameter or errno in OF_CALLS else f"error {errno} is nobody's: {message}"
