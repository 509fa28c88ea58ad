"""What the report shows of a learning: principles from version to version, the reflections behind each, the rewards."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lamina.reports import charts
from lamina.runs import RecordStore
from lamina.runs.run import STORE

JSON = dict[str, Any]
WHOLE = "all actions"
FIGURES = (("first", "before", "before"), ("last", "after", "after"))


def learning_view(folder: Path, results: Mapping[str, Any]) -> JSON | None:
    """What the template shows; None where nothing was learnt."""
    result = results.get("learn")
    if not result or not (folder / STORE).exists():
        return None
    with RecordStore(folder / STORE) as store:
        versions = [json.loads(row.payload) for row in store.iterate("version")]
    return {
        "result": result,
        "headline": _headline(result),
        "tests": _tests(result),
        "difference": result.get("difference"),
        "curve": _curve(result),
        "cost": [(part, cost) for part, cost in [*result["cost"].items(), ("all", result["total"])]],
        "versions": list(_versions(versions)),
        "final": _texts(versions[result["update"]]) if versions else {},
        "alone": not any(stage in results for stage in ("synth", "train", "bench")),
    }


def _headline(result: JSON) -> str:
    if not result.get("first"):
        return f"Principles after {result['updates']} updates"
    before, after = (result[key]["value"] for key in ("first", "last"))
    return f"The mean reward went from {before:.2f} to {after:.2f} on {result['first']['n']} test tasks"


def _tests(result: JSON) -> Markup | None:
    found = [(label, result[key], shade) for key, label, shade in FIGURES if result.get(key)]
    made = [charts.Bar(f"{label} learning", r["value"], r["low"], r["high"], shade) for label, r, shade in found]
    return charts.both(charts.bars, made, "Mean reward on test tasks") if made else None


def _curve(result: JSON) -> Markup | None:
    """One bar an update: of held-out tasks where there are some, else of the rollouts it was learnt from, which were
    played under the version before."""
    kind = "held" if any(row["held"] for row in result["curve"]) else "batch"
    rows = [(row["update"], row[kind]) for row in result["curve"] if row[kind]]
    if not rows:
        return None
    made = [
        charts.Bar(f"update {n}" if n else "at first", r["value"], r["low"], r["high"], "after" if n else "before")
        for n, r in rows
    ]
    said = "on held-out tasks, after each update" if kind == "held" else "of the rollouts that led to each update"
    return charts.both(charts.bars, made, f"Mean reward {said}")


def _versions(versions: list[JSON]) -> Iterator[JSON]:
    """Each with the difference of its texts to those in force before it."""
    before: JSON = {}
    for version in versions:
        texts = _texts(version)
        changed = [(name, texts.get(name, "")) for name in {**before, **texts} if texts.get(name) != before.get(name)]
        yield {
            **version,
            "changes": [(name, words_changed(before.get(name, ""), text)) for name, text in changed],
            "refused": [p for p in version["proposals"] if p["problem"]],
        }
        if version["accepted"]:
            before = texts


def _texts(version: JSON) -> dict[str, str]:
    return {**({WHOLE: version["whole"]} if version["whole"] else {}), **version["actions"]}


def words_changed(before: str, after: str) -> Markup:
    """The words of both, those that went and came marked; everything escaped."""
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    parts = []
    for kind, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(Markup("{}").format("".join(old[a:b])))
            continue
        if b > a:
            parts.append(Markup("<del>{}</del>").format("".join(old[a:b])))
        if d > c:
            parts.append(Markup("<ins>{}</ins>").format("".join(new[c:d])))
    return Markup("").join(parts)
