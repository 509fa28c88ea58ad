"""Near copies are found among the requests for the same tools, and a shape of calls may be capped."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from lamina.checks import Candidate, Novelty, Reason
from lamina.checks.near import NearCopies, WordCodes
from lamina.trajectories import ToolCall

WORDS = ["remind", "me", "to", "call", "ana", "ben", "today", "at", "nine", "ten", "about", "the", "trip", "please"]


def candidate(request: str, **arguments: object) -> Candidate:
    return Candidate(request, [[ToolCall.of("remind", dict(arguments))]], "simple", "w", 0, "2026-01-01T10:00:00")


def test_a_near_copy_is_named_with_the_request_it_copies():
    novelty = Novelty()
    assert novelty.check(candidate("Remind me to call Ana tomorrow at nine about the invoice", who="Ana")) is None
    found = novelty.check(candidate("remind me to call Ben tomorrow at nine about the trip!", who="Ben"))
    assert found is not None
    assert (found.stage, found.reason) == ("novelty", Reason.NEAR_DUPLICATE)
    assert "'remind me to call ana tomorrow at nine about the invoice'" in found.detail


def test_other_words_other_tools_and_rows_near_by_intent_are_no_copies():
    novelty = Novelty()
    novelty.remember("remind me to call Ana tomorrow", calls=[ToolCall.of("remind", {})])
    assert novelty.check(candidate("could you see to it that I ring Ana tomorrow")) is None
    other = candidate("remind me to call Ana tonight")
    other.turns = [[ToolCall.of("call", {})]]
    assert novelty.check(other) is None
    assert novelty.check(candidate("remind me to call Ben tomorrow"), near=False) is None


def test_a_shape_of_calls_carries_only_so_many_rows():
    novelty = Novelty(per_call=2)
    said = ["ring ana", "what about ben at ten", "the invoice please could you", "today then"]
    verdicts = [novelty.check(candidate(said[i], who=i)) for i in range(3)]
    verdicts.append(novelty.check(candidate(said[3], who=1, at="ten")))
    assert [v and v.reason for v in verdicts] == [None, None, Reason.OVER_SHARE, None]


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), min_size=1, max_size=12))
@settings(deadline=None)
def test_what_is_found_is_as_near_as_was_asked_and_nothing_near_is_missed(requests: list[list[str]]):
    copies = NearCopies(0.7)
    for number, words in enumerate(requests):
        scores = [LCSseq.normalized_similarity(words, other) for other in requests[:number]]
        found = copies.find(" ".join(words), ["f"])
        assert (found is not None) == any(score >= 0.7 for score in scores)
        if found is not None:
            assert LCSseq.normalized_similarity(words, found.split()) == pytest.approx(max(scores))
        copies.add(" ".join(words), ["f"])


def test_in_a_large_set_what_minhash_proposes_holds_the_near_copies():
    rng = random.Random(0)
    vocabulary = [f"word{i}" for i in range(400)]
    few, many = NearCopies(0.7, many=10), NearCopies(0.7)
    texts = [[rng.choice(vocabulary) for _ in range(rng.randint(6, 14))] for _ in range(600)]
    for words in texts:
        few.add(" ".join(words), ["f"])
        many.add(" ".join(words), ["f"])
    for words in texts[::3]:
        changed = list(words)
        changed[rng.randrange(len(words))] = "other"
        said = " ".join(changed)
        assert few.find(said, ["f"]) == many.find(said, ["f"]) == " ".join(words)
    assert few.find("nothing of the kind", ["f"]) is None


def test_more_words_than_there_are_characters_share_some(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(WordCodes, "most_words", 8)
    copies = NearCopies(0.7)
    copies.add("one two three four five six seven eight", ["f"])
    copies.add("nine ten eleven twelve thirteen fourteen fifteen", ["f"])
    assert copies.find("one two three four five six seven nought", ["f"]) == "one two three four five six seven eight"
    assert copies.find("nine ten eleven twelve thirteen fourteen fifteen", ["f"]) is not None
