"""Reads a race from a text file, after the specifications of PostgreSQL's isolationtester.

A file is made of blocks. A block begins with a keyword at the beginning of a line; what belongs to
it is indented by four, what goes on from the line before by more. `#` begins a comment line.

    rule         one line: what has to hold
    include      a file whose blocks are read here
    setup        name procedure(...): public procedures, CALLed anew for every permutation; the
                 first column of the first row is kept under the name
    session S    step statement: steps played in this order on one connection. `session S at a` or
                 `at b` speaks HTTP to that gateway, `as :user` with a candidate's token:
                 METHOD /path [Header=value] [JSON]
    finally S    the same, played after everything else in every permutation
    point P      where inside of a CALL the race is stopped: a statement that locks rows, or a
                 table; or `pause in _routine`, which stops whoever enters it. The step `hold`
                 holds it, the step `free` lets it go. Every permutation is played at every point
    permutation  steps in the order they begin in; without any all orders that keep the sessions'
    outcome      steps in the order in which they might have been carried out one after the other,
                 and what each then answers: name=value, name=one|another; `2.name` is of the
                 second result set, `rows` the number of rows, a.b an element within an element,
                 `waits` whether it came to wait. A step of which nothing is said must not fail
    empty        a query that must return no row afterwards

`:name` stands for a value of the setup, `:S` for the connection id of session S, `:unique` for a
text that no other permutation has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GATE, HOLD, FREE = "gate", "hold", "free"
GATEWAYS = ("a", "b")
KEYWORDS = ("rule", "include", "setup", "session", "finally", "point", "permutation", "outcome")

NAME = r"[a-z][a-z_0-9]*"
REFERENCE = re.compile(rf"(?<![\w:]):({NAME})")


class SpecError(Exception):
    """A file that cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Step:
    """Something a session does."""

    name: str
    session: str
    text: str


@dataclass(frozen=True)
class Session:
    """Steps in order, on one connection or at one gateway."""

    name: str
    gateway: str | None
    user: str | None
    last: bool
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Point:
    """A place inside of a CALL: rows to lock, or a routine to pause in."""

    name: str
    text: str

    @property
    def routine(self) -> str | None:
        """Return the routine to pause in, if it is that kind of point."""
        found = re.fullmatch(r"pause (?:in|behind) (\w+)", self.text)
        return found[1] if found else None


@dataclass(frozen=True)
class Outcome:
    """A serial order of steps, and what they answer in it."""

    order: tuple[str, ...]
    answers: dict[str, dict[str, str]]
    place: str


