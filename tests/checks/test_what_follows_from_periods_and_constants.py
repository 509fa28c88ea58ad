"""Values of a stranger's rows that follow from a period that was named, a day that was stated, a constant that
everybody knows or how codes are written. What does not follow is still told."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.checks.hallucination import ungrounded
from lamina.checks.stated_clock import stated_clock
from lamina.trajectories import Message, ToolCall, Trajectory


def told(request: str, value: Any, *, argument: str = "what", about: str = "What.", system: str = "") -> list[str]:
    parameters = {"type": "object", "properties": {argument: {"description": about}}}
    tool = {"type": "function", "function": {"name": "do", "description": "Does.", "parameters": parameters}}
    messages = [Message(role="system", content=system)] if system else []
    messages += [
        Message(role="user", content=request),
        Message(role="assistant", tool_calls=[ToolCall.of("do", {argument: value})]),
    ]
    record = Trajectory(id="r", tools=[tool], messages=messages)
    return ungrounded(record, record.toolbox())


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("what was new in Q2 2023?", "2023-04-01T00:00:00"),
        ("what was new in the second quarter of 2023?", "2023-06-30"),
        ("posts before June 2023", "2023-05-31"),
        ("sales in February 2024", "2024-02-29"),
        ("sales after February", "2024-03-01"),
        ("posts of 2022", "2022-12-31"),
    ],
)
def test_the_ends_of_a_period_are_said_by_its_name(request_: str, value: str):
    assert told(request_, value) == []


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("what was new in Q2 2023?", "2023-07-31"),
        ("what was new in Q2 2023?", "2022-04-01"),
        ("posts before June 2023", "2023-05-30"),
        ("posts before June 2023", "2023-01-01"),
        ("the marching band", "2024-03-31"),
        ("the week of October 8th, 2022", "2022-10-01"),
        ("the week of 8 October 2022", "2022-12-31"),
        ("sales in February", "2024-02-30"),
        ("sales in February", "0001-01-01"),
    ],
)
def test_other_days_than_the_ends_of_the_period_are_told(request_: str, value: str):
    assert len(told(request_, value)) == 1


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Remember that today is 2024-01-01.", "2024-01-01"),
        ("Current date: March 5th, 2024", "2024-03-05"),
        ("The current time is 2024-05-15 15:00:00 EST.", "2024-05-15"),
        ("Today's date is Monday, January 1, 2024", "2024-01-01"),
        ("Today is February 30, 2024", None),
        ("Flights of today are cheap, those of 2024-01-02 are not.", None),
        ("We now have offices in 2024-01-02.", None),
    ],
)
def test_a_day_is_stated_by_words_for_today(text: str, day: str | None):
    assert stated_clock(text) == day


def test_relative_days_are_read_at_the_day_that_the_system_message_states():
    stated = "Search the posts. Today is 2024-01-01."
    assert told("posts of the last two months", "2023-11-01", system=stated) == []
    assert len(told("posts of the last two months", "2021-11-13", system=stated)) == 1
    assert len(told("posts on agents", "2023-11-13", system=stated)) == 1, "today is a word of the system message alone"
    assert len(told("posts of the last two months", "2023-11-13", system="Search the posts.")) == 1


def test_constants_are_said_by_what_they_are_constants_of():
    assert told("how fast is it after a free fall of 5 seconds?", 9.81, argument="gravity") == []
    assert told("draw a hand from a deck of cards", 52, argument="size") == []
    assert len(told("how fast is it after 5 seconds?", 9.81, argument="speed")) == 1
    assert len(told("how fast is it after a free fall of 5 seconds?", 9.3, argument="gravity")) == 1


def test_a_zero_that_the_description_lists_with_a_word_of_the_request_is_said():
    about = "The new status (e.g., 0 for hidden, 1 for visible)."
    assert told("hide nothing: make category 7 hidden", 0, about=about) == []
    assert len(told("make category 7 look blue", 0, about=about)) == 1


def test_the_least_of_a_scale_may_be_the_least_that_is_not_off():
    about = "Brightness percentage from 0 to 100"
    assert told("set the lamp to minimum brightness", 1, about=about) == []
    assert told("set the lamp to minimum brightness", 0, about=about) == []
    assert len(told("set the lamp to minimum brightness", 7, about=about)) == 1
    assert len(told("dim the lamp", 7, about=about)) == 1


def test_how_many_there_are_to_a_page_needs_no_word_and_another_number_does():
    assert told("new eyeshadows", 10, argument="pageSize") == []
    assert told("new eyeshadows", "20", argument="results_per_page") == []
    assert len(told("new eyeshadows", 17, argument="pageSize")) == 1
    assert len(told("new eyeshadows", 10, argument="size")) == 1


def test_the_letters_of_a_code_are_said_by_the_request_or_by_how_codes_are_written():
    about = "The order id, such as '#W0000000'."
    assert told("my order is 9502127", "#W9502127", about=about) == []
    assert told("my order is 9502127, with a W before it", "#W9502127") == []
    assert len(told("my order is 9502127", "#W9502127")) == 1
    assert len(told("my order is 9502126", "#W9502127", about=about)) == 1


def test_airports_are_said_by_the_initials_of_their_cities():
    assert told("a flight from NYC to L.A.", "JFK") == []
    assert told("a flight from NYC to L.A.", "LAX") == []
    assert len(told("a flight from NYC to L.A.", "SFO")) == 1


def test_a_flag_that_is_written_as_a_word_is_set_against_no_word_for_the_other_way():
    assert told("is the phone charging?", "on", argument="state") == []
    assert len(told("is the phone switched off?", "on", argument="state")) == 1


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("is June 2023 better than March 2024?", "2024-06-30"),
        ("it may rain, what was new?", "2023-05-31"),
        ("I paid 2000 dollars for it", "2000-12-31"),
        ("order 2024-05 of mine", "2024-12-31"),
        ("what was new in the last quarter?", "2024-10-01"),
    ],
)
def test_a_period_has_its_own_year_and_is_no_verb_and_no_amount(request_: str, value: str):
    assert len(told(request_, value)) == 1


def test_a_day_that_the_system_states_names_no_period():
    stated = "Today is 2024-01-01."
    for day in ("2023-12-31", "2024-12-31"):
        assert len(told("posts on agents", day, system=stated)) == 1


def test_a_day_that_there_is_not_hides_no_day_that_was_stated():
    assert stated_clock("Today is 2024-03-05. Today is 2023-02-30.") == "2024-03-05"


@pytest.mark.parametrize(
    ("request_", "value", "argument"),
    [
        ("which plants die in winter?", 6, "count"),
        ("make a slide deck on bees", 52, "slides"),
        ("draw a hand from a deck of cards", 52, "delay"),
        ("draw a hand from a deck of cards", -52, "size"),
        ("how many coins are in the jar?", 2, "jar"),
    ],
)
def test_constants_of_games_are_for_arguments_that_count_them(request_: str, value: int, argument: str):
    assert len(told(request_, value, argument=argument)) == 1


def test_minutes_and_a_least_price_are_not_the_least_of_a_scale():
    assert len(told("a 10 min timer please", 0, argument="volume")) == 1
    assert len(told("a minimum price of 50", 0, argument="discount")) == 1


def test_a_flag_is_not_set_against_other_words_for_its_opposite_either():
    for request in ("shut the lamp down", "disable the lamp"):
        assert len(told(request, "on", argument="state")) == 1
    assert len(told("enable the lamp", "off", argument="state")) == 1


def test_who_says_how_many_there_are_to_a_page_wants_no_other_number():
    assert len(told("new eyeshadows, 5 per page", 10, argument="pageSize")) == 1


def test_initials_of_a_city_are_written_in_capitals():
    assert len(told("quiero volar a la playa", "LAX")) == 1


def test_a_choice_in_a_long_text_of_the_call_is_named_for_all_that():
    properties = {"priority": {"enum": ["low", "high"]}, "message": {"type": "string"}}
    parameters = {"type": "object", "properties": properties}
    tool = {"type": "function", "function": {"name": "file", "description": "Files.", "parameters": parameters}}
    request = "file a ticket that the printer is broken, set it to low priority"
    call = ToolCall.of("file", {"priority": "high", "message": "the printer is broken, set it to low priority"})
    said = [Message(role="user", content=request), Message(role="assistant", tool_calls=[call])]
    record = Trajectory(id="r", tools=[tool], messages=said)
    assert len(ungrounded(record, record.toolbox())) == 1
