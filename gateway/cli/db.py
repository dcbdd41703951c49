"""flask --app gateway db upgrade, db status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import mysql.connector
from flask.cli import AppGroup

from gateway import loader
from gateway.cli.texts import counted
from gateway.config import (
    ConfigError,
    MysqlUrl,
    administrative_mysql_url,
    gateway_mysql_url,
)
from gateway.connecting import connect

db = AppGroup("db", help="The database's tables and procedures.")


@db.command()
def upgrade() -> None:
    """Bring the database to this release; safe to run twice, and by two at once.

    PODIUM_MYSQL_URL names an administrative account. Where PODIUM_GATEWAY_MYSQL_URL is set, its
    user is created too, or given its password anew, with the role podium_gateway.
    """
    release = loader.Release.read()
    with _connected() as connection:
        paths = loader.upgrade(connection, release)
        for path in paths:
            click.echo(f"  {path}")
        click.echo(
            f"The database is at release {release.number}, {counted(len(paths), 'file')} applied."
        )
        if url := gateway_mysql_url():
            account = MysqlUrl.parse(url)
            loader.grant_gateway(connection, account.user, account.password)
            click.echo(f"The gateway's account is {account.user}, with the role podium_gateway.")
        if loader.has_ansi_quotes(connection):
            click.echo(
                "The server's sql_mode has ANSI_QUOTES, with which MySQL gives nobody what their "
                "default role may. Gateways work all the same; people with podium_dba need "
                "SET ROLE ALL after SET sql_mode, or a server-wide sql_mode without it."
            )


@db.command()
def status() -> None:
    """Tell the database's release and what an upgrade would do; fails where that is anything."""
    release = loader.Release.read()
    with _connected() as connection:
        plan = loader.plan(connection, release)
    click.echo(f"This is release {release.number}.")
    click.echo(
        f"The database is of release {plan.database_release}."
        if plan.database_release
        else "There is no database yet."
    )
    for path in plan.paths:
        click.echo(f"  {path}")
    if plan.paths:
        click.echo(f"{counted(len(plan.paths), 'file')} to apply: flask --app gateway db upgrade")
        raise SystemExit(1)
    click.echo("Nothing to do.")


@contextmanager
def _connected() -> Iterator[Any]:
    """Connect as the administrative account; what goes wrong ends the command in one line."""
    try:
        url = administrative_mysql_url()
        if not url:
            raise ConfigError("PODIUM_MYSQL_URL is not set: mysql://root:password@host:3306/")
        connection = connect(MysqlUrl.parse(url))
        try:
            yield connection
        finally:
            connection.close()
    except (ConfigError, loader.LoaderError, mysql.connector.Error) as error:
        raise click.ClickException(str(error)) from error
