"""The queries of docs/operations.md about the history, typed into the client, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import loader
from services.server import ROOT
from tests.client import Api
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, with_account
from tests.databases import Database, clients, shell
from tests.factories import make_exam, make_session, make_user, submission
from tests.own_server import OwnServer

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
[SECTION] = re.findall(r"^## Reading the history\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
# A query, and the table that the page shows below it.
SHOWN = re.findall(r"^mysql> (.*?;)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
# They differ from run to run: times, hashes over them, and from where jane comes.
DIFFERS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}|[0-9A-F]{64}|(?<=jane@)[\w.-]+")
FORGERY = (
    "DROP TRIGGER podium.score_audit_log_no_update",
    "UPDATE podium.score_audit_log SET new_raw_score = 100 WHERE audit_id = 1",
)


@pytest.fixture
def database(own_mysql: OwnServer, start_api: Callable[..., Api]) -> Iterator[Database]:
    """Return a database in which that has happened which the page tells of."""
    own_mysql.start()
    database = Database(own_mysql.url)
    database.upgrade()
    loader.grant_gateway(database.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    account = with_account(own_mysql.url, GATEWAY_USER, GATEWAY_PASSWORD)
    api = start_api("gateway-history", account)
    admin, alice, mia = (
        make_user(api, role, username=name)
        for name, role in [("admin", "admin"), ("alice", "candidate"), ("mia", "moderator")]
    )
    session = make_session(api, make_exam(api, submissions_by="candidates"), alice)
    api.as_user(alice).post("/scores", submission(session, raw_score=85.5))
    api.as_user(mia, "moderator").post("/scores", submission(session, raw_score=92))
    database.execute("CREATE USER jane@'%' IDENTIFIED BY 'a password'")
    database.execute("GRANT podium_dba TO jane@'%'")
    database.execute("SET DEFAULT ROLE podium_dba TO jane@'%'")
    jane = database.connect(with_account(own_mysql.url, "jane", "a password"))
    quiz = f"CALL podium.submit_score({session}, 'quiz', 45, 50, 600, NULL, NULL, NULL, NULL)"
    database.execute(quiz, connection=jane)
    weights = {"weights": {"coding": 40, "quiz": 40, "assessment": 20}}
    assert api.as_user(admin, "admin").patch("/exams/1", weights).status == 200
    yield database
    database.execute("DROP USER jane@'%'")
    database.close()


def cells(table: str) -> list[list[str]]:
    """Read a table as the client draws it, its head included."""
    return [
        [DIFFERS.sub("…", cell.strip()) for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]


def test_the_history_is_read_as_the_page_shows(database: Database, tmp_path: Path) -> None:
    programs = clients(tmp_path, database.url)
    assert len(SHOWN) == 5
    for query, table in SHOWN:
        typed = query.replace("\n    -> ", "\n")
        if "verify_audit" in typed:
            assert database.execute(typed.replace("CALL ", "CALL podium.")) == []
            for statement in FORGERY:
                database.execute(statement)
        printed = shell(programs, f"mysql --table podium <<'END'\n{typed}\nEND")
        assert printed.returncode == 0, printed.stderr
        assert cells(printed.stdout) == cells(table), printed.stdout
