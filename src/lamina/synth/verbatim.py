"""Codes that a request says in other letters, and words that it says three times running (our choice; found by reading
rows of a small writer, docs/results/library.md).

Grounding looks for values in whatever letters, as people write "paris". A code in other letters is another: "agvsbg8="
is not "aGVsbG8="."""

from __future__ import annotations

import re

from lamina.checks.evidence import leaves_of
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox

CHANGES = 3
"""How often capitals and small letters take turns in a code; in names they do so once or twice ("YouTube")."""
_LONGEST = 3
"""Words of a phrase that is said again at once."""


def changes_a_code(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Of a request that a model wrote for its calls."""
    for call in candidate.turns[0] if candidate.turns else []:
        tool = toolbox.get(call.name)
        for path, value, _ in leaves_of(tool, call.arguments) if tool else []:
            for token in value.split() if isinstance(value, str) else []:
                if _is_code(token) and token not in candidate.request:
                    told = f"{path} is {token!r}, and the request does not say it in these letters"
                    return Rejection("grounding", Reason.VALUE_NOT_IN_REQUEST, told)
    return None


def _is_code(token: str) -> bool:
    letters = "".join("A" if c.isupper() else "a" for c in token if c.isalpha())
    changes = letters.count("Aa") + letters.count("aA")
    return changes >= CHANGES and bool(re.search(r"[\d=]", token))


def says_three_times(candidate: Candidate) -> Rejection | None:
    """Two or three words, thrice without anything between: "times 19, times 19, times 19". Numbers alone may be a list,
    and a value may be such a text."""
    words = re.findall(r"[^\W_]+", candidate.request.casefold())
    values = " ".join(re.findall(r"[^\W_]+", str([call.arguments for call in candidate.calls]).casefold()))
    for size in range(2, _LONGEST + 1):
        for at in range(len(words) - 3 * size + 1):
            phrase = words[at : at + size]
            running = words[at : at + 3 * size] == phrase * 3
            if running and not all(w.isdigit() for w in phrase) and " ".join(phrase * 3) not in values:
                told = f"says {' '.join(phrase)!r} three times running"
                return Rejection("grounding", Reason.REPEATS_ITSELF, told)
    return None
