"""Lamina turns your own functions into a small, verified, on-device tool-calling agent.

    from lamina.tools import read_tools
    from lamina.models import open_model

Each room has its own public names; nothing heavy is imported until it is used.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
