"""``lamina act`` as scripts see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.runs import Run
from lamina.tools import read_tools, where_of

ALWAYS = """
def reply(messages, tools, seed):
    turn = sum(m["role"] == "tool" for m in messages)
    return '[{"name": "scale", "arguments": {"value": %d}}]' % turn
"""


@pytest.fixture
def words(tools_file: Path, tmp_path: Path) -> list[str]:
    """A request to a model that goes on calling, another call each time."""
    (tmp_path / "model.py").write_text(ALWAYS, encoding="utf-8")
    return ["act", "double it", "--tools", str(tools_file), "--model", f"scripted:{tmp_path / 'model.py'}", "--json"]


@pytest.mark.parametrize(
    ("limit", "ending"),
    [(["--turns", "3"], "turns"), (["--max-tokens", "1"], "tokens"), (["--max-seconds", "0"], "time")],
)
def test_each_budget_ends_it_by_its_own_name(lamina, words: list[str], limit: list[str], ending: str):
    assert json.loads(lamina(*words, *limit).out)["metrics"]["ending"] == ending


def test_every_request_to_the_model_and_its_answer_can_be_looked_at(lamina, words: list[str], tmp_path: Path):
    lamina(*words, "--turns", "2", "--asked", tmp_path / "asked.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [json.loads(row["reply"]["text"])[0]["arguments"] for row in rows] == [{"value": 0}, {"value": 1}]
    assert rows[0]["request"]["messages"][-1]["content"] == "double it"
    assert [m["role"] for m in rows[1]["request"]["messages"]][-2:] == ["assistant", "tool"]


def test_how_long_a_call_may_take_can_be_said(lamina, words: list[str], tools_file: Path):
    slow = tools_file.read_text().replace("    return", "    import time\n\n    time.sleep(0.6)\n    return")
    tools_file.write_text(slow)
    said = lamina(*words, "--turns", "1", "--timeout", "0.1")
    assert "was still running after 0.1 s" in said.out


def test_a_file_that_cannot_be_written_is_one_line(lamina, words: list[str], tmp_path: Path):
    said = lamina(*words, "--asked", tmp_path / "no" / "folder.jsonl")
    assert said.status == 1
    assert "folder.jsonl" in said.errors[-1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("with pleasure", "with pleasure"),
        ('[{"name": "sing", "arguments": {}}]', "there is no function 'sing'"),
        ('[{"name": "scale", "arguments": {"value": "two"}}]', "value"),
        ("", "nothing"),
    ],
)
def test_an_answer_that_is_no_call_is_said_with_what_is_wrong_with_it(
    lamina, words: list[str], tmp_path: Path, answer: str, why: str
):
    (tmp_path / "model.py").write_text(f"def reply(messages, tools, seed):\n    return {answer!r}\n", encoding="utf-8")
    said = lamina(*words[:-1])
    last = said.out.strip().splitlines()[-1]
    assert said.status == 1
    assert last.startswith("the model's answer could not be read as calls: ")
    assert why in last.partition(": ")[2]


@pytest.mark.parametrize("request_", ["", "  "])
def test_an_empty_request_is_the_users_error(lamina, words: list[str], request_: str):
    said = lamina("act", request_, *words[2:])
    assert said.status == 2
    assert "the request is empty" in said.errors[-1]


ONCE = """
def reply(messages, tools, seed):
    return "[]" if messages[-1]["role"] == "tool" else '[{"name": "note", "arguments": {"text": "milk"}}]'
