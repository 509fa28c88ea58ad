"""``env:NAME``: any environment is a benchmark, and its reward the score."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from lamina.agents.environments import open_environment
from lamina.bench.driving import drive
from lamina.bench.tasks import Outcome, Setting, open_task
from lamina.bench.tasks.env import TURNS
from lamina.bench.tasks.played import lean, whole
from lamina.errors import InputError
from lamina.models import Reply, Request
from lamina.tools import Toolbox
from lamina.trajectories import Message

WORLD = "tool-query:weather"


class Plays:
    """Answers as ``turns`` has it: by what the user says, the answers in their order, then nothing."""

    ref = "plays"

    def __init__(self, turns: dict[str, list[str]]) -> None:
        self.turns = turns
        self.open: list[int] = []
        self.systems: set[str] = set()

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        self.open.append(len(requests))
        replies = []
        for request in requests:
            user = next(m.content for m in request.messages if m.role == "user")
            self.systems |= {m.content for m in request.messages if m.role == "system"}
            said = sum(m.role == "assistant" for m in request.messages)
            answers = self.turns.get(user, [])
            replies.append(Reply(answers[said] if said < len(answers) else "[]"))
        return replies

    def close(self) -> None: ...


def gold(count: int) -> dict[str, list[str]]:
    world = open_environment(WORLD)
    return {
        task.request: [json.dumps([{"name": c.name, "arguments": c.arguments}]) for c in world.solution(task)]
        for task in world.tasks()[:count]
    }


def driven(model: Plays, count: int, at_once: int | None = None, system: str | None = None) -> dict[str, Outcome]:
    task = open_task(f"env:{WORLD}")
    found: dict[str, Outcome] = {}
    setting = Setting(Toolbox([]), "full", system)
    talks = [(sample.id, task.solve(sample, setting)) for sample in task.samples()[:count]]
    drive(model, talks, lambda key, outcome: found.__setitem__(key, outcome), at_once=at_once)
    return found


def test_whoever_solves_a_task_is_right_and_whoever_does_nothing_is_not():
    found = driven(Plays(gold(6)), 6)
    assert [outcome.right for outcome in found.values()] == [True] * 6
    outcomes = [outcome.scores | {"right": outcome.right} for outcome in found.values()]
    told = {figure.metric: figure.interval for figure in open_task(f"env:{WORLD}").figures(outcomes)}
    assert (told["solved"].value, told["reward"].value, told["stopped"].value) == (1.0, 1.0, 0.0)
    assert 0 < told["reward"].low < told["reward"].high == 1.0
    idle = driven(Plays({}), 6)
    assert [(o.right, o.scores["reward"]) for o in idle.values()] == [(False, 0.0)] * 6


def test_half_the_way_is_half_a_reward_and_not_right():
    halfway = {request: answers[:-1] for request, answers in gold(4).items()}
    for outcome in driven(Plays(halfway), 4).values():
        assert not outcome.right
        assert 0 < outcome.scores["reward"] < 1


def test_as_many_episodes_are_open_as_may_be_and_the_instruction_goes_with_each_request():
    model = Plays(gold(5))
    found = driven(model, 5, at_once=2, system="Be quick.")
    assert len(found) == 5
    assert all(outcome.right for outcome in found.values())
    assert max(model.open) == 2
    assert model.systems == {"Be quick."}


def test_an_episode_without_end_uses_up_its_turns():
    world = open_environment(WORLD)
    tool = next(iter(world.toolbox))
    again = json.dumps([{"name": tool.name, "arguments": {}}])
    ((_, outcome),) = driven(Plays({world.tasks()[0].request: [again] * 99}), 1).items()
    assert (outcome.right, outcome.scores["stopped"], len(outcome.transcript)) == (False, True, TURNS)


def test_a_request_that_was_not_answered_is_unscored():
    task = open_task(f"env:{WORLD}")
    talk = task.solve(task.samples()[0], Setting(Toolbox([]), "full"))
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.send(Reply("", problem="the endpoint did not answer"))
    outcome: Outcome = end.value.value
    assert outcome.scores["unscored"]
    assert outcome.reasons == ["not answered: the endpoint did not answer"]


def test_what_is_no_environment_is_said_with_those_there_are():
    with pytest.raises(InputError, match="one of bfcl-multi-turn, service-desk, shop"):
        open_task("env")
    with pytest.raises(InputError, match="known: bfcl-multi-turn"):
        open_task("env:nowhere").samples()


def test_turns_that_are_kept_without_what_they_share_are_whole_again():
    said: list[Message] = [Message(role="user", content="Hello.")]
    turns = []
    for number in range(5):
        rows = [json.loads(m.model_dump_json(exclude_none=True)) for m in said]
        text = f"<tools {number // 3}>" + "".join(f"<{m.role}>{m.content}" for m in said) + "<assistant>"
        turns.append({"messages": rows, "answer": f"a{number}", **({"sent": text} if number != 2 else {})})
        said += [Message(role="assistant", content=f"a{number}"), Message(role="tool", content="é" * number)]
    turns.append({"messages": [{"role": "user", "content": "Anew."}], "answer": "b", "sent": ""})
    kept = lean(turns)
    assert list(whole(json.loads(json.dumps(kept)))) == turns
    assert [len(turn["messages"]) for turn in kept] == [1, 2, 2, 2, 2, 1]
    assert kept[1]["sent"] == "a0<tool><assistant>"
    assert list(whole(turns)) == turns
