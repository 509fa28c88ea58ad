"""Keys are taken out of what comes back, wherever they stand, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lamina.tools.execution.secrets import SCRUBBED, Secrets
from lamina.tools.mcp_servers.config import Server

KEY = "sk-literal-123456"


def test_a_key_is_replaced_inside_of_a_value_which_stays_json():
    secrets = Secrets(["12345678", 'a"b\nc'])
    value = {
        "id": 12345678,
        "12345678": [True, None, 1.5],
        "said": 'it was a"b\nc',
        "json": json.dumps({"k": 'a"b\nc'}),
    }
    assert secrets.scrubbed(value) == {
        "id": SCRUBBED, SCRUBBED: [True, None, 1.5], "said": f"it was {SCRUBBED}", "json": f'{{"k": "{SCRUBBED}"}}',
    }  # fmt: skip


@pytest.mark.parametrize("common", ["true", "False", "none", "null", "12345", "-12.5", "3600", "abc"])
def test_what_stands_where_a_key_could_and_is_none_is_left(common: str):
    value = {"open": True, "said": f"it is {common}", "degrees": -12.5, "n": 12345}
    assert Secrets([common, f"user:{common}"]).scrubbed(value) == value


@pytest.mark.parametrize("key", ["123456", "12.34.56", "abcd"])
def test_longer_numbers_and_words_are_keys(key: str):
    assert Secrets([key]).scrub(f"not {key} again") == f"not {SCRUBBED} again"


def test_of_a_short_word_only_whole_words_are_taken_where_that_is_asked_for():
    said = r"prod is prod, a product prod_1 reprod; \nprod env=prod&x=%20prod%20 'prod'"
    hidden = r"# is #, a product prod_1 reprod; \n# env=#&x=%20#%20 '#'".replace("#", SCRUBBED)
    assert Secrets(["prod"], whole_words=True).scrub(said) == hidden
    assert Secrets(["prod"]).scrub("product") == f"{SCRUBBED}uct"
    assert Secrets(["user:prod"], whole_words=True).scrub("a product of prod") == f"a product of {SCRUBBED}"
    for key in ("twelve_chars", "sk-1"):
        assert Secrets([key], whole_words=True).scrub(f"x{key}x") == f"x{SCRUBBED}x"


@pytest.mark.parametrize(
    "server",
    [
        {"args": ("--api-key", KEY, "--verbose")},
        {"args": (f"--access-token={KEY}",)},
        {"args": ("run", "-e", f"GITHUB_TOKEN={KEY}")},
        {"args": ("remote", "--header", f"Authorization: Bearer {KEY}")},
        {"args": (f"postgresql://ana:{KEY}@db.example/shop",)},
        {"env": {"DATABASE_URL": f"mysql://ana:{KEY}@db.example/shop"}},
        {"url": f"https://mcp.example/mcp?region=eu&api_key={KEY}"},
        {"url": f"https://{KEY}@mcp.example/mcp"},
        {"url": f"https://mcp.example/s/{KEY}-abc/mcp"},
        {"url": "https://mcp.example/mcp", "headers": {"X-Api-Key": KEY}},
    ],
)
def test_a_key_written_out_in_a_config_of_mcp_servers_is_known(server: dict[str, Any]):
    secrets = Secrets(Server("s", **server).secrets())
    values = [*server.get("env", {}).values(), *server.get("headers", {}).values()]
    said = next(text for text in [*server.get("args", ()), server.get("url", ""), *values] if KEY in text)
    assert KEY not in secrets.scrub(f"401 for {said}")


def test_what_is_no_key_in_a_config_is_left():
    args = ("-y", "server-weather", "--keyboard", "german", "--port", "8000", "--author", "maria", "region=europe")
    server = Server("s", "npx", args, {"AUTHOR": "Maria", "USE_AUTH": "true"})
    told = "npx -y server-weather german maria Maria europe 8000 true"
    assert Secrets(server.secrets()).scrub(told) == told
    assert Server("s", url="https://mcp.example/mcp?region=europe").secrets() == []


def test_a_key_that_a_server_says_in_capitals_is_blotted_out_too():
    secrets = Secrets(["sk-live-abcdef", "port"])
    assert secrets.scrub("no key SK-LIVE-ABCDEF here, nor Sk-Live-AbcDef") == "no key [secret] here, nor [secret]"
    assert secrets.scrub("the PORT of Hamburg") == "the PORT of Hamburg", "a short value may be a word"
