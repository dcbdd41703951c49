"""A Flask application that answers with what it was sent: the least a JSON endpoint can do."""

from __future__ import annotations

import os

import redis
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__, static_folder=None)

    @app.post("/echo")
    def post_echo() -> ResponseReturnValue:
        """Answer with the body."""
        return jsonify(request.get_json())

    @app.get("/echo")
    def get_echo() -> ResponseReturnValue:
        """Answer with the query parameters."""
        return jsonify(request.args)

    cache = redis.Redis.from_url(os.environ["PODIUM_REDIS_URL"])

    @app.get("/ask")
    def get_asked() -> ResponseReturnValue:
        """Answer with the query parameters, after one question to Redis."""
        cache.mget("bench:epoch", "bench:revision", "bench:page")
        return jsonify(request.args)

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Say that the process serves."""
        return {"status": "ready"}

    return app
