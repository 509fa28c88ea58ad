"""The report page: results and the rows of a run in, one HTML file out that needs nothing else."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lamina.errors import StorageError
from lamina.reports import charts, formatting
from lamina.reports.benched import GENERATED, KINDS, Benched, task_title
from lamina.reports.browsing import write_rows_page
from lamina.reports.distilled import distillation_view
from lamina.reports.learned import learning_view
from lamina.reports.measured import SPEEDS, measured_view
from lamina.reports.rows import EXAMPLES, GRAMMAR, Group, Rows, read_misses, read_rows
from lamina.reports.sampled import write_samples_page
from lamina.reports.yields import columns_of, ordered
from lamina.runs.config import read_config

JSON = dict[str, Any]
_MOST_POINTS = 80
NOT_ASKED = {"judge": {"judge": "none"}, "round_trip": "not run"}
"""What synthesis says of the models that nobody asked for."""


def write_report(run_folder: str | Path, results: Mapping[str, Any]) -> Path:
    """Writes ``report.html`` into the run's folder and returns its path.

    ``results`` is ``{stage: result}`` as ``Run.results()`` gives it; a section whose stage is absent says
    that it was not run. All text from models is escaped. Raises ``StorageError`` where the folder can't be
    written or its store is damaged."""
    folder = Path(run_folder)
    browsable = write_rows_page(folder, (results.get("synth") or {}).get("categories") or {})
    measured = measured_view(results)
    sampled = write_samples_page(folder, measured["models"]) if measured else None
    page = render_report(folder, results, browsable.name if browsable else None, sampled.name if sampled else None)
    path, half = folder / "report.html", folder / "report.html.tmp"
    try:
        half.write_text(page, encoding="utf-8")
        os.replace(half, path)
    except OSError as error:
        mend = "free space or choose a folder you may write to"
        raise StorageError(f"{path}: {error.strerror}; {mend}") from error
    return path


def render_report(
    folder: Path, results: Mapping[str, Any], browsable: str | None = None, sampled: str | None = None
) -> str:
    """``browsable``: the name of the page of all rows, if there is one beside this page; ``sampled``: that of all
    samples of a bench."""
    rows = read_rows(folder, (results.get("synth") or {}).get("categories") or {})
    bench = Benched(results.get("bench") or {}, results.get("quantize"), results.get("parity"))
    environment = Environment(
        loader=PackageLoader("lamina.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= formatting.FILTERS | {"task_title": task_title}
    source, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    return environment.get_template("report.html.j2").render(
        style=Markup(source),  # our own file
        title=folder.name or "run",
        machine=results.get("environment") or {},
        took=[(stage, result["took"]) for stage, result in results.items() if result.get("took")],
        toolbox=(results.get("tools") or {}).get("tools") or [],
        synth=synthesis_view(results, rows),
        splits=results.get("split"),
        distilled=distillation_view(folder, results),
        learned=learning_view(folder, results),
        training=training_view(folder, results.get("train")),
        bench=bench if bench.rows or bench.crashes else None,
        variant=results.get("variant"),
        settings=(settings := run_settings(folder)),
        data_alone=("verb", "synth") in settings,
        kind_names=[name for _, name in KINDS],
        quantized=results.get("quantize"),
        rows=rows,
        browsable=browsable,
        sampled=sampled,
        measured=measured_view(results),
        speed_names=[name for _, name, _ in SPEEDS],
        misses=misses_view(folder, bench),
        compare_charts=[
            (task, charts.both(charts.bars, bench.before_and_after(task), task_title(task))) for task in bench.tasks
        ],
        ladder_charts=ladder_charts(bench),
    )


def synthesis_view(results: Mapping[str, Any], rows: Rows) -> JSON | None:
    """The yields as APIGen prints them: verified, and failed at each stage, for all and by writer, style, …"""
    result = results.get("synth") or {}
    counted = {stage: dict(reasons) for stage, reasons in rows.reasons.items()}
    rejected: dict[str, dict[str, int]] = result.get("rejected") or counted
    if not result and not rows.verified and not rejected:
        return None
    stages = ordered(rejected)
    everything = Group("all", result.get("verified", rows.verified))
    everything.failed.update({stage: sum(reasons.values()) for stage, reasons in rejected.items()})
    return {
        "seconds": result.get("seconds"),
        "stages": stages,
        "columns": columns_of(stages),
        "shares": result.get("shares") or {},
        "composition": result.get("composition") or {},
        "composed": composed_view(result.get("composition") or {}, results.get("split") or {}),
        "shortfall": result.get("shortfall"),
        "compared_with": result.get("compared_with"),
        "reasons": {s: sorted(rejected[s].items(), key=lambda item: -item[1]) for s in stages},
        "all": everything,
        "targets": max(result.get("targets", 0), everything.targets),
        **tried_view(result, rows, everything),
        "near_chance": judge if (judge := result.get("judge") or {}).get("usable") is False else None,
        "groups": {
            by: sorted(groups.values(), key=lambda g: (-g.targets, g.name)) for by, groups in rows.groups.items()
        },
        "facts": {
            name: [fact for fact in _scalars(result[name]) if fact[0] != "why"]
            for name, unasked in NOT_ASKED.items()
            if result.get(name) not in (None, unasked)
        },
        "augmented": result.get("augmented", 0),
        "diversity": diversity_view(result.get("diversity")),
        "by_tool": bool(result.get("by_tool")),
        "tokens": result.get("tokens"),
        "cost": result.get("cost"),
        "silent": [stage for stage in result.get("stages") or [] if not rejected.get(stage)],
        "settled": result.get("settled") or {},
    }


def tried_view(result: Mapping[str, Any], rows: Rows, everything: Group) -> JSON:
    """``tried``: targets, as ``-n`` counts them, and what was verified of them; ``own``: the user's examples, which are
    no targets and cost no tokens (None where there are none); ``by_model``: how many rows a model wrote."""
    composition = result.get("composition") or {}
    own = rows.groups["writer"].get(EXAMPLES) if result.get("targets") else None
    verified = everything.verified - (own.verified if own else 0)
    return {
        "tried": {"targets": result.get("targets") or everything.targets, "verified": verified},
        "own": own,
        "by_model": sum(n for name, n in composition.items() if not name.startswith((EXAMPLES, GRAMMAR))),
    }


def composed_view(composition: Mapping[str, int], parts: Mapping[str, Any]) -> JSON | None:
    """How many rows the grammar wrote, ``of`` all but those that say an example again with other values, and how many
    of them are beyond its third. None where it wrote none."""
    grammar = composition.get(GRAMMAR, 0)
    of = sum(n for name, n in composition.items() if name != "your examples with other values")
    return {"grammar": grammar, "of": of, "surplus": parts.get("surplus", 0)} if grammar else None


def diversity_view(found: Mapping[str, Any] | None) -> JSON | None:
    """``facts`` to list; ``why`` there is no entropy, else of how many of the ``arguments`` it was taken, ``counted``.
    Runs of earlier versions say no more than the facts."""
    if not found:
        return None
    apart = ("arguments", "no_entropy", "fewest_calls", "arguments_counted")
    return {
        "facts": _scalars({name: value for name, value in found.items() if name not in apart}),
        "why": found.get("no_entropy"),
        "arguments": len(found.get("arguments") or {}),
        "counted": found.get("arguments_counted"),
        "fewest": found.get("fewest_calls"),
    }


def _scalars(found: Any, before: str = "") -> list[tuple[str, Any]]:
    """Names and values of a nested object, in its order."""
    if not isinstance(found, Mapping):
        return [(before or "value", found)]
    listed: list[tuple[str, Any]] = []
    for name, inner in found.items():
        whole = f"{before} {name}".strip()
        if isinstance(inner, Mapping):
            listed += _scalars(inner, whole)
        elif isinstance(inner, str | int | float | bool):
            listed.append((whole, inner))
    return listed


def training_view(folder: Path, train: Mapping[str, Any] | None) -> JSON | None:
    """Figures of the training and its loss curve: from ``history`` in the result (``{"step", "loss"}``,
    ``{"step", "eval_loss"}``), else from the ``train-log.csv`` that a training leaves beside its model."""
    if not train:
        return None
    metrics = dict(train.get("metrics") or {})
    points = metrics.pop("history", None) or train.get("history") or _logged(folder)
    apart = ("metrics", "out", "history", "took")
    shown = {name: found for name, found in train.items() if name not in apart} | metrics
    series = []
    for key, label, shade in (("loss", "training", "after"), ("eval_loss", "validation", "before")):
        line = [(float(p["step"]), float(p[key])) for p in points if p.get(key) is not None]
        if len(line) > 1:
            series.append(charts.Line(label, _calmed(line), shade))
    chart = charts.both(charts.lines, series, "Loss over the steps of training", "step") if series else None
    return {"facts": _scalars(shown), "chart": chart}


def _logged(folder: Path) -> list[JSON]:
    for file in (folder / "model" / "train-log.csv", folder / "train-log.csv"):
        if file.is_file():
            with file.open(newline="") as lines:
                return [{"step": line["step"], "loss": line["loss"]} for line in csv.DictReader(lines)]
    return []


def _calmed(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of neighbours, at most ``_MOST_POINTS`` of them: single batches jump."""
    width = max(1, math.ceil(len(line) / _MOST_POINTS))
    groups = [line[i : i + width] for i in range(0, len(line), width)]
    return [(group[-1][0], sum(y for _, y in group) / len(group)) for group in groups]


def ladder_charts(bench: Benched) -> list[tuple[str, Markup]]:
    if not bench.tasks:
        return []
    task, found = bench.tasks[0], []
    for measure, label in (
        ("bytes", "file size, MB"), ("tokens_per_second", "generation, tokens a second")
    ):  # fmt: skip
        points = bench.ladder_points(task, measure)
        if len(points) > 1:
            title = f"Exact calls against {label}"
            found.append((title, charts.both(_half_wide(charts.scatter), points, title, label)))
    return found


def _half_wide(chart: Callable[..., Markup]) -> Callable[..., Markup]:
    """Two of them stand side by side on a wide screen."""
    return lambda data, width, *more: chart(data, min(width, 460), *more)


def misses_view(folder: Path, bench: Benched) -> list[tuple[str, list[JSON]]]:
    after = bench.after
    if after is None:
        return []
    tasks = [task for task in bench.tasks if task != GENERATED]
    return [(task, read_misses(folder, after.label, after.precision, task)) for task in tasks]


def run_settings(folder: Path) -> list[tuple[str, Any]]:
    """The run's effective configuration, for doing it again."""
    file = folder / "config.toml"
    return _scalars(read_config(file)) if file.is_file() else []
