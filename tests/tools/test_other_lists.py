"""Lists of tools in the shapes that people have: OpenAI, xLAM, BFCL, ToolBench, MCP; packages and patterns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import ToolDefinitionError
from lamina.synth.probing import example_arguments
from lamina.tools import Toolbox, read_tools, sources_of, where_of
from lamina.tools.json_shapes import python_type, shape_of
from lamina.tools.linting import CODES, lint
from lamina.trajectories import read_trajectories

SERVERS = Path(__file__).parents[3] / "shared" / "data" / "livemcpbench" / "tools.json"
XLAM_ROWS = SERVERS.parents[1] / "hammer-fc" / "masking_sft_data_example.json"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SHAPES: dict[str, dict[str, Any]] = {
    "openai": {"type": "function", "function": {"name": "f", "description": "Does f.", "parameters": CITY}},
    "xlam": {"name": "f", "description": "Does f.", "parameters": {"city": {"type": "str", "description": "Where."}}},
    "bfcl": {"name": "f", "description": "Does f.", "parameters": {**CITY, "type": "dict"}},
    "mcp": {"name": "f", "description": "Does f.", "inputSchema": CITY},
    "toolbench": {
        "tool_name": "Weather", "api_name": "f", "api_description": "Does f.",
        "required_parameters": [{"name": "city", "type": "STRING", "default": "Rome"}], "optional_parameters": [],
    },
}  # fmt: skip


def read(folder: Path, rows: Any) -> Toolbox:
    file = folder / "list.json"
    file.write_text(json.dumps(rows))
    return read_tools(file)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_tool(tmp_path: Path, shape: str):
    assert shape_of(SHAPES[shape]) == shape
    (tool,) = read(tmp_path, [SHAPES[shape]])
    assert tool.name == ("f_for_weather" if shape == "toolbench" else "f")
    assert tool.description == "Does f."
    assert tool.required == ["city"]
    assert tool.properties["city"]["type"] == "string"
    assert tool.target is None


@pytest.mark.parametrize(
    ("text", "schema", "optional"),
    [
        ("str", {"type": "string"}, False),
        ("int, optional", {"type": "integer"}, True),
        (
            "List[Union[int, float]]",
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "number"}]}},
            False,
        ),
        ("Optional[Dict[str, int]]", {"type": "object"}, True),
        ("str | None", {"type": "string"}, True),
        ("Tuple[float, float]", {"type": "array", "items": {"type": "number"}}, False),
        ("Whatever", {}, False),
    ],
)
def test_types_in_python_s_words(text: str, schema: dict[str, Any], optional: bool):
    assert python_type(text) == (schema, optional)


@pytest.mark.parametrize(
    ("spec", "required", "kept"),
    [
        ({"type": "str"}, True, {}),
        ({"type": "str", "default": "Rome"}, True, {"examples": ["Rome"]}),
        ({"type": "str", "default": ""}, True, {}),
        ({"type": "int", "default": "40"}, True, {"examples": [40]}),
        ({"type": "int", "default": 46.95828}, True, {}),
        ({"type": "str, optional", "default": "Rome"}, False, {"default": "Rome"}),
        ({"type": "Optional[str]"}, False, {}),
        ({"type": "str", "default": "Rome", "required": False}, False, {"default": "Rome"}),
        ({"type": "str", "optional": True}, False, {}),
    ],
)
def test_a_default_in_xlams_flat_shape_is_a_value_shown_and_makes_nothing_optional(
    tmp_path: Path, spec: dict[str, Any], required: bool, kept: dict[str, Any]
):
    flat = {"name": "f", "description": "Does f.", "parameters": {"city": spec, "day": {"type": "str"}}}
    (tool,) = read(tmp_path, [flat])
    assert tool.required == (["city", "day"] if required else ["day"])
    assert {
        key: tool.properties["city"][key] for key in ("default", "examples") if key in tool.properties["city"]
    } == kept
    assert bool(tool.problems({"day": "monday"})) == required
    record = [{"query": "do f", "tools": [flat], "answers": []}]
    (tmp_path / "rows.json").write_text(json.dumps(record))
    (row,) = read_trajectories(tmp_path / "rows.json", format="xlam-60k")
    if not {"required", "optional"} & set(spec):
        assert row.toolbox()["f"].required == tool.required, "rows and lists are read alike"


@pytest.mark.parametrize("shape", ["openai", "xlam", "mcp"])
@pytest.mark.parametrize("depth", [150, 450, 900])
def test_a_list_nested_too_deep_is_one_line_and_a_long_type_any_value(tmp_path: Path, shape: str, depth: int):
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(depth // 2):
        deep = {"type": "object", "properties": {"a": deep}}
    tool = json.loads(json.dumps(SHAPES[shape]))
    inner = tool.get("function", tool)
    at = inner["inputSchema"]["properties"] if shape == "mcp" else inner["parameters"]
    (at["properties"] if shape == "openai" else at)["city"] = deep
    if depth < 200:
        assert read(tmp_path, [tool]).names == ["f"]
    else:
        with pytest.raises(ToolDefinitionError, match="nested more than 200 deep"):
            read(tmp_path, [tool])
    endless = {"name": "g", "description": "Does g.", "parameters": {"city": {"type": "List[" * 5_000 + ", optional"}}}
    (tool_g,) = read(tmp_path, [endless])
    assert (tool_g.properties["city"], tool_g.required) == ({}, [])


def test_parameters_of_toolbench_that_are_no_list_are_none(tmp_path: Path):
    (tool,) = read(tmp_path, [{**SHAPES["toolbench"], "optional_parameters": 1e308}])
    assert list(tool.properties) == ["city"]


def test_names_listed_as_required_beside_flat_parameters_decide(tmp_path: Path):
    flat = {"a": {"type": "str"}, "b": {"type": "str"}}
    (tool,) = read(tmp_path, [{"name": "f", "description": "Does f.", "parameters": flat, "required": ["b"]}])
    assert tool.required == ["b"]


@pytest.mark.skipif(not XLAM_ROWS.is_file(), reason="the folder of shared data is not beside this checkout")
def test_the_calls_of_xlams_own_rows_fit_tools_that_are_read_so(tmp_path: Path):
    """Ten rows of xLAM's 60,000 as Hammer keeps them, names masked."""
    fitting = 0
    for row in json.loads(XLAM_ROWS.read_text()):
        listed = re.search(r"AVAILABLE TOOLS\]\n(.*?)\n\[END", row["instruction"], re.DOTALL)
        calls = json.loads(row["output"].strip("`\n"))
        assert listed is not None
        for tool in json.loads(listed[1]):
            box = read(tmp_path, [tool])
            for call in calls:
                if call["name"] == tool["name"]:
                    assert set(box[box.names[0]].required) <= set(call["arguments"])
                    fitting += 1
    assert fitting >= 10


