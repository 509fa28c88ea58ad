"""Wrong rows made from right ones are rejected at the right stage: benchmarks/verifier_mutations.py on some records
of this repository, so that a rule that breaks is seen before the results are."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import verifier_mutations as table
from verifier_mutants import MUTATIONS, NEEDS_JUDGE, OUR_CHOICE, pool_of

from lamina.data import Checker
from lamina.trajectories import Trajectory

EVERY = 3
"""Of the records."""
RULED = sorted(MUTATIONS.keys() - NEEDS_JUDGE)


@pytest.fixture(scope="module")
def right() -> list[Trajectory]:
    """BFCL's sample and the desk's; the other sets are not part of the repository."""
    rows = [table._with_blueprint(record) for _, record in table.clean_rows(Path("nowhere"))][::EVERY]
    checked = [Checker().check(row) for row in rows]
    wrongly = [f"{c.record.id}: {c.rejection.detail}" for c in checked if c.rejection]
    assert len(wrongly) <= len(rows) / 50, wrongly
    return [c.record for c in checked if c.rejection is None]


@pytest.fixture(scope="module")
def found(right: list[Trajectory]) -> dict[str, Counter[str]]:
    """By mutation: its mutants, and those that are rejected at the right stage."""
    checker, pool, scores = Checker(), pool_of(right), {}
    for name in MUTATIONS:
        mutants = list(table.mutants_of(name, right, pool, 0))
        planned = table.score(name, [], [], mutants, checker, set(), "").planned
        scores[name] = Counter(mutants=len(mutants), right=planned)
    return scores


@pytest.mark.parametrize("name", RULED)
def test_a_mutation_that_a_rule_can_tell_is_rejected(found: dict[str, Counter[str]], name: str) -> None:
    assert found[name]["right"] >= 0.95 * found[name]["mutants"]


def test_of_all_that_a_rule_can_tell_no_more_than_one_in_a_hundred_passes(found: dict[str, Counter[str]]) -> None:
    total = sum((found[name] for name in RULED), Counter[str]())
    assert total["mutants"] > 300
    assert total["right"] >= 0.99 * total["mutants"]


def test_what_is_exempted_by_our_own_choice_stands_in_a_total_of_its_own(
    right: list[Trajectory], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ("drop required", "another valid choice", "swapped values")
    monkeypatch.setattr(table, "MUTATIONS", {name: MUTATIONS[name] for name in chosen})
    table.mutants_table(right, Checker(), table.argparse.Namespace(seed=0, distilabel=None, show=""))
    lines = {line[:42].strip(): line[42:].split() for line in capsys.readouterr().out.splitlines()}
    count = {name: int(told[0]) for name, told in lines.items() if told and told[0].isdigit()}
    assert OUR_CHOICE < NEEDS_JUDGE
    assert count["all but *"] == count["drop required"] > 0
    assert count["with those of our choice"] == count["drop required"] + count["another valid choice *"]
