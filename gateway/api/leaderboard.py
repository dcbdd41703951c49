"""Boards: pages, entries, and their rebuilding."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, CANDIDATE, NOBODY, Caller, allow_nobody, caller, require
from gateway.boards import boards
from gateway.cache import Mark, Page, page_cache
from gateway.db import Results, Row, database
from gateway.errors import FieldError, Problem
from gateway.limits import network_of
from gateway.streams import MEDIA_TYPE, EventId, hub
from gateway.validation import Validator

blueprint = Blueprint("leaderboard", __name__)
page_query = Validator(schemas.PAGE_QUERY)
around_query = Validator(schemas.AROUND_QUERY)
entry_query = Validator(schemas.ENTRY_QUERY)
stream_query = Validator(schemas.STREAM_QUERY)
recalculation = Validator(schemas.RECALCULATION)
# Of an entry, what its candidate and graders alone are told.
PRIVATE = {f"weighted_{module}" for module in schemas.MODULE["enum"]} | {"session_id", "attempt_no"}


@blueprint.get("/leaderboard")
@allow_nobody
def get_leaderboard() -> ResponseReturnValue:
    """Read a page of a board, with the calling candidate's own entry."""
    query = page_query.query()
    who = caller()
    exam_id = who.enter(query["exam_id"])
    # Each kind of callers has pages of its own: they do not see the same names, if any.
    sight = page_cache().look(exam_id, f"{query['page']}:{query['per_page']}:{_kind(who)}")
    if sight.page is not None and _is_known(sight.page):
        return _not_modified(sight.page)
    page, cached = page_cache().fetch(sight, lambda: _read_page(query, None)[0])
    entry: Row | None = None
    text = page.text
    if who.role == CANDIDATE:
        entry, mark, names = _read_own_entry(exam_id)
        if mark != page.mark:
            # The board has moved between the two reads: both anew, of one revision.
            (page, entry), cached = _read_page(query, who.user_id), False
            page_cache().publish(exam_id, page.mark)
            text = page.text
        elif names != "full" and entry is not None:
            text = _with_own_names(page.text, entry)
    if _is_known(page):
        return _not_modified(page)
    tail = {"cached": cached, "my_entry": entry}
    text = text[:-1] + b"," + current_app.json.dumps(tail).encode()[1:]
    return _tagged(Response(text, mimetype="application/json"), page)


@blueprint.get("/leaderboard/around")
@allow_nobody
def get_around() -> ResponseReturnValue:
    """Read the entries above and below a candidate."""
    query = around_query.query()
    exam_id = caller().enter(query["exam_id"])
    [[head], rows] = database().call(
        "view_around", exam_id, query["user_id"], query["window"], *caller().viewer
    )
    page_cache().publish(exam_id, Mark.take(head))
    return head | {"leaderboard": rows}


@blueprint.get("/leaderboard/entries/<int:user_id>")
@allow_nobody
def get_entry(user_id: int) -> ResponseReturnValue:
    """Read where one candidate stands."""
    exam_id = caller().enter(entry_query.query()["exam_id"])
    [[row]] = database().call("view_entry", exam_id, user_id, *caller().viewer)
    page_cache().publish(exam_id, Mark.take(row))
    if row["session_id"] is None:
        # Somebody else's: what a board shows, and no more.
        return {name: value for name, value in row.items() if name not in PRIVATE}
    return row


@blueprint.get("/leaderboard/stream")
@allow_nobody
def get_stream() -> ResponseReturnValue:
    """Tell of a board's changes as they commit, as Server-Sent Events."""
    who = caller()
    exam_id = who.enter(stream_query.query()["exam_id"])
    last_seen = _last_event_id()
    # Nginx would collect events before it passes them on.
    headers = {"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        # Nothing would be read of a stream, nor close it.
        hub().read(exam_id, None)
        _require_admission(exam_id)
        return Response(headers=headers)
    # Those of an address without a token share what one of staff has.
    owner = network_of(request.remote_addr or "unknown") if who is NOBODY else who.user_id
    stream = hub().open(
        exam_id,
        last_seen,
        who.expires_at,
        owner,
        who.is_grader or who is NOBODY,
        viewer=who.viewer,
    )
    try:
        # Behind the first look at the board, so that no change of who may read it slips between.
        _require_admission(exam_id)
    except BaseException:
        stream.close()
        raise
    return Response(stream, headers=headers)


@blueprint.post("/leaderboard/recalculate")
@require(ADMIN)
def recalculate() -> ResponseReturnValue:
    """Rebuild a board from its raw scores."""
    exam_id = recalculation.body()["exam_id"]
    [[row]] = boards().call_slowly(exam_id, "recalculate_leaderboard", exam_id, caller().user_id)
    page_cache().publish(exam_id, Mark.take(row))
    return row


def _require_admission(exam_id: int) -> None:
    """Refuse whoever may not read a board."""
    if not hub().admits(exam_id, caller().viewer):
        raise Problem.of_code("exam_not_found", f"exam {exam_id} does not exist")


def _last_event_id() -> EventId | None:
    """Return what a client of a stream has seen; None where it says nothing."""
    text = request.headers.get("Last-Event-ID")
    if text is None:
        return None
    seen = EventId.parse(text)
    if seen is None or seen.revision > schemas.MAX_ID:
        message = "must be the id of an event of this stream"
        raise Problem(
            "invalid_value", f"Last-Event-ID {message}", [FieldError("/Last-Event-ID", message)]
        )
    return seen


def _read_page(query: dict[str, Any], user_id: int | None) -> tuple[Page, Row | None]:
    """Read a page and, of the same revision, the entry of a user."""
    who = caller()
    results: Results = database().call(
        "view_leaderboard",
        query["exam_id"],
        query["page"],
        query["per_page"],
        user_id,
        *who.viewer,
    )
    [[head], rows, own] = results
    mark, epoch = Mark.take(head), head.pop("epoch")
    # Where it hangs on the candidate, nobody else may have what this one was given.
    shared = head.pop("board_access") != "participants" or who.role != CANDIDATE
    del head["names"]
    text = current_app.json.dumps(head | {"leaderboard": rows})
    return Page(mark, epoch, text.encode(), shared), own[0] if own else None


def _read_own_entry(exam_id: int) -> tuple[Row | None, Mark, str]:
    """Read the caller's entry, None where they have none, the mark it is of, and board_names."""
    # view_entry would refuse a candidate without a score, and tell no revision.
    user_id = caller().user_id
    [[head], _, own] = database().call("view_leaderboard", exam_id, 1, 1, user_id, *caller().viewer)
    return own[0] if own else None, Mark.take(head), head["names"]


def _with_own_names(text: bytes, entry: Row) -> bytes:
    """Return a page with the caller's own names in it, which is kept for all without anybody's."""
    page = current_app.json.loads(text)
    for row in page["leaderboard"]:
        if row["user_id"] == entry["user_id"]:
            row |= {name: entry[name] for name in ("username", "full_name")}
    return current_app.json.dumps(page).encode()


def _kind(who: Caller) -> str:
    """Tell which callers see the same pages."""
    if who.is_grader:
        return "graders"
    return "nobody" if who is NOBODY else "signed_in"


def _is_known(page: Page) -> bool:
    """Tell whether the client has this page already."""
    return request.if_none_match.contains_weak(page.tag)


def _not_modified(page: Page) -> Response:
    return _tagged(Response(status=HTTPStatus.NOT_MODIFIED), page)


def _tagged(response: Response, page: Page) -> Response:
    """Say which page an answer shows, and that it is the caller's own."""
    response.set_etag(page.tag, weak=True)
    response.vary.add("Authorization")
    # To be asked about each time: a board moves, and my_entry is nobody else's.
    response.headers["Cache-Control"] = "private, no-cache"
    return response
