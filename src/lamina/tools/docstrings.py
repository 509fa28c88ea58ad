"""What a docstring says: description, arguments (Google, NumPy or Sphinx), and the pairs in ``Examples:``."""

from __future__ import annotations

import ast
import builtins
import inspect
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.tools.signatures import Flaw

EXAMPLES_HEADER = re.compile(r"\s*(\.\. rubric::\s*|:)?examples?:{0,2}\s*$", re.IGNORECASE)
OTHER_HEADER = re.compile(
    r"\s*(args|arguments|parameters|params|returns|yields|raises|notes?|see also|attributes|warnings?):\s*$"
    r"|\s*:(param|arg|returns?|raises?|rtype|type)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Docstring:
    """``arguments`` maps a name to its description; texts have single spaces and no line breaks within a
    paragraph."""

    description: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class Pair:
    """A request and the call below it; ``line`` counts from the docstring's first line, which is 0."""

    request: str
    arguments: dict[str, Any]
    line: int


def read_docstring(text: str) -> Docstring:
    """Read a docstring in whichever of the three styles it is written."""
    import griffe

    logging.getLogger("griffe").setLevel(logging.CRITICAL)
    docstring = griffe.Docstring(inspect.cleandoc(text))
    style, sections = griffe.infer_docstring_style(docstring, default=griffe.Parser.google)
    if sections is None:
        sections = griffe.parse(docstring, style)
    paragraphs: list[str] = []
    arguments: dict[str, str] = {}
    in_front = True
    for section in sections:
        kind = section.kind.value
        if kind == "text" and in_front:
            paragraphs += [" ".join(p.split()) for p in re.split(r"\n\s*\n", section.value) if p.strip()]
        elif kind != "text":
            in_front = False
        if kind in ("parameters", "other parameters", "attributes"):
            for item in section.value:
                arguments[item.name.lstrip("*")] = " ".join(item.description.split())
    return Docstring("\n".join(paragraphs), arguments)


def read_pairs(raw: str, function: str, parameters: Sequence[str], known: set[str]) -> list[Pair]:
    """Seed pairs of an ``Examples:`` section: a request as a person would type it, and below it
    ``>>> function(argument=value)``. A section that starts with ``>>>`` holds ordinary doctests: no pairs.

    ``raw`` is the docstring as written, so that its lines are the file's. Raises Flaw with the line, counted
    from the docstring's first line, for a call that cannot be read. Nothing is evaluated.
    """
    pairs: list[Pair] = []
    request: list[str] = []
    lines = raw.expandtabs().splitlines()
    for index, line in _examples_lines(lines):
        text = line.strip()
        if text.startswith(">>>"):
            code = text[3:].strip() + _continuation(lines, index)
            if not request and not pairs:
                return []
            arguments = _read_call(code, function, parameters, known, index)
            if request and arguments is not None:
                pairs.append(Pair(" ".join(request), arguments, index))
            request = []
        elif text.startswith("..."):
            continue
        elif text:
            request.append(text)
        else:
            request = []
    return pairs


def _examples_lines(lines: list[str]) -> list[tuple[int, str]]:
    start = next((i for i, line in enumerate(lines) if EXAMPLES_HEADER.match(line)), None)
    if start is None:
        return []
    header_indent = len(lines[start]) - len(lines[start].lstrip())
    found = []
    for i in range(start + 1, len(lines)):
        line = lines[i]
        underline = re.fullmatch(r"\s*-{3,}\s*", line)
        if underline and i == start + 1:
            continue
        next_is_underline = i + 1 < len(lines) and re.fullmatch(r"\s*-{3,}\s*", lines[i + 1])
        indent = len(line) - len(line.lstrip())
        if line.strip() and (next_is_underline or (indent <= header_indent and OTHER_HEADER.match(line))):
            break
        found.append((i, line))
    return found


def _continuation(lines: list[str], index: int) -> str:
    more = ""
    for line in lines[index + 1 :]:
        if not line.strip().startswith("..."):
            break
        more += "\n" + line.strip()[3:]
    return more


def _read_call(
    code: str, function: str, parameters: Sequence[str], known: set[str], line: int
) -> dict[str, Any] | None:
    """The arguments of the call, or None where ``code`` is something other than a call of a tool."""
    try:
        call = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        if re.match(rf"{re.escape(function)}\s*\(", code):
            raise Flaw(f"the example cannot be read: {code}", "check its brackets", line=line) from None
        return None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if call.func.id != function:
        if call.func.id in known or hasattr(builtins, call.func.id):
            return None
        mend = f"write >>> {function}(…)"
        raise Flaw(f"the example calls {call.func.id}, but it stands at {function}", mend, line=line)
    if len(call.args) > len(parameters):
        raise Flaw(f"the example passes {len(call.args)} arguments", f"{function} takes fewer", line=line)
    named = [*zip(parameters, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    arguments: dict[str, Any] = {}
    for name, node in named:
        if name is None or name in arguments:
            raise Flaw(f"the example unpacks or repeats an argument of {function}", "name each once", line=line)
        arguments[name] = _literal(node, name, line)
    return arguments


def _literal(node: ast.AST, name: str, line: int) -> Any:
    try:
        value = ast.literal_eval(ast.unparse(node))
    except (ValueError, SyntaxError, TypeError, RecursionError):
        shown = ast.unparse(node)
        mend = "write it as JSON would have it: text, number, True, None, list, dict (a date as '2026-03-05')"
        raise Flaw(f"the example's {name}={shown} is not a plain value", mend, line=line) from None
    return value
