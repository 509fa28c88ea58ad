"""Draws valid-looking arguments for a tool from its JSON Schema: the first half of *call-first*.

Enums, booleans and numbers come from the schema, and so do texts of a form (a ``pattern``, a ``format``). Other texts
come, in this order, from what the tool itself says (the schema's and the docstring's examples and the quoted phrases of
the argument's description), from values a model wrote for this argument, and from ``material/values.toml``, everyday
values by kind. Whether a drawn call is *really* valid is not decided here: it is executed, and what fails is drawn
again (our choice; APIGen starts from model-written calls instead, arXiv 2406.18518 section 3).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lamina.synth.drawn_numbers import draw_number
from lamina.synth.drawn_texts import is_of_pattern, of_form, of_length
from lamina.synth.everyday import kind_of, kinds, of_kind
from lamina.synth.schemas import count_in, examples_in, plain_schema
from lamina.synth.truth_values import shown_flags
from lamina.tools import Tool
from lamina.tools.tool import JSON

DEEPEST = 6
"""Objects and lists one within the other; below that only what is required is drawn, and then nothing at all."""
DEEPEST_REQUIRED = 3 * DEEPEST
"""Objects one within the other of which even what is required is drawn: a schema may require itself."""
MOST_PARTS = 2_000
"""Arguments that are looked at in one schema: one that holds itself ten times over never ends (our choice)."""
MOST_ITEMS = 50
"""Of a list. A schema that wants more gets nothing that fits."""
SHOWN = 0.5
"""Of the values of an argument whose schema has examples, so many are one of them (our choice)."""
_QUOTED = re.compile(r"[\"“]([^\"”]{2,40})[\"”]")
# a description quotes what NOT to write as often as what to write: 'without "remind me to"'
_NEGATED = re.compile(r"\b(?:without|not|never|no|instead of|except)\b[^.;]*", re.IGNORECASE)


@dataclass
class ValuePool:
    """Values per (tool, argument path) that came from the tool's own words and from a model. ``flags``: of each tool
    the truth values that may be left out and that its examples set."""

    own: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    written: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    flags: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tools: list[Tool]) -> ValuePool:
        pool = cls()
        for tool in tools:
            pool.flags[tool.name] = shown_flags(tool)
            for path, schema in string_leaves(tool.parameters):
                found = [v for e in tool.examples for v in _at(e.arguments, path) if isinstance(v, str)]
                found += _QUOTED.findall(_NEGATED.sub("", str(schema.get("description", ""))))
                pool.own[tool.name, path] = list(dict.fromkeys(found))
        return pool


def string_leaves(schema: JSON) -> list[tuple[str, JSON]]:
    """Paths (``contact.name``, ``items[]``) of the free string arguments in a tool's schema."""
    return _string_leaves(schema, schema, "", 0, count())


def _string_leaves(
    schema: JSON, root: JSON, prefix: str, depth: int, looked_at: Iterator[int]
) -> list[tuple[str, JSON]]:
    found: list[tuple[str, JSON]] = []
    for name, sub in _properties(schema).items() if depth <= DEEPEST else ():
        if next(looked_at) >= MOST_PARTS:
            break
        sub = plain_schema(sub, root)
        path = f"{prefix}{name}"
        if sub.get("type") == "array":
            item = plain_schema(sub.get("items"), root)
            if item.get("type") == "string" and "enum" not in item:
                found.append((f"{path}[]", _described(item, sub)))
        elif sub.get("type") == "object":
            found += _string_leaves(sub, root, f"{path}.", depth + 1, looked_at)
        elif sub.get("type") == "string" and "enum" not in sub and "const" not in sub:
            found.append((path, sub))
    return found


def draw_arguments(tool: Tool, rng: random.Random, pool: ValuePool, shown: float = SHOWN) -> JSON:
    """One set of arguments; optional ones are present about half of the time, never at their default, truth values
    only where an example sets them. Most fit the schema; not all: what bounds one value by another is not looked at.
    ``shown``: how many values are one of the schema's examples, where it has some."""
    return _Drawing(tool, rng, pool, shown).object_of(plain_schema(tool.parameters, tool.parameters), "", 0)


