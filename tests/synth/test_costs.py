"""What rows cost: every model's tokens by its role, calls of tools; a run that was broken off and continued adds up."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.tools import read_tools
from lamina.tools.execution import Executor


@pytest.fixture
def garden(garden: Path) -> Path:
    """Its tools share processes, which is fast."""
    garden.write_text(garden.read_text(encoding="utf-8") + "\n\nPURE = True\n", encoding="utf-8")
    return garden


JUDGE = """
import json
from pathlib import Path
from lamina.checks import labelled_rows

HERE = Path(__file__).parent
WRONG = [r.request for r in labelled_rows() if r.meta.model_extra["label"] == "wrong"]


def reply(messages, tools, seed):
    asked = HERE / "asked.txt"
    times = int(asked.read_text()) if asked.exists() else 0
    asked.write_text(str(times + 1))
    if times == BREAKS_AT:
        raise RuntimeError("broken off")
    question = messages[-1]["content"]
    wrong = any(f"Request: {request}\\n" in question for request in WRONG)
    return json.dumps({"thought": "so", "pass": not wrong, "rule": "count" if wrong else "none"})
"""
ROUND_TRIP = """
import json
import re


def reply(messages, tools, seed):
    found = re.search(r"do it: (\\w+), ([\\d.]+)(?:, (\\w+))?", messages[-1]["content"])
    if not found or len(messages[-1]["content"]) % 2:
        return "[]"
    arguments = {"plant": found[1], "liters": float(found[2]), **({"pace": found[3]} if found[3] else {})}
    return json.dumps([{"name": "water_plant", "arguments": arguments}])
