"""The prompts of the writers. Few-shot completion, not instruction: a 135M model follows an example beside it far
better than a sentence about it (measured: docs/results/writers.md). What stays the same comes first, so that
the engine's prefix cache holds it."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from lamina.synth.wording import Exemplar, Slot
from lamina.tools import Tool


def bracket(slots: Sequence[Slot]) -> str:
    said = "; ".join(f"{s.path.rsplit('.', 1)[-1].replace('_', ' ')}: {s.form}" for s in slots)
    return f"[{said or 'nothing'}]"


def call_first_prompt(tool: Tool, seeds: Sequence[Exemplar], nearest: Exemplar | None, slots: Sequence[Slot]) -> str:
    """Ends where the request begins. ``nearest``, an example with the same values said, stands right before
    the call to be written for."""
    lines = [f"{bracket(e.slots)} {e.request}" for e in seeds]
    if nearest is not None:
        lines.append(f"{bracket(nearest.slots)} {nearest.request}")
    return f"{tool.description.splitlines()[0]}\n\n" + "\n".join(lines) + f"\n{bracket(slots)}"


def first_prompt(tool: Tool, slots: Sequence[Slot], rng: random.Random) -> str:
    """For a tool without any example of its own: three other functions with theirs. Ends where the request begins."""
    shown = [f"{one['about']}\n\n" + "\n".join(one["requests"]) for one in shuffled(_first_material(), 3, rng)]
    return "\n\n".join([*shown, tool.description.splitlines()[0]]) + f"\n\n{bracket(slots)}"


@cache
def _first_material() -> list[dict[str, Any]]:
    text = files("lamina.synth").joinpath("material", "first.toml").read_text("utf-8")
    return list(tomllib.loads(text)["shown"])


def unserved_prompt(requests: Sequence[str]) -> str:
    listed = "\n".join(f"- {r}" for r in requests)
    return f"Things that people type to an assistant on their phone, each about something else:\n{listed}\n-"


def pairs_prompt(tools: Sequence[Tool], examples: Sequence[tuple[str, list[dict[str, Any]]]]) -> str:
    """APIGen's way: tools and verified examples in, a new query with its answers out, as one JSON object."""
    listed = "\n".join(
        json.dumps({"name": t.name, "description": t.description.splitlines()[0], "parameters": t.parameters})
        for t in tools
    )
    shown = "\n".join(json.dumps({"query": q, "answers": a}, ensure_ascii=False) for q, a in examples)
    return (
        f"Functions:\n{listed}\n\nEach line is a new request to these functions and the calls that answer it. "
        f"Every value of the calls is said in the request.\n{shown}\n"
    )


def pairs_schema(tools: Sequence[Tool]) -> dict[str, Any]:
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": t.name}, "arguments": t.parameters},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for t in tools
    ]
    return {
        "type": "object",
        "properties": {
            "query": {"type": "string", "maxLength": 240},
            "answers": {"type": "array", "items": {"anyOf": calls}, "minItems": 1, "maxItems": 3},
        },
        "required": ["query", "answers"],
        "additionalProperties": False,
    }


def shuffled(items: Sequence[Any], count: int, rng: random.Random) -> list[Any]:
    return rng.sample(list(items), min(count, len(items)))
