"""The board in the terminal: what it shows, and what it does when the gateway is away."""

from __future__ import annotations

import io
import re
import subprocess
import termios
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from rich.console import Console

from gateway.cli.following import LIVE, LOST, Change, Sight, changes
from gateway.cli.picture import picture
from tests import command_line
from tests.client import Api, token
from tests.command_line import Terminal
from tests.conftest import SECRET, TEST_HOME
from tests.factories import make_exam, make_user, submission
from tests.faults.proxy import Proxy
from tests.waiting import wait_until

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Lines:
    """What a command prints, line by line, as far as it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.out: list[str] = []
        self.told: list[str] = []
        for file, lines in ((process.stdout, self.out), (process.stderr, self.told)):
            threading.Thread(target=self._read, args=(file, lines), daemon=True).start()

    def _read(self, file: Any, lines: list[str]) -> None:
        for line in file:
            lines.append(line.rstrip("\n"))

    def wait_for(self, text: str) -> None:
        """Wait until it has printed something on stdout."""
        wait_until(lambda: any(text in line for line in self.out))

    def wait_to_be_told(self, text: str) -> None:
        """Wait until it has printed something on stderr."""
        wait_until(lambda: any(text in line for line in self.told))


@contextmanager
def watching(api: Api, *arguments: object, **env: str) -> Iterator[Lines]:
    """Watch with pipes in place of a terminal."""
    with command_line.begin("watch", *arguments, **told_of(api), **env) as process:
        try:
            yield Lines(process)
        finally:
            process.kill()


def told_of(api: Api) -> dict[str, str]:
    """Return what the command is told; it needs no database."""
    return {"PODIUM_URL": api.url, "PODIUM_JWT_SECRET": SECRET, "PODIUM_MYSQL_URL": ""}


def submit(api: Api, exam_id: int, raw: float, user_id: int | None = None) -> int:
    """Have somebody score, somebody new unless he is named; returns his id."""
    user_id = user_id or make_user(api)
    session_id = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id}).json["session_id"]
    assert api.post("/scores", submission(session_id, raw_score=raw)).status == 200
    return user_id


@pytest.fixture
def exam_id(api: Api) -> int:
    """Return an exam with three on its board: 90, 80 and 70 points of 100, half of them count."""
    exam_id = make_exam(api, title="Backend [2026]")
    for raw in (90, 80, 70):
        submit(api, exam_id, raw)
    return exam_id


@pytest.fixture
def network(api: Api) -> Iterator[Proxy]:
    """Return the network between the command and the gateway."""
    with Proxy(urlsplit(api.url).port or 0) as proxy:
        yield proxy


def run(api: Api, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return command_line.run("watch", *arguments, **told_of(api) | env)


def test_once_prints_the_board_as_the_gateway_has_it(api: Api, exam_id: int) -> None:
    shown = run(api, exam_id, "--once", "--rows", 2, "--page", 1)
    assert shown.returncode == 0, shown.stderr
    head, *entries = shown.stdout.splitlines()
    assert head == f"revision 3  3 participants  page 1  exam {exam_id}  Backend [2026]"
    page = api.get("/leaderboard", exam_id=exam_id, per_page=2).json["leaderboard"]
    assert [line.split()[:2] for line in entries] == [["1", "45.0000"], ["2", "40.0000"]]
    assert [line.split()[3] for line in entries] == [entry["username"] for entry in page]
    last = run(api, exam_id, "--once", "--rows", 2, "--page", 2).stdout.splitlines()
    assert [line.split()[:2] for line in last[1:]] == [["3", "35.0000"]]


def test_each_revision_is_printed_with_what_has_changed(api: Api, exam_id: int) -> None:
    with watching(api, exam_id) as lines:
        lines.wait_to_be_told("live")
        lines.wait_for("revision 3 ")
        third = submit(api, exam_id, 95)
        lines.wait_for("revision 4 ")
        wait_until(lambda: len(lines.out) == 4 + 5)
        assert [line.split()[:2] for line in lines.out[5:]] == [
            ["1", "new"],
            ["2", "▼"],
            ["3", "▼"],
            ["4", "▼"],
        ]
        submit(api, exam_id, 1, third)
        lines.wait_for("revision 5 ")
        wait_until(lambda: len(lines.out) == 4 + 5 + 5)
        assert [line.split()[:3] for line in lines.out[10:]] == [
            ["1", "▲", "1"],
            ["2", "▲", "1"],
            ["3", "▲", "1"],
            ["4", "▼", "3"],
        ]


def test_without_a_place_for_a_stream_it_asks_and_says_so(
    start_api: Callable[..., Api], exam_id: int
) -> None:
    api = start_api("gateway-one-stream", PODIUM_MAX_STREAMS="1")
    taken = urllib3.request(
        "GET",
        f"{api.url}/api/v1/leaderboard/stream?exam_id={exam_id}",
        headers={"Authorization": f"Bearer {token(SECRET, 1, 'candidate')}"},
        preload_content=False,
    )
    assert taken.status == 200
    with watching(api, exam_id) as lines:
        lines.wait_to_be_told("asking every 2 s: this gateway has no place for another stream")
        submit(api, exam_id, 60)
        lines.wait_for("revision 4 ")
        # Asked for what is newer than that, not for all of it again.
        log = TEST_HOME / "log" / "gateway-one-stream.log"
        wait_until(lambda: '"status":304' in log.read_text())
    taken.close()


def test_a_lost_gateway_is_told_and_comes_back_by_itself(
    api: Api, exam_id: int, network: Proxy
) -> None:
    with watching(api, exam_id, "--url", f"http://127.0.0.1:{network.port}") as lines:
        lines.wait_to_be_told("live")
        network.cut()
        lines.wait_to_be_told("lost, this is the last board: Connection refused")
        submit(api, exam_id, 60)
        network.mend()
        lines.wait_for("revision 4 ")
        wait_until(lambda: lines.told[-1] == "live")


def test_what_is_not_there_is_told_by_the_exit_code(api: Api, exam_id: int) -> None:
    missing = run(api, 10**9, "--once")
    assert (missing.returncode, missing.stderr) == (
        1,
        "Error: exam_not_found: exam 1000000000 does not exist\n",
    )
    away = run(api, exam_id, "--url", "http://127.0.0.1:1")
    assert away.returncode == 2
    assert away.stderr == "Error: http://127.0.0.1:1: Connection refused\n"
    nowhere = run(api, exam_id, "--url", "http://nowhere.invalid")
    assert nowhere.returncode == 2
    assert re.fullmatch(r"Error: http://nowhere.invalid: [\w ]+\n", nowhere.stderr)
    stranger = run(api, exam_id, PODIUM_TOKEN="nobody's")
    assert stranger.returncode == 2
    assert stranger.stderr.startswith("Error: token_invalid")
    for text in ("a.b\u20ac.c", "Bearer a.b.c", "a\nb"):
        typed_wrong = run(api, exam_id, PODIUM_TOKEN=text)
        assert typed_wrong.returncode == 2
        assert "is no token: one has neither blanks nor accents" in typed_wrong.stderr


def test_another_server_is_taken_for_no_gateway(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "api" / "v1"
    folder.mkdir(parents=True)
    (folder / "leaderboard").write_text("<!doctype html>")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)
    ) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        mistaken = run(api, 1, "--once", PODIUM_URL=f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert mistaken.returncode == 2
    assert mistaken.stderr == "Error: what answers at this address is no gateway of Podium\n"


def test_a_candidate_watches_with_his_own_token(api: Api, exam_id: int) -> None:
    own = token(SECRET, make_user(api), "candidate")
    shown = run(api, exam_id, "--once", PODIUM_TOKEN=own, PODIUM_JWT_SECRET="")
    assert shown.returncode == 0, shown.stderr


def test_a_terminal_shows_the_board_turns_pages_and_is_given_back(api: Api, exam_id: int) -> None:
    with Terminal(80, 10, "watch", exam_id, **told_of(api)) as terminal:
        terminal.wait_for("page 1 of 2")
        terminal.wait_for("live")
        assert "45.0000" in terminal.text and "35.0000" not in terminal.text
        terminal.press(b"n")
        terminal.wait_for("page 2 of 2")
        terminal.wait_for("35.0000")
        terminal.press(b"\x1b[D")
        wait_until(lambda: terminal.text.rfind("page 1 of 2") > terminal.text.rfind("page 2 of 2"))
        submit(api, exam_id, 100)
        terminal.wait_for("revision 4 ")
        terminal.wait_for("new")
        terminal.press(b"q")
        assert terminal.end() == 0
        wait_until(lambda: "\x1b[?1049l" in terminal.text and "\x1b[?25h" in terminal.text)
        assert termios.tcgetattr(terminal.terminal) == terminal.modes


def test_keys_that_are_pressed_at_once_all_count(api: Api, exam_id: int) -> None:
    with Terminal(80, 24, "watch", exam_id, "--rows", 1, **told_of(api)) as shown:
        shown.wait_for("page 1 of 3")
        shown.press(b"n\x1b[C")
        shown.wait_for("page 3 of 3")
        shown.press(b"pq")
        assert shown.end() == 0


@pytest.mark.parametrize("end", [b"\x03", None], ids=["Ctrl-C", "SIGTERM"])
def test_ended_in_any_way_it_gives_the_terminal_back(
    api: Api, exam_id: int, end: bytes | None
) -> None:
    with Terminal(80, 24, "watch", exam_id, **told_of(api)) as terminal:
        terminal.wait_for("live")
        if end is None:
            terminal.process.terminate()
        else:
            terminal.press(end)
        assert terminal.end() == 0
        wait_until(lambda: "\x1b[?1049l" in terminal.text)
        assert termios.tcgetattr(terminal.terminal) == terminal.modes


def test_without_colour_none_is_written(api: Api, exam_id: int) -> None:
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with Terminal(80, 24, "watch", exam_id, **told_of(api), **env) as terminal:
            terminal.wait_for("live")
            terminal.press(b"q")
            terminal.end()
            assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.text)) == coloured


def entry(user_id: int, rank: int, score: int, name: str = "Alice") -> dict[str, Any]:
    """Return an entry of a board."""
    return {
        "rank": rank,
        "user_id": user_id,
        "username": f"{name}.{user_id}",
        "full_name": name,
        "total_score": score,
        "total_time_sec": 360_000,
    }


def page_of(*entries: dict[str, Any], page: int = 1) -> dict[str, Any]:
    """Return a page of a board."""
    return {
        "exam_id": 1,
        "exam_title": "An exam with a title that is longer than any terminal is wide " * 3,
        "total_participants": 1_000_000,
        "page": page,
        "per_page": 50,
        "revision": 2_000_000,
        "leaderboard": list(entries),
    }


def test_changes_are_those_since_the_page_before() -> None:
    before = page_of(entry(1, 1, 90), entry(2, 2, 80), entry(3, 3, 70), entry(4, 4, 60))
    now = page_of(entry(2, 1, 95), entry(1, 2, 90), entry(3, 3, 75), entry(5, 4, 65))
    assert changes(before, now) == {
        2: Change(1, True),
        1: Change(-1, False),
        3: Change(0, True),
        5: Change(None, True),
    }
    assert changes(before, before) == {}
    assert changes(None, now) == changes(before, page_of(entry(2, 1, 95), page=2)) == {}


def drawn(width: int, sight: Sight, changed: dict[int, Change]) -> list[str]:
    """Return the lines of a picture."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(picture(sight, changed, width, 50))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def columns(line: str) -> int:
    """Return how many columns of a terminal a line takes."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in line
    )


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("state", [LIVE, LOST])
def test_a_picture_is_as_wide_as_the_terminal(width: int, state: str) -> None:
    names = ("Alice", "王小明" * 30, "x" * 200, "e\u0301" * 40)
    page = page_of(*(entry(n, 1_000_000 + n, 100, name) for n, name in enumerate(names)))
    sight = Sight(state, "why it is lost " * 20, 0.0, page)
    lines = drawn(width, sight, {0: Change(-12345, True)})
    assert max(map(columns, lines)) <= width
    assert len(lines) == 7 + len(names) + 1
    assert any("1,000,000" in line and "▼ 999" in line and "100.0000" in line for line in lines)


def test_a_name_cannot_steer_the_terminal() -> None:
    page = page_of(entry(1, 1, 50, "\x1b[2J\x07\u202eevil [bold]\n"))
    lines = drawn(100, Sight(LIVE, "", 0.0, page), {})
    assert not [each for line in lines for each in line if not each.isprintable()]
    assert any("\ufffd[2J\ufffd\ufffdevil [bold]\ufffd" in line for line in lines)


def test_an_empty_board_says_so() -> None:
    lines = drawn(80, Sight(LIVE, "", 0.0, page_of()), {})
    assert "Nobody has a score yet." in lines
