"""Descriptions and categories that a writer offers for tools (APIGen cleans its API library this way, arXiv 2406.18518
section 4.1). They are offers: they stand in a file that a person reads and edits, and nothing takes them by itself."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from lamina.errors import InputError
from lamina.models import Model, Request
from lamina.runs.files import atomic_file
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


def write_offers(file: Path, offers: Sequence[Offer]) -> None:
    """A TOML table a tool. Raises StorageError."""
    rows = {
        o.tool: {"description": o.description, "category": o.category, "before": o.before}
        for o in offers
        if not o.problem
    }
    with atomic_file(file) as out:
        out.write(
            b"# Offered by a model. Edit or delete what you do not want; lamina synth --offers takes the rest.\n\n"
        )
        out.write(tomli_w.dumps({"tools": rows}).encode())


def with_offers(toolbox: Toolbox, file: Path) -> Toolbox:
    """The tools with the descriptions and categories of the file. Raises InputError for a file that holds none, and for
    a tool that is not there."""
    try:
        found = tomllib.loads(file.read_text("utf-8")).get("tools")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no TOML ({error})", file=file) from None
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise InputError("holds no offers", file=file, mend="write it with 'lamina tools SOURCE describe --out FILE'")
    if gone := [name for name in found if toolbox.get(name) is None]:
        raise InputError(f"there is no tool {gone[0]!r}", file=file, mend="delete its table")
    changed = []
    for tool in toolbox:
        wanted = found.get(tool.name, {})
        description, category = wanted.get("description") or tool.description, wanted.get("category") or tool.category
        changed.append(dataclasses.replace(tool, description=str(description), category=str(category)))
    return Toolbox(changed, toolbox.remarks, toolbox.files)


def _question(tool: Tool, categories: Sequence[str]) -> str:
    examples = "\n".join(f"- {e.request}" for e in tool.examples[:3])
    choice = f"\nCategories: {', '.join(categories)}" if categories else ""
    return (
        f"Function: {tool.name}\nSays of itself: {tool.description or '(nothing)'}\n"
        f"Arguments: {json.dumps(tool.properties, ensure_ascii=False)[:1500]}"
        + (f"\nPeople ask:\n{examples}" if examples else "")
        + choice
    )


def _read(tool: Tool, text: str, categories: Sequence[str]) -> Offer:
    try:
        said = json.loads(text)
        description, category = " ".join(said["description"].split()), " ".join(said["category"].split())
    except (ValueError, TypeError, KeyError, AttributeError):
        return Offer(tool.name, tool.description, problem="the answer is no description with a category")
    if not SHORTEST <= len(description) <= LONGEST:
        return Offer(tool.name, tool.description, problem=f"a description of {len(description)} characters")
    if not category or (categories and category not in categories):
        return Offer(tool.name, tool.description, problem=f"{category!r} is no category")
    return Offer(tool.name, tool.description, description, category.casefold() if not categories else category)
