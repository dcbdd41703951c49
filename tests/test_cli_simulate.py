"""The command that plays an exam: what it finds, and how it ends."""

from __future__ import annotations

import re
import secrets
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.simulation.candidates import invent
from gateway.simulation.client import Gateway
from gateway.simulation.play import Record, play
from tests import command_line
from tests.client import Api
from tests.conftest import SECRET, with_account
from tests.databases import Database
from tests.factories import make_exam as make_exam_over_http
from tests.factories import make_user
from tests.faults.proxy import Proxy
from tests.own_server import OwnServer
from tests.sql_harness import call, make_exam, problems_of, result_sets, rows
from tests.waiting import wait_until

Begin = Callable[..., subprocess.Popen[str]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dba_url(admin: Any, mysql_url: str) -> Iterator[str]:
    """Return the URL of an account that has the role podium_dba and nothing else."""
    password = secrets.token_hex(16)
    result_sets(admin, "CREATE USER jane@'%' IDENTIFIED BY %s", (password,))
    result_sets(admin, "GRANT podium_dba TO jane@'%'")
    result_sets(admin, "SET DEFAULT ROLE podium_dba TO jane@'%'")
    yield with_account(mysql_url, "jane", password)
    result_sets(admin, "DROP USER jane@'%'")


@pytest.fixture
def environment(api: Api, dba_url: str) -> dict[str, str]:
    """Return what the command is told."""
    return {"PODIUM_MYSQL_URL": dba_url, "PODIUM_JWT_SECRET": SECRET, "PODIUM_URL": api.url}


@pytest.fixture
def begin(environment: dict[str, str]) -> Begin:
    """Return a function that begins the command."""
    return lambda *arguments, **env: command_line.begin("simulate", *arguments, **environment | env)


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Return a function that runs the command to its end."""
    return lambda *arguments, **env: command_line.run("simulate", *arguments, **environment | env)


@pytest.fixture
def network(api: Api) -> Iterator[Proxy]:
    """Return the network between the candidates and the gateway."""
    with Proxy(urlsplit(api.url).port or 0) as proxy:
        yield proxy


def exam_of(process: subprocess.Popen[str]) -> int:
    """Return the exam that a command says it has made."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"Exam (\d+) is created: ", line)
    assert found is not None, (line, process.communicate())
    return int(found[1])


def wait_for_submissions(admin: Any, exam_id: int, number: int = 20) -> None:
    """Wait until so many submissions are in the audit log."""
    wait_until(lambda: len(trail(admin, exam_id)) >= number)


def trail(admin: Any, exam_id: int) -> list[dict[str, Any]]:
    """Return the first submissions of an exam."""
    return call(admin, "get_audit_trail", exam_id, None, None, None)[0]


def test_an_exam_is_played_and_nothing_is_wrong(run: Run, admin: Any) -> None:
    played = run("--candidates", 30, "--workers", 8, "--seed", 2026)
    assert played.returncode == 0, played.stderr
    assert played.stdout.endswith("Nothing is wrong.\n")
    kept = re.findall(r"^ (P\d) .* ok *$", played.stdout, re.MULTILINE)
    assert kept == [f"P{number}" for number in range(1, 9)]
    exam_id = int(played.stdout.split()[1])
    [exam] = call(admin, "get_exam", exam_id)[0]
    assert exam["total_participants"] == 30
    assert f"{len(trail(admin, exam_id))} submissions acknowledged" in played.stdout
    assert problems_of(admin, exam_id) == []


def test_the_same_seed_plays_the_same_exam(run: Run, admin: Any) -> None:
    first, again, other = (
        int(run("--candidates", 5, "--seed", seed).stdout.split()[1]) for seed in (1, 1, 2)
    )

    def scores(exam_id: int) -> list[tuple[Any, ...]]:
        board = call(admin, "get_leaderboard", exam_id, 1, 50, None)[1]
        return [(row["full_name"], row["total_score"], row["total_time_sec"]) for row in board]

    assert scores(first) == scores(again) != scores(other)


def test_a_named_exam_is_played_in_twice_only_if_that_is_meant(run: Run, admin: Any) -> None:
    exam_id = make_exam(admin)
    assert run(exam_id, "--candidates", 5).returncode == 0
    refused = run(exam_id, "--candidates", 5)
    assert refused.returncode == 2
    assert f"exam {exam_id} has 5 participants already" in refused.stderr
    again = run(exam_id, "--candidates", 5, "--yes")
    assert again.returncode == 0, again.stdout
    assert call(admin, "get_exam", exam_id)[0][0]["total_participants"] == 10


@pytest.mark.parametrize(
    ("breaking", "found"),
    [
        ("DELETE FROM score_audit_log WHERE submission_id = %s", {"P1", "P2", "P3", "P5", "P8"}),
        ("UPDATE score_audit_log SET new_raw_score = 1 WHERE submission_id = %s", {"P3", "P8"}),
        (
            "UPDATE score_audit_log SET entry_rank = entry_rank + 1 WHERE submission_id = %s",
            {"P2", "P4", "P8"},
        ),
    ],
    ids=["a row is gone", "a score is another", "a rank is another"],
)
def test_what_root_does_to_the_history_meanwhile_is_found(
    begin: Begin, unguarded: Any, breaking: str, found: set[str]
) -> None:
    with begin("--candidates", 150) as process:
        exam_id = exam_of(process)
        wait_for_submissions(unguarded, exam_id)
        key = trail(unguarded, exam_id)[7]["submission_id"]
        result_sets(unguarded, breaking, (key,))
        told, _ = process.communicate()
    assert process.returncode == 1
    broken = set(re.findall(r"^ (P\d) .* WRONG *$", told, re.MULTILINE))
    assert broken >= found, told
    assert key in told
    assert re.search(r"^[1-9]\d* findings\.$", told, re.MULTILINE)


def test_ctrl_c_ends_the_play_and_what_was_done_is_checked(begin: Begin, admin: Any) -> None:
    with begin("--candidates", 400) as process:
        exam_id = exam_of(process)
        wait_for_submissions(admin, exam_id)
        process.send_signal(signal.SIGINT)
        told, error = process.communicate()
    assert process.returncode == 130
    found = re.match(r"Not played to its end: stopped, (\d+) of 400 ", error)
    assert found is not None and int(found[1]) < 400
    assert told.endswith("Nothing is wrong.\n")
    assert problems_of(admin, exam_id) == []


def test_a_fault_counts_more_than_ctrl_c(begin: Begin, unguarded: Any) -> None:
    with begin("--candidates", 1000) as process:
        exam_id = exam_of(process)
        wait_for_submissions(unguarded, exam_id)
        result_sets(
            unguarded,
            "DELETE FROM score_audit_log WHERE submission_id = %s",
            (trail(unguarded, exam_id)[0]["submission_id"],),
        )
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 1


def test_a_second_ctrl_c_waits_for_nobody(begin: Begin, admin: Any, network: Proxy) -> None:
    with begin("--candidates", 1000, PODIUM_URL=f"http://127.0.0.1:{network.port}") as process:
        wait_for_submissions(admin, exam_of(process))
        network.swallow()
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None or _again(process))
        _, error = process.communicate()
    assert process.returncode == 130
    assert error == "Stopped; what was played is not checked.\n"


