"""Where the servers come from: the choice of a source, and what is private to a home."""

from __future__ import annotations

import ctypes
import http.client
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import mysql.connector
import pytest
import redis

from gateway.config import MysqlUrl
from services import debian, source
from services.__main__ import assignments
from services.gateway import start_gateway
from services.mysql import socket_path, start_mysql
from services.process import Process, kept_port
from services.redis import start_redis
from services.server import ROOT, Server, Unavailable, wait_ready
from services.stack import Stack, start_stack, stop_stack
from tests.waiting import wait_until

ARCHIVE = "http://mirror.example/debian"
KEYS = "/usr/share/keyrings/keys.gpg"


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Let nothing of the machine's environment decide; take Debian's packages."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PODIUM_")]:
            patch.delenv(name)
        patch.setenv("PODIUM_SERVICES_SOURCE", "debian")
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        yield


# --- The sources of Debian's packages


def test_deb822_sources_are_read() -> None:
    text = f"""\
# A mirror.
Types: deb deb-src
URIs: {ARCHIVE}
# Moved:
 http://other.example/debian/
Suites: bookworm bookworm-updates
Signed-By: {KEYS}

Types: deb-src
URIs: http://sources.example/debian

Enabled: no
Types: deb
URIs: http://off.example/debian
"""
    assert list(debian.archives(text)) == [(ARCHIVE, KEYS), ("http://other.example/debian/", KEYS)]


def test_a_key_within_the_sources_is_kept() -> None:
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: {ARCHIVE}\nSuites: sid\nSigned-By:{key}\n"
    assert f"Signed-By: {key}\n" in debian.sources(debian.archives(text))


def test_one_line_sources_are_read() -> None:
    text = f"""\
# deb {ARCHIVE} bookworm main
deb-src {ARCHIVE} bookworm main
deb {ARCHIVE} bookworm main contrib # the first
deb [ arch=amd64 signed-by={KEYS},/other.gpg ] {ARCHIVE}/ bookworm main
deb [signed-by={KEYS}] {ARCHIVE} bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
"""
    assert list(debian.archives_of_list(text)) == [
        (ARCHIVE, None),
        (f"{ARCHIVE}/", f"{KEYS} /other.gpg"),
        (ARCHIVE, KEYS),
        ("cdrom:[Debian", None),
    ]


def test_the_suite_comes_from_the_machines_own_mirror_with_its_keys() -> None:
    machine = [
        debian.Archive(ARCHIVE, KEYS),
        debian.Archive(ARCHIVE, KEYS),
        debian.Archive("http://mirror.example/debian-security", KEYS),
        debian.Archive("http://other.example/packages", None),
    ]
    assert debian.sources(machine) == (
        f"Types: deb\nURIs: {ARCHIVE}\nSuites: sid\nComponents: main\n"
        f"Targets: Packages\nSigned-By: {KEYS}\n"
    )


def test_an_archive_without_keys_is_checked_with_debians(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "KEYRINGS", tmp_path)
    with pytest.raises(Unavailable, match="debian-archive-keyring"):
        debian.sources([debian.Archive(ARCHIVE, None)])
    (tmp_path / "debian-archive-keyring.gpg").touch()
    assert f"Signed-By: {tmp_path}" in debian.sources([debian.Archive(ARCHIVE, None)])


def test_a_machine_without_debians_archive_is_told_so() -> None:
    with pytest.raises(Unavailable, match="Debian's archive; PODIUM_DEBIAN_MIRROR"):
        debian.sources([debian.Archive("http://mirror.example/ubuntu", None)])


# --- The choice


def refuse(reason: str) -> Callable[[Path], Server]:
    def start(home: Path) -> NoReturn:
        raise Unavailable(reason)

    return start


def offer(name: str) -> Callable[[Path], Server]:
    return lambda home: Server(f"redis://{name}", name, f"from {name}")


