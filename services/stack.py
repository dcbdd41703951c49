"""All that Podium needs to answer: MySQL, Redis, the schema and a gateway."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import jwt
import mysql.connector

from gateway.config import MysqlUrl
from gateway.errors import catalog
from services.engine import Container
from services.gateway import start_gateway
from services.mysql import socket_path, start_mysql
from services.process import Process, exclusive, kept_secret
from services.redis import start_redis
from services.server import HOME, ROOT, Instance, Server
from services.source import LOCK

GATEWAY_USER = "podium_app"
ADMIN_USER = "podium-admin"
USERNAME_TAKEN = catalog()["username_taken"].errno
TOKEN_SEC = 30 * 86400


@dataclass(frozen=True)
class Stack:
    """A running Podium, with the keys to it."""

    mysql: Server
    redis: Server
    gateway: Server
    gateway_mysql_url: str = field(repr=False)
    secret: str = field(repr=False)
    admin_id: int

    @property
    def url(self) -> str:
        """Return where the gateway answers, without a path."""
        return self.gateway.url

    @property
    def admin_token(self) -> str:
        """Return a token of an administrator, good for 30 days."""
        now = int(time.time())
        claims = {"role": "admin", "aud": "podium", "iat": now, "exp": now + TOKEN_SEC}
        claims["sub"] = str(self.admin_id)
        return jwt.encode(claims, self.secret, "HS256")

    @property
    def variables(self) -> dict[str, str]:
        """Return all that a program must know to use it, by the names of .local/env."""
        return {
            "PODIUM_URL": self.url,
            "PODIUM_JWT_SECRET": self.secret,
            "PODIUM_ADMIN_TOKEN": self.admin_token,
            "PODIUM_MYSQL_URL": self.mysql.url,
            "PODIUM_GATEWAY_MYSQL_URL": self.gateway_mysql_url,
            "PODIUM_REDIS_URL": self.redis.url,
        }

    def stop(self) -> None:
        """Stop what start_stack() started, and nothing that it found."""
        for server in (self.gateway, self.redis, self.mysql):
            server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_stack(
    home: Path = HOME, *, port: int | None = None, env: Mapping[str, str] | None = None
) -> Stack:
    """Find or start everything; if a part fails, what was started is stopped again.

    port: the gateway's, in place of a free one. env: what else the gateway is told.
    """
    home = home.resolve()
    with contextlib.ExitStack() as started:
        database = started.enter_context(start_mysql(home))
        redis = started.enter_context(start_redis(home))
        gateway_mysql_url = _gateway_mysql_url(home, database)
        upgrade_schema(database.url, gateway_mysql_url)
        admin_id = find_administrator(database.url)
        secret = os.environ.get("PODIUM_JWT_SECRET") or kept_secret(home / "run" / "jwt.secret")
        gateway = start_gateway(
            home,
            mysql_url=gateway_mysql_url,
            redis_url=redis.url,
            secret=secret,
            port=port,
            env=env,
        )
        started.pop_all()
    return Stack(database, redis, gateway, gateway_mysql_url, secret, admin_id)


def upgrade_schema(mysql_url: str, gateway_mysql_url: str) -> None:
    """Bring a database to this release and make the gateway's account in it."""
    urls = {"PODIUM_MYSQL_URL": mysql_url, "PODIUM_GATEWAY_MYSQL_URL": gateway_mysql_url}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "gateway", "db", "upgrade"],
        cwd=ROOT,
        env=os.environ | urls,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"The schema cannot be loaded into MySQL:\n{done.stderr.strip()}")
    # The lines of single files are indented.
    outcome = next(line for line in done.stdout.splitlines() if not line.startswith(" "))
    print(f"Schema: {outcome}", flush=True)


def find_administrator(mysql_url: str) -> int:
    """Return the id of the user whom the admin token speaks for, made at the first time.

    A user of his own: whoever had the id of a candidate would count as that candidate.
    """
    with (
        mysql.connector.connect(
            **MysqlUrl.parse(mysql_url).arguments, database="podium", autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute("CALL create_user(%s, %s, 'admin')", (ADMIN_USER, "Administrator"))
            [(user_id, *_)] = cursor.fetchall()
            while cursor.nextset():
                pass
        except mysql.connector.Error as error:
            if error.errno != USERNAME_TAKEN:
                raise
            cursor.execute("SELECT user_id FROM users WHERE username = %s", (ADMIN_USER,))
            [(user_id,)] = cursor.fetchall()
    return int(str(user_id))


def stop_stack(home: Path = HOME) -> list[str]:
    """Stop all that runs in a home, and return the names of what was stopped."""
    home = home.resolve()
    stopped = []
    with exclusive(home / LOCK):
        for instance in _instances(home):
            if instance.alive():
                stopped.append(instance.name)
            instance.stop()
    (home / "env").unlink(missing_ok=True)
    return stopped


def drop_data(home: Path = HOME) -> None:
    """Drop what a stopped home keeps, its passwords and ports included."""
    home = home.resolve()
    with exclusive(home / LOCK):
        Container(home, "mysql").drop_data()
        data = [home / name for name in ("mysql", "mysql.new", "run", "log")]
        for folder in filter(Path.exists, [*data, socket_path(home).parent]):
            shutil.rmtree(folder)


def _instances(home: Path) -> list[Instance]:
    """Return what may run in a home, in the order in which it is stopped: gateways first."""
    names = {path.stem for path in (home / "run").glob("*.pid")} - {"redis", "mysqld"}
    return [
        *(Process(home, name) for name in sorted(names)),
        Process(home, "redis"),
        Container(home, "redis"),
        Process(home, "mysqld"),
        Container(home, "mysql"),
    ]


def _gateway_mysql_url(home: Path, mysql: Server) -> str:
    """Return the URL the gateway connects with; unless one is named, its account is this home's."""
    user = GATEWAY_USER
    if mysql.source == "url":
        if named := os.environ.get("PODIUM_GATEWAY_MYSQL_URL"):
            return named
        # Others use this server too: no account of theirs may get our password.
        user += "_" + hashlib.sha256(f"{socket.gethostname()}:{home}".encode()).hexdigest()[:8]
    parts = urlsplit(mysql.url)
    password = kept_secret(home / "run" / "gateway.password")
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{address}"))
