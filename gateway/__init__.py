"""Podium's gateway: JSON over HTTP in front of the stored procedures."""

from __future__ import annotations

import atexit
from multiprocessing.util import Finalize

from flask import Flask

from gateway import (
    api,
    cli,
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
from gateway.config import Config
from gateway.db import Database
from gateway.metrics import Metrics
from gateway.submissions import Submissions

__all__ = ["create_app"]


def create_app(config: Config | None = None) -> Flask:
    """Make the WSGI application; without a config, from the environment."""
    app = Flask(__name__, static_folder=None)
    cli.init_app(app)
    if config is None and cli.is_running():
        return app  # The command line needs the administrative account and nothing else.
    config = config or Config.from_environ()
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
    atexit.register(database.close)
    atexit.register(cache.close)
    atexit.register(logs.STDERR.flush)
    # A worker of granian ends as multiprocessing's processes do, which asks atexit for nothing.
    Finalize(None, logs.STDERR.flush, exitpriority=0)
    return app
