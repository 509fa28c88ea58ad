"""Reading and schema-checking a large JSON Lines file, beside `datasets`' own JSON reader for the same file.

usage: data_reading.py [--megabytes M] [--rounds N]

Each reader runs in a process of its own, in turn, N times; the table has the median, and the most memory a process had.
`datasets` reads into an Arrow cache in a temporary folder and checks no schema."""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write(file: Path, megabytes: float) -> int:
    """Rows of about 1 KB in the record form, of forty tools; returns how many."""
    rng, n = random.Random(0), 0
    with open(file, "w", encoding="utf-8") as out:
        while out.tell() < megabytes * 1e6:
            kind = rng.randrange(40)
            properties = {
                "city": {"type": "string", "description": "The city to look up."},
                "days": {"type": "integer", "minimum": 1, "description": "How many days ahead."},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            }
            schema = {"type": "object", "properties": properties, "required": ["city"]}
            function = {"name": f"weather_{kind}", "description": f"The weather of kind {kind}.", "parameters": schema}
            city, days = rng.choice(["Paris", "Oslo", "Rome"]), rng.randint(1, 9)
            call = {"name": f"weather_{kind}", "arguments": {"city": city, "days": days, "unit": "celsius"}}
            messages = [
                {"role": "user", "content": f"What is the weather in {city} for {days} days? " + "x" * 300},
                {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
            ]
            row = {"id": f"r{n}", "tools": [{"type": "function", "function": function}], "messages": messages,
                   "meta": {"source": "bench"}}  # fmt: skip
            out.write(json.dumps(row) + "\n")
            n += 1
    return n


def lamina_reads(file: str) -> int:
    from lamina.trajectories import read_trajectories

    return sum(1 for _ in read_trajectories(file))


def lamina_checks(file: str) -> int:
    from lamina.checks.arguments import check_arguments
    from lamina.data.checking import toolbox_of
    from lamina.trajectories import read_trajectories

    return sum(check_arguments(one, toolbox_of(one)) is None for one in read_trajectories(file))


def lamina_checks_all(file: str) -> int:
    from lamina.data import Checker, check_sources

    return sum(1 for _ in check_sources([Path(file)], Checker()))


def datasets_reads(file: str) -> int:
    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as cache:
        return len(load_dataset("json", data_files=file, split="train", cache_dir=cache))


READERS = {one.__name__: one for one in (lamina_reads, lamina_checks, lamina_checks_all, datasets_reads)}


def one_run(name: str, file: str) -> None:
    """In the child: prints rows, seconds (imports left out: an empty file is read first) and memory."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as small:
        with open(file, encoding="utf-8") as whole:
            small.write(whole.readline())
        small.flush()
        READERS[name](small.name)
    started = time.perf_counter()
    rows = READERS[name](file)
    seconds = time.perf_counter() - started
    print(json.dumps([rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        one_run(*given.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        n = write(file, given.megabytes)
        print(f"{n:,} rows, {file.stat().st_size / 1e6:.0f} MB, {given.rounds} rounds, one process a reader\n")
        found: dict[str, list[list[float]]] = {name: [] for name in READERS}
        for _ in range(given.rounds):
            for name, seen in found.items():
                command = [sys.executable, __file__, "--child", name, str(file)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                seen.append(json.loads(done.stdout.splitlines()[-1]))
        yardstick = statistics.median(run[1] for run in found["datasets_reads"])
        print("| reader | rows/s | times datasets' seconds | most memory, MB |\n|---|---|---|---|")
        for name, runs in found.items():
            assert all(run[0] == n for run in runs), name
            seconds = statistics.median(run[1] for run in runs)
            print(f"| {name} | {n / seconds:,.0f} | {seconds / yardstick:.2f} | {max(run[2] for run in runs):,.0f} |")


if __name__ == "__main__":
    main()
