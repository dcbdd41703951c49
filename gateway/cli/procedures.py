"""The way of the command line to the public procedures: one connection, errors in one line."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import click
from mysql.connector import errorcode

from gateway.cli.texts import shown
from gateway.config import (
    ConfigError,
    MysqlUrl,
    administrative_mysql_url,
    gateway_mysql_url,
)
from gateway.connecting import connect
from gateway.db import COLLISIONS, DRIVER_ERRORS, NOT_SET_UP, Results, Row, fetch

# What all commands end with: a finding or a refusal, and what they were never able to begin.
FOUND, UNUSABLE = 1, 2
RETRIES = 8
ROWS_PER_FETCH = 1000
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Refused(click.ClickException):
    """Say in one line what was refused; whoever's words these are, they do not steer a terminal."""

    def format_message(self) -> str:
        """Return the line."""
        return shown(self.message)


class Unusable(Refused):
    """Say in one line that the command cannot begin or go on, and what to do."""

    exit_code = UNUSABLE


class Procedures:
    """One connection, with the account of PODIUM_MYSQL_URL."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def call(self, procedure: str, *values: object) -> Results:
        """CALL a public procedure, again where it collided with another; refusals end the command.

        A connection that breaks ends the command too: what it did is there or not, as the command
        itself says.
        """
        statement = f"CALL podium.{procedure}({', '.join(['%s'] * len(values))})"
        # A shell hands on any bytes: Python makes half a character of each that is no text.
        if not all(_is_text(value) for value in values):
            raise Unusable("what was typed is not UTF-8 text")
        for attempt in range(RETRIES + 1):
            try:
                return fetch(self.connection, statement, values)
            except DRIVER_ERRORS as error:
                if error.errno not in COLLISIONS or attempt == RETRIES:
                    refuse(error)
                # Spread, so that those who collided do not meet again.
                time.sleep(random.uniform(0.001, 0.02) * 2**attempt)  # apart, not for a condition
        raise AssertionError("the last attempt returns or refuses")

    def stream(self, procedure: str, *values: object) -> Iterator[Row]:
        """CALL a public procedure of one result set and yield its rows.

        They are fetched as they are asked for. Whoever does not ask for all closes the connection.
        """
        statement = f"CALL podium.{procedure}({', '.join(['%s'] * len(values))})"
        cursor = self.connection.cursor(dictionary=True)
        try:
            cursor.execute(statement, values)
            while rows := cursor.fetchmany(ROWS_PER_FETCH):
                yield from rows
            cursor.nextset()
            cursor.close()
        except DRIVER_ERRORS as error:
            refuse(error)


@contextmanager
def procedures() -> Iterator[Procedures]:
    """Connect with PODIUM_MYSQL_URL, or the gateway's account where only that is named."""
    try:
        url = administrative_mysql_url() or gateway_mysql_url()
    except ConfigError as error:
        raise Unusable(str(error)) from error
    if not url:
        raise Unusable("PODIUM_MYSQL_URL is not set: mysql://user:password@host:3306/podium")
    try:
        connection = connect(MysqlUrl.parse(url), database="podium")
    except ConfigError as error:
        raise Unusable(f"PODIUM_MYSQL_URL: {error}") from error
    except DRIVER_ERRORS as error:
        refuse(error)
    try:
        yield Procedures(connection)
    finally:
        connection.close()


def _is_text(value: object) -> bool:
    return not isinstance(value, str) or not LONE_SURROGATE.search(value)


def refuse(error: Exception) -> NoReturn:
    """End the command with what the database said, and what to do about it."""
    errno, message = cast(Any, error).errno, cast(Any, error).msg
    if 50000 <= errno <= 51999:
        raise Refused(str(message)) from error
    if errno in NOT_SET_UP - {errorcode.ER_ACCESS_DENIED_ERROR}:
        raise Unusable(
            f"the database is not set up for this account ({message}): flask --app gateway db "
            "upgrade, then grant it the role podium_dba or podium_gateway"
        ) from error
    raise Unusable(f"MySQL: {message} ({errno})") from error