@dataclass
class Spec:
    """One race."""

    path: Path
    rule: str = ""
    setup: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)
    permutations: list[tuple[str, ...]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    empties: list[str] = field(default_factory=list)

    @property
    def steps(self) -> dict[str, Step]:
        """Return all steps by name, those of the gate included."""
        own = [step for session in self.sessions.values() for step in session.steps]
        gate = [Step(name, GATE, "") for name in (HOLD, FREE)] if self.points else []
        return {step.name: step for step in [*own, *gate]}

    @property
    def last(self) -> list[str]:
        """Return the steps that come after all others."""
        return [step.name for s in self.sessions.values() if s.last for step in s.steps]

    def plays(self) -> Iterator[tuple[Point | None, tuple[str, ...]]]:
        """Return what is to be played: the point to stop at, if any, and the order of the steps."""
        racing = [[step.name for step in s.steps] for s in self.sessions.values() if not s.last]
        orders = self.permutations or [
            *interleavings(racing),
            *(
                order
                for order in interleavings([[HOLD, FREE], *racing])
                # Where nothing begins in between, it might as well not have been held.
                if self.points and order.index(FREE) > order.index(HOLD) + 1
            ),
        ]
        for order in orders:
            if HOLD not in order:
                yield None, order
        for point in self.points.values():
            for order in orders:
                if HOLD in order:
                    yield point, order


def interleavings(sessions: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Return all orders of the steps that keep the order within each session."""
    if not any(sessions):
        yield ()
    for n, steps in enumerate(sessions):
        if steps:
            rest = [*sessions[:n], steps[1:], *sessions[n + 1 :]]
            yield from ((steps[0], *order) for order in interleavings(rest))


def read_spec(path: Path) -> Spec:
    """Read a race; raises SpecError."""
    spec = Spec(path)
    for block in _blocks(path):
        _add(spec, block)
    _prove(spec)
    return spec


@dataclass
class _Line:
    """A line, with those that go on from it joined to it."""

    place: str
    text: str

    def split(self, pattern: str, form: str) -> list[str]:
        """Take the line apart; refuse one of another form."""
        found = re.fullmatch(pattern, self.text)
        if found is None:
            raise self.error(f"expected {form}, found {self.text!r}")
        return [part or "" for part in found.groups()]

    def error(self, message: str) -> SpecError:
        return SpecError(f"{self.place}: {message}")


@dataclass
class _Block(_Line):
    """A line that begins with a keyword, and the lines below it."""

    keyword: str
    entries: list[_Line]


def _blocks(path: Path) -> Iterator[_Block]:
    """Return the blocks of a file, included ones in the place of their include."""
    blocks: list[_Block] = []
    line: _Line | None = None
    for number, text in enumerate(path.read_text().splitlines(), 1):
        place, words = f"{path.name}:{number}", text.strip()
        if not words or words.startswith("#"):
            continue
        indent = len(text) - len(text.lstrip())
        if indent == 0:
            keyword, _, rest = words.partition(" ")
            if keyword not in (*KEYWORDS, "empty"):
                raise SpecError(f"{place}: {keyword!r} begins no block")
            line = _Block(place, rest.strip(), keyword, [])
            blocks.append(line)
        elif line is None:
            raise SpecError(f"{place}: nothing is there that it could belong to")
        elif indent == 4:
            line = _Line(place, words)
            blocks[-1].entries.append(line)
        elif indent > 4:
            line.text += " " + words
        else:
            raise SpecError(f"{place}: indented by {indent}, not by 4 or more")
    for block in blocks:
        if block.keyword == "include":
            included = path.parent / block.text
            if not included.is_file():
                raise block.error(f"there is no file {block.text}")
            yield from _blocks(included)
        else:
            yield block


def _add(spec: Spec, block: _Block) -> None:
    """Add what a block says."""
    if block.entries and block.keyword not in ("setup", "session", "finally", "outcome"):
        raise block.entries[0].error(f"{block.keyword} has no lines below it")
    match block.keyword:
        case "rule":
            spec.rule = block.text
        case "setup":
            for entry in block.entries:
                name, call = entry.split(rf"({NAME})\s+([a-z]\w*\(.*\))", "name procedure(...)")
                _free_name(spec, entry, name)
                spec.setup[name] = call
        case "session" | "finally":
            name, _, gateway, _, user = block.split(
                rf"({NAME})( at ({'|'.join(GATEWAYS)})( as :({NAME}))?)?",
                "a name, and `at a` or `at b`, with `as :user`, for HTTP",
            )
            _free_name(spec, block, name)
            session = Session(name, gateway or None, user or None, block.keyword == "finally")
            spec.sessions[name] = session
            for entry in block.entries:
                step, text = entry.split(rf"({NAME})\s+(.+)", "name statement")
                if step in spec.steps or step in (HOLD, FREE):
                    raise entry.error(f"there is a step {step} already")
                session.steps.append(Step(step, name, text))
        case "point":
            name, text = block.split(rf"({NAME})\s+(.+)", "name, and a statement or `pause in`")
            if name in spec.points:
                raise block.error(f"there is a point {name} already")
            spec.points[name] = Point(name, text)
        case "permutation":
            order = tuple(block.text.split())
            _prove_order(spec, block, order)
            spec.permutations.append(order)
        case "outcome":
            spec.outcomes.append(_outcome(spec, block))
        case "empty":
            spec.empties.append(block.text)


def _free_name(spec: Spec, line: _Line, name: str) -> None:
    if name in spec.setup or name in spec.sessions or name in ("unique", GATE):
        raise line.error(f"the name {name} is taken")


def _outcome(spec: Spec, block: _Block) -> Outcome:
    order = tuple(block.text.split())
    answers: dict[str, dict[str, str]] = {}
    for entry in block.entries:
        step, pairs = entry.split(rf"({NAME})((?:\s+[\w.]+=\S+)+)", "step name=value ...")
        answers[step] = dict(pair.split("=", 1) for pair in pairs.split())
    for step in (*order, *answers):
        if step not in spec.steps:
            raise block.error(f"there is no step {step} above")
    return Outcome(order, answers, block.place)


def _prove_order(spec: Spec, block: _Block, order: tuple[str, ...]) -> None:
    """Refuse a permutation that leaves out a step, or has one twice or before its time."""
    for step in order:
        if step not in spec.steps:
            raise block.error(f"there is no step {step} above")
    for session in spec.sessions.values():
        own = [step.name for step in session.steps]
        played = [step for step in order if step in own]
        if played != ([] if session.last else own):
            raise block.error(f"session {session.name} plays {played} and not {own}")


def _prove(spec: Spec) -> None:
    """Refuse a file that is no race as a whole."""
    known = {*spec.setup, *spec.sessions, "unique"}
    texts = [*spec.setup.values(), *spec.empties, *(step.text for step in spec.steps.values())]
    texts += [point.text for point in spec.points.values()]
    texts += [f":{session.user}" for session in spec.sessions.values() if session.user]
    for text in texts:
        for name in REFERENCE.findall(text):
            if name not in known:
                raise SpecError(f"{spec.path.name}: nothing is called :{name} in {text!r}")
    if not spec.outcomes:
        raise SpecError(f"{spec.path.name}: it has no outcome")
