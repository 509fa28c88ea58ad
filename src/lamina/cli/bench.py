"""``lamina bench``: how good, how fast, how large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.bench_ladder import ladders_of, types_of, with_lost
from lamina.cli.bench_lines import crash_lines, interval, ladder_lines, missing_lines, number, throttled_lines
from lamina.cli.options import AllowChanges, AsJson, Config, Fresh, Out, Style, Threads, Timeout, Variables, verb
from lamina.cli.output import given, show, table
from lamina.errors import DamagedFileError, InputError

if TYPE_CHECKING:
    from lamina.bench import BenchModel
    from lamina.bench.tasks import Task
    from lamina.models.model import PromptStyle
    from lamina.runs import Run

Row = dict[str, Any]

GROWS = ("models", "tasks", "limit", "judge", "quantize", "repeats", "timed", "slots")
"""What the same --out may be given otherwise: a sample is kept under what it means, and none of these is part of it."""


def bench(
    models: Annotated[list[str], typer.Argument(metavar="MODEL…", help="Model references.", show_default=False)],
    tasks: Annotated[
        str, typer.Option("--tasks", metavar="TASK,…", help="own:queries.jsonl, bfcl:simple_python, … or all.")
    ],
    out: Out,
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="TOOLS", help="A file of functions, for tasks that bring none.")
    ] = None,
    style: Annotated[Style | None, typer.Option("--style", help="Else what each model says of itself.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="N samples of each task, drawn by --seed.")
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="The longest answer.")] = 512,
    context: Annotated[
        int | None,
        typer.Option(
            "--context",
            metavar="N",
            min=1,
            help="Tokens of a prompt with its answer, at most what the model was trained for; else 8192 or more.",
        ),
    ] = None,
    slots: Annotated[
        int, typer.Option("--slots", metavar="N", min=1, help="Requests asked at once, where no functions are shown.")
    ] = 8,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Where a benchmark's files are, else found.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="REF", help="The model that reads the answers of judged tasks.")
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            "--quantize", metavar="TYPE,…", help="Of each MODEL, make a GGUF file of each type, and bench those."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", min=0, help="Rounds of timing, after a pass as in use.")
    ] = 1,
    timed: Annotated[
        int, typer.Option("--timed", metavar="N", min=0, help="Prompts of all tasks that are timed.")
    ] = 12,
    cool_down: Annotated[
        float, typer.Option("--cool-down", metavar="SECONDS", min=0, help="To wait before each round.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Draws the samples, and the order of timing.")] = 0,
    threads: Threads = None,
    timeout: Timeout = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write samples.parquet beside samples.jsonl.")] = False,
    retry_crashed: Annotated[
        bool, typer.Option("--retry-crashed", help="Ask samples again that a model crashed on before.")
    ] = False,
    allow_changes: AllowChanges = False,
    variables: Variables = None,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score models on requests for your functions, with 95 % intervals, speed, memory and file size.

    Each model runs in a process of its own; a model that crashes is a row, not the end. What was answered
    is kept: the same command continues, tries again models that crashed, and asks only what is new where it
    names more samples, models or tasks. 'lamina bench score' scores answers you have, 'lamina bench compare'
    two runs of this verb, 'lamina bench fetch' gets a benchmark's data.
    """
    from lamina.bench import BenchSettings, bench_models, ladders_of_files, write_samples
    from lamina.bench.every_task import left_out_lines
    from lamina.bench.possible import check_possible
    from lamina.reports import describe_machine, write_report
    from lamina.runs import Progress, Run
    from lamina.tools import Toolbox, read_tools

    toolbox = read_tools(tools) if tools else Toolbox([])
    opened, left_out = _opened(tasks, data, models, has_tools=tools is not None, judge=judge)
    chosen = _models(models, style)
    types = types_of(quantize, models)
    check_possible(opened, models)
    key: Row = {"verb": "bench", "models": models, "tasks": tasks, "style": style.value if style else None}
    key |= {"limit": limit, "max_tokens": max_tokens}
    settings = BenchSettings(
        slots=slots,
        max_tokens=max_tokens,
        repeats=repeats,
        timing_samples=timed,
        cool_down_seconds=cool_down,
        seed=seed,
        retry_crashed=retry_crashed,
        allow_changes=allow_changes,
        **given(threads=threads, context=context, timeout=timeout),
    )
    key |= given(judge=judge, quantize=quantize, repeats=repeats if repeats != 1 else None, cool_down=cool_down or None)
    key |= given(context=context, timeout=timeout, timed=timed if timed != 12 else None)
    key |= given(slots=slots if slots != 8 else None, allow_changes=allow_changes or None)
    key |= given(seed=seed or None)  # what was left out is not in the key: an older run goes on
    key |= {"tools_fingerprint": toolbox.fingerprint()}
    with Run.open(out, key, fresh=fresh, may_change=GROWS) as run:
        progress = Progress(as_json)
        for line in left_out_lines(left_out):
            progress.say(line)
        if run.changes:
            progress.say(f"{out} goes on, what was answered stays: {'; '.join(run.changes)}")
        stored = _stored(run)
        lost: list[Row] = []
        if types:
            rungs, made, lost = ladders_of(chosen, _labels(models), types, opened, run, progress)
        else:
            rungs, made = chosen, ladders_of_files(chosen)
        result = bench_models(
            rungs,
            opened,
            run=run,
            toolbox=toolbox,
            settings=settings,
            progress=progress,
            limit=limit,
            judge=judge,
            made=made,
            alone=True,
        )
        result = with_lost(result, lost) | ({"not_asked": left_out} if left_out else {})
        if _stored(run) != stored or not run.is_done("environment"):
            run.finish("environment", describe_machine())
        run.finish("bench", result)
        write_samples(run, parquet=parquet)
        run.write_report_json()
        page = write_report(run.folder, run.results())
    rows = [
        (r["model"], r["precision"], r["task"], r["metric"], number(r["value"]), interval(r), f"n={r['n']}")
        for r in result["rows"]
    ]
    said = [*crash_lines(result["crashes"]), *missing_lines(result), *ladder_lines(result)]
    said += throttled_lines(result["resources"])
    show(result, as_json=as_json, lines=[*table(rows), *said, str(page)])
    if result["crashes"]:
        raise typer.Exit(1)


