"""Operations really run over HTTP: what is sent, what comes back, and what a bad server cannot do."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lamina.errors import InputError
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import CallResult, Limits, MixedExecutor, open_executor

KEY = "sk-very-secret-0123456789"


class Shop(BaseHTTPRequestHandler):
    """``/echo`` says what it was sent; the other paths misbehave."""

    counts: dict[str, int] = {}  # noqa: RUF012 -- one server a test
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.counts[url.path] = self.counts.get(url.path, 0) + 1
        what = getattr(self, "on_" + url.path.rsplit("/", 1)[-1], None)
        if what:
            return what()
        length = int(self.headers.get("Content-Length") or 0)
        said = {"method": self.command, "path": url.path, "query": parse_qs(url.query),
                "trace": self.headers.get("X-Trace"), "auth": self.headers.get("Authorization"),
                "kind": self.headers.get("Content-Type"), "body": self.rfile.read(length).decode()}  # fmt: skip
        self.answer(200, json.dumps(said).encode())

    do_POST = do_PUT = do_DELETE = do_GET

    def on_away(self) -> None:
        self.answer(302, b"", Location="http://example.org/elsewhere")

    def on_lured(self) -> None:
        self.counts["key sent"] = int(self.headers.get("Authorization") == f"Bearer {KEY}")
        self.answer(307, b"", Location=f"http://localhost:{self.server.server_port}/v1/echo")

    def on_home(self) -> None:
        self.answer(307, b"", Location="/v1/echo?from=home")

    def on_round(self) -> None:
        self.answer(302, b"", Location="/v1/round")

    def on_shaky(self) -> None:
        first = self.counts["/v1/shaky"] == 1
        self.answer(500, b'{"message": "again"}') if first else self.answer(200, b'{"tries": 2}')

    def on_html(self) -> None:
        self.answer(200, b"<!doctype html><title>Hello</title>", "text/html")

    def on_broken(self) -> None:
        self.answer(200, b'{"half": ')

    def on_leak(self) -> None:
        self.answer(403, json.dumps({"error": f"the key {self.headers.get('Authorization')} is not valid"}).encode())

    def on_digits(self) -> None:
        self.answer(200, json.dumps({"id": int(self.headers["Authorization"].split()[1]), "open": True}).encode())

    def on_wrong(self) -> None:
        self.answer(200, b'{"status": 404, "message": "no such city"}')

    def on_huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b'"' + b"x" * ((1 << 20) - 1))
        except OSError:
            pass

    def on_astray(self) -> None:
        self.answer(302, b"", Location="http://[::1:port/")

    def on_odd_charset(self) -> None:
        self.answer(200, "héllo".encode(), "text/plain; charset=idna")

    def on_odd_pause(self) -> None:
        first = self.counts["/v1/odd_pause"] == 1
        self.answer(503, b"", Retry_After="\u00b2") if first else self.answer(200, b"2")

    def on_infinite(self) -> None:
        self.answer(200, b'{"n": 1e999}')

    def on_slow(self) -> None:
        time.sleep(5)
        self.answer(200, b"{}")


NAMES = ("lured", "away", "home", "round", "shaky", "html", "broken", "leak", "digits", "wrong", "huge", "slow",
         "astray", "odd_charset", "odd_pause", "infinite")  # fmt: skip


def spec(port: int) -> dict[str, Any]:
    def p(name: str, where: str, kind: str = "string", required: bool = False) -> dict[str, Any]:
        return {"name": name, "in": where, "required": required, "schema": {"type": kind}}

    body = {"type": "object", "properties": {"note": {"type": "string"}, "n": {"type": "integer"}}}
    tags = {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
    paths: dict[str, Any] = {f"/{name}": {"get": {"operationId": name}} for name in NAMES}
    for name in ("leak", "lured", "digits"):
        paths[f"/{name}"]["get"]["security"] = [{"bearer": []}]
    paths["/things/{id}"] = {
        "get": {"operationId": "see", "parameters": [p("id", "path"), tags, p("X-Trace", "header")]},
        "put": {"operationId": "change", "parameters": [p("id", "path")],
                "requestBody": {"content": {"application/json": {"schema": body}}}},
    }  # fmt: skip
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {"openapi": "3.1.0", "info": {"title": "Shop"}, "servers": [{"url": f"http://127.0.0.1:{port}/v1"}],
            "paths": paths, "components": {"securitySchemes": schemes}}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toolbox]:
    Shop.counts = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    monkeypatch.setenv("SHOP_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(spec(server.server_port)))
    yield read_tools(file)
    server.shutdown()
    server.server_close()


def called(shop: Toolbox, name: str, limits: Limits | None = None, **arguments: Any) -> CallResult:
    with open_executor(shop, limits=limits or Limits(wall_seconds=60)) as executor:
        assert isinstance(executor, MixedExecutor)
        return executor.run_sequence([(name, arguments)])[0]


def test_arguments_go_where_the_document_says(shop: Toolbox):
    got = called(shop, "see", id="a b/c", tag=["x", "y&z"], X_Trace="t1").value
    assert (got["path"], got["query"], got["trace"]) == ("/v1/things/a%20b%2Fc", {"tag": ["x", "y&z"]}, "t1")
    put = called(shop, "change", id="7", note="héllo", n=3).value
    assert (put["method"], put["kind"]) == ("PUT", "application/json")
    assert json.loads(put["body"]) == {"note": "héllo", "n": 3}


@pytest.mark.parametrize("part", ["..", ".", ""])
def test_an_argument_cannot_lead_to_another_path(shop: Toolbox, part: str):
    assert called(shop, "see", id=part).status == "invalid"


def test_a_wrong_argument_is_never_sent(shop: Toolbox):
    assert called(shop, "change", id="7", n="three").status == "invalid"
    assert Shop.counts == {}


def test_redirects_stay_at_home(shop: Toolbox):
    assert called(shop, "home").value["query"] == {"from": ["home"]}
    away = called(shop, "away")
    assert (away.status, "example.org" in (away.error or "")) == ("raised", True)
    assert "more than" in (called(shop, "round").error or "")


def test_a_server_that_stumbles_once_is_asked_once_more(shop: Toolbox):
    result = called(shop, "shaky")
    assert (result.value, Shop.counts["/v1/shaky"]) == ({"tries": 2}, 2)
    assert "500 at first" in result.printed


@pytest.mark.parametrize(("name", "said"), [("html", "HTML page"), ("broken", "says it is JSON and is not")])
def test_what_is_no_data_is_no_result(shop: Toolbox, name: str, said: str):
    result = called(shop, name)
    assert result.status == "unserialisable"
    assert said in (result.error or "")


def test_a_hundred_megabytes_are_cut(shop: Toolbox):
    result = called(shop, "huge", Limits(wall_seconds=60, output_bytes=1000))
    assert result.truncated
    assert len(result.text) <= 1000


def test_a_redirect_to_no_url_and_an_argument_too_long_for_one_are_failed_calls(shop: Toolbox):
    astray = called(shop, "astray")
    assert (astray.status, astray.error) == ("raised", "astray: the server redirects to what is no URL, not followed")
    long = called(shop, "see", id="x" * 70_000)
    assert (long.status, long.error) == ("raised", "see: no URL can be made of the arguments (URL too long)")
    assert called(shop, "see", id="1", tag=["x" * 70_000]).status == "raised"


def test_what_a_server_says_of_its_answer_oddly_is_no_failure(shop: Toolbox):
    assert called(shop, "odd_charset").value == "héllo"
    assert called(shop, "odd_pause").value == 2
    assert called(shop, "infinite").status == "unserialisable"


def test_a_slow_server_is_not_waited_for(shop: Toolbox):
    assert called(shop, "slow", Limits(wall_seconds=0.5)).status == "timed_out"


def test_a_key_is_asked_for_sent_and_never_comes_back(shop: Toolbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SHOP_BEARER", raising=False)
    asked = called(shop, "leak")
    assert asked.status == "unmet", "others of the tools may run all the same"
    assert "set SHOP_BEARER" in (asked.error or "")
    monkeypatch.setenv("SHOP_BEARER", KEY)
    result = called(shop, "leak")
    assert result.http_status == 403
    assert KEY not in repr(result)
    assert "is not valid" in (result.error or "")


def test_a_key_of_digits_said_back_as_a_number_leaves_a_result(shop: Toolbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOP_BEARER", "12345678")
    result = called(shop, "digits")
    assert result.ok
    assert result.value == {"id": "[secret]", "open": True}


def test_a_key_is_not_carried_to_another_host(shop: Toolbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOP_BEARER", KEY)
    result = called(shop, "lured")
    assert Shop.counts["key sent"] == 1, "home gets it"
    assert result.status == "raised"
    assert "/v1/echo" not in Shop.counts, "the other one is not even asked"


def test_a_key_stands_in_no_file_of_a_run(shop: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from lamina.cli import main

    monkeypatch.setenv("TWO_BEARER", KEY)
    monkeypatch.setenv("TWO_BASE_URL", os.environ["SHOP_BASE_URL"])
    writer = tmp_path / "writer.py"
    writer.write_text("def reply(messages, tools, seed):\n    return 'leak the key'\n", encoding="utf-8")
    document = json.loads((tmp_path / "shop.json").read_text())
    document["paths"] = {name: document["paths"][name] for name in ("/leak", "/home")}
    (tmp_path / "two.json").write_text(json.dumps(document))
    words = ["--out", str(tmp_path / "run"), "--writer", f"scripted:{writer}", "-n", "6"]
    assert main(["synth", str(tmp_path / "two.json"), *words]) == 1, (
        "no row of this writer passes, all are kept as rejects"
    )
    assert Shop.counts.get("/v1/leak"), "it was called"
    files = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert files
    assert not [file.name for file in files if KEY.encode() in file.read_bytes()]


def test_a_server_that_is_not_there_is_a_failed_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "gone.json"
    monkeypatch.setenv("GONE_BASE_URL", "http://127.0.0.1:1")
    file.write_text(json.dumps(spec(1)))
    result = called(read_tools(file), "see", id="1")
    assert (result.status, "cannot be reached" in (result.error or "")) == ("raised", True)


def test_what_changes_things_elsewhere_is_not_called_unasked(shop: Toolbox):
    with pytest.raises(InputError, match=f"1 of {len(NAMES) + 2} tools may change things"):
        open_executor(shop, allow_changes=False)


def test_a_success_that_carries_an_error_is_told_from_a_result(shop: Toolbox):
    from lamina.tools.execution import carried_error

    result = called(shop, "wrong")
    assert result.ok
    assert carried_error(shop["wrong"], result.value) == "it carries the status 404"
