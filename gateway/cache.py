"""Pages of boards in Redis, which may be slow, empty or away without an answer turning wrong."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.coalescing import Coalescer
from gateway.config import MAX_REDIS_CONNECTIONS, Config, ConfigError
from gateway.db import Row
from gateway.metrics import Metrics

log = logging.getLogger(__name__)

# After a failure Redis is left alone for so long: a request must not wait for what just hung.
PAUSE_SEC = 1.0

# On which gateways hear which board has moved: exam and mark, with blanks between.
CHANNEL = "podium:revisions"

# Of a board Redis keeps one hash, so that whatever takes a part of it takes all: its time to live,
# a flush, an eviction. Its fields:
#   memory              names the time for which Redis has forgotten no mark of this board
#   changed, revision   the newest mark that was published, see Mark
#   told_at             when, by Redis's clock; a mark is forgotten a time to live later
#   page:<name>         a page of that mark: when Redis was asked for it before it was read, and it
# What a run of Redis finds of another run, it has from a snapshot or from the server it was a
# replica of, and may be older than what was published since: the memory begins with the run's id.
# Also where a key is of another type, a field makes no sense, or the clock has gone back, the
# memory is void and begins anew. ARGV: 1 time to live in ms, 2 a random word.
OPEN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ttl = tonumber(ARGV[1])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')

local function whole(text)
    return text and #text < 20 and string.match(text, '^%d+$') and tonumber(text)
end

local function young(moment)
    return moment and moment <= now and now - moment < ttl
end

local function open(key, page)
    local kept = redis.pcall('HMGET', key, 'memory', 'told_at', 'changed', 'revision', page)
    if kept.err then kept = {} end
    local board = {
        memory = kept[1], changed = whole(kept[3]), revision = whole(kept[4]), page = kept[5]}
    local known = board.memory and string.sub(board.memory, 1, #run) == run
    local told = kept[2] or kept[3] or kept[4]
    if not known or told and not (young(whole(kept[2])) and board.changed and board.revision) then
        board = {memory = run .. ':' .. ARGV[2]}
        redis.call('DEL', key)
        redis.call('HSET', key, 'memory', board.memory)
    end
    -- Also what a replica refuses, which shows what its server has told it.
    redis.call('PEXPIRE', key, ttl)
    return board
end
"""
# KEYS: the board of each page. ARGV: 3 and on, the page's name on it. Returns the time, and for
# each the memory, the mark and the page.
LOOK = (
    OPEN
    + """
local seen = {string.format('%.0f', now)}
for place, key in ipairs(KEYS) do
    local board = open(key, 'page:' .. ARGV[place + 2])
    local changed, revision, page = false, false, false
    if board.changed then
        changed = string.format('%.0f', board.changed)
        revision = string.format('%.0f', board.revision)
        if board.page and young(whole(string.match(board.page, '^(%d+) '))) then
            page = board.page
        end
    end
    for _, value in ipairs({board.memory, changed, revision, page}) do
        seen[#seen + 1] = value
    end
end
return seen
"""
)
# KEYS: board. ARGV: 3 exam, 4 channel, 5 and 6 mark. Never backwards. Only what is news is told, so
# that hearing of it and reading it is not news again.
RAISE = (
    OPEN
    + """
local key, changed, revision = KEYS[1], tonumber(ARGV[5]), tonumber(ARGV[6])
local board = open(key, 'page')
if not board.changed or board.changed < changed
    or board.changed == changed and board.revision < revision then
    board.changed, board.revision = changed, revision
    redis.call('DEL', key)
    redis.call(
        'HSET', key, 'memory', board.memory, 'told_at', string.format('%.0f', now),
        'changed', ARGV[5], 'revision', ARGV[6])
    redis.call('PEXPIRE', key, ttl)
    redis.call('PUBLISH', ARGV[4], ARGV[3] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
end
"""
)
PUBLISH = RAISE + "return 1"
# ARGV: 7 memory and 8 time of the look before the page was read, 9 its name, 10 the page.
# The mark is published first, and whatever becomes of the page: it is shown to somebody, so that
# nobody may be shown less from now on, and perhaps nobody else publishes it.
# What was read may be older than what was published since, when that has been forgotten: so it is
# stored into the memory alone that it was looked for in; also where this very script waited in a
# Redis that hung.
STORE = (
    RAISE
    + """
if board.memory == ARGV[7] and young(tonumber(ARGV[8]))
    and board.changed == changed and board.revision == revision then
    redis.call('HSET', key, 'page:' .. ARGV[9], ARGV[8] .. ' ' .. ARGV[10])
end
return 1
"""
)

# In one round trip: Redis answers nobody else meanwhile.
MAX_LOOKS = 100

# An exam, and a page of its board by name.
Place = tuple[int, str]


