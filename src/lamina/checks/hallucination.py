"""Argument hallucination: a value that neither the conversation nor an earlier result accounts for (xLAM, arXiv
2409.03215 section 4).

The paper says that string match is not enough. So this rule is mild: it objects where less than half of a value's
words can be found anywhere before the call, under whatever name, and to a choice only where another one was named. It
leaves to a judge what words do not decide: booleans, and one choice among several that nobody named. For rows about
your own functions there is the exact rule of ``grounding``."""

from __future__ import annotations

from lamina.checks.arguments import is_reference
from lamina.checks.evidence import leaves_of
from lamina.checks.reasons import Reason
from lamina.checks.recorded_evidence import RecordedEvidence
from lamina.checks.rule import Rejection
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall, Trajectory

STAGE = "grounding"


def check_hallucination(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    if found := ungrounded(trajectory, toolbox):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, found[0])
    return None


def ungrounded(trajectory: Trajectory, toolbox: Toolbox) -> list[str]:
    """A sentence for each value that nothing said before its call accounts for."""
    found: list[str] = []
    said, now = "", trajectory.meta.now
    ids: set[str] = set()
    for number, message in enumerate(trajectory.messages):
        if message.tool_calls:
            evidence = RecordedEvidence(said, now)
            for call in message.tool_calls:
                found += [f"message {number}: {text}" for text in _of_call(call, toolbox, evidence, ids)]
                ids |= {call.id} if call.id else set()
        said += f"\n{message.content}"
        if message.tool_calls:
            said += " ".join(str(v) for c in message.tool_calls for v in c.arguments.values())
    return found


def _of_call(call: ToolCall, toolbox: Toolbox, evidence: RecordedEvidence, ids: set[str]) -> list[str]:
    tool = toolbox.get(call.name)
    if tool is None:
        return []
    found = []
    for path, value, schema in leaves_of(tool, call.arguments):
        if is_reference(value, ids):
            continue
        told = str(schema.get("description", "")) + str(schema.get("enum", "")) + str(schema.get("default", ""))
        if "const" in schema or value == schema.get("default"):
            continue
        if evidence.has(value, told) or ("enum" in schema and (path.endswith("]") or evidence.chooses(value, schema))):
            continue
        found.append(f"{call.name}.{path}={value!r} is in no request and no result before it")
    return found
