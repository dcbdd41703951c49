"""Who holds boards that cannot be changed: named in the log, and for an alert.

Whoever has the role podium_dba may hold a board for as long as they like, by a transaction that
they forget to end. Nothing is ended here: that is for people to decide.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.errors import Problem

if TYPE_CHECKING:
    from gateway.db import Database, Row

# As often as the log names who holds one board.
TELL_SEC = 10.0
# A board that nobody has asked for in vain for so long counts as free.
SHOWN_SEC = 30.0

log = logging.getLogger(__name__)


@dataclass
class _Board:
    """What is known of a board that is held."""

    noticed_at: float
    asked_at: float = float("-inf")
    holder: Row | None = None


class Holders(Collector):
    """The boards that somebody waited for in vain, and who holds them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._boards: dict[int, _Board] = {}
        self._wanted: list[int] = []
        self._asking = False

    def notice(self, exam_id: int) -> None:
        """Take note that a board is held; who holds it is found out without keeping anybody."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            board = self._boards.setdefault(exam_id, _Board(now))
            board.noticed_at = now
            if now - board.asked_at < TELL_SEC:
                return
            board.asked_at = now
            self._wanted.append(exam_id)
            if self._asking:
                return
            self._asking = True
        threading.Thread(target=self._ask, daemon=True, name="holders").start()

    def release(self, exam_id: int) -> None:
        """Take note that a board is free again."""
        with self._lock:
            # That it was asked for stays, or the log would fill where it is held again and again.
            if exam_id in self._boards:
                self._boards[exam_id].holder = None

    def describe(self) -> list[GaugeMetricFamily]:
        """Name the series."""
        return [
            GaugeMetricFamily(
                "podium_board_held_seconds",
                "How long a board has been held that calls wait for in vain, and by whom",
                labels=["exam_id", "connection_id", "account"],
            )
        ]

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the series: boards that are held now."""
        [family] = self.describe()
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            boards = list(self._boards.items())
        for exam_id, board in boards:
            if (holder := board.holder) is not None:
                labels = [str(exam_id), str(holder["connection_id"]), _account(holder)]
                family.add_metric(labels, _seconds(holder) + now - board.asked_at)
        return [family]

    def _forget(self, now: float) -> None:
        """Forget boards that nobody has waited for lately."""
        for exam_id in [
            exam_id for exam_id, board in self._boards.items() if now - board.noticed_at > SHOWN_SEC
        ]:
            del self._boards[exam_id]

    def _ask(self) -> None:
        """Find out and tell who holds boards, until no more are wanted."""
        while True:
            with self._lock:
                if not self._wanted:
                    self._asking = False
                    return
                exam_id = self._wanted.pop(0)
            try:
                [rows] = self._database.call("get_lock_holders", exam_id)
            except Problem as problem:
                log.warning(
                    "the board of exam %s is held; by whom cannot be told: %s", exam_id, problem
                )
                continue
            # Those that wait themselves hold it because of another one.
            holder = next((row for row in rows if row["state"] != "waiting"), None)
            if holder is None:
                continue  # It was let go meanwhile.
            with self._lock:
                if exam_id in self._boards:
                    self._boards[exam_id].holder = holder
            log.warning("%s", sentence(exam_id, holder))


def sentence(exam_id: int, holder: Row) -> str:
    """Say who holds a board, and what to do about it."""
    return (
        f"the board of exam {exam_id} is held by connection {holder['connection_id']} of"
        f" {_account(holder)} for {_seconds(holder)} s, {holder['waiting']} wait for it;"
        f" {holder['state']}, its last statement: {holder['statement']}; to end it:"
        f" flask --app gateway locks --end {holder['connection_id']}"
    )


def _account(holder: Row) -> str:
    return f"{holder['account']}@{holder['host']}"


def _seconds(holder: Row) -> int:
    return cast(int, holder["holding_sec"]) or 0
