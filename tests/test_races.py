"""Races are data: every permutation of every file is played, and the runner has to notice."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client import Api
from tests.conftest import GATEWAY_USER
from tests.races.runner import RaceFailed, Stage
from tests.races.spec import SpecError, interleavings, read_spec
from tests.sql_harness import rows
from tests.waiting import wait_until

Connect = Callable[..., Any]
Play = Callable[..., int]

RACES = Path(__file__).parent / "races"


@pytest.mark.parametrize("path", sorted(RACES.glob("*.spec")), ids=lambda path: path.stem)
def test_race_ends_well_in_every_permutation(
    path: Path, connect: Connect, request: pytest.FixtureRequest
) -> None:
    spec = read_spec(path)
    over_http = any(session.gateway for session in spec.sessions.values())
    gateways: list[Api] = request.getfixturevalue("gateways") if over_http else []
    assert Stage(spec, connect, gateways, GATEWAY_USER).play_all() > 1


# Below, the runner itself.


@pytest.fixture
def play(connect: Connect, tmp_path: Path) -> Play:
    """Return a function that plays a race that is written down in the test."""

    def write_and_play(text: str, step_timeout_sec: float = 10) -> int:
        path = tmp_path / "a.spec"
        path.write_text("rule It is a rule.\n" + text)
        return Stage(read_spec(path), connect, step_timeout_sec=step_timeout_sec).play_all()

    return write_and_play


TWO = """
session one
    a  SELECT 1 AS n
session two
    b  SELECT 2 AS n
"""
USER = """
setup
    alice  create_user('alice-:unique', 'Alice', 'candidate')
point person  SELECT user_id FROM users WHERE user_id = :alice FOR UPDATE
session one
    a  SELECT user_id FROM users WHERE user_id = :alice FOR SHARE
session two
    b  SELECT 2 AS n
"""


def test_all_orders_of_the_sessions_and_of_the_gate_are_played(play: Play) -> None:
    assert play(TWO + "outcome\n    a  n=1\n    b  n=2|3\n") == 2
    # Two without the gate, and six of twelve in which something begins while it is held.
    assert play(USER + "outcome\n    b  n=2\n") == 8


def test_interleavings_keep_the_order_of_each_session() -> None:
    found = list(interleavings([["a", "b"], ["c", "d"]]))
    orders = itertools.permutations("abcd")
    assert sorted(found) == sorted(
        order
        for order in orders
        if order.index("a") < order.index("b") and order.index("c") < order.index("d")
    )


def test_wrong_expectation_fails_and_shows_the_permutation_step_by_step(play: Play) -> None:
    with pytest.raises(RaceFailed) as failure:
        play(USER + "permutation hold a b free\noutcome\n    a  user_id=:alice\n    b  n=3\n")
    lines = str(failure.value).splitlines()
    assert lines[0] == "a.spec: It is a rule."
    assert lines[1].startswith("point: person, SELECT user_id")
    assert lines[2] == "permutation: hold a b free"
    assert [line.split(":")[0] for line in lines[3:] if line.startswith("step")] == [
        "step hold",
        "step a",
        "step a",
        "step b",
        "step free",
        "step a",
    ]
    assert lines[6] == "step a: <waiting ...>"
    assert lines[7:9] == ["step b: SELECT 2 AS n", "    rows=1 n=2"]
    assert lines[-1] == "wrong: not the outcome of a.spec:11: b answers n=2, not 3"


def test_outcome_that_contradicts_the_time_is_none(play: Play) -> None:
    with pytest.raises(RaceFailed, match="a had answered before b began"):
        play(TWO + "outcome b a\n    a  n=1\n")


def test_outcome_that_never_comes_about_fails(play: Play) -> None:
    with pytest.raises(RaceFailed, match=r"^a\.spec:9: this outcome has come about in no"):
        play(TWO + "outcome\n    a  n=1\noutcome\n    a  n=2\n")


def test_step_of_which_nothing_is_said_must_not_fail(play: Play) -> None:
    with pytest.raises(RaceFailed, match="b failed"):
        play(TWO.replace("SELECT 2", "SELECT 2 FROM nowhere") + "outcome\n    a  n=1\n")


def test_step_that_neither_returns_nor_waits_is_named(play: Play, admin: Any) -> None:
    with pytest.raises(RaceFailed, match=r"step b has neither returned .* within 0\.2 s"):
        play(TWO.replace("SELECT 2", "SELECT SLEEP(60)") + "outcome\n    a  n=1\n", 0.2)
    left = "SELECT 1 FROM performance_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    wait_until(lambda: not rows(admin, left))


def test_step_that_still_waits_at_the_end_is_named(play: Play) -> None:
    with pytest.raises(RaceFailed, match="step a never returned"):
        play(USER + "permutation hold a b\noutcome\n    b  n=2\n", 1)


def test_step_behind_one_that_waits_cannot_begin(play: Play) -> None:
    text = USER.replace("session two\n", "") + "permutation hold a b free\noutcome\n    b  n=2\n"
    with pytest.raises(RaceFailed, match="step b cannot begin: a still waits before it"):
        play(text)


def test_point_at_which_nobody_waits_fails(play: Play) -> None:
    with pytest.raises(RaceFailed, match="nobody has waited at the point person"):
        play(USER.replace(" FOR SHARE", "") + "outcome\n    b  n=2\n")


def test_row_of_a_query_that_must_be_empty_fails(play: Play) -> None:
    with pytest.raises(RaceFailed, match="wrong: SELECT 7 AS found={'found': 7}"):
        play(TWO + "empty SELECT 7 AS found\noutcome\n    a  n=1\n")


def test_deadlock_and_lock_that_is_left_are_noticed(play: Play) -> None:
    locks = "SELECT user_id FROM users WHERE user_id = :{} FOR UPDATE"
    with pytest.raises(RaceFailed) as failure:
        play(f"""
