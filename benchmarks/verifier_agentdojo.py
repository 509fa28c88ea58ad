"""AgentDojo's user tasks with their right calls, each run in its environment, as rows for ``verifier_strangers.py``.

    python -m venv VENV && VENV/bin/pip install agentdojo==0.1.35
    VENV/bin/python benchmarks/verifier_agentdojo.py agentdojo.jsonl

Run with the Python that has agentdojo (Debenedetti et al. 2024, arXiv 2406.13352; MIT); Lamina is not needed there."""

from __future__ import annotations

import json
import sys
from typing import Any

from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline  # type: ignore[import-not-found]
from agentdojo.functions_runtime import FunctionsRuntime  # type: ignore[import-not-found]
from agentdojo.task_suite.load_suites import get_suites  # type: ignore[import-not-found]

VERSION = "v1.2.1"


def main(file: str) -> None:
    with open(file, "w", encoding="utf-8") as out:
        for name, suite in get_suites(VERSION).items():
            tools = [_tool(function) for function in suite.tools]
            for id, task in suite.user_tasks.items():
                environment = task.init_environment(suite.load_and_inject_default_environment({}))
                made = GroundTruthPipeline(task).query(task.PROMPT, FunctionsRuntime(suite.tools), environment)[3]
                messages = [{"role": "user", "content": task.PROMPT}, *_messages(made)]
                if any("tool_calls" in message for message in messages):
                    row = {"id": f"agentdojo/{name}/{id}", "tools": tools, "messages": messages}
                    out.write(json.dumps(row) + "\n")


def _tool(function: Any) -> dict[str, Any]:
    told = {"name": function.name, "description": function.description}
    return {"type": "function", "function": {**told, "parameters": function.parameters.model_json_schema()}}


def _messages(made: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for message in made:
        text = "".join(block["content"] for block in message["content"])
        if message["role"] == "tool":
            call = found[-1]["tool_calls"][0]
            name = call["function"]["name"]
            found.append({"role": "tool", "tool_call_id": call["id"], "name": name, "content": text})
        elif message.get("tool_calls"):
            one = message["tool_calls"][0]
            arguments = json.loads(json.dumps(one.args, default=str))
            call = {"id": f"c{len(found)}", "type": "function"}
            call |= {"function": {"name": one.function, "arguments": arguments}}
            found.append({"role": "assistant", "content": "", "tool_calls": [call]})
        else:
            found.append({"role": "assistant", "content": text or "Done."})
    return found


if __name__ == "__main__":
    main(sys.argv[1])
