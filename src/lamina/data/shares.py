"""Shares: how many records of each source a mix takes."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.data.recipe import Recipe


def quotas(recipe: Recipe, there: Sequence[int]) -> list[int]:
    """Of each source, of the ``there`` records that it has. Sources of general instructions are ``general_share`` of
    the mix, or as much of it as there are; the others share the rest by weight."""
    weights = [source.weight for source in recipe.source]
    own = [0 if source.general else count for source, count in zip(recipe.source, there, strict=True)]
    general = [count - other for count, other in zip(there, own, strict=True)]
    share, rest = recipe.general_share, sum(own)
    if recipe.rows is not None:
        rest = min(rest, recipe.rows - min(sum(general), round(recipe.rows * share)))
    beside = min(sum(general), round(rest * share / (1 - share)))
    return [a + b for a, b in zip(by_weight(rest, weights, own), by_weight(beside, weights, general), strict=True)]


def by_weight(rows: int, weights: Sequence[float], there: Sequence[int]) -> list[int]:
    """``rows`` by weight; what a source cannot give goes to the others, by weight again."""
    found, left, open_ = [0] * len(there), rows, set(range(len(there)))
    while open_ and left > 0:
        total = sum(weights[i] for i in open_)
        short = [i for i in open_ if there[i] <= left * weights[i] / total]
        if not short:
            exact = {i: left * weights[i] / total for i in open_}
            for i in open_:
                found[i] = int(exact[i])
            rest = sorted(open_, key=lambda i: (found[i] - exact[i], i))
            for i in rest[: left - sum(found[i] for i in open_)]:
                found[i] += 1
            break
        for i in short:
            found[i], left = there[i], left - there[i]
            open_.discard(i)
    return found
