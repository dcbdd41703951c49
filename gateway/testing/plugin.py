"""Fixtures of pytest: pytest_plugins = ["gateway.testing.plugin"] in the suite's own conftest.py.

One Podium serves the whole run. Tests keep apart by each making an exam of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from gateway.testing import Client, PodiumContainer


@pytest.fixture(scope="session")
def podium() -> Iterator[PodiumContainer]:
    """Start MySQL, Redis and a gateway in containers, with the schema loaded.

    PODIUM_IMAGE names an image of the gateway to take in place of building one.
    """
    with PodiumContainer(os.environ.get("PODIUM_IMAGE") or None) as container:
        yield container


@pytest.fixture(scope="session")
def podium_url(podium: PodiumContainer) -> str:
    """Return where the gateway answers, such as http://127.0.0.1:32768."""
    return podium.url


@pytest.fixture(scope="session")
def podium_dsn(podium: PodiumContainer) -> str:
    """Return the URL of MySQL's administrative account."""
    return podium.dsn


@pytest.fixture(scope="session")
def podium_token(podium: PodiumContainer) -> Callable[..., str]:
    """Return a function that signs a token: podium_token(user_id, "candidate")."""
    return podium.token


@pytest.fixture
def podium_admin(podium: PodiumContainer) -> Client:
    """Return the API as an administrator calls it."""
    return podium.client(podium.admin_token)


@pytest.fixture
def podium_as(podium: PodiumContainer) -> Callable[..., Client]:
    """Return a function that gives the API as somebody else calls it: podium_as(user_id)."""
    return lambda user_id, role="candidate": podium.client(podium.token(user_id, role))
