"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with something else must not fail a test; repeatable, so that a failure is a fact.
settings.register_profile("lamina", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("lamina")
