"""What cannot be a tool is one line that names the file, the line, what is wrong and the mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.errors import ImportTooSlowError, ToolDefinitionError, UserError
from lamina.tools import python_functions, read_tools
from lamina.tools.python_packages import read_modules

GOOD = '"""Fine."""\n'

# name: (source, line, words of the message)
AT_FAULT = {
    "syntax error": ("x = 1\ndef f(:\n    pass\n", 2, ["Python cannot read this", "mend the syntax"]),
    "null byte": ("x = '\0'\n", None, ["Python cannot read this"]),
    "raises at import": ("import os\n\nos.environ['NOT_THERE']\n", 3, ["KeyError", "NOT_THERE"]),
    "missing import": ("import not_installed_anywhere\n", 1, ["ModuleNotFoundError", "not_installed_anywhere"]),
    "exits at import": ("import sys\nsys.exit(3)\n", 2, ["SystemExit: 3", "__main__"]),
    "dies at import": ("import os\nos._exit(3)\n", None, ["ended its process", "status 3"]),
    "no functions": ("X = 1\ndef _f(): ...\n", None, ["no public function"]),
    "only imported functions": ("from os.path import join\n", None, ["no public function"]),
    "no hint": (
        'def f(a: int,\n      b, c):\n    """F."""\n', 2, ["f: no type hint", "'b', 'c'", "add type hints", "b: str"],
    ),
    "no docstring": ("\n\ndef f(a: int): ...\n", 3, ["f: no docstring", "add one"]),
    "docstring without a description": ('def f(a: int):\n    """\n    Args:\n        a: It.\n    """\n', 1, ["does not say what"]),
    "hint that is not defined": (
        'from __future__ import annotations\ndef f(a: Missing):\n    """F."""\n', 2, ["Missing", "import the name"],
    ),
    "type without a schema": (
        'class Odd: ...\ndef f(x: int, a: Odd):\n    """F."""\n', 2, ["'a'", "Odd", "dataclass"],
    ),
    "a pattern that cannot be read": (
        'from typing import Annotated\nfrom pydantic import Field\ndef f(a: Annotated[str, Field(pattern="(?<=a)b")]):\n    """F."""\n',
        3, ["'a'", "look-around"],
    ),
    "a callable": (
        'from typing import Callable\ndef f(a: Callable[[int], int]):\n    """F."""\n', 2, ["'a'", "cannot be described"],
    ),
    "a type, not a value": ('def f(a: type[int]):\n    """F."""\n', 1, ["'a'", "nothing of its values"]),
    "a type variable": (
        'from typing import TypeVar\nT = TypeVar("T")\ndef f(x: int,\n      a: T):\n    """F."""\n', 4, ["'a'", "nothing of its values"],
    ),
    "an Enum without members": (
        'from enum import Enum\nclass E(Enum): ...\ndef f(a: E):\n    """F."""\n', 3, ["'a'", "no members"],
    ),
    "a generator": ('def f(a: int):\n    """F."""\n    yield a\n', 1, ["f: it yields", "return a list"]),
    "an async generator": ('async def f(a: int):\n    """F."""\n    yield a\n', 1, ["f: it yields"]),
    "*args": ('def f(*args: int):\n    """F."""\n', 1, ["*args", "args: list"]),
    "**kwargs": ('def f(**kwargs: int):\n    """F."""\n', 1, ["**kwargs", "kwargs: dict"]),
    "positional-only": ('def f(a: int, /):\n    """F."""\n', 1, ["positional-only", "remove the '/'"]),
    "two of one name": (
        'def f():\n    """F."""\ndef g():\n    """G."""\ndef f(a: int):\n    """F."""\n', 5, ["named f", "line 1", "rename"],
    ),
    "name not for tools": ('def größe():\n    """F."""\n', 1, ["größe", "letters a-z"]),
    "long name": (f'def {"f" * 65}():\n    """F."""\n', 1, ["64"]),
    "__all__ of what is not there": ('__all__ = [\n "f"]\n', 1, ["__all__ names 'f'"]),
    "__all__ of a method": (
        'class C:\n    def go(self, a: int):\n        """Go."""\nf = C().go\n__all__ = ["f"]\n', 5, ["'f'", "a method", "def f"],
    ),
    "default of another type": ('def f(b: int,\n      a: int = "x"):\n    """F."""\n', 2, ["'a' is 'x'", "mend the default"]),
    "a decorator that is no tool": ('def shout(g):\n    return g\n', 1, ["shout: no docstring", "name it _shout"]),
    "Field as a default": (
        'from pydantic import Field\ndef f(a: int = Field(3)):\n    """F."""\n', 2, ["'a'", "Annotated"],
    ),
    "example that does not fit": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> f(a="x")\n    """\n', 6, ["'do it'", "does not fit f"],
    ),
    "example with an unknown argument": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> f(b=1)\n    """\n', 6, ["no argument 'b'"],
    ),
    "example with too many arguments": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> f(1, 2)\n    """\n', 6, ["2 arguments"],
    ),
    "example that would have to be evaluated": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> f(a=__import__("os").getpid())\n    """\n',
        6, ["not a plain value"],
    ),
    "example of another function": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> fff(a=1)\n    """\n', 6, ["calls fff"],
    ),
    "example cut off": (
        'def f(a: int):\n    """F.\n\n    Examples:\n        do it\n        >>> f(a=1\n    """\n', 6, ["brackets"],
    ),
}  # fmt: skip
# ruff: noqa: E501 -- a source, its line and the words of the message stand side by side


