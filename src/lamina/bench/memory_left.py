"""Whether it was memory that a worker's error is about. Engines give other reasons, or none, where an allocation fails:
llama.cpp says that the server could not be made."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamina.bench.identity import size_bytes
from lamina.errors import LaminaError


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
    """Of the machine's memory, and of the address space that this process may take (``ulimit -v``), the less; None
    where neither is known."""
    known = [left for left in (_of_the_machine(), _of_the_limit()) if left is not None]
    return min(known, default=None)


def _of_the_machine() -> int | None:
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable:")


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
