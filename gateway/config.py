"""What the gateway is told by its environment."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import limits

# Of a process to Redis. A thread holds one at most, so the server's threads are the bound. redis-py
# has 100 unless told otherwise, and fails past it as if there were no Redis.
MAX_REDIS_CONNECTIONS = 10_000
# What no random secret has in it, and what people write who mean to choose one later.
PLACEHOLDERS = ("secret", "password", "change", "example", "default", "podium")
# Of 32 random hexadecimal digits fewer are different, or fewer of the steps from one to the next,
# once in many millions.
LEAST_VARIETY = 8
# Beyond all that makes sense, and within what every library takes.
LARGEST_NUMBER = 999_999_999
# What may stand in a file instead, whose name is in the variable with _FILE at its end.
FROM_FILES = (
    "PODIUM_MYSQL_URL",
    "PODIUM_MYSQL_PASSWORD",
    "PODIUM_GATEWAY_MYSQL_URL",
    "PODIUM_GATEWAY_MYSQL_PASSWORD",
    "PODIUM_REDIS_URL",
    "PODIUM_JWT_SECRET",
    "PODIUM_JWT_PUBLIC_KEY",
    "PODIUM_METRICS_TOKEN",
)
# What editors and shells leave around a value, unseen; with the mark that begins a file.
BLANKS = string.whitespace + "\N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"


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
    max_body_bytes: int = 1024 * 1024
    # How long a client may take to send a body.
    body_timeout_sec: int = 15
    pool_size: int = 20
    pool_overflow: int = 40
    # How long a request waits for a free connection, and for the answer on it.
    pool_timeout_sec: float = 5.0
    database_timeout_sec: int = 10
    # How long a change waits for a board that another change holds.
    board_wait_sec: int = 45
    # How long a recalculation, whose time grows with the exam, may take.
    maintenance_timeout_sec: int = 600
    redis_timeout_sec: float = 0.2
    # The bound on how long a change made by a direct CALL can go unseen in the cache.
    cache_ttl_sec: float = 5.0
    # Streams that may be open in one process. Each holds a thread of the server.
    max_streams: int = 200
    # How often a stream without news shows that it is there, and finds out that nobody listens.
    stream_heartbeat_sec: int = 15
    # The changes of a board within so long are one event.
    stream_pause_ms: int = 250
    # In the notation of the package limits; None: no limit. Per user.
    rate_limit_candidate: str | None = "600 per minute"
    rate_limit_staff: str | None = None
    # Per address, and high: a whole university may be one, whose tokens all end at once.
    rate_limit_anonymous: str | None = "3000 per minute"
    # How many proxies in front add to X-Forwarded-For. 0: the header is anybody's to write.
    trusted_proxies: int = 0
    # Who reads /metrics: token is whoever has the one below, or an administrator's; open; off.
    metrics: str = "token"
    metrics_token: str | None = field(repr=False, default=None)
    # For so long one text of /metrics is given to all who ask; 0: made anew each time.
    metrics_max_age_sec: int = 1
    # Origins whose pages may read answers, as browsers write them; none: only pages of our own.
    cors_origins: tuple[str, ...] = ()
    # How lines on stderr are written: json, text, or off.
    log: str = "json"
    # The least that is written: info, which a request is, warning or error, which a failed one is.
    log_level: str = "info"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read the settings, refusing what cannot work."""
        mysql_url = gateway_mysql_url(environ) or administrative_mysql_url(environ)
        if not mysql_url:
            raise ConfigError("PODIUM_MYSQL_URL is not set: mysql://user:password@host:3306/podium")
        secret = setting(environ, "PODIUM_JWT_SECRET")
        public_key = setting(environ, "PODIUM_JWT_PUBLIC_KEY")
        if (secret is None) == (public_key is None):
            raise ConfigError(
                "set either PODIUM_JWT_SECRET (HS256) or PODIUM_JWT_PUBLIC_KEY (RS256, ES256)"
            )
        if secret is not None and (fault := _fault_of(secret)):
            raise ConfigError(
                f"PODIUM_JWT_SECRET {fault}, and whoever guesses it is an administrator: take 32 "
                "random bytes, for instance of `openssl rand -hex 32`"
            )
        metrics_token = setting(environ, "PODIUM_METRICS_TOKEN")
        if metrics_token is not None and (fault := _fault_of(metrics_token)):
            raise ConfigError(
                f"PODIUM_METRICS_TOKEN {fault}, and whoever guesses it reads the metrics: take 32 "
                "random bytes, for instance of `openssl rand -hex 32`"
            )
        return cls(
            mysql_url=mysql_url,
            redis_url=setting(environ, "PODIUM_REDIS_URL"),
            jwt_secret=secret,
            jwt_public_key=public_key,
            max_body_bytes=_number(environ, "PODIUM_MAX_BODY_BYTES", cls.max_body_bytes),
            body_timeout_sec=_number(environ, "PODIUM_BODY_TIMEOUT_SEC", cls.body_timeout_sec),
            pool_size=_number(environ, "PODIUM_POOL_SIZE", cls.pool_size),
            pool_overflow=_number(environ, "PODIUM_POOL_OVERFLOW", cls.pool_overflow, least=0),
            pool_timeout_sec=_number(environ, "PODIUM_POOL_TIMEOUT_SEC", int(cls.pool_timeout_sec)),
            database_timeout_sec=_number(
                environ, "PODIUM_DATABASE_TIMEOUT_SEC", cls.database_timeout_sec
            ),
            board_wait_sec=_number(environ, "PODIUM_BOARD_WAIT_SEC", cls.board_wait_sec),
            maintenance_timeout_sec=_number(
                environ, "PODIUM_MAINTENANCE_TIMEOUT_SEC", cls.maintenance_timeout_sec
            ),
            max_streams=_number(environ, "PODIUM_MAX_STREAMS", cls.max_streams),
            stream_heartbeat_sec=_number(
                environ, "PODIUM_STREAM_HEARTBEAT_SEC", cls.stream_heartbeat_sec
            ),
            stream_pause_ms=_number(environ, "PODIUM_STREAM_PAUSE_MS", cls.stream_pause_ms),
            rate_limit_candidate=_limit(
                environ, "PODIUM_RATE_LIMIT_CANDIDATE", cls.rate_limit_candidate
            ),
            rate_limit_staff=_limit(environ, "PODIUM_RATE_LIMIT_STAFF", cls.rate_limit_staff),
            rate_limit_anonymous=_limit(
                environ, "PODIUM_RATE_LIMIT_ANONYMOUS", cls.rate_limit_anonymous
            ),
            trusted_proxies=_number(
                environ, "PODIUM_TRUSTED_PROXIES", cls.trusted_proxies, least=0
            ),
            metrics=_choice(environ, "PODIUM_METRICS", cls.metrics, ("token", "open", "off")),
            metrics_token=metrics_token,
            metrics_max_age_sec=_number(
                environ, "PODIUM_METRICS_MAX_AGE_SEC", cls.metrics_max_age_sec, least=0
            ),
            cors_origins=_origins(environ, "PODIUM_CORS_ORIGINS"),
            log=_choice(environ, "PODIUM_LOG", cls.log, ("json", "text", "off")),
            log_level=_choice(
                environ, "PODIUM_LOG_LEVEL", cls.log_level, ("info", "warning", "error")
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
        try:
            parts = urlsplit(url)
            known = parts.scheme == "mysql" and parts.username and parts.port != 0
        except ValueError:  # Its message has a part of the password where that is not encoded.
            known = False
        if not known:
            raise ConfigError(
                "a MySQL address looks like mysql://user:password@host:3306/podium, with /, #, ?, "
                "@ and : of the password percent-encoded"
            )
        if parts.path not in ("", "/", "/podium"):
            raise ConfigError(f"Podium's database is called podium, not {parts.path.strip('/')}")
        options = parse_qs(parts.query, keep_blank_values=True)
        socket = options.pop("unix_socket", [None])
        # Which ones is not said: behind a ? or # that is not encoded stands a part of the password.
        if options or len(socket) > 1 or socket == [""] or "#" in url:
            raise ConfigError(
                "behind a MySQL address may stand ?unix_socket=/path, once, and nothing else"
            )
        return cls(
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            unix_socket=socket[0],
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


def setting(environ: Mapping[str, str], name: str) -> str | None:
    """Return a setting, or what the file has that <name>_FILE names, without its last line end."""
    text, file = environ.get(name) or None, environ.get(f"{name}_FILE") or None
    if file is None:
        return text
    if text is not None:
        raise ConfigError(f"set either {name} or {name}_FILE, not both")
    try:
        found = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigError(f"{name}_FILE: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}_FILE: {file} is not UTF-8") from None
    except ValueError:
        raise ConfigError(f"{name}_FILE: {file!r} is no name of a file") from None
    bare = found.strip(BLANKS)
    if not bare:
        raise ConfigError(f"{name}_FILE: {file} is empty")
    if bare != found:
        raise ConfigError(
            f"{name}_FILE: {file} has blanks, empty lines or a byte order mark around the value: "
            "one line end after it is all that may be there"
        )
    return found


def administrative_mysql_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return where MySQL is, as PODIUM_MYSQL_URL says; None where it says nothing."""
    return _mysql_url(environ, "PODIUM_MYSQL_URL", "PODIUM_MYSQL_PASSWORD")


def gateway_mysql_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the same with the gateway's own account, as PODIUM_GATEWAY_MYSQL_URL says."""
    return _mysql_url(environ, "PODIUM_GATEWAY_MYSQL_URL", "PODIUM_GATEWAY_MYSQL_PASSWORD")


def _mysql_url(environ: Mapping[str, str], name: str, password_name: str) -> str | None:
    """Return a MySQL URL with its password, which may stand in a variable or a file of its own."""
    url, password = setting(environ, name), setting(environ, password_name)
    if url is None or password is None:
        return url
    account = MysqlUrl.parse(url)
    if account.password:
        raise ConfigError(f"{name} has a password already, and {password_name} is another")
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(account.user, safe='')}:{quote(password, safe='')}@{place}"
    return parts._replace(netloc=netloc).geturl()


def _number(environ: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    """Read a whole number."""
    text = environ.get(name) or str(default)
    known = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))
    if not known or int(text) < least:
        raise ConfigError(
            f"{name} must be a whole number from {least} to {LARGEST_NUMBER}, not {text[:40]!r}"
        )
    return int(text)


def _choice(environ: Mapping[str, str], name: str, default: str, words: tuple[str, ...]) -> str:
    """Read one of a few words."""
    text = (environ.get(name) or default).lower()
    if text not in words:
        raise ConfigError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, not {text!r}")
    return text


def _origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read origins, each as a browser writes it: a wrong one would fit no page, and say nothing."""
    texts = [text.strip() for text in (environ.get(name) or "").split(",")]
    origins = tuple(text for text in texts if text)
    if wrong := next((text for text in origins if not _is_origin(text)), None):
        raise ConfigError(
            f"{name} must be origins as browsers write them, divided by commas: "
            "https://exam.example.org or http://localhost:3000, in small letters, without a path, "
            f"a slash at the end or the usual port, not {wrong!r}"
        )
    return origins


def _is_origin(text: str) -> bool:
    """Tell whether a browser would write an origin so."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if usual is None or not parts.hostname or port == usual or not text.isascii():
        return False
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    written = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    return text == written and not re.search(r"[\s*]", text)


def _limit(environ: Mapping[str, str], name: str, default: str | None) -> str | None:
    """Read a rate limit; None where there is to be none."""
    text = environ.get(name) or default
    if text is None or text.lower() == "off":
        return None
    try:
        if all(item.amount > 0 for item in limits.parse_many(text)):
            return text
    except ValueError:
        pass
    raise ConfigError(
        f"{name} must be a rate limit, such as '600 per minute' or '20 per second; 600 per "
        f"minute', or off, not {text!r}"
    )


def _fault_of(secret: str) -> str | None:
    """Tell why a secret can be guessed; None where it looks random."""
    if len(secret.encode()) < 32:
        return "is too short to be safe"
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    if min(len(set(secret)), len(steps)) < LEAST_VARIETY or secret in (secret + secret)[1:-1]:
        return "is a pattern"
    if word := next((word for word in PLACEHOLDERS if word in secret.lower()), None):
        return f"has the word {word!r} in it"
    return None
