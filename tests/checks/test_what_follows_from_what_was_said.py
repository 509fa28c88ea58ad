"""Values of a stranger's rows that nobody said in so many words, but that follow: from a description's choices, from
results, from common tables, from an argument's name. What does not follow is still told."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.checks import evidence, known_places, recorded_evidence
from lamina.checks.described_choices import choices_in
from lamina.checks.hallucination import ungrounded
from lamina.trajectories import Message, Meta, ToolCall, Trajectory


def told(
    request: str, value: Any, *, argument: str = "what", about: str = "What.", name: str = "do", does: str = "Does.",
    results: tuple[str, ...] = (), now: str | None = None, beside: dict[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    """``results``: of calls before this one, to a function that takes nothing. ``beside``: the call's other
    arguments."""
    given = {argument: value, **(beside or {})}
    properties = {key: {"description": about} for key in given}
    tools = [
        {"type": "function", "function": {"name": n, "description": d, "parameters": p}}
        for n, d, p in (
            (name, does, {"type": "object", "properties": properties}),
            ("see", "Looks.", {"type": "object", "properties": {}}),
        )
    ]
    messages = [Message(role="user", content=request)]
    for number, result in enumerate(results):
        seen = ToolCall.of("see", {}, f"s{number}")
        messages += [
            Message(role="assistant", tool_calls=[seen]),
            Message(role="tool", name="see", tool_call_id=seen.id, content=result),
        ]
    messages.append(Message(role="assistant", tool_calls=[ToolCall.of(name, given)]))
    record = Trajectory(id="r", tools=tools, messages=messages, meta=Meta(now=now))
    return ungrounded(record, record.toolbox())


@pytest.mark.parametrize(
    ("description", "choices"),
    [
        ('The mode. [Enum]: ["START", "STOP"]', ("START", "STOP")),
        ("The currency. [Enum]: USD, RMB, EUR", ("USD", "RMB", "EUR")),
        ("Type of the order (Buy/Sell).", ("Buy", "Sell")),
        ("The class. Options are: economy, business, first.", ("economy", "business", "first")),
        ("Can be 'metric' or 'imperial'.", ("metric", "imperial")),
        ("Either asc or desc", ("asc", "desc")),
        ("Possible values are small, medium and large", ("small", "medium", "large")),
        ("The kind of discount (e.g. percentage, amount)", ()),
        ("The city and state, such as Oslo, Norway", ()),
        ("One of the user's accounts", ()),
        ("What to do.", ()),
    ],
)
def test_choices_are_read_from_a_description_and_examples_are_none(description: str, choices: tuple[str, ...]):
    assert choices_in(description) == choices


ORDER = "Type of the order (Buy/Sell)."
CURRENCY = "The currency. [Enum]: USD, RMB, EUR"


def test_a_choice_that_a_description_lists_may_be_made_without_its_word_but_not_against_another():
    assert told("purchase 100 shares", "Buy", about=ORDER) == []
    assert len(told("sell 100 shares", "Buy", about=ORDER)) == 1
    assert len(told("purchase 100 shares", "Hold", about=ORDER)) == 1
    assert len(told("purchase 100 shares", "Buy")) == 1


def test_all_choices_of_a_list_may_be_chosen():
    about = 'Which doors. [Enum]: ["driver", "passenger", "rear"]'
    assert told("lock the car", ["driver", "passenger", "rear"], about=about) == []
    assert len(told("lock the car", ["driver", "boot"], about=about)) == 1


@pytest.mark.parametrize("enum", ["Buy, Sell", 5, {"Buy": 1}])
def test_choices_that_are_no_list_are_no_crash(enum: Any):
    properties = {"what": {"description": ORDER, "enum": enum}}
    function = {"name": "do", "description": "Does.", "parameters": {"type": "object", "properties": properties}}
    for value, faults in (("Buy", 0), (4711, 1)):
        said = [
            Message(role="user", content="purchase shares"),
            Message(role="assistant", tool_calls=[ToolCall.of("do", {"what": value})]),
        ]
        record = Trajectory(id="r", tools=[{"type": "function", "function": function}], messages=said)
        assert len(ungrounded(record, record.toolbox())) == faults


def test_a_choice_named_for_another_argument_or_by_a_result_is_not_chosen_against():
    assert told("my budget is 10000 RMB", "USD", about=CURRENCY, beside={"from": "RMB"}) == []
    assert len(told("my budget is 10000 RMB", "USD", about=CURRENCY)) == 1
    assert told("the budget of RMB Partners", "USD", about=CURRENCY, beside={"firm": "RMB Partners"}) == []
    assert len(told("the budget of RMB Partners", "USD", about=CURRENCY, beside={"firm": "Partners"})) == 1
    assert told("ignite it", "START", about="[Enum]: START, STOP", results=('{"state": "stop"}',)) == []


@pytest.mark.parametrize(
    ("request_", "value", "results"),
    [
        ("fill it up", 45.0, ('{"fuel": 5.0}',)),  # of 50
        ("double what is there", 14.0, ('{"fuel": 7.0}',)),
        ("10 shares at that price", 2203.4, ('{"price": 220.34}',)),
        ("raise it by 15 percent", 230.0, ('{"rent": 200.0}',)),
        ("round it to two decimals", 3.96, ('{"gallons": 3.963}',)),
    ],
)
def test_amounts_may_be_reckoned_from_a_result(request_: str, value: float, results: tuple[str, ...]):
    tank = "Fills the tank, which holds up to 50 gallons."
    assert told(request_, value, argument="amount", does=tank, results=results) == []
    assert len(told("do it", value, argument="amount")) == 1


def test_an_amount_that_follows_from_no_result_and_an_id_that_would_are_told():
    assert len(told("refuel, please", 17.3, argument="amount", results=('{"fuel": 5.0}',))) == 1
    assert len(told("add 7", 12, argument="order_id", results=('{"order": 5}',))) == 1


def test_a_unit_of_another_system_is_converted():
    about = "The fuel to fill in, in gallons."
    assert told("fill in 15 liters", 3.96, about=about) == []
    assert len(told("fill in 15 liters", 4.06, about=about)) == 1
    assert told("it is 68 °F", 20, argument="celsius") == []
    assert len(told("fill in 15 bags", 3.96, about=about)) == 1


def test_airports_are_said_by_their_cities():
    assert told("from Los Angeles to Rome", "LAX") == []
    assert told("from Los Angeles to Rome", "CIA") == []
    assert told("from Los Angeles to Rome", "KLAX") == []
    assert len(told("from Los Angeles to Rome", "EDDF")) == 1
    assert len(told("from Los Angeles to Rome", "JFK")) == 1


@pytest.mark.parametrize("value", [40.7128, "40.7128"])
def test_coordinates_are_said_by_a_city_that_lies_there(value: Any):
    assert told("how far is New York?", value, argument="latitude") == []
    assert len(told("how far is Chicago?", value, argument="latitude")) == 1
    assert len(told("how far is New York?", value, argument="price")) == 1


def test_ends_of_a_scale_and_limits_are_said_by_words_for_most_and_least():
    scale = "Priority from 1 to 5, 5 is the highest."
    assert told("make it the highest priority", 5, about=scale) == []
    assert len(told("mind this ticket", 5, about=scale)) == 1
    assert len(told("make it the highest priority", 4, about=scale)) == 1
    assert told("fill the tank", 50, does="Fills the tank, which holds up to 50 gallons.") == []
    assert told("brake, please", 1.0, about="Between 0 (not pressed) and 1 (fully pressed).") == []


def test_the_first_page_needs_no_word_and_another_does():
    assert told("books by Borges", 1, argument="pageNumber") == []
    assert told("books by Borges", "0", argument="offset") == []
    assert len(told("books by Borges", 2, argument="page")) == 1
    assert len(told("books by Borges", 1, argument="rating")) == 1


def test_the_language_of_the_request_needs_no_word_as_a_source():
    assert told("translate these lyrics to French", "English", argument="source_language") == []
    assert len(told("translate these lyrics to French", "German", argument="source_language")) == 1
    assert len(told("translate these lyrics to French", "English", argument="target_language")) == 1


def test_a_constant_that_repeats_the_functions_name_is_none_of_the_requests():
    assert told("ETH in dollars", "CURRENCY_EXCHANGE_RATE", name="av_CURRENCY_EXCHANGE_RATE") == []
    assert len(told("ETH in dollars", "CURRENCY_EXCHANGE_RATE", name="av_daily")) == 1


def test_signs_words_run_together_and_spelt_codes_are_words():
    assert told("10% off, please", "percentage") == []
    assert told("check my health data", "QueryHealthData") == []
    assert told("my passport is P followed by 12345678", "P12345678") == []
    assert len(told("my passport is P followed by 12345678", "Q12345678")) == 1


def test_small_words_say_nothing_of_what_a_text_is_about():
    apology = "I am sorry, but I have to cancel our meeting tomorrow."
    assert told("tell her I'm sorry and cancel the meeting", apology) == []
    assert len(told("tell him that I have it and that it was for you", "they are here for you, but not with Zoe")) == 1


def test_the_last_day_that_there_is_is_a_day_like_others():
    assert told("valid till the end of December", "9999-12-31", now="2023-09-11T09:00:00") == []
    assert len(told("valid till the end of March", "9999-12-31", now="2023-09-11T09:00:00")) == 1


def test_results_and_cities_are_read_once_a_text_not_once_a_number(monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []

    def numbers_in(text: str) -> list[float]:
        read.append(text)
        return evidence.numbers_in(text)

    monkeypatch.setattr(recorded_evidence, "numbers_in", numbers_in)
    results = ", ".join(f"Oslo {n}.{n}" for n in range(50))
    assert len(told("all of them", [n + 0.123 for n in range(40)], argument="amounts", results=(results,))) == 40
    assert sum("oslo" in text for text in read) == 1
    before = known_places._places_in.cache_info().misses
    points = [{"lat": n + 0.123} for n in range(100, 140)]
    assert len(told(results, points, argument="points")) == 40
    assert known_places._places_in.cache_info().misses == before + 1


def test_the_clocks_month_and_weekday_are_known():
    assert told("is it normally so hot?", "September", now="2023-09-11T09:00:00") == []
    assert told("is it normally so hot?", "monday", now="2023-09-11T09:00:00") == []
    assert len(told("is it normally so hot?", "October", now="2023-09-11T09:00:00")) == 1
