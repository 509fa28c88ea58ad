"""``lamina train``: a model fine-tuned on trajectories."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import (
    AsJson,
    Config,
    Epochs,
    Fresh,
    LearningRate,
    Out,
    Rounded,
    Seed,
    Style,
    Threads,
    Update,
    verb,
)
from lamina.cli.output import given, show, table

if TYPE_CHECKING:
    from lamina.runs import Progress, Run
    from lamina.training import TrainSettings
    from lamina.training.recipes import Recipe
    from lamina.training.rows import TrainingData


class Method(StrEnum):
    """What is learnt from."""

    sft = "sft"
    dpo = "dpo"


class Learn(StrEnum):
    """What of an assistant's turn is learnt."""

    calls = "calls"
    words = "words"


class Kind(StrEnum):
    """How several processes share a training."""

    ddp = "ddp"
    fsdp = "fsdp"
    deepspeed = "deepspeed"


class Reporter(StrEnum):
    """Who is told how a training goes."""

    none = "none"
    wandb = "wandb"
    trackio = "trackio"


def train(
    data: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A run folder or a file of trajectories.", show_default=False),
    ],
    out: Out,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="The model to tune; else the recipe's, or embedded.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", metavar="NAME", help="Settings for a known model; an unknown name lists them."),
    ] = None,
    method: Annotated[
        Method, typer.Option("--method", help="sft: learn the answers; dpo: prefer them over wrong ones.")
    ] = Method.sft,
    rejected: Annotated[
        str | None,
        typer.Option(
            "--rejected",
            metavar="REF|FILE|RUN",
            help="For dpo, whose answers are wrong: a model's, a file's ({id, calls} a line), or a run's rejects.",
        ),
    ] = None,
    style: Annotated[
        Style | None,
        typer.Option(
            "--style",
            help="baked: tools learned; compact: a signature each in the prompt; full: their schemas. "
            "Else the recipe's, or baked.",
        ),
    ] = None,
    learn: Annotated[
        Learn | None,
        typer.Option(
            "--learn",
            help="calls: of the assistant's turns their calls alone; words: also thoughts before them, answers and "
            "questions. Else the recipe's, or calls.",
        ),
    ] = None,
    update: Annotated[
        Update | None,
        typer.Option(
            "--update",
            help="full: every linear layer's weights; lora: adapters, merged at the end. Else the recipe's, or full "
            "(dpo: lora).",
        ),
    ] = None,
    epochs: Epochs = None,
    learning_rate: LearningRate = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            metavar="N",
            min=1,
            help="Tokens of the longest row that is trained on; longer ones are refused, never cut. Else the recipe's, "
            "or 2048.",
        ),
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            metavar="N",
            min=0,
            help="Stop when N looks at held-out requests in a row brought no more right calls, and keep the best "
            "weights; 0 never looks. Else the recipe's, or 0.",
        ),
    ] = None,
    qat: Annotated[
        Rounded | None,
        typer.Option(
            "--qat",
            help="Quantization-aware: the last half computes with weights rounded as this type rounds them, so that "
            "the file loses little. Full updates only. Else the recipe's, or none.",
        ),
    ] = None,
    report_to: Annotated[
        Reporter,
        typer.Option("--report-to", help="Who is told the numbers of each step, beside the CSV log."),
    ] = Reporter.none,
    sharding: Annotated[
        Kind | None,
        typer.Option(
            "--sharding",
            help="Train in several processes. ddp: the whole model on each device; fsdp, deepspeed: cut over the GPUs.",
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", metavar="N", min=0, help="For --sharding; 0: one on each GPU.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say memory, steps, tokens and time, computed; train nothing.")
    ] = False,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model on trajectories (loss on assistant tokens only).

    Rows marked train and validation are used as such, test rows never; where no row is marked, all are
    trained on. The model lands in DIR/model.
    """
    from lamina.runs import Progress, Run
    from lamina.training import fine_tune, read_training_data
    from lamina.training.base import check_base, require_reporter
    from lamina.training.recipes import load_recipe
    from lamina.training.refusing import refusals_in_words
    from lamina.training.rejected import check_rejected, identity_of_rejected, kept_answers
    from lamina.training.sharding import Shards, check_shards, train_sharded

    known = load_recipe(recipe) if recipe else None
    ref = base or (known.base if known else "embedded")
    told = report_to.value if report_to is not Reporter.none else None
    chosen = {"update": update and update.value, "prompt_style": style and style.value, "learn": learn and learn.value}
    settings = _settings(
        known,
        method.value,
        given(
            **chosen,
            epochs=epochs,
            learning_rate=learning_rate,
            max_length=max_length,
            patience=patience,
            qat=qat and qat.value,
            report_to=told,
            threads=threads,
        ),
        seed,
    )
    found = read_training_data(data)
    if dry_run:
        return _show_plan(ref, found, settings, known, as_json, rejected, sharding, processes)
    _check_method(settings, rejected)
    check_base(ref)
    require_reporter(settings.report_to)
    if rejected:
        check_rejected(rejected)
    shards = check_shards(Shards(sharding.value, processes), settings) if sharding else None
    key = {"verb": "train", "base": ref, "data": data.resolve(), "rows": found.identity}
    key |= identity_of_rejected(rejected) if rejected else {}
    with Run.open(out, {**key, **settings.identity()}, fresh=fresh) as run:
        progress = Progress(as_json)
        if not run.is_done("train"):
            model = run.folder / "model"
            wrong = kept_answers(run.folder, rejected, found) if rejected else None
            _point_out_silence(found, progress)
            if shards:
                made = train_sharded(shards, ref, data, model, settings, wrong)
            else:
                made = fine_tune(ref, found.train, found.held, model, settings, found.toolbox, progress, wrong=wrong)
            _keep_refused(run, made["refused"], found)
            run.finish("train", made)
        run.write_report_json()
        metrics = run.result("train") or {}
    result = {"out": str(out), "seconds": progress.seconds, "metrics": metrics}
    plain = [(k, v) for k, v in metrics.items() if isinstance(v, str | int | float)]
    if metrics.get("refused"):
        plain.append(("refused", f"{refusals_in_words(metrics['refused'])}; {out / 'rejects.jsonl'}"))
    show(result, as_json=as_json, lines=[*table(plain), f"model: {out / 'model'}"])


def _keep_refused(run: Run, refused: list[Any], found: TrainingData) -> None:
    from lamina.training.refusing import as_rejects
    from lamina.trajectories.store import REJECT, TrajectoryStore

    TrajectoryStore(run.store).add(enumerate(as_rejects(refused, found)))
    run.store.export_jsonl(REJECT, run.folder / "rejects.jsonl")


def _point_out_silence(found: TrainingData, progress: Progress) -> None:
    """Text turns are learnt as a choice not to call; where they are the most, that is what is learnt (measured:
    docs/results/data-ablation.md)."""
    from lamina.training.rows import turns_without_calls

    silent, turns = turns_without_calls(found.train)
    if 2 * silent > turns:
        progress.say(
            f"{silent:,} of {turns:,} assistant turns call nothing: a model trained on them may call nothing either; "
            '\'lamina data mix\' takes rows that call (calls = "some") of one request (turns = "single")'
        )


def _settings(recipe: Recipe | None, method: str, chosen: dict[str, Any], seed: int) -> TrainSettings:
    from lamina.training import TrainSettings

    if recipe:
        return recipe.settings(method, **chosen, seed=seed)
    usual = {"update": "lora"} if method == "dpo" else {}
    return TrainSettings(**{**usual, **chosen}, method="dpo" if method == "dpo" else "sft", seed=seed)


def _check_method(settings: TrainSettings, rejected: str | None) -> None:
    from lamina.errors import InputError

    if settings.method == "dpo" and not rejected:
        raise InputError("dpo needs wrong answers", mend="--rejected names a model, a file of answers or a run")
    if settings.method == "sft" and rejected:
        raise InputError("--rejected is for --method dpo")


def _show_plan(
    ref: str, found: TrainingData, settings: TrainSettings, recipe: Recipe | None, as_json: bool,
    rejected: str | None, sharding: Kind | None, processes: int,
) -> None:  # fmt: skip
    from lamina.training.planning import plan_training, this_machine
    from lamina.training.refusing import refusals_in_words
    from lamina.training.rejected import answers_in, check_rejected, wrong_answers

    wrong = None
    if rejected and answers_in(rejected) is not None:  # a model is not asked for a plan
        check_rejected(rejected)
        wrong = wrong_answers(rejected, found)
    known = recipe.architecture if recipe and ref == recipe.base else None
    machine = this_machine(sharding.value if sharding else None, processes)
    plan = plan_training(ref, found, settings, known, wrong, machine)
    if sharding:
        plan["sharding"] = f"{sharding.value} is counted in main memory alone: memory and time are those of one device"
    if recipe and ref == recipe.base and settings.method in recipe.main_gib:
        main = f"{recipe.main_gib[settings.method]:,} GiB main memory ({recipe.main_is})"
        plan["recipe_is_for"] = f"{recipe.hardware}; {main}"
    gib = {f"memory for {name}": f"{size:.2f} GiB" for name, size in plan["memory_gib"].items()}
    gib |= {f"main memory, {name}": f"{size:.2f} GiB" for name, size in plan["main_memory_gib"].items()}
    shown = {name: value for name, value in plan.items() if name not in ("memory_gib", "main_memory_gib", "refused")}
    lines = table(
        [*{**shown, **gib, "refused rows": refusals_in_words(plan["refused"]) if plan["refused"] else 0}.items()]
    )
    show(plan, as_json=as_json, lines=lines)


app = verb(train, example="lamina train runs/data --out runs/tuned --dry-run\nlamina train runs/data --out runs/tuned")
