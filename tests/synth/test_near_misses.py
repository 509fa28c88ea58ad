"""How near misses are worded, and which sets of tools they are made for."""

from __future__ import annotations

import random
import re

import pytest

from lamina.synth.near_misses import near_miss
from lamina.synth.serving import abilities_of, serving_tool
from lamina.synth.unserved import unserved_requests
from lamina.tools import Tool, Toolbox

NO_ARGUMENTS = {"type": "object", "properties": {}}


def box(*named: tuple[str, str]) -> Toolbox:
    return Toolbox(Tool(name, told, NO_ARGUMENTS) for name, told in named)


@pytest.mark.parametrize(
    ("noun", "said"),
    [("event", "an event"), ("area", "an area"), ("user", "a user"), ("unit", "a unit"), ("hour", "an hour"),
     ("umbrella", "an umbrella"), ("task", "a task")],
)  # fmt: skip
def test_a_vowel_is_spoken_of_with_an(noun: str, said: str) -> None:
    toolbox = box((f"add_{noun}", f"Add the {noun}."))
    made = [near_miss(toolbox[f"add_{noun}"], toolbox, [], random.Random(seed)) for seed in range(150)]
    found = {m[0] for text, _ in filter(None, made) if (m := re.search(rf"\ban? {noun}\b", text))}
    assert found == {said}


@pytest.mark.parametrize(
    ("name", "told", "noun"),
    [
        ("skip_song", "Skip the song.", "song"),
        ("skip_track", "Skips a track.", "track"),
        ("track_order", "Track an order.", "order"),
        ("return_product", "Return a product.", "product"),
    ],
)
def test_sets_that_play_and_sell_get_near_misses(name: str, told: str, noun: str) -> None:
    toolbox = box((name, told))
    found = near_miss(toolbox[name], toolbox, [], random.Random(0))
    assert found is not None
    assert noun in found[0]
    assert not abilities_of(toolbox).does("print", noun)
    assert abilities_of(toolbox).does(name.partition("_")[0], noun)


def test_a_docstring_that_begins_with_what_it_returns_says_no_act() -> None:
    assert abilities_of(box(("bump_task", "Returns the new place of the task."))).does("move", "task")


def test_who_sets_the_temperature_serves_the_heating() -> None:
    home = box(("set_temperature", "Set the temperature of a room."), ("set_light", "Switch a light on or off."))
    assert serving_tool("set the heating to 21", home) is not None
    assert not [request for request in unserved_requests(home) if "heating" in request or "thermostat" in request]
