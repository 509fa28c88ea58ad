"""``lamina synth``: verified training data for your functions."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lamina.cli.data_options import check_judge_options, held_out_requests
from lamina.cli.options import (
    AllowChanges,
    AsJson,
    Config,
    Constrained,
    Examples,
    Fresh,
    GrammarShare,
    HeldOut,
    How,
    HowToWrite,
    Judge,
    Near,
    Offer,
    Out,
    PerCall,
    PerRequest,
    RoundTrip,
    Rows,
    Sampler,
    Seed,
    Styles,
    Targets,
    Timeout,
    ToolsFile,
    Variables,
    Variants,
    Votes,
    VotesNeeded,
    Wordings,
    Writer,
    verb,
)
from lamina.cli.output import given, listed, show, table
from lamina.errors import UserError


def synth(
    tools: ToolsFile,
    out: Out,
    n: Targets = None,
    rows: Rows = None,
    writer: Writer = "embedded",
    judge: Judge = "none",
    votes: Votes = 1,
    votes_needed: VotesNeeded = None,
    round_trip: RoundTrip = "none",
    how: HowToWrite = How.call_first,
    grammar_share: GrammarShare = None,
    constrained: Constrained = True,
    per_request: PerRequest = None,
    styles: Styles = None,
    sampler: Sampler = "uniform",
    wordings: Wordings = None,
    offer: Offer = 16,
    examples: Examples = None,
    variants: Variants = None,
    near: Near = 0.7,
    per_call: PerCall = None,
    held_out: HeldOut = None,
    offers: Annotated[
        str | None,
        typer.Option(
            "--offers",
            metavar="FILE,…",
            help="From lamina tools SOURCE describe or probe: words to take, tools that did not run to leave out.",
        ),
    ] = None,
    seed: Seed = 0,
    allow_changes: AllowChanges = False,
    timeout: Timeout = None,
    variables: Variables = None,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write verified training data for your functions.

    A model writes the requests; every call is checked against the schema, executed in a process of its
    own, and its values are looked for in the request. With --judge a model judges the row as well, if it
    agrees with rows labelled by hand. What does not pass is kept in rejects.jsonl with the reason. The
    rows are split by group into train, validation and test.
    """
    from lamina.build import warm_up
    from lamina.build.inputs import (
        file_beside,
        read_for,
        requests_of,
        say_what_is_left_out,
        say_what_needs_the_clock,
        without_unmet,
    )
    from lamina.build.making import record_command, surroundings
    from lamina.build.means import check_writers
    from lamina.data.sources import files_of
    from lamina.reports import write_report
    from lamina.runs import Progress, Run
    from lamina.synth import SynthSettings, check_yield, split, synthesize
    from lamina.synth.offers import left_out, read_offers, with_offers
    from lamina.tools import read_tools, where_of
    from lamina.tools.execution import Limits, check_changes_nothing, open_executor
    from lamina.training import TrainSettings

    _check_of_pairs(how, per_request, constrained)
    check_judge_options(None if judge == "none" else judge, votes, votes_needed)
    toolbox, progress = read_tools(tools), Progress(as_json)
    say_what_is_left_out(toolbox, tools, progress)
    offer_files = [] if offers is None else [Path(file) for file in listed(offers) or [""]]
    offered = read_offers(offer_files, toolbox)
    toolbox, unusable = with_offers(toolbox, offered), left_out(offered)
    for name, reason in unusable.items():
        progress.say(f"{name} is left out: {reason}")
    toolbox, unmet = without_unmet(toolbox, progress)
    if not allow_changes:
        check_changes_nothing(toolbox)  # before there is a run, which would hold the answer
    say_what_needs_the_clock(toolbox, progress)
    settings = SynthSettings(
        **given(targets=n, rows=rows, variants=variants, styles=_shares(styles), wordings=listed(wordings)),
        **given(per_request=per_request, grammar_share=grammar_share),
        writer=writer,
        judge=judge,
        votes=votes,
        votes_needed=votes_needed,
        round_trip=round_trip,
        how=how.value,
        constrained=constrained,
        sampler=sampler,
        offer=offer,
        near=near,
        per_call=per_call,
        seed=seed,
        allow_changes=allow_changes,
        timeout=timeout,
    )
    examples = file_beside(tools, "examples", examples, progress)
    seeds = requests_of(examples, toolbox)
    held, scored = listed(held_out) or (), held_out_requests(held_out)
    check_writers(settings, "embedded", toolbox)
    key = {
        "verb": "synth",
        "tools": where_of(tools),
        "tools_fingerprint": toolbox.fingerprint(),
        **read_for(toolbox, examples, *offer_files, *(files_of(held) if held else ())),
        **({"held_out": held} if held else {}),
        **({"unmet": sorted(unmet)} if unmet else {}),
    }
    with Run.open(out, {**key, **asdict(settings)}, fresh=fresh) as run:
        command = shlex.join(["lamina", *sys.argv[1:]])
        record_command(run, command)
        if not run.is_done("environment"):
            run.finish("environment", surroundings(command))
        if not run.is_done("synth"):
            with open_executor(toolbox, limits=Limits.of(timeout), allow_changes=allow_changes) as executor:
                tune_briefly = warm_up(run, toolbox, "embedded", TrainSettings(seed=seed), progress)
                made = synthesize(toolbox, run, settings, progress, executor, tune_briefly, seeds)
                aside = {**unusable, **unmet}
                made["compared_with"] = [Path(file).name for file in held]
                run.finish("synth", {**made, **({"left_out": aside} if aside else {})})
        if not run.is_done("split"):
            run.finish("split", split(run, seed, scored))
        run.write_report_json()
        report = write_report(run.folder, run.results())
        result, parts = run.result("synth") or {}, run.result("split") or {}
    show(result, as_json=as_json, lines=[*_lines(result, parts, out), f"report: {report}"])
    check_yield(result, writer)
    if result["shortfall"]:
        progress.say(f"warning: {result['shortfall']}")


