"""map_ordered: the results of map, whatever runs them."""

from __future__ import annotations

import itertools
import os
import time

import pytest

from lamina.errors import WorkFailedError
from lamina.runs.engines import map_ordered


def slow_when_early(n: int) -> tuple[int, int]:
    time.sleep(0.05 if n == 0 else 0)
    return n * n, os.getpid()


def dies(n: int) -> int:
    os._exit(3)


def raises_at_five(n: int) -> int:
    if n == 5:
        raise ValueError("five")
    return n


def test_results_come_in_the_order_of_the_items_from_other_processes() -> None:
    found = list(map_ordered(slow_when_early, range(25), workers=2, chunk=3))
    assert [n for n, _ in found] == [n * n for n in range(25)]
    assert os.getpid() not in {pid for _, pid in found}


def test_one_worker_is_this_process_and_an_endless_input_is_read_as_needed() -> None:
    found = list(itertools.islice(map_ordered(slow_when_early, itertools.count(), workers=1), 3))
    assert found == [(n * n, os.getpid()) for n in range(3)]


def test_an_exception_arrives_where_its_item_stands() -> None:
    results = map_ordered(raises_at_five, itertools.count(), workers=2, chunk=1)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="five"):
        next(results)


def test_a_worker_that_dies_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(WorkFailedError, match="a worker process died"):
        list(map_ordered(dies, range(3), workers=2))
