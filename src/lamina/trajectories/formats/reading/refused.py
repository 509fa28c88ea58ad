"""A row that is no record."""

from __future__ import annotations


class Refused(Exception):
    """``reason`` is a ``checks.reasons.Reason`` value (the checks are a floor above); ``detail`` says what to
    change."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail
