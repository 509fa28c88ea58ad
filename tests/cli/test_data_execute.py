"""``lamina data check --execute`` with tools that are no Python: an API and an MCP server."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lamina.tools import Toolbox, read_tools

Cli = Callable[..., Any]


class Board(BaseHTTPRequestHandler):
    """Knows the notes of Ana alone, and counts what is written on it."""

    written: list[str] = []  # noqa: RUF012 -- one server a test

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        known = self.path.endswith("Ana")
        self.answer(200 if known else 404, {"notes": ["milk"]} if known else {"error": "nobody of that name"})

    def do_POST(self) -> None:
        self.written.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(200, {"written": True})

    def answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    Board.written = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Board)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("BOARD_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    who = {"name": "who", "in": "query", "required": True, "description": "Whose.", "schema": {"type": "string"}}
    text = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    body = {"required": True, "content": {"application/json": {"schema": text}}}
    methods = {
        "get": {"operationId": "read_notes", "summary": "Reads the notes of a person.", "parameters": [who]},
        "post": {"operationId": "write_note", "summary": "Writes a note.", "requestBody": body},
    }
    (tmp_path / "board.json").write_text(json.dumps({"openapi": "3.0.0", "paths": {"/notes": methods}}))
    yield tmp_path / "board.json"
    server.shutdown()
    server.server_close()


def rows(file: Path, toolbox: Toolbox, *said: tuple[str, str, str, dict[str, Any]]) -> Path:
    def row(id: str, request: str, name: str, arguments: dict[str, Any]) -> str:
        call = {"type": "function", "function": {"name": name, "arguments": arguments}}
        messages = [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}]
        return json.dumps({"id": id, "tools": toolbox.as_openai(), "messages": messages})

    file.write_text("\n".join(row(*one) for one in said))
    return file


def test_calls_of_an_api_are_run_and_those_that_write_only_if_that_is_allowed(lamina: Cli, board: Path, tmp_path: Path):
    file = rows(
        tmp_path / "rows.jsonl",
        read_tools(board),
        ("known", "read the notes of Ana", "read_notes", {"who": "Ana"}),
        ("unknown", "read the notes of Bob", "read_notes", {"who": "Bob"}),
        ("writes", "write the note 'buy bread'", "write_note", {"text": "buy bread"}),
    )
    said = lamina("data", "check", file, "--execute", board, "--timeout", "60", "--json")
    assert "not called: write_note: write_note may change things elsewhere; --allow-changes calls it" in said.err
    found = json.loads(said.out)
    assert found["accepted"] == ["known", "writes"]
    assert [(r["id"], r["reason"]) for r in found["not_run"]] == [("writes", "changes-things")]
    assert [r["id"] for r in found["rejected"]] == ["unknown"], "what reads is run all the same"
    assert Board.written == []
    found = json.loads(
        lamina("data", "check", file, "--execute", board, "--timeout", "60", "--allow-changes", "--json").out
    )
    assert found["accepted"] == ["known", "writes"]
    assert [(r["id"], r["stage"], r["reason"]) for r in found["rejected"]] == [("unknown", "execution", "http-status")]
    assert "nobody of that name" in found["rejected"][0]["detail"]
    assert Board.written == ['{"text": "buy bread"}']


def test_data_fix_runs_them_too(lamina: Cli, board: Path, tmp_path: Path):
    file = rows(
        tmp_path / "r.jsonl", read_tools(board), ("w", "write the note 'hi you'", "write_note", {"text": "hi you"})
    )
    unrun = lamina("data", "fix", file, "--execute", board, "--out", tmp_path / "a")
    assert "passed, but their calls were not run:\n  changes-things  1" in unrun.out
    (row,) = [json.loads(line) for line in (tmp_path / "a" / "trajectories.jsonl").open()]
    (mark,) = [check for check in row["meta"]["checks"] if check["name"] == "execution"]
    assert mark["verdict"] == "not-run"
    assert mark["detail"].startswith("changes-things: write_note may change things")
    assert Board.written == []
    done = lamina(
        "data", "fix", file, "--execute", board, "--timeout", "60", "--allow-changes", "--out", tmp_path / "b"
    )
    assert done.status == 0, done.err
    assert "1 of 1 records pass" in done.out
    assert Board.written == ['{"text": "hi you"}']


SCALE = '''
def scale(value: int, factor: int) -> int:
    """Multiply a number.

    Args:
        value: The number.
        factor: By what.
    """
    return value * factor
'''


def test_records_of_other_tools_are_checked_against_these_and_marked(lamina: Cli, board: Path, tmp_path: Path):
    (tmp_path / "mine.py").write_text(SCALE)
    both = Toolbox([*read_tools(board), *read_tools(tmp_path / "mine.py")])
    file = rows(
        tmp_path / "rows.jsonl",
        both,
        ("mine", "what is 4 times 7", "scale", {"value": 4, "factor": 7}),
        ("other", "read the notes of Ana", "read_notes", {"who": "Ana"}),
        ("misfit", "read the notes of Ana", "read_notes", {"whose": "Ana"}),
        ("nobody's", "sing a song", "sing", {}),
    )
    found = json.loads(lamina("data", "check", file, "--execute", tmp_path / "mine.py", "--json").out)
    assert found["accepted"] == ["mine", "other"]
    assert [(r["id"], r["reason"]) for r in found["not_run"]] == [("other", "no-code")]
    assert [(r["id"], r["stage"], r["reason"]) for r in found["rejected"]] == [
        ("misfit", "format", "unknown-argument"),
        ("nobody's", "format", "unknown-function"),
    ]
    lines = lamina("data", "check", file, "--execute", tmp_path / "mine.py").out
    assert "passed, but their calls were not run:\n  no-code  1" in lines


def test_records_of_a_tool_whose_key_is_missing_are_marked_and_others_run(
    lamina: Cli, board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = json.loads(board.read_text())
    key = {"name": "X-RapidAPI-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    root["paths"]["/more"] = {"get": {"operationId": "more", "summary": "Reads more.", "parameters": [key]}}
    board.write_text(json.dumps(root))
    monkeypatch.delenv("BOARD_X_RAPIDAPI_KEY", raising=False)
    file = rows(
        tmp_path / "rows.jsonl",
        read_tools(board),
        ("known", "read the notes of Ana", "read_notes", {"who": "Ana"}),
        ("keyed", "read more", "more", {}),
    )
    said = lamina("data", "check", file, "--execute", board, "--timeout", "60", "--json")
    assert said.status == 0, said.err
    assert "not called: more: more wants a key; set BOARD_X_RAPIDAPI_KEY" in said.err
    found = json.loads(said.out)
    assert found["accepted"] == ["known", "keyed"]
    assert [(r["id"], r["reason"]) for r in found["not_run"]] == [("keyed", "unmet")]


SERVER = """
import json, sys

number = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
half = {"name": "half", "description": "Gives half of a number.", "inputSchema": number}
half["annotations"] = {"readOnlyHint": True}
for line in sys.stdin:
    asked = json.loads(line)
    said = {"jsonrpc": "2.0", "id": asked.get("id")}
    if asked["method"] == "initialize":
        version, about = asked["params"]["protocolVersion"], {"name": "desk", "version": "1"}
        said["result"] = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    elif asked["method"] == "tools/list":
        said["result"] = {"tools": [half]}
    elif asked["method"] == "tools/call":
        given = asked["params"]["arguments"]["number"]
        text = str(given / 2) if given >= 0 else "there is no half of less than nothing"
        said["result"] = {"content": [{"type": "text", "text": text}], "isError": given < 0}
    else:
        said["error"] = {"code": -32601, "message": "no such method"}
    if "id" in asked:
        print(json.dumps(said), flush=True)
"""


def test_calls_of_an_mcp_server_are_run(lamina: Cli, tmp_path: Path):
    pytest.importorskip("mcp", reason="pip install 'lamina[apis]' brings mcp")
    (tmp_path / "server.py").write_text(SERVER)
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"desk": {"command": sys.executable, "args": ["server.py"]}}}))
    file = rows(
        tmp_path / "rows.jsonl",
        read_tools(config),
        ("good", "what is half of 4", "half", {"number": 4}),
        ("bad", "what is half of -4", "half", {"number": -4}),
    )
    said = lamina("data", "check", file, "--execute", config, "--json")
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert found["accepted"] == ["good"]
    assert [(r["id"], r["reason"]) for r in found["rejected"]] == [("bad", "raised")]
    assert "no half of less than nothing" in found["rejected"][0]["detail"]
