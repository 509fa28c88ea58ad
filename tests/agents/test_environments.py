"""The environments: an oracle gets the whole reward, an agent at random little, and nothing depends on chance."""

from __future__ import annotations

import json
import random
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.agents.environments import Task, checked_reward, list_environments, open_environment
from lamina.agents.environments.shop import webshop_reward
from lamina.agents.environments.tool_query import same_answer
from lamina.agents.environments.user_tools import UserTools, read_tasks
from lamina.agents.environments.worlds.world import Question, several
from lamina.agents.policies import at_random, oracle, play
from lamina.errors import InputError, UserError
from lamina.trajectories import ToolCall

NAMES = ["tool-query", "tool-operation", "shop"]


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_gets_the_whole_reward_of_every_task(name: str):
    environment = open_environment(name)
    assert {play(environment, task, oracle(environment, task))[0] for task in environment.tasks()} == {1.0}


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_at_random_gets_little(name: str):
    environment = open_environment(name)
    played = [play(environment, t, at_random(environment, t, random.Random(t.id))) for t in environment.tasks()]
    assert fmean(reward or 0.0 for reward, _ in played) < 0.1
    assert max(steps for _, steps in played) <= 30


@pytest.mark.parametrize("name", NAMES)
def test_no_two_tasks_ask_the_same(name: str):
    tasks = open_environment(name).tasks()
    assert len({t.fingerprint for t in tasks}) == len({t.id for t in tasks}) == len(tasks) >= 80


@pytest.mark.parametrize("name", NAMES)
def test_two_copies_played_in_turn_do_not_disturb_each_other(name: str):
    first = open_environment(name)
    second = first.copy()
    one, other = first.tasks()[0], first.tasks()[-1]
    first.reset(one), second.reset(other)
    calls, more = first.solution(one), second.solution(other)
    for i in range(max(len(calls), len(more))):
        if i < len(calls):
            assert not first.step(calls[i]).failed
        if i < len(more):
            assert not second.step(more[i]).failed
    assert first.reward() == second.reward() == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_world_every_time(name: str):
    shown = []
    for _ in range(2):
        environment = open_environment(name)
        task = environment.tasks()[3]
        environment.reset(task)
        shown.append([environment.step(call).observation for call in environment.solution(task)])
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_gets_wrong_is_an_observation(name: str):
    environment = open_environment(name)
    environment.reset(environment.tasks()[0])
    tool = next(t for t in environment.toolbox if t.required)
    for call in (ToolCall.of("no_such_action", {}), ToolCall.of(tool.name, {}), ToolCall.of(tool.name, {"x": None})):
        step = environment.step(call)
        assert step.failed
        assert "error" in json.loads(step.observation)
    assert environment.reward() in (0.0, None)


def test_an_action_of_another_world_is_refused_and_changes_nothing():
    environment = open_environment("tool-operation")
    todo = next(t for t in environment.tasks() if t.group.startswith("todo"))
    environment.reset(todo)
    assert environment.step(ToolCall.of("delete_row", {"row": 2})).failed
    sheet = next(t for t in environment.tasks() if t.group.startswith("sheet"))
    environment.reset(sheet)
    assert environment.step(ToolCall.of("delete_task", {"task_id": 1})).failed


def test_what_is_changed_by_mistake_costs():
    environment = open_environment("tool-operation:todo")
    task = environment.tasks()[0]
    environment.reset(task)
    *calls, _ = environment.solution(task)
    for call in calls:
        environment.step(call)
    assert environment.reward() == 1.0
    wrong = next(t["id"] for t in task.data["state"]["tasks"] if t["id"] != calls[-1].arguments["task_id"])
    environment.step(ToolCall.of("delete_task", {"task_id": wrong}))
    assert environment.reward() == 0.0


def test_the_share_of_look_ups_is_the_reward_without_an_answer():
    environment = open_environment("tool-query:movie")
    task = next(t for t in environment.tasks() if t.group == "movie chain")
    environment.reset(task)
    rewards = []
    for call in environment.solution(task):
        environment.step(call)
        rewards.append(environment.reward())
    assert rewards == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("given_", "wanted", "same"),
    [("12.0", "12", True), (" The Amber Tide. ", "the amber tide", True), ("'Ghent'", "Ghent", True),
     ("It is 12", "12", False), ("nan", "12", False), ("", "12", False)],
)  # fmt: skip
def test_answers_are_compared_by_value(given_: str, wanted: str, same: bool):
    assert same_answer(given_, wanted) == same


def test_the_shops_reward_is_webshops_formula():
    shop = open_environment("shop")
    task = shop.tasks()[0]
    goal, wanted = task.data["goal"], len(task.data["goal"]["attributes"]) + len(task.data["goal"]["options"]) + 1
    product = next(p for p in shop.products if p.id == task.data["solution"][1][1]["target"])
    colour, size = goal["options"]
    assert webshop_reward(product, {"colour": colour, "size": size}, goal) == 1.0
    assert webshop_reward(product, {"colour": colour}, goal) == (wanted - 1) / wanted
    assert webshop_reward(product, {}, {**goal, "price_upper": 0}) == (wanted - 3) / wanted
    assert webshop_reward(product, {}, {**goal, "name": "spirit level"}) == 0.0


