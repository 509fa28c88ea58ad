"""What only a browser can tell: that the columns that matter stand on the page. Skipped where there is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lamina.reports import write_report
from lamina.runs import RecordStore, Row
from lamina.runs.run import STORE

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MEASURE = """<script>
const box = document.querySelector(".scroll");
document.title = "wide " + box.scrollWidth + " of " + box.clientWidth;
</script></body>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


def measured(page: Path, width: int) -> tuple[int, int]:
    """(width of the table of yields, of what of it is in view), in CSS pixels."""
    html = re.sub("<meta http-equiv[^>]*>", "", page.read_text("utf-8")).replace("</body>", MEASURE)
    page.with_name("measured.html").write_text(html, encoding="utf-8")
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run(
        [*map(str, words), page.with_name("measured.html").as_uri()], capture_output=True, text=True, timeout=120
    )
    found = re.search(r"<title>wide (\d+) of (\d+)</title>", done.stdout)
    if found is None:
        pytest.skip(f"the browser does not run here: {done.stderr[-200:]}")
    return int(found[1]), int(found[2])


def test_the_yields_of_all_stages_stand_on_a_page_of_1280_pixels(tmp_path: Path):
    synth: dict[str, Any] = {
        "targets": 1953, "verified": 1941,
        "rejected": {"format": {"no-answer": 2}, "grounding": {"x": 9}, "novelty": {"y": 1}},
    }  # fmt: skip
    call = {"type": "function", "function": {"name": "schedule_meeting", "arguments": {}}}
    record = {
        "messages": [{"role": "assistant", "content": "", "tool_calls": [call]}],
        "meta": {"writer": "examples", "style": "missing-argument"},
    }
    with RecordStore(tmp_path / STORE) as store:
        store.put(Row("trajectory", f"r{n}", n, json.dumps(record).encode()) for n in range(1200))
    table, view = measured(write_report(tmp_path, {"synth": synth}), 1280)
    assert table <= view, "the last column, the yield, would be out of sight"
