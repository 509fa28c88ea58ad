"""What other people's implementations say of some cases (kept by ``benchmarks/metric_proofs.py``, which asks them about
a thousand of each), and that Lamina says the same."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from metric_cases import CASES, cases
from metric_ours import OURS

ROWS = [json.loads(line) for line in (Path(__file__).parent / "metric_references.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("proof", CASES)
def test_lamina_says_what_the_reference_implementation_says(proof: str):
    if proof == "consistency" and importlib.util.find_spec("wordllama") is None:
        pytest.skip("pip install 'lamina[bench]' brings the word vectors")
    mine = [row for row in ROWS if row["proof"] == proof]
    assert mine, "benchmarks/metric_proofs.py --golden keeps some of each"
    for row in mine:
        ours = OURS[proof](row["case"])
        for name, theirs in row["figures"].items():
            assert ours[name] == pytest.approx(theirs, abs=1e-5), (name, row["case"])


def test_the_cases_are_drawn_by_the_seed_and_differ_from_each_other():
    for proof in CASES:
        first = list(cases(proof, 5, seed=0))
        assert first == list(cases(proof, 5, seed=0))
        assert first != list(cases(proof, 5, seed=1))
        assert len({json.dumps(case) for case in first}) > 1


def test_every_set_that_the_bias_scores_are_proven_on_has_both_of_them():
    for case in cases("bias", 100, seed=0):
        assert {"bias_ambiguous", "bias_disambiguated"} <= set(OURS["bias"](case))
