"""Intervals agree with figures published for them, and stay honest at the edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.bench import paired_difference, ratio_of_sums, wilson
from lamina.bench.intervals import mcnemar


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_bounds(right: int, n: int, low: float, high: float) -> None:
    found = wilson(right, n)
    assert found is not None
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_no_samples_have_no_rate() -> None:
    assert wilson(0, 0) is None
    assert paired_difference([], []) is None
    assert ratio_of_sums([], []) is None


def test_a_perfect_score_is_not_certain() -> None:
    found = wilson(20, 20)
    assert found is not None
    assert found.high == 1.0
    assert found.low < 0.85


def test_paired_difference_gives_the_published_bounds() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 2635-2650, table III, method 10, the first example."""
    one = [True] * 36 + [True] * 12 + [False] * 2
    two = [True] * 36 + [False] * 12 + [True] * 2
    found = paired_difference(two, one)
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0569, abs=5e-5)
    assert found.high == pytest.approx(0.3404, abs=5e-5)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_a_paired_difference_lies_in_its_interval_and_turns_round(pairs: list[tuple[bool, bool]]) -> None:
    one, two = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = paired_difference(one, two), paired_difference(two, one)
    assert there is not None
    assert back is not None
    assert -1 <= there.low <= there.value <= there.high <= 1
    assert there.low == pytest.approx(-back.high)


def test_pairs_narrow_the_interval() -> None:
    same = [True] * 90 + [False] * 10
    crossed = [False] * 10 + [True] * 90
    together, apart = paired_difference(same, same), paired_difference(same, crossed)
    assert together is not None
    assert apart is not None
    assert together.high - together.low < apart.high - apart.low


def test_argument_accuracy_is_the_ratio_of_sums_and_repeats_with_its_seed() -> None:
    found = ratio_of_sums([1, 3, 0, 2], [2, 3, 1, 2], seed=5)
    assert found == ratio_of_sums([1, 3, 0, 2], [2, 3, 1, 2], seed=5)
    assert found is not None
    assert found.value == pytest.approx(6 / 8)
    assert found.low < found.value <= found.high


def test_all_arguments_right_still_has_an_interval() -> None:
    found = ratio_of_sums([2] * 10, [2] * 10)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low < 0.8


@pytest.mark.parametrize(
    ("lost", "gained", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (10, 2, 0.0386), (600, 700, 0.0060)]
)
def test_the_exact_test_of_pairs_gives_the_binomials_tail(lost: int, gained: int, p: float):
    assert mcnemar(lost, gained) == pytest.approx(p, abs=1e-4)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)
