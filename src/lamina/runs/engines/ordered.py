"""What every engine does alike: blocks of items go out a few ahead, their results come back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Ticket = TypeVar("Ticket")


def in_order(
    items: Iterable[Item],
    submit: Callable[[list[Item]], Ticket],
    collect: Callable[[Ticket], list[Result]],
    *,
    chunk: int,
    ahead: int,
) -> Iterator[Result]:
    """The results of all items. ``submit`` sends a block of ``chunk`` items and gives a ticket, for which ``collect``
    waits; ``ahead`` blocks are out at a time, so memory stays flat however many items there are."""
    remaining = iter(items)
    blocks = iter(lambda: list(islice(remaining, chunk)), [])
    out = deque(submit(block) for block in islice(blocks, ahead))
    while out:
        results = collect(out.popleft())
        out.extend(submit(block) for block in islice(blocks, 1))
        yield from results


def apply(function: Callable[[Item], Result], block: Sequence[Item]) -> list[Result]:
    """What a worker does."""
    return [function(item) for item in block]
