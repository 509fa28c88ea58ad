"""Property: any arguments that are valid under the schema reach the function and come back unchanged."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamina.tools import read_tools
from lamina.tools.execution import Executor

SOURCE = '''
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Literal, Optional, Union
from annotated_types import Ge, Le
from pydantic import BaseModel

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

@dataclass
class Point:
    x: int
    label: Optional[str] = None

class Shape(BaseModel):
    colour: Colour
    points: list[Point]

def echo(
    text: str,
    whole: Annotated[int, Ge(-(2**53)), Le(2**53)],
    number: float,
    flag: bool,
    choice: Literal["a", "b", 3],
    either: Union[int, str, None],
    shape: Shape,
    table: dict[str, list[int]],
    on: date,
    at: datetime,
    clock: time,
    extra: Optional[Point] = None,
):
    """Give back what came in."""
    assert isinstance(shape, Shape) and isinstance(on, date) and isinstance(clock, time)
    return dict(locals())
'''

text = st.text(st.characters(codec="utf-8"))  # no halves of surrogate pairs: they are not JSON
whole = st.integers(-(2**53), 2**53)
point = st.fixed_dictionaries({"x": whole, "label": st.none() | text})
arguments = st.fixed_dictionaries(
    {
        "text": text,
        "whole": whole,
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.booleans(),
        "choice": st.sampled_from(["a", "b", 3]),
        "either": whole | text | st.none(),
        "shape": st.fixed_dictionaries(
            {"colour": st.sampled_from(["red", "blue"]), "points": st.lists(point, max_size=3)}
        ),
        "table": st.dictionaries(text, st.lists(whole, max_size=3), max_size=3),
        "on": st.dates().map(str),
        "at": st.datetimes().map(lambda d: d.isoformat()),
        "clock": st.times().map(str),
        "extra": st.none() | point,
    }
)


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    path = tmp_path_factory.mktemp("echo") / "echo.py"
    path.write_text(textwrap.dedent(SOURCE))
    with Executor(read_tools(path), workers=1) as made:
        yield made


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(given_arguments=arguments)
def test_valid_arguments_survive_the_trip(executor: Executor, given_arguments: dict[str, Any]) -> None:
    assert executor.toolbox["echo"].problems(given_arguments) == []
    result = executor.run("echo", given_arguments)
    assert result.status == "ok", result.error
    assert result.value == given_arguments
    assert type(result.value["either"]) is type(given_arguments["either"])
