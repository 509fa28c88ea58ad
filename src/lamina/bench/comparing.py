"""Two finished benches beside each other: sample by sample what the later one gained and lost, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from lamina.bench.intervals import Interval, bounded_interval, mean_interval, paired_difference
from lamina.bench.pairs import ALL, pair_row
from lamina.bench.score_intervals import difference_of, mean_of_differences
from lamina.bench.tasks.written import COUNTED
from lamina.bench.timing import MEASURES
from lamina.errors import InputError
from lamina.runs import Run
from lamina.tools.tool import JSON

Samples = dict[tuple[str, str], JSON]
RESOURCES = (
    "bytes", "peak_rss_bytes", "steady_rss_bytes", "load_seconds", "tokens_per_second", "prompt_tokens_per_second",
    "first_token_seconds",
)  # fmt: skip
"""What a bench measured of a model once; what it timed in rounds has an interval besides (``MEASURES``)."""


@dataclass(frozen=True)
class _Bench:
    """A run's samples of each model by task and id, and by model what its finished result says: ``figures`` by
    ``(task, metric)``, ``resources``; ``machine`` is where it ran. A bench that was killed has samples alone."""

    samples: Mapping[str, Samples]
    figures: Mapping[str, Mapping[tuple[str, str], JSON]]
    resources: Mapping[str, JSON]
    machine: JSON


def compare_runs(before: str | Path, after: str | Path) -> JSON:
    """``{"rows": [{"a", "b", "task", "metric", "difference", "low", "high", "n", "only_a", "only_b", "p"}], "metrics":
    [{"a", "b", "task", "metric", "before", "after", "difference", "low", "high", "n", "lower", "higher"}], "figures":
    [{"a", "b", "task", "metric", "before", "after"}], "resources": [{"a", "b", "measure", "before", "after", "ratio",
    "apart"}], "machines": {name: [before, after]}, "changed": [{"a", "b", "task", "sample", "right"}], "unpaired":
    n}``.

    Models of one name are compared with each other; where each run has a single one, those two. ``rows`` pairs right
    and wrong of every kind; ``metrics`` pairs every other score of a sample, f1 as well as a refusal (``lower`` and
    ``higher`` count the samples on which it fell and rose). ``figures`` are those that no sample has alone (a bias
    score); they and the resources stand side by side, ``{"value", "low", "high"}`` each. ``ratio`` is after by before,
    ``apart`` whether the intervals don't meet, None where there is none. ``machines`` is what differs between the two.
    A sample that only one run has, that was not scored in one, or whose row is another one there, is unpaired. Raises
    InputError where a folder holds no bench or no model is in both.
    """
    one, two = _bench(Path(before)), _bench(Path(after))
    pairs = [(name, name) for name in one.samples if name in two.samples]
    if len(one.samples) == len(two.samples) == 1:
        pairs = [(next(iter(one.samples)), next(iter(two.samples)))]
    if not pairs:
        what = f"no model is in both runs ({', '.join(one.samples)}; {', '.join(two.samples)})"
        raise InputError(what, file=after, mend="compare runs that benched the same models")
    found: JSON = {"rows": [], "metrics": [], "figures": [], "resources": [], "changed": [], "unpaired": 0}
    for a, b in pairs:
        first, second = one.samples[a], two.samples[b]
        names = (a, b) if a != b else (f"{before}: {a}", f"{after}: {b}")
        named = {"a": names[0], "b": names[1]}
        shared = [key for key, record in first.items() if key in second and _asks(second[key]) == _asks(record)]
        found["unpaired"] += len(first) + len(second) - 2 * len(shared)
        found["rows"] += _rows(names, shared, first, second)
        declared = (one.figures.get(a, {}), two.figures.get(b, {}))
        metrics = [named | row for row in _metrics(shared, first, second, declared)]
        found["metrics"] += metrics
        paired = {(row["task"], row["metric"]) for row in metrics} | _rights(shared, first, second)
        rates = [_rates(shared, run) for run in (first, second)]
        found["figures"] += [named | row for row in _figures(declared, paired, rates)]
        found["resources"] += [named | row for row in _resources(one.resources.get(a), two.resources.get(b))]
        found["changed"] += [
            named | {"task": task, "sample": sample, "right": now}
            for task, sample in shared
            if (now := second[task, sample]["right"]) != first[task, sample]["right"]
        ]
    return found | {"machines": _machines(one, two, pairs)}


def _asks(record: JSON) -> JSON:
    """What makes two samples of one id the same. Where an image lies is another place on another machine."""
    row: JSON = record["row"]
    return {name: value for name, value in row.items() if name != "images"}


def _rows(names: tuple[str, str], shared: list[tuple[str, str]], one: Samples, two: Samples) -> list[JSON]:
    answers = {key: (bool(one[key]["right"]), bool(two[key]["right"])) for key in shared}
    tasks = list(dict.fromkeys(task for task, _ in shared))
    rows = [
        row
        for task in tasks
        for row in pair_row(*names, task, "right", [v for k, v in answers.items() if k[0] == task])
    ]
    return rows + (pair_row(*names, ALL, "right", list(answers.values())) if len(tasks) > 1 else [])


def _metrics(
    shared: Sequence[tuple[str, str]], one: Samples, two: Samples, declared: Sequence[Mapping[tuple[str, str], JSON]]
) -> list[JSON]:
    """A score is a metric where it is a figure of the task. Without a finished result every share and every yes or no
    is; whole numbers are counts of something."""
    found: list[JSON] = []
    for (task, metric), keys in _scored(shared, one, two).items():
        before, after = ([run[key]["scores"].get(metric, False) for key in keys] for run in (one, two))
        known = [figures for figures in declared if figures]
        if known and not any((task, metric) in figures for figures in known):
            continue
        if not known and not all(isinstance(value, bool | float) for value in (*before, *after)):
            continue
        if _says_right(keys, metric, one, two):
            continue  # what ``rows`` says
        span = next((f[task, metric].get("span") for f in known if (task, metric) in f), None)
        interval = _difference(before, after, span)
        moved = [y - x for x, y in zip(before, after, strict=True)]
        found.append({
            "task": task, "metric": metric, "before": mean(before), "after": mean(after),
            "difference": interval.value, "low": interval.low, "high": interval.high, "n": interval.n,
            "lower": sum(by < 0 for by in moved), "higher": sum(by > 0 for by in moved),
        })  # fmt: skip
    return found


def _scored(shared: Sequence[tuple[str, str]], one: Samples, two: Samples) -> dict[tuple[str, str], list[Any]]:
    """By task and metric, the samples on which both have a number. What went amiss (``COUNTED``) is kept only of
    samples where it did. How many are unscored, the scored ones cannot say."""
    found: dict[tuple[str, str], list[Any]] = {}
    for key in shared:
        before, after = one[key]["scores"], two[key]["scores"]
        for metric in dict.fromkeys((*before, *after)):
            if metric == "unscored":
                continue
            if metric in COUNTED:
                found.setdefault((key[0], metric), [other for other in shared if other[0] == key[0]])
            elif all(isinstance(scores.get(metric), int | float) for scores in (before, after)):
                found.setdefault((key[0], metric), []).append(key)
    return found


def _says_right(keys: Sequence[tuple[str, str]], metric: str, one: Samples, two: Samples) -> bool:
    return all(run[key]["scores"].get(metric, False) is run[key]["right"] for run in (one, two) for key in keys)


def _rights(shared: Sequence[tuple[str, str]], one: Samples, two: Samples) -> set[tuple[str, str]]:
    return {kind for kind, keys in _scored(shared, one, two).items() if _says_right(keys, kind[1], one, two)}


def _difference(before: Sequence[Any], after: Sequence[Any], span: Sequence[float] | None) -> Interval:
    """``span``: least and largest value of the score, where the run says it."""
    values = [*before, *after]
    if span is not None and all(span[0] <= value <= span[1] for value in values):
        moved = [float(y) - float(x) for x, y in zip(before, after, strict=True)]
        found = mean_of_differences(moved, most=span[1] - span[0])
    elif all(isinstance(value, bool) for value in values):
        found = paired_difference(before, after)
    elif all(0 <= value <= 1 for value in values):
        found = difference_of(before, after)
    else:  # without bounds, as a number of words
        moved = [float(y) - float(x) for x, y in zip(before, after, strict=True)]
        found = mean_interval(moved)
        if len(set(moved)) == 1:  # a bootstrap would be certain of a handful of samples that did not move
            most = max(1.0, *(abs(float(value)) for value in values))
            found = bounded_interval(moved, -most, most)
    assert found is not None, "a metric has samples"
    return found


def _rates(shared: Sequence[tuple[str, str]], run: Samples) -> dict[str, float]:
    """By task, how many of the shared samples are right."""
    return {t: mean(float(run[key]["right"]) for key in shared if key[0] == t) for t in {task for task, _ in shared}}


def _figures(
    declared: Sequence[Mapping[tuple[str, str], JSON]],
    paired: set[tuple[str, str]],
    rates: Sequence[Mapping[str, float]],
) -> list[JSON]:
    """Those of both runs that are no sample's own, and not the rate of right ones under another name. What a device
    does has no interval and is left to the resources."""
    one, two = declared
    return [
        {"task": key[0], "metric": key[1], "before": one[key], "after": two[key]}
        for key in one
        if key in two and key not in paired and one[key]["low"] is not None and two[key]["low"] is not None
        and any(side[key]["value"] != of.get(key[0]) for side, of in zip(declared, rates, strict=True))
    ]  # fmt: skip


def _resources(one: JSON | None, two: JSON | None) -> list[JSON]:
    rows: list[JSON] = []
    sides = [_measured(side or {}) for side in (one, two)]
    for measure in (*RESOURCES, *MEASURES):
        before, after = (side.get(measure) for side in sides)
        if before is None or after is None:
            continue
        bounds = [before["low"], before["high"], after["low"], after["high"]]
        apart = None if None in bounds else before["high"] < after["low"] or after["high"] < before["low"]
        ratio = after["value"] / before["value"] if before["value"] else None
        rows.append({"measure": measure, "before": before, "after": after, "ratio": ratio, "apart": apart})
    return rows


def _measured(resource: JSON) -> dict[str, JSON]:
    """``{"value", "low", "high"}`` of each measure that there is."""
    once = {name: {"value": resource[name], "low": None, "high": None} for name in RESOURCES if resource.get(name)}
    timed = ((resource.get("timing") or {}).get("all")) or {}
    rounds = {
        name: {"value": timed[name]["mean"], "low": timed[name]["low"], "high": timed[name]["high"]}
        for name in MEASURES
        if timed.get(name)
    }
    return {**once, **rounds}


def _machines(one: _Bench, two: _Bench, pairs: Sequence[tuple[str, str]]) -> JSON:
    """What makes two speeds another thing than the models: processor, cores, memory, threads."""
    threads = [run.resources.get(name, {}).get("threads") for run, name in ((one, pairs[0][0]), (two, pairs[0][1]))]
    told = {name: [one.machine.get(name), two.machine.get(name)] for name in ("processor", "cores", "memory_bytes")}
    return {
        name: both for name, both in {**told, "threads": threads}.items() if None not in both and both[0] != both[1]
    }


def _bench(folder: Path) -> _Bench:
    with Run.at(folder) as run:
        samples: dict[str, Samples] = {}
        for row in run.store.iterate("sample"):
            record = orjson.loads(row.payload)
            if not record["scores"].get("unscored"):
                samples.setdefault(_name(record), {})[record["task"], record["sample"]] = record
        result, machine = run.result("bench") or {}, run.result("environment") or {}
    if not samples:
        raise InputError("holds no benched samples", file=folder, mend="name the --out folder of 'lamina bench'")
    figures: dict[str, dict[tuple[str, str], JSON]] = {}
    for row in result.get("rows", ()):
        told = {name: row[name] for name in ("value", "low", "high", "span") if name in row}
        figures.setdefault(_name(row), {})[row["task"], row["metric"]] = told
    return _Bench(samples, figures, {_name(r): r for r in result.get("resources", ())}, machine)


def _name(row: JSON) -> str:
    return f"{row['model']} {row['precision']}".strip()
