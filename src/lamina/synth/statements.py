"""What a small writer says in place of a request, or beside it (our choice; found by reading rows, docs/results/
library.md): a statement ("a download takes 9 megabytes and nine megabits"), a value and nothing else, a quotation that
no call has.

Where an example of the tool does the same it is no fault: then "we're out of milk" asks for something."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lamina.checks.asking import STAGE, shares_a_word
from lamina.checks.evidence import evidence_of, leaves_of, plain
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.checks.words_said import without
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall

_ASKS = re.compile(
    r"\?|\b(?:what|whats|how|hows|which|who|whose|when|whens|where|wheres|why|whether|if|can|could|would|will|shall|"
    r"should|do|does|did|please|pls|plz|tell|give|show|find|get|make|let|lets|help|want|need|like|love|wonder|"
    r"wondering|know|check|calculate|compute|convert|count|work out|figure|looking|trying|say|ask|see|list)\b"
)
_STATES = re.compile(
    r"(?:(?:ok|okay|so|hey|hi|listen|well|look|oh|um|uh|and|btw|by the way|ah)[,.! ]+)*"
    r"(?:an?|the|my|our|this|that|it|he|she|they|there|i|we|\|)(?: (?:(?!that |which |who )[^\s,.;:])+){0,5}?"
    r" (?:is|are|was|were|takes|took|has|have|had|reads|equals|means|costs|weighs|contains)\b"
)
"""From its beginning; values are taken out before, and ``|`` stands for each."""
_FILLERS = re.compile(
    r"an?|the|in|on|at|of|for|to|by|is|it|its|are|so|ok|okay|and|or|um|uh|hey|hi|oh|today|now|thanks?|thx|cheers|you|"
    r"please|pls|plz|just|me|my|i|s"
)
_QUOTED = re.compile(r"(?<!\w)\"([^\"\n]{2,})\"|“([^”\n]{2,})”")

Fault = Callable[[str, Sequence[ToolCall], Toolbox, str | None], bool]
"""Of a request, its calls, all tools, and the clock."""


def states_only(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    if _as_no_example(_states, candidate, toolbox):
        return _rejected(Reason.NOT_ASKED, "states something and asks nothing", candidate.request)
    return None


def says_a_value_only(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """ "December 5": whoever reads it can't tell what is wanted. Several values may do ("24 usd jpy")."""
    if _as_no_example(_is_bare, candidate, toolbox):
        return _rejected(Reason.NOT_ASKED, "says a value and nothing else", candidate.request)
    return None


def quotes_more(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """A quotation that has nothing of any value, and no word of a tool."""
    calls = _calls(candidate)
    tools = _called(calls, toolbox)
    said = _said(candidate.request, calls, toolbox, candidate.now)
    values = [str(value) for t, call in zip(tools, calls, strict=True) for _, value, _ in leaves_of(t, call.arguments)]
    for found in _QUOTED.finditer(candidate.request):
        quoted = next(group for group in found.groups() if group)
        if (
            calls
            and _folded(quoted) not in _folded(" ".join([*values, *said]))
            and not any(_folded(one) in _folded(quoted) for one in (*values, *said) if _folded(one))
            and not any(shares_a_word(quoted, f"{tool.name} {tool.description}") for tool in tools)
        ):
            return _rejected(Reason.REQUEST_SAYS_MORE, "has a quotation that is in no call", quoted)
    return None


def _as_no_example(fault: Fault, candidate: Candidate, toolbox: Toolbox) -> bool:
    """Whether the request has the fault, and a called tool has no example that has it, too."""
    calls = _calls(candidate)
    return fault(candidate.request, calls, toolbox, candidate.now) and any(
        not any(fault(e.request, [ToolCall.of(tool.name, e.arguments)], toolbox, e.now) for e in tool.examples)
        for tool in _called(calls, toolbox)
    )


def _rejected(reason: Reason, what: str, text: str) -> Rejection:
    return Rejection(STAGE, reason, f"{what}: {text[:80]!r}")


def _calls(candidate: Candidate) -> Sequence[ToolCall]:
    return candidate.turns[0] if candidate.turns else []


def _called(calls: Sequence[ToolCall], toolbox: Toolbox) -> list[Tool]:
    """Of calls that passed the format: their functions are known."""
    return [toolbox[call.name] for call in calls]


def _said(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None) -> list[str]:
    """The words of the request that values come from."""
    found = evidence_of(request, calls, toolbox, now)
    return [plain(one.words) for one in found if one.verdict == "said" and one.words]


def _states(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None) -> bool:
    text = " ".join(without(plain(request), _said(request, calls, toolbox, now)).split())
    return bool(_STATES.match(text)) and not _ASKS.search(text)


def _is_bare(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None) -> bool:
    said = _said(request, calls, toolbox, now)
    left = without(plain(request), said)
    return (
        len(said) == 1
        and "?" not in request
        and all(_FILLERS.fullmatch(word) for word in re.findall(r"[^\W\d_]+", left))
    )


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
