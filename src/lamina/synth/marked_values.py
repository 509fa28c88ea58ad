"""Values whose own words say that they are something else than the argument that has them (our choice; found by reading
rows of small writers, docs/results/library.md).

"6 % discount" is no price where the tool has an argument in percent, "3.7 liters" no weight in kilograms, and
"I'm 70" an age. Only where every mention of the number says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamina.checks.evidence import heard, leaves_of
from lamina.checks.quantities import Quantity, dimension_of, units_of
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Tool, Toolbox

_PERCENT = re.compile(r" ?(?:%|per ?cent\b)")
_IN_PERCENT = re.compile(r"percent|per cent|%|\brate\b|\bshare\b|\bfraction\b|\bprobability\b|\bratio\b")
_AGE_BEFORE = re.compile(r"\b(?:i'?m|i am|(?:he|she)(?:'?s| is))(?: (?:a little|just|about|almost|nearly|over))* $")
_AGE = re.compile(r"\bages?\b|\bold\b|\byears?\b")
_AFTER_AN_AGE = re.compile(r"(?:[.,;!?]|$| and\b| but\b)")


def mismarked(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Of a request that a model wrote for its calls. Numbers that are said in several places, or in words, are
    believed."""
    for call in candidate.turns[0] if candidate.turns else []:
        tool = toolbox.get(call.name)
        for path, value, schema in leaves_of(tool, call.arguments) if tool else []:
            if type(value) in (int, float) and (
                why := _other(candidate.request, tool, path, float(value), str(schema.get("description", "")))
            ):
                return Rejection("grounding", Reason.SWAPPED_ROLES, f"{path} is {value:g}, and {why}")
    return None


def _other(request: str, tool: Tool | None, path: str, value: float, description: str) -> str | None:
    """What every place of the request that says the number says of it; None where one of them says nothing else."""
    said = heard(request)
    if tool is None or value not in said.numbers:
        return None
    told = f"{path.replace('_', ' ')} {description}".casefold()
    in_percent = not _IN_PERCENT.search(told) and _has_percent(tool)
    an_age = not _AGE.search(told)
    units = units_of(f"{tool.name}.{path}", description)
    found: str | None = None
    for place in said.numbers[value]:
        with_unit = [q for q in said.quantities if q.start == place.start] if units else []
        if in_percent and _PERCENT.match(said.text, place.end):
            found = "the request says it in percent"
        elif an_age and _AGE_BEFORE.search(said.text[: place.start]) and _AFTER_AN_AGE.match(said.text, place.end):
            found = "the request says it as an age"
        elif with_unit and not any(_alike(q, units) for q in with_unit):
            found = f"the request says {with_unit[0].words!r}"
        else:
            return None
    return found


def _has_percent(tool: Tool) -> bool:
    return any(
        _IN_PERCENT.search(f"{name.replace('_', ' ')} {schema.get('description', '')}".casefold())
        for name, schema in tool.properties.items()
    )


def _alike(quantity: Quantity, units: Sequence[str]) -> bool:
    """Of one dimension: then a number in another unit is what grounding asks about."""
    return quantity.dimension in map(dimension_of, units)
