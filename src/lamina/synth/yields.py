"""What came out of a synthesis: counts by stage and writer, what the rows are made of, and whether they are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lamina.errors import YieldError
from lamina.synth.augment import is_variant
from lamina.synth.work import Work
from lamina.tools.execution import Executor
from lamina.trajectories import diversity_of

EXAMPLES, VARIANTS, GRAMMAR = "your examples", "your examples with other values", "the grammar"
"""What rows are called that no model wrote; the others are called by their writer."""
MENDS = {
    "format": "name another --writer, which answers in one line",
    "execution": "see rejects.jsonl for what the functions refuse",
    "grounding": "give more examples beside the functions, or a larger --writer",
    "round trip": "see rejects.jsonl; give more examples beside the functions, or another --round-trip",
    "judge": "see rejects.jsonl; give a larger --writer, or another --judge",
    "novelty": "give more examples beside the functions, or ask for fewer --rows",
}
"""Of the stage that most of a writer's rows failed at."""


def result_of(work: Work, executor: Executor, stopped: str) -> dict[str, Any]:
    """What ``synthesize`` returns, but the seconds."""
    rejected: dict[str, Counter[str]] = {}
    failures: Counter[tuple[str, str]] = Counter()
    for reject in work.rows.rejects():
        rejected.setdefault(reject.stage, Counter())[reject.reason] += 1
        if (reject.record or {}).get("writer") == work.settings.writer:
            failures[reject.stage, reject.reason] += 1
    counts: dict[str, Counter[str]] = {"styles": Counter(), "tools": Counter(), "wordings": Counter()}
    composition: Counter[str] = Counter()
    for row in work.rows.trajectories():
        counts["styles"][row.meta.style] += 1
        counts["tools"].update({c.name for c in row.calls} or {"(no call)"})
        composition[_made_by(row.meta.writer, variant=is_variant(row))] += 1
        if wording := (row.meta.model_extra or {}).get("wording"):
            counts["wordings"][wording] += 1
    return {
        **work.tally,
        "verified": work.rows.count() - work.augmented,
        "augmented": work.augmented,
        "rejected": {stage: dict(reasons) for stage, reasons in rejected.items()},
        "writers": dict(work.verified),
        "composition": dict(composition),
        "variants": work.variants,
        **{name: dict(counted) for name, counted in counts.items()},
        "categories": {t.name: t.category for t in work.toolbox if t.category},
        "diversity": diversity_of(work.rows.trajectories()),
        "stages": _stages(work),
        "sandbox": executor.level,
        "round_trip": work.round_trip.ref if work.round_trip else "not run",
        "judge": work.agreement.as_dict() if work.agreement else {"judge": "none"},
        "stopped": stopped,
        "shortfall": _shortfall(work, failures),
    }


def check_yield(result: Mapping[str, Any], writer: str) -> None:
    """Raises YieldError where the model's part of a synthesis is nothing at all."""
    if not result["writers"].get(writer):
        raise YieldError(result["shortfall"])


def _made_by(writer: str, *, variant: bool) -> str:
    if writer == "examples":
        return VARIANTS if variant else EXAMPLES
    return GRAMMAR if writer == "grammar" else writer


def _shortfall(work: Work, failures: Counter[tuple[str, str]]) -> str | None:
    """A sentence where fewer rows were written than asked for, or none by the model. The user's own examples are none
    of those asked for."""
    settings, by_model, composed = work.settings, work.by_model, work.verified["grammar"]
    attempts = work.tally["targets"] - work.targets_of("grammar")
    if settings.wanted is None:
        if by_model:
            return None
        said = f"no row after {attempts} attempts by {settings.writer}"
    else:
        if by_model and by_model + composed >= settings.wanted:
            return None
        parts = f"{by_model} by {settings.writer}, {composed} by the grammar"
        said = f"{by_model + composed} of the {settings.wanted} rows asked for ({parts}) after {attempts} attempts"
    if not failures:
        return said
    (stage, reason), count = failures.most_common(1)[0]
    return f"{said}; most failed at {stage} ({reason}, {count}): {MENDS.get(stage, 'see rejects.jsonl')}"


def _stages(work: Work) -> list[str]:
    """Those that were run and may reject; one that rejected nothing is worth a warning. (With call-first the calls
    are drawn, and only those that fit and ran are written for.)"""
    judged = work.agreement is not None and work.agreement.usable
    more = [*(["round trip"] if work.round_trip else []), *(["judge"] if judged else [])]
    calls = ["format", "execution"] if work.settings.how == "pairs" else []
    return [*calls, "grounding", *more]
