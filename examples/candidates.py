"""Somebody who takes an exam."""

from __future__ import annotations

from typing import Any

from gateway.testing import Client


class Candidate:
    """A candidate with an attempt at an exam, and the API as he calls it."""

    def __init__(self, api: Client, user_id: int, session_id: int) -> None:
        self.api = api
        self.user_id = user_id
        self.session_id = session_id

    def submission(self, module: str, score: float, minutes: int = 10) -> dict[str, Any]:
        """Return the body of a submission with a score out of 100."""
        return {
            "session_id": self.session_id,
            "module_type": module,
            "raw_score": score,
            "max_score": 100,
            "time_spent_sec": minutes * 60,
        }
