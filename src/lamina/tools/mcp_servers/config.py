"""``{"mcpServers": {name: {"command", "args", "env", "cwd"} | {"url", "headers"}}}``, as other clients write it,
and VS Code with ``servers`` for ``mcpServers``.

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
from lamina.tools.tool import JSON, Remark

REFERENCE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
ASKED = re.compile(r"\$\{input:[^}]*\}")
URLS = ("url", "serverUrl")
OTHERS = ("asyncapi", "openapi", "swagger")
"""Keys by which a document says that it is of another kind."""


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
    return _entries(root) is not None


def _entries(root: Any) -> JSON | None:
    """Under ``mcpServers``, or VS Code's ``servers`` (an OpenAPI document has a list there, an AsyncAPI document an
    object of URLs); None in another file."""
    if not isinstance(root, dict):
        return None
    if isinstance(found := root.get("mcpServers"), dict):
        return found
    if any(key in root for key in OTHERS):
        return None
    found = root.get("servers")
    ways = {"command", *URLS}
    if isinstance(found, dict) and any(isinstance(row, dict) and ways & set(row) for row in found.values()):
        return found
    return None


def servers_of(path: Path) -> tuple[dict[str, Server], list[Remark]]:
    """The servers that a config file names, and of which entries nothing can be made. Raises ToolDefinitionError for
    a file that is no config."""
    entries = _entries(load_document(path))
    if entries is None:
        raise ToolDefinitionError("there is no object mcpServers in it", file=path, mend='write {"mcpServers": {…}}')
    servers, remarks = {}, []
    for name, row in entries.items():
        found = _server(str(name), row, path)
        if isinstance(found, Server):
            servers[found.name] = found
        else:
            remarks.append(Remark(str(name), "server_failed", found, dropped=True))
    return servers, remarks


def _server(name: str, row: Any, path: Path) -> Server | str:
    """Or why there is none, and what to write instead."""
    mend = 'give it {"command": …, "args": […]} or {"url": "http…"}'
    if not isinstance(row, dict):
        return f"the server {name} is not an object; {mend}"
    env, headers = row.get("env") or {}, row.get("headers") or {}
    args = row.get("args") or []
    if not isinstance(env, dict) or not isinstance(headers, dict) or not isinstance(args, list):
        return f"the server {name}: args is a list, env and headers objects; {mend}"
    if str(row.get("type") or row.get("transport") or "").lower() == "sse":
        return f"the server {name} speaks the old SSE transport; use its streamable HTTP address"
    if asked := ASKED.search(" ".join(map(str, [*args, *env.values(), *headers.values()]))):
        what = f"the server {name} wants {asked[0]}, which VS Code asks its user for"
        return f"{what}; write ${{NAME}} and set NAME in the environment"
    url = next((row[key] for key in URLS if row.get(key)), None)
    if isinstance(url, str) and re.match(r"https?://|\$\{", url):
        return Server(name, url=url, headers={str(k): str(v) for k, v in headers.items()})
    if not isinstance(row.get("command"), str) or not row["command"]:
        return f"the server {name} has neither a command nor a URL; {mend}"
    folder = str(row["cwd"]) if row.get("cwd") else str(path.resolve().parent)
    return Server(name, row["command"], tuple(map(str, args)), {str(k): str(v) for k, v in env.items()}, folder)
