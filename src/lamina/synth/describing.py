"""Descriptions and categories that a writer offers for tools (APIGen cleans its API library this way, arXiv 2406.18518
section 4.1). They are offers (``offers.py``): nothing takes them by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.checks.answers import answer_in
from lamina.models import Model, Request
from lamina.synth.meanings import words_of_name
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message

LONGEST, SHORTEST = 300, 12
"""Characters of a description (our choice)."""
ASKED = (
    "You describe functions for a model that has to choose among them. Answer with JSON: description, one plain "
    "sentence that says what the function does and what comes back; category, one or two words that several functions "
    "may share."
)


@dataclass(frozen=True)
class Offer:
    """``problem``: why there is none, empty where there is one."""

    tool: str
    before: str
    description: str = ""
    category: str = ""
    problem: str = ""


def describe(
    toolbox: Toolbox, model: Model, categories: Sequence[str] = (), on_reply: Callable[[], None] | None = None
) -> list[Offer]:
    """One offer a tool, in order; with ``categories`` the writer has to choose one of them."""
    kind: dict[str, Any] = {"enum": list(categories)} if categories else {"type": "string", "maxLength": 40}
    schema = {
        "type": "object",
        "properties": {"description": {"type": "string", "maxLength": LONGEST}, "category": kind},
        "required": ["description", "category"],
        "additionalProperties": False,
    }
    tools = list(toolbox)
    requests = [
        Request(
            messages=[Message(role="system", content=ASKED), Message(role="user", content=_question(tool, categories))],
            constraint=schema,
            max_tokens=160,
        )
        for tool in tools
    ]
    replies = model.generate(requests, lambda *_: on_reply() if on_reply else None)
    return [_read(tool, reply.text, categories) for tool, reply in zip(tools, replies, strict=True)]


_OF_THE_QUESTION = frozenset(
    ("a", "an", "the", "says", "of", "itself", "nothing", "function", "arguments", "description", "this", "that")
)
"""Words of ``_question`` that small writers hand back, and those that say nothing by themselves."""


def _question(tool: Tool, categories: Sequence[str]) -> str:
    examples = "\n".join(f"- {e.request}" for e in tool.examples[:3])
    choice = f"\nCategories: {', '.join(categories)}" if categories else ""
    told = "" if tool.description.strip() == tool.name else tool.description  # its name is no description
    return (
        f"Function: {tool.name}\nSays of itself: {told or '(nothing)'}\n"
        f"Arguments: {json.dumps(tool.properties, ensure_ascii=False)[:1500]}"
        + (f"\nPeople ask:\n{examples}" if examples else "")
        + choice
    )


def _read(tool: Tool, text: str, categories: Sequence[str]) -> Offer:
    said = answer_in(text, ("description", "category"))
    if said is None or not all(isinstance(value, str) for value in (said["description"], said["category"])):
        return Offer(tool.name, tool.description, problem="the answer is no description with a category")
    description, category = " ".join(said["description"].split()), " ".join(said["category"].split())
    if not SHORTEST <= len(description) <= LONGEST:
        return Offer(tool.name, tool.description, problem=f"a description of {len(description)} characters")
    if empty := _says_nothing(tool, description):
        return Offer(tool.name, tool.description, problem=empty)
    if not category or (categories and category not in categories):
        return Offer(tool.name, tool.description, problem=f"{category!r} is no category")
    return Offer(tool.name, tool.description, description, category.casefold() if not categories else category)


def _says_nothing(tool: Tool, description: str) -> str:
    """Why the words are no description of the tool: they are its name, the question's own, or an argument's."""
    words = set(re.findall(r"[^\W_]+", description.casefold()))
    if not words - set(words_of_name(tool.name)) - set(re.findall(r"[^\W_]+", tool.name.casefold())) - _OF_THE_QUESTION:
        return f"it says no more than the name: {description!r}"
    for name, schema in tool.properties.items():
        told = " ".join(str(schema.get("description", "")).split())
        if told.rstrip(".").casefold() == description.rstrip(".").casefold():
            return f"it is what the argument {name} says: {description!r}"
    return ""
