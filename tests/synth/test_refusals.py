"""No row without calls that synthesis composes is a request that a tool of the set serves, and none says that something
was executed."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.checks import Candidate, Novelty, Reason
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.composing import _not_new
from lamina.synth.grammar import Words, compose, located_examples
from lamina.synth.meanings import acts_of, acts_that_serve, meanings_of, words_of_name
from lamina.synth.near_misses import near_miss, noun_of
from lamina.synth.rules import check_alone
from lamina.synth.serving import abilities_of, serving_tool
from lamina.synth.unserved import foreign_material, unserved_requests
from lamina.synth.values import ValuePool
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import read_trajectories

TODO = '''
"""A to-do app."""


def add_task(title: str, due: str) -> dict:
    """Add a task.

    Args:
        title: What to do.
        due: The day it is due.

    Examples:
        add buy milk for friday
        >>> add_task(title="buy milk", due="friday")
    """
    return {"title": title, "due": due}


def remove_task(title: str) -> dict:
    """Remove a task from the list.

    Args:
        title: Which task.

    Examples:
        remove the task buy milk
        >>> remove_task(title="buy milk")
    """
    return {"removed": title}


def update_task(title: str, due: str) -> dict:
    """Change when a task is due.

    Args:
        title: Which task.
        due: The new day.
    """
    return {"title": title, "due": due}


def get_temperature(city: str) -> dict:
    """How warm it is outside in a city right now.

    Args:
        city: Which city.

    Examples:
        how warm is it in Oslo
        >>> get_temperature(city="Oslo")
    """
    return {"city": city, "celsius": 3}


def phone_contact(person: str) -> dict:
    """Ring somebody up.

    Args:
        person: Whom.
    """
    return {"ringing": person}
'''
OF_TASKS = (
    r"delete|cancel|remove|undo|erase|drop|clear|don't need|"  # remove_task
    r"edit|modify|change|rename|move|postpone|snooze|shorten|fix|wrong"  # update_task
)
OF_OTHERS = (
    r"task|call|phone|ring|dial|telephone|"  # phone_contact
    r"warm|cold|hot|rain|rainy|snow|weather|forecast|degrees|umbrella"  # get_temperature
)
SERVED = {
    style: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for style, words in (("near-miss", OF_TASKS), ("irrelevant", OF_OTHERS))
}
"""What the tools above do, in the words that people have for it; written apart from the table that is tested."""
NO_ARGUMENTS = {"type": "object", "properties": {}}


def box(*named: tuple[str, str]) -> Toolbox:
    return Toolbox(Tool(name, told, NO_ARGUMENTS) for name, told in named)


def composed(toolbox: Toolbox, seeds: range, styles: tuple[str, ...] = ("near-miss", "irrelevant")) -> list[Candidate]:
    with Executor(toolbox) as executor:
        words = Words(toolbox, located_examples(toolbox), ValuePool.of(list(toolbox)), executor, "2026-11-23T10:00:00")
        made = [compose(style, words, random.Random(seed), seed) for style in styles for seed in seeds]
    return [candidate for candidate in made if candidate is not None]


@pytest.fixture
def todo(tmp_path: Path) -> Path:
    file = tmp_path / "todo.py"
    file.write_text(TODO, encoding="utf-8")
    return file


def test_no_refusal_is_a_request_that_a_tool_of_the_set_serves(todo: Path) -> None:
    toolbox = read_tools(todo)
    rows = composed(toolbox, range(400))
    assert len({row.request for row in rows if row.style == "near-miss"}) > 100
    assert len({row.request for row in rows if row.style == "irrelevant"}) > 100
    for row in rows:
        assert not SERVED[row.style].search(row.request), row.request


def test_what_was_once_composed_for_these_tools_is_open_no_more(todo: Path) -> None:
    toolbox = read_tools(todo)
    abilities = abilities_of(toolbox)
    for verb in ("delete", "erase", "cancel", "undo", "edit", "rename", "change", "move", "postpone", "snooze"):
        assert abilities.does(verb, "task"), verb
    for verb in ("print", "publish", "export", "duplicate", "merge"):
        assert not abilities.does(verb, "task"), verb
    left = unserved_requests(toolbox)
    for pattern in ("is it warm in {city} {day}", "call {person}", "ring {person} back", "will it rain tomorrow?"):
        assert pattern not in left
    assert "order a pizza" in left
    assert "tell me a joke" in left


@given(
    verb=st.sampled_from(["remove", "delete", "erase", "cancel", "discard", "clear", "drop"]),
    style=st.sampled_from(["{v}_{n}", "{n}_{v}", "{v}-{n}", "{n}.{v}", "{v}{N}", "{n}{V}", "do_{v}_{n}_now"]),
    noun=st.sampled_from(["task", "invoice", "playlist", "ticket"]),
    seed=st.integers(0, 1000),
)
def test_a_verb_is_known_in_any_part_of_any_name(verb: str, style: str, noun: str, seed: int) -> None:
    name = style.format(v=verb, V=verb.title(), n=noun, N=noun.title())
    toolbox = box((name, ""), (f"add_{noun}", f"Add the {noun}."))
    for tool in toolbox:
        made = near_miss(tool, toolbox, [], random.Random(seed))
        if made is not None:
            assert not {"delete"} & acts_of(made[0]).plainly, made


@pytest.mark.parametrize(
    ("name", "told", "noun"),
    [
        ("remove_task", "", "task"), ("removeTask", "", "task"), ("taskRemove", "", "task"),
        ("task.remove", "", "task"),
        ("remove-task", "", "task"), ("HTTPGetAlarms", "", "alarm"), ("weather", "Tell the weather.", "weather"),
        ("add_to_list", "", "list"), ("days_until", "Count the days until a date.", "day"),
        ("buy", "Buy a ticket for a show.", "ticket"), ("remind", "Remind the user of something.", None),
        ("choose", "Count the ways to choose some.", None), ("is_prime", "Tell whether it is prime.", None),
        ("mail_address", "", "address"),
    ],
)  # fmt: skip
def test_what_a_tool_acts_on(name: str, told: str, noun: str | None) -> None:
    assert noun_of(Tool(name, told, NO_ARGUMENTS)) == noun


@pytest.mark.parametrize(
    ("tool", "verb", "done"),
    [
        (("taskTool", "Removes a task."), "delete", True),
        (("task_tool", "A tool. It removes a task."), "delete", True),  # no verb is known: anything is expected
        (("manage_tasks", "Manage tasks."), "print", True),
        (("set_task", "Set a task."), "rename", True),
        (("set_alarm", "Set an alarm."), "rename", False),
        (("find_task", "Look up a task by its label, order or note."), "rename", False),
        (("add_task", "Add a task."), "print", False),
    ],
)
def test_what_a_tool_may_do_to_a_task(tool: tuple[str, str], verb: str, done: bool) -> None:
    assert abilities_of(box(tool)).does(verb, "task") is done


def test_choices_and_names_of_arguments_are_acts_too() -> None:
    arguments = {"type": "object", "properties": {"action": {"enum": ["create", "delete"]}, "archived": {}}}
    abilities = abilities_of(Toolbox([Tool("tasks", "Keep tasks.", arguments)]))
    assert abilities.does("erase", "note")
    assert abilities.does("archive", "note")


def test_every_verb_of_the_material_means_an_act() -> None:
    material = foreign_material()["near_miss"]
    for verb in [*material["verbs"], *(verb for one in material["asking"] for verb in one["verbs"])]:
        assert acts_that_serve(verb), verb
    verbs = ("call", "text", "mail", "translate", "book", "buy", "pay", "play", "print", "draw", "navigate")
    named = {act for entry in foreign_material()["foreign"] for act in entry.get("acts", ())}
    assert named <= {act for verb in verbs for act in acts_that_serve(verb)}


def test_words_of_one_meaning() -> None:
    assert meanings_of("is it warm") & meanings_of("the temperature") == {"weather"}
    assert words_of_name("getHTTPAlarms.v2_new-one") == ["get", "http", "alarms", "v", "new", "one"]
    assert acts_of("Removes what was dropped").plainly == {"delete", "read"}
    assert not acts_of("a phone number").plainly


@pytest.mark.parametrize(
    ("asked", "served"),
    [("ring Anna back", True), ("how cold is it", True), ("any snow in Bergen?", True), ("tell me a joke", False)],
)
def test_other_words_for_what_a_tool_does_serve_a_request(todo: Path, asked: str, served: bool) -> None:
    assert (serving_tool(asked, read_tools(todo)) is not None) is served
    row = Candidate(asked, [[]], "irrelevant", "grammar", 0, "2026-11-23T10:00:00")
    found = check_alone(row, read_tools(todo))
    assert (found is not None and found.reason is Reason.NOT_A_REFUSAL) is served
    assert [check.name for check in row.notes] == ([] if served else ["format", "refusal"])


def test_the_grammar_makes_no_request_twice() -> None:
    novelty = Novelty()
    row = Candidate("Tell me a joke!", [[]], "irrelevant", "grammar", 0, "2026-11-23T10:00:00")
    same = Candidate("tell me a joke", [[]], "irrelevant", "grammar", 1, "2026-11-23T10:00:00")
    assert _not_new(row, novelty) is None
    found = _not_new(same, novelty)
    assert found is not None
    assert found.reason is Reason.DUPLICATE


def test_rows_without_calls_say_nothing_of_execution(todo: Path, writer: str, tmp_path: Path) -> None:
    settings = SynthSettings(targets=150, writer=writer, grammar_share=0.33)
    toolbox = read_tools(todo)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        synthesize(toolbox, run, settings, Progress(silent=True), executor)
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    refused = [row for row in rows if not row.calls and row.meta.writer != "examples"]
    assert {"near-miss", "irrelevant"} <= {row.meta.style for row in refused}
    for row in refused:
        assert {c.name for c in row.meta.checks if c.verdict == "passed"} == {"format", "refusal"}
    called = [row for row in rows if row.calls and row.meta.writer != "examples"]
    assert called
    for row in called:
        assert {"format", "execution", "grounding"} <= {c.name for c in row.meta.checks}
    said = [str((row.meta.model_extra or {})["clean"]).casefold() for row in refused]
    assert len(said) == len(set(said))
