"""Optimization: actions, principles and reflections in (no trajectories, no scores); one new principle out.

``PrincipleWriter`` of each form of principle asks and reads; which answers are refused is said here once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lamina.agents.learning.reflecting import NONE_YET, Reflection
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.principles import Principles, plain
from lamina.agents.prompting import listed
from lamina.models.model import Reply, Request
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message

OPEN, CLOSE = "<principle>", "</principle>"
ANSWER: JSON = {
    "type": "object",
    "properties": {"principle": {"type": "string"}},
    "required": ["principle"],
    "additionalProperties": False,
}
"""What an engine that constrains holds the optimizer to, with ``fallback``: small models forget any marks."""
WHOLE = ""
"""The target that stands for the one text of form ``whole``."""
WHOLE_TIMES = 4
LEAST_WORDS = 2
"""Of a principle, with ``fallback``: models of 135M parameters answer with the action's name."""
ITEMS = 12
"""Of one action: what does not fit is left out, the oldest stay."""
_EDIT = re.compile(r"^\W*(ADD|DROP|CHANGE)\s*(\d+)?\s*[:.]?\s*(.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Proposal:
    """``target``: an action, or WHOLE. ``text`` None: the old one stays, ``problem`` says why."""

    target: str
    text: str | None
    problem: str = ""

    def as_row(self) -> JSON:
        return asdict(self)


def targets_of(toolbox: Toolbox, settings: LearnSettings) -> list[str]:
    return [WHOLE] if settings.form == "whole" else toolbox.names


def optimization_request(
    target: str, toolbox: Toolbox, principles: Principles, reflections: Sequence[Reflection], settings: LearnSettings
) -> Request:
    """The part that the requests of all actions share comes first."""
    said = "\n\n".join(f"Reflection {i}:\n{r.text}" for i, r in enumerate(reflections, 1))
    system = (
        "You write the principles by which an agent chooses its actions: when to use an action, how, and when not.\n\n"
        f"Actions:\n{listed(toolbox)}\n\nPrinciples:\n{principles.in_words() or NONE_YET}\n\n{said}"
    )
    messages = [
        Message(role="system", content=system),
        Message(role="user", content=_wish(target, principles, settings)),
    ]
    constraint = ANSWER if settings.fallback else None
    return Request(messages=messages, max_tokens=settings.writing_tokens, seed=settings.seed, constraint=constraint)


def _wish(target: str, principles: Principles, settings: LearnSettings) -> str:
    if settings.form == "whole":
        return (
            "Write the principles anew as one text for all actions, from what the reflections say. Write general "
            f"rules, nothing that holds for one request alone.\n{_form(settings)}"
        )
    said = principles.of(target) or NONE_YET
    if settings.form == "items":
        lines = "\n".join(f"{i}. {line}" for i, line in enumerate(principles.of(target).splitlines(), 1)) or NONE_YET
        return (
            f"Edit the principle of the action {target}. Its lines now:\n{lines}\n"
            f"Write edits, one a line: ADD: text, CHANGE number: text, DROP number. No edit if nothing is to change.\n"
            f"{_form(settings)}"
        )
    return (
        f"The principle of the action {target} now: {said}\n"
        f"Write it anew, from what the reflections say: when to call {target}, how to choose its arguments, and when "
        f"not to call it. Two to four sentences, general rules, nothing that holds for one request alone. Keep it as "
        f"it is where nothing is to change.\n{_form(settings)}"
    )


def _form(settings: LearnSettings) -> str:
    if settings.fallback:
        return 'Answer with a JSON object and nothing else: {"principle": "…"}'
    return f"Answer with {OPEN}the text{CLOSE} and nothing else."


def read_proposal(
    target: str, reply: Reply, toolbox: Toolbox, principles: Principles, settings: LearnSettings
) -> Proposal:
    """With ``settings.fallback`` whatever is no principle leaves the old one; without it, as in the paper, the answer
    is taken as it is, its marks aside."""
    inner = _inner(reply.text)
    text = plain(inner if inner is not None else reply.text.replace(OPEN, "").replace(CLOSE, ""))
    problem = ""
    if settings.fallback:
        problem = reply.problem or "" if not reply.text.strip() else ""
        problem = problem or _why_not(text, target, inner is not None, reply, toolbox, settings)
    if problem:
        return Proposal(target, None, problem)
    if settings.form == "items":
        return _edited(target, text, principles)
    return Proposal(target, text)


def _inner(answer: str) -> str | None:
    """The text of ``{"principle": …}``, or between the marks; None where the answer has neither form."""
    try:
        read = json.loads(answer)
    except ValueError:
        marked = re.search(rf"{OPEN}(.*?){CLOSE}", answer, re.DOTALL)
        return marked[1] if marked else None
    said = read.get("principle") if isinstance(read, dict) else None
    return said if isinstance(said, str) else None


def _why_not(text: str, target: str, marked: bool, reply: Reply, toolbox: Toolbox, settings: LearnSettings) -> str:
    if not text and settings.form != "items":
        return "the answer is empty"
    if reply.truncated or (OPEN in reply.text and not marked):
        return "the answer is cut off"
    if not marked:
        return f"the answer is neither a JSON object with a principle nor between {OPEN} and {CLOSE}"
    if NONE_YET in text or " ".join(text.split()).strip(" .…") in f"{_wish(target, Principles(), settings)} …":
        return "the answer repeats the question"
    if settings.form != "items" and len(text.split()) < LEAST_WORDS:
        return "the answer is no sentence"
    most = settings.principle_chars * (WHOLE_TIMES if target == WHOLE else 1)
    if most and len(text) > most:
        return f"the answer has {len(text)} characters, more than {most}"
    return unknown_action(text, toolbox)


def unknown_action(text: str, toolbox: Toolbox) -> str:
    """A sentence where ``text`` tells to call something that is not there: a name with an opening bracket behind it
    ("day(s)" aside), or in backticks with an underscore, that is neither an action nor an argument."""
    known = {*toolbox.names, *(name for tool in toolbox for name in tool.properties)}
    named = re.findall(r"\b([A-Za-z_]\w*)\((?!s\))|`(\w*_\w*)`", text)
    for name in (called or quoted for called, quoted in named):
        if name not in known:
            return f"the answer speaks of {name!r}, which is no action"
    return ""


def _edited(target: str, text: str, principles: Principles) -> Proposal:
    lines: list[str | None] = list(principles.of(target).splitlines())
    there, added = len(lines), 0
    for line in text.splitlines():
        found = _EDIT.match(line.strip())
        if not found:
            continue
        kind, number, said = found[1].upper(), int(found[2] or 0), " ".join(found[3].split())
        if kind == "ADD" and said and said not in lines:
            lines.append(said)
            added += 1
        elif 1 <= number <= there and (kind == "DROP" or said):
            lines[number - 1] = None if kind == "DROP" else said
    kept = [line for line in lines if line is not None][:ITEMS]
    return Proposal(target, "\n".join(kept))
