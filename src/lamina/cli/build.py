"""``lamina build``: the main job."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import (
    AllowChanges,
    AsJson,
    Base,
    Config,
    Epochs,
    Examples,
    Fresh,
    GrammarShare,
    How,
    HowToWrite,
    Judge,
    LearningRate,
    Out,
    PromptStyleOption,
    Queries,
    Rounded,
    RoundTrip,
    Rows,
    Seed,
    Style,
    Targets,
    Timeout,
    ToolsFile,
    Types,
    Update,
    UpdateOption,
    Variables,
    Variants,
    Writer,
    verb,
)
from lamina.cli.output import given, show, table

if TYPE_CHECKING:
    from lamina.training.layerwise.language import Distillation

LEARN_TURNS = 6
"""Answers of the agent a task, at most: requests of one or two calls need three."""


def build(
    tools: ToolsFile,
    out: Out,
    writer: Writer = "embedded",
    base: Base = "embedded",
    n: Targets = None,
    rows: Rows = None,
    judge: Judge = "embedded",
    round_trip: RoundTrip = "none",
    how: HowToWrite = How.call_first,
    grammar_share: GrammarShare = None,
    style: PromptStyleOption = Style.baked,
    update: UpdateOption = Update.full,
    epochs: Epochs = None,
    learning_rate: LearningRate = None,
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", metavar="REF", help="Learn from this model too: one tuned to the same functions."),
    ] = None,
    transfer: Annotated[
        str | None,
        typer.Option("--transfer", metavar="KIND", help="What of it, as in lamina distill.  [logits]"),
    ] = None,
    keep_every: Annotated[
        int,
        typer.Option("--keep-every", min=1, help="Begin with one in N layers of the base, so with a smaller model."),
    ] = 1,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe", metavar="RECIPE.toml", help="Train on a mix (lamina data mix), not on the rows alone."
        ),
    ] = None,
    types: Types = "F16,Q8_0,Q4_0",
    qat: Annotated[
        Rounded | None,
        typer.Option(
            "--qat",
            help="Quantization-aware: train with weights rounded as this type rounds them, as in lamina train.  [Q4_0, "
            "where it is among the types and the update is full]",
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate/--no-calibrate",
            help="Round other types under 8 bits for what the training rows make the model compute.",
        ),
    ] = True,
    examples: Examples = None,
    queries: Queries = None,
    dev_queries: Annotated[
        Path | None,
        typer.Option(
            "--dev-queries",
            metavar="FILE",
            help="More of them, to choose the base model's prompt; else queries-dev.jsonl beside TOOLS.",
        ),
    ] = None,
    generated_prompts: Annotated[
        int,
        typer.Option("--generated-prompts", min=1, help="Rows of the test split that are scored, up to this."),
    ] = 60,
    compare_base: Annotated[
        bool,
        typer.Option(
            "--compare-base/--no-compare-base",
            help="Score the untuned base too, with all tools in its prompt: slow, and what the tuning is worth.",
        ),
    ] = True,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn", help="Let the agent learn action principles last (RPO); later, too, on a run there is."
        ),
    ] = False,
    reflector: Annotated[
        str | None,
        typer.Option("--reflector", metavar="REF", help="With --learn, who reflects and writes; else the writer."),
    ] = None,
    variants: Variants = None,
    allow_changes: AllowChanges = False,
    timeout: Timeout = None,
    variables: Variables = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Turn a file of functions into a verified data set, a tuned model, GGUF files, scores and a report.

    Everything lands in the run folder. Stop it at any moment: the same command continues where it was. Other
    options in the same folder are an error that shows the difference; --fresh starts anew.
    """
    from lamina.agents.learning import LearnSettings
    from lamina.build import BuildSettings
    from lamina.build import build as run_build
    from lamina.errors import UserError
    from lamina.runs import Progress
    from lamina.synth import SynthSettings
    from lamina.training import TrainSettings

    if reflector and not learn:
        raise UserError("--reflector belongs to --learn; give both or none")
    if not teacher and (transfer or keep_every > 1):
        raise UserError("--transfer and --keep-every belong to --teacher; give it, or leave them out")
    wanted = tuple(t.strip() for t in types.split(",") if t.strip())
    fits = update is Update.full and "Q4_0" in map(str.upper, wanted)
    rounded = qat or (Rounded.Q4_0 if fits else Rounded.none)
    plan = _distillation(teacher, transfer or "logits", keep_every) if teacher else None
    settings = BuildSettings(
        base=base,
        types=wanted,
        examples=examples,
        queries=queries,
        dev_queries=dev_queries,
        generated_prompts=generated_prompts,
        calibrate=calibrate,
        compare_base=compare_base,
        recipe=recipe,
        seed=seed,
        synth=SynthSettings(
            **given(targets=n, rows=rows, variants=variants, grammar_share=grammar_share),
            writer=writer,
            judge=judge,
            round_trip=round_trip,
            how=how.value,
            seed=seed,
            allow_changes=allow_changes,
            timeout=timeout,
        ),
        learn=LearnSettings(test=0, turns=LEARN_TURNS, seed=seed) if learn else None,
        reflector=reflector,
        distillation=plan,
        train=TrainSettings(
            **given(epochs=epochs, learning_rate=learning_rate or (plan and plan.usual_rate)),
            update=update.value,
            prompt_style=style.value,
            qat=rounded.value,
            seed=seed,
        ),
    )
    command = shlex.join(["lamina", *sys.argv[1:]])
    result = run_build(tools, out, settings, fresh=fresh, progress=Progress(as_json), command=command)
    show(result, as_json=as_json, lines=_lines(result, out))


def _distillation(teacher: str, transfer: str, keep_every: int) -> Distillation:
    """One rate for all layers: no gain of others was measured."""
    from lamina.training.layerwise.language import DERIVATIVE_ROWS, Distillation
    from lamina.training.layerwise.rates import RateRule
    from lamina.training.layerwise.transfer import TransferSettings

    settings = TransferSettings(transfer, samples=DERIVATIVE_ROWS)
    return Distillation(teacher, settings, RateRule("uniform"), keep_every)


def _lines(result: dict[str, object], out: Path) -> list[str]:
    metrics: dict[str, dict[str, Any]] = result["metrics"]  # type: ignore[assignment]
    made_of = ", ".join(f"{count} {name}" for name, count in metrics["synth"]["composition"].items())
    rows = [r for r in metrics["bench"]["rows"] if r["metric"] in ("call_exact", "refusal_right")]
    shown = [
        (
            r["model"],
            r["precision"],
            r["task"],
            r["metric"],
            f"{r['value']:.1%}",
            f"[{r['low']:.1%}, {r['high']:.1%}]",
        )
        for r in rows
        if r["value"] is not None
    ]
    return [
        f"rows: {made_of}",
        *table(shown),
        f"report: {out / 'report.html'}",
        f'try it: {this_program()} act "…" --run {out}',
    ]


def this_program() -> str:
    """How a shell finds this very program: ``lamina`` where it is on the path, else as it was called."""
    called = Path(sys.argv[0])
    if shutil.which("lamina"):
        return "lamina"
    return shlex.quote(str(called)) if called.name == "lamina" else f"{shlex.quote(sys.executable)} -m lamina"


app = verb(build, example="lamina build examples/desk/tools.py --out runs/desk")
