"""Charts as inline SVG. Each function takes numbers and a width in CSS pixels and returns markup that is
already escaped; colours are CSS classes, so that light and dark are the style sheet's affair. A report holds
each chart twice, for wide and for narrow screens, because text in a scaled SVG gets too small on a phone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

NARROW, WIDE = 340, 700
_BAR, _GAP, _LABEL = 18, 12, 18


@dataclass(frozen=True)
class Bar:
    """A rate (0 to 1) with its interval. ``shade`` is a class of the style sheet: ``before``, ``after``,
    ``plain``."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    shade: str = "plain"


@dataclass(frozen=True)
class Point:
    """``y`` is a rate with its interval, ``x_low`` and ``x_high`` that of ``x``. A line joins those that are
    ``linked``."""

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    shade: str = "after"
    x_low: float | None = None
    x_high: float | None = None
    linked: bool = False


@dataclass(frozen=True)
class Line:
    label: str
    points: Sequence[tuple[float, float]]
    shade: str = "after"


def bars(rows: Sequence[Bar], width: int, title: str) -> Markup:
    """Horizontal bars over 0 to 100 %, whiskers for the intervals, values at the right."""
    stacked = width < 500
    left, right = (2, 58) if stacked else (190, 66)
    step = _BAR + _GAP + (_LABEL if stacked else 0)
    height = step * len(rows) + 26
    plot = width - left - right
    marks = [_grid(left, plot, height - 22)]
    for i, row in enumerate(rows):
        top = i * step + 4 + (_LABEL if stacked else 0)
        middle = top + _BAR / 2
        if stacked:
            marks.append(_text(left, top - 5, row.label))
        else:
            marks.append(_text(left - 10, middle + 4, row.label, "end"))
        marks.append(
            f'<rect class="bar {escape(row.shade)}" x="{left}" y="{top:.1f}" '
            f'width="{max(1.0, plot * row.value):.1f}" height="{_BAR}" rx="3"/>'
        )
        if row.low is not None and row.high is not None:
            marks.append(_whisker_across(left + plot * row.low, left + plot * row.high, middle))
        marks.append(_text(width - 2, middle + 4, f"{row.value * 100:.1f} %", "end", "figure"))
    return _svg(width, height, title, marks)


def _grid(left: float, plot: float, bottom: float) -> str:
    """Lines at the quarters with their per cents below."""
    parts = []
    for quarter in range(5):
        x = left + plot * quarter / 4
        anchor = "start" if quarter == 0 else "end" if quarter == 4 else "middle"
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom:.1f}"/>')
        parts.append(_text(x, bottom + 16, f"{quarter * 25} %", anchor, "axis"))
    return "".join(parts)


def scatter(points: Sequence[Point], width: int, title: str, x_label: str) -> Markup:
    """Rates against something that costs: size, time. The rate axis ends where the data does, in tens."""
    height, left, right, top, bottom = 240, 44, 24, 24, 44
    floor = min(0.9, math.floor((min(_low(p) for p in points) - 0.03) * 10) / 10)
    floor = max(0.0, floor)
    ceiling = min(1.0, max(floor + 0.1, math.ceil((max(_high(p) for p in points) + 0.03) * 10) / 10))
    most = max(max(p.x, p.x_high or 0.0) for p in points) * 1.12 or 1.0
    plot, rise = width - left - right, height - top - bottom

    def at(x: float, y: float) -> tuple[float, float]:
        return left + plot * x / most, top + rise * (1 - (y - floor) / (ceiling - floor))

    marks = []
    for tick in _ticks(floor, ceiling, 4):
        y = at(0, tick)[1]
        marks.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        marks.append(_text(left - 6, y + 4, f"{tick * 100:.0f} %", "end", "axis"))
    for tick in _ticks(0.0, most, 4 if width < 500 else 6):
        marks.append(_text(at(tick, floor)[0], height - bottom + 17, f"{tick:g}", "middle", "axis"))
    marks.append(_text(left + plot / 2, height - 6, x_label, "middle", "axis"))
    joined = [at(p.x, p.y) for p in sorted(points, key=lambda p: p.x) if p.linked]
    if len(joined) > 1:
        marks.append(f'<polyline class="joined" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in joined)}"/>')
    for p in points:
        if p.x_low is not None and p.x_high is not None:
            marks.append(_whisker_across(at(max(0.0, p.x_low), p.y)[0], at(p.x_high, p.y)[0], at(p.x, p.y)[1]))
    marks += _labelled(
        [(p, at(p.x, p.y), at(0, _low(p))[1], at(0, _high(p))[1]) for p in sorted(points, key=lambda p: p.x)], width
    )
    return _svg(width, height, title, marks)


