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

REQUESTS, WRITTEN = 5, 24


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[JSON]:
    """A model of four million random weights is asked some requests, each read from its beginning."""
    file = save_tiny_gguf(tmp_path_factory.mktemp("clock") / "m.gguf", width=256, feed_forward=1024, layers=4)
    model = open_model(str(file), threads=1, slots=1, context=1024)
    found = []
    try:
        for number in range(REQUESTS):
            text = f"{number} " + "the cat sat on the mat " * (8 + number)
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
        assert row["prompt_tokens"] > 100
        assert 1 < row["answer_tokens"] <= WRITTEN
        assert row["engine"]["itps"] == pytest.approx(row["prompt_tokens"] / row["engine"]["ttft_seconds"])


def test_we_who_look_from_outside_never_see_a_token_before_the_engine_has_it(rows: list[JSON]):
    for row in rows:
        assert row["ttft_seconds"] >= row["engine"]["ttft_seconds"] * 0.999
        assert row["total_seconds"] >= row["engine"]["total_seconds"] * 0.999


def test_speeds_of_reading_and_writing_are_the_engines_own(rows: list[JSON]):
    """A busy machine may hold up one of the two clocks for a moment, in some requests and not in others, so that the
    nearest request counts; a clock that counts other tokens or in another unit is off in all of them."""
    for name in ("itps", "otps"):
        apart = [max(row[name] / row["engine"][name], row["engine"][name] / row[name]) for row in rows]
        assert min(apart) < 1.25, (name, apart)
    ratios = (timing_figures(rows) or {})["clock_to_engine"]
    assert set(ratios) == {"itps", "otps"}
