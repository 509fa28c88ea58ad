"""Draws valid-looking arguments for a tool from its JSON Schema: the first half of *call-first*.

Enums, booleans and numbers come from the schema. Strings come, in this order, from what the tool itself says
(its docstring examples and the quoted phrases of the argument's description), from values a model wrote for
this argument, and from ``material/values.toml``, everyday values by kind. Whether a drawn call is *really*
valid is not decided here: it is executed, and what fails is drawn again (our choice; APIGen starts from
model-written calls instead, arXiv 2406.18518 section 3).
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lamina.tools import Tool

SMALL_NUMBERS = [str(n) for n in (*range(2, 13), 15, 20, 25, 50, 100)]
_FREE_KINDS = ("task", "item", "topic", "word")
_QUOTED = re.compile(r"[\"“]([^\"”]{2,40})[\"”]")
# a description quotes what NOT to write as often as what to write: 'without "remind me to"'
_NEGATED = re.compile(r"\b(?:without|not|never|no|instead of|except)\b[^.;]*", re.IGNORECASE)


@dataclass
class ValuePool:
    """Values per (tool, argument path) that came from the tool's own words and from a model."""

    own: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    written: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tools: list[Tool]) -> ValuePool:
        pool = cls()
        for tool in tools:
            for path, schema in string_leaves(tool.parameters):
                found = [v for e in tool.examples for v in _at(e.arguments, path) if isinstance(v, str)]
                found += _QUOTED.findall(_NEGATED.sub("", schema.get("description", "")))
                pool.own[tool.name, path] = list(dict.fromkeys(found))
        return pool


