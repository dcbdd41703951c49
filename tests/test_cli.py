"""The command line, as a shell runs it."""

from __future__ import annotations

import csv
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from rich.cells import cell_len

from gateway.cli.cells import unguard
from gateway.cli.exams import exam
from gateway.cli.procedures import Refused, Unusable
from gateway.cli.texts import shown
from gateway.db import fetch
from tests import command_line
from tests.command_line import Terminal
from tests.conftest import SECRET
from tests.sql_harness import call, make_exam, problems_of, submit, unique_name
from tests.sql_harness import rows as rows_of
from tests.waiting import wait_until

Begin = Callable[..., subprocess.Popen[str]]
Run = Callable[..., subprocess.CompletedProcess[str]]
HEADER = "module_type,username,full_name,raw_score,max_score,time_spent_sec,details"


@pytest.fixture
def begin(gateway_mysql_url: str) -> Begin:
    """Return a function that begins a command with the gateway's account: EXECUTE only."""

    def begin_command(*arguments: object, **env: str) -> subprocess.Popen[str]:
        account = {"PODIUM_MYSQL_URL": gateway_mysql_url, "PODIUM_JWT_SECRET": SECRET}
        return command_line.begin(*arguments, **account | env)

    return begin_command


@pytest.fixture
def run(begin: Begin) -> Run:
    """Return a function that runs a command to its end."""

    def run_command(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
        with begin(*arguments, **env) as process:
            out, told = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, told)

    return run_command


def write(folder: Path, *rows: str) -> Path:
    """Write a file of scores."""
    folder.mkdir(exist_ok=True)
    file = folder / "scores.csv"
    file.write_text("\n".join([HEADER, *rows, ""]))
    return file


def trail(admin: Any, exam_id: int) -> list[dict[str, Any]]:
    """Return the history of an exam."""
    return call(admin, "get_audit_trail", exam_id, None, None, None)[0]


def submission_ids(admin: Any, exam_id: int) -> list[str]:
    """Return the ids in the whole audit log of an exam."""
    found = rows_of(
        admin,
        "SELECT a.submission_id AS id FROM score_audit_log AS a"
        " INNER JOIN leaderboards AS b ON b.board_id = a.board_id WHERE b.exam_id = %s",
        (exam_id,),
    )
    return [row["id"] for row in found]


def test_an_exam_is_created_and_shown(run: Run) -> None:
    created = run("exam", "create", "Backend", "--weights", "40,40,20", "--attempts", 2)
    assert created.returncode == 0, created.stderr
    exam_id = created.stdout.split()[1]
    assert "40.00" in run("exam", "show", exam_id).stdout
    assert any(
        line.split()[0] == exam_id and line.endswith("Backend")
        for line in run("exam", "list").stdout.splitlines()
    )


def test_a_refusal_is_one_line(run: Run) -> None:
    refused = run("exam", "create", "Backend", "--weights", "40,40,40")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: weights_invalid: ")
    assert refused.stderr.count("\n") == 1


def test_without_a_database_the_command_cannot_begin(run: Run) -> None:
    for url in ("", "mysql://root:x@127.0.0.1:1/podium", "postgres://x"):
        failed = run("verify", PODIUM_MYSQL_URL=url, PODIUM_GATEWAY_MYSQL_URL="")
        assert failed.returncode == 2
        assert failed.stderr.startswith("Error: ") and failed.stderr.count("\n") == 1


def test_a_token_is_signed_with_the_gateways_secret(run: Run) -> None:
    signed = run("token", "--user", 7, "--role", "moderator").stdout.strip()
    claims = jwt.decode(signed, SECRET, ["HS256"], audience="podium")
    assert (claims["sub"], claims["role"]) == ("7", "moderator")


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "soon"])
def test_a_token_ends_at_some_moment(run: Run, hours: str) -> None:
    refused = run("token", "--user", 7, "--hours", hours)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "Invalid value for '--hours'" in refused.stderr


