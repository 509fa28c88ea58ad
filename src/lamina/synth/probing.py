"""Does each tool run? Calls with the arguments of its examples and with those that synthesis would draw for it, in the
sandbox.

APIGen, section 4: "APIs that cannot be executed are dropped". What was found is said here, and dropped by whoever takes
it (``lamina synth --offers``)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from lamina.synth.values import SHOWN, ValuePool, draw_arguments
from lamina.tools.environment import withheld_mend
from lamina.tools.execution.error_results import error_in
from lamina.tools.tool import JSON, Tool

if TYPE_CHECKING:
    from lamina.tools.execution import Executor

TRIES = 5
"""Drawn arguments with which a tool may fail before it is said not to run (our choice)."""
AS_SHOWN = 4
"""Draws that take every value from the schema's examples, where it has some: a stranger's service knows those."""
DRAWS = 60
"""How often arguments are drawn to find some that fit: about as often as synthesis draws for one call (our choice)."""


@dataclass(frozen=True)
class Probe:
    """``status`` is that of the first call, ``ok`` where any came back, ``error-result`` for a success that carries an
    error, ``unmet`` where a key or a server is missing, ``no-example`` where no arguments could be drawn that fit the
    schema, ``changes-things`` where it was not called for safety, ``not-bound`` where there is nothing to call.
    ``tries``: how many calls were made."""

    tool: str
    status: str
    arguments: JSON | None
    detail: str
    tries: int = 0

    @property
    def runs(self) -> bool:
        return self.status == "ok"

    @property
    def told(self) -> str:
        """What came back, or why nothing did."""
        many = not self.runs and self.tries > 1
        if not self.runs and (mend := withheld_mend(self.detail)):
            return f"{self.detail}; {mend}"
        return f"{self.detail} (it did not run with {self.tries} drawn arguments)" if many else self.detail


def probe(tool: Tool, executor: Executor, *, allow_changes: bool = False) -> Probe:
    """Calls ``tool`` until one call comes back, ``TRIES`` times at most, once after it timed out; not at all one that
    may change things elsewhere, and once if ``allow_changes``."""
    if tool.target is None:
        return Probe(tool.name, "not-bound", None, "it is only described: there is nothing to run")
    if tool.target.changes_things and not allow_changes:
        return Probe(tool.name, "changes-things", None, "it may change things elsewhere: --allow-changes calls it")
    if unmet := executor.unmet(tool.name):
        return Probe(tool.name, "unmet", None, unmet)
    first: Probe | None = None
    most = 1 if tool.target.changes_things else TRIES
    for number, arguments in enumerate(islice(drawn_arguments(tool), most), 1):
        found = _called(tool, arguments, executor)
        if found.runs:
            return replace(found, tries=number)
        first = replace(first or found, tries=number)
        if found.status in ("unmet", "timed_out"):
            break
    return first or Probe(tool.name, "no-example", None, "no arguments that fit its schema: give it an example")


def _called(tool: Tool, arguments: JSON, executor: Executor) -> Probe:
    (result,) = executor.run_sequence([(tool.name, arguments)])
    if not result.ok:
        return Probe(tool.name, str(result.status), arguments, result.error or "")
    if why := error_in(tool, result):
        return Probe(tool.name, "error-result", arguments, f"{why}: {result.text[:200]}")
    return Probe(tool.name, "ok", arguments, result.text[:200])


def example_arguments(tool: Tool) -> JSON | None:
    """The first that are drawn; None where none fit the schema."""
    return next(drawn_arguments(tool), None)


def drawn_arguments(tool: Tool) -> Iterator[JSON]:
    """Those of docstring examples, then what synthesis draws, the same for the same tool; by turns what is required
    alone and all of it. Distinct, and all fit the schema."""
    rng, pool = random.Random(f"probe/{tool.name}"), ValuePool.of([tool])
    known: list[JSON] = []
    for number in range(-len(tool.examples), DRAWS):
        if number < 0:
            arguments = dict(tool.examples[number].arguments)
        else:
            drawn = draw_arguments(tool, rng, pool, 1 if number < AS_SHOWN else SHOWN)
            arguments = drawn if number % 2 else {n: v for n, v in drawn.items() if n in tool.required}
        if arguments not in known and not tool.problems(arguments):
            known.append(arguments)
            yield arguments
