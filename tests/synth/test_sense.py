"""A request that a small writer wrote has to make sense beside its values: it asks, says each value as what it is, and
keeps the values of two calls apart. (Every sentence that is refused here was read in a run.)"""

from __future__ import annotations

import pytest

from lamina.checks import Candidate, Reason
from lamina.synth.rules import RULES, Case
from lamina.tools import Tool, Toolbox, read_tools
from lamina.trajectories import Query, ToolCall, with_examples

TOOLS = '''
def price_with_tax(price: float, percent: float) -> float:
    """Add a tax to a price.

    Args:
        price: The price before tax.
        percent: The tax in percent.
    """
    return price


def water_need(weight: float) -> float:
    """Say how many liters of water a person should drink a day.

    Args:
        weight: The weight of the person in kilograms.
    """
    return weight


def make_slug(title: str) -> str:
    """Turn a title into a slug for an address.

    Args:
        title: The title.
    """
    return title


def days_until(day: str) -> int:
    """Count the days until a date.

    Args:
        day: The date as said.
    """
    return 1


def download_time(megabytes: float, megabits: float) -> float:
    """Compute how long a download takes.

    Args:
        megabytes: The size of the file.
        megabits: The speed of the line.
    """
    return megabytes


def split_bill(total: float, people: int) -> float:
    """Split a bill.

    Args:
        total: The whole bill.
        people: Among how many.
    """
    return total / people


def decode(code: str) -> str:
    """Decode a text from base64.

    Args:
        code: The encoded text.
    """
    return code


def average_speed(distance: float, hours: float) -> float:
    """Compute the average speed of a trip.

    Args:
        distance: The distance in kilometers.
        hours: How many hours it took.
    """
    return distance / hours


def choose(items: int, chosen: int) -> int:
    """Count the ways to choose some of several items.

    Args:
        items: How many items there are.
        chosen: How many of them are chosen.
    """
    return items


def repeat_text(text: str, times: int) -> str:
    """Write a text several times.

    Args:
        text: The text.
        times: How often.
    """
    return text * times
'''


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    file = tmp_path_factory.mktemp("sense") / "tools.py"
    file.write_text(TOOLS, encoding="utf-8")
    return read_tools(file)


def asked(toolbox: Toolbox, request: str, *calls: tuple[str, dict], writer: str = "a model"):
    made = [ToolCall.of(name, arguments) for name, arguments in calls]
    return RULES["sense"](Case(Candidate(request, [made], "simple", writer, 0, "2026-11-23T10:00:00"), toolbox))


TAX = "price_with_tax", {"price": 25, "percent": 6}
SWAPPED = "price_with_tax", {"price": 6, "percent": 25}
WEIGHT = "water_need", {"weight": 70}
BREAD, PLAN = ("make_slug", {"title": "bread"}), ("make_slug", {"title": "holiday schedule"})
DAY = "days_until", {"day": "December 5"}
LOAD = "download_time", {"megabytes": 80, "megabits": 7.4}
CODE = "decode", {"code": "aGVsbG8="}
TRIP = "average_speed", {"distance": 12, "hours": 400}


