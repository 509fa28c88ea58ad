"""The environment that a user's code gets: an allow-list, so that no key of the developer's leaks into it."""

from __future__ import annotations

import os
from pathlib import Path

ALLOWED = ("PATH", "LANG", "LANGUAGE", "TZ", "TZDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


def allowed_environment(scratch: Path) -> dict[str, str]:
    """``PATH``, language and time zone, the way to import Lamina, and a home and temporary folder in
    ``scratch``. String hashing is fixed, so that a set prints alike in every run."""
    kept = {k: v for k, v in os.environ.items() if k in ALLOWED or k.startswith("LC_")}
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }
