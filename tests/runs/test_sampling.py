"""A sample of a stream is drawn evenly, in one pass."""

from __future__ import annotations

from collections import Counter

from lamina.runs.sampling import Reservoir


def test_every_record_has_the_same_chance_to_be_drawn():
    times = Counter[int]()
    for seed in range(2000):
        sample = Reservoir[int](5, seed)
        out = [gone for n in range(20) if (gone := sample.offer(n)) is not None]
        assert sorted([*out, *sample.drawn]) == list(range(20))
        times.update(sample.drawn)
    assert all(420 < times[n] < 580 for n in range(20)), times


def test_fewer_records_than_are_wanted_are_all_drawn():
    sample = Reservoir[str](5, 0)
    assert [sample.offer(one) for one in "abc"] == [None] * 3
    assert sample.drawn == ["a", "b", "c"]


def test_a_sample_can_be_read_in_the_order_of_the_stream():
    sample = Reservoir[int](40, 0)
    for n in range(1000):
        sample.offer(n)
    assert sample.seen == 1000
    assert sample.in_order() == sorted(sample.drawn)
    assert sample.in_order() != sample.drawn
