"""BFCL's multi-turn tasks: its simulators, isolated, and its own check of state and responses."""

from __future__ import annotations

import decimal
import os
import random
import sys
from pathlib import Path
from statistics import fmean

import pytest

from lamina.agents.environments import open_environment
from lamina.agents.environments.bfcl_multi_turn import CATEGORIES, RESPOND, find_folders
from lamina.agents.environments.environment import RefusedCallError
from lamina.agents.environments.worlds.simulators import Simulators, same_state
from lamina.agents.learning import LearnSettings
from lamina.agents.policies import at_random, oracle, play
from lamina.errors import InputError
from lamina.tools.tool import Toolbox
from lamina.trajectories import ToolCall


def _there() -> bool:
    try:
        return bool(find_folders())
    except InputError:
        return False


needs_wheel = pytest.mark.skipif(
    not _there(), reason="BFCL is not on this machine: 'lamina bench fetch bfcl', or $LAMINA_BFCL names its wheel"
)
UNSOLVED = {
    "base": {"173"},
    "miss_func": {"49", "173"},
    "miss_param": {"173"},
    "long_context": {"173"},
}
"""Right calls of the data that don't fit its own descriptions: a ticket's number as text (173), and a function that is
called in a turn in which it is withheld (49)."""


@needs_wheel
@pytest.mark.parametrize("category", CATEGORIES)
def test_the_oracle_gets_the_whole_reward_of_every_task_whose_right_calls_fit(category: str):
    environment = open_environment(f"bfcl-multi-turn:{category}")
    played = {t.id: play(environment, t, oracle(environment, t), most=100)[0] for t in environment.tasks()}
    assert len(played) == 200
    assert {name for name, reward in played.items() if reward != 1.0} == {
        f"multi_turn_{category}_{number}" for number in UNSOLVED[category]
    }


@needs_wheel
def test_an_agent_at_random_gets_next_to_nothing():
    environment = open_environment("bfcl-multi-turn")
    played = [play(environment, t, at_random(environment, t, random.Random(t.id)))[0] for t in environment.tasks()]
    assert fmean(reward or 0.0 for reward in played) < 0.02


@needs_wheel
def test_two_episodes_of_one_task_share_nothing():
    """The leaderboard's own executor gives the second the state of the first: it keeps instances by name."""
    one = open_environment("bfcl-multi-turn")
    other = one.copy()
    task = one.tasks()[0]
    one.reset(task), other.reset(task)
    make = ToolCall.of("mkdir", {"dir_name": "temp"})
    assert not one.step(make).failed
    assert "temp" in one.step(ToolCall.of("ls", {})).observation
    assert "temp" not in other.step(ToolCall.of("ls", {})).observation
    assert not any(name.startswith(("bfcl_eval", "lamina_simulator")) for name in sys.modules)


@needs_wheel
def test_text_that_looks_like_code_is_data():
    environment = open_environment("bfcl-multi-turn")
    environment.reset(environment.tasks()[0])
    hostile = f"__import__('os').{os.kill.__name__}({os.getpid()}, 9)"
    environment.step(ToolCall.of("touch", {"file_name": hostile}))
    assert hostile in environment.step(ToolCall.of("ls", {})).observation
    for name in ("_load_scenario", "__init__", "eval"):
        assert environment.step(ToolCall.of(name, {"scenario": {}})).failed


@needs_wheel
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("logarithm", {"value": 2, "base": 10, "precision": 10**9}), ("power", {"base": 9, "exponent": 10**9}),
     ("mean", {"numbers": [10**400]}), ("absolute_value", {"number": 10**16})],
)  # fmt: skip
def test_sums_that_would_never_end_are_refused(name: str, arguments: dict[str, object]):
    simulators = Simulators(find_folders().simulators, ["MathAPI"], {})
    with pytest.raises(RefusedCallError, match="beyond"):
        simulators.call(name, arguments)


@needs_wheel
def test_what_a_simulator_sets_on_the_thread_is_put_back():
    before = decimal.getcontext().prec
    simulators = Simulators(find_folders().simulators, ["MathAPI"], {})
    assert "1.4142" in simulators.call("square_root", {"number": 2, "precision": 5})
    assert decimal.getcontext().prec == before


@needs_wheel
def test_states_are_compared_by_what_they_hold():
    def desk() -> Simulators:
        return Simulators(find_folders().simulators, ["GorillaFileSystem"], {})

    one, other = desk(), desk()
    assert same_state(one, other)
    one.call("touch", {"file_name": "a.txt"})
    assert not same_state(one, other)
    other.call("touch", {"file_name": "a.txt"})
    assert same_state(one, other)


@needs_wheel
def test_functions_that_are_withheld_come_when_their_turn_comes():
    environment = open_environment("bfcl-multi-turn:miss_func")
    task = environment.tasks()[0]
    environment.reset(task)
    [(turn, [name])] = task.data["later"].items()
    for _ in range(int(turn)):
        assert name not in environment.toolbox
        environment.step(ToolCall.of("respond", {"message": "What is missing?"}))
    assert name in environment.toolbox
    assert name in environment.copy().toolbox


@needs_wheel
def test_the_right_state_without_the_right_answer_is_not_enough():
    environment = open_environment("bfcl-multi-turn")
    task = next(t for t in environment.tasks() if [c[0] for c in t.data["calls"][0]] == ["find"])
    environment.reset(task)
    environment.step(ToolCall.of("pwd", {}))
    environment.step(ToolCall.of("respond", {"message": "Done."}))
    assert environment.reward() == 0.0


@needs_wheel
@pytest.mark.parametrize("rpo", ["batch", "traj"])
@pytest.mark.parametrize("reward", ["env", "self"])
def test_the_optimum_is_reached(teach, monkeypatch: pytest.MonkeyPatch, reward: str, rpo: str):
    """With the tasks of one simulator, all of whose functions are met while learning."""
    monkeypatch.setenv("LAMINA_WORLD", "bfcl-multi-turn")
    environment = open_environment("bfcl-multi-turn")
    environment._tasks = [t for t in environment.tasks() if t.data["classes"] == ["TradingBot"]]
    environment._whole = environment.toolbox = Toolbox([*environment._tools["TradingBot"], RESPOND])
    settings = LearnSettings(
        rpo=rpo, reward=reward, accept=False, keep_best=False, held=0, iterations=2, batch=15, test=4, turns=40
    )
    learned, _ = teach(environment, settings)
    assert fmean(learned.first) < 0.5
    assert learned.last == [1.0] * 4


def test_without_the_wheel_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LAMINA_BFCL", str(tmp_path))
    with pytest.raises(InputError, match="lamina bench fetch bfcl"):
        open_environment("bfcl-multi-turn")
    with pytest.raises(InputError, match="miss_func"):
        open_environment("bfcl-multi-turn:memory")
