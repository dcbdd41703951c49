"""flask --app gateway user create, user show, user rename."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from gateway.cli.procedures import FOUND, procedures
from gateway.cli.texts import shown
from gateway.schemas import USER_ROLE

user = AppGroup("user", help="People: candidates, and those who run exams.")


@user.command()
@click.argument("username")
@click.option("--full-name", required=True, help="As it stands on the board.")
@click.option(
    "--role", type=click.Choice(USER_ROLE["enum"]), default="candidate", show_default=True
)
@click.option("--quiet", "-q", is_flag=True, help="Print the id alone, for scripts.")
def create(username: str, full_name: str, role: str, quiet: bool) -> None:
    """Create a user and print their id.

    The first administrator is created so:

    \b
    flask --app gateway user create root --full-name "Exam office" --role admin

    and gets a token by `flask --app gateway token --user ID --role admin`.

    Exit code: 0 created, 1 refused, 2 usage or no database.
    """
    with procedures() as database:
        [[made]] = database.call("create_user", username, full_name, role)
    click.echo(made["user_id"] if quiet else f"User {made['user_id']} is created.")


@user.command()
@click.argument("user_id", metavar="[ID]", type=int, required=False)
@click.option("--name", help="The user name; case, and white space at both ends, do not matter.")
def show(user_id: int | None, name: str | None) -> None:
    """Show a user, by ID or by name.

    \b
    flask --app gateway user show 7
    flask --app gateway user show --name alice

    Exit code: 0 shown, 1 no such user, 2 usage or no database.
    """
    if (user_id is None) == (name is None):
        raise click.UsageError("give an ID, or --name")
    with procedures() as database:
        [found] = (
            database.call("get_user", user_id) if name is None else database.call("find_user", name)
        )
    if not found:
        click.echo("Nobody has this name.", err=True)
        raise SystemExit(FOUND)
    for column, value in found[0].items():
        click.echo(f"{column:>10}  {shown(value)}")


@user.command()
@click.argument("user_id", metavar="ID", type=int)
@click.option("--username", help="The new user name.")
@click.option("--full-name", help="The new full name.")
def rename(user_id: int, username: str | None, full_name: str | None) -> None:
    """Change what a user is called, on every board that shows it.

    \b
    flask --app gateway user rename 7 --full-name "Alice Chen-Novak"

    Exit code: 0 renamed, or called so already; 1 refused, 2 usage or no database.
    """
    changes = {"username": username, "full_name": full_name}
    given = {column: text for column, text in changes.items() if text is not None}
    if not given:
        raise click.UsageError("give --username, --full-name or both")
    with procedures() as database:
        [[row], boards] = database.call(
            "update_user", user_id, json.dumps(given, ensure_ascii=False), None
        )
    click.echo(f"User {row['user_id']} is {shown(row['username'])}, {shown(row['full_name'])}.")
    for board in boards:
        click.echo(f"Exam {board['exam_id']} shows it from revision {board['revision']:,} on.")
