"""examples/client.py, run as its reader would, while all goes wrong that it says it survives."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway import loader
from services.server import ROOT
from tests.client import Api, token
from tests.conftest import GATEWAY_PASSWORD, GATEWAY_USER, with_account
from tests.databases import Database
from tests.factories import make_exam, make_session, make_user, submission, unique_name
from tests.own_server import OwnServer

Query = Callable[..., list[dict[str, Any]]]


class Network(ThreadingHTTPServer):
    """What lies between the client and a gateway.

    For each POST to come `meanwhile` may hold what others do before it arrives, and `losses` how
    many of the next are carried out and their answers lost.
    """

    daemon_threads = True

    def __init__(self, gateway: Api) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.gateway = urlsplit(gateway.url)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.meanwhile: deque[Callable[[], object]] = deque()
        self.losses = 0
        self.posted: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Passes one request on to the gateway, and its answer back or not."""

    server: Network

    def do_GET(self) -> None:
        """Pass it on, whatever happens to POSTs."""
        self._answer(self._pass_on(b""))

    def do_POST(self) -> None:
        """Let happen what is to happen."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(json.loads(body))
        if self.server.meanwhile:
            self.server.meanwhile.popleft()()
        answer = self._pass_on(body)
        if self.server.losses:
            self.server.losses -= 1
            # It was carried out: the answer is here. Nobody else will ever see it.
            assert answer[0].status == 200
            return
        self._answer(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: what counts is in the lists."""

    def _pass_on(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        place = self.server.gateway
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response, text

    def _answer(self, answer: tuple[http.client.HTTPResponse, bytes]) -> None:
        response, text = answer
        self.send_response(response.status)
        for name in ("Content-Type", "Retry-After"):
            if value := response.headers[name]:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def network(api: Api) -> Iterator[Network]:
    """Return a network between the client and the first gateway."""
    with Network(api) as network:
        thread = threading.Thread(target=network.serve_forever, args=(0.01,))
        thread.start()
        yield network
        network.shutdown()
        thread.join()


class Client:
    """The example, started with a file of scores."""

    def __init__(self, folder: Path, url: str, bearer: str, *scores: dict[str, Any]) -> None:
        (folder / "scores.jsonl").write_text("".join(f"{json.dumps(score)}\n" for score in scores))
        self._command = [sys.executable, "-u", str(ROOT / "examples" / "client.py"), "scores.jsonl"]
        self._folder = folder
        self._env = {"PATH": os.environ["PATH"], "PODIUM_URL": url, "PODIUM_TOKEN": bearer}

    def start(self) -> subprocess.Popen[str]:
        """Start it; its words can be read."""
        return subprocess.Popen(
            self._command, cwd=self._folder, env=self._env, stdout=subprocess.PIPE, text=True
        )

    def run(self) -> tuple[int, str]:
        """Run it to its end; return its exit code and what it printed."""
        with self.start() as process:
            said, _ = process.communicate(timeout=60)
        return process.returncode, said


@pytest.fixture
def exam_id(api: Api) -> int:
    """Create an exam of the test's own."""
    return make_exam(api, submissions_by="candidates")


@pytest.fixture
def user_id(api: Api) -> int:
    """Register a candidate."""
    return make_user(api)


@pytest.fixture
def session_id(api: Api, exam_id: int, user_id: int) -> int:
    """Start the candidate's session."""
    return make_session(api, exam_id, user_id)


@pytest.fixture
def client(
    network: Network, api: Api, user_id: int, tmp_path: Path
) -> Callable[[*tuple[dict[str, Any], ...]], Client]:
    """Return a function that prepares the example, with the candidate's token and some scores."""
    bearer = token(api.secret, user_id, "candidate")
    return lambda *scores: Client(tmp_path, network.url, bearer, *scores)


@pytest.fixture
def history(query: Query, session_id: int) -> Callable[[], list[tuple[str, int, float]]]:
    """Return a function that reads submission id, version and raw score of each audit row."""
    statement = "SELECT * FROM score_audit_log WHERE session_id = %s ORDER BY audit_id"
    return lambda: [
        (row["submission_id"], row["version"], float(row["new_raw_score"]))
        for row in query(statement, session_id)
    ]


def test_scores_of_three_modules_come_in(client: Any, session_id: int, history: Any) -> None:
    scores = [
        submission(session_id, module_type=module, submission_id=unique_name())
        for module in ("coding", "quiz", "assessment")
    ]
    code, said = client(*scores).run()
    assert code == 0, said
    assert history() == [
        (score["submission_id"], version, 85.5) for version, score in enumerate(scores, 1)
    ]
    assert said.splitlines()[-1] == (
        f"{scores[-1]['submission_id']}: version 3, rank 1 at revision 3"
    )


def test_empty_lines_are_passed_over(
    client: Any, session_id: int, history: Any, tmp_path: Path
) -> None:
    score = submission(session_id, submission_id=unique_name())
    prepared, file = client(score), tmp_path / "scores.jsonl"
    file.write_text(f"\n{file.read_text()}\n\n")
    code, said = prepared.run()
    assert code == 0, said
    assert history() == [(score["submission_id"], 1, 85.5)]


def test_a_version_conflict_is_looked_at_and_sent_again(
    client: Any, network: Network, api: Api, session_id: int, history: Any
) -> None:
    score = submission(session_id, submission_id=unique_name())
    other = submission(session_id, module_type="quiz", submission_id=unique_name())
    network.meanwhile.append(lambda: api.post("/scores", other))
    code, said = client(score).run()
    assert code == 0, said
    assert f"session {session_id} is at version 1, not 0; looking again" in said
    assert [body["expected_version"] for body in network.posted] == [0, 1]
    assert history() == [(other["submission_id"], 1, 85.5), (score["submission_id"], 2, 85.5)]


def test_a_better_score_that_came_in_between_stays(
    client: Any, network: Network, api: Api, session_id: int, history: Any
) -> None:
    score = submission(session_id, submission_id=unique_name())
    better = submission(session_id, raw_score=90, submission_id=unique_name())
    network.meanwhile.append(lambda: api.post("/scores", better))
    code, said = client(score).run()
    assert (code, len(network.posted)) == (0, 1), said
    assert "not sent, version 1 has a score as good" in said
    assert history() == [(better["submission_id"], 1, 90)]


def test_a_lost_answer_is_asked_for_again_and_counts_once(
    client: Any, network: Network, session_id: int, history: Any
) -> None:
    score = submission(session_id, submission_id=unique_name())
    network.losses = 2
    code, said = client(score).run()
    assert code == 0, said
    assert said.count("no answer") == 2
    assert "version 1, rank 1 at revision 1, as was answered before" in said
    assert network.posted == [score | {"expected_version": 0}] * 3
    assert history() == [(score["submission_id"], 1, 85.5)]


def test_an_answer_lost_before_others_submitted_is_no_conflict(
    client: Any, network: Network, api: Api, session_id: int, history: Any
) -> None:
    score = submission(session_id, submission_id=unique_name())
    other = submission(session_id, raw_score=20, submission_id=unique_name())
    network.losses = 1
    network.meanwhile += [lambda: None, lambda: api.post("/scores", other)]
    code, said = client(score).run()
    assert code == 0, said
    assert "version 1, rank 1 at revision 1, as was answered before" in said
    assert history() == [(score["submission_id"], 1, 85.5), (other["submission_id"], 2, 20)]


def test_the_same_file_again_changes_nothing(
    client: Any, network: Network, session_id: int, history: Any
) -> None:
    first = client(submission(session_id, submission_id=unique_name()))
    assert first.run()[0] == 0
    before = history()
    code, said = first.run()
    assert (code, history()) == (0, before), said


def test_a_refused_score_leaves_the_others_alone(
    client: Any, session_id: int, history: Any
) -> None:
    bad = submission(session_id, raw_score=101, submission_id=unique_name())
    good = submission(session_id, submission_id=unique_name())
    code, said = client(bad, good).run()
    assert code == 1
    assert f"{bad['submission_id']}: 422 raw_score_invalid: raw_score must be" in said
    assert history() == [(good["submission_id"], 1, 85.5)]


def test_a_limit_is_waited_for(
    start_api: Callable[..., Api],
    session_id: int,
    user_id: int,
    history: Any,
    tmp_path: Path,
) -> None:
    limited = start_api("gateway-limited", PODIUM_RATE_LIMIT_CANDIDATE="2 per second")
    bearer = token(limited.secret, user_id, "candidate")
    scores = [
        submission(session_id, module_type=module, submission_id=unique_name())
        for module in ("coding", "quiz", "assessment")
    ]
    code, said = Client(tmp_path, limited.url, bearer, *scores).run()
    assert code == 0, said
    assert "429 rate_limited; the same again in 1.0 s" in said
    assert [row[:2] for row in history()] == [
        (score["submission_id"], version) for version, score in enumerate(scores, 1)
    ]


def test_a_database_that_is_away_is_waited_for(
    own_mysql: OwnServer, start_api: Callable[..., Api], tmp_path: Path
) -> None:
    database = Database(own_mysql.url)
    database.upgrade()
    loader.grant_gateway(database.admin, GATEWAY_USER, GATEWAY_PASSWORD)
    api = start_api("gateway-away", with_account(own_mysql.url, GATEWAY_USER, GATEWAY_PASSWORD))
    session_id = make_session(api, make_exam(api, submissions_by="candidates"))
    score = submission(session_id, submission_id=unique_name())
    client = Client(tmp_path, api.url, token(api.secret, api.user_id, api.role), score)
    own_mysql.kill()
    with client.start() as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        own_mysql.start()
        said, _ = process.communicate(timeout=60)
    assert first.startswith(f"{score['submission_id']}: 503 database_unavailable; the same again")
    assert process.returncode == 0, said
    assert said.splitlines()[-1].endswith("version 1, rank 1 at revision 1")
    again = Database(own_mysql.url)
    assert again.execute("SELECT submission_id, version FROM podium.score_audit_log") == [
        (score["submission_id"], 1)
    ]
    again.close()


def test_whoever_starts_it_without_a_token_is_told_how() -> None:
    command = [sys.executable, str(ROOT / "examples" / "client.py"), "scores.jsonl"]
    done = subprocess.run(command, env={"PODIUM_URL": "x"}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "PODIUM_TOKEN=... python client.py scores.jsonl" in done.stderr
