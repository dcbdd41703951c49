"""What the rounds of faults came to, as a table for the screen and for docs/reliability.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- make test-faults: begin -->", "<!-- make test-faults: end -->"
HEADINGS = (
    "fault",
    "rounds",
    "faults",
    "submissions",
    "acknowledged",
    "lost",
    "doubled",
    "other violations",
    "longest recovery",
    "longest answer",
)


@dataclass
class Row:
    """One fault over all its rounds."""

    rounds: int = 0
    faults: int = 0
    submissions: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    others: int = 0
    recovery_sec: float = 0.0
    answer_sec: float = 0.0

    def add(self, other: Row) -> None:
        """Count another row in."""
        for name in ("rounds", "faults", "submissions", "acknowledged", "lost", "doubled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.others += other.others
        self.recovery_sec = max(self.recovery_sec, other.recovery_sec)
        self.answer_sec = max(self.answer_sec, other.answer_sec)

    @property
    def cells(self) -> list[str]:
        """Return what stands in the table."""
        counts = (self.rounds, self.faults, self.submissions, self.acknowledged)
        return [
            *(f"{count:,}" for count in (*counts, self.lost, self.doubled, self.others)),
            *(f"{seconds:.1f} s" for seconds in (self.recovery_sec, self.answer_sec)),
        ]


@dataclass
class Figures:
    """The rows of a run, by fault, and the seed that repeats its moments."""

    seed: int
    rows: dict[str, Row] = field(default_factory=dict)

    def add(self, fault: str, row: Row) -> None:
        """Count a round in."""
        self.rows.setdefault(fault, Row()).add(row)

    def markdown(self) -> str:
        """Return the table, the last row with what all faults came to."""
        everything = Row()
        for row in self.rows.values():
            everything.add(row)
        table = [[name, *row.cells] for name, row in self.rows.items()]
        lines = [list(HEADINGS), *table, ["all", *everything.cells]]
        widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
        ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        return "\n".join(
            "| "
            + " | ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            + " |"
            for line in [lines[0], ruler, *lines[1:]]
        )

    def write(self, page: Path = DOCUMENT) -> None:
        """Put the table into the page, in place of the one there."""
        text = page.read_text(encoding="utf-8")
        between = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
        if not between.search(text):
            raise ValueError(f"{page} has no {BEGIN} ... {END}")
        block = f"{BEGIN}\n{self.markdown()}\n\nSeed {self.seed}.\n{END}"
        page.write_text(between.sub(lambda _: block, text), encoding="utf-8")
