"""A tiny desk of two tools, a scripted model that knows the answers, and a run to bench in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.runs import Run
from lamina.tools import Toolbox, read_tools

TOOLS = '''
def double(amount: float) -> float:
    """Double an amount.

    Args:
        amount: The amount.
    """
    return amount * 2


def greet(name: str, tone: str = "warm") -> str:
    """Greet somebody.

    Args:
        name: Whom to greet.
        tone: How.
    """
    return f"{tone} hello, {name}"
'''

QUERIES = [
    ("one", "greet Ana", "single", [("greet", {"name": "Ana"})]),
    ("two", "double 4 and greet Bo", "parallel", [("double", {"amount": 4}), ("greet", {"name": "Bo"})]),
    ("three", "fly me to the moon", "refusal", []),
    (
        "four",
        "double 4, then double what you get",
        "dependent",
        [("double", {"amount": 4}), ("double", {"amount": 8})],
    ),
]

RIGHT = {
    "greet Ana": [{"name": "greet", "arguments": {"name": "ana", "tone": "warm"}}],
    "double 4 and greet Bo": [
        {"name": "greet", "arguments": {"name": "Bo"}},
        {"name": "double", "arguments": {"amount": 4.0}},
    ],
    "fly me to the moon": [],
    "double 4, then double what you get": [{"name": "double", "arguments": {"amount": 4}}],
}

MODEL = """
import json
from pathlib import Path

RIGHT = json.loads({right!r})
WRONG = {wrong!r}
LOG = {log!r}


def text(message):
    return message["content"] if isinstance(message, dict) else message.content


def role(message):
    return message["role"] if isinstance(message, dict) else message.role


def reply(messages, tools, seed):
    with open(LOG, "a") as log:
        log.write("asked\\n")
    question = next(text(m) for m in messages if role(m) == "user")
    if question in WRONG:
        return WRONG[question]
    results = [text(m) for m in messages if role(m) == "tool"]
    if results:
        return json.dumps([{{"name": "double", "arguments": {{"amount": float(results[-1])}}}}])
    return json.dumps(RIGHT[question])
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """``desk.model(**wrong)`` writes a scripted model; ``desk.asked()`` says how often any was asked."""
    tools, queries, log = tmp_path / "desk_tools.py", tmp_path / "queries.jsonl", tmp_path / "asked.log"
    tools.write_text(TOOLS)
    lines = [
        {
            "id": id,
            "query": query,
            "now": "2026-03-04T10:30:00",
            "kind": kind,
            "calls": [{"name": name, "arguments": arguments} for name, arguments in calls],
        }
        for id, query, kind, calls in QUERIES
    ]
    queries.write_text("".join(json.dumps(line) + "\n" for line in lines))
    models = iter(range(100))

    def model(wrong: dict[str, str] | None = None) -> str:
        path = tmp_path / f"model{next(models)}.py"
        path.write_text(MODEL.format(right=json.dumps(RIGHT), wrong=wrong or {}, log=str(log)))
        return f"scripted:{path}"

    def asked() -> int:
        return len(log.read_text().splitlines()) if log.exists() else 0

    toolbox: Toolbox = read_tools(tools)
    with Run.open(tmp_path / "run", {"seed": 1}) as run:
        yield SimpleNamespace(toolbox=toolbox, queries=queries, model=model, asked=asked, run=run, folder=tmp_path)
