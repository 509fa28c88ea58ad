"""Ray (the extra ``ray``): the cluster that ``RAY_ADDRESS`` names, else one of Ray's own on this machine.

On a cluster every machine needs Lamina, and sees the files that the items name under the same paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from lamina.errors import WorkFailedError
from lamina.runs.engines.ordered import apply, in_order

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_ray(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, chunk: int
) -> Iterator[Result]:
    """``workers`` blocks run at a time (0: as many as there are CPUs), each on a CPU of its own. Ray runs a block again
    whose worker or machine was lost; what is lost time and again raises WorkFailedError."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    def collect(block: Any) -> list[Result]:
        try:
            results: list[Result] = ray.get(block)
        except RayTaskError as error:  # its text is the worker's whole traceback
            raise error.cause from error
        except RayError as error:
            what = f"Ray lost a worker ({type(error).__name__}: it died, or was out of memory)"
            raise WorkFailedError(f"{what}; run the same command again with fewer workers") from error
        return results

    with _connected(ray, workers):
        remote, ahead = ray.remote(apply), workers or int(ray.cluster_resources().get("CPU", 1))
        yield from in_order(items, lambda block: remote.remote(function, block), collect, chunk=chunk, ahead=ahead)


@contextmanager
def _connected(ray: Any, workers: int) -> Iterator[None]:
    """Leaves a connection alone that somebody else made."""
    if ray.is_initialized():
        yield
        return
    own = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers or None, "include_dashboard": False}
    ray.init(**own, log_to_driver=False, logging_level="error")
    try:
        yield
    finally:
        ray.shutdown()
