"""Executor: runs calls that a model wrote, out of process, under limits. See the class for what it stops."""

from __future__ import annotations

import json
import os
import queue
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from lamina.errors import InputError, UserError
from lamina.tools.environment import passed_secrets
from lamina.tools.execution import processes
from lamina.tools.execution.outcomes import CallResult, Limits
from lamina.tools.execution.results import failed, refusal
from lamina.tools.execution.scratch import remove_tree
from lamina.tools.execution.secrets import Secrets
from lamina.tools.execution.sessions import Session, contents_of, state_calls, told_by, without_folder
from lamina.tools.execution.supervised import Call, SupervisorProcess
from lamina.tools.targets import PythonTarget
from lamina.tools.tool import JSON, Toolbox

LEVELS = ("guarded",)
BATCH = 1024
"""Sequences of pure tools a fork."""
FEW = 16
"""Of so few of them a second fork would take longer than they do."""
WORTH_A_START = 64
"""Calls, a fork each, that take about as long as a supervisor does to start."""


def available_level(requested: str = "auto") -> str:
    """The level that will be used. Raises UserError for one that is not there: never a silent downgrade."""
    if not hasattr(os, "fork"):
        raise UserError("tools cannot be run on this system: it has no fork; use Linux, macOS or WSL")
    if requested in ("auto", *LEVELS):
        return LEVELS[-1]
    if requested in ("confined", "isolated"):
        raise UserError(f"sandbox level {requested} is not there yet; use guarded")
    raise UserError(f"there is no sandbox level {requested!r}; use guarded or auto")


def level_note() -> str:
    """What of *guarded* this system lacks; empty on Linux."""
    if processes.LINUX:
        return ""
    return "no subreaper, address-space or process limit on this system: daemons that a tool starts may survive"


