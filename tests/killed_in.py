"""``python killed_in.py [MODULE:NAME=NUMBER …] MODULE:FUNCTION N ARGUMENT…`` is ``lamina ARGUMENT…`` whose process is
killed with -9 the moment FUNCTION (``name`` or ``Class.name``) has returned for the Nth time: a kill that hits what it
is aimed at, however fast the machine is. Each NAME is set to its NUMBER first. With KILLED_BY=SIGINT it is
Ctrl-C: the signal goes to the whole process group, as a terminal sends it."""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

KILLED_IN = Path(__file__)
BY = os.environ.get("KILLED_BY", "SIGKILL")


def owner_of(where: str) -> tuple[Any, str]:
    module, _, path = where.partition(":")
    *owners, name = path.split(".")
    return functools.reduce(getattr, owners, importlib.import_module(module)), name


def kill_after(where: str, times: int) -> None:
    owner, name = owner_of(where)
    function, calls = getattr(owner, name), 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = function(*args, **kwargs)
        calls += 1
        if calls == times:
            interrupt() if BY == "SIGINT" else os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)


def interrupt() -> None:
    os.killpg(os.getpgrp(), signal.SIGINT)
    time.sleep(60)  # the signal comes to any thread, and raises in this one


def main(words: list[str]) -> int:
    from lamina.cli import main

    if BY == "SIGINT":
        os.setpgrp()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may ignore it

    while "=" in words[0]:
        where, number = words.pop(0).split("=")
        setattr(*owner_of(where), int(number))
    kill_after(words.pop(0), int(words.pop(0)))
    return main(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
