"""A run becomes a public data set: what goes up lies in the run first, and a hub on this machine takes it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamina.cli import main
from lamina.data.publishing import prepare
from lamina.runs import Run
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, TrajectoryStore

pytest.importorskip("pyarrow")
TOOL = {"type": "function", "function": {"name": "double", "description": "Doubles.", "parameters": {}}}


def row(number: int, split: str) -> Trajectory:
    said = [
        Message(role="user", content=f"double {number}"),
        Message(role="assistant", tool_calls=[ToolCall.of("double", {"x": number})]),
    ]
    return Trajectory(id=f"r{number}", tools=[TOOL], messages=said, meta=Meta(split=split, style="simple"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    sides = ["train"] * 6 + ["validation", "test", "contaminated"]
    with Run.open(tmp_path / "run", {"verb": "synth", "tools": "/home/me/secret place/tools.py"}) as run:
        TrajectoryStore(run.store).add((n, row(n, side)) for n, side in enumerate(sides))
        run.finish("environment", {"commands": ["lamina synth tools.py --out run"]})
        rejected = {"grounding": {"not-asked": 4, "duplicate": 2}}
        yields: dict[str, Any] = {"targets": 20, "verified": 9, "rejected": rejected}
        yields["by_style"] = {
            "simple": {"passed": 9, "failed": {}},
            "parallel": {"passed": 5, "failed": {**rejected, "format": {"x": 1}}},
        }
        yields["compared_with"] = []
        run.finish("synth", {**yields, "sandbox": "guarded", "judge": {"judge": "m", "agreed": 50, "rows": 60}})
    return tmp_path / "run"


class Hub(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.created: dict[str, Any] = {}
        self.tokens: set[str | None] = set()
        self.refuses = 0
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._say(404 if self.server.refuses else 200, {"id": "me/calls", "sha": "0" * 40, "siblings": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.refuses:
            return self._say(self.server.refuses, {"error": "You may not write here."})
        if self.path.endswith("/repos/create"):
            self.server.created = json.loads(body)
            return self._say(200, {"url": f"http://127.0.0.1:{self.server.server_port}/datasets/me/calls"})
        if "/preupload/" in self.path:
            files = [{"path": f["path"], "uploadMode": "regular"} for f in json.loads(body)["files"]]
            return self._say(200, {"files": [{**f, "shouldIgnore": False, "oid": None} for f in files]})
        if self.path.endswith("/validate-yaml"):
            return self._say(200, {"errors": [], "warnings": []})
        for line in body.splitlines():
            part = json.loads(line)
            if part["key"] == "file":
                self.server.taken[part["value"]["path"]] = base64.b64decode(part["value"]["content"])
        self._say(
            200,
            {
                "commitUrl": f"http://127.0.0.1:{self.server.server_port}/datasets/me/calls/commit/1",
                "commitOid": "1" * 40,
                "hookOutput": "",
                "success": True,
            },
        )

    def _say(self, status: int, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def words(run: Path, hub: Hub) -> list[str]:
    return [
        "data",
        "push",
        str(run),
        "--repo",
        "me/calls",
        "--endpoint",
        f"http://127.0.0.1:{hub.server_port}",
        "--json",
    ]


def test_what_would_be_public_can_be_looked_at_first(run: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["data", "push", str(run), "--repo", "me/calls", "--license", "cc0-1.0", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["url"] is None
    assert found["files"] == ["README.md", "data/test.parquet", "data/train.parquet", "data/validation.parquet"]
    card = (run / "hub" / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card.split("---")[1])
    assert header["license"] == "cc0-1.0"
    assert header["configs"][0]["data_files"][0] == {"split": "train", "path": "data/train.parquet"}
    assert "Split by group: 6 train, 1 validation, 1 test. Not in it: 1 contaminated." in card
    assert "| grounding | 6 | not-asked 4; duplicate 2 |" in card
    assert "| simple | 9 | 9 | 100% |  |" in card
    assert "| parallel | 12 | 5 | 42% | grounding 6; format 1 |" in card
    assert "Not compared with any evaluation set" in card
    assert "50 of 60 labelled rows" in card
    assert "lamina synth tools.py --out run" in card
    assert "secret place" not in card


def test_the_parquet_files_are_what_datasets_reads(run: Path, capsys: pytest.CaptureFixture[str]):
    datasets = pytest.importorskip("datasets")
    main(["data", "push", str(run), "--repo", "me/calls", "--dry-run"])
    files = {side: str(run / "hub" / "data" / f"{side}.parquet") for side in ("train", "test")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(run / "cache"))
    assert loaded["train"].num_rows == 6
    assert loaded["test"][0]["messages"][0]["content"] == "double 7"


def test_a_hub_is_given_the_files_and_its_answer_is_said(run: Path, hub: Hub, capsys: pytest.CaptureFixture[str]):
    assert main([*words(run, hub), "--private"]) == 0
    assert set(hub.taken) == {"README.md", "data/test.parquet", "data/train.parquet", "data/validation.parquet"}
    assert hub.taken["README.md"] == (run / "hub" / "README.md").read_bytes()
    assert (hub.created["name"], hub.created["type"]) == ("calls", "dataset")
    assert "private" in json.dumps(hub.created)
    assert hub.tokens == {"Bearer hf_secretsecretsecret"}
    assert "secretsecret" not in capsys.readouterr().out


def test_a_hub_that_refuses_is_one_line(run: Path, hub: Hub, capsys: pytest.CaptureFixture[str]):
    hub.refuses = 403
    assert main(words(run, hub)) == 1
    said = capsys.readouterr().err
    assert "the hub did not take it" in said
    assert "Traceback" not in said
    assert "secretsecret" not in said


def test_a_hub_that_knows_nobody_says_how_to_log_in(run: Path, hub: Hub, capsys: pytest.CaptureFixture[str]):
    hub.refuses = 401
    assert main(words(run, hub)) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("lamina: the hub did not take it: ")
    assert said.endswith("log in with 'hf auth login', or set HF_TOKEN")


def test_a_hub_that_is_out_of_reach_is_one_line(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    words = ["data", "push", str(run), "--repo", "me/calls", "--endpoint", "http://127.0.0.1:9"]
    assert main(words) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("lamina: the hub could not be asked: ")
    assert said.endswith("check network and --endpoint")


def test_a_name_that_the_hub_would_not_take_is_the_users_mistake(
    run: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
):
    assert main([*words(run, hub), "--repo", "me/two words"]) == 2
    assert "me/two words" in capsys.readouterr().err.splitlines()[-1]


def test_the_card_says_who_wrote_the_rows_and_that_a_judge_did_not_count(tmp_path: Path):
    with Run.open(tmp_path / "run", {"verb": "synth"}) as run:
        TrajectoryStore(run.store).add([(0, row(0, "train"))])
        judge = {"judge": "m", "agreed": 30, "rows": 60, "usable": False, "why": "it nods"}
        made = {"your examples": 300, "the grammar": 3, "/home/me/secret place/q.gguf": 6}
        run.finish("synth", {"targets": 20, "verified": 309, "composition": made, "judge": judge, "sandbox": "guarded"})
        card = (prepare(run, "me/calls", "mit") / "README.md").read_text("utf-8")
    assert "Written: 300 by a person (examples), 3 by a program (a grammar), 6 by the model q.gguf." in card
    assert "20 attempts, 9 verified rows of them, and 300 examples of a person's; calls ran" in card
    assert "30 of 60 labelled rows; it did not count, for it nods; rows are marked unjudged" in card


def test_a_name_that_is_none_and_a_run_without_rows_are_the_users_mistakes(run: Path, tmp_path: Path):
    assert main(["data", "push", str(run), "--repo", "calls", "--dry-run"]) == 2
    with Run.open(tmp_path / "empty", {"verb": "synth"}):
        pass
    assert main(["data", "push", str(tmp_path / "empty"), "--repo", "me/calls", "--dry-run"]) == 2


MACHINE = "/home/me/secret place"
HERE = {
    "files": {f"{MACHINE}/a/rows.jsonl": "1f", f"{MACHINE}/b/rows.jsonl": "2f", "module:math": "3f"},
    "writer": f"scripted:{MACHINE}/writer.py",
    "held_out": [f"{MACHINE}/bfcl/", "~/secret place/more.json", "../secret place/x.json"],
    "offers": f"{MACHINE}/a.toml,{MACHINE}/b.toml",
    "model": "Qwen/Qwen2.5-0.5B",
    "endpoint": "http://127.0.0.1:80/v1",
    "nested": {"deep": [{f"{MACHINE}/k": f"read from {MACHINE}/k"}]},
}


def test_no_path_of_the_machine_is_on_the_card(tmp_path: Path):
    command = f"lamina synth '{MACHINE}/tools.py' --out='{MACHINE}/run' --writer 'scripted:{MACHINE}/w.py' --n 4"
    with Run.open(tmp_path / "run", {"verb": "synth", **HERE}) as run:
        TrajectoryStore(run.store).add([(0, row(0, "train"))])
        run.finish("environment", {"commands": [command, "lamina data mix not 'a shell's /home/me/line"]})
        card = (prepare(run, "me/calls", "mit") / "README.md").read_text(encoding="utf-8")
    assert "secret" not in card
    assert "/home" not in card
    assert str(tmp_path) not in card
    assert "lamina synth tools.py --out=run --writer scripted:w.py --n 4" in card
    config = json.loads(card.split("```json")[1].split("```")[0])
    assert config["files"] == {"rows.jsonl": "1f", "rows.jsonl (2)": "2f", "module:math": "3f"}
    assert config["held_out"] == ["bfcl", "more.json", "x.json"]
    assert config["offers"] == "a.toml,b.toml"
    assert (config["model"], config["endpoint"]) == (HERE["model"], HERE["endpoint"])


def test_rows_named_after_a_file_are_sent_without_its_folders(tmp_path: Path):
    import pyarrow.parquet

    with Run.open(tmp_path / "run", {"verb": "import"}) as run:
        rows = [row(n, "train") for n in range(3)]
        rows[0].id, rows[1].id = f"{MACHINE}/a/rows.jsonl:1", f"{MACHINE}/b/rows.jsonl:1"
        rows[2].messages[0].content = "list /home/me"
        TrajectoryStore(run.store).add(enumerate(rows))
        sent = pyarrow.parquet.read_table(prepare(run, "me/calls", "mit") / "data" / "train.parquet").to_pylist()
    assert [one["id"] for one in sent] == ["rows.jsonl:1", "rows.jsonl:1 (2)", "r2"]
    assert "list /home/me" in json.dumps(sent[2]).replace("\\/", "/"), "what a row says is not changed"


def test_a_password_that_an_older_run_holds_is_not_published(tmp_path: Path):
    import pyarrow.parquet

    ref = "openai:m@http://ana:hunter2@127.0.0.1/v1"
    Run.open(tmp_path / "run", {"writer": "OLD"}).close()
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("OLD", ref), encoding="utf-8")
    with Run.at(tmp_path / "run") as run:
        one = row(0, "train")
        one.meta.writer = ref
        TrajectoryStore(run.store).add([(0, one)])
        run.finish("environment", {"commands": [f"lamina synth tools.py --writer {ref}"]})
        hub = prepare(run, "me/calls", "mit")
        sent = pyarrow.parquet.read_table(hub / "data" / "train.parquet").to_pylist()
    assert "hunter2" not in json.dumps(sent) + (hub / "README.md").read_text(encoding="utf-8")
    assert "openai:m@http://…@127.0.0.1/v1" in json.dumps(sent, ensure_ascii=False).replace("\\/", "/")
