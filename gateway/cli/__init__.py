"""The command line: db, exam, user, token, import, export, verify, locks, simulate, watch.

A module for each.
"""

from __future__ import annotations

import click
from flask import Flask

from gateway.cli.db import db
from gateway.cli.exams import exam
from gateway.cli.exporting import export
from gateway.cli.importing import import_scores
from gateway.cli.locks import locks
from gateway.cli.simulating import simulate
from gateway.cli.tokens import token
from gateway.cli.users import user
from gateway.cli.verifying import verify
from gateway.cli.watching import watch

COMMANDS = (db, exam, user, token, import_scores, export, verify, locks, simulate, watch)


def init_app(app: Flask) -> None:
    """Add Podium's commands to flask."""
    for command in COMMANDS:
        app.cli.add_command(command)


def is_running() -> bool:
    """Tell whether the application is made to be asked for its commands.

    flask makes it to look one up that is not flask's own, while the command of the context is
    still the group; for run, routes and shell it is theirs already.
    """
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, click.Group)
