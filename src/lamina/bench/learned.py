"""The figures of a learning with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lamina.bench.intervals import bounded_interval

JSON = dict[str, Any]


def learned_figures(result: Mapping[str, Any]) -> JSON:
    """``result`` as ``learn_in_run`` returns it, its lists of rewards replaced by mean and interval: ``first`` and
    ``last`` on the test tasks, their ``difference`` task by task, and the ``curve``. None where there is no reward."""

    def about(rewards: list[float], least: float = 0.0) -> JSON | None:
        found = bounded_interval(rewards, least)
        return None if found is None else asdict(found)

    first, last = result["first"], result["last"]
    gained = [after - before for before, after in zip(first, last, strict=True)]
    figures = {"first": about(first), "last": about(last), "difference": about(gained, -1.0)}
    curve = [{**row, "batch": about(row["batch"]), "held": about(row["held"])} for row in result["curve"]]
    return {**result, **figures, "curve": curve}
