"""LoRA adapters of random weights, as PEFT saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def save_adapter(base: Path, folder: Path, merged: Path | None = None, **config: Any) -> Path:
    """An adapter of ``base`` in ``folder``, and with ``merged`` the base with it merged there. Both of its matrices are
    random: PEFT begins with one of zeros, which would change nothing."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(5)
    settings = {"r": 4, "lora_alpha": 12, "target_modules": LINEAR, "task_type": "CAUSAL_LM"} | config
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**settings))
    with torch.no_grad():
        for name, values in model.named_parameters():
            if "lora_" in name:
                values.copy_(torch.randn_like(values) * 0.15)
    model.save_pretrained(str(folder), save_embedding_layers=False)
    if merged is not None:
        model.merge_and_unload().save_pretrained(str(merged))
        AutoTokenizer.from_pretrained(base).save_pretrained(str(merged))
    return folder
