"""What the gateway is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


class ConfigError(Exception):
    """Say which variable is missing or wrong, and what it should be."""


@dataclass(frozen=True)
class Config:
    """The gateway's settings; every default is written here and nowhere else."""

    # The account the gateway serves with. It needs the role podium_gateway and nothing else.
    mysql_url: str = field(repr=False)
    # None: every read goes to MySQL.
    redis_url: str | None = field(repr=False, default=None)
    # HS256; at least 32 bytes.
    jwt_secret: str | None = field(repr=False, default=None)
    # RS256 or ES256, PEM; takes the place of the secret.
    jwt_public_key: str | None = None
    candidate_submissions: bool = True
    max_body_bytes: int = 1024 * 1024
    pool_size: int = 20
    pool_overflow: int = 40
    # How long a request waits for a free connection, and for the answer on it.
    pool_timeout_sec: float = 5.0
    database_timeout_sec: int = 10
    # How long a recalculation, whose time grows with the exam, may take.
    maintenance_timeout_sec: int = 600
    redis_timeout_sec: float = 0.2
    # The bound on how long a change made by a direct CALL can go unseen in the cache.
    cache_ttl_sec: float = 5.0

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read the settings, refusing what cannot work."""
        mysql_url = environ.get("PODIUM_GATEWAY_MYSQL_URL") or environ.get("PODIUM_MYSQL_URL")
        if not mysql_url:
            raise ConfigError("PODIUM_MYSQL_URL is not set: mysql://user:password@host:3306/podium")
        secret = environ.get("PODIUM_JWT_SECRET") or None
        public_key = environ.get("PODIUM_JWT_PUBLIC_KEY") or None
        if (secret is None) == (public_key is None):
            raise ConfigError(
                "set either PODIUM_JWT_SECRET (HS256) or PODIUM_JWT_PUBLIC_KEY (RS256, ES256)"
            )
        if secret is not None and len(secret.encode()) < 32:
            raise ConfigError(
                "PODIUM_JWT_SECRET is too short to be safe: 32 bytes at least, for instance of "
                "`openssl rand -hex 32`"
            )
        return cls(
            mysql_url=mysql_url,
            redis_url=environ.get("PODIUM_REDIS_URL") or None,
            jwt_secret=secret,
            jwt_public_key=public_key,
            candidate_submissions=_switch(environ, "PODIUM_CANDIDATE_SUBMISSIONS", True),
            max_body_bytes=_number(environ, "PODIUM_MAX_BODY_BYTES", cls.max_body_bytes),
            pool_size=_number(environ, "PODIUM_POOL_SIZE", cls.pool_size),
            pool_overflow=_number(environ, "PODIUM_POOL_OVERFLOW", cls.pool_overflow, least=0),
            pool_timeout_sec=_number(environ, "PODIUM_POOL_TIMEOUT_SEC", int(cls.pool_timeout_sec)),
            database_timeout_sec=_number(
                environ, "PODIUM_DATABASE_TIMEOUT_SEC", cls.database_timeout_sec
            ),
            maintenance_timeout_sec=_number(
                environ, "PODIUM_MAINTENANCE_TIMEOUT_SEC", cls.maintenance_timeout_sec
            ),
        )


@dataclass(frozen=True)
class MysqlUrl:
    """The parts of mysql://user:password@host:port/podium, with ?unix_socket=/path if wanted."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    unix_socket: str | None

    @classmethod
    def parse(cls, url: str) -> MysqlUrl:
        """Read a URL; what stands in it is percent-encoded."""
        parts = urlsplit(url)
        if parts.scheme != "mysql" or not parts.username:
            raise ConfigError("a MySQL address looks like mysql://user:password@host:3306/podium")
        if parts.path not in ("", "/", "/podium"):
            raise ConfigError(f"Podium's database is called podium, not {parts.path.strip('/')}")
        return cls(
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            unix_socket=parse_qs(parts.query).get("unix_socket", [None])[0],
        )

    @property
    def arguments(self) -> dict[str, str | int]:
        """Return what mysql.connector.connect is told: the socket if there is one, else host."""
        place: dict[str, str | int] = (
            {"unix_socket": self.unix_socket}
            if self.unix_socket
            else {"host": self.host, "port": self.port}
        )
        return {"user": self.user, "password": self.password, **place}


def _number(environ: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    """Read a whole number."""
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} must be a whole number from {least}, not {text!r}")
    return int(text)


def _switch(environ: Mapping[str, str], name: str, default: bool) -> bool:
    """Read an on or off."""
    text = (environ.get(name) or ("on" if default else "off")).lower()
    if text not in ("on", "off"):
        raise ConfigError(f"{name} must be on or off, not {text!r}")
    return text == "on"