def choose(home: Path, **sources: Callable[[Path], Server]) -> Server:
    return source.choose("Redis", home, lambda home: None, [], sources)


def test_the_first_source_that_has_it_is_taken_and_the_line_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PODIUM_SERVICES_SOURCE")
    server = choose(
        tmp_path, docker=refuse("no engine"), path=offer("path"), debian=offer("debian")
    )
    assert server.source == "path"
    assert capsys.readouterr().out == "Redis: from path (PODIUM_REDIS_URL is not set; no engine)\n"


def test_a_url_comes_before_all_and_is_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PODIUM_SERVICES_SOURCE")
    monkeypatch.setenv("PODIUM_REDIS_URL", "redis://me:secret@cache.example:6380/3")
    server = choose(tmp_path, docker=offer("docker"))
    server.stop()
    assert (server.source, server.url) == ("url", "redis://me:secret@cache.example:6380/3")
    assert capsys.readouterr().out == "Redis: cache.example:6380, named by PODIUM_REDIS_URL\n"


def test_the_choice_can_be_narrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_REDIS_URL", "redis://cache.example")
    assert choose(tmp_path, docker=offer("docker"), debian=offer("debian")).source == "debian"
    monkeypatch.setenv("PODIUM_SERVICES_SOURCE", "moon")
    with pytest.raises(SystemExit, match="moon names no source; there are url, docker, debian"):
        choose(tmp_path, docker=offer("docker"), debian=offer("debian"))


def test_without_any_source_one_message_names_all_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PODIUM_SERVICES_SOURCE")
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr(debian, "FOLDER", tmp_path / "debian")
    with pytest.raises(SystemExit) as refusal:
        start_mysql(tmp_path)
    assert str(refusal.value).splitlines() == [
        "Podium has no MySQL to work with:",
        "  - PODIUM_MYSQL_URL is not set",
        "  - no Docker engine answers",
        "  - no mysqld on the PATH",
        "  - no apt-get to fetch Debian's packages with",
        "One of these will do: PODIUM_MYSQL_URL, a Docker engine, MySQL on the PATH, or a Debian "
        "or Ubuntu whose apt knows Debian's archive.",
    ]


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get here")
def test_an_archive_that_cannot_be_reached_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        archive = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/debian"
        monkeypatch.setenv("PODIUM_DEBIAN_MIRROR", archive)
        monkeypatch.setattr(debian, "FOLDER", tmp_path / "debian")
        (tmp_path / "debian-archive-keyring.gpg").touch()
        monkeypatch.setattr(debian, "KEYRINGS", tmp_path)
        (tmp_path / "apt.conf").write_text('Acquire::Retries "0";\n')
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
        with pytest.raises(Unavailable, match=f"Failed to fetch {archive}"):
            debian.unpack()


@pytest.mark.parametrize(
    ("start", "program", "version", "reason"),
    [
        (start_mysql, "mysqld", "mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for Linux", "is not MySQL"),
        (start_mysql, "mysqld", "mysqld  Ver 8.0.21 for Linux on x86_64", "is older than 8.0.22"),
        (start_redis, "redis-server", "Redis server v=6.0.16 sha=0", "is older than 6.2"),
    ],
)
def test_a_program_on_the_path_that_will_not_do_is_passed_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[[Path], Server],
    program: str,
    version: str,
    reason: str,
) -> None:
    path = tmp_path / program
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PODIUM_SERVICES_SOURCE", "path")
    with pytest.raises(SystemExit, match=f"{path} {reason}"):
        start(tmp_path)


# --- Processes


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that nobody of ours has started."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_stranger_who_was_given_the_pid_is_left_alone(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    pid_file = tmp_path / "run" / "gateway.pid"
    pid_file.parent.mkdir()
    pid_file.write_text(str(stranger.pid))
    assert stop_stack(tmp_path) == []
    assert stranger.poll() is None
    assert not pid_file.exists()


