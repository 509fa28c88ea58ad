"""How good is the verifier? Right rows of other people's data sets and of the desk, wrong rows made from them.

    python benchmarks/verifier_mutations.py ../shared/data [--seed 0] [--distilabel VENV/bin/python] [--show NAME]

Per mutation: mutants, share rejected at the right stage, share rejected at all, and what distilabel's execution check
(the callable part of its APIGen) rejects of the same rows. Then the clean rows that are rejected, by reason. The clean
rows are the sets' own answers, chosen by nothing but being readable as a record with calls; their ``style`` is the
number of calls of the set's own answer. Mutations live in ``verifier_mutants.py``."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from verifier_judge import CLEAN, judge_table
from verifier_mutants import MUTATIONS, NEEDS_JUDGE, Row, pool_of

from lamina.checks import Rejection
from lamina.data import Checker
from lamina.data.checking import toolbox_of
from lamina.tools import read_tools
from lamina.trajectories import Message, Meta, Trajectory, read_queries, read_trajectories

HOUSE = Path(__file__).resolve().parent.parent
READ = Path(__file__).with_name("verifier_gold_read.jsonl")
"""Gold rows that some version of the verifier rejected, each labelled right or faulty by a person, with the reason."""
SETS = {
    "BFCL v4 (sample)": (HOUSE / "tests/bench/bfcl_sample", "BFCL*.json"),
    "Seal-Tools": ("seal-tools", "[dt]e*.jsonl"),
    "Glaive": ("glaive-toolcall", "glaive*.json"),
    "Hermes, ToolACE, …": ("fc-format-samples", "*.jsonl"),
}


def clean_rows(data: Path) -> Iterator[tuple[str, Trajectory]]:
    for name, (folder, pattern) in SETS.items():
        for file in sorted((data / folder).glob(pattern)):
            for record in read_trajectories(file, lambda reject: None):
                if record.calls and "_java" not in file.name:  # their answers are source text of another language
                    yield name, _styled(record)
    tools = read_tools(HOUSE / "examples/desk/tools.py")
    for file in ("queries-dev.jsonl", "queries-dev-more.jsonl"):
        for query in read_queries(HOUSE / "examples/desk" / file):
            if query.calls and query.kind != "dependent":
                messages = [
                    Message(role="user", content=query.query),
                    Message(role="assistant", tool_calls=query.calls),
                ]
                record = Trajectory(id=query.id, tools=tools.as_openai(), messages=messages, meta=Meta(now=query.now))
                yield "desk", _styled(record)


def _styled(record: Trajectory) -> Trajectory:
    """A blueprint says how many calls it has; that of a set is its own answer."""
    turns = record.turns
    first = len(turns[0]) if turns else 0
    one = "simple" if len(record.tools) == 1 else "multiple"
    style = one if first == 1 else "parallel" if first else ""
    return record.model_copy(update={"meta": record.meta.model_copy(update={"style": style})})


def distilabel(python: str | None, records: Sequence[Trajectory]) -> list[bool] | None:
    """Whether it keeps each record, or None where it is not installed."""
    if not python:
        return None
    lines = []
    for record in records:
        functions = {t.name: list(t.properties) for t in toolbox_of(record)}
        calls = [{"name": c.name, "arguments": c.arguments} for c in record.calls]
        lines.append(json.dumps({"calls": calls, "functions": functions}))
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [python, str(Path(__file__).with_name("verifier_distilabel.py"))],
            input="\n".join(lines), capture_output=True, text=True, cwd=empty, timeout=600,
        )  # fmt: skip
    if done.returncode:
        print(f"distilabel is not measured: {done.stderr.strip().splitlines()[-1:]}")
        return None
    kept: list[bool] = json.loads(done.stdout.splitlines()[-1])["keep"]
    return kept


def clean_table(rows: list[tuple[str, Trajectory]], checker: Checker, given: argparse.Namespace) -> list[Trajectory]:
    """Prints what becomes of the clean rows; those that pass are what mutants are made of."""
    kept = distilabel(given.distilabel, [record for _, record in rows])
    of_set: dict[str, Counter[str]] = defaultdict(Counter)
    passed: list[Trajectory] = []
    labels = {row["id"]: row["label"] for row in map(json.loads, READ.read_text(encoding="utf-8").splitlines())}
    read: Counter[str] = Counter()
    for number, (name, record) in enumerate(rows):
        found = checker.check(record)
        of_set[name]["rows"] += 1
        of_set[name]["distilabel"] += kept is not None and not kept[number]
        if found.rejection is None:
            passed.append(found.record)
            continue
        of_set[name][f"{found.rejection.stage}: {found.rejection.reason.value}"] += 1
        read[labels.get(Path(record.id).name, "not read")] += 1
        if given.show == "clean":
            show(name, record, found.rejection)
    print(f"\n{'clean rows of':<22}{'rows':>6}{'rejected':>10}{'share':>8}{'distilabel':>12}  reasons")
    for name, counts in [*of_set.items(), ("all", sum(of_set.values(), Counter[str]()))]:
        total, theirs = counts.pop("rows"), counts.pop("distilabel", 0)
        column = f"{theirs / total:>11.1%} " if kept is not None else f"{'-':>11} "
        said = ", ".join(f"{reason} {n}" for reason, n in counts.most_common())
        print(f"{name:<22}{total:>6}{counts.total():>10}{counts.total() / total:>8.1%}{column} {said}")
    faulty, wrongly = read["faulty"], read.total() - read["faulty"]
    print(
        f"of the rejected, read by eye ({READ.name}): {faulty} are faulty, {read['right']} right, {read['not read']} "
        f"not read; of the {len(rows) - faulty} rows without the faulty ones {wrongly} are rejected "
        f"({wrongly / (len(rows) - faulty):.2%})"
    )
    return passed


def mutants_table(right: list[Trajectory], checker: Checker, given: argparse.Namespace) -> None:
    pool = pool_of(right)
    print(f"\n{'mutation':<44}{'mutants':>8}{'right stage':>12}{'rejected':>10}{'distilabel':>12}")
    sums: Counter[str] = Counter()
    for name in sorted(MUTATIONS, key=lambda n: n in NEEDS_JUDGE):
        mutants = list(mutants_of(name, right, pool, given.seed))
        if not mutants:
            print(f"{name:<44}{0:>8}")
            continue
        kept = distilabel(given.distilabel, [m for m, _ in mutants])
        counts: Counter[str] = Counter()
        for mutant, stage in mutants:
            found = checker.check(mutant).rejection
            counts["right"] += found is not None and found.stage == stage
            counts["rejected"] += found is not None
            if given.show == name and (found is None or found.stage != stage):
                show(f"wanted {stage}", mutant, found)
        n = len(mutants)
        column = f"{kept.count(False) / n:>12.1%}" if kept is not None else f"{'-':>12}"
        apart = " *" if name in NEEDS_JUDGE else ""
        print(f"{name + apart:<44}{n:>8}{counts['right'] / n:>12.1%}{counts['rejected'] / n:>10.1%}{column}")
        if not apart:
            sums += Counter(mutants=n, right=counts["right"], rejected=counts["rejected"])
    n = sums["mutants"]
    print(f"{'all but *':<44}{n:>8}{sums['right'] / n:>12.1%}{sums['rejected'] / n:>10.1%}")
    print("* needs a judge: no rule without a model can tell")


def mutants_of(
    name: str, right: Sequence[Trajectory], pool: dict[str, list[Any]], seed: int
) -> Iterator[tuple[Trajectory, str]]:
    chance = random.Random(f"{seed} {name}")
    for record in right:
        row = Row(record.model_copy(deep=True), chance, pool)
        if stage := MUTATIONS[name](row):
            yield row.record, stage


def show(what: str, record: Trajectory, found: Rejection | None) -> None:
    calls = [[c.name, c.arguments] for c in record.calls]
    why = f"{found.stage}: {found.detail}" if found else "passes"
    print(f"--- {what} | {why}\n    {record.request[:300]!r}\n    {json.dumps(calls, ensure_ascii=False)[:300]}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--distilabel", metavar="PYTHON", help="of an environment in which distilabel is installed")
    asked.add_argument("--show", default="", help="print rows of this mutation that pass (or 'clean': that do not)")
    asked.add_argument("--judge", metavar="REF", help="a model that is asked about the kinds marked *, and clean rows")
    asked.add_argument("--judge-rows", type=int, default=50, metavar="N", help="of each of them (default 50)")
    given = asked.parse_args()
    if not given.distilabel:
        print("distilabel's column is left out: pip install distilabel into an environment of its own, --distilabel")
    rows = list(clean_rows(given.data))
    checker = Checker()
    passed = clean_table(rows, checker, given)
    mutants_table(passed, checker, given)
    if given.judge:
        pool = pool_of(passed)
        kinds = {name: (m for m, _ in mutants_of(name, passed, pool, given.seed)) for name in NEEDS_JUDGE}
        judge_table(given.judge, given.judge_rows, {**kinds, CLEAN: passed}, checker, given.seed)


if __name__ == "__main__":
    main()
