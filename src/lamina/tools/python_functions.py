"""Reader for a Python file of plain functions: signature, type hints and docstring become a Tool.

The file is imported in a child process (``describe_module``), never in this one.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.errors import ImportTooSlowError, ToolDefinitionError
from lamina.tools.environment import (
    allowed_environment,
    passed_secrets,
    passed_variables,
    secrets_of,
    withheld_mend,
)
from lamina.tools.plain_schemas import BY_NAME
from lamina.tools.signatures import SLOW_MEND
from lamina.tools.tool import Example, PythonTarget, Remark, Tool, Toolbox
from lamina.tools.validators import rule_problem
from lamina.tools.waiting import MOST_WAITING, SHORTEST_WAIT, queued_seconds

IMPORT_SECONDS = 20.0
VALUES = ("default", "const", "enum", "examples", "example")
"""Keys of JSON Schema that have a user's data."""
NAMES = ("type", "format", "required", "dependentRequired", "$ref")
"""Those that have names of JSON Schema's or of arguments."""


def claims(path: Path) -> bool:
    return path.suffix == ".py" and not path.is_dir()


def read(path: Path, *, import_seconds: float = IMPORT_SECONDS) -> Toolbox:
    """Describe the public functions of ``path`` (those in ``__all__``, else all it defines itself).

    Raises ToolDefinitionError, one line with file, line and mend, for a file that cannot be parsed, imported
    in ``import_seconds``, or described.
    """
    described = _described(path, import_seconds, each=False)
    return Toolbox([tool for tool, _ in described.tools], files=described.files)


@dataclass(frozen=True)
class Described:
    """What a module says: ``tools`` with the module that defines each, a remark for each function that cannot be
    described, and the ``files`` of the user's that were imported for it."""

    tools: list[tuple[Tool, str]]
    remarks: list[Remark]
    files: list[Path]


def read_each(path: Path, *, import_seconds: float = IMPORT_SECONDS) -> Described:
    """As ``read``, for one module of many. Raises ToolDefinitionError where the module cannot be imported,
    ImportTooSlowError where that took too long."""
    return _described(path, import_seconds, each=True)


def _described(path: Path, seconds: float, *, each: bool) -> Described:
    _check_syntax(path)
    answer = _describe_in_child(path, seconds, each)
    if "flaw" in answer:
        flaw = answer["flaw"]
        file = flaw["file"] if flaw["file"] and Path(flaw["file"]) != path.resolve() else path
        kind = ImportTooSlowError if flaw["late"] else ToolDefinitionError
        secrets = passed_secrets()
        mend = "; ".join(filter(None, [secrets.scrub(flaw["mend"]), withheld_mend(flaw["what"])]))
        raise kind(secrets.scrub(flaw["what"]), file=file, line=flaw["line"], mend=mend)
    remarks = []
    for flaw in answer["flaws"]:
        where = f"{flaw['file'] or path}:{flaw['line']}"
        told = passed_secrets().scrub(f"{flaw['what']}; {flaw['mend']}")
        remarks.append(Remark(where, "undescribable", told, dropped=True))
    _refuse_secrets(answer["tools"], path)
    tools = [(_tool(row, path), row["module"]) for row in answer["tools"]]
    return Described(tools, remarks, [Path(file) for file in answer["files"]])


def _refuse_secrets(rows: list[dict[str, Any]], path: Path) -> None:
    """What a tool says of itself stands in every prompt and record: ``key=os.environ["API_KEY"]`` is no default."""
    passed = [(name, secrets_of([name])) for name in passed_variables()]
    for row in rows if passed else ():
        examples = [[one["request"], list(one["arguments"].values())] for one in row["examples"]]
        said = [row["description"], _words_of(row["parameters"]), examples]
        for name, secrets in passed:
            if secrets.scrubbed(said) != said:
                what = f"{row['name']} says the value of {name}, which --env passes (in a default, an example or words)"
                mend = "read the variable in the function's body; if it holds a plain word, use another word here"
                raise ToolDefinitionError(what, file=path, mend=mend)


def _words_of(schema: Any) -> Any:
    """What a schema says in words and values. The names of arguments are those of the source and hold no value of a
    variable; those of JSON Schema are nobody's."""
    if isinstance(schema, list):
        return [_words_of(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = [_words_of(one) for key in BY_NAME & schema.keys() for one in _values(schema[key])]
    data = [schema[key] for key in VALUES if key in schema]
    rest = [_words_of(part) for key, part in schema.items() if key not in {*BY_NAME, *VALUES, *NAMES}]
    return [*named, *data, *rest]


def _values(table: Any) -> list[Any]:
    return list(table.values()) if isinstance(table, dict) else []


def _tool(row: dict[str, Any], path: Path) -> Tool:
    examples = tuple(Example(e["request"], e["arguments"]) for e in row["examples"])
    target = PythonTarget(str(path.resolve()), row["name"], pure=row["pure"], changes_things=row["changes_things"])
    rule = row["error_schema"]
    if problem := rule_problem(rule):
        what = f"what ERROR_RESULTS says of {row['name']} cannot be used: {problem}"
        raise ToolDefinitionError(what, file=path, mend="give the schema of a result that is an error, or False")
    return Tool(row["name"], row["description"], row["parameters"], target, examples, error_schema=rule)


def _check_syntax(path: Path) -> None:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ToolDefinitionError(f"cannot be read ({error.strerror})", file=path, mend="check it") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        what = f"Python cannot read this ({error.msg})"
        raise ToolDefinitionError(what, file=path, line=error.lineno, mend="mend the syntax") from None
    except (ValueError, RecursionError, MemoryError) as error:
        what = f"Python cannot read this ({error})"
        raise ToolDefinitionError(what, file=path, mend="is it a Python source file?") from None


def _describe_in_child(path: Path, seconds: float, each: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lamina-", ignore_cleanup_errors=True) as folder:
        result = Path(folder, "result.json")
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        command = [sys.executable, "-m", "lamina.tools.describe_module", str(path.resolve()), str(result)]
        errors = Path(folder, "errors.txt")
        with errors.open("wb") as stderr:
            child = subprocess.Popen(
                [*command, str(seconds), *(["each"] if each else [])],
                cwd=scratch,
                env=allowed_environment(scratch),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            status = _wait(child, seconds + 5.0)
        if result.exists():
            answer: dict[str, Any] = json.loads(result.read_bytes())
            return answer
        if status is None:
            what = f"the module hung while it was imported or described (more than {seconds:g} s)"
            raise ImportTooSlowError(what, file=path, mend=SLOW_MEND)
        said = errors.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing on stderr"]
        last = passed_secrets().scrub(said[0])[:200]
        what = f"the module ended its process while it was imported (status {status}; {last})"
        raise ToolDefinitionError(what, file=path, mend="remove the call that exits")


def _wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Exit status, or None after ``seconds`` in which it ran or slept: a busy machine gives it longer. Whatever the
    module started in its session is gone after it."""
    given, most = 0.0, seconds * MOST_WAITING
    try:
        while (more := min(most, seconds + queued_seconds(child.pid)) - given) > SHORTEST_WAIT:
            given += more
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(more)
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
