"""Evidence: which words of a request each argument value of a call comes from.

Deterministic, so that a person can follow it: numbers in digits or words, also in another unit than the argument's,
text as it stands there (as words of its own), enum values by their own words, by common names of units and currencies,
or by synonyms that the argument's description gives, dates by what means them at the clock. Values equal to a declared
default need not be said (our choice, in the spirit of xLAM's argument hallucination check, arXiv 2409.03215 section
4)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from lamina.checks.moments import phrase_for
from lamina.checks.names_said import SYNONYMS, believed, names_of
from lamina.checks.quantities import Quantity, in_another_unit, one_said, quantities_in, said_in, share_said, units_of
from lamina.checks.words_said import find_words
from lamina.tools import Tool, Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Evidence, Message, ToolCall
from lamina.trajectories.number_phrases import Reading
from lamina.trajectories.number_readings import plain as plain
from lamina.trajectories.number_readings import readings_in, to_float

_NUMERAL = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?")
"""A number that is kept as text; one with a leading zero is a code."""

_ENDS_IN_Y = re.compile(r"[b-df-hj-np-tv-xz]y$")


def evidence_of(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[Evidence]:
    """One for each of ``values_of``, then for each of ``beside_values``; ``now`` is the record's clock (ISO 8601), at
    which relative dates are read."""
    said = heard(request, now)
    found = [said.trace(argument, value, schema) for argument, value, schema in values_of(calls, toolbox)]
    return found + [said.trace_beside(*beside) for beside in beside_values(calls, toolbox)]


def evidence_in(messages: Sequence[Message], toolbox: Toolbox, now: str | None = None) -> list[Evidence]:
    """Of each call that answers a user, in their order: traced to what was said since the calls before it, and where it
    was not said there, to all that users said before it. Calls that go on from a result have none: their values may be
    worked out of it."""
    found: list[Evidence] = []
    before: list[str] = []
    since: list[str] = []
    for message in messages:
        if message.role == "user":
            since.append(message.content)
        elif message.tool_calls and since:
            before += since
            near = evidence_of("\n".join(since), message.tool_calls, toolbox, now)
            far = evidence_of("\n".join(before), message.tool_calls, toolbox, now) if len(before) > len(since) else near
            found += [f if n.verdict == "missing" else n for n, f in zip(near, far, strict=True)]
            since = []
    return found


def values_of(calls: Sequence[ToolCall], toolbox: Toolbox) -> list[tuple[str, Any, JSON]]:
    """Path, value and schema of each leaf of the arguments of the calls whose function is known, in their order."""
    return [
        (f"{call.name}.{path}", value, schema)
        for call in calls
        if (tool := toolbox.get(call.name))
        for path, value, schema in leaves_of(tool, call.arguments)
    ]


def beside_values(calls: Sequence[ToolCall], toolbox: Toolbox) -> list[tuple[str, Any, JSON]]:
    """What arguments hold beside their leaves, with path and schema: empty lists and objects, and the keys of objects
    whose schema names none, which whoever makes the call chooses like a value."""
    found: list[tuple[str, Any, JSON]] = []

    def walk(path: str, value: Any, schema: Any) -> None:
        schema = schema if isinstance(schema, dict) else {}
        if isinstance(value, dict) and value:
            named = schema.get("properties")
            for key, sub in value.items():
                if not named and not schema.keys() & {"$ref", "allOf", "anyOf", "oneOf"}:
                    found.append((f"{path} (a key)", key, schema))
                walk(f"{path}.{key}", sub, (named or {}).get(key))
        elif isinstance(value, list) and value:
            for place, sub in enumerate(value):
                walk(f"{path}[{place}]", sub, schema.get("items"))
        elif isinstance(value, list | dict):
            found.append((path, value, schema))

    for call in calls:
        if tool := toolbox.get(call.name):
            for name, value in call.arguments.items():
                walk(f"{call.name}.{name}", value, tool.properties.get(name))
    return found


@lru_cache(maxsize=256)
def heard(request: str, now: str | None = None) -> Said:
    """The same for every question about one request."""
    return Said(request, now)


class Said:
    """A request prepared for look-ups, with the clock at which it was said. Not changed after it is made."""

    def __init__(self, request: str, now: str | None = None):
        self.text, self.now = plain(request), now

    @cached_property
    def readings(self) -> list[Reading]:
        return readings_in(self.text)

    @cached_property
    def numbers(self) -> dict[float, list[Reading]]:
        found: dict[float, list[Reading]] = {}
        for reading in self.readings:
            found.setdefault(reading.value, []).append(reading)
        return found

    @cached_property
    def quantities(self) -> list[Quantity]:
        return quantities_in(self.text, self.readings)

    def trace(self, argument: str, value: Any, schema: JSON) -> Evidence:
        """``argument``: the path that the evidence is about."""
        if "default" in schema and value == schema["default"]:
            return Evidence(argument=argument, verdict="default")
        if value is None or isinstance(value, bool):
            return Evidence(argument=argument, verdict="untraceable")
        if isinstance(value, int | float):
            by, words = self._number(to_float(value), argument, str(schema.get("description", "")))
        else:
            by, words = self._text(str(value), argument, schema)
        if words is None:
            return Evidence(argument=argument, verdict="missing")
        return Evidence(argument=argument, verdict="said", words=words, by=by)

    def trace_beside(self, argument: str, value: Any, schema: JSON) -> Evidence:
        """Of ``beside_values``: a key is said, or follows from how its object is described; no words stand for what is
        empty."""
        if "default" in schema and value == schema["default"]:
            return Evidence(argument=argument, verdict="default")
        if not isinstance(value, str):
            return Evidence(argument=argument, verdict="untraceable")
        said = self.trace(argument, value, {})
        told = plain(f"{argument} {schema.get('description', '')}")
        described = said.verdict == "missing" and any(find_words(told, form) for form in _forms(plain(value)))
        return Evidence(argument=argument, verdict="untraceable") if described else said

    def says_word(self, value: str) -> bool:
        forms = (value, value.rstrip("s"), *SYNONYMS.get(value, ())[:2])
        return any(find_words(self.text, f) for f in forms if len(f) > 2)

    def _number(self, value: float, argument: str, description: str) -> tuple[str, str | None]:
        """By which rule, and the words. Nobody says infinity, which stands for what is too large."""
        if not math.isfinite(value):
            return "number", None
        units = units_of(argument, description)
        for reading in self.numbers.get(value, ()):
            if not (units and in_another_unit(reading, units, self.text)):
                return "number", reading.words
        if value == 1 and not units and (one := one_said(self.text)):
            return "number", one
        for unit in units:
            if found := said_in(value, unit, self.quantities):
                return f"unit: in {unit}", found.words
        return "unit: percent as a share", share_said(value, argument, description, self.text, self.readings)

    def _text(self, value: str, argument: str, schema: JSON) -> tuple[str, str | None]:
        text = plain(value)
        if not text:
            return "text", None
        for form in _forms(text):
            if words := find_words(self.text, form):
                return "text", words
        if "enum" in schema or "const" in schema:
            for name in names_of(text, schema.get("description", "")):
                if (words := find_words(self.text, name, inflected=False)) and believed(name, self.text):
                    return "name", words
        elif _NUMERAL.fullmatch(text):
            by, number = self._number(float(text), argument, str(schema.get("description", "")))
            if number is not None and number != text:  # "five" and "1,500"; as "5" it would have been found
                return by, number
        return "date", phrase_for(value, self.text, self.now)


@lru_cache(maxsize=1024)
def _forms(text: str) -> tuple[str, ...]:
    """As it is, with spaces for ``_``, without the ending of a plural, and with that of one that changes the word."""
    forms = [text, text.replace("_", " ")]
    last = forms[1].rpartition(" ")[2]
    if len(last) > 4 and last.isalpha() and last.endswith("s") and not last.endswith("ss"):
        forms.append(f"{forms[1][:-3]}y" if last.endswith("ies") else forms[1][:-1])
    if len(last) > 3 and _ENDS_IN_Y.search(last):  # other plurals are endings that ``find_words`` knows
        forms.append(f"{forms[1][:-1]}ies")
    return tuple(dict.fromkeys(forms))


def leaves_of(tool: Tool, arguments: JSON) -> list[tuple[str, Any, JSON]]:
    found: list[tuple[str, Any, JSON]] = []

    def walk(path: str, value: Any, schema: JSON) -> None:
        branches = [b for k in ("anyOf", "oneOf") for b in schema.get(k, []) if b.get("type") != "null"]
        if branches:
            kept: JSON = {k: schema[k] for k in ("description", "default") if k in schema}
            schema = {**branches[0], **kept}
        if isinstance(value, dict):
            for key, sub in value.items():
                walk(f"{path}.{key}" if path else key, sub, schema.get("properties", {}).get(key, {}))
        elif isinstance(value, list):
            for i, sub in enumerate(value):
                item = schema.get("items", {})
                walk(f"{path}[{i}]", sub, item if isinstance(item, dict) else {})
        else:
            found.append((path, value, schema))

    walk("", arguments, tool.sound_parameters)
    return found


def numbers_in(text: str) -> list[float]:
    """The values of ``readings_in``."""
    return [reading.value for reading in readings_in(text)]
