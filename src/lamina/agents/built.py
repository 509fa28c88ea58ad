"""The agent of a run: its 8-bit model, its functions and its working folder, opened together."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lamina.agents.act import Acted, Asked, Budget, Step, act
from lamina.agents.principles import FINAL, STAGE, Principles, read_principles
from lamina.agents.prompting import Channel, Manner, Method, manner_of
from lamina.errors import InputError, UserError
from lamina.models.model import Model, PromptStyle
from lamina.runs import Row, Run
from lamina.runs.files import atomic_file
from lamina.runs.run import WORKSPACE
from lamina.tools import Toolbox, read_tools, sources_of
from lamina.trajectories.trajectory import Trajectory

if TYPE_CHECKING:
    from lamina.tools.execution import Executor

PREFERRED = ("Q8_0", "F16")
"""Which of a run's GGUF files acts: the 8-bit one, else the full one."""
ACTED, DEEDS = "acted", "deeds.jsonl"
"""The record kind of what an agent did in a run, and the file of those that went well."""


class Agent:
    """A model with its functions. Made by ``open_agent``; a context manager."""

    def __init__(
        self,
        model: Model,
        toolbox: Toolbox,
        executor: Executor,
        manner: Manner,
        principles: Principles,
        scratch: Path,
        run: Run | None,
        stack: ExitStack,
    ):
        self.model, self.toolbox, self.manner, self.scratch = model, toolbox, manner, scratch
        self.principles = principles
        self._executor, self._run, self._stack = executor, run, stack
        self.warning = ""
        """In a line, what differs from what the run's model was tuned to; empty where nothing does."""

    def act(
        self,
        request: str,
        *,
        now: datetime | None = None,
        budget: Budget | None = None,
        on_step: Step | None = None,
        on_reply: Asked | None = None,
    ) -> Acted:
        """Answers one request; in a run, what happened is recorded there (kind ``ACTED``)."""
        acted = act(
            request,
            self.model,
            self.toolbox,
            self._executor,
            manner=self.manner,
            principles=self.principles,
            now=now,
            scratch=self.scratch,
            budget=budget,
            on_step=on_step,
            on_reply=on_reply,
        )
        if self._run is not None:
            row = acted.trajectory
            self._run.store.put([Row(ACTED, row.id, self._run.store.count(ACTED), row.to_json())])
            self._run.log("acted", id=row.id, ending=acted.ending, seconds=round(acted.seconds, 3))
        return acted

    def close(self) -> None:
        if self._run is not None:
            export_deeds(self._run)
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_agent(
    run: Path | None = None,
    *,
    tools_file: Path | None = None,
    model: str | None = None,
    style: PromptStyle | None = None,
    method: Method | None = None,
    channel: Channel = "native",
    principles: Path | None = None,
    timeout: float | None = None,
) -> Agent:
    """The agent of a built run, or of a file of functions and a model reference; given both, the latter
    replace the run's own. ``style`` left out is what the model says of itself, else ``full``; ``principles`` (a file)
    left out are those that the run learnt. ``method`` left out is ``pract`` where there are any, else ``act``.
    ``timeout``: seconds that a call may take, else the usual ones.

    Raises UserError where too little is given, InputError where the run has no model yet, or its functions are gone, or
    principles don't fit, and StorageError while another process works on the run."""
    from lamina.models import open_model
    from lamina.tools.execution import Limits, open_executor

    if run is None and (tools_file is None or model is None):
        raise UserError("give --run RUN, or both --tools TOOLS and --model REF")
    with ExitStack() as stack:
        there = stack.enter_context(Run.at(run)) if run is not None else None
        if there is not None:
            there.hold()  # before any call: what is done is recorded
        toolbox = read_tools(tools_file or _tools_of(there))
        if there is not None and tools_file is None:
            toolbox = toolbox.without(there.config.get("unmet", ()))  # the model was not taught them
        learned = principles or (_learned_of(there) if method in (None, "pract") else None)
        known_principles = read_principles(learned, toolbox) if learned else Principles()
        ref = model or str(gguf_of(there))
        # The executor starts first: its calls are forks, cheap while this process is small.
        executor = stack.enter_context(open_executor(toolbox, limits=Limits.of(timeout)))
        opened = open_model(ref, style=style)
        stack.callback(opened.close)
        scratch = (there.folder / WORKSPACE if there else Path.cwd()).absolute()
        scratch.mkdir(exist_ok=True)
        manner = manner_of(opened, method or ("pract" if known_principles else "act"), channel, style)
        agent = Agent(opened, toolbox, executor, manner, known_principles, scratch, there, stack.pop_all())
        agent.warning = _changed_since(there, toolbox) if model is None else ""
        return agent


def export_deeds(run: Run) -> int:
    """Writes ``DEEDS`` anew, what data import takes from a run: requests that came to an end with calls none of which
    failed. Whether they were the right calls nobody has judged. Returns how many there are."""
    good = 0
    with atomic_file(run.folder / DEEDS) as file:
        for row in run.store.iterate(ACTED):
            trajectory = Trajectory.from_json(row.payload)
            said = trajectory.meta.model_extra or {}
            if said.get("ending") in ("done", "repeated") and said.get("failed") == 0 and trajectory.calls:
                file.write(row.payload.rstrip(b"\n") + b"\n")
                good += 1
    return good


def gguf_of(run: Run | None) -> Path:
    """The GGUF file of a run that acts. Raises InputError while there is none."""
    assert run is not None
    files = {row["type"]: row["path"] for row in (run.result("export") or {}).get("files", [])}
    for kind in [*PREFERRED, *files]:
        if kind in files:
            # A run that was moved has its files beside it still.
            path = run.folder / "gguf" / Path(files[kind]).name
            if path.exists():
                return path
    raise InputError("has no GGUF file yet", file=run.folder, mend="finish it with the same 'lamina build' command")


def _learned_of(run: Run | None) -> Path | None:
    file = run.folder / FINAL if run is not None and run.is_done(STAGE) else None
    return file if file is not None and file.exists() else None


def _tools_of(run: Run | None) -> Path:
    assert run is not None
    found = run.config.get("tools")
    if not found:
        raise InputError("does not say which functions it was built from", file=run.folder, mend="give --tools TOOLS")
    for source in sources_of(found):
        if Path(source).is_absolute() and not has_magic(source) and not Path(source).exists():
            what = f"was built from {source}, which is not there any more"
            raise InputError(what, file=run.folder, mend="say with --tools where the functions are now")
    return Path(found)


def _changed_since(run: Run | None, toolbox: Toolbox) -> str:
    """Which functions are others than those that the run's model was tuned to; empty where none are, or none are
    known."""
    if run is None or run.config.get("tools_fingerprint") in (None, toolbox.fingerprint()):
        return ""
    now = {tool["function"]["name"]: tool for tool in toolbox.as_openai()}
    then = {tool["function"]["name"]: tool for tool in (run.result("tools") or {}).get("tools", [])}
    if not then:
        which = "the functions"
    else:
        changed = [f"{name} (gone)" for name in then if name not in now]
        changed += [f"{name} (new)" for name in now if name not in then]
        changed += [f"{name} (changed)" for name in now if name in then and now[name] != then[name]]
        which = ", ".join(changed) or "the order of the functions"
    mend = "build again into another folder, or give them as they were with --tools"
    return f"{which}: not what the model of {run.folder} was tuned to; {mend}"
