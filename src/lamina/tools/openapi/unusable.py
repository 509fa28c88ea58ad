"""What cannot be made a tool of, and why."""

from __future__ import annotations


class Unusable(Exception):
    """An operation of which no tool can be made; ``code`` is one of ``lamina.tools.linting.CODES``."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.code, self.detail = code, detail
