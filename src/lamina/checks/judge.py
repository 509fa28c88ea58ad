"""Judge: a model reads functions, request, calls and results and says pass or fail (APIGen stage 3, arXiv
2406.18518 section 3.2). A judge is believed only as far as it agrees with 60 rows labelled by hand; one that
is near chance judges nothing, and the rows say ``unjudged``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.checks.agreement import Agreement, agreement_of, labelled_rows
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
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


def measure_agreement(model: Model) -> Agreement:
    """Has the model judge the labelled rows; 60 answers, half a minute of a 135M model on 2 cores."""
    rows = labelled_rows()
    verdicts = _ask(model, [_question(list(r.toolbox()), r.request, _calls(r), _results(r)) for r in rows])
    return agreement_of(model.ref, rows, [None if v is None else v.passed for v in verdicts])


def check_judge(
    candidates: Sequence[Candidate], model: Model, toolbox: Toolbox, *, votes: int = 1, needed: int | None = None
) -> list[Rejection | None]:
    """One verdict a candidate, in order. Each is asked ``votes`` times and passes with ``needed`` passes (default: more
    than half); an unreadable judgement counts as no pass, and a candidate without any readable one is a rejection of
    its own. More than one vote needs a model that draws its words: each vote has a seed of its own."""
    questions = [
        _question(
            _shown_tools(c, toolbox),
            c.request,
            [(k.name, k.arguments) for k in c.calls],
            [r.text for turn in c.results for r in turn],
        )
        for c in candidates
    ]
    found: list[Rejection | None] = []
    for candidate, verdict in zip(candidates, voted(questions, model, votes, needed), strict=True):
        if isinstance(verdict, Check):
            candidate.notes.append(verdict)
        found.append(verdict if isinstance(verdict, Rejection) else None)
    return found


def judge_records(
    records: Sequence[Trajectory], model: Model, toolboxes: Sequence[Toolbox], *, votes: int = 1
) -> list[Check | Rejection]:
    """As ``check_judge``, of records of one request that somebody else made, each with its tools."""
    questions = []
    for record, toolbox in zip(records, toolboxes, strict=True):
        calls = _calls(record)
        named = {name for name, _ in calls}
        tools = [tool for tool in toolbox if not named or tool.name in named]
        questions.append(_question(tools, record.request, calls, _results(record)))
    return voted(questions, model, votes)


def voted(
    questions: Sequence[str], model: Model, votes: int, needed: int | None = None, *, task: str | None = None
) -> list[Check | Rejection]:
    """A verdict for each question, of ``votes`` answers; ``task`` replaces the first sentences of the instruction."""
    needed = votes // 2 + 1 if needed is None else needed
    if not 1 <= needed <= votes:
        raise ValueError(f"{needed} passes of {votes} votes cannot be had; use 1 to {votes}")
    if not questions:
        return []
    rounds = [_ask(model, questions, seed=vote, sampled=votes > 1, task=task) for vote in range(votes)]
    return [_counted([one for one in said if one is not None], votes, needed) for said in zip(*rounds, strict=True)]


def _counted(said: list[Judgement], votes: int, needed: int) -> Check | Rejection:
    passes = [one for one in said if one.passed]
    if len(passes) >= needed:
        tally = f" ({len(passes)} of {votes})" if votes > 1 else ""
        return Check(name=STAGE, detail=passes[0].thought + tally)
    fails = [one for one in said if not one.passed]
    if not fails:
        return Rejection(STAGE, Reason.JUDGEMENT_UNREADABLE, "the judge's answer is not a verdict")
    rule = Counter(one.rule for one in fails).most_common(1)[0][0]
    thought = next(one.thought for one in fails if one.rule == rule)
    told = thought if rule == NO_RULE else f"{rule}: {thought}"
    return Rejection(STAGE, Reason.JUDGED_WRONG, f"{told} ({len(fails)} of {votes})" if votes > 1 else told)


def _shown_tools(candidate: Candidate, toolbox: Toolbox) -> list[Tool]:
    """A refusal has to be judged against every tool, a call against its own."""
    names = {c.name for c in candidate.calls}
    return [t for t in toolbox if not names or t.name in names]


def _question(tools: Sequence[Tool], request: str, calls: Sequence[tuple[str, Any]], results: Sequence[str]) -> str:
    listed = "\n".join(f"- {t.name}({', '.join(t.properties)}): {t.description}" for t in tools)
    made = "\n".join(f"{name}({json.dumps(arguments, ensure_ascii=False)})" for name, arguments in calls)
    got = "\n".join(text[:300] for text in results)
    return (
        f"Functions:\n{listed}\n\nRequest: {request}\n\nCalls:\n{made or '(none: no function can do it)'}\n\n"
        f"Results:\n{got or '(none)'}\n\nDo the calls do what the request asks, all of it and nothing else?"
    )


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
    """None for what is no verdict: half an object, a pass that is no boolean, a pass that names a rule it fails."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("pass"), bool):
        return None
    rule = answer.get("rule", NO_RULE)
    if rule not in (*RULES, NO_RULE) or (answer["pass"] and rule != NO_RULE):
        return None
    return Judgement(answer["pass"], str(answer.get("thought", "")), rule)


def _calls(row: Trajectory) -> list[tuple[str, Any]]:
    return [(c.name, c.arguments) for c in row.calls]


def _results(row: Trajectory) -> list[str]:
    return [m.content for m in row.messages if m.role == "tool"]
