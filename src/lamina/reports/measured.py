"""What the report shows of a bench that stands alone: the quantization ladder, every figure, speed, and the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lamina.reports import charts
from lamina.reports.formatting import GAP, count, duration, size

JSON = dict[str, Any]
SPEEDS = (
    ("ttft_seconds", "first token", duration),
    ("itps", "prompt tokens a second", count),
    ("otps", "answer tokens a second", count),
    ("total_seconds", "whole request", duration),
)
_WORDS = {"memory": "memory", "cpu": "processor", "energy": "energy", "temperature": "temperature"}


def measured_view(results: Mapping[str, Any]) -> JSON | None:
    """What the template shows; None where nothing was benched, or as a part of something larger."""
    bench = results.get("bench")
    if not bench or any(stage in results for stage in ("synth", "train", "learn", "distill")):
        return None
    ladders = bench.get("ladders") or [ladder for ladder in [bench.get("ladder")] if ladder]
    beside = bench.get("side_by_side")
    figures = [row for row in bench["rows"] if row["task"] != "device" and row["value"] is not None]
    return {
        "headline": headline(figures, ladders, beside),
        "beside_calls": bool(
            {row["task"] for row in figures} - {row["task"] for row in figures if row["metric"] == "call_exact"}
        ),
        "ladders": [{"of": ladder, "charts": ladder_pictures(ladder)} for ladder in ladders],
        "side_by_side": {"of": beside, "charts": pictures(beside["models"], "model")} if beside else None,
        "models": list(dict.fromkeys(_name(row) for row in figures)),
        "scores": scores(figures),
        "paired": bench.get("paired") or [],
        "crashes": bench.get("crashes") or [],
        "remarks": bench.get("remarks") or [],
        "unscored": bench.get("unscored") or [],
        "not_asked": [f"{task}: {why}" for task, why in (bench.get("not_asked") or {}).items()],
        "not_possible": [row for row in bench["rows"] if row["metric"] == "not_possible"],
        "throttled": [(_name(r), r["throttled"]) for r in bench.get("resources") or [] if r.get("throttled")],
        "speeds": [line for resource in bench.get("resources") or [] for line in speed_lines(resource)],
        "machines": [machine_line(resource) for resource in bench.get("resources") or []],
        "absent": absences(bench.get("resources") or []),
        "repeats": max((r.get("repeats") or 0 for r in bench.get("resources") or []), default=0),
    }


def headline(figures: Sequence[JSON], ladders: Sequence[JSON], beside: JSON | None = None) -> str:
    """Of one ladder its title, which says where its source was quantized before; several, and one with other models
    ``beside`` it, have theirs above each."""
    if len(ladders) == 1 and not beside:
        return str(ladders[0]["title"])
    if len(ladders) > 1:
        return f"{len(ladders)} quantization ladders on {len({r['task'] for r in figures})} tasks"
    models, tasks = len({_name(r) for r in figures}), len({r["task"] for r in figures})
    return f"{models} model{'s' if models != 1 else ''} on {tasks} task{'s' if tasks != 1 else ''}"


def scores(figures: Sequence[JSON]) -> list[JSON]:
    """A line a task and metric, a cell a model. ``share``: all of them are shares, and shown in per cent; a rating, a
    bias and a number of words are not, whatever one of them comes to."""
    models = list(dict.fromkeys(_name(row) for row in figures))
    lines: dict[tuple[str, str], dict[str, JSON]] = {}
    for row in figures:
        lines.setdefault((row["task"], row["metric"]), {})[_name(row)] = row
    return [
        {
            "task": task,
            "metric": metric,
            "cells": [cells.get(model) for model in models],
            "span": next((row["span"] for row in cells.values() if row.get("span")), None),
            "share": all("span" not in row and -1 <= row["value"] <= 1 for row in cells.values()),
        }
        for (task, metric), cells in lines.items()
    ]


def ladder_pictures(ladder: JSON) -> list[tuple[str, Markup]]:
    return pictures(ladder["rungs"], "type")


def pictures(files: Sequence[JSON], label_by: str) -> list[tuple[str, Markup]]:
    """Quality, and safety where it was measured, against size and against speed."""
    found = []
    for kind in ("quality", "safety"):
        scored = [file for file in files if file[kind]]
        for axis, label in (("bytes", "file size, MB"), ("otps", "answer tokens a second")):
            points = [_point(file, kind, axis, file[label_by]) for file in scored if file[axis]]
            if len(points) > 1:
                title = f"{kind.capitalize()} against {label}"
                found.append((title, charts.both(_half_wide, points, title, label)))
    return found


def _half_wide(points: Sequence[charts.Point], width: int, title: str, label: str) -> Markup:
    return charts.scatter(points, min(width, 460), title, label)


def _point(rung: JSON, kind: str, axis: str, label: str) -> charts.Point:
    found, shade = rung[kind], "after" if rung["frontier"] else "before"
    if axis == "bytes":
        x, low, high = rung["bytes"] / 1e6, None, None
    else:
        x, low, high = (rung[axis][key] for key in ("value", "low", "high"))
    return charts.Point(label, x, found["value"], found["low"], found["high"], shade, low, high, rung["frontier"])


def speed_lines(resource: JSON) -> list[JSON]:
    """A line for all prompts, and one for each range of lengths where there are several."""
    timing = resource.get("timing")
    if not timing:
        return []
    failed = {"failed": timing.get("failed") or 0}
    lines = [{"prompts": f"all {timing['samples']}", "of": timing["all"], "n": timing["samples"], **failed}]
    if len(timing["buckets"]) > 1:
        for bucket in timing["buckets"]:
            most = bucket["to"]
            lengths = (
                f"over {bucket['from'] - 1:,} tokens" if most is None else f"{bucket['from']:,} to {most:,} tokens"
            )
            lines.append({"prompts": lengths, "of": bucket, "n": bucket["samples"], "failed": 0})
    name = _name(resource)
    return [
        {
            "model": name if i == 0 else "",
            "cells": [_speed_cell(line["of"][m], write) for m, _, write in SPEEDS],
            **line,
        }
        for i, line in enumerate(lines)
    ]


def _speed_cell(found: JSON | None, write: Any) -> JSON | None:
    """Mean and deviation, interval of the mean, median and 95th percentile as text."""
    if found is None:
        return None
    sd = "" if found["sd"] is None else f" ± {write(found['sd'])}"
    bounds = "one sample" if found["low"] is None else f"{write(max(0.0, found['low']))} to {write(found['high'])}"
    return {
        "mean": f"{write(found['mean'])}{sd}",
        "bounds": bounds,
        "spread": f"median {write(found['median'])}, p95 {write(found['p95'])}",
    }


def machine_line(resource: JSON) -> JSON:
    machines = resource.get("machine") or []
    timing = resource.get("timing") or {}
    ratios = timing.get("clock_to_engine") or {}
    energy = resource.get("energy") or {}
    return {
        "model": _name(resource),
        "load": resource.get("load_seconds"),
        "steady": resource.get("steady_rss_bytes"),
        "peak": resource.get("peak_rss_bytes"),
        "cpu": None if resource.get("cpu_percent") is None else f"{resource['cpu_percent']:.0f}{GAP}%",
        "threads": resource.get("process_threads"),
        "energy": None if energy.get("joules_per_request") is None else f"{energy['joules_per_request']:.1f}{GAP}J",
        "temperature": _span([m.get("temperature_celsius") for m in machines], "max", f"{GAP}°C"),
        "frequency": _span([m.get("frequency_mhz") for m in machines], "min", f"{GAP}MHz"),
        "clock": [None if ratios.get(name) is None else f"{ratios[name]:.3f}" for name in ("itps", "otps")],
        "in_use": [resource.get("first_token_seconds"), resource.get("tokens_per_second")],
        "size": size(resource.get("bytes")),
    }


def _span(courses: Sequence[JSON | None], worst: str, unit: str) -> str | None:
    """``before → after, worst`` over all rounds."""
    known = [course for course in courses if course]
    if not known:
        return None
    seen = min(c[worst] for c in known) if worst == "min" else max(c[worst] for c in known)
    if known[0]["before"] == known[-1]["after"] == seen:
        return f"{seen:.0f}{unit}"
    return f"{known[0]['before']:.0f} → {known[-1]['after']:.0f}, {worst} {seen:.0f}{unit}"


def absences(resources: Sequence[JSON]) -> list[tuple[str, str]]:
    """What the machine does not tell, and why; each once."""
    found: dict[tuple[str, str], None] = {}
    for resource in resources:
        for machine in resource.get("machine") or []:
            for name, why in (machine.get("absent") or {}).items():
                found[_WORDS.get(name, name), why] = None
    return list(found)


def _name(row: JSON) -> str:
    return f"{row['model']} {row['precision']}".strip()
