"""Numbers that everybody knows by the name of what they count or measure: 9.81 by gravity, 52 by a deck of cards. For
the mild grounding of other people's rows (our choice; a short list, in SI units)."""

from __future__ import annotations

import re
from functools import lru_cache

_CONSTANTS: tuple[tuple[re.Pattern[str], tuple[float, ...]], ...] = (
    (re.compile(r"gravit|free[ -]?fall"), (9.8, 9.81, 9.807, 9.80665)),
    (re.compile(r"\bpi\b|π"), (3.14, 3.1416, 3.14159, 3.141592653589793)),
    (re.compile(r"speed of light"), (299792458.0, 3e8)),
    (re.compile(r"speed of sound"), (340.0, 343.0)),
    (re.compile(r"(?:molar|ideal|universal) gas|gas constant"), (8.314, 8.3145, 8.31446)),
    (re.compile(r"coulomb"), (8.99e9, 8.9875e9, 8.987551787e9)),
    (re.compile(r"planck"), (6.626e-34, 6.62607015e-34)),
    (re.compile(r"boltzmann"), (1.38e-23, 1.380649e-23)),
    (re.compile(r"avogadro"), (6.022e23, 6.02214076e23)),
)
"""What says it in the request or in the argument's name and description, and the values, as exactly as people write
them."""
_COUNTS: tuple[tuple[re.Pattern[str], tuple[float, ...]], ...] = (
    (
        re.compile(r"\b(?:playing cards?|deck of cards|cards?\b.{0,40}\bdeck|deck\b.{0,40}\bcards?)\b"),
        (52.0, 26.0, 13.0, 12.0, 4.0),
    ),
    (re.compile(r"\b(?:dice|(?:a|fair|sided|roll\w*|the) die(?! (?:of|from|in|soon|if|when|out)\b))\b"), (6.0,)),
    (
        re.compile(
            r"\b(?:flip|toss|fair|heads|tails)\w*\b.{0,40}\bcoins?\b|\bcoins?\b.{0,40}\b(?:flip|toss|heads|tails|land)"
        ),
        (2.0, 0.5),
    ),
)
"""The same of games of chance, where the argument counts what they have."""
_COUNTED = re.compile(
    r"\b(?:total|size|population|cards?|deck|sides?|faces?|outcomes?|success(?:es)?|events?|trials?|prob\w*|items?|n|k)\b"
)


def known_constant(value: float, text: str, about: str) -> bool:
    """``text``: case-folded, all that was said; ``about``: the argument's name and description, in words."""
    if abs(value) in _values(_CONSTANTS, about) or abs(value) in _values(_CONSTANTS, text):
        return True
    return value in _values(_COUNTS, text) and _COUNTED.search(about) is not None


@lru_cache(maxsize=64)
def _values(table: tuple[tuple[re.Pattern[str], tuple[float, ...]], ...], text: str) -> frozenset[float]:
    """Of what the text names; looked for once a text, not once a value."""
    return frozenset(value for named, values in table if named.search(text) for value in values)
