"""Getting BFCL's data from its wheel: downloaded by pip without its dependencies, its data and its simulators
unpacked, nothing installed and nothing run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from lamina.bench.tasks.bfcl.data import cache_folder
from lamina.errors import InputError, WorkFailedError
from lamina.tools.tool import JSON

VERSION = "2026.3.23"
"""The release that the scorer was compared with (docs/results/bfcl.md)."""
LICENSE = "Apache-2.0"
_INSIDE = "bfcl_eval/data/"
_SIMULATORS = "bfcl_eval/eval_checker/multi_turn_eval/func_source_code/"
_TAKEN = (
    re.compile(rf"{_INSIDE}((?:possible_answer/)?BFCL_v4_\w+\.json)"),
    re.compile(rf"{_INSIDE}(multi_turn_func_doc/\w+\.json)"),
    re.compile(rf"{_SIMULATORS}(\w+\.py)"),
)
"""Data, the descriptions of the functions that multi-turn tasks call, and the source of these: it is put into
``simulators/`` and run by the environment bfcl-multi-turn alone."""


def fetch_bfcl(wheel: str | Path | None = None, folder: Path | None = None) -> JSON:
    """Unpacks the data of a wheel, or of the one that pip downloads, into Lamina's cache: ``{"out", "files",
    "bytes", "version", "license"}``. What was there is replaced when all is unpacked. Raises WorkFailedError where
    pip fails, InputError where the wheel is not bfcl-eval's."""
    target = folder or cache_folder()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(wheel) if wheel else _downloaded(Path(scratch))
        fresh = Path(scratch) / "fresh"
        names = _unpack(file, fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(fresh, target)
    size = sum((target / name).stat().st_size for name in names)
    version = file.name.split("-")[1] if file.name.count("-") >= 2 else ""
    return {"out": str(target), "files": len(names), "bytes": size, "version": version, "license": LICENSE}


def _downloaded(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"bfcl-eval=={VERSION}"], capture_output=True, text=True, check=False
    )
    found = next(folder.glob("*.whl"), None)
    if done.returncode or found is None:
        said = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        mend = "download the wheel yourself and name it with --wheel"
        raise WorkFailedError(f"pip could not download bfcl-eval {VERSION} ({said}); {mend}")
    return found


def _unpack(wheel: Path, target: Path) -> list[str]:
    """The data files of the wheel, by name in ``target``. Paths inside the archive are matched, never followed."""
    names = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                found = next((m for pattern in _TAKEN if (m := pattern.fullmatch(entry.filename))), None)
                if found is None:
                    continue
                name = found[1] if entry.filename.startswith(_INSIDE) else f"simulators/{found[1]}"
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(archive.read(entry))
                names.append(name)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read ({error})", file=wheel, mend="name bfcl-eval's wheel") from None
    if not names:
        raise InputError("holds no data of BFCL v4", file=wheel, mend="name bfcl-eval's wheel")
    return names
