"""Judge: a model reads functions, request, calls and results and says pass or fail (APIGen stage 3, arXiv
2406.18518 section 3.2). A judge is believed only as far as it agrees with 60 rows labelled by hand; one that
is near chance judges nothing, and the rows say ``unjudged``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lamina.checks.agreement import Agreement, agreement_of, labelled_rows
from lamina.checks.answers import answer_in, kept
from lamina.checks.dialogue import LONGEST, dialogue, setting
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.errors import UserError
from lamina.models import Model, Request
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Check, Message, Trajectory

STAGE = "judge"

RULES = {
    "objective": "the request asks for something else than the calls do",
    "arguments": "a wrong function, or wrong or swapped arguments, or a value that is not in the request",
    "count": "calls are missing or too many, or the request says more than the calls",
    "irrelevant": "the result does not help with the request",
    "error": "the result is an error",
}
"""The paper's five fail rules, by the name that a verdict gives (APIGen, arXiv 2406.18518 section 3.2)."""
NO_RULE = "none"

_THOUGHT = {"type": "string", "maxLength": 160}


def _verdict(passed: bool, rules: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"thought": _THOUGHT, "pass": {"const": passed}, "rule": {"enum": rules}},
        "required": ["thought", "pass", "rule"],
        "additionalProperties": False,
    }


VERDICT_SCHEMA: dict[str, Any] = {"anyOf": [_verdict(True, [NO_RULE]), _verdict(False, list(RULES))]}
"""Whoever is held to it cannot pass and name a rule that is failed: a 0.5B judge did that to 28 of 30 steps."""


@dataclass(frozen=True)
class Judgement:
    """One readable verdict. ``rule``: the name in ``RULES`` that it fails, ``none`` for a pass."""

    passed: bool
    thought: str
    rule: str


@dataclass(frozen=True)
class Opinion:
    """What all votes on one row come to. ``passed``: None where too few of them are verdicts. ``agreeing``: votes that
    say so. ``where``: which part of the row the thought is about, if not all of it."""

    passed: bool | None
    rule: str
    thought: str
    agreeing: int = 1
    votes: int = 1
    where: str = ""

    @property
    def verdict(self) -> Literal["pass", "fail", "unreadable"]:
        return "unreadable" if self.passed is None else "pass" if self.passed else "fail"

    @property
    def detail(self) -> str:
        rule = "" if self.rule == NO_RULE else f"{self.rule}: "
        tally = f" ({self.agreeing} of {self.votes})" if self.votes > 1 and self.passed is not None else ""
        return f"{self.where}{rule}{self.thought}{tally}"

    @property
    def outcome(self) -> Check | Rejection:
        """What becomes of the row where the judge is believed."""
        if self.passed:
            return Check(name=STAGE, detail=self.detail)
        reason = Reason.JUDGEMENT_UNREADABLE if self.passed is None else Reason.JUDGED_WRONG
        return Rejection(STAGE, reason, self.detail)


def passes_needed(votes: int, needed: int | None = None) -> int:
    """Of ``votes``; more than half where nobody says how many. Raises UserError for what cannot be had."""
    if needed is not None and not 1 <= needed <= votes:
        raise UserError(f"{needed} passes of {votes} votes cannot be had; --votes-needed takes 1 to {votes}")
    return votes // 2 + 1 if needed is None else needed


def measure_agreement(model: Model) -> Agreement:
    """Has the model judge the labelled rows; 60 answers, half a minute of a 135M model on 2 cores."""
    rows = labelled_rows()
    verdicts = _ask(model, [_question(r.toolbox(), r.messages, r.meta.now) for r in rows])
    return agreement_of(model.ref, rows, [None if v is None else v.passed for v in verdicts])


def check_judge(
    candidates: Sequence[Candidate], model: Model, toolbox: Toolbox, *, votes: int = 1, needed: int | None = None
) -> list[Rejection | None]:
    """One verdict a candidate, in order, from all that a user of the row would see: the tools on offer in it, its
    clock, every word said, the calls and their results. Each is asked ``votes`` times and passes with ``needed``
    passes (default: more than half); an unreadable judgement counts as no pass, and a candidate without any readable
    one is a rejection of its own. More than one vote needs a model that draws its words: each has its own seed."""
    questions = [
        _question(toolbox if c.offered is None else c.offered, c.conversation(c.request), c.now) for c in candidates
    ]
    found: list[Rejection | None] = []
    for candidate, opinion in zip(candidates, voted(questions, model, votes, needed), strict=True):
        outcome = opinion.outcome
        if isinstance(outcome, Check):
            candidate.notes.append(outcome)
        found.append(outcome if isinstance(outcome, Rejection) else None)
    return found


