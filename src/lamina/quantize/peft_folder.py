"""A LoRA adapter as PEFT saves it: ``adapter_config.json`` and two small matrices for each linear layer.

PEFT computes with ``W + scale * B A``, A (rank, columns) and B (rows, rank), and scale = alpha / rank, or alpha / √rank
with rsLoRA. Whatever else its configuration may ask for is refused: a GGUF adapter cannot say it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from lamina.errors import InputError
from lamina.quantize.safetensors_reader import StoredTensor, stored_tensors
from lamina.tools.tool import JSON

CONFIG = "adapter_config.json"
_PREFIX, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_REFUSED = {
    "use_dora": "DoRA (use_dora)",
    "alpha_pattern": "modules with an alpha of their own (alpha_pattern)",
    "target_parameters": "adapters of a mixture's experts (target_parameters)",
    "modules_to_save": "whole modules beside the adapters (modules_to_save)",
    "trainable_token_indices": "embeddings of single tokens (trainable_token_indices)",
    "lora_bias": "biases of the adapters (lora_bias)",
    "layer_replication": "layers that stand in the model more than once (layer_replication)",
    "alora_invocation_tokens": "an adapter that some tokens switch on (alora_invocation_tokens)",
    "use_qalora": "QALoRA (use_qalora)",
    "use_bdlora": "block-diagonal adapters (use_bdlora)",
    "arrow_config": "a choice among adapters (arrow_config)",
    "kasa_config": "KaSA (kasa_config)",
    "monteclora_config": "MonteCLoRA (monteclora_config)",
}
"""Keys of a configuration under which PEFT computes otherwise, and what they ask for."""
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq")
"""Ways of beginning an adapter that take from the base what the adapter begins with."""


@dataclass(frozen=True)
class PeftAdapter:
    """``alpha``: what is to be divided by a module's rank to give its scale. ``modules``: A and B by the name of the
    layer's weight in the base, ``model.layers.0.self_attn.q_proj.weight``."""

    folder: Path
    config: JSON
    alpha: float
    modules: dict[str, tuple[StoredTensor, StoredTensor]]

    @property
    def ranks(self) -> list[int]:
        return sorted({down.shape[0] for down, _ in self.modules.values()})


def is_peft_folder(folder: Path) -> bool:
    return (folder / CONFIG).is_file()


def read_peft_folder(folder: Path) -> PeftAdapter:
    """Raises InputError for a damaged folder, and for what a GGUF adapter cannot say."""
    file = folder / CONFIG
    try:
        config: JSON = json.loads(file.read_text("utf-8"))
        alpha, rank = float(config["lora_alpha"]), int(config["r"])
    except OSError:
        raise InputError(f"there is no {CONFIG}", file=folder, mend="give a folder that PEFT saved") from None
    except (ValueError, KeyError, TypeError):
        raise InputError("no configuration of a LoRA adapter", file=file, mend="save the adapter again") from None
    _refuse(config, alpha, file)
    if not list(folder.glob("*.safetensors")):
        mend = "save it with model.save_pretrained (safetensors)"
        raise InputError("there is no adapter_model.safetensors", file=folder, mend=mend)
    modules = _modules(folder)
    if config.get("use_rslora"):
        odd = [name for name, (down, _) in modules.items() if down.shape[0] != rank]
        if odd:
            raise _cannot(f"rsLoRA with a rank of its own for {odd[0]} (rank_pattern)", file)
        alpha *= math.sqrt(rank)
    return PeftAdapter(folder, config, alpha, modules)


def _refuse(config: JSON, alpha: float, file: Path) -> None:
    if config.get("peft_type") != "LORA":
        raise _cannot(f"an adapter of type {config.get('peft_type')}", file)
    for key, what in _REFUSED.items():
        if config.get(key):
            raise _cannot(what, file)
    if config.get("bias", "none") != "none":
        raise _cannot(f"trained biases (bias {config['bias']})", file)
    begun = str(config.get("init_lora_weights")).lower()
    if begun.startswith(_CHANGES_BASE):
        mend = "save it as plain LoRA first (PEFT: path_initial_model_for_weight_conversion), or merge it"
        raise InputError(f"begun as {begun}, which changes the base as well", file=file, mend=mend)
    if not 0 < alpha < math.inf:
        raise InputError(f"lora_alpha is {alpha:g}, with which it changes nothing", file=file, mend="give one above 0")


def _cannot(what: str, file: Path) -> InputError:
    mend = "merge it into its base (model.merge_and_unload()) and export that"
    return InputError(f"a GGUF adapter cannot carry {what}", file=file, mend=mend)


def _modules(folder: Path) -> dict[str, tuple[StoredTensor, StoredTensor]]:
    found: dict[str, dict[str, StoredTensor]] = {}
    for name, tensor in stored_tensors(folder).items():
        part = next((end for end in (_DOWN, _UP) if name.endswith(end)), None)
        if part is None or len(tensor.shape) != 2:
            raise _cannot(f"{name}, which is no part of a linear layer's adapter", tensor.file)
        layer = name.removeprefix(_PREFIX).removesuffix(part)
        found.setdefault(f"{layer}.weight", {})[part] = tensor
    for layer, parts in found.items():
        if len(parts) != 2 or parts[_DOWN].shape[0] != parts[_UP].shape[1]:
            raise InputError(f"the matrices of {layer} do not fit together", file=folder, mend="save the adapter again")
    if not found:
        raise InputError("there is no matrix in the adapter", file=folder, mend="save the adapter again")
    return {layer: (parts[_DOWN], parts[_UP]) for layer, parts in found.items()}