def test_a_servers_own_answer_is_a_list_of_tools(tmp_path: Path):
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [SHAPES["mcp"]], "nextCursor": None}}
    assert read(tmp_path, answer).names == ["f"]


def test_what_is_no_tool_is_said_and_the_others_read(tmp_path: Path):
    bad = {"name": "g", "parameters": {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}}
    box = read(tmp_path, [SHAPES["openai"], 7, {"x": 1}, {"name": ""}, bad, SHAPES["mcp"]])
    assert box.names[0] == "f"
    dropped = [r for r in box.remarks if r.dropped]
    assert len(dropped) >= 3
    assert {r.code for r in box.remarks} <= set(CODES)


@pytest.mark.parametrize("name", ["list.json", "list.jsonl"])
def test_a_list_may_have_a_tool_on_each_line_as_bfcl_writes_them(tmp_path: Path, name: str):
    other = {**SHAPES["bfcl"], "name": "g"}
    (tmp_path / name).write_text(f"{json.dumps(SHAPES['bfcl'])}\n\n{json.dumps(other)}\n")
    assert read_tools(tmp_path / name).names == ["f", "g"]
    (tmp_path / name).write_text(f"{json.dumps(other)}\n{{half\n")
    with pytest.raises(ToolDefinitionError, match=rf"{name}:2: this is not JSON"):
        read_tools(tmp_path / name)


@pytest.mark.parametrize("shape", ["bfcl", "openai"])
def test_the_functions_of_bfcls_rows_are_tools_once(tmp_path: Path, shape: str):
    one, other = SHAPES[shape], {**SHAPES["bfcl"], "name": "g"}
    rows = [{"id": str(n), "question": [[]], "function": made} for n, made in enumerate(([one], [one, other]))]
    assert read(tmp_path, rows).names == ["f", "g"]


