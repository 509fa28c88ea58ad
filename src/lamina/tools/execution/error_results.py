"""A success that carries an error: the call came back, and what came back says that it failed.

The rule is declared with the tool (``Tool.error_schema``: a result that fits this JSON Schema is an error, False:
none is). Where nothing is declared this is the default, our choice: an object with a non-empty ``error`` or
``errors``, with ``success``, ``ok`` or ``succeeded`` that is false, with ``isError`` that is true, with a
``status`` that is the word error, fail or failed, or with an HTTP status from 400 on beside a message; or a text
that begins like an error message.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from lamina.tools.tool import Tool

TEXT = re.compile(
    r"\s*(?:error\b\s*[:!(\[-]|error (?:executing|calling|occurred|while|fetching|in)\b|\w*(?:Error|Exception): "
    r"|traceback \(most recent call last\)|(?:an )?(?:unexpected )?error occurred\b|failed to \w+|❌)",
    re.IGNORECASE,
)
CODES = ("status", "code", "statusCode", "status_code", "cod")
MESSAGES = ("message", "detail", "title", "error_description", "status_message", "reason")


def carried_error(tool: Tool | None, value: Any) -> str | None:
    """What makes ``value``, the result of a call that ran, an error; None where it is none."""
    rule = tool.error_schema if tool is not None else None
    if rule is None:
        return _by_default(value)
    if isinstance(rule, bool):
        return "the tool's rule calls every result an error" if rule else None
    if _validator(json.dumps(rule, sort_keys=True)).is_valid(value):
        return "it fits what the tool declares to be an error"
    return None


@lru_cache(maxsize=256)
def _validator(rule: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(json.loads(rule))


def _by_default(value: Any) -> str | None:
    if isinstance(value, str):
        return "the text begins like an error message" if TEXT.match(value[:200]) else None
    if isinstance(value, list) and len(value) == 1:
        return _by_default(value[0])
    if not isinstance(value, dict):
        return None
    for key in ("error", "errors"):
        if value.get(key):
            return f"it has {key!r}"
    for key in ("success", "ok", "succeeded"):
        if value.get(key) is False:
            return f"{key!r} is false"
    if value.get("isError") is True or value.get("is_error") is True:
        return "it says that it is an error"
    if str(value.get("status", "")).lower() in ("error", "fail", "failed", "failure"):
        return f"'status' is {value['status']!r}"
    code = next((int(value[k]) for k in CODES if re.fullmatch(r"[45]\d\d", str(value.get(k, "")))), None)
    if code is not None and any(isinstance(value.get(k), str) for k in MESSAGES):
        return f"it carries the status {code}"
    if set(value) == {"result"}:  # how MCP servers in Python wrap what is no object
        return _by_default(value["result"])
    return None