class Executor:
    """Runs calls of a toolbox at level *guarded*.

    Arguments are checked against the tool's schema first, then converted to the annotated types (dataclass,
    Enum, date, …) and passed by keyword, never evaluated. A tool that raises, sleeps, allocates, forks, turns
    into a daemon, exits, crashes, prints or returns a megabyte gives a CallResult that says so. Each sequence
    has a fork of a preloaded process, an empty scratch folder as working directory, home and temporary folder
    (removed afterwards), an allow-listed environment, resource limits and a deadline per call; when it is
    over, no process of it is left.

    **Guarded is not a wall.** It covers accidents, not malice. NOT covered:

    - reading and writing files anywhere the user may, in the scratch folder or not;
    - the network, local sockets, and everything they lead to;
    - killing or tracing processes of the same user, Lamina and the supervisor included (a supervisor that
      dies is replaced, but what the call had started by then may stay);
    - the sum of many processes that each stay under the memory limit, and of many files;
    - any limit, where Lamina runs as root: root may raise its own.

    For code you do not trust, run Lamina itself in a container.

    Thread-safe. Raises ToolDefinitionError when the user's module does not import in the supervisor.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        level: str = "guarded",
        limits: Limits | None = None,
        *,
        workers: int | None = None,
    ):
        self.level = available_level(level)
        self.note = level_note()
        self.toolbox = toolbox
        self.limits = limits or Limits()
        self._secrets = passed_secrets()
        cores = min(4, os.cpu_count() or 1)
        self.workers = workers or cores
        """Supervisors that compute at a time."""
        self._most = workers or 2 * cores  # while a fork is watched, or a tool waits, a core has nothing to do
        self.ran = 0
        """Calls that were run so far, however they ended."""
        self._counting = threading.Lock()
        self._servers = [SupervisorProcess(toolbox, self.limits) for _ in range(self._most)]
        self._idle: queue.LifoQueue[SupervisorProcess] = queue.LifoQueue()
        for server in reversed(self._servers):
            self._idle.put(server)

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the supervisors. A later call starts one anew."""
        for server in self._servers:
            server.close()

    def unmet(self, name: str) -> str | None:
        """What the user has yet to set (a key, a server) before the tool can run; None when nothing, as of all
        functions of this machine."""
        return None

    def run(self, name: str, arguments: JSON, now: str | None = None, scratch: Path | None = None) -> CallResult:
        """One call in a fork of its own. ``now`` (ISO time) becomes ``LAMINA_NOW``."""
        return self.run_sequence([(name, arguments)], now, scratch)[0]

    def run_sequence(
        self, calls: Sequence[Call], now: str | None = None, scratch: Path | None = None
    ) -> list[CallResult]:
        """Calls in one fork, one after the other, so that files and variables live from call to call. Stops
        at the first that is not ok: the list is as long as what was tried. ``scratch`` is a folder that
        stays."""
        runnable, refused = self._runnable(calls)
        results = self._counted(self._exchange(runnable, now, scratch)) if runnable else []
        return _with_refusal(results, refused)

    def run_session(self, calls: Sequence[Call], now: str | None = None) -> Session:
        """As ``run_sequence``, with what the calls left behind: the files in their folder and the value of
        ``_state()`` of each module that has one. Raises ToolDefinitionError for a ``_state()`` that fails."""
        folder = os.path.realpath(tempfile.mkdtemp(prefix="lamina-session-"))
        try:
            results, told = self._run_and_ask(calls, now, Path(folder))
            if not all(result.ok for result in results):
                return Session(results)
            return Session([without_folder(r, folder) for r in results], {**told, **contents_of(folder)})
        finally:
            remove_tree(folder)

    def _run_and_ask(
        self, calls: Sequence[Call], now: str | None, scratch: Path
    ) -> tuple[list[CallResult], dict[str, str]]:
        """The modules are asked in the fork that the calls ran in, after the last of them."""
        runnable, refused = self._runnable(calls)
        asked = state_calls(self.toolbox, [name for name, _ in runnable]) if refused is None else []
        ran = self._exchange([*runnable, *((name, {}) for name, _ in asked)], now, scratch) if runnable else []
        results = self._counted(ran[: len(runnable)])
        return _with_refusal(results, refused), told_by(asked, ran[len(runnable) :])

    def run_many(
        self, sequences: Sequence[Sequence[Call]], nows: Sequence[str | None] | None = None
    ) -> list[list[CallResult]]:
        """Independent sequences on all workers, in the order given. The results do not depend on how many
        workers there are. Sequences of tools that are declared pure share a fork, many of them."""
        clocks = list(nows) if nows is not None else [None] * len(sequences)
        if len(clocks) != len(sequences):
            raise ValueError(f"{len(sequences)} sequences, but {len(clocks)} clocks")
        pure = [i for i, sequence in enumerate(sequences) if self._is_pure(sequence)]
        size = max(FEW, min(BATCH, -(-len(pure) // self.workers)))
        shares = [pure[at : at + size] for at in range(0, len(pure), size)]
        others = set(range(len(sequences))) - set(pure)
        shares += [[i] for i in sorted(others)]

        def run(share: list[int]) -> list[list[CallResult]]:
            if len(share) == 1:
                return [self.run_sequence(sequences[share[0]], clocks[share[0]])]
            return self._run_batch([(sequences[i], clocks[i]) for i in share])

        results: dict[int, list[CallResult]] = {}
        if len(shares) == 1:
            return run(shares[0])
        pool = ThreadPoolExecutor(max(self.workers, min(self._most, len(shares) // WORTH_A_START)))
        try:
            for share, made in zip(shares, pool.map(run, shares), strict=True):
                results.update(zip(share, made, strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
        return [results[i] for i in range(len(sequences))]

    def _runnable(self, calls: Sequence[Call]) -> tuple[list[Call], CallResult | None]:
        """The calls up to the first that is not even tried, and why that is not."""
        runnable: list[Call] = []
        for name, arguments in calls:
            refused = refusal(self.toolbox, name, arguments)
            if refused is not None:
                return runnable, refused
            runnable.append((name, arguments))
        return runnable, None

    def _is_pure(self, calls: Sequence[Call]) -> bool:
        targets = [tool.target if (tool := self.toolbox.get(name)) is not None else None for name, _ in calls]
        return bool(targets) and all(isinstance(t, PythonTarget) and t.pure for t in targets)

    def _run_batch(self, sequences: Sequence[tuple[Sequence[Call], str | None]]) -> list[list[CallResult]]:
        """Sequences of pure tools in one fork. Where the supervisor itself is lost, each is run alone."""
        prepared = [self._runnable(calls) for calls, _ in sequences]
        batch = [{"calls": runnable, "now": now} for (runnable, _), (_, now) in zip(prepared, sequences, strict=True)]
        server = self._idle.get()
        try:
            answers = server.run_batch(batch)
        finally:
            self._idle.put(server)
        if answers is None:
            return [self.run_sequence(calls, now) for calls, now in sequences]
        return [
            _with_refusal(self._counted([_result(o, self._secrets) for o in outcomes]), refused)
            for outcomes, (_, refused) in zip(answers, prepared, strict=True)
        ]

    def _exchange(self, calls: list[Call], now: str | None, scratch: Path | None) -> list[CallResult]:
        folder = str(_made(scratch)) if scratch is not None else None
        server = self._idle.get()
        try:
            outcomes = server.run({"calls": calls, "now": now, "scratch": folder}, calls)
        finally:
            self._idle.put(server)
        return [_result(o, self._secrets) for o in outcomes]

    def _counted(self, results: list[CallResult]) -> list[CallResult]:
        with self._counting:
            self.ran += len(results)
        return results


def _with_refusal(results: list[CallResult], refused: CallResult | None) -> list[CallResult]:
    return [*results, refused] if refused is not None and all(r.ok for r in results) else results


def _made(scratch: Path) -> Path:
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", file=scratch, mend="name a folder") from None
    return scratch.resolve()


def _result(outcome: dict[str, Any], secrets: Secrets) -> CallResult:
    """``secrets`` are out of the result already (the fork takes them out before it is cut), not of what was printed."""
    more = {"printed": secrets.scrub(outcome.get("printed", "")), "seconds": outcome.get("seconds", 0.0)}
    if outcome["status"] != "ok":
        return failed(outcome["status"], secrets.scrub(outcome["error"]), **more)
    text, truncated = outcome["text"], outcome["truncated"]
    if truncated:
        return CallResult("ok", None, text, None, True, carried_error=outcome["carried_error"], **more)
    return CallResult("ok", json.loads(text), text, None, False, more["printed"], more["seconds"])
