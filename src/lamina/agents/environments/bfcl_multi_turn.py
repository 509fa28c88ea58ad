"""bfcl-multi-turn: the multi-turn tasks of the Berkeley Function Calling Leaderboard, v4, on its own simulators.

Requests come one after the other: ``respond`` says that one is served, and the next is the observation. After each the
leaderboard's check is made: the simulators' state is that of the right calls, and what the right calls of this turn
returned is among what the agent has seen. The reward is the share of requests passed before the first that fails (our
choice); 1 is what the leaderboard counts as right. The right calls are parsed, never evaluated.

``run`` and ``offered`` are for a bench that plays as the leaderboard does: no ``respond`` is on offer, and any call is
made, whether or not it fits its description.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, Task, World, described
from lamina.agents.environments.worlds.folders import options_of
from lamina.agents.environments.worlds.simulators import FILES, Simulators, differing
from lamina.errors import InputError
from lamina.runs.files import cache_folder, installed_folder
from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories.formats.reading.loose import python_calls
from lamina.trajectories.formats.reading.toolspecs import tools_of

ABOUT = "BFCL v4, multi-turn, on its simulators; reward: requests served, by state (bfcl-multi-turn:miss_func)"
CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
VARIABLE, PACKAGE = "LAMINA_BFCL", "bfcl_eval"
MEND = f"'lamina bench fetch bfcl' gets it, or name an unpacked wheel of bfcl-eval with data=FOLDER or ${VARIABLE}"
NOT_THERE = "holds no multi-turn data with simulators of BFCL v4"
RESPOND = described(
    "respond",
    "Say that the request is served, or what is missing to serve it; the next request follows.",
    message="string: What you say.",
)
MORE = "More functions can be called now. Serve the last request with them."
_PLACES = (
    ("bfcl_eval/data", "bfcl_eval/eval_checker/multi_turn_eval/func_source_code"),
    ("data", "eval_checker/multi_turn_eval/func_source_code"),
    ("", "simulators"),
)
"""Of the data and of the simulators: in an unpacked wheel, in a package folder, and as ``bench fetch`` lays them."""


@dataclass(frozen=True)
class Folders:
    data: Path
    simulators: Path


class BfclMultiTurn(World):
    def __init__(self, category: str, folders: Folders) -> None:
        self.name = f"bfcl-multi-turn:{category}"
        self._folders, self._long = folders, category == "long_context"
        self._tools = {name: _functions(folders.data, file) for name, file in FILES.items()}
        self._whole = self.toolbox = Toolbox([*(tool for tools in self._tools.values() for tool in tools), RESPOND])
        super().__init__(_tasks(folders.data, category, self._whole))
        self._now: Simulators | None = None
        self._right: Simulators | None = None
        self._turn = self._passed = 0
        self.problem: str | None = None
        self._seen: list[str] = []
        self._made = False

    def copy(self) -> BfclMultiTurn:
        other = super().copy()
        other.toolbox = self._whole
        return other

    def begin(self, task: Task) -> None:
        classes, scenario = task.data["classes"], task.data["scenario"]
        self._now = Simulators(self._folders.simulators, classes, scenario, long=self._long)
        self._right = Simulators(self._folders.simulators, classes, scenario, long=self._long)
        self._turn = self._passed = 0
        self.problem, self._seen, self._made = None, [], False
        self._offer(task)

    def _offer(self, task: Task) -> None:
        self.toolbox = Toolbox([*self.functions(task, self._turn), RESPOND])

    def functions(self, task: Task, turn: int) -> list[Tool]:
        """What there is in a turn besides ``respond``: some functions are left out for good, some until later."""
        later = {name for start, names in task.data["later"].items() if turn < int(start) for name in names}
        left_out = later | set(task.data["excluded"])
        return [tool for name in task.data["classes"] for tool in self._tools[name] if tool.name not in left_out]

    @property
    def offered(self) -> Toolbox:
        """The functions of this turn without ``respond``."""
        assert self.task is not None
        return Toolbox(self.functions(self.task, self._turn))

    @property
    def wanted(self) -> list[tuple[str, JSON]]:
        """The right calls of this turn."""
        assert self.task is not None
        return list(self.task.data["calls"][self._turn])

    def run(self, name: str, arguments: JSON) -> str:
        """Makes a call as the leaderboard does: whatever it is, and what goes wrong is the text that comes back."""
        assert self._now is not None
        try:
            return self._call(self._now, name, arguments)
        except RefusedCallError as refused:
            return str(refused)

    def __getattr__(self, name: str) -> Any:
        """``on_NAME`` of a function is the simulators'."""
        now, action = self.__dict__.get("_now"), name.removeprefix("on_")
        if now is None or action == name or action not in self.__dict__["_whole"]:
            raise AttributeError(name)
        return lambda **arguments: self._call(now, action, arguments)

    def _call(self, now: Simulators, name: str, arguments: JSON) -> str:
        self._made = True
        try:
            said = now.call(name, arguments)
        except RefusedCallError as refused:
            self._seen.append(str(refused))
            raise
        self._seen.append(said)
        return said

    def on_respond(self, message: str) -> str:
        assert self.task is not None
        self._check(self.task.data["calls"][self._turn])
        self._turn += 1
        requests = self.task.data["requests"]
        if self._turn == len(requests):
            self.done = True
            return "That was all."
        self._made = False
        self._offer(self.task)
        return str(requests[self._turn])

    def _check(self, calls: list[tuple[str, JSON]]) -> None:
        """The leaderboard's: a turn without right calls is one in which something is missing, and is not judged."""
        assert self._now is not None
        assert self._right is not None
        returned = []
        for name, arguments in calls:
            try:
                returned.append(self._right.call(name, arguments))
            except RefusedCallError as refused:
                returned.append(str(refused))
        if not calls or self.problem is not None:
            return
        self.problem = self._found(returned)
        self._passed += self.problem is None

    def _found(self, returned: list[str]) -> str | None:
        """What is wrong with this turn."""
        assert self._now is not None
        assert self._right is not None
        if not self._made:
            return f"turn {self._turn + 1}: no call was made"
        if others := differing(self._now, self._right):
            return f"turn {self._turn + 1}: another state than after the right calls: {', '.join(others)}"
        if missing := Counter(returned) - Counter(self._seen):
            return f"turn {self._turn + 1}: what {missing.total()} of the right calls return was not seen"
        return None

    def reward(self) -> float:
        assert self.task is not None
        return self._passed / max(1, sum(bool(calls) for calls in self.task.data["calls"]))

    def filled(self, tool: Tool, arguments: JSON) -> JSON:
        """The functions have defaults of their own; the descriptions say "None" of some."""
        return arguments


