"""What people say about days and times, resolved at a Wednesday: 2026-03-04, 10:30."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.trajectories.clock import resolve, same_moment

NOW = "2026-03-04T10:30:00"

DAYS = {
    "today": "2026-03-04",
    "tomorrow": "2026-03-05",
    "Tomorrow!": "2026-03-05",
    "tommorow": "2026-03-05",
    "day after tomorrow": "2026-03-06",
    "yesterday": "2026-03-03",
    "friday": "2026-03-06",
    "this friday": "2026-03-06",
    "next friday": "2026-03-13",
    "friday next week": "2026-03-13",
    "wednesday": "2026-03-11",
    "this wednesday": "2026-03-04",
    "Sunday": "2026-03-08",
    "friday the 13th": "2026-03-13",
    "in 3 days": "2026-03-07",
    "in three days": "2026-03-07",
    "in two weeks": "2026-03-18",
    "two weeks from now": "2026-03-18",
    "a week from today": "2026-03-11",
    "in a month": "2026-04-04",
    "5 days ago": "2026-02-27",
    "2026-03-05": "2026-03-05",
    "2026/3/5": "2026-03-05",
    "19/3/2026": "2026-03-19",
    "March 9": "2026-03-09",
    "the ninth of march": "2026-03-09",
    "9 mar": "2026-03-09",
    "march 1": "2027-03-01",
    "Feb. 29th": "2028-02-29",
    "december 25, 2026": "2026-12-25",
    "the 12th": "2026-03-12",
    "the 3rd": "2026-04-03",
    "the twenty-first": "2026-03-21",
    "christmas": "2026-12-25",
    "valentine's day": "2027-02-14",
}

MOMENTS = {
    "tomorrow at nine": "2026-03-05T09:00",
    "nine tomorrow": "2026-03-05T09:00",
    "tomorrow at 9 a.m.": "2026-03-05T09:00",
    "9am tomorrow": "2026-03-05T09:00",
    "tomorrow nine thirty": "2026-03-05T09:30",
    "tomorrow at twenty past ten": "2026-03-05T10:20",
    "friday 3pm": "2026-03-06T15:00",
    "next friday 3pm": "2026-03-13T15:00",
    "fri at three": "2026-03-06T15:00",
    "half past three": "2026-03-04T15:30",
    "quarter to one": "2026-03-04T12:45",
    "noon": "2026-03-04T12:00",
    "tomorrow noon": "2026-03-05T12:00",
    "midnight": "2026-03-05T00:00",
    "at nine": "2026-03-04T21:00",
    "9 o'clock": "2026-03-04T21:00",
    "09:00": "2026-03-05T09:00",
    "17:30": "2026-03-04T17:30",
    "5:30 pm": "2026-03-04T17:30",
    "tonight": "2026-03-04T20:00",
    "tonight at 8": "2026-03-04T20:00",
    "tomorrow morning": "2026-03-05T09:00",
    "tomorrow morning at 8": "2026-03-05T08:00",
    "tomorrow evening at 8": "2026-03-05T20:00",
    "the 12th at quarter past four": "2026-03-12T16:15",
    "in 20 minutes": "2026-03-04T10:50",
    "in half an hour": "2026-03-04T11:00",
    "in an hour and a half": "2026-03-04T12:00",
    "2 hours ago": "2026-03-04T08:30",
    "now": "2026-03-04T10:30",
    "2026-03-05T09:00": "2026-03-05T09:00",
    "2026-03-05 09:00": "2026-03-05T09:00",
    "Sept. 3rd, 2026 9:15pm": "2026-09-03T21:15",
    "may 5 at 7": "2026-05-05T07:00",
}

NEITHER = [
    *("milk", "buy milk tomorrow", "call Ana friday", "at home", "room 12", "Mary 3", "decide 5", "", "  "),
    *("may", "march", "second", "first", "sun", "sat", "wed", "morning", "next", "the"),
    *("9", "nine", "12", "1.5", "2026", "10 30", "3 days", "20 minutes", "two weeks"),
    *("25:00", "99:99", "13pm", "feb 30", "april 31 2026", "2026-13-01", "at 30", "3/9/2026"),
    *(
        "monday tuesday",
        "tomorrow today",
        "monday march 6",
        "may be 3",
        "tonight at 12",
        "march on 3",
        "in",
        "x" * 5000,
    ),
]


@pytest.mark.parametrize("text", DAYS)
def test_a_day_is_a_date_without_a_time(text: str) -> None:
    found = resolve(text, NOW)
    assert found == date.fromisoformat(DAYS[text])
    assert not isinstance(found, datetime)


@pytest.mark.parametrize("text", MOMENTS)
def test_a_day_with_a_time_is_a_moment(text: str) -> None:
    assert resolve(text, NOW) == datetime.fromisoformat(MOMENTS[text])


@pytest.mark.parametrize("text", NEITHER, ids=lambda text: text[:20])
def test_what_is_not_wholly_a_day_or_a_time_is_left_alone(text: str) -> None:
    assert resolve(text, NOW) is None


def test_the_same_words_move_with_the_clock_that_is_given() -> None:
    for days in (0, 1, 40, 400):
        moment = datetime(2026, 3, 4, 7) + timedelta(days=days)
        assert resolve("tomorrow at nine", moment) == datetime(2026, 3, 5, 9) + timedelta(days=days)


def test_results_carry_the_clocks_time_zone() -> None:
    east = timezone(timedelta(hours=9))
    assert resolve("tomorrow at nine", "2026-03-04T10:30:00+09:00") == datetime(2026, 3, 5, 9, tzinfo=east)
    same_instant = "2026-03-03T23:30:00+00:00", "2026-03-04T08:30:00+09:00"
    assert [resolve("today", now) for now in same_instant] == [date(2026, 3, 3), date(2026, 3, 4)]
    assert resolve("2026-03-05T09:00:00Z", NOW) == datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize("now", [None, "once upon a time"])
def test_without_a_clock_only_iso_dates_mean_anything(now: str | None) -> None:
    assert resolve("2026-03-05", now) == date(2026, 3, 5)
    assert resolve("tomorrow", now) is None


def test_two_phrases_are_the_same_moment_only_if_both_say_as_much() -> None:
    assert same_moment("tomorrow at nine", "2026-03-05T09:00", NOW)
    assert same_moment("friday", "in two days", NOW)
    assert not same_moment("tomorrow", "tomorrow at nine", NOW)
    assert not same_moment("2026-03-05", "2026-03-05T00:00", NOW)
    assert not same_moment("friday", "next friday", NOW)
    assert not same_moment("milk", "milk", NOW)


WORDS = "tomorrow friday next at the in of 3 13 31 99 pm may second : half past 12:30 days - ½ ٣ 0".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=30))
def test_any_text_gives_a_day_a_moment_or_nothing_and_never_raises(text: str) -> None:
    found = resolve(text, NOW)
    assert found is None or isinstance(found, date)
