"""The grammar of calls takes every schema there is, admits what fits and turns away what doesn't."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lamina.models import calls_grammar, calls_schema
from lamina.models.grammar import FORMAT_PATTERNS
from lamina.tools import Tool, Toolbox, read_tools

llguidance = pytest.importorskip("llguidance", reason="pip install 'lamina[train]' brings llguidance")


def box(schema: dict[str, Any], **more: Any) -> Toolbox:
    return Toolbox([Tool("f", "", {"type": "object", "properties": {"v": schema}, "required": ["v"], **more})])


def admits(toolbox: Toolbox, text: str) -> bool:
    """Byte by byte, as an engine would write it."""
    tokenizer = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokenizer, calls_grammar(toolbox))
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    taken = matcher.try_consume_tokens(tokens)
    return bool(taken == len(tokens) and matcher.is_accepting())


def call(value: Any) -> str:
    return json.dumps([{"name": "f", "arguments": {"v": value}}])


FITS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "string", "enum": ["red", "blue"]}, "red", "green"),
    ({"enum": [1, None, "x"]}, None, 2),
    ({"const": "a"}, "a", "b"),
    ({"type": "integer", "minimum": 1, "maximum": 12}, 12, 13),
    ({"type": "number", "exclusiveMinimum": 0}, 0.5, -1),
    ({"type": "boolean"}, True, "yes"),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}, [1, 2], []),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
     {"a": "x"}, {"b": "x"}),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"any": 1}, {"any": "one"}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, 3),
    ({"type": ["string", "null"]}, None, 3),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1.5, "x"),
    ({"type": "string", "pattern": "^[A-Z]{3}$"}, "EUR", "eur"),
    ({"type": "string", "minLength": 2, "maxLength": 3}, "ab", "abcd"),
    ({"type": "string", "format": "date"}, "2026-11-23", "tomorrow"),
    ({"type": "string", "format": "time"}, "09:30", "nine"),
    ({"type": "string", "format": "date-time"}, "2026-11-23T09:30", "2026-11-23"),
    ({"type": "string", "format": "date-time"}, "2026-11-23T09:30:00+01:00", "2026-13-01T09:30"),
    ({"type": "string", "format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", "123"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "right", "wrong"), FITS)
def test_what_fits_may_be_written_and_what_does_not_may_not(schema: dict[str, Any], right: Any, wrong: Any):
    toolbox = box(schema)
    assert admits(toolbox, call(right))
    assert not admits(toolbox, call(wrong))
    assert not toolbox["f"].problems({"v": right}) or "oneOf" in schema
    assert toolbox["f"].problems({"v": wrong})


UNSUPPORTED: list[dict[str, Any]] = [
    {"type": "string", "pattern": "^(?=a)abc$"},
    {"type": "string", "pattern": r"(a)\1"},
    {"type": "string", "pattern": r"\bfoo\b"},
    {"type": "string", "pattern": "[[]"},
    {"type": "string", "pattern": "x{,3}"},
    {"type": "string", "pattern": "["},
    {"type": "array", "items": {"enum": ["a"]}, "uniqueItems": True},
    {"type": "array", "contains": {"type": "integer"}},
    {"type": "object", "propertyNames": {"pattern": "^a"}},
    {"not": {"type": "integer"}},
    {"if": {"type": "integer"}, "then": {"minimum": 1}},
    {"type": "object", "properties": {"a": {}}, "dependentRequired": {"a": ["b"]}},
    {"type": "string", "format": "weird"},
    {"type": "string", "format": "uri"},
    {"type": "integer", "minimum": -(2**63), "maximum": 2**64},
    {"type": "integer", "minimum": 5, "maximum": 3},
    {"type": "number", "exclusiveMinimum": True, "minimum": 0},
    {"enum": []},
    {"$ref": "#/$defs/nowhere"},
    {"$ref": "https://example.org/schema.json"},
    {"type": "array", "items": [{"type": "integer"}]},
    {"anyOf": []},
    {},
]


@pytest.mark.parametrize("schema", UNSUPPORTED, ids=json.dumps)
def test_a_keyword_that_grammars_do_not_take_is_left_to_validation(schema: dict[str, Any]):
    grammar = calls_grammar(box(schema))
    assert llguidance.LLMatcher.validate_grammar(grammar) == ""


def test_optional_arguments_may_be_left_out_and_stand_in_the_schema_s_order():
    both = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]}
    toolbox = Toolbox([Tool("f", "", both)])
    assert admits(toolbox, '[{"name": "f", "arguments": {"a": 1}}]')
    assert admits(toolbox, '[{"name": "f", "arguments": {"a": 1, "b": 2}}]')
    assert not admits(toolbox, '[{"name": "f", "arguments": {"b": 2, "a": 1}}]')
    assert not admits(toolbox, '[{"name": "f", "arguments": {"b": 2}}]')


def test_arguments_that_are_not_listed_cannot_be_written_even_where_the_schema_is_open():
    toolbox = box({"type": "integer"}, additionalProperties=True)
    assert not admits(toolbox, '[{"name": "f", "arguments": {"v": 1, "w": 2}}]')


def test_a_tool_that_lists_no_arguments_and_takes_any_can_be_called_with_some():
    anything = Toolbox([Tool("f", "", {"type": "object", "additionalProperties": {"type": "integer"}})])
    assert admits(anything, '[{"name": "f", "arguments": {"w": 2}}]')
    assert not admits(anything, '[{"name": "f", "arguments": {"w": "two"}}]')
    nothing = Toolbox([Tool("f", "", {"type": "object", "properties": {}})])
    assert not admits(nothing, '[{"name": "f", "arguments": {"w": 2}}]')


def test_properties_may_be_called_like_keywords():
    names = ["default", "format", "title", "enum", "required", "$ref", "x-y"]
    parameters = {"type": "object", "properties": {n: {"type": "integer"} for n in names}, "required": names}
    arguments = {n: 1 for n in names}
    assert admits(Toolbox([Tool("f", "", parameters)]), json.dumps([{"name": "f", "arguments": arguments}]))


def test_definitions_of_two_tools_with_one_name_stay_apart():
    def tool(name: str, leaf: str) -> Tool:
        node = {"type": "object", "properties": {"v": {"type": leaf}, "next": {"$ref": "#/$defs/Node"}}}
        return Tool(
            name, "", {"type": "object", "properties": {"n": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
        )

    toolbox = Toolbox([tool("f", "integer"), tool("g", "string")])
    assert admits(toolbox, '[{"name": "f", "arguments": {"n": {"v": 1, "next": {"v": 2}}}}]')
    assert admits(toolbox, '[{"name": "g", "arguments": {"n": {"v": "a", "next": {"v": "b"}}}}]')
    assert not admits(toolbox, '[{"name": "g", "arguments": {"n": {"v": 1}}}]')


def test_a_handful_of_calls_and_none_may_be_written(toolbox: Toolbox):
    one = '{"name": "split_bill", "arguments": {"total": 84, "people": 4}}'
    assert admits(toolbox, "[]")
    assert admits(toolbox, "[" + ", ".join([one] * 4) + "]")
    assert not admits(toolbox, "[" + ", ".join([one] * 5) + "]")
    assert not admits(toolbox, "[ ]")
    assert not admits(toolbox, f"[{one},{one}]")


def test_without_tools_only_the_refusal_may_be_written():
    assert admits(Toolbox([]), "[]")
    assert not admits(Toolbox([]), '[{"name": "f", "arguments": {}}]')


def test_the_tools_themselves_are_left_as_they_were():
    parameters = {"type": "object", "properties": {"v": {"enum": []}}, "required": ["v", "gone"]}
    before = json.dumps(parameters)
    calls_schema(Toolbox([Tool("f", "", parameters)]))
    assert json.dumps(parameters) == before


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]', True),
        ('[{"name": "split_invoice", "arguments": {"total": 84, "people": 4}}]', False),
        ('[{"name": "split_bill", "arguments": {"total": 84, "guests": 4}}]', False),
        ('[{"name": "split_bill", "arguments": {"total": 84}}]', False),
        ('[{"name": "split_bill", "arguments": {"total": 84, "people": 400}}]', False),
    ],
)
def test_of_the_desk_s_tools_only_what_exists_can_be_called(text: str, fits: bool):
    desk = read_tools(Path(__file__).parents[2] / "examples" / "desk" / "tools.py")
    assert llguidance.LLMatcher.validate_grammar(calls_grammar(desk)) == ""
    assert admits(desk, text) is fits


@pytest.mark.parametrize("year", [0, 1, 100, 400, 1900, 2000, 2024, 2026, 2100, 9999])
def test_a_date_is_a_day_of_the_calendar(year: int):
    def is_day(month: int, day: int) -> bool:
        try:
            return bool(date(year, month, day))
        except ValueError:
            return False

    days = [(month, day) for month in range(14) for day in range(33)]
    written = [re.fullmatch(FORMAT_PATTERNS["date"], f"{year:04}-{m:02}-{d:02}") is not None for m, d in days]
    assert written == [is_day(m, d) for m, d in days]


@pytest.mark.parametrize("end", [None, 7])
def test_a_model_that_speaks_may_say_words_before_its_calls_or_instead_of_them(end: int | None):
    from lamina.models.speaking import speaking_grammar

    tokenizer = llguidance.LLTokenizer("byte")

    def spoken(text: str) -> bool:
        matcher = llguidance.LLMatcher(tokenizer, speaking_grammar(calls_grammar(box({"type": "integer"})), end))
        assert not matcher.is_error(), matcher.get_error()
        tokens = tokenizer.tokenize_str(text)
        return bool(matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting())

    assert spoken("[]")
    assert spoken(call(3))
    assert spoken("Which one?\nThis or that; {both}?")
    assert spoken(f"I look it up.\n{call(3)}")
    assert not spoken(f"I look it up.\n{call('three')}")
    assert not spoken(f"{call(3)} Done.")
    assert not spoken("")
