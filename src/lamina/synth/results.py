"""What came of a synthesis: the counts of its report, and which stages could have rejected something."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lamina.synth.augment import is_variant
from lamina.synth.costs import JUDGE, ROUND_TRIP, WRITER, summed, tokens_of
from lamina.synth.work import Work
from lamina.synth.yields import made_by, shortfall
from lamina.trajectories import Reject, diversity_of

RUN_BEFORE = "calls are drawn and run before their requests are written, and what fails is not written for"
NO_CALL = "(no call)"
NOT_READ = "(not read)"
"""What answers that are no record count under: which tools they would have called nobody can tell."""


@dataclass
class Yield:
    """Of the rows that call a tool, or are of a style: how many passed, and how many failed, by stage and reason."""

    passed: int = 0
    failed: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, reject: Reject) -> None:
        self.failed.setdefault(reject.stage, Counter())[reject.reason] += 1

    def as_dict(self) -> dict[str, Any]:
        return {"passed": self.passed, "failed": {stage: dict(reasons) for stage, reasons in self.failed.items()}}


def result_of(work: Work, sandbox: str, stopped: str) -> dict[str, Any]:
    """What ``synthesize`` returns. ``stages`` are those that could reject, ``settled`` those that could not, each with
    the reason. ``by_tool``: of each tool of the toolbox and of ``(no call)``, how many rows that call it passed, and
    how many failed at which stage for which reason; a row with calls to several counts under each; ``by_style`` is the
    same of each style, without variants, which nobody tried to write. ``shares``: of each
    style, the share of what the model was ``asked`` for, and that of its rows that it ``reached``."""
    rejected: dict[str, Counter[str]] = {}
    failures: Counter[tuple[str, str]] = Counter()
    tools = {name: Yield() for name in [*work.toolbox.names, NO_CALL]}
    styles: dict[str, Yield] = {}
    for reject in work.rows.rejects():
        for name in _drawn(reject):
            tools.setdefault(name, Yield()).add(reject)
        styles.setdefault(str((reject.record or {}).get("style") or NOT_READ), Yield()).add(reject)
        rejected.setdefault(reject.stage, Counter())[reject.reason] += 1
        if (reject.record or {}).get("writer") == work.settings.writer:
            failures[reject.stage, reject.reason] += 1
    counts: dict[str, Counter[str]] = {"styles": Counter(), "tools": Counter(), "wordings": Counter()}
    composition: Counter[str] = Counter()
    of_model: Counter[str] = Counter()
    for row in work.rows.trajectories():
        counts["styles"][row.meta.style] += 1
        of_model[row.meta.style] += row.meta.writer == work.settings.writer
        called = {c.name for c in row.calls} or {NO_CALL}
        counts["tools"].update(called)
        for name in called:
            tools.setdefault(name, Yield()).passed += 1
        if not is_variant(row):
            styles.setdefault(row.meta.style, Yield()).passed += 1
        composition[made_by(row.meta.writer, variant=is_variant(row))] += 1
        if wording := (row.meta.model_extra or {}).get("wording"):
            counts["wordings"][wording] += 1
    stages = _stages(work)
    return {
        "targets": work.targets,
        "verified": work.rows.count() - work.augmented,
        "augmented": work.augmented,
        "rejected": {stage: dict(reasons) for stage, reasons in rejected.items()},
        "writers": dict(work.verified),
        "composition": dict(composition),
        "variants": work.variants,
        **{name: dict(counted) for name, counted in counts.items()},
        "shares": _shares(work, of_model),
        "by_tool": {name: one.as_dict() for name, one in tools.items()},
        "by_style": {name: one.as_dict() for name, one in sorted(styles.items())},
        "categories": {t.name: t.category for t in work.toolbox if t.category},
        "diversity": diversity_of(work.rows.trajectories()),
        "stages": stages,
        "settled": {} if {"execution"} & {*stages, *rejected} else {"execution": RUN_BEFORE},
        "sandbox": sandbox,
        "round_trip": work.round_trip.ref if work.round_trip else "not run",
        "judge": work.agreement.as_dict() if work.agreement else {"judge": "none"},
        **_cost(work),
        "stopped": stopped,
        "shortfall": shortfall(work, failures),
    }


def _shares(work: Work, reached: Counter[str]) -> dict[str, dict[str, float]]:
    total = reached.total() or 1
    asked = work.settings.shares(len(work.toolbox))
    return {s: {"asked": round(share, 3), "reached": round(reached[s] / total, 3)} for s, share in asked.items()}


def _drawn(reject: Reject) -> list[str]:
    """The tools that a rejected row was to call."""
    if reject.record is None or "calls" not in reject.record:
        return [NOT_READ]
    return sorted({str(call.get("name")) for call in reject.record["calls"]}) or [NO_CALL]


def why_unjudged(work: Work) -> str:
    if work.agreement is None:
        return "no judge was asked"
    return f"the judge: {work.agreement.why}"


def _stages(work: Work) -> list[str]:
    """Those that a row could fail; one that rejected nothing is worth a warning. Execution is one where calls are run
    after the request is there: of pairs, and of conversations, whose calls are run again in one session. A judge is one
    even where it is near chance and does not count: the user asked for it, and it checks nothing."""
    settings = work.settings
    runs_later = settings.how == "pairs" or settings.shares(len(work.toolbox)).get("multi-turn", 0) > 0
    asked = {
        "format": True,
        "execution": runs_later,
        "grounding": True,
        "novelty": True,
        "round trip": work.round_trip is not None,
        "judge": work.judge is not None,
    }
    return [stage for stage, may_reject in asked.items() if may_reject]


def _cost(work: Work) -> dict[str, Any]:
    """Of the whole run, whatever part of it was done before a kill."""
    total = summed([work.cost, work.costs.taken()])
    refs = {WRITER: work.settings.writer, JUDGE: work.settings.judge, ROUND_TRIP: work.settings.round_trip}
    for role, spent in total["models"].items():
        spent |= {"model": refs[role], "seconds": round(spent["seconds"], 1)}
    total["seconds"] = round(total["seconds"], 1)
    return {"tokens": tokens_of(total), "seconds": total["seconds"], "cost": total}
