"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A machine that is busy with something else must not fail a test; repeatable, so that a failure is a fact.
settings.register_profile("lamina", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("lamina")


def keep_to_one_core(worker: str) -> None:
    """Tests that run side by side (``gw0``, ``gw1``) have a core each, and so do the engines they start: two engines
    that wait for each other's threads on the same cores take several times as long."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    keep_to_one_core(worker)
