"""`lamina build` from functions to report, with the real small model: few rows, one epoch, all stages."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

QUERIES = [
    {
        "id": "1",
        "query": "double 21",
        "kind": "single",
        "calls": [{"name": "scale", "arguments": {"value": 21}}],
    },
    {
        "id": "2",
        "query": "paint the gate green",
        "kind": "single",
        "calls": [{"name": "paint", "arguments": {"thing": "the gate", "colour": "green"}}],
    },
    {"id": "3", "query": "tell me a joke", "kind": "refusal", "calls": []},
]
BUILD = (
    *("build", "tools.py", "--out", "run", "-n", 60, "--round-trip", "none", "--judge", "none", "--epochs", 1),
    *("--variants", 4, "--generated-prompts", 8, "--types", "F16,Q8_0"),
)
STAGES = {"environment", "tools", "synth", "split", "train", "export", "quantize", "bench"}


REFLECTOR = Path(__file__).parents[1] / "agents" / "obedient_model.py"


def wait_for(file: Path, text: str, process: subprocess.Popen[bytes], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and text in file.read_text():
            return
        time.sleep(0.2)
    raise AssertionError(f"{file} never said {text!r}")


def test_a_build_that_is_killed_in_training_ends_complete_and_its_agent_acts(command, workshop: Path):
    (workshop / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUERIES), encoding="utf-8")
    run = workshop / "run"
    words = [sys.executable, "-m", "lamina", *[str(a) for a in BUILD]]
    with subprocess.Popen(words, cwd=workshop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        wait_for(run / "model" / "train-log.csv", "\n1,", first)  # the first step was made
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    assert not (run / "model" / "training.json").exists(), "training was over before the kill"
    rows = (run / "trajectories.jsonl").read_bytes()

    done = command(*BUILD, "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    assert "split: done before" in done.stderr
    assert "train: done before" not in done.stderr
    assert "queries.jsonl" in done.stderr, "which requests are scored is said aloud"
    result = json.loads(done.stdout)
    assert {"out", "seconds", "metrics"} <= set(result)
    assert set(result["metrics"]) >= STAGES
    trained = [json.loads(line)["id"] for line in rows.splitlines()]
    kept = [json.loads(line)["id"] for line in (run / "trajectories.jsonl").read_bytes().splitlines()]
    assert kept == trained, "what synthesis had acknowledged is what the model learned from"

    assert {f["type"] for f in result["metrics"]["quantize"]["files"]} == {"F16", "Q8_0"}
    assert all(f["parity"] for f in result["metrics"]["quantize"]["files"])
    benched = {(r["model"], r["precision"]) for r in result["metrics"]["bench"]["rows"]}
    assert {("tuned", "F16"), ("tuned", "Q8_0")} < benched
    assert any(model == "base" for model, _ in benched)
    parts = {(r["precision"], r["part"]) for r in result["metrics"]["bench"]["by_writer"]}
    assert parts >= {("F16", "all"), ("Q8_0", "all")}
    assert json.loads((run / "report.json").read_text()).keys() >= STAGES
    page = (run / "report.html").read_text()
    loads = r"""(?:src|href)=["']https?:|<(?:script|link|iframe|img|object|embed)\b|@import"""
    assert not re.search(loads, page), "the report opens offline"

    again = command(*BUILD, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["metrics"] == result["metrics"], "a finished build is not done again"

    acted = command("act", "paint the gate green", "--run", "run", "--json")
    answer = json.loads(acted.stdout)
    messages, calls = answer["trajectory"]["messages"], answer["calls"]
    assert messages[0]["content"] == "paint the gate green"
    # A model of one epoch may err, but whatever it calls fits a function (its answer is constrained) and is run once.
    assert answer["metrics"]["ending"] in (("done", "repeated", "turns") if calls else ("refused",))
    assert {call["name"] for call in calls} <= {"scale", "paint", "count_days"}
    assert len([m for m in messages if m["role"] == "tool"]) == len(calls) == answer["metrics"]["calls"]
    assert acted.returncode == (1 if answer["metrics"]["failed"] else 0)

    data_set = (run / "trajectories.jsonl").read_bytes()
    learnt = command(*BUILD, "--learn", "--reflector", f"scripted:{REFLECTOR}", "--json", timeout=600)
    assert learnt.returncode == 0, learnt.stderr
    metrics = json.loads(learnt.stdout)["metrics"]
    before, now = (
        {k: v for k, v in m.items() if k not in ("environment", "learn")} for m in (result["metrics"], metrics)
    )
    assert now == before, "the rest stays as it was"
    assert "--learn" in metrics["environment"]["commands"][-1]
    assert metrics["learn"]["first"]["n"] == metrics["learn"]["last"]["n"] >= len(QUERIES)
    assert metrics["learn"]["cost"]["reflect"]["calls"]
    assert (run / "principles.toml").exists()
    assert (run / "trajectories.jsonl").read_bytes() == data_set, "what was played is no part of the data set"
    assert "Action principles" in (run / "report.html").read_text()
    assert command(*BUILD, "--learn", "--reflector", "embedded").returncode == 2, "learnt by another"

    other = command(*BUILD[:-1], "Q8_0")
    assert other.returncode == 2
    assert "types" in other.stderr.splitlines()[-1]
