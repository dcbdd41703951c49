"""flask --app gateway token."""

from __future__ import annotations

import math
import os
import time

import click
import jwt

from gateway.auth import AUDIENCE, CANDIDATE, ROLES
from gateway.cli.procedures import Unusable
from gateway.config import ConfigError, setting

# Staff whom no row of the table users stands for: its id is beyond all that create_user gives out.
NOBODY_ID = 10**15
# Of a secret; gateways refuse shorter ones.
LEAST_BYTES = 32


def _read_hours(context: click.Context, parameter: click.Parameter, hours: float) -> float:
    """Return a number of hours that a moment can be made of."""
    if not math.isfinite(hours):
        raise click.BadParameter(f"a number of hours, not {hours}")
    return hours


@click.command()
@click.option("--user", "user_id", type=click.IntRange(1), required=True, help="The user's id.")
@click.option("--role", type=click.Choice(ROLES), default=CANDIDATE, show_default=True)
@click.option(
    "--exam",
    "exam_ids",
    type=click.IntRange(1),
    multiple=True,
    help="Confine it to this exam; may be given again. An admin's is not confined.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0, min_open=True),
    default=8,
    show_default=True,
    callback=_read_hours,
)
def token(user_id: int, role: str, exam_ids: tuple[int, ...], hours: float) -> None:
    """Sign a bearer token with PODIUM_JWT_SECRET.

    \b
    flask --app gateway token --user 1 --role admin --hours 1

    Exit code: 0 signed, 2 usage or no secret.
    """
    claims: dict[str, object] = {
        "sub": str(user_id),
        "role": role,
        "aud": AUDIENCE,
        "exp": int(time.time() + hours * 3600),
    }
    if exam_ids:
        claims["exam_ids"] = exam_ids
    click.echo(jwt.encode(claims, signing_secret(), "HS256"))


def signing_secret() -> str:
    """Return PODIUM_JWT_SECRET; ends the command where there is none."""
    try:
        secret = setting(os.environ, "PODIUM_JWT_SECRET")
        public_key = setting(os.environ, "PODIUM_JWT_PUBLIC_KEY")
    except ConfigError as error:
        raise Unusable(str(error)) from error
    if not secret:
        if public_key:
            raise Unusable(
                "only PODIUM_JWT_PUBLIC_KEY is set, which verifies tokens and signs none: ask "
                "whoever holds the private key"
            )
        raise Unusable("PODIUM_JWT_SECRET is not set: the gateway's own secret signs tokens")
    if len(secret.encode()) < LEAST_BYTES:
        raise Unusable(f"PODIUM_JWT_SECRET is too short to be a gateway's: {LEAST_BYTES} bytes")
    return secret