class Mark(NamedTuple):
    """How far a board's history has come; a later one is greater.

    By time first: a database that was restored gives its revisions once more, and at a later time.
    """

    # Microseconds since 1970.
    changed_us: int
    revision: int

    @classmethod
    def of(cls, changed_at: datetime, revision: int) -> Mark:
        """Return the mark of a revision that was committed at a time."""
        return cls((changed_at - datetime(1970, 1, 1)) // timedelta(microseconds=1), revision)

    @classmethod
    def take(cls, row: Row, column: str = "changed_at") -> Mark:
        """Return the mark of a row's revision, taking its time, which no client is shown."""
        return cls.of(row.pop(column), row["revision"])


@dataclass(frozen=True)
class Page:
    """A page of a board as it is answered, but for what differs from caller to caller."""

    mark: Mark
    # Tells the revision from one of the same number in another history, see get_leaderboard.
    epoch: str
    # A JSON object.
    text: bytes
    # Whether all who ask for it by its name may have it; one that is not is kept nowhere.
    shared: bool = True

    @property
    def revision(self) -> int:
        """Return the revision that it shows."""
        return self.mark.revision

    @cached_property
    def digest(self) -> bytes:
        """Return 16 bytes that tell it from any other page."""
        head = f"{self.mark.changed_us} {self.mark.revision} {self.epoch}\n"
        return blake2b(head.encode() + self.text, digest_size=16).digest()

    @property
    def tag(self) -> str:
        """Return what an ETag holds: the revision, and what a restore or a rename changes."""
        return f"{self.mark.revision}-{self.digest.hex()[:16]}"

    def pack(self) -> bytes:
        """Write it as Redis keeps it, beside its mark."""
        return self.digest + self.epoch.encode() + b" " + self.text

    @classmethod
    def unpack(cls, mark: Mark, stored: bytes) -> Page | None:
        """Read what Redis kept; None where that is not what was given to it."""
        epoch, _, text = stored[16:].partition(b" ")
        page = cls(mark, epoch.decode("ascii", "replace"), text)
        return page if page.digest == stored[:16] else None


@dataclass(frozen=True)
class Sight:
    """What Redis shows of a page of a board at one moment; None where it could not be asked."""

    exam_id: int
    name: str
    # Names the time for which Redis has forgotten no mark of the board.
    memory: str | None = None
    # In ms, by Redis's clock.
    looked_at: int = 0
    # The newest one published within the time to live.
    mark: Mark | None = None
    # The page of that mark.
    page: Page | None = None

    @property
    def least(self) -> Mark:
        """Return what the page to be answered must not fall behind."""
        return self.mark or Mark(0, 0)


@dataclass(frozen=True)
class _Flight:
    """A page that is being loaded, and since when."""

    began: float
    page: Future[Page]


class PageCache:
    """Pages by board, number and size, and the newest mark of each board.

    A page is served only while the mark it shows is the newest that was published. It lives as long
    as Config.cache_ttl_sec, counted by Redis from before it was read, which bounds how long a
    change goes unseen that nobody published. A mark is known as long from when it was published, so
    that no page of an older one outlives it.
    """

    def __init__(self, config: Config, metrics: Metrics) -> None:
        self._metrics = metrics
        self._ttl_ms = int(config.cache_ttl_sec * 1000)
        self._silent_until = 0.0
        self._lock = threading.Lock()
        # Marks that Redis did not take, by exam.
        self._untold: dict[int, Mark] = {}
        self._flights: dict[tuple[int, str, str], _Flight] = {}
        self._redis: redis.Redis | None = None
        # Each round trip to Redis costs as much as the rest of an answer: those who ask during one
        # share the next.
        self._looks: Coalescer[Place, Sight] = Coalescer(
            self._look, shared=lambda error: True, longest=MAX_LOOKS
        )
        if config.redis_url is not None:
            self._redis = _client(config.redis_url, config.redis_timeout_sec)
            self._read = self._redis.register_script(LOOK)
            self._publish = self._redis.register_script(PUBLISH)
            self._store = self._redis.register_script(STORE)

    def publish(self, exam_id: int, mark: Mark) -> None:
        """Make a committed mark the oldest that anybody is shown from now on.

        Called after the commit and before the answer, so that whoever has the answer, and whoever
        they tell, reads this revision or a later one.
        """
        told = self._ask(lambda: self._publish([_board_key(exam_id)], self._raising(exam_id, mark)))
        with self._lock:
            newest = max(mark, self._untold.get(exam_id, mark))
            if told is None and self._redis is not None:
                self._untold[exam_id] = newest
            elif newest == mark:
                self._untold.pop(exam_id, None)

    def look(self, exam_id: int, name: str) -> Sight:
        """Return what Redis shows of a board and a page of it, at a moment after this call.

        name tells the pages of a board apart.
        """
        sight = self._sight(exam_id, name)
        if sight.page is not None:
            self._metrics.cache_hits.inc()
        elif sight.memory is not None:
            self._metrics.cache_misses.inc()
        elif self._redis is not None:
            self._metrics.cache_silences.inc()
        return sight

    def _sight(self, exam_id: int, name: str) -> Sight:
        # Before Redis is asked: whoever finds none here asks after it was published.
        untold = self._untold.get(exam_id)
        sight = self._looks.submit((exam_id, name))
        if untold is not None and sight.memory is not None:
            # Redis is back: catch up, so that this process never shows less than it has said.
            self.publish(exam_id, untold)
            return replace(sight, mark=max(untold, sight.least), page=None)
        return sight

    def fetch(self, sight: Sight, load: Callable[[], Page]) -> tuple[Page, bool]:
        """Return a page no older than what was in sight, and whether Redis had it.

        Those who miss the same page together load it once.
        """
        if sight.page is not None:
            return sight.page, True
        if sight.memory is None:
            # Without Redis nobody knows what other gateways have committed since a load began.
            return load(), False
        key = (sight.exam_id, sight.name, sight.memory)
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
            # published since is in sight, and all of it in a load that began after the look.
            young = theirs.began > arrived - self._ttl_ms / 1000
            fresh = (young and page.mark >= sight.least) or theirs.began >= arrived
            if fresh and page.shared:
                return page, False
            if not page.shared:
                return load(), False  # Whether we may have it, our own load decides.
        try:
            # Once more: a load may have landed since the look.
            again = self._sight(sight.exam_id, sight.name)
            page = again.page or self._load(again, load)
        except BaseException as error:
            self._land(key)
            ours.page.set_exception(error)
            raise
        self._land(key)
        ours.page.set_result(page)
        return page, again.page is not None

    def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            self._redis.close()

    def _look(self, places: Sequence[Place]) -> list[Sight]:
        """Look at many pages at once."""
        distinct = list(dict.fromkeys(places))
        seen = self._ask(
            lambda: self._read(
                [_board_key(exam_id) for exam_id, _ in distinct],
                [self._ttl_ms, secrets.token_hex(8), *(name for _, name in distinct)],
            )
        )
        if seen is None:
            return [Sight(*place) for place in places]
        looked_at, *found = int(seen[0]), *zip(*[iter(seen[1:])] * 4, strict=True)
        sights = {
            place: _sight_of(place, looked_at, *each)
            for place, each in zip(distinct, found, strict=True)
        }
        return [sights[place] for place in places]

    def _raising(self, exam_id: int, mark: Mark) -> list[Any]:
        """Return the arguments of RAISE."""
        return [self._ttl_ms, secrets.token_hex(8), exam_id, CHANNEL, *mark]

    def _land(self, key: tuple[int, str, str]) -> None:
        """Let nobody join a load any more."""
        with self._lock:
            del self._flights[key]

    def _load(self, sight: Sight, load: Callable[[], Page]) -> Page:
        """Load a page and store it, unless Redis has forgotten something since the look."""
        page = load()
        if sight.memory is not None and not page.shared:
            self.publish(sight.exam_id, page.mark)
        elif sight.memory is not None:
            told = self._raising(sight.exam_id, page.mark)
            lease = [sight.memory, sight.looked_at, sight.name, page.pack()]
            self._ask(lambda: self._store([_board_key(sight.exam_id)], told + lease))
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


def _sight_of(
    place: Place,
    looked_at: int,
    memory: bytes,
    changed: bytes | None,
    revision: bytes | None,
    stored: bytes | None,
) -> Sight:
    """Return what LOOK has found of a page."""
    mark = None if changed is None or revision is None else Mark(int(changed), int(revision))
    page = None
    if mark is not None and stored is not None:
        # Before the first blank stands when it was looked for.
        page = Page.unpack(mark, stored.partition(b" ")[2])
    return Sight(*place, memory.decode("ascii", "replace"), looked_at, mark, page)


def _board_key(exam_id: int) -> str:
    return f"podium:exam:{exam_id}"


def _has_index(url: str, client: redis.Redis) -> bool:
    """Tell whether the database that a client uses is the one that its address names."""
    parts = urlsplit(url)
    is_sound = parts.scheme == "unix" or re.fullmatch("/?[0-9]{0,9}", parts.path, re.ASCII)
    index = client.connection_pool.connection_kwargs.get("db", 0)
    return bool(is_sound) and index >= 0 and "#" not in url


def _client(url: str, timeout_sec: float) -> redis.Redis:
    """Return a client that gives up in time; refuses an address that is none, before it is used."""
    try:
        client = redis.Redis.from_url(
            url,
            socket_timeout=timeout_sec,
            socket_connect_timeout=timeout_sec,
            max_connections=MAX_REDIS_CONNECTIONS,
            # By default redis-py tries for 4 s before it says that there is no server.
            retry=Retry(NoBackoff(), 0),
        )
        # Of an index that is no number redis-py makes 0, and a fragment it passes over.
        if not _has_index(url, client):
            raise ValueError
        # Which reads the options behind the address, and connects to nothing.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError):  # Their messages have parts of the address, and its password.
        raise ConfigError(
            "PODIUM_REDIS_URL must be an address such as redis://:password@host:6379/0, with a "
            "whole number at its end, and /, #, ?, @ and : of the password percent-encoded"
        ) from None
    return client