def python(process: Process, program: str) -> list[str]:
    """Return the command of a program that runs as a process of a home."""
    return [sys.executable, "-c", f"import signal\n{program}", str(process.pid_file)]


def test_a_server_that_never_answers_is_stopped_again(tmp_path: Path) -> None:
    process = Process(tmp_path, "deaf")
    process.spawn(python(process, "signal.pause()"))
    pid = process.pid
    with pytest.raises(Unavailable, match="deaf does not answer: no output"):
        wait_ready(process, lambda: None, timeout_sec=0)
    assert pid and not process.alive() and not process.pid_file.exists()


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    process = Process(tmp_path, "ill")
    process.spawn(python(process, "print('Error: no room'); print('bye')"))
    with pytest.raises(Unavailable, match=r"ill ended at once: Error: no room \(more in .*ill.log"):
        wait_ready(process, lambda: None, timeout_sec=30)


def test_a_server_that_will_not_go_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.process.STOP_TIMEOUT_SEC", 0.1)
    process = Process(tmp_path, "stubborn")
    process.spawn(
        python(
            process,
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('here', flush=True)\n"
            "while True: signal.pause()",
        )
    )
    wait_ready(process, lambda: process.log.read_text() or None, timeout_sec=30)
    process.stop()
    assert not process.alive()


def test_a_process_of_another_home_with_a_longer_name_is_not_ours(tmp_path: Path) -> None:
    theirs = Process(tmp_path / "x" / str(tmp_path).strip("/"), "gateway")
    theirs.spawn(python(theirs, "signal.pause()"))
    ours = Process(tmp_path, "gateway")
    ours.pid_file.parent.mkdir()
    ours.pid_file.write_text(str(theirs.pid))
    ours.stop()
    assert theirs.alive()
    theirs.stop()


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    port = kept_port(tmp_path / "port")
    assert kept_port(tmp_path / "port") == port
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(Unavailable, match=f"port {port} is taken"):
            kept_port(tmp_path / "port", wanted=port)
        assert kept_port(tmp_path / "port") != port


