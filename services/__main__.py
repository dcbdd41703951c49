"""The command line behind `make up`, `make down` and `make reset`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from services.lease import users
from services.mysql import own_mysql
from services.process import port_number, write_private
from services.server import HOME
from services.source import external_url
from services.stack import drop_data, require_unused, start_stack, stop_stack


def main() -> None:
    """Carry out one command."""
    parser = argparse.ArgumentParser(
        prog="python -m services",
        description="Run Podium on this machine: MySQL, Redis, the schema and a gateway.",
    )
    parser.add_argument(
        "--home", type=Path, default=HOME, help="folder of data, logs and pid files (.local)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|reset")
    up_parser = commands.add_parser("up", help="start everything that does not run yet")
    up_parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PODIUM_PORT") or None,
        help="the gateway's port (PODIUM_PORT, or a free one)",
    )
    commands.add_parser("down", help="stop exactly what `up` started")
    commands.add_parser("reset", help="stop it and drop its data")
    arguments = parser.parse_args()
    home = arguments.home.resolve()
    if arguments.command == "up":
        up(home, arguments.port)
    elif arguments.command == "down":
        down(home)
    else:
        reset(home)


def up(home: Path, port: int | None) -> None:
    """Start everything, write the env file, and say how to begin."""
    stack = start_stack(home, port=port)
    write_private(home / "env", assignments(stack.variables))
    env = _shown(home / "env")
    print(
        f"URLs, passwords and an administrator's token are in {env}. Begin with:\n\n"
        f"  . {shlex.quote(env)}\n"
        '  curl -H "Authorization: Bearer $PODIUM_ADMIN_TOKEN" "$PODIUM_URL/api/v1/exams"\n'
    )


def down(home: Path) -> None:
    """Stop what runs."""
    stopped = stop_stack(home)
    living = users(home)
    if stopped or not living:
        print(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")
    if living:
        print(f"MySQL and Redis stay for {', '.join(living)}, which stops them in the end.")


def reset(home: Path) -> None:
    """Stop what runs and drop the data, unless a demo is played on it."""
    require_unused(home)
    down(home)
    external = external_url("PODIUM_MYSQL_URL", own_mysql(home))
    drop_data(home)
    print(f"Dropped the data in {_shown(home)}.")
    if external:
        print("The database that PODIUM_MYSQL_URL names is not Podium's own: it stays as it is.")


def _shown(path: Path) -> str:
    """Return a path as a user of the current folder would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def assignments(variables: Mapping[str, str]) -> str:
    """Return lines that a POSIX shell reads as these variables, and hands on to what it starts."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    return "".join([*lines, f"export {' '.join(variables)}\n"])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
