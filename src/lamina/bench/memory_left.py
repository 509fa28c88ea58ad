"""Whether there is memory for a model, before it is loaded, and whether it was memory that a worker's error is about.
Engines give other reasons, or none, where an allocation fails: llama.cpp says that the server could not be made. A file
that it maps and that is larger than the memory loads all the same, and is then read from the disk for every token."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamina.bench.identity import size_bytes
from lamina.errors import LaminaError
from lamina.models.gguf_files import model_file
from lamina.models.gguf_header import gguf_metadata
from lamina.models.llamacpp import default_context

EVERY_TOKEN = ("llama", "qwen2", "qwen3")
"""Architectures that keep keys and values of every token in every layer. Others keep fewer, and how few is not known
here: their context is not counted, so that no file is refused that there is room for."""


def check_room(ref: str, *, slots: int = 1, context: int | None = None, images: bool = False) -> None:
    """Raises MemoryError for a GGUF file that clearly does not fit: its bytes, of which every token reads all, with the
    keys and values of its context are more than what is left. Nothing where a graphics card could take some of it, and
    for any other reference, of which the bytes on the disk say too little, and for a file that lies in memory already
    (``tmpfs``): what is left doesn't count its bytes, and mapping it takes no more."""
    try:
        file = model_file(ref)
        if file.suffix != ".gguf" or lies_in_memory(file):
            return
        weights, cache = size_bytes(ref, images) or 0, context_bytes(file, slots, context)
    except (OSError, LaminaError):
        return  # loading it says so
    left = bytes_left()
    if left is None or weights + cache <= left or has_graphics_card():
        return
    what = f"the model's files take {weights / 1e6:.0f} MB and its context {cache / 1e6:.0f} MB"
    raise MemoryError(f"{what}, {left / 1e6:.0f} MB of memory are left; it was not loaded")


def context_bytes(file: Path, slots: int, context: int | None) -> int:
    """What an engine takes for the keys and values of its context, in 16 bits; 0 where that is not certain. Raises
    ModelError for a damaged file."""
    said = gguf_metadata(file)
    architecture = said.get("general.architecture")
    layers, width, heads, shared, trained = (
        said.get(f"{architecture}.{name}")
        for name in (
            "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "context_length",
        )
    )  # fmt: skip
    if architecture not in EVERY_TOKEN or not (layers and width and heads and shared and trained):
        return 0
    key, value = (said.get(f"{architecture}.attention.{name}_length") or width // heads for name in ("key", "value"))
    tokens = min(context or default_context(slots), trained * slots)
    return int(2 * layers * tokens * shared * (key + value))


def lies_in_memory(file: Path) -> bool:
    """Whether its file system is the machine's memory. Raises OSError for a file that is not there."""
    device = file.stat().st_dev
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    mounts = (line.partition(" - ") for line in lines)
    kinds = {said.split()[2]: kind.split()[0] for said, _, kind in mounts}
    return kinds.get(f"{os.major(device)}:{os.minor(device)}") in ("tmpfs", "ramfs")


def has_graphics_card() -> bool:
    """Whether the engine could put weights somewhere else than into main memory; True too where it does not say."""
    try:
        import xllamacpp  # type: ignore[import-untyped]

        return any(str(device["type"].name).endswith("GPU") for device in xllamacpp.get_device_info())
    except Exception:
        return True


@contextmanager
def memory_errors(loading: str | None = None) -> Iterator[None]:
    """Inside, an error that was about memory becomes a MemoryError that says so, the error's own words after it.
    ``loading``: the model that is opened there."""
    try:
        yield
    except Exception as error:
        lacking = lack_of_memory(error, loading)
        if lacking is None:
            raise
        raise MemoryError(f"{lacking} ({type(error).__name__}: {error})") from error


def lack_of_memory(error: BaseException, loading: str | None = None) -> str | None:
    """What memory was lacking for; None where memory is not known to be the reason. The files of a model whose load
    failed are compared with what this process may still have."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError):
            return "an allocation failed"
        seen = seen.__cause__ or seen.__context__
    if loading is None:
        return None
    try:
        needed, left = size_bytes(loading), bytes_left()
    except (OSError, LaminaError):
        return None  # there is no such file: the error says so
    if needed is None or left is None or needed <= left:
        return None
    return f"the model's files take {needed / 1e6:.0f} MB, {left / 1e6:.0f} MB of memory are left"


def bytes_left() -> int | None:
    """Of the machine's memory with what may be swapped out for it, and of the address space that this process may take
    (``ulimit -v``), the less; None where neither is known."""
    known = [left for left in (_of_the_machine(), _of_the_limit()) if left is not None]
    return min(known, default=None)


def _of_the_machine() -> int | None:
    memory, swap = (_kilobytes(Path("/proc/meminfo"), name) for name in ("MemAvailable:", "SwapFree:"))
    return None if memory is None else memory + (swap or 0)


def _of_the_limit() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    limit, taken = resource.getrlimit(resource.RLIMIT_AS)[0], _kilobytes(Path("/proc/self/status"), "VmSize:")
    return None if limit == resource.RLIM_INFINITY or taken is None else max(0, limit - taken)


def _kilobytes(file: Path, name: str) -> int | None:
    """In bytes, the number behind ``name``; None where there is no such file or line."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)
