"""Draws valid calls: arguments from ``values``, kept only if the call really runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lamina.synth.failing import Failing
from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import PythonTarget, Tool, Toolbox
from lamina.tools.execution import CallResult, Executor, error_in
from lamina.tools.targets import McpTarget

DRAWS_PER_CALL = 12
"""How many draws a valid call may take before the tool is called hard to draw for (our choice)."""
FEW = 4
"""Calls drawn at a time where any will do."""
MANY = 10
"""Calls drawn at a time where they have to say certain arguments."""
TRIES = 3
"""Times that more are drawn because none fits."""
SPAN = 16
"""Batches that calls of a pure tool are drawn ahead for."""
AHEAD = 128
"""Of these, calls for one batch of all tools together; of one tool at least ``FEW``."""
NO_USE = ("timed_out", "unmet")
"""Ends of a call after which another one with other arguments is not worth its time."""
REFUSED = (401, 403, 407, 429)
"""HTTP statuses of the same kind: a key that is no good, and too many calls."""
LOST = 2
"""Rounds after each other in which every call ended its server, after which no more is drawn: a server takes
seconds to start, or a minute, and calls that run beside a fatal one end with it, so that one round tells little (our
choice)."""
TOGETHER = 128
"""Tools whose calls are drawn ahead at once (our choice)."""


@dataclass(frozen=True)
class DrawnCall:
    tool: Tool
    arguments: dict[str, Any]
    result: CallResult


@dataclass
class Stock:
    """Drawn calls at hand. Running them is what takes time, so they are drawn and run many at a time.

    Of a tool that is declared pure they are drawn for ``SPAN`` batches at once, each batch having its own: what a
    batch uses follows from its number, not from what earlier ones left over, so that a killed run goes on with the
    same rows."""

    toolbox: Toolbox
    pool: ValuePool
    executor: Executor
    now: str
    seed: int = 0
    failing: Failing = field(default_factory=Failing)
    _batch: int | None = None
    _kept: dict[str, list[DrawnCall]] = field(default_factory=dict)
    _span: int = -1
    _ahead: dict[str, list[DrawnCall]] = field(default_factory=dict)
    """Of the span, by tool."""

    def begin(self, batch: int | None = None) -> None:
        """Forgets what is left over. ``batch``: its number; None for a phase that is none."""
        self._kept.clear()
        self._batch = batch

    def take(self, tool: Tool, rng: random.Random, fits: Callable[[DrawnCall], bool] | None = None) -> DrawnCall | None:
        """A call of the tool that ``fits``; None where what is drawn does not run or fit."""
        before = rng.getstate()
        found = self._taken(tool, rng, fits)
        if found is None:  # one step, however much was tried: a killed run may try more, and goes on with the same rows
            rng.setstate(before)
            rng.random()
        return found

    def _taken(self, tool: Tool, rng: random.Random, fits: Callable[[DrawnCall], bool] | None) -> DrawnCall | None:
        if tool.name in self.failing.given_up:
            return None
        if (kept := self._kept.get(tool.name)) is None:
            kept = self._kept[tool.name] = self._of_the_batch(tool)
        for left in reversed(range(TRIES + 1 if fits else 2)):
            for i, call in enumerate(kept):
                if fits is None or fits(call):
                    return kept.pop(i)
            if left and tool.name not in self.failing.given_up:
                hard = len(self._ahead.get(tool.name, ())) < self._count
                kept += draw_calls(
                    tool, MANY if fits else FEW, rng, self.pool, self.executor, self.now, hard, self.failing
                )
        return None

    def _of_the_batch(self, tool: Tool) -> list[DrawnCall]:
        if self._batch is None or not is_pure(tool):
            return []
        span, place = divmod(self._batch, SPAN)
        if self._span != span:
            self._span, self._ahead = span, {}
        if tool.name not in self._ahead:
            self._draw_ahead(tool, span)
        return self._ahead[tool.name][place::SPAN]

    @property
    def _count(self) -> int:
        """Calls of a tool that are drawn ahead."""
        return SPAN * max(FEW, AHEAD // len(self.toolbox))

    def _draw_ahead(self, tool: Tool, span: int) -> None:
        """For the tool and those that stand beside it, all run together: what takes time is starting to run, and in a
        span nearly every tool's turn comes. Each tool draws its own lots, so its calls are the same in any company."""
        pure = [t for t in self.toolbox if is_pure(t)]
        at = pure.index(tool) // TOGETHER * TOGETHER
        tools = pure[at : at + TOGETHER]
        again = self.failing.spans.get(str(at)) == span  # before the run was killed
        failing = None if again else self.failing
        known = self.failing.ran | self.failing.given_up
        new = [] if again else [t for t in tools if t.name not in known]
        trial = [(t, 1, random.Random(f"{self.seed}/trial/{t.name}")) for t in new]
        # One round of a few: a tool that hangs would take all its time in each of the hundreds that are drawn ahead.
        _found([Search(t, n, rng, self.pool, most=1) for t, n, rng in trial], self.executor, self.now, self.failing)
        wanted = [(t, 0 if t.name in self.failing.given_up else self._count,
                   random.Random(f"{self.seed}/calls/{t.name}/{span}")) for t in tools]  # fmt: skip
        drawn = draw_for_each(wanted, self.pool, self.executor, self.now, failing)
        self.failing.spans[str(at)] = span
        self._ahead |= {t.name: calls for t, calls in zip(tools, drawn, strict=True)}


