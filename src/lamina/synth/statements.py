"""What a small writer says in place of a request, or beside it (our choice; found by reading rows, docs/results/
library.md): a statement ("a download takes 9 megabytes and nine megabits"), a value and nothing else, a quotation that
no call has.

Where an example of the tool does the same it is no fault: then "we're out of milk" asks for something."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamina.checks.asking import STAGE, stems_of
from lamina.checks.evidence import evidence_of, plain
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.checks.words_said import without
from lamina.tools import Tool, Toolbox

_ASKS = re.compile(
    r"\?|\b(?:what|whats|how|hows|which|who|whose|when|whens|where|wheres|why|whether|if|can|could|would|will|shall|"
    r"should|do|does|did|please|pls|plz|tell|give|show|find|get|make|let|lets|help|want|need|like|love|wonder|"
    r"wondering|know|check|calculate|compute|convert|count|work out|figure|looking|trying|say|ask|see|list)\b"
)
_STARTS = r"^(?:(?:ok|okay|so|hey|hi|listen|well|look|oh|um|uh|and|btw|by the way|ah|quick|quickly)[,.! ]+)*"
_STATES = re.compile(
    _STARTS + r"(?:(?:an?|the|my|our|this|that|it|he|she|they|there|i|we|you)\b"
    r"(?: [^\s,.;:]+){0,5}?|[^\s,.;:]+(?: [^\s,.;:]+){0,5}?)"
    r" (?:is|are|was|were|takes|took|has|have|had|reads|equals|means|costs|weighs|contains|goes|comes)\b"
)
_QUOTED = re.compile(r"(?<!\w)(?:'([^'\n]{2,})'(?!\w)|\"([^\"\n]{2,})\"|“([^”\n]{2,})”)")


def states_only(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    text = plain(candidate.request)
    for tool in _called(candidate, toolbox):
        if _states(text) and not any(_states(plain(one.request)) for one in tool.examples):
            return Rejection(STAGE, Reason.NOT_ASKED, f"states something and asks nothing: {text[:80]!r}")
    return None


def says_a_value_only(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """ "December 5": whoever reads it can't tell what is wanted. Several values may do ("24 usd jpy")."""
    calls = candidate.turns[0] if candidate.turns else []
    for tool in _called(candidate, toolbox):
        said = [e.words for e in evidence_of(candidate.request, calls, toolbox, candidate.now) if e.verdict == "said"]
        if len(said) == 1 and _is_bare(candidate.request, said):
            if any(_is_bare(one.request, [str(v) for v in one.arguments.values()]) for one in tool.examples):
                return None
            return Rejection(STAGE, Reason.NOT_ASKED, f"says a value and nothing else: {candidate.request[:80]!r}")
    return None


def _called(candidate: Candidate, toolbox: Toolbox) -> list[Tool]:
    calls = candidate.turns[0] if candidate.turns else []
    return [tool for call in calls if (tool := toolbox.get(call.name))]


def _states(text: str) -> bool:
    return bool(_STATES.match(text)) and not _ASKS.search(text)


def _is_bare(request: str, values: Sequence[str | None]) -> bool:
    text = plain(request)
    return not _ASKS.search(text) and not stems_of(without(text, [plain(value) for value in values if value]))


def quotes_more(candidate: Candidate) -> Rejection | None:
    """A quotation that has nothing of any value."""
    values = _folded(str([call.arguments for call in candidate.calls]))
    for found in _QUOTED.finditer(candidate.request):
        quoted = next(group for group in found.groups() if group)
        if candidate.calls and _folded(quoted) not in values:
            return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, f"quotes {quoted[:60]!r}, which no call has")
    return None


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
