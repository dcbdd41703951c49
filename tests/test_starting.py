"""Settings that cannot work: whichever server starts the gateway, one line says what is wrong."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import create_app
from gateway.config import (
    FROM_FILES,
    Config,
    ConfigError,
    MysqlUrl,
    administrative_mysql_url,
    setting,
)
from services.process import kept_port
from services.server import ROOT
from tests.command_line import FLASK

GOOD = {
    "PODIUM_MYSQL_URL": "mysql://podium_app:x@127.0.0.1:1/podium",
    "PODIUM_JWT_SECRET": secrets.token_hex(32),
}
# What is set beside or in place of the above, and what the line says of it.
BAD = {
    "no database": ({"PODIUM_MYSQL_URL": ""}, "PODIUM_MYSQL_URL is not set"),
    "a port of MySQL": (
        {"PODIUM_MYSQL_URL": "mysql://x:hidden/word@db/podium"},
        "a MySQL address looks like mysql://",
    ),
    "another database": (
        {"PODIUM_MYSQL_URL": "mysql://x:hidden@db/other"},
        "database is called podium, not other",
    ),
    "no secret": ({"PODIUM_JWT_SECRET": ""}, "set either PODIUM_JWT_SECRET (HS256) or"),
    "a short secret": ({"PODIUM_JWT_SECRET": "hidden"}, "PODIUM_JWT_SECRET is too short"),
    "a key that is none": (
        {"PODIUM_JWT_SECRET": "", "PODIUM_JWT_PUBLIC_KEY": "hidden"},
        "PODIUM_JWT_PUBLIC_KEY is not a public key in PEM",
    ),
    "a file that is not there": (
        {"PODIUM_JWT_SECRET": "", "PODIUM_JWT_SECRET_FILE": "/nonexistent/secret"},
        "PODIUM_JWT_SECRET_FILE: /nonexistent/secret: No such file or directory",
    ),
    "a folder for a file": (
        {"PODIUM_JWT_SECRET": "", "PODIUM_JWT_PUBLIC_KEY_FILE": "/"},
        "PODIUM_JWT_PUBLIC_KEY_FILE: /: Is a directory",
    ),
    "twice": ({"PODIUM_JWT_SECRET_FILE": "/etc/passwd"}, "either PODIUM_JWT_SECRET or PODIUM_JWT"),
    "a number": ({"PODIUM_POOL_SIZE": "many"}, "PODIUM_POOL_SIZE must be a whole number from 1"),
    "a number without end": ({"PODIUM_DATABASE_TIMEOUT_SEC": "9" * 5000}, "from 1 to 999999999"),
    "a scheme of Redis": ({"PODIUM_REDIS_URL": "http://:hidden@cache"}, "PODIUM_REDIS_URL must be"),
    "a port of Redis": (
        {"PODIUM_REDIS_URL": "redis://:hidden/word@cache"},
        "PODIUM_REDIS_URL must",
    ),
    "an option of Redis": (
        {"PODIUM_REDIS_URL": "redis://cache/0?hidden=1"},
        "PODIUM_REDIS_URL mus",
    ),
    "an index of Redis": ({"PODIUM_REDIS_URL": "redis://cache:1/abc"}, "PODIUM_REDIS_URL must be"),
    "an index below 0": ({"PODIUM_REDIS_URL": "redis://cache:1/-1"}, "PODIUM_REDIS_URL must be"),
    "an index as an option": ({"PODIUM_REDIS_URL": "unix:///r?db=-1"}, "PODIUM_REDIS_URL must be"),
    "a fragment of Redis": (
        {"PODIUM_REDIS_URL": "redis://cache:1/0#2"},
        "PODIUM_REDIS_URL must be",
    ),
    "an option of MySQL": (
        {"PODIUM_MYSQL_URL": "mysql://x:y@db/podium?unix_sokcet=/hidden"},
        "may stand ?unix_socket=/path",
    ),
    "an empty socket": (
        {"PODIUM_MYSQL_URL": "mysql://x:hidden@db/podium?unix_socket="},
        "may stand ?unix_socket=/path",
    ),
    "a fragment of MySQL": (
        {"PODIUM_MYSQL_URL": "mysql://x:y@db/podium#hidden"},
        "may stand ?unix_socket=/path",
    ),
    "a limit": ({"PODIUM_RATE_LIMIT_STAFF": "often"}, "PODIUM_RATE_LIMIT_STAFF must be a rate"),
    "an origin": ({"PODIUM_CORS_ORIGINS": "https://x/"}, "PODIUM_CORS_ORIGINS must be origins"),
    "a word": ({"PODIUM_METRICS": "closed"}, "PODIUM_METRICS must be token, open or off"),
    "a token": ({"PODIUM_METRICS_TOKEN": "hidden"}, "PODIUM_METRICS_TOKEN is too short"),
}


def start(command: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start a gateway that has to end by itself."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PODIUM_")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=inherited | GOOD | settings,
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_one_line(done: subprocess.CompletedProcess[str], message: str) -> None:
    told = (done.stdout + done.stderr).splitlines()
    # What a server says of its own start and end is in brackets.
    [line] = [line for line in told if line.strip() and not line.startswith("[")]
    assert line.startswith("Error: ") and message in line
    assert "hidden" not in line
    assert done.returncode == 1


@pytest.mark.parametrize("name", BAD)
def test_a_setting_that_cannot_work_is_refused_in_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, message = BAD[name]
    for variable, text in (GOOD | settings).items():
        monkeypatch.setenv(variable, text)
    with pytest.raises(SystemExit) as ended:
        create_app()
    line = str(ended.value.code)  # Python prints a text that is no number, and ends with 1.
    assert line.startswith("Error: ") and message in line
    assert "hidden" not in line and "\n" not in line


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("granian", "a port of Redis"),
        ("gunicorn", "a key that is none"),
        ("flask", "a short secret"),
    ],
)
def test_every_server_ends_with_the_same_line(tmp_path: Path, server: str, name: str) -> None:
    port = str(kept_port(tmp_path / "port"))
    command = {
        "granian": [
            *("granian", "--interface", "wsgi", "--factory", "gateway.worker:create_app"),
            *("--port", port, "--http", "1", "--no-ws", "--blocking-threads", "1"),
        ],
        "gunicorn": ["gunicorn", "gateway:create_app()", "--bind", f"127.0.0.1:{port}"],
        "flask": [*FLASK[2:], "run", "--port", port],
    }[server]
    settings, message = BAD[name]
    assert_one_line(start(command, settings), message)


def test_gunicorn_elsewhere_ends_with_the_same_line(tmp_path: Path) -> None:
    port = str(kept_port(tmp_path / "port"))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PODIUM_")}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "gateway:create_app()", "--bind", f"127.0.0.1:{port}"],
        cwd=tmp_path,
        env=inherited | GOOD | {"PODIUM_JWT_SECRET": "hidden", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "\nError: PODIUM_JWT_SECRET is too short" in done.stderr
    assert "Traceback" not in done.stderr and done.returncode != 0


# --- Secrets in files


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = secrets.token_hex(32)
    for name, text in {
        "url": "mysql://podium_app@db:3306/podium",
        "password": "p/w#d @ü:\n",
        "redis": "redis://:x@cache:6379/1",
        "secret": f"{secret}\n",
        "token": f"{secret[::-1]}\r\n",
    }.items():
        (tmp_path / name).write_text(text, newline="")
    config = Config.from_environ(
        {
            "PODIUM_GATEWAY_MYSQL_URL_FILE": f"{tmp_path}/url",
            "PODIUM_GATEWAY_MYSQL_PASSWORD_FILE": f"{tmp_path}/password",
            "PODIUM_REDIS_URL_FILE": f"{tmp_path}/redis",
            "PODIUM_JWT_SECRET": "",
            "PODIUM_JWT_SECRET_FILE": f"{tmp_path}/secret",
            "PODIUM_JWT_PUBLIC_KEY_FILE": "",
            "PODIUM_METRICS_TOKEN_FILE": f"{tmp_path}/token",
        }
    )
    account = MysqlUrl.parse(config.mysql_url)
    assert (account.user, account.password, account.host) == ("podium_app", "p/w#d @ü:", "db")
    assert config.redis_url == "redis://:x@cache:6379/1"
    assert (config.jwt_secret, config.metrics_token) == (secret, secret[::-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff", "is not UTF-8")],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigError, match=f"PODIUM_JWT_SECRET_FILE: .*/secret {message}"):
        Config.from_environ(
            {"PODIUM_MYSQL_URL": "x", "PODIUM_JWT_SECRET_FILE": f"{tmp_path}/secret"}
        )


@pytest.mark.parametrize("name", FROM_FILES)
@pytest.mark.parametrize("around", ["\ufeff{}", "{} \n", " {}", "\t{}", "{}\n\n", "\n{}", "{}\xa0"])
def test_a_file_with_more_than_a_secret_is_refused(tmp_path: Path, name: str, around: str) -> None:
    (tmp_path / "secret").write_text(around.format(GOOD["PODIUM_JWT_SECRET"]), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^{name}_FILE: .*/secret has blanks") as refused:
        setting({f"{name}_FILE": f"{tmp_path}/secret"}, name)
    assert GOOD["PODIUM_JWT_SECRET"] not in str(refused.value)


def test_a_url_has_one_password() -> None:
    environ = {"PODIUM_MYSQL_URL": "mysql://root:a@db", "PODIUM_MYSQL_PASSWORD": "b"}
    with pytest.raises(ConfigError, match="PODIUM_MYSQL_URL has a password already"):
        administrative_mysql_url(environ)


def test_the_command_line_reads_the_files_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(GOOD["PODIUM_JWT_SECRET"])
    settings = {"PODIUM_JWT_SECRET": "", "PODIUM_JWT_SECRET_FILE": f"{tmp_path}/secret"}
    signed = start([*FLASK[2:], "token", "--user", "1"], settings)
    assert signed.stdout.count(".") == 2, signed.stderr
    settings = {"PODIUM_MYSQL_URL": "", "PODIUM_MYSQL_URL_FILE": f"{tmp_path}/none"}
    for command in (["db", "status"], ["exam", "list"]):
        refused = start([*FLASK[2:], *command], settings)
        assert f"{tmp_path}/none: No such file" in refused.stderr
        assert "Traceback" not in refused.stderr
