"""``open_executor``: one interface to run calls of any toolbox, whatever its tools are made of."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from lamina.errors import InputError
from lamina.tools.execution.executor import Executor
from lamina.tools.execution.outcomes import CallResult, Limits
from lamina.tools.execution.results import refusal
from lamina.tools.execution.supervised import Call
from lamina.tools.targets import HttpTarget, McpTarget, PythonTarget, Target
from lamina.tools.tool import JSON, Tool, Toolbox

NAMED = 3
MEND = (
    "let them reach something to test with (a server, a dry run) and give --allow-changes; or leave them out: "
    "'lamina tools TOOLS probe --out FILE' writes down which, 'lamina synth TOOLS --offers FILE' goes on without them"
)


class Runner(Protocol):
    """What runs one kind of target, one call at a time, from several threads. ``target.runner`` names it."""

    level: str

    def unmet(self, tool: Tool) -> str | None: ...

    def run(self, tool: Tool, arguments: JSON, now: str | None, scratch: Path | None) -> CallResult: ...

    def close(self) -> None: ...


def open_executor(
    toolbox: Toolbox,
    level: str = "guarded",
    limits: Limits | None = None,
    *,
    workers: int | None = None,
    allow_changes: bool = True,
) -> Executor:
    """The executor that fits ``toolbox``: ``Executor`` for Python functions (and for tools that are only
    described), ``MixedExecutor`` where there are HTTP operations or tools of MCP servers.

    Raises InputError where a tool may change things outside the sandbox and ``allow_changes`` is false: calls
    that nobody asked for (synthesis) must not reach a real shop, nor send real mail."""
    if not allow_changes:
        check_changes_nothing(toolbox)
    if all(t.target is None or isinstance(t.target, PythonTarget) for t in toolbox):
        return Executor(toolbox, level, limits, workers=workers)
    return MixedExecutor(toolbox, level, limits, workers=workers)


def check_changes_nothing(toolbox: Toolbox) -> None:
    """Raises InputError where a tool may change things outside the sandbox."""
    changing = [t.name for t in toolbox if t.target is not None and t.target.changes_things]
    if changing:
        named = ", ".join(changing[:NAMED]) + (", …" if len(changing) > NAMED else "")
        what = f"{len(changing)} of {len(toolbox)} tools may change things elsewhere ({named})"
        raise InputError(what, mend=MEND)


def unmet_tools(toolbox: Toolbox) -> dict[str, str]:
    """Of each tool that cannot run yet, what the user has yet to set. Nothing is called."""
    if not any(_is_remote(tool.target) for tool in toolbox):
        return {}
    with MixedExecutor(toolbox) as executor:
        return {name: unmet for name in toolbox.names if (unmet := executor.unmet(name))}


class MixedExecutor(Executor):
    """Runs each call by what its tool is made of; results and statuses are those of Python functions.

    ``level`` names all that is at work, such as ``guarded+http``. Python functions are sandboxed as ever; HTTP
    and MCP calls leave this machine or reach programs of the user's by their nature, bounded in time and size.
    In a sequence, Python calls that follow each other share a fork; a call of another kind between them ends it
    (files in ``scratch`` stay, variables do not). Thread-safe.
    """

    def __init__(
        self, toolbox: Toolbox, level: str = "guarded", limits: Limits | None = None, *, workers: int | None = None
    ):
        super().__init__(toolbox, level, limits, workers=workers)
        self._runners: dict[str, Runner] = {}
        for where in dict.fromkeys(t.target.runner for t in toolbox if _is_remote(t.target)):
            module, _, name = where.partition(":")
            self._runners[where] = getattr(importlib.import_module(module), name)(toolbox, self.limits)
        forks = any(isinstance(t.target, PythonTarget) for t in toolbox)
        self.level = "+".join([*([self.level] if forks else []), *(r.level for r in self._runners.values())])

    def close(self) -> None:
        """End supervisors, connections and servers. A later call starts them anew."""
        super().close()
        for runner in self._runners.values():
            runner.close()

    def unmet(self, name: str) -> str | None:
        tool = self.toolbox[name]
        return self._runners[tool.target.runner].unmet(tool) if _is_remote(tool.target) else None

    def run_sequence(
        self, calls: Sequence[Call], now: str | None = None, scratch: Path | None = None
    ) -> list[CallResult]:
        """Calls one after the other, up to the first that is not ok: ``unmet`` where a key or a server has yet to be
        named."""
        results: list[CallResult] = []
        for remote, group in itertools.groupby(calls, key=lambda call: self._runner_of(call[0]) is not None):
            if remote:
                for name, arguments in group:
                    results.append(self._run_remote(name, arguments, now, scratch))
                    if not results[-1].ok:
                        return results
            else:
                results += super().run_sequence(list(group), now, scratch)
                if not results[-1].ok:
                    return results
        return results

    def _run_and_ask(
        self, calls: Sequence[Call], now: str | None, scratch: Path
    ) -> tuple[list[CallResult], dict[str, str]]:
        """Calls that leave the sandbox lead to no module that could be asked, and end the fork of those before."""
        if any(self._runner_of(name) is not None for name, _ in calls):
            return self.run_sequence(calls, now, scratch), {}
        return super()._run_and_ask(calls, now, scratch)

    def _runner_of(self, name: Any) -> Runner | None:
        tool = self.toolbox.get(name) if isinstance(name, str) else None
        return self._runners[tool.target.runner] if tool is not None and _is_remote(tool.target) else None

    def _run_remote(self, name: str, arguments: JSON, now: str | None, scratch: Path | None) -> CallResult:
        refused = refusal(self.toolbox, name, arguments)
        runner = self._runner_of(name)
        assert runner is not None
        return refused or self._counted([runner.run(self.toolbox[name], arguments, now, scratch)])[0]


def _is_remote(target: Target | None) -> TypeGuard[HttpTarget | McpTarget]:
    return target is not None and not isinstance(target, PythonTarget)
