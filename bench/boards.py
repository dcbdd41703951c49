"""The exams that are measured, as the clients know them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Board:
    """An exam whose candidates are the users from first_user on, in the order of their sessions."""

    exam_id: int
    board_id: int
    candidates: int
    first_user: int
    first_session: int

    def random_session(self, random: Random) -> int:
        """Return the session of any candidate."""
        return self.first_session + random.randrange(self.candidates)


def performance(random: Random) -> tuple[float, int]:
    """Return a raw score out of 100 and the seconds it took, as an exam gives them."""
    return round(min(100.0, max(0.0, random.gauss(60, 15))), 2), random.randint(600, 5400)
