"""What ``lamina bench`` prints of a bench, in lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.cli.output import table

Row = dict[str, Any]


def ladder_lines(result: Row) -> list[str]:
    """Of every ladder of a bench."""
    ladders = result["ladders"] if "ladders" in result else [result["ladder"]] if "ladder" in result else []
    return [line for ladder in ladders for line in _of_ladder(ladder)]


def _of_ladder(ladder: Row) -> list[str]:
    cells = []
    for rung in ladder["rungs"]:
        figure, loss = rung["quality"] or rung["safety"], rung["loss"] or rung["safety_loss"]
        points = f"{100 * loss['value']:+.1f} [{100 * loss['low']:+.1f}, {100 * loss['high']:+.1f}]" if loss else ""
        speed = f"{rung['otps']['value']:.1f} tokens/s" if rung["otps"] else "-"
        marks = ("frontier" if rung["frontier"] else "") if not rung["crashed"] else "crashed"
        value = f"{figure['value']:.1%} [{figure['low']:.1%}, {figure['high']:.1%}]" if figure else "-"
        cells.append((rung["type"], f"{rung['bytes'] / 1e6:.0f} MB", value, f"loss {points}" if points else "", speed,
                      marks))  # fmt: skip
    lines = ["", ladder["title"], *table(cells), ladder["advice"]]
    lines += [f"{task} is not in the means: {why}" for task, why in ladder["left_out"].items()]
    lines += [f"the {kind} is there to be looked at: {why}" for kind, why in ladder["unable"].items()]
    for rung in ladder["rungs"]:
        if n := rung["crashed_samples"]:
            first = ladder["reference"]
            where = "nowhere" if rung["type"] == first else f"as lost where {first} answered"
            lines.append(f"{rung['type']}: {n} sample{'s' if n != 1 else ''} on which it crashed count {where}")
        if n := rung["unscored_samples"]:
            lines.append(f"{rung['type']}: {n} unscored sample{'s' if n != 1 else ''} count nowhere")
        if rung["fallbacks"]:
            told = ", ".join(f"{change} ({count})" for change, count in rung["fallbacks"].items())
            lines.append(f"{rung['type']}: rows that are no multiple of a block took another type: {told}")
    return [*lines, ""]


def crash_lines(crashes: Sequence[Row]) -> list[str]:
    """What crashed, where and why."""
    return [f"{_name(crash)} crashed at {crash['stage']}{_of_sample(crash)}: {crash['detail']}" for crash in crashes]


def _name(row: Row) -> str:
    return f"{row['model']} {row['precision']}".strip()


def _of_sample(crash: Row) -> str:
    return f" of {crash['sample']} of {crash['task']} (asked again with --retry-crashed)" if "sample" in crash else ""


def missing_lines(result: Row) -> list[str]:
    """What has no figure, or one of fewer samples, and why."""
    impossible = [row for row in result["rows"] if row["metric"] == "not_possible"]
    said = [f"{_name(row)} is not asked {row['task']}: {row['detail']}" for row in impossible]
    return said + [
        f"{_name(row)}: {row['n']} of {row['of']} of {row['task']} unscored: {row['why'][:300]}"
        for row in result.get("unscored", ())
    ]


def throttled_lines(resources: Sequence[Row]) -> list[str]:
    said = [(_name(r), r.get("throttled")) for r in resources]
    return [f"{name} was throttled while it was timed: {'; '.join(why)}" for name, why in said if why]


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def interval(row: Row) -> str:
    return f"[{row['low']:.3f}, {row['high']:.3f}]" if row["low"] is not None else ""
