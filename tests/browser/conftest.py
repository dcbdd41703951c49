"""A browser, and the live board opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium
from tests.client import Api, token
from tests.conftest import SECRET


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_board(browser: Browser, api: Api) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the board of an exam as somebody, in a window of its own.

    Whatever the page or its policy complains of fails the test, but for lost connections and
    refusals, which the browser reports of itself.
    """
    complaints: list[str] = []
    contexts = []

    def opened(
        exam_id: int,
        user_id: int = api.user_id,
        role: str = "admin",
        url: str = api.url,
        **how: Any,
    ) -> Page:
        context = browser.new_context(**how)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                if line.type == "error" and not line.text.startswith("Failed to load resource")
                else None
            ),
        )
        page.goto(f"{url}/#token={token(SECRET, user_id, role)}&exam_id={exam_id}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