@pytest.mark.parametrize("case", AT_FAULT)
def test_an_error_names_file_line_what_and_mend(write: Callable[..., Path], case: str) -> None:
    source, line, words = AT_FAULT[case]
    path = write("")
    path.write_text(source, encoding="utf-8")
    with pytest.raises(ToolDefinitionError) as caught:
        read_tools(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert "\n" not in message
    assert all(word in message for word in words), message
    assert "; " in message, "no mend"
    assert "arbitrary_types_allowed" not in message, "advice of a library that the user has not called"


def test_a_module_that_hangs_at_import_is_left_alone_after_its_time(write: Callable[..., Path]) -> None:
    path = write("import time\n\ntime.sleep(60)\n")
    start = time.monotonic()
    with pytest.raises(ToolDefinitionError, match=r"mine\.py:3: the module was still importing after 0\.5 s"):
        python_functions.read(path, import_seconds=0.5)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("slow", "line"),
    [
        ("import time\n\ntime.sleep(60)\n", ":3"),
        ("import time\n\ntry:\n    time.sleep(60)\nexcept BaseException:\n    raise ImportError from None\n", ":6"),
        ("import time\n\ntry:\n    time.sleep(60)\nexcept BaseException:\n    pass\n", ""),
    ],
    ids=["hangs", "raises something else", "goes on without"],
)
def test_a_module_of_many_that_imports_too_long_is_an_error_and_no_quiet_drop(
    tmp_path: Path, slow: str, line: str
) -> None:
    """The same command gave other tools, and so other rows, on a busy machine."""
    good = tmp_path / "good.py"
    good.write_text('def f() -> int:\n    """F."""\n    return 1\n')
    late = tmp_path / "late.py"
    late.write_text(slow + 'def g() -> int:\n    """G."""\n    return 1\n')
    with pytest.raises(ImportTooSlowError) as caught:
        read_modules([good, late], tmp_path, import_seconds=0.5)
    assert caught.value.exit_status == 2
    assert str(caught.value) == (
        f"{late}{line}: the module was still importing after 0.5 s; "
        "move the slow work into a function, or try again where the machine was only busy"
    )
    late.write_text("raise ValueError('no')\n")
    box = read_modules([good, late], tmp_path)
    assert (box.names, [r.dropped for r in box.remarks]) == (["f"], [True]), "a broken one is still said and left out"


def test_what_the_module_started_at_import_is_gone_afterwards(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(f'''
        import subprocess
        child = subprocess.Popen(["sleep", "60"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        def f():
            """F."""
    ''')
    assert read_tools(path).names == ["f"]
    status = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    time.sleep(0.05)
    assert not status.exists() or status.read_text().rsplit(")")[1].split()[0] == "Z"


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere.py", "no such file"), ("tools.txt", "this kind of file"), ("folder.py", "not a file")],
)
def test_a_path_that_leads_to_no_tools(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "tools.txt").write_text("hello")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(ToolDefinitionError, match=words):
        read_tools(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(write: Callable[..., Path]) -> None:
    path = write(GOOD)
    path.chmod(0)
    with pytest.raises(ToolDefinitionError, match="cannot be read"):
        read_tools(path)


ROW = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "F.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


@pytest.mark.parametrize("content", [[ROW], [ROW["function"]], {"tools": [ROW]}])
def test_a_json_list_in_openai_form_is_tools_without_a_target(write: Callable[..., Path], content: object) -> None:
    toolbox = read_tools(write(json.dumps(content), "tools.json"))
    assert toolbox["f"].target is None
    assert toolbox["f"].properties == {"a": {"type": "integer"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "this is not JSON"),
        ("[]", "no list of tools"),
        ('{"a": 1}', "no list of tools"),
        ('[{"description": "x"}]', "entry 1 has no name"),
        ("[1]", "entry 1 has no name"),
        ('[{"name": "a b", "description": "x"}]', "no name for a tool"),
        ('[{"name": "a", "description": "x", "parameters": {"type": "array"}}]', "not an object"),
        (
            '[{"name": "a", "description": "x", "parameters": {"properties": {"b": {"type": "nope"}}}}]',
            "no JSON Schema",
        ),
        ('[{"name": "a", "description": "x"}, {"name": "a", "description": "x"}]', "two tools are named a"),
    ],
)
def test_a_json_list_at_fault(write: Callable[..., Path], content: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read_tools(write(content, "tools.json"))
    assert "\n" not in str(caught.value)


def test_an_installed_reader_comes_first(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from lamina.tools import Tool, Toolbox, readers

    class Yaml:
        @staticmethod
        def claims(path: Path) -> bool:
            return path.suffix == ".yaml"

        @staticmethod
        def read(path: Path) -> Toolbox:
            return Toolbox([Tool("from_yaml", path.read_text(), {"type": "object"})])

    class Entry:
        name = "yaml"

        @staticmethod
        def load() -> object:
            return Yaml

    monkeypatch.setattr(readers, "entry_points", lambda group: [Entry] if group == "lamina.tools" else [])
    assert read_tools(write("text", "t.yaml")).names == ["from_yaml"]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not say who waited")
def test_a_module_that_waits_for_a_busy_processor_is_not_called_slow(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import time\nbegun = time.process_time()\nwhile time.process_time() < begun + 0.4:\n    pass\n"
        'def f(n: int) -> int:\n    """F."""\n    return n\n'
    )
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})  # inherited
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(5)]
    try:
        begun = time.monotonic()
        assert [tool.name for tool in python_functions.read(path, import_seconds=1.0)] == ["f"]
        took = time.monotonic() - begun
    finally:
        os.sched_setaffinity(0, processors)
        for other in others:
            other.kill()
            other.wait()
    assert took > 1.0, "nothing was in its way"
