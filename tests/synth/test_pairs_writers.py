"""``benchmarks/pairs_writers.py`` prints the yields of the three ways of writing side by side."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "pairs_writers.py"
WRITER = """
import json
import random
import re


def reply(messages, tools, seed):
    prompt, draw = messages[-1]["content"], random.Random(seed)
    words = " ".join("".join(draw.choices("bdfgklmnprst", k=6)) for _ in range(6))
    if not (found := re.findall(r"(\\d+) new one", prompt)):
        said = re.findall(r": ([^;/\\]]+)", prompt.splitlines()[-1])
        return f" water count pots {' and '.join(s.strip() for s in said)} {words}"
    call = {"name": "water_plant", "arguments": {"plant": "oak", "liters": draw.randint(2, 290)}}
    query = f"pour {call['arguments']['liters']} liters on the oak {words}"
    return "\\n".join([json.dumps({"query": query, "answers": [call]})] + ["no pair"] * (int(found[-1]) - 1))
"""


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pairs_writers", FILE)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "pairs_writers", script)  # dataclasses look themselves up there
    spec.loader.exec_module(script)
    return script


def test_three_ways_of_writing_are_counted_by_stage_with_one_writer(
    benchmark: ModuleType, garden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    benchmark.main([f"scripted:{tmp_path / 'writer.py'}", str(garden), "-n", "8", "--per-request", "2"])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[-8:] == ["format", "execution", "grounding", "novelty", "seconds", "tokens", "a", "row"]
    rows = {line[:22].strip(): line[22:].split() for line in lines[:3]}
    assert list(rows) == ["call-first", "pairs, constrained", "pairs, unconstrained"]
    for targets, verified, _, *by_stage in rows.values():
        assert targets == "8"
        assert int(verified) + sum(map(int, by_stage[:4])) == 8
    assert int(rows["call-first"][1]) > 0
    assert int(rows["pairs, constrained"][3]) >= 4  # half of the pairs are not written
    assert "no-answer" in lines[4]
