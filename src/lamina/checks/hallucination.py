"""Argument hallucination: a value that neither the conversation nor an earlier result accounts for (xLAM, arXiv
2409.03215 section 4).

The paper says that string match is not enough. So this rule is mild: it objects where less than half of a value's
words can be found anywhere before the call, and leaves to a judge what it cannot read (codes, sums, opinions).
For rows about your
own functions there is the exact rule of ``grounding``."""

from __future__ import annotations

import re
from typing import Any

from lamina.checks.arguments import is_reference
from lamina.checks.evidence import leaves_of, numbers_in
from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.checks.said_otherwise import date_said, initials_said, listed_beside_said, number_said, time_said
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall, Trajectory

STAGE = "grounding"
_WORD = re.compile(r"[^\W_]+")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
             "twelfth")  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_OTHER_YEAR = re.compile(r"\b(?:last|previous|next|following) year")
_DATE_PARTS = re.compile(r"\b\d{4}-\d\d-(\d\d)\b")
_EDGE = re.compile(r"\b(?:end|start|beginning) of\b")
_OTHERS = re.compile(r"\b(?:others|other people|friends|colleagues)\b")
_DIGITS = re.compile(r"(?<!\d)\d{1,12}(?!\d)")
_DECIMALS = re.compile(r"(?<![\d.])\d{1,12}\.\d{1,12}(?![\d.])")
"""Also where a word makes more of it: "34.9 million" may be asked for in millions."""
_BELOW = re.compile(r"\b(?:less|fewer|lower) than (\d{1,6})\b")
_ABOVE = re.compile(r"\b(?:more|greater|higher) than (\d{1,6})\b")
_EMPTY_WORDS = frozenset(
    ("the", "of", "and", "in", "at", "to", "for", "from", "on", "an", "or", "with", "by", "is", "are", "com", "www",
     "http", "https")
)  # fmt: skip
_LASTS = re.compile(r"\b(?:nights?|days?)\b")
_INITIAL = re.compile(r"([a-z])(\d{1,2})")
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_PRONOUNS = {
    "female": frozenset(("she", "her", "woman", "women", "girl", "lady", "mother", "wife", "sister", "daughter")),
    "male": frozenset(("he", "his", "him", "man", "men", "boy", "father", "husband", "brother", "son")),
}
SHORT = 4
"""Letters: a word of fewer has to stand as a word of its own ("ca" is not said by "can")."""
_SMALL = 1
"""Numbers up to this are counts and switches that nobody says."""


def check_hallucination(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    if found := ungrounded(trajectory, toolbox):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, found[0])
    return None


def ungrounded(trajectory: Trajectory, toolbox: Toolbox) -> list[str]:
    """A sentence for each value that nothing said before its call accounts for."""
    found: list[str] = []
    said = trajectory.meta.now or ""
    ids: set[str] = set()
    for number, message in enumerate(trajectory.messages):
        if message.tool_calls:
            evidence = _Evidence(said, knows_the_day=bool(trajectory.meta.now))
            for call in message.tool_calls:
                found += [f"message {number}: {text}" for text in _of_call(call, toolbox, evidence, ids)]
                ids |= {call.id} if call.id else set()
        said += f"\n{message.content}"
        if message.tool_calls:
            said += " ".join(str(v) for c in message.tool_calls for v in c.arguments.values())
    return found


def _of_call(call: ToolCall, toolbox: Toolbox, evidence: _Evidence, ids: set[str]) -> list[str]:
    tool = toolbox.get(call.name)
    if tool is None:
        return []
    found = []
    for path, value, schema in leaves_of(tool, call.arguments):
        if is_reference(value, ids):
            continue
        told = str(schema.get("description", "")) + str(schema.get("enum", "")) + str(schema.get("default", ""))
        if "const" in schema or "enum" in schema or value == schema.get("default") or evidence.has(value, told):
            continue
        found.append(f"{call.name}.{path}={value!r} is in no request and no result before it")
    return found


