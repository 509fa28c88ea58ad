"""The real samples of the shared data folder: every row is a record or a reject with a reason, whole folder by whole
folder. ``benchmarks/data_import.py`` prints the table."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from data_import import SOURCES, read

from lamina.checks import Reason
from lamina.data import Checker
from lamina.trajectories.formats import formats

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of shared data is not beside this checkout")
NEVER_ANSWERED = {"stabletoolbench"}
WITHOUT_TOOLS = {"tooltalk"}


@pytest.mark.parametrize("source", SOURCES)
def test_every_row_of_a_source_is_a_record_or_a_reject_with_a_known_reason(source: str):
    if not (SHARED / source).is_dir():
        pytest.skip(f"the shared data folder has no {source}")
    trips = {one.name: Counter[str]() for one in formats().values() if one.losses}
    found = read(SHARED / source, Checker(), trips)
    assert found.rows > 0
    assert found.unaccounted == 0
    assert found.records == found.accepted + found.rejected.total()
    assert {*found.unread, *found.rejected} <= {reason.value for reason in Reason}
    assert (found.accepted == 0) == (source in NEVER_ANSWERED | WITHOUT_TOOLS)
    if found.accepted:
        for whole in ("xlam-unified", "trl", "openai", "xlam-2", "react", "glaive"):
            assert trips[whole] == {"held": found.accepted}
