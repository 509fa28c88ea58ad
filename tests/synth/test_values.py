"""What is drawn for an argument fits its schema, comes from all of its range, and is the same for the same seed."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import Search
from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import Tool, read_tools
from lamina.tools.execution import Executor
from lamina.tools.tool import Example


def of_one(schema: Any, **more: Any) -> Tool:
    return Tool("f", "Do it.", {"type": "object", "properties": {"x": schema}, "required": ["x"], **more})


def drawn(tool: Tool, count: int = 200, seed: int = 0) -> list[Any]:
    pool, rng = ValuePool.of([tool]), random.Random(seed)
    return [draw_arguments(tool, rng, pool) for _ in range(count)]


def text(**more: Any) -> dict[str, Any]:
    return {"type": "string", **more}


NODE = {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/Node"}}, "required": ["v"]}


@pytest.mark.parametrize(
    "schema",
    [
        *(text(format=name) for name in (
            "email", "uuid", "uri", "hostname", "date", "time", "date-time", "duration", "ipv4", "ipv6",
        )),
        text(pattern=r"^PET-\d{4}$"),
        text(pattern=r"^[A-Z]{2,3}(-[a-z0-9]+)?$"),
        text(pattern=r"^(red|green|blue)_[^\s_]{3}$"),
        text(minLength=20),
        text(maxLength=4),
        text(minLength=3, maxLength=3),
        text(minLength=3.0),
        {"type": "integer", "minimum": 20000, "maximum": 60000},
        {"type": "integer", "minimum": 20000},
        {"type": "integer", "maximum": -5},
        {"type": "integer", "multipleOf": 7},
        {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 5},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
        {"type": "integer", "maximum": 10**400},
        {"type": "number", "minimum": -(10**400), "maximum": 9},
        {"type": "number", "multipleOf": 1e-320, "minimum": 0, "maximum": 5},
        {"allOf": [{"$ref": "#/$defs/Small"}, {"minimum": 50}], "description": "How many."},
        {"oneOf": [{"const": "slow"}, {"const": "fast"}]},
        {"$ref": "#/$defs/Node"},
        {"type": "array", "prefixItems": [{"type": "number"}, text()], "items": False, "minItems": 2},
        {"type": "array", "items": {"enum": ["a"]}, "minItems": 2},
        {"type": "array", "items": True, "minItems": 2.0},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        True,
    ],
)  # fmt: skip
def test_all_that_is_drawn_fits_the_schema(schema: Any) -> None:
    tool = of_one(schema, **{"$defs": {"Node": NODE, "Small": {"type": "integer", "maximum": 60}}})
    assert [problem for arguments in drawn(tool) for problem in tool.problems(arguments)] == []


@pytest.mark.parametrize(
    ("low", "high"), [(-90, 90), (-180, 180), (0, 1), (1900, 2100), (20000, 60000), (1, 12), (0, 150)]
)
@pytest.mark.parametrize("kind", ["integer", "number"])
def test_numbers_come_from_all_of_a_range_and_not_from_its_low_end(low: int, high: int, kind: str) -> None:
    found = [a["x"] for a in drawn(of_one({"type": kind, "minimum": low, "maximum": high}))]
    for part in range(4 if high - low > 1 or kind == "number" else 0):
        start = low + part * (high - low) / 4
        assert sum(start <= v <= start + (high - low) / 4 for v in found) >= len(found) / 20, (part, sorted(found))


def test_small_numbers_are_drawn_more_often_than_large_ones_where_people_say_them() -> None:
    found = [a["x"] for a in drawn(of_one({"type": "integer", "minimum": 1, "maximum": 1000}))]
    assert sum(v <= 250 for v in found) > len(found) / 3


@pytest.mark.parametrize("key", ["examples", "example"])
def test_the_examples_of_a_schema_are_drawn_among_others(key: str) -> None:
    shown = "PET-0001" if key == "example" else ["PET-0001"]
    found = [a["x"] for a in drawn(of_one(text(pattern=r"^PET-\d{4}$", **{key: shown})))]
    assert 0.3 < found.count("PET-0001") / len(found) < 0.7
    assert len(set(found)) > 50


def test_the_same_seed_draws_the_same() -> None:
    tool = Tool(
        "f", "Do it.",
        {"type": "object", "required": ["id"], "properties": {
            "id": text(format="uuid"), "code": text(pattern="^[a-z]{3}$"), "where": text(), "far": {"type": "number"},
        }},
    )  # fmt: skip
    assert drawn(tool, seed=3) == drawn(tool, seed=3)
    assert drawn(tool, seed=3) != drawn(tool, seed=4)


@pytest.mark.parametrize(
    "schema",
    [
        text(minLength=2e8),
        text(pattern="(a{999}){999}"),
        text(pattern=r"^\p{Lu}\p{Nd}{9}$"),
        {"type": "array", "items": text(), "minItems": 1_000_000_000},
        {"$ref": "#/properties/x"},
        {"$ref": "#/nowhere"},
        {"enum": []},
    ],
)
def test_a_schema_that_nothing_fits_costs_nothing(schema: Any) -> None:
    assert all(len(str(arguments)) < 10_000 for arguments in drawn(of_one(schema), 5))


def test_a_tool_whose_schema_takes_nothing_that_is_drawn_is_called_as_its_examples_are() -> None:
    tool = of_one(text(pattern=r"^\p{Lu}\p{Nd}{9}$"))
    shown = Tool(tool.name, tool.description, tool.parameters, examples=(Example("open it", {"x": "A123456789"}),))
    assert Search(shown, 2, random.Random(0), ValuePool()).draw() == [{"x": "A123456789"}]


SERVICE = '''
from typing import Annotated
from uuid import UUID

from pydantic import Field


def reserve_port(port: Annotated[int, Field(ge=20000, le=60000)]) -> str:
    """Reserve a network port.

    Args:
        port: The number of the port.
    """
    return f"port {port} reserved"


def show_ticket(ticket: UUID) -> str:
    """Show a support ticket.

    Args:
        ticket: The ticket's id.
    """
    return f"ticket {ticket}"


def find_pet(tag: Annotated[str, Field(pattern=r"^PET-[0-9]{4}$")]) -> str:
    """Find a pet by its tag.

    Args:
        tag: What stands on the tag.
    """
    return f"the pet of {tag}"
'''


def test_tools_with_constraints_get_rows(tmp_path: Path, says_it_all: str) -> None:
    file = tmp_path / "service.py"
    file.write_text(SERVICE, encoding="utf-8")
    toolbox = read_tools(file)
    settings = SynthSettings(
        targets=24, batch=24, grammar_share=0, writer=says_it_all, styles=(("simple", 1.0),), near=1.0
    )
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        found = synthesize(toolbox, run, settings, Progress(silent=True), executor)
    assert {name: one["passed"] > 0 for name, one in found["by_tool"].items() if name in toolbox} == {
        "reserve_port": True, "show_ticket": True, "find_pet": True,
    }  # fmt: skip


@pytest.mark.parametrize("required", [0, 1, 3])
@pytest.mark.parametrize("times", [1, 12])
def test_a_schema_that_holds_itself_many_times_or_requires_itself_ends(times: int, required: int) -> None:
    names = [f"next_{n}" for n in range(times)]
    node = {
        "type": "object", "required": names[:required],
        "properties": {"v": text(), **{name: {"$ref": "#/$defs/Node"} for name in names}},
    }  # fmt: skip
    tool = of_one({"$ref": "#/$defs/Node"}, **{"$defs": {"Node": node}})
    started = time.process_time()
    assert all(set(made) == {"x"} for made in drawn(tool, count=3))
    assert time.process_time() - started < 5
