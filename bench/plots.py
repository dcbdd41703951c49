"""Line charts as SVG, on logarithmic axes, readable on light and dark pages alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 42, 66, 56
# Of a character, on the mean: nothing here can measure text.
LETTER = 7.2
# Told apart by people who do not see all colours, and by their marks.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
STYLE = """
text { font-family: system-ui, sans-serif; font-size: 13px; fill: #333 }
.title { font-weight: 600; font-size: 15px }
.grid { stroke: #ccc; stroke-width: 1 }
.page { fill: #fff }
"""

Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Axis:
    """An axis: its title, its ticks, and where a value lies on it, in any unit that ascends."""

    title: str
    ticks: Mapping[float, str]
    position: Callable[[float], float]

    def share(self, value: float) -> float:
        """Return where a value lies between the first tick and the last, from 0 to 1."""
        first, last = self.position(min(self.ticks)), self.position(max(self.ticks))
        return (self.position(value) - first) / (last - first)


def decades(title: str, values: Sequence[float]) -> Axis:
    """Return a logarithmic axis from one power of ten to another, around all values."""
    first = math.floor(math.log10(min(values)))
    last = max(first + 1, math.ceil(math.log10(max(values))))
    return Axis(title, {10.0**n: f"{10.0**n:,g}" for n in range(first, last + 1)}, math.log10)


def percentiles(title: str, percents: Sequence[float]) -> Axis:
    """Return an axis that gives each further nine the same room."""
    return Axis(
        title,
        {percent: f"p{percent:g}" for percent in percents},
        lambda percent: -math.log10(100 - percent),
    )


def chart(title: str, x_axis: Axis, y_axis: Axis, series: Mapping[str, Points]) -> str:
    """Draw points, joined by lines, a colour and a name for each series."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(LEFT, 24, title, "start", "title"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_axis.title),
        f'<g transform="rotate(-90)">{_text(-(TOP + HEIGHT - BOTTOM) / 2, 18, y_axis.title)}</g>',
    ]
    for value, label in x_axis.ticks.items():
        x = _x(x_axis, value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 18, label))
    for value, label in y_axis.ticks.items():
        y = _y(y_axis, value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 8, y + 4, label, "end"))
    for points, colour in zip(series.values(), COLOURS, strict=False):
        places = [(_x(x_axis, x), _y(y_axis, y)) for x, y in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.extend(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places
        )
    x = float(LEFT)
    for name, colour in zip(series, COLOURS, strict=False):
        parts.append(f'<rect x="{x:.1f}" y="{TOP - 24}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 18, TOP - 13, name, "start"))
        x += 48 + LETTER * len(name)
    return "\n".join([*parts, "</svg>\n"])


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, anchor: str = "middle", style: str = "label") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{style}" {place}>{escape(text)}</text>'
