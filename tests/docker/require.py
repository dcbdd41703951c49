"""Whether tests in containers can run here."""

from __future__ import annotations

import os

import pytest

from services import engine, mysql, redis
from services.server import Unavailable

PYTHON_IMAGE = "python:3.11-slim"


def require_docker() -> None:
    """Skip the tests where no Docker engine has the images; where they must run, fail instead."""
    try:
        engine.require(mysql.IMAGE, redis.IMAGE, PYTHON_IMAGE)
    except Unavailable as reason:
        if os.environ.get("PODIUM_DOCKER") == "required":
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))  # make test-docker brings an engine, and fails without one
