"""``lamina data fix``: the records that pass, mended, with a diff."""

from __future__ import annotations

from typing import Annotated

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
    Fresh,
    HeldOut,
    Out,
    PerCall,
    Timeout,
    Variables,
    Votes,
    VotesNeeded,
    verb,
)
from lamina.cli.output import given, show, tell


def fix(
    files: DataFiles,
    out: Out,
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
    judge_anyway: JudgeAnyway = False,
    rate: RateRef = None,
    near: NearShare = None,
    per_call: PerCall = None,
    held_out: HeldOut = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Don't print the diff of what changed.")] = False,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the records that pass the checks, mended where a value has one reading.

    Prints a diff of every change. What does not pass goes to rejects.jsonl with the reason; each record says in its
    meta which checks it passed and what was mended.
    """
    from lamina.data import difference, files_of, fix
    from lamina.data.checking import Verdict
    from lamina.data.model_checks import trust
    from lamina.runs import Progress, Run
    from lamina.tools import where_of

    def print_difference(verdict: Verdict) -> None:
        for line in [] if quiet or as_json else difference(verdict.before, verdict.record):
            tell(line)

    check_judge_options(judge, votes, votes_needed, judge_anyway)
    found = files_of(files)
    key = {
        "verb": "data fix",
        "files": [str(f.resolve()) for f in found],
        "format": format,
        "execute": where_of(execute) if execute else "",
        "tools": where_of(tools) if tools else "",
        "skip": skip,
        **({"judge": judge, "votes": votes} if judge else {}),
        **({"votes_needed": votes_needed} if votes_needed else {}),
        **({"judge_anyway": True} if judge_anyway else {}),
        **({"rate": rate} if rate else {}),
        **({"allow_changes": True} if allow_changes else {}),
        **given(near=near, per_call=per_call, held_out=held_out, timeout=timeout),
    }
    progress = Progress(as_json)
    with Run.open(out, key, fresh=fresh) as run:
        if not run.is_done("fix"):
            with (
                judge_of(judge, rate, votes, votes_needed, judge_anyway, progress.answered) as asked,
                checker_of(
                    execute,
                    tools,
                    skip,
                    [model for model in asked if model],
                    Apart(near, per_call, held_out),
                    allow_changes=allow_changes,
                    timeout=timeout,
                ) as checker,
            ):
                told = fix(found, run, checker, progress, print_difference, format)
                trusted, models = trust(checker.models)
                run.finish("fix", {**told, **({"models": models, "trust": trusted} if models else {})})
        run.write_report_json()
        result = run.result("fix") or {}
    lines = [
        f"{result['accepted']:,} of {result['read']:,} records pass, {result['mended']:,} of them mended; in {out}",
        *counted("rejected", result["rejected"]),
        *counted("passed, but their calls were not run", result.get("not_run", {})),
        *result.get("trust", []),
    ]
    show(result, as_json=as_json, lines=lines)


app = verb(fix, example="lamina data fix runs/imported --out runs/clean")
