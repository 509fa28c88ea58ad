"""Which tools rows are written for, which go together, and which stand beside them on offer.

A sampler is a function from a toolbox, what is covered so far and a seeded ``rng`` to an endless stream of names; a
new one is one more entry of ``SAMPLERS``. (APIGen, arXiv 2406.18518 section 3.1, samples APIs without saying how.)"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from lamina.tools import Tool, Toolbox

Sampler = Callable[[Toolbox, Mapping[str, int], random.Random], Iterator[str]]
LIKE = 60
"""Descriptions that share this much (token set ratio of 100) may serve the same request (our choice)."""


def uniform(toolbox: Toolbox, covered: Mapping[str, int], rng: random.Random) -> Iterator[str]:
    """Pass after pass over all tools, each in another order."""
    while True:
        yield from rng.sample(toolbox.names, len(toolbox))


def by_category(toolbox: Toolbox, covered: Mapping[str, int], rng: random.Random) -> Iterator[str]:
    """Pass after pass over the categories, a random tool of each: small categories get as many rows as large ones."""
    named: dict[str, list[str]] = defaultdict(list)
    for tool in toolbox:
        named[tool.category].append(tool.name)
    while True:
        for category in rng.sample(list(named), len(named)):
            yield rng.choice(named[category])


def least_covered(toolbox: Toolbox, covered: Mapping[str, int], rng: random.Random) -> Iterator[str]:
    """Always one of those with the fewest verified rows, what was just drawn counted in."""
    count = Counter({name: covered.get(name, 0) for name in toolbox.names})
    while True:
        least = min(count.values())
        name = rng.choice([n for n in toolbox.names if count[n] == least])
        count[name] += 1
        yield name


SAMPLERS: dict[str, Sampler] = {"uniform": uniform, "category": by_category, "coverage": least_covered}


def companions(first: Tool, toolbox: Toolbox, rng: random.Random, count: int) -> list[Tool]:
    """``count`` other tools that one request may well need beside ``first``: of its category or with a noun of its
    name, else any. Fewer where there are no more."""
    nouns = _nouns(first)
    others = [t for t in toolbox if t.name != first.name]
    near = [t for t in others if (t.category and t.category == first.category) or not nouns.isdisjoint(_nouns(t))]
    close = {t.name for t in near}
    far = [t for t in others if t.name not in close]
    chosen = rng.sample(near, min(count, len(near)))
    return chosen + rng.sample(far, min(count - len(chosen), len(far)))


def on_offer(called: Sequence[Tool], toolbox: Toolbox, most: int, rng: random.Random) -> Toolbox:
    """The tools of a row: all where there are at most ``most``; else those called, be they more, and some others, half
    of them near relations, so that choosing is a task. The order is random."""
    if len(toolbox) <= most:
        return toolbox
    size = max(len(called), rng.randint(min(most, len(called) + 1), most))
    names = {t.name for t in called}
    near = [t for t in companions(called[0], toolbox, rng, size) if t.name not in names][: (size - len(called)) // 2]
    names |= {t.name for t in near}
    rest = [t for t in toolbox if t.name not in names]
    chosen = [*called, *near, *rng.sample(rest, min(size - len(called) - len(near), len(rest)))]
    return Toolbox(rng.sample(chosen, len(chosen)))


def none_fits(missing: Tool, toolbox: Toolbox, most: int, rng: random.Random) -> Toolbox | None:
    """Tools on offer for a request that only ``missing`` serves: none of its category, of its nouns or with a
    description like its own. None where too few are left."""
    nouns = _nouns(missing)
    far = [
        t
        for t in toolbox
        if t.name != missing.name
        and not (t.category and t.category == missing.category)
        and not nouns & _nouns(t)
        and fuzz.token_set_ratio(t.description.casefold(), missing.description.casefold()) < LIKE
    ]
    if len(far) < 2:
        return None
    return Toolbox(rng.sample(far, min(len(far), rng.randint(min(2, most), most))))


def _nouns(tool: Tool) -> frozenset[str]:
    return _nouns_of(tool.name)


@lru_cache(maxsize=1 << 16)
def _nouns_of(name: str) -> frozenset[str]:
    """The words of its name after the first, which mostly is a verb, without a plural s. Asked of each pair of tools,
    row after row."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return frozenset(w.rstrip("s") for w in words[1:] if len(w) > 3)
