"""The live board, as somebody sees it in Debian's Chromium."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.client import Api, token
from tests.conftest import SECRET
from tests.factories import make_exam, make_session, make_user, submission
from tests.faults.proxy import Proxy

Open = Callable[..., Page]
HOSTILE = ["<img src=x onerror=alert(1)>", "😀 " * 20, "\u200fمرحبا", "W" * 100]
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def score(api: Api, session_id: int, raw_score: float) -> None:
    answer = api.post("/scores", submission(session_id, raw_score=raw_score))
    assert answer.status == 200, answer.text


def board(api: Api, count: int, names: list[str] | None = None) -> tuple[int, list[int], list[int]]:
    """Make an exam in which each candidate has one point more than the one before him."""
    exam_id = make_exam(api, title="Backend Challenge")
    users = [
        make_user(api, full_name=names[at] if names else f"Candidate {at + 1}")
        for at in range(count)
    ]
    sessions = [make_session(api, exam_id, user_id) for user_id in users]
    for at, session_id in enumerate(sessions):
        score(api, session_id, 10 + at)
    return exam_id, users, sessions


def order(api: Api, exam_id: int, **query: object) -> list[str]:
    """Return the full names in the order of the API."""
    answer = api.get("/leaderboard", exam_id=exam_id, **query).json
    return [row["full_name"] for row in answer["leaderboard"]]


def expect_order(page: Page, names: list[str]) -> None:
    expect(page.locator("#rows .full")).to_have_text(names, timeout=15_000)


def expect_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("Live", timeout=15_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_rows_move_as_scores_commit(api: Api, open_board: Open) -> None:
    exam_id, _, sessions = board(api, 4)
    page = open_board(exam_id)
    expect_order(page, ["Candidate 4", "Candidate 3", "Candidate 2", "Candidate 1"])
    expect_live(page)
    assert "token" not in page.url
    page.evaluate(
        """() => { window.slides = 0; const animate = Element.prototype.animate;
        Element.prototype.animate = function (frames, how) {
          if (frames[0].transform) window.slides += 1;
          return animate.call(this, frames, how); } }"""
    )
    score(api, sessions[0], 95)
    expect_order(page, ["Candidate 1", "Candidate 4", "Candidate 3", "Candidate 2"])
    assert order(api, exam_id) == page.locator("#rows .full").all_inner_texts()
    expect(page.locator("#rows tr").first.locator(".moved")).to_contain_text("up 3")
    assert page.evaluate("window.slides") == 4


def test_nothing_slides_for_those_who_want_less_motion(api: Api, open_board: Open) -> None:
    exam_id, _, sessions = board(api, 2)
    page = open_board(exam_id, reduced_motion="reduce")
    expect_order(page, ["Candidate 2", "Candidate 1"])
    page.evaluate("() => { Element.prototype.animate = () => { throw new Error('animated') } }")
    score(api, sessions[0], 95)
    expect_order(page, ["Candidate 1", "Candidate 2"])


def test_an_outage_is_told_and_nothing_is_missed(api: Api, open_board: Open) -> None:
    exam_id, _, sessions = board(api, 3)
    with Proxy(cast(int, urlsplit(api.url).port)) as proxy:
        page = open_board(exam_id, url=f"http://127.0.0.1:{proxy.port}")
        expect_order(page, ["Candidate 3", "Candidate 2", "Candidate 1"])
        expect_live(page)
        proxy.cut()
        expect(page.locator("#connection")).to_have_text("Connection lost", timeout=15_000)
        expect(page.locator("#notice")).to_contain_text("goes on by itself")
        score(api, sessions[0], 90)
        score(api, sessions[1], 95)
        proxy.mend()
        expect_order(page, ["Candidate 2", "Candidate 1", "Candidate 3"])
        expect_live(page)
        revision = api.get(f"/exams/{exam_id}").json["revision"]
        expect(page.locator("#revision")).to_have_text(str(revision))


def test_a_board_without_a_stream_asks_and_says_so_until_there_is_one(
    api: Api, open_board: Open, start_api: Callable[..., Api]
) -> None:
    exam_id, _, sessions = board(api, 2)
    one = {"PODIUM_MAX_STREAMS": "1", "PODIUM_STREAM_HEARTBEAT_SEC": "1"}
    narrow = start_api("narrow", **one)
    first = open_board(exam_id, url=narrow.url)
    expect_live(first)
    second = open_board(exam_id, url=narrow.url)
    expect(second.locator("#connection")).to_have_text("Asking every 2 s", timeout=15_000)
    expect(second.locator("#notice")).to_contain_text("every 2 seconds")
    score(api, sessions[0], 95)
    # Sooner than the stream is tried again.
    expect(second.locator("#rows .full").first).to_have_text("Candidate 1", timeout=7_000)
    first.close()
    expect(second.locator("#connection")).to_have_text("Live", timeout=30_000)
    score(api, sessions[1], 96)
    expect_order(second, ["Candidate 2", "Candidate 1"])


def test_a_candidate_sees_his_own_place(api: Api, open_board: Open) -> None:
    exam_id, users, _ = board(api, 8)
    page = open_board(exam_id, users[1], "candidate")
    expect(page.locator("#own-place")).to_have_text("7 is your rank among 8")
    expect(page.locator("#own-rows .full")).to_have_text(
        [f"Candidate {number}" for number in (4, 3, 2, 1)]
    )
    expect(page.locator("#own-rows tr.own .full")).to_have_text("Candidate 2")
    expect(page.locator("#history")).to_be_hidden()


def test_pages_keys_search_and_plots(api: Api, open_board: Open) -> None:
    names = [f"Candidate {number}" for number in range(22)] + ["Zoë Adams"]
    exam_id, _, _ = board(api, 23, names)
    page = open_board(exam_id)
    expect(page.locator("#rows tr")).to_have_count(23)
    page.select_option("#size", "10")
    expect_order(page, order(api, exam_id, per_page=10))
    for key, number in [("ArrowRight", 2), ("End", 3), ("PageUp", 2), ("Home", 1)]:
        page.locator("body").press(key)
        expect(page.locator("#page")).to_have_text(f"Page {number} of 3")
        expect_order(page, order(api, exam_id, per_page=10, page=number))
    page.locator("body").press("/")
    page.keyboard.type("adams ZOE")
    expect_order(page, ["Zoë Adams"])
    page.keyboard.press("Escape")
    expect(page.locator("#rows tr")).to_have_count(10)
    expect(page.locator("#histogram-note")).to_contain_text("23 scores")
    expect(page.locator("#histogram canvas")).to_be_visible()
    page.locator("#rows button").first.click()
    expect(page.locator("#ranks-note")).to_contain_text("after 1 submission")
    expect(page.locator("#ranks canvas")).to_be_visible()


def test_the_link_that_skips_to_the_board_leaves_it_as_it_is(api: Api, open_board: Open) -> None:
    exam_id, _, _ = board(api, 11)
    page = open_board(exam_id)
    expect_live(page)
    page.locator("#size").select_option("10")
    expect(page.locator("#page")).to_have_text("Page 1 of 2")
    begun_anew: list[str] = []
    page.on("request", lambda sent: begun_anew.append(sent.url) if "/exams" in sent.url else None)
    page.locator(".skip").press("Enter")
    expect(page.locator("#board")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#page")).to_have_text("Page 2 of 2")
    assert begun_anew == []


def test_a_screen_reader_is_not_told_the_same_twice(api: Api, open_board: Open) -> None:
    exam_id, _, sessions = board(api, 2)
    page = open_board(exam_id)
    page.clock.install()
    page.reload()
    expect_live(page)
    spoken, leads = page.locator("#spoken"), "2 candidates. Candidate 2 leads with"
    page.evaluate(
        """() => { window.told = 0; new MutationObserver(() => { window.told += 1; }).observe(
        document.getElementById("spoken"), { childList: true }); }"""
    )
    told = {}
    for raw_score in (1, 2, 3):
        score(api, sessions[0], raw_score)
        expect(page.locator("#rows .score").last).to_have_text(f"{raw_score / 2:.2f}")
        page.clock.fast_forward(11_000)
        expect(spoken).to_contain_text(leads)
        told[raw_score] = page.evaluate("window.told")
    assert told[1] == told[2] == told[3]
    score(api, sessions[0], 90)
    expect(page.locator("#rows .score").first).to_have_text("45.00")
    page.clock.fast_forward(11_000)
    expect(spoken).to_contain_text("Candidate 1 leads")


def test_the_histogram_shows_the_last_change_too(api: Api, open_board: Open) -> None:
    exam_id, _, sessions = board(api, 3)
    page = open_board(exam_id)
    expect(page.locator("#histogram-note")).to_contain_text("from 5.00 to 6.00")
    # All entries were read a moment ago, and after this nothing more comes to pass.
    score(api, sessions[0], 100)
    expect(page.locator("#histogram-note")).to_contain_text("from 5.50 to 50.00", timeout=20_000)


def test_the_parser_of_the_stream_takes_pieces(api: Api, open_board: Open) -> None:
    page = open_board(make_exam(api))
    pieces = [
        ": beat\n\nid: 7\nev",
        "ent: revision\r",
        '\ndata: {"a":1}\n',
        "\nid: 8\n",
        "data: x\n\n",
        "data: y\rid: 9\r\r",
        "\n",
    ]
    events = page.evaluate(
        """async (pieces) => { const { EventParser } = await import("/static/stream.js");
        const parser = new EventParser();
        return pieces.flatMap((piece) => parser.push(piece)); }""",
        pieces,
    )
    assert [(event["id"], event["type"], event["data"]) for event in events] == [
        ("7", "revision", '{"a":1}'),
        ("8", "message", "x"),
        ("9", "message", "y"),
    ]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everybody_can_read_it(api: Api, open_board: Open, width: int, colours: Any) -> None:
    exam_id, users, _ = board(api, len(HOSTILE), HOSTILE)
    how = {"viewport": {"width": width, "height": 900}, "color_scheme": colours}
    staff = open_board(exam_id, **how)
    candidate = open_board(exam_id, users[0], "candidate", **how)
    empty = open_board(make_exam(api), **how)
    nobody = open_board(0, **how)
    nobody.locator("#sign-out").click()
    expect(staff.locator("#rows img")).to_have_count(0)
    expect(staff.locator("#rows .full")).to_have_text(HOSTILE[::-1])
    expect(candidate.locator("#own-rows tr")).to_have_count(3)
    expect(empty.locator("#empty")).to_be_visible()
    expect(nobody.locator("#sign-in")).to_be_visible()
    for page in (staff, candidate, empty, nobody):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()


def test_a_token_that_is_not_accepted_leads_back_to_the_form(api: Api, open_board: Open) -> None:
    page = open_board(make_exam(api), role="nobody")
    expect(page.locator("#sign-in")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("Sign in with a new one")


def test_another_token_in_the_address_shows_nothing_of_the_one_before(
    api: Api, open_board: Open
) -> None:
    exam_id, users, _ = board(api, 3)
    page = open_board(exam_id, users[0], "candidate")
    expect(page.locator("#own-place")).to_contain_text("3")
    page.route("**/api/v1/**", lambda route: route.abort())
    other = token(SECRET, users[1], "candidate")
    page.evaluate(f"location.hash = 'token={other}&exam_id={exam_id}'")
    expect(page.locator("#who")).to_have_text(f"candidate {users[1]}")
    expect(page.locator("#notice")).to_contain_text("The connection to the server is lost")
    expect(page.locator("#app")).to_be_hidden()
    page.unroute("**/api/v1/**")
    expect(page.locator("#own-place")).to_contain_text("2", timeout=15_000)


@pytest.mark.parametrize("text", ["Bearer a.b.c", "a.b\u20ac.c"])
def test_what_can_be_no_token_is_told_at_the_form(api: Api, open_board: Open, text: str) -> None:
    page = open_board(make_exam(api))
    expect_live(page)
    page.locator("#sign-out").click()
    page.locator("#token").fill(text)
    page.locator("#token").press("Enter")
    expect(page.locator("#notice")).to_contain_text("That is no token")
    expect(page.locator("#sign-in")).to_be_visible()


def test_the_page_has_a_policy_of_its_own_and_leads_to_no_other_file(api: Api) -> None:
    page = api.with_token("").get("//")
    policy = page.headers["Content-Security-Policy"]
    assert (page.status, "default-src 'none'" in policy, "unsafe" in policy) == (200, True, False)
    known = {"If-None-Match": page.headers["ETag"]}
    assert api.request("GET", "//", headers=known).status == 304
    for name in ("../pages.py", "..%2fpages.py", "vendor/uplot/LICENSE", "%2fetc/passwd"):
        assert api.get(f"//static/{name}").status == 404, name


# --- Addresses that lead nowhere


@pytest.mark.parametrize("named", ["999999999", "abc", "-1", "<b>"])
def test_an_exam_that_is_not_there_is_said_so_and_no_other_is_shown(
    api: Api, open_board: Open, named: Any
) -> None:
    exam_id, *_ = board(api, 1)
    page = open_board(named)
    words = f"There is no exam {named} for you" if named.isdigit() else "The address names no exam"
    expect(page.locator("#notice-text")).to_contain_text(words, timeout=15_000)
    expect(page.locator("#app")).to_be_hidden()
    expect(page.locator("#pager")).to_be_hidden()
    assert page.locator("#notice b").count() == 0
    page.locator("#exam").select_option(str(exam_id))
    expect_order(page, ["Candidate 1"])
    expect(page.locator("#notice")).to_be_hidden()


def test_an_address_keeps_its_exam_through_signing_in(api: Api, open_board: Open) -> None:
    exam_id, *_ = board(api, 2)
    board(api, 1)
    page = open_board(exam_id)
    expect_order(page, ["Candidate 2", "Candidate 1"])
    other = page.context.new_page()
    other.goto(f"{api.url}/#exam_id={exam_id}")
    other.locator("#token").fill(token(SECRET, api.user_id, "admin"))
    other.locator("#sign-in-form button").click()
    expect_order(other, ["Candidate 2", "Candidate 1"])


def test_an_exam_that_a_tab_remembers_and_is_gone_gives_way(api: Api, open_board: Open) -> None:
    exam_id, *_ = board(api, 1)
    page = open_board(exam_id)
    expect_order(page, ["Candidate 1"])
    page.evaluate("sessionStorage.setItem('podium.exam', '999999999')")
    page.reload()
    expect(page.locator("#app")).to_be_visible(timeout=15_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_a_page_that_is_not_there_leads_to_the_board(api: Api, open_board: Open) -> None:
    exam_id, *_ = board(api, 1)
    page = open_board(exam_id)
    expect_order(page, ["Candidate 1"])
    answer = page.goto(f"{api.url}/board")
    assert answer is not None and answer.status == 404
    expect(page.locator("h1")).to_have_text("There is nothing at this address")
    page.get_by_role("link", name="live board").click()
    expect_order(page, ["Candidate 1"])


def test_a_board_for_everyone_takes_no_token(api: Api, browser: Browser) -> None:
    exam_id, _, sessions = board(api, 2)
    assert api.patch(f"/exams/{exam_id}", {"board_access": "everyone"}).status == 200
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{api.url}/#exam_id={exam_id}")
        expect_order(page, ["Candidate 2", "Candidate 1"])
        expect_live(page)
        score(api, sessions[0], 99)
        expect_order(page, ["Candidate 1", "Candidate 2"])
        # Closed again, it asks for a token.
        assert api.patch(f"/exams/{exam_id}", {"board_access": "signed_in"}).status == 200
        expect(page.locator("#sign-in")).to_be_visible(timeout=15_000)
        page.reload()
        expect(page.locator("#sign-in")).to_be_visible()
        expect(page.locator("#app")).to_be_hidden()