def test_a_public_key_signs_nothing(run: Run) -> None:
    refused = run("token", "--user", 7, PODIUM_JWT_SECRET="", PODIUM_JWT_PUBLIC_KEY="a key")
    assert refused.returncode == 2
    assert "PODIUM_JWT_PUBLIC_KEY" in refused.stderr


def test_an_import_started_again_loads_nothing_twice(run: Run, admin: Any, tmp_path: Path) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"{kind},{name},Alice,80,100,60," for kind in ("quiz", "coding", "assessment")]
    assert run("import", write(tmp_path, *rows[:2]), "--exam", exam_id).returncode == 0
    again = run("import", write(tmp_path, *rows), "--exam", exam_id)
    assert again.stdout == "3 rows: 1 loaded, 2 unchanged, 0 rejected.\n", again.stderr
    assert len(trail(admin, exam_id)) == 3
    assert problems_of(admin, exam_id) == []


def test_a_killed_import_goes_on_where_it_was(
    begin: Begin, run: Run, admin: Any, tmp_path: Path
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = write(tmp_path, *(f"quiz,{name}-{n},A,{n % 101},100,60," for n in range(6000)))
    with begin("import", file, "--exam", exam_id) as killed:
        wait_until(lambda: call(admin, "get_exam", exam_id)[0][0]["revision"] >= 2)
        killed.kill()
    assert 0 < len(submission_ids(admin, exam_id)) < 6000
    again = run("import", file, "--exam", exam_id)
    assert again.stdout.startswith("6,000 rows: "), again.stderr
    assert ", 0 unchanged" not in again.stdout and ", 0 rejected." in again.stdout
    loaded = submission_ids(admin, exam_id)
    assert len(loaded) == len(set(loaded)) == 6000
    assert problems_of(admin, exam_id) == []


def test_an_import_ends_with_ctrl_c_and_goes_on(
    begin: Begin, run: Run, admin: Any, tmp_path: Path
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = write(tmp_path, *(f"quiz,{name}-{n},A,{n % 101},100,60," for n in range(6000)))
    with begin("import", file, "--exam", exam_id) as stopped:
        wait_until(lambda: call(admin, "get_exam", exam_id)[0][0]["revision"] >= 2)
        stopped.send_signal(signal.SIGINT)
        _, told = stopped.communicate()
    assert stopped.returncode == 2
    assert told == "Error: stopped: the same command goes on where it was\n"
    again = run("import", file, "--exam", exam_id)
    assert again.stdout.startswith("6,000 rows: ") and ", 0 rejected." in again.stdout
    assert len(submission_ids(admin, exam_id)) == 6000


def test_ctrl_c_is_not_hidden_by_what_was_left_unread(connect: Callable[..., Any]) -> None:
    class Interrupted:
        """A connection on which Ctrl-C comes before the rows are read."""

        def cursor(self, **how: object) -> Any:
            cursor = own.cursor(**how)
            cursor.fetchall = interrupt
            return cursor

    def interrupt() -> None:
        raise KeyboardInterrupt

    own = connect()
    with pytest.raises(KeyboardInterrupt):
        fetch(Interrupted(), "CALL podium.list_exams(NULL, 1)", ())


def test_an_import_shows_in_a_terminal_how_far_it_is(
    gateway_mysql_url: str, admin: Any, tmp_path: Path
) -> None:
    rows = (f"{'quiz' if n else 'chess'},{unique_name()},A,1,2,3," for n in range(1001))
    file, exam_id = write(tmp_path, *rows), make_exam(admin)
    arguments = ("import", file, "--exam", exam_id)
    env = {"PODIUM_MYSQL_URL": gateway_mysql_url, "NO_COLOR": "1"}
    with Terminal(80, 24, *arguments, **env) as terminal:
        assert terminal.end() == 1
        terminal.wait_for("1,001 rows: 1,000 loaded, 0 unchanged, 1 rejected.")
        assert "scores.csv" in terminal.text
        assert "100% 1,001 checked, " in terminal.text
        assert "100% 1,000 loaded, " in terminal.text


def test_two_imports_of_one_file_at_once_load_it_once(
    begin: Begin, admin: Any, tmp_path: Path
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"quiz,{name}-{n},A,{n % 101},100,60," for n in range(1500)]
    files = [write(tmp_path / folder, *rows) for folder in ("one", "other")]
    running = [begin("import", file, "--exam", exam_id) for file in files]
    answers = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], answers
    loaded = submission_ids(admin, exam_id)
    assert len(loaded) == len(set(loaded)) == 1500
    assert problems_of(admin, exam_id) == []


def test_the_last_of_two_scores_in_a_file_counts(run: Run, admin: Any, tmp_path: Path) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"quiz,{name},Alice,{points},100,60," for points in range(80)]
    assert run("import", write(tmp_path, *rows), "--exam", exam_id).returncode == 0
    assert [row["new_raw_score"] for row in trail(admin, exam_id)] == [79]


