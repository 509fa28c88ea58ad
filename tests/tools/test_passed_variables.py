"""Variables of the user's environment: tools see those that are named, and no value of them comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamina.cli import main
from lamina.errors import ToolDefinitionError, UserError
from lamina.tools import Toolbox, read_tools
from lamina.tools.environment import passed_variables, passing, withheld_mend
from lamina.tools.execution import CallResult, Executor, Limits
from lamina.tools.execution.secrets import SCRUBBED

KEY = "sk-very-secret-0815"
SOURCE = '''\
import os


def key(how: str = "plain") -> dict[str, str]:
    """Use the key.

    Args:
        how: In which way.
    """
    value = os.environ["WEATHER_KEY"]
    if how == "raise":
        raise RuntimeError("x" * 490 + value)
    if how == "exit":
        raise SystemExit(value)
    if how == "print":
        print("using", value)
    if how == "long":
        return {"said": "x" * 185 + value}
    return {"used": "Bearer " + value, value: "12"}


def _state() -> str:
    return "with " + os.environ["WEATHER_KEY"]
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEATHER_KEY", KEY)
    file = tmp_path / "weather.py"
    file.write_text(SOURCE, encoding="utf-8")
    return file


@pytest.fixture
def toolbox(file: Path) -> Toolbox:
    return read_tools(file)


@pytest.fixture
def executor(toolbox: Toolbox) -> Iterator[Executor]:
    with passing(["WEATHER_KEY"]), Executor(toolbox, limits=Limits(output_bytes=200)) as running:
        yield running


def test_tools_see_no_variable_that_is_not_named(toolbox: Toolbox):
    with Executor(toolbox) as executor:
        result = executor.run("key", {})
    assert result.status == "raised"
    assert (
        withheld_mend(result.error or "")
        == "WEATHER_KEY is set, but tools do not see it: --env WEATHER_KEY passes it on"
    )


def test_a_variable_that_is_named_is_seen_and_its_value_does_not_come_back(executor: Executor):
    result = executor.run("key", {})
    assert result.value == {"used": f"Bearer {SCRUBBED}", SCRUBBED: "12"}


@pytest.mark.parametrize("how", ["plain", "raise", "exit", "print", "long"])
def test_no_way_of_coming_back_has_the_value_or_a_part_of_it(executor: Executor, how: str):
    result = executor.run("key", {"how": how})
    assert result.status == {"raise": "raised", "exit": "exited"}.get(how, "ok")
    assert KEY[:8] not in repr(result)


def test_what_a_module_says_of_its_state_has_no_value_either(executor: Executor):
    session = executor.run_session([("key", {})])
    assert session.ok
    assert SCRUBBED in repr(session.end)
    assert KEY not in repr(session)


def test_calls_that_share_a_fork_are_alike(file: Path):
    file.write_text(SOURCE.replace("import os", "import os\n\nPURE = True", 1), encoding="utf-8")
    with passing(["WEATHER_KEY"]), Executor(read_tools(file)) as executor:
        results: list[list[CallResult]] = executor.run_many([[("key", {"how": "print"})]] * 20)
    assert all(r.ok for (r,) in results)
    assert KEY not in repr(results)


def test_a_module_that_needs_one_at_import_is_read_with_it_and_says_so_without(file: Path):
    file.write_text("import os\n\nKEY = os.environ['WEATHER_KEY']\n" + SOURCE, encoding="utf-8")
    with pytest.raises(ToolDefinitionError, match="--env WEATHER_KEY passes it on"):
        read_tools(file)
    with passing(["WEATHER_KEY"]):
        assert read_tools(file).names == ["key"]


def test_a_value_does_not_become_a_part_of_a_tool(file: Path):
    file.write_text(SOURCE.replace('"plain"', 'os.environ.get("WEATHER_KEY", "")', 1), encoding="utf-8")
    with passing(["WEATHER_KEY"]), pytest.raises(ToolDefinitionError, match="in the function's body") as refused:
        read_tools(file)
    assert KEY not in str(refused.value)
    assert "key says the value of WEATHER_KEY, which --env passes" in str(refused.value)


SHOP = '''\
def find_product(name: str, kind: str = "any") -> dict[str, str]:
    """Find a product of the shop.

    Args:
        name: What the label says.
        kind: Which kind.

    Examples:
        find a lamp
        >>> find_product(name="lamp")
    """
    return {"name": name, "kind": "product", "in": "prod"}
'''


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("prod", {"name": "lamp", "kind": "product", "in": SCRUBBED}),
        ("name", {SCRUBBED: "lamp", "kind": "product", "in": "prod"}),
        ("the folder", {"name": "lamp", "kind": "product", "in": "prod"}),
        ("string", {"name": "lamp", "kind": "product", "in": "prod"}),
        ("eu", {"name": "lamp", "kind": "product", "in": "prod"}),
        ("1", {"name": "lamp", "kind": "product", "in": "prod"}),
    ],
)
def test_a_variable_that_is_no_key_refuses_no_tool_and_breaks_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, answer: dict[str, str]
):
    file = tmp_path / "shop.py"
    file.write_text(SHOP, encoding="utf-8")
    monkeypatch.setenv("OF_MINE", str(tmp_path) if value == "the folder" else value)
    with passing(["OF_MINE"]):
        toolbox = read_tools(file)
        with Executor(toolbox) as executor:
            assert executor.run("find_product", {"name": "lamp"}).value == answer


@pytest.mark.parametrize("said", ["label", "shop", "find a lamp", "lamp", "any"])
def test_a_word_that_a_tool_says_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str):
    file = tmp_path / "shop.py"
    file.write_text(SHOP.replace('"any"', '"anything"'), encoding="utf-8")
    monkeypatch.setenv("OF_MINE", "anything" if said == "any" else said)
    with passing(["OF_MINE"]), pytest.raises(ToolDefinitionError, match="the value of OF_MINE, which --env passes"):
        read_tools(file)


def test_the_mend_of_a_file_s_flaw_has_no_value_either(file: Path):
    said = "import functools\nimport os\n\nNAME = os.environ['WEATHER_KEY']\n"
    file.write_text(f"{said}globals()[NAME] = functools.partial(print)\n__all__ = [NAME]\n", encoding="utf-8")
    with passing(["WEATHER_KEY"]), pytest.raises(ToolDefinitionError, match="write def") as refused:
        read_tools(file)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"WEATHER_KEY={KEY}", "export WEATHER_KEY and give --env WEATHER_KEY"),
        ("NOT_SET_ANYWHERE", "the variable is not set"),
        ("two words", "wants the name"),
        ("HOME", "Lamina sets HOME for tools itself"),
    ],
)
def test_a_name_that_cannot_be_passed_is_the_users_error(file: Path, given: str, said: str):
    with pytest.raises(UserError, match=said) as refused, passing([given]):
        pass
    assert KEY not in str(refused.value)


SCRIPT = """
def reply(messages, tools, seed):
    return "[]" if messages[-1]["role"] == "tool" else '[{"name": "key", "arguments": {}}]'
"""


def test_the_command_line_passes_it_to_the_verb_alone(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(SCRIPT, encoding="utf-8")
    words = ["act", "use the key", "--tools", str(file), "--model", f"scripted:{tmp_path / 'model.py'}"]
    assert main(words) == 1
    assert "--env WEATHER_KEY passes it on" in capsys.readouterr().out
    assert main([*words, "--env", "WEATHER_KEY", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["metrics"]["failed"] == 0
    assert KEY not in printed.out + printed.err
    assert passed_variables() == []


def test_a_probe_that_fails_for_want_of_one_says_so(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["tools", str(file), "probe"]) == 0
    assert "--env WEATHER_KEY passes it on" in capsys.readouterr().out
    assert main(["tools", str(file), "probe", "--env", "WEATHER_KEY"]) == 0
    assert "1 of 1 ran" in (out := capsys.readouterr().out)
    assert KEY not in out
