"""What a client is told when something is wrong: RFC 9457, one shape for everything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from gateway.connections import BODY_READ, watch_of
from gateway.loader import SQL

MEDIA_TYPE = "application/problem+json"
DRAINED_BYTES = 16 * 1024 * 1024
# A row of sql/seed/error_catalog.sql; a long one goes on in a second line.
CATALOG_ROW = re.compile(
    r"^ +\('(?P<code>\w+)',\s+(?P<errno>\d+),\s+(?P<status>\d+),\s+"
    r"'(?P<title>[^']+)',\s+(?:'(?P<pointer>[^']+)'|NULL)\)[,;]$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class CatalogEntry:
    """A refusal that Podium knows; pointer names the field at fault, if there is one."""

    code: str
    errno: int
    status: int
    title: str
    pointer: str | None


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one value: where it stands, as a JSON pointer, and why."""

    pointer: str
    message: str


class Problem(Exception):
    """Say what was wrong, by the code of the catalog, in words for people."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        retry_after_sec: int | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.entry = catalog()[code]
        self.detail = detail
        self.errors = errors
        self.retry_after_sec = retry_after_sec
        self.members = members

    @classmethod
    def of_refusal(cls, errno: int, message: str) -> Problem:
        """Turn the refusal of a procedure, `code: detail`, into a problem."""
        entry = by_errno().get(errno)
        if entry is None:
            # A routine of a newer release: the gateway cannot know what it means.
            return cls("internal_error", "the database gave an unknown refusal")
        return cls.of_code(entry.code, message.removeprefix(f"{entry.code}: "))

    @classmethod
    def of_code(cls, code: str, detail: str, prefix: str = "", **members: Any) -> Problem:
        """Return the problem of a code, naming the field that the catalog says is at fault."""
        pointer = catalog()[code].pointer
        errors = [] if pointer is None else [FieldError(prefix + pointer, detail)]
        return cls(code, detail, errors, **members)

    @property
    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        return {
            "type": f"urn:podium:error:{self.entry.code}",
            "title": self.entry.title,
            "status": self.entry.status,
            "detail": self.detail,
            "code": self.entry.code,
            **({"errors": [vars(error) for error in self.errors]} if self.errors else {}),
            **self.members,
        }

    @property
    def response(self) -> Response:
        """Return the HTTP response."""
        response = Response(
            current_app.json.dumps(self.body), status=self.entry.status, mimetype=MEDIA_TYPE
        )
        if self.retry_after_sec is not None:
            response.headers["Retry-After"] = str(self.retry_after_sec)
        if self.entry.status == HTTPStatus.REQUEST_TIMEOUT:
            response.headers["Connection"] = "close"
        if self.entry.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Bearer realm="podium"'
        return response


@cache
def catalog() -> dict[str, CatalogEntry]:
    """Return the error catalog by code.

    From the file that fills the table: the gateway's account may read no table, and has to answer
    when there is no database at all.
    """
    text = (SQL / "seed" / "error_catalog.sql").read_text(encoding="utf-8")
    return {
        row["code"]: CatalogEntry(
            row["code"], int(row["errno"]), int(row["status"]), row["title"], row["pointer"]
        )
        for row in CATALOG_ROW.finditer(text)
    }


@cache
def by_errno() -> dict[int, CatalogEntry]:
    """Return the error catalog by errno."""
    return {entry.errno: entry for entry in catalog().values()}


@cache
def field_codes() -> dict[str, str]:
    """Return, by pointer, the code of a value that breaks the rule of that field alone."""
    entries = [
        entry for entry in catalog().values() if entry.status == HTTPStatus.UNPROCESSABLE_ENTITY
    ]
    pointers = Counter(entry.pointer for entry in entries)
    return {
        entry.pointer: entry.code
        for entry in entries
        if entry.pointer is not None and pointers[entry.pointer] == 1
    }


HTTP_CODES = {
    HTTPStatus.BAD_REQUEST: "malformed_request",
    HTTPStatus.NOT_FOUND: "route_not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "payload_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
}


def init_app(app: Flask) -> None:
    """Give every error of an application the one shape."""

    @app.errorhandler(Problem)
    def of_problem(problem: Problem) -> Response:
        return problem.response

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        code = HTTP_CODES.get(HTTPStatus(error.code or 500), "internal_error")
        details = {
            "route_not_found": f"there is nothing at {request.path}",
            "method_not_allowed": f"{request.path} does not take {request.method}",
            "payload_too_large": (
                f"the body is larger than {app.config['MAX_CONTENT_LENGTH']} bytes"
            ),
        }
        response = Problem(code, details.get(code, error.description or error.name)).response
        # Allow, of 405.
        response.headers.extend(
            (name, value) for name, value in error.get_headers() if name == "Allow"
        )
        return response

    @app.after_request
    def let_finish(response: Response) -> Response:
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            _drain()
        return response

    @app.errorhandler(Exception)
    def of_surprise(error: Exception) -> Response:
        app.logger.exception("unexpected error", exc_info=error)
        return Problem("internal_error", "something went wrong; it has been logged").response


def _drain() -> None:
    """Read what is left of the body, up to a bound, for a moment, and of few requests at once.

    The server closes a connection whose body was not read: a client that is still sending would see
    that, and never the answer that says why.
    """
    environ = request.environ
    if BODY_READ in environ or not (
        request.content_length or environ.get("HTTP_TRANSFER_ENCODING")
    ):
        return
    watch = watch_of(environ)
    with nullcontext(True) if watch is None else watch.drain(environ) as allowed:
        body, rest = environ["wsgi.input"], DRAINED_BYTES if allowed else 0
        while rest > 0 and (piece := body.read(min(rest, 64 * 1024))):
            rest -= len(piece)