def test_bad_rows_are_told_and_the_rest_is_loaded(run: Run, admin: Any, tmp_path: Path) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = write(
        tmp_path,
        f'quiz,{name},Alice,80,100,60,"{{""a"": 1}}"',
        f"chess,{name},Alice,80,100,60,",
        f"quiz,{name},Alice,NaN,100,60,",
        f"quiz,{name},Alice,80,100,60,[1]",
        f"quiz,{'x' * 65},Alice,80,100,60,",
        "quiz,too few",
    )
    loaded = run("import", file, "--exam", exam_id)
    assert loaded.returncode == 1, loaded.stderr
    with Path(f"{file}.rejected.csv").open() as rejects:
        found = list(csv.DictReader(rejects))
    assert [row["line"] for row in found] == ["3", "4", "5", "6", "7"]
    reasons = ("module_unknown", "raw_score", "details", "username_invalid", "2 values")
    assert all(row["reason"].startswith(why) for row, why in zip(found, reasons, strict=True))
    assert [row["new_raw_score"] for row in trail(admin, exam_id)] == [80]


@pytest.mark.parametrize("first", ["", "username,full_name", HEADER + ",colour"])
def test_a_file_without_its_columns_is_not_begun(
    run: Run, admin: Any, tmp_path: Path, first: str
) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(first + "\n")
    refused = run("import", file, "--exam", make_exam(admin))
    assert refused.returncode == 2
    assert "the first line" in refused.stderr


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_export_holds_every_entry(run: Run, admin: Any, tmp_path: Path, kind: str) -> None:
    exam_id = make_exam(admin)
    rows = [f"quiz,{unique_name()},Älice,{n % 100},100,60," for n in range(401)]
    assert run("import", write(tmp_path, *rows), "--exam", exam_id).returncode == 0
    target = tmp_path / "board"
    done = run("export", "--exam", exam_id, "--format", kind, "--output", target)
    assert done.returncode == 0, done.stderr
    text = target.read_text()
    assert run("export", "--exam", exam_id, "--format", kind).stdout == text
    entries = (
        json.loads(text)["entries"] if kind == "json" else list(csv.DictReader(text.splitlines()))
    )
    assert len({entry["username"] for entry in entries}) == 401
    assert [path.name for path in tmp_path.glob(".podium-*")] == []