def judge_records(
    records: Sequence[Trajectory],
    model: Model,
    toolboxes: Sequence[Toolbox],
    *,
    votes: int = 1,
    needed: int | None = None,
) -> list[Opinion]:
    """As ``check_judge``, of records of one request that somebody else made, each with the tools on offer in it."""
    questions = [_question(box, r.messages, r.meta.now) for r, box in zip(records, toolboxes, strict=True)]
    return voted(questions, model, votes, needed)


def voted(
    questions: Sequence[str], model: Model, votes: int, needed: int | None = None, *, task: str | None = None
) -> list[Opinion]:
    """An opinion on each question, of ``votes`` answers; ``task`` replaces the first sentences of the instruction."""
    enough = passes_needed(votes, needed)
    if not questions:
        return []
    rounds = [_ask(model, questions, seed=vote, sampled=votes > 1, task=task) for vote in range(votes)]
    return [_counted([one for one in said if one is not None], votes, enough) for said in zip(*rounds, strict=True)]


def _counted(said: list[Judgement], votes: int, needed: int) -> Opinion:
    passes = [one for one in said if one.passed]
    if len(passes) >= needed:
        return Opinion(True, NO_RULE, passes[0].thought, len(passes), votes)
    fails = [one for one in said if not one.passed]
    if not fails:
        return Opinion(None, NO_RULE, "the judge's answer is not a verdict", 0, votes)
    rule = Counter(one.rule for one in fails).most_common(1)[0][0]
    return Opinion(False, rule, next(one.thought for one in fails if one.rule == rule), len(fails), votes)


def _question(tools: Iterable[Tool], messages: Sequence[Message], now: str | None) -> str:
    """A row of one request is laid out by its parts, a conversation as it went."""
    if sum(m.role == "user" for m in messages) > 1:
        row, who = f"Conversation:\n{dialogue(messages)}", "the user"
    else:
        row, who = _parts(messages), "the request"
    return f"{setting(tools, now)}{row}\n\nDo the calls do what {who} asks, all of it and nothing else?"


def _parts(messages: Sequence[Message]) -> str:
    request = next((m.content for m in messages if m.role == "user"), "")
    calls = [c for m in messages for c in m.tool_calls or []]
    made = "\n".join(f"{c.name}({json.dumps(c.arguments, ensure_ascii=False)})" for c in calls)
    got = "\n".join(m.content[:LONGEST] for m in messages if m.role == "tool")
    answer = next((m.content for m in reversed(messages) if m.role == "assistant" and not m.tool_calls), "")
    return (
        f"Request: {request}\n\nCalls:\n{made or NO_CALLS}\n\nResults:\n{got or '(none)'}"
        + (f"\n\nAnswer: {answer[:LONGEST]}" if answer else "")
    )  # fmt: skip


NO_CALLS = "(none: no function fits, or the request leaves out a value that is needed)"
TASK = "You check function calls."


def _ask(
    model: Model, questions: Sequence[str], *, seed: int = 0, sampled: bool = False, task: str | None = None
) -> list[Judgement | None]:
    listed = "; ".join(f"{name}: {what}" for name, what in RULES.items())
    system = (
        f"{task or TASK} Answer with JSON: a short thought, then pass (true or false), then the rule that it "
        f"fails, or {NO_RULE}. Fail when one of these holds: {listed}."
    )
    requests = [
        Request(
            messages=[Message(role="system", content=system), Message(role="user", content=q)],
            constraint=VERDICT_SCHEMA,
            max_tokens=120,
            seed=seed,
            temperature=0.7 if sampled else 0.0,
        )
        for q in questions
    ]
    return [_read(reply.text) for reply in model.generate(requests)]


def _read(text: str) -> Judgement | None:
    """None for what is no verdict: not the three keys once each, a pass that is no boolean, or that names a rule it
    fails."""
    answer = answer_in(text, ("thought", "pass", "rule"))
    if answer is None or not isinstance(answer["pass"], bool) or not isinstance(answer["rule"], str):
        return None
    rule = answer["rule"]
    if rule not in (*RULES, NO_RULE) or (answer["pass"] and rule != NO_RULE):
        return None
    return Judgement(answer["pass"], kept(str(answer["thought"]), LONGEST), rule)
