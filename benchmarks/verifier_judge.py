"""What a judge says of the mutants that no rule without a model can tell, and of right rows.

Part of ``verifier_mutations.py --judge REF --judge-rows N``. Asked about are rows that every rule lets pass, as in
``lamina data check``; the figures are the judge's own, whether it would be believed or not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lamina.bench.intervals import wilson
from lamina.checks.judge import Opinion
from lamina.data import Checker
from lamina.data.checking import toolbox_of
from lamina.data.model_checks import Judge, trust
from lamina.models import open_model
from lamina.trajectories import Trajectory

CLEAN = "clean rows"
"""The kind that is to pass; the others are to be rejected."""


def judge_table(
    ref: str, count: int, rows: Mapping[str, Iterable[Trajectory]], checker: Checker, seed: int = 0
) -> None:
    """Prints, for each kind of ``rows``, how many of ``count`` the judge rejects."""
    model = open_model(ref)
    try:
        judge = Judge(model, anyway=True)
        told = f"judged by {ref.rpartition('/')[2]}"
        print(f"\n{told:<44}{'rows':>8}{'rejected':>10}{'95 % interval':>18}{'unreadable':>12}")
        for name in sorted(rows, key=lambda kind: (kind == CLEAN, kind)):
            some = list(_drawn(rows[name], count, checker, f"{seed} judge {name}"))
            print(_line(name, _opinions(judge, some)), flush=True)
        print("\n".join(trust([judge])[0]))
    finally:
        model.close()


def _opinions(judge: Judge, rows: Sequence[Trajectory]) -> list[Opinion]:
    said = judge.check(rows, [toolbox_of(row) for row in rows])
    return [one.opinion for one in said if one.opinion is not None]


def _drawn(rows: Iterable[Trajectory], count: int, checker: Checker, seed: str) -> Iterator[Trajectory]:
    """``count`` of those that pass the rules, in an order of chance; fewer where there are not so many."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    for row in shuffled:
        if count > 0 and checker.check(row).rejection is None:
            count -= 1
            yield row


def _line(name: str, opinions: Sequence[Opinion]) -> str:
    rejected = wilson(sum(one.passed is False for one in opinions), len(opinions))
    if rejected is None:
        return f"{name:<44}{0:>8}"
    between = f"{rejected.low:.1%} to {rejected.high:.1%}"
    unreadable = sum(one.passed is None for one in opinions)
    return f"{name:<44}{rejected.n:>8}{rejected.value:>10.1%}{between:>18}{unreadable:>12}"
