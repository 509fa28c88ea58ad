"""OpenAPI documents become tools, one an operation; what cannot be one is said and the rest is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import ToolDefinitionError
from lamina.tools import Toolbox, read_tools
from lamina.tools.openapi.document import Document
from lamina.tools.targets import HttpTarget

SPECS = Path(__file__).parents[3] / "shared" / "data" / "openapi-specs"
OPERATIONS = {
    "RestGPT__spotify_oas.json": 40,
    "RestGPT__tmdb_oas.json": 54,
    "oas__star-trek.json": 120,
    "swagger-petstore__openapi.yaml": 19,
    "learn__tictactoe.yaml": 3,
}


def document(**paths: Any) -> dict[str, Any]:
    routes = {"/" + name: item for name, item in paths.items()}
    return {"openapi": "3.0.3", "info": {"title": "T"}, "servers": [{"url": "http://127.0.0.1:9/v1"}], "paths": routes}


def read(folder: Path, root: Any, name: str = "api.json") -> Toolbox:
    file = folder / name
    file.write_text(root if isinstance(root, str) else json.dumps(root), encoding="utf-8")
    return read_tools(file)


def as_json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def get(name: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"get": {"operationId": name, "summary": f"Does {name}.", "parameters": list(parameters), **more}}


@pytest.mark.skipif(not SPECS.is_dir(), reason="the folder of shared data is not beside this checkout")
def test_every_real_document_is_read():
    files = [f for f in sorted(SPECS.iterdir()) if f.suffix in (".json", ".yaml", ".yml")]
    boxes = {file.name: read_tools(file) for file in files}
    assert len(files) == 20
    assert {name: len(boxes[name]) for name in OPERATIONS} == OPERATIONS
    assert sum(len(box) + sum(r.dropped for r in box.remarks) for box in boxes.values()) == 288
    for box in boxes.values():
        for tool in box:
            assert isinstance(tool.target, HttpTarget)
            assert tool.problems({}) or not tool.required  # its schema is one that a validator takes


def test_path_query_header_and_body_become_one_object_of_arguments(tmp_path: Path):
    post = {
        "operationId": "addPet",
        "description": "Adds <b>a pet</b>.",
        "parameters": [
            {"name": "shop-id", "in": "path", "required": True, "schema": {"type": "integer"}},
            {"name": "dry", "in": "query", "schema": {"type": "boolean", "default": False}},
            {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
        ],
        "requestBody": {"required": True, "content": as_json({"$ref": "#/components/schemas/Pet"})},
    }
    pet = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "id": {"readOnly": True}}}
    root = document(**{"shops/{shop-id}/pets": {"post": post}}) | {"components": {"schemas": {"Pet": pet}}}
    (tool,) = read(tmp_path, root)
    assert (tool.name, tool.description) == ("addPet", "Adds a pet .")
    assert set(tool.properties) == {"shop_id", "dry", "X_Trace", "name"}
    assert set(tool.required) == {"shop_id", "name"}
    assert tool.target.changes_things


def test_swagger_two_reads_as_well(tmp_path: Path):
    item = {
        "post": {
            "operationId": "send",
            "parameters": [
                {"name": "text", "in": "formData", "type": "string", "required": True},
                {
                    "name": "tags",
                    "in": "query",
                    "type": "array",
                    "items": {"type": "string"},
                    "collectionFormat": "csv",
                },
            ],
        }
    }
    root = {"swagger": "2.0", "info": {}, "host": "example.org", "basePath": "/v2", "paths": {"/m": item}}
    (tool,) = read(tmp_path, root)
    assert set(tool.properties) == {"text", "tags"}
    assert tool.target.server == "https://example.org/v2"


def test_a_schema_that_holds_itself_stays_a_reference(tmp_path: Path):
    node = {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Node"}},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    root = document(nodes={"post": {"operationId": "add", "requestBody": body}})
    (tool,) = read(tmp_path, root | {"components": {"schemas": {"Node": node}}})
    assert tool.problems({"value": 1, "next": {"value": 2, "next": {"value": 3}}}) == []
    assert tool.problems({"value": 1, "next": {"value": "two"}})


def test_all_of_is_joined_and_one_of_is_a_choice(tmp_path: Path):
    both = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}}},
        ]
    }
    root = document(
        x={"post": {"operationId": "f", "requestBody": {"content": {"application/json": {"schema": both}}}}}
    )
    (tool,) = read(tmp_path, root)
    assert set(tool.properties) == {"a", "b"}
    assert tool.problems({"a": 1, "b": True}) == []
    assert tool.problems({"a": 1, "b": "x"})


def test_references_that_go_round_or_nowhere_cost_one_operation(tmp_path: Path):
    loop = {"x": {"$ref": "#/components/parameters/y"}, "y": {"$ref": "#/components/parameters/x"}}
    root = document(
        good=get("good"),
        round=get("round", {"$ref": "#/components/parameters/x"}),
        nowhere=get("nowhere", {"$ref": "#/components/parameters/z"}),
        elsewhere=get("elsewhere", {"$ref": "other.yaml#/x"}),
        whole={"get": {"$ref": "#/components/operations/z"}},
    )
    box = read(tmp_path, root | {"components": {"parameters": loop}})
    assert box.names == ["good"]
    assert [(r.where, r.code, r.dropped) for r in box.remarks] == [
        (f"GET /{name}", "unresolved_ref", True) for name in ("whole", "round", "nowhere", "elsewhere")
    ]


def test_keys_are_never_arguments(tmp_path: Path):
    schemes = {"k": {"type": "apiKey", "in": "query", "name": "apikey"}, "b": {"type": "http", "scheme": "bearer"}}
    keyed = get(
        "f",
        {"name": "apikey", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "q", "in": "query", "schema": {"type": "string"}},
        security=[{"k": []}, {"b": []}],
    )
    tls = get("g", security=[{"t": []}])
    root = document(f=keyed, g=tls) | {"components": {"securitySchemes": {**schemes, "t": {"type": "mutualTLS"}}}}
    box = read(tmp_path, root)
    assert list(box["f"].properties) == ["q"]
    assert [[c.variable for c in each] for each in box["f"].target.auth] == [["API_K"], ["API_B"]]
    assert [(r.where, r.code) for r in box.remarks if r.dropped] == [("GET /g", "auth_unsupported")]


@pytest.mark.parametrize(
    ("name", "where", "said"),
    [
        ("X-RapidAPI-Key", "header", ""),
        ("Ocp-Apim-Subscription-Key", "header", ""),
        ("subscription-key", "query", ""),
        ("x-goog-api-key", "header", ""),
        ("access_token", "query", "OAuth access token."),
        ("appid", "query", "Your unique API key."),
        ("key", "query", "API key. Your API key identifies your project."),
        ("key", "query", ""),
        ("token", "header", ""),
    ],
)
def test_a_key_that_no_security_scheme_declares_is_no_argument(tmp_path: Path, name: str, where: str, said: str):
    parameter = {"name": name, "in": where, "required": True, "schema": {"type": "string"}, "description": said}
    tool = read(tmp_path, document(f=get("f", {"name": "q", "in": "query", "schema": {"type": "string"}}, parameter)))
    assert list(tool["f"].properties) == ["q"]
    assert [(c.name, c.where) for each in tool["f"].target.auth for c in each] == [(name, where)]
    assert [r.code for r in tool.remarks if r.code == "key_left_out"] == ["key_left_out"]


@pytest.mark.parametrize(
    ("name", "where", "schema", "said"),
    [
        ("key", "query", {"type": "string"}, "The name of the setting to read."),
        ("token", "query", {"type": "string"}, "The word to count, such as 'tree'."),
        ("appid", "query", {"type": "integer"}, ""),
        ("appid", "query", {"type": "string"}, "The AppID of the game."),
        ("key", "query", {"type": "string", "enum": ["C", "D", "E"]}, ""),
        ("key", "query", {"$ref": "#/components/schemas/Pitch"}, ""),
        ("key", "path", {"type": "string"}, ""),
        ("pageToken", "query", {"type": "string"}, ""),
        ("keyword", "query", {"type": "string"}, ""),
    ],
)
def test_a_parameter_that_is_data_is_an_argument_whatever_it_is_called(
    tmp_path: Path, name: str, where: str, schema: dict[str, Any], said: str
):
    parameter = {"name": name, "in": where, "required": True, "schema": schema, "description": said}
    route = "{key}" if where == "path" else "f"
    root = document(**{route: get("f", parameter)}) | {"components": {"schemas": {"Pitch": {"enum": ["C", "D"]}}}}
    assert list(read(tmp_path, root)["f"].properties) == [name]


def test_five_thousand_operations_with_names_that_clash_are_five_thousand_tools(tmp_path: Path):
    item = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    paths = {f"p{i}": {"post": {"operationId": "same", "requestBody": body}} for i in range(5_000)}
    box = read(tmp_path, document(**paths) | {"components": {"schemas": {"A": item}}})
    assert len(box) == 5_000
    assert box.names[:3] == ["same", "same_2", "same_3"]
    assert [r.code for r in box.remarks].count("name_clash") == 4_999


def test_paths_without_names_that_come_to_one_name_are_told(tmp_path: Path):
    box = read(tmp_path, document(**{"a-b": {"get": {"summary": "A."}}, "a_b": {"get": {"summary": "B."}}}))
    assert box.names == ["get_a_b", "get_a_b_2"]
    assert [(r.where, r.code) for r in box.remarks] == [("GET /a_b", "name_clash")]


def doubling(levels: int) -> dict[str, Any]:
    """Schemas of which each refers to the one before it twice: the last has 2**levels parts."""
    schemas: dict[str, Any] = {"S0": {"type": "object", "properties": {"a": {"type": "string"}}}}
    for n in range(1, levels):
        before = {"$ref": f"#/components/schemas/S{n - 1}"}
        schemas[f"S{n}"] = {"type": "object", "properties": {"one": before, "two": before}}
    return {"components": {"schemas": schemas}}


def sends(schema: str) -> dict[str, Any]:
    return {"required": True, "content": as_json({"$ref": f"#/components/schemas/{schema}"})}


def test_references_that_double_are_followed_once_for_a_thousand_operations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    followed = []
    at = Document.at
    monkeypatch.setattr(Document, "at", lambda self, ref: followed.append(ref) or at(self, ref))
    paths = {f"p{n}": {"post": {"operationId": f"p{n}", "requestBody": sends(f"S{39 - n % 3}")}} for n in range(1_000)}
    box = read(tmp_path, document(**paths, good=get("good")) | doubling(40))
    assert box.names == ["good"]
    assert [r.code for r in box.remarks if r.dropped] == ["too_large"] * 1_000
    assert len(followed) < 60_000, "three schemas are tried, not a thousand"


def test_the_schemas_of_a_document_are_bounded_together_and_what_comes_after_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lamina.tools.openapi.unfolding.MOST_PARTS", 1_500)
    optional = {"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/S7"}}
    root = document(a=get("a", optional), b=get("b", optional), c=get("c", optional)) | doubling(8)
    box = read(tmp_path, root)
    assert box.names == ["a", "b"]
    (lost,) = [r for r in box.remarks if r.dropped]
    assert (lost.where, lost.code) == ("GET /c", "too_large")
    assert "more than 1,500 parts together" in lost.detail


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "aliases unfold"),
        ("a: &a\n  b: *a\n", "holds itself"),
        ("a: [1, 2", "not YAML"),
        ("openapi: 1.0.0\npaths: {}\n", "OpenAPI 1.0.0 is not read"),
        ("openapi: 3.0.0\npaths: {}\n", "none of its 0 operations"),
        ("openapi: 3.0.0\npaths:\n  /x:\n    get: {security: [{t: []}]}\n", "can be a tool; the first: GET /x"),
        ("openapi: 3.0.0\npaths: 7\n", "none of its 0 operations"),
    ],
)
def test_a_document_that_cannot_be_read_is_one_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(ToolDefinitionError, match=said) as caught:
        read(tmp_path, text, "api.yaml")
    assert "\n" not in str(caught.value)
    assert "api.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "deep",
    ["[" * 30_000, "{a: " * 30_000, "\n" + "".join(" " * n + "a:\n" for n in range(1, 400)), "\n  " + "- " * 30_000],
)
def test_a_document_nested_too_deep_is_one_line_and_does_not_end_the_process(tmp_path: Path, deep: str):
    file = tmp_path / "api.yaml"
    file.write_text(f"openapi: 3.0.0\npaths: {deep}", encoding="utf-8")
    said = subprocess.run([sys.executable, "-m", "lamina", "tools", str(file)], capture_output=True, text=True)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "nested more than 200 deep; flatten it" in line
    assert "api.yaml:" in line


@pytest.mark.parametrize(
    "junk",
    [
        None,
        7,
        "x",
        [],
        {"get": 7},
        {"get": {"parameters": 7}},
        {"get": {"parameters": [7]}},
        {"get": {"requestBody": 7}},
        {"get": {"responses": 7, "tags": 7}},
    ],
)
def test_junk_in_a_path_does_not_stop_the_others(tmp_path: Path, junk: Any):
    assert "good" in read(tmp_path, document(bad=junk, good=get("good"))).names


def test_an_optional_file_is_left_out_and_a_required_one_leaves_out_the_operation(tmp_path: Path):
    upload = {
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}
        }
    }
    root = document(
        a={"post": {"operationId": "a", "requestBody": {"required": True, "content": upload}}},
        b={"post": {"operationId": "b", "requestBody": {"content": upload}}},
    )
    box = read(tmp_path, root)
    assert box.names == ["b"]
    found = [(r.where, r.dropped) for r in box.remarks if r.code == "body_unsupported"]
    assert found == [("POST /a", True), ("POST /b", False)]


@pytest.mark.parametrize("value", ["!!bool maybe", "!!float ''"])
def test_a_value_that_its_tag_does_not_allow_is_named(tmp_path: Path, value: str):
    (tmp_path / "api.yaml").write_text(f"openapi: {value}\n", encoding="utf-8")
    with pytest.raises(ToolDefinitionError, match=r"api\.yaml.*does not fit its tag"):
        read_tools(tmp_path / "api.yaml")
