"""Numbers in words, once for everybody: the clock reads them, grounding looks for them, writers say them."""

from __future__ import annotations

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
"""The words of 0 to 19; a word's place is its number."""

TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
"""The words of the tens, with their numbers."""

SCALES = {
    "hundred": 1e2, "thousand": 1e3, "grand": 1e3, "lakh": 1e5, "million": 1e6, "crore": 1e7, "billion": 1e9,
    "trillion": 1e12,
}  # fmt: skip
"""Words that multiply the number before them."""

FRACTIONS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}

ORDINALS = {
    word: n
    for n, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
         "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
         "twentieth"),
        1,
    )
} | {"thirtieth": 30}  # fmt: skip
"""The words of places, with their numbers."""
