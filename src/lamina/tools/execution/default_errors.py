"""The default rule for a success that carries an error, where the tool declares none. Our choice, and careful of false
alarms: a number called error is a measurement, and words count only where nothing but words came back.

An error is an object with

- an ``error``, ``errors`` or ``error_message`` that says something (not a number, not "none"; a code with a message);
- ``success``, ``ok`` or ``succeeded`` that is false, ``is_error`` that is true, a ``status`` that is the word error,
  fail, failed or failure, a ``type`` that is one of them beside a message, or an HTTP status from 400 on beside one;
- a ``message`` or ``detail`` and no data, whose words say that something failed;

in whatever case the names are written; a list of nothing but such objects (a status alone, as jobs have it, is data
there); or a text that begins like an error message.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

TEXT = (
    r"\s*(?:error\b\s*[:!(\[-](?!\s*[-+]?[\d.]+(?:e[-+]?\d+)?\s*%?\s*$)|error (?:code )?#?[45]\d\d\b|error #?\d+\s*:"
    r"|\w*(?:Error|Exception): (?![-+]?[\d.]+\s*%?\s*$)|http(?:/[\d.]+)? (?:error )?[45]\d\d\b"
    r"|[45]\d\d:? (?:bad request|unauthorized|forbidden|not found|internal server|too many requests"
    r"|service unavailable|bad gateway|gateway time)"
    r"|error (?:executing|calling|occurred|while|fetching|in)\b"
    r"|traceback \(most recent call last\)|(?:an )?(?:unexpected )?error occurred\b|failed to \w+|❌)"
)
"""How a text begins that is an error message. "Error: 0.02" is a measurement."""
WORDS = (
    r"(?:invalid|unauthori[sz]ed|forbidden|not found|bad request|internal (?:server )?error|too many requests"
    r"|(?:access|permission) denied|service (?:temporarily )?unavailable|no such|something went wrong"
    r"|(?:method )?not (?:authenticated|authori[sz]ed|allowed)"
    r"|missing (?:\w+ ){0,3}(?:token|key|parameter|field|argument|header|credentials)"
    r"|(?:unknown|unsupported) (?:\w+ ){0,2}(?:error|key|parameter|method|argument|field|action|endpoint)"
    r"|(?:could not|couldn't|cannot|can't|unable to) (?:be \w+|find|open|read|connect|parse|process|access|get|load"
    r"|reach|fetch|resolve|retrieve|complete|perform|determine))\b"
    r"|[^.!?]{0,120}\b(?:not found|(?:does not|doesn't) exist|(?:access|permission) denied|unauthori[sz]ed"
    r"|(?:is|are) (?:invalid|required|unavailable|not (?:valid|supported|allowed|authori[sz]ed))"
    r"|(?:limit|quota) (?:was |has been )?exceeded|has expired|timed out|error occurred)\W*$"
)
"""How a message that stands alone begins or ends where it tells of a failure."""
NOTHING = r"\s*(?:|none|no|null|nil|ok|false|n/?a|-|no errors?\.?|[-+]?[\d.]+(?:e[-+]?\d+)?\s*%?)\s*$"
"""What stands under ``error`` where there was none, or where it is a measurement."""
_FAILED = ("error", "fail", "failed", "failure")

_ERRORS = ("error", "errors", "error_message", "error_msg")
_SUCCESS = ("success", "ok", "succeeded")
_CODES = ("status", "code", "status_code", "cod")
_MESSAGES = ("message", "detail", "title", "error_description", "status_message", "reason")
_BESIDE = frozenset({*_MESSAGES, "code", "type", "request_id", "trace_id", "documentation_url", "path", "timestamp"})
"""What may stand beside words and is no data."""
LONGEST_MESSAGE = 300
DEEPEST = 3


def _spellings(name: str) -> set[str]:
    first, *rest = name.split("_")
    camel = first + "".join(part.title() for part in rest)
    return {name, name.upper(), name.capitalize(), camel, camel[:1].upper() + camel[1:], camel.lower()}


_MEANT = {
    spelling: name
    for name in {*_ERRORS, *_SUCCESS, *_MESSAGES, *_CODES, *_BESIDE, "is_error"}
    for spelling in _spellings(name)
}


def default_error(value: Any) -> str | None:
    """What makes ``value``, JSON data, an error; None where it is none."""
    if isinstance(value, str):
        return "the text begins like an error message" if _fits(TEXT, value[:200]) else None
    if isinstance(value, dict):
        return _of_object(value)
    if not isinstance(value, list) or not value:
        return None
    if len(value) == 1 and not isinstance(value[0], dict):
        return default_error(value[0])
    reason = None
    for one in value:
        if not isinstance(one, dict) or not (why := _of_object(one, listed=True)):
            return None
        reason = reason or why
    return reason


def _of_object(value: dict[str, Any], *, listed: bool = False) -> str | None:
    if _MEANT.keys().isdisjoint(value):  # nearly always
        wrapped = len(value) == 1 and "result" in value  # how MCP servers in Python wrap what is no object
        return default_error(value["result"]) if wrapped and not listed else None
    names = {_MEANT[key]: key for key in reversed(value) if key in _MEANT}
    said = {name: value[key] for name, key in names.items()}
    message = any(isinstance(said.get(name), str) for name in _MESSAGES)
    for name in _ERRORS:
        if _says(said.get(name)) or (name == "error" and _is_code(said.get(name), message, len(value))):
            return f"it has {names[name]!r}"
    for name in _SUCCESS:
        if said.get(name) is False:
            return f"{names[name]!r} is false"
    if said.get("is_error") is True:
        return "it says that it is an error"
    if _is_word(said.get("status")) and (message or not listed):
        return f"{names['status']!r} is {said['status']!r}"
    if _is_word(said.get("type")) and (message or "code" in said or len(value) == 1):
        return f"{names['type']!r} is {said['type']!r}"
    code = next((int(said[name]) for name in _CODES if re.fullmatch(r"[45]\d\d", str(said.get(name, "")))), None)
    if code is not None and message:
        return f"it carries the status {code}"
    return _of_words(said) if len(said) == len(value) else None


def _of_words(said: dict[str, Any]) -> str | None:
    """Of an object that holds no data."""
    if not _BESIDE.issuperset(said) or not isinstance(said.get("code", ""), str):
        return None
    for name in ("message", "detail"):
        words = said.get(name)
        if isinstance(words, str) and len(words) <= LONGEST_MESSAGE and (_fits(WORDS, words) or _fits(TEXT, words)):
            return f"all it has is {name!r}, which says that it failed"
    return None


def _fits(pattern: str, text: str) -> bool:
    return _compiled(pattern).match(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """When first needed: most processes that run tools meet no result that has to be read."""
    return re.compile(pattern, re.IGNORECASE)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in _FAILED


def _is_code(value: Any, message: bool, keys: int) -> bool:
    """Whether the whole number under ``error`` is a code and no count."""
    if type(value) is not int or not value:
        return False
    return message or (keys == 1 and 400 <= value < 600)


def _says(value: Any, depth: int = 0) -> bool:
    """Whether what stands under ``error`` tells of one: numbers are a measurement, alone, in lists and under names."""
    if isinstance(value, str):
        return not _fits(NOTHING, value[:200])
    if isinstance(value, dict | list) and depth < DEEPEST:
        if isinstance(value, dict) and "code" in value:
            return True
        return any(_says(one, depth + 1) for one in (value.values() if isinstance(value, dict) else value))
    return value is True
