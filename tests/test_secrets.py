"""Secrets: which are refused, and that none shows in logs, command lines or answers."""

from __future__ import annotations

import ast
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mysql.connector
import pytest

from gateway.config import Config, ConfigError, MysqlUrl
from services import start_stack
from services.server import ROOT
from services.stack import Stack
from tests.client import Api, token
from tests.conftest import TEST_HOME
from tests.factories import make_exam, make_session, submission
from tests.waiting import wait_until


def refused(secret: str) -> str:
    """Return in which words a gateway refuses a secret; empty where it takes it."""
    try:
        Config.from_environ({"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET": secret})
    except ConfigError as error:
        assert secret not in str(error)
        return str(error)
    return ""


@pytest.mark.parametrize(
    "secret",
    [
        "9f8e7d6c5b4a3928",
        "a" * 32,
        "ab" * 32,
        "0123456789abcdef" * 2,
        "f3Kq9Zt1Lw8Rb5Xv" * 2,
        "abcdefghijklmnopqrstuvwxyz012345",
        "00000000000000000000000000000000001",
        "your-256-bit-secret-goes-in-here-please",
        "changeme-changeme-changeme-12345678",
        "the PASSWORD of the tests, 32 bytes long",
        "Podium-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    ],
)
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    message = refused(secret)
    assert message.startswith("PODIUM_JWT_SECRET ")
    assert "openssl rand -hex 32" in message


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_hex(16),
        lambda: secrets.token_hex(32),
        lambda: secrets.token_urlsafe(32),
        lambda: str(secrets.randbelow(10**70) + 10**70),
    ],
    ids=["hex 16", "hex 32", "base64", "decimal"],
)
def test_random_secrets_are_taken(make: Callable[[], str]) -> None:
    assert [message for message in (refused(make()) for _ in range(200)) if message] == []


def texts_of_our_files() -> Iterator[tuple[Path, str]]:
    """Find what somebody could copy as a secret from the files of this repository."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for path in (ROOT / name for name in listed):
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield path, node.value
        elif path.suffix in (".md", ".yml", ".example", ".toml", "") and path.is_file():
            given = r"(?:SECRET|PASSWORD|TOKEN)\w*\s*[=:]\s*[\"']?([^\s\"'`]+)"
            for match in re.finditer(given, path.read_text(encoding="utf-8"), re.IGNORECASE):
                yield path, match[1]


def test_no_secret_of_our_files_is_taken() -> None:
    one_word = [(path, text) for path, text in texts_of_our_files() if len(text.split()) == 1]
    assert len(one_word) > 1000
    # What is a secret and not code, a pattern or an address: letters, digits, - and _.
    candidates = {
        (path.name, text)
        for path, text in one_word
        if re.fullmatch(r"[\w-]{32,}", text) and re.search(r"\d", text)
    }
    assert {(name, text) for name, text in candidates if not refused(text)} == set()


def test_no_default_stands_in_what_compose_reads() -> None:
    example = (ROOT / ".env.example").read_text()
    assert re.findall(r"^(\w*(?:SECRET|PASSWORD)\w*)=(.*)$", example, re.MULTILINE) == [
        ("MYSQL_ROOT_PASSWORD", ""),
        ("PODIUM_APP_PASSWORD", ""),
        ("PODIUM_JWT_SECRET", ""),
    ]
    assert re.findall(r"^PODIUM_METRICS_TOKEN=(.*)$", example, re.MULTILINE) == [""]
    compose = (ROOT / "docker-compose.yml").read_text()
    used = re.findall(r"\$\{(\w*(?:SECRET|PASSWORD|TOKEN|KEY)\w*)(:\?|:-\}|:-)", compose)
    assert {name for name, how in used if how == ":-" or name == "PODIUM_SECRETS"} == {
        "PODIUM_SECRETS"  # a folder
    }
    # Somewhere each password is required, which stops compose before anything starts.
    assert {name for name, how in used if how == ":?"} == {
        "MYSQL_ROOT_PASSWORD",
        "PODIUM_APP_PASSWORD",
    }


@dataclass(frozen=True)
class Watched:
    """A stack, what nobody may see of it, and where it ran."""

    stack: Stack
    home: Path
    hidden: dict[str, str]
    answers: list[bytes]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Start all that `make up` starts, and drive good and bad requests through it."""
    home = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MYSQL_URL", "REDIS_URL", "JWT_SECRET", "GATEWAY_MYSQL_URL"):
            patch.delenv(f"PODIUM_{name}", raising=False)
        with start_stack(home) as stack:
            api = Api(stack.url, stack.secret, stack.admin_id)
            good = token(stack.secret, stack.admin_id, "admin")
            stale = token(stack.secret, stack.admin_id, "admin", exp=1)
            forged = token(secrets.token_hex(32), stack.admin_id, "admin")
            hidden = {
                "secret": stack.secret,
                "token of the administrator": stack.admin_token,
                "good token": good,
                "stale token": stale,
                "forged token": forged,
                "password of the gateway": urlsplit(stack.gateway_mysql_url).password or "",
                "password of root": MysqlUrl.parse(stack.mysql.url).password,
            }
            session_id = make_session(api, make_exam(api))
            answers = [
                api.with_token(bearer).request(method, path, body)
                for bearer in (good, stale, forged, good + "x", "")
                for method, path, body in (
                    ("GET", "/exams", None),
                    ("GET", "/nothing", None),
                    ("GET", f"/sessions/{session_id}?token={bearer}", None),
                    ("POST", "/scores", submission(session_id)),
                    ("POST", "/scores", {"session_id": []}),
                    ("DELETE", "/exams", None),
                )
            ]
            yield Watched(
                stack,
                home,
                hidden,
                [answer.text + str(answer.headers).encode() for answer in answers],
            )


