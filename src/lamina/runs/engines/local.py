"""This machine: in-process, or a pool of processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lamina.errors import WorkFailedError
from lamina.runs.engines.ordered import apply, in_order

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_local(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, chunk: int
) -> Iterator[Result]:
    """``workers=0`` is one a core, ``workers=1`` runs here, without processes; more are spawned, so ``function``
    needs nothing of the parent's memory. A worker that dies raises WorkFailedError."""
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from map(function, items)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_ctrl_c)

    def submit(block: list[Item]) -> Future[list[Result]]:
        return pool.submit(apply, function, block)

    def collect(future: Future[list[Result]]) -> list[Result]:
        return future.result()

    try:
        yield from in_order(items, submit, collect, chunk=chunk, ahead=2 * workers)
    except BrokenProcessPool as error:
        what = "a worker process died (killed, or out of memory); run the same command again with fewer workers"
        raise WorkFailedError(what) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_ctrl_c() -> None:
    """Ctrl-C is the driver's to handle; without this each worker prints a traceback of its own."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
