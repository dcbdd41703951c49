"""The gateway is what its OpenAPI document says, whoever calls it and whatever he sends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import openapi
from tests.client import Api, token
from tests.factories import make_exam, make_session, make_user, submission

# The document itself is not asked for again.
CALLS = sum(map(len, openapi.document()["paths"].values())) - 1
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def target(start_api: Callable[..., Api]) -> Api:
    """Start a gateway of its own, whose streams soon find out that nobody listens."""
    return start_api("gateway-schemathesis", PODIUM_STREAM_HEARTBEAT_SEC="1")


@pytest.mark.timeout(300)  # a quarter of a minute each, on a machine that does nothing else
@pytest.mark.parametrize("role", ["admin", "moderator", "candidate"])
def test_all_checks_of_schemathesis_pass(target: Api, role: str, tmp_path: Path) -> None:
    user_id, exam_id = make_user(target, role), make_exam(target)
    # Who runs exams takes none.
    candidate_id = user_id if role == "candidate" else make_user(target)
    session_id = make_session(target, exam_id, candidate_id)
    assert target.post("/scores", submission(session_id)).status == 200
    ids = {"exams": exam_id, "sessions": session_id, "users": candidate_id}
    settings = tmp_path / SETTINGS.name
    dictionaries = [f"{name} = {{ values = [{value}] }}" for name, value in ids.items()]
    settings.write_text("\n".join([SETTINGS.read_text(), "[dictionaries]", *dictionaries]))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
        *("run", f"{target.url}/openapi.json", "--checks", "all"),
    ]
    environ = os.environ | {"TOKEN": token(target.secret, user_id, role)}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environ)
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, told
    # All of them, and each in earnest.
    assert f"Tested: {CALLS}\n" in told, told
    found = re.search(r"(\d+) generated, \1 passed", told)
    assert found and int(found[1]) > CALLS * 50, told
