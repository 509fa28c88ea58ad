"""xLAM's ablation at a small size: do checks and augmentation of the training rows make a better caller? (arXiv
2409.03215, section 5; docs/results/data-ablation.md)

usage: data_ablation.py DATA OUT [--rows N] [--seeds N] [--base REF] [--style STYLE] [--limit N] [--tasks TASK,…]

DATA is a folder that holds the sources of examples/ablation/*.toml. Three pools are made by Lamina's own verbs (raw;
checked and mended; that, augmented). For each seed N rows are taken from each pool, so that all training sets have one
size, the same base is tuned on each for one epoch, and all of them and the base answer the same samples of TASKs, whose
sources are in no pool. Every step is a verb with a run folder: the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from verbs import lamina

from lamina.bench.intervals import wilson
from lamina.bench.tasks.bfcl.data import find_data
from lamina.training.counting import token_counter
from lamina.trajectories import read_trajectories, write_trajectories

RECIPES = Path(__file__).parents[1] / "examples" / "ablation"
ARMS = ("raw", "checked", "augmented")
WAYS = "shuffle-tools,shuffle-parameters,mask-names,distract,irrelevance"
TASKS = "rows:{data}/seal-tools/test_out_domain.jsonl,bfcl:simple_python,bfcl:multiple,bfcl:irrelevance"


def pools(data: Path, out: Path) -> dict[str, Path]:
    recipes = out / "recipes"
    recipes.mkdir(parents=True, exist_ok=True)
    link = recipes / "data"
    if not link.exists():
        link.symlink_to(data.resolve(), target_is_directory=True)
    found = {arm: out / f"pool-{arm}" for arm in ARMS}
    categories = [task.partition(":")[2] for task in TASKS.split(",") if task.startswith("bfcl:")]
    bfcl = ", ".join(f'"{find_data() / f"BFCL_v4_{category}.json"}"' for category in categories)
    for arm in ("raw", "checked"):
        recipe = (RECIPES / f"{arm}.toml").read_text(encoding="utf-8")
        (recipes / f"{arm}.toml").write_text(recipe.replace("held_out = [", f"held_out = [{bfcl}, "), encoding="utf-8")
        told = lamina("data", "mix", recipes / f"{arm}.toml", "--out", found[arm])
        print(f"pool {arm}: {told['rows']} rows; {[(s['name'], s['taken'], s['left_out']) for s in told['sources']]}")
    told = lamina("data", "augment", found["checked"], "--by", WAYS, "--out", found["augmented"])
    print(f"pool augmented: {told['written']} rows; {told['by']}")
    return found


def drawn(arm: str, pool: Path, seed: int, out: Path, given: argparse.Namespace) -> Path:
    """The first ``--rows`` of the draw that the trainer reads and that are not too long, so that every arm trains on as
    many. A draw stands in the order of its sources: seeds that draw nearly all of a small pool share most rows."""
    recipe = out / "recipes" / f"{arm}-{seed}.toml"
    source = f'[[source]]\nname = "{arm}"\npath = "{pool.resolve()}"\ncheck = false\n'
    recipe.write_text(f"rows = {2 * given.rows}\nseed = {seed}\nvalidation = 0.0\ndedupe = false\n{source}", "utf-8")
    lamina("data", "mix", recipe, "--out", out / f"drawn-{arm}-{seed}")
    count = token_counter(given.base, given.style)
    fits = (
        one
        for one in read_trajectories(out / f"drawn-{arm}-{seed}")
        if (counted := count(one)) is not None and counted[0] <= given.longest
    )
    rows = list(islice(fits, given.rows))
    if len(rows) < given.rows:
        sys.exit(f"data_ablation: {arm} has only {len(rows)} rows that the trainer takes; lower --rows")
    file = out / f"rows-{arm}-{seed}.jsonl"
    write_trajectories(file, rows)
    return file


def trained(arm: str, pool: Path, seed: int, out: Path, given: argparse.Namespace) -> Path:
    """The 8-bit file of the base tuned on rows drawn from the pool."""
    rows, folder = drawn(arm, pool, seed, out, given), out / f"tuned-{arm}-{seed}"
    lamina("train", rows, "--out", folder, "--base", given.base, "--style", given.style, "--epochs", "1",
           "--seed", str(seed))  # fmt: skip
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))["train"]
    print(f"{arm} {seed}: {told['rows']} rows, {told['tokens']} tokens, loss {told['loss']:.3f}")
    lamina("quantize", folder, "--types", "Q8_0", "--out", folder / "gguf")
    (file,) = (folder / "gguf").glob("model-*.gguf")
    named = file.with_name(f"{arm}-{seed}.gguf")
    if not named.exists():
        named.hardlink_to(file)
    return named


def table(found: dict[str, Any], arms: dict[str, list[str]], tasks: list[str]) -> None:
    names = " | ".join(task.rpartition("/")[2] for task in tasks)
    print(f"\n| training rows | {names} | all |\n|---|{'---|' * (len(tasks) + 1)}")
    for arm, models in arms.items():
        cells, hits, of = [], 0, 0
        for task in tasks:
            metric = "accuracy" if task.startswith("bfcl") else "call_exact"
            rows = [r for r in found["rows"] if r["model"] in models and r["task"] == task and r["metric"] == metric]
            right, n = sum(round(r["value"] * r["n"]) for r in rows), sum(r["n"] for r in rows)
            cells.append(f"{100 * right / n:.1f}" if n else "-")
            hits, of = hits + right, of + n
        share = wilson(hits, of)
        cells.append(f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}), n={of}" if share else "-")
        print(f"| {arm} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--style", default="compact")
    parser.add_argument("--longest", type=int, default=768, help="tokens of a training row")
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--tasks", default=TASKS)
    given = parser.parse_args()
    found = pools(given.data, given.out)
    files = {
        f"{arm}-{seed}": trained(arm, found[arm], seed, given.out, given) for seed in range(given.seeds) for arm in ARMS
    }
    tasks = given.tasks.format(data=(given.out / "recipes" / "data").resolve())
    benched = lamina("bench", given.base, *files.values(), "--tasks", tasks, "--style", given.style, "--limit",
                     str(given.limit), "--out", given.out / "bench")  # fmt: skip
    arms = {"none (the base)": [given.base]} | {arm: [n for n in files if n.startswith(arm)] for arm in ARMS}
    table(benched, arms, tasks.split(","))
    for pair in benched["paired"]:
        print(json.dumps(pair))


if __name__ == "__main__":
    main()
