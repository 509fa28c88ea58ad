"""The rules that one written row is asked without a model, each small, in the order of ``RULES``.

Three kinds of rows are asked different things: requests with calls, conversations (``script``) and refusals. A rule of
one's own is a function of a ``Case``, put into ``RULES`` under a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lamina.checks import (
    Candidate,
    Reason,
    Rejection,
    check_asking,
    check_execution,
    check_format,
    check_grounding,
    check_needs_clock,
    check_request,
    check_style,
)
from lamina.checks.counting import check_count
from lamina.checks.evidence import numbers_in, plain
from lamina.checks.novelty import STAGE as NOVELTY
from lamina.checks.novelty import plain as plain_words
from lamina.synth.conversing import check_conversation
from lamina.synth.marked_values import mismarked
from lamina.synth.refusing import check_refusal, check_unserved
from lamina.synth.said_apart import run_together
from lamina.synth.stamps import passed_checks
from lamina.synth.statements import quotes_more, says_a_value_only, states_only
from lamina.synth.truth_values import check_flags
from lamina.synth.verbatim import changes_a_code, says_three_times
from lamina.synth.writers import Assignment
from lamina.tools import Toolbox

HAND_MADE = ("examples", "grammar")
"""Writers that are no model."""
_JSON = re.compile(r"""\s*(?:`{3}\w*\s*)?[\[{]\s*["'\[{]""")
_SHARED = re.compile(r"\b(?:both|each|all|every|same)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A row and what its rules need to know. ``assignment``: what its writer was asked for; None where nobody was."""

    candidate: Candidate
    toolbox: Toolbox
    assignment: Assignment | None = None

    @property
    def absent(self) -> bool:
        """The call is there to check the request with, and goes."""
        return self.assignment is not None and self.assignment.absent

    @property
    def by_model(self) -> bool:
        return self.candidate.writer not in HAND_MADE

    @property
    def kind(self) -> str:
        """``conversation``, ``refusal`` or ``request``; of rows that were assigned to nobody always the last."""
        if self.assignment is None:
            return "request"
        return "conversation" if self.candidate.script else "request" if self.candidate.calls else "refusal"


Rule = Callable[[Case], Rejection | None]


def check_alone(
    candidate: Candidate, toolbox: Toolbox, assignment: Assignment | None = None, grounded: bool = True
) -> Rejection | None:
    """Format, execution and, if ``grounded``, grounding: the first of ``RULES`` that objects. A request that passed all
    gets what it passed as notes."""
    case = Case(candidate, toolbox, assignment)
    for name, rule in RULES.items():
        if (grounded or name in UNGROUNDED) and (found := rule(case)):
            return found
    if grounded and not candidate.script:
        candidate.notes += passed_checks(candidate, toolbox)
    return None


def _format(case: Case) -> Rejection | None:
    """A model that was asked for a sentence and writes JSON, or half of it, wrote no request; people may paste some."""
    candidate = case.candidate
    offered = candidate.offered if candidate.offered and not case.absent else case.toolbox
    found = check_format(candidate, offered)
    if found is None and case.by_model and _JSON.match(candidate.request):
        told = f"the writer wrote JSON, and was asked for a request in words: {candidate.request[:80]!r}"
        return Rejection("format", Reason.UNREADABLE, told)
    return found


def _style(case: Case) -> Rejection | None:
    """People may want one thing twice ("toss a coin, twice"), and grammars join what is at hand: of their rows only the
    number is asked."""
    candidate = case.candidate
    style = "simple" if case.absent else candidate.style
    if not case.by_model:
        return check_count(style, candidate.turns)
    return check_style(style, candidate.turns, case.toolbox, candidate.now, candidate.expected_calls)


def _execution(case: Case) -> Rejection | None:
    return check_execution(case.candidate, case.toolbox)


def _marks(case: Case) -> Rejection | None:
    """Marks of the prompt: half of a pair of brackets or quotes, a slash between two calls, an argument's name with a
    colon."""
    if not case.by_model:
        return None
    candidate = case.candidate
    names = {name.replace("_", " ") for call in candidate.calls for name in call.arguments}
    for text in [candidate.request, *(m.content or "" for m in candidate.script)]:
        labels = [name for name in names if f" {name}: " in f" {text.casefold()}"]
        if text.count("[") != text.count("]") or text.count('"') % 2 or " / " in text or labels:
            return Rejection("grounding", Reason.REQUEST_SAYS_MORE, f"has marks of the writer's prompt: {text[:80]!r}")
    return None


def _asking(case: Case) -> Rejection | None:
    return check_asking(case.candidate, case.toolbox) if case.by_model else None


def _conversation(case: Case) -> Rejection | None:
    if case.assignment is None or case.kind != "conversation":
        return None
    return check_conversation(case.candidate, case.toolbox, case.assignment)


def _refusal(case: Case) -> Rejection | None:
    """Near misses name a tool's own thing, and are composed of what no tool does to it."""
    if case.candidate.calls or case.candidate.script:
        return None
    if case.assignment is not None:
        return check_refusal(case.candidate, case.toolbox, case.assignment)
    return check_unserved(case.candidate, case.toolbox) if case.candidate.style == "irrelevant" else None


def _says_its_own(case: Case) -> bool:
    """The second request of a grammar's dependent row has a value that is the first one's result."""
    return case.kind == "request" and (case.candidate.writer != "grammar" or case.candidate.style != "dependent")


def _grounding(case: Case) -> Rejection | None:
    return check_grounding(case.candidate, case.toolbox) if _says_its_own(case) else None


def _clock(case: Case) -> Rejection | None:
    """Of the user's own examples, too: what is right on one day alone is learned as if it were right on every day."""
    return None if case.absent else check_needs_clock(case.candidate, case.toolbox)


def _request(case: Case) -> Rejection | None:
    return check_request(case.candidate, case.toolbox) if _says_its_own(case) else None


def _leak(case: Case) -> Rejection | None:
    """A small writer copies more from its examples than their wording: their values, too."""
    if case.assignment is None:
        return None
    candidate = case.candidate
    said = [candidate.request, *(m.content or "" for m in candidate.script)]
    text, values = f" {' '.join(said).casefold()} ", str([c.arguments for c in candidate.calls]).casefold()
    for form in case.assignment.shown:
        shown = form.casefold()
        if len(shown) > 3 and shown not in values and re.search(rf"(?<!\w){re.escape(shown)}(?!\w)", text):
            detail = f"{form!r} is a value of an example, not of this call"
            return Rejection("grounding", Reason.REQUEST_SAYS_MORE, detail)
    return None


def _truth_values(case: Case) -> Rejection | None:
    """Of calls that were drawn: the words were written for them."""
    if case.assignment is None or case.kind != "request":
        return None
    exemplar, request = case.assignment.exemplar, case.candidate.request
    like = exemplar.request if exemplar else None
    found = (check_flags(request, d.tool, d.arguments, like) for d in case.assignment.drawn)
    return next(filter(None, found), None)


_SWAPPED = re.compile(
    r"(?:\b(?:to|into|in|as|how many|how much)|(?<=\}) (?:->|→|=>?)) (?:\w+ )?\{(?:from_\w+|source\w*|origin\w*)\}"
    r"|\bfrom (?:\w+ )?\{(?:to_\w+|target\w*|destination\w*)\}"
)


def _roles(case: Case) -> Rejection | None:
    """Arguments that say by their names where something comes from and where it goes, put the other way round in
    the request: "40 feet to meters" or "40 feet as meters" for a call from meters to feet."""
    template = case.candidate.template
    if case.assignment is not None and case.kind == "request" and _SWAPPED.search(template):
        return Rejection("grounding", Reason.SWAPPED_ROLES, f"source and target are swapped: {template}")
    return None


def _each_said(case: Case) -> Rejection | None:
    """Of several calls each needs its own number: one said once is not said for two, unless all calls of a tool agree
    in that argument ("5, 6 and 7 miles in km") or the request says so ("red and green are both 255"). Numbers that are
    said in another form are not counted."""
    candidate = case.candidate
    if case.assignment is None or case.kind != "request" or _SHARED.search(candidate.request):
        return None
    calls = candidate.turns[0] if candidate.turns else []
    values = [(c.name, path, v) for c in calls for path, v in c.arguments.items() if type(v) in (int, float)]
    per_tool = Counter(c.name for c in calls)
    alike = Counter(values)
    wanted = Counter(v for (name, _, v), n in alike.items() for _ in range(1 if n == per_tool[name] else n))
    said = Counter(numbers_in(plain(candidate.request)))
    for value, times in wanted.items():
        if 0 < said[value] < times:
            told = f"{value:g} is said {said[value]} times for {times} arguments"
            return Rejection("grounding", Reason.VALUE_NOT_IN_REQUEST, told)
    return None


def _sense(case: Case) -> Rejection | None:
    """What reading rows of small writers has shown, and no value tells."""
    if not case.by_model or case.kind != "request":
        return None
    candidate, toolbox = case.candidate, case.toolbox
    return (
        states_only(candidate, toolbox)
        or says_a_value_only(candidate, toolbox)
        or mismarked(candidate, toolbox)
        or run_together(candidate)
        or quotes_more(candidate, toolbox)
        or changes_a_code(candidate, toolbox)
        or says_three_times(candidate)
    )


def _reworded(case: Case) -> Rejection | None:
    """Small writers say the sentence itself instead of saying it otherwise."""
    said = case.assignment.said if case.assignment is not None else ""
    if said and plain_words(said) == plain_words(case.candidate.request):
        return Rejection(NOVELTY, Reason.DUPLICATE, f"says what it was to say in another way: {said[:80]!r}")
    return None


RULES: dict[str, Rule] = {
    "format": _format,
    "style": _style,
    "execution": _execution,
    "marks": _marks,
    "asking": _asking,
    "clock": _clock,
    "conversation": _conversation,
    "refusal": _refusal,
    "grounding": _grounding,
    "request": _request,
    "leak": _leak,
    "truth-values": _truth_values,
    "roles": _roles,
    "each-said": _each_said,
    "sense": _sense,
    "reworded": _reworded,
}
"""In the order in which they are asked; the first that objects rejects."""
UNGROUNDED = ("format", "style", "execution", "marks", "asking", "clock")
"""Asked of rows, too, whose request a person wrote and whose values need not stand in it."""
