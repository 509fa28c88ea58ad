"""What every kind of call has in common: which calls are refused, and how a CallResult is made."""

from __future__ import annotations

import json
from typing import Any

import orjson

from lamina.tools.execution.error_results import carried_error
from lamina.tools.execution.outcomes import CallResult, Limits, Status
from lamina.tools.tool import Tool, Toolbox


def failed(status: Status, error: str, **more: Any) -> CallResult:
    """``text``, which a model sees, is ``{"error": …}``."""
    return CallResult(status, None, json.dumps({"error": error}, ensure_ascii=False), error, **more)


def refusal(toolbox: Toolbox, name: Any, arguments: Any) -> CallResult | None:
    """Why a call is not even tried: no such tool, nothing to run, arguments that do not fit the schema."""
    tool = toolbox.get(name) if isinstance(name, str) else None
    if tool is None:
        return failed("invalid", f"there is no tool named {name!r}")
    if tool.target is None:
        return failed("invalid", f"{name} is only described: there is nothing to run")
    try:
        _check_json(arguments)
        problems = tool.problems(arguments)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        problems = [f"the arguments are not JSON ({' '.join(str(error).split())})"]
    return failed("invalid", f"{name}: {problems[0]}") if problems else None


def _check_json(arguments: Any) -> None:
    """Raises ValueError or TypeError for what is no JSON data. orjson is four times as fast, and writes NaN as null."""
    try:
        written = orjson.dumps(arguments, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        written = b"null"
    if b"null" in written:
        json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()


def succeeded(tool: Tool, text: str, limits: Limits, **more: Any) -> CallResult:
    """A result from its JSON text; cut, and then without a value but judged, where it is longer than one may be."""
    if len(text.encode(errors="replace")) > limits.output_bytes:
        return cut_off(text, limits, carried_error=carried_error(tool, json.loads(text)), **more)
    return CallResult("ok", json.loads(text), text, None, False, **more)


def cut_off(text: str, limits: Limits, **more: Any) -> CallResult:
    """The beginning of a result that is longer than one may be."""
    beginning = text.encode(errors="replace")[: limits.output_bytes].decode(errors="ignore")
    return CallResult("ok", None, beginning, None, True, **more)
