"""Nothing outside of a schema is read, whoever wrote it: no URL is asked and no file of this machine opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lamina.data import Checker, check_sources
from lamina.errors import ToolDefinitionError
from lamina.tools import read_tools
from lamina.tools.execution.error_results import error_by
from lamina.tools.validators import SchemaRefused, validator_for

HIDDEN = "topsecret"
References = dict[str, str]


class Elsewhere(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 -- one server a test

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({"enum": [HIDDEN]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[References]:
    """A URL and a file that hold a schema, and both would be served."""
    Elsewhere.asked = []
    (tmp_path / "hidden.json").write_text(json.dumps({"enum": [HIDDEN]}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "http": f"http://127.0.0.1:{server.server_port}/hidden.json",
        "file": (tmp_path / "hidden.json").as_uri(),
    }
    server.shutdown()
    server.server_close()
    assert Elsewhere.asked == [], "the URL was asked"


def taking(ref: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": {"$ref": ref}}}


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_reference_out_of_a_schema_is_refused_with_its_name(outside: References, kind: str):
    with pytest.raises(SchemaRefused, match=r"refers to .*hidden\.json, which is outside of it and is not read"):
        validator_for(taking(outside[kind]))
    folder = outside[kind].removesuffix("hidden.json")
    with pytest.raises(SchemaRefused, match=r"refers to .*hidden\.json"):
        validator_for({"$id": folder, "$ref": "hidden.json"})


def test_a_reference_within_a_schema_and_to_the_known_dialects_is_followed():
    validator = validator_for({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}})
    assert (validator.is_valid(3), validator.is_valid("3")) == (True, False)
    assert validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"}).is_valid({"type": "integer"})


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_row_of_a_data_set_is_rejected_and_reads_nothing(outside: References, tmp_path: Path, kind: str):
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": taking(outside[kind])}}
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 3}}}
    messages = [{"role": "user", "content": "do f with 3"}, {"role": "assistant", "tool_calls": [call]}]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "a", "tools": [tool], "messages": messages}))
    (one,) = check_sources([tmp_path / "rows.jsonl"], Checker())
    rejection = one.rejection  # type: ignore[union-attr]
    assert rejection is not None
    assert rejection.reason == "bad-tool"
    assert "outside of it and is not read" in rejection.detail
    assert HIDDEN not in repr(one)


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_tool_of_a_list_or_a_server_is_left_out_or_an_error(outside: References, tmp_path: Path, kind: str):
    rows = [{"name": name, "description": "Does f."} for name in ("good", "bad")]
    schemas = ({"type": "object", "properties": {}}, taking(outside[kind]))
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{**r, "inputSchema": s} for r, s in zip(rows, schemas, strict=True)]))
    found = read_tools(file)
    assert found.names == ["good"]
    assert [(r.code, "is not read" in r.detail) for r in found.remarks] == [("bad_schema", True)]
    file.write_text(json.dumps([{**r, "parameters": s} for r, s in zip(rows, schemas, strict=True)]))
    with pytest.raises(ToolDefinitionError, match=r"bad: its parameters are no JSON Schema .*is not read"):
        read_tools(file)


def test_a_rule_for_error_results_reads_nothing(outside: References, write: Callable[..., Path]):
    with pytest.raises(SchemaRefused):
        error_by({"$ref": outside["http"]}, HIDDEN)
    source = f'ERROR_RESULTS = {{"f": {{"$ref": {outside["file"]!r}}}}}\n\n\ndef f() -> str:\n    """Does f."""\n'
    with pytest.raises(
        ToolDefinitionError, match=r"ERROR_RESULTS says of f cannot be used: .*hidden\.json, which is outside of it"
    ):
        read_tools(write(source))
