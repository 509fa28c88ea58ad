"""What can be set about a training. The defaults are those of ``lamina build``: some three passes over a few thousand
short rows, which a 135M model needs (docs/results/more-examples.md)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lamina.errors import InputError

LEARNING_RATES = {"lora": 8e-4, "full": 5e-4}
"""For a 135M model: of adapters the best of those tried (docs/results/first-build.md), of a full update what 95 % was
reached with; at one pass 2e-4 gave the same (docs/results/more-examples.md). Larger ones have it in their recipes."""


POSITIVE = (
    "epochs", "batch", "accumulate", "learning_rate", "lora_rank", "lora_alpha", "max_length", "beta",
    "look_every", "held_share",
)  # fmt: skip


@dataclass(frozen=True)
class TrainSettings:
    """``update``: ``lora`` trains adapters beside the linear layers, ``full`` the linear layers' weights themselves,
    which learns more from the same rows and takes more memory (measured: docs/results/first-build.md).
    ``lora_layers``: train only that many layers, counted from the top (None: all). ``batch`` is in rows. A
    ``learning_rate`` of 0 is the usual one of the update. A step is taken every ``accumulate`` batches.
    ``warmup`` is a share of all steps, ``warmup_steps`` a number that overrides it. ``precision``: ``auto`` multiplies
    in bf16 only where the machine computes in it, because elsewhere it is tens of times slower than float32: ``bf16``
    for LoRA, ``mixed``, which keeps weights in float32, for a full update (``precision_of``).
    ``gradient_checkpointing`` computes activations twice rather than keep them. ``threads`` of the processor, 0 for one
    a core. ``beta`` is DPO's: how dear it is to leave the base. ``save_seconds``: how much work a kill may cost.

    ``patience``: stop after so many looks in a row at held-out requests that answered no more of them with the right
    calls, and keep the weights that answered most; 0 never looks. A look is had every ``look_every`` epochs. Where no
    row is held out, a ``held_share`` of the rows is. ``report_to``: who is told the numbers beside the CSV log.

    ``qat``: the last ``qat_share`` of a full update computes with weights rounded as a file of that type rounds them
    (quantization-aware training), so that the file loses little.

    ``learn``: of an assistant's turn its calls alone, or also its words: thoughts before calls, answers, questions."""

    method: Literal["sft", "dpo"] = "sft"
    update: Literal["lora", "full"] = "full"
    prompt_style: Literal["baked", "compact", "full"] = "baked"
    epochs: float = 3.0
    batch: int = 8
    accumulate: int = 1
    learning_rate: float = 0.0
    lora_rank: int = 32
    lora_alpha: int = 64
    lora_layers: int | None = None
    scheduler: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.05
    warmup_steps: int | None = None
    weight_decay: float = 0.0
    max_length: int = 2048
    precision: Literal["auto", "float32", "bf16", "mixed"] = "auto"
    gradient_checkpointing: bool = False
    beta: float = 0.1
    threads: int = 0
    save_seconds: float = 120.0
    patience: int = 0
    look_every: float = 0.25
    held_share: float = 0.1
    report_to: Literal["none", "wandb", "trackio"] = "none"
    qat: Literal["none", "Q4_0", "Q5_0"] = "none"
    qat_share: float = 0.5
    learn: Literal["calls", "words"] = "calls"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.learning_rate == 0:
            object.__setattr__(self, "learning_rate", LEARNING_RATES[self.update])
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a number above 0, got {getattr(self, name)}")
        if self.threads < 0:
            raise InputError(f"threads is 0 (one a core) or more, got {self.threads}")
        if self.update == "full" and self.precision == "bf16":
            raise InputError(
                "bf16 loses the small steps of a full update", mend="leave precision at auto, or take mixed"
            )
        if self.qat != "none" and self.update != "full":
            raise InputError(f"qat rounds the trained weights, and {self.update} trains none", mend="update full")
        if not 0 < self.qat_share <= 1:
            raise InputError(f"qat_share is a share of all steps above 0 and up to 1, got {self.qat_share}")
        if self.lora_layers is not None and self.lora_layers < 1:
            raise InputError(f"lora_layers must be at least 1, got {self.lora_layers}", mend="leave it out for all")
        if self.method == "dpo" and self.update == "full":
            raise InputError(
                "dpo trains adapters: the base beside them is what is preferred against", mend="update lora"
            )
        if self.method == "dpo" and self.learn == "words":
            raise InputError("dpo compares calls, and learns no words", mend="learn calls, or method sft")
        if self.warmup_steps is not None and self.warmup_steps < 0:
            raise InputError(f"warmup_steps must be at least 0, got {self.warmup_steps}")
        if self.patience < 0:
            raise InputError(f"patience must be at least 0, got {self.patience}")
        if not 0 <= self.warmup < 1:
            raise InputError(f"warmup is a share of all steps from 0 to below 1, got {self.warmup}")

    def identity(self) -> dict[str, Any]:
        """What of it makes two trainings different ones."""
        beside = ("save_seconds", "threads", "report_to")
        return {name: value for name, value in self.stated().items() if name not in beside}

    def stated(self) -> dict[str, Any]:
        """As a run's configuration has it. That calls alone are learnt is not said: runs that began before there was a
        choice go on."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("learn", "calls")}

    def warmup_steps_of(self, steps: int) -> int:
        """Never more than there are."""
        return round(self.warmup * steps) if self.warmup_steps is None else min(self.warmup_steps, steps)
