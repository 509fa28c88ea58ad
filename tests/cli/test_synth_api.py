"""``lamina synth`` over an HTTP API that misbehaves: what can be verified becomes rows, the rest is a reject with its
reason, and the key is in nothing that is written or said."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest

from lamina.trajectories import Trajectory, read_trajectories

KEY = "sk-town-hall-0123456789"
RESULT_BYTES = 65_536
"""What a record keeps of a result (docs/verbs/synth.md)."""

TOWN = """\
openapi: 3.0.3
info: {title: Town, version: "1"}
components:
  securitySchemes:
    hall: {type: apiKey, in: header, name: X-Hall-Key}
paths:
  /weather:
    get: &one
      operationId: get_weather
      summary: Get the weather forecast of a city.
      parameters:
        - {name: city, in: query, required: true, description: The city.,
           schema: {type: string, enum: [Oslo, Quito, Lima, Turin]}}
        - {name: days, in: query, required: true, description: For how many days.,
           schema: {type: integer, minimum: 1, maximum: 90}}
  /trees: {get: {<<: *one, operationId: count_trees, summary: Count the trees of a city.}}
  /bell: {get: {<<: *one, operationId: ring_bell, summary: Ask when the bell of a city rings.}}
  /route: {get: {<<: *one, operationId: find_route, summary: Find a bus route through a city.}}
  /map: {get: {<<: *one, operationId: show_map, summary: Show a map of a city.}}
  /archive: {get: {<<: *one, operationId: read_archive, summary: Read the archive of a city.}}
  /tax: {get: {<<: *one, operationId: see_tax, summary: See the tax of a city., security: [{hall: []}]}}
  /permit: {get: {<<: *one, operationId: see_permit, summary: See the permit of a city., security: [{hall: []}]}}
  /pool: {get: {<<: *one, operationId: heat_of_pool, summary: See how warm the swimming pool of a city is.}}
"""


def weather(asked: dict[str, str]) -> dict[str, Any]:
    return {"city": asked["city"], "sun": [len(asked["city"]) + day for day in range(int(asked["days"]))]}


class Town(BaseHTTPRequestHandler):
    """Each path misbehaves in its own way."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[Counter[str]] = Counter()
    sent = 0

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.asked.update([url.path, self.path])
        getattr(self, "on_" + url.path.strip("/"))(dict(parse_qsl(url.query)))

    def answer(self, status: int, said: Any, kind: str = "application/json", **headers: str) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def on_weather(self, asked: dict[str, str]) -> None:
        self.answer(200, weather(asked))

    def on_trees(self, asked: dict[str, str]) -> None:
        first = self.asked[self.path] == 1  # of each question
        self.answer(500, {"message": "again"}) if first else self.answer(200, {"trees": 40 * int(asked["days"])})

    def on_bell(self, asked: dict[str, str]) -> None:
        time.sleep(4)
        self.close_connection = True  # nobody listens any more

    def on_route(self, asked: dict[str, str]) -> None:
        self.answer(302, b"", Location="http://example.org/route")

    def on_map(self, asked: dict[str, str]) -> None:
        self.answer(200, b"<!doctype html><title>Map</title>", "text/html")

    def on_archive(self, asked: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"leaf " * ((1 << 20) // 5) + b".")
                type(self).sent += 1
        except OSError:
            self.close_connection = True

    def on_tax(self, asked: dict[str, str]) -> None:
        self.answer(403, {"error": f"the key {self.headers['X-Hall-Key']} is not valid here"})

    def on_permit(self, asked: dict[str, str]) -> None:
        self.answer(200, {"holder": self.headers["X-Hall-Key"], "days": int(asked["days"])})

    def on_pool(self, asked: dict[str, str]) -> None:
        self.answer(200, {"error": "the pool is closed"})


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    Town.asked, Town.sent = Counter(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Town)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TOWN_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("TOWN_HALL", KEY)
    file = tmp_path / "town.yaml"
    file.write_text(TOWN)
    yield file
    server.shutdown()
    server.server_close()


def test_rows_of_an_api_are_verified_by_calling_it(
    town: Path, lamina: Callable[..., Any], says_the_values: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    said = lamina("synth", town, "--out", out, "-n", 90, "--writer", says_the_values, "--timeout", 2, "--near", 1)
    assert said.status == 0, said.err
    rows = list(read_trajectories(out / "trajectories.jsonl"))
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").open()]

    called = {call.name for row in rows for call in row.calls}
    assert called == {"get_weather", "count_trees", "read_archive", "see_permit"}
    for row in rows:
        assert all(check_result(call, text) for call, text in results_of(row)), row
    never = {r["record"]["calls"][0]["name"]: r for r in rejects if r["record"]["writer"] == "none"}
    assert {name: (r["stage"], r["reason"]) for name, r in never.items()} == {
        "ring_bell": ("execution", "timed-out"),
        "find_route": ("execution", "raised"),
        "show_map": ("execution", "unserialisable"),
        "see_tax": ("execution", "http-status"),
        "heat_of_pool": ("execution", "error-result"),
    }
    for name, words in {"find_route": "example.org", "show_map": "HTML", "see_tax": "is not valid here"}.items():
        assert words in never[name]["detail"]
    told = said.err.replace("\n", " ")
    for name in never:
        assert f"{name}: no call that was drawn for it ran" in told
    assert {r["reason"] for r in rejects if r["record"]["writer"] != "none"} >= {"request-says-more"}

    trees = [times for path, times in Town.asked.items() if path.startswith("/trees?")]
    assert trees
    assert min(trees) >= 2, "each 500 was followed by another try"
    for path in ("/bell", "/tax"):
        assert Town.asked[path] <= 12, "what hangs, or refuses the key, is given up"
    assert "look at its server" in told
    assert "--env" not in told, "of which an API sees nothing"
    assert Town.sent < 100 * Town.asked["/archive"] / 2, "of the 100 MB most were never taken"
    assert sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) < 20 << 20
    assert KEY not in said.out + said.err
    assert not [file.name for file in out.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def results_of(row: Trajectory) -> list[tuple[Any, str]]:
    return list(zip(row.calls, [m.content for m in row.messages if m.role == "tool"], strict=True))


def check_result(call: Any, text: str) -> bool:
    """What the town answers to these arguments."""
    if call.name == "read_archive":
        return text.lstrip('"').startswith("leaf leaf") and len(text.encode()) <= RESULT_BYTES
    arguments = {name: str(value) for name, value in call.arguments.items()}
    answers = {
        "get_weather": weather(arguments),
        "count_trees": {"trees": 40 * int(arguments["days"])},
        "see_permit": {"holder": "[secret]", "days": int(arguments["days"])},
    }
    return bool(json.loads(text) == answers[call.name])


def test_a_key_that_is_not_set_leaves_its_operations_out(
    town: Path,
    lamina: Callable[..., Any],
    says_the_values: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOWN_HALL")
    lines = TOWN.splitlines()
    few = [x for x in lines if not x.startswith("  /") or x.startswith(("  /weather", "  /tax", "  /permit"))]
    town.write_text("\n".join(few))
    said = lamina("synth", town, "--out", tmp_path / "run", "-n", 12, "--writer", says_the_values, "--near", 1)
    assert said.status == 0, said.err
    assert "set TOWN_HALL" in said.err
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    assert {call.name for row in rows for call in row.calls} == {"get_weather"}
    assert not Town.asked["/tax"]
