"""Intervals agree with figures published for them, and stay honest at the edges."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.bench import paired_difference, ratio_of_sums, wilson
from lamina.bench.intervals import mcnemar, mean_interval
from lamina.bench.score_intervals import difference_of, mean_of_differences, mean_of_scores, mean_of_shares


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


@pytest.mark.parametrize(("n", "least"), [(1, 1.0), (3, 0.7), (5, 0.5)])
def test_a_handful_of_scores_that_agree_is_no_certain_difference(n: int, least: float):
    """A bootstrap over them is a point: "1.0 points above, interval -1.0 to -1.0, 1 samples"."""
    found = difference_of([0.25] * n, [0.26] * n)
    assert found is not None
    assert found.value == pytest.approx(0.01)
    assert found.low <= -least
    assert found.high >= least
    assert found.low >= -1
    assert found.high <= 1


def test_a_few_scores_that_differ_have_the_interval_of_few():
    found = difference_of([0.25, 0.5, 0.75], [0.2, 0.55, 0.75])
    assert found is not None
    assert found.low < -0.5
    assert found.high > 0.5


def test_of_many_scores_that_differ_the_interval_is_that_of_a_bootstrap():
    chance = random.Random(0)
    before = [chance.random() for _ in range(3000)]
    after = [b if chance.random() < 0.6 else chance.random() for b in before]
    found, drawn = difference_of(before, after), mean_interval([b - a for a, b in zip(before, after, strict=True)])
    assert found is not None
    assert drawn is not None
    assert found.value == pytest.approx(drawn.value)
    assert found.high - found.low == pytest.approx(drawn.high - drawn.low, rel=0.06)
    assert found.high == pytest.approx(drawn.high, abs=0.001)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_a_difference_of_scores_lies_in_its_interval_and_turns_round(pairs: list[tuple[float, float]]):
    there, back = (difference_of([p[a] for p in pairs], [p[1 - a] for p in pairs]) for a in (0, 1))
    assert there is not None
    assert back is not None
    assert -1 <= there.low <= there.value <= there.high <= 1
    assert there.low == pytest.approx(-back.high)


def test_few_scores_of_which_one_rarely_falls_to_nothing_do_not_hide_that_it_may():
    """Of 100 samples of which 3 in 100 lose everything, none or one has: the loss of 3 points stays possible."""
    for lost in (0, 1):
        found = difference_of([0.9] * 100, [0.0] * lost + [0.9] * (100 - lost))
        assert found is not None
        assert found.low < -0.03


def test_scores_that_hardly_move_are_sooner_told_than_those_that_turn_over():
    """Of a hundred that all move a little, a rare one that falls to nothing stays possible, and no more."""
    chance = random.Random(0)
    before = [chance.uniform(0.2, 0.4) for _ in range(100)]
    calm = difference_of(before, [b + chance.gauss(0, 0.02) for b in before])
    wild = difference_of(before, [b if chance.random() < 0.9 else chance.choice((0.0, 0.9)) for b in before])
    assert calm is not None
    assert wild is not None
    assert calm.high - calm.low < 0.06
    assert wild.high - wild.low > 0.07


def test_the_interval_of_a_difference_covers_the_true_one_in_95_of_100_draws():
    """A tenth of the samples lose half, a fiftieth wins it; and all move a little while a hundredth loses everything,
    where Student's interval has the true mean in some 60 of 100."""
    chance = random.Random(1)
    for draw, mean in (
        (lambda: chance.choices((-0.5, 0.5, 0.0), (0.1, 0.02, 0.88))[0], -0.04),
        (lambda: -0.9 if chance.random() < 0.01 else chance.gauss(0, 0.03), -0.009),
    ):
        held = 0
        for _ in range(400):
            found = mean_of_differences([draw() for _ in range(100)])
            assert found is not None
            held += found.low <= mean <= found.high
        assert held >= 374


def test_a_few_scores_without_a_span_that_agree_are_no_certainty():
    for value in (3.0, -3.0):
        found = mean_of_scores([value] * 3)
        assert found is not None
        assert found.value == value
        assert found.low < value - 1 < value + 1 < found.high
    many = mean_of_scores([3.0] * 300)
    assert many is not None
    assert 0 < many.high - 3 < 0.1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_mean_of_shares_lies_in_its_interval_within_the_possible(values: list[float]):
    found = mean_of_shares(values)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.05, "forty that agree are not certain"


def test_one_score_says_nothing_and_of_many_the_interval_is_that_of_a_bootstrap():
    one = mean_of_shares([0.016])
    assert one is not None
    assert (one.low, one.high) == (0.0, 1.0)
    chance = random.Random(2)
    values = [max(0.0, min(1.0, chance.gauss(0.3, 0.2))) for _ in range(2000)]
    found, drawn = mean_of_shares(values), mean_interval(values)
    assert found is not None
    assert drawn is not None
    assert found.low == pytest.approx(drawn.low, abs=0.001)
    assert found.high == pytest.approx(drawn.high, abs=0.001)


def test_many_zeros_and_ones_have_wilsons_interval():
    found, rate = mean_of_shares([0.0] * 1900 + [1.0] * 100), wilson(100, 2000)
    assert found is not None
    assert rate is not None
    assert found.low == pytest.approx(rate.low, abs=1e-4)
    assert found.high == pytest.approx(rate.high, abs=1e-4)


@pytest.mark.parametrize(("alpha", "beta"), [(8, 2), (20, 2), (2, 8)])
def test_the_mean_of_scores_that_are_high_lies_within_as_often_as_that_of_low_ones(alpha: int, beta: int):
    """Ends like Wilson's of the scores themselves held a mean of 0.8 in 82 of 100 draws of twenty, and missed it on one
    side alone: near the largest score the variance that they assume is none."""
    chance = random.Random(3)
    mean, held, turned = alpha / (alpha + beta), 0, 0
    for _ in range(300):
        values = [chance.betavariate(alpha, beta) for _ in range(50)]
        found, lost = mean_of_shares(values), mean_of_differences([-value for value in values])
        assert found is not None
        assert lost is not None
        held += found.low <= mean <= found.high
        turned += lost.low <= -mean <= lost.high
    assert held >= 280
    assert turned >= 280


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_mean_of_shares_turns_round(values: list[float]):
    there, back = mean_of_shares(values), mean_of_shares([1 - value for value in values])
    assert there is not None
    assert back is not None
    assert there.low == pytest.approx(1 - back.high, abs=1e-9)
    assert there.high == pytest.approx(1 - back.low, abs=1e-9)
