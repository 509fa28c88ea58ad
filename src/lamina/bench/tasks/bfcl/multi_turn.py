"""``bfcl:multi_turn_CATEGORY``: the multi-turn categories of BFCL v4, played on the environment ``bfcl-multi-turn``.

A sample is a conversation of several requests, played as the leaderboard plays a model with function calling (its
``inference_multi_turn_FC``): an answer with calls has them made, and the model sees what they return; an answer without
calls, or one that is not read as calls, ends the turn, and the next request follows. More than 20 answers with calls in
one turn stop the sample, which is wrong then. Calls are made whether or not they fit their descriptions. After each
turn the leaderboard's check is made (``multi_turn_checker``); a sample is right where every turn passes.

Our choice: answers are constrained as everywhere in a bench; a sample ends at the first turn that fails, as no later
one changes its verdict; what the model is told of all this (``TOLD``), and the sentence that announces functions of
``miss_func``, are in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamina.agents.act import numbered
from lamina.agents.environments.bfcl_multi_turn import (
    RESPOND,
    BfclMultiTurn,
    Folders,
    folders_in,
    known_folders,
)
from lamina.agents.environments.environment import Task as WorldTask
from lamina.agents.environments.worlds.simulators import Simulators
from lamina.bench.tasks.bfcl.categories import MOST_CALLS
from lamina.bench.tasks.bfcl.data import MEND, find_below
from lamina.bench.tasks.played import lean, played_figures
from lamina.bench.tasks.task import (
    Conversation,
    Figure,
    Outcome,
    Sample,
    Setting,
    not_answered,
    read_answer,
    turn_record,
)
from lamina.errors import InputError
from lamina.models.model import Reply
from lamina.models.parsing import STRICT, read_calls
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message, ToolCall

TOLD = (
    "Requests come one after the other. The calls of each of your answers are made, and you see what they return. "
    "Go on until the request is served; when nothing is left to call, or something is missing, answer [], and the "
    "next request follows."
)
"""How a turn ends. A model in style ``baked`` is told nothing: it was taught one form of prompt."""
MOST_STEPS = 20
"""Answers with calls in one turn: the leaderboard's ``MAXIMUM_STEP_LIMIT``."""


class MultiTurnTask:
    """``folder`` overrides where data and simulators are looked for."""

    paired_metric = "accuracy"
    needs_tools = False
    plays = True

    def __init__(self, name: str, *, folder: str | Path | None = None):
        self.name = f"bfcl:{name}"
        self.spec = f"{self.name},data={Path(folder).absolute()}" if folder else self.name
        self._category, self._folder = name, folder
        self._opened: BfclMultiTurn | None = None
        self._tasks: dict[str, WorldTask] = {}

    def samples(self) -> list[Sample]:
        """Raises InputError for data that is not there or not of the published form, and where a simulator cannot be
        loaded."""
        world = self._world()
        return [Sample(task.id, _row(world, task)) for task in world.tasks()]

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        world, setting = self._world().copy(), _told(setting)
        messages = [Message(role="user", content=world.reset(self._tasks[sample.id]))]
        turns: list[JSON] = []
        steps, cut = 0, False
        while not world.done and world.problem is None:
            request = setting.ask(messages, tools=world.offered, most_calls=MOST_CALLS)
            reply = yield request
            cut = cut or reply.truncated
            expected = [ToolCall.of(*call) for call in world.wanted]
            if not_answered(reply):
                turns.append(turn_record(request, reply, expected))
                return _outcome(world, turns, cut, unscored=f"not answered: {reply.problem}")
            reading = read_calls(reply.text, least=STRICT)
            turns.append(turn_record(request, reply, expected, reading))
            if not reading.calls:
                messages += [Message(role="assistant", content=reply.said or reply.text), *_served(world)]
                steps = 0
            elif steps == MOST_STEPS:
                return _outcome(world, turns, cut, stopped=f"more than {MOST_STEPS} answers with calls in one turn")
            else:
                messages += _made(world, reply.said, numbered(reading.calls, turn=len(turns)))
                steps += 1
        return _outcome(world, turns, cut)

    def judge(self, sample: Sample, calls: Sequence[Any]) -> str | None:
        """``calls``: a list for each request, of a list for each answer, of calls."""
        if not all(isinstance(turn, list) and all(isinstance(answer, list) for answer in turn) for turn in calls):
            return "not a list for each request, of a list for each answer, of calls"
        if len(calls) > (asked := len(sample.row["requests"])):
            return f"answers to {len(calls)} requests; there are {asked}"
        outcome = replayed(self, sample, calls)
        return None if outcome.right else "; ".join(outcome.reasons) or "other calls than wanted"

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        return played_figures(outcomes, right="accuracy", share="progress")

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]

    def _world(self) -> BfclMultiTurn:
        """Opened once, its episodes are copies."""
        if self._opened is None:
            what = "multi-turn data of BFCL v4 with its simulators"
            folders = find_below(what, self._folder, folders_in, known_folders)
            self._opened = _open(self._category, folders)
            self._tasks = {task.id: task for task in self._opened.tasks()}
        return self._opened


