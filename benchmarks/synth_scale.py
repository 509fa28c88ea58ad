"""Synthesis with a scripted writer: does memory stay flat, and time in proportion, with ten times the rows?

usage: synth_scale.py [TOOLS] [ROWS …]        (examples/library, 300 and 3000 rows; docs/results/library.md)
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRITER = """
import random
import re

# Requests as different as people's, without which near copies and not the size would be measured.
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def reply(messages, tools, seed):
    lines = messages[-1]["content"].rstrip("\\n").split("\\n")
    if missing := re.search(r"Missing: ([^(]*)", lines[-1]):
        return f"What is the {missing[1].strip()} you want?"
    about = [line for line in lines if line and not line.startswith("[")][-1]
    said = re.findall(r": (.+?)(?=; | / |\\]|$)", lines[-1])
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=3)) for _ in range(min(20, 3 * len(about.split())))]
    return f" {about.rstrip('.')} {' and '.join(s.strip() for s in said)} {' '.join(words)}"
"""


def main() -> None:
    tools = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples" / "library"
    sizes = [int(a) for a in sys.argv[2:]] or [300, 3000]
    print("rows wanted  verified  seconds  rows/s  peak memory, MB (largest process)")
    for rows in sizes:
        if (
            child := subprocess.run([sys.executable, __file__, "--child", str(tools), str(rows)], check=False)
        ).returncode:
            sys.exit(child.returncode)


def child(tools: str, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = Path(folder, "writer.py")
        writer.write_text(WRITER)
        started = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "lamina", "synth", tools, "--out", f"{folder}/run", "--rows", str(rows),
             "--writer", f"scripted:{writer}", "--json"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        seconds = time.monotonic() - started
    verified = json.loads(ran.stdout)["verified"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{rows:11}  {verified:8}  {seconds:7.1f}  {verified / seconds:6.1f}  {peak:.0f}", flush=True)


if __name__ == "__main__":
    child(sys.argv[2], int(sys.argv[3])) if sys.argv[1:2] == ["--child"] else main()