def string_leaves(schema: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Paths (``contact.name``, ``items[]``) of the free string arguments in a schema."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, sub in schema.get("properties", {}).items():
        sub = _first_type(sub)
        path = f"{prefix}{name}"
        if sub.get("type") == "array":
            item = _first_type(sub.get("items", {}))
            if item.get("type") == "string" and "enum" not in item:
                found.append((f"{path}[]", {"description": sub.get("description", ""), **item}))
        elif sub.get("type") == "object":
            found += string_leaves(sub, f"{path}.")
        elif sub.get("type") == "string" and "enum" not in sub and "const" not in sub:
            found.append((path, sub))
    return found


def draw_arguments(tool: Tool, rng: random.Random, pool: ValuePool) -> dict[str, Any]:
    """One set of arguments; optional ones are present about half of the time, never at their default."""
    return _draw_object(tool, tool.parameters, "", rng, pool)


def kind_of(path: str, schema: dict[str, Any]) -> str:
    """The kind of everyday value an argument wants, from its name, then its description."""
    return _kind_of(path, schema.get("description", "").lower())


@lru_cache(maxsize=4096)
def _kind_of(path: str, text: str) -> str:
    name = re.split(r"[._]", path.replace("[]", "").rsplit(".", 1)[-1].lower())
    best, best_score = "word", 0.0
    for kind, entry in _kinds().items():
        score = sum(3.0 for cue in entry["cues"] if cue in name)
        score += sum(1.0 for cue in entry["cues"] if re.search(rf"\b{re.escape(cue)}\b", text))
        if kind == "word":
            score /= 4  # its cues ("name", "word") are part of many descriptions
        if score > best_score:
            best, best_score = kind, score
    return best


def everyday_value(kind: str, rng: random.Random) -> str:
    """A value of ``material/values.toml``, or for ``number`` a small round one."""
    return (
        str(rng.choice((*range(2, 13), 15, 20, 25, 50, 100)))
        if kind == "number"
        else rng.choice(_kinds()[kind]["values"])
    )


def is_free_text(path: str, schema: dict[str, Any]) -> bool:
    return kind_of(path, schema) in _FREE_KINDS


@lru_cache(maxsize=1)
def _kinds() -> dict[str, dict[str, Any]]:
    text = files("lamina.synth").joinpath("material", "values.toml").read_text("utf-8")
    kinds: dict[str, dict[str, Any]] = tomllib.loads(text)["kinds"]
    return kinds


def _first_type(schema: dict[str, Any]) -> dict[str, Any]:
    """The first non-null branch of an ``anyOf``/``oneOf``, with the outer description kept."""
    for key in ("anyOf", "oneOf"):
        branches = [b for b in schema.get(key, []) if b.get("type") != "null"]
        if branches:
            return {"description": schema.get("description", ""), **branches[0]}
    if isinstance(schema.get("type"), list):
        kinds = [t for t in schema["type"] if t != "null"]
        return {**schema, "type": kinds[0] if kinds else "null"}
    return schema


def _draw_object(
    tool: Tool, schema: dict[str, Any], prefix: str, rng: random.Random, pool: ValuePool
) -> dict[str, Any]:
    required = schema.get("required", [])
    drawn: dict[str, Any] = {}
    for name, sub in schema.get("properties", {}).items():
        if name not in required and rng.random() < 0.5:
            continue
        value = _draw(tool, _first_type(sub), f"{prefix}{name}", rng, pool)
        if name in required or value != sub.get("default"):
            drawn[name] = value
    return drawn


def _draw(tool: Tool, schema: dict[str, Any], path: str, rng: random.Random, pool: ValuePool) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    match schema.get("type"):
        case "boolean":
            return rng.random() < 0.5
        case "integer" | "number":
            return _draw_number(schema, path, rng)
        case "array":
            low, high = schema.get("minItems", 1), schema.get("maxItems", 4)
            count = max(low, min(high, rng.choice((1, 1, 2, 2, 3, 3, 4))))
            items = [
                _draw(tool, _first_type(schema.get("items", {})), f"{path}[]", rng, pool)
                if _first_type(schema.get("items", {})).get("type") != "string"
                else _draw_string(tool, {"description": schema.get("description", ""), **schema["items"]},
                                  f"{path}[]", rng, pool)
                for _ in range(count)
            ]  # fmt: skip
            return [v for i, v in enumerate(items) if v not in items[:i]]
        case "object" if "properties" in schema:
            return _draw_object(tool, schema, f"{path}.", rng, pool)
        case "object":
            value_schema = schema.get("additionalProperties")
            value_schema = value_schema if isinstance(value_schema, dict) else {"type": "string"}
            keys = rng.sample(_kinds()["word"]["values"], 2)
            return {k: _draw(tool, _first_type(value_schema), f"{path}.{k}", rng, pool) for k in keys}
        case "null":
            return None
    return _draw_string(tool, schema, path, rng, pool)


def _draw_string(tool: Tool, schema: dict[str, Any], path: str, rng: random.Random, pool: ValuePool) -> str:
    if schema.get("format") in ("date", "date-time", "time"):
        day = f"{rng.choice((2026, 2027))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        clock = f"{rng.randint(7, 21):02}:{rng.choice(('00', '15', '30', '45'))}:00"
        return {"date": day, "time": clock, "date-time": f"{day}T{clock}"}[schema["format"]]
    own = pool.own.get((tool.name, path), [])
    written = pool.written.get((tool.name, path), [])
    if own and rng.random() < 0.12:
        return rng.choice(own)
    kind = kind_of(path, schema)
    if written and rng.random() < 0.5:
        return rng.choice(written)
    if kind == "person" and rng.random() < 0.35:
        return f"{rng.choice(_people())} {rng.choice(_kinds()['surname']['values'])}"
    entry = _kinds()[kind]
    if "patterns" in entry:
        return _fill(rng.choice(entry["patterns"]), rng)
    value: str = rng.choice(entry["values"])
    return value


def _people() -> list[str]:
    return [v for v in _kinds()["person"]["values"] if " " not in v and v[0].isupper()]


def _fill(pattern: str, rng: random.Random) -> str:
    first, last = rng.choice(_people()).lower(), rng.choice(_kinds()["surname"]["values"]).lower()
    text = pattern.replace("{first}", first).replace("{last}", last)
    return "".join(str(rng.randint(0, 9)) if c == "#" else c for c in text)


_MONEY_WORDS = re.compile(r"\b(amount|total|price|bill|cost|money|fee|salary|sum)\b")


def _draw_number(schema: dict[str, Any], path: str, rng: random.Random) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0 if "maximum" in schema else None))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    text = f"{path.replace('_', ' ')} {schema.get('description', '')}".lower()
    low = 1 if low is None else max(low, 1 if schema.get("exclusiveMinimum") == 0 else low)
    if "percent" in text:
        return rng.choice((5, 8, 10, 12, 15, 18, 20, 22, 25, 30))
    if high is not None and high - low <= 200:
        # people say small numbers far more often than large ones
        return int(low + min(high - low, rng.choice((1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 12))))
    roll = rng.random()
    value: int | float
    if roll < 0.25:
        value = rng.randint(2, 12)
    elif roll < 0.5:
        value = rng.randint(13, 99)
    elif roll < 0.75:
        value = rng.choice((25, 40, 50, 60, 75, 80, 100, 120, 150, 180, 200, 250, 300, 400, 500, 1000, 2500))
    elif schema.get("type") == "number" and _MONEY_WORDS.search(text):
        value = round(rng.uniform(5, 400), 2)
    elif schema.get("type") == "number":
        value = round(rng.uniform(0.5, 90), 1)
    else:
        value = rng.randint(100, 1200)
    if high is not None:
        value = min(value, high)
    return int(value) if schema.get("type") == "integer" or value == int(value) else value


def _at(arguments: Any, path: str) -> list[Any]:
    """The values at a path of ``string_leaves``; empty where absent."""
    current = [arguments]
    for part in path.split("."):
        key, many = part.removesuffix("[]"), part.endswith("[]")
        current = [c[key] for c in current if isinstance(c, dict) and key in c]
        if many:
            current = [v for c in current if isinstance(c, list) for v in c]
    return current
