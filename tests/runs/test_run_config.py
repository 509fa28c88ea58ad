"""config.toml: what is written is what is compared."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.errors import InputError
from lamina.runs.config import config_difference, plain_config, read_config, write_config


class Style(Enum):
    BAKED = "baked"


keys = st.text("abcXYZ-_. é\"'\n", min_size=1, max_size=6)
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.none(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_a_config_read_back_differs_in_nothing(tmp_path_factory: pytest.TempPathFactory, config: dict) -> None:
    path = tmp_path_factory.mktemp("c") / "config.toml"
    write_config(path, config)
    assert config_difference(read_config(path), config) == []


def test_none_is_left_out_and_paths_enumerations_and_tuples_become_plain() -> None:
    config = {"a": None, "path": Path("x/y"), "style": Style.BAKED, "types": ("a", "b"), "in": {"b": None}}
    assert plain_config(config) == {"path": "x/y", "style": "baked", "types": ["a", "b"], "in": {}}


def test_the_difference_has_a_line_a_key_with_nested_keys_dotted() -> None:
    old = {"a": 1, "b": {"c": 1.0, "d": [1]}, "gone": "x"}
    new = {"a": True, "b": {"c": 1.0, "d": [2]}, "came": "y"}
    assert config_difference(old, new) == [
        "a: 1 -> True",
        "b.d: [1] -> [2]",
        "came: (not set) -> 'y'",
        "gone: 'x' -> (not set)",
    ]


def test_a_file_that_changed_is_named_and_not_its_fingerprint() -> None:
    old = {"files": {"/home/a/tools.py": "12", "/home/a/rates.py": "34", "/home/a/same.py": "5"}}
    new = {"files": {"/home/a/tools.py": "99", "/home/a/queries.jsonl": "56", "/home/a/same.py": "5"}}
    assert config_difference(old, new) == [
        "/home/a/queries.jsonl was not read before",
        "/home/a/rates.py is not read now",
        "/home/a/tools.py changed",
    ]


def test_a_value_that_toml_cannot_hold_is_named_by_its_key() -> None:
    with pytest.raises(InputError, match=r"synth\.model is a object"):
        plain_config({"synth": {"model": object()}})
