"""tool-operation: a todo list and a spreadsheet that calls change.

The reward is how much of the way from the first to the wanted state was gone: 1 less the share of differences that
remain. What is changed by mistake is a difference too, so it costs. Our own tasks, drawn from a fixed seed.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, Task, World, described, finish_tool
from lamina.agents.principles import FINISH
from lamina.errors import InputError
from lamina.tools.tool import JSON, Toolbox

ABOUT = "a todo list and a spreadsheet with state; reward: share of the way to the wanted state (tool-operation:todo)"
SEED = 20262
PROJECTS = ("Garden", "Thesis", "House move", "Choir", "Taxes", "Marathon")
VERBS = ("Call", "Order", "Check", "Write to", "Repair", "Book", "Sort")
THINGS = (
    "the landlord",
    "the seeds",
    "the printer",
    "the dentist",
    "the boxes",
    "the tickets",
    "the old lamp",
    "the bank",
)
PRODUCTS = ("beef", "rice", "tofu", "lentils", "apples", "carrots", "salmon", "bread", "butter", "coffee")
COLUMNS = ("product", "price", "quantity", "discount")
DAY = "string: The day, as YYYY-MM-DD."

TODO = (
    described("list_tasks", "All tasks of a project with their ids.", project="string: Name of the project."),
    described("add_task", "Add a task to a project.", project="string: Name of the project.",
              content="string: What is to be done.", due=DAY),
    described("complete_task", "Mark a task as done.", task_id="integer: From list_tasks."),
    described("set_priority", "Set the priority of a task.", task_id="integer: From list_tasks.",
              priority="integer: 1 (low) to 4 (urgent)."),
    described("delete_task", "Delete a task.", task_id="integer: From list_tasks."),
)  # fmt: skip
SHEET = (
    described("read_table", "The whole table: row 1 holds the headings."),
    described("write_cell", "Change one number.", row="integer: Row, from 2.", column=COLUMNS[1:],
              value="number: The new value."),
    described("delete_row", "Delete one row; the rows below move up.", row="integer: Row, from 2."),
    described("sort_by", "Sort all rows by a column.", column=COLUMNS, order=("ascending", "descending")),
)  # fmt: skip


class ToolOperation(World):
    """``state`` is plain data: lists of rows under names."""

    def __init__(self, worlds: Sequence[str]) -> None:
        self.name = "tool-operation" if len(worlds) > 1 else f"tool-operation:{worlds[0]}"
        tools = [*(TODO if "todo" in worlds else ()), *(SHEET if "sheet" in worlds else ())]
        self.toolbox = Toolbox([*tools, finish_tool("Say that everything is done; this ends the task.", answer=False)])
        self.state: JSON = {}
        drawn = [t for world in worlds for t in (_todo_tasks() if world == "todo" else _sheet_tasks())]
        super().__init__(drawn)
        for task in drawn:
            task.data["wanted"] = self._after(task)

    def _after(self, task: Task) -> JSON:
        """The state that the oracle's calls lead to."""
        self.reset(task)
        for call in self.solution(task):
            assert not self.step(call).failed, (task, call)
        return self.state

    def begin(self, task: Task) -> None:
        self.state = copy.deepcopy(task.data["state"])

    def reward(self) -> float:
        assert self.task is not None
        wanted = _cells(self.task.data["wanted"])
        distance = len(_cells(self.task.data["state"]) ^ wanted)
        return max(0.0, 1 - len(_cells(self.state) ^ wanted) / distance)

    # -- todo

    def _row(self, task_id: int) -> JSON:
        found = next((t for t in self.state.get("tasks", ()) if t["id"] == task_id), None)
        if found is None:
            raise RefusedCallError(f"there is no task {task_id}; list_tasks gives the ids")
        row: JSON = found
        return row

    def on_list_tasks(self, project: str) -> Any:
        self._known(project)
        return [t for t in self.state["tasks"] if t["project"] == project]

    def _known(self, project: str) -> None:
        if project not in self.state.get("projects", ()):
            known = ", ".join(self.state.get("projects", ())) or "none"
            raise RefusedCallError(f"there is no project {project!r}; there are: {known}")

    def on_add_task(self, project: str, content: str, due: str) -> JSON:
        self._known(project)
        if len(due) != 10 or due[4] != "-" or due[7] != "-":
            raise RefusedCallError(f"{due!r} is no day; write YYYY-MM-DD")
        identity = max((t["id"] for t in self.state["tasks"]), default=0) + 1
        added = {"id": identity, "project": project, "content": content, "due": due, "done": False, "priority": 1}
        self.state["tasks"].append(added)
        return added

    def on_complete_task(self, task_id: int) -> JSON:
        row = self._row(task_id)
        row["done"] = True
        return row

    def on_set_priority(self, task_id: int, priority: int) -> JSON:
        row = self._row(task_id)
        if not 1 <= priority <= 4:
            raise RefusedCallError("priorities are 1 to 4")
        row["priority"] = priority
        return row

    def on_delete_task(self, task_id: int) -> JSON:
        found = self._row(task_id)
        self.state["tasks"].remove(found)
        return {"deleted": task_id}

    # -- spreadsheet

    def _at(self, row: int) -> JSON:
        rows = self.state.get("rows", [])
        if not 2 <= row <= len(rows) + 1:
            raise RefusedCallError(f"there is no row {row}; rows are 2 to {len(rows) + 1}")
        found: JSON = rows[row - 2]
        return found

    def on_read_table(self) -> Any:
        return [list(COLUMNS), *([row[c] for c in COLUMNS] for row in self.state.get("rows", []))]

    def on_write_cell(self, row: int, column: str, value: float) -> JSON:
        found = self._at(row)
        found[column] = value
        return {"row": row, **found}

    def on_delete_row(self, row: int) -> JSON:
        found = self._at(row)
        self.state["rows"].remove(found)
        return {"deleted": row}

    def on_sort_by(self, column: str, order: str) -> JSON:
        rows = self.state.get("rows", [])
        rows.sort(key=lambda r: r[column], reverse=order == "descending")
        return {"sorted_by": column, "first": rows[0]["product"] if rows else None}