@dataclass
class _Drawing:
    tool: Tool
    rng: random.Random
    pool: ValuePool
    shown: float = SHOWN
    parts: int = 0

    def object_of(self, schema: JSON, prefix: str, depth: int) -> JSON:
        required = schema.get("required", [])
        properties = _properties(schema)
        drawn: JSON = {}
        if depth > DEEPEST_REQUIRED or self.parts > MOST_PARTS:
            return drawn
        for name in [*properties, *(n for n in required if n not in properties)]:
            self.parts += 1
            sub, path = plain_schema(properties.get(name), self.tool.parameters), f"{prefix}{name}"
            if name not in required and (depth > DEEPEST or self._is_silent(sub, path) or self.rng.random() < 0.5):
                continue
            value = self.value(sub, path, depth)
            if name in required or "default" not in sub or value != sub["default"]:
                drawn[name] = value
        for name in _lacking(schema, drawn):
            drawn[name] = self.value(plain_schema(properties.get(name), self.tool.parameters), f"{prefix}{name}", depth)
        return drawn

    def _is_silent(self, schema: JSON, path: str) -> bool:
        """Whether it is a truth value, and nobody showed how people ask for it."""
        return schema.get("type") == "boolean" and path not in self.pool.flags.get(self.tool.name, ())

    def value(self, schema: JSON, path: str, depth: int) -> Any:
        """``schema`` is a plain one."""
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.rng.choice(schema["enum"])
        if (examples := examples_in(schema)) and self.rng.random() < self.shown:
            return self.rng.choice(examples)
        match schema.get("type"):
            case "boolean":
                return self.rng.random() < 0.5
            case "integer" | "number":
                return draw_number(schema, path, self.rng)
            case "array":
                return self._list(schema, path, depth + 1)
            case "object" if "properties" in schema:
                return self.object_of(schema, f"{path}.", depth + 1)
            case "object":
                inner = plain_schema(schema.get("additionalProperties", {"type": "string"}), self.tool.parameters)
                keys = self.rng.sample(kinds()["word"]["values"], 2) if depth <= DEEPEST else []
                return {key: self.value(inner, f"{path}.{key}", depth + 1) for key in keys}
            case "null":
                return None
        return self._text(schema, path)

    def _list(self, schema: JSON, path: str, depth: int) -> list[Any]:
        """Without repetitions, as far as there are other values."""
        least, most = count_in(schema, "minItems", 1), count_in(schema, "maxItems", 4)
        first = schema.get("prefixItems") or []
        count = max(len(first), least, min(most, self.rng.choice((1, 1, 2, 2, 3, 3, 4))))
        count = min(count, MOST_ITEMS) if depth <= DEEPEST else 0
        if first and schema.get("items", False) is False:
            count = min(count, len(first))
        items: list[Any] = []
        for place in range(count):
            item = plain_schema(first[place] if place < len(first) else schema.get("items"), self.tool.parameters)
            items.append(self.value(_described(item, schema), f"{path}[]", depth))
        distinct = [v for i, v in enumerate(items) if v not in items[:i]]
        return distinct if len(distinct) >= max(least, len(first)) or schema.get("uniqueItems") else items

    def _text(self, schema: JSON, path: str) -> str:
        own = self.pool.own.get((self.tool.name, path), [])
        if "pattern" in schema:  # a description quotes what the pattern refuses, too: 'or "current"'
            own = [text for text in own if is_of_pattern(str(schema["pattern"]), text)]
            if own and self.rng.random() < SHOWN:
                return self.rng.choice(own)
        if (made := of_form(schema, self.rng)) is not None:
            return made
        written = self.pool.written.get((self.tool.name, path), [])
        return of_length(schema, lambda: self._any_text(schema, path, own, written))

    def _any_text(self, schema: JSON, path: str, own: list[str], written: list[str]) -> str:
        if own and self.rng.random() < 0.12:
            return self.rng.choice(own)
        if written and self.rng.random() < 0.5:
            return self.rng.choice(written)
        return of_kind(kind_of(path, schema), self.rng)


def _properties(schema: JSON) -> dict[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _lacking(schema: JSON, drawn: JSON) -> list[str]:
    """What has to stand beside what was drawn, as ``dependentRequired`` says it."""
    beside = schema.get("dependentRequired")
    found = list(drawn)
    for name in found:  # and beside that, in turn
        wanted = beside.get(name) if isinstance(beside, dict) else None
        found += [other for other in wanted if other not in found] if isinstance(wanted, list) else []
    return found[len(drawn) :]


def _described(item: JSON, schema: JSON) -> JSON:
    """What a list is for is what its items are for, unless they say it themselves."""
    return {"description": schema.get("description", ""), **item}


def _at(arguments: Any, path: str) -> list[Any]:
    """The values at a path of ``string_leaves``; empty where absent."""
    current = [arguments]
    for part in path.split("."):
        key, many = part.removesuffix("[]"), part.endswith("[]")
        current = [c[key] for c in current if isinstance(c, dict) and key in c]
        if many:
            current = [v for c in current if isinstance(c, list) for v in c]
    return current
