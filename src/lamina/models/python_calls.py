"""Calls written in Python's syntax, ``[f(a=1), g(b="x")]``, and values in Python's spelling. Text is parsed and its
literals are read; nothing is ever evaluated."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

from lamina.models.json_spans import DEEPEST, end_of_value, storable_value

LONGEST = 20_000
"""Characters of one call or value that are parsed."""
STARTS_TRIED = 32
NAME = re.compile(r"(?<![\w.])[^\W\d]\w{0,127}(?:\.\w{1,128}){0,8}\(")
_BETWEEN = re.compile(r"[\s,;]{0,200}")
_WORDS = {"true": True, "false": False, "null": None}
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, TypeError)

Rows = list[tuple[str, dict[str, Any]]]


def python_value(text: str) -> Any:
    """A list or an object with Python's or a mixed spelling (single quotes, ``True``, a comma at the end); None for
    all else."""
    if text[:1] not in ("[", "{") or len(text) > LONGEST or end_of_value(text, 0, quotes="\"'") != len(text):
        return None
    try:
        return storable_value(_literal(_expression(text)))
    except _FAILURES:
        return None


def python_calls(text: str, names: set[str] | None) -> tuple[Rows, bool] | None:
    """The calls in the text, and whether they are all there is. Only functions of ``names`` are looked for amid other
    words; without names the whole text has to be calls. None where there is none."""
    rows: Rows = []
    position = failed = 0
    while failed < STARTS_TRIED and (found := NAME.search(text, position)) is not None:
        run, end = _run_at(text, found.start())
        before, after = text[: found.start()].strip(), text[end:].strip()
        if run and (before, after) in (("", ""), ("[", "]"), ("", ";")):
            return run, True
        if run and names is not None and all(name in names for name, _ in run):
            rows += run
        else:
            failed += 1
        position = end if run else found.end()
    return (rows, False) if rows else None


def _run_at(text: str, start: int) -> tuple[Rows, int]:
    """Calls that follow each other from ``start`` on, and where the last one ends."""
    rows: Rows = []
    end = start
    while (call := call_at(text, start)) is not None:
        row, end = call
        rows.append(row)
        follows = _BETWEEN.match(text, end)
        start = follows.end() if follows else end
        if NAME.match(text, start) is None:
            break
    return rows, end


def call_at(text: str, start: int) -> tuple[tuple[str, dict[str, Any]], int] | None:
    found = NAME.match(text, start)
    end = end_of_value(text, found.end() - 1, quotes="\"'") if found else -1
    if end < 0 or end - start > LONGEST:
        return None
    try:
        node = _expression(text[start:end])
        if not isinstance(node, ast.Call) or node.args:  # by position is no call: which argument is it?
            return None
        arguments = {str(k.arg): _literal(k.value) for k in node.keywords}
        if any(k.arg is None for k in node.keywords):
            return None
        return (text[start:end].partition("(")[0], storable_value(arguments)), end
    except _FAILURES:
        return None


def _expression(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "invalid escape sequence", "'int' object is not callable"
        return ast.parse(text.strip(), mode="eval").body


def _literal(node: ast.expr, depth: int = 0) -> Any:
    """Raises ValueError for anything but numbers, text, booleans, None, lists, tuples (as lists) and objects."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(node, ast.Constant) and (node.value is None or type(node.value) in (str, int, float, bool)):
        return node.value
    if isinstance(node, ast.Name) and node.id in _WORDS:
        return _WORDS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _literal(node.operand, depth + 1)
        if type(number) in (int, float):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item, depth + 1) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_literal(key, depth + 1) for key in node.keys if key is not None]
        if len(keys) == len(node.values) and all(isinstance(key, str) for key in keys):
            return dict(zip(keys, [_literal(value, depth + 1) for value in node.values], strict=True))
    raise ValueError("not a literal")