"""


@pytest.fixture
def built(tools_file: Path, tmp_path: Path) -> Path:
    """A run as far as acting needs one."""
    toolbox = read_tools(tools_file)
    (tmp_path / "once.py").write_text(ONCE, encoding="utf-8")
    config = {"tools": where_of(tools_file), "tools_fingerprint": toolbox.fingerprint()}
    with Run.open(tmp_path / "run", config) as run:
        run.finish("tools", {"tools": toolbox.as_openai()})
    return tmp_path / "run"


def test_nothing_is_called_while_another_process_works_on_the_run(lamina, built: Path, tools_file: Path):
    words = ["act", "note milk", "--run", built, "--model", f"scripted:{built.parent / 'once.py'}"]
    other = Run.at(built)
    other.hold()
    said = lamina(*words)
    assert said.status == 1
    assert "another process is working on this run; wait until it ends" in said.errors[-1]
    assert "--out" not in said.errors[-1]
    assert not (built / "workspace" / "board.txt").exists()
    other.close()
    assert lamina(*words).status == 0
    assert (built / "workspace" / "board.txt").read_text() == "milk\n"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("def scale(", "def enlarge(", "scale (gone), enlarge (new)"),
        ("factor: int = 2", "factor: float = 2", "scale (changed)"),
    ],
)
def test_functions_that_changed_since_the_build_are_said(
    lamina, built: Path, tools_file: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, says: str
):
    script = f"scripted:{built.parent / 'once.py'}"
    monkeypatch.setattr("lamina.agents.built.gguf_of", lambda run: script)
    words = ["act", "note milk", "--run", built]
    assert "warning" not in lamina(*words).err
    text = tools_file.read_text(encoding="utf-8")
    tools_file.write_text(
        text.replace(before, after).replace(">>> scale(", ">>> enlarge(" if "new" in says else ">>> scale(")
    )
    said = lamina(*words)
    assert said.status == 0
    assert said.errors[0].startswith(f"warning: {says}: not what the model of {built} was tuned to; build again")
    assert "--tools" in said.errors[0]


def test_functions_that_were_moved_are_asked_for(lamina, built: Path, tools_file: Path):
    moved = tools_file.rename(tools_file.with_name("moved.py"))
    words = ["act", "note milk", "--run", built, "--model", f"scripted:{built.parent / 'once.py'}"]
    said = lamina(*words)
    assert said.status == 2
    assert "tools.py, which is not there any more; say with --tools where the functions are now" in said.errors[-1]
    assert lamina(*words, "--tools", moved).status == 0


DESK = Path(__file__).parents[2] / "examples" / "desk" / "tools.py"
REMINDS = """
def reply(messages, tools, seed):
    return "[]" if messages[-1]["role"] == "tool" else CALL


CALL = '[{"name": "add_reminder", "arguments": {"text": "call Ana", "when": "tomorrow at nine"}}]'
"""
STUBBORN = REMINDS.replace('"[]" if messages[-1]["role"] == "tool" else CALL', "CALL")


@pytest.mark.parametrize(("script", "ending"), [(REMINDS, "done"), (STUBBORN, "repeated")])
def test_the_desk_reminds_once_of_what_it_was_asked_once(lamina, tmp_path: Path, script: str, ending: str):
    """The request of the readme, to a run whose model is a script: one call, executed once."""
    toolbox = read_tools(DESK)
    (tmp_path / "model.py").write_text(script, encoding="utf-8")
    with Run.open(tmp_path / "run", {"tools": where_of(DESK), "tools_fingerprint": toolbox.fingerprint()}) as run:
        run.finish("tools", {"tools": toolbox.as_openai()})
    model = f"scripted:{tmp_path / 'model.py'}"
    words = ["act", "remind me to call Ana tomorrow at nine", "--run", tmp_path / "run", "--model", model]
    said = lamina(*words, "--now", "2026-11-23T10:00:00", "--json")
    assert said.status == 0, said.err
    answer = json.loads(said.out)
    wanted = {"name": "add_reminder", "arguments": {"text": "call Ana", "when": "tomorrow at nine"}}
    assert answer["calls"] == [wanted]
    assert (answer["metrics"]["ending"], answer["metrics"]["failed"]) == (ending, 0)
    results = [json.loads(m["content"]) for m in answer["trajectory"]["messages"] if m["role"] == "tool"]
    assert results == [{"text": "call Ana", "due": "2026-11-24T09:00", "weekday": "Tuesday"}]
    kept = json.loads((tmp_path / "run" / "workspace" / "reminders.json").read_text(encoding="utf-8"))
    assert kept == [{"text": "call Ana", "due": "2026-11-24T09:00"}]
    (deed,) = (tmp_path / "run" / "deeds.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(deed)["id"] == answer["trajectory"]["id"]
