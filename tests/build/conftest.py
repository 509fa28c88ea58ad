"""A folder with three tiny functions and a scripted writer, and the real command line in a process of its
own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = '''\
from typing import Literal


def scale(value: float, factor: int = 2) -> float:
    """Multiply a number by a factor.

    Args:
        value: The number.
        factor: How many times.

    Examples:
        what is 4 times 7
        >>> scale(value=4, factor=7)

        double 12 for me
        >>> scale(value=12)
    """
    return value * factor


def paint(thing: str, colour: Literal["red", "blue", "green"]) -> dict[str, str]:
    """Paint a thing in a colour.

    Args:
        thing: What to paint.
        colour: The colour.

    Examples:
        paint the fence red
        >>> paint(thing="the fence", colour="red")

        could you make the door blue
        >>> paint(thing="the door", colour="blue")
    """
    return {"thing": thing, "colour": colour}


def count_days(weeks: int) -> int:
    """Count the days in a number of weeks.

    Args:
        weeks: How many weeks.

    Examples:
        how many days are 3 weeks
        >>> count_days(weeks=3)

        days in 10 weeks?
        >>> count_days(weeks=10)
    """
    return weeks * 7
'''

WRITER = '''\
"""Says the values that the last line of the prompt lists, in a way that depends on the seed alone. At the
call given in the environment it stops its own process, as a power cut or Ctrl-C would."""

import os
import random
import signal

OPENINGS = ["please do it with", "I want", "could you take", "now for", "give me", "quick,", "what about"]
ENDINGS = ["", " thanks", " if you can", " right away", " when you have a moment", " for me"]
calls = 0


def reply(messages, tools, seed):
    global calls
    calls += 1
    if calls == int(os.environ.get("STOP_AT", 0)):
        os.kill(os.getpid(), getattr(signal, os.environ["STOP_BY"]))
    rng = random.Random(seed)
    last = messages[-1]["content"].rstrip().splitlines()[-1]
    if " Missing: " in last:
        return f"What is the {last.split(' Missing: ')[1].split(' (')[0]}?"
    if not last.startswith("["):
        return f"sing me song number {seed}"
    said = [part.split(": ", 1)[1] for part in last.strip("[]").split("; ") if ": " in part]
    if rng.random() < 0.2:
        return "half of a JSON object {"
    return f"{rng.choice(OPENINGS)} {' and '.join(said)}{rng.choice(ENDINGS)}"
'''

KILLED_IN = Path(__file__).parents[1] / "killed_in.py"
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests of a module, so that paths in what they compare are the same."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "tools.py").write_text(TOOLS, encoding="utf-8")
    (folder / "writer.py").write_text(WRITER, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def command(workshop: Path) -> Command:
    """Runs ``lamina …`` in the workshop; ``stop_at`` has the writer stop the process at that call, ``killed_in``
    (the words that ``killed_in.py`` takes first) kills it after a call of a function, by ``killed_by``. No file grows
    beyond ``largest_file`` bytes, which is to a process what a full disk is."""

    def run(
        *arguments: object,
        stop_at: int = 0,
        stop_by: str = "SIGKILL",
        timeout: float = 240,
        killed_in: str = "",
        killed_by: str = "SIGKILL",
        largest_file: int = 0,
    ):
        environment = {**os.environ, "STOP_AT": str(stop_at), "STOP_BY": stop_by, "KILLED_BY": killed_by}
        start = [str(KILLED_IN), *killed_in.split()] if killed_in else ["-m", "lamina"]
        words = [sys.executable, *start, *[str(a) for a in arguments]]

        def no_room() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))

        return subprocess.run(
            words, cwd=workshop, env=environment, capture_output=True, text=True, timeout=timeout,
            preexec_fn=no_room if largest_file else None,
        )  # fmt: skip

    return run
