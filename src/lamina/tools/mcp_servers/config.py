"""``{"mcpServers": {name: {"command", "args", "env", "cwd"} | {"url", "headers"}}}``, as other clients write it.

``${NAME}`` stands for an environment variable; what it holds is a secret, and so is what ``literal_keys`` finds of
keys that are written out. Neither leaves this module but in the hands of the server.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.errors import ToolDefinitionError, UserError
from lamina.tools.documents import load_document
from lamina.tools.mcp_servers.literal_keys import keys_named, keys_of_arguments, keys_of_url

REFERENCE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Server:
    """How to reach one server, with references as they are written."""

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def unmet(self) -> str | None:
        texts = [self.command, *self.args, *self.env.values(), self.url, *self.headers.values()]
        for text in texts:
            for name, default in REFERENCE.findall(text):
                if not default and not os.environ.get(name):
                    return f"the MCP server {self.name} wants a key; set {name} in the environment"
        return None

    def filled(self) -> Server:
        """References replaced by what they stand for. Raises UserError where a variable is not set."""
        if unmet := self.unmet():
            raise UserError(unmet)
        return Server(
            self.name,
            _fill(self.command),
            tuple(map(_fill, self.args)),
            {k: _fill(v) for k, v in self.env.items()},
            self.cwd,
            _fill(self.url),
            {k: _fill(v) for k, v in self.headers.items()},
        )

    def secrets(self) -> list[str]:
        texts = [self.command, *self.args, *self.env.values(), self.url, *self.headers.values()]
        found = [os.environ.get(name, "") for text in texts for name, _ in REFERENCE.findall(text)]
        named = {k: _fill(v) for k, v in [*self.env.items(), *self.headers.items()]}
        written = keys_named(named.items()) + keys_of_arguments([_fill(self.command), *map(_fill, self.args)])
        in_urls = [key for text in texts for key in keys_of_url(_fill(text))]
        return [s for s in [*found, *written, *in_urls] if s]


def _fill(text: str) -> str:
    return REFERENCE.sub(lambda m: os.environ.get(m[1]) or m[2] or "", text)


def is_config(root: Any) -> bool:
    return isinstance(root, dict) and isinstance(root.get("mcpServers"), dict)


def servers_of(path: Path) -> dict[str, Server]:
    """The servers that a config file names. Raises ToolDefinitionError for an entry that names no way."""
    root = load_document(path)
    if not is_config(root):
        raise ToolDefinitionError("there is no object mcpServers in it", file=path, mend='write {"mcpServers": {…}}')
    return {str(name): _server(str(name), row, path) for name, row in root["mcpServers"].items()}


def _server(name: str, row: Any, path: Path) -> Server:
    mend = 'give it {"command": …, "args": […]} or {"url": "http…"}'
    if not isinstance(row, dict):
        raise ToolDefinitionError(f"the server {name} is not an object", file=path, mend=mend)
    env, headers = row.get("env") or {}, row.get("headers") or {}
    args = row.get("args") or []
    if not isinstance(env, dict) or not isinstance(headers, dict) or not isinstance(args, list):
        raise ToolDefinitionError(f"the server {name}: args is a list, env and headers objects", file=path, mend=mend)
    if str(row.get("type") or row.get("transport") or "").lower() == "sse":
        mend = "use its streamable HTTP address"
        raise ToolDefinitionError(f"the server {name} speaks the old SSE transport", file=path, mend=mend)
    url = row.get("url") or row.get("serverUrl")
    if isinstance(url, str) and re.match(r"https?://|\$\{", url):
        return Server(name, url=url, headers={str(k): str(v) for k, v in headers.items()})
    if not isinstance(row.get("command"), str) or not row["command"]:
        raise ToolDefinitionError(f"the server {name} has neither a command nor a URL", file=path, mend=mend)
    folder = str(row["cwd"]) if row.get("cwd") else str(path.resolve().parent)
    return Server(name, row["command"], tuple(map(str, args)), {str(k): str(v) for k, v in env.items()}, folder)