def assert_hidden(watched: Watched, text: bytes, where: str) -> None:
    for name, value in watched.hidden.items():
        assert len(value) > 16, name
        assert value.encode() not in text, f"{name} stands in {where}"


def children_of(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *(each for child in path.read_text().split() for each in children_of(int(child)))]


def test_no_secret_stands_on_a_command_line(watched: Watched) -> None:
    started = [int(path.read_text()) for path in (watched.home / "run").glob("*.pid")]
    assert len(started) >= 1
    for pid in (each for root in started for each in children_of(root)):
        assert_hidden(watched, Path(f"/proc/{pid}/cmdline").read_bytes(), f"the words of {pid}")


def test_no_secret_stands_in_a_log(watched: Watched) -> None:
    logs = list((watched.home / "log").glob("*"))
    assert watched.home / "log" / "gateway.log" in logs
    for log in logs:
        assert_hidden(watched, log.read_bytes(), log.name)


def test_no_secret_stands_in_the_list_of_what_mysql_does(watched: Watched) -> None:
    with mysql.connector.connect(**MysqlUrl.parse(watched.stack.mysql.url).arguments) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW FULL PROCESSLIST")
        listed: list[Any] = cursor.fetchall()
    assert any("podium_app" in str(row) for row in listed)
    assert_hidden(watched, str(listed).encode(), "SHOW PROCESSLIST")


def test_no_secret_stands_in_an_answer(watched: Watched) -> None:
    for answer in watched.answers:
        assert_hidden(watched, answer, answer[:60].decode())


def test_files_with_secrets_are_their_owners_alone(watched: Watched) -> None:
    holders = [
        path
        for path in watched.home.rglob("*")
        if path.is_file()
        and path.stat().st_size < 10_000
        and any(value.encode() in path.read_bytes() for value in watched.hidden.values())
    ]
    assert {path.name for path in holders} >= {"jwt.secret", "gateway.password"}
    assert {path.name for path in holders if path.stat().st_mode & 0o077} == set()


def test_no_secret_stands_in_what_a_failing_start_says() -> None:
    password = secrets.token_hex(32)
    secret = secrets.token_hex(32)
    done = subprocess.run(
        [sys.executable, "-c", "from gateway import create_app; create_app()"],
        cwd=ROOT,
        env={
            "PODIUM_MYSQL_URL": f"mysql://podium_app:{password}@127.0.0.1:1/elsewhere",
            "PODIUM_REDIS_URL": f"redis://:{password}@127.0.0.1:1/0",
            "PODIUM_JWT_SECRET": secret,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "called podium, not elsewhere" in done.stderr
    assert password not in done.stderr and secret not in done.stderr


def test_a_redis_that_is_away_is_logged_without_its_password(
    start_api: Callable[..., Api],
) -> None:
    password = secrets.token_hex(32)
    api = start_api(
        "gateway-secret-redis",
        redis_url=f"redis://:{password}@127.0.0.1:1/0",
        PODIUM_RATE_LIMIT_CANDIDATE="1 per second",
    )
    log = TEST_HOME / "log" / "gateway-secret-redis.log"
    api.as_user(1).get("/exams")
    wait_until(lambda: "Redis does not answer" in log.read_text())
    assert password not in log.read_text()
