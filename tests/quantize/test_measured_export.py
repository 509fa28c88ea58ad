"""``lamina quantize --queries``: any model, also one that Lamina did not train, is compared with its files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import ModelError
from lamina.models import Request, open_model
from lamina.models.llama_library import loaded_model, tokens_of
from lamina.quantize import export_gguf
from lamina.quantize.likelihood import folder_logits
from lamina.quantize.parity_report import measure_files
from lamina.runs import Progress
from lamina.trajectories import Message, Query, ToolCall
from tiny_llama import desk_toolbox
from tiny_models import save_tiny, sentencepiece_tokenizer

OPENED = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
QUERY = {
    "id": "a", "query": "Split 84 between four people", "kind": "single",
    "calls": [{"name": "split_bill", "arguments": {"total": 84, "people": 4}}],
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> tuple[Path, Path]:
    """Tools and a request that is about them."""
    tools, queries = tmp_path / "tools.json", tmp_path / "queries.jsonl"
    tools.write_text(json.dumps(desk_toolbox().as_openai()))
    queries.write_text(json.dumps(QUERY) + "\n")
    return tools, queries


def quantized(model: Path, *words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lamina", "quantize", str(model), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_model_of_others_is_measured_with_the_tools_that_are_named(desk: tuple[Path, Path], tmp_path: Path):
    tools, queries = desk
    more = {"max_position_embeddings": 4096}
    folder = save_tiny(tmp_path / "model", "qwen3", head_dim=16, **more)
    words = ("--types", "F32,Q4_0", "--queries", queries, "--out", tmp_path / "gguf")
    refused = quantized(folder, *words)
    assert refused.returncode == 2
    assert "name their file with --tools" in " ".join(refused.stderr.split())
    done = quantized(folder, *words, "--tools", tools, "--json")
    assert done.returncode == 0, done.stderr
    said = [line.partition("] ")[2] for line in done.stderr.splitlines()]
    assert [line for line in said if "started" in line] == [
        "export: started, 2 to do",
        "parity: started, 3 to do",
        "distance: started, 1 to do",
    ], "a large model takes minutes over each"
    for counted in ("export: 2/2 (file Q4_0), done", "parity: 3/3 (file Q4_0), done", "distance: 1/1, done"):
        assert any(line.startswith(counted) for line in said), said
    whole, small = json.loads(done.stdout)["files"]
    assert whole["parity"]["n"] == small["parity"]["n"] == 1
    assert whole["parity"]["same_text"] in (0, 1)
    assert 0 < whole["distance"]["logit_rmse"] < 0.01, "two engines, one model"
    assert abs(whole["distance"]["kl"]) < 1e-5
    assert small["distance"]["logit_rmse"] > 10 * whole["distance"]["logit_rmse"]
    assert small["distance"]["perplexity"] > 1
    for file in (whole, small):
        assert file["same_tokens"] == {"same": 1, "n": 1}
        assert file["distance"]["reference"] == f"{folder} in float32"


def test_a_file_alone_is_measured_from_the_model_and_not_from_itself(desk: tuple[Path, Path], tmp_path: Path):
    tools, queries = desk
    folder = save_tiny(tmp_path / "model", "qwen3", head_dim=16, max_position_embeddings=4096)
    words = ("--queries", queries, "--tools", tools, "--json")
    told = json.loads(quantized(folder, "--types", "Q4_0", "--out", tmp_path / "gguf", *words).stdout)
    (small,) = told["files"]
    assert small["distance"]["reference"] == f"{folder} in float32"
    assert small["distance"]["logit_rmse"] > 0
    assert sorted(file.name for file in (tmp_path / "gguf").iterdir()) == ["model-Q4_0.gguf", "parity.json"]
    kept = json.loads(Path(told["report"]).read_text("utf-8"))
    assert (kept["model"], kept["files"]) == (str(folder), told["files"])
    again = json.loads(quantized(Path(small["path"]), "--types", "Q8_0", "--out", tmp_path / "again", *words).stdout)
    (of_file,) = again["files"]
    assert of_file["distance"]["reference"] == small["path"]
    assert 0 < of_file["distance"]["logit_rmse"] < small["distance"]["logit_rmse"], "a file is measured from itself"


def test_a_plain_file_that_was_written_wrongly_is_far_from_its_model_and_cut_into_other_tokens(tmp_path: Path):
    """Of another model's weights, and with a tokenizer that knows nothing of the chat's marks."""
    more = {"head_dim": 16, "max_position_embeddings": 4096}
    folder = save_tiny(tmp_path / "model", "qwen3", **more)
    other = save_tiny(tmp_path / "other", "qwen3", seed=4, **more)
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    tokenizer["model"]["merges"] = tokenizer["model"]["merges"][:5]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    files = [export_gguf(folder, tmp_path / "right.gguf", "F16"), export_gguf(other, tmp_path / "wrong.gguf", "F16")]
    query = Query("a", QUERY["query"], None, "single", [ToolCall.of(c["name"], c["arguments"]) for c in QUERY["calls"]])
    known: list[Any] = []

    def on_parity() -> None:
        known.extend((file["parity"]["n"], file["same_tokens"]["n"], file["distance"]) for file in files)

    measure_files(folder, files, [query], desk_toolbox(), Progress(silent=True), on_parity)
    assert known == [(1, 1, None)] * 2, "who is killed while distances are measured has the parity"
    right, wrong = files
    assert abs(right["distance"]["kl"]) < 1e-3 < 0.1 < wrong["distance"]["kl"]
    assert (right["same_tokens"]["same"], wrong["same_tokens"]["same"]) == (1, 0)


def test_a_chat_whose_template_opens_it_is_opened_alike_in_the_folder_and_in_its_file(tmp_path: Path):
    tokenizer = sentencepiece_tokenizer()
    tokenizer.chat_template = OPENED
    folder = save_tiny(tmp_path / "model", "mistral", tokenizer, sliding_window=None)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    request = Request([Message(role="user", content="Split the total")], style="plain", max_tokens=1)
    model = open_model(str(folder), threads=1)
    given = model.generate([request])[0].prompt_tokens
    with loaded_model(tmp_path / "m.gguf") as read:
        tokens = tokens_of(read, model.prompt_for(request), special=True)
    assert tokens[0] == tokenizer.bos_token_id
    assert given == len(tokens)


def test_a_folder_that_transformers_refuses_without_a_word_is_an_error_that_says_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from transformers import AutoConfig

    def refuse(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(AutoConfig, "from_pretrained", refuse)
    with pytest.raises(ModelError, match=r"cannot load it \(ValueError\)"):
        next(folder_logits(tmp_path, [[1]]))