def _stored(run: Run) -> int:
    """How many answers, verdicts and rounds of timing this folder has."""
    return sum(run.store.count(kind) for kind in ("sample", "sample-aside", "judgement", "round"))


def _opened(
    tasks: str, data: Path | None, models: Sequence[str], *, has_tools: bool, judge: str | None
) -> tuple[list[Task], dict[str, str]]:
    """The tasks, and what ``all`` leaves out. Whatever is wrong with the tasks or their judge is said before a model is
    loaded."""
    from lamina.bench.every_task import chosen_tasks
    from lamina.bench.judging import check_judged
    from lamina.models import check_reference

    specs = [spec.strip() for spec in tasks.split(",") if spec.strip()]
    opened, left_out = chosen_tasks(specs, data=data, judge=judge, refs=models)
    for task in opened:
        if task.needs_tools and not has_tools:
            raise InputError(f"the task {task.name!r} brings no functions", mend="name their file with --tools")
        task.samples()
    check_judged(opened, judge)
    if judge is not None:
        check_reference(judge)
    return opened, left_out


def _labels(refs: Sequence[str]) -> dict[str, str]:
    """What tells each model apart in the rows: the reference, or the file's name, with as many of its folders as it
    takes where files of several folders have one name. Raises InputError for a model that is named twice."""
    from lamina.models.gguf_files import split_reference

    files = {ref: split_reference(ref) for ref in refs}
    there = {ref: "+".join(str(Path(f).resolve()) if Path(f).exists() else f for f in files[ref]) for ref in refs}
    if len(there) < len(refs) or len(set(there.values())) < len(there):
        twice = next(ref for i, ref in enumerate(refs) if there[ref] in [there[other] for other in refs[:i]])
        raise InputError(f"{twice} is named twice", mend="name each model once")
    parts = {ref: path.removesuffix(".gguf").split("/") if path != ref or Path(ref).exists() else [ref]
             for ref, path in there.items()}  # fmt: skip
    for ref, (model, *beside) in files.items():
        if beside:
            last = Path(beside[-1]).resolve()
            parts[ref] = str(last.with_name(f"{Path(model).stem}+{last.stem}")).split("/")
    labels = {}
    for ref, names in parts.items():
        others = [other for other in parts if other != ref]
        shown = 1
        while shown < len(names) and any(parts[other][-shown:] == names[-shown:] for other in others):
            shown += 1
        labels[ref] = "/".join(names[-shown:])
    same = {ref for ref in labels if list(labels.values()).count(labels[ref]) > 1}  # m and m.gguf side by side
    return {ref: ref if ref in same else label for ref, label in labels.items()}


def _models(refs: Sequence[str], style: Style | None) -> list[BenchModel]:
    """Raises DamagedFileError where no file is left that is whole."""
    from lamina.bench import BenchModel
    from lamina.bench.families import told_apart
    from lamina.models import check_reference, prompt_style_of

    labels = _labels(refs)
    style_of: dict[str, PromptStyle] = {}
    damaged: list[DamagedFileError] = []
    for ref in refs:
        try:
            check_reference(ref)
            style_of[ref] = prompt_style_of(ref) or "full"
        except DamagedFileError as error:  # its own row: it fails when it is loaded
            style_of[ref] = "full"
            damaged.append(error)
    if len(damaged) == len(refs):
        raise damaged[0]
    return [
        BenchModel(ref, told.label, told.precision, style.value if style else style_of[ref], None, None, told.family)
        for ref, told in told_apart(labels).items()
    ]


app = verb(
    bench,
    example="lamina bench embedded runs/desk/gguf/*.gguf --tools examples/desk/tools.py \\\n"
    "  --tasks own:examples/desk/queries-dev.jsonl --out runs/compared",
)
