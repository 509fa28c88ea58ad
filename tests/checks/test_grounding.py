"""Request and call must say the same, no less and no more."""

from __future__ import annotations

import pytest

from lamina.checks.grounding import left_over, missing_values
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall

SPLIT = Tool(
    "split_bill",
    "Split a bill.",
    {
        "type": "object",
        "properties": {
            "total": {"type": "number"},
            "people": {"type": "integer"},
            "tip": {"type": "number", "default": 0},
        },
        "required": ["total", "people"],
    },
)
MONEY = Tool(
    "convert",
    "Convert money.",
    {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "source": {"type": "string", "enum": ["USD", "EUR", "CAD"], "description": "bucks are USD"},
            "target": {"type": "string", "enum": ["USD", "EUR", "CAD"]},
        },
        "required": ["amount", "source", "target"],
    },
)
LIST = Tool(
    "add_to_list",
    "Put items on a list.",
    {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"type": "string"}},
            "list_name": {"type": "string", "enum": ["shopping", "todo"], "default": "shopping"},
        },
        "required": ["items"],
    },
)
TOOLS = Toolbox([SPLIT, MONEY, LIST])


def call(name: str, **arguments: object) -> list[ToolCall]:
    return [ToolCall.of(name, arguments)]


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        ("split 84 dollars between 3 people", call("split_bill", total=84, people=3)),
        ("split $1,084.50 between three of us", call("split_bill", total=1084.5, people=3)),
        ("84 for twenty five people", call("split_bill", total=84, people=25)),
        ("20 bucks in euros", call("convert", amount=20, source="USD", target="EUR")),
        ("what are 20 canadian dollars in €?", call("convert", amount=20, source="CAD", target="EUR")),
        ("put Milk and 2 onions on it", call("add_to_list", items=["milk", "2 onions"])),
        ("new to-do: mow the lawn", call("add_to_list", items=["mow the lawn"], list_name="todo")),
    ],
)
def test_what_people_say_is_found(request_: str, calls: list[ToolCall]) -> None:
    assert missing_values(request_, calls, TOOLS) == []
    assert left_over(request_, calls, TOOLS) == []


@pytest.mark.parametrize(
    ("request_", "calls", "what"),
    [
        ("split 84 between us", call("split_bill", total=84, people=3), "people"),
        ("split 85 between 3 people", call("split_bill", total=84, people=3), "total"),
        ("20 bucks in yen", call("convert", amount=20, source="USD", target="EUR"), "target"),
        ("put milk on the list", call("add_to_list", items=["milk", "eggs"]), "eggs"),
    ],
)
def test_a_value_that_nobody_said_is_named(request_: str, calls: list[ToolCall], what: str) -> None:
    (found,) = missing_values(request_, calls, TOOLS)
    assert what in found


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        ("split 84 between 3 people with 10% tip", call("split_bill", total=84, people=3)),
        ("split 84 between 3 people tomorrow", call("split_bill", total=84, people=3)),
        ("add tea to the to-do list", call("add_to_list", items=["tea"])),
        ("add tea, and mail bob@example.com", call("add_to_list", items=["tea"])),
    ],
)
def test_a_request_that_says_more_than_the_call_is_noticed(request_: str, calls: list[ToolCall]) -> None:
    assert missing_values(request_, calls, TOOLS) == []
    assert left_over(request_, calls, TOOLS)


def test_a_default_need_not_be_said() -> None:
    assert missing_values("split 84 between 3", call("split_bill", total=84, people=3, tip=0), TOOLS) == []


def test_words_that_mean_a_date_of_the_call_are_accounted_for() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "day": {"type": "string", "format": "date"}}}
    box = Toolbox([Tool("remind", "Remind.", schema)])
    now = "2026-11-24T10:30:00"
    said, day = "remind me on the 3rd of december about tea", "2026-12-03"
    assert missing_values(said, call("remind", text="tea", day=day), box, now) == []
    assert left_over(said, call("remind", text="tea", day=day), box, now) == []
    assert left_over(f"{said} and again tomorrow", call("remind", text="tea", day=day), box, now)


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        (
            "20 bucks in euros, and 30 euros in canadian dollars",
            [
                *call("convert", amount=20, source="USD", target="EUR"),
                *call("convert", amount=30, source="EUR", target="CAD"),
            ],
        ),
        ("split 84 between two, no wait, three people", call("split_bill", total=84, people=3)),
        ("split 84, sorry, 85 between 3", call("split_bill", total=85, people=3)),
        ("good morning, split 84 between 3", call("split_bill", total=84, people=3)),
        ("put C$20 into euros", call("convert", amount=20, source="CAD", target="EUR")),
        (
            "two things: tea on my list and 84 split between 3",
            [*call("add_to_list", items=["tea"]), *call("split_bill", total=84, people=3)],
        ),
        ("split nine hundred and five between 3", call("split_bill", total=905, people=3)),
    ],
)
def test_a_request_that_says_the_same_is_not_taken_for_more(request_: str, calls: list[ToolCall]) -> None:
    assert missing_values(request_, calls, TOOLS) == []
    assert left_over(request_, calls, TOOLS) == []


@pytest.mark.parametrize(
    "request_",
    ["split 84 between 3 people, sorry for asking, and 7 later on", "split 84 between 3 people, actually I have 90"],
)
def test_an_apology_takes_nothing_back_but_the_words_before_it(request_: str) -> None:
    assert left_over(request_, call("split_bill", total=84, people=3), TOOLS)


def test_an_empty_value_is_said_by_nothing() -> None:
    (found,) = missing_values("put it on the list", call("add_to_list", items=[""]), TOOLS)
    assert "''" in found