"""


def run_synth(tools: Path, out: Path, **settings: Any) -> dict[str, Any]:
    toolbox, made = read_tools(tools), SynthSettings(**settings)
    with Executor(toolbox) as executor, Run.open(out, {"writer": made.writer}) as run:
        return synthesize(toolbox, run, made, Progress(silent=True), executor)


def scripted(folder: Path, source: str) -> str:
    folder.mkdir(exist_ok=True)
    file = folder / "model.py"
    file.write_text(source, encoding="utf-8")
    return f"scripted:{file}"


def cost_of(
    garden: Path, writer: str, tmp_path: Path, name: str, breaks_at: int = -1, **more: Any
) -> tuple[dict[str, Any], int]:
    """What the run says of its cost, and how often its judge was really asked."""
    models = {
        "judge": scripted(tmp_path / f"judge-{name}", JUDGE.replace("BREAKS_AT", str(breaks_at))),
        "round_trip": scripted(tmp_path / f"trip-{name}", ROUND_TRIP),
    }
    settings: dict[str, Any] = {"writer": writer, "rows": 40, "batch": 8, **models, **more}
    if breaks_at >= 0:
        with pytest.raises(InputError, match="broken off"):
            run_synth(garden, tmp_path / name, **settings)
    result = run_synth(garden, tmp_path / name, **settings)
    return result, int((tmp_path / f"judge-{name}" / "asked.txt").read_text())


def without_seconds(cost: dict[str, Any]) -> dict[str, Any]:
    return {
        role: {name: amount for name, amount in spent.items() if name not in ("seconds", "model")}
        for role, spent in cost["models"].items()
    }


def test_tokens_and_requests_are_counted_for_every_model_by_its_role(garden: Path, writer: str, tmp_path: Path) -> None:
    result, asked = cost_of(garden, writer, tmp_path, "run", votes=3)
    cost = result["cost"]
    assert set(cost["models"]) == {"writer", "judge", "round trip"}
    judge = cost["models"]["judge"]
    assert judge["requests"] == asked > 60
    assert (asked - 60) % 3 == 0
    assert judge["model"].startswith("scripted:")
    assert result["tokens"] == sum(m["prompt_tokens"] + m["completion_tokens"] for m in cost["models"].values())
    assert min(m["prompt_tokens"] for m in cost["models"].values()) > 0
    assert cost["tool_calls"] > result["verified"] / 2
    assert cost["seconds"] == result["seconds"] > 0


def test_a_synthesis_that_was_broken_off_and_continued_costs_what_an_unbroken_one_does(
    garden: Path, writer: str, tmp_path: Path
) -> None:
    unbroken, _ = cost_of(garden, writer, tmp_path, "unbroken")
    broken, asked = cost_of(garden, writer, tmp_path, "broken", breaks_at=66)
    assert without_seconds(broken["cost"]) == without_seconds(unbroken["cost"])
    assert broken["tokens"] == unbroken["tokens"]
    assert asked < 2 * 60, "the judge proves itself once a run"


def outcomes(folder: Path) -> list[Any]:
    rows = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    kept = [json.loads(line)["id"] for line in (folder / "trajectories.jsonl").read_text().splitlines()]
    return [kept, [(row["id"], row["reason"]) for row in rows]]


def test_what_models_rejected_is_no_less_there_after_a_kill(garden: Path, writer: str, tmp_path: Path) -> None:
    """A copy of a request that the round trip rejected was a copy in the unbroken run and new in the continued one."""
    result, _ = cost_of(garden, writer, tmp_path, "unbroken")
    assert result["rejected"]["round trip"]["round-trip-differs"] > 10
    cost_of(garden, writer, tmp_path, "broken", breaks_at=66)
    assert outcomes(tmp_path / "broken") == outcomes(tmp_path / "unbroken")


@pytest.mark.parametrize("cap", [6, 12])
def test_rows_of_one_shape_of_calls_are_as_many_as_was_said(
    garden: Path, writer: str, tmp_path: Path, cap: int
) -> None:
    """Each used to count twice."""
    run_synth(garden, tmp_path / "run", writer=writer, rows=60, batch=4, grammar_share=0.0, variants=0, per_call=cap)
    rows = [json.loads(line) for line in (tmp_path / "run" / "trajectories.jsonl").read_text().splitlines()]
    calls = [[c["function"] for m in row["messages"] for c in m.get("tool_calls") or []] for row in rows]
    shapes = Counter(str([(c["name"], *sorted(c["arguments"])) for c in turn]) for turn in calls if turn)
    assert max(shapes.values()) == cap


def test_a_stage_shows_each_answer_of_a_model_as_it_comes(
    garden: Path, writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge of 135M parameters takes 80 seconds over the labelled rows, and a batch has 64 requests."""
    monkeypatch.setattr("lamina.runs.progress.SECONDS_BETWEEN_LINES", 0.0)
    out, judge = io.StringIO(), scripted(tmp_path / "judge", JUDGE.replace("BREAKS_AT", "-1"))
    toolbox, made = read_tools(garden), SynthSettings(writer=writer, judge=judge, rows=12)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {}) as run:
        synthesize(toolbox, run, made, Progress(stream=out), executor)
    lines = [line.partition("] ")[2] for line in out.getvalue().splitlines()]
    assert [line for line in lines if line.startswith("examples: ")][:2] == [
        "examples: started, 4 to do",
        "examples: 4/4",
    ], "two thousand examples are run before any other word is said"
    proving = [line for line in lines if line.startswith("judge's agreement with labelled rows: 0/60")]
    assert [line.rpartition(" ")[2] for line in proving] == [f"{n})" for n in range(1, 61)]
    writing = [line for line in lines if line.startswith("synth by scripted:")]
    assert any("writer answers 3" in line for line in writing)
    assert any("judge answers 61" in line for line in writing)


def test_a_synthesis_without_a_judge_has_no_cost_of_one(garden: Path, writer: str, tmp_path: Path) -> None:
    result = run_synth(garden, tmp_path / "run", writer=writer, rows=12)
    assert set(result["cost"]["models"]) == {"writer"}
    assert json.dumps(result["cost"])
