"""Progress: lines when piped, a bar on a terminal, silence when asked for."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest

from lamina.runs import Progress, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_piped_progress_is_a_line_at_the_start_and_one_at_the_end_with_notes() -> None:
    out = io.StringIO()
    shown = Progress(stream=out)
    with shown.stage("synth", total=3) as bar:
        for _ in range(3):
            bar.advance(verified=2, loss=0.12345)
    first, last = out.getvalue().splitlines()
    assert first == "[0:00] synth: started, 3 to do"
    assert last == "[0:00] synth: 3/3 (verified 2, loss 0.123), done in 0:00"
    assert set(shown.stage_seconds) == {"synth"}


def test_a_long_stage_says_where_it_is_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with Progress(stream=out).stage("training", total=100) as bar:
        for _ in range(100):
            now[0] += 0.625
            bar.advance()
    lines = out.getvalue().splitlines()
    assert 11 <= len(lines) <= 14
    assert lines[1] == "[0:05] training: 8/100"
    assert lines[-1] == "[1:02] training: 100/100, done in 1:02"


def test_a_stage_that_fails_says_how_far_it_came() -> None:
    out = io.StringIO()
    with suppress(ZeroDivisionError), Progress(stream=out).stage("bench") as bar:
        bar.advance(4)
        raise ZeroDivisionError
    assert out.getvalue().splitlines()[-1] == "[0:00] bench: 4, stopped in 0:00"


def test_a_terminal_gets_a_bar_and_a_last_line_and_json_mode_plain_lines() -> None:
    bar_out, plain_out = Terminal(), Terminal()
    for out, json_mode in ((bar_out, False), (plain_out, True)):
        with Progress(json_mode, stream=out).stage("quantize", total=2) as bar:
            bar.advance(2, type="Q8_0")
    assert "\x1b[" in bar_out.getvalue()
    assert "quantize: 2/2 (type Q8_0), done in 0:00" in bar_out.getvalue()
    assert "\x1b[" not in plain_out.getvalue()


def test_silent_progress_writes_nothing() -> None:
    out = Terminal()
    with Progress(silent=True, stream=out).stage("synth", total=1) as bar:
        bar.advance()
    assert out.getvalue() == ""
    assert bar.done == 1


def test_time_is_read_as_people_write_it() -> None:
    assert [progress.clock(s) for s in (0, 65.9, 3600 + 62)] == ["0:00", "1:05", "1:01:02"]
