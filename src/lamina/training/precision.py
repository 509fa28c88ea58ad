"""Which numbers a training multiplies: float32, or bf16 where the machine computes in it."""

from __future__ import annotations

import os
from typing import Literal

from lamina.training.settings import TrainSettings

Precision = Literal["float32", "bf16", "mixed"]
COMPILED_KEPT = "64"
"""Products that oneDNN keeps compiled: more than one step of a training has (our choice)."""


def precision_of(settings: TrainSettings, *, distilling: bool = False, deepspeed: bool = False) -> Precision:
    """What ``auto`` comes to on this machine; any other precision is itself.

    A full update stays in float32 where it distils, for bf16 drowns the differences of layers that are compared, and
    where DeepSpeed cuts it: its bf16 is that of the weights, and those it gathers at the end have lost small steps.
    """
    if settings.precision != "auto":
        return settings.precision
    if not computes_in_bf16():
        return "float32"
    if settings.update == "lora":
        return "bf16"
    return "float32" if distilling or deepspeed else "mixed"


def computes_in_bf16() -> bool:
    """Whether this machine multiplies bf16 itself. Measured on a processor that does not (Zen 3): 1 to 15 GFLOP/s in
    bf16 against 130 in float32; on one that does (AVX-512 BF16): 419 against 184."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in known)


def keep_few_compiled() -> None:
    """To be called before the first product. Each batch has a length of its own, for which oneDNN compiles anew in
    bf16, and it keeps 1,024 of such products. Whoever set its variable is obeyed."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", COMPILED_KEPT)
