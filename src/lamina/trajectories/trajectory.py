"""Trajectory: what happened. The ONE record type: synthesis makes it, training learns from it, the agent
records it, benchmarks score it. On disk it is one JSON line in the conversational tool-calling form that
``datasets`` and TRL read unchanged (design/architecture.md, "The record")."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from lamina.tools.tool import JSON, Toolbox


class Function(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolCall(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["function"] = "function"
    function: Function
    id: str | None = None

    @classmethod
    def of(cls, name: str, arguments: JSON, id: str | None = None) -> ToolCall:
        return cls(function=Function(name=name, arguments=arguments), id=id)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def arguments(self) -> JSON:
        return self.function.arguments


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")
    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[ToolCall] | None = None
    name: str | None = None
    tool_call_id: str | None = None


class Evidence(BaseModel):
    """Where an argument value comes from: ``words`` of the request, or a declared default. ``untraceable`` are values
    that no words stand for (true, false, null); ``missing`` ones should have been said and were not. ``by``: the rule
    that found the words: a ``number``, the ``text`` itself, a ``name`` of an enum value, a ``date`` at the clock, a
    ``unit`` ("unit: in minutes", "unit: percent as a share") where the number was said in another."""

    argument: str
    verdict: Literal["said", "default", "untraceable", "missing"]
    words: str | None = None
    by: str | None = None


class Check(BaseModel):
    """What one verification rule said of this record; grounding gives its ``evidence``, argument by argument.
    ``not-run``: its calls could not be run, for the reason that ``detail`` begins with."""

    name: str
    verdict: Literal["passed", "unjudged", "rejected", "not-run"] = "passed"
    detail: str = ""
    evidence: list[Evidence] | None = None


class Meta(BaseModel):
    """Where the record came from. More keys are welcome and kept."""

    model_config = ConfigDict(extra="allow")
    source: str = ""
    style: str = ""
    license: str = ""
    writer: str = ""
    seed: int | None = None
    now: str | None = None
    sandbox: str | None = None
    reward: float | None = None
    group: str | None = None
    split: str | None = None
    checks: list[Check] = Field(default_factory=list)


class Trajectory(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str
    tools: list[dict[str, Any]] = Field(default_factory=list)
    messages: list[Message]
    meta: Meta = Field(default_factory=Meta)

    @property
    def request(self) -> str:
        """The first user message."""
        return next((m.content for m in self.messages if m.role == "user"), "")

    @property
    def calls(self) -> list[ToolCall]:
        """All calls of all assistant turns, in order."""
        return [c for m in self.messages for c in (m.tool_calls or [])]

    @property
    def turns(self) -> list[list[ToolCall]]:
        """Calls grouped by assistant turn; a turn without calls is an empty list."""
        return [list(m.tool_calls or []) for m in self.messages if m.role == "assistant"]

    @property
    def truncated(self) -> list[int]:
        """``meta.truncated``: numbers of the results, from 0 in their order, of which the record has the beginning
        alone."""
        said = (self.meta.model_extra or {}).get("truncated")
        return [number for number in said if type(number) is int] if isinstance(said, list) else []

    @property
    def expected_calls(self) -> int:
        """``meta.expected_calls``: how many calls the record was written to answer its one request with; 0 where that
        is not said."""
        said = (self.meta.model_extra or {}).get("expected_calls")
        return said if type(said) is int and said > 0 else 0

    def toolbox(self) -> Toolbox:
        return Toolbox.from_openai(self.tools)

    def to_json(self) -> bytes:
        """One line without the newline; ``None`` fields are left out."""
        return json_line(self.model_dump(exclude_none=True))

    @classmethod
    def from_json(cls, line: bytes | str) -> Trajectory:
        return cls.model_validate_json(line)


class Reject(BaseModel):
    """A record that did not pass, kept with the reason. ``reason`` is a ``checks.reasons.Reason`` value."""

    id: str
    stage: str
    reason: str
    detail: str
    record: dict[str, Any] | None = None
    raw: str | None = None


def json_line(value: Any, *, sort_keys: bool = False) -> bytes:
    """JSON without a newline, also of what a model may invent or a table hold: integers beyond 64 bits, lone surrogates
    (written as ``?``), decimals and bytes (as text)."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"), default=str)
        return text.encode("utf-8", "replace")


def content_id(*parts: Any) -> str:
    """A row id derived from content, so that doing the same work twice stores one row."""
    return hashlib.sha256(json_line(parts, sort_keys=True)).hexdigest()[:16]
