"""Pages of boards in Redis, which may be slow, empty or away without an answer turning wrong."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.coalescing import Coalescer
from gateway.config import MAX_REDIS_CONNECTIONS, Config
from gateway.metrics import Metrics

log = logging.getLogger(__name__)

# After a failure Redis is left alone for so long: a request must not wait for what just hung.
PAUSE_SEC = 1.0

# On which gateways hear which board has moved: exam and revision, with a blank between.
CHANNEL = "podium:revisions"

# KEYS: revision. ARGV: revision, time to live in ms, exam, channel. Never backwards. Only what is
# news is told, so that hearing of it and reading it is not news again.
RAISE = """
local known = tonumber(redis.call('GET', KEYS[1]) or '-1')
if known <= tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
if known < tonumber(ARGV[1]) then
    redis.call('PUBLISH', ARGV[4], ARGV[3] .. ' ' .. ARGV[1])
end
"""
PUBLISH = RAISE + "return 1"

# KEYS: revision, lease, page. ARGV: revision, time to live in ms, exam, channel, page.
# The revision is published first, and whatever becomes of the page: it is shown to somebody, so
# that nobody may be shown less from now on, and perhaps nobody else publishes it.
# What was read may be older than what was published since, when that is no longer known: it has
# lived its time, or Redis has lost its memory. The lease was taken before the reading began, so it
# has gone by then; also where this very script waited in a Redis that hung.
STORE = (
    RAISE
    + """
local rest = redis.call('PTTL', KEYS[2])
if rest > 0 then
    redis.call('DEL', KEYS[2])
    redis.call('SET', KEYS[3], ARGV[5], 'PX', rest)
