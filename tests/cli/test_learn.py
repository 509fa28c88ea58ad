"""``lamina learn`` and ``lamina envs`` as scripts see them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lamina.cli import main
from lamina.runs import Run

FAMILY = Path(__file__).parents[1] / "agents" / "obedient_model.py"
MODEL = f"scripted:{FAMILY}"
SMALL = ["--iterations", "2", "--batch", "2", "--test", "2", "--held", "1"]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("learn") / "run"
    assert main(["learn", "--env", "shop", "--model", MODEL, "--out", str(out), *SMALL]) == 0
    return out


def test_json_has_the_figures_with_intervals(learnt: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["learn", "--env", "shop", "--model", MODEL, "--out", str(learnt), *SMALL, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["out"] == str(learnt)
    assert found["metrics"]["first"]["low"] == 0.0
    assert found["metrics"]["last"]["value"] == 1.0
    assert found["metrics"]["last"]["low"] < 1.0
    assert found["metrics"]["total"]["calls"] > 0
    assert json.loads((learnt / "report.json").read_text())["learn"]["last"] == found["metrics"]["last"]


def test_every_call_of_a_model_can_be_looked_at(learnt: Path):
    rows = [json.loads(line) for line in (learnt / "asked.jsonl").read_text().splitlines()]
    with Run.at(learnt) as run:
        total = run.results()["learn"]["total"]
    assert {row["part"] for row in rows} == {"execute", "reflect", "optimize", "judge", "test"}
    assert all(row["request"]["messages"] and row["reply"]["text"] for row in rows)
    assert len(rows) == total["calls"]
    assert sum(row["reply"]["prompt_tokens"] for row in rows) == total["prompt_tokens"]


def test_the_page_shows_diffs_reflections_and_rewards_and_needs_nothing_else(learnt: Path):
    page = (learnt / "report.html").read_text(encoding="utf-8")
    assert re.search(r"<ins>Check the arguments of \w+ before the call\.</ins>", page)
    assert "The arguments of" in page
    assert page.count("<svg") >= 4
    assert not re.search(r'(src|href)="(?!#)', page)


def test_good_rollouts_become_training_rows_and_those_of_test_tasks_never(learnt: Path, tmp_path: Path):
    rollouts = [json.loads(line) for line in (learnt / "rollouts.jsonl").read_text().splitlines()]
    good = [json.loads(line) for line in (learnt / "trajectories.jsonl").read_text().splitlines()]
    assert {row["meta"]["split"] for row in rollouts} == {"execute", "judge", "test"}
    assert all(row["meta"]["reward"] == 1.0 for row in good)
    assert {row["id"] for row in good} <= {r["id"] for r in rollouts if r["meta"]["split"] == "execute"}
    assert good
    assert main(["data", "import", str(learnt), "--out", str(tmp_path / "rows")]) == 0
    with Run.at(tmp_path / "rows") as rows:
        assert rows.store.count("trajectory") == len(good)


def test_a_learning_from_trajectories_needs_no_environment(learnt: Path, tmp_path: Path):
    words = ["learn", "--from", str(learnt / "rollouts.jsonl"), "--model", MODEL, "--out", str(tmp_path / "again")]
    assert main([*words, "--batch", "8", "--preset", "paper"]) == 0
    assert "Check the arguments of" in (tmp_path / "again" / "principles.toml").read_text()


def test_what_a_deployed_agent_did_is_learnt_from(tmp_path: Path):
    tools, model = tmp_path / "tools.py", tmp_path / "model.py"
    arguments = "Args:\n        number: What."
    source = (
        f'def double(number: float) -> float:\n    """Double it.\n\n    {arguments}\n    """\n    return 2 * number\n'
    )
    tools.write_text(source)
    model.write_text(
        "def reply(messages, tools, seed):\n"
        "    system = messages[0]['content']\n"
        "    if system.startswith('You review'):\n        return 'double was called with 7.'\n"
        "    if system.startswith('You write'):\n        return '<principle>Never call it with 7.</principle>'\n"
        "    if messages[-1]['role'] == 'tool':\n        return '[]'\n"
        '    return \'[{"name": "double", "arguments": {"number": 7}}]\'\n'
    )
    run = tmp_path / "run"
    Run.open(run, {"tools": str(tools)}).close()
    at_work = ["--tools", str(tools), "--model", f"scripted:{model}"]
    assert main(["act", "twice seven", "--run", str(run), *at_work]) == 0
    words = [
        "learn",
        "--from",
        str(run),
        "--model",
        f"scripted:{model}",
        "--reward",
        "self",
        "--out",
        str(tmp_path / "p"),
    ]
    assert main(words) == 0
    assert (
        main(["act", "twice seven", "--run", str(run), *at_work, "--principles", str(tmp_path / "p/principles.toml")])
        == 0
    )
    with Run.at(run) as there:
        used = [json.loads(r.payload)["meta"].get("principles") for r in there.store.iterate("acted")]
    assert used[0] is None
    assert used[1] is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--env", "nowhere"], "no environment 'nowhere'"),
        ([], "give one of --env"),
        (["--env", "shop", "--from", "x.jsonl"], "give one of --env"),
        (["--tools", "tools.py"], "belong together"),
        (["--env", "shop", "--repeats", "2"], "temperature"),
        (["--env", "shop", "--test", "9999"], "none is left to learn from"),
        (["--from", "missing.jsonl"], "missing.jsonl"),
        (["--env", "shop", "--principles", "missing.toml"], "missing.toml"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["learn", *words, "--model", MODEL, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_envs_lists_what_learn_takes(capsys: pytest.CaptureFixture[str]):
    assert main(["envs", "--json"]) == 0
    listed = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert {"shop", "tool-operation", "tool-query", "service-desk", "bfcl-multi-turn", "text-game"} <= listed


def test_the_loop_closes_from_deployment_to_principles_and_to_training_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Act in a run, learn from what was done there, act with what was learnt, and make rows of what went well."""
    tools, model, run = tmp_path / "tools.py", tmp_path / "model.py", tmp_path / "run"
    tools.write_text(
        'def halve(number: int) -> float:\n    """Halve it.\n\n    Args:\n        number: What.\n    """\n'
        "    if number > 9:\n        raise ValueError('too large')\n    return number / 2\n"
    )
    model.write_text(
        "def reply(messages, tools, seed):\n"
        "    system = messages[0]['content']\n"
        "    if system.startswith('You review'):\n"
        "        return 'halve failed for 12.' if 'too large' in messages[1]['content'] else 'All went well.'\n"
        "    if system.startswith('You write'):\n"
        "        rule = 'Not above nine.' if 'failed for 12' in system else 'Any number.'\n"
        "        return '<principle>' + rule + '</principle>'\n"
        "    if messages[-1]['role'] == 'tool':\n        return '[]'\n"
        "    number = 9 if 'Not above nine' in system else 12\n"
        '    return \'[{"name": "halve", "arguments": {"number": %d}}]\' % number\n'
    )
    Run.open(run, {"tools": str(tools)}).close()
    words = ["act", "half of a dozen", "--run", str(run), "--tools", str(tools), "--model", f"scripted:{model}"]
    assert main(words) == 1, "the call fails"
    learn = ["learn", "--from", str(run), "--model", f"scripted:{model}", "--reward", "self"]
    assert main([*learn, "--out", str(tmp_path / "p")]) == 0
    assert main([*words, "--principles", str(tmp_path / "p" / "principles.toml")]) == 0
    capsys.readouterr()
    assert main(["data", "import", str(run), "--out", str(tmp_path / "rows"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == 1
    [row] = [json.loads(line) for line in (tmp_path / "rows" / "trajectories.jsonl").read_text().splitlines()]
    assert row["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"number": 9}
    assert main(["data", "check", str(tmp_path / "rows"), "--execute", str(tools)]) == 0
    rows = tmp_path / "rows" / "trajectories.jsonl"
    assert main(["learn", "--from", str(rows), *learn[3:], "--out", str(tmp_path / "q")]) == 0
    assert "Any number." in (tmp_path / "q" / "principles.toml").read_text()
