"""Podium's gateway: JSON over HTTP in front of the stored procedures."""

from __future__ import annotations

import atexit

from flask import Flask

from gateway import api, cli, errors, health, representation
from gateway.auth import TokenVerifier
from gateway.cache import PageCache
from gateway.config import Config
from gateway.db import Database

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
    app.extensions["podium.database"] = Database(config)
    app.extensions["podium.cache"] = PageCache(config)
    app.extensions["podium.tokens"] = TokenVerifier(config)
    errors.init_app(app)
    health.init_app(app)
    api.init_app(app)
    atexit.register(app.extensions["podium.database"].close)
    atexit.register(app.extensions["podium.cache"].close)
    return app