def test_two_tools_of_one_name_are_told_apart_from_names_that_cannot_be_written(tmp_path: Path):
    apart = {**SHAPES["mcp"], "description": "Does something else."}
    found = read(tmp_path, [SHAPES["mcp"], apart, {**SHAPES["mcp"], "name": "f-g"}])
    assert found.names == ["f", "f_2", "f_g"]
    assert [(r.code, r.detail) for r in found.remarks] == [
        ("name_clash", "another tool is called f; this is the tool f_2"),
        ("renamed", "'f-g' is the tool f_g"),
    ]


@pytest.mark.skipif(not SERVERS.is_file(), reason="the folder of shared data is not beside this checkout")
def test_seventy_real_servers_lists_are_read():
    box = read_tools(SERVERS)
    dropped = [r for r in box.remarks if r.dropped]
    assert len(box) + len(dropped) == 527
    assert len(dropped) <= 1
    assert {r.code for r in lint(box)} <= set(CODES)


FUNCTION = '''
def {name}(x: float) -> float:
    """Gives {name} of a number.

    Args:
        x: The number.
    """
    return x
'''


def test_a_package_is_its_modules_functions_with_the_module_as_category(tmp_path: Path):
    package = tmp_path / "lib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for module, names in {"one": ["a", "b"], "two": ["a"], "_private": ["c"]}.items():
        (package / f"{module}.py").write_text("".join(FUNCTION.format(name=n) for n in names))
    (package / "broken.py").write_text("def f(:")
    box = read_tools(package)
    assert {t.name: t.category for t in box} == {"a": "one", "b": "one", "two_a": "two"}
    assert [r.code for r in box.remarks if r.dropped] == ["unreadable"]
    assert read_tools(str(package / "o*.py")).names == ["a", "b"]
    with pytest.raises(ToolDefinitionError, match="no file fits"):
        read_tools(str(package / "x*.py"))


def test_an_installed_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "halves.py").write_text(FUNCTION.format(name="half"))
    monkeypatch.syspath_prepend(tmp_path)
    assert read_tools("module:halves").names == ["half"]
    with pytest.raises(ToolDefinitionError, match="no module 'no_such_thing'"):
        read_tools("module:no_such_thing")


BARE = '''
def {name}(x):
    """Gives {name} of something."""
    return x
'''


def test_of_an_installed_module_what_cannot_be_described_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sums.py").write_text(FUNCTION.format(name="whole") + BARE.format(name="bare"))
    (tmp_path / "bare_sums.py").write_text(BARE.format(name="bare"))
    monkeypatch.syspath_prepend(tmp_path)
    box = read_tools("module:sums")
    assert {t.name: t.category for t in box} == {"whole": "sums"}
    assert [(r.code, "bare: no type hint on 'x'" in r.detail) for r in box.remarks if r.dropped] == [
        ("undescribable", True)
    ]
    with pytest.raises(ToolDefinitionError, match="no type hint on 'x'"):
        read_tools(tmp_path / "sums.py")  # a file of the user's own is there to be mended
    with pytest.raises(
        ToolDefinitionError,
        match=r"^module:bare_sums: it has no usable function; the first reason: .*bare_sums\.py:2: bare: no type hint "
        r"on 'x'.*; write a file with functions of your own that call those you want",
    ):
        read_tools("module:bare_sums")


def test_the_standard_librarys_modules_say_why_they_give_no_tools():
    with pytest.raises(ToolDefinitionError, match=r"^module:colorsys: it has no usable function; the first reason: "):
        read_tools("module:colorsys")


