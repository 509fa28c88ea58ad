"""An OpenAPI document in several files: those in its folder are read, once each, and nothing else ever is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lamina.tools import Toolbox, read_tools
from lamina.tools.targets import HttpTarget

MAIN = """
openapi: 3.0.3
info: {title: Shop}
servers: [{url: 'http://127.0.0.1:9'}]
paths: {$ref: paths/_index.yaml}
components:
  schemas: {$ref: ./schemas/_index.yaml}
  securitySchemes:
    key: {$ref: 'common.json#/keys/query'}
security: [{key: []}]
"""
FILES = {
    "paths/_index.yaml": "/pets: {$ref: pets.yaml}\n/pets/{id}: {get: {$ref: 'pets.yaml#/x-one'}}\n",
    "paths/pets.yaml": """
parameters: [{$ref: ../common.json#/parameters/page}]
post:
  operationId: addPet
  summary: Add a pet.
  requestBody:
    required: true
    content: {application/json: {schema: {$ref: '../api.yaml#/components/schemas/Pet'}}}
x-one:
  operationId: onePet
  summary: One pet.
  parameters:
    - {name: id, in: path, required: true, schema: {type: integer}}
    - {name: apikey, in: query, schema: {type: string}}
""",
    "schemas/_index.yaml": "Pet: {oneOf: [{$ref: ./my%20dog.yaml}, {$ref: Cat.yaml}], discriminator: "
    "{propertyName: kind, mapping: {woof: 'my dog.yaml'}}}\n",
    "schemas/my dog.yaml": "type: object\nproperties: {kind: {type: string}, barks: {$ref: '#/x'}}\n"
    "x: {type: boolean}\n",
    "schemas/Cat.yaml": "type: object\nproperties: {kind: {type: string}, friend: {$ref: Cat.yaml}}\n",
    "common.json": json.dumps(
        {
            "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"},
                                    "examples": {"second": {"$ref": "#/examples/second"}}}},
            "examples": {"second": {"value": 2}},
            "keys": {"query": {"type": "apiKey", "in": "query", "name": "apikey"}},
        }
    ),
}  # fmt: skip


def written(folder: Path, files: dict[str, str], main: str = MAIN) -> Path:
    for name, text in {"api.yaml": main, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "api.yaml"


def main_of(ref: str, **more: Any) -> str:
    parameter = {"name": "q", "in": "query", "required": True, "schema": {"$ref": ref}}
    good = {"operationId": "good", "summary": "Good."}
    paths = {"/good": {"get": good}, "/split": {"get": {**good, "operationId": "split", "parameters": [parameter]}}}
    return json.dumps(
        {"openapi": "3.1.0", "info": {}, "servers": [{"url": "http://127.0.0.1:9"}], "paths": paths} | more
    )


def why(box: Toolbox) -> str:
    """Of the one operation that is lost; the other one is there."""
    assert box.names == ["good"]
    (lost,) = [remark for remark in box.remarks if remark.dropped]
    assert lost.where == "GET /split"
    return lost.detail


def test_paths_schemas_parameters_examples_and_keys_may_each_stand_in_a_file_of_their_own(tmp_path: Path):
    box = read_tools(written(tmp_path, FILES))
    assert box.names == ["addPet", "onePet"]
    assert not [remark for remark in box.remarks if remark.dropped]
    add, one = box["addPet"], box["onePet"]
    assert set(one.properties) == {"id"}, "the key is none, for its scheme was found"
    assert isinstance(one.target, HttpTarget)
    assert one.target.auth[0][0].name == "apikey"
    assert add.properties["page"] == {"type": "integer", "examples": [2]}
    dog, cat = add.properties["body"]["anyOf"]
    assert dog["properties"]["kind"]["const"] == "woof"
    assert cat["properties"]["kind"]["const"] == "Cat", "the file is called so, and nothing maps to it"
    assert add.problems({"body": {"kind": "woof", "barks": True}}) == []
    assert add.problems({"body": {"kind": "woof", "barks": "loud"}})
    assert add.problems({"body": {"kind": "Cat", "friend": {"friend": {"kind": 3}}}}), "a cycle through a file holds"


def test_the_files_that_were_read_belong_to_the_toolbox(tmp_path: Path):
    box = read_tools(written(tmp_path, FILES))
    assert {file.relative_to(tmp_path.resolve()).as_posix() for file in box.files} == {"api.yaml", *FILES}


def test_a_document_that_is_named_by_a_link_has_its_files_beside_the_link(tmp_path: Path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    written(tmp_path / "there", {}, main_of("schema.yaml"))
    (tmp_path / "here" / "api.yaml").symlink_to(tmp_path / "there" / "api.yaml")
    (tmp_path / "here" / "schema.yaml").write_text("type: integer", encoding="utf-8")
    box = read_tools(tmp_path / "here" / "api.yaml")
    assert box["split"].properties == {"q": {"type": "integer"}}


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("../secret.yaml", "is not in the document's folder"),
        ("a/../../secret.yaml", "is not in the document's folder"),
        ("%2e%2e/secret.yaml", "is not in the document's folder"),
        ("link.yaml", "a link that leads out of the document's folder"),
        ("linked/secret.yaml", "a link that leads out of the document's folder"),
        ("file:///etc/hosts.yaml", "is an address, and nothing is fetched"),
        ("http://127.0.0.1:9/pet.yaml", "is an address, and nothing is fetched"),
        ("//127.0.0.1/pet.yaml", "is an address, and nothing is fetched"),
        ("secret", "is not named as JSON or YAML"),
        ("pipe.yaml", "there is no file pipe.yaml"),
        ("round.yaml", "there is no file round.yaml"),
        ("nul%00.yaml", "there is no file nul"),
        ("absent.yaml#/x", "there is no file absent.yaml"),
        ("folder.yaml", "there is no file folder.yaml"),
        ("broken.yaml", "broken.yaml:3: this is not YAML"),
        ("bomb.yaml", "its aliases unfold to more than"),
        ("fine.yaml#/absent", "fine.yaml#/absent leads nowhere"),
        ("loop.yaml#/a", "leads back to itself"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_said_and_costs_one_operation(tmp_path: Path, ref: str, said: str):
    folder = tmp_path / "docs"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    )
    files = {"fine.yaml": "type: string", "broken.yaml": "a: 1\nb: [\n", "bomb.yaml": bomb, "secret": "type: string",
             "loop.yaml": "a: {$ref: '#/b'}\nb: {$ref: 'loop.yaml#/a'}", "a/x": "", "folder.yaml/x": ""}  # fmt: skip
    main = written(folder, files, main_of(ref))
    (tmp_path / "secret.yaml").write_text("type: string\ndescription: the secret", encoding="utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "round.yaml").symlink_to(folder / "round.yaml")
    os.mkfifo(folder / "pipe.yaml")
    assert said in why(read_tools(main))


def test_absolute_paths_are_not_read_even_into_the_folder(tmp_path: Path):
    main = written(tmp_path, {"fine.yaml": "type: string"}, main_of(f"{tmp_path}/fine.yaml"))
    assert "is not in the document's folder" in why(read_tools(main))


def test_the_files_of_a_document_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chain = {f"s{n}.yaml": f"allOf: [{{$ref: s{n + 1}.yaml}}]" for n in range(9)} | {"s9.yaml": "type: string"}
    main = written(tmp_path, chain, main_of("s0.yaml"))
    assert read_tools(main).names == ["good", "split"]
    monkeypatch.setattr("lamina.tools.openapi.files.MOST_FILES", 5)
    assert "more than 5 or 64 MB, and s5.yaml comes after them" in why(read_tools(main))
    monkeypatch.undo()
    monkeypatch.setattr("lamina.tools.openapi.files.MOST_BYTES", 60)
    assert "comes after them" in why(read_tools(main))


def test_a_schema_that_is_nothing_but_a_reference_to_itself_is_said(tmp_path: Path):
    schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    main = written(tmp_path, {}, main_of("#/components/schemas/A", components={"schemas": schemas}))
    assert "leads back to itself" in why(read_tools(main))


def test_one_file_under_two_spellings_is_one_schema(tmp_path: Path):
    node = "type: object\nproperties: {next: {$ref: './sub/../node.yaml'}, again: {$ref: 'node.yaml#'}}"
    box = read_tools(written(tmp_path, {"node.yaml": node}, main_of("./node.yaml")))
    (only,) = box["split"].parameters["$defs"].values()
    assert only["properties"]["next"] == only["properties"]["again"]
