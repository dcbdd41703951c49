"""flask --app gateway locks."""

from __future__ import annotations

import click
from mysql.connector import errorcode

from gateway.cli.procedures import FOUND, Procedures, Refused, procedures, refuse
from gateway.cli.texts import shown
from gateway.db import DRIVER_ERRORS, Row

HEAD = ("exam", "connection", "account", "holding", "waiting", "state")
LINE = "{:>8}  {:>10}  {:<32}  {:>9}  {:>7}  {:<7}  {}"


@click.command()
@click.option("--exam", "exam_id", type=int, metavar="ID", help="Of one exam alone.")
@click.option("--end", "connection_id", type=int, metavar="ID", help="End this connection.")
@click.option("--yes", "-y", is_flag=True, help="End it without asking.")
def locks(exam_id: int | None, connection_id: int | None, yes: bool) -> None:
    """Show who holds locks of boards, and end one who has forgotten to.

    \b
    flask --app gateway locks
    flask --app gateway locks --end 42

    What waits for nobody comes first: it is what all the others wait for. To end a connection takes
    CONNECTION_ADMIN, or its own account; what it has not committed is undone.

    Exit code: 0 shown or ended, 1 not ended, 2 usage or no database.
    """
    with procedures() as database:
        [holders] = database.call("get_lock_holders", exam_id)
        if connection_id is None:
            _show(holders)
            return
        _show(_of(holders, connection_id))
        if not yes:
            click.confirm(f"End connection {connection_id}?", abort=True)
            # It may have let go by itself while somebody thought.
            _of(database.call("get_lock_holders", exam_id)[0], connection_id)
        _end(database, connection_id)
    click.echo(f"Connection {connection_id} is ended; what it had not committed is undone.")


def _show(holders: list[Row]) -> None:
    """Print who holds what."""
    if not holders:
        click.echo("Nobody holds a lock of a board.")
        return
    click.echo(LINE.format(*HEAD, "last statement"))
    for row in holders:
        account = "-" if row["account"] is None else f"{row['account']}@{row['host']}"
        cells = [
            "any" if row["exam_id"] is None else row["exam_id"],
            "-" if row["connection_id"] is None else row["connection_id"],
            shown(account),
            "-" if row["holding_sec"] is None else f"{row['holding_sec']:,} s",
            row["waiting"],
            row["state"],
            "-" if row["statement"] is None else shown(row["statement"]),
        ]
        click.echo(LINE.format(*cells))


def _of(holders: list[Row], connection_id: int) -> list[Row]:
    """Return what a connection holds; ends the command where that is nothing."""
    its = [row for row in holders if row["connection_id"] == connection_id]
    if not its:
        click.echo(f"Connection {connection_id} holds no lock of a board.", err=True)
        raise SystemExit(FOUND)
    return its


def _end(database: Procedures, connection_id: int) -> None:
    """End a connection."""
    try:
        with database.connection.cursor() as cursor:
            cursor.execute(f"KILL CONNECTION {connection_id:d}")
    except DRIVER_ERRORS as error:
        if error.errno == errorcode.ER_NO_SUCH_THREAD:
            return  # It has ended by itself.
        if error.errno == errorcode.ER_KILL_DENIED_ERROR:
            raise Refused(
                f"the account of PODIUM_MYSQL_URL may not end connection {connection_id}: that "
                "takes CONNECTION_ADMIN, or the account whose connection it is"
            ) from error
        refuse(error)