def replayed(task: MultiTurnTask, sample: Sample, turns: Sequence[Sequence[Sequence[Any]]]) -> Outcome:
    """As a bench plays a model that gives these answers, by request. An answer without calls, or with what is no call,
    ends its turn; so does the last that is there."""
    talk = task.solve(sample, Setting(Toolbox([]), "full"))
    request = next(talk)
    try:
        while True:
            roles = [message.role for message in request.messages]
            turn = roles.count("user") - 1
            given = roles[len(roles) - roles[::-1].index("user") :].count("assistant")
            answers = turns[turn] if turn < len(turns) else []
            request = talk.send(Reply(_answer_text(answers[given] if given < len(answers) else [])))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def _answer_text(calls: Sequence[Any]) -> str:
    read = read_answer(calls)
    rows = calls if read is None else [{"name": name, "arguments": arguments} for name, arguments in read]
    return json.dumps(rows)


def _open(name: str, folders: Folders) -> BfclMultiTurn:
    file = folders.data / f"BFCL_v4_{name}.json"
    try:
        world = BfclMultiTurn(name.removeprefix("multi_turn_"), folders)
        classes = {one for task in world.tasks() for one in task.data["classes"]}
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"is not of the published form ({error})", file=file, mend=MEND) from None
    Simulators(folders.simulators, sorted(classes), {})  # what one of them lacks is said before a model is loaded
    return world


def _told(setting: Setting) -> Setting:
    if setting.style == "baked":
        return setting
    return replace(setting, system=TOLD if setting.system is None else f"{setting.system}\n{TOLD}")


def _row(world: BfclMultiTurn, task: WorldTask) -> JSON:
    """All that decides the sample. ``functions`` are those of the first turn; ``later`` names the ones that come."""
    kept = {key: task.data[key] for key in ("requests", "classes", "scenario", "excluded", "later")}
    return {**kept, "calls": _wanted(task), "functions": Toolbox(world.functions(task, 0)).as_openai()}


def _wanted(task: WorldTask) -> list[list[JSON]]:
    """The right calls, turn by turn."""
    return [[{"name": name, "arguments": arguments} for name, arguments in turn] for turn in task.data["calls"]]


def _made(world: BfclMultiTurn, said: str, calls: list[ToolCall]) -> Iterator[Message]:
    """The answer and what its calls return, in their order."""
    yield Message(role="assistant", content=said, tool_calls=calls)
    for call in calls:
        returned = world.run(call.name, call.arguments)
        yield Message(role="tool", name=call.name, content=returned, tool_call_id=call.id)


def _served(world: BfclMultiTurn) -> Iterator[Message]:
    """The next request, where there is one."""
    step = world.step(ToolCall.of(RESPOND.name, {"message": ""}))
    if not step.done:
        yield Message(role="user", content=step.observation)


def _outcome(
    world: BfclMultiTurn, turns: list[JSON], cut: bool, *, unscored: str | None = None, stopped: str | None = None
) -> Outcome:
    assert world.task is not None
    reasons = [reason for reason in (unscored, stopped, world.problem) if reason]
    scores = {"unscored": unscored is not None, "progress": world.reward(), "stopped": stopped is not None, "cut": cut}
    turns[0]["target"] = turns[-1]["target"] = _wanted(world.task)
    return Outcome(not reasons, scores, reasons, lean(turns))
