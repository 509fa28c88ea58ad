"""The child process that imports a user's file and says what its functions are.

    python -m lamina.tools.describe_module FILE RESULT SECONDS [each]

Importing can print, raise, exit, hang or start threads: none of it reaches the parent, which reads RESULT
(JSON: ``{"tools": […], "flaws": […], "files": […]}`` or ``{"flaw": {what, mend, line, file}}``) and takes its absence
for an exit. With ``each`` a function that cannot be described is one of ``flaws`` and the others are described.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import os
import re
import signal
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import MethodType, ModuleType
from typing import Any

from lamina.tools.declarations import declared_of
from lamina.tools.signatures import SLOW_MEND, Flaw, TooSlow, read_parameters
from lamina.tools.tool import Tool
from lamina.tools.user_module import load_module
from lamina.tools.waiting import MOST_WAITING, SHORTEST_WAIT, queued_seconds

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
Node = ast.FunctionDef | ast.AsyncFunctionDef


class _TooSlow(BaseException):
    pass


def describe(file: Path, seconds: float, *, each: bool = False) -> dict[str, Any]:
    """Import ``file`` and describe its public functions in source order."""
    tree = ast.parse(file.read_bytes())
    tools, flaws = [], []
    try:
        module = _import(file, seconds)
        for name, function in _public(module, file, tree):
            try:
                tools.append(_describe(name, function, file, tree, module))
            except Flaw as flaw:
                if not each:
                    raise
                flaws.append(flaw.as_json())
        if not tools and not each:
            mend = "define at least one whose name does not start with '_', or list it in __all__"
            raise Flaw("there is no public function in this file", mend)
    except Flaw as flaw:
        return {"flaw": flaw.as_json()}
    return {"tools": tools, "flaws": flaws, "files": _files(file)}


def _files(file: Path) -> list[str]:
    """The file, and of the modules beside and below it those that it imported: the user's own, nothing installed."""
    root = file.parent
    while (root / "__init__.py").exists():
        root = root.parent
    installed = (Path(sysconfig.get_path("stdlib")), Path(__file__).resolve().parents[1])
    others = [folder for folder in installed if not root.is_relative_to(folder)]
    named = [vars(m).get("__file__") for m in list(sys.modules.values()) if isinstance(m, ModuleType)]
    own = {
        found
        for found in (Path(name) for name in named if isinstance(name, str) and name.startswith(str(root)))
        if found.is_relative_to(root) and "site-packages" not in found.relative_to(root).parts
        and not any(found.is_relative_to(folder) for folder in others)
    }  # fmt: skip
    return sorted({str(f) for f in (file, *own)})


