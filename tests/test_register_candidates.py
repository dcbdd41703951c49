"""register_candidates: many imports of the same names at once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.sql_harness import call, deadlocks, make_exam, unique_name

CONNECTIONS = 8


def test_the_same_names_registered_at_once_become_one_candidate_each(
    admin: Any, connect: Callable[..., Any]
) -> None:
    exam_id = make_exam(admin)
    names = [unique_name() for _ in range(200)]
    before = deadlocks(admin)

    def register(connection: Any) -> dict[str, tuple[int, int, int, int]]:
        some = random.sample(names, len(names))
        items = [{"username": name, "full_name": "Somebody"} for name in some]
        answers = call(connection, "register_candidates", exam_id, json.dumps(items), None)[0]
        return {
            name: (
                answer["user_id"],
                answer["session_id"],
                answer["user_created"],
                answer["session_created"],
            )
            for name, answer in zip(some, answers, strict=True)
        }

    with ThreadPoolExecutor(CONNECTIONS) as crew:
        told = list(crew.map(register, [connect() for _ in range(CONNECTIONS)]))

    for name in names:
        assert len({answers[name][:2] for answers in told}) == 1
        assert sum(answers[name][2] for answers in told) == 1
        assert sum(answers[name][3] for answers in told) == 1
    assert deadlocks(admin) == before