@pytest.mark.parametrize(
    ("request_", "calls", "why"),
    [
        ("what is 6% with 25 of tax", [SWAPPED], "6 percent"),
        ("I'm a little over 70, and thirsty, how much water should I drink", [WEIGHT], "as an age"),
        ("how much should I drink a day, 70 liters", [WEIGHT], "'70 liters'"),
        ("I'm 70, and I drink 70 liters of water. how much water should I drink?", [WEIGHT], "'70 liters'"),
        ("slug holiday schedule bread", [PLAN, BREAD], "nothing stands between"),
        ('a slug for "holiday schedule" or "bread"', [PLAN, BREAD], "one of two things"),
        ("a download takes 80 megabytes and 7.4 megabits", [LOAD], "asks nothing"),
        ("December 5", [DAY], "nothing else"),
        ('a slug for bread like "cat feed"', [BREAD], "cat feed"),
        ("11 people, 44", [("split_bill", {"total": 11, "people": 44})], "11 people"),
        ("67 items, 6 items chosen", [("choose", {"items": 67, "chosen": 6})], "6 items"),
        ("agvsbg8=, how do you decode it before i go out", [CODE], "in these letters"),
        ("I wonder how fast I have to go to cover 12 miles in 400 hours", [TRIP], "'12 miles'"),
        (
            "the meeting, times 19, times 19, times 19",
            [("repeat_text", {"text": "meeting", "times": 19})],
            "three times",
        ),
    ],
)
def test_what_reads_as_something_else_is_refused(toolbox: Toolbox, request_: str, calls: list, why: str):
    found = asked(toolbox, request_, *calls)
    assert found is not None
    assert found.stage == "grounding"
    assert why in found.detail


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        ("what is 25 with 6% tax", [TAX]),
        ("what is 25 with 6 percent of tax", [TAX]),
        ("I'm 70 kilos, how much water should I drink", [WEIGHT]),
        ("how much water for a person of 70", [WEIGHT]),
        ("how many liters of water should I drink, I weigh 70", [WEIGHT]),
        ("slugs for holiday schedule and bread", [PLAN, BREAD]),
        ("slug: holiday schedule, bread", [PLAN, BREAD]),
        ("a download takes how long, 80 megabytes at 7.4 megabits", [LOAD]),
        ("days until December 5", [DAY]),
        ('make a slug of "holiday schedule"', [PLAN]),
        ("25 6% tax, 25 6% tax", [TAX, TAX]),
        ("decode aGVsbG8= for me", [CODE]),
        ("a slug for youtube and iphone 15", [("make_slug", {"title": "YouTube and iPhone 15"})]),
        ("how fast is 12 km in 400 hours", [TRIP]),
        ("how fast am I with 12 in 400 hours, my friend lives 9 miles away", [TRIP]),
        ("in how many ways can I choose 6 items out of 67", [("choose", {"items": 67, "chosen": 6})]),
        ("write ha ho ha ho ha ho twice", [("repeat_text", {"text": "ha ho ha ho ha ho", "times": 2})]),
        ("slug the cat has fleas", [("make_slug", {"title": "the cat has fleas"})]),
        ("Remind me that the rent is due: slug it", [("make_slug", {"title": "the rent is due"})]),
        ("sag mir was 80 megabytes bei 7,4 megabits dauern", [LOAD]),
        ('slugs for "holiday schedule" "bread"', [PLAN, BREAD]),
        ("slugs for\nholiday schedule\nbread", [PLAN, BREAD]),
        ("which slug is longer, holiday schedule or bread", [PLAN, BREAD]),
        ('the "slug" of bread', [BREAD]),
        ("'cause I need it: the slug of bakers' bread", [("make_slug", {"title": "bakers' bread"})]),
        ("I'm 1.80 and 70 in kilos, water?", [("water_need", {"weight": 1.8})]),
        ("I get 25 an hour, add 6% tax", [TAX]),
        ("11 people, 44", [("split_bill", {"total": 44, "people": 11})]),
        ("a bill: total 44 people 11", [("split_bill", {"total": 44, "people": 11})]),
        ("a bill, total: 44 people: 11", [("split_bill", {"total": 44, "people": 11})]),
        ("4 people, 4", [("split_bill", {"total": 4, "people": 4})]),
        ("44 peoples' money, 11 of us", [("split_bill", {"total": 44, "people": 11})]),
        ("12月5日", [("days_until", {"day": "12月5"})]),
    ],
)
def test_what_a_person_would_understand_passes(toolbox: Toolbox, request_: str, calls: list):
    assert asked(toolbox, request_, *calls) is None


@pytest.mark.parametrize("request_", ["a download takes 80 megabytes and 7.4 megabits", "December 5"])
def test_where_an_example_says_it_so_it_is_no_fault(toolbox: Toolbox, request_: str):
    spoken = {
        "the file is 2 megabytes on a line of 3 megabits": ToolCall.of(
            "download_time", {"megabytes": 2, "megabits": 3}
        ),
        "March 3": ToolCall.of("days_until", {"day": "March 3"}),
    }
    shown = with_examples(toolbox, [Query(text, text, None, "single", [call]) for text, call in spoken.items()])
    call = LOAD if "download" in request_ else DAY
    assert asked(toolbox, request_, call) is not None
    assert asked(shown, request_, call) is None


def test_numbers_that_nobody_could_say_are_no_crash(toolbox: Toolbox):
    for value in (10**400, float("inf"), float("nan")):
        assert asked(toolbox, "how much water", ("water_need", {"weight": value})) is None


def test_an_argument_without_a_word_for_a_name_is_no_crash():
    size = {"type": "number"}
    box = Toolbox([Tool("scale", "Scale it.", {"type": "object", "properties": {"width": size, "_": size}})])
    assert asked(box, "scale it to 4 and 5", ("scale", {"width": 4, "_": 5})) is None


def test_people_and_grammars_are_believed(toolbox: Toolbox):
    assert asked(toolbox, "December 5", DAY, writer="examples") is None
    assert asked(toolbox, "December 5", DAY, writer="grammar") is None
    assert asked(toolbox, "December 5", DAY).reason is Reason.NOT_ASKED
