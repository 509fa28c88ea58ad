"""Where work runs. Workers are pure, the driver commits: execution is at least once, output exactly once.

An engine is one function with the signature of ``map_local``; a new one is one file and a line below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

from lamina.errors import MissingExtraError

Item = TypeVar("Item")
Result = TypeVar("Result")
Engine = Literal["local", "ray"]

__all__ = ["Engine", "check_engine", "map_ordered"]


def check_engine(engine: Engine) -> None:
    """Raises MissingExtraError where its library is not installed: before there is work that would be lost."""
    from importlib.util import find_spec

    if engine == "ray" and find_spec("ray") is None:
        raise MissingExtraError("ray", "ray")


def map_ordered(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 2,
    chunk: int = 8,
    engine: Engine = "local",
) -> Iterator[Result]:
    """``map(function, items)``, results in the order of the items, over ``workers`` workers of an engine: processes of
    this machine (``workers=1``: this very process), or Ray's; 0 is one a core of the engine.

    ``function`` must be pure and importable by name. ``items`` may be endless: only a few chunks are in flight, so
    memory stays flat. An exception of ``function`` is raised where its chunk stands; a worker that dies raises
    WorkFailedError, an engine that is not installed MissingExtraError, at once."""
    check_engine(engine)
    if engine == "ray":
        from lamina.runs.engines.on_ray import map_on_ray

        return map_on_ray(function, items, workers=workers, chunk=chunk)
    from lamina.runs.engines.local import map_local

    return map_local(function, items, workers=workers, chunk=chunk)
