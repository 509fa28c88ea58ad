"""Reader for MCP servers: a config file with ``mcpServers`` is asked, server by server, which tools there are.

A server that cannot be reached, or an entry that says no way to, becomes a remark; the others are read all the same.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lamina.errors import ToolDefinitionError, UserError
from lamina.tools.described import Described, described_tool
from lamina.tools.documents import load_document
from lamina.tools.execution.secrets import Secrets
from lamina.tools.mcp_servers.config import Server, is_config, servers_of
from lamina.tools.targets import McpTarget
from lamina.tools.tool import Remark, Tool, Toolbox

LIST_SECONDS = 120.0
"""As long as the start of a server that has to be fetched first (``session.START_SECONDS``)."""
SAID_CHARACTERS = 500
MOST_TOLD = 5
"""Servers whose failure is told where none has a tool."""


def claims(path: Path) -> bool:
    return path.suffix == ".json" and path.is_file() and is_config(load_document(path))


def read(path: Path, *, seconds: float = LIST_SECONDS) -> Toolbox:
    """Connects to every server of the file and lists its tools; all servers at once, ``seconds`` to start each and as
    many again for all that it lists.

    Raises ToolDefinitionError where none of them has a usable tool, MissingExtraError without the SDK.
    """
    known, remarks = servers_of(path)
    servers = list(known.values())
    answers: list[Any] = asyncio.run(_ask_all(servers, seconds))
    tools: dict[str, Tool] = {}
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, str):
            remarks.append(Remark(server.name, "server_failed", answer, dropped=True))
            continue
        for row in answer:
            tool, said = _tool(row, server, path, tools)
            remarks += said
            if tool is not None:
                tools[tool.name] = tool
    if not tools:
        told = "; ".join(f"{remark.where}: {remark.detail}" for remark in remarks[:MOST_TOLD])
        told += f"; and {len(remarks) - MOST_TOLD} more" if len(remarks) > MOST_TOLD else ""
        mend = "start the servers by hand once" if answers else "see the entry"
        raise ToolDefinitionError(f"no tool could be read ({told or 'no server has a tool'})", file=path, mend=mend)
    return Toolbox(tools.values(), remarks)


def _tool(row: Any, server: Server, path: Path, taken: dict[str, Tool]) -> tuple[Tool | None, list[Remark]]:
    read_only = bool(row.annotations and row.annotations.read_only_hint)
    target = McpTarget(str(path.resolve()), server.name, row.name, read_only)
    where = f"{server.name}/{row.name}"
    said = Described(row.name, row.description, row.input_schema, where, server.name, server.name)
    return described_tool(said, taken, target)


async def _ask_all(servers: list[Server], seconds: float) -> list[Any]:
    found: list[Any] = await asyncio.gather(*(_ask(server, seconds) for server in servers))
    return found


async def _ask(server: Server, seconds: float) -> list[Any] | str:
    """The tools of a server, or what went wrong, without its secrets."""
    from lamina.tools.mcp_servers.session import ServerFailed, Session

    if unmet := server.unmet():
        return unmet
    session = Session(server)
    try:
        await session.start(seconds)
        found: list[Any] = await session.tools(seconds)
        return found
    except ServerFailed as failure:
        return Secrets(server.secrets()).scrub(f"the server {failure}")[:SAID_CHARACTERS]
    except UserError:
        raise
    finally:
        await session.stop()
