"""xllamacpp's server in this process, as Lamina starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.errors import ModelError

PROMPT_CACHE_MIB = 256
"""Of main memory, for what was read before and may come again: some ten prompts with a dozen functions in a small
model. llama.cpp's own limit is 8 GiB, which a long run fills, on a laptop that has no more (our choice)."""
NO_ENGINE = "xllamacpp is not installed; pip install xllamacpp brings the engine"


def start_server(
    path: Path, projector: Path | None, adapter: Path | None, threads: int, slots: int, context: int
) -> Any:
    """Loads a model, and beside it its vision part and a LoRA adapter where they are given; ``slots`` requests share a
    ``context`` of tokens. Raises ModelError where xllamacpp is missing, or cannot load them."""
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError:
        raise ModelError(NO_ENGINE) from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    if projector is not None:
        parameters.mmproj.path = str(projector)
    if adapter is not None:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    parameters.n_ctx = context
    parameters.n_parallel = slots
    parameters.kv_unified = True
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    if hasattr(parameters, "cache_ram_mib"):  # engines before llama.cpp's host cache keep no prompts
        parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.verbosity = -1
    # prompts are written by us; with the file's own template the engine tries it, and gives no reason where it raises
    parameters.chat_template = "chatml"
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        parts = " with ".join(str(file) for file in (path, projector, adapter) if file)
        raise ModelError(f"{parts}: llama.cpp cannot load it ({error}); is the file whole?") from None
