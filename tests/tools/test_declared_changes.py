"""Functions that their author declares to change things elsewhere are called by nothing that nobody asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.build.inputs import requests_of
from lamina.build.measuring import own_tasks
from lamina.cli import main
from lamina.errors import InputError, ToolDefinitionError
from lamina.synth.offers import read_offers, with_offers
from lamina.tools import read_tools
from lamina.tools.execution import open_executor

SOURCE = '''\
CHANGES_THINGS = {changes}


def send_mail(to: str) -> str:
    """Send a mail.

    Args:
        to: To whom.
    """
    with open({sent!r}, "a", encoding="utf-8") as sent:
        sent.write(to + "\\n")
    return "sent to " + to


def count_letters(word: str) -> int:
    """Count the letters of a word.

    Args:
        word: The word.
    """
    return len(word)
'''


@pytest.fixture
def mailer(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the functions with this declaration; what they send is in ``sent`` beside them."""

    def write(changes: str = '{"send_mail"}') -> Path:
        file = tmp_path / "mailer.py"
        file.write_text(SOURCE.format(changes=changes, sent=str(tmp_path / "sent")), encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize(
    ("changes", "expected"),
    [("True", [True, True]), ("False", [False, False]), ('{"send_mail"}', [True, False]), ("[]", [False, False])],
)
def test_all_functions_or_those_that_are_named(mailer: Callable[[str], Path], changes: str, expected: list[bool]):
    assert [tool.target.changes_things for tool in read_tools(mailer(changes)) if tool.target] == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("3", "CHANGES_THINGS is a int"),
        ('{"send"}', "CHANGES_THINGS names 'send', which is not there"),
        ('{"send_mail"}\nPURE = True', "PURE says that send_mail leaves nothing behind"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_said(mailer: Callable[[str], Path], changes: str, said: str):
    with pytest.raises(ToolDefinitionError, match=said):
        read_tools(mailer(changes))


def test_they_are_not_called_unasked(mailer: Callable[[str], Path]):
    toolbox = read_tools(mailer('{"send_mail"}'))
    with pytest.raises(InputError, match=r"1 of 2 tools may change things elsewhere \(send_mail\); .*--allow-changes"):
        open_executor(toolbox, allow_changes=False)
    with open_executor(toolbox, allow_changes=True) as executor:
        assert executor.run("send_mail", {"to": "Ana"}).value == "sent to Ana"


@pytest.mark.parametrize(
    "words", [("synth", "-n", "4", "--writer", "scripted:none.py"), ("build", "--writer", "scripted:none.py")]
)
def test_no_synthesis_calls_them_unasked(
    mailer: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
):
    (tmp_path / "none.py").write_text("def reply(messages, tools, seed):\n    return ''\n", encoding="utf-8")
    verb, *more = [word.replace("none.py", str(tmp_path / "none.py")) for word in words]
    assert main([verb, str(mailer('{"send_mail"}')), "--out", str(tmp_path / "run"), *more]) == 2
    assert "send_mail" in capsys.readouterr().err
    assert not (tmp_path / "sent").exists()
    assert not (tmp_path / "run").exists(), "nothing there that would refuse --allow-changes as another configuration"


def test_examples_of_functions_that_are_left_out_are_left_out_too(mailer: Callable[[str], Path], tmp_path: Path):
    toolbox = read_tools(mailer('{"send_mail"}'))
    (tmp_path / "usable.toml").write_text("[tools.send_mail]\nusable = false\n", encoding="utf-8")
    kept = with_offers(toolbox, read_offers([tmp_path / "usable.toml"], toolbox))
    rows = [{"id": name, "query": f"use {name}", "now": "2026-11-23T09:00:00", "kind": "single",
             "calls": [{"name": name, "arguments": arguments}]}
            for name, arguments in (("send_mail", {"to": "Ana"}), ("count_letters", {"word": "tea"}))]  # fmt: skip
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [query.id for query in requests_of(tmp_path / "examples.jsonl", kept)] == ["count_letters"]
    (task,) = own_tasks(tmp_path / "examples.jsonl", kept)
    assert [sample.id for sample in task.samples()] == ["count_letters"], "what a build scores is what it taught"


def test_a_probe_leaves_them_for_synth_to_leave_out(
    mailer: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file, offers = mailer('{"send_mail"}'), tmp_path / "usable.toml"
    assert main(["tools", str(file), "probe", "--out", str(offers), "--json"]) == 0
    probes = {probe["tool"]: probe["status"] for probe in json.loads(capsys.readouterr().out)["probes"]}
    assert probes == {"send_mail": "changes-things", "count_letters": "ok"}
    assert not (tmp_path / "sent").exists()
    assert main(["tools", str(file), "probe", "--allow-changes"]) == 0
    sent = (tmp_path / "sent").read_text(encoding="utf-8")
    assert len(sent.splitlines()) == 1, "asked once, not until it fails five times"


def test_learning_by_doing_asks_too(mailer: Callable[[str], Path], tmp_path: Path):
    from lamina.agents.environments.user_tools import UserTools

    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text('{"request": "write to Ana"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="--allow-changes"):
        UserTools(mailer('{"send_mail"}'), tasks)
    UserTools(mailer('{"send_mail"}'), tasks, allow_changes=True).close()


def test_an_agent_learns_without_the_tools_that_are_left_out(mailer: Callable[[str], Path], tmp_path: Path):
    from lamina.agents.environments.user_tools import UserTools

    world = UserTools(mailer("[]"), [], left_out=["send_mail"], timeout=60)
    try:
        assert "send_mail" not in world.toolbox
        assert "count_letters" in world.toolbox
    finally:
        world.close()
