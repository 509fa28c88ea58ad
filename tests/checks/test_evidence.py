"""Of each argument value a person can read which words of the request it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.checks.evidence import evidence_in, evidence_of
from lamina.checks.grounding import missing_values
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, ToolCall

SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "people": {"type": "integer"},
        "currency": {"type": "string", "enum": ["USD", "EUR"], "description": "bucks are USD"},
        "tip": {"type": "number", "default": 0},
        "note": {"type": "string"},
        "urgent": {"type": "boolean"},
        "items": {"type": "array", "items": {"type": "string"}},
    },
}
TOOLBOX = Toolbox([Tool("split", "Splits a bill.", SCHEMA)])


def told(request: str, **arguments: object) -> list[tuple[str, str, str | None]]:
    call = ToolCall.of("split", dict(arguments))
    return [(e.argument, e.verdict, e.words) for e in evidence_of(request, [call], TOOLBOX)]


@pytest.mark.parametrize(
    ("request_", "arguments", "verdict", "words"),
    [
        ("Split 84.20 please", {"total": 84.2}, "said", "84.20"),
        ("Split 1,500 bucks", {"total": 1500}, "said", "1,500"),
        ("Split it between twenty five people", {"people": 25}, "said", "twenty five"),
        ("Split it between a dozen", {"people": 12}, "said", "a dozen"),
        ("It was 84 BUCKS", {"currency": "USD"}, "said", "bucks"),
        ("It was €84", {"currency": "EUR"}, "said", "€"),
        ("Split it", {"tip": 0}, "default", None),
        ("Split it now", {"urgent": True}, "untraceable", None),
        ("Split it", {"people": 3}, "missing", None),
        ("say Dinner  with Ana", {"note": "dinner with Ana"}, "said", "dinner with ana"),
    ],
)
def test_the_words_a_value_comes_from(request_: str, arguments: dict[str, object], verdict: str, words: str | None):
    (name,) = arguments
    assert told(request_, **arguments) == [(f"split.{name}", verdict, words)]


@pytest.mark.parametrize(
    ("said", "value", "words"),
    [
        ("pick the berries", "berry", "berries"),
        ("birthday parties for kids", "birthday party", "birthday parties"),
        ("pick a berry", "berries", "berry"),
        ("two toys", "toy", "toys"),
        ("I tried it", "try", None),
        ("the spies", "sky", None),
    ],
)
def test_a_word_is_said_by_its_plural_and_by_its_singular(said: str, value: str, words: str | None):
    assert told(said, note=value) == [("split.note", "said" if words else "missing", words)]


def test_a_call_of_a_conversation_is_traced_to_what_it_answers():
    def calls(**arguments: object) -> Message:
        return Message(role="assistant", tool_calls=[ToolCall.of("split", arguments)])

    messages = [
        Message(role="user", content="Split a bill among four"), Message(role="assistant", content="Of how much?"),
        Message(role="user", content="84 dollars"), calls(people=4, total=84), Message(role="tool", content="21"),
        calls(total=21), Message(role="user", content="And for the four again 90"), calls(total=90, people=4),
        Message(role="user", content="and with 5 on top"), calls(total=90, tip=5),
    ]  # fmt: skip
    found = [(e.argument, e.verdict, e.words) for e in evidence_in(messages, TOOLBOX)]
    assert found == [
        ("split.people", "said", "four"), ("split.total", "said", "84"), ("split.total", "said", "90"),
        ("split.people", "said", "four"), ("split.total", "said", "90"), ("split.tip", "said", "5"),
    ]  # fmt: skip


def test_every_item_of_a_list_has_its_own():
    assert told("tea and bread", items=["tea", "milk"]) == [
        ("split.items[0]", "said", "tea"),
        ("split.items[1]", "missing", None),
    ]


@given(st.text(max_size=60), st.text(min_size=1, max_size=12))
@settings(deadline=None)
def test_whatever_is_said_the_words_stand_in_the_request(before: str, note: str):
    from lamina.checks.evidence import plain

    request = f"{before} {note}"
    for _, verdict, words in told(request, note=note):
        assert verdict != "said" or str(words) in plain(request)


NOW = "2026-11-24T10:30:00"


@pytest.mark.parametrize(
    ("request_", "value", "words"),
    [
        ("Note it for tomorrow, will you", "2026-11-25", "tomorrow"),
        ("Remind me tomorrow at nine about Ana", "2026-11-25T09:00:00", "tomorrow at nine"),
        ("Something on the 3rd of December for Bo", "2026-12-03", "on the 3rd of december"),
        ("wake me at 7pm", "19:00", "at 7pm"),
        ("what did I spend last monday", "2026-11-23", "last monday"),
        ("what did I spend last tuesday?", "2026-11-17", "last tuesday"),
        ("pay it by the end of the month", "2026-11-30", "the end of the month"),
        ("pay it at the end of next month", "2026-12-31", "at the end of next month"),
        ("pay it by the end of the next month", "2026-12-31", "the end of the next month"),
        ("I am thinking of next week", "2026-12-01", "next week"),
        ("ask me again next month", "2026-12-24", "next month"),
        ("I sit with Bo from 2 to 3 pm", "15:00", "3 pm"),
        ("call me, friday midnight is fine", "2026-11-27", "friday"),
    ],
)
def test_a_date_is_said_by_the_words_that_mean_it_at_the_clock(request_: str, value: str, words: str):
    call = ToolCall.of("split", {"note": value})
    (found,) = evidence_of(request_, [call], TOOLBOX, NOW)
    assert (found.verdict, found.by, found.words) == ("said", "date", words)
    (without,) = evidence_of(request_, [call], TOOLBOX)
    assert without.verdict == "missing"


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("pay it at the end of next month", "2026-12-24"),
        ("pay it by the end of the next month", "2026-12-24"),
        ("pay it at the end of next month", "2026-11-30"),
        ("pay it in the first week of next month", "2026-12-24"),
        ("pay it on the 15 of next month", "2026-12-24"),
        ("pay it in the middle of next week", "2026-12-01"),
        ("pay it the day after tomorrow", "2026-11-25"),
        ("pay it next friday", "2026-11-27"),
    ],
)
def test_part_of_what_names_another_day_says_no_day(request_: str, value: str):
    (found,) = evidence_of(request_, [ToolCall.of("split", {"note": value})], TOOLBOX, NOW)
    assert found.verdict == "missing"


@pytest.mark.parametrize("value", ["2026-11-26", "2026-11-25T10:00:00", "25"])
def test_another_day_or_hour_is_not(value: str):
    (found,) = evidence_of("Remind me tomorrow at nine", [ToolCall.of("split", {"note": value})], TOOLBOX, NOW)
    assert found.verdict == "missing"


def test_the_rule_that_found_the_words_is_named():
    found = evidence_of(
        "84 bucks for tea", [ToolCall.of("split", {"total": 84, "currency": "USD", "note": "tea"})], TOOLBOX
    )
    assert [e.by for e in found] == ["number", "name", "text"]


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("translate this", "late"),
        ("to the airport", "port"),
        ("bus 15", "5"),
        ("it is 5.2", "5"),
        ("it is -5 outside", "5"),
        ("room 5b", "5"),
        ("I won't", "won"),
        ("it's fine", "s"),
        ("as you like", "a"),
        ("my_file.txt", "file"),
        ("mail jimbo@x.org", "bo@x.org"),
        ("see https://x.org/about", "https://x.org/a"),
        ("the code is AB123", "AB12"),
        ("anything", ""),
        ("anything", "  "),
    ],
)
def test_letters_inside_another_word_say_nothing(request_: str, value: str):
    assert told(request_, note=value) == [("split.note", "missing", None)]


@pytest.mark.parametrize(
    ("request_", "value", "words"),
    [
        ("water the plants", "plant", "plants"),
        ("Ana's ladder", "Ana", "ana's"),
        ("walking the dog", "walk", "walking"),
        ("a cake for two", "cakes", "cake"),
        ("bus 5, please", "5", "5"),
        ("run 5km", "5", "5"),
        ("bus five", "5", "five"),
        ("paint it #102030 now", "#102030", "#102030"),
        ("mail bo@x.org.", "bo@x.org", "bo@x.org"),
        ("see https://x.org/a?b=1, please", "https://x.org/a?b=1", "https://x.org/a?b=1"),
        ('note "call me!" for later', "call me!", "call me!"),
        ("use C++ here", "c++", "c++"),
        ("we eat in the living room", "living_room", "living room"),
        ("明天去北京出差", "北京", "北京"),
        ("ราคาที่กรุงเทพวันนี้", "กรุงเทพ", "กรุงเทพ"),
        ("погода в Лондоне", "Лондон", "лондоне"),
        ("서울에서 만나요", "서울", "서울"),
        ("un café à l'avion", "avion", "avion"),
    ],
)
def test_text_is_said_by_words_of_its_own(request_: str, value: str, words: str):
    assert told(request_, note=value) == [("split.note", "said", words)]


@given(st.text("abc15 ", max_size=12), st.text("abc15", min_size=1, max_size=4))
@settings(deadline=None)
def test_what_is_said_stands_between_the_edges_of_words(request_: str, note: str):
    ((_, verdict, words),) = told(request_, note=note)
    if verdict == "said" and words and note.isalpha() and len(note) < 3:
        assert words in request_.replace("1", " ").replace("5", " ").split()
    if note in request_.split():
        assert verdict == "said"


@pytest.mark.parametrize(("request_", "unit"), [("it's fine", "feet"), ("from yards in miles", "inches")])
def test_small_words_and_marks_are_units_only_behind_a_number(request_: str, unit: str):
    parameters = {"type": "object", "properties": {"unit": {"type": "string", "enum": ["feet", "inches"]}}}
    box = Toolbox([Tool("convert", "Converts.", parameters)])
    for text, verdict in ((request_, "missing"), ("6' and 5 in", "said")):
        (found,) = evidence_of(text, [ToolCall.of("convert", {"unit": unit})], box)
        assert found.verdict == verdict


def test_a_date_with_its_year_needs_no_clock():
    call = [ToolCall.of("split", {"note": "2026-12-03"})]
    (found,) = evidence_of("Book it for December 3, 2026 please", call, TOOLBOX)
    assert (found.verdict, found.by) == ("said", "date")


def test_a_date_in_other_words_is_said_at_the_clock():
    call = [ToolCall.of("split", {"note": "tomorrow at 9am"})]
    (found,) = evidence_of("Wake me tomorrow at nine", call, TOOLBOX, NOW)
    assert (found.verdict, found.by, found.words) == ("said", "date", "tomorrow at nine")


FREE = Toolbox(
    [
        Tool(
            "write",
            "Writes a message.",
            {
                "type": "object",
                "properties": {
                    "fields": {"type": "object", "description": "What it says, by part: the body and so on."},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "cc": {"type": "array", "items": {"type": "string"}, "default": []},
                    "at": {"type": "string", "format": "time"},
                },
            },
        )
    ]
)


@pytest.mark.parametrize(
    ("request_", "arguments", "found"),
    [
        ("write to ana", {"fields": {"subject_line": "ana"}},
         {"fields.subject_line": "said", "fields (a key)": "missing"}),
        ("the subject line is ana", {"fields": {"subject_line": "ana"}},
         {"fields.subject_line": "said", "fields (a key)": "said"}),
        ("it says hello", {"fields": {"body": "hello"}}, {"fields.body": "said", "fields (a key)": "untraceable"}),
        ("write to ana", {"tags": []}, {"tags": "untraceable"}),
        ("write to ana", {"fields": {}}, {"fields": "untraceable"}),
        ("write to ana", {"cc": []}, {"cc": "default"}),
    ],
)  # fmt: skip
def test_empty_values_and_keys_that_a_call_chose_have_a_verdict(
    request_: str, arguments: dict[str, object], found: dict[str, str]
) -> None:
    call = ToolCall.of("write", arguments)
    verdicts = {e.argument.removeprefix("write."): e.verdict for e in evidence_of(request_, [call], FREE)}
    assert verdicts == found
    assert bool(missing_values(request_, [call], FREE)) is ("missing" in found.values())


@pytest.mark.parametrize(
    ("request_", "at", "said"),
    [
        ("wake me at half past seven", "07:30", True),
        ("wake me at half past seven", "19:30:00", True),
        ("wake me at quarter to eight", "07:45:00", True),
        ("wake me at half past seven in the morning", "19:30", False),
        ("wake me at 7:30 pm", "07:30", False),
        ("wake me at 19:30", "07:30", False),
        ("wake me at half past seven", "08:30", False),
    ],
)
def test_a_clock_without_a_half_of_the_day_says_either(request_: str, at: str, said: bool) -> None:
    call = ToolCall.of("write", {"at": at})
    (found,) = evidence_of(request_, [call], FREE, "2026-11-23T10:00:00")
    assert (found.verdict == "said") is said
