"""Wall time of one RPO-Batch update with B = 16, all at once and one call after the other, with an endpoint that
answers in 200 ms.

usage: rpo_wall_time.py        (half a minute, mostly waiting; docs/results/rpo.md)

The endpoint is a server on this machine that sleeps and then says what the scripted family of the tests says.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lamina.agents.environments import open_environment
from lamina.agents.learning import LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.models import open_model
from lamina.runs import RecordStore

SECONDS, BATCH = 0.2, 16
FAMILY = Path(__file__).parents[1] / "tests" / "agents" / "obedient_model.py"


def family():
    spec = importlib.util.spec_from_file_location("family", FAMILY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reply = None

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(SECONDS)
        message = {"role": "assistant", "content": self.reply(asked["messages"], None, 0)}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def main() -> None:
    script = family()
    script.solutions()  # once, before the clock runs
    Endpoint.reply = staticmethod(script.reply)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("at once  calls  seconds")
    seconds = {slots: update(server.server_address[1], slots) for slots in (1, BATCH)}
    print(f"{seconds[1] / seconds[BATCH]:.1f} times shorter")
    server.shutdown()


def update(port: int, slots: int) -> float:
    environment = open_environment("shop")
    settings = LearnSettings(iterations=1, batch=BATCH, test=0, held=0, accept=False, keep_best=False, fallback=False)
    model = open_model(f"openai:stub@http://127.0.0.1:{port}/v1", slots=slots)
    with tempfile.TemporaryDirectory() as folder, RecordStore(Path(folder) / "records.sqlite") as store:
        ledger = Ledger(store)
        split = split_tasks(environment.tasks(), held=0, test=0)
        started = time.perf_counter()
        learned = learn(environment, split, Roles(model, model, model), settings, ledger, store)
        took = time.perf_counter() - started
    model.close()
    assert set(learned.principles.actions) == {"search", "click"}
    print(f"{slots:7}  {ledger.total.calls:5}  {took:7.2f}", flush=True)
    return took


if __name__ == "__main__":
    main()
