"""A plain Python function, with hints and a docstring, is a tool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest

from lamina.tools import Tool, Toolbox, read_tools

DESK = Path(__file__).parents[2] / "examples" / "desk" / "tools.py"

MANY_TYPES = '''
from __future__ import annotations
import os
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, Optional, Union
from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel, Field

class Colour(Enum):
    """Colours."""
    RED = "red"
    BLUE = "blue"

class Level(IntEnum):
    LOW = 1
    HIGH = 2

@dataclass
class Size:
    """How large.

    Attributes:
        width: In cm.
    """
    width: int
    height: int = 3

class Title(BaseModel):
    """A book."""
    title: str = Field(description="As printed.")
    sizes: list[Size] = []

@dataclass
class Tree:
    """A tree."""
    name: str
    below: list[Tree] = field(default_factory=list)

def everything(
    text: str,
    number: Annotated[int, Ge(1), Le(9)],
    share: Annotated[float, Field(gt=0, lt=1, description="A share.")],
    colour: Colour,
    level: Level,
    kind: Literal["a", "b"],
    either: Union[int, str],
    size: Size,
    book: Title,
    tree: Tree,
    on: date,
    at: datetime,
    clock: time,
    price: Decimal,
    words: Annotated[list[str], MaxLen(3)],
    counts: dict[str, int],
    maybe: Optional[str] = None,
    tone: Annotated[str, "How it sounds."] = "calm",
    best: Colour = Colour.RED,
    implicit: int = None,
    unsayable: Any = object(),
) -> None:
    """Take everything."""
'''


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    path = tmp_path_factory.mktemp("many") / "types.py"
    path.write_text(MANY_TYPES)
    return read_tools(path)["everything"]


@pytest.fixture(scope="module")
def everything(tool: Tool) -> dict[str, dict]:
    return tool.properties


@pytest.fixture(scope="module")
def desk() -> Toolbox:
    return read_tools(DESK)


@pytest.mark.parametrize(
    ("argument", "schema"),
    [
        ("text", {"type": "string"}),
        ("number", {"type": "integer", "minimum": 1, "maximum": 9}),
        (
            "share",
            {"type": "number", "description": "A share.", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        ),
        ("colour", {"type": "string", "description": "Colours.", "enum": ["red", "blue"]}),
        ("level", {"type": "integer", "enum": [1, 2]}),
        ("kind", {"type": "string", "enum": ["a", "b"]}),
        ("either", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("on", {"type": "string", "format": "date"}),
        ("at", {"type": "string", "format": "date-time"}),
        ("clock", {"type": "string", "format": "time"}),
        ("price", {"type": "number"}),
        ("words", {"type": "array", "items": {"type": "string"}, "maxItems": 3}),
        ("counts", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("maybe", {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
        ("tone", {"type": "string", "description": "How it sounds.", "default": "calm"}),
        ("best", {"type": "string", "description": "Colours.", "enum": ["red", "blue"], "default": "red"}),
        ("implicit", {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}),
        ("unsayable", {}),
    ],
)
def test_a_type_hint_becomes_a_schema(everything: dict[str, dict], argument: str, schema: dict) -> None:
    assert everything[argument] == schema


def test_a_dataclass_is_an_object_with_its_docstring_and_nothing_else_in_it(
    everything: dict[str, dict],
) -> None:
    assert everything["size"] == {
        "type": "object",
        "description": "How large.",
        "properties": {
            "width": {"type": "integer", "description": "In cm."},
            "height": {"type": "integer", "default": 3},
        },
        "required": ["width"],
        "additionalProperties": False,
    }


def test_definitions_are_inlined_and_titles_go_but_an_argument_named_title_stays(
    everything: dict[str, dict],
) -> None:
    book = everything["book"]
    assert book["properties"]["title"] == {"type": "string", "description": "As printed."}
    assert book["properties"]["sizes"]["items"]["properties"]["width"]["type"] == "integer"


def test_only_a_type_that_contains_itself_keeps_a_definition(tool: Tool) -> None:
    assert list(tool.parameters["$defs"]) == ["Tree"]
    jsonschema_rs.validator_for(tool.parameters)
    tree = {"name": "a", "below": [{"name": "b", "below": []}]}
    rest = {
        "text": "", "number": 1, "share": 0.5, "colour": "red", "level": 1, "kind": "a", "either": 1,
        "size": {"width": 1}, "book": {"title": ""}, "on": "2026-03-05", "at": "2026-03-05T09:00",
        "clock": "09:00", "price": 1, "words": [], "counts": {},
    }  # fmt: skip
    assert tool.problems({**rest, "tree": tree}) == []
    assert tool.problems({**rest, "tree": {"name": "a", "below": [{"name": 1}]}})


def test_arguments_without_a_default_are_required_and_invented_ones_forbidden(
    tool: Tool,
) -> None:
    parameters = tool.parameters
    assert set(parameters["properties"]) - set(parameters["required"]) == {
        "maybe", "tone", "best", "implicit", "unsayable",
    }  # fmt: skip
    assert parameters["additionalProperties"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["Args:", "    first: The first", "        one.", "    second (int): The second."],
        ["Parameters", "----------", "first : int", "    The first", "    one.", "second", "    The second."],
        [":param first: The first", "    one.", ":param int second: The second.", ":returns: The sum."],
    ],
    ids=["google", "numpy", "sphinx"],
)
def test_docstrings_of_three_styles_say_the_same(read: Callable[[str], Toolbox], arguments: list[str]) -> None:
    docstring = "\n    ".join(["Add things up.", "", "More of", "it.", "", *arguments])
    tool = read(f'def add(first: int, second: int) -> int:\n    """{docstring}\n    """\n')["add"]
    assert tool.description == "Add things up.\nMore of it."
    assert [p["description"] for p in tool.properties.values()] == ["The first one.", "The second."]


def test_public_functions_of_the_file_itself_in_source_order(read: Callable[[str], Toolbox]) -> None:
    toolbox = read('''
        from os.path import join
        from textwrap import dedent
        from functools import lru_cache, wraps
        def plain(f):
            """Decorate."""
            @wraps(f)
            def inner(*a, **k): return f(*a, **k)
            return inner
        del_me = 1
        @plain
        def zebra(a: int):
            """Z."""
        @lru_cache
        def ant(a: int):
            """A."""
        def _hidden(a): ...
        same = zebra
        class Thing:
            """No tool."""
        async def late(a: int):
            """Async."""
        _plain, plain = plain, None
    ''')
    assert toolbox.names == ["zebra", "ant", "late"]


def test_all_decides_where_there_is_one(read: Callable[[str], Toolbox]) -> None:
    toolbox = read('''
        __all__ = ["two", "Kind", "one"]
        class Kind: ...
        def one():
            """One."""
        def two():
            """Two."""
        def three(x): ...
    ''')
    assert toolbox.names == ["one", "two"]
    assert toolbox["one"].parameters == {
        "type": "object", "properties": {}, "required": [], "additionalProperties": False,
    }  # fmt: skip


def test_examples_are_requests_with_their_calls_and_nothing_is_evaluated(
    read: Callable[[str], Toolbox],
) -> None:
    tool = read('''
        def note(text: str, tags: list[str] = [], n: int = -1):
            """Write a note.

            Args:
                text: What.

            Examples:
                jot down milk
                >>> note("milk", n=-2)

                Note this, please:
                it is about fish
                >>> note(
                ...     text="fish",
                ...     tags=("a", "b"),
                ... )
                {"ok": true}

                an ordinary doctest
                >>> print(1)

            Returns:
                Nothing.
            """
    ''')["note"]
    assert [(e.request, e.arguments) for e in tool.examples] == [
        ("jot down milk", {"text": "milk", "n": -2}),
        ("Note this, please: it is about fish", {"text": "fish", "tags": ["a", "b"]}),
    ]


def test_ordinary_doctests_are_no_examples(read: Callable[[str], Toolbox]) -> None:
    tool = read('''
        def double(x: int) -> int:
            """Double it.

            Examples
            --------
            >>> double(2)
            4
            >>> double(x=3)
            6
            """
    ''')["double"]
    assert tool.examples == ()


def test_what_the_module_prints_at_import_is_ignored(
    read: Callable[[str], Toolbox], capfd: pytest.CaptureFixture[str]
) -> None:
    toolbox = read('''
        import os, sys
        print("hello" * 100_000)
        os.write(2, b"noise")
        def f():
            """F."""
    ''')
    assert toolbox.names == ["f"]
    assert capfd.readouterr() == ("", "")


def test_a_module_may_import_its_neighbours_and_be_named_like_the_standard_library(
    write: Callable[..., Path],
) -> None:
    write("FACTOR = 2\n", "neighbour.py")
    path = write(
        '''
        from dataclasses import dataclass
        import neighbour
        @dataclass
        class P:
            x: int
        def f(p: P):
            """F."""
        ''',
        "json.py",
    )
    assert read_tools(path).names == ["f"]
    assert not (path.parent / "__pycache__").exists()


def test_the_developers_keys_do_not_reach_the_module(
    read: Callable[[str], Toolbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    source = "import os\nassert 'OPENAI_API_KEY' not in os.environ\ndef f():\n    'F.'\n"
    assert read(source).names == ["f"]


def test_reading_twice_gives_the_same_fingerprint(desk: Toolbox) -> None:
    assert read_tools(DESK).fingerprint() == desk.fingerprint()


def test_a_toolbox_says_which_files_were_read_for_it(write: Callable[..., Path], tmp_path: Path) -> None:
    write("FACTOR = 2\n", "rates.py")
    write("print('nobody imports this')\n", "other.py")
    source = """
    import json
    from rates import FACTOR


    def double(x: float) -> float:
        \"\"\"Double a number.\"\"\"
        return FACTOR * x
    """
    file = write(source)
    assert read_tools(file).files == (file, tmp_path / "rates.py")
    bound = tmp_path / "bound.json"
    tool = {"type": "function", "function": read_tools(file)["double"].as_openai()["function"]}
    bound.write_text(json.dumps({"sources": ["mine.py"], "tools": [tool]}))
    assert read_tools(bound).files == (bound, file, tmp_path / "rates.py")
    package = tmp_path / "garden"
    package.mkdir()
    for name in ("__init__.py", "beds.py"):
        (package / name).write_text('def dig(depth: int) -> int:\n    """Dig a hole."""\n    return depth\n')
    assert read_tools(package).files == (package / "__init__.py", package / "beds.py")
    assert read_tools([file, package]).files == (
        package / "__init__.py",
        package / "beds.py",
        file,
        tmp_path / "rates.py",
    )


def test_the_desk_is_described_whole(desk: Toolbox) -> None:
    toolbox = desk
    assert len(toolbox) == 12
    assert all(len(t.examples) >= 3 for t in toolbox)
    assert all("description" in p for t in toolbox for p in t.properties.values())
    text = json.dumps(toolbox.as_openai())
    assert '"title"' not in text
    assert "$ref" not in text


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = "import lamina.tools, lamina.tools.execution, sys\n"
    code += "print({'pydantic', 'griffe', 'jsonschema_rs'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_alternatives_in_branches_and_names_inside_functions_are_no_second_function(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(
        'import os\nif os.sep:\n    def f(n: int) -> int:\n        """F."""\n        def g() -> int:\n'
        "            return n\n        return g()\nelse:\n    def f(n: int) -> int:\n"
        '        """F."""\n        return -n\n\ndef g(n: int) -> int:\n    """G."""\n    return n\n'
    )
    assert sorted(tool.name for tool in read_tools(file)) == ["f", "g"]


def test_a_field_that_the_dataclass_sets_itself_is_no_argument(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import dataclass, field\n@dataclass\nclass Size:\n    width: int\n"
        "    area: int = field(init=False, default=0)\n    def __post_init__(self) -> None:\n"
        '        self.area = self.width**2\ndef f(size: Size) -> int:\n    """F."""\n    return size.area\n'
    )
    assert list(read_tools(file)["f"].properties["size"]["properties"]) == ["width"]


@pytest.mark.parametrize("name", ["email", "random", "queue", "json", "types"])
def test_functions_may_stand_in_a_file_that_is_called_as_a_module_of_pythons(name: str, tmp_path: Path):
    from lamina.tools.execution import Executor

    source = 'def double(value: float) -> float:\n    """Double a number.\n\n    Args:\n        value: It.\n    """\n'
    (tmp_path / "factors.py").write_text("TWO = 2\n", encoding="utf-8")
    file = tmp_path / f"{name}.py"
    file.write_text(f"from factors import TWO\n{source}    return value * TWO\n", encoding="utf-8")
    toolbox = read_tools(file)
    with Executor(toolbox) as executor:
        assert executor.run("double", {"value": 4.0}).value == 8.0
