"""The user's own functions as an environment: tasks from a file, calls run in the sandbox, and a reward from a function
of theirs, from the calls a task names, or none at all (Self-RPO).

tasks.jsonl has a line a task: ``{"request": …}``, with ``"id"``, ``"calls": [{"name", "arguments"}]`` (what a right
agent calls, compared as the bench compares; an empty list is a request that no call serves), ``"accept"`` (other right
answers), ``"now"`` (the clock of relative dates), and whatever else the reward function wants to see. The reward file
has ``reward(task, messages)``.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lamina.agents.environments.environment import Step, Task, finish_tool
from lamina.agents.principles import FINISH
from lamina.errors import InputError
from lamina.tools import Toolbox, read_tools
from lamina.tools.tool import JSON
from lamina.trajectories import compare_calls
from lamina.trajectories.trajectory import ToolCall

if TYPE_CHECKING:
    from lamina.tools.execution import Executor

Reward = Callable[[JSON, list[JSON]], object]


class UserTools:
    """Each episode has a scratch folder of its own, so that one leaves nothing for the next."""

    def __init__(
        self,
        tools: Path,
        tasks: Path | Sequence[Task],
        reward: Path | None = None,
        *,
        allow_changes: bool = False,
        timeout: float | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        """``timeout``: seconds that a call may take, else the usual ones; ``left_out``: names of tools that are not on
        offer. Raises InputError where a function may change things elsewhere and ``allow_changes`` is false."""
        from lamina.tools.execution import Limits, open_executor

        self.name = tools.stem
        own = read_tools(tools).without(left_out)
        if FINISH in own:
            self.toolbox = own
        else:
            self.toolbox = Toolbox([*own, finish_tool("Say that the request is served.", answer=True)])
        self._tasks = read_tasks(tasks) if isinstance(tasks, Path) else list(tasks)
        self._reward = _reward_function(reward) if reward else None
        self._reward_file = reward
        self._executor: Executor = open_executor(own, limits=Limits.of(timeout), allow_changes=allow_changes)
        self._own = own
        self._folders: list[Path] = []
        self._task: Task | None = None
        self._seen: list[JSON] = []
        self._scratch: Path | None = None

    @property
    def rewarded(self) -> bool:
        return self._reward is not None or all("calls" in t.data for t in self._tasks)

    def tasks(self) -> Sequence[Task]:
        return self._tasks

    def copy(self) -> Self:
        other = copy.copy(self)
        other._task, other._seen, other._scratch = None, [], None
        return other

    def reset(self, task: Task) -> str:
        self._remove_scratch()
        self._task, self._seen = task, [{"role": "user", "content": task.request}]
        self._scratch = Path(tempfile.mkdtemp(prefix="lamina-episode-"))
        self._folders.append(self._scratch)  # the list is shared with the copies: close() finds all
        return task.request

    def step(self, call: ToolCall) -> Step:
        arguments = call.arguments
        shown: JSON = {"role": "assistant", "tool_calls": [{"name": call.name, "arguments": arguments}]}
        self._seen.append(shown)
        if call.name == FINISH and FINISH not in self._own:
            self._remove_scratch()
            return Step('{"finished": true}', done=True)
        result = self._executor.run(call.name, arguments, scratch=self._scratch)
        self._seen.append({"role": "tool", "name": call.name, "content": result.text})
        return Step(result.text, failed=not result.ok)

    def reward(self) -> float | None:
        """Raises InputError where the user's function fails; what it returns is checked by whoever asked."""
        assert self._task is not None
        if self._reward is not None:
            try:
                found: Any = self._reward(
                    {"id": self._task.id, "request": self._task.request, **self._task.data}, self._seen
                )
            except Exception as error:
                what = f"reward() failed on task {self._task.id}: {type(error).__name__}: {error}"
                raise InputError(what, file=self._reward_file, mend="correct the function") from None
            return found  # type: ignore[no-any-return]
        if "calls" not in self._task.data:
            return None
        made = [ToolCall.of(c["name"], c["arguments"]) for m in self._seen for c in m.get("tool_calls", ())
                if c["name"] != FINISH or FINISH in self._own]  # fmt: skip
        data = self._task.data
        right = [data["calls"], *data.get("accept", ())]
        return max(share_of_calls(_as_calls(wanted), made, self._own, data.get("now")) for wanted in right)

    def solution(self, task: Task) -> list[ToolCall]:
        calls = _as_calls(task.data.get("calls", ()))
        return [*calls, ToolCall.of(FINISH, {"answer": ""})] if calls else []

    def close(self) -> None:
        self._executor.close()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None


