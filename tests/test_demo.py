"""The demo, in small: a played exam passes its checks, and what is not true does not."""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo import verify
from demo.__main__ import main, play_exam, run
from demo.screen import Screen
from demo.verify import Check, Evidence
from gateway.simulation.client import Caller, Gateway, PlayError
from gateway.simulation.play import Exam, Record, Submission
from services.server import ROOT, Server
from services.stack import Stack
from tests.client import STAFF_ID, Api, token
from tests.command_line import heed_signals
from tests.conftest import SECRET


class Played:
    """An exam that was just played, and its checks."""

    def __init__(self, gateway: Gateway, exam: Exam, record: Record, evidence: Evidence) -> None:
        self.gateway, self.exam, self.record, self.evidence = gateway, exam, record, evidence

    def checks(self) -> list[Check]:
        return list(verify.verify(self.gateway, self.exam.organiser, self.evidence, self.record))

    def broken(self) -> set[str]:
        """Return the promises that do not hold, by number."""
        return {check.promise.split()[0] for check in self.checks() if not check.passed}


@pytest.fixture
def screen() -> Screen:
    """Return a screen that is no terminal."""
    screen = Screen()
    screen.console = Console(file=io.StringIO(), width=80)
    return screen


@pytest.fixture
def played(api: Api, mysql_url: str, screen: Screen) -> Iterator[Played]:
    """Play an exam with 30 candidates."""
    gateway, admin = Gateway(api.url, SECRET, 16), token(SECRET, STAFF_ID, "admin")
    exam, record, _ = play_exam(screen, gateway, admin, count=30, workers=16, seed=2026)
    evidence = Evidence(mysql_url)
    yield Played(gateway, exam, record, evidence)
    evidence.close()
    gateway.close()


def test_a_played_exam_passes_every_check(played: Played) -> None:
    checks = played.checks()
    assert len(checks) == 11
    assert [check for check in checks if not check.passed] == []
    assert {"P1", "P2", "P3", "P4"} <= {check.promise.split()[0] for check in checks}


def test_the_exam_has_replays_conflicts_and_shared_ranks_to_check(played: Played) -> None:
    assert played.record.replays
    assert played.record.refused
    assert "30 ranks on 1 page, 1 shared" in played.checks()[1].found


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        (
            "UPDATE leaderboard_snapshot SET total_score = 100, standing_key = standing_key + 1 "
            "WHERE session_id = %s",
            {"P1", "P2"},
        ),
        (
            "UPDATE module_scores SET raw_score = raw_score / 2 "
            "WHERE session_id = %s AND module_type = 'coding'",
            {"P2"},
        ),
        (
            "UPDATE exam_sessions SET weighted_coding = weighted_coding / 2 WHERE session_id = %s",
            {"P1", "P2"},
        ),
    ],
    ids=["entry", "raw score", "session"],
)
def test_a_change_behind_podiums_back_fails_the_check(
    played: Played, admin: Any, statement: str, broken: set[str]
) -> None:
    session_id = played.record.acknowledged[0].sent["session_id"]
    cursor = admin.cursor()
    cursor.execute(statement, (session_id,))
    assert cursor.rowcount == 1
    assert broken <= played.broken()


def _lose(record: Record) -> None:
    first = record.acknowledged[0]
    record.acknowledged.append(dataclasses.replace(first, key="never written"))


def _alter(record: Record) -> None:
    first = record.acknowledged[0]
    record.acknowledged[0] = Submission(
        first.key, first.user_id, first.sent | {"time_spent_sec": 1}, first.outcome
    )


def _change_rank(record: Record) -> None:
    entry = record.acknowledged[0].outcome["leaderboard_entry"]
    entry["rank"] += 1


def _change_replay(record: Record) -> None:
    first, again = record.replays[0]
    record.replays[0] = (first, again | {"version": again["version"] + 1})


def _accept_stale(record: Record) -> None:
    record.refused[record.acknowledged[0].key] = True