def _cells(state: JSON) -> set[tuple[Any, ...]]:
    """Every single fact of a state. A task is known by its content, so that ids don't matter; a row of the table by
    its place, because order is part of what was asked for."""
    facts: set[tuple[Any, ...]] = set()
    for t in state.get("tasks", ()):
        key = (t["project"], t["content"])
        facts |= {("task", *key), ("due", *key, t["due"]), ("done", *key, t["done"]), ("priority", *key, t["priority"])}
    for place, row in enumerate(state.get("rows", ())):
        facts |= {(place, column, row[column]) for column in COLUMNS}
    return facts


def _todo_tasks() -> list[Task]:
    chance = random.Random(f"{SEED} todo")
    found = []
    for number in range(40):
        contents = chance.sample([f"{v} {t}" for v in VERBS for t in THINGS], 13)
        new = contents.pop()
        projects = chance.sample(PROJECTS, 3)
        tasks = [
            {"id": i, "project": chance.choice(projects), "content": content, "due": _day(chance), "done": False,
             "priority": chance.randint(1, 3)}
            for i, content in enumerate(contents, 1)
        ]  # fmt: skip
        one, other = chance.sample(tasks, 2)
        look = ("list_tasks", {"project": one["project"]})
        kind = ("complete", "add", "priority", "two")[number % 4]
        due, project = _day(chance), chance.choice(projects)
        if kind == "complete":
            text = f'I have done "{one["content"]}" of my project {one["project"]}. Mark it as done.'
            calls = [look, ("complete_task", {"task_id": one["id"]})]
        elif kind == "add":
            text = f'Add "{new}" to my project {project}, due on {due}.'
            calls = [("add_task", {"project": project, "content": new, "due": due})]
        elif kind == "priority":
            text = f'"{one["content"]}" of my project {one["project"]} has become urgent: give it priority 4.'
            calls = [look, ("set_priority", {"task_id": one["id"], "priority": 4})]
        else:
            text = f'Delete "{one["content"]}" ({one["project"]}) and mark "{other["content"]}" ' \
                   f"({other['project']}) as done."  # fmt: skip
            calls = [look, ("list_tasks", {"project": other["project"]}), ("delete_task", {"task_id": one["id"]}),
                     ("complete_task", {"task_id": other["id"]})]  # fmt: skip
        state = {"projects": projects, "tasks": tasks}
        data: JSON = {"state": state, "solution": [*calls, (FINISH, {})]}
        found.append(Task(f"todo-{number}", text, data, f"todo {kind}"))
    return found


def _sheet_tasks() -> list[Task]:
    chance = random.Random(f"{SEED} sheet")
    found = []
    for number in range(40):
        products = chance.sample(PRODUCTS, 6)
        prices, quantities = chance.sample(range(2, 60), 6), chance.sample(range(5, 300), 6)
        rows = [
            {"product": p, "price": prices[i], "quantity": quantities[i], "discount": chance.choice((0, 5, 10))}
            for i, p in enumerate(products)
        ]
        place, other = chance.sample(range(6), 2)
        one, two = products[place], products[other]
        kind = ("price", "sold", "delete", "sort")[number % 4]
        calls: list[tuple[str, JSON]] = [("read_table", {})]
        if kind == "price":
            text = f"Set the price of {one} to {prices[place] + 7} and the discount of {two} to 15."
            calls += [_write(place, "price", prices[place] + 7), _write(other, "discount", 15)]
        elif kind == "sold":
            sold, gone = chance.randint(1, 5), chance.randint(1, 5)
            text = f"{sold} {one} and {gone} {two} were sold today: lower their quantities in the table."
            calls += [
                _write(place, "quantity", quantities[place] - sold),
                _write(other, "quantity", quantities[other] - gone),
            ]
        elif kind == "delete":
            text = f"We no longer sell {one}: delete its row. The price of {two} is {prices[other] + 1} now."
            calls += [_write(other, "price", prices[other] + 1), ("delete_row", {"row": place + 2})]
        else:
            text = f"Set the price of {one} to {60 + number}, then sort the table by quantity, the largest first."
            calls += [_write(place, "price", 60 + number), ("sort_by", {"column": "quantity", "order": "descending"})]
        data: JSON = {"state": {"rows": rows}, "solution": [*calls, (FINISH, {})]}
        found.append(Task(f"sheet-{number}", text, data, f"sheet {kind}"))
    return found


def _write(place: int, column: str, value: int) -> tuple[str, JSON]:
    return "write_cell", {"row": place + 2, "column": column, "value": value}


def _day(chance: random.Random) -> str:
    return f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def open_environment(argument: str) -> ToolOperation:
    if argument not in ("", "todo", "sheet"):
        raise InputError(f"tool-operation has no world {argument!r}", mend="known: todo, sheet")
    return ToolOperation([argument] if argument else ["todo", "sheet"])
