"""flask --app gateway user."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from tests import command_line
from tests.sql_harness import call, make_exam, make_session, submit, unique_name


@pytest.fixture
def run(gateway_mysql_url: str) -> Any:
    """Return a function that runs a command with the gateway's account: EXECUTE only."""

    def run_command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return command_line.run(*arguments, PODIUM_MYSQL_URL=gateway_mysql_url)

    return run_command


def test_the_first_administrator_is_made_by_a_command(run: Any, admin: Any) -> None:
    name = unique_name()
    made = run("user", "create", f" {name} ", "--full-name", "Exam office", "--role", "admin")
    assert (made.returncode, made.stderr) == (0, "")
    [[user]] = call(admin, "find_user", name)
    assert made.stdout == f"User {user['user_id']} is created.\n"
    assert (user["username"], user["role"]) == (name, "admin")
    quiet = run("user", "create", f"{name}2", "--full-name", "Alice", "-q")
    [[user]] = call(admin, "find_user", f"{name}2")
    assert (quiet.stdout, user["role"]) == (f"{user['user_id']}\n", "candidate")


def test_a_user_is_shown_by_id_and_by_name(run: Any, admin: Any) -> None:
    name = unique_name()
    [[user]] = call(admin, "create_user", name, "Alice Chen", "grader")
    shown = run("user", "show", user["user_id"])
    assert shown.returncode == 0 and "Alice Chen" in shown.stdout and "grader" in shown.stdout
    assert re.search(r"created_at  [-0-9]{10}T[:0-9]{8}(\.[0-9]{6})?Z\n", shown.stdout)
    assert run("user", "show", "--name", name.upper()).stdout == shown.stdout
    for arguments in (("--name", f"{name}x"), ("0",)):
        assert run("user", "show", *arguments).returncode == 1
    assert run("user", "show").returncode == 2


def test_a_rename_says_which_boards_show_it(run: Any, admin: Any) -> None:
    exam_id = make_exam(admin)
    session_id = make_session(admin, exam_id)
    submit(admin, session_id)
    user_id = call(admin, "get_session", session_id)[0][0]["user_id"]
    name = unique_name()
    renamed = run("user", "rename", user_id, "--username", name, "--full-name", "Alice Novak")
    assert (renamed.returncode, renamed.stderr) == (0, "")
    assert renamed.stdout == (
        f"User {user_id} is {name}, Alice Novak.\nExam {exam_id} shows it from revision 2 on.\n"
    )
    assert run("user", "rename", user_id).returncode == 2


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("a\x1b[2Jb", 1, "Error: username_invalid: username holds U+001B, which it must not\n"),
        ("x" * 65, 1, "Error: username_invalid: username must have 1 to 64 characters\n"),
        ("a\udcffb", 2, "Error: what was typed is not UTF-8 text\n"),
    ],
    ids=ascii,
)
def test_a_name_that_is_refused_does_nothing_to_the_terminal(
    run: Any, name: str, code: int, said: str
) -> None:
    for arguments in (("create", name, "--full-name", "X"), ("rename", "1", "--username", name)):
        refused = run("user", *arguments)
        assert (refused.returncode, refused.stderr) == (code, said)
