"""A token that was accepted is remembered, until it expires and not a second longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from unittest import mock

import jwt
import pytest

from gateway import auth
from gateway.auth import Caller, TokenVerifier
from gateway.config import Config
from gateway.errors import Problem
from tests.client import token
from tests.conftest import SECRET
from tests.waiting import wait_until


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(Config("mysql://nobody@localhost/podium", jwt_secret=SECRET))


@pytest.fixture
def decoded() -> Iterator[mock.Mock]:
    """Count how often a signature is checked."""
    with mock.patch.object(jwt, "decode", wraps=jwt.decode) as decode:
        yield decode


def test_a_token_is_checked_once(verifier: TokenVerifier, decoded: mock.Mock) -> None:
    bearer = token(SECRET, 7, "candidate")
    assert [verifier.verify(bearer) for _ in range(3)] == [Caller(7, "candidate", 0)] * 3
    assert decoded.call_count == 1


def test_a_remembered_token_expires(verifier: TokenVerifier) -> None:
    expires = int(time.time()) + 2
    bearer = token(SECRET, 7, "candidate", exp=expires)
    assert verifier.verify(bearer) == verifier.verify(bearer)
    wait_until(lambda: time.time() >= expires)
    with pytest.raises(Problem, match="expired"):
        verifier.verify(bearer)


def test_what_is_refused_is_not_remembered(verifier: TokenVerifier, decoded: mock.Mock) -> None:
    forged = token("x" * 32, 7, "admin")
    for _ in range(2):
        with pytest.raises(Problem, match="not accepted"):
            verifier.verify(forged)
    assert decoded.call_count == 2


def test_a_token_that_differs_in_one_character_is_another(verifier: TokenVerifier) -> None:
    bearer = token(SECRET, 7, "candidate")
    verifier.verify(bearer)
    other = bearer[:-2] + ("A" if bearer[-2] != "A" else "B") + bearer[-1]
    with pytest.raises(Problem, match="not accepted"):
        verifier.verify(other)


def test_no_more_are_remembered_than_there_is_room_for(
    verifier: TokenVerifier, decoded: mock.Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REMEMBERED_TOKENS", 3)
    bearers = [token(SECRET, user_id, "candidate") for user_id in range(1, 6)]
    for bearer in bearers:
        verifier.verify(bearer)
    assert len(verifier._known) == 3
    verifier.verify(bearers[-1])
    assert decoded.call_count == 5
    verifier.verify(bearers[0])
    assert decoded.call_count == 6
