"""Text games: verbs as actions, a walkthrough that wins, and the points of the game as the reward."""

from __future__ import annotations

import json
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.agents.environments import open_environment
from lamina.agents.environments.text_game import Words, called, words_of
from lamina.agents.learning import LearnSettings
from lamina.agents.policies import at_random, oracle, play
from lamina.errors import InputError
from lamina.trajectories import ToolCall

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_textworld = pytest.mark.skipif(not find_spec("textworld"), reason="needs pip install 'lamina[games]'")
needs_games = pytest.mark.skipif(
    not (SHARED / "textworld-games").is_dir() or not (SHARED / "alfworld").is_dir(),
    reason="the games are not in a shared folder beside this checkout",
)


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_DATA", str(SHARED))


@needs_textworld
@needs_games
def test_the_walkthrough_wins_every_game_and_an_agent_at_random_none():
    environment = open_environment("text-game:textworld")
    for task in environment.tasks():
        assert play(environment, task, oracle(environment, task))[0] == 1.0
        assert play(environment, task, at_random(environment, task, random.Random(task.id)))[0] == 0.0
    assert len(environment.tasks()) == 4


@needs_textworld
@needs_games
def test_points_on_the_way_count():
    environment = open_environment("text-game:textworld")
    task = next(t for t in environment.tasks() if "Dense" in t.id)
    environment.reset(task)
    rewards = []
    for call in environment.solution(task):
        environment.step(call)
        rewards.append(environment.reward())
    assert rewards == sorted(rewards)
    assert 0 < rewards[3] < rewards[-1] == 1.0


@needs_textworld
@needs_games
def test_two_games_at_once_do_not_disturb_each_other():
    one = open_environment("text-game:textworld")
    other = one.copy()
    task = one.tasks()[0]
    one.reset(task), other.reset(task)
    for call in one.solution(task)[:2]:
        one.step(call)
    other.step(ToolCall.of("inventory", {}))
    assert "old key" in one.step(ToolCall.of("inventory", {})).observation
    assert "old key" not in other.step(ToolCall.of("inventory", {})).observation
    one.close(), other.close()


@needs_textworld
@needs_games
def test_a_game_of_alfworld_is_won_with_names_that_people_can_read():
    environment = open_environment("text-game:alfworld,kind=look_at_obj_in_light")
    task = environment.tasks()[0]
    shown = environment.reset(task)
    assert "_bar_" not in shown
    assert "a desk 1, a desk 2" in shown
    steps = [environment.step(call) for call in environment.solution(task)]
    assert not any("_bar_" in step.observation for step in steps)
    assert steps[-1].done
    assert environment.reward() == 1.0
    environment.close()


@needs_textworld
@needs_games
def test_the_games_of_alfworld_are_in_six_kinds():
    environment = open_environment("text-game:alfworld")
    assert len(environment.tasks()) == 66
    assert len({task.group for task in environment.tasks()}) == 6
    assert all(task.request.startswith("Your task is to: ") for task in environment.tasks())
    environment.close()


@needs_textworld
@needs_games
@pytest.mark.parametrize("rpo", ["batch", "traj"])
@pytest.mark.parametrize("reward", ["env", "self"])
def test_the_optimum_is_reached(teach, monkeypatch: pytest.MonkeyPatch, reward: str, rpo: str):
    monkeypatch.setenv("LAMINA_WORLD", "text-game:textworld")
    settings = LearnSettings(rpo=rpo, reward=reward, accept=False, keep_best=False, held=0, iterations=1, batch=3,
                             test=1, turns=20)  # fmt: skip
    learned, _ = teach(open_environment("text-game:textworld"), settings)
    assert learned.first == [0.0]
    assert learned.last == [1.0]


def test_without_textworld_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "textworld", None)
    with pytest.raises(InputError, match=r"pip install 'lamina\[games\]'"):
        open_environment("text-game")


@needs_textworld
def test_what_is_no_game_is_named(tmp_path: Path):
    for name, text, said in (("a.z8", "", "a.json"), ("b.tw-pddl", json.dumps({"x": 1}), "grammar")):
        folder = tmp_path / name[0]
        folder.mkdir()
        (folder / name).write_text(text)
        with pytest.raises(InputError, match=said):
            open_environment(f"text-game:textworld,data={folder}")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="holds no such game"):
        open_environment(f"text-game:textworld,data={empty}")


@pytest.mark.parametrize(
    ("command", "name", "arguments"),
    [("go east", "go", {"what": "east"}), ("look", "look", {}), ("look at it", "other", {"command": "look at it"}),
     ("dance", "other", {"command": "dance"}), ("go", "other", {"command": "go"})],
)  # fmt: skip
def test_a_command_is_a_call(command: str, name: str, arguments: dict[str, str]):
    call = called(command)
    assert (call.name, call.arguments) == (name, arguments)


def test_objects_are_numbered_by_kind():
    words = words_of(["Desk_bar__plus_1", "Sink_bar__plus_2_bar_SinkBasin", "Desk_bar__minus_3"])
    assert words.shown("the desk_bar__plus_1 and desk_bar__minus_3") == "the desk 2 and desk 1"
    assert words.raw("clean it with SinkBasin 1") == "clean it with sink_bar__plus_2_bar_sinkbasin"
    assert words.raw("desk 12") == "desk 12"


@settings(deadline=None)
@given(st.integers(1, 30))
def test_shown_names_lead_back_to_their_objects(count: int):
    words = words_of([f"Drawer_bar__plus_{i}" for i in range(count)])
    for i in range(count):
        assert words.raw(words.shown(f"open drawer_bar__plus_{i}")) == f"open drawer_bar__plus_{i}"
    assert Words({}).raw("open it") == "open it"
