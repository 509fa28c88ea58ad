"""Does the text ask at all? Two cheap signs of a writer that lost the thread (our choice).

1. A request for one thing says nothing twice, one for two things nothing three times: a small model that runs in
   circles does.
2. A call without any value of the request ("list my reminders") leaves grounding nothing to trace, so the request has
   to share a word with the tool: with its name, what it and its arguments are for, or the examples in its docstring.
   The same is asked of every request for a tool without examples: its writer has seen nobody ask for it, and a small
   one is content to mention the value ("I'd like to learn about origami" for spelling a word). In a library a word of
   every tenth tool ("text", "number"), or one of every twentieth tool's name, says nothing about which is meant."""

from __future__ import annotations

import re
from collections import Counter
from weakref import WeakKeyDictionary

from lamina.checks.evidence import leaves_of
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Tool, Toolbox

STAGE = "grounding"
CIRCLE = 3
"""Words in a row that may stand only once for each thing that is asked for."""
_EMPTY_WORDS = re.compile(
    r"about|all|and|any|anything|are|been|but|can|could|did|does|doing|for|from|get|got|had|"
    r"has|have|her|here|him|his|how|into|its|just|know|lets|like|make|may|more|need|not|now|"
    r"one|our|out|please|really|say|she|should|some|sure|tell|than|thank|thanks|that|the|their|"
    r"them|then|there|these|they|this|too|use|want|was|way|were|what|when|where|which|who|why|"
    r"will|with|would|yes|you|your"
)
COMMON, COMMON_IN_NAMES, FEW = 0.1, 0.05, 20
"""A word of more than this share of the tools, or of their names, tells none apart, where there are more than a few."""
_ENDINGS = ("ness", "ing", "ers", "er", "ed", "es", "s", "e")
_telling: WeakKeyDictionary[Toolbox, dict[str, set[str]]] = WeakKeyDictionary()


def check_asking(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """For requests that a model wrote; people and grammars do not run in circles."""
    calls = candidate.turns[0] if candidate.turns else []
    words = re.findall(r"[^\W_]+", candidate.request.casefold())
    runs = [tuple(words[i : i + CIRCLE]) for i in range(len(words) - CIRCLE + 1)]
    most = max(1, len(calls))
    if often := next((run for run in runs if runs.count(run) > most), None):
        return Rejection(STAGE, Reason.REPEATS_ITSELF, f"says {' '.join(often)!r} {runs.count(often)} times")
    for call in calls:
        tool = toolbox.get(call.name)
        if tool is None or (tool.examples and _says_a_value(tool, call.arguments)):
            continue
        if not stems_of(candidate.request) & (_telling_words(toolbox)[call.name] - _values(tool, call.arguments)):
            return Rejection(STAGE, Reason.NOT_ASKED, f"no word of the request has to do with {call.name}")
    return None


def shares_a_word(text: str, about: str) -> bool:
    """Whether a word that carries meaning stands in both, endings aside."""
    return bool(stems_of(text) & stems_of(about.replace("_", " ")))


def _says_a_value(tool: Tool, arguments: dict[str, object]) -> bool:
    return any("default" not in schema or value != schema["default"] for _, value, schema in leaves_of(tool, arguments))


def _values(tool: Tool, arguments: dict[str, object]) -> set[str]:
    """The words of the values themselves: that they are said, grounding has seen to."""
    return stems_of(" ".join(str(value) for _, value, _ in leaves_of(tool, arguments)))


def _telling_words(toolbox: Toolbox) -> dict[str, set[str]]:
    """Of each tool the words that have to do with it and not with all the others, too."""
    if toolbox not in _telling:
        names = {tool.name: stems_of(tool.name.replace("_", " ")) for tool in toolbox}
        told = {tool.name: _vocabulary(tool) for tool in toolbox}
        in_names, in_all = _common(names, COMMON_IN_NAMES), _common(told, COMMON)
        _telling[toolbox] = {name: (names[name] - in_names) | (told[name] - in_all) for name in names}
    return _telling[toolbox]


def _common(words: dict[str, set[str]], share: float) -> set[str]:
    among = Counter(word for one in words.values() for word in one)
    return {word for word, tools in among.items() if len(words) > FEW and tools > share * len(words)}


def _vocabulary(tool: Tool) -> set[str]:
    arguments = [f"{name} {s.get('description', '')} {s.get('enum', '')}" for name, s in tool.properties.items()]
    told = [tool.name, tool.description, *arguments, *(e.request for e in tool.examples)]
    return stems_of(" ".join(told).replace("_", " "))


def stems_of(text: str) -> set[str]:
    """Of the words of a text that carry meaning, without endings; ``_`` between two words is to be a space."""
    words = re.findall(r"[^\W\d_]{3,}", text.casefold())
    return {_stem(word) for word in words if not _EMPTY_WORDS.fullmatch(word)}


def _stem(word: str) -> str:
    """Without a plain English ending: enough to find "reminders" in "remind", and "decoded" in "decode"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
