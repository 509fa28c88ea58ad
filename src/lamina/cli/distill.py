"""``lamina distill``: a small model learns from a large one, each layer at a rate of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import AsJson, Config, Epochs, Fresh, Out, PromptStyleOption, Rounded, Seed, Style, verb
from lamina.cli.output import given, listed, show, table

if TYPE_CHECKING:
    from lamina.runs import Progress
    from lamina.runs.engines import Engine
    from lamina.training.layerwise.grid import Experiment
    from lamina.training.layerwise.language import Distillation
    from lamina.training.layerwise.rates import RateRule

Option = typer.Option


class EngineName(StrEnum):
    """Where the cells of a grid run."""

    local = "local"
    ray = "ray"


def distill(
    out: Out,
    teacher: Annotated[
        str | None, Option("--teacher", metavar="REF", help="Learnt from; in an experiment a network.")
    ] = None,
    student: Annotated[
        str | None, Option("--student", metavar="REF", help="Learns; in an experiment resnet10, vit2, …")
    ] = None,
    data: Annotated[
        Path | None,
        Option("--data", metavar="DIR", help="Trajectories; with --experiment, the folder of image data sets."),
    ] = None,
    keep_every: Annotated[
        int, Option("--keep-every", min=1, help="The student starts with one in N of its layers.")
    ] = 1,
    layers: Annotated[
        str | None,
        Option("--layers", metavar="S=T,…", help="Pairs of module paths; else layers are matched by depth."),
    ] = None,
    experiment: Annotated[
        str | None,
        Option("--experiment", metavar="NAME", help="A grid of small image networks on a data set, digits say."),
    ] = None,
    transfer: Annotated[
        str | None,
        Option(
            "--transfer",
            metavar="KIND",
            help="none, logits, attention, jacobian, hessian; else logits. A grid takes several.",
        ),
    ] = None,
    rates: Annotated[
        str | None,
        Option("--rates", metavar="RULE", help="uniform, layerwise, static-decay, random; a grid takes several."),
    ] = None,
    weight: Annotated[float, Option("--weight", min=0, help="Of the transfer term; 0 for the usual one.")] = 0,
    exponent: Annotated[
        float, Option("--exponent", help="Of a layer's difference in its rate; below 0, far layers are slow.")
    ] = 1.0,
    relative: Annotated[
        bool, Option("--relative", help="Compare each layer's difference with its own at the start.")
    ] = False,
    rate_warmup: Annotated[
        int, Option("--rate-warmup", min=0, help="Steps at the start in which all layers keep one rate.")
    ] = 0,
    recompute: Annotated[
        bool,
        Option("--recompute-teacher", help="For Jacobians: compute its activations again, to keep fewer in memory."),
    ] = False,
    seeds: Annotated[int, Option("--seeds", min=1, help="Of each cell of the grid.")] = 5,
    fraction: Annotated[float, Option("--fraction", min=0.001, max=1, help="Of the training images.")] = 1.0,
    steps: Annotated[int, Option("--steps", min=1, help="Of each cell.")] = 400,
    width: Annotated[int, Option("--width", min=8, help="Channels of a network's first stage.")] = 16,
    workers: Annotated[int, Option("--workers", min=0, help="Cells at once; 0 for one a core.")] = 0,
    engine: Annotated[
        EngineName,
        Option("--engine", help="Where cells run: processes of this machine, or Ray (lamina[ray]; RAY_ADDRESS)."),
    ] = EngineName.local,
    minutes: Annotated[
        float | None, Option("--minutes", min=0, help="Begin no further cell after that long; continue later.")
    ] = None,
    style: PromptStyleOption = Style.baked,
    epochs: Epochs = None,
    learning_rate: Annotated[
        float | None,
        Option(
            "--learning-rate", min=1e-7, help="At its highest; else a usual one, of a student that lost layers 1e-3."
        ),
    ] = None,
    qat: Annotated[
        Rounded | None,
        Option(
            "--qat", help="Quantization-aware, as in lamina train: for a student that is to be a file of 4 or 5 bits."
        ),
    ] = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Distil a language model, or run the grid of a distillation experiment.

    A student learns from trajectories and from what its teacher says about them. With --rates layerwise
    each layer's learning rate follows how far the layer is from its teacher's. The model lands in DIR/model.
    With --experiment, small image networks are distilled under each transfer, rule and seed.
    """
    from lamina.errors import InputError
    from lamina.runs import Progress
    from lamina.training.layerwise.rates import RateRule
    from lamina.training.layerwise.transfer import TransferSettings

    # no gain of other rules was measured
    named = rates or ("layerwise" if exponent != 1 or relative or rate_warmup else "uniform")
    name = named if experiment is None else "uniform"
    rule = RateRule(name, exponent, relative=relative, seed=seed, warmup=rate_warmup)
    progress = Progress(as_json)
    if experiment is not None:
        _refuse_language_options(
            recompute_teacher=recompute,
            layers=layers,
            keep_every=keep_every > 1,
            epochs=epochs,
            learning_rate=learning_rate,
            qat=qat,
        )
        if weight and len(listed(transfer) or ()) != 1:
            raise InputError("--weight is of one transfer, this grid has several", mend="name one with --transfer")
        made = _experiment(experiment, data, fraction, teacher, student, width, steps, weight, rule)
        _grid(made, out, transfer, rates, seeds, workers, engine.value, minutes, fresh, progress, as_json)
        return
    if not (teacher and student and data):
        raise InputError("--teacher, --student and --data are all needed", mend="or give --experiment NAME")
    from lamina.training.layerwise.language import DERIVATIVE_ROWS, Distillation

    plan = Distillation(
        teacher,
        TransferSettings(transfer or "logits", weight, samples=DERIVATIVE_ROWS, recompute=recompute),
        rule,
        keep_every,
        _pairs(layers),
    )
    if recompute and plan.transfer.kind != "jacobian":
        raise InputError("--recompute-teacher is for --transfer jacobian", mend="leave it out")
    _language(
        plan,
        student,
        data,
        out,
        style.value,
        given(epochs=epochs, learning_rate=learning_rate or plan.usual_rate, qat=qat and qat.value),
        seed,
        fresh,
        progress,
        as_json,
    )


