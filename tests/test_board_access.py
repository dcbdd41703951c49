"""Who reads a board, and what it shows of names: the settings of its exam, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gateway.auth import ROLES
from tests.client import Answer, Api, token
from tests.factories import make_exam, make_session, make_user, submission

NOTHING = 999_999_999
# Who reads the board under each setting; all others are told that there is no such exam.
READERS = {
    "everyone": {"nobody", "viewer", "stranger", "alice", "grader", "moderator", "admin"},
    "signed_in": {"viewer", "stranger", "alice", "grader", "moderator", "admin"},
    "participants": {"alice", "grader", "moderator", "admin"},
    "staff": {"grader", "moderator", "admin"},
}
CALLERS = ("nobody", "viewer", "stranger", "alice", "grader", "moderator", "admin")
GRADERS = ("grader", "moderator", "admin")
CALLS: dict[str, Callable[[Api, int, int], Answer]] = {
    "page": lambda api, exam, user: api.get("/leaderboard", exam_id=exam),
    "around": lambda api, exam, user: api.get("/leaderboard/around", exam_id=exam, user_id=user),
    "entry": lambda api, exam, user: api.get(f"/leaderboard/entries/{user}", exam_id=exam),
    "stream": lambda api, exam, user: api.request(
        "HEAD", "/leaderboard/stream", query={"exam_id": exam}
    ),
    "exam": lambda api, exam, user: api.get(f"/exams/{exam}"),
}


@dataclass(frozen=True)
class Place:
    """An exam on whose board alice and bob stand, and everybody who may look."""

    exam_id: int
    ids: dict[str, int]

    def api(self, api: Api, who: str) -> Api:
        """Return the gateway as somebody calls it."""
        if who == "nobody":
            return api.with_token("")
        return api.as_user(self.ids[who], who if who in ROLES else "candidate")


@pytest.fixture
def place(api: Api) -> Place:
    """Make an exam with two entries."""
    exam_id = make_exam(api)
    ids = {name: make_user(api, full_name=f"The real {name}") for name in ("alice", "bob")}
    ids["stranger"] = make_user(api)
    ids |= {role: make_user(api, role) for role in ROLES}
    for name, raw_score in (("alice", 90), ("bob", 80)):
        session_id = make_session(api, exam_id, ids[name])
        assert api.post("/scores", submission(session_id, raw_score=raw_score)).status == 200
    return Place(exam_id, ids)


def told(answer: Answer, exam_id: int) -> tuple[int, str, dict[str, str]]:
    """Return all that an answer tells, but for the exam's own number and the moment."""
    moment = {"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset", "content-length"}
    headers = {n: v for n, v in answer.headers.items() if n.lower() not in moment}
    return answer.status, re.sub(rf"\b{exam_id}\b", "-", answer.text.decode()), headers


def change(api: Api, place: Place, **settings: object) -> None:
    """Change settings of the exam."""
    answer = api.patch(f"/exams/{place.exam_id}", settings)
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("access", READERS)
def test_a_board_is_read_by_whom_its_exam_says(api: Api, place: Place, access: str) -> None:
    change(api, place, board_access=access)
    for who in CALLERS:
        caller = place.api(api, who)
        for name, call in CALLS.items():
            # Twice: the second page comes from the cache.
            for _ in range(2):
                answer = call(caller, place.exam_id, place.ids["bob"])
                sees = who in READERS[access]
                if name == "exam" and who in ("stranger", "alice") and not sees:
                    # A candidate may be about to sit it, and is told nothing of its board.
                    assert answer.status == 200
                    assert answer.json["revision"] is answer.json["total_participants"] is None
                elif sees:
                    assert answer.status == 200, (who, name, answer.text)
                else:
                    missing = call(caller, NOTHING, place.ids["bob"])
                    assert answer.status == (401 if who == "nobody" else 404), (who, name)
                    assert told(answer, place.exam_id) == told(missing, NOTHING), (who, name)
        listed = caller.get("/exams", after=place.exam_id - 1, limit=1)
        if who == "nobody":
            assert listed.status == 401
        else:
            found = [exam["exam_id"] for exam in listed.json["exams"]]
            assert (place.exam_id in found) == (
                who in READERS[access] or who in ("stranger", "alice")
            )


def test_a_change_of_access_holds_at_once(api: Api, place: Place) -> None:
    stranger = place.api(api, "stranger")
    page = stranger.get("/leaderboard", exam_id=place.exam_id)
    assert page.status == 200
    headers = {"If-None-Match": page.headers["ETag"]}
    known = stranger.request(
        "GET", "/leaderboard", query={"exam_id": place.exam_id}, headers=headers
    )
    assert known.status == 304
    change(api, place, board_access="participants")
    # Alice's page is no page of the stranger's, nor is what the stranger had.
    assert place.api(api, "alice").get("/leaderboard", exam_id=place.exam_id).status == 200
    for sent in ({}, headers):
        answer = stranger.request(
            "GET", "/leaderboard", query={"exam_id": place.exam_id}, headers=sent
        )
        assert (answer.status, answer.code) == (404, "exam_not_found")
    # Who starts takes part.
    make_session(api, place.exam_id, place.ids["stranger"])
    assert stranger.get("/leaderboard", exam_id=place.exam_id).status == 200


