"""Numbers that are copied: of the request, in digits or in words, and decoding that can write no other.

A small model that gives a sum nobody named is worse than one that gives none ("10k" became 1000). Where every number
that it was taught for an argument was said, in whatever form, the engine offers the numbers of the request and the
argument's default (our choice, as with text: ``copying``)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from lamina.tools.tool import JSON
from lamina.trajectories.number_readings import plain, readings_in

LARGEST = 2**53
"""Above it a float is no longer one whole number."""
MOST_DIGITS = 15
"""Of a number: one with more may be another float after the engine has read it from the schema."""
MOST_NUMBERS = 64
"""Of a request that is still held to: a table of figures is no request."""


def is_number(schema: JSON) -> bool:
    """A number that is free: not one of a few that the schema names."""
    return schema.get("type") in ("number", "integer") and not {"enum", "const"} & set(schema)


def said_numbers(text: str) -> list[int | float]:
    """Every number that the text can be read to say, once; none where there are too many, or one among them is too long
    to be written back as it was said: what is offered must not lack the right one. Whole ones are integers: the engine
    writes ``2``, also where ``2.0`` is what a row has."""
    found: dict[float, None] = {}
    for reading in readings_in(plain(text)):
        if sum(map(str.isdecimal, reading.words)) > MOST_DIGITS or not abs(reading.value) < LARGEST:
            return []
        found[reading.value] = None
    return [_written(value) for value in found] if len(found) <= MOST_NUMBERS else []


def held_to_numbers(schema: JSON, said: Sequence[int | float]) -> JSON:
    """The schema of a number that is one of ``said``, or the default; unchanged where it allows none of them."""
    allowed = [n for n in said if _allows(schema, n)]
    if not allowed:
        return schema
    default = schema.get("default")
    if isinstance(default, int | float) and not isinstance(default, bool) and default not in allowed:
        allowed.append(default)
    return {"enum": allowed}


def _allows(schema: JSON, number: int | float) -> bool:
    if schema["type"] == "integer" and not isinstance(number, int):
        return False
    bounds = {name: bound for name, bound in schema.items() if _is_bound(bound)}
    low, high = bounds.get("minimum", number), bounds.get("maximum", number)
    within = low <= number <= high
    within = within and not ("exclusiveMinimum" in bounds and number <= bounds["exclusiveMinimum"])
    within = within and not ("exclusiveMaximum" in bounds and number >= bounds["exclusiveMaximum"])
    step = bounds.get("multipleOf")
    return within and not (step and Fraction(repr(number)) % Fraction(repr(step)))  # 19.99 is a multiple of 0.01


def _is_bound(value: Any) -> bool:
    """Schemas of other people hold texts there, and drafts before 6 a boolean: such ones forbid nothing here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _written(value: float) -> int | float:
    return int(value) if value.is_integer() else value
