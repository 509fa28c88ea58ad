"""Every command in the docs and in the help runs, but for those that are listed here with the reason.

They run in one folder that holds what they name: functions, a few rows in other people's formats, runs, a recipe."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from doc_pages import PAGES, ROOT, commands
from lamina.cli import main
from lamina.runs import Run
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, TrajectoryStore

MODEL = "asks or trains a real model: the verb's own tests do so with a scripted or a small one"
MEASURED = "a measurement of minutes; what came of it stands on its page"
INSTALLS = "installs packages, or downloads"
ONLY_PARSED = {
    "make quickstart": MODEL,
    "make test": "would run itself",
    "lamina bench embedded": MODEL,
    "lamina bench fetch": INSTALLS,
    "lamina bench model.gguf": MODEL,
    "lamina bench score bfcl:": "wants the data of bfcl-eval and its answers, scored in tests/cli/test_bench_score.py",
    "lamina build": MODEL,
    "lamina data mix recipe.toml --out runs/mix --tokenizer embedded": MODEL,
    "lamina distill --teacher": MODEL,
    "lamina distill --experiment": MEASURED,
    "lamina learn --config": "plays its recipe's budget of thousands of calls",
    "lamina quantize": MODEL,
    "lamina train": MODEL,
    "pip install": INSTALLS,
    "python -c 'import datasets": "reads what a mix with the embedded model's tokenizer made",
    "python -m venv": INSTALLS,
    "python benchmarks/": MEASURED,
}
"""How a command begins that is parsed and not run, and why. It should only get shorter."""

STAND_INS = {
    "lamina act": ["--tools", "tools.py", "--model", "scripted:model.py"],
    "lamina learn": ["--model", "scripted:model.py", "--reflector", "scripted:model.py"],
    "lamina synth": ["-n", "8", "--writer", "scripted:writer.py", "--judge", "none"],
}
"""What is added to a command that would ask a real model, so that a scripted one answers in a moment."""
STANDS_FOR = {"examples/desk/tools.py": "tools.py", "runs/data": "runs/written", "runs/principles": "runs/learnt"}
"""The desk has 1,837 examples, which a synthesis would all run; the other folders are there for the other examples."""

COMMANDS = sorted({command for page in PAGES for command in commands(page)})
RUN = [command for command in COMMANDS if not command.startswith(tuple(ONLY_PARSED))]
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
GLAIVE = {
    "system": f"SYSTEM: You may use these functions. {json.dumps(WEATHER, indent=4)}",
    "chat": 'USER: Weather in Paris?\n\n\nASSISTANT: <functioncall> {"name": "get_weather", "arguments": '
    '\'{"city": "Paris"}\'} <|endoftext|>\n\n\nFUNCTION RESPONSE: {"sky": "clear"}\n\n\n'
    "ASSISTANT: It is sunny. <|endoftext|>",
}
SEAL_TOOLS = {
    "id": "s1",
    "query": "Weather in Oslo?",
    "calling": [{"api": "get_weather", "parameters": {"city": "Oslo"}, "responses": ["API_call_0"]}],
}
FUNCTIONS = '''\
def double(number: float) -> float:
    """Double a number.

    Args:
        number: The number to double.
    """
    return number * 2
'''
PETSTORE = """\
openapi: 3.0.0
info: {title: Pets, version: "1"}
servers: [{url: "http://127.0.0.1:9"}]
paths:
  /pets/{id}:
    get:
      operationId: get_pet
      summary: Look up a pet.
      parameters: [{name: id, in: path, required: true, schema: {type: integer}, description: Its number.}]
      responses: {"200": {description: The pet.}}
"""
MODEL_FILE = 'def reply(messages, tools, seed):\n    return "[]"\n'
WRITER_FILE = """\
import re


def reply(messages, tools, seed):
    found = re.findall(r"number: ([^;\\]]+)", messages[-1]["content"])
    return f"please, number {'abcdefgh'[seed % 8]}: the double of {found[-1]}" if found else "sing me a song"
"""
RECIPE = '[[source]]\nname = "mine"\npath = "runs/clean"\n'


def double(number: int) -> dict[str, object]:
    call = {"name": "double", "arguments": {"number": number}}
    return {"request": f"double {number}", "calls": [call]}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "seal-tools").mkdir()
    call = ToolCall.of("set_timer", {"duration": "5 minutes"})
    timer = Message(role="user", content="timer for 5 minutes"), Message(role="assistant", tool_calls=[call])
    row = Trajectory(id="t", messages=list(timer))
    query = {"id": "1", "query": "sing", "kind": "refusal", "calls": []}
    for name, text in {
        "tools.py": FUNCTIONS,
        "petstore.yaml": PETSTORE,
        "model.py": MODEL_FILE,
        "writer.py": WRITER_FILE,
        "tasks.jsonl": "".join(json.dumps(double(number)) + "\n" for number in range(40)),
        "runs/principles/principles.toml": '[actions]\ndouble = "Look for the number in the request."\n',
        "recipe.toml": RECIPE,
        "glaive.json": json.dumps([GLAIVE] * 2),
        "seal-tools/dev.json": json.dumps([SEAL_TOOLS]),
        "rows.jsonl": row.to_json().decode() + "\n",
        "queries.jsonl": json.dumps(query) + "\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("data", "desk", "desk-full"):
        with Run.open(folder / "runs" / name, {"verb": "synth"}) as run:
            TrajectoryStore(run.store).add([(0, row.model_copy(update={"meta": Meta(split="train")}))])
            run.finish("synth", {"targets": 1, "verified": 1, "rejected": {}})
    return folder


@pytest.fixture(scope="module")
def made_before(workshop: Path) -> None:
    """What an example takes that another example makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workshop)
        for command in (
            "data import glaive.json seal-tools/ --out runs/imported",
            "data fix runs/imported --out runs/clean",
            *(
                f"bench scripted:model.py --tools tools.py --tasks own:queries.jsonl --out runs/{name}"
                for name in ("before", "after")
            ),
        ):
            assert main(shlex.split(command)) == 0, command
    with Run.at(workshop / "runs" / "clean") as run:
        assert TrajectoryStore(run.store).count() > 0, "examples of no rows would show nothing"


@pytest.mark.usefixtures("made_before")
@pytest.mark.parametrize("command", RUN)
def test_an_example_runs(command: str, workshop: Path, monkeypatch: pytest.MonkeyPatch):
    if ".yaml" in command:
        pytest.importorskip("yaml")
    monkeypatch.chdir(workshop)
    words = shlex.split(command)
    assert words[0] == "lamina", "list it in ONLY_PARSED, with the reason"
    for verb, added in STAND_INS.items():
        if command.startswith(verb):
            words = [STANDS_FOR.get(word, word) for word in words] + added
    assert main(words[1:]) == 0


def test_what_is_only_parsed_is_in_the_docs_and_said_with_its_reason(record_property):
    stale = [start for start in ONLY_PARSED if not any(command.startswith(start) for command in COMMANDS)]
    assert stale == [], "no longer in the docs: take it off the list"
    for start, why in ONLY_PARSED.items():
        for command in COMMANDS:
            if command.startswith(start):
                record_property("only parsed", f"{command}: {why}")
                print(f"only parsed: {command}: {why}")
