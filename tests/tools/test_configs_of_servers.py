"""Which files are configs of MCP servers, and which only look like one."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.tools.mcp_servers.config import is_config

NAMED = {"production": {"url": "broker.example:9092", "protocol": "kafka"}}


@pytest.mark.parametrize(
    ("root", "is_one"),
    [
        ({"servers": NAMED}, True),
        ({"servers": {"desk": {"command": "desk"}}, "inputs": []}, True),
        ({"mcpServers": {}}, True),
        ({"asyncapi": "2.6.0", "servers": NAMED, "channels": {}}, False),
        ({"openapi": "3.1.0", "servers": NAMED, "paths": {}}, False),
        ({"swagger": "2.0", "servers": NAMED}, False),
        ({"openapi": "3.1.0", "servers": [{"url": "https://api.example"}]}, False),
        ({"servers": {"production": {"host": "broker.example"}}}, False),
        ([], False),
    ],
)
def test_what_says_that_it_is_of_another_kind_is_no_config(root: Any, is_one: bool):
    assert is_config(root) is is_one
