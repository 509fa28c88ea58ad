"""Quantization-aware training: the 4-bit file of a model that was trained for it keeps what was learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.errors import InputError
from lamina.quantize.ggml import dequantized, quantized
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.layerwise.language import Distillation
from lamina.training.layerwise.transfer import TransferSettings
from tiny_llama import save_tiny_llama, split_rows

FULL = TrainSettings(epochs=8, batch=4, learning_rate=2e-3, max_length=200, precision="float32")
KINDS = ["Q4_0", "Q5_0"]


def shipped(folder: Path, kind: str) -> float:
    """Mean cross entropy of the rows trained on, by the model with its layers as the file of ``kind`` holds them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lamina.models.templates import LAMINA_TEMPLATE, with_end_mark
    from lamina.training.rows import token_rows
    from tiny_llama import desk_toolbox

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    rows, _ = token_rows(split_rows(12), desk_toolbox(), tokenizer, template, style="baked", max_length=200)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "_proj" in name and kind:
                weight.copy_(torch.from_numpy(dequantized(quantized(weight.numpy(), kind), kind)))
        losses = [
            model(input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])).loss.item()
            for row in rows
        ]
    return float(np.mean(losses))


@pytest.mark.parametrize("kind", KINDS)
@given(
    values=st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 3e-5, 1e-3]), min_size=64, max_size=64)
)
@settings(deadline=None, max_examples=200)
def test_weights_are_rounded_as_the_engine_rounds_them_even_where_two_are_the_largest(kind: str, values: list[float]):
    import torch

    from lamina.training.rounding import rounded

    weight = np.array(values, np.float32).reshape(2, 32)
    once = rounded(torch.from_numpy(weight), kind)
    assert (once.numpy() == dequantized(quantized(weight, kind), kind)).all()
    assert (rounded(once, kind) == once).all()


def test_many_weights_are_rounded_as_the_engine_rounds_them():
    import torch

    from lamina.training.rounding import rounded

    weight = np.random.default_rng(0).normal(size=(1300, 1024)).astype(np.float32)  # more than are rounded at a time
    assert (rounded(torch.from_numpy(weight), "Q4_0").numpy() == dequantized(quantized(weight, "Q4_0"), "Q4_0")).all()


def test_the_four_bit_file_of_such_a_training_knows_more(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    for name, how in {"plain": FULL, "aware": replace(FULL, qat="Q4_0")}.items():
        fine_tune(str(tiny), split_rows(12), [], tmp_path / name, how, toolbox)
    plain, aware = tmp_path / "plain", tmp_path / "aware"
    exact = shipped(plain, "")
    assert shipped(aware, "Q4_0") - exact < 0.75 * (shipped(plain, "Q4_0") - exact)
    assert shipped(aware, "Q4_0") == shipped(aware, "")


def test_a_training_that_multiplies_in_bf16_leaves_weights_that_the_type_holds_to_the_last_bit(
    tiny: Path, toolbox: Toolbox, tmp_path: Path
):
    how = replace(FULL, epochs=2, qat="Q4_0", precision="mixed")
    fine_tune(str(tiny), split_rows(12), [], tmp_path, how, toolbox)
    assert shipped(tmp_path, "Q4_0") == shipped(tmp_path, "")


def test_a_student_of_a_model_on_the_grid_stays_on_it_only_when_trained_for_it(
    tiny: Path, toolbox: Toolbox, tmp_path: Path
):
    """What a student learns is less than a step of the grid on which it began, so rounding would undo it."""
    fine_tune(str(tiny), split_rows(12), [], tmp_path / "teacher", replace(FULL, epochs=1, qat="Q4_0"), toolbox)
    plan = Distillation(str(tmp_path / "teacher"), TransferSettings("attention"))
    for name, kind in {"plain": "none", "aware": "Q4_0"}.items():
        how = replace(FULL, epochs=1, qat=kind)
        fine_tune(str(tmp_path / "teacher"), split_rows(12), [], tmp_path / name, how, toolbox, distillation=plan)
    assert shipped(tmp_path / "aware", "Q4_0") == shipped(tmp_path / "aware", "")
    assert shipped(tmp_path / "plain", "Q4_0") != shipped(tmp_path / "plain", "")


def test_before_its_share_of_the_steps_it_is_a_training_like_any_other(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    logs = {}
    for name, how in {"plain": FULL, "aware": replace(FULL, qat="Q4_0", qat_share=0.5)}.items():
        fine_tune(str(tiny), split_rows(12), [], tmp_path / name, how, toolbox)
        logs[name] = [line.split(",")[2] for line in (tmp_path / name / "train-log.csv").read_text().splitlines()[1:]]
    assert logs["plain"][:12] == logs["aware"][:12]
    assert all(a != b for a, b in zip(logs["plain"][12:], logs["aware"][12:], strict=True))


def test_a_calibration_leaves_the_type_alone_that_was_trained_for(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    from lamina.quantize import quantize_types
    from lamina.quantize.calibration import calibrated_on

    fine_tune(str(tiny), split_rows(12), [], tmp_path / "m", replace(FULL, epochs=1, qat="Q4_0"), toolbox)
    read = calibrated_on(split_rows(12), tmp_path / "m")
    files = quantize_types(tmp_path / "m", ["Q4_0", "IQ4_NL"], tmp_path / "gguf", calibration=read)
    assert [file["calibrated"] for file in files] == [False, True]


def test_adapters_and_shares_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="lora trains none"):
        TrainSettings(update="lora", qat="Q4_0")
    with pytest.raises(InputError, match="qat_share"):
        TrainSettings(qat="Q4_0", qat_share=0)


def test_rows_that_the_type_cannot_hold_are_an_error_before_training(toolbox: Toolbox, tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM

    folder = save_tiny_llama(tmp_path / "odd")
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.config.intermediate_size = 100
    type(model)(model.config).to(torch.float32).save_pretrained(folder)
    with pytest.raises(InputError, match=r"down_proj\.weight: its rows are no multiple of 32"):
        fine_tune(str(folder), split_rows(4), [], tmp_path / "out", replace(FULL, qat="Q4_0"), toolbox)


def test_the_plan_counts_the_rounded_weights_beside_the_exact_ones(tiny: Path):
    from transformers import AutoConfig

    from lamina.training.memory import GIB, Weights, memory

    config, weights = AutoConfig.from_pretrained(tiny), Weights(1_000_000, 1_000_000, 800_000, 0)
    plain, aware = (memory(config, weights, replace(FULL, qat=qat), 100, 20) for qat in ("none", "Q4_0"))
    assert aware["total"] - plain["total"] == pytest.approx(800_000 * 4 / GIB)


def test_the_plan_counts_the_copies_that_a_mixed_training_keeps_of_its_weights(tiny: Path):
    from transformers import AutoConfig

    from lamina.training.memory import GIB, Weights, memory

    config, weights = AutoConfig.from_pretrained(tiny), Weights(1_000_000, 1_000_000, 800_000, 0)
    plain, mixed = (memory(config, weights, replace(FULL, precision=how), 100, 20) for how in ("float32", "mixed"))
    assert (plain["copies"], mixed["copies"]) == (0, pytest.approx(800_000 * 2 / GIB))
