"""The curl lines of README.md and docs/, typed in as they stand there, and what they print.

A page is played from top to bottom in one shell, against a database that is as `make up` makes it,
so that ids, versions and revisions are those of the page. Differ may: times, epochs, the ids that a
gateway makes for submissions and requests, how long answers are folded, the order of a JSON object,
and the comments of a stream.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway import loader
from services.__main__ import assignments
from services.server import ROOT
from services.stack import find_administrator
from tests.client import Api, token
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, SECRET, with_account
from tests.databases import Database
from tests.factories import make_user, submission
from tests.own_server import OwnServer
from tests.waiting import wait_until

CURL = re.compile(r"\bcurl -")
FUNCTION = re.compile(r"^(\w+)\(\)", re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SUBMISSION_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
EPOCH = re.compile(r"(?<=\b\d-)[0-9a-f]{16}\b")
REQUEST_ID = re.compile(r'"request_id":\s*"[\w.-]+"')
STREAM = re.compile(r"\bcurl -\w*N")


@dataclass(frozen=True)
class Command:
    """What a reader types, and what the page shows below it; None: it shows nothing of it."""

    text: str
    output: str | None


def blocks(page: str) -> list[str]:
    """Return what stands between the fences of a page."""
    return re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def is_whole(command: str) -> bool:
    """Tell whether a shell would wait for more."""
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True)
    return checked.returncode == 0 and not command.endswith("\\")


def session(block: str) -> list[Command]:
    """Read the commands of a block, those with a prompt, and what each printed."""
    commands: list[Command] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(n for n in range(1, len(lines) + 1) if is_whole("\n".join(lines[:n])))
        commands.append(Command("\n".join(lines[:end]), "\n".join(lines[end:])))
    return commands


def commands_of(page: str) -> list[list[Command]]:
    """Return what is played of a page, block by block.

    Whole sessions that use curl or a function made of it; of other blocks the lines that begin with
    curl, such as those that a program prints for people to paste.
    """
    functions: set[str] = set()
    played = []
    for block in blocks(page):
        typed = session(block)
        words = {word for command in typed for word in re.findall(r"[\w-]+", command.text)}
        if "curl" in words or words & functions:
            functions |= {name for command in typed for name in FUNCTION.findall(command.text)}
        else:
            lines = [line.strip() for line in block.splitlines()]
            typed = [Command(line, None) for line in lines if line.startswith("curl ")]
        if typed:
            played.append(typed)
    return played


def values(output: str) -> list[Any]:
    """Read an output: JSON documents, however they are folded, and the lines between them."""
    output = TIME.sub("(a time)", SUBMISSION_ID.sub("(an id)", output))
    output = EPOCH.sub("(an epoch)", output)
    output = REQUEST_ID.sub('"request_id":"(an id)"', output)
    found: list[Any] = []
    while output := output.lstrip():
        try:
            value, end = json.JSONDecoder().raw_decode(output)
        except json.JSONDecodeError:
            value, end = output.partition("\n")[0].rstrip(), (output + "\n").index("\n")
        found.append(value)
        output = output[end:]
    return [value for value in found if not str(value).startswith(":")]


class Shell:
    """A terminal of somebody who has run `make up`."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self._folder, self._settings = folder, settings
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            # A fresh one: nothing is set but by the lines of the page.
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def types(self, command: str) -> tuple[int, str]:
        """Type a command; return its exit code and what it printed."""
        assert self._bash.stdin and self._bash.stdout
        command = command.replace(". .local/env", f". {self._settings}")
        command = command.replace(".local/venv/bin/flask", f"{sys.executable} -m flask")
        self._bash.stdin.write(f"{command}\nprintf '\\nIt ended with %s\\n' $?\n")
        self._bash.stdin.flush()
        printed = ""
        for line in self._bash.stdout:
            if line.startswith("It ended with "):
                return int(line.split()[-1]), printed.removesuffix("\n")
            printed += line
        raise AssertionError(f"the shell ended: {printed}")

    def leaves_running(self, command: str) -> Stream:
        """Type a command that goes on, as in a terminal of its own."""
        output = self._folder / f"stream-{len(list(self._folder.iterdir()))}"
        output.touch()
        _, number = self.types(f"{{ {command}; }} > {output} 2>&1 & echo $!")
        return Stream(self, int(number), output)

    def close(self) -> None:
        """Type the end."""
        self._bash.communicate("exit\n")


