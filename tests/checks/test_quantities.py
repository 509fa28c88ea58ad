"""A number may be said in another unit than the argument's; the evidence says so."""

from __future__ import annotations

import pytest

from lamina.checks.evidence import evidence_of
from lamina.checks.grounding import left_over, missing_values
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Evidence, ToolCall


def box(name: str, description: str = "") -> Toolbox:
    schema = {"type": "object", "properties": {name: {"type": "number", "description": description}}}
    return Toolbox([Tool("do", "Does.", schema)])


def told(request: str, name: str, value: float, description: str = "") -> Evidence:
    (found,) = evidence_of(request, [ToolCall.of("do", {name: value})], box(name, description))
    return found


@pytest.mark.parametrize(
    ("request_", "name", "description", "value", "words"),
    [
        ("a timer of 3 hours", "minutes", "", 180, "3 hours"),
        ("a timer of three hours", "duration", "How long, in seconds.", 10800, "three hours"),
        ("wait for 90s", "timeout_ms", "", 90000, "90s"),
        ("half an hour please", "duration_minutes", "", 30, "half an hour"),
        ("an hour and a half please", "minutes", "", 90, "an hour and a half"),
        ("1 hour and 30 minutes", "durationMinutes", "", 90, "1 hour and 30 minutes"),
        ("two and a half days", "length", "Number of hours.", 60, "two and a half days"),
        ("a two-week trip", "days", "", 14, "two-week"),
        ("a 5km run", "distance_m", "", 5000, "5km"),
        ("80 cm wide", "width", "Width (meters)", 0.8, "80 cm"),
        ("1.5 kg of flour", "weight", "Weight in grams.", 1500, "1.5 kg"),
        ("charge $12.50", "amount_cents", "", 1250, "$12.50"),
        ("over two years", "months", "", 24, "two years"),
    ],
)
def test_an_amount_in_another_unit(request_: str, name: str, description: str, value: float, words: str):
    found = told(request_, name, value, description)
    assert (found.verdict, found.words) == ("said", words)
    assert str(found.by).startswith("unit: in ")
    calls = [ToolCall.of("do", {name: value})]
    assert left_over(request_, calls, box(name, description)) == []


@pytest.mark.parametrize(
    ("request_", "name", "value"),
    [
        ("a timer of 3 hours", "minutes", 181),
        ("a timer of 3 hours", "minutes", 3),
        ("a timer of 3 hours", "people", 180),
        ("a 5km run", "minutes", 5000),
        ("3 people for an hour", "minutes", 180),
    ],
)
def test_another_amount_is_not_said(request_: str, name: str, value: float):
    assert told(request_, name, value).verdict == "missing"


@pytest.mark.parametrize(
    ("request_", "name", "description", "value", "verdict"),
    [
        ("with 15 % tip", "tip_rate", "", 0.15, "said"),
        ("fifteen percent", "discount", "As a fraction.", 0.15, "said"),
        ("with 15% tip", "tip_percent", "", 0.15, "missing"),
        ("with 15% tip", "tip_percent", "", 15, "said"),
        ("with 15 euros", "tip_rate", "", 0.15, "missing"),
    ],
)
def test_percent_as_a_share(request_: str, name: str, description: str, value: float, verdict: str):
    found = told(request_, name, value, description)
    assert found.verdict == verdict
    assert value > 1 or verdict == "missing" or found.by == "unit: percent as a share"


def test_a_unit_alone_is_one_of_it():
    assert told("how many feet is a mile", "value", 1).words == "a mile"
    assert told("how many feet is it", "value", 1).verdict == "missing"


def test_the_amount_that_is_converted_does_not_excuse_another():
    calls = [ToolCall.of("do", {"minutes": 180})]
    assert missing_values("3 hours for 4 people", calls, box("minutes")) == []
    assert left_over("3 hours for 4 people", calls, box("minutes")) == ["the request says 4, the calls don't"]
