"""sql/tests, and what holds for all of sql/: the public surface, conventions, errors, grants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from gateway.config import MysqlUrl
from gateway.loader import statements
from tests.sql_harness import SQL, failures, result_sets, run_tap

FILES = sorted((SQL / "tests").glob("*.test.sql"))


@pytest.fixture(scope="module")
def harness(mysql_url: str) -> Iterator[None]:
    """Load the harness of the SQL tests into the server, for as long as they run."""
    arguments = MysqlUrl.parse(mysql_url).arguments
    with mysql.connector.connect(**arguments, autocommit=True) as connection:
        for statement in statements((SQL / "tests" / "tap.sql").read_text()):
            result_sets(connection, statement)
        yield
        result_sets(connection, "DROP DATABASE podium_tap")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.sql"))
@pytest.mark.usefixtures("harness")
def test_sql_file_keeps_its_plan(admin: Any, file: Path) -> None:
    failed = failures(run_tap(admin, file.read_text()))
    assert not failed, "\n".join(failed)
