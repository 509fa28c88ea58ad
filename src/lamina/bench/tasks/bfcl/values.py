"""Whether one argument's value is among the right ones, by the leaderboard's rules.

Text is compared without case, spaces and ``,./-_*^``; lists and objects element by element with only their text
loosened; all else by ``==``. A right value of another type than the declared one stands for a variable's name: then
the answer has to equal it as it is. An empty string among the right values says that the argument may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_DROPPED = str.maketrans({**dict.fromkeys(" ,./-_*^"), "'": '"'})


def loosened(text: str) -> str:
    """Lower case, single quotes doubled, spaces and ``,./-_*^`` taken out."""
    return text.translate(_DROPPED).lower()


def value_problem(value: Any, right: Sequence[Any], kind: type, element: type | None) -> str | None:
    """Why ``value`` is none of the ``right`` ones, or None. ``kind`` is the declared type, ``element`` that of a
    collection's elements. Raises TypeError, KeyError, IndexError or AttributeError where the ground truth has a form
    that the rules cannot compare."""
    fits, variable = _type_fits(value, right, kind, element)
    if not fits:
        return f"is {type(value).__name__}, not {kind.__name__}"
    if variable:
        found = value in right
    elif kind is dict:
        found = any(_same_object(value, one) for one in right if one != "")
    elif kind is list and element is dict:
        found = any(_same_objects(value, one) for one in right)
    elif kind is str:
        found = value in right or _same_text(value, right)  # most right answers are written as the truth is
    elif kind is list:
        found = [_loose(v) for v in value] in [[_loose(v) for v in one] for one in right]
    else:
        found = value in right
    return None if found else f"is {_shown(value)}, not one of {_shown(list(right))}"


def _same_text(value: str, right: Sequence[Any]) -> bool:
    wanted = loosened(value)
    return any(type(one) is str and loosened(one) == wanted for one in right)


def _type_fits(value: Any, right: Sequence[Any], kind: type, element: type | None) -> tuple[bool, bool]:
    """Whether the type is right, and whether the right values are names of variables."""
    expected: type | None = None
    for one in right:
        if one != "":
            expected = type(one)
            break
    if type(value) is kind:
        variable = expected is not None and expected is not kind
        # one level deep: each right list is taken as a list of right elements
        fits = element is None or any(not isinstance(one, list) or _elements_fit(value, one, element) for one in right)
        return fits, variable
    return (True, True) if expected is not None and type(value) is expected else (False, False)


def _elements_fit(values: Any, right: Sequence[Any], element: type) -> bool:
    return all(_type_fits(value, right, element, None)[0] for value in values)


def _same_object(value: Any, right: Any) -> bool:
    """``right`` gives the right values of each key; a key may be left out where one of them is empty."""
    for key, member in value.items():
        if key not in right:
            return False
        allowed = right[key]
        if _loose(member) not in [_loose(allowed[i]) for i in range(len(allowed))]:
            return False
    return all(key in value or "" in allowed for key, allowed in right.items())


def _same_objects(values: Sequence[Any], right: Any) -> bool:
    if len(values) != len(right):
        return False
    return all(right[i] != "" and _same_object(value, right[i]) for i, value in enumerate(values))


def _loose(value: Any) -> Any:
    return loosened(value) if type(value) is str else value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:119] + "…"
