"""Act, ReAct, PRAct with each RPO, one whole text, and GEPA, over environments and seeds: one table.

usage: learning_methods.py --model REF --out DIR [--env NAME…] [--method NAME…] [--seeds N] [-- MORE OPTIONS OF LEARN]

Runs every recipe of examples/learning in every environment with every seed (another draw of the test tasks), each
into a folder of its own; started again it goes on. Nothing is learnt from a test task. Means over the test tasks of all
seeds, Wilson's interval for a mean within bounds; the difference is task by task.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from lamina.bench.intervals import bounded_interval

RECIPES = Path(__file__).parents[1] / "examples" / "learning"
METHODS = (
    "act", "react", "rpo-traj-reward", "rpo-traj-self", "rpo-batch-reward", "rpo-batch-self", "whole", "gepa",
)  # fmt: skip
ENVIRONMENTS = (
    "tool-query", "tool-operation", "shop", "service-desk", "bfcl-multi-turn", "text-game:textworld",
    "text-game:alfworld",
)  # fmt: skip


def learnt(method: str, env: str, seed: int, asked: argparse.Namespace) -> dict[str, object] | None:
    """The result of one learning, with the plain rewards; None, and said, where it fails."""
    out = asked.out / env.replace(":", "-") / f"{method}-{seed}"
    command = ["learn", "--config", str(RECIPES / f"{method}.toml"), "--env", env, "--model", asked.model]
    command += ["--seed", str(seed), "--out", str(out), *asked.more]
    print(f"# lamina {' '.join(command)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "lamina", *command], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        return None
    return json.loads((out / "report.json").read_text(encoding="utf-8"))["learning"]


def span(rewards: list[float], least: float = 0.0) -> str:
    found = bounded_interval(rewards, least)
    if found is None:
        return "none"
    row = asdict(found)
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--env", nargs="+", default=ENVIRONMENTS)
    parser.add_argument("--method", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    own = sys.argv[1:]
    split = own.index("--") if "--" in own else len(own)
    asked = parser.parse_args(own[:split])
    asked.more = own[split + 1 :]
    print("| environment | method | tests | before | after | difference | calls | tokens |\n" + "|---" * 8 + "|")
    for env in asked.env:
        for method in asked.method:
            results = [r for seed in range(asked.seeds) if (r := learnt(method, env, seed, asked)) is not None]
            if not results:
                print(f"| {env} | {method} | 0 | failed | | | | |", flush=True)
                continue
            first = [x for r in results for x in r["first"]]
            last = [x for r in results for x in r["last"]]
            gained = [after - before for before, after in zip(first, last, strict=True)]
            calls = sum(r["total"]["calls"] for r in results)
            tokens = sum(r["total"]["prompt_tokens"] + r["total"]["completion_tokens"] for r in results)
            print(
                f"| {env} | {method} | {len(last)} | {span(first)} | {span(last)} | {span(gained, -1.0)} "
                f"| {calls} | {tokens} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
