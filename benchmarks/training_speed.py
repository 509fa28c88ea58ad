"""Tokens a second of our training beside plain TRL: same model, same rows, same weights trained, same machine.

usage: training_speed.py RUN [--steps 12] [--rounds 3] [--batch 8] [--threads N] [--base embedded]
                                                                        (minutes; docs/results/training.md)

RUN has rows (``lamina synth`` or ``build``); taken are those with one answer, in an order drawn once. *Ours* is
``fine_tune``, *TRL* its ``SFTTrainer`` with nothing of ours: its collator, its loss, the answer alone learnt, no
packing (its default). Both update the weights of every linear layer in float32 and take turns, each in a process of its
own. Counted are tokens of the rows, not padding; the first two steps of a process are not. Losses of both are printed:
they are of the same rows and should be alike.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

WARM = 2


def rows_of(data: Path, count: int) -> list[Any]:
    from lamina.training import read_training_data

    found = read_training_data(data).train
    single = [row for row in found if sum(m.role == "assistant" for m in row.messages) == 1]
    return random.Random(0).sample(single, count)


def ours(args: argparse.Namespace) -> dict[str, Any]:
    import csv

    from lamina.training import TrainSettings, fine_tune

    rows = rows_of(args.run, args.steps * args.batch)
    settings = TrainSettings(epochs=1, batch=args.batch, threads=args.threads, precision="float32", save_seconds=1e9)
    with tempfile.TemporaryDirectory() as folder:
        fine_tune(args.base, rows, [], Path(folder), settings)
        lines = list(csv.DictReader((Path(folder) / "train-log.csv").open()))
    tokens = int(lines[-1]["tokens"]) - int(lines[WARM - 1]["tokens"])
    seconds = float(lines[-1]["seconds"]) - float(lines[WARM - 1]["seconds"])
    return {"tokens": tokens, "seconds": seconds, "losses": [float(line["loss"]) for line in lines]}


def trl(args: argparse.Namespace) -> dict[str, Any]:
    import torch
    from datasets import Dataset  # type: ignore[import-untyped]
    from transformers import TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from lamina.tools import Toolbox
    from lamina.training import TrainSettings
    from lamina.training.base import load_base
    from lamina.training.material import material_of
    from lamina.training.rows import IGNORED
    from lamina.training.trainer import order_of_rows
    from lamina.training.weights import chosen_weights

    rows = rows_of(args.run, args.steps * args.batch)
    settings = TrainSettings(epochs=1, batch=args.batch, threads=args.threads, precision="float32")
    if args.threads:
        torch.set_num_threads(args.threads)
    base = load_base(args.base)
    toolbox = Toolbox.from_openai({t["function"]["name"]: t for row in rows for t in row.tools}.values())
    made = material_of(rows, [], base, settings, toolbox, {}).rows
    ordered = [made[i] for i in order_of_rows(len(made), 1, settings.seed)]
    data = Dataset.from_list(
        [{"input_ids": r.input_ids, "completion_mask": [int(label != IGNORED) for label in r.labels]} for r in ordered]
    )
    model = base.model
    model.requires_grad_(False)
    linear, _ = chosen_weights(model, settings)
    for name in linear:
        model.get_parameter(f"{name}.weight").requires_grad_(True)
    ends: list[float] = []
    losses: list[float] = []

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.perf_counter())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **__: Any) -> None:
            losses.extend([logs["loss"]] if "loss" in (logs or {}) else [])

    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder, use_cpu=True, bf16=False, per_device_train_batch_size=args.batch, num_train_epochs=1,
            learning_rate=settings.learning_rate, lr_scheduler_type="linear", max_length=None, report_to="none",
            warmup_steps=settings.warmup_steps_of(args.steps), weight_decay=0.0, save_strategy="no", logging_steps=1,
            disable_tqdm=True, dataloader_pin_memory=False, gradient_checkpointing=False, completion_only_loss=True,
            train_sampling_strategy="sequential", packing=False,
        )  # fmt: skip
        SFTTrainer(
            model=model, args=config, train_dataset=data, processing_class=base.tokenizer, callbacks=[Watch()]
        ).train()
    tokens = sum(len(r.input_ids) for r in ordered[WARM * args.batch :])
    return {"tokens": tokens, "seconds": ends[-1] - ends[WARM - 1], "losses": losses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--only", choices=("ours", "trl"))
    args = parser.parse_args()
    if args.only:
        print(json.dumps({"ours": ours, "trl": trl}[args.only](args)))
        return
    ratios = []
    for number in range(1, args.rounds + 1):
        found = {}
        for who in ("ours", "trl") if number % 2 else ("trl", "ours"):
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--only", who], capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(f"{who} failed:\n{done.stderr[-3000:]}")
            found[who] = json.loads(done.stdout.splitlines()[-1])
            found[who]["speed"] = found[who]["tokens"] / found[who]["seconds"]
        ratios.append(found["ours"]["speed"] / found["trl"]["speed"])
        print(f"round {number}: ours {found['ours']['speed']:.1f} tokens/s of {found['ours']['tokens']}, "
              f"TRL {found['trl']['speed']:.1f} of {found['trl']['tokens']}: {ratios[-1]:.3f}", flush=True)  # fmt: skip
        if number == 1:
            for who in ("ours", "trl"):
                print(f"  losses of {who}: {', '.join(f'{loss:.4f}' for loss in found[who]['losses'])}", flush=True)
    print(
        f"ours over TRL, median of {len(ratios)} rounds: {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
