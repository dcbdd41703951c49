"""Who is calling: bearer tokens, and which roles may do what."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import current_app, g, request

from gateway import logs
from gateway.config import Config, ConfigError
from gateway.errors import Problem

AUDIENCE = "podium"
ROLES = ("candidate", "viewer", "grader", "moderator", "admin")
CANDIDATE, VIEWER, GRADER, MODERATOR, ADMIN = ROLES
# Those who act for others in everything, those who submit for others, and those who sit exams.
STAFF = (MODERATOR, ADMIN)
GRADERS = (GRADER, *STAFF)
SITTERS = (CANDIDATE, *STAFF)
REMEMBERED_TOKENS = 10_000
# How far ahead of ours the clock of whoever signs tokens may be. For `exp` there is none: a token
# ends when it says, and a signer whose clock is behind makes it no shorter than it was meant.
LEEWAY_SEC = 30
USER_ID = re.compile(r"[1-9][0-9]{0,17}")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Caller:
    """The user a token speaks for. The token's role counts, whatever the table users says."""

    user_id: int
    role: str
    # When the token ends, in seconds since 1970: of no meaning for who it is.
    expires_at: int = field(compare=False)
    # The exams that the token is confined to; None: not confined.
    exam_ids: frozenset[int] | None = None

    @property
    def viewer(self) -> tuple[int | None, str]:
        """Return who reads, as the view_ procedures take it."""
        return None if self is NOBODY else self.user_id, self.role

    @property
    def confinement(self) -> str | None:
        """Return the exams that the token is confined to, as JSON; None: it is not."""
        return None if self.exam_ids is None else json.dumps(sorted(self.exam_ids))

    def enter(self, exam_id: int) -> int:
        """Return an exam that the token reaches; another is answered as one that does not exist."""
        if self.exam_ids is not None and exam_id not in self.exam_ids:
            raise Problem.of_code("exam_not_found", f"exam {exam_id} does not exist")
        return exam_id

    def enter_session(self, session_id: int, exam_id: int | None) -> None:
        """Do the same for a session, by the exam that it is of; None: it is of none."""
        if self.exam_ids is not None and exam_id not in self.exam_ids:
            raise Problem.of_code("session_not_found", f"session {session_id} does not exist")

    @property
    def is_grader(self) -> bool:
        """Tell whether they may see, and submit, what is not their own."""
        return self.role in GRADERS

    def require_self(self, user_id: int, detail: str) -> None:
        """Refuse a candidate who acts for somebody else."""
        if not self.is_grader and self.user_id != user_id:
            raise Problem.of_code("not_own_session", detail)


# Who reads without a token.
NOBODY = Caller(0, "nobody", 2**62)


class TokenVerifier:
    """Tokens as the configuration wants them: signed with its key, with all four claims."""

    def __init__(self, config: Config) -> None:
        # The kind of key decides the algorithms, never the token: a public key is no HMAC secret.
        self._key: PublicKeyTypes | str
        if config.jwt_public_key is not None:
            self._key, self._algorithm = _public_key(config.jwt_public_key)
        else:
            self._key, self._algorithm = cast(str, config.jwt_secret), "HS256"
        # Who was found behind a token: a client sends the same one each time.
        self._known: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Return whom a token speaks for, or raise Problem saying why it is not accepted."""
        caller = self._known.get(token)
        if caller is not None and time.time() < caller.expires_at:
            return caller
        caller = self._read(token)
        with self._lock:
            if len(self._known) >= REMEMBERED_TOKENS:
                del self._known[next(iter(self._known))]
            self._known[token] = caller
        return caller

    def count_nobody(self) -> None:
        """Take notice of a request without a token."""

    def _read(self, token: str) -> Caller:
        """Check a token, and return whom it speaks for."""
        try:
            claims = jwt.decode(
                token,
                cast(Any, self._key),
                algorithms=[self._algorithm],
                audience=AUDIENCE,
                leeway=LEEWAY_SEC,
                options={"require": ["sub", "role", "aud", "exp"]},
            )
        except jwt.ExpiredSignatureError:
            raise _expired() from None
        except jwt.ImmatureSignatureError:
            raise _invalid(
                f"the token is of the future: its iat or nbf is more than {LEEWAY_SEC} s ahead of "
                "the gateway's clock"
            ) from None
        except jwt.InvalidTokenError as error:
            raise _invalid(f"the token is not accepted: {error}") from None
        if time.time() >= int(claims["exp"]):
            raise _expired()
        subject, role = claims["sub"], claims["role"]
        if not USER_ID.fullmatch(subject):
            raise _invalid("the claim sub must be a user id, written as a string")
        if role not in ROLES:
            raise _invalid(f"the claim role must be one of {', '.join(ROLES)}")
        return Caller(int(subject), role, int(claims["exp"]), _confinement(claims))


def require(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only these roles call a view; without roles, anybody who has a token."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.caller = _authenticate()
            logs.user_id.set(g.caller.user_id)
            if roles and g.caller.role not in roles:
                raise Problem(
                    "forbidden", f"this takes the role {_either(roles)}, not {g.caller.role}"
                )
            return view(*args, **kwargs)

        return guarded

    return decorate


def allow_nobody(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be called with any token, and without one for what is open to everyone.

    Without one, what is not is answered 401, whether it exists or not.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if "Authorization" in request.headers:
            g.caller = _authenticate()
            logs.user_id.set(g.caller.user_id)
            return view(*args, **kwargs)
        g.caller = NOBODY
        verifier: TokenVerifier = current_app.extensions["podium.tokens"]
        verifier.count_nobody()
        try:
            return view(*args, **kwargs)
        except Problem as problem:
            if problem.entry.code == "exam_not_found":
                raise _missing() from None
            raise

    return guarded


def caller() -> Caller:
    """Return who sent the request that is being answered."""
    return cast(Caller, g.caller)


def _public_key(pem: str) -> tuple[PublicKeyTypes, str]:
    """Read a public key and tell the one algorithm it is good for."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            "PODIUM_JWT_PUBLIC_KEY is not a public key in PEM: it begins with -----BEGIN PUBLIC "
            "KEY-----, in lines of their own"
        ) from None
    if isinstance(key, RSAPublicKey):
        return key, "RS256"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key, "ES256"
    raise ConfigError("PODIUM_JWT_PUBLIC_KEY must be a key for RS256 or ES256")


def _authenticate() -> Caller:
    """Return whom the request's token speaks for."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _missing()
    verifier: TokenVerifier = current_app.extensions["podium.tokens"]
    return verifier.verify(token.strip())


def _expired() -> Problem:
    """Return the answer to a token that was good once."""
    return _invalid("the token has expired")


def _missing() -> Problem:
    """Return the answer to a call that needs a token and has none."""
    return Problem("token_missing", "send the header Authorization: Bearer <token>")


def _confinement(claims: dict[str, Any]) -> frozenset[int] | None:
    """Return the exams that a token is confined to; an administrator's never is."""
    exam_ids = claims.get("exam_ids")
    if exam_ids is None:
        return None
    if not isinstance(exam_ids, list) or not all(type(exam_id) is int for exam_id in exam_ids):
        raise _invalid("the claim exam_ids must be an array of whole numbers")
    return None if claims["role"] == ADMIN else frozenset(exam_ids)


def _either(words: Sequence[str]) -> str:
    """Write words as a choice: a, b or c."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _invalid(detail: str) -> Problem:
    """Return the answer to a token that is not accepted."""
    return Problem("token_invalid", detail)
