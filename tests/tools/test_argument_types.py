"""Arguments are read by the schema that pydantic would make, with pydantic or without."""

from __future__ import annotations

import textwrap
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf
from pydantic import BaseModel, Field, TypeAdapter

from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.tools.execution.argument_types import plain_schema, reader_for


class Colour(Enum):
    RED = "red"


class Named(str):
    pass


class Book(BaseModel):
    title: str


PLAIN = [
    str, int, float, bool, None, Any, date, datetime, time, timedelta, list, dict, list[str], list[list[float]],
    dict[str, int], dict[str, Any], int | None, Literal["a", "b"], Literal["a", 1, None],
    Annotated[int, Ge(0), Le(9)], Annotated[float, Gt(0), Lt(0.5)], Annotated[int, "text", Ge(1)], Annotated[str, ""],
    Annotated[int, Ge(1)] | None, Annotated[Literal["a"], "text"], list[Annotated[float, Le(1)]],
]  # fmt: skip
FOR_PYDANTIC = [
    Colour, Book, Decimal, Path, list[Colour], Book | None, int | str, int | str | None, tuple[int, int],
    Annotated[int | None, Ge(1)], Annotated[str, MinLen(1)], Annotated[int, MultipleOf(2)],
    Annotated[int, Gt(0), Gt(1)], Annotated[int, Field(ge=0)], Annotated[Colour, "text"], Literal[True], set[int],
]  # fmt: skip


@pytest.mark.parametrize("hint", PLAIN, ids=str)
def test_a_plain_hint_has_the_schema_that_pydantic_makes(hint: Any) -> None:
    assert plain_schema(hint) == TypeAdapter(hint).core_schema


@pytest.mark.parametrize("hint", FOR_PYDANTIC, ids=str)
def test_any_other_hint_is_left_to_pydantic(hint: Any) -> None:
    assert plain_schema(hint) is None
    assert callable(reader_for(hint))


def test_a_class_made_from_a_plain_one_is_no_plain_hint() -> None:
    assert plain_schema(Named) is None


def test_the_supervisor_imports_no_file_beside_the_tools_for_a_module_of_python(tmp_path: Path) -> None:
    source = '''
    import os
    from decimal import Decimal
    from enum import Enum

    class Colour(Enum):
        RED = "red"

    def paint(colour: Colour, times: int = 1) -> list:
        """Paint, and leave something behind."""
        os.mkdir("folder")
        return [colour.name, times, os.environ.get("LD_BIND_NOW")]
    '''
    path = tmp_path / "tools.py"
    path.write_text(textwrap.dedent(source))
    toolbox = read_tools(path)
    for name in ("shutil", "random", "zipfile"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    with Executor(toolbox, workers=1) as executor:
        for _ in range(2):
            result = executor.run("paint", {"colour": "red"})
            assert result.value == ["RED", 1, None], result.error
