"""The gateway with Redis ranking in place of MySQL: what people pick when they want a board."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, cast

import redis
from flask import Flask

from gateway.auth import Caller
from gateway.db import Row
from gateway.worker import create_app as create_gateway

URL_VARIABLE = "PODIUM_BENCH_RANKING_URL"
BOARD, STANDINGS = "ranking:board", "ranking:standings"
WEIGHT = 50
TIME_BITS = 22

# KEYS: candidates by standing, distinct standings. ARGV: candidate, standing. Returns the rank.
SUBMIT = """
local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2])
if old and old ~= ARGV[2] and redis.call('ZCOUNT', KEYS[1], old, old) == 0 then
    redis.call('ZREM', KEYS[2], old)
end
return redis.call('ZREVRANK', KEYS[2], ARGV[2]) + 1
"""


class Ranking:
    """The way of scores into Redis: a dense rank, and nothing that is kept beside it.

    No audit row, no version, no replay, no other modules: less than Podium does, in its disfavour.
    """

    def __init__(self, url: str) -> None:
        self._submit = redis.Redis.from_url(url).register_script(SUBMIT)

    def submit(self, item: dict[str, Any], caller: Caller) -> Row:
        """Rank one score and return the row that submit_scores would."""
        weighted = round(WEIGHT * item["raw_score"] / item["max_score"], 4)
        seconds = item["time_spent_sec"]
        standing = (round(weighted * 10000) << TIME_BITS) + (1 << TIME_BITS) - 1 - seconds
        rank = cast(
            int,
            self._submit(keys=[BOARD, STANDINGS], args=[item["session_id"], standing]),
        )
        return {
            "code": None,
            "submission_id": item.get("submission_id"),
            "replayed": 0,
            "version": 0,
            "revision": 0,
            "rank": rank,
            "total_score": weighted,
            "weighted_coding": weighted,
            "weighted_quiz": 0,
            "weighted_assessment": 0,
            "total_time_sec": seconds,
        }


def create_app() -> Flask:
    """Make the gateway, with the same validation and the same check of tokens."""
    app = create_gateway()
    app.extensions["podium.submissions"] = Ranking(os.environ[URL_VARIABLE])
    return app


def make_durable(client: redis.Redis) -> None:
    """Let Redis answer only when what it did is on the disk, as MySQL does."""
    client.config_set("appendonly", "yes")
    client.config_set("appendfsync", "always")


def is_durable(client: redis.Redis) -> bool:
    """Tell whether it does, its first file written."""
    settings = cast(dict[str, str], client.config_get("append*"))
    state = client.info("persistence")
    return (
        settings["appendonly"] == "yes"
        and settings["appendfsync"] == "always"
        and bool(state["aof_enabled"])
        and not state["aof_rewrite_in_progress"]
    )


def fill(client: redis.Redis, standings: Iterable[tuple[int, int]]) -> None:
    """Enter a board's candidates."""
    pipeline = client.pipeline(transaction=False)
    pipeline.delete(BOARD, STANDINGS)
    for candidate, standing in standings:
        pipeline.zadd(BOARD, {str(candidate): standing})
        pipeline.zadd(STANDINGS, {str(standing): standing})
    pipeline.execute()


def is_sound(client: redis.Redis, candidates: int) -> bool:
    """Tell whether the two sets agree."""
    board = cast(list[tuple[bytes, float]], client.zrange(BOARD, 0, -1, withscores=True))
    standings = cast(list[tuple[bytes, float]], client.zrange(STANDINGS, 0, -1, withscores=True))
    return len(board) == candidates and {score for _, score in board} == {
        score for _, score in standings
    }
