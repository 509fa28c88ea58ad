"""A model behind an endpoint is benched as one of a file is: choices are read, answers timed, no memory made up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models, open_task
from lamina.tools import Toolbox

SAID = ["The answer", " is", " **Blue**."]
USAGE = {"prompt_tokens": 20, "completion_tokens": 4}


@pytest.fixture
def chatty() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of an endpoint that knows no schemas, and what it is sent."""
    sent: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            sent.append(body)
            refused = "response_format" in body
            self.send_response(400 if refused else 200)
            self.end_headers()
            if refused:
                self.wfile.write(b"response_format is not supported")
            elif body.get("stream"):
                found = [{"choices": [{"delta": {"content": text}}]} for text in SAID]
                for event in [*found, {"choices": [], "usage": USAGE}]:
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                    self.wfile.flush()
                    threading.Event().wait(0.01)
            else:
                self.wfile.write(json.dumps({"choices": [{"message": {"content": "".join(SAID)}}]}).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"openai:far@http://127.0.0.1:{server.server_address[1]}/v1", sent
    server.shutdown()
    server.server_close()


def test_its_choices_are_read_its_answers_timed_and_its_memory_is_not_ours(
    chatty: tuple[str, list[dict[str, Any]]], desk: SimpleNamespace
):
    ref, sent = chatty
    file = desk.folder / "colours.jsonl"
    rows = [{"input": f"{n}: red or blue?", "target": "blue", "choices": ["red", "blue"]} for n in range(2)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = BenchSettings(timing_samples=2, repeats=1)
    found = bench_models(
        [BenchModel(ref, "far", "", "plain")], [open_task(f"jsonl:{file}")], run=desk.run, toolbox=Toolbox([]),
        settings=settings,
    )  # fmt: skip
    assert found["crashes"] == []
    figures = {row["metric"]: row["value"] for row in found["rows"]}
    assert figures["exact_match"] == 1.0
    assert figures["first_token_seconds"] > 0
    assert "peak_rss_bytes" not in figures
    (resource,) = found["resources"]
    assert resource["timing"]["all"]["ttft_seconds"]["n"] == resource["timing"]["all"]["otps"]["n"] == 2
    assert (resource["peak_rss_bytes"], resource["threads"]) == (None, None)
    assert "endpoint" in resource["why"]
    assert all("response_format" not in body for body in sent if body.get("stream"))
