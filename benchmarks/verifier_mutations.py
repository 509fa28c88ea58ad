"""How good is the verifier? Right rows of other people's data sets and of the desk, wrong rows made from them.

    python benchmarks/verifier_mutations.py ../shared/data [--seed 0] [--distilabel VENV/bin/python] [--show NAME]

Per mutation: mutants, and the share rejected at the right stage and at all by ``lamina data check``; the same where
each record says its style (the number of calls of the set's own answer: none, one or several; else only formats that
have a style say it), and where it says its blueprint besides, as a synthesised row does (how many calls it was written
for, where the style leaves that open); the share that synthesis' own verifier (``check_alone``, of the rows that it
passes unchanged) rejects; and what distilabel's execution check (the callable part of its APIGen) rejects of the same
rows. Where a blueprint has the number of calls, the format stage is right for whatever changes the number. Then the
clean rows that are rejected, by reason. The clean rows are the sets' own answers, chosen by nothing but being readable
as a record with calls. Mutations live in ``verifier_mutants.py``."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier_judge import CLEAN, judge_table
from verifier_mutants import MUTATIONS, NEEDS_JUDGE, OF_COUNT, OUR_CHOICE, Row, pool_of

from lamina.checks import Candidate, Reason, Rejection
from lamina.data import Checker
from lamina.data.checking import toolbox_of
from lamina.synth.rules import check_alone
from lamina.tools import read_tools
from lamina.tools.execution import CallResult
from lamina.trajectories import Message, Meta, Trajectory, read_queries, read_trajectories
from lamina.trajectories.formats.reading.loose import as_value

HOUSE = Path(__file__).resolve().parent.parent
READ = Path(__file__).with_name("verifier_gold_read.jsonl")
"""Gold rows that some version of the verifier rejected, each labelled right or faulty by the author of
the checks (an AI assistant), with the reason."""
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
                    yield name, _with_style(record, _style_of(record) if "BFCL" in name else "")
    tools = read_tools(HOUSE / "examples/desk/tools.py")
    for file in ("queries-dev.jsonl", "queries-dev-more.jsonl"):
        for query in read_queries(HOUSE / "examples/desk" / file):
            if query.calls and query.kind != "dependent":
                messages = [
                    Message(role="user", content=query.query),
                    Message(role="assistant", tool_calls=query.calls),
                ]
                record = Trajectory(id=query.id, tools=tools.as_openai(), messages=messages, meta=Meta(now=query.now))
                yield "desk", _with_style(record, _style_of(record))


def _with_style(record: Trajectory, style: str) -> Trajectory:
    return record.model_copy(update={"meta": record.meta.model_copy(update={"style": style})})


def _with_blueprint(record: Trajectory) -> Trajectory:
    """As a synthesised row has it: its style, and the number of calls where the style leaves that open."""
    known = _with_style(record, _style_of(record))
    calls = len(record.turns[0]) if record.turns else 0
    more = {"expected_calls": calls} if known.meta.style == "parallel" else {}
    return known.model_copy(update={"meta": known.meta.model_copy(update=more)})


def _style_of(record: Trajectory) -> str:
    """By the set's own answer. BFCL's categories and the desk's kinds say the same; other sets say nothing."""
    turns = record.turns
    first = len(turns[0]) if turns else 0
    one = "simple" if len(record.tools) == 1 else "multiple"
    return one if first == 1 else "parallel" if first else ""


def synthesis_rejects(record: Trajectory) -> Rejection | None:
    """What ``lamina synth`` says of the same request and calls, with the recorded results for those of a run."""
    results = [[CallResult("ok", as_value(m.content), m.content) for m in record.messages if m.role == "tool"]]
    row = Candidate(
        record.request, record.turns, record.meta.style, "a data set", 0, record.meta.now or "", results,
        expected_calls=record.expected_calls,
    )  # fmt: skip
    try:
        return check_alone(row, toolbox_of(record))
    except ValueError as error:  # a broken schema: synthesis' own tools have none
        return Rejection("format", Reason.BAD_TOOL, str(error))


def distilabel(python: str | None, records: Sequence[Trajectory]) -> list[bool] | None:
    """Whether it keeps each record, or None where it is not installed."""
    if not python:
        return None
    lines = []
    for record in records:
        functions = {t.name: [(n, n in t.required) for n in t.properties] for t in toolbox_of(record)}
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
        of_set[name]["synth"] += synthesis_rejects(record) is not None
        if found.rejection is None:
            passed.append(found.record)
            continue
        of_set[name][f"{found.rejection.stage}: {found.rejection.reason.value}"] += 1
        read[labels.get(Path(record.id).name, "not read")] += 1
        if given.show == "clean":
            show(name, record, found.rejection)
    print(f"\n{'clean rows of':<22}{'rows':>6}{'rejected':>10}{'share':>8}{'synthesis':>11}{'distilabel':>12}  reasons")
    for name, counts in [*of_set.items(), ("all", sum(of_set.values(), Counter[str]()))]:
        total, theirs, synth = (counts.pop(key, 0) for key in ("rows", "distilabel", "synth"))
        column = f"{theirs / total:>11.1%} " if kept is not None else f"{'-':>11} "
        said = ", ".join(f"{reason} {n}" for reason, n in counts.most_common())
        shares = f"{counts.total() / total:>8.1%}{synth / total:>11.1%}{column}"
        print(f"{name:<22}{total:>6}{counts.total():>10}{shares} {said}")
    faulty, wrongly = read["faulty"], read.total() - read["faulty"]
    print(
        f"of the rejected, read by eye ({READ.name}): {faulty} are faulty, {read['right']} right, {read['not read']} "
        f"not read; of the {len(rows) - faulty} rows without the faulty ones {wrongly} are rejected "
        f"({wrongly / (len(rows) - faulty):.2%})"
    )
    return passed