@pytest.mark.parametrize("names", ["full", "username", "hidden"])
def test_names_are_shown_as_the_exam_says(gateways: list[Api], place: Place, names: str) -> None:
    change(gateways[0], place, board_access="everyone", board_names=names)
    real = {name: gateways[0].get(f"/users/{place.ids[name]}").json for name in ("alice", "bob")}
    for who in (*CALLERS, *reversed(CALLERS)):
        for api in gateways:
            caller = place.api(api, who)
            texts = []
            for name in ("page", "around", "entry"):
                answer = CALLS[name](caller, place.exam_id, place.ids["bob"])
                assert answer.status == 200
                rows = answer.json.get("leaderboard") or [answer.json]
                for row in rows:
                    whose = next(n for n in ("alice", "bob") if place.ids[n] == row["user_id"])
                    shown = (row["username"], row["full_name"])
                    full = (real[whose]["username"], real[whose]["full_name"])
                    hidden = (f"candidate-{row['user_id']}", f"Candidate {row['user_id']}")
                    if who in GRADERS or who == whose or names == "full":
                        assert shown == full, (who, name)
                    elif names == "username":
                        assert shown == (full[0], full[0]), (who, name)
                    else:
                        assert shown == hidden, (who, name)
                texts.append(answer.text.decode())
            if names != "full" and who not in GRADERS:
                assert "The real bob" not in "".join(texts)
            if who == "alice":
                own = CALLS["page"](caller, place.exam_id, 0).json["my_entry"]
                assert own["full_name"] == "The real alice"


def test_entries_of_others_hold_what_a_board_shows(api: Api, place: Place) -> None:
    shown = set(api.get("/leaderboard", exam_id=place.exam_id).json["leaderboard"][0])
    for who in CALLERS[1:]:
        entry = CALLS["entry"](place.api(api, who), place.exam_id, place.ids["alice"]).json
        if who in (*GRADERS, "alice"):
            assert {"session_id", "attempt_no", "weighted_coding"} <= set(entry)
        else:
            assert set(entry) == shown | {"exam_id", "revision"}


def test_a_bad_token_reads_nothing_that_is_open_to_everyone(api: Api, place: Place) -> None:
    change(api, place, board_access="everyone")
    for bearer in ("x.y.z", token(api.secret, 7, "viewer", exp=1)):
        for name, call in CALLS.items():
            assert call(api.with_token(bearer), place.exam_id, place.ids["bob"]).status == 401, name


def test_a_token_is_confined_to_its_exams(api: Api, place: Place) -> None:
    other = make_exam(api, board_access="everyone", submissions_by="candidates")
    theirs = make_session(api, other, place.ids["alice"])
    for role in ROLES:
        user_id = place.ids["alice"] if role == "candidate" else place.ids[role]
        confined = api.with_token(token(api.secret, user_id, role, exam_ids=[place.exam_id]))
        for name, call in CALLS.items():
            inside = call(confined, place.exam_id, place.ids["bob"])
            assert inside.status == 200, (role, name, inside.text)
            outside, missing = call(confined, other, place.ids["bob"]), call(confined, NOTHING, 1)
            if role == "admin":
                assert outside.status == 200 or outside.code == "entry_not_found"
            else:
                assert outside.status == 404, (role, name)
                assert told(outside, other)[0::2] == told(missing, NOTHING)[0::2], (role, name)
        found = [exam["exam_id"] for exam in confined.get("/exams", limit=1000).json["exams"]]
        if role == "admin":
            assert other in found
            continue
        assert found == [place.exam_id]
        calls = [
            confined.post("/sessions", {"exam_id": other, "user_id": place.ids["alice"]}),
            confined.get("/sessions", exam_id=other),
            confined.get(f"/sessions/{theirs}"),
            confined.patch(f"/sessions/{theirs}/finish"),
            confined.post("/scores", submission(theirs)),
            confined.get("/audit", exam_id=other),
        ]
        assert {answer.status for answer in calls} <= {403, 404}, role
        batch = confined.post("/scores/batch", {"submissions": [submission(theirs)]})
        assert batch.status == 403 or batch.json["results"][0]["status"] == 404
    assert api.get(f"/sessions/{theirs}").json["version"] == 0
    grader = api.with_token(token(api.secret, 7, "grader", exam_ids=[place.exam_id]))
    sessions = grader.get("/sessions").json["sessions"]
    assert {session["exam_id"] for session in sessions} == {place.exam_id}


@pytest.mark.parametrize("exam_ids", ["1", 1, [1.5], ["1"], [True], [None], {}])
def test_a_confinement_that_makes_no_sense_is_refused(api: Api, exam_ids: object) -> None:
    answer = api.with_token(token(api.secret, 7, "viewer", exam_ids=exam_ids)).get("/exams")
    assert (answer.status, answer.code) == (401, "token_invalid")


def test_a_stream_ends_for_whom_the_board_is_closed(api: Api, place: Place) -> None:
    change(api, place, board_access="everyone")
    streams = {}
    for who in ("nobody", "viewer", "alice"):
        caller = place.api(api, who)
        bearer = "" if who == "nobody" else token(api.secret, caller.user_id, caller.role)
        streams[who] = api.pool.request(
            "GET",
            f"{api.url}/api/v1/leaderboard/stream?exam_id={place.exam_id}",
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            preload_content=False,
        )
        assert streams[who].status == 200
        while streams[who].readline().strip() != b"event: revision":
            pass
    change(api, place, board_access="participants")
    for who in ("nobody", "viewer"):
        assert b"settings" not in streams[who].read()  # to its end
    while b'"settings"' not in streams["alice"].readline():
        pass
    for stream in streams.values():
        stream.close()