class _Evidence:
    """What was said before a call, prepared for look-ups."""

    def __init__(self, text: str, knows_the_day: bool):
        self.text = text.casefold()
        self.knows_the_day = knows_the_day
        self.folded = re.sub(r"[\W_]+", "", self.text)
        self.words = frozenset(_WORD.findall(self.text))
        self._numbers: set[float] | None = None

    @property
    def numbers(self) -> set[float]:
        if self._numbers is None:
            ordinals = [float(n) for n, word in enumerate(_ORDINALS, 1) if word in self.text]
            runs = [float(run) for run in (*_DIGITS.findall(self.text), *_DECIMALS.findall(self.text))]
            self._numbers = {round(abs(n), 6) for n in (*numbers_in(self.text), *ordinals, *runs)}
        return self._numbers

    def has(self, value: Any, told: str) -> bool:
        """``told``: what the parameter's own description says; a value it proposes is not invented."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            if abs(value) <= _SMALL or self._number(float(value)) or ("default" in told and str(value) in told):
                return True
            return number_said(abs(value), self.text, self.numbers) or listed_beside_said(value, told, self.words)
        value = str(value)
        if self.knows_the_day and _DATE.fullmatch(value):
            return True  # counted from the day that the record names
        if time_said(value, self.text, self.numbers) or date_said(value, self.numbers):
            return True
        return _unreadable(value) or self._words(value.casefold(), told.casefold()) or initials_said(value, self.text)

    def _number(self, value: float) -> bool:
        """Said as it is, as a share (15 % is 0.15), as a part of something longer (a date, an id), or as the next one
        below or above a bound ("less than 5" is at most 4)."""
        value = abs(value)  # "I gave 40 away" is -40 added
        same = {value, value * 100, value / 100}
        if value == int(value):
            if 1900 < value < 2100 and _OTHER_YEAR.search(self.text):
                same |= {value - 1, value + 1}
            if value > 1 and _OTHERS.search(self.text):  # "with three others" are four
                same.add(value - 1)
            if value in {float(n) - 1 for n in _BELOW.findall(self.text)}:
                return True
            if value in {float(n) + 1 for n in _ABOVE.findall(self.text)}:
                return True
        return bool({round(n, 6) for n in same} & self.numbers)

    def _words(self, value: str, told: str) -> bool:
        """At least half of the words, or the day of a date. A default that the description names needs no words."""
        if dated := _DATE_PARTS.search(value):
            return float(dated[1]) in self.numbers or bool(_EDGE.search(self.text)) or self._ends_a_stay(int(dated[1]))
        words = [w for w in _WORD.findall(value) if len(w) > 1 or w.isdigit()]
        words = [w for w in words if w not in _EMPTY_WORDS] or words
        if not words or value in self.text or re.sub(r"[\W_]+", "", value) in self.folded:
            return True
        if "default" in told and value in told:
            return True
        return 2 * sum(self._said(w) for w in words) >= len(words)

    def _ends_a_stay(self, day: int) -> bool:
        """Five nights from the 15th are over on the 20th."""
        lasts = _LASTS.search(self.text) is not None
        return lasts and any(float(n) in self.numbers and float(day - n) in self.numbers for n in range(1, day))

    def _said(self, word: str) -> bool:
        if word.isdigit():
            return float(word) in self.numbers
        if word in _PRONOUNS:
            return word in self.words or bool(_PRONOUNS[word] & self.words)
        if (short := _INITIAL.fullmatch(word)) and float(short[2]) in self.numbers:  # the fourth quarter is Q4
            return any(len(w) > 1 and w.startswith(short[1]) for w in self.words)
        return word in self.words if len(word) < SHORT else _stem(word) in self.folded


def _stem(word: str) -> str:
    """A word without its ending, so that ``running`` is found in ``run`` and ``libraries`` in ``library``."""
    if word.endswith("ing") and len(word) > 5:
        return word[:-3]
    return word if len(word) < 5 or any(c.isdigit() for c in word) else word[: max(4, len(word) - 3)]


def _unreadable(value: str) -> bool:
    """Values that words cannot decide: codes (AAPL, en-US, EUR, #FFFFFF), other scripts than the request may use,
    signs."""
    plain = value.strip()
    letters = re.sub(r"[^A-Za-z]", "", plain)
    code = len(plain) <= 5 and len(letters) <= 5 and not any(c.isdigit() for c in plain)
    return not plain or code or not plain.isascii() or _HEX_COLOUR.fullmatch(plain) is not None
