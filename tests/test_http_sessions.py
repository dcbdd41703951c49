"""POST and GET /sessions, GET /sessions/<id>, PATCH /sessions/<id>/finish."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission

FIELDS = [
    "session_id",
    "exam_id",
    "user_id",
    "attempt_no",
    "status",
    "version",
    "total_score",
    "weighted_coding",
    "weighted_quiz",
    "weighted_assessment",
    "total_time_sec",
    "started_at",
    "deadline_at",
    "finished_at",
]


def test_a_new_session_is_answered_with_its_row(api: Api) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    assert answer.status == 201
    session = answer.json
    assert list(session) == FIELDS
    assert (session["exam_id"], session["user_id"], session["attempt_no"]) == (exam_id, user_id, 1)
    assert (session["status"], session["version"]) == ("in_progress", 0)
    assert (session["total_score"], session["total_time_sec"]) == (0, 0)
    assert session["started_at"].endswith("Z")
    assert session["deadline_at"] is session["finished_at"] is None


def test_starting_again_returns_the_session_in_progress(api: Api) -> None:
    exam_id, user_id = make_exam(api), make_user(api)
    first = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    again = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    assert (again.status, again.json) == (200, first.json)


def test_starts_at_once_make_one_session(gateways: list[Api]) -> None:
    exam_id, user_id = make_exam(gateways[0]), make_user(gateways[0])
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda n: gateways[n % 2].post(
                    "/sessions", {"exam_id": exam_id, "user_id": user_id}
                ),
                range(16),
            )
        )
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert len({answer.json["session_id"] for answer in answers}) == 1


def test_attempts_are_counted_and_end(api: Api) -> None:
    exam_id, user_id = make_exam(api, max_attempts=2), make_user(api)
    first = make_session(api, exam_id, user_id)
    api.patch(f"/sessions/{first}/finish")
    second = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    assert (second.status, second.json["attempt_no"]) == (201, 2)
    api.patch(f"/sessions/{second.json['session_id']}/finish")
    third = api.post("/sessions", {"exam_id": exam_id, "user_id": user_id})
    assert (third.status, third.code) == (409, "attempts_exhausted")


def test_an_exam_that_has_not_started_lets_nobody_in(api: Api) -> None:
    exam_id = make_exam(api, starts_at="2099-01-01T00:00:00Z")
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": make_user(api)})
    assert (answer.status, answer.code) == (409, "exam_not_open")


def test_an_exam_that_has_ended_lets_nobody_in(api: Api) -> None:
    exam_id = make_exam(api, ends_at="2020-01-01T00:00:00Z")
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": make_user(api)})
    assert (answer.status, answer.code) == (409, "exam_ended")


def test_the_deadline_is_the_earlier_of_duration_and_end(api: Api) -> None:
    exam_id = make_exam(api, ends_at="2099-01-01T00:00:00Z", duration_sec=60)
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": make_user(api)}).json
    assert answer["started_at"] < answer["deadline_at"] < "2099"
    exam_id = make_exam(api, ends_at="2099-01-01T00:00:00Z")
    answer = api.post("/sessions", {"exam_id": exam_id, "user_id": make_user(api)}).json
    assert answer["deadline_at"] == "2099-01-01T00:00:00.000000Z"


def test_a_session_is_read_with_its_modules(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    assert api.get(f"/sessions/{session_id}").json["modules"] == []
    details = {"test_cases_passed": 17, "test_cases_total": 20}
    api.post("/scores", submission(session_id, details=details))
    answer = api.get(f"/sessions/{session_id}")
    assert answer.status == 200
    session = answer.json
    assert list(session) == [*FIELDS, "modules"]
    assert (session["version"], session["total_score"], session["weighted_quiz"]) == (
        1,
        42.75,
        None,
    )
    [module] = session["modules"]
    assert module.pop("submitted_at").endswith("Z")
    assert module == {
        "module_type": "coding",
        "raw_score": 85.5,
        "max_score": 100,
        "weighted_score": 42.75,
        "time_spent_sec": 2400,
        "details": details,
    }


def test_finishing_twice_changes_nothing_the_second_time(api: Api) -> None:
    session_id = make_session(api, make_exam(api))
    first = api.patch(f"/sessions/{session_id}/finish")
    assert first.status == 200
    assert list(first.json) == FIELDS
    assert first.json["status"] == "finished"
    assert first.json["finished_at"] >= first.json["started_at"]
    again = api.patch(f"/sessions/{session_id}/finish")
    assert (again.status, again.json) == (200, first.json)


def test_sessions_are_listed_by_exam_candidate_and_status(api: Api) -> None:
    exam_id, other = make_exam(api, max_attempts=2), make_exam(api)
    alice, bob = make_user(api), make_user(api)
    first = make_session(api, exam_id, alice)
    assert api.patch(f"/sessions/{first}/finish").status == 200
    bobs, second = make_session(api, exam_id, bob), make_session(api, exam_id, alice)
    elsewhere = make_session(api, other, alice)

    def listed(caller: Api, **query: object) -> list[int]:
        answer = caller.get("/sessions", **query)
        assert answer.status == 200, answer.text
        return [session["session_id"] for session in answer.json["sessions"]]

    assert listed(api, exam_id=exam_id) == [first, bobs, second]
    assert listed(api, exam_id=exam_id, status="in_progress") == [bobs, second]
    assert listed(api, user_id=alice) == [first, second, elsewhere]
    assert listed(api, exam_id=exam_id, user_id=alice, status="finished") == [first]
    assert listed(api, after=first, limit=2) == [bobs, second]
    # A candidate's own, whether they say so or not.
    assert listed(api.as_user(alice)) == listed(api.as_user(alice), user_id=alice)
    assert listed(api.as_user(alice)) == [first, second, elsewhere]
    assert listed(api.as_user(bob), exam_id=exam_id) == [bobs]
    answer = api.as_user(bob).get("/sessions", user_id=alice)
    assert (answer.status, answer.code) == (403, "not_own_session")
    assert api.as_user(bob).get("/sessions", user_id=999999999).text == answer.text


def test_a_list_of_sessions_goes_through_all_once(api: Api) -> None:
    exam_id = make_exam(api)
    made = [make_session(api, exam_id) for _ in range(3)]
    after, seen = 0, list[dict[str, object]]()
    while after is not None:
        page = api.get("/sessions", exam_id=exam_id, after=after, limit=2).json
        seen += page["sessions"]
        after = page["next_after"]
    assert [session["session_id"] for session in seen] == made
    assert all(list(session) == FIELDS for session in seen)


def test_sessions_of_an_exam_that_does_not_exist_are_404(api: Api) -> None:
    answer = api.get("/sessions", exam_id=999999999)
    assert (answer.status, answer.code) == (404, "exam_not_found")
    answer = api.get("/sessions", status="expired")
    assert (answer.status, answer.code) == (422, "status_invalid")
