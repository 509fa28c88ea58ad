"""Our own clock beside the engine's, for the same requests. ``benchmarks/bench_clock.py`` shows how near they are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamina.bench.speed import ask_alone, timed_row
from lamina.bench.timing import timing_figures
from lamina.models import Request, open_model
from lamina.tools.tool import JSON
from lamina.trajectories import Message

pytest.importorskip("xllamacpp")
sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_gguf import save_tiny_gguf

REQUESTS, WRITTEN = 7, 64
APART = 0.05
"""The two clocks' speeds, as a share: what ``lamina bench`` promises."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[JSON]:
    """A model of four million random weights is asked some requests, each read from its beginning. They are long enough
    that what a busy machine takes to hand an event over is little beside them."""
    file = save_tiny_gguf(tmp_path_factory.mktemp("clock") / "m.gguf", width=256, feed_forward=1024, layers=4)
    model = open_model(str(file), threads=1, slots=1, context=2048)
    found = []
    try:
        for number in range(REQUESTS):
            text = f"{number} " + "the cat sat on the mat " * (40 + number)
            request = Request([Message(role="user", content=text)], max_tokens=WRITTEN)
            row = timed_row(ask_alone(model, request, cached=False), request)
            found.append(row | {"task": "clock", "sample": str(number), "round": 1})
    finally:
        model.close()
    return found


def test_both_clocks_time_the_same_tokens(rows: list[JSON]):
    for row in rows:
        assert row["problem"] is None
        assert row["cached_tokens"] == 0
        assert row["prompt_tokens"] > 800
        assert 1 < row["answer_tokens"] <= WRITTEN
        engine = row["engine"]
        assert engine["itps"] * engine["ttft_seconds"] == pytest.approx(row["prompt_tokens"])
        writing = engine["total_seconds"] - engine["ttft_seconds"]
        assert engine["otps"] * writing == pytest.approx(row["answer_tokens"] - 1)


def test_we_who_look_from_outside_never_see_a_token_before_the_engine_has_it(rows: list[JSON]):
    for row in rows:
        assert row["ttft_seconds"] >= row["engine"]["ttft_seconds"] * 0.999
        assert row["total_seconds"] >= row["engine"]["total_seconds"] * 0.999


def test_speeds_of_reading_and_writing_are_the_engines_own_within_five_per_cent(rows: list[JSON]):
    """Both clocks see a busy machine's slowness. What only one of them sees (a thread that waits for its turn) is there
    in some requests, so that the median is within five per cent also then; a clock that counts other tokens, starts
    at another moment or is in another unit is off in all of them."""
    ratios = (timing_figures(rows) or {})["clock_to_engine"]
    apart = {name: [round(row[name] / row["engine"][name], 3) for row in rows] for name in ("itps", "otps")}
    assert ratios == pytest.approx({"itps": 1, "otps": 1}, abs=APART), apart
