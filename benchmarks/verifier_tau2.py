"""tau2-bench's tasks of airline, retail and mock desks with their right actions, each played with the desk's own tools,
as rows for ``verifier_strangers.py``.

    python -m venv VENV && VENV/bin/pip install inspect-evals==0.28.0
    VENV/bin/python benchmarks/verifier_tau2.py ../shared/data/tau2-bench tau2.jsonl

Run with the Python that has inspect-evals (its toolkits are adapted from sierra-research/tau2-bench; MIT); Lamina is
not needed there. What the simulated user is told is taken for what the user says, the desk's policy for the system
message. The bank's tasks are left out: their right arguments stand in documents that no call of theirs looks up."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai.tool import ToolDef, ToolError  # type: ignore[import-not-found]
from inspect_ai.util._store import Store, init_subtask_store  # type: ignore[import-not-found]
from inspect_evals.tau2.airline import tools as airline  # type: ignore[import-not-found]
from inspect_evals.tau2.common import tools as common  # type: ignore[import-not-found]
from inspect_evals.tau2.retail import tools as retail  # type: ignore[import-not-found]

DESKS = {"airline": airline, "retail": retail}


def tools_of(module: Any) -> dict[str, ToolDef]:
    """Every tool that the module makes, by its name."""
    made = [one() for home in (common, module) for one in vars(home).values() if hasattr(one, "__registry_info__")]
    return {tool.name: tool for tool in (ToolDef(one) for one in made)}


def said(task: dict[str, Any]) -> str:
    told = task["user_scenario"]["instructions"]
    if isinstance(told, str):
        return told
    return "\n\n".join(told[part] for part in ("reason_for_call", "known_info", "task_instructions") if told.get(part))


async def played(tools: dict[str, ToolDef], name: str, arguments: dict[str, Any]) -> str:
    try:
        return str(await tools[name].tool(**arguments))
    except ToolError as error:
        return f"Error: {error.message}"


async def row_of(desk: str, task: dict[str, Any], policy: str) -> dict[str, Any] | None:
    actions = [a for a in task["evaluation_criteria"].get("actions") or [] if a.get("requestor") != "user"]
    if not actions:
        return None
    tools = tools_of(DESKS[desk])
    init_subtask_store(Store())
    messages: list[dict[str, Any]] = [{"role": "system", "content": policy}, {"role": "user", "content": said(task)}]
    for number, action in enumerate(actions):
        made = {"name": action["name"], "arguments": action["arguments"]}
        call = {"id": f"c{number}", "type": "function", "function": made}
        result = await played(tools, action["name"], action["arguments"])
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "name": action["name"], "content": result})
    messages.append({"role": "assistant", "content": "Done."})
    return {"id": f"tau2/{desk}/{task['id']}", "tools": [_told(tool) for tool in tools.values()], "messages": messages}


def _told(tool: ToolDef) -> dict[str, Any]:
    parameters = tool.parameters.model_dump(exclude_none=True)
    told = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": told}


async def main(data: Path, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for desk in DESKS:
            policy = (data / desk / "policy.md").read_text(encoding="utf-8")
            for task in json.loads((data / desk / "tasks.json").read_text(encoding="utf-8")):
                if row := await row_of(desk, task, policy):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