def test_an_export_is_of_one_revision_while_scores_come_in(
    run: Run, admin: Any, connect: Callable[..., Any], tmp_path: Path
) -> None:
    exam_id = make_exam(admin)
    rows = [f"quiz,{unique_name()},A,{n % 100},100,60," for n in range(450)]
    assert run("import", write(tmp_path, *rows), "--exam", exam_id).returncode == 0
    session_ids = [
        row["session_id"]
        for row in rows_of(
            admin, "SELECT session_id FROM exam_sessions WHERE exam_id = %s", (exam_id,)
        )
    ]
    ended = threading.Event()

    def submit_on(connection: Any) -> int:
        """Submit until the export is done: no two reads would meet the same revision."""
        for count in itertools.count():
            if ended.is_set():
                return count
            submit(connection, session_ids[count % len(session_ids)], "coding", count % 101)
        raise AssertionError("endless")

    with ThreadPoolExecutor(1) as writer:
        count = writer.submit(submit_on, connect())
        done = run("export", "--exam", exam_id, "--format", "json")
        ended.set()
        assert count.result() > 0
    assert done.returncode == 0, done.stderr
    board = json.loads(done.stdout)
    entries = {entry["user_id"]: entry["total_score"] for entry in board["entries"]}
    then: dict[int, float] = {}
    after = 0
    while found := call(admin, "get_audit_trail", exam_id, None, after, 1000)[0]:
        after = found[-1]["audit_id"]
        then |= {
            row["user_id"]: float(row["new_total_score"])
            for row in found
            if row["revision"] <= board["revision"]
        }
    assert entries == then


def test_an_export_holds_nothing_that_a_spreadsheet_carries_out(
    run: Run, admin: Any, tmp_path: Path
) -> None:
    exam_id = make_exam(admin)
    names = ['=HYPERLINK("http://x")', "+1", "-1+cmd", "@sum", "'=x", "a;=cmd|' /C calc'!A0", "'t"]
    for number, name in enumerate(names):
        username = f"{name[:40]}{unique_name()}"
        user = call(admin, "create_user", username, name, "candidate")[0][0]["user_id"]
        session = call(admin, "start_session", exam_id, user, None)[0][0]["session_id"]
        submit(admin, session, "quiz", 90 - number)
    text = run("export", "--exam", exam_id).stdout
    entries = list(csv.DictReader(text.splitlines()))
    assert not re.search(r"[,;][ \"]*[=+\-@]", text)
    assert [unguard(entry["full_name"]) for entry in entries] == names
    as_json = json.loads(run("export", "--exam", exam_id, "--format", "json").stdout)["entries"]
    assert [entry["full_name"] for entry in as_json] == names
    assert [unguard(entry["username"]) for entry in entries] == [
        entry["username"] for entry in as_json
    ]


def test_verify_tells_a_board_that_is_wrong(
    run: Run, admin: Any, query: Any, tmp_path: Path
) -> None:
    exam_id = make_exam(admin)
    row = f"quiz,{unique_name()},Alice,80,100,60,"
    imported = run("import", write(tmp_path, row), "--exam", exam_id)
    assert imported.stdout == "1 row: 1 loaded, 0 unchanged, 0 rejected.\n"
    assert run("verify", "--exam", exam_id).stdout == "1 exam verified, 0 findings.\n"
    query("UPDATE podium.exam_sessions SET total_time_sec = 61 WHERE exam_id = %s", exam_id)
    found = run("verify", "--exam", exam_id)
    assert found.returncode == 1
    assert f"{exam_id}  board     session" in found.stdout


def test_a_worker_of_the_gateway_does_not_load_what_only_commands_need() -> None:
    only = "{'rich', 'urllib3', 'gateway.history', 'gateway.simulation'}"
    loaded = f"import sys, gateway; sys.exit(', '.join({only} & sys.modules.keys()) or 0)"
    assert subprocess.run([sys.executable, "-c", loaded]).returncode == 0


# --- Times, and texts of others