def _again(process: subprocess.Popen[str]) -> bool:
    """Press Ctrl-C once more: the first one is taken at some moment of its own."""
    process.send_signal(signal.SIGINT)
    return False


def test_a_gateway_that_comes_back_is_played_at_to_the_end(
    begin: Begin, admin: Any, network: Proxy
) -> None:
    with begin("--candidates", 150, PODIUM_URL=f"http://127.0.0.1:{network.port}") as process:
        exam_id = exam_of(process)
        wait_for_submissions(admin, exam_id)
        network.cut()
        network.mend()
        told, error = process.communicate()
    assert process.returncode == 0, told + error
    assert call(admin, "get_exam", exam_id)[0][0]["total_participants"] == 150


def test_a_gateway_that_stays_away_ends_the_play_and_what_was_done_is_checked(
    begin: Begin, admin: Any, network: Proxy
) -> None:
    with begin("--candidates", 150, PODIUM_URL=f"http://127.0.0.1:{network.port}") as process:
        wait_for_submissions(admin, exam_of(process))
        network.cut()
        told, error = process.communicate()
    assert process.returncode == 2
    assert "Not played to its end: The gateway gives no answer to " in error
    assert told.endswith("Nothing is wrong.\n")


def test_a_session_whose_answer_is_lost_is_begun_again(api: Api, network: Proxy) -> None:
    network.cut()
    gateway = Gateway(f"http://127.0.0.1:{network.port}", SECRET, 1)
    record = Record(make_exam_over_http(api, submissions_by="candidates"))
    record.user_ids[0] = make_user(api)
    with socket.create_server(("127.0.0.1", network.port)) as deaf, ThreadPoolExecutor(1) as own:
        playing = own.submit(list, play(gateway, record, invent(1, "lost", 1), 1))
        connection, _ = deaf.accept()
        connection.close()
        deaf.close()
        network.mend()
        playing.result(20)
    gateway.close()
    assert record.finished == 1


