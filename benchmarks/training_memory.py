"""Peak memory of a training as ``lamina train --dry-run`` computes it, beside what the process really took.

usage: training_memory.py [--threads 1]        (two minutes on one core; docs/results/training.md)

Random llamas of four sizes, three steps each, every one in a process of its own. Measured is the highest resident
memory less that before the model was loaded, libraries already imported.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
MIB = 2**20
CASES = [
    {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "update": "full"},
    {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "update": "lora"},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full"},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "lora"},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full", "batch": 32},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full", "batch": 32,
     "gradient_checkpointing": True},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full", "precision": "mixed"},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full", "precision": "mixed",
     "batch": 32},
    {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "update": "full", "precision": "mixed",
     "batch": 32, "gradient_checkpointing": True},
]  # fmt: skip


def save_model(folder: Path, shape: dict) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from tiny_llama import tiny_tokenizer

    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "llama", vocab_size=len(tokenizer), num_attention_heads=6, num_key_value_heads=2, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=2, **shape,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def measure(case: dict, folder: Path, threads: int) -> dict:
    """In a process of its own: computed and measured MiB."""
    import trl.trainer.sft_trainer  # noqa: F401  what is imported is no part of the training's memory

    from lamina.training import TrainSettings, fine_tune
    from lamina.training.planning import plan_training
    from lamina.training.rows import TrainingData
    from tiny_llama import desk_toolbox, split_rows

    chosen = ("update", "precision", "batch", "gradient_checkpointing")
    settings = {"precision": "float32"} | {key: case[key] for key in chosen if key in case}
    told = TrainSettings(**settings, epochs=1, threads=threads)
    rows = random.Random(0).sample(split_rows(200), 3 * told.batch)
    data = TrainingData(rows, [], desk_toolbox(), "")
    planned = plan_training(str(folder), data, told)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
    fine_tune(str(folder), rows, [], folder / "out", told, data.toolbox)
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    return {"computed": planned["memory_gib"]["total"] * 1024, "measured": (int(status) * 1024 - before) / MIB}


def compare(case: dict, threads: int = 1) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        shape = {k: v for k, v in case.items() if k in ("hidden_size", "intermediate_size", "num_hidden_layers")}
        save_model(Path(folder), shape)
        ran = subprocess.run(
            [sys.executable, __file__, "--one", json.dumps([case, folder]), "--threads", str(threads)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> None:
    read = argparse.ArgumentParser()
    read.add_argument("--threads", type=int, default=1)
    read.add_argument("--one", help=argparse.SUPPRESS)
    told = read.parse_args()
    sys.path.insert(0, str(TESTS))
    if told.one:
        case, folder = json.loads(told.one)
        print(json.dumps(measure(case, Path(folder), told.threads)))
        return
    for case in CASES:
        found = compare(case, told.threads)
        name = ", ".join(f"{key} {value}" for key, value in case.items())
        ratio = found["measured"] / found["computed"]
        print(f"{found['computed']:6.0f} MiB computed {found['measured']:6.0f} measured, ratio {ratio:.2f}: {name}")


if __name__ == "__main__":
    main()
