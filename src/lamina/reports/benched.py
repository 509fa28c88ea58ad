"""Reading the rows of a bench: which model is the one before, which the one after, and what to say of
them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lamina.reports.charts import Bar, Point

JSON = dict[str, Any]
GENERATED = "generated"
FAVOURITE = ("Q8_0", "F16", "F32")
"""Which precision stands for the tuned model in the headline, the first that was benched."""
KINDS = (
    ("call_exact_single", "one call"),
    ("call_exact_parallel", "several calls"),
    ("refusal_right", "no call fits"),
    ("dependent_exact", "dependent calls"),
)

MEASURES = (
    "bytes", "threads", "samples", "tokens_per_second", "prompt_tokens_per_second", "first_token_seconds",
    "cold_first_token_seconds", "request_seconds", "peak_rss_bytes", "load_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    label: str
    precision: str

    @property
    def name(self) -> str:
        return f"{self.label} {self.precision}".strip()


class Benched:
    """``bench`` is the result of the stage of that name: ``rows``, ``paired``, ``resources``, ``crashes``."""

    def __init__(self, bench: JSON, quantized: JSON | None = None, parity: JSON | None = None):
        self.rows: list[JSON] = [r for r in bench.get("rows", []) if r.get("value") is not None]
        self.paired: list[JSON] = bench.get("paired", [])
        self.crashes: list[JSON] = bench.get("crashes", [])
        self.resources: list[JSON] = bench.get("resources", [])
        self.by_writer: list[JSON] = bench.get("by_writer", [])
        self._files: list[JSON] = (quantized or {}).get("files", [])
        self._parity = parity or {}

    @property
    def models(self) -> list[Named]:
        return list(dict.fromkeys(Named(r["model"], r["precision"]) for r in self.rows))

    @property
    def tasks(self) -> list[str]:
        """Tasks with calls to be right, hand-written ones first."""
        named = dict.fromkeys(r["task"] for r in self.rows if r["metric"] == "call_exact")
        return sorted(named, key=lambda task: task == GENERATED)

    def row(self, model: Named | None, task: str, metric: str) -> JSON | None:
        if model is None:
            return None
        wanted = (model.label, model.precision, task, metric)
        keys = ("model", "precision", "task", "metric")
        return next((r for r in self.rows if tuple(r[key] for key in keys) == wanted), None)

    def resource(self, model: Named | None) -> JSON:
        """Speed and size of a model, every known measure with ``None`` where it is not there."""
        found: JSON = {}
        if model is not None:
            of = (model.label, model.precision)
            found = next((r for r in self.resources if (r["model"], r["precision"]) == of), {})
        return dict.fromkeys(MEASURES) | found

    @property
    def before(self) -> Named | None:
        """The base model at its best: the precision with the highest figure on the first task."""
        label = "base" if any(m.label == "base" for m in self.models) else None
        mine = [m for m in self.models if m.label == label]
        return max(mine, key=self._headline_value, default=None)

    def _headline_value(self, model: Named) -> float:
        row = self.row(model, self.tasks[0], "call_exact") if self.tasks else None
        return row["value"] if row else -1.0

    @property
    def after(self) -> Named | None:
        mine = self.ladder_models
        chosen = [m for precision in FAVOURITE for m in mine if m.precision == precision]
        return next(iter(chosen or mine), None)

    @property
    def ladder_models(self) -> list[Named]:
        """The precisions of the tuned model; of the last model where none is called tuned."""
        labels = [m.label for m in self.models if m.label != "base"]
        label = "tuned" if "tuned" in labels else labels[-1] if labels else None
        return [m for m in self.models if m.label == label]

    @property
    def small(self) -> Named | None:
        """The four-bit one."""
        return next((m for m in self.ladder_models if m.precision.upper().startswith(("Q4", "IQ4"))), None)

    def cost_of_four_bits(self) -> JSON | None:
        """The paired difference of the four-bit file to another precision of the same model, over all prompts
        where that was measured."""
        small = self.small
        names = {m.name for m in self.ladder_models}
        found = [p for p in self.paired if small and p["b"] == small.name and p["a"] in names]
        return next((p for p in found if p["task"] == "all"), found[0] if found else None)

    def before_and_after(self, task: str) -> list[Bar]:
        bars = []
        for model in self.models:
            row = self.row(model, task, "call_exact")
            if row:
                shade = "before" if model.label == "base" else "after"
                bars.append(Bar(model.name, row["value"], row["low"], row["high"], shade))
        return bars

    def ladder(self, task: str) -> list[JSON]:
        """A line a precision: figures, size, speed, memory and parity."""
        found = []
        for model in self.ladder_models:
            resource = self.resource(model)
            file = next((f for f in self._files if f.get("type") == model.precision), {})
            found.append(
                {
                    "model": model,
                    "exact": self.row(model, task, "call_exact"),
                    "arguments": self.row(model, task, "argument_accuracy"),
                    "bytes": resource.get("bytes") or file.get("bytes"),
                    "resource": resource,
                    "parity": parity_of(self._parity.get(model.precision, file.get("parity"))),
                }
            )
        return found

    def ladder_points(self, task: str, measure: str) -> list[Point]:
        points = []
        for line in self.ladder(task):
            x = line["bytes"] if measure == "bytes" else line["resource"].get(measure)
            if x and line["exact"]:
                exact = line["exact"]
                scaled = x / 1e6 if measure == "bytes" else x
                points.append(Point(line["model"].precision, scaled, exact["value"], exact["low"], exact["high"]))
        return points

    def parts(self) -> list[JSON]:
        """A line a model: the generated requests, all, without those of the grammar, and these alone."""
        names = ("all", "without_grammar", "grammar")
        found = {(r["model"], r["precision"], r["part"]): r for r in self.by_writer}
        lines: list[JSON] = [
            {"model": m, "cells": [found.get((m.label, m.precision, name)) for name in names]} for m in self.models
        ]
        return [line for line in lines if any(line["cells"])]

    def has_kinds(self) -> bool:
        return any(self.kinds(task) for task in self.tasks)

    def kinds(self, task: str) -> list[JSON]:
        """A line a model: the figure of each kind of request."""
        lines = []
        for model in self.models:
            cells = [self.row(model, task, metric) for metric, _ in KINDS]
            more = [self.row(model, task, m) for m in ("argument_accuracy", "refusal_false")]
            if any(cells):
                lines.append({"model": model, "cells": cells, "more": more})
        return lines


def parity_of(found: Any) -> JSON | None:
    """Parity stands as a number, or as ``{"rate" or "value", "low", "high", "n", …}``."""
    if isinstance(found, int | float):
        return {"value": found, "low": None, "high": None, "n": None}
    if isinstance(found, dict):
        value = found.get("value", found.get("rate", found.get("parity")))
        return {
            "value": value, "low": found.get("low"), "high": found.get("high"), "n": found.get("n")
        }  # fmt: skip
    return None


def task_title(task: str) -> str:
    if task == GENERATED:
        return "Generated test requests"
    if task == "hand-written":
        return "Hand-written requests"
    if task.startswith("own:"):
        return f"Hand-written requests ({task.removeprefix('own:')})"
    return task
