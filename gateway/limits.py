"""How often somebody may call: candidates and viewers by user, others by address."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import TYPE_CHECKING, Any, cast

import limits
import redis
from flask import Flask, Response, g, request
from limits.storage import storage_from_string
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.auth import GRADERS, NOBODY, ROLES, Caller, TokenVerifier
from gateway.config import MAX_REDIS_CONNECTIONS, Config
from gateway.errors import Problem

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.storage import Storage

log = logging.getLogger(__name__)

# After a failure Redis is left alone for so long: a request must not wait for what just hung.
PAUSE_SEC = 1.0
# Of its limit a caller may use so much before the other gateways hear of it.
SHARES = 20
# A window forgets everybody rather than grow past this: addresses cost a flooder nothing.
MAX_CALLERS = 100_000


@dataclass(slots=True)
class _Use:
    """How much of a limit one caller has used in one window of time."""

    # Requests that came here, and how many of those the others know of.
    here: int = 0
    told: int = 0
    # Requests that came to other gateways, as far as they have told.
    elsewhere: int = 0


@dataclass(frozen=True)
class Allowance:
    """What is left of a limit after a request; below 0 the request is one too many."""

    limit: int
    remaining: int
    reset_after_sec: int


class Counter:
    """A limit on each caller of one kind, in windows by the clock, that gateways share.

    Each gateway counts for itself and adds to the count in Redis once a caller has used another
    1/SHARES of his limit: a round trip for each request would cost more than the request is worth.
    So n gateways together let through n/SHARES too much, and what arrives during a round trip.
    Without Redis each counts alone.
    """

    def __init__(self, kind: str, item: RateLimitItem, shared: SharedCounts) -> None:
        self._kind, self._item, self._shared = kind, item, shared
        self._window_sec = item.get_expiry()
        self._step = max(1, item.amount // SHARES)
        self._window = 0
        self._uses: dict[str, _Use] = {}
        self._lock = threading.Lock()

    def spend(self, who: str) -> Allowance:
        """Count a request and return what is left."""
        news = 0
        with self._lock:
            # Here, so that time goes back only where the clock does: then, too, a window is over.
            now = time.time()
            window = int(now // self._window_sec)
            if window != self._window or len(self._uses) >= MAX_CALLERS:
                self._window, self._uses = window, {}
            use = self._uses.setdefault(who, _Use())
            use.here += 1
            # Those that come while Redis is asked must not be held against this one.
            so_far = use.here
            if use.here - use.told >= self._step and self._shared.answers():
                news = use.here - use.told
                use.told += news
        if news:
            # The key outlives its window: the clocks of gateways differ.
            key = self._item.key_for(self._kind, who, str(window))
            total = self._shared.add(key, news, self._window_sec * 2)
            with self._lock:
                if total is None:
                    use.told -= news
                else:
                    use.elsewhere = max(use.elsewhere, total - use.told)
        return Allowance(
            self._item.amount,
            self._item.amount - so_far - use.elsewhere,
            ceil((window + 1) * self._window_sec - now),
        )


class SharedCounts:
    """The counts in Redis, which may be slow, empty or away without an answer turning wrong."""

    def __init__(self, storage: Storage | None) -> None:
        self._storage = storage
        self._silent_until = 0.0

    def answers(self) -> bool:
        """Tell whether it is worth asking."""
        return self._storage is not None and time.monotonic() >= self._silent_until

    def add(self, key: str, amount: int, expiry_sec: int) -> int | None:
        """Add to a count and return the sum; None where Redis does not answer."""
        assert self._storage is not None
        try:
            return self._storage.incr(key, expiry_sec, amount)
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + PAUSE_SEC
            log.warning("Redis does not answer, each gateway counts alone: %s", error)
            return None


class Limits:
    """The limits of all kinds of callers."""

    def __init__(self, config: Config, shared: SharedCounts) -> None:
        def counters(kind: str, notation: str | None) -> list[Counter]:
            items = [] if notation is None else limits.parse_many(notation)
            return [Counter(kind, item, shared) for item in items]

        staff = counters("staff", config.rate_limit_staff)
        others = counters("candidate", config.rate_limit_candidate)
        self._by_role = {role: staff if role in GRADERS else others for role in ROLES}
        self._anonymous = counters("anonymous", config.rate_limit_anonymous)

    def spend_of(self, caller: Caller) -> None:
        """Count a request with a valid token, or refuse it."""
        if counters := self._by_role[caller.role]:
            _spend(counters, str(caller.user_id), f"user {caller.user_id}")

    def spend_anonymous(self) -> None:
        """Count a request without a valid token, or refuse it."""
        if self._anonymous:
            address = request.remote_addr or "unknown"
            _spend(self._anonymous, network_of(address), f"requests without a token from {address}")


class LimitedTokens(TokenVerifier):
    """Tokens whose every use is counted.

    Here and not before each request: whose token it is decides which limit is his, and staff, who
    have none, pay for looking that up once and for nothing else.
    """

    def __init__(self, config: Config, limits: Limits) -> None:
        super().__init__(config)
        self._limits = limits

    def verify(self, token: str) -> Caller:
        """Return whom a token speaks for, unless he has called too often."""
        caller = super().verify(token)
        self._limits.spend_of(caller)
        return caller

    def count_nobody(self) -> None:
        """Count a request without a token by its address, or refuse it."""
        self._limits.spend_anonymous()


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64 that one subscriber has to himself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address


def init_app(app: Flask, config: Config) -> None:
    """Verify and count tokens, and count by address those who have none.

    Not counted: /healthz, /readyz, /metrics and /openapi.json, which the programs that watch a
    gateway ask for without a token, and what lies nowhere; a refusal would cost as much as the
    answer.
    """
    if config.trusted_proxies:
        # Wrapped as Flask's manual says; mypy takes the attribute for a method.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask documents the assignment
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=0
        )
    allowances = Limits(config, SharedCounts(_storage(config)))
    app.extensions["podium.tokens"] = LimitedTokens(config, allowances)

    @app.after_request
    def tell(response: Response) -> Response:
        # Those without a token for what is open to everyone have been counted already.
        if response.status_code == 401 and g.get("caller") is not NOBODY:
            try:
                allowances.spend_anonymous()
            except Problem as problem:
                response = problem.response
        allowance: Allowance | None = g.get("allowance")
        if allowance is not None:
            response.headers["RateLimit-Limit"] = str(allowance.limit)
            response.headers["RateLimit-Remaining"] = str(max(0, allowance.remaining))
            response.headers["RateLimit-Reset"] = str(allowance.reset_after_sec)
        return response


def _spend(counters: list[Counter], who: str, name: str) -> None:
    """Count a request in all limits of a caller, or refuse it."""
    allowances = [counter.spend(who) for counter in counters]
    tightest = min(allowances, key=lambda allowance: allowance.remaining)
    g.allowance = tightest
    if tightest.remaining < 0:
        wait_sec = max(a.reset_after_sec for a in allowances if a.remaining < 0)
        raise Problem(
            "rate_limited",
            f"{name} has used up the limit of {tightest.limit} requests; it is lifted in "
            f"{wait_sec} s",
            retry_after_sec=wait_sec,
        )


def _storage(config: Config) -> Storage | None:
    """Return the counts in Redis; None where there is no Redis."""
    if config.redis_url is None:
        return None
    # A socket has another scheme here than redis-py gives it.
    url = re.sub("^unix://", "redis+unix://", config.redis_url)
    storage = storage_from_string(
        url,
        key_prefix="podium:limits",
        socket_timeout=config.redis_timeout_sec,
        socket_connect_timeout=config.redis_timeout_sec,
        max_connections=MAX_REDIS_CONNECTIONS,
        # By default redis-py tries for 4 s before it says that there is no server.
        retry=cast(Any, Retry(NoBackoff(), 0)),
    )
    return cast("Storage", storage)
