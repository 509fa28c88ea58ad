"""What precision ``auto`` comes to, that a training computes and states just that, and that a plan counts it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.layerwise.language import Distillation
from lamina.training.memory import Machine
from lamina.training.planning import plan_training
from lamina.training.precision import computes_in_bf16, precision_of
from lamina.training.processes import is_deepspeed
from lamina.training.rows import TrainingData
from tiny_llama import split_rows

FULL = TrainSettings(update="full", epochs=1, batch=4, learning_rate=2e-3, max_length=200, threads=1)
LORA = replace(FULL, update="lora", lora_rank=4)


def machine_in_bf16(monkeypatch: pytest.MonkeyPatch, computes: bool) -> None:
    monkeypatch.setattr("lamina.training.precision.computes_in_bf16", lambda: computes)


def test_auto_multiplies_in_bf16_where_the_machine_does(monkeypatch: pytest.MonkeyPatch):
    machine_in_bf16(monkeypatch, True)
    assert precision_of(FULL) == "mixed"
    assert precision_of(LORA) == precision_of(replace(LORA, method="dpo")) == "bf16"
    machine_in_bf16(monkeypatch, False)
    assert {precision_of(settings) for settings in (FULL, LORA)} == {"float32"}


def test_a_full_update_that_distils_or_that_deepspeed_cuts_stays_in_float32(monkeypatch: pytest.MonkeyPatch):
    machine_in_bf16(monkeypatch, True)
    assert precision_of(FULL, distilling=True) == precision_of(FULL, deepspeed=True) == "float32"
    assert precision_of(LORA, distilling=True) == precision_of(LORA, deepspeed=True) == "bf16"


@pytest.mark.parametrize("computes", [True, False])
def test_a_precision_that_is_asked_for_is_taken_on_any_machine(computes: bool, monkeypatch: pytest.MonkeyPatch):
    machine_in_bf16(monkeypatch, computes)
    for precision in ("float32", "mixed"):
        assert precision_of(replace(FULL, precision=precision)) == precision
        assert precision_of(replace(FULL, precision=precision), distilling=True, deepspeed=True) == precision
    assert precision_of(replace(LORA, precision="bf16")) == "bf16"


def test_a_gpu_is_asked_where_there_is_one_and_else_the_processor(monkeypatch: pytest.MonkeyPatch):
    import torch

    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not computes_in_bf16()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert computes_in_bf16()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    assert not computes_in_bf16(), "emulated is not computed, and the processor is not what trains"


def test_accelerates_launcher_says_that_deepspeed_cuts(monkeypatch: pytest.MonkeyPatch):
    assert not is_deepspeed()
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert is_deepspeed()


@pytest.mark.parametrize(("computes", "precision"), [(True, "mixed"), (False, "float32")])
def test_a_full_update_is_computed_as_auto_comes_to_and_states_it(
    computes: bool, precision: str, tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    machine_in_bf16(monkeypatch, computes)
    losses = {}
    for told in ("auto", "float32", "mixed"):
        settings = replace(FULL, precision=told)
        metrics = fine_tune(str(tiny), split_rows(12), [], tmp_path / told, settings, toolbox)
        assert metrics["precision"] == (precision if told == "auto" else told)
        losses[told] = [line["loss"] for line in csv.DictReader((tmp_path / told / "train-log.csv").open())]
    assert losses["auto"] == losses[precision]
    assert losses["mixed"] != losses["float32"]
    assert f"| precision | {precision} |" in (tmp_path / "auto" / "README.md").read_text("utf-8")


def test_a_student_is_trained_in_float32(tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    machine_in_bf16(monkeypatch, True)
    plan = Distillation(str(tiny))
    metrics = fine_tune(str(tiny), split_rows(4), [], tmp_path, FULL, toolbox, distillation=plan)
    assert metrics["precision"] == "float32"


def test_a_plan_says_what_auto_comes_to_and_counts_that(tiny: Path, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch):
    data = TrainingData(split_rows(8), [], toolbox, "x")

    def planned(settings: TrainSettings, machine: Machine | None = None) -> dict:
        return plan_training(str(tiny), data, settings, machine=machine)

    machine_in_bf16(monkeypatch, True)
    for settings, precision in ((FULL, "mixed"), (LORA, "bf16")):
        plan, asked = planned(settings), planned(replace(settings, precision=precision))
        assert plan["precision"] == asked["precision"] == precision
        assert (plan["precision_is"], "precision_is" in asked) == ("what auto comes to on this machine", False)
        for part in ("memory_gib", "main_memory_gib"):
            assert plan[part] == asked[part] != planned(replace(settings, precision="float32"))[part]
        assert "in bfloat16, half of it reached" in plan["how"]
    assert planned(FULL, Machine("gpu", "fsdp", 2))["precision"] == "mixed"
    assert planned(FULL, Machine("gpu", "deepspeed", 2))["precision"] == "float32"
    machine_in_bf16(monkeypatch, False)
    assert planned(FULL)["precision"] == "float32"
    assert "in float32, half of it reached" in planned(FULL)["how"]


PRODUCTS = """
import torch
from lamina.training.precision import keep_few_compiled
keep_few_compiled()
weights = torch.randn(64, 64).bfloat16()
for length in [*range(100, 200), *range(100, 200)]:
    torch.nn.functional.linear(torch.randn(length, 64).bfloat16(), weights)
"""


@pytest.mark.parametrize(("asked_for", "found_again"), [(None, False), ("1024", True)])
def test_few_products_stay_compiled_unless_somebody_asked_for_more(asked_for: str | None, found_again: bool) -> None:
    if not computes_in_bf16():
        pytest.skip("this processor does not compute in bf16")
    surroundings = {key: value for key, value in os.environ.items() if key != "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}
    surroundings |= {"ONEDNN_VERBOSE": "2", "CUDA_VISIBLE_DEVICES": ""}
    surroundings |= {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": asked_for} if asked_for else {}
    command = [sys.executable, "-c", PRODUCTS]
    told = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout
    assert told.count("cache_miss") >= 100
    assert ("cache_hit" in told) is found_again
