"""The columns of the table of yields: APIGen's (arXiv 2406.18518: verified, fail format, fail execution, fail
semantic), what its semantic stage is made of here, and novelty, which it counts elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SEMANTIC = ("grounding", "round trip", "judge")
STAGE_ORDER = ("format", "execution", *SEMANTIC, "novelty")


@dataclass(frozen=True)
class Column:
    """``part``: of the column before it that is none."""

    name: str
    stages: tuple[str, ...]
    part: bool = False


def ordered(stages: Iterable[str]) -> list[str]:
    """In the order in which a row meets them, unknown ones last."""
    return sorted(stages, key=lambda s: STAGE_ORDER.index(s) if s in STAGE_ORDER else len(STAGE_ORDER))


def columns_of(stages: Iterable[str]) -> list[Column]:
    """APIGen's, whether anything failed there or not, and those that this run alone has."""
    others = [stage for stage in ordered(stages) if stage not in STAGE_ORDER]
    return [
        Column("format", ("format",)),
        Column("execution", ("execution",)),
        Column("semantic", SEMANTIC),
        *(Column(stage, (stage,), part=True) for stage in SEMANTIC),
        Column("novelty", ("novelty",)),
        *(Column(stage, (stage,)) for stage in others),
    ]
