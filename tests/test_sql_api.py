"""docs/sql-api.md, held against the headers of the procedures and what their examples give."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import sql_api
from tests.databases import SQL, Database
from tests.own_server import OwnServer


@pytest.fixture
def database(own_mysql: OwnServer) -> Iterator[Database]:
    """Return a server without Podium."""
    database = Database(own_mysql.url)
    yield database
    database.close()


def test_the_page_is_what_the_headers_and_a_real_server_give(database: Database) -> None:
    database.upgrade()
    page = sql_api.PAGE.read_text(encoding="utf-8")
    assert sql_api.render(database.url).splitlines() == page.splitlines(), "run `make docs`"


def test_a_new_procedure_needs_nothing_but_its_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Path(shutil.copytree(SQL, tmp_path / "sql"))
    text = (release / "procedures" / "get_exam.sql").read_text(encoding="utf-8")
    (release / "procedures" / "get_quiz.sql").write_text(text.replace("get_exam", "get_quiz"))
    with (release / "grants.sql").open("a", encoding="utf-8") as grants:
        grants.write("GRANT EXECUTE ON PROCEDURE podium.get_quiz TO podium_dba;\n")
    database.upgrade(release)
    monkeypatch.setattr(sql_api, "PROCEDURES", release / "procedures")
    section = sql_api.render(database.url).partition("\n## get_quiz\n")[2].partition("\n## ")[0]
    assert "**Errors**: exam_not_found (50200)" in section
    assert "mysql> CALL get_quiz(1)\\G\n*" in section


def test_a_header_that_lacks_a_field_is_refused(tmp_path: Path) -> None:
    text = (SQL / "procedures" / "get_exam.sql").read_text(encoding="utf-8")
    file = tmp_path / "get_exam.sql"
    file.write_text(text.replace("    -- Locks:       none\n", ""), encoding="utf-8")
    with pytest.raises(AssertionError, match="get_exam.sql: the header has Purpose, .*Transaction"):
        sql_api.Procedure.read(file)
