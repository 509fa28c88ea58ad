"""``lamina tools SOURCE [list|lint|probe]``, and the other verbs with sources that are no Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from lamina.build.inputs import file_beside
from lamina.errors import InputError
from lamina.runs import Progress
from lamina.synth.offers import left_out, read_offers, with_offers
from lamina.synth.probing import drawn_arguments, probe
from lamina.tools import PythonTarget, Tool, read_tools
from lamina.tools.execution import CallResult
from lamina.tools.targets import HttpTarget

FUNCTIONS = '''
def half(x: float) -> float:
    """Gives half of a number.

    Args:
        x: The number.
    """
    return x / 2


def broken(x: float) -> float:
    """Fails.

    Args:
        x: The number.
    """
    raise ValueError("never works")
'''


class Weather(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = json.dumps({"asked": self.path, "degrees": 21}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def operation(name: str, said: str) -> dict[str, Any]:
    city = {
        "name": "city",
        "in": "query",
        "required": True,
        "description": "A city.",
        "schema": {"enum": ["Rome", "Oslo"]},
    }
    return {"operationId": name, "summary": said, "parameters": [city]}


@pytest.fixture
def weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    monkeypatch.setenv("WEATHER_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    paths: dict[str, Any] = {"/now": {"get": operation("weather_now", "Tells the weather of a city.")}}
    spec = {"openapi": "3.0.0", "servers": [{"url": f"http://127.0.0.1:{server.server_port}"}], "paths": paths}
    file = tmp_path / "weather.json"
    file.write_text(json.dumps(spec))
    yield file
    server.shutdown()
    server.server_close()


Cli = Callable[..., Any]


def test_probe_tells_what_runs_and_what_does_not(lamina: Cli, tmp_path: Path):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    found = json.loads(lamina("tools", str(tmp_path / "mine.py"), "probe", "--json").out)
    assert found["ran"] == 1
    assert [(p["tool"], p["status"]) for p in found["probes"]] == [("half", "ok"), ("broken", "raised")]


MORE = (
    FUNCTIONS
    + '''

def late(minutes: int) -> str:
    """Wait.

    Args:
        minutes: How long.
    """
    return {"error": "the service is away"}


def picky(word: str) -> str:
    """Take a word.

    Args:
        word: The word.

    Examples:
        take never
        >>> picky(word="never")
    """
    if word == "never":
        raise KeyError(word)
    return word
'''
)


def test_what_does_not_run_is_written_down_and_synth_leaves_it_out_saying_so(lamina: Cli, tmp_path: Path):
    (tmp_path / "mine.py").write_text(MORE)
    found = lamina("tools", str(tmp_path / "mine.py"), "probe", "--out", str(tmp_path / "usable.toml"))
    assert "2 of 4 ran, in " in found.out
    assert [line.split() for line in found.out.splitlines()[1:4]] == [
        ["ok", "2"],
        ["raised", "1"],
        ["error-result", "1"],
    ]
    written = tomllib.loads((tmp_path / "usable.toml").read_text())["tools"]
    assert {name: row["usable"] for name, row in written.items()} == {
        "half": True, "broken": False, "late": False, "picky": True,
    }  # fmt: skip
    assert written["broken"]["reason"] == (
        "raised: broken raised ValueError: never works (it did not run with 5 drawn arguments)"
    )
    assert written["late"]["reason"].startswith("error-result: it has 'error'")
    assert json.loads(written["picky"]["arguments"])["word"] != "never", "its example failed, another call ran"
    (tmp_path / "says.py").write_text("def reply(messages, tools, seed):\n    return 'halve 4'\n")
    words = ["-n", "2", "--writer", f"scripted:{tmp_path / 'says.py'}", "--offers", str(tmp_path / "usable.toml")]
    said = lamina("synth", str(tmp_path / "mine.py"), *words, "--out", str(tmp_path / "run"))
    assert said.status == 1, "the writer wrote no row that passed"
    assert "late is left out: error-result: it has 'error'" in said.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())["synth"]
    assert set(report["left_out"]) == {"broken", "late"}
    rows = [json.loads(line) for line in (tmp_path / "run" / "rejects.jsonl").open()]
    assert rows
    assert not {c["name"] for row in rows for c in row["record"]["calls"]} & {"broken", "late"}


def test_what_a_person_keeps_or_adds_words_to_is_taken(tmp_path: Path):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    (tmp_path / "usable.toml").write_text("[tools.half]\nusable = false\n[tools.broken]\nusable = true\n")
    (tmp_path / "words.toml").write_text('[tools.half]\ndescription = "Halves a number for you."\nusable = true\n')
    toolbox = read_tools(tmp_path / "mine.py")
    probed = read_offers([tmp_path / "usable.toml"], toolbox)
    assert with_offers(toolbox, probed).names == ["broken"]
    assert left_out(probed) == {"half": "not usable"}
    both = read_offers([tmp_path / "usable.toml", tmp_path / "words.toml"], toolbox)
    assert with_offers(toolbox, both)["half"].description == "Halves a number for you."


def test_a_tool_that_hangs_is_asked_once_and_one_that_changes_things_not_twice(tmp_path: Path):
    target = HttpTarget("POST", "/x", "http://localhost", "X")
    choices = {"x": {"type": "string", "enum": ["a", "b", "c"]}}
    schema = {"type": "object", "properties": choices, "required": ["x"]}

    class Fails:
        asked = 0

        def __init__(self, status: str):
            self.status = status

        def unmet(self, name: str) -> None:
            return None

        def run_sequence(self, calls: Any) -> list[CallResult]:
            self.asked += 1
            return [CallResult(self.status, error="no")]  # type: ignore[arg-type]

    def asked(status: str, target: Any) -> tuple[int, int]:
        executor = Fails(status)
        found = probe(Tool("f", "F.", schema, target), executor, allow_changes=True)  # type: ignore[arg-type]
        return executor.asked, found.tries

    local = PythonTarget("f.py", "f")
    assert asked("raised", local) == (3, 3)
    assert asked("timed_out", local) == (1, 1)
    assert asked("raised", target) == (1, 1)


def test_probe_draws_values_of_a_pattern_as_synthesis_does(lamina: Cli, weather: Path):
    root = json.loads(weather.read_text())
    day = {"name": "day", "in": "query", "required": True, "schema": {"type": "string", "pattern": r"^\d{4}-\d{2}$"}}
    root["paths"]["/now"]["get"]["parameters"].append(day)
    weather.write_text(json.dumps(root))
    (found,) = json.loads(lamina("tools", str(weather), "probe", "--json").out)["probes"]
    assert found["status"] == "ok", found
    assert re.fullmatch(r"\d{4}-\d{2}", found["arguments"]["day"])


def test_probe_tries_the_examples_of_a_schema_first():
    schema = {"type": "object", "properties": {n: {"type": "string", "examples": ["rome"]} for n in "abc"}}
    tool = Tool("f", "F.", {**schema, "required": ["a", "b", "c"]})
    assert next(drawn_arguments(tool)) == dict.fromkeys("abc", "rome")
    assert len(list(islice(drawn_arguments(tool), 5))) == 5


KEYED = {"name": "X-RapidAPI-Key", "in": "header", "required": True, "schema": {"type": "string"}}


@pytest.fixture
def half_keyed(weather: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An API of two operations, one of which wants a key that nobody set."""
    root = json.loads(weather.read_text())
    keyed = operation("weather_then", "Tells the weather of a city tomorrow.")
    root["paths"]["/then"] = {"get": {**keyed, "parameters": [*keyed["parameters"], KEYED]}}
    weather.write_text(json.dumps(root))
    monkeypatch.delenv("WEATHER_X_RAPIDAPI_KEY", raising=False)
    return weather


