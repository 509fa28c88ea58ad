"""What a grid shows: a mean and interval for each cell over seeds, and differences between cells in pairs by seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lamina.errors import MissingExtraError

JSON = dict[str, Any]


def summary(cells: Sequence[Mapping[str, Any]]) -> tuple[list[JSON], list[JSON]]:
    """``cells``: results of ``train_cell``. Returns ``rows``, one a transfer and rule (``{"transfer", "rates", "value",
    "low", "high", "n", "step_seconds"}``), and ``pairs``, one a question (``{"a", "b", "difference" (b minus a),
    "low", "high", "p", "p_holm", "n", "better", "worse"}``): each rule against uniform rates of the same transfer,
    each transfer with uniform rates against none, and layer-wise rates against the control, the same rates given to
    other layers. Intervals are Student's at 95 % over seeds; p is of the paired
    t test, p_holm that of Holm's correction over all of a table's questions."""
    scores: dict[tuple[str, str], dict[int, float]] = {}
    seconds: dict[tuple[str, str], list[float]] = {}
    for cell in cells:
        key = cell["transfer"], cell["rates"]
        scores.setdefault(key, {})[cell["seed"]] = cell["score"]
        seconds.setdefault(key, []).append(cell["step_seconds"])
    rows = []
    for (transfer, rule), by_seed in scores.items():
        value, low, high = student_interval(list(by_seed.values()))
        middle = sorted(seconds[transfer, rule])[len(by_seed) // 2]
        about = {"transfer": transfer, "rates": rule, "value": value, "low": low, "high": high, "n": len(by_seed)}
        rows.append(about | {"step_seconds": middle})
    return rows, _questions(scores)


def _questions(scores: Mapping[tuple[str, str], Mapping[int, float]]) -> list[JSON]:
    found = []
    for transfer, rule in scores:
        others = [(transfer, "uniform") if rule != "uniform" else ("none", "uniform")]
        if rule == "layerwise":
            others.append((transfer, "random"))
        for against in others:
            if against in scores and against != (transfer, rule):
                found += _paired(against, (transfer, rule), scores[against], scores[transfer, rule])
    ranked = sorted((row for row in found if row["p"] is not None), key=lambda row: float(row["p"]))
    worst = 0.0
    for place, row in enumerate(ranked):
        worst = max(worst, min(1.0, row["p"] * (len(ranked) - place)))
        row["p_holm"] = worst
    return found


def _paired(
    a: tuple[str, str], b: tuple[str, str], before: Mapping[int, float], after: Mapping[int, float]
) -> list[JSON]:
    changes = [after[seed] - before[seed] for seed in sorted(before.keys() & after.keys())]
    if not changes:
        return []
    value, low, high = student_interval(changes)
    row = {"a": "/".join(a), "b": "/".join(b), "difference": value, "low": low, "high": high, "n": len(changes)}
    row |= {"p": paired_p(changes), "p_holm": None}
    row |= {"better": sum(c > 0 for c in changes), "worse": sum(c < 0 for c in changes)}
    return [row]


def student_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean and its 95 % interval by Student's t over ``values``; no interval for a single one."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None, None
    half = float(_t().ppf(0.975, len(values) - 1)) * _error(values, mean)
    return mean, mean - half, mean + half


def paired_p(changes: Sequence[float]) -> float | None:
    """Two-sided p of the t test that the mean change is 0; None for a single pair."""
    if len(changes) < 2:
        return None
    mean = sum(changes) / len(changes)
    error = _error(changes, mean)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * _t().sf(abs(mean) / error, len(changes) - 1))


def _error(values: Sequence[float], mean: float) -> float:
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values))


def _t() -> Any:
    try:
        from scipy.stats import t  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("scipy", "vision") from None
    return t
