"""``lamina tools``: what Lamina reads in a source of functions, what is wrong with it, and whether it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamina.cli.options import AllowChanges, AsJson, Config, Timeout, ToolsFile, Variables, Writer, verb
from lamina.cli.output import listed, show, table

if TYPE_CHECKING:
    from lamina.tools import Toolbox


class Action(StrEnum):
    list = "list"
    lint = "lint"
    probe = "probe"
    describe = "describe"


def tools(
    tools: ToolsFile,
    action: Annotated[
        Action,
        typer.Argument(
            metavar="[list|lint|probe|describe]",
            help="Show them, say what is wrong, call each, or have a model offer words for them.",
        ),
    ] = Action.list,
    writer: Writer = "embedded",
    categories: Annotated[
        str | None, typer.Option("--categories", metavar="NAME,…", help="For describe: the categories to choose from.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.toml", help="For describe and probe: the file that synth --offers takes."),
    ] = None,
    allow_changes: AllowChanges = False,
    timeout: Timeout = None,
    variables: Variables = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read a source of functions and show the tools in it.

    A function that cannot be described is an error that says what to add; what a document has that cannot be a tool
    is said and left out. With --json the list is in the form that chat templates and OpenAI-compatible servers take.
    'lint' says what a small model will stumble over. 'probe' calls each tool with example arguments, in the sandbox,
    until a call comes back or five have not. 'describe' has a model offer a description and a category for each. With
    --out what was found is written to a file; 'lamina synth --offers FILE', after you have read and edited it, leaves
    out the tools that did not run and takes the words.
    """
    from lamina.tools import read_tools

    toolbox = read_tools(tools)
    if action is Action.lint:
        _lint(toolbox, as_json)
    elif action is Action.probe:
        _probe(toolbox, allow_changes, timeout, out, as_json)
    elif action is Action.describe:
        _describe(toolbox, writer, listed(categories) or (), out, as_json)
    else:
        show(toolbox.as_openai(), as_json=as_json, lines=_listed(toolbox, str(tools)))


def _listed(toolbox: Toolbox, source: str) -> list[str]:
    categorized = any(tool.category for tool in toolbox)
    rows = [
        (
            tool.name,
            *([f"[{tool.category or '-'}]"] if categorized else []),
            ", ".join(n if n in tool.required else f"[{n}]" for n in tool.properties) or "-",
            tool.description.split("\n")[0],
        )
        for tool in toolbox
    ]
    left_out = [f"{r.where}: {r.detail}" for r in toolbox.remarks if r.dropped]
    count = "1 tool" if len(rows) == 1 else f"{len(rows)} tools"
    told = [f"left out ({len(left_out)}):", *(f"  {line}" for line in left_out)] if left_out else []
    return [f"{count} in {source}", *table(rows, "  "), *told]


def _lint(toolbox: Toolbox, as_json: bool) -> None:
    from lamina.tools.linting import comparison, lint

    found, compared = lint(toolbox), comparison(toolbox)
    counts = Counter(remark.code for remark in found)
    lines = [
        f"{len(toolbox)} tools, {len(found)} remarks",
        *compared.told,
        *table([(code, str(count)) for code, count in counts.most_common()], "  "),
        *table([(r.where, r.code, r.detail + (" (left out)" if r.dropped else "")) for r in found]),
    ]
    remarks = [asdict(r) for r in found]
    result = {"tools": len(toolbox), "counts": counts, "remarks": remarks, "compared": asdict(compared)}
    show(result, as_json=as_json, lines=lines)


def _probe(toolbox: Toolbox, allow_changes: bool, timeout: float | None, out: Path | None, as_json: bool) -> None:
    from lamina.runs import Progress
    from lamina.synth.offers import write_probes
    from lamina.synth.probing import probe
    from lamina.tools.execution import Limits, open_executor

    found = []
    limits = Limits.of(timeout)
    with open_executor(toolbox, limits=limits) as executor, Progress(as_json).stage("probe", len(toolbox)) as bar:
        for tool in toolbox:
            found.append(probe(tool, executor, allow_changes=allow_changes))
            bar.advance(ran=sum(p.runs for p in found))
    if out is not None:
        write_probes(out, found)
    ran = sum(p.runs for p in found)
    counts = Counter(p.status for p in found)
    lines = [
        f"{ran} of {len(found)} ran" + (f", in {out}" if out else ""),
        *table([(status, str(count)) for status, count in counts.most_common()], "  "),
        *table([(p.tool, p.status, p.told) for p in found]),
    ]
    result = {"ran": ran, "counts": counts, "probes": [asdict(p) for p in found], "out": str(out) if out else None}
    show(result, as_json=as_json, lines=lines)


def _describe(toolbox: Toolbox, writer: str, categories: Sequence[str], out: Path | None, as_json: bool) -> None:
    from lamina.models import open_model
    from lamina.runs import Progress
    from lamina.synth.describing import describe
    from lamina.synth.offers import write_descriptions

    model = open_model(writer)
    try:
        with Progress(as_json).stage("describe", total=len(toolbox)) as bar:
            offers = describe(toolbox, model, categories, lambda: bar.advance())
    finally:
        model.close()
    if out is not None:
        write_descriptions(out, offers)
    lines = [f"{sum(not o.problem for o in offers)} of {len(offers)} described" + (f", in {out}" if out else "")]
    for o in offers:
        said = f"  no offer: {o.problem}" if o.problem else f"  + {o.description} [{o.category}]"
        lines += [o.tool, f"  - {o.before or '(nothing)'}", said]
    show({"offers": [asdict(o) for o in offers], "out": str(out) if out else None}, as_json=as_json, lines=lines)


app = verb(
    tools,
    example="lamina tools examples/desk/tools.py\nlamina tools petstore.yaml lint\n"
    "lamina tools petstore.yaml probe --out usable.toml",
)
