"""Codes of languages, countries, their states and currencies by the names that ISO 639, 3166 and 4217 give them
(``nl`` is said by "Dutch", ``AU`` by "Australia", ``NSW`` by "New South Wales"). For the mild grounding of other
people's rows (our choice)."""

from __future__ import annotations

import re
from functools import lru_cache

_CODE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4}|[-_]\d{1,3})?")
_REMARK = re.compile(r"\(.*?\)|[;,].*")
_LEAST_NAME = 4
"""Letters of a name (our choice): shorter ones ("Lao", "Ga") are words of other things."""


def code_said(value: str, text: str) -> bool:
    """Whether ``text`` (case-folded) has a name of what the code stands for; of a locale (``pt-BR``) either part's."""
    if not _CODE.fullmatch(value):
        return False
    return any(re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text) for name in names_of_code(value))


@lru_cache(maxsize=4096)
def names_of_code(value: str) -> tuple[str, ...]:
    """Case-folded, without remarks ("Greek, Modern (1453-)" is "greek")."""
    import pycountry

    first, _, second = value.replace("_", "-").partition("-")
    found: list[object | None] = []
    if len(first) == 2:
        found.append(pycountry.languages.get(alpha_2=first.lower()))
    else:
        found += [pycountry.languages.get(alpha_3=first.lower()), pycountry.currencies.get(alpha_3=first.upper())]
    for part in (first.upper(), second.upper()):
        found += [pycountry.countries.get(alpha_2=part)] if len(part) == 2 else []
        found += [pycountry.countries.get(alpha_3=part)] if len(part) == 3 else []
    found += _subdivisions().get(value.upper().replace("_", "-"), [])
    names = [getattr(one, kind, None) for one in found if one for kind in ("common_name", "name")]
    bare = (_REMARK.sub("", name).strip().casefold() for name in names if name)
    return tuple(dict.fromkeys(name for name in bare if len(name) >= _LEAST_NAME))


@lru_cache(maxsize=1)
def _subdivisions() -> dict[str, list[object]]:
    """States and provinces by their whole code (``AU-NSW``) and by its last part, letters only."""
    import pycountry

    found: dict[str, list[object]] = {}
    for one in pycountry.subdivisions:
        found.setdefault(one.code, []).append(one)
        if (last := one.code.split("-")[1]).isalpha():
            found.setdefault(last, []).append(one)
    return found
