"""The agent at work: Act, ReAct and PRAct, native and in text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from lamina.agents import Budget, Manner, Principles, act, open_agent
from lamina.agents.prompting import manner_of, request_of
from lamina.errors import InputError
from lamina.models.model import Reply, Request
from lamina.models.parsing import parse_calls
from lamina.runs import Run
from lamina.tools import read_tools
from lamina.tools.execution import Executor

NOW = datetime(2026, 3, 4, 10, 30)
RULES = Principles({"put": "Before putting, count."})


class Says:
    """Answers as a backend does: parses what it says where the request brings tools."""

    ref = "says"

    def __init__(self, *answers: str):
        self.answers, self.asked = list(answers), []

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        self.asked += requests
        text = self.answers.pop(0)
        calls, problem = parse_calls(text, requests[0].tools) if requests[0].tools else ([], None)
        return [Reply(text, calls, problem, prompt_tokens=40, completion_tokens=10)]

    def close(self) -> None: ...


CALL = json.dumps({"name": "put", "arguments": {"item": "cups", "count": 2}})


@pytest.mark.parametrize(
    ("manner", "answers"),
    [
        (Manner("act", "native"), [f"[{CALL}]", "[]"]),
        (Manner("react", "native"), [f"Two cups it is. [{CALL}]", "That is all. []"]),
        (Manner("pract", "native"), [f"Two cups it is. [{CALL}]", "That is all. []"]),
        (Manner("act", "text"), [f"Action: {CALL}", "Action: []"]),
        (Manner("react", "text"), [f"Thought: Two cups it is.\nAction: {CALL}", "Thought: That is all.\nAction: []"]),
        (Manner("pract", "text"), [f"Thought: Two cups it is.\nAction: {CALL}", "Thought: That is all.\nAction: []"]),
    ],
    ids=lambda x: f"{x.method}-{x.channel}" if isinstance(x, Manner) else "",
)
def test_every_method_in_every_channel_makes_the_call_and_keeps_the_thought(shelf, tmp_path, manner, answers):
    toolbox = read_tools(shelf[0])
    model = Says(*answers)
    with Executor(toolbox) as executor:
        done = act(
            "Put 2 cups there.", model, toolbox, executor, manner=manner, principles=RULES, now=NOW, scratch=tmp_path
        )
    assert (tmp_path / "shelf.txt").read_text() == "cups 2\n"
    assert done.ending == "done"
    assert [m.role for m in done.trajectory.messages] == ["user", "assistant", "tool", "assistant"]
    assert done.trajectory.messages[1].content == ("Two cups it is." if manner.thinks else "")
    told = "\n".join(m.content for r in model.asked for m in r.messages)
    assert told.count("Before putting, count.") == (2 if manner.method == "pract" else 0), "at every step"
    meta = done.trajectory.meta.model_dump()
    assert meta.get("principles") == (RULES.version if manner.method == "pract" else None)
    assert meta["tokens"] == 100


def test_several_calls_in_one_turn_of_text(shelf, tmp_path: Path):
    toolbox = read_tools(shelf[0])
    with Executor(toolbox) as executor:
        done = act(
            "Put cups twice.", Says(f"Action: [{CALL}, {CALL}]", "Action: []"), toolbox, executor,
            manner=Manner("act", "text"), now=NOW, scratch=tmp_path,
        )  # fmt: skip
    assert (tmp_path / "shelf.txt").read_text() == "cups 2\ncups 2\n"
    assert len({c.id for c in done.trajectory.calls}) == 2


def test_the_tokens_of_the_budget_end_it(shelf, tmp_path: Path):
    toolbox = read_tools(shelf[0])
    with Executor(toolbox) as executor:
        done = act(
            "Put 2 cups there.", Says(f"[{CALL}]", "[]"), toolbox, executor,
            manner=Manner(), now=NOW, scratch=tmp_path, budget=Budget(tokens=50),
        )  # fmt: skip
    assert done.ending == "tokens"
    assert len(done.trajectory.calls) == 1


def test_principles_that_do_not_fit_are_refused_before_a_model_is_opened(shelf, tmp_path: Path):
    file = tmp_path / "p.toml"
    file.write_text('[actions]\nputt = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match="'put'"):
        open_agent(tools_file=shelf[0], model="scripted:not-there.py", principles=file)


def test_a_model_that_lamina_tuned_sees_principles_and_is_asked_as_it_was_tuned(shelf):
    tuned, other = Says(), Says()
    tuned.foreign, tuned.prompt_style = False, "baked"
    manner = manner_of(tuned, "pract")
    assert (manner.channel, manner.style, manner.thinks) == ("native", "baked", False)
    request = request_of(manner, read_tools(shelf[0]), [], RULES)
    assert request.constrained
    assert "Before putting, count." in request.messages[0].content
    assert "Think" not in request.messages[0].content
    manner = manner_of(other, "pract")
    assert (manner.channel, manner.thinks) == ("text", True)


def test_the_agent_of_a_run_follows_what_the_run_has_learnt(shelf, tmp_path: Path):
    script = tmp_path / "says.py"
    script.write_text("def reply(messages, tools, seed):\n    return '[]'\n", encoding="utf-8")
    with Run.open(tmp_path / "run", {"tools": str(shelf[0])}) as run:
        (run.folder / "principles.toml").write_text(RULES.to_toml(), encoding="utf-8")
        run.finish("learning", {})
    model = f"scripted:{script}"
    with open_agent(tmp_path / "run", model=model) as agent:
        assert agent.principles.version == RULES.version
        assert agent.manner.method == "pract"
    with open_agent(tmp_path / "run", model=model, method="act") as agent:
        assert not agent.principles
