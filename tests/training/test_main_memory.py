"""The main memory that is computed for a training is what its stages hold, and about what it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.tools import Toolbox
from lamina.training import TrainSettings
from lamina.training.memory import GIB, Machine, Weights, main_memory
from lamina.training.planning import plan_training, this_machine
from lamina.training.rows import TrainingData
from tiny_llama import split_rows

FULL = TrainSettings(update="full")
ROUNDED = TrainSettings(update="lora", precision="bf16")
SEVEN = Weights(7 * GIB, 7 * GIB, GIB)
"""28 GiB in float32; what is trained of it is 4."""
TAKEN = {"activations": 0.75, "copies": 0.25, "scores": 2.0, "total": 60.0}


def of(settings: TrainSettings, machine: Machine, row_tokens: int = 0) -> dict[str, float]:
    return main_memory(SEVEN, settings, machine, TAKEN, row_tokens)


def test_every_process_reads_the_base_and_keeps_the_rows():
    assert of(FULL, Machine("gpu"))["loading"] == 28
    shared = of(FULL, Machine("gpu", "ddp", 4), row_tokens=GIB)
    assert (shared["loading"], shared["rows"]) == (112, 4 * 64)
    assert shared["total"] == 112 + 4 * 64


def test_a_training_on_the_processor_is_in_main_memory_itself():
    assert of(FULL, Machine("gpu"))["training"] == 0
    assert of(FULL, Machine("cpu")) == {"loading": 28, "training": 60, "writing": 57, "rows": 0, "total": 60}
    assert of(FULL, Machine("cpu", "ddp", 2))["training"] == 120


def test_adapters_of_a_rounded_base_are_put_onto_the_base_read_again():
    assert of(ROUNDED, Machine("gpu"))["writing"] == 28 + 4
    assert of(ROUNDED, Machine("cpu"))["total"] == 57 + 28 + 4


def test_with_fsdp_the_first_process_alone_reads_the_base():
    assert of(FULL, Machine("gpu", "fsdp", 4))["loading"] == 28
    assert of(FULL, Machine("gpu", "deepspeed", 4))["loading"] == 112


def test_what_was_cut_is_gathered_beside_a_new_model():
    assert of(FULL, Machine("gpu", "fsdp", 2))["writing"] == 28 + 28
    assert of(ROUNDED, Machine("gpu", "deepspeed", 2))["writing"] == 28 + 14 + 4


def test_a_large_model_is_written_file_by_file():
    large = replace(SEVEN, all=70 * GIB)
    assert main_memory(large, FULL, Machine("gpu"), TAKEN)["writing"] == pytest.approx(46.57, abs=0.01)


def test_a_plan_says_the_main_memory_and_where_the_training_itself_is(
    tiny: Path, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    data = TrainingData(split_rows(8), [], toolbox, "x")
    settings = replace(FULL, max_length=200)
    plan = plan_training(str(tiny), data, settings)
    main = plan["main_memory_gib"]
    assert main["training"] == plan["memory_gib"]["total"] > main["loading"] > 0
    assert main["rows"] * GIB == 64 * plan["tokens"] / settings.epochs
    assert plan["main_memory_is"] == "computed: base read, model written, trained there too, on processors"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert this_machine() == Machine("gpu")
    assert this_machine("fsdp") == Machine("gpu", "fsdp", 4)
    assert "on the GPU beside it, by 2 processes" in this_machine("ddp", 2).said


MEASURED = """
import json, resource, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import torch, trl.trainer.sft_trainer
from lamina.training import TrainSettings, fine_tune
from lamina.training.planning import plan_training
from lamina.training.rows import TrainingData
from tiny_llama import desk_toolbox, split_rows

folder, rows, tools = Path(sys.argv[1]), split_rows(2), desk_toolbox()
settings = TrainSettings(update="lora", precision="bf16", epochs=1, batch=2, threads=1)
planned = plan_training(str(folder), TrainingData(rows, [], tools, ""), settings)["main_memory_gib"]["total"] * 2**30
before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
Path("/proc/self/clear_refs").write_text("5")
fine_tune(str(folder), rows, [], folder / "out", settings, tools)
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
print(json.dumps([planned, peak - before]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_training_takes_about_the_main_memory_that_is_computed(tmp_path: Path):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from tiny_llama import tiny_tokenizer

    tokenizer = tiny_tokenizer()
    config = AutoConfig.for_model(
        "llama", hidden_size=768, intermediate_size=2048, num_hidden_layers=8, num_attention_heads=6,
        num_key_value_heads=6, vocab_size=len(tokenizer), bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(str(tmp_path))
    tokenizer.save_pretrained(str(tmp_path))
    script = MEASURED.format(tests=str(Path(__file__).parents[1]))
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True)
    computed, measured = json.loads(ran.stdout.splitlines()[-1])
    assert 0.7 < measured / computed < 1.4, (computed, measured)