def exams(admin: Any) -> int:
    """Return how many exams there are."""
    return int(rows(admin, "SELECT COUNT(*) AS found FROM podium.exams")[0]["found"])


def test_an_account_that_reads_no_table_does_not_begin(
    run: Run, admin: Any, gateway_mysql_url: str
) -> None:
    before = exams(admin)
    refused = run(PODIUM_MYSQL_URL=gateway_mysql_url)
    assert refused.returncode == 2
    assert "podium_dba" in refused.stderr and refused.stderr.count("\n") == 1
    assert exams(admin) == before


def test_the_database_of_another_gateway_is_not_checked(
    run: Run, admin: Any, own_mysql: OwnServer
) -> None:
    make_exam(admin)
    other = Database(own_mysql.url)
    other.upgrade()
    # It has an exam 1 too; an exam that is made now it does not have.
    make_exam(other.admin)
    refusals = [run(*exam, PODIUM_MYSQL_URL=own_mysql.url) for exam in ((1,), ())]
    other.close()
    for refused in refusals:
        assert refused.returncode == 2
        assert "does not name the database that this gateway serves" in refused.stderr


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"PODIUM_URL": ""}, "set PODIUM_URL"),
        ({"PODIUM_URL": "gateway:8000"}, "an address such as"),
        ({"PODIUM_URL": "http://127.0.0.1:1"}, "Connection refused"),
        ({"PODIUM_JWT_SECRET": ""}, "PODIUM_JWT_SECRET is not set"),
        ({"PODIUM_JWT_SECRET": "short"}, "too short"),
        ({"PODIUM_JWT_SECRET": "0123456789" * 4}, "token_invalid"),
        ({"PODIUM_MYSQL_URL": "mysql://root:x@127.0.0.1:1/"}, "MySQL"),
    ],
)
def test_without_what_it_needs_it_does_not_begin(run: Run, env: dict[str, str], told: str) -> None:
    refused = run(**env)
    assert refused.returncode == 2
    assert told in refused.stderr and "Traceback" not in refused.stderr


def test_an_exam_that_is_not_there_is_not_played(run: Run) -> None:
    refused = run(10**9)
    assert refused.returncode == 2
    assert refused.stderr == "Error: exam_not_found: exam 1000000000 does not exist\n"


def test_in_a_terminal_a_bar_shows_how_far_it_is(environment: dict[str, str]) -> None:
    arguments = ("simulate", "--candidates", 100)
    with command_line.Terminal(80, 24, *arguments, **environment) as terminal:
        assert terminal.end() == 0
        terminal.wait_for("Nothing is wrong.")
        assert "Registering" in terminal.text
        assert re.search(r"\d+ of 100, \d+ scores/s", terminal.text)
