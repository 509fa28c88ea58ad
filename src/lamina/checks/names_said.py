"""What people call the values of a choice: units, currencies, kinds of contact."""

from __future__ import annotations

import re
from functools import lru_cache

# What people call units and currencies; keys are what enum values are usually written like.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "usd": ("dollar", "dollars", "buck", "bucks", "$", "usd", "us dollars"), "eur": ("euro", "euros", "€"),
    "gbp": ("pound", "pounds", "quid", "£", "sterling"), "jpy": ("yen", "¥"),
    "chf": ("franc", "francs", "swiss francs", "swiss franc"), "cad": ("canadian", "canadian dollars"),
    "aud": ("australian", "aussie", "australian dollars"), "inr": ("rupee", "rupees", "₹"),
    "cny": ("yuan", "renminbi", "rmb"), "krw": ("won",), "mxn": ("peso", "pesos"), "sek": ("krona", "kronor"),
    "kilometer": ("km", "kms", "kilometre", "kilometres", "kilometers", "k"),
    "meter": ("m", "metre", "metres", "meters"),
    "centimeter": ("cm", "centimetre", "centimetres", "centimeters"), "mile": ("mi", "miles"),
    "yard": ("yd", "yards"), "foot": ("ft", "foot", "feet", "'"), "feet": ("ft", "foot", "'"),
    "inch": ("in", "inches", '"'), "inche": ("in", "inch", "inches", '"'),
    "kilogram": ("kg", "kgs", "kilo", "kilos", "kilograms"), "gram": ("g", "grams"),
    "pound": ("lb", "lbs", "pounds"), "ounce": ("oz", "ounces"),
    "liter": ("l", "litre", "litres", "liters"), "milliliter": ("ml", "millilitre", "millilitres", "milliliters"),
    "gallon": ("gal", "gallons"), "cup": ("cups",), "celsius": ("c", "centigrade", "°c"),
    "fahrenheit": ("f", "°f"), "todo": ("to do", "to-do"), "email": ("e-mail", "mail", "email address"),
    "phone": ("number", "phone number", "telephone", "call"),
}  # fmt: skip
HEARD: dict[str, tuple[str, ...]] = {
    "usd": ("us dollar", "us$", "us money", "american dollar", "american dollars"),
    "cad": ("canadian dollar", "c$", "ca$", "loonie", "loonies"), "chf": ("fr.", "sfr", "swissies", "swiss"),
    "aud": ("australian dollar", "aussie dollar", "aussie dollars", "a$", "au$"), "inr": ("rs", "rs."),
    "kilometer": ("klick", "klicks", "kilometre"), "centimeter": ("cms",), "millimeter": ("mm", "millimetre"),
    "inche": ("inch",), "gram": ("gr",), "liter": ("litre",), "milliliter": ("mls", "millilitre"),
    "celsius": ("celcius",), "fahrenheit": ("farenheit",), "gallon": ("gals",), "foot": ("feet",),
    "todo": ("to-dos", "task", "tasks", "chore", "chores"), "packing": ("pack", "suitcase", "luggage"),
    "phone": ("mobile", "cell", "landline", "tel", "digits", "dial", "ring"),
    "birthday": ("bday", "b-day", "born", "birth", "birth date", "birthdate"),
}  # fmt: skip
"""Rarer names: understood, never written by ``synth``."""
_NEED_A_NUMBER = frozenset(("in", "'", '"'))
"""Names of units that are also small words and marks: believed only behind a number."""
_BEHIND_A_NUMBER = {name: re.compile(rf"\d ?{name}(?![^\W_])") for name in _NEED_A_NUMBER}


@lru_cache(maxsize=4096)
def names_of(value: str, description: str) -> tuple[str, ...]:
    """What people may call an enum value: itself, singular and plural, common names, and the words that the
    argument's description puts before it (``dollars or bucks are USD``)."""
    one = value.rstrip("s")
    names = [value, one, f"{value}s", *SYNONYMS.get(value, ()), *SYNONYMS.get(one, ())]
    names += [*HEARD.get(value, ()), *HEARD.get(one, ())]
    for clause in re.split(r"[,;:.]", description.lower()):
        words = re.findall(r"[^\W\d_]+", clause)
        if value in words:
            names += [w for w in words if w not in (value, "or", "are", "is", "and", "the", "as", "means")]
    return tuple(dict.fromkeys(n for n in names if n))


def believed(name: str, text: str) -> bool:
    """Whether a name that was found can be meant."""
    return name not in _NEED_A_NUMBER or _BEHIND_A_NUMBER[name].search(text) is not None
