"""A figure: what was measured, beside its reference, and whether the aim is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Aim:
    """What the ratio of a figure to its reference should be."""

    relation: str  # at least, at most, above
    ratio: float

    def is_met(self, ratio: float) -> bool:
        """Tell whether a ratio is as it should be."""
        if self.relation == "at most":
            return ratio <= self.ratio
        return ratio >= self.ratio if self.relation == "at least" else ratio > self.ratio

    def __str__(self) -> str:
        return f"{self.relation} {self.ratio:g}"


@dataclass(frozen=True)
class Measured:
    """One side of a figure: what it is, and its value in each round."""

    title: str
    rounds: Sequence[float]

    @property
    def value(self) -> float:
        """Return the median of the rounds."""
        return median(self.rounds)


@dataclass(frozen=True)
class Figure:
    """A figure and its reference, measured in turns in the same run."""

    name: str
    unit: str
    measured: Measured
    reference: Measured
    # None: for comparison only.
    aim: Aim | None
    note: str = ""
    # What the aim asks for beyond the ratio.
    also_met: bool = True

    @property
    def ratio(self) -> float:
        """Return the ratio of the medians, so that the table can be checked by hand."""
        return self.measured.value / self.reference.value

    @property
    def ratios(self) -> list[float]:
        """Return the ratio of each round."""
        pairs = zip(self.measured.rounds, self.reference.rounds, strict=True)
        return [measured / reference for measured, reference in pairs]

    @property
    def met(self) -> bool | None:
        """Tell whether the aim is met; None where there is none."""
        return None if self.aim is None else self.aim.is_met(self.ratio) and self.also_met

    def as_json(self) -> dict[str, Any]:
        """Return the figure as it stands in the results."""
        return {
            "name": self.name,
            "unit": self.unit,
            "measured": _side(self.measured),
            "reference": _side(self.reference),
            "ratio": _rounded(self.ratio),
            "ratios": [_rounded(ratio) for ratio in self.ratios],
            "aim": self.aim and vars(self.aim),
            "met": self.met,
            "note": self.note,
        }


def _side(side: Measured) -> dict[str, Any]:
    return {
        "title": side.title,
        "value": _rounded(side.value),
        "rounds": [_rounded(value) for value in side.rounds],
    }


def _rounded(value: float) -> float:
    """Return four significant digits: more would be noise."""
    return float(f"{value:.4g}")
