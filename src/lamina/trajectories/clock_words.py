"""The words of days and times, and numbers written as words."""

from __future__ import annotations

import re
from datetime import time

from lamina.trajectories.number_words import ONES, TENS

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAY = r"(mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:rs?|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
UNIT = r"(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)"
PARTS_OF_DAY = {
    "morning": time(9),
    "lunchtime": time(12),
    "afternoon": time(15),
    "evening": time(19),
    "night": time(20),
}
HOLIDAYS = {
    r"(?:christmas|xmas) eve": (12, 24),
    r"(?:christmas|xmas)(?: day)?": (12, 25),
    r"new year'?s eve": (12, 31),
    r"new year'?s day": (1, 1),
    r"halloween": (10, 31),
    r"valentine'?s day": (2, 14),
}

_NUMBERS = {word: n for n, word in enumerate(ONES) if n} | TENS
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS.split(), 1)} | {"thirtieth": 30}
_TOMORROW = r"\b(?:tommorr?ow|tomm?orr?ow|tmrr?w|tmr|2morrow)\b"
_REWRITES = (
    (r"\b([ap])\.? ?m\b\.?", r"\1m"),
    (r"(?<=\d)(?=[ap]m\b)", " "),
    (_TOMORROW, "tomorrow"),
    (r"\b(?:a )?couple(?: of)? (?=\w)", "2 "),
    (r"\b(?:three|3) quarters of an hour\b", "45 minutes"),
    (r"\b(?:a )?quarter (?:of )?an hour\b", "15 minutes"),
    (r"\b(?:an?|1) hour and a half\b|\b1 and a half hours\b", "90 minutes"),
    (r"\b(\d+) hours? and a half\b|\b(\d+) and a half hours?\b", r"\1\2.5 hours"),
    (r"\b(?:a )?half (?:an )?(?:a )?hour\b", "30 minutes"),
    (rf"\ban? (?={UNIT}\b)", "1 "),
    (r"\b(\d+)-(?=[a-z])", r"\1 "),
    (r"\b(\d+) ?h\b(?! ?\d)", r"\1 o'clock"),
)


def in_digits(phrase: str) -> str:
    """Lower case, numbers in digits: "At half past Three!" as "at half past 3"."""
    text = phrase.casefold().replace("’", "'").replace(",", " ").strip().rstrip(".!?")
    tens, ones, small = "|".join(TENS), "|".join(ONES[1:10]), "|".join(list(_ORDINALS)[:9])
    text = re.sub(rf"\b({tens})[ -]({ones})\b", lambda m: str(_NUMBERS[m[1]] + _NUMBERS[m[2]]), text)
    text = re.sub(rf"\b({tens})[ -]({small})\b", lambda m: f"{_NUMBERS[m[1]] + _ORDINALS[m[2]]}th", text)
    text = " ".join(_digit_word(word) for word in text.split())
    for pattern, replacement in _REWRITES:
        text = re.sub(pattern, replacement, text)
    return " ".join(re.sub(rf"\b({MONTH})\.", r"\1", text).split())


def _digit_word(word: str) -> str:
    if word in _NUMBERS:
        return str(_NUMBERS[word])
    return f"{_ORDINALS[word]}th" if word in _ORDINALS else word
