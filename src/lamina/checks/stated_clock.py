"""The day that a text says it is ("Today is 2024-01-01", "Current date: March 5, 2024"), as system messages do in other
people's rows. For their mild grounding (our choice)."""

from __future__ import annotations

import re
from datetime import date

from lamina.checks.said_otherwise import MONTHS

_STATED = re.compile(
    r"\b(?:today(?:['’]s date)?|(?:the )?current (?:date(?: and time)?|time|day|datetime)|date today|now)"
    r"(?: (?:is|it is|it's)|['’]s|:| =)*\W{1,3}(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?"
    r"(?:(?P<iso>\d{4}-\d\d-\d\d)|(?P<month>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4}))",
    re.IGNORECASE,
)


def stated_clock(text: str) -> str | None:
    """ISO 8601's day; of several that are stated the last."""
    for found in reversed(list(_STATED.finditer(text))):
        month = (found["month"] or "").casefold()[:3]
        if not found["iso"] and month not in MONTHS:
            continue
        try:
            if found["iso"]:
                return date.fromisoformat(found["iso"]).isoformat()
            return date(int(found["year"]), MONTHS.index(month) + 1, int(found["day"])).isoformat()
        except ValueError:  # 30 February
            continue
    return None