def _import(file: Path, seconds: float) -> ModuleType:
    late = False
    begun, given = queued_seconds(), seconds

    def too_slow(*_: Any) -> None:
        nonlocal late, given
        more = min(seconds * MOST_WAITING, seconds + queued_seconds() - begun) - given
        if more > SHORTEST_WAIT:  # others had the processor for so long
            given += more
            signal.setitimer(signal.ITIMER_REAL, more)
            return
        late = True
        raise _TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        module = load_module(file)
    except _TooSlow as error:
        raise _slow(seconds, _line(error, file)) from None
    except SystemExit as error:
        what, mend = f"the module exits while it is imported (SystemExit: {error.code})", _GUARD
        raise Flaw(what, mend, line=_line(error, file)) from None
    except BaseException as error:
        if late:  # a library made another error of it
            raise _slow(seconds, _line(error, file)) from None
        said = (str(error).splitlines() or [""])[0]
        what = f"the module raises while it is imported ({type(error).__name__}: {said})"
        raise Flaw(what, "mend that line, or move it into a function", line=_line(error, file)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if late:  # and went on without what it was importing
        raise _slow(seconds, None)
    return module


def _slow(seconds: float, line: int | None) -> TooSlow:
    return TooSlow(f"the module was still importing after {seconds:g} s", SLOW_MEND, line=line)


_GUARD = 'put that line under if __name__ == "__main__":'


def _line(error: BaseException, file: Path) -> int | None:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return lines[-1] if lines else None


def _public(module: ModuleType, file: Path, tree: ast.Module) -> list[tuple[str, Any]]:
    """Functions named in ``__all__``, or those defined in the file itself; each function once."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        for name in listed:
            if not hasattr(module, name):
                line = next((n.lineno for n in tree.body if "'__all__'" in ast.dump(n)), None)
                raise Flaw(f"__all__ names {name!r}, which is not there", "remove or define it", line=line)
        found = {name: getattr(module, name) for name in listed}
        _refuse_callables(found, tree)
    else:
        found = {n: f for n, f in vars(module).items() if not n.startswith("_") and _is_own(f, module)}
    functions = {name: f for name, f in found.items() if inspect.isfunction(inspect.unwrap(f))}
    _refuse_duplicates(tree, set(functions))
    chosen: dict[int, tuple[str, Any]] = {}
    for name, f in sorted(functions.items(), key=lambda item: item[1].__name__ != item[0]):
        chosen.setdefault(id(inspect.unwrap(f)), (name, f))  # an alias is not a second tool
    return sorted(chosen.values(), key=lambda item: _position(item[1], file))


def _refuse_callables(found: dict[str, Any], tree: ast.Module) -> None:
    """A class, a constant or an application in ``__all__`` is for those who import the module; a method was meant."""
    for name, value in found.items():
        if isinstance(value, MethodType | functools.partial):
            line = next((n.lineno for n in tree.body if "'__all__'" in ast.dump(n)), None)
            what = f"__all__ names {name!r}, which is a {type(value).__name__} and no function"
            raise Flaw(what, f"write def {name}(…) around it, or take it off the list", line=line)


def _is_own(value: Any, module: ModuleType) -> bool:
    wrapped = inspect.isfunction(value) or hasattr(value, "__wrapped__")
    return wrapped and not inspect.isclass(value) and value.__module__ == module.__name__


def _position(function: Any, file: Path) -> tuple[bool, int]:
    code = inspect.unwrap(function).__code__
    return code.co_filename != str(file), code.co_firstlineno


def _refuse_duplicates(tree: ast.Module, public: set[str]) -> None:
    """Of two definitions of a name the last one wins; whichever was meant, the first is lost. Those in the branches of
    an ``if`` or a ``try`` are alternatives to each other, and lost to one that follows them outside."""
    first: dict[str, int] = {}
    branched: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):
            for inner in _branches(node):
                branched.setdefault(inner.name, inner.lineno)
        if not isinstance(node, Node) or node.name not in public or _is_overload(node):
            continue
        if (line := first.get(node.name) or branched.get(node.name)) is not None:
            what = f"two functions are named {node.name}, the first in line {line}"
            raise Flaw(what, "rename or remove one", line=node.lineno)
        first[node.name] = node.lineno


def _is_overload(node: Node) -> bool:
    return any("overload" in ast.unparse(d) for d in node.decorator_list)


def _branches(node: ast.AST) -> Iterator[Node]:
    """The functions that an ``if`` or a ``try`` of the module defines, not those inside of them."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, Node):
            if not _is_overload(inner):
                yield inner
        elif isinstance(inner, ast.If | ast.Try | ast.ExceptHandler):
            yield from _branches(inner)


def _describe(name: str, function: Any, file: Path, tree: ast.Module, module: ModuleType) -> dict[str, Any]:
    plain = inspect.unwrap(function)
    source = Path(plain.__code__.co_filename)
    node = _find(tree if source == file else _parse(source), plain.__name__, plain.__code__.co_firstlineno)
    line = node.lineno if node else plain.__code__.co_firstlineno
    try:
        return _describe_function(name, function, node, module)
    except Flaw as flaw:
        if flaw.line is None:
            flaw.line = _argument_line(node, flaw.what) or line
        flaw.file = flaw.file or str(source)
        raise


def _describe_function(name: str, function: Any, node: Node | None, module: ModuleType) -> dict[str, Any]:
    from lamina.tools.docstrings import OTHER_HEADER, read_docstring
    from lamina.tools.schemas import parameters_schema

    if not NAME.fullmatch(name):
        raise Flaw(f"{name!r} is no name for a tool", "use up to 64 letters a-z, digits and '_'")
    text = inspect.getdoc(function) or ""
    if not text.strip():
        mend = 'add one under the def line, such as """What it does. Args: …""": a model chooses by it'
        mend += f" (or name it _{name}, if it is no tool)"
        raise Flaw(f"{name}: no docstring", mend)
    read = read_docstring(text)
    if not read.description or OTHER_HEADER.match(text.strip().splitlines()[0]):
        raise Flaw(f"{name}: the docstring does not say what the function does", "start it with one sentence")
    parameters = read_parameters(function, name)
    schema = parameters_schema(parameters, read.arguments, name)
    tool = Tool(name, read.description, schema)
    known = {n for n, value in vars(module).items() if callable(value)}
    declared = declared_of(name, module)
    return {**tool.as_openai()["function"], "examples": _examples(tool, node, known), **asdict(declared),
            "module": str(Path(inspect.unwrap(function).__code__.co_filename).resolve())}  # fmt: skip


def _examples(tool: Tool, node: Node | None, known: set[str]) -> list[dict[str, Any]]:
    from lamina.tools.docstrings import read_pairs

    if node is None or not node.body:
        return []
    constant = getattr(node.body[0], "value", None)
    if not isinstance(constant, ast.Constant) or not isinstance(constant.value, str):
        return []
    start = constant.lineno
    found = []
    try:
        for pair in read_pairs(constant.value, tool.name, list(tool.properties), known):
            arguments = _as_json(pair.arguments, pair.line)
            problems = tool.problems(arguments)
            if problems:
                what = f"the example for {pair.request!r} does not fit {tool.name}: {problems[0]}"
                raise Flaw(what, "mend the example or the type hint", line=pair.line)
            found.append({"request": pair.request, "arguments": arguments})
    except Flaw as flaw:
        flaw.line = start + (flaw.line or 0)
        raise
    return found


def _as_json(arguments: dict[str, Any], line: int) -> dict[str, Any]:
    try:
        back: dict[str, Any] = json.loads(json.dumps(arguments, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Flaw(f"the example has no JSON form ({error})", "use lists instead of sets", line=line) from None
    return back


def _find(tree: ast.Module | None, name: str, line: int) -> Node | None:
    """The definition whose first line, decorators included, is ``line``."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, Node) and node.name == name:
            starts = [node.lineno, *(d.lineno for d in node.decorator_list)]
            if line in range(min(starts), node.lineno + 1):
                return node
    return None


def _parse(source: Path) -> ast.Module | None:
    try:
        return ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _argument_line(node: Node | None, what: str) -> int | None:
    """The line of the argument that ``what`` names in quotes."""
    quoted = re.search(r"'(\w+)'", what)
    if node is None or quoted is None:
        return None
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return next((a.lineno for a in arguments if a.arg == quoted[1]), None)


def main() -> None:
    file, result, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    answer = json.dumps(describe(file, seconds, each="each" in sys.argv[4:]))
    partial = result.with_suffix(".part")
    partial.write_text(answer, encoding="utf-8")
    partial.replace(result)
    os._exit(0)  # not sys.exit: threads and atexit handlers of the user's module have no say


if __name__ == "__main__":
    main()
