"""Numbers are read as people write and say them, and in no other way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.checks.evidence import evidence_of, numbers_in, plain
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall
from lamina.trajectories.number_readings import readings_in
from lamina.trajectories.number_words import ONES, TENS

_TENS = {number: word for word, number in TENS.items()}
_LARGE = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
BOX = Toolbox([Tool("do", "Does.", {"type": "object", "properties": {"n": {"type": "number"}}})])


def in_words(number: int, joint: str, hyphen: str) -> str:
    """``joint``: what stands before the last two digits (" and " or " "); ``hyphen`` joins tens and ones."""
    if number < 20:
        return ONES[number]
    if number < 100:
        ones = f"{hyphen}{ONES[number % 10]}" if number % 10 else ""
        return _TENS[number - number % 10] + ones
    if number < 1000:
        rest = f"{joint}{in_words(number % 100, joint, hyphen)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    size, name = next(large for large in _LARGE if number >= large[0])
    rest = number % size
    gap = joint if rest < 100 else " "
    said = f"{in_words(number // size, joint, hyphen)} {name}"
    return f"{said}{gap}{in_words(rest, joint, hyphen)}" if rest else said


def sure(text: str) -> list[float]:
    return [r.value for r in readings_in(text) if r.sure]


WHOLE = st.one_of(st.integers(0, 2000), st.integers(0, 10**12 - 1))


@given(WHOLE, st.sampled_from((" and ", " ")), st.sampled_from(("-", " ")))
@settings(deadline=None, max_examples=300)
def test_a_number_in_words_is_that_number_and_no_other(number: int, joint: str, hyphen: str):
    said = in_words(number, joint, hyphen)
    assert numbers_in(said) == [float(number)]
    assert readings_in(said)[0].words == said


@given(st.integers(1, 10**6), st.sampled_from(("minus", "negative")))
@settings(deadline=None)
def test_a_negative_number_in_words(number: int, minus: str):
    assert numbers_in(f"it is {minus} {in_words(number, ' and ', '-')}") == [-float(number)]


@given(st.integers(2, 10**7), st.sampled_from((" and ", " ")))
@settings(deadline=None)
def test_a_number_in_words_grounds_its_value_and_not_the_next(number: int, joint: str):
    request = f"Take {in_words(number, joint, '-')} of them"
    for value, verdict in ((number, "said"), (number + 1, "missing"), (-number, "missing")):
        (found,) = evidence_of(request, [ToolCall.of("do", {"n": value})], BOX)
        assert found.verdict == verdict


@given(st.integers(0, 10**9), st.integers(0, 99))
@settings(deadline=None)
def test_a_number_in_digits_however_its_thousands_are_set_apart(whole: int, cents: int):
    value = float(f"{whole}.{cents:02d}")
    english = f"{whole:,}.{cents:02d}"
    assert numbers_in(f"pay {english} now") == [value]
    if whole >= 1000:
        assert numbers_in("pay " + english.translate({44: ".", 46: ","}) + " now") == [value]


@given(st.lists(st.integers(0, 99), min_size=2, max_size=6))
@settings(deadline=None)
def test_a_list_without_spaces_says_each_of_its_numbers(numbers: list[int]):
    said = sure("sort " + ",".join(map(str, numbers)))
    assert said == [float(n) for n in numbers]


@given(st.text(max_size=60))
@settings(deadline=None)
def test_every_reading_stands_where_it_says(text: str):
    text = plain(text)
    for reading in readings_in(text):
        assert text[reading.start : reading.end] == reading.words


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("one and a half million", [1500000]),
        ("half a million", [500000]),
        ("half a dozen", [6]),
        ("two dozen eggs", [24]),
        ("a couple hundred", [200]),
        ("four and a half thousand", [4500]),
        ("two and a half cups", [2.5]),
        ("three quarters of a pound", [0.75]),
        ("three point one four", [3.14]),
        ("2.5 million", [2500000]),
        ("eighty grand", [80000]),
        ("one and a half lakh", [150000]),
        ("1.2k", [1200, 1.2]),
        ("1,234.50", [1234.5]),
        ("1.234,50", [1234.5]),
        ("1,50,000", [150000]),
        ("1.234", [1.234]),
        ("2½ cups", [2.5]),
        (".5", [0.5]),
        ("minus 5", [-5]),
        ("-$5", [-5]),
        ("ten minus five", [10, 5]),
        ("5 minus 3", [5, 3]),
        ("five below zero", [-5]),
        ("10km", [10]),
        ("between one hundred and five hundred", [100, 500]),
        ("between one hundred and one thousand", [100, 1000]),
        ("three hundred, two hundred", [300, 200]),
        ("15,400, eleven singers", [15400, 11]),
        ("that would be grand", []),
    ],
)
def test_what_is_read(text: str, values: list[float]):
    assert sorted(sure(text)) == sorted(map(float, values))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/4 cup", 0.75),
        ("1 3/4 cups", 1.75),
        ("a cup and a half", 1.5),
        ("six pounds fifty", 6.5),
        ("twelve dollars and five cents", 12.05),
        ("12,50 euros", 12.5),
        ("in nineteen ninety nine", 1999),
        ("the twenty-first floor", 21),
        ("the third floor", 3),
        ("the sum of one hundred and five", 105),
        ("the sum of one hundred and five", 5),
        ("[100,200,300]", 200),
    ],
)
def test_what_may_be_meant_is_read_too(text: str, value: float):
    assert value in numbers_in(text)
