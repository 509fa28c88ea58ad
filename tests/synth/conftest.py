from __future__ import annotations

from pathlib import Path

import pytest

TOOLS = '''
"""Two tools of a garden."""

from typing import Literal


def water_plant(plant: str, liters: float, pace: Literal["slow", "fast"] = "slow") -> dict:
    """Water a plant.

    Args:
        plant: The name of the plant, such as "fern" or "rose".
        liters: How much water.
        pace: How fast.

    Examples:
        give the fern 2 liters
        >>> water_plant(plant="fern", liters=2)

        the rose needs 1.5 liters, fast
        >>> water_plant(plant="rose", liters=1.5, pace="fast")
    """
    if liters > 300:
        raise ValueError("a flood")
    return {"plant": plant, "liters": liters, "cups": liters * 4.2}


def count_pots(day: str = "today") -> int:
    """Count the pots that were planted on a day.

    Args:
        day: The day as said, such as "monday".

    Examples:
        how many pots did we plant on monday?
        >>> count_pots(day="monday")

        pots today
        >>> count_pots()
    """
    return len(day)
'''

WRITER = '''
"""Writes as a model would that is right two times in three: from the last bracket of the prompt."""

import re


def reply(messages, tools, seed):
    prompt = messages[-1]["content"]
    if prompt.startswith("Things that people type"):
        return f" sing me song number {seed}"
    if missing := re.search(r"Missing: ([^(]*)", prompt.rstrip("\\n").split("\\n")[-1]):
        return f"What is the {missing[1].strip()} you want?"
    said = re.findall(r"\\[([^\\]]*)\\]", prompt)[-1]
    values = [part.split(": ", 1)[1] for part in said.split("; ") if ": " in part]
    if seed % 3 == 0:
        return " it is a fine morning"
    return f" for number {'abcdefghij'[seed % 10]}{'klmnopqrst'[seed % 7]} do it: " + ", ".join(values)
'''


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    file = tmp_path / "garden.py"
    file.write_text(TOOLS, encoding="utf-8")
    return file


@pytest.fixture
def writer(tmp_path: Path) -> str:
    file = tmp_path / "writer.py"
    file.write_text(WRITER, encoding="utf-8")
    return f"scripted:{file}"


SAYS_IT_ALL = '''
"""Says the function and every value of the last line's brackets; asks for what is missing."""

import re


def reply(messages, tools, seed):
    lines = messages[-1]["content"].rstrip("\\n").split("\\n")
    if missing := re.search(r"Missing: ([^(]*)", lines[-1]):
        return f"What is the {missing[1].strip()} you want?"
    about = [line for line in lines if line and not line.startswith("[")][-1]
    about = re.sub(r" Missing.*", "", about)
    said = re.findall(r": ([^;/\\]]+)", lines[-1])
    return f" {about.lower().rstrip('.')} {' and '.join(s.strip() for s in said)} {'abcdefghij'[seed % 10]}"
'''


@pytest.fixture
def says_it_all(tmp_path: Path) -> str:
    file = tmp_path / "says_it_all.py"
    file.write_text(SAYS_IT_ALL)
    return f"scripted:{file}"
