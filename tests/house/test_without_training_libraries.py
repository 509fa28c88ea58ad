"""The base install has no torch: all but training and export works, and what wants more says what to install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ABSENT = ("torch", "transformers", "datasets", "accelerate", "peft", "trl", "llguidance", "safetensors", "tokenizers")
HIDES = f"""\
from importlib.machinery import PathFinder

_found = PathFinder.find_spec


def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in {ABSENT!r} else _found(name, path, target)


PathFinder.find_spec = find_spec
"""
TOOLS = '''\
def double(number: float) -> float:
    """Double a number.

    Args:
        number: The number to double.

    Examples:
        double 4
        >>> double(number=4)
    """
    return number * 2
'''
MODEL = """\
import re


def reply(messages, tools, seed):
    said = messages[-1]["content"]
    if tools:
        return '[{"name": "double", "arguments": {"number": 4}}]'
    found = re.findall(r"number: ([^;\\]]+)", said)
    return f"please, number {'abcdefgh'[seed % 8]}: the double of {found[-1]}" if found else "sing me a song"
"""
QUERY = {"id": "1", "query": "double 4", "kind": "single", "calls": [{"name": "double", "arguments": {"number": 4}}]}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(HIDES)
    (tmp_path / "tools.py").write_text(TOOLS)
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "queries.jsonl").write_text(json.dumps(QUERY) + "\n")
    return tmp_path


def lamina(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "hidden"), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "lamina", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "command",
    [
        "tools tools.py",
        "synth tools.py --writer scripted:model.py --judge none -n 8 --out run",
        "bench scripted:model.py --tools tools.py --tasks own:queries.jsonl --out run",
        "act hello --tools tools.py --model scripted:model.py --turns 1",
        "data check rows.jsonl",
    ],
)
def test_the_base_install_reads_tools_synthesizes_benches_and_acts(base: Path, command: str):
    (base / "rows.jsonl").write_text('{"messages": [{"role": "user", "content": "hi"}]}\n')
    done = lamina(base, *command.split())
    assert done.returncode == 0, done.stderr


def test_a_build_without_the_training_libraries_says_what_to_install(base: Path):
    done = lamina(base, "build", "tools.py", "--writer", "scripted:model.py", "--judge", "none", "--out", "run")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("lamina: ")]
    assert line == "lamina: torch is not installed; pip install 'lamina[train]' brings it"
    assert not (base / "run").exists()
