"""Runs tools of MCP servers. One connection a server, opened when first used and renewed when it ended."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.tools.execution.event_loop import EventLoop
from lamina.tools.execution.outcomes import CallResult, Limits
from lamina.tools.execution.results import failed, succeeded
from lamina.tools.execution.secrets import Secrets
from lamina.tools.mcp_servers.config import Server, servers_of
from lamina.tools.targets import McpTarget
from lamina.tools.tool import JSON, Tool, Toolbox

if TYPE_CHECKING:
    from lamina.tools.mcp_servers.session import Session

Key = tuple[str, str]
SAID_CHARACTERS = 500


class McpRunner:
    """Thread-safe: a server is asked several things at once, as the protocol allows. The server itself is the
    user's own program and is not sandboxed; what it answers is bounded."""

    level = "mcp"

    def __init__(self, toolbox: Toolbox, limits: Limits):
        self._limits = limits
        self._loop = EventLoop()
        self._sessions: dict[Key, Session] = {}
        self._opening: dict[Key, asyncio.Lock] = {}
        targets = [t.target for t in toolbox if isinstance(t.target, McpTarget)]
        self._servers: dict[Key, Server] = {}
        for config in sorted({t.config for t in targets}):
            for name, server in servers_of(Path(config))[0].items():
                self._servers[config, name] = server
        self._secrets = Secrets(s for server in self._servers.values() for s in server.secrets())
        self._closing = threading.Lock()

    def unmet(self, tool: Tool) -> str | None:
        """What the user has yet to set before ``tool`` can run."""
        assert isinstance(tool.target, McpTarget)
        server = self._servers.get((tool.target.config, tool.target.server))
        if server is None:
            return f"{tool.name}: {tool.target.config} no longer names the server {tool.target.server}"
        return server.unmet()

    def run(self, tool: Tool, arguments: JSON, now: str | None, scratch: Path | None) -> CallResult:
        """``unmet`` where a key of the server's has yet to be set: those of other servers may run all the same."""
        if unmet := self.unmet(tool):
            return failed("unmet", unmet)
        assert isinstance(tool.target, McpTarget)
        start = time.monotonic()
        result = self._loop.run(self._call(tool, tool.target, arguments))
        return dataclasses.replace(result, seconds=time.monotonic() - start)

    async def _call(self, tool: Tool, target: McpTarget, arguments: JSON) -> CallResult:
        from lamina.tools.mcp_servers.session import ServerFailed

        key = (target.config, target.server)
        session = None
        try:
            session = await self._session(key)
            answer = await session.call(target.tool, arguments, self._limits.wall_seconds)
        except ServerFailed as failure:
            if failure.gone and session is self._sessions.get(key):  # another call may have opened a new one since
                await self._drop(key)
            said = _shortened(self._secrets.scrub(f"{tool.name}: the server {target.server} {failure}"))
            status: Any = "timed_out" if failure.late else "killed" if failure.gone else "raised"
            return failed(status, said)
        return self._result(tool, answer)

    async def _session(self, key: Key) -> Session:
        from lamina.tools.mcp_servers.session import Session

        async with self._opening.setdefault(key, asyncio.Lock()):
            if key not in self._sessions:
                session = Session(self._servers[key])
                try:
                    await session.start()
                except BaseException:
                    await session.stop()
                    raise
                self._sessions[key] = session
            return self._sessions[key]

    async def _drop(self, key: Key) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            await session.stop()

    def _result(self, tool: Tool, answer: Any) -> CallResult:
        try:
            value = self._secrets.scrubbed(_value(answer))
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            text.encode()
        except (ValueError, RecursionError):
            return failed("unserialisable", f"{tool.name} answered with something that has no JSON form")
        if answer.is_error:
            said = " ".join(value.split()) if isinstance(value, str) else text
            return failed("raised", f"{tool.name}: {_shortened(said)}")
        return succeeded(tool, text, self._limits)

    def close(self) -> None:
        with self._closing:
            if self._sessions:
                self._loop.run(self._drop_all())
            self._loop.close()

    async def _drop_all(self) -> None:
        await asyncio.gather(*(self._drop(key) for key in list(self._sessions)))


def _shortened(said: str) -> str:
    """After it was scrubbed: half a key is a key's half."""
    return said if len(said) <= SAID_CHARACTERS else said[:SAID_CHARACTERS] + "…"


def _value(answer: Any) -> Any:
    """The structured content where there is one, else the content: one block as itself, several as a list."""
    if answer.structured_content is not None:
        return answer.structured_content
    parts = [_part(block) for block in answer.content]
    return parts[0] if len(parts) == 1 else parts or None


def _part(block: Any) -> Any:
    """Text as the JSON it holds, if it is an object or a list; of pictures and sounds only what they are."""
    if block.type == "text":
        if block.text.lstrip()[:1] in ("{", "["):
            try:
                return json.loads(block.text)
            except (ValueError, RecursionError):
                return block.text
        return block.text
    if block.type == "resource" and hasattr(block.resource, "text"):
        return block.resource.text
    found = {"type": block.type, "mime_type": getattr(block, "mime_type", None), "uri": getattr(block, "uri", None)}
    return {k: str(v) for k, v in found.items() if v}
