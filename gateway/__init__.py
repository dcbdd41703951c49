"""Podium's gateway: JSON over HTTP in front of the stored procedures."""

from __future__ import annotations

import atexit
import sys
from multiprocessing.util import Finalize
from typing import cast

from flask import Flask

from gateway import (
    api,
    cli,
    connections,
    cors,
    errors,
    headers,
    health,
    limits,
    logs,
    metrics,
    openapi,
    pages,
    representation,
    streams,
    watch,
)
from gateway.boards import Boards
from gateway.cache import PageCache
from gateway.config import Config, ConfigError
from gateway.db import Database
from gateway.metrics import Metrics
from gateway.submissions import Submissions

__all__ = ["create_app"]


def create_app(config: Config | None = None) -> Flask:
    """Make the WSGI application; without a config, from the environment.

    What cannot work there ends the process with one line and exit code 1.
    """
    app = Flask(__name__, static_folder=None)
    cli.init_app(app)
    if config is not None:
        return _fill(app, config)
    if cli.is_running():
        return app  # The command line needs the administrative account and nothing else.
    try:
        return _fill(app, Config.from_environ())
    except ConfigError as error:
        end = refusal(error)
    raise end


def refusal(error: ConfigError) -> BaseException:
    """Return what ends the process with the message alone, whichever server has started it."""
    message = f"Error: {' '.join(str(error).split())}"
    if "gunicorn.arbiter" in sys.modules:
        # Whose workers would be started again for ever. It prints the message, and ends too.
        from gunicorn.errors import AppImportError

        return cast(Exception, AppImportError(message))
    return SystemExit(message)


def _fill(app: Flask, config: Config) -> Flask:
    """Add all that answers requests."""
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.config["PODIUM"] = config
    app.json = representation.Json(app)
    counts = Metrics()
    logs.configure(config)
    database, cache = Database(config, counts), PageCache(config, counts)
    app.extensions["podium.database"] = database
    app.extensions["podium.cache"] = cache
    app.extensions["podium.boards"] = boards = Boards(config, database)
    app.extensions["podium.submissions"] = Submissions(database, cache, counts, boards)
    streams.init_app(app, config, database, cache)
    limits.init_app(app, config)
    errors.init_app(app)
    health.init_app(app)
    openapi.init_app(app)
    api.init_app(app)
    pages.init_app(app)
    metrics.init_app(app, counts, config)
    cors.init_app(app, config)
    headers.init_app(app)
    watch.init_app(app, counts, config)
    connections.init_app(app, config)
    atexit.register(database.close)
    atexit.register(cache.close)
    atexit.register(logs.STDERR.flush)
    # A worker of granian ends as multiprocessing's processes do, which asks atexit for nothing.
    Finalize(None, logs.STDERR.flush, exitpriority=0)
    return app
