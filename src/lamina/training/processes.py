"""Which of several training processes this one is, as a launcher says it; alone it is the first of one."""

from __future__ import annotations

import os


def is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def is_sent_weights() -> bool:
    """Whether the first process sends this one its weights: accelerate's FSDP does, where its configuration says so
    (``fsdp_cpu_ram_efficient_loading``)."""
    told = ("ACCELERATE_USE_FSDP", "FSDP_CPU_RAM_EFFICIENT_LOADING")
    return not is_first() and all(os.environ.get(name, "").lower() == "true" for name in told)


def is_deepspeed() -> bool:
    """Whether DeepSpeed cuts the weights of this training, as accelerate's launcher says it."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true"


def process_count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
