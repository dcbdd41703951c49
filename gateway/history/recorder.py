"""The record that client threads keep: what they sent, what they were answered, what they read."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Submission:
    """A submission that some client sent, once or more often, always under this key."""

    key: str
    exam_id: int
    # The body of POST /scores.
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a gateway answered to a submission; moments are of time.monotonic(), in seconds."""

    key: str
    gateway: str
    status: int
    body: Mapping[str, Any]
    began: float
    ended: float


@dataclass(frozen=True)
class Read:
    """A revision of a board that a gateway showed, with its entries where they are known.

    A submission that was answered with a revision counts as a read of it. limit: the entries were
    as many from the top; None: all.
    """

    exam_id: int
    gateway: str
    revision: int
    began: float
    ended: float
    entries: tuple[Mapping[str, Any], ...] | None = None
    limit: int | None = None


@dataclass
class History:
    """All that the clients of some exams know."""

    submissions: dict[str, Submission] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    # The revisions at which exams were when their histories began; 0 where none is named.
    began_at: dict[int, int] = field(default_factory=dict)

    @property
    def exam_ids(self) -> list[int]:
        """Return the exams that were played or read, or that somebody set out to play."""
        played = {submission.exam_id for submission in self.submissions.values()}
        return sorted(played | {read.exam_id for read in self.reads} | self.began_at.keys())

    @property
    def acknowledged(self) -> dict[str, list[Answer]]:
        """Return the answers that said a submission was accepted, by its key, in time."""
        found: dict[str, list[Answer]] = {}
        for answer in sorted(self.answers, key=lambda answer: answer.ended):
            if answer.status == 200:
                found.setdefault(answer.key, []).append(answer)
        return found


class Recorder:
    """Writes a history down; any number of threads may use it."""

    def __init__(self) -> None:
        self.history = History()
        self._lock = threading.Lock()

    def begins(self, exam_id: int, revision: int) -> None:
        """Note that an exam was played before, by others, up to a revision."""
        with self._lock:
            self.history.began_at[exam_id] = revision

    def sent(self, key: str, exam_id: int, item: Mapping[str, Any]) -> None:
        """Note a submission, before it goes out for the first time."""
        with self._lock:
            if key in self.history.submissions:
                raise ValueError(f"{key} stands for another submission already")
            self.history.submissions[key] = Submission(key, exam_id, item)

    def answered(
        self,
        key: str,
        gateway: str,
        status: int,
        body: Mapping[str, Any],
        began: float,
        ended: float,
    ) -> None:
        """Note an answer to a submission, whatever it says."""
        with self._lock:
            exam_id = self.history.submissions[key].exam_id
            self.history.answers.append(Answer(key, gateway, status, body, began, ended))
            # The first answer of a replay is told again: its revision is old by right.
            if status == 200 and not body["replayed"]:
                self.history.reads.append(Read(exam_id, gateway, body["revision"], began, ended))

    def read(
        self,
        exam_id: int,
        gateway: str,
        revision: int,
        began: float,
        ended: float,
        entries: tuple[Mapping[str, Any], ...] | None = None,
        limit: int | None = None,
    ) -> None:
        """Note a revision of a board that was shown."""
        with self._lock:
            self.history.reads.append(
                Read(exam_id, gateway, revision, began, ended, entries, limit)
            )
