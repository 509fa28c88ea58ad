"""``lamina act``: the built agent at work."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import AsJson, Channel, Config, Method, Style, verb
from lamina.cli.output import show, tell

if TYPE_CHECKING:
    from lamina.tools.execution import CallResult
    from lamina.trajectories import ToolCall


def act(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="What you want.", show_default=False)],
    run: Annotated[Path | None, typer.Option("--run", metavar="RUN", help="A built run.")] = None,
    tools: Annotated[Path | None, typer.Option("--tools", metavar="TOOLS", help="A file of functions.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="REF", help="Another model.")] = None,
    style: Annotated[Style | None, typer.Option("--style", help="Else what the model says of itself.")] = None,
    principles: Annotated[
        Path | None,
        typer.Option("--principles", metavar="FILE", help="Action principles (TOML), as lamina learn writes them."),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            "--method", help="act: calls alone; react: thoughts too; pract: with principles, the default then."
        ),
    ] = None,
    channel: Annotated[
        Channel, typer.Option("--channel", help="native: the model's own form of calls; text: written out.")
    ] = Channel.native,
    now: Annotated[
        datetime | None, typer.Option("--now", help="The clock that relative dates refer to, instead of now.")
    ] = None,
    turns: Annotated[int, typer.Option("--turns", min=1, help="Answers of the model, at most.")] = 4,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Answer one request with a built model and execute its calls.

    Give --run, or --tools and --model. Calls run in a process of their own, with RUN/workspace as their
    working folder (the current folder without --run); what happened is recorded in the run.
    """
    from lamina.agents import Budget, open_agent
    from lamina.errors import UserError

    if principles and method not in (None, Method.pract):
        raise UserError(f"--method {method} has no place for --principles; use pract, or leave --method out")
    how: Any = {"method": method.value if method else None, "channel": channel.value, "principles": principles}

    with open_agent(run, tools_file=tools, model=model, style=style.value if style else None, **how) as agent:
        acted = agent.act(request, now=now, budget=Budget(turns=turns), on_step=None if as_json else _tell)
    used = acted.trajectory.meta.model_dump().get("principles")
    calls = [{"name": c.name, "arguments": c.arguments} for c in acted.trajectory.calls]
    result = {
        "out": str(run) if run else None,
        "seconds": acted.seconds,
        "metrics": {"calls": len(calls), "failed": acted.failed, "ending": acted.ending, "principles": used},
        "calls": calls,
        "trajectory": acted.trajectory.model_dump(exclude_none=True),
    }
    show(result, as_json=as_json, lines=[acted.said])
    if acted.failed or acted.ending == "unreadable":
        raise typer.Exit(1)


def _tell(call: ToolCall, result: CallResult) -> None:
    arguments = ", ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in call.arguments.items())
    tell(f"{call.name}({arguments})")
    tell(f"  {result.text if result.status == 'ok' else result.error or result.status}")


app = verb(act, example='lamina act "remind me to call Ana tomorrow at nine" --run runs/desk')
