"""What was said before a call of somebody else's row, for the mild grounding of ``hallucination``: may this value have
come from it? (Our choice.)"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from lamina.checks.abbreviations import inferred, named_otherwise, stands_for
from lamina.checks.argument_names import usual_page_size
from lamina.checks.evidence import numbers_in, plain
from lamina.checks.known_codes import code_said
from lamina.checks.known_constants import known_constant
from lamina.checks.known_places import airport_said, coordinate_said
from lamina.checks.periods_said import period_edge_said
from lamina.checks.recorded_text import RecordedText
from lamina.checks.said_otherwise import (
    compact_date_said,
    date_beside_said,
    date_said,
    end_of_scale,
    glossed,
    initials_said,
    is_switch,
    listed_beside_said,
    number_said,
    one_of_a_range,
    span_said,
    time_said,
)
from lamina.checks.stated_clock import stated_clock
from lamina.checks.words_said import bare, without
from lamina.checks.worked_out import converted, reckoned, rounded
from lamina.trajectories.number_readings import to_float

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_OTHERS = re.compile(r"\b(?:others|other people|friends|colleagues)\b")
_BELOW = re.compile(r"\b(?:less|fewer|lower) than (\d{1,6})\b")
_ABOVE = re.compile(r"\b(?:more|greater|higher) than (\d{1,6})\b")
_SPELT = re.compile(r"([a-z]{1,4})[-_]?(\d{4,})")
"""A code whose letters and digits may have been told apart ("P followed by 12345678")."""
_OTHER_WAY = {
    "on": frozenset(
        ("off", "shut", "disable", "disabled", "deactivate", "deactivated", "stop", "stopped", "kill", "unplug")
    ),
    "off": frozenset(("on", "start", "started", "enable", "enabled", "activate", "activated")),
}
"""Flags that are written as words, and what says the other."""
_LONGEST_NAME = 4
"""Words of a value in which another choice may stand as a part of a name; longer ones repeat the request."""
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_LARGEST_SHARE = 10
"""1000 %; larger numbers are no shares."""
_UNSAID = {
    0: frozenset(("no", "none", "zero", "nothing", "without", "free", "from", "start", "first", "off", "top", "null")),
    1: frozenset(
        ("a", "an", "one", "once", "single", "each", "every", "first", "per", "on", "another", "only", "yes", "next",
         "last", "top", "best", "highest", "lowest", "smallest", "largest", "latest", "newest", "oldest", "most",
         "second", "this", "my", "me")
    ),
}  # fmt: skip
"""Words that say the smallest counts and a switch."""
_LEAST = re.compile(r"\b(?:minimum|minimal|least)\b(?! \w+ \d)")
_SCALE_FROM_LEAST = re.compile(r"(?<![\d.])[01] ?(?:to|-|–|and|\.\.+) ?\d")
_COLOURS = frozenset(
    ("black", "white", "red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "gray", "grey", "navy",
     "teal", "gold", "silver", "cyan", "magenta", "violet", "maroon", "beige", "turquoise", "colour", "color")
)  # fmt: skip


_COORDINATE = re.compile(r"-?\d{1,3}\.\d{1,12}")
_OTHER_YEAR = re.compile(r"\b(?:last|previous|next|following) year")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOMENTS = (time_said, span_said, compact_date_said, date_beside_said)


class RecordedEvidence(RecordedText):
    """What was said before a call. ``results``: what of the text calls have returned. ``asked``: what of it users have
    said; None for all. ``system``: what of it system messages say, whose clock counts as users' does."""

    def __init__(
        self, text: str, now: str | None = None, results: str = "", asked: str | None = None, system: str = ""
    ):
        super().__init__(text, now)
        self._results = results
        self._asked = self.text if asked is None else bare(asked)
        users = text if asked is None else asked
        self._as_it_was = f"{system}\n{users}", users

    @cached_property
    def _stated_now(self) -> str | None:
        return None if self.now else stated_clock(self._as_it_was[0])

    @cached_property
    def _heard(self) -> RecordedText:
        """What users have said, with the clock that was stated beside it."""
        return RecordedText(self._as_it_was[1], self._stated_now)

    @cached_property
    def _in_results(self) -> frozenset[float]:
        return frozenset(abs(n) for n in numbers_in(plain(self._results)))

    def has(self, value: Any, told: str, argument: str = "", function: str = "") -> bool:
        """``told``: what the parameter's own description says; a value it proposes is not invented. ``argument``: its
        path. ``function``: the name of what is called, and what it is described with."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            return self._has_number(value, told, argument, function)
        value = str(value)
        if self.now and _DATE.fullmatch(value):
            return self.says_day(value, self.now) or period_edge_said(value, self._asked)
        if _DATE.fullmatch(value) and self._stated_now and self._heard.says_day(value, self._stated_now):
            return True
        if any(said(value, self.text, self.numbers) for said in _MOMENTS) or date_said(value, self.numbers):
            return True
        if not value.strip() or inferred(value) or self.says(value, told.casefold()):
            return True
        if period_edge_said(value, self._asked):
            return True
        if value in _OTHER_WAY and not _OTHER_WAY[value] & self._heard.words:
            return True
        if value.isdecimal() and usual_page_size(float(value), argument, self._asked):
            return True
        if _YEAR.fullmatch(value) and self._number(float(value)):
            return True
        if _COORDINATE.fullmatch(value) and coordinate_said(float(value), argument, self.text):
            return True
        return initials_said(value, self.text) or self._code(value, told) or glossed(value, told, self.text)

    def _has_number(self, value: int | float, told: str, argument: str, function: str) -> bool:
        if "default" in told and str(value) in told:
            return True
        if not math.isfinite(to_float(value)):
            return str(value) in self.text
        if self._number(float(value)):
            return True
        if value in _UNSAID:
            if is_switch(told) or listed_beside_said(value, told, self.words):
                return True
            if _SCALE_FROM_LEAST.search(told) and _LEAST.search(self._asked):
                return True
            return bool(_UNSAID[int(value)] & self.words) or not self.text.isascii()
        if number_said(abs(value), self.text, self.numbers) or listed_beside_said(value, told, self.words):
            return True
        if one_of_a_range(value, self.text) or compact_date_said(str(value), self.text, self.numbers):
            return True
        if coordinate_said(value, argument, self.text) or end_of_scale(value, f"{told} {function}", self.words):
            return True
        return self._follows(float(value), told, argument, function)

    def _follows(self, value: float, told: str, argument: str, function: str) -> bool:
        """A number that nobody said, but that follows from what was."""
        about = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", f"{argument} {told}").casefold()
        if usual_page_size(value, argument, self._asked) or known_constant(value, self._asked, about):
            return True
        if rounded(value, self.numbers) or converted(value, about, self.text, self.numbers):
            return True
        described = {abs(n) for n in numbers_in(plain(function))}
        return reckoned(value, argument, self._in_results, self.numbers | described)

    def chooses(self, value: Any, choices: Sequence[Any], told: str = "", taken: Collection[Any] = ()) -> bool:
        """A choice may be made without a word of it ("funny" for comedy), but not against one: another of the choices
        is named, and this one is not. ``taken``: what other arguments of the call have, which is named for them, alone
        or in a longer value ("heat" in the name of a heat pump)."""
        others = [str(other) for other in choices if other != value and other not in taken and len(str(other)) > 2]
        named = named_otherwise(str(value), self.text, told)
        if inferred(value) or named:
            return True
        against = [other for other in others if named_otherwise(other, self._asked)]
        if not against:
            return True
        names = [
            bare(one) for one in taken if isinstance(one, str) and one != value and len(one.split()) <= _LONGEST_NAME
        ]
        rest = without(self._asked, names)
        return not any(named_otherwise(other, rest) for other in against)

    def _code(self, value: str, told: str) -> bool:
        if _HEX_COLOUR.fullmatch(value):
            return bool(_COLOURS & self.words)
        if (
            named_otherwise(value, self.text)
            or code_said(value, self.text)
            or airport_said(value, self.text, self._as_it_was[1])
        ):
            return True
        return self._spelt(bare(value).lstrip("#"), bare(told)) or stands_for(value, self.text, self.words)

    def _spelt(self, value: str, told: str) -> bool:
        """The digits of a code were said, and its letters, too, or the description gives them ("such as W0000000")."""
        found = _SPELT.fullmatch(value)
        if found is None or found[2] not in self.words:
            return False
        letters_said = found[1] in self.words and found[1] != "a"  # the article
        return letters_said or re.search(rf"(?<![^\W_]){found[1]}[-_]?0{{4}}", told) is not None

    def _number(self, value: float) -> bool:
        """Said as it is, as a share (15 % is 0.15), as a part of something longer (a date, an id), or as the next one
        below or above a bound ("less than 5" is at most 4)."""
        value = abs(value)  # "I gave 40 away" is -40 added
        same = {value}
        if value <= _LARGEST_SHARE:
            same.add(value * 100)
        if value <= 100:
            same.add(value / 100)
        if value < 1:  # 50 mH are 0.05 H
            same |= {value * 1000, value * 1e6}
        if value.is_integer():
            if 1900 < value < 2100 and _OTHER_YEAR.search(self.text):
                same |= {value - 1, value + 1}
            if value > 1 and _OTHERS.search(self.text):  # "with three others" are four
                same.add(value - 1)
            if value in {float(n) - 1 for n in _BELOW.findall(self.text)}:
                return True
            if value in {float(n) + 1 for n in _ABOVE.findall(self.text)}:
                return True
        return bool({round(n, 6) for n in same} & self.numbers)