_NOT_FOR_GRIDS = {
    "recompute_teacher": "is for language models, a grid reads its teacher from disk",
    "layers": "is for language models, a grid matches where channels change",
    "keep_every": "is for language models, a grid's student is a network of its own",
    "epochs": "is for language models, a grid has --steps",
    "learning_rate": "is for language models, a grid's is fixed",
    "qat": "is for language models, a grid's students are no files",
}


def _refuse_language_options(**given_options: Any) -> None:
    from lamina.errors import InputError

    for name, value in given_options.items():
        if value:
            raise InputError(f"--{name.replace('_', '-')} {_NOT_FOR_GRIDS[name]}", mend="leave it out")


def _experiment(
    name: str,
    data: Path | None,
    fraction: float,
    teacher: str | None,
    student: str | None,
    width: int,
    steps: int,
    weight: float,
    rule: RateRule,
) -> Experiment:
    from lamina.training.layerwise.cell import Schedule
    from lamina.training.layerwise.grid import Experiment
    from lamina.training.layerwise.transfer import TransferSettings

    return Experiment(
        name,
        data,
        fraction,
        teacher or "resnet18",
        student or "resnet10",
        width=width,
        schedule=Schedule(steps=steps),
        transfer=TransferSettings("none", weight),
        rule=rule,
    )