def test_several_sources_stand_in_one_text_with_commas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "one.py").write_text(FUNCTION.format(name="a"))
    (tmp_path / "halves.py").write_text(FUNCTION.format(name="half"))
    package = tmp_path / "lib"
    package.mkdir()
    (package / "two.py").write_text(FUNCTION.format(name="b"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    listed = "one.py, lib/*.py,module:halves,"
    box = read_tools(Path(listed))
    assert {t.name: t.category for t in box} == {"a": "one", "b": "two", "half": "halves"}
    assert {file.name for file in box.files} == {"one.py", "two.py", "halves.py"}
    assert sources_of(listed) == ["one.py", "lib/*.py", "module:halves"]
    assert where_of("one.py,module:halves") == f"{tmp_path / 'one.py'},module:halves"
    assert read_tools(where_of("one.py,lib")).names == ["a", "b"], "from any folder"
    assert read_tools("one.py,one.py").names == ["a"]
    with pytest.raises(ToolDefinitionError, match=r"^missing\.py: there is no such file"):
        read_tools("one.py,missing.py")
    with pytest.raises(ToolDefinitionError, match="no path was given"):
        read_tools(",")


def test_two_functions_of_one_name_in_a_list_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for file, names in {"one.py": "a", "two.py": "ba"}.items():
        (tmp_path / file).write_text("".join(FUNCTION.format(name=n) for n in names))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ToolDefinitionError, match=r"^two\.py: two functions are named a, the first in one\.py; rename or remove one"
    ):
        read_tools("one.py,two.py")


def test_a_name_with_a_comma_in_it_is_one_source(tmp_path: Path):
    (tmp_path / "one,two.py").write_text(FUNCTION.format(name="a"))
    assert read_tools(tmp_path / "one,two.py").names == ["a"]
    assert read_tools(str(tmp_path / "*,[tw]*.py")).names == ["a"]


def test_lint_says_what_a_small_model_stumbles_over(tmp_path: Path):
    box = read(tmp_path, [
        {"name": "get_weather_of_a_city_and_of_everything_around_it", "description": "x" * 700, "parameters": {
            "type": "object", "properties": {"a": {}, **{f"p{i}": {"type": "string"} for i in range(13)}}}},
        {"name": "find_flights", "description": "Finds flights between two airports on one day.", "parameters": CITY},
        {"name": "find_flight", "description": "Finds flights between two airports on one day.", "parameters": CITY},
        {"name": "bare", "inputSchema": CITY},
    ])  # fmt: skip
    found = {(r.where, r.code) for r in lint(box)}
    long = "get_weather_of_a_city_and_of_everything_around_it"
    assert {(long, c) for c in ("long_name", "long_description", "many_arguments", "untyped")} <= found
    assert ("find_flight", "like_another") in found
    assert ("bare", "no_description") in found
    assert {code for _, code in found} <= set(CODES)


def test_a_tool_like_many_others_is_one_line_with_their_number(tmp_path: Path):
    said = "Finds flights between two airports on one day."
    box = read(tmp_path, [{"name": f"find_flights_{n}", "description": said, "parameters": CITY} for n in range(60)])
    found = [r for r in lint(box) if r.code == "like_another"]
    assert [r.where for r in found] == [f"find_flights_{n}" for n in range(1, 60)]
    assert found[0].detail == "it reads like find_flights_0"
    assert found[58].detail == "it reads like find_flights_0 and 58 more"


def test_a_list_that_names_its_code_is_run_by_it(tmp_path: Path):
    (tmp_path / "code.py").write_text(FUNCTION.format(name="half"))
    words = {
        "name": "half",
        "description": "Halves.",
        "parameters": {"type": "object", "properties": {"x": {"type": "number"}}},
    }
    box = read(tmp_path, {"sources": ["code.py"], "tools": [words, {**words, "name": "third"}]})
    assert box["half"].description == "Halves.", "the words are the list's"
    assert box["half"].target == read_tools(tmp_path / "code.py")["half"].target
    assert box["third"].target is None
    assert [(r.where, r.code) for r in box.remarks] == [("third", "not_bound")]


def test_example_arguments_fit_the_schema(tmp_path: Path):
    properties = {
        "day": {"type": "string", "format": "date"},
        "kind": {"enum": ["a", "b"]},
        "count": {"type": "integer", "minimum": 3, "maximum": 4},
        "step": {"type": "number", "exclusiveMinimum": 2, "multipleOf": 5},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 2},
        "either": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    }
    item = {"type": "object", "properties": {"n": {"type": "string", "minLength": 6}}, "required": ["n"]}
    schema = {"type": "object", "properties": properties, "required": list(properties), "$defs": {"item": item}}
    (tool,) = read(tmp_path, [{"name": "f", "description": "Does f.", "parameters": schema}])
    found = example_arguments(tool)
    assert found is not None
    assert found["count"] in (3, 4)
    assert found["step"] % 5 == 0
    odd = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^[A-Z]{3}$"}}, "required": ["x"]}
    (strange,) = read(tmp_path, [{"name": "g", "description": "Does g.", "parameters": odd}])
    made = example_arguments(strange)
    assert made is not None
    assert re.fullmatch("[A-Z]{3}", made["x"])
    nothing = {"type": "object", "properties": {"x": {"not": {}}}, "required": ["x"]}
    (none,) = read(tmp_path, [{"name": "h", "description": "Does h.", "parameters": nothing}])
    assert example_arguments(none) is None
