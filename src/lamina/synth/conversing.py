"""Checks of what is revealed when: a request that leaves a value out, the question for it, the answer, and what is
wanted next."""

from __future__ import annotations

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
PIECES = 4
"""Opening, question, reply and the later request."""
LONGEST_QUESTION = 120
"""Characters (our choice)."""


def check_withheld(
    request: str, drawn: DrawnCall, withheld: str, toolbox: Toolbox, now: str | None = None
) -> Rejection | None:
    """All values are said but the one that was to be left out; ``now`` is the record's clock."""
    kept = {k: v for k, v in drawn.arguments.items() if k != withheld}
    calls = [ToolCall.of(drawn.tool.name, kept)]
    if gone := missing_values(request, calls, toolbox, now):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, gone[0])
    extra = left_over(request, calls, toolbox, now)
    value = drawn.arguments[withheld]
    hidden = evidence_of(request, [ToolCall.of(drawn.tool.name, {withheld: value})], toolbox, now)
    if extra or any(e.verdict == "said" for e in hidden):
        detail = extra[0] if extra else f"the value that was to be left out is said: {value!r}"
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, detail)
    return None


def check_conversation(candidate: Candidate, toolbox: Toolbox, assignment: Assignment) -> Rejection | None:
    """Each piece reveals what it is to reveal and no more; the calls, run afresh, give and leave behind what the
    blueprint gave and left."""
    said = _said(candidate)
    if len(said) != PIECES:
        return Rejection("format", Reason.NO_ANSWER, "the writer left out the assistant's question")
    opening, question, reply, later = said
    first, second = assignment.drawn
    answered = ToolCall.of(first.tool.name, {assignment.withheld: first.arguments[assignment.withheld]})
    found = (
        _check_session(candidate, assignment)
        or check_withheld(opening, first, assignment.withheld, toolbox, candidate.now)
        or check_question(question, first, assignment.withheld, toolbox, candidate.now)
        or _check_says(reply, answered, toolbox, candidate.now)
        or _check_says(later, ToolCall.of(second.tool.name, second.arguments), toolbox, candidate.now)
        or _check_asks(later, second, candidate, toolbox)
        or check_flags(f"{opening} {reply}", first.tool, first.arguments)
        or check_flags(later, second.tool, second.arguments)
    )
    if found is None:
        told = evidence_in(candidate.script, toolbox, candidate.now) or None
        candidate.notes += [Check(name="format"), Check(name="execution"), Check(name=STAGE, evidence=told)]
    return found


def _said(candidate: Candidate) -> list[str]:
    """Opening, question, reply and the later request."""
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
    question: str, drawn: DrawnCall, withheld: str, toolbox: Toolbox, now: str | None = None
) -> Rejection | None:
    """It is one, asks for the argument that was left out, and says no value: neither the one it asks for nor another
    that the user did not say. ``now`` is the record's clock."""
    if not question:
        return Rejection("format", Reason.NO_ANSWER, "the writer left out the assistant's question")
    if not question.endswith("?") or "\n" in question or len(question) > LONGEST_QUESTION:
        return Rejection(STAGE, Reason.NOT_ASKED, f"the assistant's question is none: {question[:80]!r}")
    value = str(drawn.arguments[withheld]).casefold()
    if len(value) > 1 and value in question.casefold():
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, f"the question says the value it asks for: {question!r}")
    kept = ToolCall.of(drawn.tool.name, {k: v for k, v in drawn.arguments.items() if k != withheld})
    if extra := left_over(question, [kept], toolbox, now):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, f"the question says a value ({extra[0]}): {question!r}")
    about = f"{withheld} {drawn.tool.properties[withheld].get('description', '')}"
    if not shares_a_word(question, about):
        return Rejection(STAGE, Reason.NOT_ASKED, f"the question has nothing to do with {withheld}: {question!r}")
    return None


def _check_says(text: str, call: ToolCall, toolbox: Toolbox, now: str | None) -> Rejection | None:
    if not text or "\n" in text:
        return Rejection("format", Reason.NO_ANSWER, "the writer left out what the user says")
    if missing := missing_values(text, [call], toolbox, now):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, missing[0])
    if extra := left_over(text, [call], toolbox, now):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, extra[0])
    return None


def _check_asks(later: str, second: DrawnCall, candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    alone = Candidate(
        request=later, turns=[[ToolCall.of(second.tool.name, second.arguments)]], style="simple",
        writer=candidate.writer, seed=candidate.seed, now=candidate.now,
    )  # fmt: skip
    return check_asking(alone, toolbox)
