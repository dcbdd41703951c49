"""All that Podium needs to answer: MySQL, Redis, the schema and a gateway."""

from __future__ import annotations

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
from gateway.connecting import connect
from gateway.errors import catalog
from services.engine import Container
from services.gateway import WITHHELD, start_gateway
from services.lease import (
    SERVERS,
    Lease,
    gateways,
    instances,
    leave_to_others,
    started_anew,
    users,
)
from services.mysql import socket_path, start_mysql
from services.process import exclusive, kept_secret
from services.redis import start_redis
from services.server import HOME, ROOT, Instance, Server
from services.source import LOCK, SERVICE

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
    lease: Lease | None = field(default=None, repr=False)

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

    def stop(self) -> list[str]:
        """Stop what start_stack() started, and nothing that it found or that others use by now.

        Returns who these others are.
        """
        if self.lease is None:
            return []
        return self.lease.leave(self.gateway, [("redis", self.redis), ("mysqld", self.mysql)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_stack(
    home: Path = HOME,
    *,
    port: int | None = None,
    env: Mapping[str, str] | None = None,
    guest: str | None = None,
    use: str = SERVICE,
) -> Stack:
    """Find or start everything; if a part fails, what was started is stopped again.

    port: the gateway's, in place of a free one. env: what else the gateway is told. guest: the name
    of a command that serves as long as it lives only, with a gateway of its own beside the others;
    without it the home's one gateway is found, or started anew where it is of other settings.
    use: for which the environment may name servers.
    """
    home = home.resolve()
    lease = Lease(home, guest or "up")
    servers: list[tuple[str, Server]] = []
    try:
        database = start_mysql(home, use=use)
        servers.insert(0, ("mysqld", database))
        redis = start_redis(home, use=use)
        servers.insert(0, ("redis", redis))
        for name, server in servers:
            if server.started:
                started_anew(home, name)
        gateway_mysql_url = _gateway_mysql_url(home, database, use)
        upgrade_schema(database.url, gateway_mysql_url)
        admin_id = find_administrator(database.url)
        secret = os.environ.get("PODIUM_JWT_SECRET") or kept_secret(home / "run" / "jwt.secret")
        gateway = start_gateway(
            home,
            mysql_url=gateway_mysql_url,
            redis_url=redis.url,
            secret=secret,
            name=lease.name if guest else "gateway",
            port=port,
            env=env,
        )
    except BaseException:
        lease.leave(None, servers)
        raise
    if not guest:
        # From here on the gateway stands for it.
        lease.release()
    return Stack(database, redis, gateway, gateway_mysql_url, secret, admin_id, lease)


def upgrade_schema(mysql_url: str, gateway_mysql_url: str) -> None:
    """Bring a database to this release and make the gateway's account in it."""
    urls = {"PODIUM_MYSQL_URL": mysql_url, "PODIUM_GATEWAY_MYSQL_URL": gateway_mysql_url}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "gateway", "db", "upgrade"],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name not in WITHHELD} | urls,
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
        connect(MysqlUrl.parse(mysql_url), database="podium") as connection,
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
    """Stop what runs in a home, and return the names of what was stopped.

    Left running is what a living command uses, such as a demo: its gateway, and the servers, which
    it then stops in the end.
    """
    home = home.resolve()
    stopped = []
    with exclusive(home / LOCK):
        living = users(home)
        ending = [process for process in gateways(home) if process.name not in living]
        if living:
            leave_to_others(home, SERVERS)
        for instance in ending if living else [*ending, *_servers(home)]:
            if instance.alive():
                stopped.append(instance.name)
            instance.stop()
    (home / "env").unlink(missing_ok=True)
    return stopped


def require_unused(home: Path) -> None:
    """Refuse to go on where a living command uses the servers of a home."""
    if living := users(home):
        raise SystemExit(
            f"{', '.join(living)} is running on the data in {home}: end it first, with Ctrl-C. "
            "Nothing was dropped."
        )


def drop_data(home: Path = HOME) -> None:
    """Drop what a stopped home keeps, its passwords and ports included."""
    home = home.resolve()
    with exclusive(home / LOCK):
        require_unused(home)
        Container(home, "mysql").drop_data()
        data = [home / name for name in ("mysql", "mysql.new", "run", "log")]
        for folder in filter(Path.exists, [*data, socket_path(home).parent]):
            shutil.rmtree(folder)


def _servers(home: Path) -> list[Instance]:
    """Return the servers that may run in a home, in the order in which they are stopped."""
    for name in SERVERS:
        started_anew(home, name)
    return [instance for name in SERVERS for instance in instances(home, name)]


def _gateway_mysql_url(home: Path, mysql: Server, use: str) -> str:
    """Return the URL the gateway connects with; unless one is named, its account is this home's."""
    user = GATEWAY_USER
    if mysql.source == "url":
        if named := os.environ.get(f"PODIUM_{use}GATEWAY_MYSQL_URL"):
            return named
        # Others use this server too: no account of theirs may get our password.
        user += "_" + hashlib.sha256(f"{socket.gethostname()}:{home}".encode()).hexdigest()[:8]
    parts = urlsplit(mysql.url)
    password = kept_secret(home / "run" / "gateway.password")
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{address}"))
