"""Running the real command line in this process, and files to give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lamina.cli import main

SCALE = '''\
from typing import Literal


def scale(value: float, factor: int = 2) -> float:
    """Multiply a number by a factor.

    Args:
        value: The number.
        factor: How many times.

    Examples:
        what is 4 times 7
        >>> scale(value=4, factor=7)

        double 12
        >>> scale(value=12)
    """
    return value * factor


def note(text: str, colour: Literal["red", "blue"] = "red") -> dict[str, str]:
    """Write a note on the board.

    Args:
        text: What to write.
        colour: The colour of the pen.

    Examples:
        write milk on the board
        >>> note(text="milk")
    """
    with open("board.txt", "a", encoding="utf-8") as board:
        board.write(text + "\\n")
    return {"text": text, "colour": colour}
'''

SAYS_THE_VALUES = '''
import re


def reply(messages, tools, seed):
    """What the tool is for and every value of the bracket; one time in four a number that is none of them."""
    lines = messages[-1]["content"].split("\\n")
    about = [line for line in lines if line and not line.startswith("[")][-1].rstrip(".").lower()
    said = [part.strip() for part in re.findall(r": ([^;\\]]+)", lines[-1])]
    if seed % 4 == 0:
        said = [*said, "and 777 more"]
    return f" {about} {' '.join(said)} {'abcdefghij'[seed % 10]}{'klmnopqrst'[seed // 10 % 10]}"
'''


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: object) -> Said:
        capsys.readouterr()
        status = main([str(a) for a in arguments])
        printed = capsys.readouterr()
        return Said(status, printed.out, printed.err)

    return run


@pytest.fixture
def tools_file(tmp_path: Path) -> Path:
    file = tmp_path / "tools.py"
    file.write_text(SCALE, encoding="utf-8")
    return file


@pytest.fixture
def says_the_values(tmp_path: Path) -> str:
    """A writer for tools without examples; a quarter of what it writes is wrong."""
    file = tmp_path / "says_the_values.py"
    file.write_text(SAYS_THE_VALUES, encoding="utf-8")
    return f"scripted:{file}"
