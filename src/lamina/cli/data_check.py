"""``lamina data check``: is each record right, and if not, why not?"""

from __future__ import annotations

from typing import Any

from lamina.cli.data_options import (
    Apart,
    DataFiles,
    Execute,
    From,
    JudgeRef,
    NearShare,
    RateRef,
    Skip,
    ToolsForAll,
    Votes,
    checker_of,
    counted,
)
from lamina.cli.options import AsJson, Config, HeldOut, PerCall, verb
from lamina.cli.output import show

SHOWN = 10


def check(
    files: DataFiles,
    execute: Execute = None,
    format: From = "auto",
    tools: ToolsForAll = None,
    skip: Skip = "",
    judge: JudgeRef = None,
    votes: Votes = 1,
    rate: RateRef = None,
    near: NearShare = None,
    per_call: PerCall = None,
    held_out: HeldOut = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check every record of a data set: order, calls against their tools, steps, reasoning, results, grounding, copies.

    A value of the wrong type that has one reading ("5" for 5) counts as mended; 'lamina data fix' writes it so. With
    --execute the calls run in a process of their own, and errors and results that differ reject. A record that repeats
    the request and the calls of another with the same tools is a duplicate. Rejects alone leave the exit status at 0.
    """
    from collections import Counter

    from lamina.data import check_sources, files_of
    from lamina.data.model_checks import trust
    from lamina.runs import Progress
    from lamina.trajectories import Reject

    passed, mends, reasons, stages = 0, 0, Counter[str](), set[str]()
    result: dict[str, list[Any]] = {"accepted": [], "rejected": [], "mended": []}
    with (
        checker_of(execute, tools, skip, judge, votes, rate, Apart(near, per_call, held_out)) as checker,
        Progress(as_json).stage("check") as bar,
    ):
        for one in check_sources(files_of(files), checker, format):
            if isinstance(one, Reject) or one.reject is not None:
                reject = one if isinstance(one, Reject) else one.reject
                assert reject is not None
                reasons[f"{reject.stage}: {reject.reason}"] += 1
                stages.add(reject.stage)
                row = {"id": reject.id, "stage": reject.stage, "reason": reject.reason, "detail": reject.detail}
                _keep(result["rejected"], row, as_json)
            else:
                passed += 1
                _keep(result["accepted"], one.record.id, as_json)
                mends += bool(one.mended)
                if one.mended:
                    _keep(result["mended"], {"id": one.record.id, "detail": "; ".join(one.mended)}, as_json)
            bar.advance(passed=passed, rejected=reasons.total())
        models = checker.models
    trusted, figures = trust(models)
    result |= {"models": figures} if models else {}
    silent = [
        m.stage for m in models if passed and m.stage not in stages and any(a.usable for a in m.agreements.values())
    ]
    lines = [
        f"{passed:,} of {passed + reasons.total():,} records pass, {mends:,} of them mended",
        *counted("rejected", dict(reasons.most_common())),
        *[f"  {r['id']}: {r['reason']}: {r['detail']}" for r in result["rejected"]],
        *[f"  {m['id']}: mended: {m['detail']}" for m in result["mended"]],
        *trusted,
        *[f"no record failed at {stage}: is it checking anything?" for stage in silent],
        *(["  and more; --json has all"] if max(mends, reasons.total()) > SHOWN else []),
    ]
    show(result, as_json=as_json, lines=lines)


def _keep(kept: list[Any], one: Any, all_of_them: bool) -> None:
    """Machines get all, people the first ones: what is kept for them does not grow with the rows."""
    if all_of_them or len(kept) < SHOWN:
        kept.append(one)


app = verb(check, example="lamina data check rows.jsonl --execute examples/desk/tools.py --json")
