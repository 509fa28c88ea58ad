"""``lamina learn``: an agent learns action principles from what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import PASSED_HELP, AllowChanges, AsJson, Channel, Config, Fresh, Method, Out, Seed, verb
from lamina.cli.output import given, show, table

if TYPE_CHECKING:
    from lamina.agents.environments import Environment
    from lamina.agents.learning import Limits
    from lamina.agents.principles import Principles
    from lamina.runs import Run

Option = typer.Option
COMPLETE = ("iterations", "all trajectories")
"""How a learning ends that no limit cut short."""


class By(StrEnum):
    rpo = "rpo"
    gepa = "gepa"


class Rpo(StrEnum):
    batch = "batch"
    traj = "traj"


class Shown(StrEnum):
    env = "env"
    self = "self"


class Form(StrEnum):
    actions = "actions"
    whole = "whole"
    items = "items"


class Preset(StrEnum):
    guarded = "guarded"
    paper = "paper"


def learn(
    out: Out,
    model: Annotated[str, Option("--model", metavar="REF", help="The agent, and who reflects and writes.")],
    env: Annotated[str | None, Option("--env", metavar="NAME", help="An environment of lamina envs.")] = None,
    tools: Annotated[Path | None, Option("--tools", metavar="TOOLS", help="Or your own file of functions,")] = None,
    tasks: Annotated[Path | None, Option("--tasks", metavar="FILE", help="with requests as JSON lines.")] = None,
    reward_file: Annotated[
        Path | None,
        Option("--reward-file", metavar="FILE.py", help="reward(task, messages); else the calls of the tasks judge."),
    ] = None,
    source: Annotated[
        Path | None,
        Option("--from", metavar="FILE|RUN", help="Or trajectories there are: of a file, or what lamina act recorded."),
    ] = None,
    reflector: Annotated[
        str | None, Option("--reflector", metavar="REF", help="Another model to reflect and write.")
    ] = None,
    by: Annotated[
        By, Option("--by", help="gepa: to compare with, until a limit of calls, tokens or time; needs lamina[gepa].")
    ] = By.rpo,
    rpo: Annotated[Rpo | None, Option("--rpo", help="Update after each batch, or each trajectory.  [batch]")] = None,
    reward: Annotated[
        Shown | None, Option("--reward", help="env: the reflector sees the reward; self: it does not.  [env]")
    ] = None,
    preset: Annotated[
        Preset, Option("--preset", help="paper: no change is judged or refused; guarded: see the docs.")
    ] = Preset.guarded,
    form: Annotated[
        Form | None, Option("--form", help="One text an action, one for all, or lines to edit.  [actions]")
    ] = None,
    iterations: Annotated[int | None, Option("--iterations", min=0, help="0: the tests alone.  [4]")] = None,
    batch: Annotated[int | None, Option("--batch", min=1, help="Tasks an iteration.  [8]")] = None,
    repeats: Annotated[int | None, Option("--repeats", min=1, help="Rollouts of each task.  [1]")] = None,
    temperature: Annotated[float | None, Option("--temperature", min=0, help="Of the agent.  [0]")] = None,
    test: Annotated[int | None, Option("--test", min=0, help="Tasks kept for the figures.  [20]")] = None,
    held: Annotated[int | None, Option("--held", min=0, help="Tasks that judge changes.  [10, paper 0]")] = None,
    turns: Annotated[int | None, Option("--turns", min=1, help="Answers of the agent a task, at most.  [15]")] = None,
    method: Annotated[Method, Option("--method", help="pract shows the principles to the agent.")] = Method.pract,
    channel: Annotated[
        Channel | None,
        Option("--channel", help="text: calls written out; native: the model's own form.  [native if Lamina tuned it]"),
    ] = None,
    principles: Annotated[Path | None, Option("--principles", metavar="FILE", help="To start from.")] = None,
    max_calls: Annotated[
        int | None, Option("--max-calls", min=1, help="Of models while learning; tests aside.")
    ] = None,
    max_tokens: Annotated[int | None, Option("--max-tokens", min=1, help="As many tokens, in and out.")] = None,
    max_minutes: Annotated[float | None, Option("--max-minutes", min=0, help="As long waiting for models.")] = None,
    allow_changes: AllowChanges = False,
    variables: Annotated[list[str] | None, Option("--pass-env", metavar="NAME", help=PASSED_HELP)] = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Let an agent learn when and how to use each of its actions (PRAct with RPO), without training.

    It plays tasks, reflects on what it did, and rewrites its action principles. DIR/principles.toml is what
    lamina act --principles takes; the page shows each version, the reflections behind it and the rewards.
    The same command goes on where it was stopped; no model is asked the same twice.
    """
    from lamina.agents.learning import PRESETS, LearnSettings, Limits
    from lamina.models import check_reference

    for ref in filter(None, (model, reflector)):
        check_reference(ref)
    chosen = given(
        rpo=rpo and rpo.value,
        reward=reward and reward.value,
        form=form and form.value,
        iterations=iterations,
        batch=batch,
        repeats=repeats,
        temperature=temperature,
        test=test,
        held=held,
        turns=turns,
    )
    changes: Any = {**PRESETS[preset.value], **chosen, "by": by.value, "seed": seed}
    settings = LearnSettings(**changes)
    limits = Limits(max_calls, max_tokens, None if max_minutes is None else max_minutes * 60)
    work = _Work(
        model, reflector, settings, limits, method.value, channel and channel.value, principles, out, fresh, as_json
    )
    _one_source(env, tools, tasks, source)
    if source is not None:
        work.from_trajectories(source)
    else:
        work.in_environment(env, tools, tasks, reward_file, allow_changes)


