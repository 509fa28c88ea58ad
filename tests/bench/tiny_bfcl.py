"""A BFCL of four samples with simulators of our own, laid out as ``lamina bench fetch bfcl`` does, and a scripted model
that knows their right calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.agents.environments.worlds.simulators import FILES

SIMULATOR = """
class TicketAPI:
    def __init__(self):
        self.tickets = []

    def _load_scenario(self, scenario, long_context=False):
        self.tickets = list(scenario.get("tickets", []))

    def open_ticket(self, title):
        if title in self.tickets:
            raise ValueError(f"{title} is open already")
        self.tickets.append(title)
        return {"open": len(self.tickets)}

    def list_tickets(self):
        return {"tickets": self.tickets}
"""
TITLE = {"type": "string", "description": "Its title."}
FUNCTIONS = [
    {"name": "open_ticket", "description": "Open a ticket.",
     "parameters": {"type": "dict", "properties": {"title": TITLE}, "required": ["title"]}},
    {"name": "list_tickets", "description": "List all tickets.",
     "parameters": {"type": "dict", "properties": {}, "required": []}},
]  # fmt: skip
NAMES = ("lamp", "door", "sink", "roof")

MODEL = """
import json
from pathlib import Path

TRUTH = json.loads({truth!r})
MODE, LOG, TRAP = {mode!r}, {log!r}, Path({trap!r})


def reply(messages, tools, seed):
    said = [m for m in messages if m["role"] == "user"]
    with open(LOG, "a") as log:
        log.write(said[0]["content"] + "\\n")
    if TRAP.exists() and said[0]["content"].endswith(TRAP.read_text()):
        import os
        os._exit(9)
    turns = TRUTH[said[0]["content"]]
    turn = len(said) - 1
    if MODE == "nothing" or (MODE == "not the last" and turn == len(turns) - 1):
        return "[]"
    if MODE == "for ever":
        return '[{{"name": "list_tickets", "arguments": {{}}}}]'
    if messages[-1]["role"] == "tool":
        return "All done." if MODE == "chatty" else "[]"
    return json.dumps(turns[turn])
"""


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def first(name: str) -> str:
    return f"Open a ticket for the {name}"


def truth(name: str) -> list[list[dict[str, Any]]]:
    """The right calls of a sample. The roof's title is a number, which its description does not allow, as in the
    leaderboard's own row 173."""
    title: Any = 7 if name == "roof" else name
    return [[call("open_ticket", title=title)], [call("list_tickets")], [call("open_ticket", title=f"{name} 2")]]


def _written(made: dict[str, Any]) -> str:
    return f"{made['name']}({', '.join(f'{key}={value!r}' for key, value in made['arguments'].items())})"


def tiny_bfcl(folder: Path) -> Path:
    """The folder, with the categories ``base`` and ``miss_func``."""
    for place in ("multi_turn_func_doc", "possible_answer", "simulators"):
        (folder / place).mkdir(parents=True)
    for file in FILES.values():
        (folder / f"multi_turn_func_doc/{file}.json").write_text("")
    _write(folder / "multi_turn_func_doc/ticket_api.json", FUNCTIONS)
    (folder / "simulators/ticket_api.py").write_text(SIMULATOR)
    (folder / "simulators/math_api.py").write_text("class MathAPI:\n    pass\n")
    for category in ("base", "miss_func"):
        rows, answers = [], []
        for number, name in enumerate(NAMES):
            asked = [first(name), "Which are open?", "Another one, number 2."]
            question: list[Any] = [[{"role": "user", "content": text}] for text in asked]
            right = [[_written(made) for made in turn] for turn in truth(name)]
            row: dict[str, Any] = {"id": f"multi_turn_{category}_{number}", "involved_classes": ["TicketAPI"]}
            row["initial_config"] = {"TicketAPI": {"tickets": ["old"]}}
            if category == "miss_func":  # asked before the function is there, and again when it is
                question.insert(2, [])
                right.insert(1, [])
                row["missed_function"] = {"2": ["list_tickets"]}
            rows.append({**row, "question": question})
            answers.append({"id": row["id"], "ground_truth": right})
        _write(folder / f"BFCL_v4_multi_turn_{category}.json", rows)
        _write(folder / f"possible_answer/BFCL_v4_multi_turn_{category}.json", answers)
    return folder


def tiny_model(file: Path, mode: str = "right") -> str:
    """Its reference. ``mode``: ``right``, ``chatty`` (words at the end of a turn), ``nothing``, ``not the last`` turn,
    ``for ever`` (one call again and again). It logs what it is asked, and dies where ``trap`` beside it names the
    sample."""
    known = json.dumps({first(name): truth(name) for name in NAMES})
    text = MODEL.format(truth=known, mode=mode, log=str(file.with_suffix(".log")), trap=str(file.with_name("trap")))
    file.write_text(text)
    return f"scripted:{file}"


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
