"""POST /exams, GET /exams, GET and PATCH /exams/<id>."""

from __future__ import annotations

import pytest

from tests.client import Api
from tests.factories import make_exam, make_session, make_user, submission

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
    "submissions_by",
    "board_access",
    "board_names",
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
    assert exam["submissions_by"] == "graders"
    assert (exam["board_access"], exam["board_names"]) == ("signed_in", "full")
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


CHANGES: list[dict[str, object]] = [
    {"title": "Another title"},
    {"starts_at": "2026-01-01T08:00:00.123456Z"},
    {"starts_at": None},
    {"ends_at": "2099-12-31T23:59:59.000000Z"},
    {"ends_at": None},
    {"duration_sec": 60},
    {"duration_sec": None},
    {"max_attempts": 7},
    {"attempt_policy": "first"},
    {"submissions_by": "candidates"},
    {"submissions_by": "graders"},
    {"board_access": "everyone"},
    {"board_access": "participants"},
    {"board_access": "staff"},
    {"board_access": "signed_in"},
    {"board_names": "username"},
    {"board_names": "hidden"},
    {"board_names": "full"},
    {"title": "T", "board_names": "hidden", "weights": {"coding": 1, "quiz": 2, "assessment": 97}},
]


def test_each_setting_can_be_changed_and_changes_nothing_else(api: Api) -> None:
    exam_id = make_exam(api, ends_at="2098-01-01T00:00:00Z", duration_sec=600)
    for changes in CHANGES:
        before = api.get(f"/exams/{exam_id}").json
        answer = api.patch(f"/exams/{exam_id}", changes)
        assert answer.status == 200, answer.text
        after = answer.json
        assert after | changes == after
        moved = {name for name in before if before[name] != after[name]}
        weights = {name for name in moved if name.startswith("weight")}
        assert moved - weights <= {*changes, "revision"}
        assert after["revision"] - before["revision"] == bool(moved)
        again = api.patch(f"/exams/{exam_id}", changes)
        assert (again.status, again.json) == (200, after)


WRONG_CHANGES: list[tuple[dict[str, object], str, list[str]]] = [
    ({}, "invalid_value", [""]),
    ({"titel": "x"}, "invalid_value", ["/titel"]),
    ({"title": " "}, "title_invalid", ["/title"]),
    ({"title": None}, "title_invalid", ["/title"]),
    ({"exam_id": 7}, "invalid_value", ["/exam_id"]),
    ({"revision": 7}, "invalid_value", ["/revision"]),
    ({"max_attempts": 0}, "max_attempts_invalid", ["/max_attempts"]),
    ({"max_attempts": None}, "max_attempts_invalid", ["/max_attempts"]),
    ({"attempt_policy": "worst"}, "attempt_policy_invalid", ["/attempt_policy"]),
    ({"starts_at": "2099-01-01T00:00:00Z"}, "schedule_invalid", ["/ends_at"]),
    ({"ends_at": "2027-02-29T00:00:00Z"}, "schedule_invalid", ["/ends_at"]),
    ({"ends_at": "tomorrow"}, "schedule_invalid", ["/ends_at"]),
    ({"duration_sec": 0}, "duration_invalid", ["/duration_sec"]),
    ({"weights": None}, "weights_invalid", ["/weights"]),
    ({"weights": {"coding": 100}}, "invalid_value", ["/weights/assessment", "/weights/quiz"]),
    ({"title": "x", "submissions_by": "all"}, "submissions_by_invalid", ["/submissions_by"]),
    ({"title": "x", "board_access": "nobody"}, "board_access_invalid", ["/board_access"]),
    ({"title": "x", "board_names": None}, "board_names_invalid", ["/board_names"]),
]


@pytest.mark.parametrize(("changes", "code", "pointers"), WRONG_CHANGES, ids=str)
def test_a_wrong_change_is_refused_and_changes_nothing(
    api: Api, changes: dict[str, object], code: str, pointers: list[str]
) -> None:
    exam_id = make_exam(api, ends_at="2098-01-01T00:00:00Z")
    before = api.get(f"/exams/{exam_id}").json
    answer = api.patch(f"/exams/{exam_id}", changes)
    assert (answer.status, answer.code, answer.pointers) == (422, code, pointers), answer.text
    assert api.get(f"/exams/{exam_id}").json == before


def test_a_moved_end_moves_the_deadlines_of_running_attempts(api: Api) -> None:
    exam_id = make_exam(api, ends_at="2098-01-01T00:00:00Z", max_attempts=2)
    user_id = make_user(api)
    finished = make_session(api, exam_id, user_id)
    assert api.patch(f"/sessions/{finished}/finish").status == 200
    running = make_session(api, exam_id, user_id)
    assert api.patch(f"/exams/{exam_id}", {"ends_at": "2098-01-01T01:00:00+01:00"}).status == 200
    before = api.get(f"/exams/{exam_id}").json
    assert (before["ends_at"], before["revision"]) == ("2098-01-01T00:00:00.000000Z", 0)
    assert api.patch(f"/exams/{exam_id}", {"ends_at": "2099-01-01T00:00:00Z"}).status == 200
    deadlines = [api.get(f"/sessions/{id_}").json["deadline_at"] for id_ in (finished, running)]
    assert deadlines == ["2098-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"]


def test_another_policy_rebuilds_the_board(api: Api) -> None:
    exam_id, user_id = make_exam(api, max_attempts=2), make_user(api)
    for raw_score in (90, 40):
        session_id = make_session(api, exam_id, user_id)
        assert api.post("/scores", submission(session_id, raw_score=raw_score)).status == 200
        assert api.patch(f"/sessions/{session_id}/finish").status == 200
    scores = {}
    for policy in ("best", "latest", "first"):
        assert api.patch(f"/exams/{exam_id}", {"attempt_policy": policy}).status == 200
        [entry] = api.get("/leaderboard", exam_id=exam_id).json["leaderboard"]
        scores[policy] = entry["total_score"]
    assert scores == {"best": 45, "latest": 20, "first": 45}


@pytest.mark.parametrize("method", ["get", "patch"])
def test_an_exam_that_does_not_exist_is_404(api: Api, method: str) -> None:
    body = {"weights": {"coding": 50, "quiz": 30, "assessment": 20}}
    answer = api.request(method.upper(), "/exams/999999999", body if method == "patch" else None)
    assert (answer.status, answer.code) == (404, "exam_not_found")