@pytest.mark.parametrize(
    ("starts", "zone", "stored"),
    [
        ("2030-12-01T12:00:00Z", None, "2030-12-01T12:00:00"),
        ("2030-12-01T12:00Z", None, "2030-12-01T12:00:00"),
        ("2030-12-01 12:00:30.5+05:30", None, "2030-12-01T06:30:30.500000"),
        ("2030-12-01 09:00", "Europe/Berlin", "2030-12-01T08:00:00"),
        ("2030-06-01", "Europe/Berlin", "2030-05-31T22:00:00"),
        ("2030-12-01T09:00+00:00", "Europe/Berlin", "2030-12-01T09:00:00"),
    ],
)
def test_a_start_is_taken_as_people_write_it(
    run: Run, starts: str, zone: str | None, stored: str
) -> None:
    zoned = ["--zone", zone] if zone else []
    created = run("exam", "create", "Timed", "--starts", starts, *zoned)
    assert created.returncode == 0, created.stderr
    told = run("exam", "show", created.stdout.split()[1]).stdout
    assert f"starts_at  {stored}Z\n" in told
    assert re.search(r" created_at  [-0-9]{10}T[:0-9]{8}(\.[0-9]{6})?Z\n", told)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--starts", "2030-12-01 09:00"], "is a local time: say of which zone"),
        (["--ends", "2030-12-01"], "is a local time: say of which zone"),
        (["--starts", "tomorrow"], "a time such as 2026-12-01T09:00Z"),
        (["--starts", "2030-10-27 02:30", "--zone", "Europe/Berlin"], "twice or never"),
        (["--starts", "2030-03-31 02:30", "--zone", "Europe/Berlin"], "twice or never"),
        (["--starts", "2030-12-01 09:00", "--zone", "Berlin"], "a time zone such as"),
        (["--ends", "0001-01-01T00:00+12:00"], "beyond all calendars"),
    ],
)
def test_a_time_that_can_be_misunderstood_is_refused(words: list[str], why: str) -> None:
    info = ScriptInfo(create_app=lambda: Flask("command"))
    done = CliRunner().invoke(exam, ["create", "Timed", *words], obj=info)
    assert done.exit_code == 2 and why in done.output


def test_the_list_tells_dates_and_state(run: Run) -> None:
    dates = {
        "scheduled": ("2090-01-01T09:00Z", "2090-01-01T12:00Z"),
        "open": ("2020-01-01T09:00Z", "2090-01-01T12:00Z"),
        "ended": ("2020-01-01T09:00Z", "2020-01-01T12:00Z"),
    }
    for state, (starts, ends) in dates.items():
        made = run("exam", "create", f"Listed {state}", "--starts", starts, "--ends", ends)
        assert made.returncode == 0, made.stderr
    lines = [line.split() for line in run("exam", "list").stdout.splitlines()]
    listed = {line[-1]: line[3:6] for line in lines if line[-2] == "Listed"}
    assert listed == {state: [state, *times] for state, times in dates.items()}


HOSTILE = "Finals\x1b]0;owned\x07\x1b[2J\x9b31m \u202egnp"
HARMLESS = "Finals�]0;owned��[2J�31m �gnp"


def test_a_title_is_shown_and_not_executed(run: Run, admin: Any) -> None:
    exam_id = make_exam(admin)
    admin.cursor().execute("UPDATE exams SET title = %s WHERE exam_id = %s", (HOSTILE, exam_id))
    for words in (["list"], ["show", exam_id]):
        told = run("exam", *words).stdout
        assert HARMLESS in told
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told)


def test_a_message_of_a_server_is_shown_and_not_executed() -> None:
    for kind in (Refused, Unusable):
        assert kind(f"said: {HOSTILE}\nand more").format_message() == f"said: {HARMLESS}�and more"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("山田\u3000太郎", "山田  太郎"),
        ("می\u200cخواهم", "میخواهم"),
        ("Jean\u00a0Luc\u2009P.", "Jean Luc P."),
        ("👩\u200d👩\u200d👧 Ada", "👩👩👧 Ada"),
        ("👍🏽 Bob", "👍 Bob"),
        ("🇩🇪 Eva", "DE Eva"),
        ("❤\ufe0f Mia", "❤ Mia"),
        ("e\u0301va", "éva"),
        ("a\tb\nc\x00", "a�b�c�"),
        ("\ue000\U000f0000", "��"),
        ("\ud800\u2028", "��"),
    ],
)
def test_a_name_is_as_wide_as_it_is_counted(name: str, printed: str) -> None:
    assert shown(name) == printed
    # What is joined would be narrower together than its parts are.
    assert cell_len(shown(name)) == sum(cell_len(each) for each in shown(name))
