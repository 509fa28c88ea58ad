"""Tool and Toolbox: what can be called, described once, used everywhere.

A tool is a name, a description, a JSON Schema for its arguments and, where there is one, the thing to run.
Schema, prompts, validation and data all come from this one object.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

from lamina.tools.plain_schemas import sound_schema
from lamina.tools.targets import PythonTarget as PythonTarget
from lamina.tools.targets import Target
from lamina.tools.validators import validator_for

JSON = dict[str, Any]


def is_moment(text: str) -> bool:
    """RFC 3339 with the offset and the seconds optional: what people and Python's ``datetime`` write."""
    try:
        return "T" in text.upper() and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def is_time_of_day(text: str) -> bool:
    """As ``is_moment``, for a time of day such as ``09:30``."""
    try:
        return ":" in text and time.fromisoformat(text) is not None
    except ValueError:
        return False


def argument_validator(schema: JSON) -> Any:
    """The validator that arguments are held to. Raises as ``validator_for`` does."""
    return validator_for(schema, validate_formats=True, formats={"date-time": is_moment, "time": is_time_of_day})


@dataclass(frozen=True)
class Example:
    """A request and the call that serves it, of a docstring's ``Examples:`` section or a file of the user's. ``now``:
    ISO 8601, the clock at which it was said and is right; None for that of whoever runs it."""

    request: str
    arguments: JSON
    now: str | None = None


@dataclass(frozen=True)
class Remark:
    """What a reader has to say of a source that it did not take as it stands: ``where`` it is, a ``code`` (one
    of ``lamina.tools.linting.CODES``) and one sentence. ``dropped`` if no tool came of it."""

    where: str
    code: str
    detail: str
    dropped: bool = False


@dataclass(frozen=True)
class Tool:
    """``parameters`` is a JSON Schema object (draft 2020-12) with ``properties`` and ``required``.

    ``category`` is what its source says (a tag, a server, a module), empty where it says nothing.
    ``error_schema`` is the declared rule for a success that carries an error: a result that fits this JSON
    Schema is one. None is the default rule (``execution.default_errors``), False says that no result is."""

    name: str
    description: str
    parameters: JSON
    target: Target | None = None
    examples: tuple[Example, ...] = field(default=())
    category: str = ""
    error_schema: JSON | bool | None = None

    def as_openai(self) -> JSON:
        """The form every record and chat template uses: ``{"type": "function", "function": {…}}``."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }

    @classmethod
    def from_openai(cls, row: JSON) -> Tool:
        """Also takes the bare inner object; ``category`` may stand beside ``function``."""
        f = row["function"] if isinstance(row.get("function"), dict) else row
        empty: JSON = {"type": "object", "properties": {}, "required": []}
        category = str(row.get("category") or f.get("category") or "")
        given = f.get("parameters") or empty
        parameters = given if isinstance(given, dict) else {"properties": given}  # no schema, and said to be none
        return cls(f["name"], f.get("description", ""), parameters, category=category)

    @cached_property
    def sound_parameters(self) -> JSON:
        """``parameters`` for whoever walks through them: somebody else's may be anything (``sound_schema``)."""
        return sound_schema(self.parameters)

    @property
    def properties(self) -> dict[str, JSON]:
        """The schema of each argument, ``true`` for one that may be anything as ``{}``."""
        found: dict[str, Any] = self.sound_parameters.get("properties", {})
        return found

    @property
    def required(self) -> list[str]:
        found: list[str] = self.sound_parameters.get("required", [])
        return found

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that are no arguments: an invented one is a wrong call, also where a schema only fails to
        forbid it. Any name is one where the schema says so itself (``additionalProperties``)."""
        others = self.sound_parameters.get("additionalProperties")
        if others is True or isinstance(others, dict):
            return []
        known = self.properties
        return [name for name in names if name not in known]

    @cached_property
    def _validator(self) -> Any:
        return argument_validator(self.parameters)

    def problems(self, arguments: Any) -> list[str]:
        """Why ``arguments`` do not fit the schema, one sentence each; empty when they fit. Unknown names are
        a problem even where the schema does not forbid them (``unknown``)."""
        return [problem for _, problem in self.faults(arguments)]

    def faults(self, arguments: Any) -> list[tuple[str, str]]:
        """As ``problems``, each after the keyword of JSON Schema that failed (``enum``, ``minimum``, …)."""
        if not isinstance(arguments, dict):
            return [("type", f"arguments of {self.name} must be an object, got {type(arguments).__name__}")]
        unknown = self.unknown(arguments)
        if not unknown and self._validator.is_valid(arguments):  # nearly always, and without a list of errors
            return []
        found = [("additionalProperties", f"{self.name} has no argument {name!r}") for name in unknown]
        for error in self._validator.iter_errors(arguments):
            where = ".".join(str(p) for p in error.instance_path) or "arguments"
            found.append((str(error.schema_path[-1]) if error.schema_path else "", f"{where}: {error.message}"))
        return found

    def with_defaults(self, arguments: JSON) -> JSON:
        """A copy with declared defaults filled in, so that calls compare by meaning."""
        filled = dict(arguments)
        for name, schema in self.properties.items():
            if name not in filled and "default" in schema:
                filled[name] = schema["default"]
        return filled


class Toolbox:
    """An ordered set of tools with distinct names. ``remarks`` says what of its sources was left out or
    changed, and why; ``files`` are those that were read for it; ``left_out`` are tools that it would have: they
    cannot run yet, or are not wanted."""

    def __init__(
        self,
        tools: Iterable[Tool],
        remarks: Iterable[Remark] = (),
        files: Iterable[Path] = (),
        left_out: Iterable[Tool] = (),
    ):
        self._tools = {t.name: t for t in tools}
        self.remarks, self.left_out = tuple(remarks), tuple(left_out)
        self.files = tuple(sorted({file.resolve() for file in files}))

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    @property
    def names(self) -> list[str]:
        return list(self._tools)

    def as_openai(self) -> list[JSON]:
        return [t.as_openai() for t in self]

    def without(self, names: Container[str]) -> Toolbox:
        """Those of these names are left out; requests for them are known as such, and no mistakes."""
        kept = [tool for tool in self if tool.name not in names]
        gone = [tool for tool in self if tool.name in names]
        return Toolbox(kept, self.remarks, self.files, [*self.left_out, *gone]) if gone else self

    @classmethod
    def from_openai(cls, rows: Iterable[JSON]) -> Toolbox:
        return cls(Tool.from_openai(r) for r in rows)

    def fingerprint(self) -> str:
        """Changes when what a model sees of the tools changes."""
        text = json.dumps(self.as_openai(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
