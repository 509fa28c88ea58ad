"""Whether a text says a phrase: as words of their own, not as letters inside another word.

``late`` is not said by "translate", ``5`` not by "15", ``bo@x.org`` not by "jimbo@x.org". Endings are (``plant`` by
"plants", ``Ana`` by "Ana's"), and scripts that join words without spaces are searched for letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

SHORT = 3
"""Letters that a word needs before an ending other than the possessive is believed ("as" is not the plural of "a")."""
_ENDING = re.compile(r"(?:'s|s'|s|es|d|ed|ing)(?![^\W_])")
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMERAL = re.compile(r"[-+]?[\d.,:]+")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.\w+|(?:\w+://|www\.)\S+")
_AFTER_DIGITS = frozenset(
    ("st", "nd", "rd", "th", "am", "pm", "h", "hr", "hrs", "min", "mins", "m", "s", "sec", "secs", "ms", "d", "k", "x",
     "km", "cm", "mm", "mi", "ft", "in", "yd", "kg", "kgs", "g", "mg", "lb", "lbs", "oz", "l", "ml", "mls", "gb", "mb",
     "kb", "tb", "c", "f", "v", "w", "kw", "hz", "mph", "kmh", "usd", "eur")
)  # fmt: skip
"""What may follow a number without a space."""
_JOINED = re.compile(
    "[\u0590-\u08ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts that don't put spaces between words (Chinese, Japanese, Thai, …) or put small words before and
behind others (Arabic, Hebrew, Korean)."""
_INFLECTED = 3
"""Letters of an ending in other alphabets than Latin, which have more cases (our choice)."""


def bare(text: str) -> str:
    """Case and accents folded."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def find_words(text: str, phrase: str, *, inflected: bool = True) -> str | None:
    """The words of ``text`` that say ``phrase``, both ``plain``. Nothing is said by nothing."""
    start, end = next(_places(text, phrase, inflected), (0, 0))
    return text[start:end] or None


def without(text: str, phrases: Iterable[str]) -> str:
    """The text with these phrases taken out, the longest first."""
    for phrase in sorted(phrases, key=len, reverse=True):
        for start, end in sorted(_places(text, phrase, inflected=False), reverse=True):
            text = f"{text[:start]} | {text[end:]}"
    return text


def _places(text: str, phrase: str, inflected: bool) -> Iterator[tuple[int, int]]:
    at = text.find(phrase) if phrase and not phrase.isspace() else -1
    while at >= 0:
        end = at + len(phrase)
        kind = _kind(phrase)
        if _begins(text, at, phrase, kind) and (end := _end(text, end, phrase, kind, inflected)):
            yield at, end
            at = end - 1
        at = text.find(phrase, at + 1)


@lru_cache(maxsize=1024)
def _kind(phrase: str) -> str:
    if _NUMERAL.fullmatch(phrase):
        return "number"
    if _ADDRESS.fullmatch(phrase):
        return "address"
    return "code" if any(c.isdigit() for c in phrase) else "words"


def _begins(text: str, at: int, phrase: str, kind: str) -> bool:
    """Whether no word runs into the phrase from the left."""
    if at == 0:
        return True
    before, earlier, first = text[at - 1], text[at - 2 : at - 1], phrase[0]
    if kind == "address":
        return not (before.isalnum() or before in "._+-@/%")
    if before == "_" and earlier.isalnum():
        return not first.isalnum()
    if first in "-+" and kind == "number":
        return not before.isalnum()
    if not first.isalnum() or _JOINED.match(first) or _JOINED.match(before):
        return True
    if first.isdigit():
        sign = before == "-" and not earlier.isalnum() and kind == "number"
        return not (before.isalnum() or sign or (before in ".," and earlier.isdigit()))
    if before == "'" and len(phrase) <= 2:  # "it's" does not say s
        return not earlier.isalpha()
    return not before.isalnum() or (before.isdigit() and kind == "words")


def _end(text: str, end: int, phrase: str, kind: str, inflected: bool) -> int:
    """Where the phrase, with its ending, ends as a word; 0 where it runs on into another."""
    after, later, last = text[end : end + 1], text[end + 1 : end + 2], phrase[-1]
    if not after:
        return end
    if kind == "address":
        return 0 if after.isalnum() or after in "@_" or (after in "./-?=&#%+:" and later.isalnum()) else end
    if after == "_" and later.isalnum():
        return 0 if last.isalnum() else end
    if not last.isalnum() or _JOINED.match(last) or _JOINED.match(after):
        return end
    if last.isdigit():
        if after.isdigit() or (after in ".," and later.isdigit()):
            return 0
        unit = _LETTERS.match(text, end)
        return end if unit is None or (kind == "number" and unit.group() in _AFTER_DIGITS) else 0
    if after == "'" and later == "t" and last == "n":  # "won't" does not say won
        return 0
    return _inflected(text, end, phrase) if inflected else 0 if after.isalnum() else end


def _inflected(text: str, end: int, phrase: str) -> int:
    """The end with an ending that only changes the form of the last word."""
    run = _LETTERS.match(text, end)
    if run is None:
        ending = _ENDING.match(text, end) if text[end] == "'" else None
        return ending.end() if ending else 0 if text[end].isalnum() else end
    word = next(iter(_LETTERS.findall(phrase)[-1:]), "")
    if len(word) < SHORT or not phrase.endswith(word):
        return 0
    if word[-1] > "\u024f" and not "\u1e00" <= word[-1] <= "\u1eff":  # not Latin
        return run.end() if run.end() - end <= _INFLECTED and not text[run.end() : run.end() + 1].isalnum() else 0
    ending = _ENDING.match(text, end)
    return ending.end() if ending else 0