def _lines(result: dict[str, Any], parts: dict[str, int], out: Path) -> list[str]:
    rejected = [(stage, why, n) for stage, reasons in result["rejected"].items() for why, n in reasons.items()]
    silent = [stage for stage in result.get("stages", []) if stage not in result["rejected"]]
    return [
        _verified_line(result, out),
        *_counts("rows", {name: f"{count} {name}" for name, count in result["composition"].items()}),
        *_counts("split", {name: f"{name} {count}" for name, count in parts.items()}),
        *(["not compared with any evaluation set (--held-out)"] if result.get("compared_with") == [] else []),
        *(["rejected:"] if rejected else []),
        *table(rejected, "  "),
        *[f"no row failed at {stage}: is it checking anything?" for stage in silent],
        *_near_chance_lines(result.get("judge") or {}),
        *_cost_lines(result["cost"]),
    ]


def _counts(title: str, said: dict[str, str]) -> list[str]:
    return [f"{title}: {', '.join(said.values())}"] if said else []


def _check_of_pairs(how: How, per_request: int | None, constrained: bool) -> None:
    """Raises UserError for what is said of pairs where none are written: it would change nothing."""
    if how is not How.call_first:
        return
    if per_request is not None:
        raise UserError("--per-request says how many pairs are asked for at once; add --how pairs or leave it out")
    if not constrained:
        raise UserError("--unconstrained says how pairs are written; add --how pairs or leave it out")


def _verified_line(result: dict[str, Any], out: Path) -> str:
    """Examples are no targets, so that they are none of those that came out of them either."""
    own = result["composition"].get("your examples", 0)
    if not own:
        return f"{result['verified']:,} verified rows of {result['targets']:,} targets in {out}"
    of_targets = f"{result['verified'] - own:,} of {result['targets']:,} targets"
    return f"{result['verified']:,} verified rows in {out}: {of_targets}, {own:,} example{'s' * (own > 1)}"


def _near_chance_lines(judge: dict[str, Any]) -> list[str]:
    if judge.get("usable", True):
        return []
    return [f"the judge did not count: {judge.get('why', 'it is near chance')}; rows are marked unjudged"]


def _cost_lines(cost: dict[str, Any]) -> list[str]:
    rows = [
        (role, f"{spent['requests']:,} requests", f"{spent['prompt_tokens'] + spent['completion_tokens']:,} tokens",
         f"{spent['seconds']:,} s")
        for role, spent in cost["models"].items()
    ]  # fmt: skip
    return [f"cost: {cost['tool_calls']:,} calls of tools, {cost['seconds']:,} s", *table(rows, "  ")]


def _shares(text: str | None) -> tuple[tuple[str, float], ...] | None:
    """``simple=0.5,parallel=0.2`` as pairs; a name alone has share 1."""
    if text is None:
        return None
    found = []
    for part in listed(text) or ():
        name, _, share = part.partition("=")
        try:
            found.append((name.strip(), float(share or 1)))
        except ValueError:
            raise UserError(f"--styles: {part!r} is no NAME=SHARE, such as parallel=0.2") from None
    return tuple(found)


app = verb(synth, example="lamina synth examples/desk/tools.py --out runs/data -n 100")
