"""An even sample of a stream, for whoever can look at some of many rows only: a slow judge, a page."""

from __future__ import annotations

import random
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Reservoir(Generic[Thing]):
    """An even sample of a stream whose length nobody knows (Vitter 1985, algorithm R), in the memory of the sample.
    ``seen``: how many were offered. The same seed and the same stream, the same sample."""

    def __init__(self, size: int, seed: int):
        self.drawn: list[Thing] = []
        self.seen = 0
        self._size = size
        self._places: list[int] = []
        self._rng = random.Random(f"{seed}/sample")

    def offer(self, one: Thing) -> Thing | None:
        """Takes it in, or not; returns what is out of the sample for good."""
        self.seen += 1
        if len(self.drawn) < self._size:
            self.drawn.append(one)
            self._places.append(self.seen)
            return None
        place = self._rng.randrange(self.seen)
        if place >= self._size:
            return one
        out, self.drawn[place] = self.drawn[place], one
        self._places[place] = self.seen
        return out

    def in_order(self) -> list[Thing]:
        """The sample as it stood in the stream."""
        order = sorted(range(len(self.drawn)), key=self._places.__getitem__)
        return [self.drawn[place] for place in order]
