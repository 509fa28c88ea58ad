"""``lamina synth --how pairs`` refuses what it cannot do; each way of writing tells which stage rejected nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

YES = 'def reply(messages, tools, seed):\n    return \'{"thought": "fine", "pass": true, "rule": "none"}\'\n'
NO = YES.replace("true", "false").replace("none", "objective")
FAULTLESS = """
import json
import random
import re


def reply(messages, tools, seed):
    draw, prompt = random.Random(seed), messages[-1]["content"]
    if found := re.findall(r"(\\d+) new one", prompt):
        return json.dumps([pair(draw) for _ in range(int(found[-1]))])
    said = re.findall(r": ([^;\\]]+)", (re.findall(r"\\[([^\\]]*)\\]", prompt) or [""])[-1] + "]")
    return f" {noise(draw)} multiply {' by '.join(said)}"


def noise(draw):
    return " ".join("".join(draw.choices("bdfgklmnprst", k=6)) for _ in range(6))


def pair(draw):
    value, factor = draw.randint(20, 900), draw.randint(3, 19)
    call = {"name": "scale", "arguments": {"value": value, "factor": factor}}
    return {"query": f"multiply {value} by {factor} {noise(draw)}", "answers": [call]}
"""
CARELESS = (
    FAULTLESS.replace(
        "def pair(draw):",
        "def pair(draw):\n    if draw.random() < 0.8:\n        return draw.choice(FAULTS)\n",
    )
    + """
def fault(query, arguments):
    return {"query": query, "answers": [{"name": "scale", "arguments": arguments}]}


FAULTS = [fault("what is 4 times 70", {}), fault("scale 5 by 6 please", {"value": 5, "factor": 9}),
          fault("what is 4 times 7", {"value": 4, "factor": 7}), fault("scale 8 by 0", {"value": 8, "factor": 0})]
"""
)


@pytest.fixture
def scale_only(tmp_path: Path) -> Path:
    file = tmp_path / "scale_only.py"
    file.write_text(
        'def scale(value: float, factor: int = 2) -> float:\n    """Multiply a number by a factor.\n\n'
        "    Args:\n        value: The number.\n        factor: How many times.\n\n    Examples:\n"
        '        what is 4 times 7\n        >>> scale(value=4, factor=7)\n    """\n'
        "    return value * (factor / factor) * factor\n",
        encoding="utf-8",
    )
    return file


def script(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return f"scripted:{folder / f'{name}.py'}"


def silent_stages(lamina, tools: Path, out: Path, *words: object) -> tuple[set[str], str]:
    """Those that the command warns of, and the report."""
    said = lamina("synth", tools, "--out", out, "-n", 30, "--styles", "simple=1", *words)
    assert said.status == 0, said.err
    warned = [line for line in said.out.splitlines() if line.startswith("no row failed at ")]
    stages = {line.removeprefix("no row failed at ").split(":")[0] for line in warned}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert ("No row failed at" in report) == bool(stages)
    for stage in stages:
        assert stage in report.split("No row failed at")[1].split("</b>")[0]
    return stages, report


def test_a_writer_without_fault_has_every_stage_warned_about(lamina, scale_only: Path, tmp_path: Path):
    writer = script(tmp_path, "writer", FAULTLESS)
    stages, _ = silent_stages(lamina, scale_only, tmp_path / "pairs", "--writer", writer, "--how", "pairs")
    assert stages == {"format", "execution", "grounding", "novelty"}
    stages, report = silent_stages(lamina, scale_only, tmp_path / "first", "--writer", writer)
    assert stages == {"format", "grounding", "novelty"}
    assert "Nothing is left to fail at execution: calls are drawn and run before" in report


def test_a_judge_that_always_says_yes_is_warned_about_and_one_that_says_no_is_not_believed_either(
    lamina, scale_only: Path, tmp_path: Path
):
    writer = script(tmp_path, "writer", FAULTLESS)
    for name, text in (("yes", YES), ("no", NO)):
        judge = script(tmp_path, name, text)
        stages, _ = silent_stages(
            lamina, scale_only, tmp_path / f"run-{name}", "--writer", writer, "--how", "pairs", "--judge", judge
        )
        assert "judge" in stages


def test_a_stage_that_rejected_something_is_not_warned_about(lamina, scale_only: Path, tmp_path: Path):
    writer = script(tmp_path, "writer", CARELESS)
    stages, _ = silent_stages(lamina, scale_only, tmp_path / "run", "--writer", writer, "--how", "pairs")
    assert stages == set()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--how", "pairs", "--styles", "simple=0.5,irrelevant=0.5"], "pairs writes no irrelevant rows"),
        (["--how", "pairs", "--styles", "multi-turn"], "pairs writes no multi-turn rows"),
        (["--how", "pairs", "--wordings", "rude"], "there is no wording 'rude'"),
        (["--how", "pairs", "--styles", "several"], "there is no style 'several'"),
        (["--per-request", "2"], "--per-request says how many pairs"),
    ],
)
def test_what_a_way_of_writing_cannot_honour_is_one_line_and_status_2(
    lamina, tools_file: Path, tmp_path: Path, words: list[str], told: str
):
    writer = script(tmp_path, "writer", FAULTLESS)
    said = lamina("synth", tools_file, "--out", tmp_path / "run", "-n", 4, "--writer", writer, *words)
    assert said.status == 2
    assert told in said.errors[-1]