Mutants = Sequence[tuple[Trajectory, str]]
STARRED = {f"{name} *" for name in NEEDS_JUDGE}


@dataclass
class Scores:
    """Of one mutation, or of all: how many mutants, and how many of them are rejected, by whom."""

    mutants: int = 0
    right: int = 0
    rejected: int = 0
    styled: int = 0
    planned: int = 0
    synth: int = 0
    synth_of: int = 0

    def __add__(self, other: Scores) -> Scores:
        return Scores(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def line(self, name: str, theirs: str = "") -> str:
        n = self.mutants or 1
        synth = f"{self.synth / self.synth_of:>10.1%}" if self.synth_of else f"{'-':>10}"
        right, styled, planned = (
            f"{'-':>12}" if name in STARRED else f"{share / n:>12.1%}"
            for share in (self.right, self.styled, self.planned)
        )
        shares = f"{right}{self.rejected / n:>10.1%}{styled}{planned}{synth}"
        return f"{name:<42}{self.mutants:>8}{shares} {f'of {self.synth_of}':<8}{theirs:>12}"


def mutants_table(right: list[Trajectory], checker: Checker, given: argparse.Namespace) -> None:
    pool = pool_of(right)
    styled = [_with_style(record, _style_of(record)) for record in right]
    planned = [_with_blueprint(record) for record in right]
    theirs = {record.id for record in planned if synthesis_rejects(record) is None}
    print(f"\n{'':<50}{'data check':>12}{'':>10}{'with style':>12}{'blueprint':>12}{'synthesis':>10}")
    print(
        f"{'mutation':<42}{'mutants':>8}{'right stage':>12}{'rejected':>10}{'right stage':>12}{'right stage':>12}"
        f"{'rejected':>10}{'distilabel':>21}"
    )
    total, ours = Scores(), Scores()
    for name in sorted(MUTATIONS, key=lambda n: n in NEEDS_JUDGE):
        mutants = list(mutants_of(name, right, pool, given.seed))
        with_style = list(mutants_of(name, styled, pool, given.seed))
        with_blueprint = list(mutants_of(name, planned, pool, given.seed))
        kept = distilabel(given.distilabel, [m for m, _ in mutants]) if mutants else None
        column = f"{kept.count(False) / len(mutants):.1%}" if kept is not None else "-"
        scores = score(name, mutants, with_style, with_blueprint, checker, theirs, given.show)
        starred = name in NEEDS_JUDGE
        print(scores.line(name + " *" * starred, column))
        total = total if starred else total + scores
        ours = ours + scores if name in OUR_CHOICE else ours
    print(total.line("all but *"))
    print((total + ours).line("with those of our choice"))
    print("* needs a judge: no rule without a model can tell")
    print(f"of our choice are {' and '.join(sorted(OUR_CHOICE))}; whatever stage rejects these is right")


def score(
    name: str, mutants: Mutants, with_style: Mutants, with_blueprint: Mutants, checker: Checker,
    synthesis_passes: set[str], show_of: str,
) -> Scores:  # fmt: skip
    found = Scores(mutants=len(mutants))
    for mutant, stage in mutants:
        rejection = checker.check(mutant).rejection
        found.right += _rightly(name, stage, rejection)
        found.rejected += rejection is not None
        if show_of == name and (rejection is None or rejection.stage != stage):
            show(f"wanted {stage}", mutant, rejection)
    for mutant, stage in with_style:
        rejection = checker.check(mutant).rejection
        found.styled += _rightly(name, stage, rejection)
    for mutant, stage in with_blueprint:
        rejection = checker.check(mutant).rejection
        counted = rejection is not None and rejection.reason is Reason.WRONG_CALL_COUNT and name in OF_COUNT
        found.planned += _rightly(name, stage, rejection) or counted
        if mutant.id in synthesis_passes:
            found.synth_of += 1
            found.synth += synthesis_rejects(mutant) is not None
    return found


def _rightly(name: str, stage: str, rejection: Rejection | None) -> bool:
    return rejection is not None and (rejection.stage == stage or name in OUR_CHOICE)


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