def test_probe_goes_on_after_a_tool_whose_key_is_missing(lamina: Cli, half_keyed: Path):
    found = json.loads(lamina("tools", str(half_keyed), "probe", "--json").out)["probes"]
    assert [(p["tool"], p["status"]) for p in found] == [("weather_now", "ok"), ("weather_then", "unmet")]
    assert "set WEATHER_X_RAPIDAPI_KEY" in found[1]["detail"]


def test_synth_leaves_out_a_tool_whose_key_is_missing_with_its_examples(lamina: Cli, half_keyed: Path, tmp_path: Path):
    (tmp_path / "says.py").write_text(
        "def reply(messages, tools, seed):\n"
        "    return 'how warm is the weather now in ' + messages[-1]['content'].rstrip(' ]').split()[-1]\n"
    )
    call = {"name": "weather_then", "arguments": {"city": "Oslo"}}
    example = {"query": "the weather in Oslo tomorrow", "calls": [call]}
    (tmp_path / "examples.jsonl").write_text(json.dumps(example))
    words = ["-n", "4", "--writer", f"scripted:{tmp_path / 'says.py'}", "--out", str(tmp_path / "run")]
    said = lamina("synth", str(half_keyed), *words)
    assert said.status == 0, said.err
    assert "1 of 2 tools are left out, for they cannot run yet: weather_then: wants a key; set" in said.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())["synth"]
    assert list(report["left_out"]) == ["weather_then"]
    assert set(report["by_tool"]) == {"weather_now", "(no call)"}
    assert sum(one["passed"] for one in report["by_style"].values()) == report["verified"]
    assert report["compared_with"] == []
    assert "not compared with any evaluation set" in said.out
    assert "Not compared with any evaluation set" in (tmp_path / "run" / "report.html").read_text()


