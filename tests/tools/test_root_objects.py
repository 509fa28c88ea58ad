"""Tools of servers and lists whose arguments stand elsewhere than at the root of their schema, or may be any."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.errors import ToolDefinitionError
from lamina.tools import Toolbox, read_tools
from lamina.tools.linting import lint
from lamina.tools.root_objects import as_one_object
from lamina.tools.validators import validator_for

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DAY = {"type": "object", "properties": {"day": {"type": "integer"}}, "required": ["day"], "additionalProperties": False}
TREE = {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "n": {"type": "integer"}}}
ROOTS: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "ref": ({"$ref": "#/$defs/c", "$defs": {"c": CITY}}, [{"city": "Rome"}], [{}, {"city": 1}, {"town": "Rome"}]),
    "all of": ({"allOf": [CITY, DAY]}, [{"city": "Rome", "day": 1}], [{"city": "Rome"}, {"day": 1}]),
    "all of references": (
        {"allOf": [{"$ref": "#/definitions/c"}, DAY], "definitions": {"c": CITY}},
        [{"city": "Rome", "day": 1}],
        [{"city": "Rome"}, {"city": 1, "day": 1}],
    ),
    "any of": ({"anyOf": [CITY, DAY]}, [{"city": "Rome"}, {"day": 1}], [{}, {"town": "Rome"}, {"day": "x"}]),
    "one of": ({"type": "object", "oneOf": [CITY, DAY]}, [{"city": "Rome"}, {"day": 1}], [{}]),
    "of several types": ({**CITY, "type": ["object", "null"]}, [{"city": "Rome"}], [{}]),
    "or null": ({"anyOf": [CITY, {"type": "null"}]}, [{"city": "Rome"}], [{}]),
    "free": ({"type": "object", "additionalProperties": True}, [{}, {"any": 1}], []),
    "free of a kind": ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "one"}]),
    "holds itself": ({"$ref": "#/$defs/tree", "$defs": {"tree": TREE}}, [{"left": {"n": 1}}], [{"left": {"n": "x"}}]),
    "two that disagree": (
        {"allOf": [CITY, {"properties": {"city": {"maxLength": 3}}}]},
        [{"city": "Rom"}],
        [{"city": "Roma"}],
    ),
    "nothing said": ({"type": "object"}, [{}], [{"any": 1}]),
}


def read(folder: Path, key: str, *schemas: Any) -> Toolbox:
    rows = [{"name": f"f{n}", "description": f"Does {n}.", key: schema} for n, schema in enumerate(schemas)]
    (folder / "list.json").write_text(json.dumps(rows))
    return read_tools(folder / "list.json")


@pytest.mark.parametrize("key", ["inputSchema", "parameters"])
@pytest.mark.parametrize("name", ROOTS)
def test_arguments_are_known_wherever_the_root_has_them(tmp_path: Path, name: str, key: str):
    schema, fitting, others = ROOTS[name]
    box = read(tmp_path, key, schema)
    assert box.remarks == ()
    assert [box["f0"].problems(arguments) for arguments in fitting] == [[]] * len(fitting)
    assert all(box["f0"].problems(arguments) for arguments in others)


def test_what_cannot_be_arguments_is_left_out_of_a_servers_list_and_an_error_in_ones_own(tmp_path: Path):
    bad = [
        {"$ref": "#/$defs/no"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "array"}}},
    ]
    box = read(tmp_path, "inputSchema", CITY, *bad)
    assert box.names == ["f0"]
    assert [(r.code, r.dropped) for r in box.remarks] == [("bad_schema", True)] * len(bad)
    for schema in bad:
        with pytest.raises(ToolDefinitionError, match="f0: its parameters are no"):
            read(tmp_path, "parameters", schema)


def test_references_that_double_end_soon(tmp_path: Path):
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}] * 2} for n in range(1, 14)}
    begun = time.process_time()
    box = read(tmp_path, "inputSchema", CITY, {"$ref": "#/$defs/d13", "$defs": {"d0": CITY, **doubling}})
    assert time.process_time() - begun < 5
    assert box.names == ["f0"]
    assert ["more than 2,000 parts" in r.detail for r in box.remarks] == [True]


@pytest.mark.parametrize("key", ["inputSchema", "parameters"])
def test_what_is_required_and_not_described_may_be_anything(tmp_path: Path, key: str):
    box = read(tmp_path, key, {**CITY, "required": ["city", "day"]})
    assert box["f0"].problems({"city": "Rome", "day": 1}) == []
    assert [(r.code, r.dropped, "requires day" in r.detail) for r in box.remarks] == [("bad_schema", False, True)]


def test_a_missing_description_in_a_list_of_ones_own_is_for_lint_to_tell(tmp_path: Path):
    (tmp_path / "list.json").write_text(
        json.dumps([{"name": "f", "parameters": CITY}, {"name": "g", "description": "G."}])
    )
    box = read_tools(tmp_path / "list.json")
    assert box.names == ["f", "g"]
    assert box["f"].description == "f"
    assert [(r.where, r.code, r.dropped) for r in box.remarks] == [("entry 1", "no_description", False)]
    assert "no_description" in {r.code for r in lint(box)}


NAMES = st.sampled_from(["kind", "a", "b"])
ONE = st.sampled_from([{"const": "a"}, {"const": 1}, {"type": "string"}, {"type": "integer"}, {"maximum": 1}])
TABLE = st.dictionaries(NAMES, ONE, min_size=1, max_size=2)
NAMED = st.lists(NAMES, min_size=1, max_size=2, unique=True)
TEST = st.fixed_dictionaries({}, optional={"properties": TABLE, "required": NAMED})
PART = st.fixed_dictionaries(
    {},
    optional={
        "properties": TABLE,
        "required": NAMED,
        "if": TEST,
        "then": TEST,
        "else": TEST,
        "not": st.fixed_dictionaries({"required": NAMED}),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), ONE, min_size=1),
        "dependentRequired": st.dictionaries(NAMES, NAMED, min_size=1, max_size=2),
        "dependentSchemas": st.dictionaries(NAMES, TEST, min_size=1, max_size=2),
        "minProperties": st.integers(0, 2),
        "contains": ONE,
        "minContains": st.integers(0, 2),
    },
)
ROOT = st.builds(
    lambda own, parts, some, more: (
        {**own, "allOf": [*parts, *([{"anyOf": more}] if more else [])]} | ({"anyOf": some} if some else {})
    ),
    PART,
    st.lists(PART, min_size=1, max_size=3),
    st.lists(st.fixed_dictionaries({"required": NAMED}), max_size=2),
    st.lists(st.fixed_dictionaries({"required": NAMED}), max_size=2),
)
OBJECT = st.dictionaries(st.sampled_from(["kind", "a", "b", "ab"]), st.sampled_from(["a", "x", 1, 2]), max_size=4)


@given(root=ROOT, values=st.lists(OBJECT, min_size=1, max_size=8))
def test_a_root_put_together_lets_pass_what_it_did(root: dict[str, Any], values: list[dict[str, Any]]):
    before, after = validator_for(root), validator_for(as_one_object(root))
    for value in values:
        assert before.is_valid(value) == after.is_valid(value), value


def test_conditions_stay_whole():
    first = {"if": {"properties": {"kind": {"const": "a"}}}, "then": {"required": ["x"]}}
    second = {"if": {"properties": {"kind": {"const": "b"}}}, "then": {"required": ["y"]}, "else": {"required": ["z"]}}
    third = {"contains": {"const": 1}, "minContains": 2}
    own = {"properties": {"kind": {"type": "string"}}, "contains": {"const": 2}, "maxContains": 1}
    found = as_one_object({**own, "allOf": [first, second, third]})
    assert {key: found[key] for key in second} == second
    assert found["allOf"] == [first, third]
    assert not validator_for(found).is_valid({"kind": "a"})
