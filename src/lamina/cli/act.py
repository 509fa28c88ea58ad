"""``lamina act``: the built agent at work."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import AsJson, Channel, Config, Method, Style, Timeout, Variables, verb
from lamina.cli.output import show, tell

if TYPE_CHECKING:
    from lamina.agents.act import Asked
    from lamina.models.model import Reply, Request
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
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="As many tokens, in and out, and no further turn.")
    ] = None,
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=0, help="As long, and no further turn.")] = 60.0,
    timeout: Timeout = None,
    asked: Annotated[
        Path | None,
        typer.Option("--asked", metavar="FILE", help="Add each request to the model and its answer, as JSON lines."),
    ] = None,
    variables: Variables = None,
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
    if not request.strip():
        raise UserError('the request is empty; say what you want, such as lamina act "…" --run RUN')
    how: Any = {"method": method.value if method else None, "channel": channel.value, "principles": principles}

    how |= {"style": style.value if style else None, "timeout": timeout}
    with open_agent(run, tools_file=tools, model=model, **how) as agent:
        if agent.warning:
            print(f"warning: {agent.warning}", file=sys.stderr)
        budget = Budget(turns=turns, tokens=max_tokens, seconds=max_seconds)
        written = _writer(asked) if asked else None
        acted = agent.act(request, now=now, budget=budget, on_step=None if as_json else _tell, on_reply=written)
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


def _writer(file: Path) -> Asked:
    from lamina.agents.learning.ledger import asked_row
    from lamina.runs.files import storage_error
    from lamina.trajectories.trajectory import json_line

    def write(request: Request, reply: Reply) -> None:
        try:
            with file.open("ab") as out:
                out.write(json_line(asked_row(request, reply)) + b"\n")
        except OSError as error:
            raise storage_error(file, error) from error

    return write


def _tell(call: ToolCall, result: CallResult) -> None:
    from lamina.tools.environment import withheld_mend

    arguments = ", ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in call.arguments.items())
    tell(f"{call.name}({arguments})")
    tell(f"  {result.text if result.status == 'ok' else result.error or result.status}")
    if result.status != "ok" and (mend := withheld_mend(result.error or "")):
        tell(f"  {mend}")


app = verb(act, example='lamina act "remind me to call Ana tomorrow at nine" --run runs/desk')