def _labelled(placed: Sequence[tuple[Point, tuple[float, float], float, float]], width: float) -> list[str]:
    """Points with whiskers from ``bottom`` to ``top``. A label stands above, below, right or left of its point, the
    first of these where it hits nothing; above where all of them hit something."""
    marks: list[str] = []
    taken = [(x - 6, min(top, y - 6), x + 6, max(bottom, y + 6)) for _, (x, y), bottom, top in placed]
    for point, (x, y), bottom, top in placed:
        if top < bottom:
            marks.append(_whisker_up(x, bottom, top))
        marks.append(f'<circle class="bar {escape(point.shade)}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
        long = 7.8 * len(point.label)
        above, below = min(top, y - 6) - 6, max(bottom, y + 6) + 15
        places = [("middle", x, above), ("middle", x, below), ("start", x + 10, y - 5), ("end", x - 10, y - 5)]
        boxes = [_label_box(anchor, at, base, long) for anchor, at, base in places]
        free = [
            i
            for i, box in enumerate(boxes)
            if box[0] >= 0 and box[2] <= width and not any(_overlap(box, one) for one in taken)
        ]
        chosen = free[0] if free else 0
        anchor, at, base = places[chosen]
        taken.append(boxes[chosen])
        marks.append(_text(at, base, point.label, anchor))
    return marks


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def _label_box(anchor: str, x: float, base: float, long: float) -> Box:
    left = x - {"start": 0.0, "middle": long / 2, "end": long}[anchor]
    return (left - 3, base - 11, left + long + 3, base + 3)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _low(point: Point) -> float:
    return point.y if point.low is None else point.low


def _high(point: Point) -> float:
    return point.y if point.high is None else point.high


def lines(series: Sequence[Line], width: int, title: str, x_label: str) -> Markup:
    """Curves over a shared axis that starts at zero; labels stand in the top right corner, an
    empty one is left out."""
    height, left, right, top, bottom = 220, 44, 14, 14, 44
    most_x = max(x for s in series for x, _ in s.points) or 1.0
    most_y = max(y for s in series for _, y in s.points) * 1.05 or 1.0
    plot, rise = width - left - right, height - top - bottom
    marks = []
    for tick in _ticks(0.0, most_y, 4):
        y = top + rise * (1 - tick / most_y)
        marks.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        marks.append(_text(left - 6, y + 4, f"{tick:g}", "end", "axis"))
    for tick in _ticks(0.0, most_x, 4 if width < 500 else 6):
        marks.append(_text(left + plot * tick / most_x, height - bottom + 17, f"{tick:g}", "middle", "axis"))
    marks.append(_text(left + plot / 2, height - 6, x_label, "middle", "axis"))
    for i, one in enumerate(series):
        path = " ".join(f"{left + plot * x / most_x:.1f},{top + rise * (1 - y / most_y):.1f}" for x, y in one.points)
        marks.append(f'<polyline class="curve {escape(one.shade)}" points="{path}"/>')
        if not one.label:
            continue
        y = top + 14 + i * 18
        marks.append(
            f'<rect class="bar {escape(one.shade)}" x="{width - right - 132}" y="{y - 8}" '
            f'width="14" height="8" rx="2"/>'
        )
        marks.append(_text(width - right - 112, y, one.label))
    return _svg(width, height, title, marks)


def both(chart: Callable[..., Markup], data: Sequence[Any], title: str, *more: str) -> Markup:
    """One chart for wide screens and one for narrow."""
    wide, narrow = chart(data, WIDE, title, *more), chart(data, NARROW, title, *more)
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(wide, narrow)


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between ``low`` and ``high``."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, first + about * 3) if i * step <= high * (1 + 1e-9)]


def _whisker_across(low: float, high: float, y: float) -> str:
    return f'<path class="whisker" d="M{low:.1f} {y:.1f}H{high:.1f}M{low:.1f} {y - 4:.1f}v8M{high:.1f} {y - 4:.1f}v8"/>'


def _whisker_up(x: float, low: float, high: float) -> str:
    return f'<path class="whisker" d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", shade: str = "label") -> str:
    return f'<text class="{shade}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: int, height: float, title: str, marks: Sequence[str]) -> Markup:
    said = escape(title)
    return Markup(
        f'<svg role="img" aria-label="{said}" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}"><title>{said}</title>{"".join(marks)}</svg>'
    )