def test_synth_with_no_tool_that_can_run_says_what_to_set(lamina: Cli, half_keyed: Path, tmp_path: Path):
    root = json.loads(half_keyed.read_text())
    del root["paths"]["/now"]
    half_keyed.write_text(json.dumps(root))
    said = lamina("synth", str(half_keyed), "--out", str(tmp_path / "run"), "-n", "4")
    assert said.status == 2
    assert "no tool can run yet: weather_then: wants a key; set WEATHER_X_RAPIDAPI_KEY" in said.err


SLOW = '''
import time


def nap(minutes: int) -> str:
    """Take a nap.

    Args:
        minutes: How long.
    """
    time.sleep(0.6)
    return "awake"
'''


def test_how_long_a_call_may_take_can_be_said(lamina: Cli, tmp_path: Path):
    (tmp_path / "mine.py").write_text(SLOW)
    source = str(tmp_path / "mine.py")
    (short,) = json.loads(lamina("tools", source, "probe", "--timeout", "0.1", "--json").out)["probes"]
    assert short["status"] == "timed_out"
    (long,) = json.loads(lamina("tools", source, "probe", "--timeout", "30", "--json").out)["probes"]
    assert long["status"] == "ok", long


def test_another_timeout_in_the_same_folder_is_an_error_that_shows_it(lamina: Cli, tmp_path: Path):
    (tmp_path / "mine.py").write_text(SLOW)
    (tmp_path / "says.py").write_text("def reply(messages, tools, seed):\n    return 'nap'\n")
    words = ["-n", "1", "--writer", f"scripted:{tmp_path / 'says.py'}", "--out", str(tmp_path / "run")]
    lamina("synth", str(tmp_path / "mine.py"), *words, "--timeout", "0.1")
    report = json.loads((tmp_path / "run" / "report.json").read_text())["synth"]
    assert report["by_tool"]["nap"]["failed"]["execution"] == {"timed-out": 1}
    again = lamina("synth", str(tmp_path / "mine.py"), *words, "--timeout", "20")
    assert again.status == 2
    assert "timeout: 0.1 -> 20.0" in again.err