def draw_calls(
    tool: Tool,
    count: int,
    rng: random.Random,
    pool: ValuePool,
    executor: Executor,
    now: str,
    hard: bool = False,
    failing: Failing | None = None,
) -> list[DrawnCall]:
    """``count`` calls that ran, or a few more; fewer where the tool refuses most of what is drawn. ``hard``: whether
    that is to be expected. ``failing`` is told of a tool of which none ran."""
    return _found([Search(tool, count, rng, pool, ahead=0 if hard else 1)], executor, now, failing)[0]


def draw_for_each(
    wanted: Sequence[tuple[Tool, int, random.Random]],
    pool: ValuePool,
    executor: Executor,
    now: str,
    failing: Failing | None = None,
) -> list[list[DrawnCall]]:
    """As ``draw_calls``, of several tools, each with lots of its own. What is drawn of all of them runs together."""
    return _found([Search(tool, count, rng, pool) for tool, count, rng in wanted], executor, now, failing)


def _found(
    searches: Sequence[Search], executor: Executor, now: str, failing: Failing | None = None
) -> list[list[DrawnCall]]:
    while going_on := [search for search in searches if search.goes_on]:
        drawn = [(search.tool.name, a) for search in going_on for a in search.draw()]
        ran = iter(executor.run_many([[call] for call in drawn], [now] * len(drawn)) if drawn else [])
        for search in going_on:
            search.learn(ran)
    for search in searches if failing is not None else ():
        failing.note(search)  # type: ignore[union-attr]
    return [search.found for search in searches]


@dataclass
class Search:
    """Draws calls of one tool, round after round, until ``count`` of them ran or ``DRAWS_PER_CALL`` rounds are over.

    ``ahead``: from how many rounds on all those to come are drawn as if nothing of theirs would run, and run together:
    starting to run is what takes time, and tools that refuse most of what is drawn are the most common reason for it.
    If one does run, the lots go back to where they were after its round, so that the calls are those of one round at a
    time. Not so of tools that are not declared pure: they would be called more often than needed."""

    tool: Tool
    count: int
    rng: random.Random
    pool: ValuePool
    ahead: int = DRAWS_PER_CALL
    most: int = DRAWS_PER_CALL
    found: list[DrawnCall] = field(default_factory=list)
    last: DrawnCall | None = None
    """That did not run."""
    unfit: dict[str, Any] | None = None
    """Arguments of a round in which none fit the tool's schema."""
    late: bool = False
    """Whether all calls of a round ran out of time, lack a key or a server or were refused, or those of ``LOST`` rounds
    ended the server: no other call will fare better."""
    _over: int = 0
    _lost: int = 0
    """Rounds in which every call ended its server, since the last that was another."""
    _rounds: list[tuple[list[dict[str, Any]], Any]] = field(default_factory=list)
    """What is drawn for each of the rounds under way, and the state of the lots after it."""

    @property
    def goes_on(self) -> bool:
        return len(self.found) < self.count and self._over < self.most and not self.late

    def draw(self) -> list[dict[str, Any]]:
        rounds = self.most - self._over if self._over >= self.ahead and is_pure(self.tool) else 1
        self._rounds = [(self._round(), self.rng.getstate()) for _ in range(rounds)]
        return [arguments for drawn, _ in self._rounds for arguments in drawn]

    def learn(self, ran: Iterator[list[CallResult]]) -> None:
        """``ran`` begins with the results of what was drawn."""
        results = [(drawn, list(islice(ran, len(drawn))), state) for drawn, state in self._rounds]
        for drawn, of_round, state in results:
            self._over += 1
            fit = [
                DrawnCall(self.tool, a, r[0])
                for a, r in zip(drawn, of_round, strict=True)
                if r and r[0].ok and not error_in(self.tool, r[0])
            ]
            if fit:
                self.found += fit
                self.rng.setstate(state)
                break
            failed = [DrawnCall(self.tool, a, r[0]) for a, r in zip(drawn, of_round, strict=True) if r]
            self.last = failed[-1] if failed else self.last
            self.late = bool(failed) and not self.found and self._is_of_no_use(failed)
            if self.late:
                self.rng.setstate(state)
                break

    def _is_of_no_use(self, failed: Sequence[DrawnCall]) -> bool:
        """Of a round of which nothing ran."""
        ended = isinstance(self.tool.target, McpTarget) and all(c.result.status == "killed" for c in failed)
        self._lost = self._lost + 1 if ended else 0
        of_no_use = (c.result.status in NO_USE or c.result.http_status in REFUSED for c in failed)
        return self._lost >= LOST or all(of_no_use)

    def _round(self) -> list[dict[str, Any]]:
        """Some more than are missing, without those that the tool's schema refuses; where it refuses all, the tool's
        examples."""
        missing = self.count - len(self.found)
        drawn = [draw_arguments(self.tool, self.rng, self.pool) for _ in range(missing + max(2, missing // 4))]
        shown = (dict(example.arguments) for example in self.tool.examples)
        fitting = [a for a in drawn if self._fits(a)] or [a for a in shown if self._fits(a)]
        if not fitting:
            self.unfit = drawn[-1]
        return fitting

    def _fits(self, arguments: dict[str, Any]) -> bool:
        return not _repeats_choice(self.tool, arguments) and not self.tool.problems(arguments)


def is_pure(tool: Tool) -> bool:
    return isinstance(tool.target, PythonTarget) and tool.target.pure


def _repeats_choice(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Two arguments with the same choices and the same value: kilometers to kilometers."""
    chosen = [
        (str(schema["enum"]), arguments[name])
        for name, schema in tool.properties.items()
        if isinstance(schema, dict) and "enum" in schema and name in arguments
    ]
    return len(chosen) != len(set(map(str, chosen)))