def _read_old(record: Record) -> None:
    record.reads[0] = (2, 1)


@pytest.mark.parametrize(
    ("lie", "broken"),
    [
        (_lose, "P3"),
        (_alter, "P3"),
        (_change_rank, "P2"),
        (_change_replay, "P4"),
        (_accept_stale, "P5"),
        (_read_old, "P6"),
    ],
)
def test_an_answer_that_is_not_in_the_database_fails_the_check(
    played: Played, lie: Callable[[Record], None], broken: str
) -> None:
    lie(played.record)
    assert broken in played.broken()


def test_a_gap_in_the_revisions_fails_the_check(played: Played, admin: Any) -> None:
    cursor = admin.cursor()
    cursor.execute(
        "UPDATE leaderboards SET revision = revision + 1 WHERE exam_id = %s",
        (played.exam.exam_id,),
    )
    assert {"P7", "P8"} <= played.broken()


def test_the_evidence_cannot_be_written(played: Played) -> None:
    with pytest.raises(Exception, match="READ ONLY"):
        played.evidence.rows("UPDATE exams SET title = 'x'")


def test_a_failed_check_is_shown_with_its_figures_and_fails_the_demo(
    api: Api, mysql_url: str, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Check("P3 nothing lost", "all there", "3 lost", False)]
    monkeypatch.setattr(verify, "verify", lambda *_: found)
    mysql, gateway = Server(mysql_url, "", ""), Server(api.url, "", "")
    arguments = argparse.Namespace(candidates=3, workers=2, seed=1, serve=False)
    assert run(screen, Stack(mysql, mysql, gateway, "", SECRET, STAFF_ID), arguments) == 1
    shown = screen.console.file
    assert isinstance(shown, io.StringIO)
    assert "3 lost" in shown.getvalue() and "1 of 1 checks FAILED" in shown.getvalue()


def test_a_refusal_is_told_by_its_code(api: Api) -> None:
    gateway = Gateway(api.url, SECRET, 1)
    with pytest.raises(PlayError, match="answered 404, not 200: exam_not_found"):
        Caller(gateway, token(SECRET, 1, "candidate")).get("/exams/999999999")
    gateway.close()


def test_the_command_serves_until_ctrl_c_and_stops_what_it_started(
    mysql_url: str, gateway_mysql_url: str, redis_server: Server, tmp_path: Path
) -> None:
    with _start(
        tmp_path,
        PODIUM_MYSQL_URL=mysql_url,
        PODIUM_GATEWAY_MYSQL_URL=gateway_mysql_url,
        PODIUM_REDIS_URL=redis_server.url,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.decode())
            if line.startswith(b"Serving on"):
                break
        url = said[-1].split()[2]
        with urllib.request.urlopen(f"{url}/healthz") as response:
            assert response.status == 200
        process.send_signal(signal.SIGINT)
        said.append(process.stdout.read().decode())
    assert process.returncode == 0, said
    assert "All 11 checks passed." in "".join(said)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz")


def test_without_mysql_the_command_says_so_in_words(tmp_path: Path) -> None:
    with _start(tmp_path, PODIUM_MYSQL_URL="mysql://root:x@127.0.0.1:1/podium") as process:
        assert process.stdout is not None
        said = process.stdout.read().decode()
    assert process.returncode == 1
    assert "MySQL" in said and "Traceback" not in said


def test_a_running_podium_needs_its_secret_and_its_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PODIUM_MYSQL_URL", raising=False)
    monkeypatch.delenv("PODIUM_JWT_SECRET", raising=False)
    with pytest.raises(SystemExit, match="needs PODIUM_MYSQL_URL and PODIUM_JWT_SECRET"):
        main(["--url", "http://127.0.0.1:1"])


def _start(home: Path, **env: str) -> subprocess.Popen[bytes]:
    """Start the command with a home of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--candidates", "10", "--home", str(home)],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=heed_signals,
    )
