"""Tools of MCP servers are listed and called through the official SDK, whatever the server does."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.errors import ToolDefinitionError
from lamina.tools import Toolbox, mcp_servers, read_tools
from lamina.tools.execution import CallResult, Limits, carried_error, open_executor
from lamina.tools.mcp_servers.config import Server, servers_of
from lamina.tools.mcp_servers.session import ServerFailed, Session

pytest.importorskip("mcp", reason="pip install 'lamina[apis]' brings mcp")

SERVER = """
import os, sys, time
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

server = MCPServer("desk")

@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def add(a: int, b: int = 1) -> int:
    "Adds two numbers."
    return a + b

@server.tool()
def fail(why: str) -> str:
    "Fails."
    raise ToolError(why + os.environ.get("DESK_KEY", ""))

@server.tool()
def say_error() -> dict:
    "Answers with an error as if it were a success."
    return {"error": "no such thing"}

@server.tool()
def die() -> str:
    "Ends the server."
    os._exit(3)

@server.tool()
def hang() -> str:
    "Never answers."
    time.sleep(600)

@server.tool()
def much() -> str:
    "Says a lot."
    return "x" * 100_000

server.run(*sys.argv[1:2] or ["stdio"], **({"port": int(sys.argv[2])} if len(sys.argv) > 2 else {}))
"""
Write = Callable[[dict[str, Any]], Path]


@pytest.fixture
def config(tmp_path: Path) -> Write:
    (tmp_path / "server.py").write_text(textwrap.dedent(SERVER))

    def write(servers: dict[str, Any]) -> Path:
        file = tmp_path / "mcp.json"
        file.write_text(json.dumps({"mcpServers": servers}))
        return file

    return write


def desk(**more: Any) -> dict[str, Any]:
    return {"command": sys.executable, "args": ["server.py"], **more}


@pytest.fixture
def tools(config: Write) -> Toolbox:
    return read_tools(config({"desk": desk(env={"DESK_KEY": "a-long-secret"})}))


def called(toolbox: Toolbox, name: str, seconds: float = 60, **arguments: Any) -> CallResult:
    with open_executor(toolbox, limits=Limits(wall_seconds=seconds, output_bytes=2_000)) as executor:
        return executor.run_sequence([(name, arguments)])[0]


def test_the_tools_of_a_server_are_listed_with_their_schemas(tools: Toolbox):
    assert tools.names == ["add", "fail", "say_error", "die", "hang", "much"]
    assert tools["add"].required == ["a"]
    assert tools["add"].category == "desk"
    assert [t.name for t in tools if t.target and not t.target.changes_things] == ["add"]


def test_calls_run_on_the_server(tools: Toolbox):
    result = called(tools, "add", a=2, b=40)
    assert result.ok
    assert result.value == {"result": 42}


def test_an_error_is_an_error_even_where_it_comes_as_a_success(tools: Toolbox):
    failed = called(tools, "fail", why="not today ")
    assert failed.status == "raised"
    assert "not today" in (failed.error or "")
    assert "a-long-secret" not in repr(failed)
    said = called(tools, "say_error")
    assert carried_error(tools["say_error"], said.value)


def test_a_result_that_holds_a_key_is_still_a_result(config: Write):
    box = read_tools(config({"desk": desk(env={"DESK_KEY": "123456789"})}))
    assert called(box, "add", a=123456788).value == {"result": "[secret]"}


def test_a_server_that_dies_is_started_anew_for_the_next_call(tools: Toolbox):
    with open_executor(tools, limits=Limits(wall_seconds=60)) as executor:
        assert executor.run_sequence([("die", {})])[0].status == "killed"
        assert executor.run_sequence([("add", {"a": 1})])[0].value == {"result": 2}


def test_a_call_that_ends_with_its_server_leaves_the_next_one_alone(tools: Toolbox, monkeypatch: pytest.MonkeyPatch):
    """It may hear of the end when another call has already started the server anew."""
    made: list[Any] = []

    class Scripted:
        def __init__(self, server: Server):
            self.stopped = False
            made.append(self)

        async def start(self) -> None:
            pass

        async def stop(self) -> None:
            self.stopped = True

        async def call(self, tool: str, arguments: dict[str, Any], seconds: float) -> Any:
            if self is made[0]:
                while tool == "hang" and len(made) < 2:
                    await asyncio.sleep(0.01)
                raise ServerFailed("ended")
            await asyncio.sleep(0.3)
            if self.stopped:
                raise ServerFailed("ended")
            return SimpleNamespace(is_error=False, structured_content={"result": 2})

    monkeypatch.setattr("lamina.tools.mcp_servers.session.Session", Scripted)
    with open_executor(tools, limits=Limits(wall_seconds=60)) as executor, ThreadPoolExecutor() as pool:
        early = pool.submit(executor.run_sequence, [("hang", {})])
        while not made:
            time.sleep(0.01)
        assert executor.run_sequence([("die", {})])[0].status == "killed"
        assert executor.run_sequence([("add", {"a": 1})])[0].value == {"result": 2}
        assert early.result()[0].status == "killed"
    assert len(made) == 2


def test_a_server_that_hangs_is_not_waited_for(tools: Toolbox):
    with open_executor(tools, limits=Limits(wall_seconds=60)) as executor:
        executor.run_sequence([("add", {"a": 1})])  # it is up
    assert called(tools, "hang", seconds=4).status == "timed_out"


FLOOD = 'import sys; sys.stdin.readline()\nwhile True: print(\'{"jsonrpc": "2.0", "method": "x"}\')'
ENDLESS = "import sys; sys.stdin.readline()\nwhile True: sys.stdout.write('x' * 65536)"


@pytest.mark.parametrize(("program", "said"), [(FLOOD, "flooded"), (ENDLESS, "a message of more than 4 MB")])
def test_a_server_that_writes_without_end_is_ended(config: Write, program: str, said: str):
    box = read_tools(config({"mad": {"command": sys.executable, "args": ["-c", program]}, "desk": desk()}))
    assert [(r.where, said in r.detail) for r in box.remarks if r.dropped] == [("mad", True)]


DRIPS = """
import json, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    said = {"jsonrpc": "2.0", "id": asked.get("id")}
    if asked["method"] == "initialize":
        about = {"name": "slow", "version": "1"}
        version = asked["params"]["protocolVersion"]
        said["result"] = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    elif asked["method"] == "tools/list":
        time.sleep(0.1)
        said["result"] = {"tools": [], "nextCursor": "more"}
    else:
        said["error"] = {"code": -32601, "message": "no such method"}
    if "id" in asked:
        print(json.dumps(said), flush=True)
