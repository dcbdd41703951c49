"""The API reference, as somebody sees it in Debian's Chromium."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway import openapi
from gateway.pages import WEB
from tests.client import Api, token
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, make_user, submission

CALLS = [
    operation["operationId"]
    for methods in openapi.document()["paths"].values()
    for operation in methods.values()
]
# Swagger UI takes a while to draw all, on a busy machine longer.
SLOW_MS = 30_000
VENDOR = WEB / "vendor" / "swagger-ui"
# Written to a page before anything of it runs: what its policy has kept it from.
WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));"""


@pytest.fixture
def open_docs(browser: Browser, api: Api) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the reference; whatever it complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def opened(**how: Any) -> Page:
        context = browser.new_context(color_scheme="light", **how)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if line.type == "error" else None,
        )
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(f"{api.url}/docs")
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            complaints += page.evaluate("window.violations")
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_somebody_tries_a_call_out_and_sees_the_real_answer(
    api: Api, open_docs: Callable[..., Page], width: int
) -> None:
    user_id, exam_id = make_user(api, full_name="Zoë Adams"), make_exam(api)
    session_id = make_session(api, exam_id, user_id)
    assert api.post("/scores", submission(session_id)).status == 200
    page = open_docs(viewport={"width": width, "height": 900})
    expect(page.locator(".opblock")).to_have_count(len(CALLS), timeout=SLOW_MS)
    for name in CALLS:
        expect(page.locator(f".opblock[id$='-{name}']")).to_be_visible()

    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".auth-container")
    dialog.locator("input").fill(token(SECRET, user_id, "candidate"))
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()

    call = page.locator("#operations-Board-get_leaderboard")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.locator("tr[data-param-name=exam_id] input").fill(str(exam_id))
    call.locator("tr[data-param-name=If-None-Match] input").fill("")
    call.get_by_role("button", name="Execute").click()
    answer = call.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_have_text("200", timeout=SLOW_MS)
    shown = json.loads(answer.locator(".highlight-code code, .microlight").first.inner_text())
    expected = api.as_user(user_id).get("/leaderboard", exam_id=exam_id).json
    assert shown | {"cached": True} == expected | {"cached": True}
    assert shown["my_entry"]["full_name"] == "Zoë Adams"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_call_in_full_breaks_the_page_or_its_policy(open_docs: Callable[..., Page]) -> None:
    page = open_docs(viewport={"width": 390, "height": 900})
    expect(page.locator(".opblock")).to_have_count(len(CALLS), timeout=SLOW_MS)
    page.evaluate(
        "document.querySelectorAll('.opblock-summary-control').forEach((call) => call.click())"
    )
    shown = page.locator(".opblock.is-open .responses-table")
    expect(shown).to_have_count(len(CALLS), timeout=SLOW_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_has_one_main_part(open_docs: Callable[..., Page]) -> None:
    page = open_docs()
    expect(page.locator(".opblock")).to_have_count(len(CALLS), timeout=SLOW_MS)
    expect(page.get_by_role("main")).to_have_count(1)


def test_the_page_is_kept_to_its_own_gateway(api: Api) -> None:
    page = api.with_token("").get("//docs")
    policy = page.headers["Content-Security-Policy"]
    assert (page.status, "default-src 'none'" in policy, "unsafe" in policy) == (200, True, False)
    assert "http" not in policy
    # What the icons need, the other page has not.
    assert "data:" not in api.get("//").headers["Content-Security-Policy"]
    assert api.get("//static/docs.html").status == 404


def test_swagger_ui_is_the_one_that_was_published() -> None:
    listed = re.findall(
        r"^([0-9a-f]{64})  (\S+)$", (VENDOR / "README.md").read_text(), re.MULTILINE
    )
    files = {path.name for path in VENDOR.iterdir()} - {"README.md"}
    assert {name for _, name in listed} == files
    for checksum, name in listed:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == checksum, name