class _Work:
    """What the command line asked for, put to work."""

    def __init__(
        self,
        model: str,
        reflector: str | None,
        settings: Any,
        limits: Limits,
        method: Any,
        channel: Any,
        principles: Path | None,
        out: Path,
        fresh: bool,
        as_json: bool,
    ):
        from lamina.runs import Progress

        self.model, self.reflector, self.settings, self.limits = model, reflector, settings, limits
        self.method, self.channel, self.principles = method, channel, principles
        self.out, self.fresh, self.as_json = out, fresh, as_json
        self.progress = Progress(as_json)

    def in_environment(
        self, env: str | None, tools: Path | None, tasks: Path | None, reward_file: Path | None, allow_changes: bool
    ) -> None:
        from lamina.agents.learning import learn_in_run, opened, split_tasks
        from lamina.agents.prompting import manner_of
        from lamina.tools import where_of

        named = where_of(tools) if tools else None
        key = {"env": env, "tools": named, "tasks": _resolved(tasks), "reward_file": _resolved(reward_file)}
        with _environment(env, tools, tasks, reward_file, allow_changes) as world:
            start = self._start(world)
            rewarded = getattr(world, "rewarded", True)
            self.settings.check(rewarded=rewarded)
            test = self.settings.test if rewarded else 0
            split = split_tasks(world.tasks(), held=self.settings.held, test=test, seed=self.settings.seed)
            with self._run(key) as run, opened(self.model, self.reflector, self.settings.batch) as roles:
                manner = manner_of(roles.executor, self.method, self.channel, temperature=self.settings.temperature)
                result = learn_in_run(
                    run, world, split, roles, self.settings, limits=self.limits, start=start,
                    manner=manner, progress=self.progress,
                )  # fmt: skip
                self._show(run, result)

    def from_trajectories(self, source: Path) -> None:
        from lamina.agents.learning import learn_from_in_run, opened, read_deeds

        deeds, rejects = read_deeds(source)
        for reject in rejects:
            self.progress.say(f"left out: {reject.id}: {reject.detail}")
        start = self._start(None)
        with self._run({"from": _resolved(source)}) as run:
            with opened(self.model, self.reflector, self.settings.batch) as roles:
                result = learn_from_in_run(
                    run, deeds, roles, self.settings, limits=self.limits, start=start, progress=self.progress
                )
            self._show(run, result)

    def _start(self, world: Environment | None) -> Principles | None:
        from lamina.agents.principles import read_principles

        return read_principles(self.principles, world.toolbox if world else None) if self.principles else None

    def _run(self, key: dict[str, Any]) -> Run:
        from lamina.runs import Run

        asked = {"model": self.model, "reflector": self.reflector, "method": self.method, "channel": self.channel}
        more = {**asked, "principles": _resolved(self.principles), **asdict(self.limits), **asdict(self.settings)}
        return Run.open(self.out, {"verb": "learn", **key, **more}, fresh=self.fresh)

    def _show(self, run: Run, result: dict[str, Any]) -> None:
        from lamina.bench.learned import learned_figures
        from lamina.reports import write_report

        metrics = learned_figures(result)
        run.finish("learn", metrics)
        run.write_report_json()
        report = write_report(run.folder, run.results())
        rows = [(name, _span(metrics[name])) for name in ("first", "last", "difference") if metrics[name]]
        cost = result["total"]
        tokens = cost["prompt_tokens"] + cost["completion_tokens"]
        lines = [
            *table([("reward on test tasks", "mean, 95 %"), *rows] if rows else []),
            f"updates: {result['updates']}, {result['accepted']} changed the principles; "
            f"{cost['calls']} calls, {tokens} tokens",
            *([f"stopped early: {result['ending']}"] if result["ending"] not in COMPLETE else []),
            f"principles: {self.out / result['principles']}",
            f"report: {report}",
        ]
        shown = {"out": str(self.out), "seconds": self.progress.seconds, "metrics": metrics}
        show(shown, as_json=self.as_json, lines=lines)


@contextmanager
def _environment(
    env: str | None, tools: Path | None, tasks: Path | None, reward_file: Path | None, allow_changes: bool
) -> Iterator[Environment]:
    from lamina.agents.environments import open_environment
    from lamina.agents.environments.user_tools import UserTools

    world: Environment
    if env is not None:
        world = open_environment(env)
    else:
        assert tools is not None
        assert tasks is not None
        world = UserTools(tools, tasks, reward_file, allow_changes=allow_changes)
    try:
        yield world
    finally:
        world.close()


def _one_source(env: str | None, tools: Path | None, tasks: Path | None, source: Path | None) -> None:
    from lamina.errors import UserError

    if (tools is None) != (tasks is None):
        raise UserError("--tools and --tasks belong together; give both")
    if sum(x is not None for x in (env, tools, source)) != 1:
        raise UserError("give one of --env NAME, --tools TOOLS with --tasks FILE, or --from FILE")


def _resolved(path: Path | None) -> Path | None:
    return path.resolve() if path else None


def _span(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{row['value']:.3f}, {row['low']:.3f} to {row['high']:.3f} (n={row['n']})"


app = verb(
    learn,
    example="""\
lamina learn --env shop --model openai:NAME --out runs/shop
lamina learn --tools tools.py --tasks tasks.jsonl --model runs/desk/gguf/model-Q8_0.gguf --out runs/principles""",
)
