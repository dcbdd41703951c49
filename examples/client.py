"""Submit scores to Podium, and get over conflicts, lost answers and a gateway that is busy.

    PODIUM_URL=http://127.0.0.1:8000 PODIUM_TOKEN=... python client.py scores.jsonl

Each line of the file is the body of one POST /scores, with a submission_id of its own:

    {"submission_id": "bob-1", "session_id": 7, "module_type": "coding", "raw_score": 88, ...}

The id stays with the score until an answer has come, whatever happens to this program: start it
again with the same file, and nothing counts twice. It needs Python 3.11 and nothing else.

Exit code: 0 every score is in or was not wanted any more, 1 some were refused or had no answer, 2
this help.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Longer than a gateway waits for its database.
TIMEOUT_SEC = 20
# So long one score is tried; then the next run of this program may try again.
PATIENCE_SEC = 120
# A gateway that is busy, a database that is away, a proxy that reaches no gateway.
COME_AGAIN = (429, 502, 503, 504)


class Failed(Exception):
    """Say why a request brought nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body if it is JSON, else an empty one."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


class Podium:
    """A gateway, spoken to with one token."""

    def __init__(self, url: str, token: str) -> None:
        self._base, self._token = f"{url.rstrip('/')}/api/v1", token

    def submit(self, score: dict[str, Any]) -> None:
        """Submit a score unless the session has one as good; print what happens.

        Asks for the state, decides on it, and sends with the version that it decided on. If another
        submission came in between, the gateway refuses with 409 and nothing has changed: ask anew.
        """
        name, path = score["submission_id"], f"/sessions/{score['session_id']}"
        while True:
            session = _checked(self._request("GET", path, None, name))
            if not wanted(session, score):
                print(f"{name}: not sent, version {session['version']} has a score as good")
                return
            body = score | {"expected_version": session["version"]}
            answer = self._request("POST", "/scores", body, name)
            if answer.body.get("code") != "version_conflict":
                break
            print(f"{name}: {answer.body['detail']}; looking again")
        accepted = _checked(answer)
        rank, revision = accepted["leaderboard_entry"]["rank"], accepted["revision"]
        first = ", as was answered before" if accepted["replayed"] else ""
        print(f"{name}: version {accepted['version']}, rank {rank} at revision {revision}{first}")

    def _request(self, method: str, path: str, body: object, name: str) -> Answer:
        """Send a request until there is an answer to it, the very same each time.

        That is safe: a submission goes under its id, and where the first one was carried out and
        only its answer was lost, the gateway gives that answer again.
        """
        give_up = time.monotonic() + PATIENCE_SEC
        tries = 0
        while True:
            wait_sec = random.uniform(0.5, 1) * min(2**tries / 4, 10)
            try:
                answer = self._send(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                why = f"no answer ({error})"
            else:
                if answer.status not in COME_AGAIN:
                    return answer
                why = f"{answer.status} {answer.body.get('code', '')}".rstrip()
                if (asked := answer.headers.get("Retry-After", "")).isdecimal():
                    wait_sec = int(asked)
            if time.monotonic() + wait_sec > give_up:
                raise Failed(f"{why}, given up for now")
            print(f"{name}: {why}; the same again in {wait_sec:.1f} s")
            time.sleep(wait_sec)  # as the gateway asks, or longer after each failure
            tries += 1

    def _send(self, method: str, path: str, body: object) -> Answer:
        """Send a request once."""
        request = urllib.request.Request(
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            response = urllib.request.urlopen(request, timeout=TIMEOUT_SEC)
        except urllib.error.HTTPError as refusal:
            response = refusal
        with response:
            text = response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return Answer(response.status, response.headers, json.loads(text) if is_json else {})


def wanted(session: dict[str, Any], score: dict[str, Any]) -> bool:
    """Decide whether a score should be sent, given the session as it stands.

    Yours to write. Here the better score counts: a moderator may have corrected it meanwhile.
    """
    return all(
        module["raw_score"] * score["max_score"] < score["raw_score"] * module["max_score"]
        for module in session["modules"]
        if module["module_type"] == score["module_type"]
    )


def _checked(answer: Answer) -> dict[str, Any]:
    """Return the body of an answer that is no refusal."""
    if answer.status != 200:
        raise Failed(f"{answer.status} {answer.body.get('code', '')}: {answer.body.get('detail')}")
    return answer.body


def main(path: str) -> int:
    """Submit the scores of a file; return the exit code."""
    podium = Podium(os.environ["PODIUM_URL"], os.environ["PODIUM_TOKEN"])
    failed = 0
    with open(path, encoding="utf-8") as lines:
        for line in filter(str.strip, lines):
            score = json.loads(line)
            try:
                podium.submit(score)
            except Failed as failure:
                print(f"{score['submission_id']}: {failure}")
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not {"PODIUM_URL", "PODIUM_TOKEN"} <= os.environ.keys():
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