def share_of_calls(wanted: Sequence[ToolCall], made: Sequence[ToolCall], toolbox: Toolbox, now: str | None) -> float:
    """How many of the wanted calls were made, of as many as were wanted or made: 1 for exactly those, in any order
    (our choice). Compared by meaning, as the bench does."""
    left = list(made)
    right = 0
    for call in wanted:
        same = next((i for i, one in enumerate(left) if compare_calls([call], [one], toolbox, now=now).exact), None)
        if same is not None:
            del left[same]
            right += 1
    most = max(len(wanted), len(made))
    return right / most if most else 1.0


def _as_calls(rows: Iterable[JSON]) -> list[ToolCall]:
    return [ToolCall.of(row["name"], row["arguments"]) for row in rows]


def read_tasks(file: Path) -> list[Task]:
    """Raises InputError, naming the line, for what is no task or stands there twice."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8"
        raise InputError(f"cannot be read ({reason})", file=file, mend="--tasks wants a file of JSON lines") from None
    tasks: dict[str, Task] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line, file, number)
        identity = str(row.pop("id", f"{file.name}:{number}"))
        request = row.pop("request")
        if identity in tasks:
            raise InputError(
                f"the id {identity!r} stands there twice", file=file, line=number, mend="make ids distinct"
            )
        tasks[identity] = Task(identity, request, row, str(row.get("group", "")))
    if not tasks:
        raise InputError("holds no task", file=file, mend='write lines such as {"request": "…"}')
    return list(tasks.values())


def _row(line: str, file: Path, number: int) -> JSON:
    mend = 'a task is {"request": "…"} and, if known, "calls": [{"name": "…", "arguments": {…}}]'
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"is no JSON ({error})", file=file, line=number, mend=mend) from None
    if not isinstance(row, dict) or not isinstance(row.get("request"), str) or not row["request"].strip():
        raise InputError("has no request", file=file, line=number, mend=mend)
    listed = [row["calls"]] if "calls" in row else []
    accept = row.get("accept", [])
    if not isinstance(accept, list) or not all(map(_are_calls, [*listed, *accept])):
        raise InputError("calls are not a list of calls", file=file, line=number, mend=mend)
    for calls in [*listed, *accept]:
        for call in calls:
            call.setdefault("arguments", {})
    if "now" in row and not _is_moment(row["now"]):
        raise InputError(f"now is {row['now']!r}", file=file, line=number, mend='write it like "2026-03-04T10:30:00"')
    return row


def _are_calls(calls: object) -> bool:
    return isinstance(calls, list) and all(
        isinstance(c, dict) and isinstance(c.get("name"), str) and isinstance(c.get("arguments", {}), dict)
        for c in calls
    )


def _is_moment(text: object) -> bool:
    try:
        datetime.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _reward_function(file: Path) -> Reward:
    """The user's own code, imported as they wrote it; what a model wrote reaches it as data alone."""
    mend = "write a file with reward(task, messages) that returns a number from 0 to 1"
    if not file.is_file():
        raise InputError("there is no such file", file=file, mend=mend)
    spec = importlib.util.spec_from_file_location(f"lamina_reward_{abs(hash(file))}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"does not import: {type(error).__name__}: {error}", file=file, mend="correct it") from None
    found = getattr(module, "reward", None)
    if not callable(found):
        raise InputError("has no function reward(task, messages)", file=file, mend=mend)
    return found  # type: ignore[no-any-return]
