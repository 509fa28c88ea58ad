"""A model whose behaviour provably depends on its principles: executor, reflector and optimizer in one script.

The executor knows the right calls (from the environment) and spoils the arguments of an action unless its principles
hold the sentence ``rule(action)``, literally. The reflector names, by rules on the transcript, actions that were called
with spoilt arguments. The optimizer adds ``rule(action)`` where a reflection names its action. LAMINA_FAMILY spoils one
of the three: ``mute`` (a reflector that says nothing), ``other-words`` (an optimizer that says it differently).
LAMINA_WORLD names another environment whose right calls
it knows, LAMINA_TASKS the tasks of somebody's own tools; LAMINA_ASKED a file in which every question is noted down, and
LAMINA_DIE_AT the question at which the process dies.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import cache
from pathlib import Path

SPOILT_TEXT, SPOILT_NUMBER = " ?", 1000


def rule(action: str) -> str:
    return f"Check the arguments of {action} before the call."


def reply(messages, tools, seed):
    note_down(messages)
    system = messages[0]["content"]
    if system.startswith("You serve"):
        return executor(messages)
    return reflector(messages) if system.startswith("You review") else optimizer(messages)


def executor(messages) -> str:
    stated = messages[0]["content"].partition("Principles:\n")[2].partition("\n\nExample")[0]
    turn = sum(m["role"] == "assistant" for m in messages)
    solution = solutions(os.environ.get("LAMINA_WORLD", ""))[messages[1]["content"]]
    if turn >= len(solution):
        return "Thought: All is done.\nAction: []"
    name, arguments = solution[turn]
    if rule(name) not in stated:
        arguments = {key: spoilt(value) for key, value in arguments.items()}
    return f"Thought: {name} is next.\nAction: {json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}"


def spoilt(value):
    if isinstance(value, list):
        return [spoilt(one) for one in value]
    if isinstance(value, dict):
        return {key: spoilt(one) for key, one in value.items()}
    return value + SPOILT_TEXT if isinstance(value, str) else value + SPOILT_NUMBER


def is_spoilt(value) -> bool:
    if isinstance(value, list | dict):
        return any(map(is_spoilt, value.values() if isinstance(value, dict) else value))
    return value.endswith(SPOILT_TEXT) if isinstance(value, str) else value >= SPOILT_NUMBER


def reflector(messages) -> str:
    transcript = messages[1]["content"]
    if os.environ.get("LAMINA_FAMILY") == "mute":
        return ""
    if "Reward: 1.00" in transcript:
        return "All went well, nothing is to be changed."
    made = [json.loads(line) for line in re.findall(r"^Action: (\{.*\})$", transcript, re.M)]
    bad = {c["name"] for c in made if any(is_spoilt(v) for v in c["arguments"].values())}
    return " ".join(f"The arguments of {name} were wrong." for name in sorted(bad)) or "All went well."


def optimizer(messages) -> str:
    system, wish = messages[0]["content"], messages[1]["content"]
    before, _, said = system.partition("Principles:\n")[2].partition("\n\nReflection 1:")
    blamed = sorted(set(re.findall(r"The arguments of (\w+) were wrong", said)))
    asked = re.search(r"the action (\w+)", wish)
    if asked is None:
        old = "" if "(none yet)" in before else before
        return wrapped(" ".join([old, *(worded(name) for name in blamed if rule(name) not in old)]))
    name = asked[1]
    old = dict(line.split(": ", 1) for line in before.splitlines() if ": " in line).get(name, "")
    new = worded(name) if name in blamed and rule(name) not in old else ""
    if wish.startswith("Edit"):
        return wrapped(f"ADD: {new}" if new else "")
    return wrapped(f"{old} {new}" if old or new else "No rule yet.")


def worded(name: str) -> str:
    if os.environ.get("LAMINA_FAMILY") == "other-words":
        return f"Verify what is given to {name}."
    return rule(name)


def wrapped(text: str) -> str:
    return f"<principle>{text.strip()}</principle>"


@cache
def solutions(world=""):
    """The right calls by what the agent is told at first."""
    from lamina.agents.environments import open_environment

    found = {}
    for name in [world] if world else ("tool-query", "tool-operation", "shop"):
        environment = open_environment(name)
        for task in environment.tasks():
            calls = environment.solution(task)
            found[environment.reset(task)] = [(call.name, call.arguments) for call in calls]
    if file := os.environ.get("LAMINA_TASKS"):
        for line in Path(file).read_text().splitlines():
            row = json.loads(line)
            found[row["request"]] = [(c["name"], c["arguments"]) for c in row["calls"]]
    return found


def note_down(messages) -> None:
    if not (file := os.environ.get("LAMINA_ASKED")):
        return
    with open(file, "a") as notes:
        notes.write(hashlib.sha256(json.dumps(messages).encode()).hexdigest() + "\n")
    if len(Path(file).read_text().splitlines()) == int(os.environ.get("LAMINA_DIE_AT", "0")):
        os._exit(9)
