"""Ctrl-C in the verbs that work for long: one line, exit status 130, and the same command goes on. (In synth and build:
tests/build.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # what the rooms' tests share

from killed_in import KILLED_IN
from lamina.runs import Run
from tiny_gguf import save_tiny_gguf
from tiny_llama import desk_toolbox, save_tiny_llama, split_rows

STOPPED = "lamina: stopped; the same command continues where it was"
REQUESTS = {
    "double 4": [{"name": "scale", "arguments": {"value": 4}}],
    "4 times 7": [{"name": "scale", "arguments": {"value": 4, "factor": 7}}],
    "sing": [],
    "double 5": [{"name": "scale", "arguments": {"value": 5}}],
}
MODEL = """
import json

RIGHT = json.loads({right!r})
LOG = {log!r}


def reply(messages, tools, seed):
    with open(LOG, "a") as log:
        log.write(messages[-1]["content"] + "\\n")
    said = [m["content"] for m in messages if m["role"] == "user"]
    return "[]" if messages[-1]["role"] == "tool" else json.dumps(RIGHT[said[0]])
"""


def lamina(*arguments: object, stopped_in: str = "") -> subprocess.CompletedProcess[str]:
    """``stopped_in``: what ``killed_in.py`` takes first."""
    start = [str(KILLED_IN), *stopped_in.split()] if stopped_in else ["-m", "lamina"]
    words = [sys.executable, *start, *map(str, arguments)]
    environment = {**os.environ, "KILLED_BY": "SIGINT"}
    return subprocess.run(words, capture_output=True, text=True, timeout=240, env=environment)


def assert_stopped(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == STOPPED
    assert [line for line in done.stderr.splitlines() if line.startswith("lamina: ")] == [STOPPED]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.fixture
def model(tmp_path: Path) -> str:
    script = tmp_path / "model.py"
    script.write_text(MODEL.format(right=json.dumps(REQUESTS), log=str(tmp_path / "asked.log")), encoding="utf-8")
    return f"scripted:{script}"


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "asked.log").read_text().splitlines()


def test_in_a_bench_what_was_answered_stays_and_is_asked_no_more(model: str, tools_file: Path, tmp_path: Path):
    queries = [{"id": f"q{n}", "query": text, "calls": calls} for n, (text, calls) in enumerate(REQUESTS.items())]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
    bench = ["bench", model, "--tools", tools_file, "--tasks", f"own:{tmp_path / 'queries.jsonl'}"]
    bench += ["--out", tmp_path / "run", "--json"]
    assert_stopped(lamina(*bench, stopped_in="lamina.bench.asking:_Asking._store 2"))
    with Run.at(tmp_path / "run") as run:
        kept = {row.id: row.payload for row in run.store.iterate("sample")}
        assert len(kept) == 2
        assert not run.is_done("bench")
    (tmp_path / "asked.log").unlink()
    done = lamina(*bench)
    assert done.returncode == 0, done.stderr
    right = [row for row in json.loads(done.stdout)["rows"] if row["metric"] == "call_exact"]
    assert [(row["value"], row["n"]) for row in right] == [(1.0, 4)]
    with Run.at(tmp_path / "run") as run:
        samples = {row.id: row.payload for row in run.store.iterate("sample")}
    assert len(samples) == 4
    assert {id: samples[id] for id in kept} == kept
    names = [json.loads(payload)["row"]["query"] for payload in kept.values()]
    quality = asked(tmp_path)[:2]  # what comes after is timed
    assert not set(quality) & set(names)


def test_while_an_agent_acts_nothing_is_done_twice(model: str, tools_file: Path, tmp_path: Path):
    act = ["act", "double 4", "--tools", tools_file, "--model", model, "--json"]
    assert_stopped(lamina(*act, stopped_in="lamina.models.scripted:ScriptedModel.generate 1"))
    assert asked(tmp_path) == ["double 4"], "no call was made, and none is remembered"
    done = lamina(*act)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [call["arguments"]["value"] for call in answer["calls"]] == [4]


def test_while_files_are_written_no_half_file_stays_under_a_files_name(tmp_path: Path):
    source = save_tiny_gguf(tmp_path / "tiny.gguf")
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    quantize = ["quantize", source, "--types", "F16,Q8_0", "--out"]
    assert lamina(*quantize, unbroken).returncode == 0
    whole = {file.name: file.read_bytes() for file in unbroken.iterdir()}
    assert_stopped(lamina(*quantize, broken, stopped_in="gguf:GGUFWriter.write_tensor_data 15"))
    left = {file.name: file.read_bytes() for file in broken.iterdir()}
    assert left
    assert all(content == whole[name] for name, content in left.items() if name.endswith(".gguf"))
    assert lamina(*quantize, broken).returncode == 0
    assert {file.name: file.read_bytes() for file in broken.iterdir()} == whole


@pytest.mark.slow  # three processes that import torch
def test_in_a_training_the_same_command_goes_on_to_the_same_weights(tmp_path: Path):
    pytest.importorskip("trl")
    base = save_tiny_llama(tmp_path / "base")
    tools = desk_toolbox().as_openai()
    rows = [row.model_copy(update={"tools": tools}).to_json() for row in split_rows(12)]
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(rows))
    train = ["train", tmp_path / "rows.jsonl", "--base", base, "--epochs", 4, "--json", "--out"]
    stopped = lamina(*train, tmp_path / "broken", stopped_in="lamina.training.trainer:TrainingLog.step 4")
    assert_stopped(stopped)
    assert not (tmp_path / "broken" / "model" / "training.json").exists()
    resumed, unbroken = lamina(*train, tmp_path / "broken"), lamina(*train, tmp_path / "unbroken")
    assert resumed.returncode == unbroken.returncode == 0, resumed.stderr
    files = [sorted((tmp_path / name).rglob("model.safetensors")) for name in ("broken", "unbroken")]
    assert [len(found) for found in files] == [1, 1]
    assert files[0][0].read_bytes() == files[1][0].read_bytes()
