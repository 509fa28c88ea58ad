"""What a stage took is its own: the memory of an earlier one is not counted again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lamina.runs import Took, resources

MB = 1 << 20


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux can set the mark back")
def test_the_peak_is_of_this_work_alone() -> None:
    with Took() as large:
        assert len(bytearray(200 * MB)) == 200 * MB
    with Took() as small:
        pass
    assert large.as_dict()["peak_rss_bytes"] > 200 * MB
    assert small.as_dict()["peak_rss_bytes"] < large.as_dict()["peak_rss_bytes"] - 150 * MB
    assert small.as_dict()["seconds"] >= 0


def test_processes_that_the_work_starts_are_counted_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "SECONDS_BETWEEN_LOOKS", 0.05)
    with Took() as took:
        grandchild = f"import time; a = bytearray({150 * MB}); time.sleep(1)"
        child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
        subprocess.run([sys.executable, "-c", child], check=True)
    assert took.as_dict()["children_peak_rss_bytes"] > 150 * MB


def test_work_that_fails_is_measured_and_its_error_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), Took() as took:
        raise ZeroDivisionError
    assert took.as_dict()["peak_rss_bytes"] > 0
