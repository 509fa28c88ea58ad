"""Which of a body's fields are arguments of an API's tool, and which of them are required."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina.tools import Toolbox, read_tools
from lamina.tools.execution.http_requests import wire_request
from lamina.tools.targets import HttpTarget

SPECS = Path(__file__).parents[3] / "shared" / "data" / "openapi-specs"


def api(folder: Path, path: str, **methods: Any) -> Toolbox:
    root = {"openapi": "3.0.3", "servers": [{"url": "http://127.0.0.1:9"}], "paths": {f"/{path}": methods}}
    (folder / "api.json").write_text(json.dumps(root))
    return read_tools(folder / "api.json")


def as_json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


NOTE = {
    "type": "object",
    "required": ["title"],
    "properties": {"title": {"type": "string"}, "text": {"type": "string"}},
}
ASKED = {"name": "ids", "in": "query", "required": True, "schema": {"type": "string"}}
OFFERED = {**ASKED, "required": False}


@pytest.mark.parametrize(
    ("said", "beside", "required", "dependent"),
    [
        ({"required": True}, ASKED, ["ids", "title"], None),
        ({}, OFFERED, ["title"], None),
        ({}, ASKED, ["ids"], {"text": ["title"]}),
        ({"required": False}, OFFERED, [], {"text": ["title"]}),
        ({"required": "true"}, {**ASKED, "required": "true"}, ["ids", "title"], None),
    ],
)
def test_what_a_body_requires_stays_required_where_nothing_says_that_the_body_is(
    tmp_path: Path, said: dict[str, Any], beside: dict[str, Any], required: list[str], dependent: Any
):
    post = {
        "operationId": "f",
        "summary": "Does f.",
        "parameters": [beside],
        "requestBody": {"content": as_json(NOTE), **said},
    }
    box = api(tmp_path, "notes", post=post)
    assert (box["f"].required, box["f"].parameters.get("dependentRequired")) == (required, dependent)
    assert box["f"].problems({"ids": "1", "text": "milk"}), "the title is lacking"
    assert not box["f"].problems({"ids": "1", "text": "milk", "title": "list"})
    assert [r.code for r in box.remarks] == (["body_taken_as_required"] if (said, beside) == ({}, OFFERED) else [])


@pytest.mark.parametrize(
    ("said", "fits"),
    [({}, False), ({"additionalProperties": False}, False), ({"additionalProperties": True}, True),
     ({"additionalProperties": {"type": "string"}}, True), ({"additionalProperties": {"type": "integer"}}, False)],
)  # fmt: skip
def test_fields_that_a_body_takes_beside_its_own_are_arguments_and_are_sent(
    tmp_path: Path, said: dict[str, Any], fits: bool
):
    path = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"required": True, "content": as_json({**NOTE, **said})}
    put = {"operationId": "f", "summary": "Does f.", "parameters": [path], "requestBody": body}
    (tool,) = api(tmp_path, "notes/{id}", put=put)
    arguments = {"id": "7", "title": "list", "colour": "red"}
    assert (tool.problems(arguments) == []) == fits
    if fits:
        assert isinstance(tool.target, HttpTarget)
        sent = wire_request(tool.target, arguments)
        assert sent.path == "/notes/7"
        assert json.loads(sent.content or b"") == {"title": "list", "colour": "red"}


def test_a_field_that_a_body_requires_and_does_not_describe_is_an_argument_all_the_same(tmp_path: Path):
    schema = {**NOTE, "required": ["title", "owner"]}
    post = {"operationId": "f", "summary": "Does f.", "requestBody": {"required": True, "content": as_json(schema)}}
    box = api(tmp_path, "notes", post=post)
    assert box["f"].required == ["title", "owner"]
    assert [(r.code, "requires owner" in r.detail) for r in box.remarks] == [("malformed", True)]


@pytest.mark.skipif(not SPECS.is_dir(), reason="the folder of shared data is not beside this checkout")
def test_spotifys_bodies_need_what_their_authors_say():
    box = read_tools(SPECS / "RestGPT__spotify_oas.json")
    assert box["create_playlist"].required == ["user_id", "name"]
    assert box["remove_tracks_playlist"].required == ["playlist_id", "tracks"]
    assert box["follow_artists_users"].required == ["type", "ids"], "the query's; the body is another way to say them"
    assert box["save_tracks_user"].parameters["dependentRequired"] == {"ids_body": ["uris"]}
