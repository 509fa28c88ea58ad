"""Verbs of Lamina for benchmarks that are chains of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def lamina(*words: str | Path) -> Any:
    """Runs a verb, its progress on this terminal; returns what it says with --json. One that fails ends the chain."""
    command = [sys.executable, "-m", "lamina", *map(str, words), "--json"]
    print(f"$ lamina {' '.join(map(str, words))}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{Path(sys.argv[0]).stem}: lamina {words[0]} ended with {done.returncode}")
    return json.loads(done.stdout)
