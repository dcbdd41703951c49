"""Boards: pages, entries, and their rebuilding."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.auth import ADMIN, CANDIDATE, caller, require
from gateway.boards import boards
from gateway.cache import Mark, Page, page_cache
from gateway.db import Results, Row, database
from gateway.errors import FieldError, Problem
from gateway.streams import MEDIA_TYPE, EventId, hub
from gateway.validation import Validator

blueprint = Blueprint("leaderboard", __name__)
page_query = Validator(schemas.PAGE_QUERY)
around_query = Validator(schemas.AROUND_QUERY)
entry_query = Validator(schemas.ENTRY_QUERY)
stream_query = Validator(schemas.STREAM_QUERY)
recalculation = Validator(schemas.RECALCULATION)


@blueprint.get("/leaderboard")
@require()
def get_leaderboard() -> ResponseReturnValue:
    """Read a page of a board, with the calling candidate's own entry."""
    query = page_query.query()
    exam_id = query["exam_id"]
    sight = page_cache().look(exam_id, f"{query['page']}:{query['per_page']}")
    if sight.page is not None and _is_known(sight.page):
        return _not_modified(sight.page)
    page, cached = page_cache().fetch(sight, lambda: _read_page(query, None)[0])
    entry: Row | None = None
    if caller().role == CANDIDATE:
        entry, mark = _read_own_entry(exam_id)
        if mark != page.mark:
            # The board has moved between the two reads: both anew, of one revision.
            (page, entry), cached = _read_page(query, caller().user_id), False
            page_cache().publish(exam_id, page.mark)
    if _is_known(page):
        return _not_modified(page)
    tail = {"cached": cached, "my_entry": entry}
    text = page.text[:-1] + b"," + current_app.json.dumps(tail).encode()[1:]
    return _tagged(Response(text, mimetype="application/json"), page)


@blueprint.get("/leaderboard/around")
@require()
def get_around() -> ResponseReturnValue:
    """Read the entries above and below a candidate."""
    query = around_query.query()
    [[head], rows] = database().call(
        "get_around", query["exam_id"], query["user_id"], query["window"]
    )
    page_cache().publish(query["exam_id"], Mark.take(head))
    return head | {"leaderboard": rows}


@blueprint.get("/leaderboard/entries/<int:user_id>")
@require()
def get_entry(user_id: int) -> ResponseReturnValue:
    """Read where one candidate stands."""
    exam_id = entry_query.query()["exam_id"]
    [[row]] = database().call("get_entry", exam_id, user_id)
    page_cache().publish(exam_id, Mark.take(row))
    return row


@blueprint.get("/leaderboard/stream")
@require()
def get_stream() -> ResponseReturnValue:
    """Tell of a board's changes as they commit, as Server-Sent Events."""
    exam_id = stream_query.query()["exam_id"]
    last_seen = _last_event_id()
    # Nginx would collect events before it passes them on.
    headers = {"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        # Nothing would be read of a stream, nor close it.
        hub().read(exam_id, None)
        return Response(headers=headers)
    who = caller()
    stream = hub().open(exam_id, last_seen, who.expires_at, who.user_id, who.is_grader)
    return Response(stream, headers=headers)


@blueprint.post("/leaderboard/recalculate")
@require(ADMIN)
def recalculate() -> ResponseReturnValue:
    """Rebuild a board from its raw scores."""
    exam_id = recalculation.body()["exam_id"]
    [[row]] = boards().call_slowly(exam_id, "recalculate_leaderboard", exam_id, caller().user_id)
    page_cache().publish(exam_id, Mark.take(row))
    return row


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
    results: Results = database().call(
        "get_leaderboard", query["exam_id"], query["page"], query["per_page"], user_id
    )
    [[head], rows, own] = results
    mark, epoch = Mark.take(head), head.pop("epoch")
    text = current_app.json.dumps(head | {"leaderboard": rows})
    return Page(mark, epoch, text.encode()), own[0] if own else None


def _read_own_entry(exam_id: int) -> tuple[Row | None, Mark]:
    """Read the caller's entry, None where they have none, and the mark it is of."""
    # get_entry would refuse a candidate without a score, and tell no revision.
    [[head], _, own] = database().call("get_leaderboard", exam_id, 1, 1, caller().user_id)
    return own[0] if own else None, Mark.take(head)


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