"""


def test_a_server_that_drips_its_list_is_not_waited_for():
    async def listed() -> None:
        session = Session(Server("slow", sys.executable, ("-c", DRIPS)))
        try:
            await session.start(120)
            await session.tools(1)
        finally:
            await session.stop()

    with pytest.raises(ServerFailed, match="was still listing its tools after 1 s") as failure:
        asyncio.run(listed())
    assert failure.value.late


def test_a_server_that_says_nothing_at_its_start_is_not_waited_for(config: Write, caplog: pytest.LogCaptureFixture):
    file = config({"mute": {"command": sys.executable, "args": ["-c", "import time; time.sleep(600)"]}})
    with pytest.raises(ToolDefinitionError, match="mute: the server did not answer within 1 s"):
        mcp_servers.read(file, seconds=1)
    gc.collect()
    assert caplog.text == "", "the loop does not speak of it"


def test_a_long_answer_is_cut(tools: Toolbox):
    result = called(tools, "much")
    assert result.truncated
    assert len(result.text) <= 2_000


TELLS = "import sys; raise SystemExit('no entry with ' + sys.argv[-1])"


def test_servers_that_cannot_be_reached_are_said_and_the_others_read(config: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    box = read_tools(config({
        "gone": {"command": "no-such-program"},
        "told": {"command": sys.executable, "args": ["-c", TELLS, "--access-token", "sbp_0123456789abcdef"]},
        "silent": {"command": sys.executable, "args": ["-c", "raise SystemExit('out of order')"]},
        "keyed": desk(env={"KEY": "${NO_SUCH_KEY}"}),
        "desk": desk(),
    }))  # fmt: skip
    assert len(box) == 6
    said = {r.where: r.detail for r in box.remarks}
    assert "cannot be started" in said["gone"]
    assert "out of order" in said["silent"]
    assert "no entry with [secret]" in said["told"], "a key written out among the arguments is not said back"
    assert "set NO_SUCH_KEY" in said["keyed"]


def test_two_servers_with_the_same_tools_keep_them_apart(config: Write):
    box = read_tools(config({"one": desk(), "two": desk()}))
    assert "two_add" in box
    assert len(box) == 12


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ({"a": 7}, "is not an object"),
        ({"a": {}}, "neither a command nor a URL"),
        ({"a": {"command": "x", "args": "y"}}, "args is a list"),
        ({"a": {"type": "sse", "url": "http://127.0.0.1/sse"}}, "old SSE transport"),
        ({}, "no tool could be read"),
    ],
)
def test_a_config_that_names_no_way_is_one_line(config: Write, servers: dict[str, Any], said: str):
    with pytest.raises(ToolDefinitionError, match=said):
        read_tools(config(servers))


def test_an_entry_of_which_nothing_can_be_made_is_said_and_the_others_read(tmp_path: Path):
    servers = {
        "old": {"type": "sse", "url": "http://127.0.0.1/sse"},
        "empty": {},
        "junk": 7,
        "asks": {"command": "x", "env": {"KEY": "${input:key}"}},
        "near": {"command": "x", "args": ["y"]},
        "far": {"type": "http", "url": "https://example.org/mcp"},
    }
    file = tmp_path / "mcp.json"
    for key in ("mcpServers", "servers"):
        file.write_text(json.dumps({key: servers, "inputs": []}))
        assert mcp_servers.claims(file)
        known, remarks = servers_of(file)
        assert [(s.name, s.command, s.url) for s in known.values()] == [
            ("near", "x", ""), ("far", "", "https://example.org/mcp"),
        ]  # fmt: skip
        assert [(r.where, r.code, r.dropped) for r in remarks] == [
            (name, "server_failed", True) for name in ("old", "empty", "junk", "asks")
        ]
        assert ["SSE" in remarks[0].detail, "neither a command" in remarks[1].detail] == [True, True]
    file.write_text(json.dumps({"openapi": "3.0.0", "servers": [{"url": "http://example.org"}]}))
    assert not mcp_servers.claims(file)


def test_vs_code_s_file_is_read_past_an_entry_that_cannot_be(config: Write):
    file = config({})
    file.write_text(json.dumps({"servers": {"old": {"type": "sse", "url": "http://x"}, "desk": desk(type="stdio")}}))
    box = read_tools(file)
    assert len(box) == 6
    assert [(r.where, r.code) for r in box.remarks] == [("old", "server_failed")]


def test_a_key_that_is_gone_when_the_call_is_made_is_asked_for(config: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESK_TOKEN", "abcdefgh")
    box = read_tools(config({"desk": desk(env={"DESK_KEY": "${DESK_TOKEN}"})}))
    monkeypatch.delenv("DESK_TOKEN")
    asked = called(box, "add", a=1)
    assert asked.status == "unmet"
    assert "set DESK_TOKEN" in (asked.error or "")


@pytest.fixture
def port(config: Write, tmp_path: Path) -> Iterator[int]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    command = [sys.executable, "server.py", "streamable-http", str(number)]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", number)) == 0:
                break
        time.sleep(0.1)
    yield number
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_server_is_reached_over_streamable_http(config: Write, port: int):
    box = read_tools(
        config({"far": {"url": f"http://127.0.0.1:{port}/mcp", "headers": {"Authorization": "Bearer abcdefgh"}}})
    )
    assert len(box) == 6
    assert called(box, "add", a=5).value == {"result": 6}
    assert called(box, "fail", why="no ").status == "raised"


def test_where_no_server_has_a_tool_each_is_told(config: Write):
    servers = {f"gone{n}": {"command": f"no-such-command-{n}"} for n in range(3)}
    with pytest.raises(ToolDefinitionError) as failed:
        mcp_servers.read(config({**servers, "old": {"url": "http://127.0.0.1:9/sse", "type": "sse"}}))
    for said in ("no-such-command-0", "no-such-command-1", "no-such-command-2", "the old SSE transport"):
        assert said in str(failed.value)
    with pytest.raises(ToolDefinitionError, match=r"see the entry$"):
        mcp_servers.read(config({"old": {"url": "http://127.0.0.1:9/sse", "type": "sse"}}))
