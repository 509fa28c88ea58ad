"""The house: who may import whom. The table is architecture.md's; a room that is not in it fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "lamina"

GROUND = {"tools": set(), "runs": set()}
STANDING = {
    "trajectories": {"tools", "runs"},
    "models": {"trajectories", "tools", "runs"},
    "checks": {"models", "trajectories", "tools", "runs"},
}
SIDE_BY_SIDE = {
    room: {"checks", "models", "trajectories", "tools", "runs"}
    for room in ("synth", "data", "training", "quantize", "agents")
}
ABOVE = {
    "bench": {*SIDE_BY_SIDE, "checks", "models", "trajectories", "tools", "runs"},
    "reports": {"runs"},
}
ALLOWED: dict[str, set[str]] = {**GROUND, **STANDING, **SIDE_BY_SIDE, **ABOVE}
ALLOWED["build"] = set(ALLOWED)
ALLOWED["doctor"] = set(ALLOWED) - {"build"}
ALLOWED["cli"] = set(ALLOWED)
EVERYWHERE = {"errors", "__init__"}


def room_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def lamina_imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of Lamina in a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # `from . import x`: resolved against the package the file is in
                package = ["lamina", *path.relative_to(SRC).parent.parts]
                base = package[: len(package) - node.level + 1]
                modules = [".".join([*base, *([node.module] if node.module else [])])]
            else:
                modules = [node.module or ""]
            if modules == ["lamina"]:
                modules = [f"lamina.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[0] == "lamina" and len(parts) > 1:
                yield node.lineno, parts[1]


def sources() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def test_every_room_is_on_the_plan():
    rooms = {room_of(p) for p in sources()} - EVERYWHERE - {"__main__"}
    assert rooms - set(ALLOWED) == set()


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_rooms_below_it(room: str):
    wrong = [
        f"{path.relative_to(SRC)}:{line} imports {other}"
        for path in sources()
        if room_of(path) == room
        for line, other in lamina_imports(path)
        if other not in ALLOWED[room] | EVERYWHERE | {room, "__version__"}
    ]
    assert wrong == []


def test_the_plan_has_no_circle():
    order: list[str] = []
    while len(order) < len(ALLOWED):
        ready = [r for r in ALLOWED if r not in order and ALLOWED[r] - {r} <= set(order)]
        ready = ready or [r for r in ("build", "cli") if r not in order]
        assert ready, f"rooms that wait for each other: {set(ALLOWED) - set(order)}"
        order += ready


def test_the_finder_sees_imports_inside_functions_and_relative_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "SRC", tmp_path)
    (tmp_path / "tools").mkdir()
    file = tmp_path / "tools" / "x.py"
    file.write_text(
        "def f():\n    from lamina.synth import y\n\n"
        "from ..bench import z\nfrom lamina import models\nimport lamina.runs\n"
    )
    assert sorted(room for _, room in lamina_imports(file)) == ["bench", "models", "runs", "synth"]


def test_validators_of_schemas_are_made_in_one_place():
    """There nothing outside of a schema is read; a validator made elsewhere would fetch what a stranger's names."""
    makers = {"jsonschema_rs", "jsonschema"}
    wrong = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if makers & {name.split(".")[0] for name in names}:
                wrong.append(str(path.relative_to(SRC)))
    assert wrong == ["tools/validators.py"]
