"""Who is calling: bearer tokens, and which roles may do what."""

from __future__ import annotations

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

    @property
    def is_grader(self) -> bool:
        """Tell whether they may see, and submit, what is not their own."""
        return self.role in GRADERS

    def require_self(self, user_id: int, detail: str) -> None:
        """Refuse a candidate who acts for somebody else."""
        if not self.is_grader and self.user_id != user_id:
            raise Problem.of_code("not_own_session", detail)


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
        return Caller(int(subject), role, int(claims["exp"]))


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
        raise Problem("token_missing", "send the header Authorization: Bearer <token>")
    verifier: TokenVerifier = current_app.extensions["podium.tokens"]
    return verifier.verify(token.strip())


def _expired() -> Problem:
    """Return the answer to a token that was good once."""
    return _invalid("the token has expired")


def _either(words: Sequence[str]) -> str:
    """Write words as a choice: a, b or c."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _invalid(detail: str) -> Problem:
    """Return the answer to a token that is not accepted."""
    return Problem("token_invalid", detail)
