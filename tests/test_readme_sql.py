"""The SQL session of README.md, typed into the client by somebody who has run `make up`.

Their database has an administrator already, so that no id can be written down. Left out of the page
is what it says; what it shows has to come in the same order, but for times and submission ids.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.server import ROOT
from services.stack import find_administrator
from tests.conftest import with_account
from tests.databases import Database, clients
from tests.own_server import OwnServer
from tests.test_curl import blocks

PAGE = (ROOT / "README.md").read_text(encoding="utf-8").partition("### The same in SQL\n")[2]
ACCOUNT, SESSION = blocks(PAGE)[:2]
PASSWORD = "a password of hers"
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
# A submission's, a board's epoch, and the head of its history.
SUBMISSION_ID = re.compile(
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16}\b|\b[0-9A-F]{64}\b"
)


def typed(session: str) -> list[tuple[str, list[str]]]:
    """Return each command of a session, and the lines that it printed."""
    found = []
    for part in re.split(r"^mysql> ", session, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = next(n for n in range(1, len(lines) + 1) if lines[n - 1].endswith((";", "\\G")))
        command = "\n".join(re.sub(r"^ +['-]> ?", "", line) for line in lines[:more])
        found.append((command, lines[more:]))
    return found


def plain(line: str) -> str:
    """Return a line without what differs from run to run, and without the widths of columns."""
    line = SUBMISSION_ID.sub("(an id)", TIME.sub("(a time)", line))
    return re.sub(r"[ -]+", " ", re.sub(r" at line \d+", "", line)).strip()


@pytest.fixture
def server(own_mysql: OwnServer) -> Iterator[Database]:
    """Return a database as `make up` makes it, with the account of the page."""
    own_mysql.start()
    database = Database(own_mysql.url)
    database.upgrade()
    find_administrator(own_mysql.url)
    for statement in ACCOUNT.strip().split(";\n"):
        database.execute(statement.rstrip(";"))
    yield database
    database.execute("DROP USER jane@'%'")
    database.close()


def play(server: Database, folder: Path, commands: list[str]) -> list[list[str]]:
    """Type commands into the client; return the lines that each printed."""
    url = with_account(server.url, "jane", PASSWORD)
    marked = "".join(
        f"{command}\nSELECT 'end of {number}' AS marker;\n"
        for number, command in enumerate(commands)
    )
    done = subprocess.run(
        [str(clients(folder, url) / "mysql"), "podium"]
        + ["--table", "--force", "--unbuffered", "--commands", "--default-character-set=utf8mb4"],
        input=marked,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    rule = r"\+-+\+\n"
    marks = rf"{rule}\| marker +\|\n{rule}\| end of \d+ +\|\n{rule}"
    return [printed.splitlines() for printed in re.split(marks, done.stdout)[:-1]]


def test_the_session_prints_what_the_page_shows(server: Database, tmp_path: Path) -> None:
    session = typed(SESSION)
    printed = play(server, tmp_path, [command for command, _ in session])
    assert len(printed) == len(session) > 15
    for (command, shown), lines in zip(session, printed, strict=True):
        # In the order of what was printed, with gaps.
        rest = iter([plain(line) for line in lines])
        for line in shown:
            if not line.startswith("Empty set"):
                assert plain(line) in rest, f"{command}\n{line}\n" + "\n".join(lines)
        wanted = [line for line in shown if line.startswith("ERROR")]
        assert [line for line in lines if line.startswith("ERROR")] == [] or wanted, lines


def test_the_session_uses_no_id_that_somebody_else_may_have() -> None:
    for command, _ in typed(SESSION):
        assert not re.search(r"\b(start_session|finish_session|submit_score)\(\d", command)
        assert not re.search(r"(session_id|user_id|exam_id)\W+\d", command)
