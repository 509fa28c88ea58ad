"""Discriminators, ``oneOf`` and ``nullable``: which values of a choice an API's tool takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina.tools import Tool, read_tools

CAT = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "age": {"type": "integer"}}}
DOG = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}}}
NODE = {"type": "object", "properties": {"n": {"type": "integer"}}}


def field(folder: Path, schema: dict[str, Any], **schemas: Any) -> Tool:
    """A tool whose argument ``x`` has this schema."""
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object", "properties": {
        "x": schema}}}}}  # fmt: skip
    post = {"operationId": "f", "summary": "Does f.", "requestBody": body}
    root = {"openapi": "3.0.3", "paths": {"/f": {"post": post}}, "components": {"schemas": schemas}}
    (folder / "api.json").write_text(json.dumps(root))
    (tool,) = read_tools(folder / "api.json")
    return tool


def to(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("mapping", "cat"),
    [({}, "Cat"), ({"mapping": {"meow": to("Cat")["$ref"], "woof": "Dog"}}, "meow")],
)
def test_a_discriminator_says_which_branch_a_value_is_of(tmp_path: Path, mapping: dict[str, Any], cat: str):
    schema = {"oneOf": [to("Cat"), to("Dog")], "discriminator": {"propertyName": "kind", **mapping}}
    tool = field(tmp_path, schema, Cat=CAT, Dog=DOG)
    assert tool.problems({"x": {"kind": cat}}) == []
    assert tool.problems({"x": {"kind": "bird"}})
    assert tool.problems({"x": {"kind": cat, "age": "old"}}), "that is the cat's, whatever the dog takes"
    assert tool.properties["x"]["anyOf"][0]["properties"]["kind"]["const"] == cat


def test_the_discriminator_of_a_base_holds_for_what_is_built_on_it(tmp_path: Path):
    base = {**NODE, "properties": {"kind": {"type": "string"}}, "discriminator": {"propertyName": "kind"}}
    built = {name: {"allOf": [to("Base"), NODE]} for name in ("One", "Two")}
    tool = field(tmp_path, {"oneOf": [to("One"), to("Two")]}, Base=base, **built)
    assert tool.problems({"x": {"kind": "Two", "n": 1}}) == []
    assert tool.problems({"x": {"kind": "Base", "n": 1}})


def test_what_a_branch_says_itself_stays_and_a_discriminator_in_the_wrong_place_says_nothing(tmp_path: Path):
    own = {**CAT, "properties": {"kind": {"type": "string", "enum": ["cat"]}}}
    schema = {"oneOf": [to("Cat"), to("Dog")], "discriminator": {"propertyName": "kind"}}
    tool = field(tmp_path, schema, Cat=own, Dog=DOG)
    assert tool.problems({"x": {"kind": "cat"}}) == []
    schema["discriminator"] = {"propertyName": "elsewhere"}
    assert field(tmp_path, schema, Cat=own, Dog=DOG).problems({"x": {"kind": "any"}}) == []


def test_a_value_that_two_of_one_of_would_take_is_taken_and_demands_exclude_each_other(tmp_path: Path):
    tool = field(tmp_path, {"oneOf": [{"type": "number"}, {"type": "integer"}]})
    assert tool.problems({"x": 3}) == []
    assert tool.problems({"x": "three"})
    either = {"type": "object", "properties": {"id": {}, "name": {}}}
    tool = field(tmp_path, {**either, "oneOf": [{"required": ["id"]}, {"required": ["name"]}]})
    assert tool.problems({"x": {"id": 1}}) == []
    assert tool.problems({"x": {"id": 1, "name": "Ana"}})
    assert tool.problems({"x": {}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "string", "enum": ["a"]},
        {"allOf": [to("Node")]},
        {"type": "object", "allOf": [to("Node"), {"properties": {"m": {"type": "integer"}}}]},
        {"oneOf": [to("Node"), {"type": "integer"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "Either."},
        to("Node"),
    ],
)
def test_nullable_beside_whatever_takes_null(tmp_path: Path, schema: dict[str, Any]):
    assert field(tmp_path, schema, Node=NODE).problems({"x": None})
    tool = field(tmp_path, {**schema, "nullable": True}, Node=NODE)
    assert tool.problems({"x": None}) == []
    assert tool.problems({"x": 1.5})
    assert tool.properties["x"].get("description") == schema.get("description")


def test_a_nullable_body_is_spread_all_the_same(tmp_path: Path):
    body = {"content": {"application/json": {"schema": {**CAT, "nullable": True}}}}
    post = {"operationId": "f", "summary": "Does f.", "requestBody": body}
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.0.3", "paths": {"/f": {"post": post}}}))
    (tool,) = read_tools(tmp_path / "api.json")
    assert list(tool.properties) == ["kind", "age"]


def test_examples_and_choices_have_the_type_that_the_schema_says(tmp_path: Path):
    said = {"type": "integer", "maximum": 50, "example": "10"}
    assert field(tmp_path, said).properties["x"]["examples"] == [10]
    assert "examples" not in field(tmp_path, {**said, "example": "many"}).properties["x"]
    assert "examples" not in field(tmp_path, {**said, "example": 51}).properties["x"]
    assert "examples" not in field(tmp_path, {"type": "string", "format": "uuid", "example": "4f4e4e1"}).properties["x"]
    assert "examples" not in field(tmp_path, {"type": "number", "example": "1e999"}).properties["x"]
    assert field(tmp_path, {"type": "string", "enum": [0, 1]}).properties["x"]["enum"] == ["0", "1"]
    assert field(tmp_path, {"type": "integer", "enum": ["5", "10"]}).properties["x"]["enum"] == [5, 10]
    assert field(tmp_path, {"type": "string", "enum": ["a", 1]}).properties["x"]["enum"] == ["a", 1], "one fits"
