"""What is seen of every request: its id, how long it took, and its line in the log."""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask

from gateway import logs
from gateway.config import Config
from gateway.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug import Request

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What else is sent as a method is a client's to choose, and must not become a series of its own.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NOWHERE = "none"
# What a line tells of a request, beside the user.
NAMED = ("exam_id", "session_id")
LARGEST_ID = 19


class RequestIds:
    """Ids of requests that came without one: a random beginning, and a number."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def make(self) -> str:
        """Return an id that no other request has; far cheaper than a UUID."""
        return f"{self._beginning}-{next(self._numbers)}"

    def _begin(self) -> None:
        self._beginning, self._numbers = secrets.token_hex(8), itertools.count(1)


class Kind:
    """Requests of one method, route and status: their series, and what their lines share."""

    def __init__(self, metrics: Metrics, config: Config, method: str, route: str, status: str):
        self.observe = metrics.request_seconds.labels(method, route, status).observe
        failed = status >= "500"
        self.logged = config.log != "off" and (failed or config.log_level == "info")
        level = "error" if failed else "info"
        # A line in pieces, for what differs from request to request to stand between. All of that
        # is numbers and words that JSON need not escape.
        if config.log == "json":
            self.before = '{"time":"'
            self.after = f'","level":"{level}","message":"request","request_id":"'
            self.words = (
                f'","method":"{method}","route":{json.dumps(route)},"status":{status},'
                '"duration_ms":'
            )
            self.member, self.end = ',"%s":%d', "}\n"
        else:
            self.before, self.after = "", f" {level} "
            self.words = f" {method} {route} {status} ms="
            self.member, self.end = " %s=%d", "\n"


class Watch:
    """A WSGI application whose requests have ids, are counted and leave a line.

    Beneath Flask and around all else, as gateway.headers is, and for the same reason.
    """

    def __init__(self, application: WSGIApplication, metrics: Metrics, config: Config) -> None:
        self._application = application
        self._metrics, self._config = metrics, config
        self._ids = RequestIds()
        self._kinds: dict[tuple[str, str, str], Kind] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        asked = environ.get("HTTP_X_REQUEST_ID")
        if asked is None or not REQUEST_ID.fullmatch(asked):
            asked = self._ids.make()
        logs.request_id.set(asked)
        logs.user_id.set(None)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers.append(("X-Request-ID", asked))
            self._note(environ, status[:3], asked, time.perf_counter() - began)
            return start_response(status, headers, *error)

        return self._application(environ, start)

    def _note(self, environ: WSGIEnvironment, status: str, asked: str, seconds: float) -> None:
        """Count a request that is being answered, and write its line."""
        # Left there by werkzeug: what Flask has found out of the request.
        request: Request | None = environ.get("werkzeug.request")
        known: dict[str, Any] = {} if request is None else request.__dict__
        rule = known.get("url_rule")
        key = environ["REQUEST_METHOD"], NOWHERE if rule is None else rule.rule, status
        kind = self._kinds.get(key) or self._kind(*key)
        kind.observe(seconds)
        if kind.logged:
            members = "".join([kind.member % each for each in _ids_of(known)])
            now = logs.CLOCK.stamp(time.time())
            took = f"{seconds * 1000:.3f}"
            logs.STDERR.put(
                f"{kind.before}{now}{kind.after}{asked}{kind.words}{took}{members}{kind.end}"
            )

    def _kind(self, method: str, rule: str, status: str) -> Kind:
        """Return a kind of requests, by the route as it is documented and not as it was asked."""
        key = method if method in METHODS else "other", rule, status
        kind = self._kinds.get(key)
        if kind is None:
            kind = Kind(self._metrics, self._config, key[0], rule.replace("<int:", "<"), status)
            self._kinds[key] = kind
        return kind


def _ids_of(known: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Return whose token it was, and which exam and session were meant, where that is known."""
    if (user_id := logs.user_id.get()) is not None:
        yield "user_id", user_id
    if parts := known.get("view_args"):
        for name in NAMED:
            if name in parts:
                yield name, parts[name]
    # There only where the view has read it too.
    if query := known.get("args"):
        for name in NAMED:
            # Past MultiDict, which would take ten times as long.
            text = dict.get(query, name, ("",))[0]
            # Anything but a number may be a secret gone astray.
            if len(text) <= LARGEST_ID and text.isascii() and text.isdigit():
                yield name, int(text)


def init_app(app: Flask, metrics: Metrics, config: Config) -> None:
    """Watch all requests."""
    # Wrapped as Flask's manual says; mypy takes the attribute for a method.
    app.wsgi_app = Watch(app.wsgi_app, metrics, config)  # type: ignore[method-assign]  # Flask documents it
