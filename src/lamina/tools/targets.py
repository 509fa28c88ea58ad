"""What a tool runs: a Python function, an HTTP operation, or a tool of an MCP server.

A target is plain data that may be written down and sent to another process. No secret is ever in it: where one
is needed it names the environment variable that holds it, which is read when the call is made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, ClassVar, Literal

Where = Literal["path", "query", "header", "cookie", "body"]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class PythonTarget:
    """Where the thing to run lives: a function in the user's file. Never pickled, always imported anew. As the user
    declares, ``pure``: its result follows from its arguments and the clock alone and it leaves nothing behind;
    ``changes_things``: the call may change something outside the sandbox."""

    runner: ClassVar[str] = "lamina.tools.execution.executor:Executor"
    file: str
    function: str
    kind: Literal["python"] = "python"
    pure: bool = False
    changes_things: bool = False


@dataclass(frozen=True)
class Place:
    """Where an argument goes in a request. ``name`` is its name on the wire; ``style`` and ``explode`` are
    OpenAPI's, ``as_json`` says that the value is JSON text (a parameter with ``content``)."""

    argument: str
    where: Where
    name: str
    style: str = "form"
    explode: bool = True
    as_json: bool = False


@dataclass(frozen=True)
class Credential:
    """``how``: ``key`` (in the header, query or cookie ``name``), ``bearer`` or ``basic`` (``user:password``).
    ``variable`` is the environment variable that holds the secret."""

    how: Literal["key", "bearer", "basic"]
    variable: str
    where: Literal["header", "query", "cookie"] = "header"
    name: str = "Authorization"


@dataclass(frozen=True)
class HttpTarget:
    """One operation. ``server`` is the base URL, or None where the document names none; the environment
    variable ``server_variable`` goes before it. ``body`` is the media type of the request body; ``whole_body``
    is the argument that is the body, where its fields are not arguments themselves. ``auth`` holds
    alternatives, of which one must be met in full; an empty alternative means that none is needed.
    ``optional_auth`` is sent where its variables are set. ``other_fields``: arguments without a place are fields of
    the body, which takes any."""

    runner: ClassVar[str] = "lamina.tools.execution.http_runner:HttpRunner"
    method: str
    path: str
    server: str | None
    server_variable: str
    places: tuple[Place, ...] = ()
    body: str | None = None
    whole_body: str | None = None
    auth: tuple[tuple[Credential, ...], ...] = ()
    optional_auth: tuple[Credential, ...] = ()
    other_fields: bool = False
    kind: Literal["http"] = "http"

    @property
    def changes_things(self) -> bool:
        return self.method not in SAFE_METHODS


@dataclass(frozen=True)
class McpTarget:
    """A tool of a server that the file ``config`` (``{"mcpServers": {…}}``) says how to reach."""

    runner: ClassVar[str] = "lamina.tools.execution.mcp_runner:McpRunner"
    config: str
    server: str
    tool: str
    read_only: bool = False
    kind: Literal["mcp"] = "mcp"

    @property
    def changes_things(self) -> bool:
        return not self.read_only


Target = PythonTarget | HttpTarget | McpTarget


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Target)


def target_as_json(target: Target | None) -> dict[str, Any] | None:
    """Plain data, for another process."""
    return None if target is None else asdict(target)


def target_from_json(row: dict[str, Any] | None) -> Target | None:
    """The inverse of ``target_as_json``. Only for what this program wrote: a target names code to run."""
    if row is None:
        return None
    kinds = {"python": PythonTarget, "http": HttpTarget, "mcp": McpTarget}
    found: Target = _adapter().validate_python(row) if row.get("kind") in kinds else PythonTarget(**row)
    return found
