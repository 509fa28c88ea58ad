"""Checks of what is revealed when: a request that leaves a value out, the question for it, the answer, and what is
wanted next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice

from lamina.checks import Candidate, Reason, Rejection, check_asking
from lamina.checks.asking import shares_a_word
from lamina.checks.evidence import evidence_in, evidence_of
from lamina.checks.grounding import left_over, missing_values
from lamina.synth.calls import DrawnCall
from lamina.synth.truth_values import check_flags
from lamina.synth.writers import Assignment
from lamina.tools import Toolbox
from lamina.tools.execution.sessions import difference
from lamina.trajectories import Check, ToolCall

STAGE = "grounding"
LONGEST_QUESTION = 120
"""Characters (our choice)."""


def check_withheld(
    request: str, drawn: DrawnCall, withheld: Collection[str], toolbox: Toolbox, now: str | None = None
) -> Rejection | None:
    """All values are said but those that were to be left out; ``now`` is the record's clock."""
    kept = {k: v for k, v in drawn.arguments.items() if k not in withheld}
    calls = [ToolCall.of(drawn.tool.name, kept)]
    if gone := missing_values(request, calls, toolbox, now):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, gone[0])
    if extra := left_over(request, calls, toolbox, now):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, extra[0])
    for name in withheld:
        value = drawn.arguments[name]
        hidden = evidence_of(request, [ToolCall.of(drawn.tool.name, {name: value})], toolbox, now)
        if any(e.verdict == "said" for e in hidden):
            detail = f"the value that was to be left out is said: {value!r}"
            return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, detail)
    return None


def check_conversation(candidate: Candidate, toolbox: Toolbox, assignment: Assignment) -> Rejection | None:
    """Each piece reveals what it is to reveal and no more; the calls, run afresh, give and leave behind what the
    blueprint gave and left."""
    said = _said(candidate)
    if len(said) != len(assignment.drawn) + 2 * len(assignment.withheld):
        return Rejection("format", Reason.NO_ANSWER, "the writer left out the assistant's question")
    pieces = iter(said)
    found = _check_session(candidate, assignment)
    for number, drawn in enumerate(assignment.drawn):
        withheld = [name for one, name in assignment.withheld if one == number]
        request, *told = islice(pieces, 1 + 2 * len(withheld))
        found = (
            found
            or _check_asked(request, drawn, withheld, candidate, toolbox, first=number == 0)
            or _check_told(told, drawn, withheld, candidate, toolbox)
            or check_flags(" ".join([request, *told[1::2]]), drawn.tool, drawn.arguments)
        )
    if found is None:
        evidence = evidence_in(candidate.script, toolbox, candidate.now) or None
        candidate.notes += [Check(name="format"), Check(name="execution"), Check(name=STAGE, evidence=evidence)]
    return found


def _said(candidate: Candidate) -> list[str]:
    """For each call a request, and for each argument that it leaves out a question and its answer."""
    return [m.content for m in candidate.script if not m.tool_calls and (m.role == "user" or m.content)]


def _check_session(candidate: Candidate, assignment: Assignment) -> Rejection | None:
    """All outputs and the end state, against the blueprint's."""
    returned = [result for turn in candidate.results for result in turn]
    for drawn, result in zip(assignment.drawn, returned, strict=True):
        if (drawn.result.value, drawn.result.text) != (result.value, result.text):
            detail = f"{drawn.tool.name} gives {drawn.result.text[:80]} in the blueprint, then {result.text[:80]}"
            return Rejection("execution", Reason.RESULT_DIFFERS, detail)
    if differs := difference(dict(assignment.end_state), candidate.end_state):
        detail = f"the calls do not leave behind what the blueprint left: {differs}"
        return Rejection("execution", Reason.STATE_DIFFERS, detail)
    return None


def check_question(
    question: str,
    drawn: DrawnCall,
    withheld: Sequence[str],
    toolbox: Toolbox,
    now: str | None = None,
) -> Rejection | None:
    """It is one, asks for the first of the arguments that were left out, and says no value: neither one of theirs nor
    another that the user did not say. ``now`` is the record's clock."""
    if not question:
        return Rejection("format", Reason.NO_ANSWER, "the writer left out the assistant's question")
    if not question.endswith("?") or "\n" in question or len(question) > LONGEST_QUESTION:
        return Rejection(STAGE, Reason.NOT_ASKED, f"the assistant's question is none: {question[:80]!r}")
    for value in (str(drawn.arguments[name]).casefold() for name in withheld):
        if len(value) > 1 and value in question.casefold():
            return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, f"the question says a value it asks for: {question!r}")
    kept = ToolCall.of(drawn.tool.name, {k: v for k, v in drawn.arguments.items() if k not in withheld})
    if extra := left_over(question, [kept], toolbox, now):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, f"the question says a value ({extra[0]}): {question!r}")
    wanted = withheld[0]
    about = f"{wanted} {drawn.tool.properties[wanted].get('description', '')}"
    if not shares_a_word(question, about):
        return Rejection(STAGE, Reason.NOT_ASKED, f"the question has nothing to do with {wanted}: {question!r}")
    return None


def _check_asked(
    request: str, drawn: DrawnCall, withheld: Collection[str], candidate: Candidate, toolbox: Toolbox, *, first: bool
) -> Rejection | None:
    """A request of the conversation. Whether the first asks for its tool is asked of every row before."""
    found = _check_line(request) or check_withheld(request, drawn, withheld, toolbox, candidate.now)
    if found or first:
        return found
    alone = Candidate(
        request=request, turns=[[ToolCall.of(drawn.tool.name, drawn.arguments)]], style="simple",
        writer=candidate.writer, seed=candidate.seed, now=candidate.now,
    )  # fmt: skip
    return check_asking(alone, toolbox)


def _check_told(
    told: Sequence[str], drawn: DrawnCall, withheld: Sequence[str], candidate: Candidate, toolbox: Toolbox
) -> Rejection | None:
    """The questions and answers that follow a request, in turns. A question may say what was answered before it, an
    answer nothing of what is asked after it."""
    for place in range(len(withheld)):
        question, reply = told[2 * place], told[2 * place + 1]
        left = withheld[place:]
        asked = replace(drawn, arguments={one: drawn.arguments[one] for one in left})
        found = (
            check_question(question, drawn, left, toolbox, candidate.now)
            or _check_line(reply)
            or check_withheld(reply, asked, left[1:], toolbox, candidate.now)
        )
        if found:
            return found
    return None


def _check_line(text: str) -> Rejection | None:
    if text and "\n" not in text:
        return None
    return Rejection("format", Reason.NO_ANSWER, "the writer left out what the user says")
