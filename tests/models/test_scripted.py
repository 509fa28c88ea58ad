"""A script in place of a model: asked as a model is, and its own mistakes are named by file and line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.errors import InputError, LaminaError
from lamina.models import Model, Request, open_model
from lamina.trajectories import Message, ToolCall

Ask = Callable[..., Request]
Script = Callable[[str], Model]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    def _script(source: str) -> Model:
        file = tmp_path / "says.py"
        file.write_text(textwrap.dedent(source), encoding="utf-8")
        return open_model(f"scripted:{file}")

    return _script


def test_messages_tools_and_seed_reach_the_script_as_plain_data(script: Script, ask: Ask):
    model = script(
        """
        import json
        def reply(messages, tools, seed):
            return json.dumps([messages, [t["function"]["name"] for t in tools] if tools else None, seed])
        """
    )
    call = Message(role="assistant", tool_calls=[ToolCall.of("split_bill", {"total": 1, "people": 1})])
    request = Request([Message(role="user", content="hi"), call], seed=7)
    assert model.generate([request])[0].text == (
        '[[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "", "tool_calls": '
        '[{"type": "function", "function": {"name": "split_bill", "arguments": {"total": 1, "people": 1}}}]}], null, 7]'
    )
    assert '["split_bill", "add_contact"], 0]' in model.generate([ask("x")])[0].text
    assert '"content": "Once upon"' in model.generate([Request([], raw_prompt="Once", prefix=" upon")])[0].text


def test_half_a_character_is_a_question_mark_as_with_every_model(script: Script, ask: Ask):
    model = script("def reply(messages, tools, seed):\n    return 'so \\ud83d'\n")
    (reply,) = model.generate([ask(tools=None)])
    assert reply.text == "so ?"
    again = Request([Message(role="assistant", content=reply.text), Message(role="user", content="and?")])
    assert model.generate([again])[0].text == "so ?", "it may stand in the next request"


def test_calls_are_read_where_tools_are_given(script: Script, ask: Ask):
    model = script(
        """
        def reply(messages, tools, seed):
            return '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]'
        """
    )
    seen: list[int] = []
    replies = model.generate([ask(), ask(tools=None)], lambda index, reply: seen.append(index))
    assert [len(r.calls) for r in replies] == [1, 0]
    assert seen == [0, 1]


@pytest.mark.parametrize("said", ["''", "'nonsense'", '\'[{"name": "spl\'', "'a' * 1_000_000", "'\\x00' * 9"])
def test_what_a_bad_model_says_is_a_problem_and_no_error(said: str, script: Script, ask: Ask):
    reply = script(f"def reply(messages, tools, seed): return {said}").generate([ask()])[0]
    assert reply.calls == []
    assert reply.problem


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def reply(messages, tools, seed):\n    return 1 / 0\n", r"says\.py:2: ZeroDivisionError"),
        ("import sys\ndef reply(messages, tools, seed):\n    sys.exit('bye')\n", r"says\.py:3: SystemExit: bye"),
        ("def reply(messages, tools, seed):\n    return None\n", r"says\.py: reply\(\) returned NoneType"),
        ("def reply(messages):\n    return ''\n", r"says\.py: TypeError"),
        ("x = 1\nx.y\n", r"says\.py:2: AttributeError"),
        ("raise SystemExit\n", r"says\.py:1: SystemExit"),
        ("def reply(:\n", r"says\.py:1: .*correct the script"),
        ("x = 1\n", r"says\.py: no function reply"),
        ("reply = 3\n", r"says\.py: no function reply"),
    ],
)
def test_mistakes_of_the_script_are_named_by_file_and_line(source: str, says: str, script: Script, ask: Ask):
    with pytest.raises(InputError, match=says) as caught:
        script(source).generate([ask()])
    assert "\n" not in str(caught.value)


def test_the_line_is_named_for_a_path_that_is_not_absolute(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("says.py").write_text("def reply(messages, tools, seed):\n    raise KeyError('x')\n")
    with pytest.raises(InputError, match=r"says\.py:2: KeyError"):
        open_model("scripted:says.py").generate([ask()])


def test_a_script_may_define_dataclasses(script: Script, ask: Ask):
    model = script(
        """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class Said:
            text: str = "[]"
        def reply(messages, tools, seed): return Said().text
        """
    )
    assert model.generate([ask()])[0].text == "[]"


def test_no_file_and_a_file_that_is_no_script_are_errors(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("hello")
    for name in ("gone.py", "notes.txt"):
        with pytest.raises(LaminaError, match=name):
            open_model(f"scripted:{tmp_path / name}")
