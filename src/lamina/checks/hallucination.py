"""Argument hallucination: a value that neither the conversation nor an earlier result accounts for (xLAM, arXiv
2409.03215 section 4).

The paper says that string match is not enough. So this rule is mild: it objects where less than half of a value's
words can be found anywhere before the call, under whatever name, and to a choice only where another one was named. It
leaves to a judge what words do not decide: booleans, and one choice among several that nobody named. For rows about
your own functions there is the exact rule of ``grounding``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina.checks.argument_names import first_page, own_language, repeats_name
from lamina.checks.arguments import is_reference
from lamina.checks.described_choices import choices_in
from lamina.checks.evidence import leaves_of
from lamina.checks.reasons import Reason
from lamina.checks.recorded_evidence import RecordedEvidence
from lamina.checks.rule import Rejection
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall, Trajectory

STAGE = "grounding"


def check_hallucination(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    if found := ungrounded(trajectory, toolbox):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, found[0])
    return None


def ungrounded(trajectory: Trajectory, toolbox: Toolbox) -> list[str]:
    """A sentence for each value that nothing said before its call accounts for."""
    found: list[str] = []
    said, asked, results, system, now = "", "", "", "", trajectory.meta.now
    ids: set[str] = set()
    for number, message in enumerate(trajectory.messages):
        if message.tool_calls:
            evidence = RecordedEvidence(said, now, results, asked, system)
            for call in message.tool_calls:
                chosen = [v for c in trajectory.calls if c.name == call.name for v in c.arguments.values()]
                found += [f"message {number}: {text}" for text in _of_call(call, toolbox, evidence, ids, chosen)]
                ids |= {call.id} if call.id else set()
        said += f"\n{message.content}"
        asked += f"\n{message.content}" if message.role == "user" else ""
        system += f"\n{message.content}" if message.role == "system" else ""
        results += f"\n{message.content}" if message.role == "tool" else ""
        if message.tool_calls:
            said += " ".join(str(v) for c in message.tool_calls for v in c.arguments.values())
    return found


def _of_call(
    call: ToolCall, toolbox: Toolbox, evidence: RecordedEvidence, ids: set[str], chosen: Sequence[Any]
) -> list[str]:
    """``chosen``: what all calls of the function are made with: "the battery and the fan" are two calls, each with a
    choice that names the other's."""
    tool = toolbox.get(call.name)
    if tool is None:
        return []
    found = []
    leaves = leaves_of(tool, call.arguments)
    function = f"{tool.name}: {tool.description}"
    for path, value, schema in leaves:
        if is_reference(value, ids):
            continue
        described = str(schema.get("description", "")) or _of_whole(tool, path)
        told = described + str(schema.get("enum", "")) + str(schema.get("default", ""))
        if "const" in schema or value == schema.get("default") or repeats_name(value, tool.name):
            continue
        if first_page(value, path) or own_language(value, path, evidence.text):
            continue
        listed = schema.get("enum")  # which is no list in some schemas of other people
        choices = listed if isinstance(listed, list) and listed else choices_in(described)
        if evidence.has(value, told, path, function):
            continue
        names = described if "enum" in schema else ""  # which else lists the other choices beside this one
        if value in choices and (path.endswith("]") or evidence.chooses(value, choices, names, chosen)):
            continue
        found.append(f"{call.name}.{path}={value!r} is in no request and no result before it")
    return found


def _of_whole(tool: Tool, path: str) -> str:
    """What describes the argument of which the leaf is a part: the choices of a list are told with the list."""
    whole = tool.properties.get(re.split(r"[.\[]", path)[0])
    return str(whole.get("description", "")) if isinstance(whole, dict) else ""
