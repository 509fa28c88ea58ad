"""What the report shows of a distillation: the grid of an experiment, and the rates of each layer over the steps."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lamina.reports import charts

JSON = dict[str, Any]
SHADES = 6
"""Colours of the style sheet for layers, from the lowest to the highest."""
RATES_LOG = Path("model") / "layer-rates.csv"
_MOST_POINTS = 80


def distillation_view(folder: Path, results: Mapping[str, Any]) -> JSON | None:
    """``{"grid", "bars", "courses", "layers"}``; None where nothing was distilled."""
    grid = results.get("distill")
    trained = (results.get("train") or {}).get("layers")
    if not grid and not trained:
        return None
    courses: list[tuple[str, str, Markup]] = []
    if grid:
        for one in grid["courses"]:
            points = [(row["step"], row["rates"]) for row in one["course"]]
            courses += _course(f"{one['transfer']} transfer, {one['rates']} rates", points)
    elif (folder / RATES_LOG).is_file():
        courses += _course("Rate of each layer", _logged(folder / RATES_LOG))
    return {
        "grid": grid,
        "bars": _bars(grid["rows"]) if grid and grid["rows"] else None,
        "courses": courses,
        "layers": trained or [],
    }


def _bars(rows: Sequence[JSON]) -> Markup:
    made = [
        charts.Bar(
            f"{row['transfer']}, {row['rates']}",
            row["value"],
            None if row["low"] is None else max(0.0, row["low"]),
            None if row["high"] is None else min(1.0, row["high"]),
            "before" if row["rates"] == "uniform" else "after",
        )
        for row in rows
    ]
    return charts.both(charts.bars, made, "Score of each cell")


def _course(title: str, points: Sequence[tuple[int, Mapping[str, float]]]) -> list[tuple[str, str, Markup]]:
    """Title, the layers that the colours stand for, and the chart; nothing where no rate ever moved."""
    points = points[:: max(1, len(points) // _MOST_POINTS)]
    layers = list(points[0][1]) if points else []
    if len(points) < 2 or all(abs(rates[name] - 1) < 1e-9 for _, rates in points for name in layers):
        return []
    series = []
    for i, name in enumerate(layers):
        shade = f"layer{i * SHADES // len(layers)}"
        series.append(charts.Line("", [(float(step), rates[name]) for step, rates in points], shade))
    legend = f"from {layers[0]} (light) to {layers[-1]} (dark); 1 is the uniform rate"
    return [(title, legend, charts.both(charts.lines, series, title, "step"))]


def _logged(file: Path) -> list[tuple[int, dict[str, float]]]:
    steps: dict[int, dict[str, float]] = {}
    with file.open(newline="") as lines:
        for line in csv.DictReader(lines):
            steps.setdefault(int(line["step"]), {})[line["layer"]] = float(line["rate"])
    return sorted(steps.items())
