"""How rows that were left out are told."""

from __future__ import annotations

from lamina.training.refusing import refusals_in_words


def test_reasons_are_counted_the_most_frequent_first_and_lengths_are_one_reason():
    long = [{"id": str(n), "reason": f"{n} tokens, longer than max_length 9; raise max_length"} for n in (10, 11)]
    assert refusals_in_words(long) == "2 (longer than max_length 9; raise max_length)"
    others = [{"id": name, "reason": f"calls {name}"} for name in "abc"]
    told = refusals_in_words([*others, *long])
    assert told == "5 (longer than max_length 9; raise max_length: 2; calls a: 1; calls b: 1; …)"
