"""Figures of timed requests: known values in, the textbook's figures out."""

from __future__ import annotations

import math

import pytest

from lamina.bench.intervals import student_975
from lamina.bench.measuring import turns
from lamina.bench.speed import ask_alone, timed_row
from lamina.bench.timing import EDGES, figures, percentile, timing_figures
from lamina.models import Reply, Request
from lamina.trajectories import Message


def timed(sample: str, round: int, otps: float | None, prompt_tokens: int = 100, **more: object) -> dict:
    row = {"task": "t", "sample": sample, "round": round, "prompt_tokens": prompt_tokens, "problem": None}
    return {**row, "ttft_seconds": 0.5, "itps": 200.0, "otps": otps, "total_seconds": 1.0, "engine": None, **more}


def values(**samples: list[float]) -> list[tuple[str, int, float]]:
    """The rounds of each sample."""
    return [(sample, number, value) for sample, found in samples.items() for number, value in enumerate(found, 1)]


def test_the_interval_is_over_samples_where_they_vary_more_and_rounds_of_one_are_its_noise():
    found = figures(values(a=[9.0, 11.0], b=[21.0, 19.0], c=[30.0, 30.0]))
    assert found is not None
    assert (found["n"], found["rounds"], found["values"], found["mean"], found["over"]) == (3, 2, 6, 20.0, "samples")
    half = 4.303 * 10 / math.sqrt(3)  # three means, ten apart
    assert (found["low"], found["high"]) == (pytest.approx(20 - half), pytest.approx(20 + half))
    assert found["noise"] == pytest.approx(math.sqrt(4 / 3))
    assert found["median"] == 20.0


def test_rounds_that_found_the_machine_in_other_states_make_the_interval_as_wide_as_they_lie_apart():
    found = figures(values(a=[80.0, 10.0], b=[81.0, 9.0], c=[79.0, 11.0]))
    assert found is not None
    assert found["over"] == "rounds", "the samples' means agree, and it would be no use"
    assert found["high"] - found["low"] == pytest.approx(2 * 12.706 * 35, rel=1e-3)


def test_one_value_has_a_mean_and_no_interval_and_nothing_has_no_figure():
    found = figures(values(a=[3.0]))
    assert found is not None
    assert (found["mean"], found["sd"], found["low"], found["over"], found["noise"]) == (3.0, None, None, None, None)
    assert figures([]) is None
    assert timing_figures([]) is None


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (30, 2.042), (31, 2.0395), (60, 2.0003), (120, 1.9799)])
def test_students_quantiles_are_the_tables(freedom: int, quantile: float):
    assert student_975(freedom) == pytest.approx(quantile, abs=5e-4)


def test_a_percentile_lies_between_its_neighbours_in_proportion():
    assert percentile([4, 1, 3, 2, 5], 0.95) == pytest.approx(4.8)
    assert percentile([7.0], 0.95) == 7.0


def test_prompts_fall_into_the_bucket_of_their_length_and_failures_are_counted():
    rows = [timed("a", 1, 10.0, EDGES[0]), timed("b", 1, 20.0, EDGES[0] + 1), timed("c", 1, None, 9000)]
    rows.append(timed("d", 1, None, 0, problem="the engine refused the request"))
    found = timing_figures(rows)
    assert found is not None
    assert (found["requests"], found["failed"]) == (3, 1)
    assert [(b["from"], b["to"], b["samples"]) for b in found["buckets"]] == [
        (1, 64, 1), (65, 128, 1), (8193, None, 1),
    ]  # fmt: skip
    assert found["all"]["otps"]["n"] == 2, "what was not measured is left out, not 0"
    assert found["buckets"][2]["otps"] is None


def test_our_clock_is_put_beside_the_engines():
    engine = {"ttft_seconds": 0.49, "itps": 204.0, "otps": 10.0, "total_seconds": 0.99}
    found = timing_figures([timed("a", 1, 9.8, engine=engine)])
    assert found is not None
    assert found["clock_to_engine"] == {"itps": pytest.approx(200 / 204), "otps": pytest.approx(0.98)}
    assert found["engine"]["otps"]["mean"] == 10.0


def test_tokens_after_the_first_make_the_speed_of_writing_and_cached_ones_none_of_reading():
    timings = {"prompt_n": 40, "prompt_ms": 400.0, "predicted_n": 11, "predicted_ms": 500.0}
    reply = Reply("x", prompt_tokens=100, completion_tokens=11, seconds=1.0, first_token_seconds=0.5, timings=timings)
    row = timed_row(reply, Request([]))
    assert (row["cached_tokens"], row["itps"], row["otps"]) == (60, 80.0, 20.0)
    assert row["engine"] == {"ttft_seconds": 0.4, "itps": 100.0, "otps": 20.0, "total_seconds": 0.9}


def test_where_one_token_is_written_there_is_no_speed_of_writing():
    reply = Reply("B", prompt_tokens=10, completion_tokens=1, seconds=0.6, first_token_seconds=0.5)
    row = timed_row(reply, Request([]))
    assert row["otps"] is None
    assert row["why"] == "one token was written"
    assert row["engine"] is None


def test_tokens_that_nobody_counted_are_no_speed_of_writing():
    row = timed_row(Reply("B", seconds=0.6, first_token_seconds=0.5), Request([]))
    assert (row["otps"], row["itps"]) == (None, None)
    assert row["why"] == "the backend does not say how many tokens it wrote"


def test_an_answer_held_to_a_letter_is_timed_freely():
    asked: list[Request] = []

    class Streams:
        ref = "streams"

        def timed(self, request: Request, *, cached: bool) -> Reply:
            asked.append(request)
            return Reply("A because")

    letter = Request([Message(role="user", content="A or B?")], grammar='start: "A" | "B"')
    ask_alone(Streams(), letter, cached=False)  # type: ignore[arg-type]
    assert (asked[0].grammar, asked[0].constrained, asked[0].max_tokens) == (None, False, 32)
    assert timed_row(Reply(""), letter)["free"]


def test_each_round_has_every_model_once_and_over_the_rounds_each_model_has_every_place():
    plan = turns(["a", "b", "c"], 6, seed=0)
    orders = [[name for n, name in plan if n == number] for number in range(1, 7)]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    for block in (orders[:3], orders[3:]):
        assert all(sorted(places) == ["a", "b", "c"] for places in zip(*block, strict=True))
    assert plan == turns(["a", "b", "c"], 6, seed=0)
    assert plan != turns(["a", "b", "c"], 6, seed=1)
    assert turns([], 3, seed=0) == []
