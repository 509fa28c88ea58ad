"""Checks of a written refusal: a request that nothing on offer serves, or that leaves out what a call needs. The right
answer is no call, so there are no values to trace: what is left to ask is whether a person would say it at all."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz

from lamina.checks import Candidate, Reason, Rejection
from lamina.synth.conversing import check_question, check_withheld
from lamina.synth.serving import serving_tool
from lamina.synth.unserved import foreign_material
from lamina.synth.writers import Assignment
from lamina.tools import Toolbox

STAGE = "grounding"
SERVED = 80
"""Likeness (of 100, whatever the order of the words) to an example of a tool from which on it serves the request."""
_SMALL_WORDS = re.compile(
    r"a|an|the|this|that|these|those|some|any|every|my|your|his|her|our|their|me|you|him|us|them|i|we|it|he|she|they|"
    r"who|what|when|where|why|how|which|whose|can|could|will|would|should|may|might|must|do|does|did|is|are|am|was|"
    r"were|be|been|have|has|had|to|of|in|on|at|for|from|with|by|about|into|up|down|out|off|over|and|or|but|if|than|"
    r"not|no|please|there|need|want|let|s|m|t|ll|re|d"
)


def check_refusal(candidate: Candidate, toolbox: Toolbox, assignment: Assignment) -> Rejection | None:
    """A written refusal must be something that people ask, and must not be servable: the withheld value is absent and
    everything else is said, and the assistant asks for it; or the request is far from every request that the tools do
    serve, and from what they say of themselves."""
    if not looks_asked(candidate.request):
        return Rejection(STAGE, Reason.NOT_ASKED, f"nobody asks this: {candidate.request[:80]!r}")
    if assignment.withheld:
        drawn, (_, withheld) = assignment.drawn[0], assignment.withheld[0]
        return check_withheld(candidate.request, drawn, [withheld], toolbox, candidate.now) or check_question(
            candidate.answer, drawn, [withheld], toolbox, candidate.now
        )
    return check_unserved(candidate, toolbox)


def check_unserved(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """A request that nothing serves is unlike every example of a tool, and far from what the tools say of
    themselves."""
    text = candidate.request.casefold()
    for tool in toolbox:
        for example in tool.examples:
            if fuzz.token_set_ratio(text, example.request.casefold()) >= SERVED:
                return Rejection(STAGE, Reason.NOT_A_REFUSAL, f"{tool.name} serves: {example.request}")
    if found := serving_tool(candidate.request, toolbox):
        return Rejection(STAGE, Reason.NOT_A_REFUSAL, f"{found[0].name} may serve it: both say {found[1]}")
    return None


def looks_asked(text: str) -> bool:
    """Two different words, one of which English cannot do without, or stands in the requests that people wrote for this
    material: "blah", "ok ok ok" and "lorem ipsum dolor" are none, "order pizza" is (our choice)."""
    words = set(re.findall(r"[^\W\d_]+", text.casefold()))
    known = (word for word in words if _SMALL_WORDS.fullmatch(word) or word in _words_people_ask_with())
    return len(words) > 1 and any(known)


@lru_cache(maxsize=1)
def _words_people_ask_with() -> frozenset[str]:
    requests = (request for entry in foreign_material()["foreign"] for request in entry["requests"])
    return frozenset(word for request in requests for word in re.findall(r"[^\W\d_]{3,}", request.casefold()))
