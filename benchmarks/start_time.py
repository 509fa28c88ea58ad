"""Seconds until ``import lamina`` and ``lamina --help`` are done, in a process of their own, the best of ten.

    python benchmarks/start_time.py

The goal is 0.3 s on a quiet machine. No test measures it, for a clock fails on a busy one:
tests/house/test_light_start.py counts modules instead."""

from __future__ import annotations

import subprocess
import sys
import time

GOAL, TIMES = 0.3, 10
STARTS = {
    "a bare interpreter": ["-c", ""],
    "import lamina": ["-c", "import lamina"],
    "lamina --help": ["-m", "lamina", "--help"],
}


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    for name, arguments in STARTS.items():
        best = min(seconds(arguments) for _ in range(TIMES))
        print(f"{name:<18}  {best:.2f} s{'' if best <= GOAL else '  (the goal is 0.3)'}")


if __name__ == "__main__":
    main()
