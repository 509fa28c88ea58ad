"""``lamina data check``: is each record right, and if not, why not?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.data_options import (
    Apart,
    DataFiles,
    Execute,
    From,
    JudgeAnyway,
    JudgeRef,
    NearShare,
    RateRef,
    Skip,
    ToolsForAll,
    check_judge_options,
    checker_of,
    counted,
    judge_of,
)
from lamina.cli.options import (
    AllowChanges,
    AsJson,
    Config,
    HeldOut,
    PerCall,
    Timeout,
    Variables,
    Votes,
    VotesNeeded,
    verb,
)
from lamina.cli.output import show, table

if TYPE_CHECKING:
    from lamina.data import Verdict
    from lamina.data.model_checks import Judge, ModelCheck
    from lamina.trajectories import Reject

SHOWN = 10


def check(
    files: DataFiles,
    execute: Execute = None,
    allow_changes: AllowChanges = False,
    timeout: Timeout = None,
    variables: Variables = None,
    format: From = "auto",
    tools: ToolsForAll = None,
    skip: Skip = "",
    judge: JudgeRef = None,
    votes: Votes = 1,
    votes_needed: VotesNeeded = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", metavar="N", min=1, help="Have the judge asked about N of them, drawn evenly."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the sample: same seed, same records.")] = 0,
    judge_anyway: JudgeAnyway = False,
    rate: RateRef = None,
    near: NearShare = None,
    per_call: PerCall = None,
    held_out: HeldOut = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check every record of a data set: order, calls against their tools, steps, reasoning, results, grounding, copies.

    A value of the wrong type that has one reading ("5" for 5) counts as mended; 'lamina data fix' writes it so. With
    --execute the calls run in a process of their own, and errors and results that differ reject; a record that calls
    what cannot be run, or may change things elsewhere, passes with a mark that says so. A record that repeats
    the request and the calls of another with the same tools is a duplicate. Rejects alone leave the exit status at 0.
    """
    from lamina.data import check_sources, files_of
    from lamina.data.sampling import check_sample
    from lamina.runs import Progress

    check_judge_options(judge, votes, votes_needed, judge_anyway, sample)
    found = Found(None if as_json else SHOWN, None if as_json or sample else SHOWN)
    progress = Progress(as_json)
    with (
        judge_of(judge, rate, votes, votes_needed, judge_anyway, progress.answered) as (rater, asked),
        checker_of(
            execute,
            tools,
            skip,
            [model for model in (rater, None if sample else asked) if model],
            Apart(near, per_call, held_out),
            allow_changes=allow_changes,
            timeout=timeout,
        ) as checker,
        progress.stage("check") as bar,
    ):
        chosen = files_of(files)
        if sample is not None and asked is not None:
            verdicts = check_sample(chosen, checker, asked, sample, seed, format)
        else:
            verdicts = check_sources(chosen, checker, format)
        for one in verdicts:
            found.add(one)
            bar.advance(passed=found.passed, rejected=found.reasons.total())
    models: list[ModelCheck] = [model for model in (rater, asked) if model]
    show(_result(found, models, asked), as_json=as_json, lines=_lines(found, models, asked))


@dataclass
class Found:
    """What became of the records. ``shown`` and ``judged_shown``: how many of a kind are kept, None for all: machines
    get all, people the first ones, and what is kept for them does not grow with the records."""

    shown: int | None
    judged_shown: int | None
    passed: int = 0
    mends: int = 0
    opinions: int = 0
    unasked: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unrun: Counter[str] = field(default_factory=Counter)
    stages: set[str] = field(default_factory=set)
    accepted: list[Any] = field(default_factory=list)
    rejected: list[Any] = field(default_factory=list)
    mended: list[Any] = field(default_factory=list)
    judged: list[Any] = field(default_factory=list)
    not_judged: list[Any] = field(default_factory=list)
    not_run: list[Any] = field(default_factory=list)

    def add(self, one: Verdict | Reject) -> None:
        from lamina.trajectories import Reject

        reject = one if isinstance(one, Reject) else one.reject
        if reject is not None:
            self.reasons[f"{reject.stage}: {reject.reason}"] += 1
            self.stages.add(reject.stage)
            row = {"id": reject.id, "stage": reject.stage, "reason": reject.reason, "detail": reject.detail}
            _keep(self.rejected, row, self.shown)
        if isinstance(one, Reject):
            return
        if reject is None:
            self.passed += 1
            _keep(self.accepted, one.record.id, self.shown)
            self.mends += bool(one.mended)
            if (why := one.not_run) is not None:
                self.unrun[why.reason.value] += 1
                row = {"id": one.record.id, "reason": why.reason.value, "detail": why.detail}
                _keep(self.not_run, row, self.shown)
            if one.mended:
                _keep(self.mended, {"id": one.record.id, "detail": "; ".join(one.mended)}, self.shown)
        if one.opinion is not None:
            self.opinions += 1
            _keep(self.judged, judged_row(one), self.judged_shown)
        elif reject is None:
            self.unasked += 1
            _keep(self.not_judged, one.record.id, self.shown)


