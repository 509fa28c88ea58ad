"""Numbers whose own words say that they are something else than their argument (our choice; found by reading rows of
small writers, docs/results/library.md).

"6 % discount" is no price where the tool has an argument in percent, "3.7 liters" no weight in kilograms, "12 miles" no
distance of 12 kilometers, "I'm 70" no weight at all, and "11 people" no total where the tool has an argument of that
name. Only where every place of the request that says the number says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lamina.checks.evidence import Said, heard, leaves_of
from lamina.checks.quantities import Quantity, dimension_of, units_of
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Tool, Toolbox
from lamina.trajectories.number_phrases import Reading

LARGEST = 1e15
OLDEST = 120
"""Years; a number above it, or with a fraction, is no age."""
_PERCENT_SAID = re.compile(r" ?(?:%|per ?cent\b)")
_PERCENT_TOLD = re.compile(r"percent|per cent|%|prozent")
_MAY_BE_PERCENT = re.compile(rf"{_PERCENT_TOLD.pattern}|\brate\b|\bshare\b|fraction|probability|ratio|0 to 100|level")
_AGE_BEFORE = re.compile(r"\b(?:i'?m|i am|(?:he|she)(?:'?s| is))(?: (?:a little|just|about|almost|nearly|over))* $")
_AGE_TOLD = re.compile(r"\bages?\b|\bold\b|\byears?\b")
_AFTER_AN_AGE = re.compile(r"(?:[.,;!?]|$| and\b| but\b)(?!\d)")
_OTHER_SYSTEM = {
    "length": re.compile(r"[ -]?(?:miles?|feet|foot|ft|inch(?:es)?|yards?)\b"),
    "weight": re.compile(r"[ -]?(?:pounds?|lbs?|ounces?|oz|stones?)\b"),
    "volume": re.compile(r"[ -]?(?:gallons?|pints?|quarts?|cups?|fl oz)\b"),
}
"""Units that no argument in metric ones counts in."""
_PER = re.compile(r" (?:an?|per) ")
"""A price or a speed: "20 an hour" is no time."""


def mismarked(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Of a request that a model wrote for its calls."""
    for call in candidate.turns[0] if candidate.turns else []:
        tool = toolbox.get(call.name)
        for path, value, schema in leaves_of(tool, call.arguments) if tool else []:
            if type(value) not in (int, float) or not abs(value) < LARGEST:
                continue
            described = str(schema.get("description", ""))
            said = heard(candidate.request)
            others = _other_names(tool, path, call.arguments, value) if tool else []
            if tool and (why := _something_else(said, tool, path, float(value), described, others)):
                return Rejection("grounding", Reason.SWAPPED_ROLES, f"{path} is {value:g}, and the request says {why}")
    return None


def _something_else(
    said: Said, tool: Tool, path: str, value: float, description: str, others: Sequence[str]
) -> str | None:
    """What every place that says the number says of it; None where one of them says nothing else. ``others``: names of
    other arguments, in words."""
    told = f"{_words(path)} {description}".casefold()
    in_percent = not _MAY_BE_PERCENT.search(told) and _has_percent(tool)
    an_age = not _AGE_TOLD.search(told) and value.is_integer() and value <= OLDEST
    units = units_of(f"{tool.name}.{path}", description)
    own = rf"\b{re.escape((_words(path).casefold().split() or [''])[-1])}(?: is| of| ?[:=])? ?$"
    found: str | None = None
    for place in said.numbers.get(value, []):
        other = next((q for q in _quantities(said, place) if units and dimension_of(units[0]) != q.dimension), None)
        if in_percent and _PERCENT_SAID.match(said.text, place.end):
            found = f"{place.words} percent"
        elif an_age and _AGE_BEFORE.search(said.text[: place.start]) and _AFTER_AN_AGE.match(said.text, place.end):
            found = f"{place.words} as an age"
        elif foreign := _of_another_system(said, place, units):
            found = repr(foreign)
        elif other and not any(_alike(q, units) for q in _quantities(said, place)):
            found = repr(other.words)
        elif not re.search(own, said.text[: place.start]) and (name := _named_after(said, place, others)):
            found = f"{place.words} {name}"
        else:
            return None
    return found


def _other_names(tool: Tool, path: str, arguments: Mapping[str, Any], value: float) -> list[str]:
    """Of the tool's other arguments that count something, in words, unless their value is the same number."""
    return [
        _words(name).casefold()
        for name, schema in tool.properties.items()
        if name != path and schema.get("type") in ("number", "integer") and arguments.get(name) != value
    ]


def _named_after(said: Said, place: Reading, names: Sequence[str]) -> str | None:
    """Which of the names stands right after the number: not asked where its own name stands before it ("width 4 height
    5"). "6 items out of 67" says both numbers' things."""
    after = said.text[place.end :]
    return next((name for name in names if re.match(rf" {re.escape(name)}\b(?! (?:out )?(?:of|from)\b)", after)), None)


def _quantities(said: Said, place: Reading) -> list[Quantity]:
    """Amounts that begin with the number, or with its currency's sign. One letter after digits says little."""
    return [
        q
        for q in said.quantities
        if q.start in (place.start, place.start - 1)
        and not _PER.search(q.words)
        and not re.search(r"\d[a-z]$", q.words)
    ]


def _of_another_system(said: Said, place: Reading, units: Sequence[str]) -> str | None:
    """The number with its unit, "12 miles", where the argument is in a metric unit of that dimension."""
    unit = _OTHER_SYSTEM.get(dimension_of(units[0])) if units else None
    found = unit.match(said.text, place.end) if unit else None
    return said.text[place.start : found.end()] if found else None


def _alike(quantity: Quantity, units: Sequence[str]) -> bool:
    """Of one dimension: then a number in another unit is what grounding asks about."""
    return quantity.dimension in map(dimension_of, units)


def _has_percent(tool: Tool) -> bool:
    return any(
        schema.get("type") in ("number", "integer")
        and _PERCENT_TOLD.search(f"{_words(name)} {schema.get('description', '')}".casefold())
        for name, schema in tool.properties.items()
    )


def _words(name: str) -> str:
    """``patientAge`` and ``patient_age``: patient age."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace(".", " ")