end
"""
)

# A random value, lost with everything else: tells looks before a loss from those after it.
EPOCH_KEY = "podium:epoch"
# In one round trip: Redis answers nobody else meanwhile.
MAX_LOOKS = 100

# An exam, and a page of its board by name.
Place = tuple[int, str]


@dataclass(frozen=True)
class Page:
    """A page of a board as it is answered, but for what differs from caller to caller."""

    revision: int
    # A JSON object.
    text: bytes


@dataclass(frozen=True)
class Sight:
    """What Redis shows of a page of a board at one moment; None where it could not be asked."""

    exam_id: int
    name: str
    epoch: str | None = None
    # The newest one published within the time to live.
    revision: int | None = None
    # The page of that revision.
    page: Page | None = None


@dataclass(frozen=True)
class _Flight:
    """A page that is being loaded, and since when."""

    began: float
    page: Future[Page]


class PageCache:
    """Pages by board, revision, number and size, and the newest revision of each board.

    A page is served only while the revision it shows is the newest that was published. It lives as
    long as Config.cache_ttl_sec, counted by Redis from before it was read, which bounds how long a
    change goes unseen that nobody published. The key of a revision lives as long from when it was
    published, so that no page of an older one outlives it.
    """

    def __init__(self, config: Config, metrics: Metrics) -> None:
        self._metrics = metrics
        self._ttl_ms = int(config.cache_ttl_sec * 1000)
        self._silent_until = 0.0
        self._lock = threading.Lock()
        # Revisions that Redis did not take, by exam.
        self._untold: dict[int, int] = {}
        # The revision that was newest at the last look, by exam: the page to ask for is likely its.
        self._seen: dict[int, int] = {}
        self._flights: dict[tuple[int, str, str], _Flight] = {}
        self._redis: redis.Redis | None = None
        # Each round trip to Redis costs as much as the rest of an answer: those who ask during one
        # share the next.
        self._looks: Coalescer[Place, Sight] = Coalescer(
            self._look, shared=lambda error: True, longest=MAX_LOOKS
        )
        if config.redis_url is not None:
            self._redis = redis.Redis.from_url(
                config.redis_url,
                socket_timeout=config.redis_timeout_sec,
                socket_connect_timeout=config.redis_timeout_sec,
                max_connections=MAX_REDIS_CONNECTIONS,
                # By default redis-py tries for 4 s before it says that there is no server.
                retry=Retry(NoBackoff(), 0),
            )
            self._publish = self._redis.register_script(PUBLISH)
            self._store = self._redis.register_script(STORE)

    def publish(self, exam_id: int, revision: int) -> None:
        """Make a committed revision the oldest that anybody is shown from now on.

        Called after the commit and before the answer, so that whoever has the answer, and whoever
        he tells, reads this revision or a later one.
        """
        told = self._ask(
            lambda: self._publish(
                keys=[_revision_key(exam_id)], args=[revision, self._ttl_ms, exam_id, CHANNEL]
            )
        )
        with self._lock:
            newest = max(revision, self._untold.get(exam_id, 0))
            if told is None and self._redis is not None:
                self._untold[exam_id] = newest
            elif newest == revision:
                self._untold.pop(exam_id, None)

    def look(self, exam_id: int, name: str) -> Sight:
        """Return what Redis shows of a board and a page of it, at a moment after this call.

        name tells the pages of a board apart.
        """
        sight = self._sight(exam_id, name)
        if sight.page is not None:
            self._metrics.cache_hits.inc()
        elif sight.epoch is not None:
            self._metrics.cache_misses.inc()
        elif self._redis is not None:
            self._metrics.cache_silences.inc()
        return sight

    def _sight(self, exam_id: int, name: str) -> Sight:
        # Before Redis is asked: whoever finds none here asks after it was published.
        untold = self._untold.get(exam_id)
        sight = self._looks.submit((exam_id, name))
        if untold is not None and sight.epoch is not None:
            # Redis is back: catch up, so that this process never shows less than it has said.
            self.publish(exam_id, untold)
            return Sight(exam_id, name, sight.epoch, max(untold, sight.revision or 0))
        return sight

    def fetch(self, sight: Sight, load: Callable[[], Page]) -> tuple[Page, bool]:
        """Return a page no older than what was in sight, and whether Redis had it.

        Those who miss the same page together load it once.
        """
        if sight.page is not None:
            return sight.page, True
        if sight.epoch is None:
            # Without Redis nobody knows what other gateways have committed since a load began.
            return load(), False
        key = (sight.exam_id, sight.name, sight.epoch)
        arrived = time.monotonic()
        while True:
            with self._lock:
                theirs = self._flights.get(key)
                if theirs is None:
                    ours = self._flights[key] = _Flight(time.monotonic(), Future())
                    break
            try:
                page = theirs.page.result()
            except Exception:
                return load(), False  # Theirs has failed; ours fails or not for itself.
            # What was published before the time to live is in a load that began within it; what was
            # published since is in sight.
            young = theirs.began > arrived - self._ttl_ms / 1000
            if young and page.revision >= (sight.revision or 0):
                return page, False
        try:
            # Once more: a load may have landed since the look.
            known = self._sight(sight.exam_id, sight.name).page
            page = self._load(sight, load) if known is None else known
        except BaseException as error:
            self._land(key)
            ours.page.set_exception(error)
            raise
        self._land(key)
        ours.page.set_result(page)
        return page, known is not None

    def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            self._redis.close()

    def _look(self, places: Sequence[Place]) -> list[Sight]:
        """Look at many pages at once."""
        distinct = list(dict.fromkeys(places))
        sights: dict[Place, Sight] = self._ask(lambda: self._read(distinct)) or {}
        return [sights.get(place) or Sight(*place) for place in places]

    def _read(self, places: Sequence[Place]) -> dict[Place, Sight]:
        """Ask Redis for pages, in two round trips at most; makes an epoch where there is none."""
        client = cast(redis.Redis, self._redis)
        hints = [self._seen.get(exam_id, 0) for exam_id, _ in places]
        keys = [EPOCH_KEY]
        for (exam_id, name), hint in zip(places, hints, strict=True):
            keys += _revision_key(exam_id), _page_key(exam_id, hint, name)
        epoch, *found = cast(list[bytes | None], client.mget(keys))
        if epoch is None:
            client.set(EPOCH_KEY, secrets.token_hex(8), nx=True)
            epoch = cast(bytes | None, client.get(EPOCH_KEY))
        if epoch is None:
            return {}
        newest = {p: int(r) for p, r in zip(places, found[::2], strict=True) if r is not None}
        texts = dict(zip(places, found[1::2], strict=True))
        moved = [p for p, hint in zip(places, hints, strict=True) if newest.get(p, hint) != hint]
        if moved:
            # All at once: one by one they would keep those who wait behind this look.
            late = client.mget([_page_key(p[0], newest[p], p[1]) for p in moved])
            texts |= zip(moved, cast(list[bytes | None], late), strict=True)
        self._seen |= {exam_id: revision for (exam_id, _), revision in newest.items()}
        sights = {}
        for place in places:
            revision, text = newest.get(place), texts[place]
            page = None if revision is None or text is None else Page(revision, text)
            sights[place] = Sight(*place, epoch.decode(), revision, page)
        return sights

    def _land(self, key: tuple[int, str, str]) -> None:
        """Let nobody join a load any more."""
        with self._lock:
            del self._flights[key]

    def _load(self, sight: Sight, load: Callable[[], Page]) -> Page:
        """Load a page and store it, for the rest of a lease taken before."""
        client = cast(redis.Redis, self._redis)
        lease = f"podium:lease:{secrets.token_hex(8)}"
        leased = self._ask(lambda: client.set(lease, "", px=self._ttl_ms))
        page = load()
        if leased:
            keys = [
                _revision_key(sight.exam_id),
                lease,
                _page_key(sight.exam_id, page.revision, sight.name),
            ]
            told = page.revision, self._ttl_ms, sight.exam_id, CHANNEL
            self._ask(lambda: self._store(keys=keys, args=[*told, page.text]))
        return page

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Ask Redis; None where it does not answer, which is never an error."""
        if self._redis is None or time.monotonic() < self._silent_until:
            return None
        try:
            return question()
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + PAUSE_SEC
            self._metrics.redis_failures.inc()
            log.warning("Redis does not answer, going on without it: %s", error)
            return None


def page_cache() -> PageCache:
    """Return the application's cache."""
    return cast(PageCache, current_app.extensions["podium.cache"])


def _revision_key(exam_id: int) -> str:
    return f"podium:exam:{exam_id}:revision"


def _page_key(exam_id: int, revision: int, name: str) -> str:
    return f"podium:exam:{exam_id}:revision:{revision}:page:{name}"
