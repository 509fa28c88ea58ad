"""`lamina build` is killed while its files are compared with the merged model, the stage `quantize`: what was answered
stays, and the figures are those of an unbroken build. On a tiny random base, so that only the numbers are nonsense."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

from lamina.runs import Run
from tiny_llama import save_tiny_llama

pytest.importorskip("trl")
pytestmark = pytest.mark.slow  # processes that import torch, one after the other

QUERIES = [
    {"id": "1", "query": "double 21", "calls": [{"name": "scale", "arguments": {"value": 21}}]},
    {"id": "2", "query": "tell me a joke", "kind": "refusal", "calls": []},
]
BUILD = (
    *("build", "tools.py", "--writer", "scripted:writer.py", "--judge", "none", "--base", "base", "--no-compare-base"),
    *("--rows", 40, "--variants", 6, "--epochs", 0.5, "--types", "F16,Q8_0", "--generated-prompts", 2, "--seed", 3),
)
BENCH = "lamina.bench.benching:plan 1"
"""Where the next stage begins, which no test here needs."""
SAMPLES = 4
"""Of each model: two written by hand, two generated."""


def samples(run: Path) -> dict[str, tuple[str, bytes]]:
    """Model and record of each answer."""
    with Run.at(run) as opened:
        rows = list(opened.store.iterate("sample"))
    return {row.id: (json.loads(row.payload)["precision"], row.payload) for row in rows}


def test_a_build_killed_as_its_files_are_compared_asks_nothing_twice(command, workshop: Path):
    (workshop / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUERIES), encoding="utf-8")
    save_tiny_llama(workshop / "base")
    place = f"lamina.bench.asking:_Asking._store {SAMPLES + 2}"
    killed = command(*BUILD, "--out", "broken", killed_in=place, timeout=900)
    assert killed.returncode == -9, killed.stderr
    before = samples(workshop / "broken")
    assert [precision for precision, _ in before.values()].count("F16") == 2
    assert len(before) == SAMPLES + 2
    with Run.at(workshop / "broken") as run:
        assert run.is_done("export")
        assert not run.is_done("quantize")
        assert [row.id for row in run.store.iterate("trajectory")]

    for name in ("broken", "unbroken"):
        stopped = command(*BUILD, "--out", name, killed_in=BENCH, timeout=900)
        assert stopped.returncode == -9, stopped.stderr
        assert ("export: done before" in stopped.stderr) is (name == "broken")
    after = samples(workshop / "broken")
    assert {id: after[id] for id in before} == before, "what was answered is not asked again"
    assert len(after) == 3 * SAMPLES
    assert parity(workshop / "broken") == parity(workshop / "unbroken")
    for name in ("trajectories.jsonl", "rejects.jsonl", "model/model.safetensors", "gguf/model-Q8_0.gguf"):
        assert (workshop / "broken" / name).read_bytes() == (workshop / "unbroken" / name).read_bytes(), name


def parity(run: Path) -> list[Any]:
    with Run.at(run) as opened:
        result = opened.result("quantize")
    assert result is not None
    return [(file["type"], file["bytes"], file["parity"]) for file in result["files"]]
