"""Which machine a document's server is, and which of a host's addresses is asked."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lamina.tools import read_tools
from lamina.tools.execution import CallResult, Limits, open_executor
from lamina.tools.execution.http_addresses import Addresses, NoAddress, Place, is_private, says_private


class Here(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 -- one server a test

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def port() -> Iterator[int]:
    Here.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The addresses that each host has, and under ``asked`` the hosts that were looked up."""
    known: dict[str, list[str]] = {"asked": []}

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        known["asked"].append(host)
        families = [socket.AF_INET6 if ":" in a else socket.AF_INET for a in known[host]]
        return [(f, socket.SOCK_STREAM, 6, "", (a, port)) for f, a in zip(families, known[host], strict=True)]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


def called(folder: Path, server: str, times: int = 1) -> list[CallResult]:
    spec = {"openapi": "3.1.0", "servers": [{"url": server}], "paths": {"/a": {"get": {"operationId": "see"}}}}
    (folder / "shop.json").write_text(json.dumps(spec))
    with open_executor(read_tools(folder / "shop.json"), limits=Limits(wall_seconds=60)) as executor:
        return [executor.run_sequence([("see", {})])[0] for _ in range(times)]


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:10.0.0.1]", "shop.localhost"]
)
def test_a_document_cannot_name_a_server_of_this_machine_or_network(tmp_path: Path, port: int, host: str):
    (result,) = called(tmp_path, f"http://{host}:{port}")
    assert result.status == "unmet"
    assert "which only you may allow; set SHOP_BASE_URL=http://" in (result.error or "")
    assert Here.asked == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "intern.example"])
def test_a_name_that_leads_there_is_refused_however_it_is_written(
    tmp_path: Path, port: int, lookups: dict[str, list[str]], host: str
):
    lookups[host] = ["127.0.0.1"]
    (result,) = called(tmp_path, f"http://{host}:{port}")
    assert result.status == "raised"
    assert "leads to the private address 127.0.0.1" in (result.error or "")
    assert Here.asked == []


def test_who_names_the_base_url_reaches_it(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOP_BASE_URL", f"http://127.0.0.1:{port}")
    assert called(tmp_path, f"http://127.0.0.1:{port}")[0].ok


def test_every_address_of_a_host_is_tried_and_the_one_that_answered_kept(
    tmp_path: Path, port: int, lookups: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SHOP_BASE_URL", f"http://intern.example:{port}")
    lookups["intern.example"] = ["127.0.0.2", "127.0.0.1"]  # at the first nobody listens
    assert [result.ok for result in called(tmp_path, "http://elsewhere.example", times=2)] == [True, True]
    assert lookups["asked"] == ["intern.example"]
    assert Here.asked == [f"intern.example:{port}"] * 2
    lookups["intern.example"] = ["127.0.0.2", "127.0.0.3"]
    (gone,) = called(tmp_path, "http://elsewhere.example")
    assert "intern.example cannot be reached" in (gone.error or "")


def test_a_private_address_beside_a_public_one_is_never_tried(lookups: dict[str, list[str]]):
    lookups["two.example"] = ["93.184.216.34", "127.0.0.1", "::1"]
    place = Place("two.example", 80, named=False)
    addresses = Addresses()
    assert asyncio.run(addresses.of(place)) == ["93.184.216.34"]
    lookups["two.example"] = ["127.0.0.1"]
    assert asyncio.run(addresses.of(place)) == ["93.184.216.34"], "it is not looked up again"
    with pytest.raises(NoAddress):
        asyncio.run(Addresses().of(place))
    assert asyncio.run(addresses.of(Place("two.example", 80, named=True))) == ["127.0.0.1"]
    with pytest.raises(NoAddress):
        asyncio.run(Addresses().of(place))


def test_private_is_what_the_public_network_does_not_have():
    private = [
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
    ]
    assert [a for a in private if not is_private(a)] == []
    assert not is_private("93.184.216.34")
    assert not is_private("64:ff9b::5db8:d822")
    assert not says_private("localhost.example.org")
