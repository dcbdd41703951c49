"""A Flask application that answers with what it was sent: the least a JSON endpoint can do."""

from __future__ import annotations

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

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Say that the process serves."""
        return {"status": "ready"}

    return app