def judged_row(verdict: Verdict) -> dict[str, Any]:
    """A record and what the judge says of it, to be read beside each other. ``verdict`` is what became of the record:
    ``unjudged`` where the judge is not believed; ``opinion`` is what the judge said."""
    record, opinion = verdict.record, verdict.opinion
    assert opinion is not None
    unjudged = any(check.name == "judge" and check.verdict == "unjudged" for check in record.meta.checks)
    return {
        "id": record.id,
        "request": record.request,
        "calls": [{"name": call.name, "arguments": call.arguments} for call in record.calls],
        "verdict": "rejected" if verdict.rejection else "unjudged" if unjudged else "passed",
        "opinion": opinion.verdict,
        "rule": opinion.rule,
        "thought": f"{opinion.where}{opinion.thought}",
        "votes": f"{opinion.agreeing} of {opinion.votes}",
    }


def _result(found: Found, models: list[ModelCheck], judge: Judge | None) -> dict[str, Any]:
    from lamina.data.model_checks import trust

    result: dict[str, Any] = {"accepted": found.accepted, "rejected": found.rejected, "mended": found.mended}
    if found.not_run:
        result["not_run"] = found.not_run
    if models:
        result["models"] = trust(models)[1]
    if judge is not None:
        result |= {"judged": found.judged, "not_judged": found.not_judged}
    return result


def _lines(found: Found, models: list[ModelCheck], judge: Judge | None) -> list[str]:
    from lamina.data.model_checks import trust

    passed, rejected = found.passed, found.reasons.total()
    silent = [m.stage for m in models if passed and m.agreements and m.stage not in found.stages]
    more = max(found.mends, rejected, found.unrun.total()) > SHOWN or found.opinions > len(found.judged)
    return [
        f"{passed:,} of {passed + rejected:,} records pass, {found.mends:,} of them mended",
        *counted("rejected", dict(found.reasons.most_common())),
        *[f"  {r['id']}: {r['reason']}: {r['detail']}" for r in found.rejected],
        *counted("passed, but their calls were not run", dict(found.unrun.most_common())),
        *[f"  {r['id']}: {r['reason']}: {r['detail']}" for r in found.not_run],
        *[f"  {m['id']}: mended: {m['detail']}" for m in found.mended],
        *trust(models)[0],
        *(_judged_lines(found, judge) if judge is not None else []),
        *[f"no record failed at {stage}: is it checking anything?" for stage in silent],
        *(["  and more; --json has all"] if more else []),
    ]


def _judged_lines(found: Found, judge: Judge) -> list[str]:
    if not found.opinions:
        near_chance = any(not agreement.usable for agreement in judge.agreements.values())
        return ["no record is judged" + ("; --judge-anyway has it asked all the same" if near_chance else "")]
    rows = [(r["id"], _told(r), r["rule"], r["thought"]) for r in found.judged]
    return [f"judged: {found.opinions:,}; passed and not judged: {found.unasked:,}", *table(rows, "  ")]


def _told(row: dict[str, Any]) -> str:
    believed = row["verdict"] != "unjudged"
    return row["verdict"] if believed else f"unjudged (says {row['opinion']})"


def _keep(kept: list[Any], one: Any, most: int | None) -> None:
    if most is None or len(kept) < most:
        kept.append(one)


app = verb(check, example="lamina data check rows.jsonl --execute examples/desk/tools.py --json")
