"""Rollouts: episodes of an agent in environments, many beside each other.

All episodes that are open ask for their next turn together, in one call of the model, which answers as many at once as
it can; a backend needs to be safe for one caller only, and the order of everything is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat

from lamina.agents.act import Budget, numbered
from lamina.agents.environments.environment import Environment, Task, checked_reward
from lamina.agents.principles import Principles
from lamina.agents.prompting import Manner, Turn, read_turn, request_of
from lamina.models.model import Model, Reply, Request
from lamina.trajectories.trajectory import Message, Meta, ToolCall, Trajectory, content_id

Ask = Callable[[Sequence[tuple[str, Request]]], list[Reply]]
"""From (slot, request) pairs to replies, in their order. A slot names the place of a request in the work."""
STEPPING = 16
"""Environments that step at once: threads, for tools that wait."""


@dataclass(frozen=True)
class Job:
    """One episode to be played; ``slot`` names it, ``seed`` goes into its requests."""

    slot: str
    task: Task
    seed: int = 0


@dataclass
class Episode:
    job: Job
    environment: Environment
    messages: list[Message]
    ending: str = ""
    turns: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    failed: int = 0


def asking(model: Model) -> Ask:
    """Asks the model and keeps no record."""
    return lambda pairs: model.generate([request for _, request in pairs])


def roll_out(
    environment: Environment,
    jobs: Sequence[Job],
    ask: Ask,
    *,
    principles: Principles | None = None,
    manner: Manner | None = None,
    budget: Budget | None = None,
    on_end: Callable[[Job, Trajectory], None] | None = None,
) -> list[Trajectory]:
    """Plays each job in a copy of ``environment``; returns the trajectories in the order of ``jobs``, their rewards in
    ``meta.reward``. ``budget.seconds`` counts what the model took for its answers. ``on_end`` is told of each at its
    end. Raises UserError for a reward that is none."""
    principles, manner, budget = principles or Principles(), manner or Manner(), budget or Budget(turns=15)
    episodes = [_begin(environment.copy(), job) for job in jobs]
    made: dict[str, Trajectory] = {}
    with ThreadPoolExecutor(max_workers=STEPPING) as pool:
        while going := [e for e in episodes if not e.ending]:
            asked = [
                (f"{e.job.slot} turn {e.turns}",
                 request_of(manner, e.environment.toolbox, e.messages, principles, e.job.seed))
                for e in going
            ]  # fmt: skip
            replies = ask(asked)
            turns = [read_turn(manner, reply) for reply in replies]
            list(pool.map(_advance, going, replies, turns, repeat(budget)))
            for episode in [e for e in going if e.ending]:
                ended = made[episode.job.slot] = _trajectory(episode, principles, manner)
                if on_end is not None:
                    on_end(episode.job, ended)
    return [made[job.slot] for job in jobs]


def playing(
    environment: Environment,
    job: Job,
    *,
    principles: Principles | None = None,
    manner: Manner | None = None,
    budget: Budget | None = None,
) -> Generator[Request, Reply, Trajectory]:
    """One episode as ``roll_out`` plays it, in a copy of ``environment``, for whoever asks the model: yields each
    request, is sent its reply, and returns the trajectory. Raises UserError for a reward that is none."""
    principles, manner, budget = principles or Principles(), manner or Manner(), budget or Budget(turns=15)
    episode = _begin(environment.copy(), job)
    while not episode.ending:
        reply = yield request_of(manner, episode.environment.toolbox, episode.messages, principles, job.seed)
        _advance(episode, reply, read_turn(manner, reply), budget)
    return _trajectory(episode, principles, manner)


def rollout_id(job: Job, principles: Principles, manner: Manner) -> str:
    """The id that the trajectory of a job has, known before it is played."""
    asked = [job.task.request, job.seed, principles.version, asdict(manner)]
    return content_id(job.slot, job.task.id, *asked)


def _begin(environment: Environment, job: Job) -> Episode:
    return Episode(job, environment, [Message(role="user", content=environment.reset(job.task))])


def _advance(episode: Episode, reply: Reply, turn: Turn, budget: Budget) -> None:
    episode.turns += 1
    episode.prompt_tokens += reply.prompt_tokens
    episode.completion_tokens += reply.completion_tokens
    episode.seconds += reply.seconds
    if turn.problem is not None:
        episode.failed += 1
        episode.messages += [
            Message(role="assistant", content=reply.text),
            Message(role="user", content=f"Your answer could not be read: {turn.problem}."),
        ]
    elif not turn.calls:
        episode.messages.append(Message(role="assistant", content=turn.thought))
        episode.ending = "done"
        return
    else:
        _execute(episode, turn)
    if not episode.ending:
        episode.ending = _over(episode, budget)


def _execute(episode: Episode, turn: Turn) -> None:
    """The calls of one turn, in their order; what stands after the one that ends the episode is left out."""
    calls = numbered(turn.calls, turn=episode.turns)
    shown = Message(role="assistant", content=turn.thought, tool_calls=[])
    episode.messages.append(shown)
    made: list[ToolCall] = []
    for call in calls:
        step = episode.environment.step(call)
        made.append(call)
        episode.failed += step.failed
        episode.messages.append(Message(role="tool", name=call.name, content=step.observation, tool_call_id=call.id))
        if step.done:
            episode.ending = "done"
            break
    shown.tool_calls = made


def _over(episode: Episode, budget: Budget) -> str:
    if episode.turns >= budget.turns:
        return "turns"
    if budget.tokens is not None and episode.prompt_tokens + episode.completion_tokens >= budget.tokens:
        return "tokens"
    return "time" if episode.seconds > budget.seconds else ""


def _trajectory(episode: Episode, principles: Principles, manner: Manner) -> Trajectory:
    job, environment = episode.job, episode.environment
    reward = checked_reward(environment.reward(), of=f"task {job.task.id}")
    more = {
        "ending": episode.ending,
        "environment": environment.name,
        "task": job.task.id,
        "principles": principles.version,
        "method": manner.method,
        "turns": episode.turns,
        "failed": episode.failed,
        "prompt_tokens": episode.prompt_tokens,
        "completion_tokens": episode.completion_tokens,
        "seconds": round(episode.seconds, 3),
    }
    meta = Meta(source="rollout", reward=reward, seed=job.seed, group=job.task.group or None).model_copy(update=more)
    identity = rollout_id(job, principles, manner)
    return Trajectory(id=identity, tools=environment.toolbox.as_openai(), messages=episode.messages, meta=meta)
