"""Schemas that are valid, and written as few people write them: each is read, linted, probed and compared."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lamina.synth.probing import drawn_arguments
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.linting import lint

ODD: dict[str, Any] = {
    "anything": True,
    "nothing": False,
    "many": {"type": "array", "items": True, "minItems": 2.0},
    "long": {"type": "string", "minLength": 3.0},
    "either": {"anyOf": [True, {"type": "string"}]},
    "open": {"type": "object", "additionalProperties": True},
    "named": {"$ref": "#/$defs/type"},
}


def odd(**more: Any) -> dict[str, Any]:
    needed = ["anything", "many", "long"]
    return {"type": "object", "properties": ODD, "required": needed, "$defs": {"type": True, "enum": {}}, **more}


@pytest.mark.parametrize("key", ["parameters", "inputSchema"])
def test_a_list_with_schemas_that_are_true_or_false_is_read_linted_and_probed(tmp_path: Path, key: str):
    (tmp_path / "list.json").write_text(json.dumps([{"name": "f", "description": "Does f.", key: odd()}]))
    (tool,) = toolbox = read_tools(tmp_path / "list.json")
    assert tool.properties["anything"] == {}
    assert tool.properties["many"]["items"] == {}
    assert tool.properties["nothing"] == {"not": {}}
    assert tool.properties["open"] == ODD["open"], "there true is the usual form"
    assert "anything" in next(r.detail for r in lint(toolbox) if r.code == "untyped")
    first = next(drawn_arguments(tool))
    assert len(first["many"]) >= 2
    assert len(first["long"]) >= 3


def test_a_tool_of_a_record_with_such_a_schema_is_compared_and_linted():
    tool = Tool.from_openai({"name": "f", "description": "Does f.", "parameters": odd()})
    assert tool.with_defaults({"anything": 1}) == {"anything": 1}
    assert lint(Toolbox([tool]))
    assert tool.parameters["properties"]["anything"] is True, "the record keeps its own words"


def test_a_record_whose_arguments_stand_in_a_list_has_a_bad_tool():
    tool = Tool.from_openai({"name": "f", "description": "Does f.", "parameters": {"properties": ["x"]}})
    with pytest.raises(ValueError, match="is not of type"):
        tool.problems({"x": 1})


def test_an_api_whose_counts_are_written_with_a_point_is_probed(tmp_path: Path):
    words = {"type": "array", "items": {"type": "string", "minLength": 3.0}, "minItems": 2.0}
    query = {"name": "q", "in": "query", "required": True, "schema": words}
    spec = {"openapi": "3.0.0", "paths": {"/a": {"get": {"operationId": "g", "summary": "A.", "parameters": [query]}}}}
    (tmp_path / "api.json").write_text(json.dumps(spec))
    (tool,) = read_tools(tmp_path / "api.json")
    drawn = next(drawn_arguments(tool))["q"]
    assert len(drawn) >= 2
    assert all(len(word) >= 3 for word in drawn)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 200_000_000},
        {"type": "array", "items": {"type": "string"}, "minItems": 1_000_000_000},
    ],
)
def test_a_schema_that_wants_gigabytes_gets_no_arguments_and_takes_no_time(schema: dict[str, Any]):
    tool = Tool("f", "Does f.", {"type": "object", "properties": {"a": schema}, "required": ["a"]})
    start = time.process_time()
    assert list(drawn_arguments(tool)) == []
    assert time.process_time() - start < 2
