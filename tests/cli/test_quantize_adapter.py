"""``lamina quantize`` of a LoRA adapter, and the reference of a base with it in ``bench`` and ``act``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

pytest.importorskip("peft", reason="the tiny model and its adapter are made with it")

from lamina.bench.families import told_apart
from lamina.bench.identity import fingerprint, size_bytes
from lamina.errors import ModelReferenceError
from lamina.models import embedded_path, is_local
from lamina.quantize import export_gguf
from tiny_adapters import save_adapter
from tiny_llama import save_tiny_llama


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("made")
    model = save_tiny_llama(folder / "model")
    for type in ("F16", "Q8_0"):
        export_gguf(model, folder / f"base-{type}.gguf", type)
    adapter = save_adapter(model, folder / "adapter")
    return SimpleNamespace(model=model, adapter=adapter, base=folder / "base-F16.gguf", small=folder / "base-Q8_0.gguf")


@pytest.fixture
def beside(lamina, made: SimpleNamespace, tmp_path: Path) -> str:
    """The reference of the base with its adapter."""
    assert lamina("quantize", made.adapter, "--out", tmp_path / "gguf").status == 0
    return f"{made.base}+{tmp_path / 'gguf' / 'adapter-F16.gguf'}"


def test_an_adapter_folder_is_known_and_written_at_16_bits(lamina, made: SimpleNamespace, tmp_path: Path):
    said = lamina("quantize", made.adapter, "--out", tmp_path, "--base", made.small, "--json")
    assert said.status == 0, said.err
    (file,) = json.loads(said.out)["files"]
    assert (file["path"], file["type"], file["parity"]) == (str(tmp_path / "adapter-F16.gguf"), "F16", None)
    assert file["bytes"] == (tmp_path / "adapter-F16.gguf").stat().st_size
    plain = lamina("quantize", made.adapter, "--out", tmp_path, "--base", made.small, "--types", "F32")
    assert "14 matrices" in plain.out
    assert f"{made.small}+{tmp_path / 'adapter-F32.gguf'}" in plain.out


@pytest.mark.parametrize(
    ("which", "words", "says"),
    [
        ("adapter", ["--types", "F16,Q8_0"], "an adapter is not written as Q8_0; choose from F32, F16"),
        ("adapter", ["--types", ""], "no type for a GGUF file is named"),
        ("adapter", ["--queries", "q.jsonl"], "--queries is for whole models, and this is an adapter"),
        ("adapter", ["--base", "nowhere"], "its base nowhere is not here"),
        ("model", ["--base", "nowhere"], "--base is for an adapter, and this is none"),
    ],
)
def test_what_is_not_for_an_adapter_is_said(
    which: str, words: list[str], says: str, lamina, made: SimpleNamespace, tmp_path: Path
):
    said = lamina("quantize", getattr(made, which), "--out", tmp_path / "gguf", *words)
    assert said.status == 2
    assert says in said.errors[0]
    assert not (tmp_path / "gguf").exists()


def test_a_bench_takes_a_base_with_its_adapter_for_a_model_of_its_own(lamina, made, beside: str, tmp_path: Path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"input": "say 4", "target": "4", "metric": "contains"}) + "\n")
    command = [
        "bench",
        made.base,
        beside,
        "--tasks",
        f"jsonl:{questions}",
        "--max-tokens",
        8,
        "--out",
        tmp_path / "run",
    ]
    said = lamina(*command, "--json")
    assert said.status == 0, said.err
    assert len({row["model"] for row in json.loads(said.out)["rows"]}) == 2
    answers = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    assert len({row["answer"] for row in answers}) == 2, "the adapter changes what is answered"
    ladder = lamina("bench", beside, *command[3:-1], tmp_path / "ladder", "--quantize", "Q8_0")
    assert ladder.status == 2
    assert "no file can be made of a base with its adapter" in ladder.errors[0]


def test_a_base_with_its_adapter_is_told_from_the_base_by_its_bytes_and_its_family(made, beside: str):
    small = beside.replace(str(made.base), str(made.small))
    adapter = Path(beside.rpartition("+")[2])
    assert is_local(beside)
    assert size_bytes(beside) == made.base.stat().st_size + adapter.stat().st_size
    before = fingerprint(beside)
    assert before != fingerprint(str(made.base))
    told = told_apart({ref: ref for ref in (str(made.base), str(made.small), beside, small)})
    families = {ref: one.family for ref, one in told.items()}
    assert families[str(made.base)] == families[str(made.small)] != families[beside] == families[small]
    adapter.write_bytes(adapter.read_bytes() + b"\0")
    assert fingerprint(beside) != before


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("{adapter}", "a LoRA adapter; name its base before it"),
        ("{base}+{adapter}+{adapter}", "the second LoRA adapter in"),
        ("{base}+gone.gguf", "gone.gguf: there is no such file"),
        ("{base}+{base}", "not the vision part of a model and no LoRA adapter"),
        ("embedded+{adapter}", "an adapter of another model than"),
    ],
)
def test_a_reference_that_does_not_fit_together_is_the_users_error(ref: str, says: str, lamina, made, beside, tmp_path):
    if ref.startswith("embedded"):
        try:
            embedded_path()
        except ModelReferenceError as error:
            pytest.skip(str(error))
    tools = tmp_path / "tools.py"
    tools.write_text('def ping() -> str:\n    """Ping."""\n    return "pong"\n')
    said = lamina(
        "act", "ping", "--tools", tools, "--model", ref.format(adapter=beside.rpartition("+")[2], base=made.base)
    )
    assert said.status == 2
    assert says in said.errors[0]
