"""Whatever is wrong with the user's file of functions: exit status 2 and one line that names file, line
and mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GOOD = '    """Do it.\n\n    Args:\n        n: A number.\n    """\n    return n\n'

CASES = {
    "syntax error": ("def f(:\n    pass\n", 1, "syntax"),
    "raises at import": ("x = 1\nraise ValueError('no')\n", 2, "raises while it is imported"),
    "exits at import": ("import sys\nsys.exit(3)\n", None, "import"),
    "ends the process at import": ("import os\nos._exit(3)\n", None, "exits"),
    "no hints": (f"def f(n):\n{GOOD}", 1, "n"),
    "two of one name": (
        f"def f(n: int) -> int:\n{GOOD}\n\ndef f(n: int) -> int:\n{GOOD}",
        None,
        "two functions are named f",
    ),
    "one in a branch, then another outside": (
        f"import os\nif os.sep:\n    def f(n: int) -> int:\n        return n\n\ndef f(n: int) -> int:\n{GOOD}",
        6,
        "two functions are named f",
    ),
    "no functions": ("x = 1\n", None, "no public function"),
    "no docstring": ("def f(n: int) -> int:\n    return n\n", 1, "docstring"),
}


@pytest.mark.parametrize("verb", ["tools", "synth", "build"])
@pytest.mark.parametrize("case", sorted(CASES))
def test_a_bad_file_of_functions_is_one_line_with_status_2(lamina, tmp_path: Path, case: str, verb: str):
    source, line, says = CASES[case]
    file = tmp_path / "mine.py"
    file.write_text(source, encoding="utf-8")
    out = [] if verb == "tools" else ["--out", tmp_path / "run"]
    said = lamina(verb, file, *out)
    assert said.status == 2
    assert said.out == ""
    errors = [e for e in said.errors if e.startswith("lamina: ")]
    assert len(errors) == 1
    assert "Traceback" not in said.err
    assert str(file) in errors[0]
    assert says in errors[0]
    assert ";" in errors[0], "no mend"
    if line:
        assert re.search(rf":{line}: ", errors[0])
    assert not (tmp_path / "run").exists(), "nothing is made for input that is at fault"


def test_a_missing_file_and_a_folder(lamina, tmp_path: Path):
    for path in (tmp_path / "nothing.py", tmp_path):
        said = lamina("tools", path)
        assert said.status == 2
        assert said.errors == [said.err.strip()]
        assert str(path) in said.err


def test_a_file_that_may_not_be_read(lamina, tmp_path: Path):
    file = tmp_path / "mine.py"
    file.symlink_to(file)  # root may read everything, nobody can read a link to itself
    said = lamina("tools", file)
    assert said.status == 2
    assert len(said.errors) == 1


def test_a_module_that_prints_at_import_does_not_disturb_the_output(lamina, tools_file: Path):
    tools_file.write_text("print('x' * 1_000_000)\n" + tools_file.read_text(), encoding="utf-8")
    said = lamina("tools", tools_file, "--json")
    assert said.status == 0
    assert said.out.startswith("[")
    assert "xxxx" not in said.out + said.err
