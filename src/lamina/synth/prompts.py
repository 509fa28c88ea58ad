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

from lamina.models import calls_schema
from lamina.synth.settings import PLAIN
from lamina.synth.wording import Exemplar, Slot
from lamina.tools import Tool, Toolbox

NUMBERS = {1: "one", 2: "two", 3: "three"}
"""Calls of a pair, as a prompt says them: ``pairs`` asks for no more than three."""


def bracket(slots: Sequence[Slot]) -> str:
    return f"[{_values(slots)}]"


def _values(slots: Sequence[Slot]) -> str:
    return "; ".join(f"{s.path.rsplit('.', 1)[-1].replace('_', ' ')}: {s.form}" for s in slots) or "nothing"


def call_first_prompt(tool: Tool, seeds: Sequence[Exemplar], nearest: Exemplar | None, slots: Sequence[Slot]) -> str:
    """Ends where the request begins. ``nearest``, an example with the same values said, stands right before
    the call to be written for."""
    lines = [f"{bracket(e.slots)} {e.request}" for e in seeds]
    if nearest is not None:
        lines.append(f"{bracket(nearest.slots)} {nearest.request}")
    return f"{_about(tool)}\n\n" + "\n".join(lines) + f"\n{bracket(slots)}"


def first_prefix(tool: Tool, wording: str) -> str:
    """For a tool without any example of its own: other functions with how people ask for them, in one wording. What is
    to be said, as a bracket, comes next. All prompts of a wording begin alike, so that an engine reads that once."""
    shown = [f"{one['about']}\n\n" + "\n".join(one[wording]) for one in _material("first")]
    return "\n\n".join([*shown, _about(tool)]) + "\n\n"


def reworded_prompt(wording: str, said: str, slots: Sequence[Slot]) -> str:
    """For a tool that has examples, in another wording than theirs: ``said``, one of them with the values of the call,
    is to be said again. Other requests, each said again in this wording, come first and are the same for all tools.
    Ends where the request begins."""
    pairs = [pair for one in _material("first") for pair in zip(one[PLAIN], one[wording], strict=True)]
    shown = [f"{plain.split('] ', 1)[1]}\n{again}" for plain, again in pairs]
    return "\n\n".join([_texts("first")["again"][wording], *shown, f"{said}\n{bracket(slots)}"])


def wordings() -> list[str]:
    """The names of the wordings there are."""
    return [name for name in _material("first")[0] if name != "about"]


def leaks(tools: Sequence[Tool]) -> tuple[str, ...]:
    """Words of the shown examples that a request for these tools does not say unless it was copied."""
    own = " ".join(f"{t.name} {t.description} {json.dumps(t.parameters)}" for t in tools).casefold()
    return tuple(word for word in _material("first", "leaks") if word.casefold() not in own)


def joint_prompt(tool: Tool, wording: str, seeds: Sequence[Exemplar], slots: Sequence[Sequence[Slot]]) -> str:
    """For one request, in one wording, that leads to several calls of a tool. ``seeds``: requests for one of them, so
    that the writer sees how their values are said. Ends where the request begins."""
    shown = [f"{one['about']}\n\n" + "\n".join(one[wording]) for one in _material("joint")]
    alone = "".join(f"{bracket(e.slots)} {e.request}\n" for e in seeds)
    return "\n\n".join([*shown, _about(tool), f"{alone}[{' / '.join(_values(s) for s in slots)}]"])


def question_prompt(tool: Tool, withheld: str) -> str:
    """For the question by which an assistant asks for what was not said."""
    shown = [f"{one['wanted']}\n{one['question']}" for one in _material("conversation")]
    return "\n\n".join([*shown, _wanted(tool, withheld)]) + "\n"


def reply_prompt(tool: Tool, withheld: str, slots: Sequence[Slot]) -> str:
    """For the user's answer to that question. Ends where the answer begins."""
    shown = [f"{one['wanted']}\n{one['reply']}" for one in _material("conversation")]
    return "\n\n".join([*shown, _wanted(tool, withheld)]) + f"\n{bracket(slots)}"


def _wanted(tool: Tool, withheld: str) -> str:
    said = tool.properties[withheld].get("description", "").split("\n")[0].rstrip(".")
    return f"{_about(tool)} Missing: {withheld.replace('_', ' ')}{f' ({said})' if said else ''}"


def _about(tool: Tool) -> str:
    return (tool.description or tool.name.replace("_", " ")).splitlines()[0]


def _material(name: str, key: str = "shown") -> list[Any]:
    return list(_texts(name)[key])


@cache
def _texts(name: str) -> dict[str, Any]:
    return tomllib.loads(files("lamina.synth").joinpath("material", f"{name}.toml").read_text("utf-8"))


def unserved_prompt(requests: Sequence[str]) -> str:
    listed = "\n".join(f"- {r}" for r in requests)
    return f"Things that people type to an assistant on their phone, each about something else:\n{listed}\n-"


def pairs_prompt(
    tools: Sequence[Tool], examples: Sequence[tuple[str, list[dict[str, Any]]]], style: str, wording: str, count: int,
    calls: int,
) -> str:  # fmt: skip
    """APIGen's way: tools and verified examples in, ``count`` new requests with ``calls`` calls each out, as a JSON
    array."""
    listed = "\n".join(
        json.dumps({"name": t.name, "description": _about(t), "parameters": t.parameters}) for t in tools
    )
    told = _texts("pairs")
    said = [
        "Requests to these functions with the calls that answer them, each a JSON object like "
        '{"query": "…", "answers": [{"name": "…", "arguments": {…}}]}. Every value of the calls is said '
        f"in the request. {told['styles'][style].format(number=NUMBERS[calls])}",
        *(json.dumps({"query": q, "answers": a}, ensure_ascii=False) for q, a in examples),
    ]
    wanted = f"{count} new {'one' if count == 1 else 'ones, all different'}, as a JSON array:"
    return f"Functions:\n{listed}\n\n" + "\n".join(said) + f"\n\n{told['wordings'][wording]} {wanted}\n"


def pairs_schema(tools: Sequence[Tool], style: str, count: int, calls: int) -> dict[str, Any]:
    """An array of ``count`` pairs with ``calls`` calls each: of several functions one call each."""
    schema_of_calls = calls_schema(Toolbox(tools))
    if style == "parallel-multiple":
        each = schema_of_calls["items"]["anyOf"]
        kinds: dict[str, Any] = {"prefixItems": each, "items": False, "minItems": len(each), "maxItems": len(each)}
    else:
        kinds = {"items": schema_of_calls["items"], "minItems": calls, "maxItems": calls}
    pair = {
        "type": "object",
        "properties": {"query": {"type": "string", "maxLength": 240}, "answers": {"type": "array", **kinds}},
        "required": ["query", "answers"],
        "additionalProperties": False,
    }
    schema = {"type": "array", "items": pair, "minItems": count, "maxItems": count}
    return {**schema, "$defs": schema_of_calls["$defs"]} if "$defs" in schema_of_calls else schema


def shuffled(items: Sequence[Any], count: int, rng: random.Random) -> list[Any]:
    return rng.sample(list(items), min(count, len(items)))
