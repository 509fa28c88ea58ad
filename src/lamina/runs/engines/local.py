"""This machine: in-process, or a pool of processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from lamina.errors import WorkFailedError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 2, chunk: int = 8
) -> Iterator[Result]:
    """``map(function, items)``, results in the order of the items, over ``workers`` processes.

    ``function`` must be pure and importable by name (the processes are spawned, so it needs nothing of the
    parent's memory). ``items`` may be endless: only a few chunks are in flight, so memory stays flat.
    ``workers=1`` runs here, without processes. An exception of ``function`` is raised at its item; a worker
    that dies raises WorkFailedError."""
    if workers <= 1:
        yield from map(function, items)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    remaining = iter(items)
    chunks = iter(lambda: list(islice(remaining, chunk)), [])
    in_flight: deque[Future[list[Result]]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_ctrl_c)
    try:
        for block in islice(chunks, 2 * workers):
            in_flight.append(pool.submit(_apply, function, block))
        while in_flight:
            results = in_flight.popleft().result()
            for block in islice(chunks, 1):
                in_flight.append(pool.submit(_apply, function, block))
            yield from results
    except BrokenProcessPool as error:
        what = "a worker process died (killed, or out of memory); run the same command again with fewer workers"
        raise WorkFailedError(what) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _apply(function: Callable[[Item], Result], block: Sequence[Item]) -> list[Result]:
    return [function(item) for item in block]


def _ignore_ctrl_c() -> None:
    """Ctrl-C is the driver's to handle; without this each worker prints a traceback of its own."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
