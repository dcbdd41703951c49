"""Who takes part, and what each of them is going to do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

FIRST_NAMES = (
    "Alice Amara Andrei Anh Ayesha Beatriz Bruno Camille Chidi Chloe Dalia Daniel Elena Emeka Emil "
    "Fatima Felix Freya Grace Haruto Hugo Ines Ivan Jana Joon Kamala Kenji Kwame Lara Leon Linh "
    "Lucia Mateo Maya Mehmet Mila Nadia Noah Nora Olga Omar Petra Priya Rafael Rosa Samir Sofia "
    "Tariq Thandi Tomas Uma Victor Wei Xenia Yara Yusuf Zoe"
).split()
LAST_NAMES = (
    "Abebe Almeida Andersen Bauer Bianchi Chen Costa Dubois Eriksen Farouk Fischer Garcia Gupta "
    "Haddad Hansen Hoffmann Ito Ivanova Jansen Johnson Kaya Kim Kowalski Kumar Larsen Lopez Mbeki "
    "Meyer Moreau Nakamura Nguyen Novak Okafor Okoye Olsen Park Patel Pereira Petrov Popescu "
    "Rahman Rossi Sato Schmidt Silva Singh Smith Svensson Tanaka Torres Tran Wagner Wang Weber "
    "Yilmaz Zhang"
).split()

MODULES = ("coding", "quiz", "assessment")
# So often, out of a hundred, somebody hands a module in again with a better score, loses an answer
# and sends the same request once more, or goes on from a version that is no longer the newest.
RESUBMITS, RETRIES, STALE = 15, 6, 5
# Every so many-th has the scores and times of the one before, so that ranks are shared.
TWINS = 25


@dataclass(frozen=True)
class Step:
    """One module handed in, and what goes wrong on the way."""

    module: dict[str, Any]
    is_retried: bool
    is_stale: bool


@dataclass(frozen=True)
class Candidate:
    """Somebody who takes the exam."""

    username: str
    full_name: str
    steps: list[Step]


def invent(count: int, group: object, seed: int) -> list[Candidate]:
    """Invent candidates; the same seed gives the same ones, under user names of this group."""
    return [_candidate(number, group, seed) for number in range(1, count + 1)]


def _candidate(number: int, group: object, seed: int) -> Candidate:
    person = random.Random(f"{seed}:name:{number}")
    first, last = person.choice(FIRST_NAMES), person.choice(LAST_NAMES)
    twin = number - 1 if number % TWINS == 0 else number
    return Candidate(
        username=f"{first}.{last}.{group}.{number}".lower(),
        full_name=f"{first} {last}",
        steps=_steps(random.Random(f"{seed}:steps:{twin}")),
    )


def _steps(dice: random.Random) -> list[Step]:
    """Return what a candidate hands in, in his order."""
    ability = dice.gauss(0.6, 0.15)
    modules = [_module(kind, ability, dice) for kind in dice.sample(MODULES, len(MODULES))]
    if dice.randrange(100) < RESUBMITS:
        again = dice.choice(modules)
        better = _module(again["module_type"], ability + 0.15, dice)
        better["time_spent_sec"] += again["time_spent_sec"]
        modules.append(better)
    return [
        Step(
            module,
            is_retried=dice.randrange(100) < RETRIES,
            # A session without a submission has no version before its own.
            is_stale=place > 0 and dice.randrange(100) < STALE,
        )
        for place, module in enumerate(modules)
    ]


def _module(kind: str, ability: float, dice: random.Random) -> dict[str, Any]:
    """Return one module's scores, time and details, as the bodies of POST /scores have them."""

    def share() -> float:
        return min(1.0, max(0.0, dice.gauss(ability, 0.1)))

    def half_minutes(least: int, most: int) -> int:
        return 30 * dice.randint(2 * least, 2 * most)

    if kind == "coding":
        passed, complexity, efficiency = (round(20 * share()) for _ in range(3))
        raw, most, seconds = 4 * passed + (complexity + efficiency) / 2, 100, half_minutes(20, 60)
        details: dict[str, Any] = {
            "test_cases_passed": passed,
            "test_cases_total": 20,
            "time_complexity_score": 5 * complexity,
            "efficiency_score": 5 * efficiency,
        }
    elif kind == "quiz":
        raw, most, seconds = round(30 * share()), 30, half_minutes(8, 20)
        details = {"correct": raw, "questions": 30}
    else:
        clarity, depth = (round(20 * share()) / 2 for _ in range(2))
        raw, most, seconds = clarity + depth, 20, half_minutes(10, 30)
        details = {"clarity": clarity, "depth": depth}
    return {
        "module_type": kind,
        "raw_score": raw,
        "max_score": most,
        "time_spent_sec": seconds,
        "details": details,
    }
