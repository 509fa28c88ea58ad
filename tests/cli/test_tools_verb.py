"""``lamina tools SOURCE [list|lint|probe]``, and the other verbs with sources that are no Python."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FUNCTIONS = '''
def half(x: float) -> float:
    """Gives half of a number.

    Args:
        x: The number.
    """
    return x / 2


def broken(x: float) -> float:
    """Fails.

    Args:
        x: The number.
    """
    raise ValueError("never works")
'''


class Weather(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = json.dumps({"asked": self.path, "degrees": 21}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def operation(name: str, said: str) -> dict[str, Any]:
    city = {
        "name": "city",
        "in": "query",
        "required": True,
        "description": "A city.",
        "schema": {"enum": ["Rome", "Oslo"]},
    }
    return {"operationId": name, "summary": said, "parameters": [city]}


@pytest.fixture
def weather(tmp_path: Path) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    paths: dict[str, Any] = {"/now": {"get": operation("weather_now", "Tells the weather of a city.")}}
    spec = {"openapi": "3.0.0", "servers": [{"url": f"http://127.0.0.1:{server.server_port}"}], "paths": paths}
    file = tmp_path / "weather.json"
    file.write_text(json.dumps(spec))
    yield file
    server.shutdown()
    server.server_close()


Cli = Callable[..., Any]


def test_probe_tells_what_runs_and_what_does_not(lamina: Cli, tmp_path: Path):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    found = json.loads(lamina("tools", str(tmp_path / "mine.py"), "probe", "--json").out)
    assert found["ran"] == 1
    assert [(p["tool"], p["status"]) for p in found["probes"]] == [("half", "ok"), ("broken", "raised")]


def test_lint_counts_its_remarks(lamina: Cli, weather: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/then"] = {
        "get": {"operationId": "then", "parameters": [{"name": "q", "in": "query", "schema": {}}]}
    }
    weather.write_text(json.dumps(root))
    found = json.loads(lamina("tools", str(weather), "lint", "--json").out)
    assert found["tools"] == 2
    assert found["counts"]["untyped"] == 1
    assert sum(found["counts"].values()) == len(found["remarks"])


def test_what_a_document_has_that_is_no_tool_is_shown(lamina: Cli, weather: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/lost"] = {"get": {"parameters": [{"$ref": "#/nowhere"}]}}
    weather.write_text(json.dumps(root))
    said = lamina("tools", str(weather)).out
    assert "1 tool in" in said
    assert "GET /lost: #/nowhere leads nowhere" in said


def test_synth_writes_rows_for_an_api_and_really_calls_it(lamina: Cli, weather: Path, tmp_path: Path):
    script = tmp_path / "writer.py"
    root = json.loads(weather.read_text())
    root["paths"]["/lost"] = {"get": {"parameters": [{"$ref": "#/nowhere"}]}}
    weather.write_text(json.dumps(root))
    script.write_text(
        "def reply(messages, tools, seed):\n"
        "    city = messages[-1]['content'].rstrip(' ]').split()[-1]\n"
        "    return f'how warm is the weather now in {city}' if seed % 3 else 'blah'\n"
    )
    out = tmp_path / "run"
    result = lamina("synth", str(weather), "--out", str(out), "-n", "8", "--writer", f"scripted:{script}", "--json")
    assert result.status == 0, result.err
    assert "1 of what" in result.err
    rows = [json.loads(line) for name in ("trajectories", "rejects") for line in (out / f"{name}.jsonl").open()]
    assert rows
    assert "21" in (out / "trajectories.jsonl").read_text()


def test_synth_does_not_call_what_changes_things_unasked(lamina: Cli, weather: Path, tmp_path: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/now"] = {"post": operation("set_weather", "Sets the weather.")}
    weather.write_text(json.dumps(root))
    result = lamina("synth", str(weather), "--out", str(tmp_path / "run"), "-n", "4")
    assert result.status == 2
    assert "--allow-changes" in result.err
