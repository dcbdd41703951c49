"""docker-compose.yml, brought up for real."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import FROM_FILES
from services.process import kept_port
from services.server import ROOT
from tests.client import Api
from tests.docker.require import require_docker
from tests.factories import make_exam

pytestmark = pytest.mark.timeout(300)

OWN, MORE = "docker-compose.yml", "tests/docker/compose.yml"
CANDIDATES = 150


@dataclass(frozen=True)
class Compose:
    """A project of Compose with settings of its own."""

    env_file: Path
    settings: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """Run Compose and return what it printed; what it refuses is an error."""
        done = compose(self.env_file, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings['PODIUM_PORT']}"

    @property
    def mysql_url(self) -> str:
        port = self.settings["PODIUM_TEST_MYSQL_PORT"]
        return f"mysql://root:{self.settings['MYSQL_ROOT_PASSWORD']}@127.0.0.1:{port}/podium"

    @property
    def api(self) -> Api:
        return Api(self.url, self.settings["PODIUM_JWT_SECRET"])

    def containers(self) -> dict[str, Any]:
        """Return what `ps` tells of each service's container."""
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        return {told["Service"]: told for told in map(json.loads, lines)}


def compose(
    env_file: Path, *arguments: str, files: Sequence[str] = (OWN, MORE)
) -> subprocess.CompletedProcess[str]:
    """Run Compose on the project's file and the tests' addition to it."""
    return subprocess.run(
        [
            *shlex.split(os.environ.get("PODIUM_COMPOSE") or "docker compose"),
            *("--project-name", f"podium-test-{os.getpid()}", "--env-file", str(env_file)),
            *(word for file in files for word in ("--file", file)),
            *arguments,
        ],
        cwd=ROOT,
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PODIUM_", "MYSQL_"))
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """Bring the project up from nothing, as the README says, and drop it afterwards."""
    require_docker()
    folder = tmp_path_factory.mktemp("compose")
    settings = {
        "MYSQL_ROOT_PASSWORD": secrets.token_hex(16),
        "PODIUM_APP_PASSWORD": secrets.token_hex(16),
        "PODIUM_JWT_SECRET": secrets.token_hex(32),
        "PODIUM_PORT": str(kept_port(folder / "gateway.port")),
        "PODIUM_TEST_MYSQL_PORT": str(kept_port(folder / "mysql.port")),
        "MYSQL_BUFFER_POOL": "128M",
    }
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    found = Compose(env_file, settings)
    try:
        found.run("up", "--build", "--wait")
        yield found
    finally:
        found.run("down", "--volumes", "--remove-orphans")


def test_everything_is_healthy_when_up_returns(project: Compose) -> None:
    states = {
        service: told["Health"] or (told["State"], told["ExitCode"])
        for service, told in project.containers().items()
    }
    assert states == {
        "mysql": "healthy",
        "redis": "healthy",
        "upgrade": ("exited", 0),
        "gateway": "healthy",
    }


def test_the_start_up_folder_has_loaded_the_schema(project: Compose) -> None:
    assert "0 files applied" in project.run("logs", "upgrade")


def test_the_demo_exam_passes_against_it(project: Compose) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "demo", "--no-serve"]
        + [f"--candidates={CANDIDATES}", f"--url={project.url}"],
        cwd=ROOT,
        env={
            **os.environ,
            "PODIUM_MYSQL_URL": project.mysql_url,
            "PODIUM_JWT_SECRET": project.settings["PODIUM_JWT_SECRET"],
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert "All 11 checks passed." in played.stdout


def test_only_the_gateway_is_published_and_on_loopback_alone(project: Compose) -> None:
    described = json.loads(
        compose(project.env_file, "config", "--format", "json", files=[OWN]).stdout
    )
    published = {
        service: [(port.get("host_ip"), port["target"]) for port in told["ports"]]
        for service, told in described["services"].items()
        if told.get("ports")
    }
    assert published == {"gateway": [("127.0.0.1", 8000)]}


def test_the_gateway_does_not_know_roots_password(project: Compose) -> None:
    environment = project.run("exec", "-T", "gateway", "env")
    assert project.settings["PODIUM_APP_PASSWORD"] in environment
    assert project.settings["MYSQL_ROOT_PASSWORD"] not in environment


def test_data_outlives_its_containers(project: Compose) -> None:
    exam_id = make_exam(project.api, title="Kept")
    project.run("down")
    project.run("up", "--wait")
    assert project.api.get(f"/exams/{exam_id}").json["title"] == "Kept"


def test_every_setting_of_the_gateway_reaches_its_container() -> None:
    gateway = yaml.safe_load((ROOT / OWN).read_text())["services"]["gateway"]
    # Of the administrative account it is not to know.
    hidden = {"PODIUM_MYSQL_URL", "PODIUM_MYSQL_PASSWORD"}
    known = set(re.findall(r'"(PODIUM_[A-Z_]+)"', (ROOT / "gateway/config.py").read_text()))
    assert known - hidden <= set(gateway["environment"])
    given = known - hidden - {name for name in FROM_FILES if "_URL" in name or "MYSQL" in name}
    from_files = {f"{name}_FILE" for name in given & set(FROM_FILES)}
    for name in given | from_files:
        # What .env says, and the default of config.py where it says nothing.
        assert gateway["environment"][name] == f"${{{name}:-}}"
    assert set(gateway["environment"]) & hidden == set()


def test_gateways_can_be_several() -> None:
    gateway = yaml.safe_load((ROOT / OWN).read_text())["services"]["gateway"]
    assert gateway["ports"] == ["127.0.0.1:${PODIUM_PORT-8000}:8000"]
    assert "container_name" not in gateway


@pytest.mark.parametrize("name", ["MYSQL_ROOT_PASSWORD", "PODIUM_APP_PASSWORD"])
def test_a_secret_that_is_not_filled_in_is_named(
    project: Compose, tmp_path: Path, name: str
) -> None:
    example = (ROOT / ".env.example").read_text()
    filled = {key: "x" for key in project.settings if key != name}
    lines = [
        line + filled.get(line[:-1], "") if line.endswith("=") else line
        for line in example.splitlines()
    ]
    (tmp_path / "env").write_text("\n".join(lines))
    refused = compose(tmp_path / "env", "config")
    assert refused.returncode != 0
    assert f"required variable {name} is missing a value: not set in .env" in refused.stderr
