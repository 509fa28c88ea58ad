"""``lamina bench``: how good, how fast, how large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import AsJson, Config, Fresh, Out, Style, verb
from lamina.cli.output import show, table
from lamina.errors import InputError

if TYPE_CHECKING:
    from lamina.bench import BenchModel

Row = dict[str, Any]


def bench(
    models: Annotated[list[str], typer.Argument(metavar="MODEL…", help="Model references.", show_default=False)],
    tasks: Annotated[str, typer.Option("--tasks", metavar="TASK,…", help="own:queries.jsonl, bfcl:simple_python, …")],
    out: Out,
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="TOOLS", help="A file of functions, for tasks that bring none.")
    ] = None,
    style: Annotated[Style | None, typer.Option("--style", help="Else what each model says of itself.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="The first N samples of each task.")
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="The longest answer.")] = 512,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Where a benchmark's files are, else found.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="REF", help="The model that reads the answers of judged tasks.")
    ] = None,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score models on requests for your functions, with 95 % intervals, speed, memory and file size.

    Each model runs in a process of its own; a model that crashes is a row, not the end. What was answered
    is kept: the same command continues. 'lamina bench score' scores answers you have, 'lamina bench compare'
    two runs of this verb, 'lamina bench fetch' gets a benchmark's data.
    """
    from lamina.bench import BenchSettings, bench_models
    from lamina.bench.judging import check_judged
    from lamina.bench.tasks import open_tasks
    from lamina.models import check_reference
    from lamina.runs import Progress, Run
    from lamina.tools import Toolbox, read_tools

    toolbox = read_tools(tools) if tools else Toolbox([])
    opened = open_tasks([spec.strip() for spec in tasks.split(",") if spec.strip()], data=data)
    for task in opened:
        if tools is None and task.needs_tools:
            raise InputError(f"the task {task.name!r} brings no functions", mend="name their file with --tools")
        task.samples()  # a task whose file is at fault is said before a model is loaded
    check_judged(opened, judge)
    if judge is not None:
        check_reference(judge)
    chosen = [_model(ref, label, style) for ref, label in _labels(models).items()]
    key: Row = {"verb": "bench", "models": models, "tasks": tasks, "style": style.value if style else None}
    key |= {"limit": limit, "max_tokens": max_tokens}
    if judge is not None:
        key["judge"] = judge
    settings = BenchSettings(max_tokens=max_tokens)
    with Run.open(out, {**key, "tools_fingerprint": toolbox.fingerprint()}, fresh=fresh) as run:
        if not run.is_done("bench"):
            found = bench_models(
                chosen,
                opened,
                run=run,
                toolbox=toolbox,
                settings=settings,
                progress=Progress(as_json),
                limit=limit,
                judge=judge,
            )
            run.finish("bench", found)
        run.write_report_json()
        result = run.result("bench") or {}
    rows = [
        (r["model"], r["precision"], r["task"], r["metric"], _number(r["value"]), _interval(r), f"n={r['n']}")
        for r in result["rows"]
    ]
    show(result, as_json=as_json, lines=table(rows))
    if result["crashes"]:
        raise typer.Exit(1)


def _labels(refs: Sequence[str]) -> dict[str, str]:
    """What tells each model apart in the rows: the reference, or the file's name, with as many of its folders as it
    takes where files of several folders have one name. Raises InputError for a model that is named twice."""
    there = {ref: str(Path(ref).resolve()) if Path(ref).exists() else ref for ref in refs}
    if len(there) < len(refs) or len(set(there.values())) < len(there):
        twice = next(ref for i, ref in enumerate(refs) if there[ref] in [there[other] for other in refs[:i]])
        raise InputError(f"{twice} is named twice", mend="name each model once")
    parts = {ref: path.removesuffix(".gguf").split("/") if path != ref or Path(ref).exists() else [ref]
             for ref, path in there.items()}  # fmt: skip
    labels = {}
    for ref, names in parts.items():
        others = [other for other in parts if other != ref]
        shown = 1
        while shown < len(names) and any(parts[other][-shown:] == names[-shown:] for other in others):
            shown += 1
        labels[ref] = "/".join(names[-shown:])
    same = {ref for ref in labels if list(labels.values()).count(labels[ref]) > 1}  # m and m.gguf side by side
    return {ref: ref if ref in same else label for ref, label in labels.items()}


def _model(ref: str, label: str, style: Style | None) -> BenchModel:
    from lamina.bench import BenchModel
    from lamina.models import check_reference, prompt_style_of

    check_reference(ref)
    return BenchModel(ref, label, "", style.value if style else prompt_style_of(ref) or "full")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def _interval(row: Row) -> str:
    return f"[{row['low']:.3f}, {row['high']:.3f}]" if row["low"] is not None else ""


app = verb(
    bench,
    example="lamina bench embedded runs/desk/gguf/*.gguf --tools examples/desk/tools.py \\\n"
    "  --tasks own:examples/desk/queries-dev.jsonl --out runs/compared",
)
