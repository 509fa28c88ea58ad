"""What each room offers is one sorted list; the rest is private."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "lamina"
ROOMS = sorted(p.parent.name for p in SRC.glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_its_public_names_in_order(room: str):
    module = importlib.import_module(f"lamina.{room}")
    names = list(module.__all__)
    assert names, f"lamina.{room} offers nothing"
    assert names == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert len(names) == len(set(names))


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_there_and_every_function_says_what_it_does(room: str):
    module = importlib.import_module(f"lamina.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isfunction(thing):
            assert thing.__doc__, f"lamina.{room}.{name} has no docstring"


def test_rooms_are_entered_through_what_they_offer():
    """`from lamina.ROOM import X` in another room names only what ROOM offers (submodules may be named in
    full)."""
    wrong: list[str] = []
    offered = {room: set(importlib.import_module(f"lamina.{room}").__all__) for room in ROOMS}
    for path in sorted(SRC.rglob("*.py")):
        own = path.relative_to(SRC).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            parts = node.module.split(".")
            if len(parts) == 2 and parts[0] == "lamina" and parts[1] in offered and parts[1] != own:
                wrong += [
                    f"{path.relative_to(SRC)}:{node.lineno} {parts[1]}.{alias.name}"
                    for alias in node.names
                    if alias.name not in offered[parts[1]] and not (SRC / parts[1] / f"{alias.name}.py").exists()
                ]
    assert wrong == []