setup
    alice  create_user('alice-:unique', 'Alice', 'candidate')
    bob    create_user('bob-:unique', 'Bob', 'candidate')
session one
    begin   START TRANSACTION
    first   {locks.format("alice")}
    second  {locks.format("bob")}
session two
    start   START TRANSACTION
    third   {locks.format("bob")}
    fourth  {locks.format("alice")}
permutation begin start first third second fourth
outcome
    second  errno=1213|None
    fourth  errno=1213|None
""")
    assert "there was a deadlock" in str(failure.value)
    assert "a lock is left: X,REC_NOT_GAP on users" in str(failure.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sessions one\n", "a.spec:2: 'sessions' begins no block"),
        ("    a  SELECT 1\n", "a.spec:2: rule has no lines below it"),
        ("session one\n    a\n", "a.spec:3: expected name statement, found 'a'"),
        ("session one\n  a SELECT 1\n", "a.spec:3: indented by 2, not by 4 or more"),
        ("session one at c\n", "a.spec:2: expected a name, and `at a` or `at b`"),
        ("session one\n    a  SELECT 1\n    a  SELECT 1\n", "a.spec:4: there is a step a already"),
        ("setup\n    x  SELECT 1\n", "a.spec:3: expected name procedure(...), found"),
        ("setup\n    x  _raise('a', 'b')\n", "a.spec:3: expected name procedure(...), found"),
        ("include no.inc\n", "a.spec:2: there is no file no.inc"),
        ("setup\n    one  create_user()\nsession one\n", "a.spec:4: the name one is taken"),
        (TWO + "permutation a\n", "a.spec:7: session two plays [] and not ['b']"),
        (TWO + "permutation a b c\n", "a.spec:7: there is no step c above"),
        (TWO + "outcome a c\n", "a.spec:7: there is no step c above"),
        (TWO + "outcome\n    a  n\n", "a.spec:8: expected step name=value ..., found 'a  n'"),
        (TWO, "a.spec: it has no outcome"),
        (TWO + "empty SELECT :x\noutcome\n", "a.spec: nothing is called :x in 'SELECT :x'"),
    ],
)
def test_error_in_a_file_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.spec"
    path.write_text("rule It is a rule.\n" + text)
    with pytest.raises(SpecError) as failure:
        read_spec(path)
    assert str(failure.value).startswith(message)
