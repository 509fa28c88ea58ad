"""service-desk: customers of a shop and of an airline, after tau-bench (arXiv 2406.12045) with the tasks of tau2-bench.

Its data (MIT) is read in place; the tools are ours. The agent talks with ``respond`` and ends with ``finish``; handing
over to a person ends it as well. The reward is 1 where the database ends as after the right calls and everything the
customer has to be told was told, else 0. What tau2-bench has judged by a model (assertions in words) is not judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, Task, World, described, finish_tool
from lamina.agents.environments.worlds import airline, retail
from lamina.agents.environments.worlds.airline import Airline
from lamina.agents.environments.worlds.arithmetic import calculate
from lamina.agents.environments.worlds.customer import STOP, Customer, Played, Scripted
from lamina.agents.environments.worlds.folders import find_folder, options_of
from lamina.agents.environments.worlds.records import Records, Tables
from lamina.agents.environments.worlds.retail import Retail
from lamina.agents.principles import FINISH
from lamina.errors import InputError
from lamina.models.model import Model
from lamina.tools.tool import JSON, Tool, Toolbox

ABOUT = (
    "customers of a shop and an airline (data of tau-bench); reward: end state and what was told (service-desk:retail)"
)
DATA = "tau2-bench"
DOMAINS: dict[str, tuple[Callable[[Records], Retail | Airline], list[Tool]]] = {
    "retail": (Retail, retail.tools()),
    "airline": (Airline, airline.tools()),
}
RESPOND, TRANSFER, CALCULATE = "respond", "transfer_to_human_agents", "calculate"
TALKING = [
    described(RESPOND, "Write to the customer; the observation is the answer.", message="string: What you write."),
    described(CALCULATE, "A sum.", expression="string: Numbers, + - * / and brackets."),
    described(
        TRANSFER,
        "Hand over to a person, where the request is beyond what you can do; ends the conversation.",
        summary="string: What it is about.",
    ),
    finish_tool("End the conversation: everything is done and said.", answer=False),
]


class ServiceDesk(World):
    """``customer`` answers ``respond``."""

    def __init__(self, names: list[str], folder: Path, customer: Customer) -> None:
        self.name = "service-desk" if len(names) > 1 else f"service-desk:{names[0]}"
        self._boxes = {name: Toolbox([*DOMAINS[name][1], *TALKING]) for name in names}
        tools = {tool.name: tool for box in self._boxes.values() for tool in box}
        self.toolbox = Toolbox(tools.values())
        self._whole = self.toolbox
        self._tables = {name: _tables(folder / name) for name in names}
        self._policies = {name: _text(folder / name / "policy.md") for name in names}
        self.customer = customer
        super().__init__([task for name in names for task in _tasks(folder / name / "tasks.json", name)])
        self._records = Records({})
        self._desk: Retail | Airline | None = None
        self._said: list[tuple[str, str]] = []
        self._wanted: dict[str, str] = {}

    def ask_through(self, book: Callable[[Model], Model]) -> None:
        """A customer that a model plays is asked through ``book`` from here on, so that its calls are counted."""
        if isinstance(self.customer, Played):
            self.customer = Played(book(self.customer.model))

    def copy(self) -> ServiceDesk:
        other = super().copy()
        other.toolbox = self._whole
        return other

    def reset(self, task: Task) -> str:
        """The policy of the desk, and what the customer writes first. The toolbox is that of the desk from here on."""
        super().reset(task)
        domain = task.data["domain"]
        return f"{self._policies[domain]}\n\nThe customer writes:\n{self._said[0][1]}"

    def begin(self, task: Task) -> None:
        domain = task.data["domain"]
        self.toolbox = self._boxes[domain]
        self._records = Records(self._tables[domain])
        self._desk = DOMAINS[domain][0](self._records)
        said = self.customer.opening(task.data["scenario"])
        self._said = [("customer", said)]

    def __getattr__(self, name: str) -> Any:
        """``on_NAME`` of what changes or reads the database is the desk's."""
        desk = self.__dict__.get("_desk")
        if not name.startswith("on_") or not hasattr(desk, name.removeprefix("on_")):
            raise AttributeError(name)
        return getattr(desk, name.removeprefix("on_"))

    def on_respond(self, message: str) -> str:
        assert self.task is not None
        self._said.append(("agent", message))
        answer = self.customer.answer(self.task.data["scenario"], self._said)
        if STOP in answer:
            self.done = True
            answer = answer.replace(STOP, "").strip()
        self._said.append(("customer", answer))
        return answer

    def on_calculate(self, expression: str) -> str:
        try:
            return str(calculate(expression))
        except ValueError as error:
            raise RefusedCallError(str(error)) from None

    def on_transfer_to_human_agents(self, summary: str) -> str:
        self.done = True
        return "handed over"

    def reward(self) -> float:
        assert self.task is not None
        told = " ".join(text for who, text in self._said if who == "agent").lower().replace(",", "")
        missing = [out for out in self.task.data["outputs"] if out.lower().replace(",", "") not in told]
        return float(not missing and self._records.state() == self._wanted_state(self.task))

    def _wanted_state(self, task: Task) -> str:
        """After the right calls; those that this desk refuses change nothing (``refused_gold`` names them)."""
        if task.id not in self._wanted:
            self._wanted[task.id] = _after(task, self._tables[task.data["domain"]])[0]
        return self._wanted[task.id]

    def refused_gold(self, task: Task) -> list[str]:
        """Right calls, as the data has them, that this desk refuses, and why."""
        return _after(task, self._tables[task.data["domain"]])[1]


