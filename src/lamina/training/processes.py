"""Which of several training processes this one is, as a launcher says it; alone it is the first of one."""

from __future__ import annotations

import os


def is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def process_count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
