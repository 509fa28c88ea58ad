"""Codes of airports by the cities they serve (``LAX`` is said by "Los Angeles", ``CIA`` by "Rome"), and coordinates
by a city that was said, from airportsdata's list. For the mild grounding of other people's rows (our choice)."""

from __future__ import annotations

import re
from functools import lru_cache

from lamina.checks.words_said import bare

_AIRPORT = re.compile(r"[A-Z]{3,4}")
"""IATA's codes have three letters, ICAO's four (``EDDF``)."""
_LATITUDE = re.compile(r"(?:^|[._])lat(?:itude)?\d?$|[a-z]Lat(?:itude)?\d?$")
_LONGITUDE = re.compile(r"(?:^|[._])(?:lon|lng|long|longitude)\d?$|[a-z](?:Lon|Lng|Longitude)\d?$")
_LEAST_NAME = 4
"""Letters of a city (our choice): shorter names ("Of", "Ely") are words of other things, or parts of them."""
_INITIALS = re.compile(r"(?<![^\W_])(?:[A-Z]\.?){2,4}(?![^\W_])")
_NEAR = 0.75
"""Degrees between a city and an airport of its name (our choice)."""


def airport_said(value: str, text: str, as_written: str = "") -> bool:
    """Whether ``text`` (``bare``) names the city of the airport, or its initials do, in capitals ``as_written`` ("NYC",
    "L.A.")."""
    if not _AIRPORT.fullmatch(value):
        return False
    cities = _cities().get(value, ())
    if not cities:
        return False
    words = _initials_in(as_written)
    initials = ("".join(word[0] for word in re.findall(r"[a-z]+", name)) for name in cities)
    return any(re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text) for name in cities) or any(
        {letters, f"{letters}c"} & words for letters in initials if len(letters) > 1
    )


@lru_cache(maxsize=8)
def _initials_in(as_written: str) -> frozenset[str]:
    return frozenset("".join(re.findall(r"[A-Z]", one)).casefold() for one in _INITIALS.findall(as_written))


def coordinate_said(value: float, argument: str, text: str) -> bool:
    """Whether ``argument`` is a latitude or a longitude, and ``text`` (``bare``) names a city that lies there."""
    axis = 0 if _LATITUDE.search(argument) else 1 if _LONGITUDE.search(argument) else None
    if axis is None:
        return False
    return any(abs(place[axis] - value) <= _NEAR for place in _places_in(text))


@lru_cache(maxsize=4)
def _places_in(text: str) -> frozenset[tuple[float, float]]:
    """Read once a text: a table of coordinates asks of it again and again."""
    words, known = re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", text), _places()
    runs = (" ".join(words[i : i + length]) for length in (1, 2, 3) for i in range(len(words) - length + 1))
    return frozenset(place for run in runs for place in known.get(run, ()))


@lru_cache(maxsize=1)
def _cities() -> dict[str, tuple[str, ...]]:
    """Of each code the names of its city: in the language of the country, and in English where the airport belongs
    to an area of several ("Roma", "Rome")."""
    import airportsdata

    airports = airportsdata.load("IATA")
    found = {code: [airport["city"]] for code, airport in airports.items()}
    for code, area in airportsdata.load_iata_macs().items():
        for member in (code, *area["airports"]):
            found.setdefault(member, []).append(area["name"])
    found |= {airport["icao"]: found[code] for code, airport in airports.items()}
    bared = {code: [bare(name).partition(",")[0] for name in names] for code, names in found.items()}
    return {code: tuple(n for n in names if len(n) >= _LEAST_NAME) for code, names in bared.items()}


@lru_cache(maxsize=1)
def _places() -> dict[str, list[tuple[float, float]]]:
    """Latitude and longitude of the airports of each city."""
    import airportsdata

    airports = airportsdata.load("IATA")
    found: dict[str, list[tuple[float, float]]] = {}
    for code, names in _cities().items():
        if airport := airports.get(code):
            for name in names:
                found.setdefault(name, []).append((airport["lat"], airport["lon"]))
    return found