def _after(task: Task, tables: Tables) -> tuple[str, list[str]]:
    """The state after the right calls, and those that were refused."""
    records = Records(tables)
    make, _ = DOMAINS[task.data["domain"]]
    desk, refused = make(records), []
    for name, arguments in task.data["calls"]:
        if hasattr(desk, name):
            try:
                getattr(desk, name)(**arguments)
            except RefusedCallError as error:
                refused.append(f"{name}: {error}")
    return records.state(), refused


def _tasks(file: Path, domain: str) -> list[Task]:
    found = []
    for row in _json(file):
        scenario = {k: v for k, v in row["user_scenario"]["instructions"].items() if k != "domain"}
        criteria = row["evaluation_criteria"]
        calls = [(action["name"], action["arguments"]) for action in criteria["actions"] or ()]
        outputs = [str(text) for text in criteria.get("communicate_info") or ()]
        telling: list[tuple[str, JSON]] = [(RESPOND, {"message": ", ".join(outputs)})] if outputs else []
        ends: list[tuple[str, JSON]] = [] if calls and calls[-1][0] == TRANSFER else [(FINISH, {})]
        data: JSON = {"domain": domain, "scenario": scenario, "calls": calls, "outputs": outputs}
        data["solution"] = [*telling, *calls, *ends]
        writes = [name for name, _ in calls if name.split("_")[0] in WRITING]
        group = f"{domain} {writes[0] if writes else 'telling' if outputs else 'nothing to change'}"
        found.append(Task(f"{domain}-{row['id']}", Scripted().opening(scenario), data, group))
    return found


WRITING = ("cancel", "modify", "return", "exchange", "book", "update", "send")


@lru_cache(maxsize=4)
def _tables(folder: Path) -> Tables:
    if (folder / "db.json").is_file():
        tables: Tables = _json(folder / "db.json")
        return tables
    return {name: _json(folder / f"tau1_{name}.json") for name in airline.TABLES}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"is no JSON ({error})", file=file, mend=f"get {DATA} anew") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend=f"name a folder of {DATA}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend=f"name a folder of {DATA}") from None


def open_environment(argument: str) -> ServiceDesk:
    """``[retail|airline][,data=FOLDER][,user=MODEL]``."""
    options = options_of(argument, first="domain", known=("data", "user"))
    domain = options.get("domain", "")
    if domain and domain not in DOMAINS:
        raise InputError(f"service-desk has no desk {domain!r}", mend=f"known: {', '.join(DOMAINS)}")
    folder = find_folder(DATA, options.get("data"))
    customer: Customer = Scripted()
    if "user" in options:
        from lamina.models import open_model

        customer = Played(open_model(options["user"]))
    return ServiceDesk([domain] if domain else list(DOMAINS), folder, customer)
