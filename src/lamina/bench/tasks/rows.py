"""``rows:FILE``: anybody's function-calling data set as a benchmark, in any format that ``lamina formats`` lists. Each
row brings its own tools; its calls are the right answer."""

from __future__ import annotations

from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import files_of, records_of
from lamina.errors import InputError

ABOUT = "rows:FILE|RUN, a data set in any known format, each row with its own tools: call exact match, arguments"
VERSION = 3


def open_task(argument: str) -> Recorded:
    if not argument:
        raise InputError("the task 'rows' needs a file", mend="write rows:FILE, in a format of 'lamina formats'")
    return Recorded(f"rows:{argument}", lambda: records_of(files_of([argument])))
