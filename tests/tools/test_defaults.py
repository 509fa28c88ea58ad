"""Defaults and choices in a schema are of the schema's own type, each said once."""

from __future__ import annotations

from collections.abc import Callable

from lamina.tools import Toolbox

SOURCE = '''
from decimal import Decimal
from enum import Enum


class Colour(Enum):
    RED = 1
    BLUE = "b"
    OLD = RED


def pay(price: Decimal = Decimal("1.5"), limit: float = float("inf"), times: int = 2.0, colour: Colour = Colour.RED):
    """Pay."""
'''


def test_a_default_is_of_the_type_that_the_schema_names(read: Callable[[str], Toolbox]) -> None:
    properties = read(SOURCE)["pay"].properties
    assert properties["price"] == {"type": "number", "default": 1.5}
    assert properties["limit"] == {"type": "number"}, "no JSON has an infinity, and null is no number"
    assert properties["times"]["default"] == 2


def test_an_alias_of_a_choice_is_no_second_choice(read: Callable[[str], Toolbox]) -> None:
    assert read(SOURCE)["pay"].properties["colour"]["enum"] == [1, "b"]


def test_any_value_and_what_a_decorator_collects_are_arguments_and_tools(read: Callable[[str], Toolbox]) -> None:
    tools = read('''
import functools
from decimal import Decimal
from typing import Annotated, Any

from pydantic import JsonValue, WithJsonSchema


def _collect(f):
    @functools.wraps(f)
    def run(*args, **kwargs):
        return list(f(*args, **kwargs))
    return run


@_collect
def count(upto: int, note: JsonValue, free: Any) -> list[int]:
    """Count."""
    yield from range(upto)


def odd(a: Annotated[str | None, WithJsonSchema({"type": ["string", "null"]})] = "q", b: Decimal = Decimal("sNaN")):
    """Odd."""
''')
    assert tools["count"].properties["note"] == tools["count"].properties["free"] == {}
    assert tools["odd"].properties["a"]["default"] == "q"
    assert "default" not in tools["odd"].properties["b"]