def test_a_world_that_is_too_small_for_its_questions_says_so_instead_of_drawing_for_ever():
    def one_of_two(chance: random.Random) -> Question:
        return Question("kind", chance.choice("ab"), (), "")

    assert len(several([one_of_two], 2, random.Random(0))) == 2
    with pytest.raises(ValueError, match="no more than 2 of 3"):
        several([one_of_two], 3, random.Random(0))


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none(), st.lists(st.floats())))
def test_a_reward_is_a_number_from_0_to_1_or_refused(value: object):
    fits = value is None or (isinstance(value, int | float) and 0 <= value <= 1)
    if fits:
        assert checked_reward(value, of="task 3") == value
    else:
        with pytest.raises(UserError, match="task 3"):
            checked_reward(value, of="task 3")


def test_an_unknown_environment_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(InputError, match="shop"):
        open_environment("shopp")
    with pytest.raises(InputError, match="weather"):
        open_environment("tool-query:news")
    assert {*NAMES, "service-desk"} <= {row["name"] for row in list_environments()}


def test_somebodys_own_tools_work_in_a_folder_of_their_own_each_episode(shelf):
    environment = UserTools(*shelf)
    try:
        task = environment.tasks()[0]
        assert play(environment, task, oracle(environment, task)) == (1.0, 2)
        environment.reset(task)
        assert environment.step(ToolCall.of("look", {})).failed, "the shelf of the episode before is gone"
        other = environment.copy()
        other.reset(task)
        other.step(ToolCall.of("put", {"item": "cups", "count": 2}))
        assert environment.step(ToolCall.of("look", {})).failed, "copies share no folder"
        environment.step(ToolCall.of("put", {"item": "forks", "count": 2}))
        assert environment.reward() == 0.0
    finally:
        environment.close()


REWARDED = {
    "the very calls": ([{"item": "cups", "count": 2}], 1.0),
    "the same in other letters": ([{"item": " Cups", "count": 2.0}], 1.0),
    "another right answer": ([{"item": "mugs", "count": 2}], 1.0),
    "one too many": ([{"item": "cups", "count": 2}, {"item": "jars", "count": 1}], 0.5),
    "the same twice": ([{"item": "cups", "count": 2}, {"item": "cups", "count": 2}], 0.5),
    "another": ([{"item": "jars", "count": 2}], 0.0),
    "none": ([], 0.0),
}


@pytest.mark.parametrize("made", REWARDED)
def test_the_calls_of_a_task_are_compared_by_meaning(shelf, tmp_path: Path, made: str):
    row = {"request": "2 cups", "calls": [{"name": "put", "arguments": {"item": "cups", "count": 2}}]}
    row["accept"] = [[{"name": "put", "arguments": {"item": "mugs", "count": 2}}]]
    calls, reward = REWARDED[made]
    assert rewarded(shelf[0], tmp_path, row, calls) == reward


@pytest.mark.parametrize(("calls", "reward"), [([], 1.0), ([{"item": "cups", "count": 2}], 0.0)])
def test_a_request_that_no_call_serves_is_rewarded_for_none(shelf, tmp_path: Path, calls: list, reward: float):
    assert rewarded(shelf[0], tmp_path, {"request": "Sing.", "calls": []}, calls) == reward


def rewarded(tools: Path, folder: Path, row: dict, calls: list[dict]) -> float | None:
    file = folder / "one.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    environment = UserTools(tools, file)
    try:
        environment.reset(environment.tasks()[0])
        for arguments in calls:
            environment.step(ToolCall.of("put", arguments))
        return environment.reward()
    finally:
        environment.close()


@pytest.mark.parametrize(
    ("body", "said"),
    [("return 1.5", "1.5"), ("return float('nan')", "nan"), ("return 'good'", "good"),
     ("raise KeyError('x')", "KeyError"), ("return len(messages) / 10", None)],
)  # fmt: skip
def test_a_reward_function_of_somebodys_own(shelf, tmp_path: Path, body: str, said: str | None):
    file = tmp_path / "reward.py"
    file.write_text(f"def reward(task, messages):\n    {body}\n", encoding="utf-8")
    environment = UserTools(*shelf, reward=file)
    try:
        task = environment.tasks()[0]
        if said is None:
            assert play(environment, task, oracle(environment, task))[0] == 0.4
        else:
            with pytest.raises(UserError, match=said):
                play(environment, task, oracle(environment, task))
    finally:
        environment.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "JSON"), ("[]", "no request"), ('{"request": ""}', "no request"), ('{"request": "x", "calls": {}}', "calls"),
     ('{"request": "x", "calls": [{"name": 3}]}', "calls"), ("", "no task"),
     ('{"request": "x", "accept": [{"name": "f"}]}', "calls"), ('{"request": "x", "now": "soon"}', "now is 'soon'")],
)  # fmt: skip
def test_a_line_that_is_no_task_is_named(tmp_path: Path, line: str, said: str):
    file = tmp_path / "tasks.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_tasks(file)


def test_two_tasks_with_one_id_are_refused(tmp_path: Path):
    file = tmp_path / "tasks.jsonl"
    file.write_text('{"id": 1, "request": "a"}\n{"id": "1", "request": "b"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="twice"):
        read_tasks(file)


def test_tasks_that_differ_in_spacing_and_case_alone_are_the_same():
    assert Task("a", "Put  it\nthere").fingerprint == Task("b", "put it THERE").fingerprint
