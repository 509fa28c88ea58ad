"""The split: groups stay whole, and every style trains on most of its rows."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.synth import splitting
from lamina.synth.splitting import SHARES, Seen, _sides

STYLES = ("simple", "parallel", "near-miss", "irrelevant")
GROUPS = st.lists(
    st.tuples(st.sampled_from(STYLES), st.integers(1, 9), st.booleans()), min_size=1, max_size=60
)  # fmt: skip


def grouped(shapes: list[tuple[str, int, bool]]) -> dict[int, list[Seen]]:
    def row(label: int, style: str, n: int, example: bool) -> Seen:
        return Seen(f"{label}-{n}", "examples" if example else "embedded", style, ("?",), "?", "")

    return {
        label: [row(label, style, n, example) for n in range(size)]
        for label, (style, size, example) in enumerate(shapes)
    }


@settings(deadline=None)
@given(GROUPS, st.integers(0, 5))
def test_each_style_gives_no_more_than_its_shares(shapes, seed):
    groups = grouped(shapes)
    sides = _sides(groups, seed)
    total, given_up = Counter(), Counter()
    for label, (style, size, example) in enumerate(shapes):
        assert not (example and sides[label] != "train"), "what the user wrote trains"
        if not example:
            total[style] += size
            given_up[style, sides[label]] += size
    for style in total:
        for side, share in SHARES.items():
            assert given_up[style, side] <= round(share * total[style])


def test_a_style_of_few_frames_still_trains_and_is_still_tested():
    groups = grouped([("simple", 2, False)] * 100 + [("near-miss", 3, False)] * 14)
    sides = Counter(sides for label, sides in _sides(groups, 0).items() if label >= 100)
    assert sides["train"] >= 9
    assert sides["test"] >= 1


def test_near_copies_of_the_same_tools_are_one_group_whatever_block_they_stand_in(monkeypatch):
    monkeypatch.setattr(splitting, "BLOCK", 2)
    frames = [
        "weigh the {what} now",
        "sing {song}",
        "please weigh the {what} now",
        "weigh the {what} now",
        "SING {song}",
    ]
    labels = splitting._clusters(frames, ["weigh", "sing", "weigh", "weigh", "sing"])
    assert labels == [0, 1, 0, 0, 1]


def test_the_same_words_for_other_tools_are_another_group():
    assert splitting._clusters(["do it now please", "do it now please"], ["open", "close"]) == [0, 1]