def _tasks(folder: Path, category: str, toolbox: Toolbox) -> list[Task]:
    file = f"BFCL_v4_multi_turn_{category}.json"
    answers = {row["id"]: row["ground_truth"] for row in _rows(folder / "possible_answer" / file)}
    found = []
    for row in _rows(folder / file):
        if row["id"] not in answers:
            raise InputError(f"row {row['id']!r} has no right answer", file=folder / file, mend=MEND)
        calls = [[_call(text, toolbox) for text in turn] for turn in answers[row["id"]]]
        requests = [" ".join(m["content"] for m in turn) or MORE for turn in row["question"]]
        solution = [call for turn in calls for call in [*turn, (RESPOND.name, {"message": "Done."})]]
        data: JSON = {
            "requests": requests,
            "calls": calls,
            "classes": row["involved_classes"],
            "scenario": row["initial_config"],
            "excluded": row.get("excluded_function", []),
            "later": row.get("missed_function", {}),
            "solution": solution,
        }
        found.append(Task(row["id"], requests[0], data, " ".join(sorted(row["involved_classes"]))))
    return found


def _call(text: str, toolbox: Toolbox) -> tuple[str, JSON]:
    """Arguments by position get the names of the description."""
    [(name, arguments)] = python_calls(text)
    names = list(toolbox[name].properties)
    return name, {
        names[int(key[3:])] if key.startswith("arg") and key[3:].isdigit() else key: value
        for key, value in arguments.items()
    }


@lru_cache(maxsize=32)
def _functions(folder: Path, name: str) -> tuple[Tool, ...]:
    rows = tools_of(_rows(folder / "multi_turn_func_doc" / f"{name}.json"))
    return tuple(Tool.from_openai(row) for row in rows)


def _rows(file: Path) -> list[Any]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend=MEND) from None
    except ValueError as error:
        raise InputError(f"is not JSON ({error})", file=file, mend=MEND) from None


def find_folders(named: str | None = None) -> Folders:
    """Of a folder that was named, else of the first place that has both. Raises InputError that says how to get
    them."""
    found = folders_in(Path(named)) if named else known_folders()
    if named and found is None:
        raise InputError(NOT_THERE, file=named, mend=MEND)
    if found is None:
        raise InputError("BFCL v4 with its simulators is not on this machine", mend=MEND)
    return found


def known_folders() -> Folders | None:
    """Of ``$LAMINA_BFCL``, where it is set, else of the installed package ``bfcl-eval``, whose files are read, or of
    what ``lamina bench fetch bfcl`` got. Raises InputError where ``$LAMINA_BFCL`` names a folder without them."""
    if given := os.environ.get(VARIABLE):
        if (found := folders_in(Path(given))) is None:
            raise InputError(NOT_THERE, file=given, mend=MEND)
        return found
    places = [place for place in (installed_folder(PACKAGE), cache_folder("bfcl")) if place is not None]
    return next((found for place in places if (found := folders_in(place)) is not None), None)


def folders_in(place: Path) -> Folders | None:
    for data, simulators in _PLACES:
        if (place / data / "multi_turn_func_doc").is_dir() and (place / simulators / "math_api.py").is_file():
            return Folders(place / data, place / simulators)
    return None


def open_environment(argument: str) -> BfclMultiTurn:
    """``[CATEGORY][,data=FOLDER]``."""
    options = options_of(argument, first="category", known=("data",))
    category = options.get("category", "base")
    if category not in CATEGORIES:
        raise InputError(f"bfcl-multi-turn has no category {category!r}", mend=f"known: {', '.join(CATEGORIES)}")
    return BfclMultiTurn(category, find_folders(options.get("data")))
