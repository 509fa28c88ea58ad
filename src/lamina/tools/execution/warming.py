"""The code that only forks run, run once in the supervisor as well, on stand-ins and with nothing of the user's in it.

Python fills caches as it runs: of methods by type, and in the code itself. A fork that finds them filled is faster, and
above all writes to fewer pages, each of which it has to copy first.
"""

from __future__ import annotations

import os
import resource

from lamina.tools.execution.argument_types import reader_for
from lamina.tools.execution.confinement import set_limit
from lamina.tools.execution.fork import Function, run_calls
from lamina.tools.execution.outcomes import Limits

ENOUGH = 24
"""Times until Python 3.11 has adapted its code to what it meets."""


def warm() -> None:
    def stand_in(text: str, number: int) -> dict[str, object]:
        return {text: number, "half": number / 2, "list": [text, None, True]}

    readers = {"text": reader_for(str), "number": reader_for(int)}
    job = {"calls": [["stand_in", {"text": "a", "number": 1}]], "now": None}
    core = resource.getrlimit(resource.RLIMIT_CORE)
    nothing = os.open(os.devnull, os.O_WRONLY)
    for _ in range(ENOUGH):
        run_calls(job, {"stand_in": Function(stand_in, readers)}, Limits(), nothing)
        set_limit(resource.RLIMIT_CORE, *core)
    os.close(nothing)
