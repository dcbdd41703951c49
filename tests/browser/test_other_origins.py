"""A front end on another origin, as Chromium lets it call a gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Browser

from tests.client import PREFIX, Api, token
from tests.factories import make_exam, make_session, submission, unique_name

CALL = """async ([url, token, key, exam, body]) => {
  const headers = {Authorization: `Bearer ${token}`};
  try {
    const sent = await fetch(`${url}/scores`, {
      method: "POST", body: JSON.stringify(body),
      headers: {...headers, "Content-Type": "application/json", "Idempotency-Key": key},
    });
    const score = await sent.json();
    const address = `${url}/leaderboard?exam_id=${exam}`;
    const page = await fetch(address, {headers});
    const tag = page.headers.get("ETag");
    const known = {...headers, "If-None-Match": tag};
    const again = await fetch(address, {headers: known, cache: "no-store"});
    const refused = await fetch(`${url}/exams`);
    return {status: sent.status, score, request: sent.headers.get("X-Request-ID"), tag,
      participants: (await page.json()).total_participants, again: again.status,
      refused: (await refused.json()).code};
  } catch (error) {
    return {error: String(error)};
  }
}"""


class FrontEnd(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        """Answer it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def front_end() -> Iterator[str]:
    """Serve the page at an origin of its own, and yield that."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FrontEnd) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def call_from(browser: Browser, origin: str, api: Api) -> dict[str, Any]:
    """Submit a score and read the board from a page of an origin."""
    exam_id = make_exam(api)
    body = submission(make_session(api, exam_id))
    context = browser.new_context()
    page = context.new_page()
    page.goto(origin)
    bearer = token(api.secret, api.user_id, api.role)
    told = [api.url + PREFIX, bearer, unique_name(), exam_id, body]
    found: dict[str, Any] = page.evaluate(CALL, told)
    context.close()
    return found


def test_a_page_of_a_listed_origin_plays_and_of_another_one_does_not(
    browser: Browser, start_api: Callable[..., Api]
) -> None:
    with front_end() as listed, front_end() as other:
        api = start_api("gateway-other-origins", PODIUM_CORS_ORIGINS=listed)
        found = call_from(browser, listed, api)
        assert found["status"] == 200, found
        assert found["score"]["revision"] == 1
        assert (found["participants"], found["again"]) == (1, 304)
        assert found["tag"].startswith("W/")
        assert found["request"]
        assert found["refused"] == "token_missing"
        assert "Failed to fetch" in call_from(browser, other, api)["error"]