def test_the_env_file_says_the_same_to_a_shell() -> None:
    value = """it's "quoted"; $HOME `id` \\ {a,b} * ? # & | < >\n\ttwo"""
    text = assignments({"PODIUM_URL": "http://127.0.0.1:1", "PODIUM_JWT_SECRET": value})
    # And to what the shell starts.
    for ask in ('printf %s "$PODIUM_JWT_SECRET"', "printenv PODIUM_JWT_SECRET"):
        printed = subprocess.run(
            ["sh", "-c", text + ask],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        assert printed.stdout.removesuffix("\n") == value


# --- Real servers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a home in which everything is stopped in the end."""
    home = tmp_path_factory.mktemp("home")
    # As an interrupted first start leaves it.
    (home / "mysql.new").mkdir()
    (home / "mysql.new" / "ibdata1").write_text("half of it")
    yield home
    stop_stack(home)


def root(server: Server, **place: str | int) -> Any:
    """Connect as the administrative account, by the socket if no other place is named."""
    login = MysqlUrl.parse(server.url)
    return mysql.connector.connect(
        user=login.user,
        password=login.password,
        **(place or {"unix_socket": str(server.unix_socket)}),
    )


def value(connection: Any, expression: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


def pid_of(home: Path, name: str) -> int:
    return int((home / "run" / f"{name}.pid").read_text())


def told(home: Path, name: str, what: str) -> list[str]:
    """Return the words of a process's command line or environment."""
    return Path(f"/proc/{pid_of(home, name)}/{what}").read_text().split("\0")


def test_a_running_mysql_is_found_and_left_running_by_who_found_it(home: Path) -> None:
    with start_mysql(home) as started:
        found = start_mysql(home)
        found.stop()
        assert (started.source, found.source, found.url) == ("debian", "running", started.url)
        with root(found) as connection:
            assert value(connection, "@@sync_binlog") == 1
    assert not (home / "run" / "mysqld.pid").exists()


def test_mysql_keeps_its_data_and_its_address_even_when_killed(home: Path) -> None:
    first = start_mysql(home)
    with root(first) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE kept")
    pid = pid_of(home, "mysqld")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with start_mysql(home) as again, root(again) as connection:
        assert again.url == first.url
        connection.cmd_init_db("kept")


def test_a_long_home_gets_a_socket_path_that_the_kernel_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = socket_path(Path("/long" * 30))
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as unix_socket:
        unix_socket.bind(str(path))
    assert socket_path(Path("/short")) == Path("/short/run/mysqld.sock")


def test_a_running_redis_is_found_and_keeps_nothing_on_disk(home: Path) -> None:
    with start_redis(home) as started:
        assert start_redis(home).url == started.url
        with redis.Redis.from_url(started.url) as client:
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
    assert not (home / "run" / "redis.pid").exists()


# --- All of it


def services(home: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", "--home", str(home), *command],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


def variables(home: Path) -> dict[str, str]:
    """Read the env file as a shell does."""
    printed = subprocess.run(
        ["sh", "-c", f"set -a; . {home}/env; env"], capture_output=True, text=True, check=True
    )
    lines = [line for line in printed.stdout.splitlines() if line.startswith("PODIUM_")]
    return dict(line.split("=", 1) for line in lines)


def get(url: str, path: str, token: str = "") -> int:
    """Return the status of an answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_part_that_fails_takes_back_what_was_started(home: Path) -> None:
    failed = services(home, "up", PODIUM_JWT_SECRET="short")
    assert failed.returncode == 1
    assert "The gateway cannot start" in failed.stderr and "PODIUM_JWT_SECRET" in failed.stderr
    assert list((home / "run").glob("*.pid")) == []


def test_up_serves_and_down_leaves_nothing_running(home: Path) -> None:
    up = services(home, "up")
    assert up.returncode == 0, up.stderr
    env = variables(home)
    assert stat.S_IMODE((home / "env").stat().st_mode) == 0o600
    assert get(env["PODIUM_URL"], "/readyz") == 200
    assert get(env["PODIUM_URL"], "/api/v1/exams", env["PODIUM_ADMIN_TOKEN"]) == 200
    assert (home / "run" / "gateway.pid").exists()

    pids = {path: path.read_text() for path in (home / "run").glob("*.pid")}
    again = services(home, "up")
    assert again.stdout.count("already running") == 3
    assert {path: path.read_text() for path in pids} == pids

    assert services(home, "down").stdout == "Stopped gateway, redis, mysqld.\n"
    assert list((home / "run").glob("*.pid")) == [] and not (home / "env").exists()


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[Stack]:
    """Run all of it."""
    with start_stack(home) as stack:
        yield stack


def gateway(home: Path, stack: Stack, name: str, **env: str) -> Server:
    """Find or start one more gateway."""
    return start_gateway(
        home,
        mysql_url=stack.gateway_mysql_url,
        redis_url=stack.redis.url,
        secret=stack.secret,
        name=name,
        env=env,
    )


def test_the_gateway_knows_no_account_but_its_own(home: Path, stack: Stack) -> None:
    environ = told(home, "gateway", "environ")
    assert f"PODIUM_MYSQL_URL={stack.gateway_mysql_url}" in environ
    assert MysqlUrl.parse(stack.mysql.url).password not in " ".join(environ)
    assert stack.secret not in " ".join(told(home, "gateway", "cmdline"))


def test_nobody_gets_into_mysql_without_the_password(home: Path, stack: Stack) -> None:
    login = MysqlUrl.parse(stack.mysql.url)
    with root(stack.mysql, host="127.0.0.1", port=login.port) as connection:
        assert value(connection, "CURRENT_USER()") == "root@localhost"
    with pytest.raises(mysql.connector.Error, match="Access denied"):
        mysql.connector.connect(user="root", unix_socket=login.unix_socket)
    words = told(home, "mysqld", "cmdline")
    assert "--bind-address=127.0.0.1" in words and login.password not in " ".join(words)


def test_nobody_else_reads_what_a_home_keeps(home: Path, stack: Stack) -> None:
    kept = [path for path in (home / "run").iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in kept} == {0}


def test_our_own_url_in_the_environment_is_no_server_of_somebody_elses(
    home: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PODIUM_SERVICES_SOURCE")
    monkeypatch.setenv("PODIUM_MYSQL_URL", stack.mysql.url)
    monkeypatch.setenv("PODIUM_REDIS_URL", stack.redis.url)
    assert (start_mysql(home).source, start_redis(home).source) == ("running", "running")


def test_on_a_server_of_others_the_gateway_gets_an_account_of_its_own(
    tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_SERVICES_SOURCE", "url")
    monkeypatch.setenv("PODIUM_MYSQL_URL", stack.mysql.url)
    monkeypatch.setenv("PODIUM_REDIS_URL", stack.redis.url)
    with start_stack(tmp_path) as guest:
        assert MysqlUrl.parse(guest.gateway_mysql_url).user.startswith("podium_app_")
    mysql.connector.connect(**MysqlUrl.parse(stack.gateway_mysql_url).arguments).close()


def test_gateways_run_side_by_side(home: Path, stack: Stack) -> None:
    with gateway(home, stack, "second") as second:
        assert second.url != stack.url
        assert get(second.url, "/readyz") == get(stack.url, "/readyz") == 200
    assert get(stack.url, "/readyz") == 200


def test_a_killed_gateway_takes_its_worker_along(home: Path, stack: Stack) -> None:
    first = gateway(home, stack, "killed")
    pid = pid_of(home, "killed")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 10
    with pytest.raises(ConnectionError):
        while time.monotonic() < deadline:
            get(first.url, "/healthz")
    with gateway(home, stack, "killed") as second:
        assert second.url == first.url


def test_a_worker_handles_a_signal_that_another_of_its_threads_took(
    home: Path, stack: Stack
) -> None:
    """The kernel gives a signal of a process to any of its threads; Python handles it in one."""
    with gateway(home, stack, "told") as server:
        pid = pid_of(home, "told")
        [worker] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        others = [int(task.name) for task in Path(f"/proc/{worker}/task").iterdir()]
        others.remove(int(worker))
        assert ctypes.CDLL(None).tgkill(int(worker), others[-1], signal.SIGTERM) == 0
        wait_until(lambda: not Path(f"/proc/{worker}").exists(), 5)
        with pytest.raises(ConnectionError):
            get(server.url, "/healthz")


def test_a_gateway_with_other_settings_is_started_anew(home: Path, stack: Stack) -> None:
    with gateway(home, stack, "third", PODIUM_MAX_STREAMS="20"):
        pid = pid_of(home, "third")
        assert "already" in gateway(home, stack, "third", PODIUM_MAX_STREAMS="20").description
        gateway(home, stack, "third", PODIUM_MAX_STREAMS="21")
        assert pid_of(home, "third") != pid


def test_a_gateway_told_otherwise_by_the_environment_is_started_anew(
    home: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(home, stack, "fourth"):
        pid = pid_of(home, "fourth")
        monkeypatch.setenv("PODIUM_URL", "of no use to a gateway")
        assert "already" in gateway(home, stack, "fourth").description
        monkeypatch.setenv("PODIUM_MAX_STREAMS", "20")
        gateway(home, stack, "fourth")
        assert pid_of(home, "fourth") != pid


def test_a_gateway_of_other_code_is_started_anew(
    home: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(home, stack, "fifth"):
        pid = pid_of(home, "fifth")
        monkeypatch.setattr("services.gateway._code_checksum", lambda: "of a newer release")
        gateway(home, stack, "fifth")
        assert pid_of(home, "fifth") != pid


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
@pytest.mark.parametrize("command", [("services", "up"), ("demo",)])
def test_a_port_that_is_none_is_refused_in_one_line(
    tmp_path: Path, command: tuple[str, ...], port: str
) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", command[0], "--home", str(tmp_path), *command[1:]],
        cwd=ROOT,
        env=os.environ | {"PODIUM_PORT": port},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.stderr == (
        f"PODIUM_PORT (or --port) must be a whole number from 1 to 65535, not {port!r}\n"
    )
    assert refused.returncode == 1
    assert not list(tmp_path.iterdir())


def test_a_fixed_port_that_is_taken_is_named(home: Path, stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused = services(home, "up", PODIUM_PORT=str(port))
    assert refused.stderr == f"The gateway cannot start: port {port} is taken\n"
    # And the one that ran before goes on.
    assert get(stack.url, "/readyz") == 200


# --- A command stops only what it started


def python_guest(home: Path, name: str = "demo") -> subprocess.Popen[str]:
    """Begin a command that serves as long as it lives, and wait until it does."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys\nfrom pathlib import Path\nfrom services import start_stack\n"
            f"with start_stack(Path(sys.argv[1]), guest={name!r}) as stack:\n"
            "    print('serves', stack.url, flush=True)\n    sys.stdin.read()\n",
            str(home),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process


def url_of(process: subprocess.Popen[str]) -> str:
    """Return where a guest serves, once it does."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("serves "):
            return line.split()[1]
    raise AssertionError("it has ended")


def serves(url: str) -> bool:
    try:
        return get(url, "/readyz") == 200
    except OSError:
        return False


def test_a_guest_leaves_the_gateway_of_make_up_as_it_is(
    home: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_text() for path in (home / "run").glob("*.pid")}
    # Whoever has exported .local/env, and a setting more.
    monkeypatch.delenv("PODIUM_SERVICES_SOURCE")
    for name, text in stack.variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("PODIUM_CANDIDATE_SUBMISSIONS", "off")
    with python_guest(home) as guest:
        assert url_of(guest) != stack.url
    assert guest.returncode == 0
    assert {path: path.read_text() for path in (home / "run").glob("*.pid")} == before
    assert serves(stack.url)


def test_the_servers_stay_until_the_last_who_uses_them_ends(tmp_path: Path) -> None:
    with python_guest(tmp_path) as first:
        url_of(first)
        with python_guest(tmp_path) as second:
            url = url_of(second)
            assert first.stdin is not None
            first.stdin.close()
            first.wait(60)
            assert serves(url)
            # What `make up` started is stopped, and it started nothing.
            assert "MySQL and Redis stay for demo-2" in services(tmp_path, "down").stdout
            refused = services(tmp_path, "reset")
            assert (refused.returncode, refused.stdout) == (1, "")
            assert refused.stderr.startswith("demo-2 is running on the data in ")
            assert serves(url)
    assert second.returncode == 0
    assert list((tmp_path / "run").glob("*.pid")) == []
    assert services(tmp_path, "reset").returncode == 0


def test_what_a_killed_guest_has_left_is_stopped_with_the_rest(tmp_path: Path) -> None:
    with python_guest(tmp_path) as guest:
        url = url_of(guest)
        guest.kill()
    assert serves(url)
    assert services(tmp_path, "down").stdout == "Stopped demo, redis, mysqld.\n"
    assert not serves(url)


def test_reset_drops_our_data_and_says_what_it_leaves(home: Path) -> None:
    reset = services(home, "reset", PODIUM_MYSQL_URL="mysql://root:x@db.example/podium")
    assert [path.name for path in home.iterdir()] == ["services.lock"]
    assert "The database that PODIUM_MYSQL_URL names is not Podium's own" in reset.stdout