def test_several_sources_are_named_with_commas(lamina: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    (tmp_path / "installed.py").write_text(FUNCTIONS.replace("half", "whole").replace("broken(x: float)", "bare(x)"))
    monkeypatch.syspath_prepend(tmp_path)
    said = lamina("tools", f"{tmp_path / 'mine.py'},module:installed")
    assert said.status == 0
    assert "3 tools in " in said.out
    assert "left out (1):" in said.out
    assert "bare: no type hint on 'x'" in said.out


def test_files_beside_several_sources_are_found_and_two_are_one_too_many(tmp_path: Path):
    sources = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        sources.append(str(tmp_path / folder / "mine.py"))
    named = Path(",".join(sources))
    beside = tmp_path / "b" / "examples.jsonl"
    beside.write_text("")
    assert file_beside(named, "examples", None, Progress(silent=True)) == beside
    (tmp_path / "a" / "examples.jsonl").write_text("")
    with pytest.raises(InputError, match=r"a/examples\.jsonl: lies beside some .*; name one with --examples"):
        file_beside(named, "examples", None, Progress(silent=True))
    assert file_beside(named, "examples", beside, Progress(silent=True)) == beside


def test_the_list_shows_the_categories_where_there_are_some(lamina: Cli, tmp_path: Path):
    tools = [{"name": "sing", "description": "Sings.", "category": "music"}, {"name": "walk", "description": "Walks."}]
    (tmp_path / "list.json").write_text(json.dumps(tools))
    said = lamina("tools", tmp_path / "list.json").out.splitlines()
    assert [line.split() for line in said[1:]] == [["sing", "[music]", "-", "Sings."], ["walk", "[-]", "-", "Walks."]]
    (tmp_path / "list.json").write_text(json.dumps(tools[1:]))
    assert "[" not in lamina("tools", tmp_path / "list.json").out


@pytest.mark.parametrize("more", [[], ["--json"], ["lint"]])
def test_half_a_picture_in_a_description_is_a_question_mark(tmp_path: Path, more: list[str]):
    half = {"type": "string", "description": "Cut off \ud83d"}
    schema = {"type": "object", "properties": {"a\udc00": half}}
    tools = [{"name": "f\ud83d", "description": "Shows \ud83c\udf89 and \ud83d", "inputSchema": schema}]
    (tmp_path / "list.json").write_text(json.dumps(tools))
    command = [sys.executable, "-m", "lamina", "tools", str(tmp_path / "list.json"), *more]
    said = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert (said.returncode, said.stderr) == (0, "")
    (tool,) = read_tools(tmp_path / "list.json")
    assert (tool.name, tool.description) == ("f", "Shows 🎉 and ?")
    assert tool.properties == {"a?": {"type": "string", "description": "Cut off ?"}}


def test_lint_counts_its_remarks(lamina: Cli, weather: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/then"] = {
        "get": {"operationId": "then", "parameters": [{"name": "q", "in": "query", "schema": {}}]}
    }
    weather.write_text(json.dumps(root))
    found = json.loads(lamina("tools", str(weather), "lint", "--json").out)
    assert found["tools"] == 2
    assert found["counts"]["untyped"] == 1
    assert sum(found["counts"].values()) == len(found["remarks"])


def test_lint_says_which_tools_it_compared_with_none(lamina: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, sky = tmp_path / "tools.json", {"description": "Looks up the sky.", "category": "sky"}
    tools = [{"name": f"sky_{n}", **sky} for n in range(4)] + [{"name": "sea", "description": "Looks up the sea."}]
    file.write_text(json.dumps([{**tool, "parameters": {"type": "object", "properties": {}}} for tool in tools]))
    alone = json.loads(lamina("tools", str(file), "lint", "--json").out)["compared"]
    assert alone == {"within": "toolbox", "at_most": 1500, "left_out": {}}
    assert "compared" not in lamina("tools", str(file), "lint").out
    monkeypatch.setattr("lamina.tools.linting.MOST_COMPARED", 3)
    assert json.loads(lamina("tools", str(file), "lint", "--json").out)["compared"] == {
        "within": "category",
        "at_most": 3,
        "left_out": {"sky": 1},
    }
    said = lamina("tools", str(file), "lint").out
    assert "more than 3 tools: near names and descriptions are looked for within each category" in said
    assert "in category sky among the first 3 only; 1 more not compared" in said


def test_what_a_document_has_that_is_no_tool_is_shown(lamina: Cli, weather: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/lost"] = {"get": {"parameters": [{"$ref": "#/nowhere"}]}}
    weather.write_text(json.dumps(root))
    said = lamina("tools", str(weather)).out
    assert "1 tool in" in said
    assert "GET /lost: #/nowhere leads nowhere" in said


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("users.yaml", "there is no file users.yaml in the document's folder"),
        ("#/nowhere", "#/nowhere leads nowhere"),
    ],
)
def test_a_path_whose_reference_fails_is_told_by_list_and_lint(lamina: Cli, weather: Path, ref: str, said: str):
    root = json.loads(weather.read_text())
    root["paths"]["/users"] = {"$ref": ref}
    weather.write_text(json.dumps(root))
    shown = lamina("tools", str(weather)).out
    assert "left out (1):" in shown
    assert f"/users: {said}" in shown
    found = json.loads(lamina("tools", str(weather), "lint", "--json").out)
    (lost,) = [r for r in found["remarks"] if r["dropped"]]
    assert (lost["where"], lost["code"], lost["detail"]) == ("/users", "unresolved_ref", said)


def test_synth_writes_rows_for_an_api_and_really_calls_it(lamina: Cli, weather: Path, tmp_path: Path):
    script = tmp_path / "writer.py"
    root = json.loads(weather.read_text())
    root["paths"]["/lost"] = {"get": {"parameters": [{"$ref": "#/nowhere"}]}}
    weather.write_text(json.dumps(root))
    script.write_text(
        "def reply(messages, tools, seed):\n"
        "    city = messages[-1]['content'].rstrip(' ]').split()[-1]\n"
        "    return f'how warm is the weather now in {city}' if seed % 3 else 'blah'\n"
    )
    out = tmp_path / "run"
    result = lamina("synth", str(weather), "--out", str(out), "-n", "8", "--writer", f"scripted:{script}", "--json")
    assert result.status == 0, result.err
    assert "1 of what" in result.err
    rows = [json.loads(line) for name in ("trajectories", "rejects") for line in (out / f"{name}.jsonl").open()]
    assert rows
    assert "21" in (out / "trajectories.jsonl").read_text()


def test_synth_does_not_call_what_changes_things_unasked(lamina: Cli, weather: Path, tmp_path: Path):
    root = json.loads(weather.read_text())
    root["paths"]["/now"] = {"post": operation("set_weather", "Sets the weather.")}
    weather.write_text(json.dumps(root))
    result = lamina("synth", str(weather), "--out", str(tmp_path / "run"), "-n", "4")
    assert result.status == 2
    assert "1 of 1 tools may change things elsewhere (set_weather); " in result.err
    assert all(option in result.err for option in ("--allow-changes", "probe --out FILE", "--offers FILE"))
