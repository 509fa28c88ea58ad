"""A value may be said in other words; what was not said in any is still told."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.checks.hallucination import ungrounded
from lamina.trajectories import Message, ToolCall, Trajectory

SERVICES = "Which service. 1: gardening, 2: house cleaning, 3: repair."


def told(request: str, value: Any, about: str = "What.") -> list[str]:
    kind = "string" if isinstance(value, str) else "number"
    parameters = {"type": "object", "properties": {"what": {"type": kind, "description": about}}, "required": ["what"]}
    tool = {"type": "function", "function": {"name": "do", "description": "Does.", "parameters": parameters}}
    messages = [
        Message(role="user", content=request),
        Message(role="assistant", tool_calls=[ToolCall.of("do", {"what": value})]),
    ]
    record = Trajectory(id="r", tools=[tool], messages=messages)
    return ungrounded(record, record.toolbox())


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("a table at 5pm", "17:00"),
        ("a table at half past eight in the evening", "2023-11-01T20:30:00"),
        ("lunch at noon", "12:00"),
        ("a train on the 13th of March", "03/13/2023"),
        ("a hotel in LA", "Los Angeles, CA"),
        ("a hotel in N.Y.C. please", "New York, NY"),
        ("a timer of three hours", 180),
        ("a timer of three hours", 10800),
        ("the air over the next week", 7),
        ("213 million people", 213000000),
        ("a million dollars", 1000000),
        ("two hundred thousand", 200000),
        ("costs of 34.9 million", 34.9),
        ("he is 5'10\" tall", 70),
        ("interest that is compounded monthly", 12),
        ("the report for February", 2),
        ("the RSI over a 1-day timeframe", "1d"),
        ("the RSI over a 15-minute timeframe", "15m"),
        ("hourly exchange rates", "1h"),
        ("titles between March 1, 2023, and April 30", 20230301),
        ("somebody born on January 1, 2000", "20000101"),
        ("the week of October 8th, 2022, and the week before that", "2022-10-01"),
        ("standings of 2021 and of the previous year", "2020"),
        ("products of the first 3 pages", 2),
        ("products of the first three pages", 3),
        ("pages 2 to 5", 4),
        ("the smallest and the 6th smallest", 1),
        ("the balance sheet of IBM in Dutch", "nl"),
        ("a text in Brazilian Portuguese", "pt-BR"),
        ("cities of New South Wales", "NSW"),
        ("the weather in South Korea", "KR"),
        ("what is a Swedish krona worth", "SEK"),
    ],
)
def test_what_is_said_otherwise_is_said(request_: str, value: Any):
    assert told(request_, value) == []


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("the divisor of 100 and 120", 10000),
        ("an input of 99", "£9"),
        ("a female patient", "male"),
        ("a thousand of them", "sandy"),
        ("a table at 5pm", "18:00"),
        ("a table at 5 in the morning", "17:00"),
        ("lunch at noon", "13:00"),
        ("a train on the 13th of March", "03/14/2023"),
        ("a hotel in LA", "San Francisco, CA"),
        ("a timer of three hours", 240),
        ("3 songs within the hour", 180),
        ("the trail is 8.6 miles long, how many km is half of it", 500),
        ("213 million people", 214000000),
        ("the report for February", 3),
        ("he is 5'10\" tall", 71),
        ("the RSI over a 1-day timeframe", "4h"),
        ("the RSI over a 15-minute timeframe", "30m"),
        ("titles between March 1, 2023, and April 30", 20230501),
        ("somebody born on January 1, 2000", "20001301"),
        ("the week of October 8th, 2022", "2022-10-01"),
        ("the week of October 8th, 2022, and the week before that", "2022-09-24"),
        ("products of the first 3 pages", 4),
        ("pages 2 to 5", 6),
        ("the balance sheet of IBM in Dutch", "sv"),
        ("cities of New South Wales", "QLD"),
        ("the weather in Norway", "KR"),
    ],
)
def test_what_is_not_said_in_any_way_is_told(request_: str, value: Any):
    assert len(told(request_, value)) == 1


def test_a_number_that_the_description_lists_with_a_word_of_the_request_is_said():
    assert told("somebody for cleaning", 2, SERVICES) == []
    assert len(told("somebody for cleaning", 3, SERVICES)) == 1


def test_what_the_description_says_a_value_stands_for_may_be_said_instead():
    about = "Category (e.g., 6016 for Productivity, 6014: Games)."
    assert told("mac apps for productivity", "6016", about) == []
    assert told("mac games", "6014", about) == []
    assert len(told("mac games", "6016", about)) == 1
    assert told("rates by the hour, or rather daily", "dd", "'dd' for daily, 'mm' for monthly") == []
