"""Readers meet anything: a mutated row is a record or a reject with a reason, never a crash and never silence.
``benchmarks/data_fuzz.py`` does the same a hundred thousand times."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from data_fuzz import mutated, mutated_bytes
from foreign_rows import ROWS, as_text
from hypothesis import given
from hypothesis import strategies as st

from lamina.trajectories import Reject, Trajectory, read_trajectories
from lamina.trajectories.formats import find_format
from lamina.trajectories.formats.reading.refused import Refused

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def outcome(reader: Callable[[Any, Path], list[Trajectory]], row: object) -> str | list[Trajectory]:
    """The records, or why there are none."""
    try:
        return reader(row, Path("."))
    except Refused as refused:
        return refused.reason and refused.detail


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_mutated_row_is_a_record_or_refused(name: str):
    reader = find_format(name).from_row
    assert reader is not None
    for seed in range(300):
        found = outcome(reader, mutated(ROWS[name], random.Random(seed)))
        assert found


@pytest.mark.parametrize("name", sorted([*ROWS, "metatool"]))
@given(row=anything)
def test_any_json_at_all_is_a_record_or_refused(name: str, row: object):
    reader = find_format(name).from_row
    assert reader is not None
    assert outcome(reader, row)


@pytest.mark.parametrize("name", sorted([*ROWS, "jsonl"]))
def test_a_file_of_broken_bytes_gives_records_and_rejects_for_every_line(name: str, tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    text = as_text(name if name != "jsonl" else "openai").encode() * 3
    for seed in range(40):
        data = mutated_bytes(text, random.Random(seed))
        file.write_bytes(data)
        rejects: list[Reject] = []
        records = list(read_trajectories(file, rejects.append, format=name))
        lines = [line for line in data.split(b"\n") if line.removeprefix(b"\xef\xbb\xbf").strip()]
        assert bool(records or rejects) == bool(lines)
        assert all(reject.reason and reject.detail for reject in rejects)
        list(read_trajectories(file, rejects.append))  # whatever it is taken for