@dataclass
class Stream:
    """A command that does not end by itself, and the file that it prints into."""

    shell: Shell
    number: int
    output: Path

    def wait_for(self, lines: int) -> list[Any]:
        """Return so much of what it prints."""
        wait_until(lambda: len(values(self.output.read_text())) >= lines)
        return values(self.output.read_text())[:lines]

    def stop(self) -> None:
        """End it."""
        self.shell.types(f"kill {self.number}; wait {self.number}")


PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if any(CURL.search(block) for block in blocks(path.read_text(encoding="utf-8")))
}


@pytest.fixture
def shell(
    own_mysql: OwnServer,
    own_redis: OwnServer,
    start_api: Callable[..., Api],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Shell]:
    """Return a terminal beside a new database with an administrator, and a gateway."""
    own_mysql.start()
    own_redis.start()
    database = Database(own_mysql.url)
    database.upgrade()
    loader.grant_gateway(database.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    with redis.Redis.from_url(own_redis.url) as store:
        store.flushall()
    account = with_account(own_mysql.url, GATEWAY_USER, GATEWAY_PASSWORD)
    name = re.sub(r"\W", "-", f"gateway-{request.node.name}")
    api = start_api(name, account, own_redis.url)
    settings = {
        "PODIUM_URL": api.url,
        "PODIUM_JWT_SECRET": SECRET,
        "PODIUM_ADMIN_TOKEN": token(SECRET, find_administrator(own_mysql.url), "admin"),
        "PODIUM_MYSQL_URL": own_mysql.url,
    }
    env = tmp_path / "env"
    env.write_text(assignments(settings))
    shell = Shell(tmp_path, env)
    yield shell
    shell.close()
    database.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)
def test_curl_prints_what_the_page_shows(page: str, shell: Shell) -> None:
    shell.types(". .local/env")
    streams: list[tuple[Command, Stream]] = []
    for block in commands_of(PAGES[page]):
        # They are followed while what stands below them on the page is done.
        ending, streams = streams, []
        for command in block:
            if STREAM.search(command.text):
                stream = shell.leaves_running(command.text)
                first_event = command.output.partition("data: ")[0] if command.output else ""
                stream.wait_for(len(values(first_event)) + 1)
                streams.append((command, stream))
            elif command.output is None:
                # Nothing is shown: it has to be answered with 2xx.
                code, printed = shell.types(command.text.replace("curl ", "curl -sSf ", 1))
                assert code == 0, f"{command.text}\n{printed}"
            else:
                _, printed = shell.types(command.text)
                assert values(printed) == values(command.output), f"{command.text}\n{printed}"
        for command, stream in ending:
            shown = values(command.output or "")
            assert stream.wait_for(len(shown)) == shown, command.text
            stream.stop()
    assert streams == [], "nothing follows the last stream of the page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)
def test_no_curl_line_of_a_page_is_passed_over(page: str) -> None:
    shown = [line for block in blocks(PAGES[page]) for line in block.splitlines()]
    played = "\n".join(command.text for block in commands_of(PAGES[page]) for command in block)
    assert len(CURL.findall("\n".join(shown))) == len(CURL.findall(played))


def test_the_line_of_the_example_works_as_typed(shell: Shell, tmp_path: Path) -> None:
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    sourcing, line = next(block for block in blocks(page) if "client.py" in block).splitlines()
    shell.types(sourcing)
    api = shell.types('echo "$PODIUM_URL $PODIUM_ADMIN_TOKEN $PODIUM_JWT_SECRET"')[1].split()
    admin = Api(api[0], api[2]).with_token(api[1])
    exam_id = admin.post("/exams", {"title": "An exam"}).json["exam_id"]
    user_id = make_user(admin)
    body = {"exam_id": exam_id, "user_id": user_id}
    scores = tmp_path / "scores.jsonl"
    session_id = admin.post("/sessions", body).json["session_id"]
    scores.write_text(json.dumps(submission(session_id, submission_id="alice-1")) + "\n")
    code, printed = shell.types(line.replace("scores.jsonl", str(scores)))
    assert code == 0, printed
    assert admin.get("/leaderboard", exam_id=exam_id).json["total_participants"] == 1
