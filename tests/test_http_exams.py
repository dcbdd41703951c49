"""POST /exams, GET /exams, GET and PATCH /exams/<id>."""

from __future__ import annotations

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, submission

FIELDS = [
    "exam_id",
    "title",
    "weight_coding",
    "weight_quiz",
    "weight_assessment",
    "max_attempts",
    "attempt_policy",
    "starts_at",
    "ends_at",
    "duration_sec",
    "created_at",
    "revision",
    "total_participants",
    "weights",
]


def test_only_the_title_is_needed_and_the_defaults_are_the_contracts(api: Api) -> None:
    answer = api.post("/exams", {"title": "Backend Challenge 2026"})
    assert answer.status == 201
    exam = answer.json
    assert list(exam) == FIELDS
    assert exam["title"] == "Backend Challenge 2026"
    assert exam["weights"] == {"coding": 50, "quiz": 30, "assessment": 20}
    assert (exam["max_attempts"], exam["attempt_policy"]) == (1, "best")
    assert exam["starts_at"] is exam["ends_at"] is exam["duration_sec"] is None
    assert (exam["revision"], exam["total_participants"]) == (0, 0)


def test_null_means_the_same_as_leaving_out(api: Api) -> None:
    optional = [
        *("weights", "max_attempts", "attempt_policy"),
        *("starts_at", "ends_at", "duration_sec"),
    ]
    left_out = api.post("/exams", {"title": "T"}).json
    null = api.post("/exams", {"title": "T"} | dict.fromkeys(optional)).json
    differing = {name for name in FIELDS if left_out[name] != null[name]}
    assert differing == {"exam_id", "created_at"}


def test_what_is_given_is_kept(api: Api) -> None:
    given = {
        "title": "Everything",
        "weights": {"coding": 33.33, "quiz": 33.33, "assessment": 33.34},
        "max_attempts": 1000,
        "attempt_policy": "latest",
        "starts_at": "2026-01-01T10:00:00.123456+02:00",
        "ends_at": "2099-12-31t23:59:59z",
        "duration_sec": 4194303,
    }
    exam_id = api.post("/exams", given).json["exam_id"]
    exam = api.get(f"/exams/{exam_id}").json
    assert (
        exam
        | given
        | {
            "starts_at": "2026-01-01T08:00:00.123456Z",
            "ends_at": "2099-12-31T23:59:59.000000Z",
        }
        == exam
    )


def test_a_module_may_weigh_nothing(api: Api) -> None:
    weights = {"coding": 100, "quiz": 0, "assessment": 0}
    assert api.post("/exams", {"title": "T", "weights": weights}).json["weights"] == weights


def test_an_exam_is_read_as_it_was_created(api: Api) -> None:
    created = api.post("/exams", {"title": "T"}).json
    answer = api.get(f"/exams/{created['exam_id']}")
    assert (answer.status, answer.json) == (200, created)


def test_the_list_goes_through_all_exams_once(api: Api) -> None:
    made = [make_exam(api) for _ in range(3)]
    after, seen = made[0] - 1, list[int]()
    while after is not None:
        answer = api.get("/exams", after=after, limit=2)
        assert answer.status == 200
        seen += [exam["exam_id"] for exam in answer.json["exams"]]
        after = answer.json["next_after"]
    assert seen == sorted(seen)
    assert seen[:3] == made


def test_the_list_shows_the_fields_of_an_exam_but_its_revision(api: Api) -> None:
    exam_id = make_exam(api)
    [exam] = api.get("/exams", after=exam_id - 1, limit=1).json["exams"]
    whole = api.get(f"/exams/{exam_id}").json
    del whole["revision"]
    assert exam == whole


def test_the_list_behind_the_last_exam_is_empty(api: Api) -> None:
    answer = api.get("/exams", after=make_exam(api))
    assert answer.json == {"exams": [], "next_after": None}


def test_new_weights_recalculate_the_board_in_one_revision(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    before = api.post("/scores", submission(session_id, raw_score=80)).json["revision"]
    weights = {"coding": 20, "quiz": 50, "assessment": 30}
    answer = api.patch(f"/exams/{exam_id}", {"weights": weights})
    assert answer.status == 200
    assert list(answer.json) == FIELDS
    assert (answer.json["weights"], answer.json["revision"]) == (weights, before + 1)
    [entry] = api.get("/leaderboard", exam_id=exam_id).json["leaderboard"]
    assert entry["total_score"] == 16


def test_weights_of_an_exam_that_nobody_took_can_change(api: Api) -> None:
    exam_id = make_exam(api)
    weights = {"coding": 0.01, "quiz": 0, "assessment": 99.99}
    assert api.patch(f"/exams/{exam_id}", {"weights": weights}).json["weights"] == weights


@pytest.mark.parametrize("method", ["get", "patch"])
def test_an_exam_that_does_not_exist_is_404(api: Api, method: str) -> None:
    body = {"weights": {"coding": 50, "quiz": 30, "assessment": 20}}
    answer = api.request(method.upper(), "/exams/999999999", body if method == "patch" else None)
    assert (answer.status, answer.code) == (404, "exam_not_found")
