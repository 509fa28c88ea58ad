"""Tools that get no rows by the model, or no more: no call that was drawn for them ran, or fits their schema, or their
server is gone. Each is said, and its last call is a reject with the reason."""

from __future__ import annotations

from lamina.checks import Candidate, Reason, Rejection, check_execution
from lamina.checks.arguments import check_call
from lamina.runs import Progress
from lamina.synth.calls import DrawnCall
from lamina.synth.work import PHASE_STRIDE, Work
from lamina.tools.environment import withheld_mend
from lamina.tools.execution import CallResult
from lamina.tools.targets import HttpTarget, McpTarget
from lamina.trajectories import ToolCall

DRAWN = "none"
"""The writer of a call that no request was written for."""
POSITION = 950 * PHASE_STRIDE
ALIKE = Rejection("format", Reason.BAD_ARGUMENTS, "two arguments with the same choices have the same value")
"""What a drawn call fails where its schema has nothing against it."""


def tell_what_never_ran(work: Work, progress: Progress) -> None:
    failing = work.words.stock.failing
    for name, call in failing.last.items():
        said = call.result.error or call.result.text
        what = (
            "its calls no longer run, so the model writes no more rows for it" if name in failing.ran
            else "no call that was drawn for it ran, so the model writes no rows for it"
        )  # fmt: skip
        progress.say(f"{name}: {what} ({said[:200]}); {_mend(call)}")
        made = ToolCall.of(name, call.arguments)
        _keep(work, made, [[call.result]], check_execution(_candidate(work, made, [[call.result]]), work.toolbox))
    for name, arguments in failing.unfit.items():
        made = ToolCall.of(name, arguments)
        why = check_call(made, work.toolbox) or ALIKE
        progress.say(f"{name}: no call could be drawn that fits its schema, so the model writes no rows for it "
                     f"({why.detail[:200]}); give its arguments examples in the schema, or it an example")  # fmt: skip
        _keep(work, made, [], why)


def _mend(call: DrawnCall) -> str:
    """What the user can do; only functions of this machine are kept from the environment."""
    target, status = call.tool.target, call.result.status
    if status == "timed_out":
        return "--timeout SECONDS gives it longer"
    if isinstance(target, McpTarget):
        return "look at its server, or give its arguments examples in their schemas"
    if isinstance(target, HttpTarget):
        return "look at its server, or give its parameters examples in the document"
    return withheld_mend(call.result.error or call.result.text) or (
        "mend it, or give examples with values that it takes; of the environment it sees what --env NAME passes on"
    )


def _keep(work: Work, call: ToolCall, results: list[list[CallResult]], rejection: Rejection | None) -> None:
    """Once a tool, however often the command is given."""
    phase = f"never-ran-{call.name}"
    if rejection and not work.is_done(phase):
        work.commit(phase, POSITION, [work.outcome(_candidate(work, call, results), rejection)])


def _candidate(work: Work, call: ToolCall, results: list[list[CallResult]]) -> Candidate:
    return Candidate("", [[call]], "simple", DRAWN, 0, work.settings.now, results=results)
