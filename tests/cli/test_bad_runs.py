"""Whatever is wrong with the run folder or a model reference: the right exit status and one line that names
it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_gguf is shared by the rooms' tests

from lamina.cli import main
from lamina.runs import Run
from tiny_gguf import save_tiny_gguf


def one_line(said) -> str:
    errors = [e for e in said.errors if e.startswith("lamina: ")]
    assert len(errors) == 1
    assert "Traceback" not in said.err
    assert said.out == ""
    return errors[0]


@pytest.mark.parametrize("verb", ["synth", "build"])
def test_out_that_is_a_file_or_holds_other_files(lamina, tools_file: Path, tmp_path: Path, verb: str):
    said = lamina(verb, tools_file, "--out", tools_file)
    assert said.status == 2
    assert str(tools_file) in one_line(said)
    said = lamina(verb, tools_file, "--out", tmp_path)
    assert said.status == 2
    assert "is no run" in one_line(said)
    assert tools_file.read_text(), "the user's files are left alone"


@pytest.mark.parametrize("verb", ["synth", "build"])
def test_out_where_nothing_can_be_written(lamina, tools_file: Path, verb: str):
    said = lamina(verb, tools_file, "--out", "/proc/lamina-run")
    assert said.status == 1
    assert "/proc/lamina-run" in one_line(said)


@pytest.mark.parametrize("verb", ["synth", "build"])
def test_a_run_of_another_configuration_is_an_error_that_shows_the_difference(
    lamina, tools_file: Path, tmp_path: Path, verb: str
):
    Run.open(tmp_path / "run", {"tools": "/elsewhere/tools.py"}).close()
    said = lamina(verb, tools_file, "--out", tmp_path / "run")
    assert said.status == 2
    line = one_line(said)
    assert f"tools: '/elsewhere/tools.py' -> '{tools_file}'" in line
    assert "--fresh" in line


@pytest.mark.parametrize("verb", ["act", "report"])
def test_a_folder_that_is_no_run(lamina, tmp_path: Path, verb: str):
    arguments = ["hello", "--run", tmp_path] if verb == "act" else [tmp_path]
    said = lamina(verb, *arguments)
    assert said.status == 2
    assert str(tmp_path) in one_line(said)


def test_a_run_without_a_model_says_so(lamina, tools_file: Path, tmp_path: Path):
    Run.open(tmp_path / "run", {"tools": str(tools_file)}).close()
    said = lamina("act", "double 12", "--run", tmp_path / "run")
    assert said.status == 2
    assert "no GGUF file yet" in one_line(said)


@pytest.mark.parametrize("ref", ["nothing", "missing.gguf", "scripted:missing.py", "openai:"])
def test_a_model_reference_that_names_nothing(lamina, tools_file: Path, ref: str):
    said = lamina("act", "double 12", "--tools", tools_file, "--model", ref)
    assert said.status == 2
    assert ref.removeprefix("scripted:") in one_line(said)


def test_a_truncated_gguf_file(lamina, tools_file: Path, tmp_path: Path):
    file = tmp_path / "half.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x00" * 40)
    said = lamina("act", "double 12", "--tools", tools_file, "--model", file)
    assert said.status in (1, 2)
    assert "half.gguf" in one_line(said)


@pytest.mark.parametrize("content", [b"GGUF\x03\x00\x00\x00\x01", b"a letter", b"GGUF" + b"\xff" * 40])
def test_a_file_that_is_no_whole_gguf_is_the_user_s_mistake_named_before_any_work(
    lamina, tools_file: Path, tmp_path: Path, content: bytes
):
    file = tmp_path / "half.gguf"
    file.write_bytes(content)
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"input": "1 and 1?", "target": "2", "metric": "number"}\n', encoding="utf-8")
    bench = ["bench", file, "--tasks", f"jsonl:{questions}", "--out", tmp_path / "run"]
    for verb in (["act", "double 12", "--tools", tools_file, "--model", file], bench):
        said = lamina(*verb)
        assert said.status == 2
        assert "half.gguf" in one_line(said)
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_cut_among_its_tensors_is_named_before_any_work_by_every_verb(
    lamina, tools_file: Path, tmp_path: Path
):
    whole = save_tiny_gguf(tmp_path / "whole.gguf").read_bytes()
    file, out = tmp_path / "cut.gguf", ["--out", tmp_path / "run"]
    file.write_bytes(whole[: len(whole) * 2 // 3])
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"input": "1 and 1?", "target": "2", "metric": "number"}\n', encoding="utf-8")
    for verb in (
        ["act", "double 12", "--tools", tools_file, "--model", file],
        ["bench", file, "--tasks", f"jsonl:{questions}", *out],
        ["bench", file, "--tasks", f"jsonl:{questions}", "--quantize", "Q8_0", *out],
        ["quantize", file, "--types", "Q8_0", *out],
        ["build", tools_file, "--base", file, *out],
        ["synth", tools_file, "-n", "2", "--writer", file, *out],
    ):
        said = lamina(*verb)
        told = f"its header promises {len(whole):,} bytes, it has {len(whole) * 2 // 3:,}; fetch or build it again"
        assert (said.status, told in one_line(said)) == (2, True), verb
        assert not (tmp_path / "run").exists(), verb


def test_a_bad_file_of_requests_names_the_line_before_any_model_is_loaded(lamina, tools_file: Path, tmp_path: Path):
    file = tmp_path / "queries.jsonl"
    file.write_text('{"id": "1", "query": "double 12", "calls": []}\n{"id": "2"\n', encoding="utf-8")
    out = ["--tools", tools_file, "--out", tmp_path / "run"]
    said = lamina("bench", "scripted:nowhere.py", "--tasks", f"own:{file}", *out)
    assert said.status == 2
    assert f"{file}:2: " in one_line(said)
    assert not (tmp_path / "run").exists()


def test_an_unknown_task_is_named(lamina, tools_file: Path, tmp_path: Path):
    said = lamina("bench", "embedded", "--tasks", "nothing", "--tools", tools_file, "--out", tmp_path / "run")
    assert said.status == 2
    assert "'nothing'" in one_line(said)


@pytest.mark.skipif(sys.platform != "linux", reason="file-size limits as a stand-in for a full disk")
def test_a_disk_that_is_full_is_an_error_that_names_the_file_and_the_run_goes_on_later(
    tools_file: Path, tmp_path: Path
):
    """A limit on file size makes writes fail as a full disk does, for this process alone."""
    Run.open(tmp_path / "run", {"tools": str(tools_file)}).close()
    command = [sys.executable, "-m", "lamina", "report", "--json", str(tmp_path / "run")]

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))

    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=no_room)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "run") in done.stderr
    with Run.at(tmp_path / "run") as run:
        assert run.results() == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep-every", "2"], "--transfer and --keep-every belong to --teacher"),
        (["--transfer", "logits"], "--transfer and --keep-every belong to --teacher"),
        (["--reflector", "embedded"], "--reflector belongs to --learn"),
        (["--teacher", "nowhere", "--transfer", "magic"], "no transfer 'magic'"),
    ],
)
def test_options_of_a_build_that_need_each_other_are_said_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
):
    assert main(["build", "tools.py", "--out", str(tmp_path / "run"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
