"""``lamina synth`` over MCP servers, stdio and streamable HTTP: rows are verified by calling the server, whatever it
does in the middle of the synthesis."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lamina.trajectories import read_trajectories

pytest.importorskip("mcp", reason="pip install 'lamina[apis]' brings mcp")

SERVER = '''
import os, sys, time
from typing import Annotated
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

server = MCPServer("house")
KEY = os.environ["HOUSE_KEY"]
Hours = Annotated[int, Field(description="How many hours.", ge=1, le=90)]
Rooms = Annotated[int, Field(description="How many rooms.", ge=1, le=90)]


def tool(function):
    return server.tool(annotations=ToolAnnotations(readOnlyHint=True))(function)


def here(function):
    """Not over HTTP, where nobody starts the server anew."""
    return tool(function) if len(sys.argv) == 1 else function


def counted(name):
    """How often it was called, of all lives of the server."""
    with open("calls.txt", "a") as file:
        file.write(name + "\\n")
    return open("calls.txt").read().split().count(name)


@tool
def heat_house(hours: Hours, rooms: Rooms) -> int:
    "Tell the price of heating the house."
    if counted("heat_house") == int(os.environ.get("DIES_AT", -1)):
        os._exit(3)
    return hours * rooms


@tool
def clean_windows(hours: Hours, rooms: Rooms) -> dict:
    "Plan the cleaning of windows."
    counted("clean_windows")
    return {"plan": [hours, rooms], "by": KEY}


@tool
def feed_cat(hours: Hours) -> dict:
    "Tell when the cat is fed."
    return {"error": "there is no cat"}


@tool
def open_safe(hours: Hours) -> str:
    "Look into the safe."
    raise ToolError("wrong key " + KEY)


@here
def burn_down(hours: Hours) -> str:
    "Tell how long the house burns."
    counted("burn_down")
    os._exit(3)


@here
def wait_for_post(hours: Hours) -> str:
    "Wait for the post."
    counted("wait_for_post")
    time.sleep(600)


server.run(*sys.argv[1:2] or ["stdio"], **({"port": int(sys.argv[2])} if len(sys.argv) > 2 else {}))
'''
KEY = "house-key-0123456789"
NEVER = {"feed_cat": "error-result", "open_safe": "raised", "burn_down": "killed", "wait_for_post": "timed-out"}


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "server.py").write_text(SERVER)

    def config(**server: Any) -> Path:
        file = tmp_path / "mcp.json"
        file.write_text(json.dumps({"mcpServers": {"house": server}}))
        return file

    return config


def rows_of(out: Path) -> Counter[str]:
    """How many rows call each tool; what the server said in them is what it says."""
    found = Counter[str]()
    for row in read_trajectories(out / "trajectories.jsonl"):
        for call, result in zip(row.calls, [m for m in row.messages if m.role == "tool"], strict=True):
            hours, rooms = call.arguments["hours"], call.arguments["rooms"]
            wanted = {"heat_house": {"result": hours * rooms},
                      "clean_windows": {"plan": [hours, rooms], "by": "[secret]"}}[call.name]  # fmt: skip
            assert json.loads(result.content) == wanted
            found[call.name] += 1
    return found


def reasons_of(out: Path) -> dict[str, str]:
    """Of the tools of which no call ran."""
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").open()]
    return {r["record"]["calls"][0]["name"]: r["reason"] for r in rejects if r["record"]["writer"] == "none"}


def synth(lamina: Callable[..., Any], writer: str, config: Path, out: Path, count: int) -> Any:
    said = lamina("synth", config, "--out", out, "-n", count, "--writer", writer, "--timeout", 5, "--near", 1)
    assert KEY not in said.out + said.err
    assert not [file.name for file in out.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    return said


def test_a_server_that_dies_amid_a_synthesis_is_started_anew(
    house: Callable[..., Path], lamina: Callable[..., Any], says_the_values: str, tmp_path: Path
) -> None:
    config = house(command=sys.executable, args=["server.py"], env={"HOUSE_KEY": KEY, "DIES_AT": "4"})
    said = synth(lamina, says_the_values, config, tmp_path / "run", 48)
    assert said.status == 0, said.err
    found = rows_of(tmp_path / "run")
    assert set(found) == {"heat_house", "clean_windows"}
    assert min(found.values()) >= 3
    assert reasons_of(tmp_path / "run") == NEVER
    called = Counter((tmp_path / "calls.txt").read_text().split())
    assert called["heat_house"] > 4, "calls go on after the fourth, which ended the server"
    assert max(called["burn_down"], called["wait_for_post"]) <= 16, "what ends a server or hangs is given up"


@pytest.fixture
def far(house: Callable[..., Path], tmp_path: Path) -> Iterator[Callable[..., Path]]:
    started: list[subprocess.Popen[bytes]] = []

    def config(**environment: str) -> Path:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        command = [sys.executable, "server.py", "streamable-http", str(port)]
        env = {**os.environ, "HOUSE_KEY": KEY, **environment}
        with (tmp_path / "server.log").open("w") as log:
            started.append(
                subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log, start_new_session=True)
            )
        for _ in range(600):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        return house(url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": f"Bearer {KEY}"})

    yield config
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_rows_of_a_far_server_are_kept_when_it_is_gone(
    far: Callable[..., Path], lamina: Callable[..., Any], says_the_values: str, tmp_path: Path
) -> None:
    """Nobody starts it anew: what was verified stays, and it is said why there is no more."""
    said = synth(lamina, says_the_values, far(DIES_AT="9"), tmp_path / "run", 48)
    assert said.status == 0, said.err
    assert rows_of(tmp_path / "run")["heat_house"] >= 3
    assert Counter((tmp_path / "calls.txt").read_text().split())["heat_house"] == 9, "the ninth call was the last"
    assert reasons_of(tmp_path / "run")["heat_house"] == "killed"
    told = said.err.replace("\n", " ")
    assert "heat_house: its calls no longer run, so the model writes no more rows for it" in told
    assert "the server house cannot be reached" in told
