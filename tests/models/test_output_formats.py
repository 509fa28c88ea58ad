"""The fifteen output formats: what is encoded is parsed to the same calls; what is something else is refused, fast."""

from __future__ import annotations

import csv
import io
import json
import time
import tomllib
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.errors import InputError
from lamina.models.output_formats import Calls, find_output_format, output_formats

FORMATS = output_formats()
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "</tool_call>",
        "</function>",
        "|",
        "a, b and c set to 1.",
        "- name: x",
        "call: f",
        "'",
        '"',
        "]]>",
        "&amp;",
        ", ",
        "\\",
        "\\n",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,12}", fullmatch=True).filter(lambda n: n not in ("none", "no"))
parameters = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
calls = st.lists(st.tuples(names, st.dictionaries(parameters, values, max_size=3)), max_size=3)


def test_there_are_fifteen():
    assert list(FORMATS) == [
        "json", "json-lines", "array", "python", "toml", "xml", "hermes", "function-tag", "s-expression", "yaml",
        "markdown-table", "csv", "key-value", "react", "sentence",
    ]  # fmt: skip
    assert all("Where no function fits" in one.instruction for one in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100)
@given(made=calls)
def test_calls_come_back_the_same(name: str, made: Calls):
    one = FORMATS[name]
    text = one.encode(made)
    back = one.parse(text)
    assert back == made
    assert json.dumps(back, sort_keys=True) == json.dumps(made, sort_keys=True)  # 1 is not 1.0, True is not 1


@pytest.mark.parametrize("name", FORMATS)
@given(text=st.text(max_size=60))
def test_any_other_text_is_refused_or_is_calls(name: str, text: str):
    try:
        found = FORMATS[name].parse(text)
    except ValueError:
        return
    assert FORMATS[name].parse(FORMATS[name].encode(found)) == found


@pytest.mark.parametrize("name", FORMATS)
def test_calls_of_one_format_are_not_taken_for_another_s(name: str):
    text = FORMATS[name].encode([("get_weather", {"city": "Paris", "days": 2})])
    taken = []
    for other in FORMATS.values():
        try:
            other.parse(text)
            taken.append(other.name)
        except ValueError:
            continue
    assert taken == [name]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "bad", ["[" * 5000, "(" * 5000, "<call>" * 3000, "{" * 5000, '<!DOCTYPE a [<!ENTITY b "c">]><calls/>']
)
def test_a_text_built_to_hurt_is_refused_at_once(name: str, bad: str):
    started = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        FORMATS[name].parse(bad)
    assert time.process_time() - started < 1


def test_the_formats_that_have_readers_elsewhere_are_what_they_say():
    made: Calls = [("f", {"x": [1, {"y": "a|b"}], "z": 'say "hi"\n<b>'}), ("g", {})]
    assert tomllib.loads(FORMATS["toml"].encode(made))["call"][0]["arguments"] == made[0][1]
    assert [c.attrib["name"] for c in ElementTree.fromstring(FORMATS["xml"].encode(made))] == ["f", "g"]
    assert [row["function"] for row in csv.DictReader(io.StringIO(FORMATS["csv"].encode(made)))] == ["f", "f", "g"]
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(FORMATS["yaml"].encode(made)) == [{"name": n, "arguments": a} for n, a in made]


def test_an_unknown_output_format_is_told():
    with pytest.raises(InputError, match="there is no output format 'prose'; use one of json"):
        find_output_format("prose")
