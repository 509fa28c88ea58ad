"""The engine on Ray gives what the local one gives. Skipped where Ray is not installed (the extra ``ray``)."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator

import pytest

from lamina.errors import InputError, MissingExtraError, WorkFailedError
from lamina.runs.engines import map_ordered


def squared(n: int) -> tuple[int, int]:
    return n * n, os.getpid()


def refuses_five(n: int) -> int:
    if n == 5:
        raise InputError("five", mend="give another")
    return n


def dies(n: int) -> int:
    os._exit(3)


def test_a_machine_without_ray_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"lamina\[ray\]"):
        map_ordered(squared, range(3), engine="ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One for all of these tests: it takes eight seconds to start."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
class TestOnRay:
    def test_results_come_in_the_order_of_the_items_from_other_processes(self) -> None:
        found = list(map_ordered(squared, range(25), chunk=3, engine="ray"))
        assert [n for n, _ in found] == [n * n for n in range(25)]
        assert os.getpid() not in {pid for _, pid in found}

    def test_an_endless_input_is_read_as_needed(self) -> None:
        read = itertools.count()
        found = list(itertools.islice(map_ordered(squared, read, workers=0, chunk=2, engine="ray"), 5))
        assert [n for n, _ in found] == [0, 1, 4, 9, 16]
        assert next(read) < 20

    def test_an_error_of_the_work_arrives_as_itself_in_one_line(self) -> None:
        results = map_ordered(refuses_five, itertools.count(), chunk=1, engine="ray")
        assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(InputError) as caught:
            next(results)
        assert str(caught.value) == "five; give another"

    def test_a_worker_that_dies_each_time_is_an_error_and_not_a_hang(self) -> None:
        with pytest.raises(WorkFailedError, match="Ray lost a worker"):
            list(map_ordered(dies, range(2), chunk=1, engine="ray"))

    def test_a_connection_that_was_there_is_left_open(self) -> None:
        import ray

        list(map_ordered(squared, range(2), engine="ray"))
        assert ray.is_initialized()
