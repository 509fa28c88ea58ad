"""``lamina bench score``: the answers of any program, scored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show

SHOWN = 10


def score(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Such as bfcl:live_multiple.", show_default=False)],
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS.jsonl",
            help='One {"id", "calls": [{"name", "arguments"}]} a line.',
            show_default=False,
        ),
    ],
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="TOOLS", help="A file of functions, for tasks that need one.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Where the benchmark's files are, else found.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score the calls that any program wrote for the samples of a task.

    Arguments are an object or its JSON text; for Java and JavaScript functions every value is a string of source
    text. For bfcl:multi_turn_… "calls" is a list for each request, of a list for each answer, of calls,
    which are made as a bench makes them. Samples without an answer and answers to unknown ids are not scored, and said.
    """
    from lamina.bench import open_task, score_answers

    found = score_answers(open_task(task, data=data, tools=tools), answers)
    lines = [f"{found['task']}  nothing was scored"]
    if found["n"]:
        low, high = found["low"], found["high"]
        lines = [f"{found['task']}  accuracy {found['accuracy']:.4f}  [{low:.4f}, {high:.4f}]  n={found['n']}"]
    lines += [f"  wrong: {id}: {problem}" for id, problem in list(found["problems"].items())[:SHOWN]]
    if len(found["problems"]) > SHOWN:
        lines.append(f"  and {len(found['problems']) - SHOWN} more; --json has all")
    for name, what in (("unanswered", "samples have no answer"), ("unknown", "answers are to no sample of the task")):
        if ids := found[name]:
            some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
            lines.append(f"  not scored: {len(ids)} {what} ({some})")
    show(found, as_json=as_json, lines=lines)


app = verb(score, example="lamina bench score bfcl:live_multiple answers.jsonl --json")
