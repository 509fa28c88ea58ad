"""A calibration reads the user's own rows, and what is rounded with it stays nearer to the model."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from lamina.errors import DamagedFileError, InputError
from lamina.quantize import export_gguf, quantize_types
from lamina.quantize.calibration import Calibration, calibration_of
from lamina.quantize.distance import Cut, Said, distances, distances_from
from lamina.quantize.likelihood import token_logits
from lamina.trajectories import write_trajectories
from tiny_llama import desk_toolbox, split_rows
from tiny_models import save_tiny

TEXTS = [Said(f"Split {i} between four", ' [{"name": "split_bill"}]') for i in range(12)]


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    facts = {"prompt_style": "baked", "tools": desk_toolbox().as_openai()}
    (folder / "lamina.json").write_text(json.dumps(facts))
    return folder


def test_rows_marked_for_training_are_read_and_no_others(model: Path, tmp_path: Path):
    rows = split_rows(40)
    for i, row in enumerate(rows):
        row.meta.split = "train" if i < 10 else "test"
    write_trajectories(tmp_path / "rows.jsonl", rows)
    assert len(calibration_of(tmp_path / "rows.jsonl", model).rows) == 10
    few = calibration_of(tmp_path / "rows.jsonl", model, most_tokens=100)
    assert 0 < len(few.rows) < 10
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(InputError, match="no trajectory"):
        calibration_of(tmp_path / "none.jsonl", model)


def test_a_calibrated_file_is_nearer_to_the_model(model: Path, tmp_path: Path):
    write_trajectories(tmp_path / "rows.jsonl", split_rows(60))
    calibration = calibration_of(tmp_path / "rows.jsonl", model)
    assert export_gguf(model, tmp_path / "f.gguf", "F32", calibration)["calibrated"] is False
    plain = export_gguf(model, tmp_path / "plain.gguf", "Q4_0")
    ours = export_gguf(model, tmp_path / "ours.gguf", "Q4_0", calibration)
    assert (plain["calibrated"], ours["calibrated"]) == (False, True)
    assert ours["bytes"] == plain["bytes"]
    files = [tmp_path / "f.gguf", Path(plain["path"]), Path(ours["path"])]
    itself, alone, made_up = distances(files[0], files, TEXTS)
    assert itself["kl"] == 0
    assert itself["same_top"] == 1
    assert 0 < made_up["logit_rmse"] < alone["logit_rmse"]


def test_a_calibrated_file_of_super_blocks_is_nearer_on_what_it_was_calibrated_with(tmp_path: Path):
    """Their matrices want rows of 256 values, and are rounded with the importance of each column alone."""
    shape = {"hidden_size": 256, "intermediate_size": 512, "initializer_range": 0.05}
    folder = save_tiny(tmp_path / "model", "llama", **shape)
    chance = random.Random(3)
    rows = [[chance.randrange(3, 200) for _ in range(64)] for _ in range(8)]
    export_gguf(folder, tmp_path / "f.gguf", "F32")
    files = []
    for type in ("Q4_K_M", "Q2_K"):
        for name, calibration in (("plain", None), ("ours", Calibration(rows))):
            files.append(export_gguf(folder, tmp_path / f"{type}-{name}.gguf", type, calibration))
    assert [file["calibrated"] for file in files] == [False, True] * 2
    assert files[0]["bytes"] == files[1]["bytes"]
    assert files[2]["bytes"] == files[3]["bytes"]
    paths, texts = [Path(file["path"]) for file in files], [Cut([], row) for row in rows]
    small, small_ours, least, least_ours = distances_from(token_logits(tmp_path / "f.gguf", rows), paths, texts)
    for ours, plain in ((small_ours, small), (least_ours, least)):
        assert 0 < ours["kl"] < 0.97 * plain["kl"]
        assert 0 < ours["logit_rmse"] < 0.98 * plain["logit_rmse"]


def test_a_gguf_file_is_quantized_as_its_folder_is(model: Path, tmp_path: Path):
    from gguf import GGUFReader

    (whole,) = quantize_types(model, ["F32"], tmp_path / "a")
    for type in ("Q8_0", "Q4_0", "Q2_K"):
        (direct,) = quantize_types(model, [type], tmp_path / "b")
        (again,) = quantize_types(Path(whole["path"]), [type], tmp_path / "c")
        assert again["bytes"] == direct["bytes"]
        first, second = (GGUFReader(f["path"]) for f in (direct, again))
        for ours, theirs in zip(first.tensors, second.tensors, strict=True):
            assert (ours.name, ours.tensor_type) == (theirs.name, theirs.tensor_type)
            assert ours.data.tobytes() == theirs.data.tobytes()
        same = "tokenizer.ggml.tokens"
        assert first.fields[same].contents() == second.fields[same].contents()


def test_a_damaged_gguf_file_is_refused(tmp_path: Path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(DamagedFileError, match=r"m\.gguf: the file is damaged or cut short"):
        export_gguf(tmp_path / "m.gguf", tmp_path / "out.gguf", "Q8_0")


def test_a_model_without_a_chat_template_is_calibrated_as_it_is_asked(model: Path, tmp_path: Path):
    write_trajectories(tmp_path / "rows.jsonl", split_rows(8))
    (model / "chat_template.jinja").unlink()
    (model / "lamina.json").unlink()
    rows = calibration_of(tmp_path / "rows.jsonl", model).rows
    from transformers import AutoTokenizer

    assert "<|im_start|>user\nSplit" in AutoTokenizer.from_pretrained(model).decode(rows[0] + rows[1])


def test_a_calibration_of_a_gguf_file_is_refused(tiny: Path, tmp_path: Path):
    write_trajectories(tmp_path / "rows.jsonl", split_rows(8))
    export_gguf(tiny, tmp_path / "m.gguf")
    with pytest.raises(InputError, match="a GGUF file is not calibrated; give the folder it was made from"):
        calibration_of(tmp_path / "rows.jsonl", tmp_path / "m.gguf")


def test_layers_with_a_window_are_shown_what_the_model_shows_them(tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM

    from lamina.quantize.calibration import walk

    gemma = {"head_dim": 16, "sliding_window": 8, "num_hidden_layers": 7, "query_pre_attn_scalar": 16}
    folder = save_tiny(tmp_path / "gemma", "gemma3_text", **gemma)
    row = list(range(3, 60))
    fed: dict[str, float] = {}
    walk(folder, Calibration([row]), lambda name, _values, moments: fed.update({name: float(moments.trace())}))
    seen: dict[str, float] = {}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for name, matrix in model.named_modules():
        if ".layers." in name and isinstance(matrix, torch.nn.Linear):
            matrix.register_forward_pre_hook(
                lambda _m, args, name=name: seen.update({f"{name}.weight": float(args[0].square().sum())})
            )
    with torch.no_grad():
        model(torch.tensor([row]))
    assert fed == pytest.approx(seen, rel=1e-3)


def test_a_mixture_is_calibrated_but_for_its_experts(tmp_path: Path):
    mixture = save_tiny(tmp_path / "mixtral", "mixtral", num_local_experts=4)
    written = export_gguf(mixture, tmp_path / "m.gguf", "Q4_0", Calibration([list(range(3, 60))]))
    assert written["calibrated"] is True
