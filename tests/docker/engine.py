"""A Docker engine from Debian's packages, for machines that have none.

It runs as root in namespaces of its own: its bridges, firewall rules, mounts and processes are
nobody else's, and all end with it. Nothing is installed: the packages are unpacked, and the
engine sees them as its root. What it publishes on loopback is on the loopback of its network, so
that whoever wants to reach it runs there too, through Engine.run().
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker

from services import debian
from services.engine import ERRORS
from services.server import HOME, ROOT, Unavailable
from tests.waiting import wait_until

FOLDER = HOME / "docker"
PACKAGES = ("docker.io", "docker-compose", "iptables", "iproute2", "mount")
INIT = Path(__file__).with_name("engine.sh")
TOOLS = ("setpriv", "unshare", "nsenter", "mount", "pivot_root")
START_TIMEOUT_SEC = 60
STOP_TIMEOUT_SEC = 30


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers: how to speak to it and how to run beside it."""

    description: str
    compose: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    # Whether images have to be made, since none can be pulled.
    private: bool = False

    def run(
        self, *command: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command where the engine's published ports are."""
        return subprocess.run(
            [*self.prefix, *command],
            cwd=cwd,
            env={**os.environ, **self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
        )

    def client(self) -> docker.DockerClient:
        """Connect to the engine."""
        return docker.from_env(timeout=300, environment={**os.environ, **self.environment})


@contextlib.contextmanager
def find_or_start() -> Iterator[Engine]:
    """Give the machine's own engine where one answers, else one of Debian's packages."""
    if own := _own():
        yield own
    else:
        with _started() as engine:
            yield engine


def _own() -> Engine | None:
    """Return the engine of this machine, if one answers and Compose is there for it."""
    with contextlib.suppress(*ERRORS), contextlib.closing(docker.from_env(timeout=10)) as client:
        version = client.version()["Version"]
        asked = ["docker", "compose", "version"]
        if shutil.which("docker") is None or subprocess.run(asked, capture_output=True).returncode:
            raise Unavailable("a Docker engine answers, but `docker compose` is missing")
        return Engine(f"{version} of this machine", ("docker", "compose"))
    return None


@contextlib.contextmanager
def _started() -> Iterator[Engine]:
    """Start a private engine, and end it, its containers and its data."""
    if os.geteuid() != 0:
        raise Unavailable("no Docker engine answers, and only root can start one")
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise Unavailable(f"no Docker engine answers, and no {tool} to start one with")
    packages = debian.unpack(FOLDER / "engine", PACKAGES, called="a Docker engine")
    _clear()
    state = FOLDER / f"run-{os.getpid()}"
    state.mkdir(mode=0o700)
    address, log = state / "docker.sock", state / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            # Ending unshare ends the first process of its namespace, and with that all of them; it
            # ends with us, however we end.
            ["setpriv", "--pdeathsig=KILL", "--"]
            + ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--"]
            + ["sh", str(INIT), str(packages.root), str(ROOT), str(state)],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        with contextlib.suppress(AssertionError):
            wait_until(lambda: process.poll() is not None or _listens(address), START_TIMEOUT_SEC)
        if process.poll() is not None or not _listens(address):
            raise Unavailable(f"Debian's Docker engine does not start: {_last_words(log)}")
        first = _child(process.pid)
        environment = {
            "DOCKER_HOST": f"unix://{address}",
            # Neither can be pulled: the remover of what a killed run leaves, which ends with the
            # engine here, and the newer builder.
            "TESTCONTAINERS_RYUK_DISABLED": "true",
            "DOCKER_BUILDKIT": "0",
            # By the published ports on loopback, whatever testcontainers makes of this machine.
            "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
            "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
        }
        yield Engine(
            f"{_version(environment)} of Debian's packages, in namespaces of its own",
            tuple(packages.command("usr/libexec/docker/cli-plugins/docker-compose")),
            environment,
            ("nsenter", f"--net=/proc/{first}/ns/net", "--"),
            private=True,
        )
        os.kill(first, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_SEC)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(state)


def _clear() -> None:
    """Remove the data of engines whose command was killed, and which ended with it."""
    for state in FOLDER.glob("run-*"):
        if not Path("/proc", state.name.removeprefix("run-")).exists():
            shutil.rmtree(state)


def _version(environment: Mapping[str, str]) -> str:
    """Return the version of the engine that an environment names."""
    with contextlib.closing(docker.from_env(environment=dict(environment))) as client:
        return str(client.version()["Version"])


def _listens(address: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(address))
        return True
    return False


def _child(pid: int) -> int:
    """Return the only child of a process."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"