def _grid(
    experiment: Experiment,
    out: Path,
    transfers: str | None,
    rules: str | None,
    seeds: int,
    workers: int,
    engine: Engine,
    minutes: float | None,
    fresh: bool,
    progress: Progress,
    as_json: bool,
) -> None:
    from lamina.errors import InputError
    from lamina.reports import write_report
    from lamina.runs import Run
    from lamina.training.layerwise.grid import run_grid
    from lamina.training.layerwise.images import SOURCES
    from lamina.training.layerwise.rates import RULES
    from lamina.training.layerwise.transfer import KINDS

    if experiment.dataset not in SOURCES:
        raise InputError(f"no experiment {experiment.dataset!r}", mend=f"it is one of {', '.join(SOURCES)}")
    wanted, by = _names(transfers, KINDS, "transfer"), _names(rules, RULES, "rule for rates")
    with Run.open(out, experiment.config(), fresh=fresh) as run:
        found = run_grid(
            experiment,
            run,
            transfers=wanted,
            rules=by,
            seeds=seeds,
            workers=workers,
            engine=engine,
            seconds=None if minutes is None else minutes * 60,
            progress=progress,
        )
        run.finish("distill", found)
        run.write_report_json()
        report = write_report(run.folder, run.results())
    result = {"out": str(out), "seconds": progress.seconds, "metrics": found}
    lines = [
        *table([("transfer", "rates", "score", "95 %", "seeds"), *(_row(row) for row in found["rows"])]),
        "",
        *table([("question", "difference", "95 %", "p, Holm"), *(_pair(pair) for pair in found["pairs"])]),
        f"{found['cells']} of {found['wanted']} cells; report: {report}",
    ]
    show(result, as_json=as_json, lines=lines)


def _language(
    plan: Distillation,
    student: str,
    data: Path,
    out: Path,
    style: Any,
    given_settings: dict[str, Any],
    seed: int,
    fresh: bool,
    progress: Progress,
    as_json: bool,
) -> None:
    from lamina.reports import write_report
    from lamina.runs import Run
    from lamina.training import TrainSettings, fine_tune, read_training_data
    from lamina.training.base import check_base

    for ref in (student, plan.teacher):
        check_base(ref)
    found = read_training_data(data)
    settings = TrainSettings(**given_settings, prompt_style=style, seed=seed)
    key = {"verb": "distill", "student": student, "data": data.resolve(), "rows": found.identity}
    with Run.open(out, {**key, **plan.identity(), **settings.stated()}, fresh=fresh) as run:
        if not run.is_done("train"):
            made = fine_tune(
                student, found.train, found.held, run.folder / "model", settings, found.toolbox, progress, plan
            )
            run.finish("train", made)
        run.write_report_json()
        metrics = run.result("train") or {}
        report = write_report(run.folder, run.results())
    result = {"out": str(out), "seconds": progress.seconds, "metrics": metrics}
    plain = [(k, v) for k, v in metrics.items() if isinstance(v, str | int | float)]
    show(result, as_json=as_json, lines=[*table(plain), f"model: {out / 'model'}", f"report: {report}"])


def _names(given_names: str | None, all_names: tuple[str, ...], what: str) -> list[str]:
    from lamina.errors import InputError

    names = listed(given_names) or all_names
    if unknown := [name for name in names if name not in all_names]:
        raise InputError(f"no {what} {unknown[0]!r}", mend=f"it is one of {', '.join(all_names)}")
    return list(names)


def _pairs(text: str | None) -> dict[str, str] | None:
    from lamina.errors import InputError

    if text is None:
        return None
    parts = [part.split("=") for part in text.split(",") if part.strip()]
    for part in parts:
        if len(part) != 2 or not all(path.strip() for path in part):
            raise InputError(f"--layers {'='.join(part)!r} is no pair", mend="write STUDENT_PATH=TEACHER_PATH,…")
    return {ours.strip(): theirs.strip() for ours, theirs in parts}


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    return row["transfer"], row["rates"], f"{row['value']:.1%}", _span(row, "{:.1%}"), row["n"]


def _pair(pair: dict[str, Any]) -> tuple[object, ...]:
    p = "" if pair["p_holm"] is None else f"{pair['p_holm']:.3f}"
    return f"{pair['b']} against {pair['a']}", f"{pair['difference']:+.1%}", _span(pair, "{:+.1%}"), p


def _span(row: dict[str, Any], form: str) -> str:
    return "" if row["low"] is None else f"{form.format(row['low'])} to {form.format(row['high'])}"


app = verb(
    distill,
    example="""\
lamina distill --teacher runs/desk/model --student runs/desk/model --keep-every 2 \\
  --data runs/desk --epochs 5 --qat Q4_0 --out runs/half
lamina distill --experiment digits --fraction 0.1 --seeds 5 --out runs/digits""",
)
