"""A success that carries an error: the call came back, and what came back says that it failed.

The rule is declared with the tool (``Tool.error_schema``: a result that fits this JSON Schema is an error, False:
none is). Where nothing is declared it is that of ``default_errors``. A result that is cut is judged before, by whoever
still has the whole of it: half of a JSON text has no value. Small enough for the fork server to import.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lamina.tools.execution.default_errors import default_error
from lamina.tools.validators import validator_for

if TYPE_CHECKING:
    from lamina.tools.execution.outcomes import CallResult
    from lamina.tools.tool import Tool

Rule = dict[str, Any] | bool | None


def error_in(tool: Tool | None, result: CallResult) -> str | None:
    """What makes the ``result`` of a call that ran an error; None where it is none."""
    return result.carried_error if result.truncated else carried_error(tool, result.value)


def carried_error(tool: Tool | None, value: Any) -> str | None:
    """What makes ``value``, the whole result of a call that ran, an error; None where it is none."""
    return error_by(tool.error_schema if tool is not None else None, value)


def error_by(rule: Rule, value: Any) -> str | None:
    """What makes ``value`` an error by ``rule``, as ``Tool.error_schema`` declares it."""
    if rule is None:
        return default_error(value)
    if isinstance(rule, bool):
        return "the tool's rule calls every result an error" if rule else None
    if _validator(json.dumps(rule, sort_keys=True)).is_valid(value):
        return "it fits what the tool declares to be an error"
    return None


@lru_cache(maxsize=256)
def _validator(rule: str) -> Any:
    return validator_for(json.loads(rule))
