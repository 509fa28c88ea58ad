"""Requests that stand in others: "what is 4 times 7" in "paint the door red and what is 4 times 7".

They are looked up, not compared: each request is entered under its words and under its words but for one, and every run
of words of the others is looked for there. So time grows with the rows and with the words of one, and memory is twelve
bytes an entry, some ten entries a row. Two texts are taken for one where 64 bits of their hashes
agree: by chance in one synthesis of 100,000 rows out of a million."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from lamina.checks.near import WordCodes

SHORTEST = 3
"""Words of a request from which on it is looked for in others: fewer stand in one by chance (our choice)."""
NEARLY = 4
"""Words from which on one of them may be another, or missing: three in four are the same, as in frames that are near
(our choice)."""
LONGEST = 60
"""Words of a request that is looked for in others, at most: what is longer is a document that somebody pasted, of which
the runs would fill the memory (our choice). Shorter ones are looked for in it all the same."""
MOST_TOOLS = 3
"""Tools of a request that is looked for in one that calls more."""
BLOCK = 500
"""Requests whose runs of words are looked for at a time."""
_MAP_BITS = 24
"""Of a key, where a map of 16 MB says whether anything begins so: most runs are in no request, and the map tells it at
one look where a search takes twenty."""
_ODD = 0x9E3779B97F4A7C15
_64_BITS = (1 << 64) - 1


def contained_pairs(requests: Sequence[Sequence[str]], tools: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places ``(i, j)``: the request of ``j`` stands in one of ``i``, whole, or but for one word at the beginning or
    the end of it; ``i`` calls what ``j`` calls, and maybe more. What calls nothing is looked for in what calls nothing:
    a request that leaves out a value is no copy of one that says it. ``requests``: of each row what is asked first, and
    what later; ``tools``: names that each calls, sorted, with spaces between them. Enough pairs are given to join all
    such rows, not every pair."""
    import numpy as np

    codes, numbers = WordCodes(), {named: number for number, named in enumerate(dict.fromkeys(tools))}
    said = [[codes.coded(_words(text)) for text in texts] for texts in requests]
    keys, owners = array("Q"), array("I")
    for place, texts in enumerate(said):
        for text in _entries(texts[0]) if texts else ():
            keys.append(_key(hash(text), numbers[tools[place]]))
            owners.append(place)
    entered, of = np.frombuffer(keys, np.uint64), np.frombuffer(owners, np.uint32)
    order = np.argsort(entered, kind="stable")
    entered, of = entered[order], of[order]
    same = np.flatnonzero(entered[1:] == entered[:-1])
    yield from zip(of[same + 1].tolist(), of[same].tolist(), strict=True)
    if not len(entered):
        return

    @lru_cache(maxsize=1 << 14)
    def parts_of(named: str) -> list[int]:
        return [numbers[part] for part in _subsets(named) if part in numbers]

    entered_at = np.zeros(1 << _MAP_BITS, np.bool_)
    entered_at[entered >> np.uint64(64 - _MAP_BITS)] = True
    for start in range(0, len(said), BLOCK):
        looked, by = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
        for place in range(start, min(start + BLOCK, len(said))):
            runs = np.array([hash(run) for text in said[place] for run in _runs(text)], np.int64).view(np.uint64)
            for number in parts_of(tools[place]):
                keys_of_runs = runs ^ np.uint64(_salt(number))
                maybe = keys_of_runs[entered_at[keys_of_runs >> np.uint64(64 - _MAP_BITS)]]
                looked.append(maybe)
                by.append(np.full(len(maybe), place, np.uint32))
        wanted, place_of = np.concatenate(looked), np.concatenate(by)
        found = np.minimum(np.searchsorted(entered, wanted), len(entered) - 1)
        hits = np.flatnonzero((entered[found] == wanted) & (of[found] != place_of))
        yield from zip(place_of[hits].tolist(), of[found[hits]].tolist(), strict=True)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _key(text: int, tools: int) -> int:
    return (text ^ _salt(tools)) & _64_BITS


def _salt(tools: int) -> int:
    return (tools * _ODD) & _64_BITS


def _entries(text: str) -> Iterator[str]:
    """A character is a word."""
    if len(text) >= SHORTEST:
        yield text
    if NEARLY <= len(text) <= LONGEST:
        yield from _but_for_one(text)


def _runs(text: str) -> Iterator[str]:
    """All runs of words, and those at the beginning and the end but for one word. (A whole run finds a request that has
    one word more, wherever it stands.)"""
    count = len(text)
    for start in range(count - SHORTEST + 1):
        for end in range(start + SHORTEST, min(start + LONGEST, count) + 1):
            yield text[start:end]
    for length in range(NEARLY, min(LONGEST + 1, count) + 1):
        yield from _but_for_one(text[:length])
        if length < count:
            yield from _but_for_one(text[-length:])


def _but_for_one(text: str) -> Iterator[str]:
    return (text[:i] + text[i + 1 :] for i in range(len(text)))


def _subsets(named: str) -> list[str]:
    """Of the tools of a row those sets whose requests it may contain; its own first."""
    names = named.split()
    smaller = (part for size in range(1, min(len(names), MOST_TOOLS + 1)) for part in combinations(names, size))
    return [named, *(" ".join(part) for part in smaller)]
